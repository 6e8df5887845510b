import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm
from torch.testing import assert_close

from skfair_runner.activations import (
    evaluation_mode,
    neuron_values,
    record_activations,
    silence_neurons,
    trace_affine_layers,
    trace_layers,
)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def make_mlp():
    return nn.Sequential(
        nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1)
    )


class CalledTwice(nn.Module):
    """One ReLU object behind two Linear layers, another object once."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 5), nn.Linear(5, 4)
        self.third, self.last = nn.Linear(4, 2), nn.Linear(2, 1)
        self.relu, self.other = nn.ReLU(), nn.ReLU()

    def forward(self, x):
        x = self.relu(self.second(self.relu(self.first(x))))
        return self.last(self.other(self.third(x)))


class Convolutional(nn.Module):
    """Convolution, norm and activation of 4 channels, then a head of 6 units."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(16, 6)
        self.gelu = nn.GELU()
        self.out = nn.Linear(6, 3)
        self.softmax = nn.Softmax(1)

    def forward(self, x):
        x = self.pool(self.act(self.norm(self.conv(x))))
        return self.softmax(self.out(self.gelu(self.fc(x.flatten(1)))))


class Failing(nn.Module):
    """Passes its input on, and raises in the backward pass."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            return x.clone()

        @staticmethod
        def backward(context, gradient):
            raise ArithmeticError("no way back")

    def forward(self, x):
        return self.Function.apply(x)


def has_hooks(module):
    return any(m._forward_hooks or m._backward_hooks for m in module.modules())


def describe(layers):
    """Name, feeder, axis and number of neurons of each layer."""
    return [(x.name, x.feeder, x.axis, x.n_neurons) for x in layers]


def test_hidden_activations_are_the_default():
    layers = trace_layers(make_mlp(), torch.zeros(2, 3))
    assert describe(layers) == [("1", "0", -1, 5), ("3", "2", -1, 4)]


@pytest.mark.parametrize("output", [nn.Sigmoid(), nn.Softmax(1), nn.ReLU()])
def test_the_activation_of_the_output_is_no_default(output):
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1), output)
    layers = trace_layers(net, torch.zeros(2, 3))
    assert [layer.name for layer in layers] == ["1"]


def test_a_softmax_and_an_activation_of_the_input_are_no_default():
    net = nn.Sequential(
        nn.Tanh(), nn.Linear(3, 5), nn.Softmax(1), nn.Sigmoid(), nn.Linear(5, 1)
    )
    layers = trace_layers(net, torch.zeros(2, 3))
    assert [layer.name for layer in layers] == ["3"]


def test_a_module_called_twice_gets_two_names():
    layers = trace_layers(CalledTwice(), torch.zeros(2, 3))
    assert describe(layers) == [
        ("relu#1", "first", -1, 5),
        ("relu#2", "second", -1, 4),
        ("other", "third", -1, 2),
    ]


def test_neurons_behind_a_convolution_are_channels():
    layers = trace_layers(Convolutional(), torch.zeros(2, 1, 6, 6))
    assert describe(layers) == [("act", "conv", 1, 4), ("gelu", "fc", -1, 6)]


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_neurons_behind_any_convolution_are_channels(dimension):
    conv = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[dimension](2, 4, 1)
    net = nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(4 * 3**dimension, 1))
    example = torch.zeros(2, 2, *[3] * dimension)
    assert describe(trace_layers(net, example)) == [("1", "0", 1, 4)]


def test_neurons_of_a_sequence_are_the_last_axis():
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))
    assert describe(trace_layers(net, torch.zeros(2, 7, 3))) == [("1", "0", -1, 5)]


def test_a_parametrized_layer_counts_as_the_layer():
    net = nn.Sequential(spectral_norm(nn.Linear(3, 5)), nn.ReLU(), nn.Linear(5, 1))
    layers = trace_layers(net, torch.zeros(2, 3))
    assert describe(layers) == [("1", "0", -1, 5)]
    every = trace_layers(net, torch.zeros(2, 3), layers=["0", "1", "2"])
    assert [layer.name for layer in every] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("other", ["other"]),
        (["other", "first"], ["first", "other"]),
        (["relu"], ["relu#1", "relu#2"]),
        (["relu#2"], ["relu#2"]),
        (["relu#2", "relu"], ["relu#1", "relu#2"]),
    ],
)
def test_layers_are_found_by_path_and_by_call(asked, found):
    layers = trace_layers(CalledTwice(), torch.zeros(2, 3), layers=asked)
    assert [layer.name for layer in layers] == found


@pytest.mark.parametrize("asked", ["relu#3", "hidden", "conv"])
def test_an_unknown_layer_is_named_beside_those_that_are_called(asked):
    known = r"\['first', 'relu#1', 'second', 'relu#2', 'third', 'other', 'last'\]"
    with pytest.raises(ValueError, match=f"'{asked}', which .* it calls {known}"):
        trace_layers(CalledTwice(), torch.zeros(2, 3), layers=["relu", asked])


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(3, 5), nn.Linear(5, 1)

    def forward(self, x):
        return self.out(nn.functional.relu(self.hidden(x)))


def test_a_functional_activation_is_told_how_to_be_recorded():
    advice = r"nn\.ReLU\(\) objects instead of F\.relu.*\['hidden', 'out'\]"
    with pytest.raises(ValueError, match=advice):
        trace_layers(Functional(), torch.zeros(2, 3))
    named = trace_layers(Functional(), torch.zeros(2, 3), layers="hidden")
    assert describe(named) == [("hidden", "hidden", -1, 5)]


class Doubled(nn.Module):
    """A parametrization that multiplies by the output of layers of its own."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))

    def forward(self, parameter):
        return parameter * self.inner(parameter.new_ones(1, 1))[0]


