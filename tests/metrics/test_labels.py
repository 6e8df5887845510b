import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skfair_runner.metrics.labels import encode_labels


def encode(y_true, y_pred, pos_label=None):
    return encode_labels(y_true, y_pred, pos_label, "metric")


def test_codes_point_into_the_sorted_labels():
    labels = encode(["b", "c"], ["a", "b"])
    assert labels.classes == ("a", "b", "c")
    assert_array_equal(labels.y_true, [1, 2])
    assert_array_equal(labels.y_pred, [0, 1])
    assert_array_equal(labels.favourable, [0, 1, 2])


@pytest.mark.parametrize(
    ("values", "pos_label", "favourable"),
    [
        ([0, 1], None, 1),
        ([-1, 1], None, 1),
        ([False, True], None, True),
        ([0, 0], None, 1),
        ([1, 1], None, 1),
        ([-1, -1], None, 1),
        ([True, True], None, True),
        ([0, 0], 0, 0),
        (["no", "no"], "yes", "yes"),
        (["no", "no"], "a", "a"),
        (["no", "no"], "no", "no"),
        ([3, 3], 2, 2),
        ([1, 2, 3], 2, 2),
        ([1, -1], -1, -1),
    ],
)
def test_the_favourable_label(values, pos_label, favourable):
    labels = encode(values, values, pos_label)
    (code,) = labels.favourable
    assert labels.classes[code] == favourable
    assert list(labels.classes) == sorted(labels.classes)
    assert [labels.classes[code] for code in labels.y_true] == values


@pytest.mark.parametrize("only", [0, 1, False, True, 0.0, 1.0])
def test_the_second_of_two_known_labels_need_not_occur(only):
    labels = encode([only], [only])
    assert labels.classes == (0, 1)
    assert {type(label) for label in labels.classes} == {type(only)}


@pytest.mark.parametrize(
    "container", [pd.Series, pd.Categorical, pd.array, np.array, tuple]
)
@pytest.mark.parametrize("values", [[0, 1, 1], ["x", "y", "x"], [True, False, True]])
def test_any_container_holds_labels(container, values):
    labels = encode(container(values), values, pos_label=values[1])
    assert_array_equal(labels.y_true, labels.y_pred)
    assert list(labels.classes) == sorted(set(values))


@pytest.mark.parametrize("labels", [["no", "yes"], [1, 2], [0, 2], ["x"], [3]])
def test_labels_that_do_not_tell_which_is_favourable(labels):
    message = f"which of the labels {labels} is .* as in pos_label={labels[-1]!r}"
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        encode(labels, labels)


@pytest.mark.parametrize(
    ("labels", "pos_label"),
    [(["no", "yes"], "YES"), ([0, 1], "1"), ([0, 1], 2), ([0, 0], "1"), (["x"], 1)],
)
def test_a_favourable_label_that_does_not_occur(labels, pos_label):
    with pytest.raises(ValueError, match=f"pos_label={pos_label!r} is not among the"):
        encode(labels, labels, pos_label)


@pytest.mark.parametrize("score", [0.25, np.inf])
@pytest.mark.parametrize("dtype", [float, object])
def test_scores_in_place_of_decisions_are_refused(score, dtype):
    with pytest.raises(
        ValueError, match=f"metric compares decisions, .* hold {score!r}"
    ):
        encode([0, 1], np.array([score, 1.0], dtype=dtype))


@pytest.mark.parametrize("shape", [(2, 2), (), (1, 1, 1)])
def test_other_shapes_are_refused(shape):
    message = rf"y_pred must hold one label per sample, got shape {shape}"
    with pytest.raises(
        ValueError, match=message.replace("(", r"\(").replace(")", r"\)")
    ):
        encode([0, 1], np.zeros(shape))


def test_different_lengths_are_refused():
    with pytest.raises(ValueError, match="y_true and y_pred .* got 2 and 3 samples"):
        encode([0, 1], [0, 1, 1])


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="at least one, got 0 and 0 samples"):
        encode([], [])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_labels_are_refused(missing):
    with pytest.raises(ValueError, match="y_true and y_pred must not .* got 1; leave"):
        encode([0, missing, 1], [0, 1, 1])


def test_strings_beside_numbers_are_refused():
    with pytest.raises(
        ValueError, match="mix strings with other labels, such as 'no' and 0"
    ):
        encode(["no", "yes"], [0, 1])
