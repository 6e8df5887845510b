"""What must not depend on the group: populations, rates within them, and their gap.

A constraint names the populations within which groups are compared. Rates are means of
scores there, so that a gap of rates carries gradient.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ._transfer import is_apart, send
from .cells import (
    Cells,
    PricedSums,
    largest_difference,
    mean_pairwise_difference,
    pairwise_slopes,
)

# Stands for an empty cell's weight, which nothing is divided by.
_TINY = 1e-12


class Conditions(NamedTuple):
    """The populations within which groups are compared.

    Attributes
    ----------
    pools : Tensor of shape (n_conditions, n_labels)
        1 where samples of that label belong to the condition's population.

    columns : LongTensor of shape (n_conditions,)
        The score column that the condition compares; always 0 for binary scores.
    """

    pools: Tensor
    columns: Tensor


def condition_rates(
    sums: Tensor, counts: Tensor, conditions: Conditions
) -> tuple[Tensor, Tensor]:
    """Mean score of each group within each condition.

    Parameters
    ----------
    sums : Tensor of shape (n_labels, n_groups, n_columns)
        Sums of scores over cells, as of :meth:`Cells.sums`.

    counts : Tensor of shape (n_labels, n_groups)
        Total weight of each cell.

    conditions : Conditions
        Populations and columns.

    Returns
    -------
    rates : Tensor of shape (n_conditions, n_groups)
        In [0, 1] for probabilities; zero where the group is absent.

    present : BoolTensor of shape (n_conditions, n_groups)
        Whether the group occurs in the condition's population.
    """
    pools = send(conditions.pools, sums.device).to(sums.dtype)
    totals = pools @ counts.to(sums)  # (n_conditions, n_groups)
    if sums.shape[2] == 1:
        pooled = pools @ sums[:, :, 0]
    else:
        picked = sums[:, :, send(conditions.columns, sums.device)]
        pooled = (pools.T[:, None, :] * picked).sum(0).T
    present = totals > 0
    return pooled / totals.where(present, 1.0), present


def pooled_means(sums: Tensor, counts: Tensor, pools: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of each column over each group within each population.

    Parameters
    ----------
    sums : Tensor of shape (n_labels, n_groups, n_columns)
        Of each column over each cell, see :meth:`Cells.sums`.

    counts : Tensor of shape (n_labels, n_groups)
        Total weight of each cell.

    pools : Tensor of shape (n_pools, n_labels)
        1 where samples of that label belong to the population.

    Returns
    -------
    means : Tensor of shape (n_pools, n_columns, n_groups)
        Zero where the group is absent.

    totals : Tensor of shape (n_pools, n_groups)
        Weight of the group in the population.
    """
    pools = pools.to(sums)
    totals = pools @ counts.to(sums)
    shape = (len(pools), *sums.shape[1:])
    pooled = (pools @ sums.flatten(1)).view(shape).transpose(1, 2)
    return pooled / totals.where(totals > 0, 1.0)[:, None, :], totals


def _contrasts(counts: Tensor, pools: Tensor, dtype: torch.dtype) -> Tensor:
    """What takes sums over cells to the difference of two groups' means.

    One row per population, (n_pools, n_labels * 2); zero where a group is absent.
    """
    if is_apart(counts.device):
        counts, pools = counts.to(dtype), pools.to(dtype)
        totals = pools @ counts  # (n_pools, n_groups)
        shares = (totals.amin(1, keepdim=True) > 0) / totals.clamp(min=_TINY)
        shares[:, 1].neg_()
        return (pools[:, :, None] * shares[:, None]).flatten(1)
    # So few numbers are divided in less time than a tensor operation takes to begin.
    rows, of_labels = [], counts.tolist()
    for pool in pools.tolist():
        one, other = (
            sum(
                label * cells[group]
                for label, cells in zip(pool, of_labels, strict=True)
            )
            for group in (0, 1)
        )
        first, second = (1 / one, -1 / other) if one and other else (0.0, 0.0)
        rows.append([label * share for label in pool for share in (first, second)])
    return torch.tensor(rows, dtype=dtype)


@torch.no_grad()
def slopes_of_differences(sums: Tensor, counts: Tensor, pools: Tensor) -> Tensor:
    """Derivative, by sums over cells, of the difference between groups' means.

    The mean absolute difference over pairs of groups, summed over populations, is
    piecewise linear in the sums and zero where all means are equal, so that it is the
    product of these slopes with the sums.

    Parameters
    ----------
    sums : Tensor of shape (n_labels, n_groups, n_columns)
        Of each column over each cell, see :meth:`Cells.sums`.

    counts : Tensor of shape (n_labels, n_groups)
        Total weight of each cell.

    pools : Tensor of shape (n_pools, n_labels)
        1 where samples of that label belong to the population.

    Returns
    -------
    slopes : Tensor of shape (n_labels, n_groups, n_columns)
        Without graph.

    Examples
    --------
    >>> import torch
    >>> sums = torch.tensor([[[1.0], [0.0]], [[2.0], [1.0]]])
    >>> counts = torch.tensor([[2.0, 1.0], [2.0, 1.0]])
    >>> slopes = slopes_of_differences(sums, counts, torch.ones(1, 2))
    >>> (slopes * sums).sum()  # 3 of 4 less 1 of 2
    tensor(0.2500)
    """
    if sums.shape[1] == 2:
        # Each population's difference of means is one product with the sums.
        contrasts = _contrasts(counts, pools, sums.dtype)
        signs = (contrasts @ sums.flatten(0, 1)).sign()
        return (contrasts.T @ signs).view(sums.shape)
    means, totals = pooled_means(sums, counts, pools)
    by_mean = pairwise_slopes(means, (totals > 0)[:, None, :]).transpose(1, 2)
    by_pool = by_mean / totals.where(totals > 0, 1.0)[:, :, None]
    return (pools.to(sums).T @ by_pool.flatten(1)).view(sums.shape)


