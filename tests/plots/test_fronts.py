import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skfair_runner.compare._fronts import non_dominated
from skfair_runner.plots._fronts import confidence_ellipse, on_front


@pytest.mark.parametrize("seed", range(5))
def test_the_front_is_what_no_other_point_dominates(seed):
    rng = np.random.default_rng(seed)
    # Few distinct values, so that there are ties.
    difference, utility = rng.integers(0, 6, (2, 30)) / 10
    expected = [
        not any(
            (d <= difference[k] and u > utility[k])
            or (d < difference[k] and u >= utility[k])
            for d, u in zip(difference, utility, strict=True)
        )
        for k in range(30)
    ]
    assert on_front(difference, utility).tolist() == expected


def test_figure_and_comparison_agree_on_the_front():
    difference, utility = np.random.default_rng(0).integers(0, 9, (2, 50)) / 10
    expected = non_dominated(pd.Series(utility), pd.Series(difference))
    assert_array_equal(on_front(difference, utility), expected)


def test_equal_points_are_on_the_front_together():
    assert on_front(np.array([0.1, 0.1]), np.array([0.8, 0.8])).all()


@pytest.mark.slow
def test_the_region_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]])
    covered = 0
    for _ in range(4000):
        sample = rng.multivariate_normal([0, 0], covariance, size=6)
        width, height, angle = confidence_ellipse(np.cov(sample.T), 6, 0.9)
        turn = np.radians(angle)
        x, y = -sample.mean(axis=0)
        along = x * np.cos(turn) + y * np.sin(turn)
        across = -x * np.sin(turn) + y * np.cos(turn)
        covered += (2 * along / width) ** 2 + (2 * across / height) ** 2 <= 1
    assert covered / 4000 == pytest.approx(0.9, abs=0.015)


def test_a_measure_that_never_varies_gives_a_line():
    width, height, angle = confidence_ellipse(np.diag([0.0, 4.0]), 5, 0.95)
    assert height == 0 < width
    assert_allclose(abs(angle), 90)
