r"""The controller of the output term: how hard to push, decided by hard rates.

A proxy-Lagrangian (Cotter, Jiang & Sridharan 2019: gradients from a relaxation,
multipliers from the decisions) whose multipliers follow a proportional-integral rule
(Stooke, Achiam & Abbeel 2020). At the decision threshold every sharpness of the
relaxation has slope one, so that multipliers keep their scale.

Tensors carry the gradient. The state is a handful of numbers, which NumPy moves in a
fraction of the time that as many small tensor operations take on every step. Where a
device works apart, the state is a handful of its tensors, since the processor would
have to wait for them on every step; both understand the operations below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._transfer import is_apart
from .cells import Cells, PricedSums
from .gaps import Conditions
from .relaxations import Outcome, sharpened_scores

# No multiplier exceeds this many units of criterion per unit of rate.
MULTIPLIER_LIMIT = 1.5
_SELECTION_MEMORY = 0.97
# The sharpness rises over this share of the repair; then the multipliers settle.
_RISE = 0.5
# An array of NumPy on the processor, a tensor on a device that works apart.
Array = Any


def _place(values, device) -> Array:
    """Numbers where a controller needs them; a copy."""
    if is_apart(device):
        return torch.as_tensor(values).to(device, copy=True)
    return torch.as_tensor(values).numpy(force=True).copy()


def _read(values: Tensor) -> Array:
    """What a batch tells, without waiting for a device."""
    values = values.detach()
    return values if is_apart(values.device) else values.numpy()


def _where(condition: Array, values: Array, others: Array) -> Array:
    choose: Any = torch.where if isinstance(condition, Tensor) else np.where
    return choose(condition, values, others)


def _clipped(values: Array, bound) -> Array:
    """Values brought into [-bound, bound]."""
    if isinstance(values, Tensor):
        return values.clip(-bound, bound)
    # Faster than NumPy's own for a few numbers.
    return np.minimum(np.maximum(values, -bound), bound)


def _beyond(values: Array, bound) -> Array:
    """How far each value lies outside [-bound, bound], signed."""
    return values - _clipped(values, bound)


def _limited(multipliers: Array) -> Array:
    """Multipliers within their limit."""
    return _clipped(multipliers, MULTIPLIER_LIMIT)


class RateController:
    """Multipliers that hold the groups' selection rates within a bound.

    Two groups are compared with each other, and their difference is held within
    `difference_bound`; of more than two groups each is compared with the overall rate,
    and held within half of it, which bounds max − min by the whole.

    Parameters
    ----------
    conditions : Conditions
        Populations and columns whose rates are compared.

    n_groups : int
        Number of groups.

    n_columns : int
        Columns of logits.

    difference_bound : float
        Bound on the difference of hard rates, in [0, 1].

    gain : float, default=0.02
        Integral gain per step (η).

    memory : float, default=0.9
        Factor by which earlier batches' counts fade per step (β).

    Attributes
    ----------
    multipliers : ndarray of shape (n_conditions, n_constraints), float32
        Signed, in [-1.5, 1.5]; one constraint per condition for two groups, one per
        group for more.
    """

    def __init__(
        self,
        conditions: Conditions,
        n_groups: int,
        n_columns: int,
        difference_bound: float,
        *,
        gain: float = 0.02,
        memory: float = 0.9,
    ):
        self.n_groups = n_groups
        self.bound = difference_bound if n_groups == 2 else difference_bound / 2
        self.gain, self.memory = gain, memory
        self._pools = conditions.pools.numpy(force=True)
        # Which sums of a label and column belong to each condition.
        own = np.eye(n_columns, dtype=np.float32)[conditions.columns.numpy(force=True)]
        members = self._pools[:, :, None] * own[:, None, :]
        self._members = members.reshape(len(members), -1)
        n_conditions, n_labels = self._pools.shape
        n_constraints = 1 if n_groups == 2 else n_groups
        self._sums = np.zeros((n_labels, n_groups, n_columns), np.float32)
        self._counts = np.zeros((n_labels, n_groups), np.float32)
        self._integral = np.zeros((n_conditions, n_constraints), np.float32)
        self._multipliers = self._integral
        self._signs = np.array([1, -1], np.float32)

    STATE = ("sums", "counts", "integral", "multipliers")

    def place(self, device) -> None:
        """Move everything to where batches are.

        Parameters
        ----------
        device : str or torch.device
            Where the module computes.
        """
        for name in ("pools", "members", "signs", *self.STATE):
            setattr(self, f"_{name}", _place(getattr(self, f"_{name}"), device))

    @property
    def multipliers(self) -> Array:
        """See the class."""
        return self._multipliers

    @property
    def at_limit(self) -> bool:
        """Whether a multiplier cannot grow further."""
        return bool((abs(self._multipliers) >= MULTIPLIER_LIMIT).any())

    def observe(self, sums: Array, counts: Array) -> None:
        """Pool a batch's hard rates and move the multipliers.

        Parameters
        ----------
        sums : ndarray of shape (n_labels, n_groups, n_columns)
            Of decisions, 0 or 1.

        counts : ndarray of shape (n_labels, n_groups)
            Weight of each cell.
        """
        self._sums = self.memory * self._sums + sums
        self._counts = self.memory * self._counts + counts
        difference = self._differences()
        excess = _beyond(difference, self.bound)
        inside = self.gain * (self.bound - abs(difference)).clip(0, None)
        # At most one of the two terms moves: outside the bound `inside` is zero.
        moved = _beyond(self._integral, inside) + self.gain * excess
        self._integral = _limited(moved)
        self._multipliers = _limited(self._integral + excess)

    def _differences(self) -> Array:
        """Differences held within the bound, (n_conditions, n_constraints)."""
        totals = self._pools @ self._counts  # (n_conditions, n_groups)
        by_column = self._sums.swapaxes(1, 2).reshape(-1, self.n_groups)
        selected = self._members @ by_column  # (n_conditions, n_groups)
        absent = totals == 0
        rates = selected / (totals + absent)
        if self.n_groups == 2:
            return (rates[:, :1] - rates[:, 1:]) * ~(absent[:, :1] | absent[:, 1:])
        overall = selected.sum(1) / totals.sum(1).clip(1e-12, None)
        return (rates - overall[:, None]) * ~absent

    def prices(self, counts: Array) -> Array:
        """Derivative of the output term by each cell's sum of relaxed decisions.

        Differences are linear in these sums, so that the term is one product with them.

        Parameters
        ----------
        counts : ndarray of shape (n_labels, n_groups)
            Weight of each cell in the batch.

        Returns
        -------
        prices : ndarray of shape (n_labels, n_groups, n_columns)
            Zero for conditions that the batch does not tell.
        """
        totals = self._pools @ counts  # (n_conditions, n_groups)
        absent = totals == 0
        if self.n_groups == 2:
            both = ~(absent[:, :1] | absent[:, 1:])
            by_rate = self._multipliers * both * self._signs
        else:
            weight = self._multipliers * ~absent
            share = totals / totals.sum(1, keepdims=True).clip(1e-12, None)
            by_rate = weight - share * weight.sum(1, keepdims=True)
        by_sum = by_rate / (totals + absent)
        prices = self._members.T @ by_sum  # (n_labels * n_columns, n_groups)
        return prices.reshape(len(counts), -1, self.n_groups).swapaxes(1, 2)


class SelectionGuard:
    """Multipliers that keep selection rates away from 0 and 1.

    Parameters
    ----------
    selection_rates : ndarray of shape (n_columns,)
        Selection rate of the biased model, from which the guard lets the rate move by
        half its distance to 0 or 1.

    gain : float
        Of the controller that it guards; its own is twice as large.

    Attributes
    ----------
    multipliers : ndarray of shape (n_columns,), float32
        Signed, in [-1.5, 1.5]; zero unless the rate drifts far.
    """

    def __init__(self, selection_rates: Array, gain: float):
        self.gain = gain
        self._initial = self._selected = selection_rates
        self._guard_integral = self._guard = 0 * selection_rates

    STATE = ("initial", "selected", "guard_integral", "guard")

    @property
    def multipliers(self) -> Array:
        """See the class."""
        return self._guard

    def observe(self, selected: Array) -> None:
        """Push back where the selection rate drifts towards a constant classifier.

        Parameters
        ----------
        selected : ndarray of shape (n_columns,)
            Selection rate of a batch.
        """
        self._selected = (
            _SELECTION_MEMORY * self._selected + (1 - _SELECTION_MEMORY) * selected
        )
        tolerance = 0.5 * self._initial.clip(None, 1 - self._initial)
        excess = _beyond(self._selected - self._initial, tolerance)
        moved = self._guard_integral + 2 * self.gain * excess
        self._guard_integral = _limited(
            _where(excess == 0, 0.99 * self._guard_integral, moved)
        )
        self._guard = _limited(self._guard_integral + 2 * excess)


class OutputController:
    """The output term: a controller for each constraint, and one guard for all.

    Parameters
    ----------
    parts : dict of str to RateController
        By the name of the constraint; their prices add up.

    selection_rates : Tensor of shape (n_columns,)
        Selection rate of the biased model, see :class:`SelectionGuard`.

    sharpness : tuple of float, default=(1.0, 5.0)
        Sharpness of the relaxation at the start and from half-way on; geometric
        between the two.

    Attributes
    ----------
    multipliers : Tensor of shape (n_conditions, n_constraints)
        Of all parts, one below the other; see :class:`RateController`.

    guard : Tensor of shape (n_columns,)
        Multiplier of the selection rate.
    """

    def __init__(
        self,
        parts: Mapping[str, RateController],
        selection_rates: Tensor,
        *,
        sharpness: tuple[float, float] = (1.0, 5.0),
    ):
        self.parts, self.sharpness = dict(parts), sharpness
        self._device = selection_rates.device
        for part in self.parts.values():
            part.place(self._device)
        rates = _place(selection_rates, self._device)
        # As quick as the quickest of those that could drive the rate away.
        gain = max(part.gain for part in self.parts.values())
        self._guard = SelectionGuard(rates, gain)

    @property
    def multipliers(self) -> Tensor:
        """Of the differences; see the class."""
        each = [torch.as_tensor(part.multipliers) for part in self.parts.values()]
        return each[0] if len(each) == 1 else torch.cat(each)

    @property
    def guard(self) -> Tensor:
        """Of the selection rates; see the class."""
        return torch.as_tensor(self._guard.multipliers)

    def penalty(
        self, outcome: Outcome, progress: float, *, observing: bool = True
    ) -> Tensor:
        """Observe one batch, move the multipliers, and return the output term.

        Parameters
        ----------
        outcome : Outcome
            Logits, with graph, and cells.

        progress : float
            Share of the repair that is over, in [0, 1].

        observing : bool, default=True
            Whether the multipliers learn from this batch.

        Returns
        -------
        penalty : Tensor of shape ()
            Σ multiplier · relaxed difference, plus the guard's term.
        """
        parts = self.priced(outcome, progress, observing=observing)
        return outcome.cells.priced(parts)

    def priced(
        self, outcome: Outcome, progress: float, *, observing: bool = True
    ) -> list[PricedSums]:
        """The same as relaxed decisions and their prices.

        Parameters
        ----------
        outcome, progress, observing
            As of :meth:`penalty`.

        Returns
        -------
        parts : list of PricedSums
            Whose total is the output term.
        """
        if observing:
            self.observe(outcome)
        cells = outcome.cells
        relaxed = sharpened_scores(outcome.logits, self.sharpness_at(progress))
        sums = cells.sums(relaxed.detach())
        return [PricedSums(relaxed, sums, self.prices(cells))]

    def sharpness_at(self, progress: float) -> float:
        """Sharpness of the relaxed decisions when a share of the repair is over."""
        first, last = self.sharpness
        return first * (last / first) ** min(progress / _RISE, 1.0)

    def observe(self, outcome: Outcome) -> None:
        """Pool the batch's hard rates and move the multipliers."""
        sums, counts = _read(outcome.decided), _read(outcome.cells.counts)
        for part in self.parts.values():
            part.observe(sums, counts)
        self._guard.observe(sums.sum((0, 1)) / counts.sum())

    def prices(self, cells: Cells) -> Tensor:
        """What a unit of each cell's sum of relaxed decisions costs at present.

        Parameters
        ----------
        cells : Cells
            Of a batch.

        Returns
        -------
        prices : Tensor of shape (n_labels, n_groups, n_columns)
            Of all parts and the guard.
        """
        counts = _read(cells.counts)
        each = [part.prices(counts) for part in self.parts.values()]
        # Selection rates are linear in the sums, too.
        prices = reduce(add, each) + self._guard.multipliers / counts.sum()
        return torch.as_tensor(prices).to(cells.counts)

    def _holders(self) -> Iterator[tuple[str, RateController | SelectionGuard, str]]:
        """Names in the state, and where each stands."""
        for constraint, part in self.parts.items():
            prefix = "" if len(self.parts) == 1 else f"{constraint}."
            for name in part.STATE:
                yield prefix + name, part, f"_{name}"
        for name in self._guard.STATE:
            yield name, self._guard, f"_{name}"

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that a later step depends on."""
        return {
            name: torch.as_tensor(getattr(holder, attribute)).clone()
            for name, holder, attribute in self._holders()
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Continue from an earlier :meth:`state_dict`."""
        for name, holder, attribute in self._holders():
            setattr(holder, attribute, _place(state[name], self._device))