def reduce_rates(rates: Tensor, present: Tensor, reduction: str) -> Tensor:
    """One number out of the rates of groups within conditions.

    Parameters
    ----------
    rates : Tensor of shape (n_conditions, n_groups)
        Mean scores.

    present : BoolTensor of shape (n_conditions, n_groups)
        Which rates exist.

    reduction : {"sum", "largest"}
        "sum": mean absolute difference over pairs of groups, summed over conditions
        (RUNNER's GapDP and GapEO); "largest": max − min over groups, the largest over
        conditions (fairlearn's differences).

    Returns
    -------
    gap : Tensor of shape ()
        Non-negative.

    Raises
    ------
    ValueError
        If `reduction` is none of the two.
    """
    if reduction == "sum":
        return mean_pairwise_difference(rates, present).sum()
    if reduction == "largest":
        return largest_difference(rates, present).max()
    raise ValueError(
        f"A gap is reduced by 'sum' or 'largest', not by {reduction!r}: pass one "
        "of them."
    )


@cache
def _conditions(within: str, n_labels: int, positive: int) -> Conditions:
    """See :meth:`Constraint.conditions`; a step asks for the same ones again."""
    own = torch.eye(n_labels)
    if n_labels == 2:
        if within == "everybody":
            pools = torch.ones(1, 2)
        elif within == "each label":
            pools = own
        else:
            code = positive if within == "positive" else 1 - positive
            pools = own[code : code + 1]
        return Conditions(pools, torch.zeros(len(pools), dtype=torch.long))
    rest = 1 - own
    pools = {
        "everybody": torch.ones(n_labels, n_labels),
        "each label": torch.cat([own, rest]),
        "positive": own,
        "negative": rest,
    }[within]
    return Conditions(pools, torch.arange(len(pools)) % n_labels)


def _check_arguments(function: Callable, name: str) -> None:
    """Refuse a gap function that cannot be called as gaps are."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some builtins tell nothing
        return
    try:
        signature.bind(None, None, None)
    except TypeError as error:
        raise TypeError(
            f"constraint={name} is called with three arguments, by position, but it "
            f"takes {signature} ({error}): give it the parameters (y_true, y_score, "
            "groups), and let it return a scalar tensor."
        ) from error


class _WithoutGradient(torch.autograd.Function):
    """A gap that has no gradient, and says so once one is asked for."""

    @staticmethod
    def forward(ctx, y_score, gap, message):
        ctx.message = message
        return gap.clone()

    @staticmethod
    def backward(ctx, *slopes):
        raise ValueError(ctx.message)


def _checked_gap(gap: Any, name: str, y_score: Tensor, groups: Tensor) -> Tensor:
    """What a user's gap function returned, once it is known to be a gap."""
    rule = f"constraint={name} must return a scalar tensor with gradient to y_score"
    example = "as in (y_score[groups == 0].mean() - y_score[groups == 1].mean()).abs()"
    if not isinstance(gap, Tensor):
        raise TypeError(
            f"{rule}, but it returned the {type(gap).__name__} {gap!r}: compute it "
            f"with torch, {example}, and leave out .item() and float()."
        )
    if gap.numel() != 1 or not gap.is_floating_point():
        raise ValueError(
            f"{rule}, but it returned one of shape {tuple(gap.shape)} and type "
            f"{gap.dtype}: reduce it to one number, {example}."
        )
    gap = gap.reshape(())
    value = float(gap.detach())
    if not math.isfinite(value) and y_score.isfinite().all():
        raise ValueError(
            f"{rule}, but it returned {value} for {len(groups)} samples of the "
            f"groups {torch.unique(groups).tolist()}: where a batch lacks what it "
            "compares, let it return 0 * y_score.sum()."
        )
    if gap.requires_grad or not (torch.is_grad_enabled() and y_score.requires_grad):
        return gap
    if value == 0:  # nothing to compare, as in a batch of one group
        return 0 * y_score.sum()
    message = (
        f"{rule}, but what it returned, {value:.4g}, has none: compute it from "
        f"y_score itself, {example}, and leave out .detach(), .round() and decisions; "
        "importance='ablation' with output_weight=None needs no gradient."
    )
    return _WithoutGradient.apply(y_score, gap, message)


