r"""Multipliers that hold rates: how hard to push, decided by hard rates.

They follow a proportional-integral rule (Stooke, Achiam & Abbeel 2020). The state is a
handful of numbers, which the processor moves in plain Python or NumPy, in a fraction of
the time that as many small tensor operations take on every step. Where a device works
apart, the state is a handful of its tensors, since the processor would have to wait for
them on every step; what is written for arrays does for both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._transfer import is_apart
from .conditions import Conditions

# No multiplier exceeds this many units of criterion per unit of rate.
MULTIPLIER_LIMIT = 1.5
_SELECTION_MEMORY = 0.97
# An array of NumPy on the processor, a tensor on a device that works apart.
Array = Any


def place(values, device) -> Array:
    """Numbers where a controller needs them; a copy."""
    if is_apart(device):
        return torch.as_tensor(values).to(device, copy=True)
    return torch.as_tensor(values).numpy(force=True).copy()


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


class _Placed:
    """What is held where batches are, in attributes with a leading underscore."""

    # What a later step depends on, and what never changes.
    STATE: tuple[str, ...] = ()
    FIXED: tuple[str, ...] = ()

    def place(self, device) -> None:
        """Move everything to where batches are.

        Parameters
        ----------
        device : str or torch.device
            Where the module computes.
        """
        for name in (*self.FIXED, *self.STATE):
            setattr(self, f"_{name}", place(getattr(self, f"_{name}"), device))


class RateController(_Placed):
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
        self._sums: Any = np.zeros((n_labels, n_groups, n_columns), np.float32)
        self._counts: Any = np.zeros((n_labels, n_groups), np.float32)
        self._integral: Any = np.zeros((n_conditions, n_constraints), np.float32)
        self._multipliers: Any = self._integral
        self._signs = np.array([1, -1], np.float32)

    STATE = ("sums", "counts", "integral", "multipliers")
    FIXED = ("pools", "members", "signs")

    @property
    def multipliers(self) -> Array:
        """See the class."""
        return self._multipliers

    @property
    def at_limit(self) -> bool:
        """Whether a multiplier cannot grow further."""
        return bool((abs(self.multipliers) >= MULTIPLIER_LIMIT).any())

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


class PairController(RateController):
    """The same for two groups and two labels on the processor, in plain numbers.

    A handful of numbers is added up in less time than NumPy takes to be called.

    Parameters
    ----------
    conditions, difference_bound, gain, memory
        See :class:`RateController`.
    """

    def __init__(self, conditions: Conditions, difference_bound: float, **kwargs):
        super().__init__(conditions, 2, 1, difference_bound, **kwargs)
        # The labels of each condition's population.
        self._labels = [np.flatnonzero(pool).tolist() for pool in self._pools]
        self.place("cpu")

    def place(self, device) -> None:
        """Take the state as lists; there is no other device."""
        for name in self.STATE:
            value = getattr(self, f"_{name}")
            setattr(self, f"_{name}", np.asarray(value).reshape(-1).tolist())

    @property
    def multipliers(self) -> Array:
        """See the class."""
        return np.array(self._multipliers, np.float32)[:, None]

    def observe(self, sums: Array, counts: Array) -> None:
        """See :class:`RateController`."""
        fade = self.memory
        new = zip(self._sums, sums.ravel().tolist(), strict=True)
        self._sums = [fade * old + value for old, value in new]
        new = zip(self._counts, counts.ravel().tolist(), strict=True)
        self._counts = [fade * old + value for old, value in new]
        for k, labels in enumerate(self._labels):
            totals = self._of_groups(self._counts, labels)
            difference = 0.0
            if all(totals):
                one, other = self._of_groups(self._sums, labels)
                difference = one / totals[0] - other / totals[1]
            inside = max(self.bound - abs(difference), 0.0) * self.gain
            excess = difference - _held(difference, self.bound)
            shrunk = self._integral[k] - _held(self._integral[k], inside)
            self._integral[k] = _held(shrunk + self.gain * excess, MULTIPLIER_LIMIT)
            self._multipliers[k] = _held(self._integral[k] + excess, MULTIPLIER_LIMIT)

    def prices(self, counts: Array) -> Array:
        """See :class:`RateController`."""
        cells, prices = counts.ravel().tolist(), [0.0] * 4
        for multiplier, labels in zip(self._multipliers, self._labels, strict=True):
            totals = self._of_groups(cells, labels)
            if all(totals):
                for label in labels:
                    prices[2 * label] += multiplier / totals[0]
                    prices[2 * label + 1] -= multiplier / totals[1]
        return np.array(prices, np.float32).reshape(2, 2, 1)

    @staticmethod
    def _of_groups(cells: list[float], labels: list[int]) -> tuple[float, float]:
        """Sum over some labels of each group's cells."""
        if len(labels) == 2:
            return cells[0] + cells[2], cells[1] + cells[3]
        first = 2 * labels[0]
        return cells[first], cells[first + 1]


