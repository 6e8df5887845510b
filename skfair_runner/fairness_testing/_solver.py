"""Decision trees and small networks as formulas of Z3."""

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


def tree_formula(tree, variables):
    """Class that a fitted tree predicts, as a formula.

    Parameters
    ----------
    tree : DecisionTreeClassifier
        Fitted on integer codes.

    variables : list of z3.ArithRef of length n_columns
        The codes.

    Returns
    -------
    formula : z3.ArithRef
        Position of the class in ``tree.classes_``.
    """
    solver, nodes = z3(), tree.tree_
    labels = nodes.value[:, 0].argmax(axis=1)

    def formula(node):
        left = nodes.children_left[node]
        if left < 0:
            return solver.IntVal(int(labels[node]), variables[0].ctx)
        # Codes are whole numbers, so a threshold may be rounded down.
        limit = int(np.floor(nodes.threshold[node]))
        below = variables[nodes.feature[node]] <= limit
        right = nodes.children_right[node]
        return solver.If(below, formula(left), formula(right))

    return formula(0)


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

    formula : callable
        Maps variables to the formula of the surrogate.

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

    def __init__(self, space, formula, fixed, timeout, random_state):
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
        for rule in space.rules:
            for side in (self.variables, twin):
                self._solver.add(_rule_formula(space, rule, side))
        self._solver.add(formula(self.variables) != formula(twin))
        self._twin = twin

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
