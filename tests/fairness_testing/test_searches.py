"""Every search against the truth of an enumerated box."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from torch import nn

from skfair_runner import RunnerFairClassifier, make_table_preprocessor
from skfair_runner.fairness_testing import (
    ADF,
    EIDIG,
    Aequitas,
    Integers,
    MLCheck,
    NeuronFair,
    Space,
    search,
)
from skfair_runner.fairness_testing._search import METHODS

# Of 4096 instances; each search is done before it has tried them all.
BUDGET = 3072
needs_z3 = pytest.mark.skipif(
    importlib.util.find_spec("z3") is None, reason="z3-solver is not installed"
)


def with_z3(value):
    return pytest.param(value, marks=needs_z3)


GRADIENT = [ADF(), EIDIG(), EIDIG(refresh=float("inf")), NeuronFair()]
WALKING = [Aequitas("random"), Aequitas("semi_directed"), Aequitas(), *GRADIENT]
EVERY = [
    *WALKING,
    with_z3(MLCheck(time_limit=100)),
]
SLOW_NET = pytest.param(
    MLCheck("net", time_limit=20, solver_timeout=0.5),
    marks=[needs_z3, pytest.mark.slow],
)


def _configured(method, **parameters):
    return type(method)(**{**method.get_params(), **parameters})


@pytest.mark.parametrize("method", WALKING, ids=repr)
def test_the_recall_in_an_enumerated_box(box, method):
    method = _configured(method, budget=BUDGET, random_state=0)
    result = method.search(box.net, box.X, space=box.space)
    known = {tuple(row) for row in box.found.tolist()}
    found = set(map(tuple, result.pairs[["x0", "x1", "x2", "x3"]].to_numpy()))
    assert found <= known
    assert len(found) == result.found
    assert result.found >= 0.95 * len(known), result
    assert result.tried <= BUDGET


@needs_z3
@pytest.mark.slow
def test_the_recall_of_the_solver_in_an_enumerated_box(box):
    method = MLCheck(n_samples=BUDGET, time_limit=120, random_state=0)
    result = method.search(box.net, box.X, space=box.space)
    assert result.found >= 0.95 * len(box.found), result
    assert result.tried <= BUDGET


@needs_z3
@pytest.mark.parametrize(
    "surrogate", ["tree", pytest.param("net", marks=pytest.mark.slow)]
)
def test_the_recall_of_the_solver_in_a_smaller_box(box, surrogate):
    """512 instances, of which it tries three quarters as the others do."""
    space = Space.from_data(box.X, sensitive_features=4, columns={"x3": Integers(3, 3)})
    known = {tuple(row) for row in box.found.tolist() if row[3] == 3}
    method = MLCheck(surrogate, n_samples=384, time_limit=100, random_state=0)
    result = method.search(box.net, box.X, space=space)
    found = set(map(tuple, result.pairs[["x0", "x1", "x2", "x3"]].to_numpy()))
    assert found <= known
    assert len(found) >= 0.95 * len(known), result


@pytest.mark.parametrize("method", [*EVERY, SLOW_NET], ids=repr)
def test_nothing_is_found_where_the_sensitive_column_is_ignored(blind, box, method):
    method = _configured(method, budget=300, random_state=0)
    result = method.search(blind, box.X, space=box.space)
    assert result.found == 0
    assert result.tried > 0
    assert result.n_unverified == 0
    assert "found 0 " in result.summary()


@pytest.mark.parametrize("method", [*EVERY, SLOW_NET], ids=repr)
def test_every_pair_is_decided_differently_by_the_model_itself(box, method):
    method = _configured(method, budget=500, random_state=0)
    result = method.search(box.net, box.X, space=box.space)
    with torch.no_grad():
        decided = [
            (box.net(torch.from_numpy(rows))[:, 0] > 0).numpy()
            for rows in (result.rows_a, result.rows_b)
        ]
    assert result.found > 0
    assert (decided[0] != decided[1]).all()
    np.testing.assert_array_equal(result.pairs["decision_a"], decided[0])
    differing = (result.rows_a != result.rows_b).any(axis=0)
    assert differing.tolist() == [False] * 4 + [True]


@pytest.fixture(scope="module")
def mixed():
    """A pipeline on mixed columns that looks at sex and race."""
    rng = np.random.default_rng(0)
    n = 600
    X = pd.DataFrame(
        {
            "age": rng.integers(18, 70, n),
            "school": rng.integers(1, 14, n),
            "job": rng.choice(["clerk", "nurse", "smith"], n),
            "sex": rng.choice(["f", "m"], n),
            "race": rng.choice(["x", "y", "z"], n),
        }
    )
    score = X["age"] / 20 + 2 * (X["sex"] == "m") + (X["race"] == "z")
    y = np.where(score + (X["job"] == "nurse") > 4, "yes", "no")
    return X, y


RULES = {
    "sensitive_features": ["sex", "race"],
    "immutable": "job",
    "constraints": [("age", ">=", "school", 5)],
}


@pytest.mark.parametrize(
    "name",
    ["adf", "aequitas", "eidig", "neuronfair", pytest.param("mlcheck", marks=needs_z3)],
)
def test_mixed_columns_several_sensitive_ones_and_constraints(mixed, name):
    X, y = mixed
    model = make_pipeline(
        make_table_preprocessor(),
        RunnerFairClassifier(None, warmup_epochs=5, max_epochs=5, random_state=0),
    ).fit(X, y)
    space = Space.from_data(X, **RULES)
    result = search(model, X, space=space, method=name, budget=400, random_state=0)
    assert result.found > 10
    rows = [result.rows_a, result.rows_b]
    assert (model.predict(rows[0]) != model.predict(rows[1])).all()
    for side in rows:
        assert (side["age"] >= side["school"] + 5).all()
        assert side.dtypes.equals(X.dtypes)
    pd.testing.assert_frame_equal(rows[0].iloc[:, :3], rows[1].iloc[:, :3])


@pytest.mark.parametrize(
    "name", ["aequitas", pytest.param("faircheck", marks=needs_z3)]
)
def test_any_classifier_can_be_searched_without_gradients(mixed, name):
    X, y = mixed
    forest = make_pipeline(
        make_table_preprocessor(), RandomForestClassifier(10, random_state=0)
    ).fit(X, y)
    result = search(
        forest,
        X,
        sensitive_features=["sex", "race"],
        method=name,
        budget=150,
        random_state=0,
    )
    assert result.found > 0
    assert {"sex_a", "race_b", "score_a"} <= set(result.pairs)


@pytest.mark.parametrize("method", EVERY, ids=repr)
def test_the_seed_decides(box, method):
    method = _configured(method, budget=250, random_state=3)
    first, second = (method.search(box.net, box.X, space=box.space) for _ in range(2))
    assert_frame_equal(first.pairs, second.pairs)


@settings(max_examples=15, deadline=None)
@given(
    scale=st.sampled_from([0.0, 1e-30, 1.0, 1e6, 1e30]),
    bias=st.sampled_from([0.0, -1e30, 50.0]),
    width=st.integers(1, 4),
    method=st.sampled_from(["adf", "eidig", "neuronfair"]),
)
def test_zero_gradients_one_value_and_saturation_are_survived(
    scale, bias, width, method
):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())
    with torch.no_grad():
        net[2].weight *= scale
        net[2].bias.fill_(bias)
    rng = np.random.default_rng(0)
    X = np.column_stack(
        [
            rng.integers(0, width, 30),
            np.full(30, 7),  # one value
            rng.integers(0, 3, 30),
            rng.integers(0, 2, 30),
        ]
    )
    X[:2, 3] = [0, 1]
    result = search(
        net,
        X.astype(np.float32),
        sensitive_features=3,
        method=method,
        n_local=20,
        random_state=0,
    )
    assert result.tried > 0
    assert result.n_unverified == 0


def test_the_budget_is_kept_and_told(box):
    result = EIDIG(budget=100, random_state=0).search(box.net, box.X, space=box.space)
    assert result.tried == 100
    assert result.notes == ["The budget of 100 instances was used up."]
    assert result.trace["tried"].iloc[-1] == 100
    assert result.trace["tried"].is_monotonic_increasing
    assert set(result.trace["phase"]) == {"global", "local"}


def test_an_unknown_method_is_refused(box):
    with pytest.raises(ValueError, match="no method 'eidg': pass one of .*'eidig'"):
        search(box.net, box.X, sensitive_features=4, method="eidg")


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"faircheck"}))
def test_parameters_out_of_range_are_refused(box, name):
    with pytest.raises(ValueError, match="'budget' parameter .* Got 0 instead"):
        search(box.net, box.X, sensitive_features=4, method=name, budget=0)


def test_neuronfair_tells_the_biased_layer_and_its_neurons(box):
    method = NeuronFair(n_global=5, n_local=5, random_state=0)
    method.search(box.net, box.X, space=box.space)
    assert method.layer_ in {"1", "3"}
    assert len(method.biased_neurons_) == 5  # a fifth of 24
