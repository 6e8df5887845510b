"""One network for a whole range of repairs: its layers depend on a strength.

Loss-conditional training (Dosovitskiy & Djolonga, "You Only Train Once", ICLR 2020)
with a scale and a shift per neuron (Perez et al., "FiLM", AAAI 2018), along a line in
the space of weights (Wortsman et al., "Learning Neural Network Subspaces", ICML 2021).
All are applied to the weights instead of the activations, so that the network of one
strength is a plain module.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from .activations import trace_affine_layers

# What a network's parameters begin with that are those of its modulation.
_PREFIX = "modulation_of_layers_"
# How fast scales and shifts can change with the strength.
_STEEPNESS = 3.0


class Modulation(nn.Module):
    r"""What a strength does to the weights of some layers.

    A direction is the same for all strengths, scale and shift of every neuron are
    functions of it:

    .. math:: w \mapsto (1 + \gamma(u)) \, (w + u \, d), \qquad
        b \mapsto (1 + \gamma(u)) \, b + \beta(u)

    All three are zero, whatever the strength, until they are trained.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        Shape of the weight by the path of the layer; neurons are its first axis.

    n_hidden : int, default=32
        Width of the network that computes scales and shifts.

    Attributes
    ----------
    strength : float
        The strength u that weights are computed for.
    """

    def __init__(self, shapes: Mapping[str, Sequence[int]], n_hidden: int = 32):
        super().__init__()
        self.paths = list(shapes)
        self.sizes = [shape[0] for shape in shapes.values()]
        self.trunk = nn.Linear(1, n_hidden)
        # Scales of all layers, then shifts: one product costs less than one for each.
        self.head = nn.Linear(n_hidden, 2 * sum(self.sizes))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.directions = nn.ParameterList(
            [nn.Parameter(torch.zeros(*shape)) for shape in shapes.values()]
        )
        self.strength = 0.0

    def forward(self) -> tuple[Tensor, Tensor]:
        """Scale and shift of every neuron at the present strength.

        Returns
        -------
        scales, shifts : Tensor of shape (n_neurons,)
            1 + γ, and β, of the neurons of all layers.
        """
        # The first bit of repair changes a network most.
        centred = 2 * math.sqrt(self.strength) - 1
        trunk, head = self.trunk, self.head
        # Of one input and one sample, without the detours of nn.Linear.
        linear = torch.add(trunk.bias, trunk.weight.squeeze(1), alpha=centred)
        hidden = torch.tanh(_STEEPNESS * linear)
        gammas, shifts = torch.addmv(head.bias, head.weight, hidden).chunk(2)
        return 1 + gammas, shifts

    def moved(self, path: str, weight: Tensor) -> Tensor:
        """A layer's weight, moved along its direction but not scaled."""
        direction = self.directions[self.paths.index(path)]
        return torch.add(weight, direction, alpha=self.strength)

    def layers_of(self, module: nn.Module) -> list[Any]:
        """The layers of a network that follow the strength."""
        return [module.get_submodule(path) for path in self.paths]

    def changed(self, layers: Sequence[Any]) -> list[tuple[Tensor, Tensor]]:
        """Weights and biases of the layers at the present strength.

        Parameters
        ----------
        layers : sequence of nn.Module
            From :meth:`layers_of`; not changed.

        Returns
        -------
        parameters : list of (Tensor, Tensor)
            Weight and bias of each layer, with gradient to the network's own and to the
            modulation.
        """
        device = self.head.weight.device.type
        if torch.is_autocast_enabled(device):
            # Weights keep their precision, whatever activations are computed in.
            with torch.autocast(device, enabled=False):
                return self.changed(layers)
        values = (part.split(self.sizes) for part in self())
        changed = []
        for path, layer, scale, shift in zip(self.paths, layers, *values, strict=True):
            weight, bias = self.moved(path, layer.weight), layer.bias
            changed.append(
                (
                    weight * _per_neuron(scale, weight),
                    torch.addcmul(
                        _per_neuron(shift, bias), _per_neuron(scale, bias), bias
                    ),
                )
            )
        return changed


def _per_neuron(values: Tensor, parameter: Tensor) -> Tensor:
    """Values of the neurons, to be broadcast along a parameter's first axis."""
    if parameter.ndim == 1:
        return values
    return values.view(-1, *[1] * (parameter.ndim - 1))


