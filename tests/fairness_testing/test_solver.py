"""Formulas agree with what they stand for; the solver's time is bounded."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from skfair_runner.fairness_testing import Integers, MLCheck, Space
from skfair_runner.fairness_testing._solver import (
    PairSolver,
    cells_formula,
    net_formula,
)
from skfair_runner.fairness_testing._surrogates import differing_cells, fit_small_net

z3 = pytest.importorskip("z3", reason="z3-solver is not installed")

SPACE = Space(
    {
        "a": Integers(0, 9),
        "b": Integers(0, 9),
        "c": Integers(0, 4),
        "s": Integers(0, 1),
    },
    sensitive_features="s",
)
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, SPACE.sizes, (400, 4))
LABELS = (CODES @ [1, -1, 2, 2] + RNG.integers(0, 3, 400) > 4).astype(int)
OTHERS = RNG.integers(0, SPACE.sizes, (60, 4))
VARIABLES = [z3.Int(f"v{k}") for k in range(4)]
TWINS = [z3.Int(f"t{k}") for k in range(4)]


def _evaluate(formula, row, twin=()):
    """What a formula says when the variables have these values."""
    variables = VARIABLES + TWINS[: len(twin)]
    codes = [*row, *twin]
    values = [(v, z3.IntVal(int(x))) for v, x in zip(variables, codes, strict=True)]
    return str(z3.simplify(z3.substitute(formula, *values)))


@pytest.mark.parametrize("sensitive", ["s", ["c", "s"]])
def test_the_formula_of_a_tree_agrees_with_the_tree_on_pairs(sensitive):
    columns = dict(zip(SPACE.names, SPACE.columns, strict=True))
    space = Space(columns, sensitive_features=sensitive)
    tree = DecisionTreeClassifier(random_state=0).fit(CODES, LABELS)
    twins = OTHERS.copy()
    twins[:, space.sensitive] = RNG.integers(0, space.sizes[space.sensitive])
    variables = list(VARIABLES)
    for position in space.sensitive:
        variables[position] = TWINS[position]
    low, high = differing_cells(space, tree)
    formula = cells_formula(space, low, high, VARIABLES, variables)
    # A pair lies in a cell as it is, or the other way round.
    said = [
        "True" in (_evaluate(formula, row, twin), _evaluate(formula, twin, row))
        for row, twin in zip(OTHERS, twins, strict=True)
    ]
    assert said == (tree.predict(OTHERS) != tree.predict(twins)).tolist()
    assert len(set(said)) == 2


def test_the_formula_of_a_net_agrees_with_the_net():
    net = fit_small_net(SPACE, CODES, LABELS, hidden_neurons=4, seed=0)
    formula = net_formula(net, SPACE.sizes, VARIABLES)
    said = [_evaluate(formula, row) for row in OTHERS]
    assert said == net.predict(OTHERS / (SPACE.sizes - 1)).astype(str).tolist()
    assert {"True", "False"} == set(said)


def _solver(space=SPACE, timeout=5.0):
    tree = DecisionTreeClassifier(random_state=0).fit(CODES, LABELS)
    cells = differing_cells(space, tree)
    differs = lambda row, twin: cells_formula(space, *cells, row, twin)  # noqa: E731
    return tree, PairSolver(space, differs, np.array([5, 5, 2, 0]), timeout, 0)


def test_answers_differ_and_are_not_repeated_once_blocked():
    tree, solver = _solver()
    seen = set()
    for _ in range(5):
        row, twin = solver.solve()
        assert (row[:3] == twin[:3]).all()
        assert tree.predict([row]) != tree.predict([twin])
        assert tuple(row[:3]) not in seen
        seen.add(tuple(row[:3]))
        solver.block(row, row)
    solver.block_rows(np.array(sorted(seen))[:, [0, 1, 2, 2]])
    changed, _ = solver.solve(solver.within(row, row, but=0))
    assert changed[0] != row[0]
    assert (changed[1:3] == row[1:3]).all()


def test_answers_keep_rules_and_immutable_columns():
    space = Space(
        dict(zip(SPACE.names, SPACE.columns, strict=True)),
        sensitive_features="s",
        immutable="b",
        constraints=[("a", ">=", "c", 2), ("a", "!=", 3)],
    )
    _, solver = _solver(space)
    for _ in range(5):
        pair = solver.solve()
        if pair is None:
            break
        row, _ = pair
        assert row[1] == 5
        assert row[0] >= row[2] + 2
        assert row[0] != 3
        solver.block(row, row)
    assert solver.calls > 1


def test_running_out_of_time_is_reported_and_not_raised(box):
    method = MLCheck(
        "net",
        n_samples=130,
        hidden_neurons=20,
        solver_timeout=1e-3,
        time_limit=5.0,
        random_state=0,
    )
    result = method.search(box.net, box.X, space=box.space)
    assert any("questions within 0.001 s" in note for note in result.notes)
    short = MLCheck(time_limit=1e-6, random_state=0)
    result = short.search(box.net, box.X, space=box.space)
    assert result.notes == ["The time limit of 1e-06 s was reached."]
