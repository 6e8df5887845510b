"""Sweeps: parts, grids, and what is measured where."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skfair_runner import sweep_tradeoff
from skfair_runner.metrics import demographic_parity_difference

TREE = DecisionTreeClassifier()
LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression())


class Remembers(ClassifierMixin, BaseEstimator):
    """Keeps the rows that it saw."""

    seen = []

    def __init__(self, number=0, random_state=None):
        self.number = number
        self.random_state = random_state

    def fit(self, X, y):
        self.seen.append((self.number, self.random_state, set(X.index)))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        self.seen[-1] += (X.index.tolist(),)
        return (X.index % 2).to_numpy()


@pytest.fixture
def sweep(people):
    def sweep(estimators=TREE, grid=None, people=people, **options):
        X, y, gender = people
        options = {"sensitive_features": gender, "random_state": 0, **options}
        return sweep_tradeoff(estimators, grid, X, y, **options)

    return sweep


def test_rows_are_parted_in_three(sweep, monkeypatch):
    monkeypatch.setattr(Remembers, "seen", [])
    result = sweep(Remembers(), {"number": [1, 2]}, n_seeds=2)
    parts = {}
    for number, seed, train, others in Remembers.seen:
        assert len(others) == len(set(others)) and train.isdisjoint(others)
        assert len(train) + len(others) == 400 and len(others) == 175
        parts[number, seed] = train
    seeds = result.settings["seeds"]
    assert set(parts) == {(number, seed) for number in (1, 2) for seed in seeds}
    assert parts[1, seeds[0]] == parts[2, seeds[0]] != parts[1, seeds[1]]


def test_each_part_is_measured_by_itself(sweep, people, monkeypatch):
    monkeypatch.setattr(Remembers, "seen", [])
    X, y, gender = people
    row = sweep(Remembers(), {"number": [1]}).per_split.iloc[0]
    others = np.array(Remembers.seen[0][-1])
    for part, rows in (("validation", others[:75]), ("test", others[75:])):
        expected = accuracy_score(y[rows], rows % 2)
        assert_allclose(row[f"{part}_accuracy"], expected)
        difference = demographic_parity_difference(
            y[rows], rows % 2, sensitive_features=gender[rows]
        )
        assert_allclose(row[f"{part}_demographic_parity_difference"], difference)


def test_folds_test_every_row_once(sweep, monkeypatch):
    monkeypatch.setattr(Remembers, "seen", [])
    result = sweep(Remembers(), {"number": [1]}, cv=4, validation_size=0.2)
    tested = [row for *_, others in Remembers.seen for row in others[60:]]
    assert sorted(tested) == list(range(400))
    assert result.per_split["fold"].tolist() == [0, 1, 2, 3]
    assert result.table["splits"].tolist() == [4]


def test_a_row_holds_the_parameters_of_its_method(sweep):
    methods = {
        "tree": (TREE, {"max_depth": [1, 3], "min_samples_leaf": [5]}),
        "logistic": (LOGISTIC, {"logisticregression__C": [0.1]}),
    }
    result = sweep(methods)
    assert result.table.index.tolist() == [("tree", 0), ("tree", 1), ("logistic", 0)]
    assert result.table["param_max_depth"].tolist()[:2] == [1, 3]
    assert np.isnan(result.table["param_max_depth"].iloc[2])
    assert result.table["param_logisticregression__C"].iloc[2] == 0.1
    settings = json.loads(json.dumps(result.settings))
    assert "tree (max_depth=3, min_samples_leaf=5)" in settings["settings"]


def test_methods_may_share_a_grid(sweep):
    other = DecisionTreeClassifier(criterion="entropy")
    result = sweep({"one": TREE, "other": other}, {"max_depth": [1, 2]})
    assert result.table.index.tolist() == [
        ("one", 0),
        ("one", 1),
        ("other", 0),
        ("other", 1),
    ]


def test_a_single_method_is_called_by_its_class(sweep):
    result = sweep(TREE, [{"max_depth": [1]}, {"max_leaf_nodes": [4]}])
    assert result.table.index.tolist() == [
        ("DecisionTreeClassifier", 0),
        ("DecisionTreeClassifier", 1),
    ]


def test_a_setting_that_fails_is_a_row_with_its_error(sweep):
    table = sweep(TREE, {"max_depth": [2, -3]}).table
    assert "max_depth" in table["error"].iloc[1]
    assert table["splits"].tolist() == [1, 0]
    assert np.isnan(table["test_accuracy_mean"].iloc[1])


def test_metrics_of_the_user_are_measured_on_both_parts(sweep):
    result = sweep(TREE, {"max_depth": [2]}, metrics={"f1": f1_score}, n_seeds=2)
    means = result.per_split[["validation_f1", "test_f1"]].mean()
    assert_allclose(result.table[["validation_f1_mean", "test_f1_mean"]].iloc[0], means)
    assert len(result.front(utility="f1")) == 1


def test_the_same_seed_gives_the_same_numbers(sweep):
    one, two = (sweep(TREE, {"max_depth": [2, 4]}).table for _ in range(2))
    keep = [name for name in one if "seconds" not in name]
    pd.testing.assert_frame_equal(one[keep], two[keep])


@pytest.mark.parametrize(
    ("estimators", "grid", "error", "match"),
    [
        ({}, {"a": [1]}, ValueError, "`estimators` is empty"),
        (TREE, None, ValueError, "'DecisionTreeClassifier' has no grid, got None"),
        ({"a": TREE}, {}, ValueError, "'a' has no grid, got {}"),
        ({"a": (TREE,)}, None, ValueError, "'a' must come with one grid.*got 1 values"),
        (
            {"a": (TREE, {"max_depth": [1]})},
            {"max_depth": [2]},
            ValueError,
            "'a' must come with one grid.*param_grid={'max_depth'",
        ),
        (DecisionTreeClassifier, {"a": [1]}, TypeError, "'ABCMeta' must be a class"),
        ({"a": StandardScaler()}, {"a": [1]}, TypeError, "'a' must be a classifier"),
        (TREE, {"alpha": [1]}, ValueError, "does not take its grid: .*'alpha'"),
    ],
)
def test_what_is_no_sweep_is_refused(sweep, estimators, grid, error, match):
    with pytest.raises(error, match=match):
        sweep(estimators, grid)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"test_size": 1}, ValueError, "`test_size` must be a share .* got 1"),
        ({"validation_size": "a"}, ValueError, "`validation_size` must .* got 'a'"),
        ({"n_seeds": 0}, ValueError, "sweep_tradeoff: `n_seeds` must be at least 1"),
        ({"n_seeds": "a"}, TypeError, "sweep_tradeoff: `n_seeds` must be an integer"),
        ({"cv": 1}, ValueError, "sweep_tradeoff: cv must be at least 2 folds, got 1"),
        (
            {"results": "file", "random_state": None},
            ValueError,
            "sweep_tradeoff: results='file' needs a seed",
        ),
    ],
)
def test_options_out_of_range_are_refused(sweep, options, error, match):
    with pytest.raises(error, match=match):
        sweep(TREE, {"max_depth": [1]}, **options)
