"""Multipliers of neurons: put in as layers, or folded into a perceptron's weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from skfair_runner.baselines._paths import Perceptron, as_perceptron


def as_foldable(module: nn.Module, caller: str) -> Perceptron:
    """The hidden layers of a perceptron of whose weights none serves twice.

    Parameters
    ----------
    module : nn.Module
        See :func:`~skfair_runner.baselines._paths.as_perceptron`.

    caller : str
        Who asks; begins the error message.

    Returns
    -------
    perceptron : Perceptron
        With at least one hidden layer.

    Raises
    ------
    TypeError
        If the module is no perceptron, or a Linear stands in several places.
    """
    perceptron = as_perceptron(module, caller)
    owners = [part for part in module.modules() if isinstance(part, nn.Linear)]
    if len({id(part.weight) for part in owners}) <= len(perceptron.linears):
        raise TypeError(
            f"{caller} scales the weights that follow single neurons, but a Linear of "
            f"the module {type(module).__name__} serves several layers: give each "
            "layer weights of its own."
        )
    return perceptron


def fold_multipliers(perceptron: Perceptron, multipliers: Sequence[Tensor]) -> None:
    """Multiply what each neuron hands on, in the weights of the layer that follows.

    A neuron with multiplier zero is silent, whatever its bias.

    Parameters
    ----------
    perceptron : Perceptron
        Its `linears` are changed in place.

    multipliers : sequence of Tensor of shape (n_neurons,)
        One for each hidden layer.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> _ = net[2].weight.data.fill_(1.0)
    >>> fold_multipliers(as_perceptron(net, "Test"), [torch.tensor([0.0, 2.0])])
    >>> net[2].weight.tolist()
    [[0.0, 2.0]]
    """
    with torch.no_grad():
        for linear, factors in zip(perceptron.linears, multipliers, strict=True):
            linear.weight.mul_(factors.to(linear.weight))


class Condition(nn.Module):
    """Layer that multiplies each neuron by a number of its own, all 1 at first.

    Parameters
    ----------
    low, high : Tensor of shape (n_neurons,)
        Bounds of the multipliers, 1 between them.
    """

    low: Tensor
    high: Tensor

    def __init__(self, low: Tensor, high: Tensor):
        super().__init__()
        self.register_buffer("low", low)
        self.register_buffer("high", high)
        self.multipliers = nn.Parameter(torch.ones_like(low))

    def forward(self, values: Tensor) -> Tensor:
        """The neurons' values, multiplied."""
        return values * self.multipliers

    @torch.no_grad()
    def project(self) -> None:
        """Bring the multipliers back between their bounds."""
        self.multipliers.clamp_(self.low, self.high)


@contextmanager
def inserted(
    module: nn.Module, relus: Sequence[nn.ReLU], conditions: Sequence[Condition]
) -> Iterator[None]:
    """Conditions after hidden layers, all else frozen, while the block runs.

    Parameters
    ----------
    module : nn.Module
        The network that owns the layers. When the block ends, however it ends, the
        conditions are out of it, and what could be trained before can be again.

    relus : sequence of ReLU
        One for each hidden layer.

    conditions : sequence of Condition
        One for each of them.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))
    >>> condition = Condition(torch.zeros(1), torch.ones(1))
    >>> with inserted(net, [net[1]], [condition]):
    ...     [name for name, p in net.named_parameters() if p.requires_grad]
    ['1.1.multipliers']
    >>> [name for name, p in net.named_parameters() if p.requires_grad]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """
    places = {
        id(child): (parent, name)
        for parent in module.modules()
        for name, child in parent.named_children()
    }
    frozen = [p for p in module.parameters() if p.requires_grad]
    try:
        for parameter in frozen:
            parameter.requires_grad_(False)
        for relu, condition in zip(relus, conditions, strict=True):
            parent, name = places[id(relu)]
            setattr(parent, name, nn.Sequential(relu, condition))
        yield
    finally:
        for relu in relus:
            parent, name = places[id(relu)]
            setattr(parent, name, relu)
        for parameter in frozen:
            parameter.requires_grad_(True)
