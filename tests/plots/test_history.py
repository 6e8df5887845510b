import numpy as np
import pandas as pd
import pytest

from skfair_runner import RunnerFairClassifier
from skfair_runner.plots import NeuronImportanceDisplay, TrainingHistoryDisplay


@pytest.fixture
def history():
    return pd.DataFrame(
        {
            "epoch": [1, 2, 3, 4],
            "phase": ["warm-up", "warm-up", "repair", "repair"],
            "train_loss": [0.7, 0.5, 0.6, 0.5],
            "valid_loss": [0.7, 0.6, 0.6, 0.6],
            "train_difference": [0.1, 0.2, 0.1, 0.05],
            "train_gap": [0.1, 0.2, 0.1, 0.06],
        }
    )


def curves(ax):
    return {line.get_label(): line.get_ydata() for line in ax.lines}


def test_losses_and_differences_are_drawn_epoch_by_epoch(history):
    losses, differences = TrainingHistoryDisplay.from_history(history).plot().axes_
    np.testing.assert_allclose(curves(losses)["training"], [0.7, 0.5, 0.6, 0.5])
    np.testing.assert_allclose(
        curves(losses)["validation, criterion alone"], [0.7, 0.6, 0.6, 0.6]
    )
    np.testing.assert_allclose(
        curves(differences)["training, decisions"], [0.1, 0.2, 0.1, 0.05]
    )


def test_the_bound_is_a_line(history):
    display = TrainingHistoryDisplay.from_history(history, difference_bound=0.05)
    losses, differences = display.plot().axes_
    assert set(curves(differences)["bound 0.05"]) == {0.05}
    assert "bound 0.05" not in curves(losses)


def test_phases_are_named_and_parted(history):
    losses = TrainingHistoryDisplay.from_history(history).plot().axes_[0]
    assert [text.get_text() for text in losses.texts] == ["warm-up", "repair"]
    parting = [line for line in losses.lines if line.get_linestyle() == "-."]
    assert [line.get_xdata()[0] for line in parting] == [2.5]


def test_plain_training_has_a_loss_alone(history):
    history = history[["epoch", "phase", "train_loss"]].assign(phase="warm-up")
    (losses,) = TrainingHistoryDisplay.from_history(history).plot().axes_
    assert losses.get_ylabel() == "loss"
    assert [text.get_text() for text in losses.texts] == ["warm-up"]


def test_a_given_place_is_divided(history, ax):
    display = TrainingHistoryDisplay.from_history(history).plot(ax=ax)
    assert display.figure_ is ax.figure
    assert len(display.axes_) == 2


def test_an_absent_column_is_named(history):
    with pytest.raises(ValueError, match="no column 'phase'"):
        TrainingHistoryDisplay.from_history(history.drop(columns="phase"))


def test_an_empty_history_is_refused(history):
    with pytest.raises(ValueError, match="has 0 epochs"):
        TrainingHistoryDisplay.from_history(history[:0])


def test_what_a_fitted_classifier_tells_can_be_drawn():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    clf = RunnerFairClassifier(
        warmup_epochs=3,
        max_epochs=1,
        hidden_layer_sizes=(8, 8),
        lr=0.05,
        random_state=0,
    )
    clf.set_params(random_state=0)
    clf.fit(X, X[:, 0] > 0, sensitive_features=np.where(X[:, 1] > 0, "a", "b"))
    display = TrainingHistoryDisplay.from_history(clf.history_).plot()
    assert [text.get_text() for text in display.axes_[0].texts] == ["warm-up", "repair"]
    assert len(curves(display.axes_[1])["training, decisions"]) == 4
    neurons = NeuronImportanceDisplay.from_table(clf.neuron_importance_).plot()
    assert neurons.axes_.shape == (2, 2)
