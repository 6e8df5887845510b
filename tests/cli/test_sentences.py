"""A repair in words."""

import pandas as pd
import pytest

from skfair_runner.cli.sentences import describe_repair

AIM = "demographic_parity_difference"


def _metrics(**changed):
    numbers = {
        "accuracy": (0.9, 0.88),
        "average_precision": (0.8, 0.79),
        "selection_rate": (0.4, 0.1),
        AIM: (0.2, 0.04),
        "abcc": (0.2, 0.1),
        "constant": (0, 0),
        **changed,
    }
    return pd.DataFrame.from_dict(numbers, "index", columns=["before", "after"])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "reduced the demographic parity difference from 0.200 to 0.040 on 1,200 "),
        ({}, "at a cost of 2.0 points of accuracy (0.900 to 0.880)."),
        ({}, "Worse than before: average precision (0.800 to 0.790)."),
        ({"accuracy": (0.9, 0.9)}, "with accuracy unchanged (0.900 to 0.900)."),
        ({"accuracy": (0.9, 0.91)}, "while accuracy rose by 1.0 points"),
        ({AIM: (0.2, 0.3)}, "did not reduce the demographic parity difference: it w"),
        ({AIM: (0.2, 0.3)}, "while accuracy fell by 2.0 points"),
        ({AIM: (0.2, 0.201)}, "left the demographic parity difference where it was, "),
        ({"constant": (0, 1)}, "But the repaired model became constant"),
        ({"abcc": (0.1, 0.2)}, "area between score distributions (0.100 to 0.200)"),
    ],
)
def test_what_happened_is_said(changed, expected):
    assert expected in describe_repair(_metrics(**changed), AIM, 1200)


def test_what_did_not_get_worse_is_not_mentioned():
    text = describe_repair(_metrics(average_precision=(0.8, 0.8)), AIM, 1200)
    assert "Worse" not in text
    assert "constant" not in text
