"""Rows to start from."""

import numpy as np
import pytest

from skfair_runner.fairness_testing import Integers, Space, all_instances
from skfair_runner.fairness_testing._sampling import sample_box, spread_seeds

RULE = [("age", ">=", "school", 15)]


def test_samples_of_the_box_keep_the_constraints_and_fill_it(people):
    space = Space.from_data(people, sensitive_features="sex", constraints=RULE)
    codes = sample_box(space, 3000, np.random.default_rng(0))
    assert len(codes) == 3000
    assert space.valid(codes).all()
    assert np.unique(codes[:, 0]).size == space.sizes[0]


def test_immutable_columns_are_drawn_together_from_the_data(people):
    fixed = ["job", "race"]
    space = Space.from_data(people[:5], sensitive_features="sex", immutable=fixed)
    drawn = space.decode(sample_box(space, 200, np.random.default_rng(0)))
    pairs = set(map(tuple, drawn[fixed].to_numpy()))
    assert pairs == set(map(tuple, people[:5][fixed].to_numpy()))


def test_a_box_that_hardly_any_row_keeps_is_refused(people):
    space = Space.from_data(
        people, sensitive_features="sex", constraints=[("age", ">", 100)]
    )
    with pytest.raises(ValueError, match="10 random rows .* only 0 keep"):
        sample_box(space, 10, np.random.default_rng(0))


def test_all_instances_are_listed_once_and_valid():
    space = Space(
        {"a": Integers(0, 3), "b": Integers(0, 3), "sex": Integers(0, 1)},
        sensitive_features="sex",
        constraints=[("a", ">", "b")],
    )
    codes = all_instances(space)
    assert len(codes) == 6
    assert (codes[:, 0] > codes[:, 1]).all()


def test_a_large_box_is_not_listed():
    space = Space(
        {"a": Integers(0, 10**7), "s": Integers(0, 1)}, sensitive_features="s"
    )
    with pytest.raises(ValueError, match="10,000,001 instances"):
        all_instances(space)


def test_seeds_are_different_instances_of_every_cluster(box):
    codes = box.space.encode(box.X)
    seeds = spread_seeds(box.space, codes, 40, 4, np.random.default_rng(0))
    assert len(np.unique(seeds[:, :4], axis=0)) == 40
    rows = {tuple(row) for row in codes[:, :4].tolist()}
    assert rows >= {tuple(row) for row in seeds[:, :4].tolist()}
