import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner import RunnerFairClassifier, RunnerFrontier
from skfair_runner.plots import (
    DiscriminationDisplay,
    NeuronHistoryDisplay,
    NeuronImportanceDisplay,
    TrainingHistoryDisplay,
)


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


def test_bounds_are_told_with_three_digits_at_most(history):
    display = TrainingHistoryDisplay.from_history(history, difference_bound=0.189049)
    assert "bound 0.189" in curves(display.plot().axes_[1])


@pytest.fixture
def several(history):
    names = ("demographic_parity", "equalized_odds", "true_positive_rate_parity")
    for number, name in enumerate(names):
        for part in ("train", "valid"):
            values = history["train_difference"] * (1 + number / 10)
            history[f"{part}_difference_{name}"] = values
    history["multipliers"] = [np.nan, np.nan, [0.25, -0.5], [0.5, -0.75]]
    history = history.drop(columns=["train_difference", "train_gap"])
    bounds = dict.fromkeys(names, 0.123456)
    return TrainingHistoryDisplay.from_history(history, difference_bound=bounds)


def test_the_bounds_of_several_constraints_are_told_with_three_digits(several):
    labels = list(curves(several.plot().axes_[1]))
    assert "bound 0.123 on equalized odds" in labels


def test_legends_stand_beside_the_curves(several):
    display = several.plot(multipliers=True)
    display.figure_.draw_without_rendering()
    for panel in display.axes_:
        legend = panel.get_legend().get_window_extent()
        assert legend.x0 >= panel.bbox.x1
        assert legend.x1 <= display.figure_.bbox.x1
        assert panel.bbox.width > 0.4 * display.figure_.bbox.width
    boxes = [panel.get_legend().get_window_extent() for panel in display.axes_]
    assert boxes[0].y0 > boxes[1].y1 and boxes[1].y0 > boxes[2].y1


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


def test_plain_training_through_both_phases_has_no_penalties(history):
    (losses,) = (
        TrainingHistoryDisplay.from_history(history[["epoch", "phase", "train_loss"]])
        .plot()
        .axes_
    )
    assert losses.get_ylabel() == "loss"


def test_one_epoch_is_named_by_its_number(history):
    display = TrainingHistoryDisplay.from_history(history[:1]).plot()
    display.figure_.draw_without_rendering()
    low, high = display.axes_[0].get_xlim()
    ticks = [tick for tick in display.axes_[-1].get_xticks() if low <= tick <= high]
    assert ticks == [1]


def test_multipliers_get_a_panel_where_they_are_asked_for(history):
    history["multipliers"] = [np.nan, np.nan, [0.25, -0.5], [0.5, -0.75]]
    display = TrainingHistoryDisplay.from_history(history)
    assert len(display.plot().axes_) == 2
    panel = display.plot(multipliers=True).axes_[2]
    nothing = [np.nan, np.nan]
    np.testing.assert_allclose(curves(panel)["multiplier 1"], [*nothing, 0.25, 0.5])
    np.testing.assert_allclose(curves(panel)["multiplier 2"], [*nothing, -0.5, -0.75])


def test_many_multipliers_share_one_line_of_the_legend(history):
    history["multipliers"] = [[0.1] * 9] * 4
    display = TrainingHistoryDisplay.from_history(history).plot(multipliers=True)
    (text,) = display.axes_[2].get_legend().get_texts()
    assert text.get_text() == "9 multipliers"


def test_absent_multipliers_are_told(history):
    display = TrainingHistoryDisplay.from_history(history)
    with pytest.raises(ValueError, match="none of the 4 epochs has multipliers"):
        display.plot(multipliers=True)


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


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    clf = RunnerFairClassifier(
        warmup_epochs=6,
        max_epochs=2,
        hidden_layer_sizes=(8, 6),
        batch_size=30,
        lr=0.02,
        random_state=0,
    )
    return make_pipeline(StandardScaler(), clf).fit(
        X,
        X[:, 0] > 0,
        runnerfairclassifier__sensitive_features=np.where(X[:, 1] > 0, "a", "b"),
    )


