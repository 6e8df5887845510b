from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from skfair_runner.baselines._paths import (
    activation_paths,
    as_perceptron,
    rare_paths,
    recorded_values,
    selective_dropout,
)
from skfair_runner.modules import MLP, TabularNet

# By hand: h1 = (1, 2, 3), h2 = (1+2+3, 4-3) = (6, 1), logit = 6 - 2 - 1 = 3.
FIRST = torch.tensor([[1.0, 2.0, 3.0]])
SECOND = torch.tensor([[6.0, 1.0]])
WEIGHTS = [
    torch.tensor([[1.0, 1.0, 1.0], [0.0, 2.0, -1.0]]),
    torch.tensor([[1.0, -2.0]]),
]


def neurons(paths):
    """Positions on the path of the only sample, by layer."""
    return [path[0].nonzero().flatten().tolist() for path in paths]


@pytest.mark.parametrize(
    ("bias", "gamma", "expected"),
    [
        # Of the logit 3, neuron 0 gives 6; of its 6, neuron 2 gives the half.
        (-1.0, 0.5, [[2], [0]]),
        (-1.0, 0.8, [[1, 2], [0]]),
        (-1.0, 1.0, [[0, 1, 2], [0]]),
        # The logit is -1, for the other label: neuron 1 speaks for it with 2; of its
        # 1 = 4 - 3, neuron 1 gives 4.
        (-5.0, 0.5, [[1], [1]]),
        # The bias alone carries the logit 8; all that speaks for it falls short of it.
        (4.0, 1.0, [[0, 1, 2], [0]]),
    ],
)
def test_paths_are_those_worked_out_by_hand(bias, gamma, expected):
    biases = [torch.zeros(2), torch.tensor([bias])]
    assert neurons(activation_paths([FIRST, SECOND], WEIGHTS, biases, gamma)) == (
        expected
    )


def path_by_loops(hidden, weights, biases, gamma):
    """The definition, neuron by neuron, for one sample."""
    logit = float(weights[-1][0] @ hidden[-1] + biases[-1][0])
    sign = 1.0 if logit >= 0 else -1.0
    wanted, found = [0], []
    for level in range(len(hidden) - 1, -1, -1):
        on_path = set()
        for neuron in wanted:
            contributions = weights[level][neuron] * hidden[level]
            value = contributions.sum() + biases[level][neuron]
            if level == len(hidden) - 1:
                contributions, value = sign * contributions, sign * value
            reached = 0.0
            for m in np.argsort(-contributions):
                if reached >= gamma * value or contributions[m] <= 0:
                    break
                on_path.add(int(m))
                reached += contributions[m]
        wanted = sorted(on_path)
        found.insert(0, wanted)
    return found


@pytest.mark.parametrize("gamma", [0.3, 0.7, 1.0])
@pytest.mark.parametrize("sizes", [(4,), (7, 5), (6, 8, 5)])
def test_paths_are_those_of_the_slow_definition(sizes, gamma):
    torch.manual_seed(0)
    net = MLP(3, hidden_layer_sizes=sizes).double()
    perceptron = as_perceptron(net, "test")
    with torch.no_grad(), recorded_values(perceptron.relus) as hidden:
        net(torch.randn(40, 3, dtype=torch.double))
    weights = [linear.weight.detach() for linear in perceptron.linears]
    biases = [linear.bias.detach() for linear in perceptron.linears]

    paths = activation_paths(hidden, weights, biases, gamma)

    arrays = [[w.numpy() for w in weights], [b.numpy() for b in biases]]
    for i in range(40):
        expected = path_by_loops([h[i].numpy() for h in hidden], *arrays, gamma)
        assert [p[i].nonzero().flatten().tolist() for p in paths] == expected


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_scale_of_the_values_does_not_matter(scale):
    torch.manual_seed(1)
    hidden = [torch.rand(30, 6), torch.rand(30, 4)]
    weights, biases = [torch.randn(4, 6), torch.randn(1, 4)], [torch.zeros(4)] * 2
    biases[1] = torch.zeros(1)
    one = activation_paths(hidden, weights, biases, 0.6)
    other = activation_paths([h * scale for h in hidden], weights, biases, 0.6)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@given(
    codes=st.lists(st.integers(0, 6), min_size=1, max_size=60),
    theta=st.sampled_from([0.0001, 0.1, 0.5, 1.0]),
)
@settings(deadline=None)
def test_rare_paths_are_those_that_are_counted(codes, theta):
    paths = np.array([[code, 255 - code] for code in codes], dtype=np.uint8)
    counts = Counter(codes)
    limit = max(theta * max(counts.values()), 1)

    rare, n_paths = rare_paths(paths, theta)

    assert rare.tolist() == [counts[code] <= limit for code in codes]
    assert n_paths == len(counts)


