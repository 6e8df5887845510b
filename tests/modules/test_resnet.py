"""ResNet-18: sizes, names, and what is held responsible in it."""

import pytest
import torch
from torch.nn import functional as F

from skfair_runner.activations import trace_layers
from skfair_runner.modules import ResNet18
from skfair_runner.neurons import feeding_weights

_BATCH_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def published():
    """Names and shapes in torchvision's file of weights."""

    def norm(name, size):
        shapes = [(size,)] * 4 + [()]
        return {f"{name}.{k}": s for k, s in zip(_BATCH_NORM, shapes, strict=True)}

    names = {"conv1.weight": (64, 3, 7, 7), **norm("bn1", 64)}
    size_in = 64
    for stage in range(1, 5):
        size = 32 * 2**stage
        for block in range(2):
            at = f"layer{stage}.{block}"
            names |= {f"{at}.conv1.weight": (size, size_in, 3, 3)}
            names |= norm(f"{at}.bn1", size)
            names |= {f"{at}.conv2.weight": (size, size, 3, 3)}
            names |= norm(f"{at}.bn2", size)
            if stage > 1 and block == 0:
                names |= {f"{at}.downsample.0.weight": (size, size_in, 1, 1)}
                names |= norm(f"{at}.downsample.1", size)
            size_in = size
    return names | {"fc.weight": (1000, 512), "fc.bias": (1000,)}


@pytest.fixture(scope="module")
def published_size():
    with torch.device("meta"):
        return ResNet18(n_outputs=1000)


def test_published_number_of_parameters(published_size):
    assert sum(p.numel() for p in published_size.parameters()) == 11_689_512


def test_published_names_and_shapes(published_size):
    found = {k: tuple(v.shape) for k, v in published_size.state_dict().items()}
    assert found == published()
    assert list(found) == list(published())


def test_agrees_with_the_formula_written_out():
    """The same network as functions of its published state."""
    torch.manual_seed(0)
    net = ResNet18(3, 5, width=4).eval()
    state = net.state_dict()
    for name, value in state.items():
        if "bn" in name or "downsample.1" in name:
            value.copy_(torch.rand(value.shape) + 0.5)
    x = torch.randn(2, 3, 33, 33)

    def conv(x, name, stride=1):
        weight = state[f"{name}.weight"]
        return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    def norm(x, name):
        w, b, mean, var = (state[f"{name}.{k}"] for k in _BATCH_NORM[:4])
        return F.batch_norm(x, mean, var, w, b)

    h = F.max_pool2d(norm(conv(x, "conv1", 2), "bn1").relu(), 3, 2, 1)
    for stage in range(1, 5):
        for block in range(2):
            at, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            out = norm(conv(h, f"{at}.conv1", stride), f"{at}.bn1").relu()
            out = norm(conv(out, f"{at}.conv2"), f"{at}.bn2")
            if stride == 2:
                h = norm(conv(h, f"{at}.downsample.0", 2), f"{at}.downsample.1")
            h = (out + h).relu()
    expected = h.mean((2, 3)) @ state["fc.weight"].T + state["fc.bias"]
    torch.testing.assert_close(net(x), expected)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("side", [1, 8, 33])
def test_every_size_of_image_is_taken(side, small):
    net = ResNet18(2, 3, small_images=small, width=2).eval()
    assert net(torch.zeros(4, 2, side, side)).shape == (4, 3)


def test_the_stem_for_small_images_keeps_their_size():
    shapes = {}
    for small in (True, False):
        net = ResNet18(small_images=small, width=2)
        net.layer1.register_forward_hook(
            lambda m, i, out, small=small: shapes.update({small: out.shape[2:]})
        )
        net(torch.zeros(2, 3, 32, 32))
    assert shapes == {True: (32, 32), False: (8, 8)}


def test_each_activation_is_recorded_once_and_paired_with_its_convolution():
    net = ResNet18(width=2)
    layers = trace_layers(net, torch.zeros(2, 3, 32, 32))
    expected = {"relu": "conv1"}
    for stage in range(1, 5):
        for block in range(2):
            at = f"layer{stage}.{block}"
            expected |= {f"{at}.relu1": f"{at}.conv1", f"{at}.relu2": f"{at}.conv2"}
    assert {layer.name: layer.feeder for layer in layers} == expected
    assert all(layer.axis == 1 and layer.n_calls == 1 for layer in layers)
    assert len(feeding_weights(net, layers)) == 17


@pytest.mark.parametrize("name", ["n_channels", "n_outputs", "width"])
def test_sizes_out_of_range_are_refused(name):
    with pytest.raises(ValueError, match=f"`{name}` is an integer .* got 0"):
        ResNet18(**{name: 0})
