"""What the commands run on: the labels and groups of a user's file."""

import pandas as pd
import pytest

from skfair_runner.cli.cases import CaseError, case_of_file
from skfair_runner.cli.screen import introduce


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("labels", "expected"), [([0, 1], 1), ([-1, 1], 1), ([True, False], True)]
)
def test_plain_labels_need_no_favourable_one(separator, labels, expected, tmp_path):
    path = tmp_path / "plain.csv"
    # The missing label makes numbers floats.
    y = pd.Series([*labels, *labels, None], dtype=object)
    table = pd.DataFrame({"x": [1, 2, 3, 4, 5], "y": y, "g": list("aabba")})
    table.to_csv(path, sep=separator, index=False)
    case = case_of_file(path, target="y", sensitive=["g"])
    assert case.pos_label == expected
    assert case.X.columns.tolist() == ["x", "g"]
    assert case.left_out == ["g"]


@pytest.fixture
def labelled(tmp_path):
    """Write a file with some labels."""

    def write(*labels):
        path = tmp_path / "labelled.csv"
        table = pd.DataFrame({"x": range(4 * len(labels)), "y": [*labels] * 4})
        table.assign(g=["a", "b"] * (2 * len(labels))).to_csv(path, index=False)
        return path

    return write


@pytest.mark.parametrize(
    ("labels", "typed", "expected"),
    [
        ((0, 1), "1", 1),
        ((0, 1), "1.0", 1),
        ((0.0, 1.0), "1", 1),
        ((0.5, 1.5), "1.50", 1.5),
        ((-1, 1, None), "1.0", 1),
        ((True, False), "True", True),
        ((True, False), "true", True),
        ((True, False), "1", True),
        (("zero", "1"), "1.0", "1"),
        (("Yes", "No"), "yes", "Yes"),
        (("yes", "YES"), "YES", "YES"),
        (("1.0x", "1"), "1", "1"),
    ],
)
def test_the_favourable_label_is_the_same_number_or_word(
    labels, typed, expected, labelled
):
    case = case_of_file(labelled(*labels), target="y", sensitive=["g"], positive=typed)
    assert case.pos_label == expected
    assert type(case.pos_label) is type(expected)


@pytest.mark.parametrize(
    ("labels", "typed", "expected"),
    [
        ((0, 1), "2", "'2' is not among the labels of 'y': pass 0 or 1."),
        ((0, 1), "yes", "'yes' is not among the labels of 'y': pass 0 or 1."),
        ((True, False), "yes", "'yes' is not among .* 'y': pass False or True."),
        (("yes", "YES"), "Yes", "'Yes' is not among .* 'y': pass YES or yes."),
        (("yes", "no"), "1", "'1' is not among the labels of 'y': pass no or yes."),
    ],
)
def test_a_label_that_there_is_not_is_refused(labels, typed, expected, labelled):
    with pytest.raises(CaseError, match=expected):
        case_of_file(labelled(*labels), target="y", sensitive=["g"], positive=typed)


def test_a_single_row_is_told_in_the_singular(tmp_path):
    path = tmp_path / "few.csv"
    table = pd.DataFrame({"x": range(8), "y": [0, 1] * 4, "g": ["a"] * 6 + ["b"] * 2})
    table.loc[0, "y"] = None
    table.loc[1, "g"] = None
    table.to_csv(path, index=False)
    case = case_of_file(path, target="y", sensitive=["g"])
    assert case.notes == [
        "Left out: 1 row without a value of 'y'.",
        "In the group 'missing': 1 row without a value of 'g'.",
    ]
    assert "Only 0 rows of 'missing' without the favourable label" in introduce(case)
    table.assign(g=["a"] * 6 + ["b"] * 2).to_csv(path, index=False)
    one = case_of_file(path, target="y", sensitive=["g"])
    assert "Only 1 row of 'b' without the favourable label: diff" in introduce(one)
