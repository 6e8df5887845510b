"""Axes of the trade-off."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skfair_runner.report._scatter import make_axis, nice_ticks, span

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(NUMBERS, st.floats(1e-6, 1e6))
def test_ticks_are_few_equally_spaced_and_inside(low, width):
    high = low + max(width, 1e-6 * abs(low))
    ticks = nice_ticks(low, high)
    slack = 1e-6 * (high - low) + 1e-9 * abs(high)
    assert 1 <= len(ticks) <= 7
    assert low - slack <= ticks[0] <= ticks[-1] <= high + slack
    if len(ticks) > 2:
        assert_allclose(np.diff(ticks, 2), 0, atol=slack)


@given(st.lists(NUMBERS, max_size=8))
def test_an_axis_holds_all_values_and_has_a_width(values):
    axis = make_axis(np.array(values))
    assert axis["low"] < axis["high"]
    assert all(axis["low"] <= value <= axis["high"] for value in values)
    assert axis["ticks"]


def test_an_axis_near_zero_begins_there_and_a_far_one_does_not():
    assert make_axis(np.array([0.02, 0.2]))["low"] == 0
    assert make_axis(np.array([0.84, 0.86]))["low"] == 0.84


def test_texts_of_ticks_are_distinct():
    texts = [text for _, text in make_axis(np.array([0.8411, 0.8429]))["ticks"]]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"m_mean": 0.5, "m_std": 0.25}, (0.5, 0.25, 0.75)),
        ({"m_mean": 0.5, "m_std": np.nan}, (0.5, 0.5, 0.5)),
        ({"m_mean": 0.5}, (0.5, 0.5, 0.5)),
        (
            {"m_mean": 0.5, "m_std": 0.25, "m_low": 0.4, "m_high": 0.7},
            (0.5, 0.4, 0.7),
        ),
        (
            {"m_mean": 0.5, "m_std": 0.25, "m_low": np.nan, "m_high": np.nan},
            (0.5, 0.25, 0.75),
        ),
        ({"m_mean": np.nan, "m_std": 0.25}, None),
    ],
)
def test_the_bar_is_the_interval_or_a_standard_deviation(row, expected):
    assert span(pd.Series(row), "m") == expected