def modulate(
    module: nn.Module, example: Tensor, layers: Sequence[str] | str = "auto"
) -> Modulation:
    """Modulation for the hidden layers of a network and its last one.

    Nothing of the network changes.

    Parameters
    ----------
    module : nn.Module
        The network.

    example : Tensor of shape (n_samples, ...)
        A few inputs.

    layers : sequence of str or "auto", default="auto"
        Recorded layers, see :func:`~skfair_runner.activations.trace_layers`; what feeds
        them is modulated: the Linear layer, convolution or normalisation before them.
        Layers whose weight or bias is frozen stay as they are.

    Returns
    -------
    modulation : Modulation
        Untrained.

    Raises
    ------
    ValueError
        If a layer has not both a weight and a bias, is parametrized already, or shares
        one of the two with another layer; if all layers are frozen.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> modulate(net, torch.zeros(1, 2)).paths
    ['0', '2']
    """
    shapes = {}
    paths = trace_affine_layers(module, example, layers)
    uses = Counter(id(p) for _, p in module.named_parameters(remove_duplicate=False))
    for path in paths:
        layer = module.get_submodule(path)
        weight, bias = (getattr(layer, name, None) for name in ("weight", "bias"))
        if weight is None or bias is None:
            raise ValueError(
                f"Layer {path!r}, a {type(layer).__name__}, has not both a weight and "
                "a bias, so that it cannot follow the weight of the repair, as the "
                "layers of a front do: give it bias=True, or name other layers."
            )
        if not (weight.requires_grad and bias.requires_grad):
            continue
        if is_parametrized(layer):
            raise ValueError(
                f"Layer {path!r} is parametrized (as by a spectral norm), so that it "
                "cannot follow the weight of the repair as well, as the layers of a "
                "front do: name other layers."
            )
        if max(uses[id(weight)], uses[id(bias)]) > 1:
            raise ValueError(
                f"Layer {path!r} shares its weight or its bias with another layer, so "
                "that it cannot follow the weight of the repair by itself, as the "
                "layers of a front do: name other layers."
            )
        shapes[path] = weight.shape
    if not shapes:
        raise ValueError(
            f"The layers of a front follow the weight of the repair, but those of this "
            f"module, {paths}, are frozen: call requires_grad_(True) on some of them."
        )
    return Modulation(shapes)


@contextmanager
def modulated(module: nn.Module, modulation: Modulation) -> Iterator[None]:
    """Let a network's layers follow the modulation's strength inside the block.

    The network trains together with the modulation, whose parameters are among its own
    there; the others keep their names. Only while the network runs, its layers have
    other weights.

    Parameters
    ----------
    module : nn.Module
        The network; changed inside the block.

    modulation : Modulation
        From :func:`modulate`.
    """
    layers = modulation.layers_of(module)

    def shadow(*_):
        # What an instance holds itself comes before its registered parameters.
        changed = modulation.changed(layers)
        for layer, (weight, bias) in zip(layers, changed, strict=True):
            vars(layer).update(weight=weight, bias=bias)

    def uncover(*_):
        for layer in layers:
            for name in ("weight", "bias"):
                vars(layer).pop(name, None)

    # Not as a submodule, which a Sequential would run.
    added = {
        _PREFIX + name.replace(".", "_"): parameter
        for name, parameter in modulation.named_parameters()
    }
    for name, parameter in added.items():
        module.register_parameter(name, parameter)
    before = module.register_forward_pre_hook(shadow)
    after = module.register_forward_hook(uncover, always_call=True)
    try:
        yield
    finally:
        uncover()
        before.remove()
        after.remove()
        for name in added:
            delattr(module, name)


def at_strength(
    module: nn.Module,
    modulation: Modulation,
    strength: float,
    *,
    into: nn.Module | None = None,
) -> nn.Module:
    """The network of one strength, as a plain module.

    Parameters
    ----------
    module : nn.Module
        The network as it is outside :func:`modulated`; not changed.

    modulation : Modulation
        Trained with it; not changed.

    strength : float
        At least 0; above the largest one that was trained it is extrapolated.

    into : nn.Module, default=None
        What an earlier call returned for the same network, to be written over instead
        of copying the network again.

    Returns
    -------
    module : nn.Module
        `into`, or a copy, with the modulation folded into its weights.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> modulation = modulate(net, torch.zeros(1, 2))
    >>> plain = at_strength(net, modulation, 0.5)
    >>> torch.equal(plain[0].weight, net[0].weight)  # not trained yet
    True
    """
    folded = copy.deepcopy(module) if into is None else into
    before, modulation.strength = modulation.strength, strength
    try:
        with torch.no_grad():
            changed = modulation.changed(modulation.layers_of(module))
            for layer, (weight, bias) in zip(
                modulation.layers_of(folded), changed, strict=True
            ):
                layer.weight.copy_(weight)
                layer.bias.copy_(bias)
    finally:
        modulation.strength = before
    return folded
