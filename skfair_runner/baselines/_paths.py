"""Activation paths of a multilayer perceptron, and the samples whose path is rare.

The slicing of FairNeuron (Gao et al., ICSE 2022), for all samples of a batch at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from skfair_runner.modules import TabularNet

# Beside the ReLU, what does nothing in evaluation mode may follow a linear layer.
_IDLE = (nn.Dropout, nn.Identity)
# And the last one, what leaves the chosen label as it is.
_IDLE_AT_THE_END = (*_IDLE, nn.Sigmoid, nn.Softmax)


@dataclass(frozen=True)
class Perceptron:
    """The hidden layers of a module that are linear maps with a ReLU in between.

    Attributes
    ----------
    relus : list of ReLU
        One for each hidden layer; what they emit are the neurons' values.

    linears : list of Linear
        The map that follows each of them; the last one is the output.
    """

    relus: list[nn.ReLU]
    linears: list[nn.Linear]

    @property
    def sizes(self) -> list[int]:
        """Number of neurons of each hidden layer."""
        return [linear.in_features for linear in self.linears]


def as_perceptron(module: nn.Module, caller: str) -> Perceptron:
    """Find the hidden layers of a multilayer perceptron.

    Parameters
    ----------
    module : nn.Module
        :class:`~skfair_runner.modules.TabularNet` or ``nn.Sequential``, nested ones
        also, with a ReLU after every Linear but the last. Anything without a Linear may
        come before, Dropout anywhere, and a Sigmoid or Softmax at the end.

    caller : str
        Who asks; begins the error message.

    Returns
    -------
    perceptron : Perceptron
        With at least one hidden layer.

    Raises
    ------
    TypeError
        If the module is no such perceptron.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> as_perceptron(net, "FairNeuron").sizes
    [4]
    """
    parts = list(_in_order(module))
    places = [i for i, part in enumerate(parts) if type(part) is nn.Linear]
    reason = None
    if len(places) < 2:
        reason = f"it has no hidden layer among {[type(p).__name__ for p in parts]}"
    relus: list[nn.ReLU] = []
    for start, stop in pairwise([*places, len(parts)]):
        between = parts[start + 1 : stop]
        last = stop == len(parts)
        idle = _IDLE_AT_THE_END if last else _IDLE
        others = [part for part in between if not isinstance(part, idle)]
        if [type(part) for part in others] == ([] if last else [nn.ReLU]):
            relus += [part for part in others if isinstance(part, nn.ReLU)]
        else:
            reason = f"its {parts[start]} is followed by {between}"
    if len({id(relu) for relu in relus}) < len(relus):
        reason = "the same ReLU object serves several layers"
    if reason is not None:
        raise TypeError(
            f"{caller} looks into the hidden layers of a perceptron, and the module "
            f"{type(module).__name__} is none: {reason}. Take module=None, modules.MLP "
            "or an nn.Sequential with an nn.ReLU() after each nn.Linear but the last."
        )
    linears = [part for part in parts if type(part) is nn.Linear]
    return Perceptron(relus, linears[1:])


def logit_maps(perceptron: Perceptron) -> tuple[list[Tensor], list[Tensor]]:
    """Weights and biases that lead from the first hidden layer to one logit.

    Parameters
    ----------
    perceptron : Perceptron
        Of two labels.

    Returns
    -------
    weights : list of Tensor of shape (n_neurons_above, n_neurons)
        One for each hidden layer, without graph. The last one has a single row, that of
        the second label against the first.

    biases : list of Tensor of shape (n_neurons_above,)
        Zero where a layer has none.
    """
    weights = [linear.weight.detach() for linear in perceptron.linears]
    biases = [
        weight.new_zeros(len(weight)) if linear.bias is None else linear.bias.detach()
        for weight, linear in zip(weights, perceptron.linears, strict=True)
    ]
    if len(weights[-1]) == 2:
        weights[-1] = weights[-1][1:] - weights[-1][:1]
        biases[-1] = biases[-1][1:] - biases[-1][:1]
    return weights, biases


def _in_order(module: nn.Module) -> Iterator[nn.Module]:
    """Parts of a module whose children are executed one after the other."""
    if type(module).forward in (nn.Sequential.forward, TabularNet.forward):
        children = module.children()
        if isinstance(module, nn.Sequential):
            # Of a module that stands in several places, `children` tells but one.
            children = iter(module)
        for child in children:
            yield from _in_order(child)
    else:
        yield module


def activation_paths(
    hidden: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    gamma: float,
) -> list[Tensor]:
    r"""The neurons that most of each sample's decision comes through.

    Walks back from the logit of the chosen label. At each neuron that is on the path,
    with the value :math:`z = \sum_m w_m h_m + b`, the largest contributions
    :math:`w_m h_m` are taken until they reach :math:`\gamma z`; their neurons
    are on the path, too. Contributions that are not positive are never taken, so that
    they may fall short of :math:`\gamma z` where the bias carries the value.

    Parameters
    ----------
    hidden : sequence of Tensor of shape (n_samples, n_neurons)
        What each hidden layer emits, after its ReLU, in order of execution.

    weights : sequence of Tensor of shape (n_neurons_above, n_neurons)
        Of the linear map that follows each of them. The last one has a single row: the
        logit of the second label.

    biases : sequence of Tensor of shape (n_neurons_above,)
        Of these maps.

    gamma : float
        Share of each value that is to be explained, in (0, 1].

    Returns
    -------
    paths : list of BoolTensor of shape (n_samples, n_neurons)
        Which neurons of each hidden layer are on the path.

    Examples
    --------
    >>> import torch
    >>> hidden = [torch.tensor([[1.0, 2.0, 0.0]])]
    >>> weights, biases = [torch.tensor([[1.0, 2.0, 5.0]])], [torch.zeros(1)]
    >>> activation_paths(hidden, weights, biases, 0.8)
    [tensor([[False,  True, False]])]
    """
    logits = hidden[-1] @ weights[-1].T + biases[-1]
    # A negative logit is a positive one of the other label.
    signs = 1 - 2 * (logits < 0).to(logits.dtype)
    kept = torch.ones_like(logits, dtype=torch.bool)
    paths: list[Tensor] = []
    levels = zip(reversed(hidden), reversed(weights), reversed(biases), strict=True)
    for values, weight, bias in levels:
        # Only neurons on the path are looked at: one row for each of them.
        samples, above = kept.nonzero(as_tuple=True)
        contributions = values[samples] * weight[above]  # (n_kept, n_neurons)
        totals = contributions.sum(1) + bias[above]
        if not paths:
            contributions, totals = contributions * signs, totals * signs[:, 0]
        taken = _largest_until(contributions, gamma * totals)
        pairs, neurons = taken.nonzero(as_tuple=True)
        kept = torch.zeros_like(values, dtype=torch.bool)
        kept[samples[pairs], neurons] = True
        paths.insert(0, kept)
    return paths


def _largest_until(values: Tensor, targets: Tensor) -> Tensor:
    """Mask of the largest positive values of each row until they reach its target."""
    ordered, order = values.sort(1, descending=True)
    before = ordered.cumsum(1).roll(1, dims=1)  # the sum of the larger ones
    before[:, 0] = 0
    taken = (before < targets[:, None]) & (ordered > 0)
    return torch.zeros_like(taken).scatter_(1, order, taken)


def rare_paths(paths: np.ndarray, theta: float) -> tuple[np.ndarray, int]:
    """Samples whose path few others share.

    Parameters
    ----------
    paths : ndarray of shape (n_samples, n_bytes), uint8
        The path of each sample, as of ``numpy.packbits``.

    theta : float
        A path is rare if at most `theta` times as many samples take it as take the
        commonest one, in (0, 1]; one that a single sample takes is so in any case, as
        in the authors' code.

    Returns
    -------
    rare : ndarray of shape (n_samples,), bool
        Whether the sample's path is rare.

    n_paths : int
        Number of different paths.

    Examples
    --------
    >>> import numpy as np
    >>> rare_paths(np.array([[7], [7], [7], [1]], dtype=np.uint8), theta=0.5)
    (array([False, False, False,  True]), 2)
    """
    whole = np.ascontiguousarray(paths).view(f"V{paths.shape[1]}").ravel()
    _, index, counts = np.unique(whole, return_inverse=True, return_counts=True)
    return counts[index] <= max(theta * counts.max(), 1), len(counts)


@contextmanager
def recorded_values(relus: Sequence[nn.ReLU]) -> Iterator[list[Tensor]]:
    """What the hidden layers emit in the last pass of the block.

    Parameters
    ----------
    relus : sequence of ReLU
        One for each hidden layer.

    Yields
    ------
    values : list of Tensor of shape (n_samples, n_neurons)
        Filled by each forward pass. Hooks come off when the block ends.

    Examples
    --------
    >>> import torch
    >>> relu = nn.ReLU()
    >>> with recorded_values([relu]) as values:
    ...     _ = relu(torch.tensor([[-1.0, 2.0]]))
    >>> values
    [tensor([[0., 2.]])]
    """
    values = [torch.empty(0)] * len(relus)

    def keep(layer: int, output: Tensor) -> None:
        values[layer] = output

    with _hooked(relus, keep):
        yield values


@contextmanager
def selective_dropout(
    relus: Sequence[nn.ReLU], detected: Sequence[Tensor], rate: float
) -> Iterator[None]:
    """Drop some neurons of some samples at random while the block runs.

    Parameters
    ----------
    relus : sequence of ReLU
        One for each hidden layer.

    detected : sequence of BoolTensor of shape (n_samples, n_neurons)
        Which neurons are dropped at this rate, for which samples; the others are left
        as they are.

    rate : float
        Probability, in [0, 1), that a detected neuron is silenced; otherwise its value
        is divided by ``1 - rate``, as in usual dropout.

    Examples
    --------
    >>> import torch
    >>> relu, detected = nn.ReLU(), torch.tensor([[False], [False]])
    >>> with selective_dropout([relu], [detected], rate=0.5):
    ...     relu(torch.ones(2, 1)).flatten()
    tensor([1., 1.])
    """

    def drop(layer: int, output: Tensor) -> Tensor:
        stays = torch.rand_like(output) >= rate
        factors = stays.to(output.dtype) / (1 - rate)
        return output * factors.where(detected[layer], 1.0)

    with _hooked(relus, drop):
        yield


@contextmanager
def _hooked(relus: Sequence[nn.ReLU], act) -> Iterator[None]:
    """Hand each layer's output to ``act(layer, output)`` while the block runs."""
    with ExitStack() as stack:
        for layer, relu in enumerate(relus):
            handle = relu.register_forward_hook(
                lambda _module, _inputs, output, layer=layer: act(layer, output)
            )
            stack.callback(handle.remove)
        yield
