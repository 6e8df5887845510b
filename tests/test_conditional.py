"""A modulated network against plain formulas, and against what it was before."""

import copy
import math
import pickle

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.testing import assert_close

from skfair_runner.conditional import Modulation, at_strength, modulate, modulated
from skfair_runner.modules import TabularNet


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def mlp():
    return nn.Sequential(
        nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1)
    )


def normalised():
    return nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 1))


def layer_normalised():
    return nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(5), nn.GELU(), nn.Linear(5, 2))


class Convolutional(nn.Module):
    """Without a bias before the norm, as in a ResNet."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, bias=False)
        self.norm, self.act = nn.BatchNorm2d(4), nn.ReLU()
        self.deep, self.deep_act = nn.Conv2d(4, 6, 2), nn.ReLU()
        self.head = nn.Linear(6, 1)

    def forward(self, x):
        x = self.deep_act(self.deep(self.act(self.norm(self.conv(x)))))
        return self.head(x.mean((2, 3)))


class CalledTwice(nn.Module):
    """One Linear layer with two calls."""

    def __init__(self):
        super().__init__()
        self.shared, self.relu, self.out = nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1)

    def forward(self, x):
        return self.out(self.relu(self.shared(self.relu(self.shared(x)))))


def tabular():
    edges = torch.linspace(-2, 2, 5).repeat(3, 1)
    return TabularNet(3, 2, hidden_layer_sizes=(6, 5), dropout=0.2, edges=edges)


NETS = {
    "tabular": (tabular, (7, 3), ["linear1", "linear2", "output"]),
    "mlp": (mlp, (7, 3), ["0", "2", "4"]),
    "batch norm": (normalised, (7, 3), ["1", "3"]),
    "layer norm": (layer_normalised, (7, 3), ["1", "3"]),
    "convolutions": (Convolutional, (7, 1, 6, 6), ["norm", "deep", "head"]),
    "called twice": (CalledTwice, (7, 3), ["shared", "out"]),
}
every_net = pytest.mark.parametrize("name", NETS)


def trained(name):
    """A net, its modulation with random weights, and inputs."""
    make, shape, paths = NETS[name]
    net, x = make(), torch.randn(shape)
    modulation = modulate(net, x)
    assert modulation.paths == paths
    nn.init.normal_(modulation.head.weight, std=0.2)
    nn.init.normal_(modulation.head.bias, std=0.2)
    for direction in modulation.directions:
        nn.init.normal_(direction, std=0.2)
    return net, modulation, x


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0, 1.2])
@every_net
def test_the_folded_network_is_the_modulated_one(name, strength):
    net, modulation, x = trained(name)
    net.eval()
    folded = at_strength(net, modulation, strength)
    with modulated(net, modulation):
        modulation.strength = strength
        expected = net(x)
    assert_close(folded(x), expected)
    assert not torch.allclose(folded(x), net(x))


def test_weights_are_those_of_the_formula():
    net, modulation, x = trained("mlp")
    modulation.strength = 0.3
    position = torch.tensor([2 * math.sqrt(0.3) - 1])
    hidden = torch.tanh(3 * modulation.trunk(position))
    values = []
    h = x
    sizes = [len(net[index].bias) for index in (0, 2, 4)]
    told = modulation.head.weight @ hidden + modulation.head.bias
    gammas, betas = (part.split(sizes) for part in told.chunk(2))
    layers = zip((0, 2, 4), gammas, betas, modulation.directions, strict=True)
    for index, gamma, beta, direction in layers:
        weight = net[index].weight + 0.3 * direction
        # The neurons' activations are scaled, which is to say their weights.
        h = (1 + gamma) * (h @ weight.T + net[index].bias) + beta
        h = {0: torch.relu, 2: torch.tanh, 4: nn.Identity()}[index](h)
        values.append(h)
    with modulated(net, modulation):
        assert_close(net(x), values[-1])


@every_net
def test_an_untrained_modulation_changes_nothing(name):
    make, shape, _ = NETS[name]
    net, x = make().eval(), torch.randn(shape)
    modulation, expected = modulate(net, x), net(x)
    with modulated(net, modulation):
        for strength in (0.0, 0.5, 1.0):
            modulation.strength = strength
            assert torch.equal(net(x), expected)
    assert torch.equal(at_strength(net, modulation, 0.7)(x), expected)


@every_net
def test_gradients_reach_the_network_and_the_modulation(name):
    net, modulation, x = trained(name)
    with modulated(net, modulation):
        modulation.strength = 0.5
        net(x).square().sum().backward()
        known = {id(p) for p in net.parameters()}
    assert known >= {id(p) for p in modulation.parameters()}
    for path in modulation.paths:
        assert net.get_submodule(path).weight.grad.abs().sum() > 0
    for parameter in modulation.parameters():
        assert parameter.grad.abs().sum() > 0


def test_the_gradient_of_the_base_is_that_of_the_formula():
    layer = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    modulation = modulate(layer, torch.zeros(1, 2))
    # Of the scales and shifts, those of the first layer.
    with torch.no_grad():
        modulation.head.bias[[0, 1, 2, 4, 5, 6]] = 0.5
    weight = layer[0].weight.detach().clone().requires_grad_()
    x = torch.rand(4, 2)
    hidden = torch.relu(1.5 * (x @ weight.T + layer[0].bias) + 0.5)
    (hidden @ layer[2].weight.T).sum().backward()
    with modulated(layer, modulation):
        layer(x).sum().backward()
    assert_close(layer[0].weight.grad, weight.grad)


def test_scales_and_shifts_are_computed_once_per_pass_and_then_forgotten(monkeypatch):
    net, modulation, x = trained("mlp")
    asked = []
    forward = Modulation.forward
    monkeypatch.setattr(
        Modulation, "forward", lambda self: asked.append(1) or forward(self)
    )
    own = net[0].weight
    with modulated(net, modulation):
        for strength in (0.1, 0.9):
            modulation.strength = strength
            net(x).sum().backward()
        assert len(asked) == 2
        assert net[0].weight is own
        with pytest.raises(RuntimeError, match="shapes"):
            net(x[:, :2])
        assert net[0].weight is own and "bias" not in vars(net[0])
    assert not net._forward_hooks and not net._forward_pre_hooks


def test_parameters_keep_their_names_while_they_follow():
    """So that an optimizer decays weights alone, as it does without a modulation."""
    net, modulation, _ = trained("mlp")
    before = {name: id(p) for name, p in net.named_parameters()}
    with modulated(net, modulation):
        inside = {name: id(p) for name, p in net.named_parameters()}
    assert before.items() < inside.items()
    assert set(inside.values()) - set(before.values()) == {
        id(p) for p in modulation.parameters()
    }


def names_and_objects(net):
    return (
        [name for name, _ in net.named_modules()],
        [(name, id(p), p.requires_grad) for name, p in net.named_parameters()],
        [name for name, _ in net.named_buffers()],
        [type(m) for m in net.modules()],
        list(net.state_dict()),
    )


@pytest.mark.parametrize("fails", [False, True])
@every_net
def test_the_network_is_plain_again_after_the_block(name, fails):
    net, modulation, x = trained(name)
    net.get_submodule(modulation.paths[0]).bias.requires_grad_(False)
    before, values = names_and_objects(net), copy.deepcopy(net.state_dict())
    try:
        with modulated(net, modulation):
            modulation.strength = 0.4
            assert names_and_objects(net) != before
            if fails:
                net(x.new_zeros(2, 1))
    except (RuntimeError, ValueError, TypeError):
        assert fails
    assert names_and_objects(net) == before
    assert all(torch.equal(values[k], v) for k, v in net.state_dict().items())


def test_a_block_that_cannot_begin_leaves_the_network_plain():
    net = mlp()
    before = names_and_objects(net)
    modulation = Modulation({"0": (5, 3), "nowhere": (4, 5)})
    with pytest.raises(AttributeError, match="nowhere"), modulated(net, modulation):
        pytest.fail("the block began")
    assert names_and_objects(net) == before


def test_folding_changes_neither_the_network_nor_the_modulation():
    net, modulation, _ = trained("batch norm")
    modulation.strength = 0.6
    before = copy.deepcopy((net.state_dict(), modulation.state_dict()))
    folded = at_strength(net, modulation, 0.2)
    for old, new in zip(before, (net, modulation), strict=True):
        assert all(torch.equal(old[k], v) for k, v in new.state_dict().items())
    assert modulation.strength == 0.6
    assert names_and_objects(folded)[0] == names_and_objects(net)[0]
    assert list(folded.state_dict()) == list(net.state_dict())


@pytest.mark.parametrize("kind", ["mlp", "batch norm", "convolutions"])
def test_a_folded_network_may_be_written_over(kind):
    net, modulation, x = trained(kind)
    net.eval()
    first = at_strength(net, modulation, 0.9)
    again = at_strength(net, modulation, 0.2, into=first)
    assert again is first
    assert_close(again(x), at_strength(net, modulation, 0.2)(x))


def test_the_strength_comes_back_where_folding_fails():
    net, modulation, _ = trained("mlp")
    modulation.strength = 0.6
    with pytest.raises(AttributeError, match="attribute `2`"):
        at_strength(nn.Sequential(nn.ReLU()), modulation, 0.1)
    assert modulation.strength == 0.6


def test_network_and_modulation_are_pickled():
    net, modulation, x = trained("convolutions")
    net.eval()
    again, same = pickle.loads(pickle.dumps((net, modulation)))
    with modulated(net, modulation):
        modulation.strength = 0.5
    folded = pickle.loads(pickle.dumps(at_strength(net, modulation, 0.5)))
    assert_close(at_strength(again, same, 0.5)(x), folded(x))


def test_a_layer_that_the_repair_names_is_modulated():
    net = mlp()
    assert modulate(net, torch.zeros(1, 3), ["3"]).paths == ["2", "4"]
    assert modulate(net, torch.zeros(1, 3), ["0"]).paths == ["0", "4"]


@pytest.mark.parametrize("path", ["0", "2"])
def test_a_layer_without_bias_is_named(path):
    net = nn.Sequential(
        nn.Linear(3, 5, bias=path != "0"), nn.ReLU(), nn.Linear(5, 1, bias=path != "2")
    )
    with pytest.raises(ValueError, match=f"Layer '{path}', a Linear, has not both"):
        modulate(net, torch.zeros(1, 3))


def test_a_parametrized_layer_is_named():
    net = nn.Sequential(
        nn.Linear(3, 5),
        nn.ReLU(),
        spectral_norm(nn.Linear(5, 4)),
        nn.ReLU(),
        nn.Linear(4, 1),
    )
    with pytest.raises(ValueError, match="Layer '2' is parametrized"):
        modulate(net, torch.zeros(1, 3))
    assert modulate(net, torch.zeros(1, 3), ["1"]).paths == ["0", "4"]


def test_layers_that_share_a_weight_are_named():
    net = nn.Sequential(
        nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1)
    )
    net[2].weight = net[0].weight
    with pytest.raises(ValueError, match="Layer '0' shares its weight or its bias"):
        modulate(net, torch.zeros(1, 3))


def test_a_norm_over_several_axes_is_scaled_along_the_first():
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.LayerNorm([4, 4, 4]),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64, 1),
    )
    x = torch.randn(2, 1, 6, 6)
    modulation = modulate(net, x)
    assert modulation.paths == ["1", "4"]
    gamma, beta = torch.randn(2, 4)
    with torch.no_grad():
        modulation.head.bias[:4], modulation.head.bias[5:9] = gamma, beta
    x = torch.randn(2, 1, 6, 6)
    inside = net[1](net[0](x)) * (1 + gamma).view(-1, 1, 1) + beta.view(-1, 1, 1)
    assert_close(at_strength(net, modulation, 0.0)(x), net[4](inside.relu().flatten(1)))


def test_frozen_layers_stay_as_they_are():
    net = mlp()
    net[0].weight.requires_grad_(False)
    assert modulate(net, torch.zeros(2, 3)).paths == ["2", "4"]
    net.requires_grad_(False)
    with pytest.raises(ValueError, match=r"\['0', '2', '4'\], are frozen: call"):
        modulate(net, torch.zeros(2, 3))
