"""RUNNER stated independently in a few lines, and the values of its authors' code."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from skfair_runner import RunnerFairClassifier, paper_settings
from skfair_runner.activations import record_activations, trace_layers
from skfair_runner.cells import Cells
from skfair_runner.diagnosis import Subject
from skfair_runner.distances import resolve_distance
from skfair_runner.gaps import resolve_constraint
from skfair_runner.net import RunnerNet
from skfair_runner.neurons import weight_importance
from skfair_runner.penalty import RepairPenalty
from skfair_runner.relaxations import Outcome, positive_scores
from skfair_runner.tasks import RepairPlan, Task

N_FEATURES = 12


def official_values():
    """What the authors' code computes, from the folder beside the data home."""
    home = os.environ.get("SKFAIR_RUNNER_DATA", "")
    path = Path(home).parent / "reference" / "official_runner_values.npz"
    if not home or not path.exists():
        pytest.skip(f"the authors' values are not at {path}")
    return np.load(path)


def official_net():
    random = np.random.RandomState(0)
    net = nn.Sequential(
        nn.Linear(N_FEATURES, 200),
        nn.ReLU(),
        nn.Linear(200, 200),
        nn.ReLU(),
        nn.Linear(200, 1),
        nn.Sigmoid(),
    )
    with torch.no_grad():
        for parameter in net.parameters():
            values = random.normal(0, 0.1, tuple(parameter.shape)).astype("float32")
            parameter.copy_(torch.from_numpy(values))
    return net


def official_data(constraint):
    """X, y and groups of the fixed batch."""
    random = np.random.RandomState(1)
    cells = {
        (g, y): random.normal(shift, 1, (500, N_FEATURES)).astype("float32")
        for (g, y), shift in zip(
            [(0, 0), (0, 1), (1, 0), (1, 1)], [-0.3, 0.2, 0.0, 0.5], strict=True
        )
    }
    n = 250 if constraint == "demographic_parity" else 500
    X = np.concatenate([rows[:n] for rows in cells.values()])
    y = np.repeat([y for _, y in cells], n)
    groups = np.repeat([g for g, _ in cells], n)
    return X, y, groups


def gap_by_hand(constraint, scores, y, groups):
    """GapDP and GapEO as the paper writes them."""
    if constraint == "demographic_parity":
        return (scores[groups == 0].mean() - scores[groups == 1].mean()).abs()
    return sum(
        (
            scores[(groups == 0) & (y == label)].mean()
            - scores[(groups == 1) & (y == label)].mean()
        ).abs()
        for label in (0, 1)
    )


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_weight_importance_equals_the_authors(constraint):
    values = official_values()
    net = official_net()
    X, y, groups = map(torch.from_numpy, official_data(constraint))
    cells = Cells(y, groups, 2, 2)
    layers = trace_layers(net, X)

    gap = resolve_constraint(constraint).gap(net(X), cells)
    found = weight_importance(gap, net, layers)

    prefix = "dp" if constraint == "demographic_parity" else "eo"
    for name, key in zip(found, ("fc1", "fc2"), strict=True):
        assert_allclose(
            found[name], values[f"{prefix}_importance_{key}"], rtol=2e-3, atol=1e-9
        )


def penalty_of(net, X, y, groups, *, constraint, top_k, output_weight):
    """Our penalty on one batch, with the authors' settings."""
    layers = trace_layers(net, X)
    subject = Subject(
        net,
        layers,
        lambda output: output,
        resolve_constraint(constraint),
        resolve_distance("l1"),
        2,
        2,
    )
    penalty = RepairPenalty(subject, 1.0, top_k, "weight", 1, output_weight)
    with record_activations(net, layers) as activations:
        scores = net(X)
    value = penalty(
        X, Outcome(scores.logit(), Cells(y, groups, 2, 2)), activations, 0, 0.0
    )
    return value, scores, penalty


@pytest.mark.parametrize(
    ("constraint", "top_k", "output_weight", "expected"),
    [
        ("demographic_parity", 0.5, 0.0, 0.085232),
        ("equalized_odds", 0.05, 1.0, 0.248214),
    ],
)
def test_penalty_equals_the_authors(constraint, top_k, output_weight, expected):
    """0.085232 and 0.248214 are what the authors' code prints for this input."""
    X, y, groups = map(torch.from_numpy, official_data(constraint))
    value, scores, _ = penalty_of(
        official_net(),
        X,
        y,
        groups,
        constraint=constraint,
        top_k=top_k,
        output_weight=output_weight,
    )
    assert_allclose(value.item(), expected, rtol=2e-5)
    if constraint == "equalized_odds":
        gap = gap_by_hand(constraint, scores[:, 0], y, groups)
        assert_allclose(gap.item(), 0.018013, atol=1e-6)
        entropy = nn.functional.binary_cross_entropy(scores[:, 0], y.float())
        assert_allclose(entropy.item(), 0.683854, atol=1e-6)