def test_what_is_inside_a_parametrization_is_not_traced():
    net = Convolutional()
    before = trace_layers(net, torch.zeros(2, 1, 6, 6))
    for layer in (net.conv, net.norm, net.fc):
        parametrize.register_parametrization(layer, "weight", Doubled(), unsafe=True)
    assert trace_layers(net, torch.zeros(2, 1, 6, 6)) == before
    with pytest.raises(ValueError, match=r"calls \['conv', 'norm', 'act', 'pool',"):
        trace_layers(net, torch.zeros(2, 1, 6, 6), ["inner"])


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ("auto", ["norm", "fc", "out"]),
        (["act"], ["norm", "out"]),
        (["gelu"], ["fc", "out"]),
        # Recorded before the norm, and a layer that is the last one itself.
        (["conv"], ["conv", "out"]),
        (["out"], ["out"]),
    ],
)
def test_what_scales_neurons_is_the_last_affine_layer_before_them(layers, found):
    net = Convolutional()
    assert trace_affine_layers(net, torch.zeros(2, 1, 6, 6), layers) == found


def test_a_norm_without_weights_scales_nothing():
    net = nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4, affine=False), nn.ReLU(), nn.Linear(4, 1)
    )
    assert trace_affine_layers(net, torch.zeros(2, 3)) == ["0", "3"]


def test_a_layer_called_twice_is_found_once():
    assert trace_affine_layers(CalledTwice(), torch.zeros(2, 3)) == [
        "first",
        "second",
        "third",
        "last",
    ]
    twice = nn.Linear(3, 3)
    net = nn.Sequential(twice, nn.ReLU(), twice, nn.Tanh(), nn.Linear(3, 1))
    assert trace_affine_layers(net, torch.zeros(2, 3)) == ["0", "4"]


def test_an_affine_layer_of_another_width_is_passed_over():
    """A gate between a layer and its neurons, with its own number of columns."""

    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.wide, self.gate = nn.Linear(3, 4), nn.Linear(3, 1)
            self.relu, self.out = nn.ReLU(), nn.Linear(4, 1)

        def forward(self, x):
            wide = self.wide(x)
            return self.out(self.relu(wide * self.gate(x)))

    assert trace_affine_layers(Gated(), torch.zeros(2, 3)) == ["wide", "out"]


