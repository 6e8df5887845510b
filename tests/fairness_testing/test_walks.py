"""Steps of walkers."""

import numpy as np
from numpy.testing import assert_allclose

from skfair_runner.fairness_testing import Space
from skfair_runner.fairness_testing._walks import (
    free_weights,
    pick_columns,
    take_steps,
)

RNG = np.random.default_rng(0)


def test_columns_are_picked_with_their_weights():
    weights = np.tile([0.0, 1.0, 3.0, 0.0], (20_000, 1))
    shares = np.bincount(pick_columns(weights, RNG), minlength=4) / 20_000
    assert_allclose(shares, [0, 0.25, 0.75, 0], atol=0.02)


def test_a_step_changes_one_column_by_one_and_stays_in_the_box(people):
    space = Space.from_data(people, sensitive_features="sex")
    codes = RNG.integers(0, space.sizes, (500, len(space.sizes)))
    positions = RNG.choice(space.free, 500)
    directions = RNG.choice([-1, 1], 500)
    stepped = take_steps(space, codes, positions, directions, RNG)
    changed = stepped != codes
    assert (changed.sum(axis=1) == 1).all()
    assert (changed.argmax(axis=1) == positions).all()
    assert ((stepped >= 0) & (stepped < space.sizes)).all()
    ordered = space.ordered[positions]
    moved = np.abs(stepped - codes).sum(axis=1)
    assert (moved[ordered] == 1).all()
    assert moved[~ordered].max() == 2  # of three levels, any other


def test_a_step_that_breaks_a_constraint_is_not_made(people):
    space = Space.from_data(
        people, sensitive_features="sex", constraints=[("age", ">=", 30)]
    )
    codes = space.encode(people[people["age"] == 30])
    where = np.zeros(len(codes), dtype=int)
    assert (take_steps(space, codes, where, where - 1, RNG) == codes).all()


def test_weights_of_columns_that_may_not_change_are_zero(people):
    space = Space.from_data(people, sensitive_features="sex", immutable="age")
    kept = free_weights(space, np.ones((2, 7)))
    assert kept[0].tolist() == [0, 1, 1, 1, 1, 0, 1]
