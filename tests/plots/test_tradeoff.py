import io

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from skfair_runner.plots import TradeoffDisplay
from skfair_runner.plots._drawing import MARKERS

DIFFERENCE = "demographic_parity_difference"


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "accuracy_mean": [0.86, 0.84, 0.83, 0.7],
            "accuracy_std": [0.01, 0.02, 0.01, 0.0],
            "abcc_mean": [0.2, 0.1, np.nan, 0.0],
            f"{DIFFERENCE}_mean": [0.2, 0.05, 0.04, 0.0],
            f"{DIFFERENCE}_std": [0.02, 0.01, 0.02, 0.0],
            "needs_groups_at_predict": [False, False, True, False],
            "constant_folds": [0, 0, 0, 2],
        },
        index=["plain", "repaired", "thresholds", "collapsed"],
    )


def drawn_points(ax):
    """The points, without the ends of bars and the crosses."""
    return [
        line
        for line in ax.lines
        if len(line.get_xdata()) == 1 and line.get_marker() in MARKERS
    ]


def test_points_stand_where_the_table_says(table):
    ax = TradeoffDisplay.from_table(table).plot().ax_
    places = [(line.get_xdata()[0], line.get_ydata()[0]) for line in drawn_points(ax)]
    assert places == [(0.2, 0.86), (0.05, 0.84), (0.04, 0.83), (0.0, 0.7)]


def test_bars_are_a_standard_deviation_to_each_side(table):
    ax = TradeoffDisplay.from_table(table).plot().ax_
    bars = ax.containers[0]
    (horizontal,), (vertical,) = (lines.get_segments() for lines in bars.lines[2])
    np.testing.assert_allclose(horizontal[:, 0], [0.18, 0.22])
    np.testing.assert_allclose(vertical[:, 1], [0.85, 0.87])


def test_methods_that_need_groups_to_predict_are_hollow(table):
    ax = TradeoffDisplay.from_table(table).plot().ax_
    hollow = [line.get_markerfacecolor() == "white" for line in drawn_points(ax)]
    assert hollow == [False, False, True, False]
    assert "hollow: needs groups at prediction" in ax.get_title(loc="left")


def test_a_constant_classifier_is_crossed_out_and_called_so(table):
    display = TradeoffDisplay.from_table(table).plot()
    crosses = [line for line in display.ax_.lines if line.get_marker() == "x"]
    assert [(c.get_xdata()[0], c.get_ydata()[0]) for c in crosses] == [(0.0, 0.7)]
    assert display.labels_[-1].get_text() == "collapsed (constant)"


def test_every_point_has_its_name_beside_it(table):
    display = TradeoffDisplay.from_table(table).plot()
    assert [label.get_text() for label in display.labels_[:3]] == [
        "plain",
        "repaired",
        "thresholds",
    ]
    for label, point in zip(display.labels_, drawn_points(display.ax_), strict=True):
        assert label.xy == (point.get_xdata()[0], point.get_ydata()[0])


def test_names_of_neighbours_do_not_cover_one_another(table):
    table.loc[:, "accuracy_mean"] = [0.84, 0.841, 0.842, 0.839]
    table.loc[:, f"{DIFFERENCE}_mean"] = [0.05, 0.052, 0.048, 0.051]
    table["constant_folds"] = 0
    display = TradeoffDisplay.from_table(table).plot()
    boxes = [label.get_window_extent() for label in display.labels_]
    overlapping = [
        (one, two)
        for k, one in enumerate(boxes)
        for two in boxes[k + 1 :]
        if one.overlaps(two)
    ]
    assert overlapping == []


def test_points_are_told_apart_without_colour(table):
    ax = TradeoffDisplay.from_table(table).plot().ax_
    assert len({line.get_marker() for line in drawn_points(ax)}) == 4


def test_other_measures_can_be_drawn_and_rows_without_one_are_left_out(table):
    display = TradeoffDisplay.from_table(table, difference="abcc").plot()
    assert display.points.index.tolist() == ["plain", "repaired", "collapsed"]
    label = display.ax_.get_xlabel()
    assert label == "area between score distributions (less is better)"


def test_a_table_with_means_alone_is_enough(table):
    means = table[["accuracy_mean", f"{DIFFERENCE}_mean"]]
    display = TradeoffDisplay.from_table(means).plot()
    assert display.ax_.get_title(loc="left") == ""
    assert len(drawn_points(display.ax_)) == 4


def test_it_is_drawn_where_it_is_told_to(table, ax):
    display = TradeoffDisplay.from_table(table).plot(ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def test_it_can_be_saved_in_any_format_and_is_never_shown(table, monkeypatch):
    monkeypatch.setattr(pyplot, "show", lambda: pytest.fail("shown"))
    figure = TradeoffDisplay.from_table(table).plot().figure_
    for kind in ("png", "svg", "pdf"):
        file = io.BytesIO()
        figure.savefig(file, format=kind)
        assert file.tell() > 1000


def test_an_absent_measure_is_named(table):
    with pytest.raises(ValueError, match="no column 'recall_mean'"):
        TradeoffDisplay.from_table(table, utility="recall")


def test_a_table_without_numbers_is_refused(table):
    table["accuracy_mean"] = np.nan
    with pytest.raises(ValueError, match=r"methods \['plain', .* has both 'accuracy'"):
        TradeoffDisplay.from_table(table)