def test_the_training_of_a_fitted_classifier_is_drawn(fitted):
    display = TrainingHistoryDisplay.from_estimator(fitted).plot(multipliers=True)
    assert [text.get_text() for text in display.axes_[0].texts] == ["warm-up", "repair"]
    assert len(curves(display.axes_[1])["training, decisions"]) == 8
    assert "bound 0.05" in curves(display.axes_[1])
    assert np.isfinite(curves(display.axes_[2])["multiplier"]).sum() == 2


def test_plain_training_aims_at_no_bound():
    X = np.random.default_rng(0).normal(size=(60, 2))
    clf = RunnerFairClassifier(None, warmup_epochs=1, max_epochs=1, random_state=0)
    display = TrainingHistoryDisplay.from_estimator(clf.fit(X, X[:, 0] > 0))
    assert display.difference_bound is None
    assert len(display.history) == 2


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    groups = np.where(X[:, 1] > 0, "a", "b")
    return X, X[:, 0] + X[:, 1] + rng.normal(size=300) > 0, groups


@pytest.fixture(scope="module")
def front(people):
    X, y, groups = people
    clf = RunnerFairClassifier(
        warmup_epochs=2, max_epochs=2, hidden_layer_sizes=(8,), batch_size=60
    )
    front = RunnerFrontier(clf, n_points=3, n_bootstrap=20, random_state=0)
    return front.fit(X, y, sensitive_features=groups)


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0, 1.2])
def test_the_training_of_a_front_aimed_at_no_point(front, weight):
    clf = front.at(weight=weight)
    display = TrainingHistoryDisplay.from_estimator(clf).plot()
    assert clf.history_["of_front"].all()
    assert display.difference_bound is None
    labels = curves(display.axes_[1])
    assert not any(label.startswith("bound") for label in labels)


def test_the_bound_of_a_refined_point_is_drawn_over_the_epochs_of_that(front, people):
    X, y, groups = people
    clf = front.refine(X, y, sensitive_features=groups, weight=0.5, max_epochs=3)
    display = TrainingHistoryDisplay.from_estimator(clf).plot()
    bound = f"bound {clf.difference_bound:.3g}"
    (line,) = [line for line in display.axes_[1].lines if line.get_label() == bound]
    assert line.get_xdata().tolist() == [4.5, 7.5]


def test_a_bound_that_is_asked_for_is_drawn_even_for_a_front(front):
    history = front.classifier_.history_
    display = TrainingHistoryDisplay.from_history(history, difference_bound=0.1)
    assert set(curves(display.plot().axes_[1])["bound 0.1"]) == {0.1}


@pytest.mark.parametrize(
    "display",
    [
        TrainingHistoryDisplay,
        NeuronImportanceDisplay,
        DiscriminationDisplay,
        NeuronHistoryDisplay,
    ],
)
def test_of_a_front_the_selected_point_is_drawn(front, display):
    drawn = display.from_estimator(front)
    point = display.from_estimator(front.classifier_)
    for name, value in vars(point).items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(getattr(drawn, name), value)
    assert drawn.plot().figure_ is not None


def test_the_neurons_of_a_fitted_classifier_are_drawn(fitted):
    table = fitted[-1].neuron_importance_
    importance = NeuronImportanceDisplay.from_estimator(fitted).plot()
    assert importance.axes_.shape == (2, 2)
    pd.testing.assert_frame_equal(importance.table, table)
    discrimination = DiscriminationDisplay.from_estimator(fitted).plot()
    assert discrimination.summary["n"].sum() == 14
    history = NeuronHistoryDisplay.from_estimator(fitted).plot()
    assert {k: v.shape for k, v in history.selected.items()} == {
        "relu1": (8, 2),
        "relu2": (6, 2),
    }
    last = fitted[-1].history_["selected"].iloc[-1]["relu1"]
    cells = history.selected["relu1"].iloc[:, -1]
    assert cells.index[cells].tolist() == sorted(last)


@pytest.mark.parametrize(
    "display",
    [
        TrainingHistoryDisplay,
        NeuronImportanceDisplay,
        DiscriminationDisplay,
        NeuronHistoryDisplay,
    ],
)
def test_a_classifier_without_history_or_neurons_is_named(display):
    with pytest.raises(ValueError, match=rf"{display.__name__}.* LogisticRegression"):
        display.from_estimator(LogisticRegression())
