"""Texts of the cells."""

import numpy as np
import pandas as pd
import pytest

from skfair_runner.report import PageMeasure
from skfair_runner.report._cells import (
    fact_columns,
    group_rows,
    measure_cell,
    method_rows,
    neuron_layers,
    number_text,
    rate_rows,
)

MEASURE = PageMeasure("m", "measure", "quality")


@pytest.mark.parametrize(
    ("value", "text"), [(0.0004, "0.000"), (-0.0004, "0.000"), (-0.01, "−0.010")]
)
def test_what_rounds_to_zero_has_no_sign(value, text):
    assert number_text(value, 3) == text


def test_a_cell_says_what_there_is():
    row = pd.Series({"m_mean": 0.25, "m_std": 0.01, "m_low": 0.2, "m_high": 0.3})
    assert measure_cell(row, MEASURE) == {
        "sort": "0.25",
        "mean": "0.250",
        "spread": "± 0.010",
        "interval": "0.200 to 0.300",
    }
    assert measure_cell(pd.Series({"m_mean": np.nan, "m_std": 0.1}), MEASURE) == {
        "sort": "",
        "mean": "–",
        "spread": "",
        "interval": "",
    }


def test_flags_tell_failures_constants_groups_and_lots(make_page):
    flags = {row["name"]: row["flags"] for row in method_rows(make_page())}
    assert flags == {
        "Unmitigated net": [],
        "RunnerFairClassifier": [],
        "Reweighing": [("failed", "failed in 1 of 3 folds")],
        "Thresholds": [("groups", "needs groups")],
        "Lots": [("constant", "constant decisions"), ("lot", "by lot")],
    }


def test_a_method_that_failed_throughout_has_no_word_on_constants(make_page):
    table = make_page().table.assign(folds=[3, 0, 3, 3, 3])
    row = method_rows(make_page(table=table))[1]
    assert row["flags"] == [("failed", "failed")]
    assert row["facts"] == [{"sort": "", "mean": "–"}] * 3


def test_facts_are_shown_where_the_table_has_them(make_page):
    table = make_page().table
    assert [each["name"] for each in fact_columns(table)] == [
        "needs_groups_at_predict",
        "randomised",
        "constant_folds",
    ]
    table = table.drop(columns=["randomised"]).assign(
        four_fifths=[True, False, pd.NA, None, np.nan]
    )
    page = make_page(table=table)
    assert [each["label"] for each in fact_columns(table)] == [
        "four-fifths rule",
        "groups needed to predict",
        "constant decisions",
    ]
    words = [row["facts"][0]["mean"] for row in method_rows(page)]
    assert words == ["met", "not met", "–", "–", "–"]


def test_a_table_of_measures_alone_is_enough(make_page):
    measures = [c for c in make_page().table if c.endswith("_mean")]
    rows = method_rows(make_page(table=make_page().table[measures]))
    assert all(row["flags"] == [] and row["facts"] == [] for row in rows)


def test_groups_have_their_part_of_all():
    groups = pd.DataFrame(
        {"n_samples": [1500, 500], "share_favourable": [0.25, np.nan]}, index=["a", 7]
    )
    assert group_rows(groups) == [
        {"name": "a", "n": "1,500", "part": "75.0%", "share": "25.0%", "bar": 25.0},
        {"name": "7", "n": "500", "part": "25.0%", "share": "–", "bar": 0.0},
    ]


def test_rates_are_listed_by_method_and_counts_are_whole():
    table = pd.DataFrame(
        {"count": [1200, 3, 1200], "rate": [0.5, np.nan, 0.25]},
        index=pd.MultiIndex.from_tuples([("b", "x"), ("b", "y"), ("a", "x")]),
    )
    assert rate_rows(table) == [
        {
            "name": "b",
            "groups": [
                {"name": "x", "cells": ["1,200", "0.500"]},
                {"name": "y", "cells": ["3", "–"]},
            ],
        },
        {"name": "a", "groups": [{"name": "x", "cells": ["1,200", "0.250"]}]},
    ]


def test_the_most_important_neurons_of_each_layer_are_listed():
    table = pd.DataFrame(
        {
            "layer": ["b", "b", "a"],
            "neuron": [0, 1, 0],
            "importance": [0.1, 12345.6, 1e-9],
            "rank": [2, 1, 1],
            "selected": [False, True, True],
        }
    )
    first, second = neuron_layers(table, most=1)
    assert first["rows"] == [["1", "1", "1.23e+04", "yes"]]
    assert (first["name"], first["total"], first["n_selected"]) == ("b", 2, 1)
    assert second["rows"] == [["1", "0", "1e−09", "yes"]]
