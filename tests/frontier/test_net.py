"""The net of all strengths: what is drawn, kept, and left of it."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from skfair_runner import RunnerFairClassifier
from skfair_runner.activations import trace_layers
from skfair_runner.conditional import at_strength, modulate, modulated
from skfair_runner.frontier._net import (
    Front,
    FrontierNet,
    modulated_weight_importance,
)
from skfair_runner.neurons import DiagnosisInputs, weight_importance


class Frontiered(RunnerFairClassifier):
    """Trained by the net of all strengths."""

    _net_class = FrontierNet


def fitted(people, **options):
    options = {"difference_bound": 0.0, "lr": 0.02, **options}
    clf = Frontiered(
        hidden_layer_sizes=(12, 8),
        warmup_epochs=4,
        max_epochs=3,
        random_state=0,
        **options,
    )
    return clf.fit(people[0], people[1], sensitive_features=people[2])


def outputs(module, X):
    with torch.no_grad():
        return module(torch.tensor(np.asarray(X), dtype=torch.float32))


def test_strength_one_is_what_the_net_is_left_with(people):
    clf = fitted(people)
    front = clf.net_.front_
    assert_close(
        outputs(clf.net_.module_, people[0]),
        outputs(at_strength(front.base, front.modulation, 1.0).eval(), people[0]),
    )
    names = [name for name, _ in clf.net_.module_.named_parameters()]
    assert not any("parametrizations" in name for name in names)


def test_strength_zero_is_the_biased_module(people):
    """A plain classifier of the same seed has the same warm-up."""
    clf = fitted(people)
    plain = RunnerFairClassifier(
        hidden_layer_sizes=(12, 8),
        warmup_epochs=4,
        max_epochs=0,
        lr=0.02,
        random_state=0,
    ).fit(people[0], people[1], sensitive_features=people[2])
    assert torch.equal(
        outputs(clf.net_.front_.network_at(0), people[0]),
        outputs(plain.net_.module_.eval(), people[0]),
    )


def test_a_point_predicts_as_the_conditional_module(people):
    front = fitted(people).net_.front_
    base = copy.deepcopy(front.base).eval()
    folded = outputs(front.network_at(0.4), people[0])
    with modulated(base, front.modulation):
        front.modulation.strength = 0.4
        assert_close(outputs(base, people[0]), folded)


def test_half_of_the_steps_are_whole_and_a_fifth_plain():
    torch.manual_seed(0)
    drawn = np.array([FrontierNet._draw_strength(None) for _ in range(20_000)])
    assert (drawn == 1).mean() == pytest.approx(0.5, abs=0.01)
    assert (drawn == 0).mean() == pytest.approx(0.2, abs=0.01)
    between = drawn[(drawn > 0) & (drawn < 1)]
    # The square of a uniform number.
    assert np.quantile(between, [0.25, 0.5, 0.75]) == pytest.approx(
        [1 / 16, 0.25, 9 / 16], abs=0.02
    )


def test_the_controller_learns_from_whole_steps_only(people, monkeypatch):
    seen = []
    observe = FrontierNet.train_step_single

    def watch(self, batch, **kwargs):
        controller = self.controller_
        before = None if controller is None else controller.state_dict()
        step = observe(self, batch, **kwargs)
        if before is not None:
            after = controller.state_dict()
            moved = any(not torch.equal(before[k], after[k]) for k in before)
            seen.append((self.front_.modulation.strength, moved))
        return step

    monkeypatch.setattr(FrontierNet, "train_step_single", watch)
    fitted(people)
    assert {strength == 1 for strength, _ in seen} == {True, False}
    assert all(moved == (strength == 1) for strength, moved in seen)


def test_what_cannot_follow_a_strength_is_refused_before_training(people):
    epochs = []

    class Counting(nn.Sequential):
        def forward(self, x):
            epochs.append(self.training)
            return super().forward(x)

    n = people[0].shape[1]
    module = Counting(nn.Linear(n, 4, bias=False), nn.ReLU(), nn.Linear(4, 1))
    with pytest.raises(ValueError, match="Layer '0', a Linear, has not both"):
        Frontiered(module=module, warmup_epochs=1, difference_bound=0.0).fit(
            people[0], people[1], sensitive_features=people[2]
        )
    assert not any(epochs)


@pytest.mark.parametrize("norm", [False, True])
def test_the_weight_form_while_layers_follow_is_that_of_the_folded_network(norm):
    torch.manual_seed(0)
    between = [nn.BatchNorm1d(5)] if norm else []
    net = nn.Sequential(nn.Linear(3, 5), *between, nn.ReLU(), nn.Linear(5, 1)).eval()
    x = torch.randn(20, 3)
    modulation = modulate(net, x)
    nn.init.normal_(modulation.head.weight, std=0.3)
    for direction in modulation.directions:
        nn.init.normal_(direction)
    layers = trace_layers(net, x)
    folded = at_strength(net, modulation, 0.5)
    gap = folded(x)[:10].mean() - folded(x)[10:].mean()
    expected = weight_importance(gap, folded, layers)
    with modulated(net, modulation):
        modulation.strength = 0.5
        gap = net(x)[:10].mean() - net(x)[10:].mean()
        assert trace_layers(net, x) == layers
        inputs = DiagnosisInputs(gap, {}, layers, net, None)
        found = modulated_weight_importance(modulation)(inputs)
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert_close(found[name], values)


@pytest.mark.parametrize("importance", ["weight", "ablation"])
def test_every_importance_works_inside_the_repair(people, importance):
    clf = fitted(people, importance=importance, diagnose_every=3)
    assert clf.history_["n_selected"].iloc[-1] == 10


def test_the_history_tells_of_the_whole_repair(people):
    history = fitted(people).history_
    repair = history[history["phase"] == "repair"]
    assert repair["train_difference"].notna().any()
    assert len(repair) == 3


# Two epochs without repair leave little to hold on to.
@pytest.mark.filterwarnings("ignore:.*constant:skfair_runner.utils.SkfairRunnerWarning")
def test_early_stopping_watches_the_whole_repair(people):
    clf = fitted(people, early_stopping=True, n_iter_no_change=1)
    assert clf.history_["valid_loss"].notna().all()
    assert clf.net_.front_.network_at(0.5) is not None


def with_batch_norm():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(3, 6),
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.Linear(6, 5),
        nn.BatchNorm1d(5),
        nn.ReLU(),
        nn.Linear(5, 1),
    )
    modulation = modulate(net, torch.randn(4, 3))
    nn.init.normal_(modulation.head.weight, std=0.5)
    return Front(copy.deepcopy(net), net, modulation)


@pytest.mark.parametrize("place", [1, 4])
def test_batch_statistics_are_those_of_each_strength(place):
    front = with_batch_norm()
    batches = [torch.randn(50, 3) for _ in range(3)]
    before = copy.deepcopy(front.base.state_dict())
    front.settle(iter(batches))
    strength = float(np.linspace(0, 1.1, 8)[place] ** 2)
    net = front.network_at(strength)
    inside = [net[3](net[2](net[1](net[0](X)))) for X in batches]
    # The second norm's input, with the first norm as it trains: by each batch.
    folded = at_strength(front.base, front.modulation, strength).train()
    inside = [folded[3](folded[2](folded[1](folded[0](X)))) for X in batches]
    means = torch.stack([h.mean(0) for h in inside]).mean(0)
    variances = torch.stack([h.var(0) for h in inside]).mean(0)
    assert_close(net[4].running_mean, means)
    assert_close(net[4].running_var, variances)
    assert all(torch.equal(before[k], v) for k, v in front.base.state_dict().items())


def test_batch_statistics_between_two_strengths_lie_between_theirs():
    front = with_batch_norm()
    front.settle([torch.randn(50, 3)])
    roots = np.linspace(0, 1.1, 8)
    low, high, middle = (
        front.network_at(float(root**2))[4].running_mean
        for root in (roots[2], roots[3], (roots[2] + roots[3]) / 2)
    )
    assert_close(middle, (low + high) / 2)


def test_without_batch_statistics_no_batch_is_read():
    net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))

    def refuse():
        pytest.fail("a batch was read")
        yield

    front = Front(net, net, modulate(net, torch.zeros(1, 3)))
    front.settle(refuse())
    assert front.statistics == []


def test_the_controller_makes_up_for_the_steps_that_it_does_not_see(people):
    net = fitted(people).net_
    (part,) = net.controller_.parts.values()
    assert part.gain == 2 * net.plan.gain
