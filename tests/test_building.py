"""From parameters and data to a net: names, data sets, tasks."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skfair_runner._building import check_skorch_parameter, make_dataset, make_task
from skfair_runner._training_data import TrainingData
from skfair_runner.groups import encode_groups


def make_data(y, groups=None, weights=None, X=None):
    y = np.asarray(y)
    if X is None:
        X = np.linspace(0, 1, 2 * len(y)).reshape(-1, 2)
    if not sparse.issparse(X):
        X = X.astype(np.float32)
    return TrainingData(
        X=X,
        y=y,
        classes=np.unique(y),
        groups=None if groups is None else encode_groups(list(groups)),
        weights=None if weights is None else np.asarray(weights, np.float32),
    )


# Names


@pytest.mark.parametrize(
    "name", ["module__width", "optimizer__momentum", "callbacks__x__y", "criterion__w"]
)
def test_names_with_a_prefix_of_skorch_pass(name):
    check_skorch_parameter(name, ["alpha"], "Clf")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("alhpa", r"Clf has no parameter 'alhpa'; did you mean 'alpha'\? Parameters"),
        ("zzz", r"Clf has no parameter 'zzz'\. Parameters of the net .* module__, op"),
        ("module_width", "no parameter 'module_width'"),
        ("optimizer__lr", "Clf does not take 'optimizer__lr': .* parameter, lr"),
    ],
)
def test_other_names_are_refused(name, message):
    with pytest.raises(TypeError, match=message):
        check_skorch_parameter(name, ["alpha", "top_k"], "Clf")


# Data sets


def test_a_data_set_shares_the_arrays():
    data = make_data([0, 1, 1, 0], "abab", [1, 2, 3, 4])
    everything = make_dataset(data)
    assert everything.X["X"] is data.X
    assert everything.rows is None
    assert make_dataset(data, np.arange(4)).rows is None
    part = make_dataset(data, np.array([2, 0]))
    batch, y = part.take(np.array([0, 1]))
    assert y.tolist() == [1, 0]
    assert batch["groups"].tolist() == [0, 0]
    assert batch["weights"].tolist() == [3, 1]
    shuffled = make_dataset(data, np.array([3, 1, 2, 0]))
    assert shuffled.take(np.arange(4))[1].tolist() == [0, 1, 1, 0]


# Tasks: how balanced batches differ from the data


def task_of(data, sampling, correct_prior=True, rows=None):
    estimator = SimpleNamespace(sampling=sampling, correct_prior=correct_prior)
    rows = data.rows if rows is None else rows
    return make_task(estimator, data, rows, positive=1, output="logits")


@pytest.mark.parametrize("options", [("shuffled", True), ("group", False)])
def test_without_correction_there_is_none(options):
    task = task_of(make_data([0, 1, 1, 0], "aabb"), *options)
    assert (task.n_labels, task.n_groups) == (2, 2)
    assert task.logit_shift is None
    assert task.cell_weights is None


def test_without_groups_there_is_nothing_to_balance():
    assert task_of(make_data([0, 1]), "shuffled").n_groups == 0


def test_balanced_cells_are_corrected_by_their_shares():
    """Cells of 6, 2, 3 and 1 rows, drawn alike, by hand."""
    y = [0] * 6 + [1] * 2 + [0] * 3 + [1]
    task = task_of(make_data(y, "a" * 8 + "b" * 4), "group_label")
    assert_allclose(task.cell_weights, np.array([[6, 3], [2, 1]]) / 12 * 4)
    # Half of a batch has label 1, of the data a quarter: odds of 1 to 1/3.
    assert_allclose(task.logit_shift, [np.log(3)], rtol=1e-6)


def test_balanced_groups_keep_their_shares_of_labels():
    y = [0] * 6 + [1] * 2 + [0] + [1] * 3
    task = task_of(make_data(y, "a" * 8 + "b" * 4), "group")
    assert_allclose(task.cell_weights, [[4 / 3, 2 / 3], [4 / 3, 2 / 3]], rtol=1e-6)
    assert_allclose(task.logit_shift, [np.log((1 / 2) / (5 / 12) * (7 / 12) / (1 / 2))],
                    rtol=1e-6)  # fmt: skip


@pytest.mark.parametrize("sampling", ["group", "group_label"])
@pytest.mark.parametrize("n_labels", [2, 3])
def test_what_is_drawn_and_weighed_has_the_odds_of_the_weighted_data(
    sampling, n_labels
):
    """Simulated: the labels of balanced draws, weighed, without their correction."""
    rng = np.random.default_rng(0)
    y, groups = (
        rng.integers(0, n_labels, 400),
        rng.choice(["a", "b"], 400, p=[0.8, 0.2]),
    )
    weights = rng.uniform(0.5, 1.5, 400) * (1 + y)
    data = make_data(y, groups, weights)
    task = task_of(data, sampling)

    draws = np.zeros(n_labels)
    for g in "ab":
        if sampling == "group":
            members = groups == g
            draws += np.bincount(y[members], weights[members], n_labels) / members.sum()
        else:
            for k in range(n_labels):
                draws[k] += weights[(groups == g) & (y == k)].mean()
    wanted = np.bincount(y, weights)
    shift = np.log(draws / draws[0]) - np.log(wanted / wanted[0])
    found = task.logit_shift
    found = np.append(0, found) if n_labels == 2 else found - found[0]
    assert_allclose(found, shift, atol=1e-4)


def test_rates_of_balanced_batches_are_those_of_the_data():
    rng = np.random.default_rng(0)
    y, groups = rng.integers(0, 2, 200), rng.choice(["a", "b"], 200, p=[0.9, 0.1])
    data = make_data(y, groups)
    counts = data.cell_counts(data.rows)
    for sampling in ("group", "group_label"):
        drawn = counts / counts.sum(0) if sampling == "group" else np.ones((2, 2))
        seen = drawn / drawn.sum() * task_of(data, sampling).cell_weights
        assert_allclose(seen, counts / counts.sum(), rtol=1e-5)


@pytest.mark.parametrize("sampling", ["group", "group_label"])
def test_a_chunk_without_a_cell_is_corrected_as_far_as_it_goes(sampling):
    data = make_data([0, 1, 2, 0, 1, 2], "aaabbb")
    task = task_of(data, sampling, rows=np.array([0, 1, 3]))
    assert np.isfinite(task.logit_shift).all()
    assert task.logit_shift[2] == 0
    assert_array_equal(task.cell_weights[2], 0)
    assert np.isfinite(
        task_of(data, sampling, rows=np.array([0, 1])).cell_weights
    ).all()