def test_affine_layers_of_an_unknown_layer_are_refused_by_name():
    with pytest.raises(ValueError, match="layers names 'hidden', which this module"):
        trace_affine_layers(make_mlp(), torch.zeros(2, 3), ["hidden"])


def test_tracing_changes_no_mode_no_buffer_and_leaves_no_hook():
    net = Convolutional().train()
    net.norm.eval()
    modes = [module.training for module in net.modules()]
    before = {name: value.clone() for name, value in net.state_dict().items()}

    trace_layers(net, torch.randn(2, 1, 6, 6))

    assert [module.training for module in net.modules()] == modes
    assert not has_hooks(net)
    for name, value in net.state_dict().items():
        assert_close(value, before[name])


def test_tracing_that_fails_changes_no_mode_and_leaves_no_hook():
    net = make_mlp().train()
    with pytest.raises(RuntimeError, match="shapes"):
        trace_layers(net, torch.zeros(2, 99))
    assert all(module.training for module in net.modules())
    assert not has_hooks(net)


def test_evaluation_mode_gives_each_submodule_its_own_mode_back():
    net = make_mlp().train()
    net[1].eval()
    with pytest.raises(KeyError), evaluation_mode(net):
        assert not any(module.training for module in net.modules())
        raise KeyError
    assert [m.training for m in net] == [True, False, True, True, True]


def test_recorded_activations_are_those_computed_by_hand():
    net, x = CalledTwice(), torch.randn(6, 3)
    with record_activations(net, trace_layers(net, x)) as activations:
        net(x)

    first = net.first(x).relu()
    second = net.second(first).relu()
    expected = {
        "relu#1": first,
        "relu#2": second,
        "other": net.third(second).relu(),
    }
    assert list(activations) == list(expected)
    for name, value in expected.items():
        assert_close(activations[name], value)


def test_each_forward_pass_of_a_block_is_recorded_anew():
    net = CalledTwice()
    layers = trace_layers(net, torch.zeros(2, 3))
    with record_activations(net, layers) as activations:
        net(torch.randn(6, 3))
        x = torch.randn(4, 3)
        net(x)
    assert_close(activations["relu#1"], net.first(x).relu())
    assert activations["relu#2"].shape == (4, 4)


def test_recording_does_not_change_the_output_or_the_gradient():
    net, x = make_mlp(), torch.randn(6, 3)
    plain = net(x)
    with record_activations(net, trace_layers(net, x)) as activations:
        recorded = net(x)
    assert_close(recorded, plain)
    for parameter in net.parameters():
        expected = torch.autograd.grad(plain.sum(), parameter, retain_graph=True)
        found = torch.autograd.grad(recorded.sum(), parameter, retain_graph=True)
        assert_close(found, expected)
    (slope,) = torch.autograd.grad(recorded.sum(), activations["3"])
    assert_close(slope, net[4].weight.expand(6, 4))


def test_activations_behind_frozen_parameters_carry_gradient_too():
    net, x = make_mlp().requires_grad_(False), torch.randn(6, 3)
    layers = trace_layers(net, x)
    with record_activations(net, layers) as activations:
        y = net(x)
    (slope,) = torch.autograd.grad(y.sum(), activations["3"])
    assert_close(slope, net[4].weight.expand(6, 4))
    with torch.no_grad(), record_activations(net, layers) as activations:
        net(x)
    assert not activations["3"].requires_grad


def test_no_hook_survives_a_block_that_succeeds():
    net, x = make_mlp(), torch.randn(6, 3)
    layers = trace_layers(net, x)
    with record_activations(net, layers):
        net(x)
        assert has_hooks(net)
    assert not has_hooks(net)
    with silence_neurons(net, layers, {"1": torch.tensor([0])}):
        net(x)
        assert has_hooks(net)
    assert not has_hooks(net)


