"""Distances between the groups' distributions of an activation.

The *discrimination* of a neuron is such a distance (Li et al., "RUNNER", ICSE 2024,
Section 3: the absolute difference of the groups' mean activations). With more than two
groups every distance is the mean over pairs of groups; over several populations (the
labels, for equalized odds) it is the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .cells import Cells, mean_pairwise_difference
from .conditions import pooled_means, slopes_of_differences

# A neuron whose variance is below this share of its mean square counts as constant.
_LEAST_VARIANCE = 1e-10
# Distribution functions are held for about this many samples × neurons × groups.
_MOST_ENTRIES = 2**23

__all__ = [
    "DISTANCES",
    "energy_distance",
    "resolve_distance",
    "wasserstein_distance",
]


@dataclass(frozen=True)
class Moments:
    """What the mean-based distances need of the activations of one layer.

    Attributes
    ----------
    sums, squares : Tensor of shape (n_labels, n_groups, n_neurons)
        Weighted sums of the activations and of their squares over cells; `squares` is
        None for distances that do not use it.

    counts : Tensor of shape (n_labels, n_groups)
        Total weight of each cell.
    """

    sums: Tensor
    squares: Tensor | None
    counts: Tensor

    def __add__(self, other: Moments) -> Moments:
        """Moments of both sets of samples together."""
        squares = None
        if self.squares is not None and other.squares is not None:
            squares = self.squares + other.squares
        return Moments(self.sums + other.sums, squares, self.counts + other.counts)

    @classmethod
    def side_by_side(cls, parts: Sequence[Moments]) -> Moments:
        """Moments of the neurons of several layers over the same samples."""
        sums = torch.cat([part.sums for part in parts], 2)
        squares = [part.squares for part in parts if part.squares is not None]
        return cls(sums, torch.cat(squares, 2) if squares else None, parts[0].counts)

    def group_means(self, pools: Tensor) -> tuple[Tensor, Tensor]:
        """Mean activation of each group within each population.

        Returns tensors of shape (n_pools, n_neurons, n_groups) and, for presence,
        (n_pools, 1, n_groups).
        """
        means, totals = pooled_means(self.sums, self.counts, pools)
        return means, (totals > 0)[:, None, :]


def _mean_l1(moments: Moments, pools: Tensor) -> Tensor:
    """Mean absolute difference of means over pairs of groups, summed over pools."""
    means, present = moments.group_means(pools)
    return mean_pairwise_difference(means, present).sum(0)


def _mean_l1_slopes(moments: Moments, pools: Tensor) -> Tensor:
    """Derivative of `_mean_l1` by the sums, whose product with them it is."""
    return slopes_of_differences(moments.sums, moments.counts, pools)


def _mean_pairwise_square(values: Tensor, present: Tensor) -> Tensor:
    """Mean squared difference over pairs of present groups, on the last axis."""
    n_present = present.sum(-1)
    centre = (values * present).sum(-1) / n_present.clamp(min=1)
    squares = ((values - centre[..., None]) ** 2 * present).sum(-1)
    # Over the n(n-1)/2 pairs, the squared differences add up to n times the sum of
    # squares about the mean.
    return 2 * squares / (n_present - 1).clamp(min=1)


def _mean_l2(moments: Moments, pools: Tensor) -> Tensor:
    """Mean squared difference of means over pairs of groups, summed over pools."""
    means, present = moments.group_means(pools)
    return _mean_pairwise_square(means, present).sum(0)


def _standardized(moments: Moments, pools: Tensor) -> Tensor:
    """Mean L1 in units of the neuron's own standard deviation."""
    total = moments.counts.sum()
    mean = moments.sums.sum((0, 1)) / total
    assert moments.squares is not None
    mean_square = moments.squares.sum((0, 1)) / total
    variance = mean_square - mean**2
    # Relative, so that the distance does not depend on the neuron's scale.
    least = _LEAST_VARIANCE * mean_square.detach()
    variance = variance.where(variance > least, least)
    # A neuron that never fires has no scale: its distance is zero either way.
    return _mean_l1(moments, pools) / variance.where(variance > 0, 1.0).sqrt()


