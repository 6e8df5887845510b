import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skfair_runner.plots import NeuronHistoryDisplay


@pytest.fixture
def history():
    """Neuron 4 of relu1 is always selected, and 0 never."""
    return pd.DataFrame(
        {
            "epoch": [1, 2, 3, 4],
            "selected": [
                np.nan,
                {"relu1": [4, 1], "relu2": [0]},
                {"relu1": [2, 4], "relu2": [1]},
                {"relu1": [4, 2], "relu2": [1]},
            ],
        }
    )


def test_a_cell_says_whether_the_neuron_was_selected_in_that_epoch(history):
    display = NeuronHistoryDisplay.from_history(
        history, n_neurons={"relu1": 5, "relu2": 2}
    )
    relu1 = display.selected["relu1"]
    assert relu1.shape == (5, 3)
    for epoch, entry in zip([2, 3, 4], history["selected"][1:], strict=True):
        assert relu1.index[relu1[epoch]].tolist() == sorted(entry["relu1"])


def test_without_the_sizes_of_layers_neurons_that_never_were_selected_are_unknown(
    history,
):
    display = NeuronHistoryDisplay.from_history(history)
    assert display.selected["relu1"].index.tolist() == [1, 2, 4]


def test_neurons_that_were_selected_most_often_are_on_top(history):
    display = NeuronHistoryDisplay.from_history(
        history, n_neurons={"relu1": 5, "relu2": 2}
    ).plot()
    first, _ = display.axes_
    names = [tick.get_text() for tick in first.get_yticklabels()]
    assert names == ["#4", "#2", "#1", "#0", "#3"]
    (image,) = first.images
    assert_array_equal(
        image.get_array(), [[1, 1, 1], [0, 1, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    )
    assert first.get_title() == "relu1: 5 neurons\n1 in every epoch, 2 in none"


def test_epochs_are_named_by_their_number(history):
    ax = NeuronHistoryDisplay.from_history(history).plot().axes_[0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "3", "4"]


def test_many_neurons_and_epochs_are_not_named_one_by_one():
    history = pd.DataFrame(
        {"epoch": range(1, 101), "selected": [{"relu1": [0, 399]}] * 100}
    )
    display = NeuronHistoryDisplay.from_history(history, n_neurons={"relu1": 400})
    (ax,) = display.plot().axes_
    assert len(ax.get_yticks()) < 20
    assert len(ax.get_xticks()) <= 6
    assert not ax.collections


def test_one_epoch_and_an_empty_selection_can_be_drawn():
    history = pd.DataFrame({"epoch": [1], "selected": [{"relu1": []}]})
    display = NeuronHistoryDisplay.from_history(history, n_neurons={"relu1": 3}).plot()
    assert display.axes_[0].get_title().endswith("0 in every epoch, 3 in none")


def test_a_given_place_is_divided(history, ax):
    display = NeuronHistoryDisplay.from_history(history).plot(ax=ax)
    assert display.figure_ is ax.figure
    assert len(display.axes_) == 2


def test_an_absent_column_is_named(history):
    with pytest.raises(ValueError, match="no column 'selected'"):
        NeuronHistoryDisplay.from_history(history[["epoch"]])


def test_a_training_without_repair_is_refused(history):
    with pytest.raises(ValueError, match="none of the 1 epochs says which neurons"):
        NeuronHistoryDisplay.from_history(history[:1])


def test_a_neuron_that_the_layer_does_not_have_is_named(history):
    with pytest.raises(ValueError, match=r"neuron 4 of layer 'relu1' .*'relu1': 4"):
        NeuronHistoryDisplay.from_history(history, n_neurons={"relu1": 4, "relu2": 2})
