"""Columns, their inference, and their codes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from skfair_runner.fairness_testing import Categories, Floats, Integers
from skfair_runner.fairness_testing._columns import (
    all_combinations,
    infer_column,
    to_frame,
)


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


def test_a_missing_category_is_a_level_like_any_other():
    column = infer_column(pd.Series(["b", None, "a"], name="job"))
    codes = column.encode(["a", None])
    assert column.size == 3
    assert column.decode(codes)[0] == "a"
    assert pd.isna(column.decode(codes)[1])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3, 5], Integers(3, 5)),
        ([3.0, 5.0], Integers(3, 5)),
        ([0, 1000], Integers(0, 1000, 20)),
        ([0.5, 1.5], Floats(0.5, 1.5, 0.02)),
        ([True, False], Categories((False, True))),
        ([7, 7], Integers(7, 7)),
    ],
)
def test_a_column_is_described_by_its_values(values, expected):
    assert infer_column(pd.Series(values)) == expected


def test_what_has_no_place_in_a_box_is_refused():
    with pytest.raises(ValueError, match="'age' goes from 1.0 to inf: no grid"):
        infer_column(pd.Series([1, np.inf], name="age"))
    with pytest.raises(ValueError, match="'age' has 2 missing number"):
        infer_column(pd.Series([1.0, None, None], name="age"))
    with pytest.raises(ValueError, match="'born' holds neither .* datetime64"):
        infer_column(pd.Series(pd.to_datetime(["2020-01-01"]), name="born"))


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


def test_a_sparse_table_is_refused():
    with pytest.raises(TypeError, match="somebody takes a DataFrame .* csr_matrix"):
        to_frame(sparse.csr_matrix([[1.0]]), "somebody")
