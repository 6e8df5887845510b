"""Sums over the label × group cells of a batch, and spreads over groups.

Every gap, rate and distance is made of such sums, so that a training step computes them
in one matrix product per recorded tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, reduce
from operator import add
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

# Up to this many cells a one-hot product is faster than an indexed sum.
_MOST_CELLS_FOR_ONE_HOT = 64


class Cells:
    """Label × group cells of a set of samples, and sums over them.

    Parameters
    ----------
    labels : LongTensor of shape (n_samples,)
        Label code of each sample, in [0, `n_labels`).

    groups : LongTensor of shape (n_samples,)
        Group code of each sample, in [0, `n_groups`).

    n_labels, n_groups : int
        Number of label and of group codes.

    weights : Tensor of shape (n_samples,), default=None
        Non-negative weight of each sample; None gives every sample weight 1.

    Attributes
    ----------
    counts : Tensor of shape (n_labels, n_groups)
        Total weight of each cell.

    Examples
    --------
    >>> import torch
    >>> cells = Cells(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), 2, 2)
    >>> cells.counts
    tensor([[1., 0.],
            [1., 1.]])
    >>> cells.sums(torch.tensor([[0.5], [0.25], [1.0]])).squeeze(-1)
    tensor([[0.5000, 0.0000],
            [0.2500, 1.0000]])
    """

    def __init__(
        self,
        labels: Tensor,
        groups: Tensor,
        n_labels: int,
        n_groups: int,
        weights: Tensor | None = None,
    ):
        self.labels, self.groups = labels, groups
        self.n_labels, self.n_groups = n_labels, n_groups
        self._weights = weights

    # Computed when they are first read: what is only counted later needs none of it.

    @cached_property
    def _index(self) -> Tensor:
        """Code of each sample's cell, of shape (n_samples,)."""
        return torch.add(self.groups, self.labels, alpha=self.n_groups)

    @cached_property
    def _one_hot(self) -> Tensor | None:
        """Weights by cell and sample: a product with it reads memory in order."""
        n_cells = self.n_labels * self.n_groups
        if n_cells > _MOST_CELLS_FOR_ONE_HOT:
            return None
        one_hot = self._zeros(n_cells, len(self.labels))
        if self._weights is None:
            return one_hot.scatter_(0, self._index[None], 1.0)
        return one_hot.scatter_(0, self._index[None], self._weights[None])

    @cached_property
    def counts(self) -> Tensor:
        """See the class."""
        if self._one_hot is not None:
            totals = self._one_hot.sum(1)
        else:
            zeros = self._zeros(self.n_labels * self.n_groups)
            totals = zeros.index_add(0, self._index, self.weights)
        return totals.view(self.n_labels, self.n_groups)

    def _zeros(self, *shape: int) -> Tensor:
        """Zeros of the device and precision that weights have."""
        dtype = torch.float32 if self._weights is None else self._weights.dtype
        return torch.zeros(shape, dtype=dtype, device=self.labels.device)

    @classmethod
    def joined(cls, parts: Sequence[Cells]) -> Cells:
        """The cells of several sets of samples together.

        Parameters
        ----------
        parts : sequence of Cells
            Of the same labels and groups, all with weights or all without; at least
            one.

        Returns
        -------
        cells : Cells
            Of all samples, in the order of the parts.
        """
        first = parts[0]
        weights = None
        if first._weights is not None:
            weights = torch.cat([part.weights for part in parts])
        return cls(
            torch.cat([part.labels for part in parts]),
            torch.cat([part.groups for part in parts]),
            first.n_labels,
            first.n_groups,
            weights,
        )

    @property
    def weights(self) -> Tensor:
        """Weight of each sample, of shape (n_samples,)."""
        if self._weights is None:
            return torch.ones((), device=self.labels.device).expand(len(self.labels))
        return self._weights

    def sums(self, values: Tensor) -> Tensor:
        """Weighted sum of each column over each cell.

        Parameters
        ----------
        values : Tensor of shape (n_samples, n_columns)
            One row per sample.

        Returns
        -------
        sums : Tensor of shape (n_labels, n_groups, n_columns)
            Carries gradient to `values`.
        """
        shape = (self.n_labels, self.n_groups, values.shape[1])
        if self._one_hot is not None:
            return (self._one_hot.to(values.dtype) @ values).view(shape)
        weighted = values * self.weights.to(values.dtype)[:, None]
        zeros = values.new_zeros(self.n_labels * self.n_groups, values.shape[1])
        return zeros.index_add(0, self._index, weighted).view(shape)

    def spread(self, of_cells: Tensor) -> Tensor:
        """Each sample's share of its cell: what :meth:`sums` is the transpose of.

        Parameters
        ----------
        of_cells : Tensor of shape (n_labels, n_groups, n_columns)
            One row per cell.

        Returns
        -------
        of_samples : Tensor of shape (n_samples, n_columns)
            The sample's weight times the row of its cell.
        """
        rows = of_cells.flatten(0, 1).index_select(0, self._index)
        if self._weights is None:
            return rows
        return rows.mul_(self._weights.to(rows.dtype)[:, None])

    def priced(self, parts: Sequence[PricedSums]) -> Tensor:
        """Σ price · sum, for prices that do not depend on the values.

        A linear function of the values, whose gradient is looked up instead of being
        computed through a graph.

        Parameters
        ----------
        parts : sequence of PricedSums
            What the total is of.

        Returns
        -------
        total : Tensor of shape ()
            With gradient to the values.

        Examples
        --------
        >>> import torch
        >>> cells = Cells(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), 2, 2)
        >>> values = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
        >>> prices = torch.tensor([[[5.0], [0.0]], [[7.0], [9.0]]])
        >>> part = PricedSums([values], cells.sums(values.detach()), prices)
        >>> total = cells.priced([part])
        >>> total.backward()
        >>> total.item(), values.grad.squeeze(1)
        (46.0, tensor([5., 7., 9.]))
        """
        values = [v for part in parts for v in part.values]
        return _Priced.apply(self, parts, *values)


