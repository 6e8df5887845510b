"""Linear intervals: finite differences, and a bootstrap that redraws rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm
from sklearn.metrics import average_precision_score

from skfair_runner.metrics.influence import (
    influence_on_average_precision,
    linear_half_width,
)


def ranking(n, n_values=None):
    """Labels, scores that tell something of them, and cells; scores may be tied."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    scores = rng.normal(y, 1.5)
    if n_values is not None:
        scores = np.digitize(scores, np.linspace(-2, 3, n_values)) / n_values
    return y, scores, 2 * rng.integers(0, 2, n) + y


@pytest.mark.parametrize("n_values", [None, 4])
def test_influences_are_slopes_of_the_weighted_average_precision(n_values):
    y, scores, _ = ranking(40, n_values)
    step = 1e-6
    slopes = []
    for row in range(40):
        ends = []
        for sign in (-1, 1):
            weights = np.ones(40)
            weights[row] += sign * step
            ends.append(average_precision_score(y, scores, sample_weight=weights))
        slopes.append((ends[1] - ends[0]) / (2 * step))
    found = influence_on_average_precision(y, scores)
    assert_allclose(found, slopes, atol=1e-7)
    assert_allclose(found.sum(), 0, atol=1e-12)


def test_the_width_is_that_of_rows_redrawn_within_cells():
    y, scores, cells = ranking(600)
    rng = np.random.default_rng(1)
    rows_of = [np.flatnonzero(cells == cell) for cell in range(4)]
    drawn = []
    for _ in range(1500):
        rows = np.concatenate([rng.choice(part, len(part)) for part in rows_of])
        drawn.append(average_precision_score(y[rows], scores[rows]))
    width = linear_half_width(influence_on_average_precision(y, scores), cells, 0.9)
    assert_allclose(width, norm.ppf(0.95) * np.std(drawn), rtol=0.08)


def test_the_width_of_a_share_is_a_stratified_binomials():
    decided = np.array([1.0, 0, 0, 0, 1, 1, 0, 1])
    cells = np.array([0, 0, 0, 0, 2, 2, 2, 2])
    variance = 4 * (0.25 * 0.75) + 4 * (0.75 * 0.25)
    assert_allclose(
        linear_half_width(decided / 8, cells, 0.95), norm.ppf(0.975) * variance**0.5 / 8
    )