def _held(value: float, bound: float) -> float:
    """A number brought into [-bound, bound]."""
    return max(-bound, min(value, bound))


def make_rate_controller(
    conditions: Conditions,
    n_groups: int,
    n_columns: int,
    difference_bound: float,
    *,
    device: str | torch.device = "cpu",
    **kwargs,
) -> RateController:
    """The controller of a constraint in the form that is fastest where it works.

    Parameters
    ----------
    conditions, n_groups, n_columns, difference_bound
        See :class:`RateController`.

    device : str or torch.device, default="cpu"
        Where the module computes.

    **kwargs
        Gain and memory, see :class:`RateController`.

    Returns
    -------
    controller : RateController
        Of the class of that name, or a :class:`PairController`.
    """
    two_by_two = n_groups == 2 and conditions.pools.shape[1] == 2
    if two_by_two and not is_apart(device):
        return PairController(conditions, difference_bound, **kwargs)
    return RateController(conditions, n_groups, n_columns, difference_bound, **kwargs)


class SelectionGuard(_Placed):
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
        self._guard_integral: Any = 0 * selection_rates
        self._guard: Any = self._guard_integral

    STATE = ("initial", "selected", "guard_integral", "guard")

    @property
    def multipliers(self) -> Array:
        """See the class."""
        return self._guard

    def observe(self, sums: Array, counts: Array) -> None:
        """Push back where the selection rate drifts towards a constant classifier.

        Parameters
        ----------
        sums : ndarray of shape (n_labels, n_groups, n_columns)
            Of decisions, 0 or 1.

        counts : ndarray of shape (n_labels, n_groups)
            Weight of each cell.
        """
        selected = sums.sum((0, 1)) / counts.sum()
        self._selected = (
            _SELECTION_MEMORY * self._selected + (1 - _SELECTION_MEMORY) * selected
        )
        # Half of the distance to 0 or 1.
        tolerance = 0.25 - 0.5 * abs(self._initial - 0.5)
        excess = _beyond(self._selected - self._initial, tolerance)
        moved = self._guard_integral + 2 * self.gain * excess
        self._guard_integral = _limited(
            _where(excess == 0, 0.99 * self._guard_integral, moved)
        )
        self._guard = _limited(self._guard_integral + 2 * excess)

    def prices(self, counts: Array) -> Array:
        """Derivative of the guard's term by each cell's sum of relaxed decisions.

        Parameters
        ----------
        counts : ndarray of shape (n_labels, n_groups)
            Weight of each cell in the batch.

        Returns
        -------
        prices : ndarray of shape (n_columns,)
            The same for every cell.
        """
        return self._guard / counts.sum()


class SingleGuard(SelectionGuard):
    """The same for one column on the processor, in plain numbers.

    Parameters
    ----------
    selection_rates, gain
        See :class:`SelectionGuard`.
    """

    def __init__(self, selection_rates: Array, gain: float):
        super().__init__(selection_rates, gain)
        self.place("cpu")

    def place(self, device) -> None:
        """Take the state as numbers; there is no other device."""
        for name in self.STATE:
            setattr(self, f"_{name}", np.asarray(getattr(self, f"_{name}")).item())

    @property
    def multipliers(self) -> Array:
        """See the class."""
        return np.array([self._guard], np.float32)

    def observe(self, sums: Array, counts: Array) -> None:
        """See :class:`SelectionGuard`."""
        selected = sum(sums.ravel().tolist()) / sum(counts.ravel().tolist())
        self._selected += (1 - _SELECTION_MEMORY) * (selected - self._selected)
        tolerance = 0.25 - 0.5 * abs(self._initial - 0.5)
        drift = self._selected - self._initial
        excess = drift - _held(drift, tolerance)
        if excess:
            moved = self._guard_integral + 2 * self.gain * excess
            self._guard_integral = _held(moved, MULTIPLIER_LIMIT)
        else:
            self._guard_integral *= 0.99
        self._guard = _held(self._guard_integral + 2 * excess, MULTIPLIER_LIMIT)

    def prices(self, counts: Array) -> Array:
        """See :class:`SelectionGuard`."""
        return self._guard / sum(counts.ravel().tolist()) if self._guard else 0.0


def make_guard(
    selection_rates: Tensor, gain: float, *, device: str | torch.device = "cpu"
) -> SelectionGuard:
    """The guard in the form that is fastest where it works.

    Parameters
    ----------
    selection_rates : Tensor of shape (n_columns,)
        See :class:`SelectionGuard`.

    gain : float
        See :class:`SelectionGuard`.

    device : str or torch.device, default="cpu"
        Where the module computes.

    Returns
    -------
    guard : SelectionGuard
        Of the class of that name, or a :class:`SingleGuard`.
    """
    single = len(selection_rates) == 1 and not is_apart(device)
    return (SingleGuard if single else SelectionGuard)(
        place(selection_rates, device), gain
    )
