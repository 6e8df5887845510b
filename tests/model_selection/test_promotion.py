"""Who goes on: fronts, crowding, and those that do not count."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skfair_runner.model_selection._promotion import (
    crowding_distances,
    front_ranks,
    promote,
)

NOBODY = [False] * 6


def rank_by_definition(utility, difference):
    """One more than the longest chain of points that dominate one another."""
    n_points = len(utility)
    ranks = np.ones(n_points, dtype=int)
    # Whoever dominates has a larger sum, and so comes first.
    for point in np.argsort(difference - utility, kind="stable"):
        for other in range(n_points):
            at_least = utility[other] >= utility[point]
            at_most = difference[other] <= difference[point]
            better = utility[other] > utility[point]
            better |= difference[other] < difference[point]
            if at_least and at_most and better:
                ranks[point] = max(ranks[point], ranks[other] + 1)
    return ranks


@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_lengths_of_chains_of_dominance(seed):
    rng = np.random.default_rng(seed)
    # Rounded, so that there are ties.
    utility, difference = rng.uniform(size=(2, 40)).round(1)
    expected = rank_by_definition(utility, difference)
    assert_array_equal(front_ranks(utility, difference), expected)


def test_what_failed_ranks_behind_all_others():
    ranks = front_ranks([0.9, np.nan, 0.8, 0.7], [0.1, 0.0, 0.2, np.nan])
    assert ranks.tolist() == [1, 3, 2, 3]


def test_crowding_by_hand():
    # Spans are 0.4 and 0.2; neighbours of the second point are 0.3 and 0.1 apart.
    utility = np.array([0.5, 0.6, 0.8, 0.9])
    difference = np.array([0.0, 0.05, 0.1, 0.2])
    expected = [np.inf, 0.3 / 0.4 + 0.1 / 0.2, 0.3 / 0.4 + 0.15 / 0.2, np.inf]
    np.testing.assert_allclose(crowding_distances(utility, difference), expected)


def test_equal_points_are_crowded():
    same = np.array([0.5, 0.5, 0.5])
    assert crowding_distances(same, same)[1] == 0


# The front is 0, 1, 2, 3 from the best utility down; 4 and 5 are the second one.
UTILITY = [0.90, 0.88, 0.87, 0.80, 0.86, 0.79]
DIFFERENCE = [0.30, 0.20, 0.19, 0.00, 0.25, 0.05]


@pytest.mark.parametrize(
    ("n_kept", "expected"),
    [
        (6, [0, 1, 2, 3, 4, 5]),
        # Of two on the second front, both its ends, the smaller difference is kept.
        (5, [0, 1, 2, 3, 5]),
        (4, [0, 1, 2, 3]),
        # 1 is nearer to its neighbours (0.03/0.1 + 0.11/0.3) than 2 (0.8 + 0.2/0.3).
        (3, [0, 2, 3]),
        (2, [0, 3]),
        # Heights above the chord: 0, 0.8 - 0.667, 0.7 - 0.633, 0.
        (1, [1]),
    ],
)
def test_promotion_by_hand(n_kept, expected):
    assert promote(UTILITY, DIFFERENCE, NOBODY, n_kept).tolist() == expected


def test_constant_candidates_only_fill_what_is_left():
    constant = [False, False, False, True, False, True]
    kept = promote(UTILITY, DIFFERENCE, constant, 5)
    assert kept.tolist() == [0, 1, 2, 3, 4]
    assert 3 not in promote(UTILITY, DIFFERENCE, constant, 4)


def test_failed_candidates_never_go_on():
    utility = [np.nan, *UTILITY[1:]]
    assert promote(utility, DIFFERENCE, NOBODY, 6).tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("n_kept", [1, 3, 7, 12])
def test_the_order_of_candidates_does_not_matter(n_kept):
    rng = np.random.default_rng(0)
    utility, difference = rng.uniform(size=(2, 15))
    order = rng.permutation(15)
    kept = promote(utility, difference, [False] * 15, n_kept)
    again = promote(utility[order], difference[order], [False] * 15, n_kept)
    assert set(order[again]) == set(kept)
    assert len(kept) == n_kept
