"""What the parameter `constraint` says: one thing to hold, or several with bounds.

Several constraints are one constraint to the diagnosis and to the neuron penalty, whose
populations are those of all; each keeps a bound and a controller of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from .conditions import CONSTRAINTS, Conditions, Constraint, resolve_constraint

# What RunnerFairClassifier's difference_bound is where nobody has set it.
DEFAULT_BOUND = 0.05


@dataclass(frozen=True)
class JointConstraint(Constraint):
    """Several constraints at once.

    Its gap is the sum of theirs, each with weight one, as the gap of equalized odds is
    the sum of its two. The multipliers would be other weights, but they are unknown
    when the biased model is diagnosed, before the repair, and vanish where a bound is
    met: the neurons held responsible would change with every crossing of a bound, and
    be arbitrary where all bounds are met.

    Attributes
    ----------
    members : tuple of Constraint
        At least two, in the order of ``CONSTRAINTS``.
    """

    members: tuple[Constraint, ...] = ()

    @property
    def parts(self) -> tuple[Constraint, ...]:
        """The constraints one by one."""
        return self.members

    def conditions(self, n_labels: int, positive: int = 1) -> Conditions:
        """Populations and score columns of all, one constraint after the other.

        Parameters
        ----------
        n_labels : int
            Number of labels.

        positive : int, default=1
            Code of the favourable label.

        Returns
        -------
        conditions : Conditions
            Shapes (n_conditions, n_labels) and (n_conditions,).
        """
        found = [part.conditions(n_labels, positive) for part in self.members]
        return Conditions(*(torch.cat(several) for several in zip(*found, strict=True)))

    def activation_pools(self, n_labels: int, positive: int = 1) -> Tensor:
        """Populations within which an activation must not depend on the group.

        Parameters
        ----------
        n_labels : int
            Number of labels.

        positive : int, default=1
            Code of the favourable label.

        Returns
        -------
        pools : Tensor of shape (n_pools, n_labels)
            Those of all constraints, each once.
        """
        pools = [part.activation_pools(n_labels, positive) for part in self.members]
        rows = [tuple(row) for row in torch.cat(pools).tolist()]
        return torch.tensor(list(dict.fromkeys(rows)))


def resolve_constraints(constraint: Any) -> Constraint:
    """The constraint that `constraint` means.

    Parameters
    ----------
    constraint : str, callable, Constraint or dict of str to float or None
        A name, a gap, or names with their bounds.

    Returns
    -------
    constraint : Constraint
        For several names a :class:`JointConstraint`, the same for every order of the
        dict; for a dict of one name what the name alone gives.

    Raises
    ------
    TypeError
        If a key is no name, or a bound no number.

    ValueError
        If a name is unknown, the dict is empty, or a bound is not in [0, 1].

    Examples
    --------
    >>> pair = {"equalized_odds": 0.1, "demographic_parity": 0.05}
    >>> resolve_constraints(pair).name
    'demographic_parity and equalized_odds'
    """
    if not isinstance(constraint, Mapping):
        return resolve_constraint(constraint)
    if not constraint:
        raise ValueError(
            f"constraint={constraint!r} names nothing to hold: pass names and bounds, "
            "as in {'demographic_parity': 0.05}; constraint=None trains plainly."
        )
    for name, bound in constraint.items():
        _check_entry(name, bound, constraint)
    members = tuple(part for name, part in CONSTRAINTS.items() if name in constraint)
    if len(members) == 1:
        return members[0]
    joined = " and ".join(part.name for part in members)
    # With two names, at least one compares within labels.
    return JointConstraint(joined, None, "each label", members=members)


def _check_entry(name: Any, bound: Any, constraint: Mapping) -> None:
    """Refuse a key that is no name of ours, and a bound that is none."""
    if not isinstance(name, str):
        what = "a gap function" if callable(name) else f"of type {type(name).__name__}"
        raise TypeError(
            f"constraint={dict(constraint)!r} has the key {name!r}, {what}: the keys "
            f"are names, of {sorted(CONSTRAINTS)}. A gap of your own stands alone, as "
            "constraint=gap."
        )
    if name not in CONSTRAINTS:
        raise ValueError(
            f"constraint={dict(constraint)!r} has the key {name!r}, and there is no "
            f"such constraint: the keys are of {sorted(CONSTRAINTS)}."
        )
    entry = f"constraint={{{name!r}: {bound!r}}}"
    if bound is None:
        return
    if not isinstance(bound, Real) or isinstance(bound, bool):
        raise TypeError(
            f"{entry} has a bound of type {type(bound).__name__}: pass a number in "
            "[0, 1], or None for no controller."
        )
    if not 0 <= float(bound) <= 1:
        raise ValueError(
            f"{entry} has a bound outside [0, 1], where differences of rates lie: pass "
            "a number in [0, 1], or None for no controller."
        )


def resolve_bounds(constraint: Any, difference_bound: float | None):
    """What the controllers hold.

    Parameters
    ----------
    constraint : str, callable, Constraint or dict of str to float or None
        As of :func:`resolve_constraints`, which has checked it.

    difference_bound : float or None
        Of a single constraint; a dict has its own.

    Returns
    -------
    bounds : float, dict of str to float or None, or None
        One bound; for several constraints theirs by name, in the order of
        ``CONSTRAINTS``. None where nothing is bounded.

    Examples
    --------
    >>> resolve_bounds("demographic_parity", 0.05)
    0.05
    >>> resolve_bounds({"equalized_odds": 0.1, "demographic_parity": None}, 0.05)
    {'demographic_parity': None, 'equalized_odds': 0.1}
    >>> resolve_bounds({"equalized_odds": 0.1}, 0.05)
    0.1
    """
    if not isinstance(constraint, Mapping):
        return difference_bound
    bounds = {name: constraint[name] for name in CONSTRAINTS if name in constraint}
    if all(bound is None for bound in bounds.values()):
        return None
    return bounds if len(bounds) > 1 else next(iter(bounds.values()))


def by_constraint(value: Any, constraint: Constraint) -> dict[str, Any]:
    """A setting for each part of a constraint.

    Parameters
    ----------
    value : object or dict of str to object
        One for all, or one for each by name.

    constraint : Constraint
        One or several.

    Returns
    -------
    values : dict of str to object
        By the name of the part.

    Examples
    --------
    >>> by_constraint(0.05, resolve_constraints("equalized_odds"))
    {'equalized_odds': 0.05}
    """
    return {
        part.name: value[part.name] if isinstance(value, Mapping) else value
        for part in constraint.parts
    }


def check_agreement(
    constraint: Any, difference_bound: float | None, output_weight: float | None
) -> None:
    """Refuse a dict of bounds beside a parameter that says something else.

    Parameters
    ----------
    constraint : dict of str to float or None
        Names and bounds.

    difference_bound : float or None
        Not read beside a dict, so that it has to be at its default, or to say of every
        name what the dict says.

    output_weight : float or None
        A weight needs bounds of None.

    Raises
    ------
    ValueError
        If they contradict each other.
    """
    told = set(constraint.values())
    if difference_bound != DEFAULT_BOUND and told != {difference_bound}:
        raise ValueError(
            f"constraint={constraint!r} has bounds of its own, so that "
            f"difference_bound={difference_bound!r} would not be read: leave it at its "
            f"default, {DEFAULT_BOUND}. A search gives dicts a grid of their own, as "
            "in [{'constraint': [{...}, {...}]}, {'difference_bound': [...]}]."
        )
    if output_weight is not None and told != {None}:
        raise ValueError(
            f"constraint={constraint!r} has bounds, and "
            f"output_weight={output_weight!r} is another way to steer the same term: "
            "set all bounds to None, or output_weight."
        )
