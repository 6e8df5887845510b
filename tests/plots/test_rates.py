import numpy as np
from numpy.testing import assert_allclose
from scipy.stats import binomtest

from skfair_runner.plots._rates import wilson_interval


def test_intervals_are_wilsons():
    for hits, n in ((0, 12), (3, 12), (40, 200), (200, 200)):
        expected = binomtest(hits, n).proportion_ci(0.9, method="wilson")
        found = wilson_interval(np.array([hits / n]), np.array([n]), 0.9)
        assert_allclose(np.ravel(found), [expected.low, expected.high], atol=1e-12)


def test_the_share_is_never_outside_its_interval():
    n = np.arange(1.0, 400.0)
    for confidence in (0.5, 0.9, 0.95, 0.99):
        for share in (0.0, 1.0):
            low, high = wilson_interval(np.full_like(n, share), n, confidence)
            assert (low <= share).all()
            assert (high >= share).all()