def test_no_hook_survives_a_failing_forward():
    net = make_mlp()
    layers = trace_layers(net, torch.zeros(2, 3))
    with pytest.raises(RuntimeError, match="shapes"), record_activations(net, layers):
        net(torch.zeros(2, 99))
    assert not has_hooks(net)
    silent = {"1": torch.tensor([99])}
    with pytest.raises(IndexError), silence_neurons(net, layers, silent):
        net(torch.zeros(2, 3))
    assert not has_hooks(net)


def test_no_hook_survives_a_failing_backward():
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), Failing(), nn.Linear(5, 1))
    x = torch.randn(6, 3)
    layers = trace_layers(net, x)
    with (
        pytest.raises(ArithmeticError, match="no way back"),
        record_activations(net, layers),
    ):
        net(x).sum().backward()
    assert not has_hooks(net)


def test_no_hook_survives_a_layer_that_is_gone():
    net, x = CalledTwice(), torch.zeros(2, 3)
    layers = trace_layers(net, x)
    del net.other
    with pytest.raises(AttributeError, match="other"), record_activations(net, layers):
        pass
    assert not has_hooks(net)


def test_an_activation_overwritten_in_place_is_named():
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(inplace=True), nn.Linear(5, 1))
    x = torch.randn(6, 3)
    with (
        pytest.raises(RuntimeError, match="layer '0' was overwritten in place"),
        record_activations(net, trace_layers(net, x, layers=["0"])),
    ):
        net(x)
    with record_activations(net, trace_layers(net, x)) as activations:
        net(x)
    assert_close(
        activations["1"],
        nn.functional.relu(nn.functional.linear(x, net[0].weight, net[0].bias)),
    )


def test_silencing_equals_zeroing_by_hand():
    net, x = CalledTwice(), torch.randn(6, 3)
    layers = trace_layers(net, x)
    silent = {"relu#2": torch.tensor([1, 3]), "other": torch.tensor([0])}
    with silence_neurons(net, layers, silent):
        found = net(x)

    second = net.second(net.first(x).relu()).relu() * torch.tensor([1, 0, 1, 0])
    third = net.third(second).relu() * torch.tensor([0, 1])
    assert_close(found, net.last(third))


def test_silencing_a_channel_zeroes_all_of_its_positions():
    net, x = Convolutional().eval(), torch.randn(5, 1, 6, 6)
    layers = trace_layers(net, x)
    with (
        silence_neurons(net, layers, {"act": torch.tensor([2])}),
        record_activations(net, trace_layers(net, x, layers=["pool"])) as activations,
    ):
        net(x)
    assert not activations["pool"][:, 2].any()
    assert all(activations["pool"][:, c].any() for c in (0, 1, 3))


def test_values_of_channels_are_means_over_positions():
    maps = torch.randn(5, 4, 3, 2, requires_grad=True)
    values = neuron_values(maps, axis=1)
    assert_close(values, maps.mean((2, 3)))
    (gradient,) = torch.autograd.grad(values.sum(), maps)
    assert_close(gradient, torch.full_like(maps, 1 / 6))


def test_values_of_a_sequence_are_means_over_its_steps():
    steps = torch.randn(5, 7, 4)
    assert_close(neuron_values(steps, axis=-1), steps.mean(1))


def test_values_of_units_are_their_activations():
    units = torch.randn(5, 4)
    assert neuron_values(units, axis=-1) is units


def test_dropout_in_place_does_not_overwrite_what_was_recorded():
    net = nn.Sequential(
        nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5, inplace=True), nn.Linear(4, 1)
    )
    X = torch.rand(8, 3, generator=torch.Generator().manual_seed(0))
    with record_activations(net, trace_layers(net, X)) as activations:
        net(X).sum().backward()
    assert_close(activations["1"], net[:2](X))
    assert net[2].inplace
