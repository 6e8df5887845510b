"""The limit line, on cases worked out by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks.experiments.ceiling import (
    GroupBlindLimit,
    cheapest_multipliers,
    choose_multipliers,
    joint_probabilities,
    margins,
    multipliers_of,
    weights,
)


def test_joint_probabilities_multiply_label_and_group():
    joint = joint_probabilities(np.array([0.25]), np.array([[0.5, 0.8]]))

    # p(y=0) = .75, half of them of group 1; p(y=1) = .25, four fifths of group 1.
    assert_allclose(joint, [[[0.375, 0.375], [0.05, 0.2]]])


def test_weight_for_demographic_parity_is_by_group_alone():
    joint = np.array([[[0.1, 0.2], [0.3, 0.4]]])
    shares = np.array([[0.3, 0.2], [0.2, 0.3]])

    w = weights(joint, shares, "demographic_parity")

    # p(a=1|x) = .6 and p(a=0|x) = .4, both of a share of one half.
    assert_allclose(w, [[0.6 / 0.5 - 0.4 / 0.5]])


def test_weights_for_equalized_odds_are_by_label():
    joint = np.array([[[0.1, 0.2], [0.3, 0.4]]])
    shares = np.array([[0.25, 0.25], [0.3, 0.2]])

    w = weights(joint, shares, "equalized_odds")

    assert_allclose(w, [[0.2 / 0.25 - 0.1 / 0.25, 0.4 / 0.2 - 0.3 / 0.3]])


@pytest.mark.parametrize("criterion", ["demographic_parity", "equalized_odds"])
def test_weights_tell_the_difference_of_a_selection(criterion):
    """The mean of w over the selected is the difference, where p is the truth."""
    # Each sample stands for itself: its label and group are certain.
    y = np.array([0, 0, 0, 1, 1, 1, 0, 1])
    groups = np.array([0, 0, 1, 0, 1, 1, 1, 0])
    selected = np.array([True, False, True, True, True, False, True, False])
    p_group = np.stack([groups, groups], axis=1).astype(float)
    joint = joint_probabilities(y.astype(float), p_group)
    shares = np.bincount(2 * y + groups, minlength=4).reshape(2, 2) / len(y)

    found = (weights(joint, shares, criterion) * selected[:, None]).mean(axis=0)

    populations = [y == y]
    if criterion == "equalized_odds":
        populations = [y == 0, y == 1]
    expected = [
        selected[who & (groups == 1)].mean() - selected[who & (groups == 0)].mean()
        for who in populations
    ]
    assert_allclose(found, expected)


def test_margin_moves_the_threshold_by_the_weight():
    p_label = np.array([0.6, 0.6, 0.4])
    w = np.array([[1.0], [-1.0], [-1.0]])

    assert_allclose(margins(p_label, w, (0.2,)), [-0.1, 0.3, 0.1])


def test_multipliers_include_no_shift():
    assert (0.0,) in multipliers_of("demographic_parity")
    assert (0.0, 0.0) in multipliers_of("equalized_odds")


def test_chosen_multipliers_are_those_that_no_other_beats():
    # Two of group 1 with p = .7, one right; two of group 0 with p = .4 and .2, both 0.
    p_label = np.array([0.7, 0.7, 0.4, 0.2])
    y = np.array([1, 0, 0, 0])
    groups = np.array([1, 1, 0, 0])
    w = np.array([[1.0], [1.0], [-1.0], [-1.0]])

    chosen = choose_multipliers(p_label, w, y, groups, [(0.0,), (0.15,), (0.4,)])

    # No shift selects group 1: accuracy .75, difference 1. A shift of .15 selects one
    # of group 0 as well: .5 and .5. A shift of .4 selects group 0 alone: .25 and 1.
    assert chosen == [(0.0,), (0.15,)]


def test_the_smallest_difference_that_the_price_affords_is_taken():
    # As above, with another pair of rows, one of either group, that is decided rightly.
    p_label = np.array([0.7, 0.7, 0.6, 0.4, 0.2, 0.9])
    y = np.array([1, 0, 1, 0, 0, 1])
    groups = np.array([1, 1, 1, 0, 0, 0])
    w = np.array([[1.0], [1.0], [1.0], [-1.0], [-1.0], [-1.0]])

    # Without a shift one row of six is wrong, and the difference is 2/3. A shift beyond
    # .1 loses the row of p = .6 and selects that of p = .4: two more are wrong, and
    # both groups have a rate of 2/3.
    (free,) = cheapest_multipliers(p_label, w, y, groups, price=0.0)
    (paid,) = cheapest_multipliers(p_label, w, y, groups, price=0.34)

    assert free < 0.1 - 1e-9
    assert 0.1 - 1e-9 < paid < 0.2


@pytest.mark.parametrize("criterion", ["demographic_parity", "equalized_odds"])
def test_the_limit_asks_for_no_groups_and_lowers_its_difference(criterion):
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 2, 6000)
    X = np.column_stack([rng.normal(groups, 1.0), rng.normal(size=6000)])
    y = np.where(X.sum(axis=1) + rng.normal(size=6000) > 0.5, "yes", "no")
    known, new = slice(3000), slice(3000, None)

    def sum_of_differences(price):
        limit = GroupBlindLimit(criterion, price=price)
        limit.fit(X[known], y[known], sensitive_features=groups[known])
        decided = limit.predict(X[new]) == "yes"
        populations = [y[new] == y[new]]
        if criterion == "equalized_odds":
            populations = [y[new] == "yes", y[new] == "no"]
        return sum(
            abs(
                decided[who & (groups[new] == 0)].mean()
                - decided[who & (groups[new] == 1)].mean()
            )
            for who in populations
        )

    assert sum_of_differences(0.2) < 0.5 * sum_of_differences(0.0)
