"""From parameters and data to a net: names, seeds, modules, tasks."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from torch import nn

from skfair_runner._building import (
    check_skorch_parameter,
    draw_seed,
    make_dataset,
    make_module,
    make_task,
    own_randomness,
)
from skfair_runner._training_data import TrainingData
from skfair_runner.groups import encode_groups
from skfair_runner.modules import TabularNet

DEFAULTS = {"hidden_layer_sizes": (4,), "dropout": 0.1, "n_bins": 8}


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


# Seeds


def test_seeds_fit_into_31_bits():
    assert draw_seed(5) == 5
    assert draw_seed(np.int64(2**32 - 1)) == 2**31 - 1
    first = np.random.RandomState(0)
    assert draw_seed(first) == draw_seed(np.random.RandomState(0))
    assert draw_seed(first) != draw_seed(np.random.RandomState(0))
    assert draw_seed(None) != draw_seed(None)


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_own_randomness_is_seeded_and_gives_the_state_back(error):
    before = torch.get_rng_state()
    drawn = []
    for _ in range(2):
        try:
            with own_randomness(3, "cpu"):
                drawn.append(torch.rand(3))
                if error:
                    raise error
        except (ValueError, KeyboardInterrupt):
            assert error
        assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(*drawn)


# Modules


@pytest.mark.parametrize(("y", "n_outputs"), [([0, 1, 1, 0], 1), ([0, 1, 2, 0], 3)])
def test_the_default_module_fits_the_data(y, n_outputs):
    net = make_module(None, make_data(y), np.arange(4), DEFAULTS, {})
    assert isinstance(net, TabularNet)
    assert (net.n_features, net.n_outputs) == (2, n_outputs)
    assert net.hidden_layer_sizes == [4]
    assert net.dropout == 0.1


def test_parameters_come_before_defaults():
    own = {"hidden_layer_sizes": (3, 2), "dropout": 0.5, "n_bins": 2}
    data = make_data(np.arange(20) % 2)
    net = make_module(None, data, np.arange(20), DEFAULTS, own)
    assert net.hidden_layer_sizes == [3, 2]
    assert net.dropout == 0.5
    assert net.encoding.n_bins == 4
    plain = make_module(None, data, np.arange(20), DEFAULTS, {"n_bins": 0})
    assert not hasattr(plain, "encoding")
    edges = {"edges": [[0.0, 1.0], [0.0, 0.5, 1.0]]}
    given = make_module(None, data, np.arange(20), DEFAULTS, edges)
    assert given.encoding.edges == edges["edges"]


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_edges_are_learned_from_the_rows_that_are_trained_on(container):
    X = container(np.arange(40.0).reshape(-1, 2).astype(np.float32))
    data = make_data(np.arange(20) % 2, X=X)
    net = make_module(None, data, np.arange(5, 10), DEFAULTS, {})
    ends = [(edges[0], edges[-1]) for edges in net.encoding.edges]
    assert ends == [(10.0, 18.0), (11.0, 19.0)]


def test_weights_move_the_edges_as_repeated_rows_do():
    y, weights = np.arange(30) % 2, np.arange(30) % 4
    again = np.repeat(np.arange(30), weights)
    data = make_data(y, weights=weights)
    weighted = make_module(None, data, data.rows, DEFAULTS, {})
    repeated = make_data(y[again], X=data.X[again])
    assert (
        weighted.encoding.edges
        == make_module(
            None, repeated, np.arange(len(again)), DEFAULTS, {}
        ).encoding.edges
    )


def test_a_class_gets_the_shape_that_it_takes():
    class Both(nn.Linear):
        def __init__(self, n_features, n_outputs, scale=1):
            super().__init__(n_features, n_outputs)
            self.scale = scale

    data, rows = make_data([0, 1, 2, 0]), np.arange(4)
    net = make_module(Both, data, rows, DEFAULTS, {"scale": 3})
    assert (net.in_features, net.out_features, net.scale) == (2, 3, 3)

    def handing_on(bias=True, **kwargs):
        return nn.Linear(3, 1, bias, **kwargs)

    assert make_module(handing_on, data, rows, {}, {}).in_features == 3
    with pytest.raises(TypeError, match="'width'"):
        make_module(handing_on, data, rows, {}, {"width": 1})
    open_ended = make_module(lambda **kw: nn.Linear(*kw.values()), data, rows, {}, {})
    assert (open_ended.in_features, open_ended.out_features) == (2, 3)
    fixed = make_module(lambda: nn.Linear(2, 3), data, rows, DEFAULTS, {})
    assert fixed.out_features == 3
    own = make_module(Both, data, rows, DEFAULTS, {"n_outputs": 7})
    assert own.out_features == 7


def test_an_instance_is_copied_and_takes_no_parameters():
    module, data = nn.Linear(2, 1), make_data([0, 1])
    built = make_module(module, data, np.arange(2), DEFAULTS, {})
    assert built is not module
    assert torch.equal(built.weight, module.weight)
    with pytest.raises(ValueError, match="module__bias=False cannot change a module"):
        make_module(module, data, np.arange(2), DEFAULTS, {"bias": False})


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match="module=<class 'dict'> returned a dict"):
        make_module(dict, make_data([0, 1]), np.arange(2), DEFAULTS, {})


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
