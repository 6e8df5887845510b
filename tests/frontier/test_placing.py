"""Where points are measured: evenly at first, then where the front is steep."""

import numpy as np

from skfair_runner.frontier._placing import first_weights, next_weight


def test_the_first_weights_begin_at_no_repair_and_lie_closer_there():
    weights = first_weights(25)
    steps = np.diff(weights)
    assert weights[0] == 0 and weights[-1] == 1.2 and len(weights) == 15
    assert (np.diff(steps) > 0).all()
    np.testing.assert_allclose(np.diff(np.sqrt(weights)), 1.2**0.5 / 14, atol=1e-4)


def measured(weights, accuracy, difference):
    return weights, [[accuracy(w), difference(w)] for w in weights]


def test_a_steep_part_of_a_front_is_measured_closely():
    """The difference falls from .2 to 0 between the weights .8 and .81."""
    weights = first_weights(25)
    while len(weights) < 25:
        points = measured(weights, lambda w: 0.8, lambda w: 0.2 * (w < 0.8 + 0.01 * w))
        weights.append(next_weight(*points))
    assert len(set(weights)) == 25
    below, above = (
        max(w for w in weights if w < 0.808),
        min(w for w in weights if w > 0.809),
    )
    assert above - below < 0.04


def test_neighbours_that_are_close_are_not_parted_while_there_are_others():
    points = measured(
        [0.0, 0.25, 0.2501, 1.2], lambda w: 0.8, lambda w: float(w > 0.25)
    )
    assert not 0.25 < next_weight(*points) < 0.2501


def test_when_all_are_close_the_widest_is_parted():
    points = measured([0.0, 0.00001, 0.00006], lambda w: 0.8, lambda w: 0.0)
    assert next_weight(*points) > 0.00001
