"""One network for a whole range of repairs: its layers depend on a strength.

Loss-conditional training (Dosovitskiy & Djolonga, "You Only Train Once", ICLR 2020)
with a scale and a shift per neuron (Perez et al., "FiLM", AAAI 2018). They are applied
to the weights instead of the activations, so that the network of one strength is a
plain module.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .activations import trace_affine_layers

# How fast scales and shifts can change with the strength.
_STEEPNESS = 3.0


class Modulation(nn.Module):
    r"""Scale and shift of every neuron of some layers, as functions of a strength.

    .. math:: w \mapsto (1 + \gamma(u)) \, w, \qquad
        b \mapsto (1 + \gamma(u)) \, b + \beta(u)

    Both are zero, whatever the strength, until they are trained.

    Parameters
    ----------
    widths : dict of str to int
        Number of neurons by the path of the layer.

    n_hidden : int, default=32
        Width of the network that computes them.

    Attributes
    ----------
    strength : float
        The strength that scales and shifts are computed for.
    """

    def __init__(self, widths: dict[str, int], n_hidden: int = 32):
        super().__init__()
        self.trunk = nn.Linear(1, n_hidden)
        self.paths = list(widths)
        self.heads = nn.ModuleList()
        for width in widths.values():
            head = nn.Linear(n_hidden, 2 * width)
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
            self.heads.append(head)
        self.strength = 0.0
        self._kept: dict[str, tuple[Tensor, Tensor]] = {}

    def forward(self, path: str) -> tuple[Tensor, Tensor]:
        """Scale and shift of one layer.

        Parameters
        ----------
        path : str
            Path of the layer.

        Returns
        -------
        scale, shift : Tensor of shape (n_neurons,)
            1 + γ, and β.
        """
        if path in self._kept:
            return self._kept[path]
        return self._compute(path, self._hidden())

    def _hidden(self) -> Tensor:
        # The first bit of repair changes a network most.
        centred = 2 * math.sqrt(self.strength) - 1
        position = self.trunk.weight.new_tensor([[centred]])
        return torch.tanh(_STEEPNESS * self.trunk(position))

    def _compute(self, path: str, hidden: Tensor) -> tuple[Tensor, Tensor]:
        scale, shift = self.heads[self.paths.index(path)](hidden)[0].chunk(2)
        return 1 + scale, shift

    def keep(self, *_) -> None:
        """Compute all layers' at once, for one forward pass; a hook before it."""
        hidden = self._hidden()
        self._kept = {path: self._compute(path, hidden) for path in self.paths}

    def forget(self, *_) -> None:
        """Compute them anew when asked; a hook after the forward pass."""
        self._kept = {}


class _Modulated(nn.Module):
    """A layer's weight or bias as a function of the strength."""

    def __init__(self, modulation: Modulation, path: str, shifted: bool):
        super().__init__()
        self.modulation, self.path, self.shifted = modulation, path, shifted

    def forward(self, parameter: Tensor) -> Tensor:
        """The parameter, scaled per neuron, and shifted where it is a bias."""
        scale, shift = self.modulation(self.path)
        scaled = parameter * _per_neuron(scale, parameter)
        return scaled + _per_neuron(shift, parameter) if self.shifted else scaled


def _per_neuron(values: Tensor, parameter: Tensor) -> Tensor:
    """Values of the neurons, to be broadcast along a parameter's first axis."""
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

    Returns
    -------
    modulation : Modulation
        Untrained.

    Raises
    ------
    ValueError
        If a layer has not both a weight and a bias, is parametrized already, or shares
        one of the two with another layer.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> modulate(net, torch.zeros(1, 2)).paths
    ['0', '2']
    """
    widths = {}
    uses = Counter(id(p) for _, p in module.named_parameters(remove_duplicate=False))
    for path in trace_affine_layers(module, example, layers):
        layer = module.get_submodule(path)
        weight, bias = (getattr(layer, name, None) for name in ("weight", "bias"))
        if weight is None or bias is None:
            raise ValueError(
                f"Layer {path!r}, a {type(layer).__name__}, has not both a weight and "
                "a bias, so that it cannot follow a strength: give it bias=True, or "
                "name other layers."
            )
        if parametrize.is_parametrized(layer):
            raise ValueError(
                f"Layer {path!r} is parametrized (as by a spectral norm), so that it "
                "cannot follow a strength as well: name other layers."
            )
        if max(uses[id(weight)], uses[id(bias)]) > 1:
            raise ValueError(
                f"Layer {path!r} shares its weight or its bias with another layer, so "
                "that it cannot follow a strength by itself: name other layers."
            )
        widths[path] = len(bias)
    return Modulation(widths)


@contextmanager
def modulated(module: nn.Module, modulation: Modulation) -> Iterator[None]:
    """Let a network's layers follow the modulation's strength inside the block.

    The network trains together with the modulation; afterwards it is plain again, with
    the weights that it has without scales and shifts.

    Parameters
    ----------
    module : nn.Module
        The network; changed inside the block.

    modulation : Modulation
        From :func:`modulate`.
    """
    with ExitStack() as stack:
        for path in modulation.paths:
            layer = module.get_submodule(path)
            # The last to be changed is the first to come back: weight, then bias.
            for name in ("bias", "weight"):
                part = _Modulated(modulation, path, shifted=name == "bias")
                parametrize.register_parametrization(layer, name, part, unsafe=True)
                stack.callback(_make_plain, layer, name)
        before = module.register_forward_pre_hook(modulation.keep)
        after = module.register_forward_hook(modulation.forget, always_call=True)
        stack.callback(before.remove)
        stack.callback(after.remove)
        yield


def _make_plain(layer: nn.Module, name: str) -> None:
    """Give a layer its parameter back."""
    parametrize.remove_parametrizations(layer, name, leave_parametrized=False)


def at_strength(
    module: nn.Module, modulation: Modulation, strength: float
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

    Returns
    -------
    module : nn.Module
        A copy with the modulation folded into its weights.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> modulation = modulate(net, torch.zeros(1, 2))
    >>> plain = at_strength(net, modulation, 0.5)
    >>> torch.equal(plain[0].weight, net[0].weight)  # not trained yet
    True
    """
    folded = copy.deepcopy(module)
    before, modulation.strength = modulation.strength, strength
    try:
        with torch.no_grad():
            for path in modulation.paths:
                layer = folded.get_submodule(path)
                scale, shift = modulation(path)
                weight = layer.get_parameter("weight")
                bias = layer.get_parameter("bias")
                bias.mul_(_per_neuron(scale, bias)).add_(_per_neuron(shift, bias))
                weight.mul_(_per_neuron(scale, weight))
    finally:
        modulation.strength = before
    return folded
