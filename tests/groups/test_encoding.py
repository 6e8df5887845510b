import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skfair_runner.groups import Groups, encode_groups

SEX = ["Male", "Female", "Male", "Ω", "Female"]
CODES = [1, 0, 1, 2, 0]
NAMES = ("Female", "Male", "Ω")


@pytest.mark.parametrize(
    "container",
    [
        list,
        tuple,
        np.array,
        lambda values: np.array(values, dtype=object),
        lambda values: np.array(values)[:, None],
        lambda values: np.array(values, dtype=np.dtypes.StringDType()),
        pd.Series,
        pd.Index,
        pd.array,
        lambda values: pd.Series(values, dtype=object),
        lambda values: pd.Series(values, dtype="string"),
        pd.Categorical,
        lambda values: pd.Categorical(values, categories=["Ω", "Male", "Female", "x"]),
        lambda values: pd.Series(values, dtype="category"),
        lambda values: pd.DataFrame(np.array(values)),
        lambda values: [[value] for value in values],
    ],
)
def test_codes_do_not_depend_on_the_container(container):
    groups = encode_groups(container(SEX))
    assert_array_equal(groups.codes, CODES)
    assert groups.codes.dtype == np.int64
    assert groups.names == NAMES
    assert groups.columns == ("sensitive_features",)
    assert groups.n_groups == 3


@pytest.mark.parametrize(
    ("values", "codes", "names"),
    [
        ([True, False, True], [1, 0, 1], (False, True)),
        (np.array([True, False]), [1, 0], (False, True)),
        (pd.array([True, False], dtype="boolean"), [1, 0], (False, True)),
        ([3, -1, 3], [1, 0, 1], (-1, 3)),
        (np.array([3, 1], dtype=np.uint8), [1, 0], (1, 3)),
        (pd.array([3, 1], dtype="Int64"), [1, 0], (1, 3)),
        (torch.tensor([3, 1]), [1, 0], (1, 3)),
        ([0.5, np.inf, -np.inf], [1, 2, 0], (-np.inf, 0.5, np.inf)),
        (["b", 2, 1.5], [2, 1, 0], (1.5, 2, "b")),
        ([b"x", "x"], [0, 1], (b"x", "x")),
        ([np.int64(3), "x"], [0, 1], (3, "x")),
        (
            pd.to_datetime(["2021", "2020"]),
            [1, 0],
            tuple(pd.to_datetime(["2020", "2021"])),
        ),
        (pd.cut([1, 9], [0, 5, 10]), [0, 1], (pd.Interval(0, 5), pd.Interval(5, 10))),
    ],
)
def test_names_are_the_values_in_sorted_order(values, codes, names):
    groups = encode_groups(values)
    assert_array_equal(groups.codes, codes)
    assert groups.names == names
    assert not any(isinstance(name, np.generic) for name in groups.names)


PEOPLE = pd.DataFrame(
    {
        "sex": ["Female", "Male", "Male", "Female"],
        "race": ["Black", "White", "Black", "Black"],
    }
)
CROSSED = (("Female", "Black"), ("Male", "Black"), ("Male", "White"))


@pytest.mark.parametrize(
    ("container", "columns"),
    [
        (lambda frame: frame, ("sex", "race")),
        (lambda frame: frame.astype("category"), ("sex", "race")),
        (pd.MultiIndex.from_frame, ("sex", "race")),
        (lambda frame: frame.to_records(index=False), ("sex", "race")),
        (
            lambda frame: frame.to_numpy(),
            ("sensitive_features_0", "sensitive_features_1"),
        ),
        (
            lambda frame: frame.to_numpy().tolist(),
            ("sensitive_features_0", "sensitive_features_1"),
        ),
    ],
)
def test_columns_are_crossed_into_the_cells_that_occur(container, columns):
    groups = encode_groups(container(PEOPLE))
    assert_array_equal(groups.codes, [0, 2, 1, 0])
    assert groups.names == CROSSED
    assert groups.labels == ["Female, Black", "Male, Black", "Male, White"]
    assert groups.columns == columns


def test_columns_may_be_called_alike():
    frame = pd.concat([PEOPLE["sex"], PEOPLE["sex"]], axis=1)
    groups = encode_groups(frame)
    assert groups.names == (("Female", "Female"), ("Male", "Male"))
    assert groups.columns == ("sex", "sex")


def test_a_named_series_names_its_column():
    assert encode_groups(PEOPLE["sex"]).columns == ("sex",)


def test_columns_of_different_types_are_crossed():
    groups = encode_groups(pd.DataFrame({"old": [True, False], "place": ["x", "y"]}))
    assert groups.names == ((False, "y"), (True, "x"))


def test_many_columns_do_not_overflow_the_codes():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 200, size=(500, 12))  # 200 ** 12 possible cells
    groups = encode_groups(values)
    expected, inverse = np.unique(values, axis=0, return_inverse=True)
    assert groups.names == tuple(map(tuple, expected.tolist()))
    assert_array_equal(groups.codes, inverse)


@given(
    st.lists(
        st.tuples(st.one_of(st.text(), st.integers(), st.booleans()), st.text()),
        min_size=1,
    )
)
def test_names_and_codes_give_back_the_values(rows):
    groups = encode_groups(rows)
    assert [groups.names[code] for code in groups.codes] == rows
    assert len(set(groups.names)) == groups.n_groups == len(set(groups.codes.tolist()))


