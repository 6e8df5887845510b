"""What holds for all displays: nothing is shown, leaked, unlabelled or too small."""

import copy
import inspect
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.text import Text

from skfair_runner import plots
from skfair_runner.plots import (
    ChannelImagesDisplay,
    DiscriminationDisplay,
    FrontierDisplay,
    FrontierNeuronsDisplay,
    GroupMetricsDisplay,
    GroupPrecisionRecallDisplay,
    NeuronHistoryDisplay,
    NeuronImportanceDisplay,
    ScoreDistributionDisplay,
    TradeoffDisplay,
    TradeoffSearchDisplay,
    TrainingHistoryDisplay,
)

LONG = "American Indian, Eskimo, Aleut or Alaska Native"


def make_displays(n_groups):
    """One of each, of the same generated people and neurons."""
    rng = np.random.default_rng(0)
    names = np.array([LONG, "Asian", "Black", "Other", "White"])[:n_groups]
    groups = rng.permutation(np.resize(names, 100))
    y_true, scores = rng.integers(0, 2, 100), rng.random(100)
    neurons = pd.DataFrame(
        {
            "layer": np.repeat(["relu1", "relu2"], 20),
            "neuron": np.tile(np.arange(20), 2),
            "importance": rng.random(40),
            "rank": np.tile(np.arange(1, 21), 2),
            "selected": np.tile(np.arange(20) < 10, 2),
            "discrimination": rng.random(40),
            "discrimination_after": rng.random(40),
        }
    )
    history = pd.DataFrame(
        {
            "epoch": [1, 2],
            "phase": ["warm-up", "repair"],
            "train_loss": [0.7, 0.5],
            "train_difference": [0.2, 0.1],
            "selected": [None, {"relu1": [1, 3], "relu2": [2]}],
        }
    )
    table = pd.DataFrame(
        {
            "accuracy_mean": rng.random(n_groups),
            "demographic_parity_difference_mean": rng.random(n_groups),
        },
        index=names,
    )
    front = pd.DataFrame(
        {
            "weight": [0.0, 0.5, 1.0],
            "accuracy": [0.86, 0.85, 0.84],
            "demographic_parity_difference": [0.2, 0.1, 0.01],
            "constant": False,
        }
    )
    trials = pd.DataFrame(
        {
            "iter": [0, 0, 1],
            "n_resources": [10, 10, 30],
            "accuracy_mean": [0.8, 0.82, 0.84],
            "demographic_parity_difference_mean": [0.2, 0.1, 0.05],
            "constant": False,
            "on_front": [False, False, True],
            "chosen": [False, False, True],
        }
    )
    along = pd.concat(
        [neurons.assign(weight=weight) for weight in (0.0, 0.5, 1.0)], ignore_index=True
    )
    shown = pd.DataFrame({"group": np.repeat(names, 6), "row": 0, "value": 0.5})
    told = {"sensitive_features": groups}
    return [
        ChannelImagesDisplay(shown, rng.random((len(shown), 8, 8, 3)), "relu1", 7),
        DiscriminationDisplay.from_table(neurons),
        FrontierDisplay(front),
        FrontierNeuronsDisplay(along),
        GroupMetricsDisplay.from_predictions(y_true, scores > 0.5, **told),
        GroupPrecisionRecallDisplay.from_predictions(y_true, scores, **told),
        NeuronHistoryDisplay.from_history(history),
        NeuronImportanceDisplay.from_table(neurons),
        ScoreDistributionDisplay.from_predictions(scores, **told),
        TradeoffDisplay.from_table(table),
        TradeoffSearchDisplay(trials),
        TrainingHistoryDisplay.from_history(history, difference_bound=0.1),
    ]


@pytest.fixture(
    params=[*make_displays(5), *make_displays(2)],
    ids=lambda each: type(each).__name__,
)
def display(request):
    return copy.copy(request.param)


def axes_of(display):
    return np.ravel(display.axes_ if hasattr(display, "axes_") else display.ax_)


def test_every_exported_display_is_among_them():
    assert [type(each).__name__ for each in make_displays(2)] == plots.__all__


def test_nothing_is_shown_and_one_figure_is_made(display, monkeypatch):
    monkeypatch.setattr(pyplot, "show", lambda: pytest.fail("shown"))
    assert display.plot() is display
    assert pyplot.get_fignums() == [display.figure_.number]


def test_in_a_given_place_no_figure_is_made(display):
    figure = pyplot.figure(figsize=(12, 8), layout="constrained")
    left, _ = figure.subfigures(1, 2)
    ax = left.subplots(2, 1)[0]
    display.plot(ax=ax)
    assert display.figure_ is left
    assert pyplot.get_fignums() == [figure.number]
    figure.draw_without_rendering()


def test_axes_are_labelled_and_letters_legible(display):
    display.plot().figure_.draw_without_rendering()
    axes = axes_of(display)
    last, first = axes[-1], axes[0]
    assert last.get_xlabel()
    assert first.get_ylabel() or first.get_yticklabels()
    sizes = [
        text.get_fontsize()
        for text in display.figure_.findobj(Text)
        if text.get_text() and text.get_visible()
    ]
    assert min(sizes) >= 7


def test_no_text_leaves_the_page(display):
    """The legends and names that constrained layout has to make room for."""
    figure = display.plot().figure_
    figure.draw_without_rendering()
    for ax in axes_of(display):
        low, high = sorted(ax.get_ylim())
        texts = [
            tick.label1
            for tick in ax.yaxis.get_major_ticks()
            if low <= tick.get_loc() <= high
        ]
        texts += [ax.title, ax.xaxis.label, ax.yaxis.label]
        if ax.get_legend() is not None:
            texts += ax.get_legend().get_texts()
        for text in texts:
            if text.get_text():
                box = text.get_window_extent().padded(-1)
                assert figure.bbox.contains(box.x0, box.y0), text.get_text()
                assert figure.bbox.contains(box.x1, box.y1), text.get_text()


def test_names_of_bars_and_legends_do_not_cover_one_another(display):
    display.plot().figure_.draw_without_rendering()
    for ax in axes_of(display):
        for texts in (
            [text for text in ax.get_yticklabels() if text.get_text()],
            ax.get_legend().get_texts() if ax.get_legend() else [],
        ):
            boxes = [text.get_window_extent() for text in texts]
            assert not any(
                one.overlaps(two)
                for k, one in enumerate(boxes)
                for two in boxes[k + 1 :]
            )


def test_numbers_can_be_read_without_drawing(display):
    parameters = inspect.signature(type(display)).parameters
    assert set(vars(display)) == set(parameters)
    assert not pyplot.get_fignums()


def test_matplotlib_is_imported_by_plot_alone():
    code = (
        "import sys\n"
        "from skfair_runner.plots import ScoreDistributionDisplay as Display\n"
        "Display.from_predictions([0.1, 0.9], sensitive_features=['a', 'b'])\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=".")
