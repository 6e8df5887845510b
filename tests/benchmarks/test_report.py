"""What all benchmarks read and say."""

import numpy as np
import pytest

from benchmarks._report import append_row, known_keys, mean_and_spread


@pytest.mark.parametrize(
    ("values", "text"),
    [([], "–"), ([0.5, np.nan], "0.500"), ([0.5, 0.7], "0.600 ± 0.141")],
)
def test_what_is_said_of_values(values, text):
    assert mean_and_spread(values) == text


def test_keys_are_those_of_the_rows_in_the_file(tmp_path):
    path = tmp_path / "rows.csv"
    assert known_keys(path, ["dataset", "seed"]) == set()
    append_row({"dataset": "adult", "AP": 0.8, "seed": 1}, path)
    assert known_keys(path, ["dataset", "seed"]) == {("adult", 1)}
