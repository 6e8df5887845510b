"""The heat map of the neurons along a front: what is where, and how dark."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from skfair_runner.plots import FrontierNeuronsDisplay


def make_neurons(sizes=(40, 3), weights=(0.0, 0.3, 1.2), seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        [
            (weight, f"relu{i}", neuron, rng.random(), rng.random() ** 4)
            for weight in weights
            for i, size in enumerate(sizes, 1)
            for neuron in range(size)
        ],
        columns=["weight", "layer", "neuron", "discrimination", "importance"],
    )


@pytest.mark.parametrize("measure", ["discrimination", "importance"])
def test_rows_are_neurons_by_their_mean_and_columns_are_weights(measure):
    neurons = make_neurons()
    display = FrontierNeuronsDisplay(neurons, measure=measure).plot()
    for ax, (layer, table) in zip(display.axes_, display.tables_.items(), strict=True):
        (image,) = ax.images
        assert image.get_array().shape == table.shape
        np.testing.assert_array_equal(image.get_array(), table.to_numpy())
        assert (np.diff(table.mean(axis=1)) <= 0).all()
        assert table.columns.tolist() == [0.0, 0.3, 1.2]
        part = neurons[neurons["layer"] == layer].set_index(["neuron", "weight"])
        for neuron, weight in ((0, 0.3), (2, 1.2)):
            assert table.loc[neuron, weight] == part.loc[(neuron, weight), measure]


def test_more_is_darker_in_grey_too():
    display = FrontierNeuronsDisplay(make_neurons()).plot()
    (image,) = display.axes_[0].images
    colours = image.cmap(np.linspace(0, 1, 50))[:, :3]
    luminance = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0).all() and luminance[0] == pytest.approx(1)


def test_one_neuron_far_out_does_not_leave_the_others_white():
    neurons = make_neurons(sizes=(400,))
    neurons.loc[0, "discrimination"] = 100.0
    display = FrontierNeuronsDisplay(neurons).plot()
    assert display.axes_[0].images[0].norm.vmax < 2


def test_few_neurons_are_named_and_many_are_not():
    display = FrontierNeuronsDisplay(make_neurons()).plot()
    many, few = (
        [text.get_text() for text in ax.get_yticklabels()] for ax in display.axes_
    )
    assert not many
    assert few == [f"#{neuron}" for neuron in display.tables_["relu2"].index]


def test_weights_are_told_below_and_means_above():
    display = FrontierNeuronsDisplay(
        make_neurons(weights=np.linspace(0, 1.2, 25))
    ).plot()
    ax = display.axes_[0]
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert ticks[0] == "0" and ticks[-1] == "1.2" and len(ticks) == 6
    table = display.tables_["relu1"]
    first, last = table[0.0].mean(), table.iloc[:, -1].mean()
    assert ax.get_title() == f"relu1: 40 neurons\nmean {first:.3g} → {last:.3g}"


def test_a_layer_that_is_all_zero_is_drawn():
    neurons = make_neurons().assign(discrimination=0.0)
    display = FrontierNeuronsDisplay(neurons).plot()
    display.figure_.canvas.draw()
    pyplot.close(display.figure_)


def test_another_measure_is_refused():
    with pytest.raises(ValueError, match="FrontierNeuronsDisplay: .* got 'accuracy'"):
        FrontierNeuronsDisplay(make_neurons(), measure="accuracy")


def test_an_absent_column_is_named():
    with pytest.raises(ValueError, match=r"FrontierNeuronsDisplay.*importance"):
        FrontierNeuronsDisplay(
            make_neurons().drop(columns="importance"), measure="importance"
        )
