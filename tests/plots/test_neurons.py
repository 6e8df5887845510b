import numpy as np
import pandas as pd
import pytest

from skfair_runner.plots import NeuronImportanceDisplay


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "layer": ["relu1"] * 3 + ["relu2"] * 2,
            "neuron": [0, 1, 2, 0, 1],
            "importance": [0.1, 0.7, 0.2, 3.0, 1.0],
            "rank": [3, 1, 2, 1, 2],
            "selected": [False, True, True, True, False],
            "discrimination": [0.2, 0.9, 0.4, 0.3, 0.1],
            "discrimination_after": [0.1, 0.3, 0.4, 0.0, 0.1],
        }
    )


def line_of(ax, label):
    (line,) = [line for line in ax.lines if str(line.get_label()).startswith(label)]
    return line.get_ydata()


def test_bars_fall_from_the_most_important_neuron(table):
    display = NeuronImportanceDisplay.from_table(table).plot()
    assert display.axes_.shape == (2, 2)
    bars = sorted(display.axes_[0, 0].patches, key=lambda bar: bar.get_x())
    assert [bar.get_height() for bar in bars] == [0.7, 0.2, 0.1]


def test_neurons_held_responsible_are_darker(table):
    ax = NeuronImportanceDisplay.from_table(table).plot().axes_[0, 0]
    chosen, others = ax.containers
    assert chosen.get_label() == "held responsible (2)"
    assert others.get_label() == "others (1)"
    assert np.mean(chosen[0].get_facecolor()[:3]) < np.mean(
        others[0].get_facecolor()[:3]
    )


def test_discrimination_is_drawn_before_and_after_in_the_same_order(table):
    ax = NeuronImportanceDisplay.from_table(table).plot().axes_[1, 0]
    np.testing.assert_allclose(line_of(ax, "before (mean 0.5)"), [0.9, 0.4, 0.2])
    np.testing.assert_allclose(line_of(ax, "after repair"), [0.3, 0.4, 0.1])


def test_a_diagnosis_without_repair_has_no_after(table):
    table = table.drop(columns="discrimination_after")
    display = NeuronImportanceDisplay.from_table(table).plot()
    assert len(display.axes_[1, 0].lines) == 1


def test_a_layer_of_which_every_neuron_is_selected_has_one_kind_of_bar(table):
    display = NeuronImportanceDisplay.from_table(table.assign(selected=True)).plot()
    assert len(display.axes_[0, 0].containers) == 1


def test_an_empty_selection_is_told(table):
    display = NeuronImportanceDisplay.from_table(table.assign(selected=False)).plot()
    legend = display.axes_[0, 0].get_legend()
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["held responsible (0)", "others (3)"]


def test_many_layers_stand_four_to_a_line(table):
    one = table[table["layer"] == "relu1"]
    table = pd.concat([one.assign(layer=f"layer {k}") for k in range(6)])
    axes = NeuronImportanceDisplay.from_table(table).plot().axes_
    assert axes.shape == (2, 6)
    titles = [ax.get_title() for ax in axes[0]]
    assert titles == [f"layer {k}: 3 neurons" for k in range(6)]
    places = [ax.get_subplotspec().colspan.start for ax in axes[0]]
    assert places == [0, 1, 2, 3, 0, 1]
    assert [ax.get_subplotspec().rowspan.start for ax in axes[1]] == [1] * 4 + [3] * 2


def test_neurons_are_counted_in_whole_numbers():
    table = pd.DataFrame(
        {"layer": "a", "neuron": range(12), "importance": 1.0, "rank": range(1, 13)}
    ).assign(selected=True, discrimination=0.5)
    display = NeuronImportanceDisplay(table).plot()
    ticks = display.figure_.axes[1].get_xticks()
    np.testing.assert_array_equal(ticks, np.round(ticks))


def test_a_given_place_is_divided(table, ax):
    display = NeuronImportanceDisplay.from_table(table).plot(ax=ax)
    assert display.figure_ is ax.figure
    assert not ax.axison
    frame = ax.get_position()
    for panel in display.axes_.ravel():
        box = panel.get_position()
        assert frame.x0 - 1e-9 <= box.x0 and box.x1 <= frame.x1 + 1e-9


def test_an_absent_column_is_named(table):
    with pytest.raises(ValueError, match="no column 'rank'"):
        NeuronImportanceDisplay.from_table(table.drop(columns="rank"))


def test_an_empty_table_is_refused(table):
    with pytest.raises(ValueError, match="has 0 neurons"):
        NeuronImportanceDisplay.from_table(table[:0])