class PricedSums(NamedTuple):
    """Sums over cells, and what a unit of each costs; see :meth:`Cells.priced`.

    Attributes
    ----------
    values : sequence of Tensor of shape (n_samples, n_columns)
        One row per sample; they receive the gradient.

    sums : Tensor of shape (n_labels, n_groups, n_all_columns)
        What :meth:`Cells.sums` gives for them, side by side, without graph.

    prices : Tensor of shape (n_labels, n_groups, n_all_columns)
        Without graph.
    """

    values: Sequence[Tensor]
    sums: Tensor
    prices: Tensor


class _Priced(Function):
    """See :meth:`Cells.priced`."""

    @staticmethod
    def forward(ctx, cells, parts, *values):
        ctx.cells, ctx.parts = cells, [_widths(part) for part in parts]
        totals = [torch.dot(p.prices.flatten(), p.sums.flatten()) for p in parts]
        return reduce(add, totals)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope):
        slopes = [
            ctx.cells.spread(own)
            for prices, widths in ctx.parts
            for own in (prices * slope).split(widths, 2)
        ]
        return None, None, *slopes


def _widths(part: PricedSums) -> tuple[Tensor, list[int]]:
    """Prices, and how many of them each of the values has."""
    return part.prices, [v.shape[1] for v in part.values]


@torch.no_grad()
def pairwise_slopes(values: Tensor, present: Tensor) -> Tensor:
    """Derivative of :func:`mean_pairwise_difference` by the value of each group.

    The spread is piecewise linear and zero where all values are equal, so that it is
    the product of these slopes with the values.

    Parameters
    ----------
    values : Tensor of shape (..., n_groups)
        One value per group.

    present : BoolTensor, broadcastable to the shape of `values`
        Which groups count.

    Returns
    -------
    slopes : Tensor of shape (..., n_groups)
        Without graph; zero for absent groups, and where fewer than two are present.

    Examples
    --------
    >>> import torch
    >>> pairwise_slopes(torch.tensor([3.0, 0.0, 6.0]), torch.tensor(True))
    tensor([ 0.0000, -0.6667,  0.6667])
    """
    if values.shape[-1] == 2:
        sign = (values[..., 0] - values[..., 1]).sign() * present.all(-1)
        return torch.stack([sign, -sign], -1)
    present = present.expand(values.shape)
    n_present = present.sum(-1, keepdim=True)
    # Absent groups are sorted to the end, where their coefficient is zero.
    order = values.where(present, values.max() + 1).argsort(-1)
    position = torch.arange(values.shape[-1], device=values.device)
    # The i-th smallest value is subtracted n-1-i times and added i times.
    coefficient = (2 * position - n_present + 1) * (position < n_present)
    n_pairs = (n_present * (n_present - 1) // 2).clamp(min=1)
    share = coefficient.to(values) / n_pairs
    return torch.zeros_like(values).scatter_(-1, order, share)


def mean_pairwise_difference(values: Tensor, present: Tensor) -> Tensor:
    """Mean absolute difference over all pairs of present groups.

    Parameters
    ----------
    values : Tensor of shape (..., n_groups)
        One value per group.

    present : BoolTensor, broadcastable to the shape of `values`
        Which groups count.

    Returns
    -------
    spread : Tensor of shape (...)
        Zero where fewer than two groups are present. In O(n_groups log n_groups).

    Examples
    --------
    >>> import torch
    >>> mean_pairwise_difference(torch.tensor([0.0, 3.0, 6.0]), torch.tensor(True))
    tensor(4.)
    """
    if values.shape[-1] == 2:
        both = present.all(-1)
        return (values[..., 0] - values[..., 1]).abs() * both
    return (pairwise_slopes(values, present) * values).sum(-1)


def largest_difference(values: Tensor, present: Tensor) -> Tensor:
    """Difference between the largest and the smallest value of the present groups.

    Parameters
    ----------
    values : Tensor of shape (..., n_groups)
        One value per group.

    present : BoolTensor, broadcastable to the shape of `values`
        Which groups count.

    Returns
    -------
    spread : Tensor of shape (...)
        Zero where fewer than two groups are present.

    Examples
    --------
    >>> import torch
    >>> largest_difference(torch.tensor([0.0, 3.0, 6.0]), torch.tensor(True))
    tensor(6.)
    """
    present = present.expand(values.shape)
    highest = values.where(present, values.detach().min()).amax(-1)
    lowest = values.where(present, values.detach().max()).amin(-1)
    return (highest - lowest) * (present.sum(-1) > 1)
