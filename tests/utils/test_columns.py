import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skfair_runner.utils._columns import (
    as_table,
    column_positions,
    column_table,
    drop_columns,
)

X = pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": [5, 6]}, index=[7, 8])
CONTAINERS = [np.asarray, sparse.csr_array, sparse.csc_matrix, sparse.coo_array]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (None, []),
        ("b", [1]),
        (1, [1]),
        (-1, [2]),
        (["c", 0], [2, 0]),
        (np.array(["a", "c"]), [0, 2]),
        (pd.Index(["a", "c"]), [0, 2]),
        (np.array([0, 2]), [0, 2]),
    ],
)
def test_names_and_positions_are_found(columns, expected):
    positions = column_positions(X, columns, "fit")
    assert positions.dtype == np.int64
    assert_array_equal(positions, expected)


@pytest.mark.parametrize(
    ("table", "columns", "error", "message"),
    [
        (X, "d", ValueError, "fit: X has no column 'd'. Its columns are 'a', 'b', 'c'"),
        (X[["a", "a"]], "a", ValueError, "X has 2 columns 'a'"),
        (X.to_numpy(), "a", ValueError, r"'a' is given by name, but X \(ndarray\)"),
        (X, 3, ValueError, r"X has 3 columns \(positions 0 to 2\), none at position 3"),
        (X, -4, ValueError, "none at position -4"),
        (X, 1.5, TypeError, r"\(str\) or position \(int\), got 1.5"),
        (X, [True], TypeError, r"\(int\), got True"),
        (X, [], ValueError, r"columns=\[\] names no column"),
        (X, ["a", 0], ValueError, r"a column is named twice in \['a', 0\]"),
    ],
)
def test_columns_that_cannot_be_found_are_named(table, columns, error, message):
    with pytest.raises(error, match=message):
        column_positions(table, columns, "fit")


def test_a_long_list_of_columns_is_cut_short():
    wide = pd.DataFrame(np.zeros((1, 30)), columns=[f"c{k}" for k in range(30)])
    with pytest.raises(ValueError, match="'c19' and 10 more"):
        column_positions(wide, "d", "fit")


def test_columns_of_a_frame_keep_names_and_index():
    pd.testing.assert_series_equal(column_table(X, np.array([1])), X["b"])
    pd.testing.assert_frame_equal(column_table(X, np.array([2, 0])), X[["c", "a"]])
    pd.testing.assert_frame_equal(drop_columns(X, np.array([1])), X[["a", "c"]])


@pytest.mark.parametrize("container", CONTAINERS)
def test_columns_of_arrays_are_taken_and_left_out(container):
    table = container(X.to_numpy())
    assert column_table(table, np.array([1])).tolist() == [3, 4]
    assert column_table(table, np.array([2, 0])).to_numpy().tolist() == [[5, 1], [6, 2]]
    rest = drop_columns(table, np.array([1]))
    assert type(rest) is type(table)
    rest = rest.toarray() if sparse.issparse(rest) else rest
    assert rest.tolist() == [[1, 5], [2, 6]]


def test_lists_become_arrays_of_objects():
    table = as_table([["F", 1], ["M", 2.5]], "fit")
    assert table.tolist() == [["F", 1], ["M", 2.5]]


@pytest.mark.parametrize("bad", [[1, 2], np.zeros((2, 2, 2)), 3])
def test_what_is_no_table_is_refused(bad):
    with pytest.raises(
        ValueError, match="Expected 2D array|dim <= 2 is required by fit"
    ):
        as_table(bad, "fit")
