import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from skfair_runner.baselines._multipliers import (
    Condition,
    as_foldable,
    fold_multipliers,
    inserted,
)
from skfair_runner.modules import TabularNet


def tabular():
    edges = [[0, 1, 2], [0, 1], [-1, 0, 1]]
    return TabularNet(3, hidden_layer_sizes=(4, 5), edges=edges)


def sequential():
    first = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    return nn.Sequential(
        first, nn.Dropout(0.5), nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 2)
    )


NETS = pytest.mark.parametrize("make", [tabular, sequential])


def conditions_of(perceptron):
    """With random multipliers, some of them zero."""
    conditions = []
    for size in perceptron.sizes:
        condition = Condition(torch.zeros(size), torch.full((size,), 2.0))
        with torch.no_grad():
            condition.multipliers.copy_((torch.rand(size) * 3 - 1).clamp(min=0))
        conditions.append(condition)
    return conditions


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@NETS
def test_folded_multipliers_do_what_inserted_ones_do(make):
    net, X = make().eval(), torch.randn(20, 3)
    names = list(net.state_dict())
    plain = net(X)
    perceptron = as_foldable(net, "Test")
    conditions = conditions_of(perceptron)
    with inserted(net, perceptron.relus, conditions):
        expected = net(X)
    assert_allclose(net(X).detach(), plain.detach())

    fold_multipliers(perceptron, [c.multipliers for c in conditions])

    assert_allclose(net(X).detach(), expected.detach(), atol=1e-6)
    assert not torch.allclose(expected, plain)
    assert list(net.state_dict()) == names


@NETS
def test_nothing_but_the_multipliers_can_be_trained(make):
    net = make()
    next(net.parameters()).requires_grad_(False)  # by the user
    perceptron = as_foldable(net, "Test")
    conditions = conditions_of(perceptron)
    with inserted(net, perceptron.relus, conditions):
        trained = [p for p in net.parameters() if p.requires_grad]
    assert [id(p) for p in trained] == [id(c.multipliers) for c in conditions]
    frozen = [not p.requires_grad for p in net.parameters()]
    assert frozen == [True, *[False] * (len(frozen) - 1)]


@NETS
def test_no_condition_survives_an_error(make):
    net = make()
    perceptron = as_foldable(net, "Test")
    failing = inserted(net, perceptron.relus, conditions_of(perceptron))
    with pytest.raises(RuntimeError, match="training failed"), failing:
        raise RuntimeError("training failed")
    assert not any(isinstance(part, Condition) for part in net.modules())
    assert all(p.requires_grad for p in net.parameters())
    assert as_foldable(net, "Test").relus == perceptron.relus


def test_multipliers_begin_at_one_and_are_brought_back_into_their_bounds():
    condition = Condition(torch.tensor([0.0, 1.0, 1.0]), torch.tensor([1.0, 2.0, 2.0]))
    assert condition.multipliers.tolist() == [1.0, 1.0, 1.0]
    with torch.no_grad():
        condition.multipliers.copy_(torch.tensor([-0.5, 0.5, 3.0]))
    condition.project()
    assert condition.multipliers.tolist() == [0.0, 1.0, 2.0]


def test_weights_that_serve_twice_are_refused():
    shared = nn.Linear(3, 3)
    net = nn.Sequential(shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(3, 1))
    with pytest.raises(TypeError, match="Somebody scales .* Linear of the module Sequ"):
        as_foldable(net, "Somebody")
    tied = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU())
    tied[2].weight = tied[0].weight
    with pytest.raises(TypeError, match="Somebody scales .* serves several layers"):
        as_foldable(nn.Sequential(tied, nn.Linear(3, 1)), "Somebody")


def test_what_is_no_perceptron_is_refused():
    with pytest.raises(TypeError, match="Somebody looks .* module Tanh is none"):
        as_foldable(nn.Tanh(), "Somebody")