@dataclass(frozen=True)
class Constraint:
    """What must not depend on the group.

    Attributes
    ----------
    name : str
        fairlearn's spelling, or the name of the user's function.

    metric : str or None
        Name of the difference in :mod:`skfair_runner.metrics` that measures it on
        decisions; None for a user's function.

    within : {"everybody", "each label", "positive", "negative"}
        The population within which groups are compared.

    gap_function : callable or None
        A user's gap, ``gap(y_true, y_score, groups)``.
    """

    name: str
    metric: str | None
    within: str
    gap_function: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None

    @property
    def parts(self) -> tuple[Constraint, ...]:
        """The constraints that this one is made of: itself."""
        return (self,)

    def conditions(self, n_labels: int, positive: int = 1) -> Conditions:
        """Populations and score columns whose rates are compared.

        Parameters
        ----------
        n_labels : int
            Number of labels. Two labels share one score column; more are compared one
            against the rest, with one score column each.

        positive : int, default=1
            Code of the favourable label; used by the rate parities of two labels.

        Returns
        -------
        conditions : Conditions
            Shapes (n_conditions, n_labels) and (n_conditions,).
        """
        return _conditions(self.within, n_labels, positive)

    def activation_pools(self, n_labels: int, positive: int = 1) -> Tensor:
        """Populations within which an activation must not depend on the group.

        As :meth:`conditions`, without repetitions: an activation has no class of its
        own. Equalized odds compares within each label (Li et al. 2024, Eq. of δ for
        EO).

        Parameters
        ----------
        n_labels : int
            Number of labels.

        positive : int, default=1
            Code of the favourable label.

        Returns
        -------
        pools : Tensor of shape (n_pools, n_labels)
            1 where samples of that label belong to the population.
        """
        if self.within == "everybody":
            return torch.ones(1, n_labels)
        if self.within == "each label":
            return torch.eye(n_labels)
        return self.conditions(n_labels, positive).pools

    def gap(
        self, y_score: Tensor, cells: Cells, positive: int = 1, reduction: str = "sum"
    ) -> Tensor:
        """The gap of scores over the given cells.

        Parameters
        ----------
        y_score : Tensor of shape (n_samples, n_columns)
            Probabilities; one column for two labels, else one per label.

        cells : Cells
            Label and group of each sample.

        positive : int, default=1
            Code of the favourable label.

        reduction : {"sum", "largest"}, default="sum"
            See :func:`reduce_rates`.

        Returns
        -------
        gap : Tensor of shape ()
            Zero where fewer than two groups are present.

        Raises
        ------
        TypeError
            If a user's function returns no tensor.

        ValueError
            If it returns no single number, or NaN; and, once a gradient is asked for,
            if its gap has none.
        """
        if self.gap_function is not None:
            squeezed = y_score[:, 0] if y_score.shape[1] == 1 else y_score
            gap = self.gap_function(cells.labels, squeezed, cells.groups)
            return _checked_gap(gap, self.name, y_score, cells.groups)
        conditions = self.conditions(cells.n_labels, positive)
        if reduction == "sum" and y_score.shape[1] == 1:
            # Linear between two kinks: no graph is needed from the sums to the gap.
            sums = cells.sums(y_score.detach())
            pools = send(conditions.pools, sums.device)
            slopes = slopes_of_differences(sums, cells.counts, pools)
            return cells.priced([PricedSums([y_score], sums, slopes)])
        rates, present = condition_rates(cells.sums(y_score), cells.counts, conditions)
        return reduce_rates(rates, present, reduction)


CONSTRAINTS = {
    constraint.name: constraint
    for constraint in (
        Constraint("demographic_parity", "demographic_parity_difference", "everybody"),
        Constraint("equalized_odds", "equalized_odds_difference", "each label"),
        Constraint(
            "true_positive_rate_parity", "equal_opportunity_difference", "positive"
        ),
        Constraint(
            "false_positive_rate_parity", "false_positive_rate_difference", "negative"
        ),
    )
}


def resolve_constraint(constraint) -> Constraint:
    """The constraint of a name or of a user's gap function.

    Parameters
    ----------
    constraint : str, callable or Constraint
        A name in ``CONSTRAINTS``, or ``gap(y_true, y_score, groups)`` returning a
        scalar tensor.

    Returns
    -------
    constraint : Constraint
        A user's function compares neurons over everybody.

    Raises
    ------
    TypeError
        If a function cannot be called with three arguments.

    ValueError
        If the name is unknown.

    Examples
    --------
    >>> resolve_constraint("equalized_odds").metric
    'equalized_odds_difference'
    """
    if isinstance(constraint, Constraint):
        return constraint
    if callable(constraint):
        name = getattr(constraint, "__name__", type(constraint).__name__)
        _check_arguments(constraint, name)
        return Constraint(name, None, "everybody", constraint)
    if constraint not in CONSTRAINTS:
        raise ValueError(
            f"There is no constraint {constraint!r}: pass one of "
            f"{sorted(CONSTRAINTS)}, or a function gap(y_true, y_score, groups)."
        )
    return CONSTRAINTS[constraint]
