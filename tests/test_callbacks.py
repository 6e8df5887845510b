"""What skorch's callbacks see and do while a classifier is trained."""

import signal

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, LRScheduler
from torch.optim.lr_scheduler import StepLR

from skfair_runner import RunnerFairClassifier
from skfair_runner._guards import is_raised_by_code

pytestmark = pytest.mark.filterwarnings(
    # A few epochs on few rows: enough to see what is asked here.
    "ignore::skfair_runner.utils.SkfairRunnerWarning"
)


def make_people(n_labels=2):
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 2, 240)
    X = rng.normal(size=(240, 4))
    X[:, 0] += groups
    borders = np.linspace(-0.5, 1, n_labels - 1)
    y = np.searchsorted(borders, X[:, 0] + X[:, 1])
    return X, y, groups


def fit(n_labels=2, **parameters):
    X, y, groups = make_people(n_labels)
    settings = {"warmup_epochs": 2, "max_epochs": 3, "batch_size": 40, "lr": 0.02}
    settings |= {"hidden_layer_sizes": (8,), "random_state": 0}
    clf = RunnerFairClassifier(**settings | parameters)
    return clf.fit(X, y, sensitive_features=groups)


@pytest.fixture
def ctrl_c():
    """Python's own answer to SIGINT, which processes in the background do not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class _Ends(Callback):
    """Raises skorch's way to end a training when it is told `moment`."""

    def __init__(self, moment):
        self.moment = moment

    def on_train_begin(self, net, **kwargs):
        self._end("begin")

    def on_train_end(self, net, **kwargs):
        self._end("end")

    def _end(self, moment):
        if moment == self.moment:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("moment", "epochs"), [("begin", 0), ("end", 5)])
def test_a_callback_may_end_a_phase_at_either_end_of_it(moment, epochs):
    clf = fit(callbacks=[("ends", _Ends(moment))])
    assert len(clf.history_) == epochs


def test_a_callback_cannot_watch_rows_that_there_are_none_of():
    message = "'EarlyStopping', .* watches 'valid_loss', .* pass early_stopping=True"
    with pytest.raises(ValueError, match=message):
        fit(callbacks=[EarlyStopping()])
    assert len(fit(callbacks=[EarlyStopping(monitor="train_loss")]).history_)
    assert len(fit(callbacks=[EarlyStopping()], early_stopping=True).history_)


class _CtrlC(Callback):
    """Presses Ctrl-C once, in the given epoch, when it is told `moment`."""

    def __init__(self, moment, epoch):
        self.moment, self.epoch = moment, epoch

    def _press(self, net, moment):
        if moment == self.moment and len(net.history) == self.epoch:
            self.epoch = None
            signal.raise_signal(signal.SIGINT)

    def on_batch_end(self, net, **kwargs):
        self._press(net, "batch")

    def on_epoch_end(self, net, **kwargs):
        self._press(net, "epoch")


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(
    ("moment", "epoch", "kept"),
    [("batch", 2, 1), ("epoch", 2, 2), ("batch", 4, 3), ("epoch", 4, 4)],
)
def test_ctrl_c_within_a_callback_ends_everything(moment, epoch, kept):
    """Not one phase only, as the same exception does when a callback raises it."""
    X, y, groups = make_people()
    clf = RunnerFairClassifier(
        warmup_epochs=2,
        max_epochs=3,
        hidden_layer_sizes=(8,),
        random_state=0,
        callbacks=[_CtrlC(moment, epoch)],
    )
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y, sensitive_features=groups)
    assert clf.history_["epoch"].tolist() == list(range(1, kept + 1))
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.mark.usefixtures("ctrl_c")
def test_what_raises_an_interrupt_is_told_apart():
    with pytest.raises(KeyboardInterrupt) as raised:
        raise KeyboardInterrupt
    assert is_raised_by_code(raised.value)
    with pytest.raises(KeyboardInterrupt) as pressed:
        signal.raise_signal(signal.SIGINT)
    assert not is_raised_by_code(pressed.value)
    assert not is_raised_by_code(KeyboardInterrupt())


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("scoring", ["accuracy", "balanced_accuracy", "neg_log_loss"])
def test_scores_of_sklearn_are_recorded(n_labels, scoring):
    valid = EpochScoring(scoring, lower_is_better=False, name="valid_score")
    train = EpochScoring(scoring, lower_is_better=False, on_train=True, name="train")
    callbacks = [("valid", valid), ("train", train)]
    clf = fit(n_labels, callbacks=callbacks, early_stopping=True)
    scores = clf.history_[["valid_score", "train"]]
    assert np.isfinite(scores).all(axis=None)
    if scoring == "neg_log_loss":
        np.testing.assert_allclose(
            -scores["valid_score"], clf.history_["valid_loss"], rtol=1e-5
        )


def test_the_recorded_accuracy_is_that_of_the_decisions():
    """With steps of no length, training leaves the decisions as they are."""
    score = EpochScoring("accuracy", on_train=True)
    clf = fit(callbacks=[score], lr=1e-12)
    X, y, _ = make_people()
    accuracy = (clf.predict(X) == y).mean()
    np.testing.assert_allclose(clf.history_["accuracy"], accuracy)


def test_scores_without_labels_are_refused():
    with pytest.raises(
        ValueError,
        match="The callback 'EpochScoring' has use_caching=False, with which skorch "
        "passes its scorer no labels of these data: leave it at True",
    ):
        fit(callbacks=[EpochScoring("accuracy", use_caching=False)])


class _Rates(Callback):
    """Notes the learning rate of every epoch."""

    def on_epoch_begin(self, net, **kwargs):
        net.history.record("rate", net.optimizer_.param_groups[0]["lr"])


def test_a_scheduler_of_torch_works_in_both_phases():
    """At the start of the second, skorch has it step on from the epochs before."""
    schedule = LRScheduler(StepLR, step_size=1, gamma=0.5)
    clf = fit(
        callbacks=[("rates", _Rates()), ("schedule", schedule)],
        lr_schedule="constant",
        optimizer=torch.optim.SGD,
    )
    expected = [0.02, 0.01, 0.01, 0.005, 0.0025]
    np.testing.assert_allclose(clf.history_["rate"], expected)


def test_a_log_has_a_header_for_each_phase_and_no_lists(capsys):
    clf = fit(verbose=2)
    lines = capsys.readouterr().out.splitlines()
    headers = [line.split() for line in lines if "train_loss" in line]
    assert len(headers) == 2
    assert all("phase" in header and "selected" not in header for header in headers)
    assert "train_difference" in headers[1]
    assert {"selected", "multipliers"} <= set(clf.history_)
    rows = [line for line in lines if "warm-up" in line or "repair" in line]
    assert len(rows) == 5
    assert max(map(len, lines)) < 160
