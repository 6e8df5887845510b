"""Folds and parts: strata, seeds, blocks."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import KFold, RepeatedKFold

from skfair_runner._runs.data import read_data
from skfair_runner._runs.folds import (
    disjoint_blocks,
    draw_seeds,
    make_folds,
    read_splitter,
    split_off,
)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    groups = rng.choice(["a", "b", "c"], 600, p=[0.6, 0.3, 0.1])
    return read_data(np.zeros((600, 1)), rng.integers(0, 2, 600), groups, None, "here")


def cells(data, rows):
    codes = data.codes[rows] * 3 + data.groups.codes[rows]
    return np.bincount(codes, minlength=6)


def test_every_part_holds_every_cell_in_its_share(data):
    everybody = np.arange(600)
    first, second = split_off(data, everybody, 0.25, 0)
    assert_array_equal(np.sort(np.append(first, second)), everybody)
    assert (abs(cells(data, second) - cells(data, everybody) / 4) <= 1).all()
    other = split_off(data, everybody, 0.25, 1)[1]
    assert set(second) != set(other)
    assert set(split_off(data, everybody, 0.25, 0)[1]) == set(second)


def test_a_cell_of_one_row_does_not_stop_the_parting():
    y = np.array([0, 1] * 20 + [0])
    groups = np.array(["a", "b"] * 20 + ["c"])
    data = read_data(np.zeros((41, 1)), y, groups, None, "here")
    first, second = split_off(data, np.arange(41), 0.25, 0)
    assert len(first) + len(second) == 41


def test_seeds_go_on_where_fewer_stopped():
    assert draw_seeds(3, 4)[:2] == draw_seeds(3, 2)
    assert len(set(draw_seeds(3, 4))) == 4
    assert draw_seeds(3, 2) != draw_seeds(4, 2)


def test_an_iterable_of_folds_serves_every_seed(data):
    splits = iter([(np.arange(300), np.arange(300, 600))])
    cv = read_splitter(splits)
    for _ in range(2):
        ((train, test),) = make_folds(data, cv, None)
        assert len(train) == len(test) == 300


@pytest.mark.parametrize("cv", [3, np.int64(3)])
def test_a_number_of_folds_is_a_number(cv, data):
    assert read_splitter(cv) == 3
    assert len(make_folds(data, read_splitter(cv), 0)) == 3


def test_repetitions_are_blocks():
    X = np.zeros(30)
    once = [test for _, test in KFold(5).split(X)]
    assert disjoint_blocks(once).tolist() == [0] * 5
    cv = RepeatedKFold(n_splits=5, n_repeats=3, random_state=0)
    assert disjoint_blocks([test for _, test in cv.split(X)]).tolist() == [
        *[0] * 5,
        *[1] * 5,
        *[2] * 5,
    ]
    assert disjoint_blocks([]).tolist() == []
