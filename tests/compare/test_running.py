"""Comparisons that are stopped, go on, and run again only what changed."""

import os
import sqlite3
from collections import Counter
from pathlib import Path
from threading import Lock

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skfair_runner import RunnerFairClassifier, sweep_tradeoff

FITS = Counter()
STOPPED_AT = []  # numbers of fits at which Ctrl-C is pressed


class Counts(ClassifierMixin, BaseEstimator):
    """Decides by one column; counts its fits."""

    def __init__(self, cut=0.0, name="counts", hook=None):
        self.cut = cut
        self.name = name
        self.hook = hook

    def fit(self, X, y):
        FITS[self.name] += 1
        if FITS.total() in STOPPED_AT:
            raise KeyboardInterrupt
        self.classes_ = np.unique(y)
        self.middle_ = X.iloc[:, 0].mean() + self.cut
        return self

    def predict_proba(self, X):
        chance = 1 / (1 + np.exp(self.middle_ - X.iloc[:, 0].to_numpy()))
        return np.column_stack([1 - chance, chance])

    def predict(self, X):
        return (self.predict_proba(X)[:, 1] > 0.5).astype(int)


class FailsAtFirst(Counts):
    def fit(self, X, y):
        super().fit(X, y)
        if FITS[self.name] <= 3:
            raise MemoryError("none left")
        return self


@pytest.fixture(autouse=True)
def fits():
    """Fits by name, from zero."""
    FITS.clear()
    STOPPED_AT.clear()
    return FITS


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.results"


def same(one, two):
    """Compare tables but for the times."""
    keep = [name for name in one if "seconds" not in name]
    pd.testing.assert_frame_equal(one[keep], two[keep])


def test_what_ctrl_c_left_is_gone_on_with(compare, path, fits):
    methods = {"a": Counts(name="a"), "b": Counts(1.0, name="b")}
    STOPPED_AT.append(4)
    with pytest.raises(KeyboardInterrupt):
        compare(methods, results=path)
    assert fits.total() == 4
    result = compare(methods, results=path)
    # Three were finished, the fourth was begun and runs again.
    assert fits.total() == 4 + 3
    same(result.table, compare(methods).table)
    same(result.per_fold, compare(methods).per_fold)
    for name, table in compare(methods).predictions.items():
        pd.testing.assert_frame_equal(table, result.predictions[name])


def test_nothing_runs_twice(compare, path, fits):
    first = compare({"a": Counts()}, results=path).table
    second = compare({"a": Counts()}, results=path).table
    assert fits.total() == 3
    # Times are those of the fits, too.
    pd.testing.assert_frame_equal(first, second)


def test_a_changed_setting_reruns_that_method_only(compare, path, fits):
    compare({"a": Counts(name="a"), "b": Counts(name="b")}, results=path)
    compare({"a": Counts(name="a"), "b": Counts(0.5, name="b")}, results=path)
    assert fits == {"a": 3, "b": 6}
    compare({"other name": Counts(name="a")}, results=path)
    assert fits == {"a": 3, "b": 6}


def test_further_seeds_metrics_and_folds_run_what_is_new(compare, path, fits):
    compare({"a": Counts()}, results=path)
    metrics = ["area_between_cdfs"]
    result = compare({"a": Counts()}, results=path, metrics=metrics, n_bootstrap=0)
    assert fits.total() == 3
    assert result.table["area_between_cdfs_mean"].notna().all()
    compare({"a": Counts()}, results=path, n_seeds=2)
    assert fits.total() == 6
    compare({"a": Counts()}, results=path, random_state=1)
    assert fits.total() == 9


def test_what_failed_is_tried_again(compare, path, fits):
    table = compare({"a": FailsAtFirst()}, results=path).table
    assert table.loc["a", "error"] == "MemoryError: none left"
    table = compare({"a": FailsAtFirst()}, results=path).table
    assert table.loc["a", "error"] == "" and fits.total() == 6


def test_functions_and_arrays_among_the_settings_are_looked_into(compare, path, fits):
    def hook(scale):
        return lambda x: x * scale

    for value in (hook(1), hook(1), np.arange(2000), np.arange(2000)):
        compare({"a": Counts(hook=value)}, results=path)
    assert fits.total() == 6
    changed = np.arange(2000)
    changed[1000] = -1
    for value in (hook(2), changed):
        compare({"a": Counts(hook=value)}, results=path)
    assert fits.total() == 12


def test_other_data_are_refused(compare, path, people):
    compare({"a": Counts()}, results=path)
    X, y, gender = people
    flipped = y.to_numpy().copy()
    flipped[0] = 1 - flipped[0]
    with pytest.raises(
        ValueError, match=r"some\.results' belongs to other data .*: y\)"
    ):
        compare({"a": Counts()}, (X, flipped, gender), results=path)
    with pytest.raises(ValueError, match="400 × 6 there, 399 × 6 here"):
        compare({"a": Counts()}, (X[1:], y[1:], gender[1:]), results=path)


def test_another_file_is_refused_and_left_alone(compare, path):
    path.write_bytes(b"method,accuracy\n" * 99)
    with pytest.raises(
        ValueError, match=r"some\.results' is no file of results \(file"
    ):
        compare({"a": Counts()}, results=path)
    assert path.read_bytes() == b"method,accuracy\n" * 99


def test_the_folder_must_be_there(compare, tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder .*absent' of results="):
        compare({"a": Counts()}, results=tmp_path / "absent" / "some.results")


def test_settings_that_cannot_be_compared_are_refused(compare, path):
    with pytest.raises(TypeError, match=r"settings of 'a' changed, but .*lock.*Leave"):
        compare({"a": Uncloned(hook=Lock())}, results=path)


class Uncloned(Counts):
    """Hands a lock on, which cannot be copied."""

    def __sklearn_clone__(self):
        return type(self)(self.cut, self.name, self.hook)


def test_sweeps_and_comparisons_share_a_file(compare, people, path, fits):
    X, y, gender = people
    for _ in range(2):
        sweep_tradeoff(
            Counts(),
            {"cut": [0.0, 1.0]},
            X,
            y,
            sensitive_features=gender,
            random_state=0,
            results=path,
        )
    compare({"a": Counts()}, results=path)
    assert fits.total() == 2 + 3


def test_warnings_and_neurons_come_back_from_the_file(compare, path):
    net = RunnerFairClassifier(warmup_epochs=1, max_epochs=1, hidden_layer_sizes=(4,))
    found = []
    for _ in range(2):
        with pytest.warns(UserWarning) as told:
            methods = {"net": net, "logistic": LogisticRegression(max_iter=1)}
            found.append(compare(methods, results=path, n_bootstrap=0))
        assert {ConvergenceWarning} <= {each.category for each in told}
    pd.testing.assert_frame_equal(found[0].neurons["net"], found[1].neurons["net"])
    history = [each.history["net"].select_dtypes("number") for each in found]
    pd.testing.assert_frame_equal(*history)


def test_progress_counts_what_is_there_already(compare, path, capsys):
    compare({"a": Counts()}, results=path)
    compare({"a": Counts()}, results=path, verbose=1)
    assert "3/3" in capsys.readouterr().err


@pytest.mark.slow  # each process imports torch
def test_two_processes_store_what_one_stores(compare, path, logistic):
    result = compare({"a": logistic}, results=path, n_jobs=2)
    same(result.table, compare({"a": logistic}, results=path).table)
    same(result.table, compare({"a": logistic}).table)
    with sqlite3.connect(path) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM outcomes").fetchone()
    assert count == 3
    assert os.listdir(Path(path).parent) == ["some.results"]
