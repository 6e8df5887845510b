"""Average precision and ROC AUC of one sort, beside scikit-learn's."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import average_precision_score, roc_auc_score

from skfair_runner.metrics.ranking import ranking_quality


@st.composite
def rankings(draw):
    """Labels of both kinds, scores that are often tied, and weights or none."""
    n = draw(st.integers(2, 30))
    y = draw(hnp.arrays(bool, n))
    assume(y.any() and not y.all())
    scores = draw(hnp.arrays(float, n, elements=st.integers(0, 8).map(lambda k: k / 8)))
    weights = None
    if draw(st.booleans()):
        weights = draw(hnp.arrays(float, n, elements=st.floats(0, 3)))
        assume(weights[y].sum() > 1e-3 and weights[~y].sum() > 1e-3)
    return y, scores, weights


@given(rankings())
def test_both_are_scikit_learns(ranking):
    y, scores, weights = ranking
    precision, area = ranking_quality(y, scores, weights)
    expected = average_precision_score(y, scores, sample_weight=weights)
    assert precision == pytest.approx(expected, abs=1e-9)
    expected = roc_auc_score(y, scores, sample_weight=weights)
    assert area == pytest.approx(expected, abs=1e-9)


def test_many_rows_with_scores_all_different():
    rng = np.random.default_rng(0)
    y, scores = rng.random(5000) < 0.2, rng.random(5000)
    found = ranking_quality(y, scores)
    expected = average_precision_score(y, scores), roc_auc_score(y, scores)
    assert_allclose(found, expected, rtol=1e-12)
