from collections import Counter

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import FairNeuronClassifier, _fair_neuron_net
from skfair_runner.baselines._fair_neuron_net import unpacked
from skfair_runner.baselines._paths import activation_paths
from skfair_runner.net import RunnerNet


def trained(module, X, y, **parameters):
    """Net after training, and X as it reads it."""
    net = RunnerFairClassifier(None, module=module, warmup_epochs=2, max_epochs=2)
    clf = FairNeuronClassifier(net, random_state=0, **parameters)
    return clf.fit(X, y).estimator_.net_


@pytest.fixture
def numbers(people):
    X, y, _ = people
    return X.to_numpy(dtype=np.float32), y.to_numpy()


def perceptron(n_outputs=1):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 5),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(5, 7, bias=False),
        nn.ReLU(),
        nn.Linear(7, n_outputs),
    )


def sliced(net, X):
    """Paths of all rows by the public parts, (n_samples, n_neurons)."""
    module = net.module_
    with torch.no_grad():
        first = torch.relu(module[0](torch.from_numpy(X)))
        second = torch.relu(module[3](first))
    out = module[5]
    weight, bias = out.weight.detach(), out.bias.detach()
    if len(weight) == 2:
        weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
    paths = activation_paths(
        [first, second],
        [module[3].weight.detach(), weight],
        [torch.zeros(7), bias],
        net.gamma,
    )
    return torch.cat(paths, 1).numpy()


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_paths_of_a_data_set_are_those_of_its_rows(n_outputs, numbers, monkeypatch):
    monkeypatch.setattr(_fair_neuron_net, "_SLICING_BATCH", 70)
    X, y = numbers
    net = trained(perceptron(n_outputs), X, y, gamma=0.7)
    source = {"X": X, "groups": np.zeros(300, dtype=np.int64), "weights": None}
    packed = net.slice_paths(net.get_dataset(source, np.zeros(300, dtype=np.int64)))
    assert_array_equal(np.unpackbits(packed, axis=1, count=12), sliced(net, X))


def test_only_conflict_samples_come_with_neurons_to_drop(numbers, monkeypatch):
    X, y = numbers
    seen = []

    def train_phase(self, phase, train, valid, epochs, **settings):
        seen.append((phase, train))
        return self

    # Nothing is trained, so that the paths can be sliced again.
    monkeypatch.setattr(RunnerNet, "train_phase", train_phase)
    net = trained(perceptron(), X, y, gamma=0.7, theta=0.1)
    (_, warm), (_, second) = seen

    assert "detected" not in warm.X
    expected = sliced(net, X)
    keys = [row.tobytes() for row in expected]
    counts = Counter(keys)
    limit = 0.1 * max(counts.values())
    rare = np.array([counts[key] <= limit for key in keys])
    assert limit > 1 and 0 < rare.sum() < 300
    detected = np.unpackbits(second.X["detected"], axis=1, count=12)
    assert_array_equal(detected, expected * rare[:, None])
    assert (net.n_paths_, net.n_conflicts_) == (len(counts), rare.sum())


def test_a_step_drops_what_its_rows_bring(numbers, monkeypatch):
    X, y = numbers
    drops = []
    original = _fair_neuron_net.selective_dropout

    def watched(relus, detected, rate):
        drops.append(torch.cat(list(detected), 1))
        assert rate == 0.25
        return original(relus, detected, rate)

    monkeypatch.setattr(_fair_neuron_net, "selective_dropout", watched)
    net = trained(perceptron(), X, y, theta=1.0, dropout=0.25)
    n_batches = sum(net.history[:, "train_batch_count"][2:])
    assert len(drops) == n_batches  # in the second phase alone
    assert sum(len(d) for d in drops) == 2 * 300
    assert net.n_conflicts_ == 300  # with theta=1 no path is common
    assert all(d.shape[1] == 12 for d in drops)


def test_bits_are_unpacked_as_by_numpy():
    packed = np.random.default_rng(0).integers(0, 256, (20, 3), dtype=np.uint8)
    bits = unpacked(torch.from_numpy(packed), 21)
    assert_array_equal(bits, np.unpackbits(packed, axis=1, count=21))


class Convolving(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 2, 3)
        self.relu = nn.ReLU()
        self.linear = nn.LazyLinear(1)

    def forward(self, x):
        return self.linear(self.relu(self.conv(x[:, None])).flatten(1))


def test_a_module_that_is_no_perceptron_is_refused_before_training(numbers):
    X, y = numbers
    module = Convolving()
    module(torch.from_numpy(X[:2]))
    with pytest.raises(
        TypeError, match=r"FairNeuronClassifier\.fit looks .* module Convolving is none"
    ):
        trained(module, X, y)
