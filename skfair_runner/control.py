r"""The controller of the output term: how hard to push, decided by hard rates.

A proxy-Lagrangian (Cotter, Jiang & Sridharan 2019: gradients from a relaxation,
multipliers from the decisions) whose multipliers follow a proportional-integral rule
(Stooke, Achiam & Abbeel 2020). At the decision threshold every sharpness of the
relaxation has slope one, so that multipliers keep their scale.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .cells import Cells
from .gaps import Conditions, condition_rates

# No multiplier exceeds this many units of criterion per unit of rate.
MULTIPLIER_LIMIT = 1.5
_SELECTION_MEMORY = 0.97
# The sharpness rises over this share of the repair; then the multipliers settle.
_RISE = 0.5


def positive_scores(logits: Tensor) -> Tensor:
    """Probabilities: sigmoid of one column of logits, softmax of several.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_columns)
        One column for two classes, else one per class.

    Returns
    -------
    scores : Tensor of shape (n_samples, n_columns)
        In [0, 1].

    Examples
    --------
    >>> import torch
    >>> positive_scores(torch.zeros(1, 1)), positive_scores(torch.zeros(1, 4))
    (tensor([[0.5000]]), tensor([[0.2500, 0.2500, 0.2500, 0.2500]]))
    """
    return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(1)


def decisions(logits: Tensor) -> Tensor:
    """Hard decisions, 0 or 1, per column.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_columns)
        One column for two classes, else one per class.

    Returns
    -------
    decisions : Tensor of shape (n_samples, n_columns)
        For several columns, 1 in the column of the largest logit.

    Examples
    --------
    >>> import torch
    >>> decisions(torch.tensor([[-1.0], [2.0]])).squeeze(1)
    tensor([0., 1.])
    """
    if logits.shape[1] == 1:
        return (logits > 0).to(logits.dtype)
    chosen = logits.argmax(1, keepdim=True)
    return torch.zeros_like(logits).scatter_(1, chosen, 1.0)


def sharpened_scores(logits: Tensor, sharpness: float) -> Tensor:
    r"""Relaxed decisions whose slope at the decision threshold is one.

    .. math:: q = \frac{4}{s}\,\sigma(s\,o)

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_columns)
        One column for two classes, else one per class.

    sharpness : float
        s > 0; at 1 the scores times four, for large s a step of height 4 / s.

    Returns
    -------
    relaxed : Tensor of shape (n_samples, n_columns)
        In [0, 4 / s].

    Examples
    --------
    >>> import torch
    >>> logits = torch.zeros(1, 1, requires_grad=True)
    >>> sharpened_scores(logits, 5.0).sum().backward()
    >>> logits.grad
    tensor([[1.]])
    """
    return positive_scores(logits * sharpness) * (4.0 / sharpness)


def _beyond(values: Tensor, bound) -> Tensor:
    """How far each value lies outside [-bound, bound], signed."""
    return values - values.clamp(-bound, bound)


def _limited(multipliers: Tensor) -> Tensor:
    """Multipliers within their limit."""
    return multipliers.clamp(-MULTIPLIER_LIMIT, MULTIPLIER_LIMIT)


class OutputController:
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

    difference_bound : float
        Bound on the difference of hard rates, in [0, 1].

    selection_rates : Tensor of shape (n_columns,)
        Selection rate of the biased model, from which the guard lets the rate move by
        half its distance to 0 or 1.

    gain : float, default=0.02
        Integral gain per step (η).

    memory : float, default=0.9
        Factor by which earlier batches' counts fade per step (β).

    sharpness : tuple of float, default=(1.0, 5.0)
        Sharpness of the relaxation at the start and at the end, geometric between.

    Attributes
    ----------
    multipliers : Tensor of shape (n_conditions, n_constraints)
        Signed, in [-1.5, 1.5]; one constraint per condition for two groups, one per
        group for more.

    guard : Tensor of shape (n_columns,)
        Multiplier of the selection rate; zero unless the rate drifts far.
    """

    def __init__(
        self,
        conditions: Conditions,
        n_groups: int,
        difference_bound: float,
        selection_rates: Tensor,
        *,
        gain: float = 0.02,
        memory: float = 0.9,
        sharpness: tuple[float, float] = (1.0, 5.0),
    ):
        self.n_groups = n_groups
        self.bound = difference_bound if n_groups == 2 else difference_bound / 2
        self.gain, self.memory, self.sharpness = gain, memory, sharpness
        n_labels = conditions.pools.shape[1]
        n_columns = len(selection_rates)
        n_constraints = 1 if n_groups == 2 else n_groups
        device = selection_rates.device
        pools, columns = (part.to(device) for part in conditions)
        self.conditions = Conditions(pools, columns)
        # Which sums of a label and column belong to each condition.
        own = torch.nn.functional.one_hot(columns, n_columns)[:, None, :]
        self._members = (pools[:, :, None] * own).flatten(1)
        self._sums = torch.zeros(n_labels, n_groups, n_columns, device=device)
        self._counts = torch.zeros(n_labels, n_groups, device=device)
        self._integral = torch.zeros(
            len(conditions.pools), n_constraints, device=device
        )
        self.multipliers = self._integral.clone()
        self._initial = selection_rates.clone()
        self._selected = selection_rates.clone()
        self._guard_integral = torch.zeros(n_columns, device=device)
        self.guard = self._guard_integral.clone()

    def penalty(self, logits: Tensor, cells: Cells, progress: float) -> Tensor:
        """Observe one batch, move the multipliers, and return the output term.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_columns)
            With graph.

        cells : Cells
            Label and group of each sample.

        progress : float
            Share of the repair that is over, in [0, 1].

        Returns
        -------
        penalty : Tensor of shape ()
            Σ multiplier · relaxed difference, plus the guard's term.
        """
        self.observe(decisions(logits.detach()), cells)
        first, last = self.sharpness
        raised = min(progress / _RISE, 1.0)
        relaxed = sharpened_scores(logits, first * (last / first) ** raised)
        return (self._prices(cells.counts) * cells.sums(relaxed)).sum()

    @torch.no_grad()
    def observe(self, hard: Tensor, cells: Cells) -> None:
        """Pool the batch's hard rates and move the multipliers."""
        sums = cells.sums(hard)
        self._sums = self.memory * self._sums + sums
        self._counts = self.memory * self._counts + cells.counts
        rates, present = condition_rates(self._sums, self._counts, self.conditions)
        difference = self._compare(rates, present, self._counts)
        excess = _beyond(difference, self.bound)
        inside = self.gain * (self.bound - difference.abs()).clamp(min=0)
        # At most one of the two terms moves: outside the bound `inside` is zero.
        moved = _beyond(self._integral, inside) + self.gain * excess
        self._integral = _limited(moved)
        self.multipliers = _limited(self._integral + excess)
        self._guard_selection(sums.sum((0, 1)) / cells.counts.sum())

    def _compare(self, rates: Tensor, present: Tensor, counts: Tensor) -> Tensor:
        """Differences held within the bound, (n_conditions, n_constraints)."""
        if self.n_groups == 2:
            both = present.all(1, keepdim=True)
            return (rates[:, :1] - rates[:, 1:]) * both
        totals = self.conditions.pools.to(counts) @ counts
        overall = (rates * totals).sum(1, keepdim=True)
        overall = overall / totals.sum(1, keepdim=True).clamp(min=1e-12)
        return (rates - overall) * present

    @torch.no_grad()
    def _prices(self, counts: Tensor) -> Tensor:
        """Derivative of the output term by each cell's sum of relaxed decisions.

        Differences and selection rates are linear in these sums, so that the term is
        one product with them, of shape (n_labels, n_groups, n_columns).
        """
        totals = self.conditions.pools.to(counts) @ counts  # (n_conditions, n_groups)
        present = totals > 0
        if self.n_groups == 2:
            weight = self.multipliers * present.all(1, keepdim=True)
            by_rate = torch.cat([weight, -weight], 1)
        else:
            weight = self.multipliers * present
            share = totals / totals.sum(1, keepdim=True).clamp(min=1e-12)
            by_rate = weight - share * weight.sum(1, keepdim=True)
        by_sum = by_rate / totals.where(present, 1.0)
        prices = self._members.to(counts).T @ by_sum  # (n_labels * n_columns, n_groups)
        prices = prices.view(len(counts), -1, self.n_groups).transpose(1, 2)
        return prices + self.guard / counts.sum()

    def _guard_selection(self, selected: Tensor) -> None:
        """Push back where the selection rate drifts towards a constant classifier."""
        self._selected = (
            _SELECTION_MEMORY * self._selected + (1 - _SELECTION_MEMORY) * selected
        )
        tolerance = 0.5 * torch.minimum(self._initial, 1 - self._initial)
        excess = _beyond(self._selected - self._initial, tolerance)
        moved = self._guard_integral + 2 * self.gain * excess
        self._guard_integral = _limited(
            torch.where(excess == 0, 0.99 * self._guard_integral, moved)
        )
        self.guard = _limited(self._guard_integral + 2 * excess)

    _STATE = (
        "_sums",
        "_counts",
        "_integral",
        "multipliers",
        "_initial",
        "_selected",
        "_guard_integral",
        "guard",
    )

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that a later step depends on."""
        return {name.strip("_"): getattr(self, name).clone() for name in self._STATE}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Continue from an earlier :meth:`state_dict`."""
        for name in self._STATE:
            setattr(self, name, state[name.strip("_")].clone())
