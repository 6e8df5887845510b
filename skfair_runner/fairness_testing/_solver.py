"""Cells of decision trees, and small networks, as formulas of Z3."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from skfair_runner.fairness_testing._rules import OPERATORS
from skfair_runner.utils import import_optional

_MILLISECONDS = 1000
# Weights are rounded before a network is used, so that its formula is exact.
DECIMALS = 4


def z3():
    """The package z3, imported only now.

    Returns
    -------
    z3 : module
        Of the package z3-solver.

    Raises
    ------
    ImportError
        If z3-solver is not installed.
    """
    return import_optional("z3", extra="verification", purpose="MLCheck")


def cells_formula(space, low, high, row, twin):
    """Whether a row and its twin lie in one of several cells, as a formula.

    Parameters
    ----------
    space : Space
        The box.

    low, high : ndarray of int of shape (n_cells, 2, n_columns)
        Smallest and largest codes of row and twin, both included.

    row, twin : list of z3.ArithRef of length n_columns
        The codes; the same variables but for the sensitive columns.

    Returns
    -------
    formula : z3.BoolRef
        False where there are no cells.
    """
    solver, known, last = z3(), {}, space.sizes - 1
    limits = [(0, row, position) for position in space.others]
    for side, variables in enumerate((row, twin)):
        limits += [(side, variables, position) for position in space.sensitive]

    def atom(variable, relation, limit):
        """The same comparison is made once, since many cells share it."""
        key = (variable.get_id(), relation, limit)
        if key not in known:
            known[key] = OPERATORS[relation](variable, limit)
        return known[key]

    cells = []
    for lower, upper in zip(low, high, strict=True):
        atoms = []
        for side, variables, position in limits:
            variable = variables[position]
            smallest, largest = int(lower[side, position]), int(upper[side, position])
            if smallest > 0:
                atoms.append(atom(variable, ">=", smallest))
            if largest < last[position]:
                atoms.append(atom(variable, "<=", largest))
        cells.append(solver.And(*atoms))
    return solver.Or(*cells) if cells else solver.BoolVal(False, row[0].ctx)


def net_formula(net, sizes, variables):
    """Whether a small fitted network predicts its second class, as a formula.

    Parameters
    ----------
    net : MLPClassifier
        With ReLU and two classes, fitted on codes divided by ``sizes - 1``; its weights
        are rounded to `DECIMALS`.

    sizes : ndarray of int of shape (n_columns,)
        Number of values of each column.

    variables : list of z3.ArithRef of length n_columns
        The codes.

    Returns
    -------
    formula : z3.BoolRef
        True for the second class.
    """
    solver, context = z3(), variables[0].ctx
    values = [
        solver.ToReal(variable) / solver.RealVal(max(int(size) - 1, 1), context)
        for variable, size in zip(variables, sizes, strict=True)
    ]
    last = len(net.coefs_) - 1
    for number, (weights, biases) in enumerate(
        zip(net.coefs_, net.intercepts_, strict=True)
    ):
        sums = [
            solver.Sum(
                [_exact(w, context) * v for w, v in zip(column, values, strict=True)]
            )
            + _exact(bias, context)
            for column, bias in zip(weights.T, biases, strict=True)
        ]
        if number == last:
            return sums[0] > 0
        values = [
            solver.If(total > 0, total, solver.RealVal(0, context)) for total in sums
        ]
    raise AssertionError("a network has at least one layer")


def _exact(weight, context):
    """A weight with `DECIMALS` decimals, exactly."""
    exact = Fraction(round(weight * 10**DECIMALS), 10**DECIMALS)
    return z3().RealVal(str(exact), context)


class PairSolver:
    """Looks for a row that a surrogate decides differently with other sensitive values.

    Parameters
    ----------
    space : Space
        The box; its rules are part of the formula, its functions are not.

    differs : callable
        Maps the variables of a row and of its twin to the formula that the surrogate
        decides them differently.

    fixed : ndarray of int of shape (n_columns,)
        Values of the columns that the search may not change.

    timeout : float
        Seconds for one answer.

    random_state : int
        Seed of Z3.

    Attributes
    ----------
    calls, timeouts : int
        How often Z3 was asked, and how often it did not answer in time.
    """

    def __init__(self, space, differs, fixed, timeout, random_state):
        solver = z3()
        self.space, self.calls, self.timeouts = space, 0, 0
        # Of its own, so that answers do not depend on what was asked before.
        context = solver.Context()
        self._solver = solver.Solver(ctx=context)
        self._solver.set("timeout", max(1, round(timeout * _MILLISECONDS)))
        self._solver.set("random_seed", int(random_state))
        self.variables = [solver.Int(f"c{k}", context) for k in range(len(space.sizes))]
        twin = list(self.variables)
        for position in space.sensitive:
            twin[position] = solver.Int(f"t{position}", context)
        for position, variable in enumerate(self.variables):
            self._solver.add(variable >= 0, variable < int(space.sizes[position]))
        for position in space.sensitive:
            limit = int(space.sizes[position])
            self._solver.add(twin[position] >= 0, twin[position] < limit)
        for position in space.immutable:
            self._solver.add(self.variables[position] == int(fixed[position]))
        for rule in space.constraints.rules:
            for side in (self.variables, twin):
                self._solver.add(_rule_formula(space, rule, side))
        self._solver.add(differs(self.variables, twin))
        self._twin, self._atoms = twin, {}

    def solve(self, *assumptions):
        """A row and its twin, or None where there is none or no time.

        Parameters
        ----------
        *assumptions : z3.BoolRef
            Must hold as well, for this question alone.

        Returns
        -------
        pair : tuple (row, twin) of ndarray of int of shape (n_columns,), or None
            Codes.
        """
        self.calls += 1
        answer = str(self._solver.check(*assumptions))
        self.timeouts += answer == "unknown"
        if answer != "sat":
            return None
        model = self._solver.model()
        return tuple(
            np.array(
                [model.eval(v, model_completion=True).as_long() for v in side],
                dtype=np.int64,
            )
            for side in (self.variables, self._twin)
        )

    def block(self, low, high):
        """Ask for no row within bounds any more.

        Parameters
        ----------
        low, high : ndarray of int of shape (n_columns,)
            Smallest and largest code of each column, both included.
        """
        self._solver.add(z3().Not(self.within(low, high)))

    def block_rows(self, rows):
        """Ask for none of some rows any more, whatever their sensitive values.

        Parameters
        ----------
        rows : ndarray of int of shape (n_rows, n_columns)
            Codes.
        """
        for row in rows[:, self.space.others].tolist():
            differs = [
                self._unequal(position, code)
                for position, code in zip(self.space.others, row, strict=True)
            ]
            self._solver.add(z3().Or(differs))

    def _unequal(self, position, code):
        """A comparison, made once for all rows that share it."""
        key = (position, code)
        if key not in self._atoms:
            self._atoms[key] = self.variables[position] != code
        return self._atoms[key]

    def within(self, low, high, but=None):
        """Formula that a row lies within bounds, but for one column outside them.

        Parameters
        ----------
        low, high : ndarray of int of shape (n_columns,)
            Bounds, both included; sensitive columns are not looked at.

        but : int, default=None
            Position of the column that must lie outside.

        Returns
        -------
        formula : z3.BoolRef
            On the row, not the twin.
        """
        solver, parts = z3(), []
        for position in self.space.others:
            variable = self.variables[position]
            inside = solver.And(
                variable >= int(low[position]), variable <= int(high[position])
            )
            parts.append(solver.Not(inside) if position == but else inside)
        return solver.And(*parts)


def _rule_formula(space, rule, variables):
    """A rule on values, as a formula on codes."""

    def value(position):
        column, variable = space.columns[position], z3().ToReal(variables[position])
        low, step = number(column.low), number(column.step)
        return low + step * variable

    def number(value):
        return z3().RealVal(str(Fraction(value)), variables[0].ctx)

    right = number(rule.offset)
    if rule.right is not None:
        right = value(rule.right) + right
    return OPERATORS[rule.relation](value(rule.left), right)
