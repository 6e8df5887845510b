"""Numbers as text."""

import numpy as np
import pytest

from skfair_runner.compare._text import format_interval, format_number


@pytest.mark.parametrize(
    ("mean", "std", "measure", "expected"),
    [
        (0.8451, 0.0062, "accuracy", "0.845 ± .006"),
        (0.8451, np.nan, "accuracy", "0.845"),
        (12.34, 0.56, "fit_seconds", "12.3 ± 0.6"),
        (12.34, np.nan, "fit_seconds", "12.3"),
        (0.0123, 0.001, "predict_seconds", "0.012 ± .001"),
        (np.nan, np.nan, "abcc", "–"),
    ],
)
def test_numbers_read_alike(mean, std, measure, expected):
    assert format_number(mean, std, measure) == expected


def test_no_interval_is_no_text():
    assert format_interval(np.nan, 0.3) == ""
