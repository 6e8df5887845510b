"""AlexNet: sizes, names, and the shapes it takes."""

import pytest
import torch
from torch import nn

from skfair_runner.activations import trace_layers
from skfair_runner.modules import AlexNet

# Names and shapes in torchvision's file of weights.
PUBLISHED = {
    "features.0": (64, 3, 11, 11),
    "features.3": (192, 64, 5, 5),
    "features.6": (384, 192, 3, 3),
    "features.8": (256, 384, 3, 3),
    "features.10": (256, 256, 3, 3),
    "classifier.1": (4096, 9216),
    "classifier.4": (4096, 4096),
    "classifier.6": (1000, 4096),
}


@pytest.fixture(scope="module")
def published_size():
    with torch.device("meta"):
        return AlexNet(n_outputs=1000)


def test_published_number_of_parameters(published_size):
    assert sum(p.numel() for p in published_size.parameters()) == 61_100_840


def test_published_names_and_shapes(published_size):
    expected = {}
    for name, shape in PUBLISHED.items():
        expected |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    found = {k: tuple(v.shape) for k, v in published_size.state_dict().items()}
    assert found == expected
    assert list(found) == list(expected)


def test_published_shapes_of_activations(published_size):
    layers = trace_layers(published_size, torch.zeros(1, 3, 224, 224, device="meta"))
    assert {layer.name: layer.n_neurons for layer in layers} == {
        "features.1": 64,
        "features.4": 192,
        "features.7": 384,
        "features.9": 256,
        "features.11": 256,
        "classifier.2": 4096,
        "classifier.5": 4096,
    }
    assert [layer.axis for layer in layers] == [1] * 5 + [-1] * 2


@pytest.mark.parametrize(
    ("side", "small"), [(63, False), (96, False), (8, True), (32, True)]
)
def test_sizes_of_images(side, small):
    net = AlexNet(2, 3, small_images=small, width=2)
    assert net(torch.zeros(4, 2, side, side)).shape == (4, 3)
    least = 8 if small else 63
    with pytest.raises(
        ValueError, match=rf"{least} × {least} .* have 70 × {least - 1}: enlarge"
    ):
        net(torch.zeros(4, 2, 70, least - 1))


def test_the_present_width_is_that_of_every_layer():
    net = AlexNet(width=2, dropout=0.1)
    sizes = [len(m.weight) for m in net.modules() if hasattr(m, "weight")]
    assert sizes == [2, 6, 12, 8, 8, 128, 128, 1]
    assert {m.p for m in net.modules() if isinstance(m, nn.Dropout)} == {0.1}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_channels": 0}, "`n_channels` .* got 0"),
        ({"n_outputs": 1.5}, "`n_outputs` .* got 1.5"),
        ({"width": -1}, "`width` .* got -1"),
        ({"dropout": 1}, r"`dropout` .*; got 1"),
    ],
)
def test_sizes_out_of_range_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        AlexNet(**parameters)
