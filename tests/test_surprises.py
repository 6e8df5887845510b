"""Warnings about what was just trained: who, which constraint, what was reached."""

import warnings

import numpy as np
import pytest
from torch import nn

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import GapRegularisationClassifier
from skfair_runner.multipliers import MULTIPLIER_LIMIT
from skfair_runner.utils import BoundNotMetWarning, ConstantClassifierWarning

# A bound that no training of this length reaches on these rows.
PAIR = {"demographic_parity": 0.0, "true_positive_rate_parity": 0.3}


def people(n=240):
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 2, n)
    X = rng.normal(size=(n, 3))
    X[:, 0] = 2 * groups - 1
    y = (2 * X[:, 0] + X[:, 1] + 0.5 * rng.normal(size=n) > 0).astype(int)
    return X, y, groups


def make(constraint="demographic_parity", **parameters):
    quick = {
        "warmup_epochs": 20,
        "max_epochs": 1,
        "batch_size": 64,
        "lr": 0.02,
        "hidden_layer_sizes": (8,),
        "random_state": 0,
    }
    return RunnerFairClassifier(constraint, **{**quick, **parameters})


def fit(clf):
    X, y, groups = people()
    return clf.fit(X, y, sensitive_features=groups)


def push_to_the_limit(monkeypatch):
    """Let every multiplier end at its limit, wherever the rates are."""
    name = "skfair_runner.multipliers.RateController.at_limit"
    monkeypatch.setattr(name, property(lambda self: True))


def difference(clf, within=(0, 1)):
    X, y, groups = people()
    decided, kept = clf.predict(X), np.isin(y, within)
    return abs(np.diff([decided[kept & (groups == g)].mean() for g in (0, 1)])[0])


def test_a_bound_that_is_not_met_at_the_limit_is_told(monkeypatch):
    push_to_the_limit(monkeypatch)
    with pytest.warns(BoundNotMetWarning) as told:
        clf = fit(make(difference_bound=0.05))
    (message,) = [str(w.message) for w in told]
    reached = f"reached {difference(clf):.3f} on the training data"
    assert message.startswith(
        "RunnerFairClassifier does not meet demographic_parity (bound 0.05, "
        f"{reached}, its multiplier at the limit). The limit is {MULTIPLIER_LIMIT}, "
    )
    assert message.endswith("raise the bound, or give it other features.")
    assert told[0].filename == __file__


def test_a_bound_that_is_met_is_not_told(monkeypatch):
    push_to_the_limit(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(make(difference_bound=1.0))


def test_one_bound_that_is_far_missed_is_told_while_patience_would_help():
    with pytest.warns(BoundNotMetWarning) as told:
        clf = fit(make(difference_bound=0.0))
    (message,) = [str(w.message) for w in told]
    assert message == (
        "RunnerFairClassifier does not meet demographic_parity (bound 0, reached "
        f"{difference(clf):.3f} on the training data). Its multiplier can still grow: "
        "train longer, or raise the bound."
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(make(difference_bound=difference(clf) - 0.04))


def test_of_several_constraints_the_one_that_is_missed_is_named():
    with pytest.warns(BoundNotMetWarning) as told:
        clf = fit(make({**PAIR, "true_positive_rate_parity": 1.0}))
    (message,) = [str(w.message) for w in told]
    assert f"demographic_parity (bound 0, reached {difference(clf):.3f} on" in message
    assert "true_positive_rate_parity (bound" not in message
    assert "demographic_parity and true_positive_rate_parity pull apart" in message
    assert message.endswith("leave one out, or train longer.")


def test_three_constraints_are_listed_as_in_a_sentence():
    rates = dict.fromkeys(
        ["true_positive_rate_parity", "false_positive_rate_parity"], 1
    )
    with pytest.warns(
        BoundNotMetWarning,
        match="demographic_parity, true_positive_rate_parity and false_positive_rate_p",
    ):
        fit(make({**PAIR, **rates}))


def test_of_several_at_the_limit_patience_is_not_advised(monkeypatch):
    push_to_the_limit(monkeypatch)
    with pytest.warns(BoundNotMetWarning) as told:
        clf = fit(make({**PAIR, "true_positive_rate_parity": 0.0}))
    (message,) = [str(w.message) for w in told]
    rate = difference(clf, within=(1,))
    assert f"true_positive_rate_parity (bound 0, reached {rate:.3f} on" in message
    assert message.count("its multiplier at the limit") == 2
    assert message.endswith("raise a bound in constraint, leave one out.")


class Negative(nn.Module):
    """Selects nobody, whatever it learns."""

    def __init__(self, n_features):
        super().__init__()
        self.hidden, self.relu = nn.Linear(n_features, 2), nn.ReLU()
        self.last = nn.Linear(2, 1)

    def forward(self, X):
        return self.last(self.relu(self.hidden(X))).clamp(max=0) - 1


@pytest.mark.parametrize(
    ("parameters", "remedy"),
    [
        ({}, "Raise difference_bound, or lower alpha, or train longer."),
        ({"constraint": PAIR}, "Raise a bound in constraint, or lower alpha, or train"),
        (
            {"difference_bound": None, "output_weight": 0.5, "alpha": 0.0},
            "reason. Lower output_weight, or train longer.",
        ),
    ],
)
def test_a_constant_classifier_is_told_what_steers_it(parameters, remedy):
    with pytest.warns(ConstantClassifierWarning) as told:
        fit(make(**{"constraint": "demographic_parity", **parameters}, module=Negative))
    (message,) = [str(w.message) for w in told]
    assert message.startswith(
        "RunnerFairClassifier has become constant: it selects 0.0"
    )
    assert remedy in message
    assert told[0].filename == __file__


def test_a_method_that_trains_the_net_names_itself_and_its_own_parameters():
    clf = GapRegularisationClassifier(make(None, module=Negative), weight=0.1)
    with pytest.warns(ConstantClassifierWarning) as told:
        fit(clf)
    (message,) = [str(w.message) for w in told]
    assert message.startswith("GapRegularisationClassifier has become constant")
    assert message.endswith("Lower weight, or train longer.")
    assert told[0].filename == __file__
