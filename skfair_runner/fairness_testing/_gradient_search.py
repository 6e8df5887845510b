"""The skeleton that ADF, EIDIG and NeuronFair share.

Global phase: rows of the data are moved towards the decision boundary, in columns where
the gradients of the row and of its twin agree. Local phase: from every hit a walker
changes one column at a time, preferring columns that matter little to the model.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from skfair_runner.fairness_testing._base import GLOBAL_SHARE, Search
from skfair_runner.fairness_testing._ledger import BudgetSpent
from skfair_runner.fairness_testing._sampling import spread_seeds
from skfair_runner.fairness_testing._walks import (
    Walkers,
    free_weights,
    pick_columns,
    take_steps,
)

# A column without influence is chosen at most so many times as often as the one with
# most, about: with the published 1e-6 a walker may change nothing else.
_FLOOR = 0.001
_ATTEMPTS = 3


class GradientSearch(Search):
    """Base of the gradient searches. A subclass has `_objective`."""

    needs_gradients = True
    momentum = 0.0
    refresh = 1
    # Whether ascending takes a row out of its own decision.
    knows_sides = True

    def _prepare(self, ledger, data):
        """Look at the data before the search; nothing by default."""

    def _objective(self, model, rng):
        """What is ascended, as a function of stacked rows and twins."""
        raise NotImplementedError

    def _run(self, ledger, data, rng, notes):
        self._prepare(ledger, data)
        seeds = spread_seeds(ledger.space, data, self.n_global, self.n_clusters, rng)
        ledger.begin("global", GLOBAL_SHARE)
        with suppress(BudgetSpent):
            self._global(ledger, seeds, rng)
        tried, found, _ = ledger.collected()
        ledger.begin("local")
        if found.any():
            self._local(ledger, tried[found].astype(np.int64), rng)

    def _pulls(self, model, codes, twins, rng):
        """Gradients at rows and at their twins, with respect to the inputs."""
        stacked = np.concatenate([codes, twins])
        gradients = model.gradients(stacked, self._objective(model, rng))
        return gradients[: len(codes)], gradients[len(codes) :]

    def _global(self, ledger, codes, rng):
        """Move seeds until they are discriminatory, at most `max_iter` times."""
        space, features = ledger.space, ledger.model.features
        answers = ledger.examine(codes)
        memory = np.zeros((2, *codes.shape))
        for _ in range(self.max_iter):
            left = ~answers.discriminatory & answers.valid
            codes, memory = codes[left], memory[:, left]
            if not len(codes):
                return
            twins = _twins(space, codes, answers.other[left])
            pulls = self._pulls(ledger.model, codes, twins, rng)
            memory *= self.momentum
            memory[0] += features.slopes(pulls[0], codes)
            memory[1] += features.slopes(pulls[1], twins)
            codes = _ascend(space, features, codes, twins, pulls, memory, rng)
            answers = ledger.examine(codes)

    def _local(self, ledger, codes, rng):
        """Walk through discriminatory instances, one column at a time."""
        space, model = ledger.space, ledger.model
        walkers = Walkers(codes)
        answers = ledger.ask(codes)
        other, balance = answers.other, answers.balance
        weights, lean = self._weights(model, space, codes, other, rng)
        successes = np.zeros(len(codes))
        for _ in range(self.n_local):
            due = successes >= self.refresh
            if due.any():
                home = walkers.home[due]
                weights[due], lean[due] = self._weights(
                    model, space, home, other[due], rng
                )
                successes[due] = 0
            positions = pick_columns(weights, rng)
            outward = balance * lean[np.arange(len(codes)), positions]
            rises = rng.uniform(-1, 1, len(codes)) > outward
            reached = walkers.move(ledger, positions, np.where(rises, 1, -1), rng)
            success = reached.discriminatory
            other[success] = reached.other[success]
            balance[success] = reached.balance[success]
            successes += success

    def _weights(self, model, space, codes, other, rng):
        """Weight of each column, and whether it moves row and twin up or down.

        A pair stays discriminatory as long as the boundary lies between the two, so a
        step away from the middle is the less likely the nearer one of them is to it.
        """
        twins = _twins(space, codes, other)
        own, at_twin = self._pulls(model, codes, twins, rng)
        own = model.features.slopes(own, codes)
        at_twin = model.features.slopes(at_twin, twins)
        # The row's pull is away from its decision, the twin's towards it.
        lean = np.sign(at_twin - own) * self.knows_sides
        return column_weights(space, np.abs(own) + np.abs(at_twin)), lean


def column_weights(space, influence) -> np.ndarray:
    """Weights that fall with a column's influence.

    Parameters
    ----------
    space : Space
        The box.

    influence : ndarray of shape (n_samples, n_columns)
        Absolute change of the quantity per step; not negative.

    Returns
    -------
    weights : ndarray of shape (n_samples, n_columns)
        One over influence, as a share of the row's largest and with a floor; all alike
        where nothing has influence, and zero for columns that may not be changed.
    """
    influence = free_weights(space, influence)
    largest = influence.max(axis=1, keepdims=True)
    share = influence / np.where(largest > 0, largest, 1)
    return free_weights(space, 1 / (share + _FLOOR))


def _twins(space, codes, combination):
    """Rows with other sensitive values."""
    twins = codes.copy()
    twins[:, space.sensitive] = space.combinations[combination]
    return twins


def _ascend(space, features, codes, twins, pulls, memory, rng):
    """One step in every ordered column in which row and twin agree."""
    signs = np.sign(memory)
    direction = np.where(signs[0] == signs[1], signs[0], 0)
    direction = free_weights(space, direction) * space.ordered
    moved = np.clip(codes + direction.astype(np.int64), 0, space.sizes - 1)
    _best_levels(space, features, codes, twins, pulls, moved)
    for _ in range(_ATTEMPTS):
        broken = ~space.valid(moved)
        # Part of the step may keep a constraint that the whole one breaks.
        undone = broken[:, None] & (rng.uniform(size=moved.shape) < 0.5)
        moved = np.where(undone, codes, moved)
    broken = ~space.valid(moved)
    moved[broken] = codes[broken]
    stuck = (moved == codes).all(axis=1)
    weights = free_weights(space, np.ones((stuck.sum(), codes.shape[1])))
    positions = pick_columns(weights, rng)
    directions = rng.choice([-1, 1], size=int(stuck.sum()))
    moved[stuck] = take_steps(space, codes[stuck], positions, directions, rng)
    return moved


def _best_levels(space, features, codes, twins, pulls, moved):
    """Change the one category that helps row and twin most, to first order."""
    best = np.zeros(len(codes))
    column, level = np.full(len(codes), -1), np.zeros(len(codes), dtype=np.int64)
    for position in space.free[~space.ordered[space.free]]:
        gains = [
            features.level_changes(pull, rows, position)
            for pull, rows in zip(pulls, (codes, twins), strict=True)
        ]
        both = np.where((gains[0] > 0) & (gains[1] > 0), gains[0] + gains[1], 0)
        better = both.max(axis=1) > best
        best = np.maximum(best, both.max(axis=1))
        column[better] = position
        level[better] = both.argmax(axis=1)[better]
    helped = np.flatnonzero(column >= 0)
    moved[helped, column[helped]] = level[helped]
