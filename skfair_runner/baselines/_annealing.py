"""Simulated annealing over the hidden neurons that a trained perceptron can do without.

The search of NeuFair (Dasu et al., ISSTA 2024). Activations are kept, so that a
proposal costs one update of rank one and not a forward pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from skfair_runner.conditions import Constraint

_PROBES = 50
# The temperature falls to this share of its start.
_COLDEST = 1e-3


class DroppingNetwork:
    """Logits of a perceptron for many samples, with some hidden neurons dropped.

    A dropped neuron emits zero: its bias is silent, too.

    Parameters
    ----------
    first : Tensor of shape (n_samples, n_neurons)
        What the first hidden layer emits, after its ReLU.

    weights : sequence of Tensor of shape (n_neurons_above, n_neurons)
        Of the linear map that follows each hidden layer; the last one has one row.

    biases : sequence of Tensor of shape (n_neurons_above,)
        Of these maps.

    Attributes
    ----------
    kept : list of BoolTensor of shape (n_neurons,)
        One for each hidden layer; all True at first.

    Examples
    --------
    >>> network = DroppingNetwork(
    ...     torch.tensor([[1.0, 2.0]]), [torch.tensor([[3.0, 4.0]])], [torch.zeros(1)]
    ... )
    >>> network.flipped(0, 1), network.logits
    (tensor([3.]), tensor([11.]))
    >>> network.flip(0, 1)
    >>> network.logits
    tensor([3.])
    """

    def __init__(
        self, first: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]
    ):
        self.weights, self.biases = list(weights), list(biases)
        self.kept = [torch.ones(w.shape[1], dtype=torch.bool) for w in weights]
        # Neurons first: a neuron's values lie side by side.
        self._values = [first.T.contiguous()] * len(weights)
        self._sums = [first.new_empty(0)] * len(weights)
        self._refresh(0)

    @property
    def logits(self) -> Tensor:
        """Of all samples, shape (n_samples,)."""
        return self._sums[-1][0]

    def flipped(self, layer: int, neuron: int) -> Tensor:
        """Logits if one neuron were dropped, or taken back where it is.

        Parameters
        ----------
        layer, neuron : int
            Which one.

        Returns
        -------
        logits : Tensor of shape (n_samples,)
            Nothing is changed.
        """
        sums = torch.addr(
            self._sums[layer],
            self.weights[layer][:, neuron],
            self._values[layer][neuron],
            alpha=-1 if self.kept[layer][neuron] else 1,
        )
        for above in range(layer + 1, len(self.weights)):
            sums = self._weighted(above, sums.relu_())
        return sums[0]

    def flip(self, layer: int, neuron: int) -> None:
        """Drop one neuron, or take it back.

        Parameters
        ----------
        layer, neuron : int
            Which one.
        """
        self.kept[layer][neuron] = ~self.kept[layer][neuron]
        # Anew and not by an update, so that rounding does not pile up.
        self._refresh(layer)

    def keep(self, kept: Sequence[Tensor]) -> None:
        """Keep exactly these neurons.

        Parameters
        ----------
        kept : sequence of BoolTensor of shape (n_neurons,)
            One for each hidden layer.
        """
        self.kept = [mask.clone() for mask in kept]
        self._refresh(0)

    def _refresh(self, layer: int) -> None:
        """Compute all that is above a layer."""
        for level in range(layer, len(self.weights)):
            if level > layer:
                self._values[level] = self._sums[level - 1].relu()
            self._sums[level] = self._weighted(level, self._values[level])

    def _weighted(self, level: int, values: Tensor) -> Tensor:
        """What the kept neurons of a layer hand to the next one."""
        weight = self.weights[level] * self.kept[level]
        return torch.addmm(self.biases[level][:, None], weight, values)


class GroupRates:
    """Difference between groups, and F1, of decisions about known samples.

    Parameters
    ----------
    labels, groups : ndarray of int of shape (n_samples,)
        Label codes, 0 and 1, and group codes.

    constraint : Constraint
        Says which rates are compared.

    positive : int
        Code of the favourable label, which F1 speaks of.

    Examples
    --------
    >>> from skfair_runner.gaps import resolve_constraint
    >>> rates = GroupRates(
    ...     np.array([1, 1, 1, 1]), np.array([0, 0, 1, 1]),
    ...     resolve_constraint("demographic_parity"), 1,
    ... )
    >>> rates(np.array([True, True, True, False]))
    (0.5, 0.8571428571428571)
    """

    def __init__(self, labels, groups, constraint: Constraint, positive: int):
        n_groups = int(groups.max()) + 1
        self._cells, self._shape = labels * n_groups + groups, (2, n_groups)
        self._counts = self._count(self._cells)
        self._pools = constraint.conditions(2, positive).pools.numpy()
        totals = self._pools @ self._counts  # (n_conditions, n_groups)
        self._present, self._totals = totals > 0, np.maximum(totals, 1)
        self._positive = positive

    def __call__(self, decided: np.ndarray) -> tuple[float, float]:
        """Measure decisions.

        Parameters
        ----------
        decided : ndarray of bool of shape (n_samples,)
            Whether the decision is label code 1.

        Returns
        -------
        difference : float
            Largest minus smallest rate of the groups, the largest over conditions.

        f1 : float
            Of the favourable label; zero where it is neither decided nor there.
        """
        ones = self._count(self._cells[decided])  # (n_labels, n_groups)
        rates = self._pools @ ones / self._totals
        highest = np.where(self._present, rates, 0).max(1)
        lowest = np.where(self._present, rates, 1).min(1)
        favoured = ones if self._positive == 1 else self._counts - ones
        true = favoured[self._positive].sum()
        both = favoured.sum() + self._counts[self._positive].sum()
        return float((highest - lowest).max()), float(2 * true / max(both, 1))

    def _count(self, cells) -> np.ndarray:
        return np.bincount(cells, minlength=np.prod(self._shape)).reshape(self._shape)


@dataclass
class Annealed:
    """What :func:`anneal` found.

    Attributes
    ----------
    kept : list of BoolTensor of shape (n_neurons,)
        Which neurons of each hidden layer the best state keeps.

    before, after : tuple of float
        Difference and F1 with all neurons, and of the best state.

    n_proposals : int
        How many states were looked at.
    """

    kept: list[Tensor]
    before: tuple[float, float]
    after: tuple[float, float]
    n_proposals: int


def anneal(
    network: DroppingNetwork,
    measure: Callable[[np.ndarray], tuple[float, float]],
    *,
    n_proposals: int,
    max_seconds: float | None,
    f1_share: float,
    penalty: float,
    rng: np.random.Generator,
) -> Annealed:
    r"""Search for the neurons without which decisions differ least between groups.

    A proposal drops one neuron or takes it back. Its cost is the difference, plus
    `penalty` where F1 is below `f1_share` times that of the whole network; a cost that
    is higher by :math:`\Delta` is accepted with probability
    :math:`\exp(-\Delta / T)`. The temperature starts at the mean change that a single
    neuron makes, and falls geometrically to a thousandth of it.

    Parameters
    ----------
    network : DroppingNetwork
        With all neurons; left in the best state.

    measure : callable
        Difference and F1 of decisions, as :class:`GroupRates` gives them.

    n_proposals : int
        Number of proposals, at most.

    max_seconds : float or None
        Time, at most; None sets no limit. What is found then depends on the machine.

    f1_share : float
        In [0, 1].

    penalty : float
        At least 0.

    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    annealed : Annealed
        The state with the smallest difference, of equal ones the highest F1, among
        those whose F1 is not below the bound; the whole network is one of them.
    """
    begin = perf_counter()
    place = [(layer, m) for layer, k in enumerate(network.kept) for m in range(len(k))]
    before = measure((network.logits > 0).numpy())
    floor = f1_share * before[1]

    def costed(logits: Tensor) -> tuple[float, tuple[float, float]]:
        difference, f1 = measure((logits > 0).numpy())
        return difference + penalty * (f1 < floor), (difference, f1)

    probes = [place[i] for i in rng.integers(len(place), size=_PROBES)]
    changes = [abs(costed(network.flipped(*p))[1][0] - before[0]) for p in probes]
    hottest = max(float(np.mean(changes)), 1e-6)
    cost, after = before[0], before
    best = [mask.clone() for mask in network.kept]
    looked = 0
    while looked < n_proposals:
        progress = looked / n_proposals
        if max_seconds is not None:
            progress = max(progress, (perf_counter() - begin) / max_seconds)
        if progress >= 1:
            break
        looked += 1
        proposed = place[rng.integers(len(place))]
        new_cost, found = costed(network.flipped(*proposed))
        temperature = hottest * _COLDEST**progress
        worse = max(new_cost - cost, 0.0)
        if rng.uniform() >= math.exp(-worse / temperature):
            continue
        network.flip(*proposed)
        cost = new_cost
        if found[1] >= floor and (found[0], -found[1]) < (after[0], -after[1]):
            best, after = [mask.clone() for mask in network.kept], found
    network.keep(best)
    return Annealed(best, before, after, looked)
