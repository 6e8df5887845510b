"""What the commands run on: the labels and groups of a user's file."""

import pandas as pd
import pytest

from skfair_runner.cli.cases import case_of_file


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
