"""Ranking from one sort: scikit-learn's two functions, with ties and weights."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import average_precision_score, roc_auc_score

from skfair_runner.metrics.ranking import average_precision_and_area


@st.composite
def rankings(draw):
    """Labels, both of which occur, scores with ties, and weights or None."""
    n_samples = draw(st.integers(2, 40))

    def array(values):
        return np.array(draw(st.lists(values, min_size=n_samples, max_size=n_samples)))

    positive = array(st.booleans())
    positive[:2] = draw(st.permutations([True, False]))
    scores = array(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0])))
    weights = array(st.floats(0.01, 10)) if draw(st.booleans()) else None
    return positive, scores, weights


@settings(deadline=None)
@given(rankings())
def test_both_are_scikit_learns(ranking):
    positive, scores, weights = ranking
    expected = (
        average_precision_score(positive, scores, sample_weight=weights),
        roc_auc_score(positive, scores, sample_weight=weights),
    )
    found = average_precision_and_area(positive, scores, weights)
    assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_both_are_scikit_learns_on_many_rows():
    rng = np.random.default_rng(0)
    positive = rng.random(20_000) < 0.3
    scores = np.round(rng.beta(2 + positive, 3), 3)
    expected = (
        average_precision_score(positive, scores),
        roc_auc_score(positive, scores),
    )
    found = average_precision_and_area(positive, scores)
    assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_equal_scores_rank_nothing():
    positive = np.array([True, False, False, True, False])
    assert average_precision_and_area(positive, np.full(5, 0.3)) == (0.4, 0.5)
