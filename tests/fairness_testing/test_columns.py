"""Columns and their codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skfair_runner.fairness_testing import Categories, Floats, Integers
from skfair_runner.fairness_testing._columns import all_combinations


@given(
    low=st.integers(-1000, 1000),
    width=st.integers(0, 500),
    step=st.integers(1, 30),
)
def test_codes_of_whole_numbers_come_back(low, width, step):
    column = Integers(low, low + width, step)
    codes = np.arange(column.size)
    values = column.decode(codes)
    assert values.max() <= low + width
    assert low + width - values.max() < step
    np.testing.assert_array_equal(column.encode(values), codes)


def test_rounding_does_not_take_the_last_value_of_a_grid_away():
    column = Floats(0.0, 0.3, step=0.1)
    assert column.size == 4
    np.testing.assert_array_equal(column.encode(column.decode(range(4))), range(4))


def test_a_value_between_or_outside_takes_the_nearest():
    column = Floats(0.0, 10.0, step=2.5)
    assert column.encode([-7, 1.2, 1.3, 99]).tolist() == [0, 0, 1, 4]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Integers(5, 3), r"Integers\(low=5, high=3, step=1\) holds no value"),
        (lambda: Integers(0, 3, 0), "step=0"),
        (lambda: Integers(0, 2.5), "high=2.5: pass Floats"),
        (lambda: Floats(0, float("inf"), 1), "inf"),
        (lambda: Categories(()), r"at least one level, but got \(\)"),
        (lambda: Categories(("a", "a")), r"each level once, but got \('a', 'a'\)"),
        (lambda: Categories(("a",)).encode(["b"]), "'b' is not among the levels"),
    ],
)
def test_impossible_columns_are_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_combinations_are_a_product():
    assert len(np.unique(all_combinations([2, 3, 4]), axis=0)) == 24