def test_a_path_of_one_sample_is_rare_whatever_theta():
    rare, _ = rare_paths(np.array([[1], [1], [2]], dtype=np.uint8), 1e-4)
    assert rare.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("module", "sizes"),
    [
        (TabularNet(2, hidden_layer_sizes=(5, 4), edges=[[0, 1], [0, 1]]), [5, 4]),
        (MLP(2, hidden_layer_sizes=(3,)), [3]),
        (
            nn.Sequential(
                nn.BatchNorm1d(2),
                nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Dropout(0.1)),
                nn.Linear(6, 2),
                nn.Softmax(1),
            ),
            [6],
        ),
    ],
)
def test_the_hidden_layers_of_a_perceptron_are_found(module, sizes):
    perceptron = as_perceptron(module, "test")
    assert perceptron.sizes == sizes
    assert [linear.in_features for linear in perceptron.linears] == sizes
    assert all(type(relu) is nn.ReLU for relu in perceptron.relus)


class OwnForward(nn.Sequential):
    def forward(self, x):
        return super().forward(x) + x


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Linear(2, 1), r"module Linear is none: it has no hidden layer"),
        (TabularNet(2, hidden_layer_sizes=()), r"TabularNet is none: it has no hidden"),
        (nn.Sequential(nn.Conv1d(1, 2, 1), nn.ReLU()), r"among \['Conv1d', 'ReLU'\]"),
        (
            nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)),
            r"Linear\(in_features=2, .*\) is followed by \[Tanh\(\)\]",
        ),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), r"is followed by \[\]"),
        (
            nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), nn.ReLU()),
            r"Linear\(in_features=3, .*\) is followed by \[ReLU\(\)\]",
        ),
        (
            OwnForward(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)),
            r"module OwnForward is none: .* \['OwnForward'\]",
        ),
    ],
)
def test_what_is_no_perceptron_is_refused(module, message):
    with pytest.raises(TypeError, match=rf"^Somebody looks into.*{message}"):
        as_perceptron(module, "Somebody")


def test_a_relu_that_serves_two_layers_is_refused():
    relu = nn.ReLU()
    layers = [nn.Linear(2, 2), relu, nn.Linear(2, 2), relu, nn.Linear(2, 1)]
    with pytest.raises(TypeError, match="the same ReLU object serves several layers"):
        as_perceptron(nn.Sequential(*layers), "test")


def test_only_detected_neurons_are_dropped():
    torch.manual_seed(0)
    relu, x = nn.ReLU(), torch.rand(2000, 3) + 0.5
    detected = torch.zeros(2000, 3, dtype=torch.bool)
    detected[:1000, 1] = True

    with selective_dropout([relu], [detected], rate=0.25):
        y = relu(x)

    assert torch.equal(y[~detected], x[~detected])
    factors = (y / x)[detected]
    assert_allclose(sorted(set(factors.round(decimals=4).tolist())), [0, 4 / 3], 1e-3)
    assert_allclose(factors.mean(), 1, atol=0.05)  # as much on average
    assert_array_equal(relu(x), x)


def test_no_hook_survives_a_failing_forward():
    net = nn.Sequential(nn.ReLU(), nn.Linear(3, 2))
    detected = torch.zeros(1, 5, dtype=torch.bool)
    with pytest.raises(RuntimeError), recorded_values([net[0]]):
        net(torch.ones(1, 5))
    with pytest.raises(RuntimeError), selective_dropout([net[0]], [detected], 0.5):
        net(torch.ones(1, 5))
    assert not net[0]._forward_hooks
