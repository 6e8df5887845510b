"""The user's table, and columns inferred from it."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skfair_runner.fairness_testing import Categories, Floats, Integers
from skfair_runner.fairness_testing._tables import infer_column, to_frame


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


def test_a_sparse_table_is_refused():
    with pytest.raises(TypeError, match="somebody takes a DataFrame .* csr_matrix"):
        to_frame(sparse.csr_matrix([[1.0]]), "somebody")
