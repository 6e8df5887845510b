import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skfair_runner.baselines._numeric import as_numbers


@pytest.mark.parametrize(
    "X",
    [
        np.array([[1, 2], [3, 4]]),
        np.array([[1, 2], [3, 4]], dtype=object),
        pd.DataFrame({"a": [1, 3], "b": pd.array([2, 4], dtype="Int64")}),
        sparse.csr_matrix([[1, 2], [3, 4]]),
        sparse.csc_array([[1, 2], [3, 4]]),
    ],
)
def test_any_table_of_numbers_is_read(X):
    numbers = as_numbers(X, "Method", "adds")
    assert type(numbers) is np.ndarray and numbers.dtype == np.float64
    assert_array_equal(numbers, [[1, 2], [3, 4]])


def test_booleans_are_numbers():
    X = pd.DataFrame({"tall": [True, False]})
    assert_array_equal(as_numbers(X, "Method", "adds", dtype=np.float32), [[1], [0]])


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_a_column_of_words_is_named(dtype):
    X = pd.DataFrame({"age": [1, 2], "city": pd.Series(["a", "b"], dtype=dtype)})
    message = rf"Method adds, so every .* encode categories .* 'city' is {dtype}"
    with pytest.raises(ValueError, match=message):
        as_numbers(X, "Method", "adds")


def test_a_word_in_an_array_is_shown():
    with pytest.raises(ValueError, match="encode categories .* to float: 'Paris'"):
        as_numbers(np.array([[1, "Paris"]], dtype=object), "Method", "adds")


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_missing_and_infinite_values_are_refused(value, word):
    with pytest.raises(ValueError, match=word):
        as_numbers(np.array([[1.0, value]]), "Method", "adds")
