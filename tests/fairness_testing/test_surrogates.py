"""Cells of a tree hold what the tree says; a network's relatives are its own."""

import importlib.util

import numpy as np
import pytest
import torch
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from skfair_runner.fairness_testing import Integers, Space, all_instances
from skfair_runner.fairness_testing._ledger import Ledger
from skfair_runner.fairness_testing._models import BlackBox
from skfair_runner.fairness_testing._solver import PairSolver
from skfair_runner.fairness_testing._surrogates import (
    NetSurrogate,
    TreeSurrogate,
    differing_cells,
    leaf_bounds,
)

needs_z3 = pytest.mark.skipif(
    importlib.util.find_spec("z3") is None, reason="z3-solver is not installed"
)
SPACE = Space(
    {
        "a": Integers(0, 9),
        "b": Integers(0, 9),
        "c": Integers(0, 4),
        "s": Integers(0, 2),
    },
    sensitive_features="s",
)
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, SPACE.sizes, (300, 4))
LABELS = (CODES @ [1, -1, 2, 2] + RNG.integers(0, 3, 300) > 6).astype(int)
TREE = DecisionTreeClassifier(max_depth=7, random_state=0).fit(CODES, LABELS)
EVERY = SPACE.expand(all_instances(SPACE))  # (500, 3, 4)


def _inside(low, high, rows):
    return ((low <= rows) & (rows <= high)).all(axis=-1)


def test_every_row_is_in_the_one_leaf_that_predicts_it():
    low, high, labels = leaf_bounds(SPACE, TREE)
    rows = EVERY.reshape(-1, 4)
    inside = _inside(low[:, None], high[:, None], rows)
    assert (inside.sum(axis=0) == 1).all()
    np.testing.assert_array_equal(labels[inside.argmax(axis=0)], TREE.predict(rows))


def test_an_instance_is_in_a_cell_just_if_the_tree_discriminates():
    low, high = differing_cells(SPACE, TREE)
    others = SPACE.others
    inside = _inside(
        low[:, None, 0, others], high[:, None, 0, others], EVERY[:, 0, others]
    )
    decided = TREE.predict(EVERY.reshape(-1, 4)).reshape(-1, 3)
    differs = decided.min(axis=1) != decided.max(axis=1)
    np.testing.assert_array_equal(inside.any(axis=0), differs)
    assert 0 < differs.sum() < len(differs)


def test_cells_of_which_every_row_was_tried_are_left_out():
    rng = np.random.default_rng(0)
    nothing = TreeSurrogate(SPACE, CODES, LABELS, EVERY[:0, 0], rng)
    everything = TreeSurrogate(SPACE, CODES, LABELS, EVERY[:, 0], rng)
    assert len(nothing.low) > 0
    assert len(everything.low) == 0


def _surrogate(kind, rng):
    if kind == "tree":
        return TreeSurrogate(SPACE, CODES, LABELS, CODES[:0], rng)
    return NetSurrogate(SPACE, CODES, LABELS, 5, rng)


@needs_z3
@pytest.mark.parametrize("kind", ["tree", "net"])
def test_what_follows_an_answer_is_new_and_decided_differently(kind):
    rng = np.random.default_rng(1)
    ledger = Ledger(SPACE, BlackBox(nn.Linear(4, 1), SPACE))
    with torch.no_grad():
        ledger.examine(CODES[:100])
    surrogate = _surrogate(kind, rng)
    solver = PairSolver(SPACE, surrogate.differs, CODES[0], 5.0, 0)
    surrogate.forget(solver, CODES[:100])
    pair = solver.solve()
    rows, questions = surrogate.follow(solver, pair, ledger, 6, rng)
    assert 0 < len(rows) <= 6
    predict = surrogate.tree.predict if kind == "tree" else surrogate.net.predict
    scale = 1 if kind == "tree" else SPACE.sizes - 1
    decided = predict(SPACE.expand(rows).reshape(-1, 4) / scale).reshape(-1, 3)
    assert (decided.min(axis=1) != decided.max(axis=1)).all()
    known = set(map(tuple, CODES[:100, :3].tolist()))
    assert not known & set(map(tuple, rows[:, :3].tolist()))
    assert bool(questions) is (kind == "tree")
    again = solver.solve()
    assert again is None or tuple(again[0][:3]) not in set(
        map(tuple, rows[:, :3].tolist())
    )
