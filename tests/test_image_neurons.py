"""Channels as neurons: importance, normalisation, one pass over the mixed batch."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from skfair_runner import RunnerFairClassifier, diagnose_neurons
from skfair_runner.modules import AlexNet, ResNet18

NETS = {
    "resnet": lambda: ResNet18(small_images=True, width=2),
    "alexnet": lambda: AlexNet(small_images=True, width=2),
}


@pytest.fixture(scope="module")
def faces():
    rng = np.random.default_rng(0)
    X = rng.random((40, 3, 8, 8), dtype="float32")
    groups, y = rng.integers(0, 2, 40), rng.integers(0, 2, 40)
    X[:, 0] += groups[:, None, None]
    return X, y, groups


@pytest.fixture(params=NETS)
def net(request):
    """Random weights and batch statistics, as after some training."""
    torch.manual_seed(0)
    net = NETS[request.param]()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 2)
    return net.train()


def neurons(net, faces, importance):
    X, y, groups = faces
    return diagnose_neurons(net, X, y, sensitive_features=groups, importance=importance)


def gap(net, faces):
    """Difference of the mean scores, with the net as it is."""
    X, _, groups = faces
    scores = net(torch.from_numpy(X)).sigmoid()[:, 0]
    return scores[groups == 1].mean() - scores[groups == 0].mean()


def silenced(net, path, channel, share):
    """A hook that scales one channel of a layer by ``1 - share``."""

    def scale(module, inputs, output):
        factor = torch.ones(output.shape[1], dtype=output.dtype)
        factor[channel] = 1 - share
        return output * factor.reshape(1, -1, *[1] * (output.ndim - 2))

    return net.get_submodule(path).register_forward_hook(scale)


@torch.no_grad()
def test_importance_is_the_slope_towards_a_silent_channel(net, faces):
    """Against the exact change of the gap when a channel is silenced a little."""
    table = neurons(net, faces, "activation")
    net = net.double().eval()
    X, y, groups = faces
    faces = X.astype(np.float64), y, groups
    whole, share = gap(net, faces), 1e-6
    last = table.groupby("layer", sort=False).head(2)
    for layer, neuron, importance in last[["layer", "neuron", "importance"]].values:
        hook = silenced(net, layer, neuron, share)
        slope = (gap(net, faces) - whole) / share
        hook.remove()
        assert_allclose(importance, float(slope) ** 2, rtol=2e-3, atol=1e-12)


@torch.no_grad()
def test_ablation_is_the_change_of_a_silent_channel(net, faces):
    table = neurons(net, faces, "ablation")
    net = net.eval()
    whole = gap(net, faces)
    for layer, neuron, importance in table[["layer", "neuron", "importance"]].values[
        ::9
    ]:
        hook = silenced(net, layer, neuron, 1)
        change = float(gap(net, faces).abs() - whole.abs())
        hook.remove()
        assert_allclose(importance, change**2, rtol=1e-3, atol=1e-10)


@torch.no_grad()
def test_discrimination_is_the_distance_of_spatial_means(net, faces):
    table = neurons(net, faces, "activation")
    X, _, groups = faces
    recorded = {}
    net = net.eval()
    for layer in table["layer"].unique():
        net.get_submodule(layer).register_forward_hook(
            lambda m, i, out, layer=layer: recorded.update(
                {layer: out.flatten(2).mean(2) if out.ndim > 2 else out}
            )
        )
    net(torch.from_numpy(X))
    for layer, part in table.groupby("layer"):
        values = recorded[layer]
        means = [values[groups == g].mean(0) for g in (0, 1)]
        assert_allclose(
            part["discrimination"], (means[1] - means[0]).abs(), rtol=1e-4, atol=1e-7
        )


def test_diagnosis_leaves_statistics_and_mode_alone(net, faces):
    before = {k: v.clone() for k, v in net.state_dict().items()}
    first = neurons(net, faces, "activation")
    assert net.training
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]), name
    # Dropout would draw anew.
    assert first.equals(neurons(net, faces, "activation"))


@pytest.mark.filterwarnings("ignore::skfair_runner.utils.ConstantClassifierWarning")
@pytest.mark.parametrize("name", NETS)
def test_batches_are_mixed_and_passed_once(name, faces):
    """Every forward pass of a training step holds both groups and is the only one."""
    X, y, groups = faces
    marked = X.copy()
    marked[:, 1, 0, 0] = groups
    seen = []

    class Watched(type(NETS[name]())):
        def forward(self, x):
            if self.training:
                seen.append(x[:, 1, 0, 0].unique().tolist())
            return super().forward(x)

    clf = RunnerFairClassifier(
        module=Watched,
        module__small_images=True,
        module__width=2,
        warmup_epochs=1,
        max_epochs=2,
        batch_size=20,
        diagnose_every=1,
        random_state=0,
    )
    clf.fit(marked, y, sensitive_features=groups)
    assert seen == [[0.0, 1.0]] * 6
