"""Rules between columns that every tried row must keep, such as age ≥ education + 5."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from numbers import Real

import numpy as np

OPERATORS = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True)
class Rule:
    """A comparison of one numeric column with another, or with a number.

    Attributes
    ----------
    left : int
        Position of the column.

    relation : str
        One of ``>=``, ``>``, ``<=``, ``<``, ``==``, ``!=``.

    right : int or None
        Position of the other column; None compares with `offset` alone.

    offset : float
        Added to the right side.
    """

    left: int
    relation: str
    right: int | None
    offset: float

    @property
    def columns(self) -> tuple[int, ...]:
        """Positions of the columns that it looks at."""
        return (self.left,) if self.right is None else (self.left, self.right)

    def holds(self, values) -> np.ndarray:
        """Whether each row keeps it.

        Parameters
        ----------
        values : callable
            Returns the values of the column at a position.

        Returns
        -------
        kept : ndarray of shape (n_samples,), dtype bool
            One per row.
        """
        bound = self.offset if self.right is None else values(self.right) + self.offset
        return OPERATORS[self.relation](values(self.left), bound)


def read_rule(constraint, names, columns) -> Rule:
    """The rule of a tuple that a user wrote.

    Parameters
    ----------
    constraint : tuple
        ``(column, relation, column or number)``, and perhaps a number that is added to
        the right side.

    names : sequence
        Names of the columns.

    columns : sequence of Column
        What they hold.

    Returns
    -------
    rule : Rule
        With positions in place of names.

    Raises
    ------
    TypeError
        If it is no tuple of three or four entries.

    ValueError
        If a column or relation is unknown, or a column holds no numbers.

    Examples
    --------
    >>> from skfair_runner.fairness_testing import Integers
    >>> read_rule(
    ...     ("age", ">=", "school", 5), ["age", "school"], [Integers(0, 9)] * 2
    ... )
    Rule(left=0, relation='>=', right=1, offset=5.0)
    """
    if not isinstance(constraint, tuple | list) or len(constraint) not in (3, 4):
        raise TypeError(
            "A constraint is a function of a table, or a tuple such as "
            f"('age', '>=', 'years_of_education', 5), but got {constraint!r}."
        )
    left, relation, right, *offset = constraint
    if relation not in OPERATORS:
        raise ValueError(
            f"The constraint {constraint!r} has the relation {relation!r}: write one "
            f"of {list(OPERATORS)}."
        )
    is_number = isinstance(right, Real) and right not in names
    positions = [
        _numeric_position(name, constraint, names, columns)
        for name in ([left] if is_number else [left, right])
    ]
    total = float(sum(offset)) + (float(right) if is_number else 0.0)
    return Rule(positions[0], relation, None if is_number else positions[1], total)


class Constraints:
    """Rules and functions of tables, which every tried row keeps.

    Parameters
    ----------
    constraints : tuple, callable or list of them
        What a user wrote.

    names : sequence
        Names of the columns.

    columns : sequence of Column
        What they hold.

    Attributes
    ----------
    rules : list of Rule
        Those that were written as tuples.

    functions : list of callable
        The others; each gets a table, and returns one bool per row.
    """

    def __init__(self, constraints, names, columns):
        self.rules, self.functions = [], []
        self._columns = columns
        for constraint in [constraints] if callable(constraints) else constraints:
            if callable(constraint):
                self.functions.append(constraint)
            else:
                self.rules.append(read_rule(constraint, names, columns))

    def concern(self, positions) -> bool:
        """Whether one of them may look at any of some columns."""
        looks = {position for rule in self.rules for position in rule.columns}
        return bool(self.functions or looks & set(np.asarray(positions).tolist()))

    def hold(self, codes, to_table) -> np.ndarray:
        """Whether rows keep them all.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples, n_columns)
            Rows.

        to_table : callable
            Makes the table of codes that functions are given.

        Returns
        -------
        kept : ndarray of shape (n_samples,), dtype bool
            True where there are no constraints.
        """
        kept = np.ones(len(codes), dtype=bool)
        for rule in self.rules:
            kept &= rule.holds(lambda k: self._columns[k].decode(codes[:, k]))
        if self.functions:
            table = to_table(codes)
            for function in self.functions:
                kept &= np.asarray(function(table), dtype=bool)
        return kept


def _numeric_position(name, constraint, names, columns) -> int:
    names = list(names)
    if name not in names:
        raise ValueError(
            f"The constraint {constraint!r} names {name!r}, which is not a column; "
            f"the columns are {names}."
        )
    position = names.index(name)
    if not columns[position].ordered:
        raise ValueError(
            f"The constraint {constraint!r} compares {name!r}, which holds categories: "
            "pass a function of a table instead."
        )
    return position
