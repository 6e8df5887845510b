import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skfair_runner.plots import DiscriminationDisplay


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "layer": ["relu1"] * 3 + ["relu2"] * 2,
            "selected": [False, True, True, True, False],
            "discrimination": [0.2, 0.9, 0.4, 0.3, 0.1],
            "discrimination_after": [0.1, 0.3, 0.4, 0.0, 0.2],
        }
    )


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_summary_counts_those_that_fell(table):
    summary = DiscriminationDisplay.from_table(table).summary
    assert summary.index.names == ["layer", "selected"]
    assert summary["n"].to_dict() == {
        ("relu1", False): 1,
        ("relu1", True): 2,
        ("relu2", True): 1,
        ("relu2", False): 1,
    }
    assert summary.loc[("relu1", True)].to_dict() == pytest.approx(
        {"n": 2, "before": 0.65, "after": 0.35, "fell": 1}
    )
    assert summary.loc[("relu2", False), "fell"] == 0


def test_points_stand_at_before_and_after(table):
    first, second = DiscriminationDisplay.from_table(table).plot().axes_
    _, others, chosen = first.lines
    assert_allclose(chosen.get_xydata(), [[0.9, 0.3], [0.4, 0.4]])
    assert_allclose(others.get_xydata(), [[0.2, 0.1]])
    assert second.get_title() == "relu2: 2 neurons"


def test_those_held_responsible_are_filled_and_of_another_shape(table):
    _, others, chosen = DiscriminationDisplay.from_table(table).plot().axes_[0].lines
    assert others.get_markerfacecolor() == "none" != chosen.get_markerfacecolor()
    assert others.get_marker() != chosen.get_marker()


def test_the_diagonal_crosses_the_whole_panel(table):
    ax = DiscriminationDisplay.from_table(table).plot().axes_[0]
    top = ax.get_xlim()[1]
    assert_allclose(ax.lines[0].get_xydata(), [[0, 0], [top, top]])
    assert ax.get_ylim() == ax.get_xlim()


def test_the_legend_tells_how_many_fell_and_the_means(table):
    first, _ = DiscriminationDisplay.from_table(table).plot().axes_
    assert legend_of(first) == [
        "held responsible: 1 of 2 fell,\nmean 0.65 → 0.35",
        "others: 1 of 1 fell,\nmean 0.2 → 0.1",
    ]


def test_an_empty_selection_is_told(table):
    display = DiscriminationDisplay.from_table(table.assign(selected=False)).plot()
    assert legend_of(display.axes_[0])[0] == "held responsible: none"


def test_neurons_that_never_differ_can_be_drawn(table):
    table = table.assign(discrimination=0.0, discrimination_after=0.0)
    display = DiscriminationDisplay.from_table(table).plot()
    assert display.axes_[0].get_xlim()[1] == 1


def test_a_given_place_is_divided(table, ax):
    display = DiscriminationDisplay.from_table(table).plot(ax=ax)
    assert display.figure_ is ax.figure
    assert len(display.axes_) == 2


def test_a_diagnosis_without_repair_is_refused(table):
    with pytest.raises(ValueError, match="no column 'discrimination_after'"):
        DiscriminationDisplay.from_table(table.drop(columns="discrimination_after"))


def test_an_empty_table_is_refused(table):
    with pytest.raises(ValueError, match="has 0 neurons"):
        DiscriminationDisplay.from_table(table[:0])
