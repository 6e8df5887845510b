"""Digests that tell whether data and settings are the same."""

from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner._runs.data import read_data
from skfair_runner._runs.fingerprint import (
    data_fingerprint,
    describe,
    digest,
    versions,
)


def module(seed):
    torch.manual_seed(seed)
    return torch.nn.Linear(2, 1)


def frozen(y):
    return FrozenEstimator(LogisticRegression().fit([[0.0], [1.0]], y))


def scaled(scale):
    return lambda x: scale * x


def with_default(x, power=2):
    return x**power


VALUES = [
    lambda: None,
    lambda: 0,
    lambda: 0.0,
    lambda: False,
    lambda: "0",
    lambda: b"0",
    lambda: [1, 2],
    lambda: (1, 2),
    lambda: [[1], 2],
    lambda: {"a": 1},
    lambda: {"a": 2},
    lambda: {1},
    lambda: np.arange(3),
    lambda: np.arange(3.0),
    lambda: np.arange(3).reshape(3, 1),
    lambda: np.array(["a", None], dtype=object),
    lambda: pd.DataFrame({"a": [1, 2]}),
    lambda: torch.arange(3),
    lambda: module(0),
    lambda: module(1),
    lambda: torch.nn.Linear,
    lambda: LogisticRegression(),
    lambda: LogisticRegression(C=2),
    lambda: frozen([0, 1]),
    lambda: frozen([1, 0]),
    lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    lambda: make_pipeline(StandardScaler(), LogisticRegression(C=2)),
    lambda: scaled(1),
    lambda: scaled(2),
    lambda: with_default,
    lambda: partial(with_default, power=3),
    lambda: partial(with_default, power=4),
    lambda: "a".join,
    lambda: np.random.RandomState(0),
    lambda: LogisticRegression().fit,
]


def test_equal_values_have_equal_digests_and_others_do_not():
    first, second = ([digest(make()) for make in VALUES] for _ in range(2))
    assert first == second
    for one, two in combinations(range(len(VALUES)), 2):
        assert first[one] != first[two], (one, two)


def test_lists_are_not_run_together():
    assert digest([["ab"], "c"]) != digest([["a"], "bc"])


def test_a_value_that_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(TypeError, match="holds itself"):
        digest(loop)


def test_a_value_that_cannot_be_compared_is_refused():
    with pytest.raises(TypeError, match="generator object.*cannot be compared"):
        digest({"a": (number for number in [1])})


def fingerprint(X, y, groups):
    return data_fingerprint(read_data(X, y, groups, None, "here"))


@pytest.mark.parametrize(
    "container",
    [
        lambda X: X,
        lambda X: X.to_numpy(),
        lambda X: X.to_numpy().astype(object),
        lambda X: sparse.csr_matrix(X.to_numpy()),
        lambda X: X.assign(text="a"),
    ],
    ids=["frame", "array", "objects", "sparse", "mixed"],
)
def test_every_part_of_the_data_counts(container, people):
    X, y, gender = people
    before = fingerprint(container(X), y, gender)
    assert before == fingerprint(container(X.copy()), y.copy(), gender.tolist())
    changed = X.copy()
    changed.iloc[7, 2] += 1e-9
    assert fingerprint(container(changed), y, gender)["X"] != before["X"]
    swapped = gender.to_numpy().copy()
    swapped[:2] = ["male", "female"] if swapped[0] == "female" else ["female", "male"]
    after = fingerprint(container(X), y, swapped)
    assert after["sensitive_features"] != before["sensitive_features"]
    assert after["X"] == before["X"] and after["y"] == before["y"]


def test_names_of_columns_count(people):
    X, y, gender = people
    other = X.set_axis([*X.columns[:-1], "other"], axis=1)
    assert fingerprint(X, y, gender)["X"] != fingerprint(other, y, gender)["X"]


def test_a_description_lists_what_is_inside():
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.25))
    found = describe(pipeline)
    assert found["class"] == "sklearn.pipeline.Pipeline"
    parameters = found["parameters"]
    assert parameters["logisticregression__C"] == "0.25"
    assert parameters["logisticregression"].endswith("LogisticRegression")
    assert "steps" not in parameters


def test_versions_are_told():
    assert versions()["torch"] == torch.__version__
    assert versions()["numpy"] == np.__version__