def _integrate(
    spread: Callable[[Tensor, Tensor], Tensor],
    values: Tensor,
    groups: Tensor,
    weights: Tensor | None,
) -> Tensor:
    """Integral, per neuron, of a spread of the groups' distribution functions.

    `spread` takes the functions, (..., n_present), and which of the groups that occur
    have a positive weight, (n_present,).
    """
    # Codes of absent groups would only take memory.
    codes, index = groups.unique(return_inverse=True)
    one_hot = torch.nn.functional.one_hot(index, len(codes)).to(values)
    if weights is not None:
        one_hot = one_hot * weights.to(values)[:, None]
    totals = one_hot.sum(0)
    shares = one_hot / totals.where(totals > 0, 1.0)
    parts = []
    for part in values.split(max(1, _MOST_ENTRIES // one_hot.numel()), dim=1):
        ordered, order = part.sort(dim=0)
        functions = shares[order].cumsum(0)[
            :-1
        ]  # (n_samples - 1, n_neurons, n_present)
        area = ordered.diff(dim=0) * spread(functions, totals > 0)
        parts.append(area.sum(0))
    return torch.cat(parts)


def wasserstein_distance(
    values: Tensor, groups: Tensor, weights: Tensor | None = None
) -> Tensor:
    """Wasserstein-1 distance between the groups' activations, per neuron.

    The area between the groups' distribution functions; the mean over pairs of groups.

    Parameters
    ----------
    values : Tensor of shape (n_samples, n_neurons)
        Activations.

    groups : LongTensor of shape (n_samples,)
        Group codes.

    weights : Tensor of shape (n_samples,), default=None
        Sample weights.

    Returns
    -------
    distance : Tensor of shape (n_neurons,)
        In units of the activation; at least the absolute difference of the means.
        Carries gradient to `values`.

    Examples
    --------
    >>> import torch
    >>> values = torch.tensor([[0.0], [2.0], [1.0], [3.0]])
    >>> wasserstein_distance(values, torch.tensor([0, 0, 1, 1]))
    tensor([1.])
    """
    return _integrate(mean_pairwise_difference, values, groups, weights)


def energy_distance(
    values: Tensor, groups: Tensor, weights: Tensor | None = None
) -> Tensor:
    r"""Squared maximum mean discrepancy with the kernel :math:`-|x - y|`, per neuron.

    In one dimension this is the integral of the squared difference of the distribution
    functions, so that it needs no bandwidth and no table of pairs of samples; half the
    energy distance (Székely & Rizzo 2013; Sejdinovic et al. 2013). The mean over pairs
    of groups.

    Parameters
    ----------
    values : Tensor of shape (n_samples, n_neurons)
        Activations.

    groups : LongTensor of shape (n_samples,)
        Group codes.

    weights : Tensor of shape (n_samples,), default=None
        Sample weights.

    Returns
    -------
    distance : Tensor of shape (n_neurons,)
        Zero only where the distributions agree. Carries gradient to `values`.

    Examples
    --------
    >>> import torch
    >>> values = torch.tensor([[0.0], [2.0], [1.0], [3.0]])
    >>> energy_distance(values, torch.tensor([0, 0, 1, 1]))
    tensor([0.5000])
    """
    return _integrate(_mean_pairwise_square, values, groups, weights)


@dataclass(frozen=True)
class Distance:
    """A distance by name, computed from moments where it can be, else from samples.

    Attributes
    ----------
    name : str
        Name in ``DISTANCES``, or of the user's function.

    of_moments : callable or None
        ``f(moments, pools)`` for mean-based distances.

    of_samples : callable or None
        ``f(values, groups, weights)`` for the others.

    needs_squares : bool
        Whether `of_moments` uses second moments.

    slopes : callable or None
        ``f(moments, pools)``: the derivative of `of_moments` by the sums, for distances
        that are linear in them between two kinks. It spares a training step the graph
        from the sums to the distance.
    """

    name: str
    of_moments: Callable[[Moments, Tensor], Tensor] | None = None
    of_samples: Callable[..., Tensor] | None = None
    needs_squares: bool = False
    slopes: Callable[[Moments, Tensor], Tensor] | None = None

    def moments(self, values: Tensor, cells: Cells) -> Moments:
        """Moments of the activations of one layer over the cells."""
        if not self.needs_squares:
            return Moments(cells.sums(values), None, cells.counts)
        # In single precision the variance of a neuron far from zero would be lost.
        values = values.double()
        return Moments(cells.sums(values), cells.sums(values**2), cells.counts)

    def __call__(self, values: Tensor, cells: Cells, pools: Tensor) -> Tensor:
        """Discrimination of each neuron.

        Parameters
        ----------
        values : Tensor of shape (n_samples, n_neurons)
            Activations.

        cells : Cells
            Label and group of each sample.

        pools : Tensor of shape (n_pools, n_labels)
            Populations within which groups are compared; the result is their sum.

        Returns
        -------
        discrimination : Tensor of shape (n_neurons,)
            Non-negative; carries gradient to `values`.
        """
        if self.of_moments is not None:
            return self.of_moments(self.moments(values, cells), pools).to(values.dtype)
        assert self.of_samples is not None
        total = values.new_zeros(values.shape[1])
        for pool in pools.to(values.device):
            inside = pool[cells.labels] > 0
            groups = cells.groups[inside]
            if len(groups) and (groups != groups[0]).any():
                total = total + self.of_samples(
                    values[inside], groups, cells.weights[inside]
                )
        return total


@dataclass(frozen=True)
class _UsersDistance:
    """A user's function, whose answers are looked at."""

    function: Callable
    name: str

    def __call__(self, values: Tensor, groups: Tensor, weights: Tensor) -> Tensor:
        found = self.function(values, groups, weights)
        rule = (
            f"distance={self.name} must return a tensor with one number per neuron, "
            "with gradient to values"
        )
        if not isinstance(found, Tensor):
            raise TypeError(
                f"{rule}, but it returned a {type(found).__name__}: compute it with "
                "torch, and leave out .numpy(), .tolist() and float()."
            )
        if found.shape != values.shape[1:]:
            raise ValueError(
                f"{rule}, but for {values.shape[1]} neurons it returned the shape "
                f"{tuple(found.shape)}: reduce over the samples, the first axis."
            )
        if not found.isfinite().all() and values.isfinite().all():
            raise ValueError(
                f"{rule}, but it returned {found.detach().tolist()[:4]}: let it return "
                "finite numbers, also where all values are equal."
            )
        wanted = torch.is_grad_enabled() and values.requires_grad
        if found.requires_grad or not wanted:
            return found
        if not found.any():  # nothing to compare
            return 0 * values.sum(0)
        raise ValueError(
            f"{rule}, but what it returned has none, so that it would train nothing: "
            "compute it from values, and leave out .detach()."
        )


DISTANCES = {
    distance.name: distance
    for distance in (
        Distance("l1", of_moments=_mean_l1, slopes=_mean_l1_slopes),
        Distance("l2", of_moments=_mean_l2),
        Distance("standardized", of_moments=_standardized, needs_squares=True),
        Distance("wasserstein", of_samples=wasserstein_distance),
        Distance("mmd", of_samples=energy_distance),
    )
}


def resolve_distance(distance) -> Distance:
    """The distance of a name or of a user's function.

    Parameters
    ----------
    distance : str or callable
        "l1": absolute difference of the groups' means (the paper's); "l2": its square;
        "standardized": "l1" divided by the neuron's standard deviation; "wasserstein":
        :func:`wasserstein_distance`; "mmd": :func:`energy_distance`. A function takes
        ``(values, groups, weights)`` and returns one number per neuron, with gradient;
        what it returns is checked when it is called.

    Returns
    -------
    distance : Distance
        Called as ``distance(values, cells, pools)``.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> resolve_distance("l1").name
    'l1'
    """
    if isinstance(distance, Distance):
        return distance
    if callable(distance):
        name = getattr(distance, "__name__", type(distance).__name__)
        return Distance(name, of_samples=_UsersDistance(distance, name))
    if distance not in DISTANCES:
        raise ValueError(
            f"There is no distance {distance!r}: pass one of {sorted(DISTANCES)}, or a "
            "function distance(values, groups, weights)."
        )
    return DISTANCES[distance]
