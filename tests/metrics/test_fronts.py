"""Fronts, hypervolumes and ranks: cases by hand and independent counts."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skfair_runner.compare import hypervolume
from skfair_runner.metrics.fronts import non_dominated, on_front, ranks_of_intervals


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


def test_series_and_arrays_give_the_same_front():
    difference, utility = np.random.default_rng(0).integers(0, 9, (2, 50)) / 10
    expected = non_dominated(pd.Series(utility), pd.Series(difference))
    assert_array_equal(on_front(difference, utility), expected)


def test_equal_points_are_on_the_front_together():
    assert on_front(np.array([0.1, 0.1]), np.array([0.8, 0.8])).all()


def test_a_point_is_kept_unless_another_is_as_good_and_better():
    rng = np.random.default_rng(0)
    utility, difference = rng.integers(0, 6, (2, 40))
    kept = non_dominated(utility, difference)
    for u, d, is_kept in zip(utility, difference, kept, strict=True):
        dominated = any(
            (v >= u and e <= d) and (v > u or e < d)
            for v, e in zip(utility, difference, strict=True)
        )
        assert is_kept == (not dominated)


def test_points_without_a_value_are_on_no_front_and_keep_none_off_it():
    kept = non_dominated([0.8, np.nan, 0.7], [0.2, 0.0, np.nan])
    assert kept.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("points", "area"),
    [
        ([], 0.0),
        ([(0.9, 0.1)], 0.4 * 0.2),
        # Dominated by the first, and beyond the reference in one way or the other.
        ([(0.9, 0.1), (0.8, 0.2), (0.4, 0.0), (0.95, 0.35)], 0.4 * 0.2),
        ([(0.9, 0.2), (0.8, 0.1)], 0.4 * 0.1 + 0.3 * 0.1),
        ([(0.9, 0.2), (0.9, 0.2)], 0.4 * 0.1),
        ([(np.nan, 0.1), (0.9, np.nan)], 0.0),
        ([(0.5, 0.1), (0.9, 0.3)], 0.0),
    ],
)
def test_the_area_of_rectangles(points, area):
    assert_allclose(hypervolume(points, reference=(0.5, 0.3)), area, atol=1e-12)


def test_the_area_is_the_share_of_random_places_that_are_dominated():
    rng = np.random.default_rng(0)
    points = rng.random((12, 2))
    least, most = 0.2, 0.9
    places = rng.random((200_000, 2))
    utility, difference = places.T
    counted = (utility > least) & (difference < most)
    dominated = np.zeros(len(places), dtype=bool)
    for u, d in points:
        dominated |= (utility <= u) & (difference >= d)
    assert_allclose(
        hypervolume(points, reference=(least, most)),
        (counted & dominated).mean(),
        atol=0.004,
    )


def test_the_order_of_points_does_not_matter():
    rng = np.random.default_rng(1)
    points = rng.random((20, 2))
    assert_allclose(
        hypervolume(points, (0, 1)), hypervolume(rng.permutation(points), (0, 1))
    )


@pytest.mark.parametrize("reference", [0.5, (0.5,), (0.5, np.nan), ("a", 1), None])
def test_a_reference_that_is_not_two_numbers_is_refused(reference):
    with pytest.raises(ValueError, match=r"two numbers, .* got ") as raised:
        hypervolume([(0.9, 0.1)], reference)
    assert repr(reference) in str(raised.value)


def test_points_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(n_points, 2\).* got shape \(1, 3\)"):
        hypervolume([(0.9, 0.1, 0.2)], (0.5, 0.3))


def test_intervals_that_overlap_share_a_rank():
    low = [0.30, 0.00, 0.06, 0.50, 0.31]
    high = [0.40, 0.05, 0.10, 0.60, 0.35]
    assert ranks_of_intervals(low, high).tolist() == [3, 1, 2, 5, 3]


def test_a_chain_of_overlaps_shares_a_rank():
    assert ranks_of_intervals([0.0, 0.2, 0.09], [0.1, 0.3, 0.21]).tolist() == [1, 1, 1]


def test_intervals_that_touch_overlap():
    assert ranks_of_intervals([0.0, 0.1], [0.1, 0.2]).tolist() == [1, 1]


def test_an_interval_inside_a_wide_one_does_not_end_it():
    assert ranks_of_intervals([0.0, 0.1, 0.5], [1.0, 0.2, 0.6]).tolist() == [1, 1, 1]
