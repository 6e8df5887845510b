import itertools
import math

import numpy as np
import pytest
import torch
from fairlearn import metrics as fairlearn_metrics
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import f1_score
from torch import nn

from skfair_runner.activations import silence_neurons, trace_layers
from skfair_runner.baselines._annealing import DroppingNetwork, GroupRates, anneal
from skfair_runner.baselines._paths import as_perceptron, logit_maps
from skfair_runner.gaps import resolve_constraint


def perceptron(sizes=(4, 5, 3), n_outputs=1, seed=0):
    torch.manual_seed(seed)
    parts = []
    for below, above in itertools.pairwise((6, *sizes)):
        parts += [nn.Linear(below, above), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(sizes[-1], n_outputs))


def dropping(net, X):
    weights, biases = logit_maps(as_perceptron(net, "Test"))
    return DroppingNetwork(net[:2](X).detach(), weights, biases)


def silenced_logits(net, X, kept):
    """By forward hooks on the module itself."""
    layers = trace_layers(net, X)
    silent = {
        layer.name: (~mask).nonzero()[:, 0]
        for layer, mask in zip(layers, kept, strict=True)
    }
    with torch.no_grad(), silence_neurons(net, layers, silent):
        output = net(X)
    return output[:, -1] - (output[:, 0] if output.shape[1] == 2 else 0)


@pytest.fixture
def X():
    return torch.randn(40, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("sizes", [(7,), (4, 5), (4, 5, 3)])
def test_logits_are_those_of_the_module_with_silent_neurons(sizes, n_outputs, X):
    net = perceptron(sizes, n_outputs)
    network = dropping(net, X)
    rng = np.random.default_rng(0)
    for _ in range(30):
        layer = rng.integers(len(sizes))
        neuron = rng.integers(sizes[layer])
        before, proposed = network.logits.clone(), network.flipped(layer, neuron)
        assert_array_equal(network.logits, before)
        network.flip(layer, neuron)
        assert_allclose(network.logits, proposed, atol=1e-6)
        expected = silenced_logits(net, X, network.kept)
        assert_allclose(network.logits, expected, atol=1e-6)


def test_all_neurons_come_back(X):
    network = dropping(perceptron(), X)
    whole = network.logits.clone()
    for neuron in (0, 2, 3, 0):
        network.flip(0, neuron)
    network.keep([torch.ones(size, dtype=torch.bool) for size in (4, 5, 3)])
    assert_array_equal(network.logits, whole)


DIFFERENCES = {
    "demographic_parity": fairlearn_metrics.demographic_parity_difference,
    "equalized_odds": fairlearn_metrics.equalized_odds_difference,
    "true_positive_rate_parity": fairlearn_metrics.equal_opportunity_difference,
}


@pytest.mark.parametrize("n_groups", [2, 3])
@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("constraint", DIFFERENCES)
def test_rates_are_fairlearns_and_f1_is_scikit_learns(constraint, positive, n_groups):
    rng = np.random.default_rng(0)
    y, decided = rng.integers(0, 2, (2, 200))
    groups = rng.integers(0, n_groups, 200)
    rates = GroupRates(y, groups, resolve_constraint(constraint), positive)

    difference, f1 = rates(decided.astype(bool))

    favoured, favourable = (decided == positive) * 1, (y == positive) * 1
    expected = DIFFERENCES[constraint](favourable, favoured, sensitive_features=groups)
    assert_allclose(difference, expected)
    assert_allclose(f1, f1_score(favourable, favoured))


def test_f1_of_nothing_is_zero():
    rates = GroupRates(
        np.zeros(4, int), np.arange(4) % 2, resolve_constraint("demographic_parity"), 1
    )
    assert rates(np.zeros(4, bool)) == (0.0, 0.0)


def a_case(seed):
    """A net of nine neurons, 60 people, and how their decisions are measured."""
    rng = np.random.default_rng(seed)
    X = torch.from_numpy(rng.normal(size=(60, 6)).astype(np.float32))
    net = perceptron((5, 4), seed=seed)
    network = dropping(net, X)
    network.biases[-1] = network.biases[-1] - network.logits.median()
    network.keep(network.kept)
    y = ((network.logits + torch.randn(60) * 0.1).numpy() > 0).astype(int)
    groups = (X[:, 0].numpy() > 0).astype(int)
    measure = GroupRates(y, groups, resolve_constraint("equalized_odds"), 1)
    return network, measure


def every_state(network, measure):
    """Difference and F1 of all subsets of neurons."""
    sizes = [len(mask) for mask in network.kept]
    for bits in itertools.product([True, False], repeat=sum(sizes)):
        network.keep(torch.tensor(bits).split(sizes))
        yield measure((network.logits > 0).numpy())


SEARCH = {"n_proposals": 3000, "max_seconds": None, "f1_share": 0.9, "penalty": 1.0}


def annealed(case, seed=0, **parameters):
    network, measure = case
    rng = np.random.default_rng(seed)
    return anneal(network, measure, rng=rng, **{**SEARCH, **parameters})


@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_by_enumeration_is_found(seed):
    before, *others = every_state(*a_case(seed))
    states = [before, *(s for s in others if s[1] >= 0.9 * before[1])]
    optimum = min(states, key=lambda state: (state[0], -state[1]))
    assert optimum[0] < before[0]  # there is something to be found

    found = annealed(a_case(seed))

    assert_allclose(found.before, before)
    assert_allclose(found.after, optimum)
    assert found.n_proposals == 3000


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_the_best_state_keeps_f1(penalty):
    """Also where the search may pass through worse states for nothing."""
    network, measure = a_case(0)
    found = annealed((network, measure), f1_share=0.95, penalty=penalty)
    assert found.after[1] >= 0.95 * found.before[1]
    assert found.after[0] <= found.before[0]
    # The network is left in the state that was measured.
    assert_array_equal(torch.cat(network.kept), torch.cat(found.kept))
    assert measure((network.logits > 0).numpy()) == found.after


def test_the_same_seed_finds_the_same():
    one, two = (torch.cat(annealed(a_case(1), n_proposals=50).kept) for _ in range(2))
    assert_array_equal(one, two)


def test_without_proposals_all_neurons_are_kept():
    found = annealed(a_case(0), n_proposals=0)
    assert torch.cat(found.kept).all()
    assert found.before == found.after and found.n_proposals == 0


def test_the_search_ends_in_time():
    found = annealed(a_case(0), n_proposals=10**9, max_seconds=0.1)
    assert 0 < found.n_proposals < 10**6


def test_a_network_that_drops_nothing_better_is_left_alone():
    """Every decision is the same whatever is dropped."""
    network, measure = a_case(0)
    network.biases[-1] = network.biases[-1] + 1e6
    network.keep(network.kept)
    found = annealed((network, measure), n_proposals=100)
    assert found.after == found.before
    assert math.isfinite(found.after[0]) and torch.cat(found.kept).all()
