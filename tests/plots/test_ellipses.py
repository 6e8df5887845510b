import numpy as np
import pytest
from numpy.testing import assert_allclose

from skfair_runner.plots._ellipses import confidence_ellipse


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