def train_like_the_authors(n_steps):
    """Adam steps on the fixed demographic parity batch, through RunnerNet."""
    X, y, groups = official_data("demographic_parity")
    settings = paper_settings("demographic_parity", "adult")
    plan = RepairPlan(
        constraint=resolve_constraint(settings["constraint"]),
        distance=resolve_distance(settings["distance"]),
        importance=settings["importance"],
        alpha=1.0,
        top_k=settings["top_k"],
        diagnose_every=settings["diagnose_every"],
        output_weight=settings["output_weight"],
        difference_bound=settings["difference_bound"],
        gain=0.0,
        memory=0.0,
        sharpness=(1.0, 1.0),
    )
    net = RunnerNet(
        official_net(),
        task=Task(2, 2, output="probabilities"),
        plan=plan,
        optimizer=torch.optim.Adam,
        lr=settings["lr"],
        lr_schedule=settings["lr_schedule"],
        batch_size=len(X),
        max_epochs=n_steps,
        verbose=0,
    )
    source = {"X": X, "groups": groups, "weights": None}
    net.fit_phases(net.dataset(source, y))
    return net


@pytest.mark.parametrize("n_steps", [1, 10])
def test_training_steps_equal_the_authors(n_steps):
    values = official_values()
    net = train_like_the_authors(n_steps)

    fc1, _, fc2, _, fc3, _ = net.module_
    ours = {
        "fc1.weight": fc1.weight,
        "fc1.bias": fc1.bias,
        "fc2.weight": fc2.weight[:10],
        "fc2.bias": fc2.bias,
        "fc3.weight": fc3.weight,
        "fc3.bias": fc3.bias,
    }
    for name, parameter in ours.items():
        expected = values[f"dp_step{n_steps}_{name}"]
        assert_allclose(parameter.detach(), expected, atol=2e-5)
    X, _, _ = official_data("equalized_odds")
    scores = 1 / (1 + np.exp(-net.decision_values(X)[:, 0]))
    assert_allclose(scores, values[f"dp_step{n_steps}_scores"], atol=2e-5)


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_penalty_and_gradient_equal_the_formula_by_hand(constraint):
    """Steps 1 and 2 of the paper, spelled out on a small random net."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1)).double()
    X = torch.randn(80, 4, dtype=torch.double)
    y, groups = torch.arange(80) % 2, (torch.arange(80) // 2) % 2
    layers = trace_layers(net, X)
    subject = Subject(
        net,
        layers,
        positive_scores,
        resolve_constraint(constraint),
        resolve_distance("l1"),
        2,
        2,
    )
    penalty = RepairPenalty(subject, 0.7, 3, "weight", 1, output_weight=0.4)
    with record_activations(net, layers) as activations:
        logits = net(X)
    outcome = Outcome(logits, Cells(y, groups, 2, 2))
    ours = penalty(X, outcome, activations, 0, 0.0)
    gradient = torch.autograd.grad(ours, net[0].weight, retain_graph=True)[0]

    hidden = net[1](net[0](X))
    scores = net[2](hidden).sigmoid()[:, 0]
    gap = gap_by_hand(constraint, scores, y, groups)
    slope = torch.autograd.grad(gap, net[0].weight, retain_graph=True)[0]
    importance = ((net[0].weight * slope) ** 2).sum(1)
    top = importance.argsort(descending=True)[:3]
    delta = sum(gap_by_hand(constraint, hidden[:, m], y, groups) for m in top) / 3
    by_hand = 0.7 * delta + 0.4 * gap

    assert sorted(penalty.selected["1"].tolist()) == sorted(top.tolist())
    assert_allclose(ours.item(), by_hand.item(), rtol=1e-6)
    expected = torch.autograd.grad(by_hand, net[0].weight)[0]
    assert_allclose(gradient, expected, atol=1e-7)


def test_paper_settings_train_through_the_classifier():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)).astype("float32")
    groups = rng.integers(0, 2, 300)
    y = (X[:, 0] + groups > 0.5).astype(int)
    settings = paper_settings("equalized_odds", "adult")
    settings |= {"max_epochs": 1, "iterator_train__steps_per_epoch": 3}
    clf = RunnerFairClassifier(**settings, random_state=0)
    clf.fit(X, y, sensitive_features=groups)
    history = clf.history_
    assert history["phase"].tolist() == ["repair"]
    assert history["train_batch_count"].tolist() == [3]
    assert history["n_selected"].tolist() == [20]


@pytest.mark.parametrize(
    ("constraint", "dataset", "named"),
    [
        ("true_positive_rate_parity", "adult", "true_positive_rate_parity"),
        ("equalized_odds", "bank", "bank"),
    ],
)
def test_paper_settings_refuse_what_the_paper_has_not(constraint, dataset, named):
    with pytest.raises(ValueError, match=named):
        paper_settings(constraint, dataset)
