import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from skfair_runner.groups import check_same_index, encode_groups


def test_no_groups_at_all():
    with pytest.raises(
        ValueError, match="score compares groups, so `sensitive_features`"
    ):
        encode_groups(None, caller="score")


@pytest.mark.parametrize(
    ("values", "received"),
    [
        ({"sex": ["a"]}, "the dict"),
        ("sex", "the str 'sex'"),
        (b"sex", "the bytes b'sex'"),
        ({"a", "b"}, "the set"),
        (frozenset("ab"), "the frozenset"),
        (sparse.csr_array([[1, 0]]), "the csr_array"),
    ],
)
def test_containers_without_one_value_per_row_are_refused(values, received):
    with pytest.raises(TypeError, match=f"one value per row of X, got {received}"):
        encode_groups(values)


@pytest.mark.parametrize(
    ("values", "received"),
    [
        (5, r"the int with 0 dimensions \(shape \(\)\)"),
        (np.zeros((2, 2, 2)), r"the ndarray with 3 dimensions \(shape \(2, 2, 2\)\)"),
        (iter(["a"]), "the list_iterator with 0 dimensions"),
    ],
)
def test_other_dimensions_are_refused(values, received):
    with pytest.raises(ValueError, match=received):
        encode_groups(values)


@pytest.mark.parametrize("values", [[[1, 2], [3]], [(1, 2), 3, 4]])
def test_rows_of_different_length_are_refused(values):
    with pytest.raises(ValueError, match=r"got rows of \[1, 2\] values"):
        encode_groups(values)


@pytest.mark.parametrize(
    "values", [[], np.array([]), pd.Series([], dtype=float), np.empty((0, 2))]
)
def test_no_rows_are_refused(values):
    with pytest.raises(ValueError, match="fit: `sensitive_features` has no rows"):
        encode_groups(values)


@pytest.mark.parametrize("values", [np.empty((3, 0)), pd.DataFrame(index=[1, 2, 3])])
def test_no_columns_are_refused(values):
    with pytest.raises(ValueError, match=r"no columns \(shape \(3, 0\)\)"):
        encode_groups(values)


@pytest.mark.parametrize(
    "known", [{"X": np.zeros((656, 2))}, {"X": [0] * 656}, {"n_samples": 656}]
)
def test_another_length_than_that_of_x_is_refused_and_explained(known):
    message = "fit: `sensitive_features` has 400 rows, X has 656.*SMOTE"
    with pytest.raises(ValueError, match=message):
        encode_groups(["a", "b"] * 200, **known)


def test_sparse_samples_are_counted_by_row():
    assert len(encode_groups(["a", "b"], sparse.csr_array((2, 9))).codes) == 2


X = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=[7, 8, 9])


@pytest.mark.parametrize(
    ("index", "first"),
    [([9, 8, 7], "row 0: 7 in X, 9 in"), (range(7, 10)[::-1], "row 0: 7 in X, 9 in")],
)
def test_indexes_in_another_order_are_refused(index, first):
    groups = pd.Series(["a", "b", "a"], index=index)
    with pytest.raises(ValueError, match=first):
        encode_groups(groups, X)


def test_the_first_row_that_differs_is_named():
    groups = pd.DataFrame({"sex": ["a", "b", "a"]}, index=[7, 8, "z"])
    with pytest.raises(ValueError, match=r"row 2: 9 in y_true, 'z' in .*y_true\.index"):
        encode_groups(groups, X, of="y_true")


def test_dates_in_the_index_are_shown_as_they_are():
    days = pd.date_range("2020-01-01", periods=3)
    with pytest.raises(ValueError, match=r"row 0: 7 in X, Timestamp\('2020-01-01 "):
        encode_groups(pd.Series(["a", "b", "a"], index=days), X)


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([7, 8, 9]),
        pd.RangeIndex(7, 10),
        pd.Index([7.0, 8.0, 9.0]),
        pd.Index([7, 8, 9], dtype=object),
        pd.CategoricalIndex([7, 8, 9]),
    ],
)
def test_equal_indexes_of_any_type_are_accepted(index):
    groups = encode_groups(pd.Series(["a", "b", "a"], index=index), X)
    assert_array_equal(groups.codes, [0, 1, 0])


def test_duplicated_index_labels_are_accepted_where_equal():
    index = [5, 5, 5]
    groups = pd.Series(["a", "b", "a"], index=index)
    assert_array_equal(encode_groups(groups, X.set_axis(index)).codes, [0, 1, 0])


@pytest.mark.parametrize(
    ("groups", "samples"),
    [
        (["a", "b", "a"], X),
        (pd.Series(["a", "b", "a"], index=[3, 2, 1]), X.to_numpy()),
        (pd.Series(["a", "b", "a"], index=[3, 2, 1]), None),
        (pd.Index(["a", "b", "a"]), X),
    ],
)
def test_rows_are_matched_by_position_where_only_one_side_has_an_index(groups, samples):
    assert_array_equal(encode_groups(groups, samples).codes, [0, 1, 0])


def test_an_index_in_another_order_is_told_of_what_has_it():
    y = pd.Series([0, 1, 1], index=[7, 9, 8])
    message = (
        r"fit: the indexes of X and `y` differ, first in row 1: 8 in X, 9 in `y`\."
    )
    with pytest.raises(ValueError, match=message):
        check_same_index(X, y, "y", "fit")
    with pytest.raises(ValueError, match=r"align them with y\.loc\[X_val\.index\]"):
        check_same_index(X, y.to_frame(), "y", "fit", of="X_val")


@pytest.mark.parametrize(
    "values",
    [
        None,
        [0, 1, 1],
        np.zeros(3),
        pd.Series([0, 1, 1], index=[7, 8, 9]),
        pd.Series([0, 1], index=[9, 8]),  # of another length: not this check's
        pd.Index([0, 1, 1]),
    ],
    ids=lambda values: type(values).__name__,
)
def test_other_values_are_accepted_beside_an_index(values):
    check_same_index(X, values, "y", "fit")
    check_same_index(X.to_numpy(), pd.Series([0, 1, 1]), "y", "fit")


def _readers():
    from skfair_runner.baselines import ReweighingClassifier
    from skfair_runner.compare import compare_classifiers

    yield lambda X, y, groups: ReweighingClassifier(LogisticRegression()).fit(
        X, y, sensitive_features=groups
    )
    yield lambda X, y, groups: compare_classifiers(
        {"one": LogisticRegression()}, X, y, sensitive_features=groups, verbose=0
    )


@pytest.mark.parametrize("read", list(_readers()), ids=["baseline", "comparison"])
@pytest.mark.parametrize("with_index", [True, False])
def test_what_belongs_together_has_one_order(read, with_index):
    y = pd.Series([0, 1] * 20, index=range(100, 140))
    groups = pd.Series(["a", "a", "b", "b"] * 10, index=y.index)
    X = pd.DataFrame({"age": np.arange(40.0)}, index=y.index)
    of = "X" if with_index else "y"
    told = f"indexes of {of} and `sensitive_features` differ, first in row 0: 100 in"
    with pytest.raises(ValueError, match=told):
        read(X if with_index else X.to_numpy(), y, groups.sort_index(ascending=False))
    if with_index:
        with pytest.raises(ValueError, match="indexes of X and `y` differ, first in"):
            read(X, y.sort_index(ascending=False), groups)
