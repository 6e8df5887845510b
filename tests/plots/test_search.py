"""The figure of a search: rungs, front, pick and report."""

import pandas as pd
import pytest
from matplotlib import pyplot

from skfair_runner.plots import TradeoffSearchDisplay

AIM = "demographic_parity_difference"


@pytest.fixture
def trials():
    return pd.DataFrame(
        {
            "iter": [0, 0, 0, 1, 1],
            "n_resources": [10, 10, 10, 30, 30],
            "accuracy_mean": [0.8, 0.7, None, 0.86, 0.8],
            f"{AIM}_mean": [0.2, 0.1, None, 0.15, 0.02],
            "constant": [False, True, False, False, False],
            "on_front": [False, False, False, True, True],
            "chosen": [False, False, False, False, True],
        }
    )


REPORT = pd.DataFrame(
    {"value": [0.79, 0.04], "low": [0.77, 0.0], "high": [0.81, 0.07]},
    index=["accuracy", AIM],
)


def labels_of(ax):
    return ax.get_legend_handles_labels()[1]


def test_every_rung_has_its_points(trials):
    ax = TradeoffSearchDisplay(trials).plot().ax_
    told = labels_of(ax)
    # What failed is not drawn.
    assert "10 resources (2 candidates)" in told
    assert "30 resources (2 candidates)" in told
    assert "constant" in told
    by_label = {each.get_label(): each for each in ax.collections}
    last = by_label["30 resources (2 candidates)"].get_offsets()
    assert last.tolist() == [[0.15, 0.86], [0.02, 0.8]]


def test_the_front_goes_from_the_least_difference_up(trials):
    ax = TradeoffSearchDisplay(trials).plot().ax_
    (front,) = [line for line in ax.lines if line.get_label() == "front"]
    assert front.get_xdata()[:2].tolist() == [0.02, 0.15]
    assert front.get_ydata()[:2].tolist() == [0.8, 0.86]


def test_the_pick_is_ringed_and_its_report_has_whiskers(trials):
    ax = TradeoffSearchDisplay(trials, report=REPORT).plot().ax_
    (ring,) = [line for line in ax.lines if "picked" in str(line.get_label())]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (0.02, 0.8)
    (report,) = ax.containers
    assert report.get_label() == "the same, on rows set aside"
    across, up = (bars.get_segments()[0] for bars in report[2])
    assert across[:, 0].tolist() == pytest.approx([0.0, 0.07])
    assert up[:, 1].tolist() == pytest.approx([0.77, 0.81])


def test_without_report_and_front_there_is_still_a_figure(trials):
    told = labels_of(TradeoffSearchDisplay(trials.assign(on_front=False)).plot().ax_)
    assert "front" not in told and "the same, on rows set aside" not in told


def test_it_draws_where_it_is_told_to(trials):
    _, ax = pyplot.subplots()
    assert TradeoffSearchDisplay(trials).plot(ax).ax_ is ax


@pytest.mark.parametrize("column", ["n_resources", "accuracy_mean", f"{AIM}_mean"])
def test_a_column_that_lacks_is_named(trials, column):
    with pytest.raises(ValueError, match=f"TradeoffSearchDisplay: .* no .*'{column}'"):
        TradeoffSearchDisplay(trials.drop(columns=column))
