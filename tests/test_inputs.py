"""What is read from the user, and every complaint about it."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skfair_runner import RunnerFairClassifier
from skfair_runner._inputs import (
    check_image_shape,
    check_labels_present,
    encode_labels,
    favourable_code,
    read_groups,
    read_samples,
    read_weights,
    take_sensitive_columns,
)
from skfair_runner.images import ImageArray, ImageSource

pytestmark = pytest.mark.filterwarnings(
    # An epoch on forty rows: enough to see what is refused.
    "ignore::skfair_runner.utils.SkfairRunnerWarning"
)

# Sensitive columns


@pytest.fixture
def table():
    return pd.DataFrame(
        {"age": [40, 50, 60], "sex": ["f", "m", "f"], "race": [1, 2, 2]},
        index=[7, 3, 5],
    )


def test_sensitive_columns_leave_the_features_or_stay(table):
    X, groups = take_sensitive_columns(table, "sex", drop=True)
    assert list(X) == ["age", "race"]
    pd.testing.assert_series_equal(groups, table["sex"])
    X, groups = take_sensitive_columns(table, ["race", "sex"], drop=False)
    pd.testing.assert_frame_equal(X, table)
    pd.testing.assert_frame_equal(groups, table[["race", "sex"]])


@pytest.mark.parametrize("container", [tuple, np.array, pd.Index, pd.Series])
def test_sensitive_columns_are_named_in_any_container(table, container):
    X, groups = take_sensitive_columns(table, container(["race", "sex"]), drop=True)
    assert list(X) == ["age"]
    pd.testing.assert_frame_equal(groups, table[["race", "sex"]])
    with pytest.raises(ValueError, match="names 'gender', which is not a column"):
        take_sensitive_columns(table, container(["gender"]), drop=True)


@pytest.mark.parametrize("columns", [[], (), pd.Index([])], ids=str)
def test_no_sensitive_columns_are_refused(table, columns):
    with pytest.raises(ValueError, match=r"sensitive_columns=.* names no column"):
        take_sensitive_columns(table, columns, drop=True)


def test_an_absent_sensitive_column_is_named_with_the_columns_there(table):
    with pytest.raises(
        ValueError, match=r"names 'gender', which .* \['age', 'sex', 'race'\]"
    ):
        take_sensitive_columns(table, ["sex", "gender"], drop=True)


@pytest.mark.parametrize(
    ("X", "kind"),
    [(np.zeros((3, 2)), "ndarray"), ([[1]], "list"), (sparse.eye(2), "dia_matrix")],
)
def test_sensitive_columns_need_a_table(X, kind):
    with pytest.raises(
        TypeError, match=f"sensitive_columns='sex' names .*, but X is a {kind}"
    ):
        take_sensitive_columns(X, "sex", drop=True)


def test_sensitive_columns_may_be_absent_where_they_are_not_required(table):
    array = np.zeros((3, 2))
    X, groups = take_sensitive_columns(array, "sex", drop=True, required=False)
    assert X is array
    assert groups is None
    names = ["sex", "absent"]
    X, groups = take_sensitive_columns(table, names, drop=True, required=False)
    assert list(X) == ["age", "race"]
    assert groups is None


# Labels


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        ([1, 0, 1], [0, 1]),
        ([True, False, True], [False, True]),
        (["yes", "no", "yes"], ["no", "yes"]),
        (pd.Series(["b", "a", "b"], dtype="category"), ["a", "b"]),
        (np.array([2.0, -1.0, 2.0]), [-1.0, 2.0]),
        (np.array(["y", "x", "y"], dtype=object), ["x", "y"]),
    ],
)
def test_labels_become_positions_among_the_sorted_classes(y, classes):
    codes, found = encode_labels(y)
    assert codes.dtype == np.int64
    assert codes.tolist() == [1, 0, 1]
    assert found.tolist() == classes


def test_known_classes_need_not_all_occur():
    codes, classes = encode_labels(["c", "a"], ["c", "b", "a"])
    assert codes.tolist() == [2, 0]
    assert classes.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("y", "classes", "error", "message"),
    [
        ([1, 1], None, ValueError, r"there is one class only: \[1\]"),
        (["a"], None, ValueError, r"there is one class only: \['a'\]"),
        ([0, 0], [0], ValueError, r"there is one class only: \[0\]"),
        ([0, 3], [0, 1], ValueError, r"the label 3, .* known classes \[0, 1\]"),
        ([0.5, 1.7], None, ValueError, "Unknown label type: continuous"),
        (np.array(["a", 1, "b"], object), None, TypeError, "of the types int, str"),
        ([[0, 1], [1, 0]], None, ValueError, r"should be a 1d array, got .*\(2, 2\)"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(y, classes, error, message):
    with pytest.raises(error, match=message):
        encode_labels(y, classes)


@pytest.mark.parametrize(
    "y",
    [
        ["a", None, "b"],
        [0.0, np.nan, 1.0],
        pd.Series(["a", pd.NA, "b"], dtype="string"),
        pd.Series(["a", None, "b"], dtype="category"),
        pd.Series([0, pd.NA, 1], dtype="Int64"),
    ],
    ids=["None", "NaN", "NA", "category", "Int64"],
)
def test_missing_labels_are_counted_and_placed(y):
    with pytest.raises(ValueError, match="NaN or None in 1 of 3 rows, first in row 1"):
        check_labels_present(y)


@pytest.mark.parametrize("y", [None, [0, 1], ["a", "b"], [[0, 1], [1, 0]], 3, {}])
def test_what_has_no_missing_label_is_left_to_scikit_learn(y):
    check_labels_present(y)


# The favourable label


@pytest.mark.parametrize(
    "classes", [[0, 1], [-1, 1], [False, True], [0.0, 1.0], [-1.0, 1.0]], ids=str
)
def test_the_larger_of_plain_labels_is_favourable(classes):
    assert favourable_code(None, np.array(classes), needed_by="a rate") == 1


@pytest.mark.parametrize("classes", [["no", "yes"], [1, 2], [0.0, 2.0]], ids=str)
def test_other_labels_must_be_told_where_it_matters(classes):
    array = np.array(classes)
    assert favourable_code(None, array) == 1
    first, second = classes
    with pytest.raises(
        ValueError,
        match=rf"a rate depends .* pass pos_label={second!r} or pos_label={first!r}\.",
    ):
        favourable_code(None, array, needed_by="a rate")
    assert favourable_code(first, array, needed_by="a rate") == 0


def test_more_than_two_classes_have_no_favourable_one():
    assert favourable_code(None, np.array([0, 1, 2]), needed_by="a rate") == 1


@pytest.mark.parametrize("label", ["maybe", 3, "0"])
def test_a_favourable_label_that_is_no_class_is_refused(label):
    with pytest.raises(
        ValueError, match=rf"pos_label={label!r} is not a class .* are \[0, 1\]"
    ):
        favourable_code(label, np.array([0, 1]))


# Weights


def test_weights_are_float32_in_their_own_scale():
    X = np.zeros((3, 1))
    assert read_weights(None, X) is None
    weights = read_weights(pd.Series([0, 3, 1000]), X)
    assert weights.dtype == np.float32
    assert weights.tolist() == [0, 3, 1000]
    assert read_weights(2, X).tolist() == [2, 2, 2]


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e-30, 1e30, 1e300])
def test_weights_of_extreme_scale_keep_their_ratios(scale):
    weights = read_weights(np.array([0, 1, 3]) * scale, np.zeros((3, 1)))
    assert weights[0] == 0
    assert 0.1 < weights[2] <= 1
    assert weights[1] / weights[2] == pytest.approx(1 / 3, rel=0.01)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, -2, 1], r"negative .* but row 1 has -2\.0"),
        ([0, 0, 0], "zero|all are 0"),
        ([1, np.nan, 1], "contains NaN"),
        ([1, np.inf, 1], "contains infinity"),
        ([1, 1], r"sample_weight.shape == \(2,\), expected \(3,\)"),
        ([[1], [1], [1]], "must be 1D"),
    ],
)
def test_weights_that_are_none_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        read_weights(weights, np.zeros((3, 1)))


# Groups


def read(groups, X=None, needed_by="constraint='x'", **options):
    X = np.zeros((4, 1)) if X is None else X
    options = {"missing": "raise", "caller": "Clf.fit", **options}
    return read_groups(groups, X, needed_by=needed_by, **options)


def test_groups_may_be_absent_where_nothing_needs_them():
    assert read(None, needed_by=None) is None


def test_absent_groups_are_asked_for_with_the_reason():
    with pytest.raises(
        ValueError, match=r"Clf.fit with sampling='group' compares .*X\['sex'\]"
    ):
        read(None, needed_by="sampling='group'")


def test_groups_are_read_and_known_ones_recognised():
    assert read(["b", "a", "b", "a"]).codes.tolist() == [1, 0, 1, 0]
    groups = read(["c", "a", "a", "a"], names=["a", "b", "c"])
    assert groups.codes.tolist() == [2, 0, 0, 0]
    with pytest.raises(ValueError, match="unknown group 'd'"):
        read(["d", "a", "a", "a"], names=["a", "b", "c"])


# Through fit: the traps that the ecosystem sets


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "b"])
    sex = pd.Series(rng.choice(["f", "m"], 40), name="sex")
    return X, (X["a"] > 0).astype(int), sex


def refused(error, message, X, y, groups, weights=None, **parameters):
    clf = RunnerFairClassifier(max_epochs=1, warmup_epochs=1, **parameters)
    with pytest.raises(error, match=message):
        clf.fit(X, y, sensitive_features=groups, sample_weight=weights)


def test_a_resampler_that_forgets_the_groups_is_suspected(people):
    X, y, sex = people
    more = np.arange(60) % 40
    refused(
        ValueError,
        r"`sensitive_features` has 40 rows, X has 60.* SMOTE",
        X.iloc[more].to_numpy(),
        y.iloc[more],
        sex,
    )


def test_groups_in_another_order_than_x_are_noticed(people):
    X, y, sex = people
    refused(
        ValueError,
        r"indexes of X and `sensitive_features` differ, first in row 0: 0 in X, 39",
        X,
        y,
        sex.iloc[::-1],
    )


def test_groups_in_another_order_than_y_are_noticed_where_x_has_no_index(people):
    X, y, sex = people
    refused(
        ValueError,
        r"indexes of y and `sensitive_features` differ, first in row 0: 0 in y, 39",
        X.to_numpy(),
        y,
        sex.iloc[::-1],
    )


def test_columns_of_text_are_named_with_what_encodes_them(people):
    X, y, sex = people
    X = X.assign(job="cook", town="Rome")
    with pytest.raises(ValueError, match=r"text \(job, town\): .*make_table_preproc"):
        RunnerFairClassifier().fit(X, y, sensitive_features=sex)


def test_groups_without_an_index_are_matched_by_position(people):
    X, y, sex = people
    X.index = X.index[::-1]
    clf = RunnerFairClassifier(max_epochs=0, warmup_epochs=0)
    clf.fit(X, y.to_numpy(), sensitive_features=sex.to_numpy())
    clf.fit(X.to_numpy(), y, sensitive_features=sex)
    assert clf.groups_ == ["f", "m"]


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        (lambda sex: {"sex": sex}, TypeError, "got the dict"),
        (lambda sex: "sex", TypeError, "got the str 'sex'"),
        (lambda sex: sparse.csr_array(np.eye(40)), TypeError, "got the csr_array"),
        (lambda sex: None, ValueError, r"constraint='demographic_parity' compares"),
        (lambda sex: sex.where(sex.index != 7), ValueError, "in 1 of 40 .* labels 7"),
        (lambda sex: sex.map({"f": 1.0}), ValueError, "the group is missing in"),
        (lambda sex: ["f"] * 40, ValueError, "belong to one group, 'f'"),
        (lambda sex: np.zeros((40, 2, 2)), ValueError, r"3 dimensions .*\(40, 2, 2\)"),
        (lambda sex: np.zeros((40, 0)), ValueError, "has no columns"),
        (lambda sex: [["f"], ["m", "f"]] * 20, ValueError, r"rows of \[1, 2\] values"),
        (lambda sex: [[]] * 40, ValueError, "has no columns"),
        (lambda sex: [{"a": 1}, {"b": 2}] * 20, TypeError, "hashable"),
    ],
)
def test_groups_that_are_none_are_refused(people, groups, error, message):
    X, y, sex = people
    refused(error, message, X, y, groups(sex))


def test_a_group_without_a_label_is_named(people):
    X, y, sex = people
    y = y.where(sex == "f", 1)
    refused(
        ValueError,
        r"constraint='equalized_odds' .* group 'm' has no sample with label 0",
        X,
        y,
        sex,
        constraint="equalized_odds",
    )
    refused(
        ValueError,
        r"sampling='group_label' .* group 'm' has no sample with label 0",
        X,
        y,
        sex,
        sampling="group_label",
    )


@pytest.mark.parametrize(
    ("constraint", "pos_label", "missing"),
    [
        ("true_positive_rate_parity", "yes", "yes"),
        ("true_positive_rate_parity", "no", "no"),
        ("false_positive_rate_parity", "yes", "no"),
    ],
)
def test_only_labels_that_matter_must_occur(people, constraint, pos_label, missing):
    X, _, sex = people
    options = {"constraint": constraint, "pos_label": pos_label}
    other = {"yes": "no", "no": "yes"}[missing]
    words = np.where((sex == "f") | (np.arange(40) % 2 == 0), "yes", "no")
    words[sex == "m"] = other
    words[np.flatnonzero(sex == "f")[:3]] = "no"
    refused(
        ValueError,
        f"'m' has no sample with label '{missing}'",
        X,
        words,
        sex,
        **options,
    )
    flipped = {**options, "pos_label": {"yes": "no", "no": "yes"}[pos_label]}
    clf = RunnerFairClassifier(max_epochs=0, warmup_epochs=0, **flipped)
    clf.fit(X, words, sensitive_features=sex)


def test_labels_that_a_rate_cannot_rank_are_refused(people):
    X, y, sex = people
    refused(
        ValueError,
        r"constraint='true_positive_rate_parity' depends .* \['no', 'yes'\] do not",
        X,
        np.where(y, "yes", "no"),
        sex,
        constraint="true_positive_rate_parity",
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "Input X contains NaN"),
        (np.inf, "Input X contains infinity or a value too large"),
        (1e39, "Input X contains infinity or a value too large for dtype.'float32'"),
        (-(2.0**200), "too large for dtype.'float32'"),
        ("f", "could not convert string to float: 'f'"),
    ],
)
@pytest.mark.parametrize("container", [pd.DataFrame, np.asarray])
def test_features_that_are_no_numbers_are_refused(people, value, message, container):
    X, y, sex = people
    X = X.astype(object) if isinstance(value, str) else X
    X.iloc[3, 1] = value
    refused(ValueError, message, container(X), y, sex.to_numpy())
    if not isinstance(value, str):
        refused(ValueError, message, sparse.csr_array(X), y, sex)


def test_weights_may_not_empty_a_group_or_leave_one_class(people):
    X, y, sex = people
    refused(
        ValueError,
        "group 'm' has no sample of positive weight",
        X,
        y,
        sex,
        weights=(sex == "f").astype(float),
    )
    refused(
        ValueError,
        r"samples of positive weight have one class only: \[1\]",
        X,
        y,
        sex,
        weights=y.astype(float),
    )
    refused(
        ValueError,
        "group 'm' has no sample with label 0",
        X,
        y,
        sex,
        weights=1.0 - ((sex == "m") & (y == 0)),
        constraint="equalized_odds",
    )


def test_groups_are_not_passed_twice(people):
    X, y, sex = people
    refused(
        ValueError,
        "got sensitive_features and sensitive_columns='sex': pass one of them",
        X.assign(sex=sex),
        y,
        sex,
        sensitive_columns="sex",
    )


@pytest.mark.parametrize("sampling", ["group", "group_label"])
def test_balanced_batches_need_groups_without_a_constraint_too(people, sampling):
    X, y, _ = people
    refused(
        ValueError,
        f"sampling='{sampling}' compares groups",
        X,
        y,
        None,
        constraint=None,
        sampling=sampling,
    )


def test_groups_are_checked_without_a_constraint_too(people):
    X, y, sex = people
    refused(ValueError, "has 39 rows, X has 40", X, y, sex[1:], constraint=None)
    clf = RunnerFairClassifier(None, max_epochs=0, warmup_epochs=0)
    clf.fit(X, y, sensitive_features=["only"] * 40)
    assert clf.groups_ == ["only"]


def test_an_array_like_that_has_no_length_is_read(people):
    class OnlyArray:
        def __init__(self, values):
            self.values = np.asarray(values)

        def __array__(self, dtype=None, copy=None):
            return self.values.astype(dtype or self.values.dtype)

    X, y, sex = people
    clf = RunnerFairClassifier(max_epochs=1, warmup_epochs=1)
    clf.fit(OnlyArray(X), OnlyArray(y), sensitive_features=OnlyArray(sex))
    assert_array_equal(clf.predict(OnlyArray(X)), clf.predict(X.to_numpy()))


# Images


def test_samples_stay_in_their_container():
    X = np.zeros((5, 8, 9, 3), "uint8")
    lazy = ImageArray(X, "last")
    for given in (X, lazy):
        found, images = read_samples(given, "Clf")
        assert found is given
        assert images.shape == (5, 3, 8, 9)
    for given in (list(X), ImageSource(lazy)):
        found, _ = read_samples(given, "Clf")
        assert isinstance(found, ImageArray)
        assert len(found) == 5
    people = pd.DataFrame({"age": [40, 50]})
    found, images = read_samples(people, "Clf")
    assert found is people
    assert images is None


def test_what_is_neither_table_nor_images_is_refused():
    with pytest.raises(ValueError, match="Found array with dim 3, while dim <= 2"):
        read_samples(np.zeros((5, 8, 9)), "Clf")


def test_the_shape_of_images_is_kept_and_compared():
    clf = RunnerFairClassifier()
    _, images = read_samples(np.zeros((5, 8, 9, 3), "uint8"), "Clf")
    with pytest.raises(ValueError, match=r"\(3, 8, 9\), but this Runner.* on a table"):
        check_image_shape(clf, images, reset=False)
    check_image_shape(clf, images, reset=True)
    check_image_shape(clf, images.subset([0]), reset=False)
    _, others = read_samples(np.zeros((5, 8, 8, 3), "uint8"), "Clf")
    with pytest.raises(ValueError, match=r"\(3, 8, 8\), .* of shape \(3, 8, 9\)"):
        check_image_shape(clf, others, reset=False)