@given(st.lists(st.text(min_size=1), min_size=1), st.randoms())
def test_names_do_not_depend_on_the_order_of_the_samples(values, random):
    shuffled = random.sample(values, len(values))
    assert encode_groups(values).names == encode_groups(shuffled).names


def test_a_million_rows_and_ten_thousand_groups():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 10_000, 1_000_000)
    groups = encode_groups(values)
    assert groups.n_groups == 10_000
    assert_array_equal(groups.codes, values)


MISSING = [None, np.nan, pd.NA, pd.NaT, float("nan")]


def test_missing_values_of_every_kind_are_refused_with_their_rows():
    with pytest.raises(
        ValueError,
        match=r"missing in 5 of 7 rows .*; rows 1, 2, 3, 4, 5\).*missing_groups=",
    ):
        encode_groups(["a", *MISSING, "b"])


def test_missing_values_are_named_by_index_label_and_column():
    frame = pd.DataFrame({"sex": ["a", None], "race": ["x", "y"]}, index=["r1", "r2"])
    with pytest.raises(ValueError, match=r"\(column: sex; index labels 'r2'\)"):
        encode_groups(frame)


def test_no_more_than_five_rows_are_named():
    with pytest.raises(ValueError, match="rows 0, 1, 2, 3, 4 and 95 more"):
        encode_groups([None] * 100)


@pytest.mark.parametrize(
    ("values", "codes", "names"),
    [
        (["z", *MISSING, "b"], [1, 2, 2, 2, 2, 2, 0], ("b", "z", "missing")),
        ([2.5, np.nan], [0, 1], (2.5, "missing")),
        (pd.array([7, None], dtype="Int64"), [0, 1], (7, "missing")),
        (pd.Categorical(["z", None]), [0, 1], ("z", "missing")),
        (pd.to_datetime(["2020", None]), [0, 1], (pd.Timestamp("2020"), "missing")),
        (np.ma.array(["a", "b"], mask=[True, False]), [1, 0], ("b", "missing")),
        ([None, None], [0, 0], ("missing",)),
        ([["a", None], ["a", "x"]], [1, 0], (("a", "x"), ("a", "missing"))),
    ],
)
def test_missing_values_become_a_group_on_request(values, codes, names):
    groups = encode_groups(values, missing="own group")
    assert_array_equal(groups.codes, codes)
    assert groups.names == names


def test_the_missing_group_is_not_merged_with_one_of_its_name():
    frame = pd.DataFrame({"sex": ["f", "m", "f"], "race": ["missing", None, "z"]})
    message = r"diagnose: .* 'race' has both missing values \(in 1 of 3 rows\).*fillna"
    with pytest.raises(ValueError, match=message):
        encode_groups(frame, missing="own group", caller="diagnose")
    filled = encode_groups(frame.fillna("missing"), missing="own group")
    assert filled.labels == ["f, z", "f, missing", "m, missing"]
    assert encode_groups(["missing", "z"], missing="own group").n_groups == 2


@pytest.mark.parametrize("kind", ["float64", "float32", "Float64", object])
def test_continuous_columns_are_to_be_binned(kind):
    ages = pd.Series(np.linspace(18, 90, 101), name="age").astype(kind)
    message = "fit: .*column 'age' holds 101 different numbers, such as 18.7.*qcut"
    with pytest.raises(ValueError, match=message):
        encode_groups(ages)
    with pytest.raises(ValueError, match="column 'age'"):
        encode_groups(pd.DataFrame({"sex": ["f"] * 101, "age": ages}))
    assert encode_groups(pd.qcut(ages.astype("float64"), 4)).n_groups == 4


@pytest.mark.parametrize(
    "values",
    [
        np.arange(10_000),
        np.arange(10_000.0),  # codes beside missing values
        np.arange(100.0) / 2 % 25,  # fifty half years
        [f"{k / 7}" for k in range(100)],
    ],
    ids=["whole", "whole floats", "few", "text"],
)
def test_many_groups_that_are_no_measurements_are_left(values):
    assert encode_groups(values).n_groups == len(np.unique(values))


def test_unknown_rules_for_missing_values_are_refused():
    with pytest.raises(
        ValueError, match=r"one of \['raise', 'own group'\], got 'drop'"
    ):
        encode_groups(["a"], missing="drop")


def test_unhashable_values_are_refused():
    with pytest.raises(TypeError, match="fit: the values .*unhashable type: 'dict'"):
        encode_groups([{"a": 1}])


def test_later_data_is_encoded_against_known_names():
    first = encode_groups(["c", "a", "b"])
    later = encode_groups(["b", "c", "b"], names=first.names)
    assert_array_equal(later.codes, [1, 2, 1])
    assert later.names == first.names


def test_crossed_later_data_is_encoded_against_known_names():
    later = encode_groups(PEOPLE.iloc[[1, 0]], names=CROSSED)
    assert_array_equal(later.codes, [2, 0])


def test_the_missing_group_is_known_later():
    names = encode_groups(["a", None], missing="own group").names
    later = encode_groups([np.nan], missing="own group", names=names)
    assert_array_equal(later.codes, [1])


def test_unseen_groups_are_listed():
    message = (
        "partial_fit: unknown group 'c', 'd' .* The known groups are 'a', 'b': leave "
        "the rows of other groups out"
    )
    with pytest.raises(ValueError, match=message):
        encode_groups(["a", "c", "d"], names=("a", "b"), caller="partial_fit")


def test_groups_cannot_be_changed():
    groups = Groups(np.array([0]), ("a",), ("sex",))
    with pytest.raises(AttributeError, match="names"):
        groups.names = ("b",)
