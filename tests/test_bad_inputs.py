"""Bad and odd inputs: a clear error, or a model whose probabilities are numbers.

The data are generated together with the answer to whether they can be learned from, so
that both a silent acceptance and a needless refusal are seen.
"""

import re
import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from torch import nn

from skfair_runner import RunnerFairClassifier
from skfair_runner.distances import DISTANCES
from skfair_runner.gaps import CONSTRAINTS
from skfair_runner.neurons import IMPORTANCES
from skfair_runner.utils import BoundNotMetWarning, ConstantClassifierWarning

NAMES_A_VALUE = re.compile(r"""\d|'|\[|NaN|None|infinity|non-zero""")
QUICK = {
    "warmup_epochs": 1,
    "max_epochs": 1,
    "batch_size": 16,
    "hidden_layer_sizes": (3,),
    "random_state": 0,
}
# What an epoch on forty rows leads to.
OFTEN_CONSTANT = pytest.mark.filterwarnings(
    "ignore::skfair_runner.utils.ConstantClassifierWarning"
)


@dataclass
class Case:
    """Arguments of `fit`, and why they must be refused, if they must."""

    X: object
    y: object
    groups: object
    weights: object = None
    parameters: dict = field(default_factory=dict)
    faults: list = field(default_factory=list)


def draw_features(draw, n, rng, faults):
    columns = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(
            st.sampled_from(
                ["normal", "normal", "constant", "binary", "huge", "tiny", "whole"]
            )
        )
        column = {
            "normal": rng.normal(size=n),
            "constant": np.full(n, 7.5),
            "binary": rng.integers(0, 2, n).astype(float),
            "huge": rng.normal(size=n).clip(-3, 3) * 1e37,
            "tiny": rng.normal(size=n) * 1e-42,
            "whole": rng.integers(-(2**40), 2**40, n).astype(float),
        }[kind]
        columns.append(column)
    X = np.column_stack(columns)
    fault = draw(st.sampled_from([None] * 35 + [np.nan, np.inf, -np.inf, 1e39, "x"]))
    if fault is not None:
        X = X.astype(object) if fault == "x" else X
        X[draw(st.integers(0, n - 1)), 0] = fault
        faults.append(f"X holds {fault}")
    container = draw(st.sampled_from(["array", "frame", "sparse", "list", "object"]))
    index = None
    if container == "frame":
        if draw(st.booleans()):
            index = rng.integers(0, 3, n)  # duplicated labels
        X = pd.DataFrame(X, index=index, columns=[f"ü{k}" for k in range(X.shape[1])])
    elif container == "sparse" and fault != "x":
        X = sparse.csr_array(X)
    elif container == "list":
        X = X.tolist()
    elif container == "object":
        X = X.astype(object)
    return X, index


def draw_labels(draw, n, rng, faults):
    """Codes, and the labels that stand for them."""
    names = draw(
        st.sampled_from(
            [[0, 1], [-1, 1], [False, True], ["no", "yes"], ["ü", "漢"], [1.0, 2.0],
             [0, 1, 2], ["a", "b", "c"]]
        )
    )  # fmt: skip
    codes = rng.integers(0, len(names), n)
    if draw(st.sampled_from([False] * 19 + [True])):
        codes[:] = 0
    labels = np.array(names)[codes]
    if len(np.unique(codes)) < 2:
        faults.append("one class")
    if draw(st.sampled_from([False] * 19 + [True])):
        labels = labels.astype(object)
        labels[draw(st.integers(0, n - 1))] = draw(st.sampled_from([None, np.nan]))
        faults.append("a label is missing")
    elif draw(st.booleans()):
        labels = labels.tolist()
    return codes, labels


def draw_groups(draw, n, rng, index, faults):
    """Codes, and the sensitive features that stand for them."""
    names = draw(
        st.sampled_from(
            [["f", "m"], ["ж", "🙂"], [0, 1], [1.5, 2.5], ["a", "b", "c"]] * 3
            + [["only"], list(range(9))]
        )
    )
    codes = rng.integers(0, len(names), n)
    groups = np.array(names, dtype=object)[codes]
    kind = draw(
        st.sampled_from(
            ["list"] * 3
            + ["series"] * 3
            + ["frame"] * 3
            + ["missing", "short", "dict", "shuffled"]
        )
    )
    if kind == "missing":
        groups[draw(st.integers(0, n - 1))] = None
        faults.append("a group is missing")
    elif kind == "short":
        groups = groups[:-1]
        faults.append("too few groups")
    elif kind == "dict":
        groups = {"sex": groups}
        faults.append("a dict of groups")
    elif kind == "series":
        groups = pd.Series(groups, index=index)
    elif kind == "frame":
        other = rng.integers(0, 2, n)
        groups = pd.DataFrame({"first": groups, "second": other}, index=index)
        codes = np.unique(codes * 2 + other, return_inverse=True)[1]
    elif kind == "shuffled" and index is not None:
        groups = pd.Series(groups, index=index[::-1])
        if not np.array_equal(index, index[::-1]):
            faults.append("another index")
    return codes, groups


def draw_weights(draw, n, rng, faults):
    """Which rows count, and their weights."""
    kind = draw(
        st.sampled_from(
            ["none"] * 6 + ["plain", "some"] * 3 + ["zero", "negative", "nan"]
        )
    )
    weights = {
        "none": None,
        "plain": rng.uniform(0.1, 3, n) * 10.0 ** draw(st.integers(-40, 40)),
        "some": rng.integers(0, 2, n),
        "zero": np.zeros(n),
        "negative": np.r_[-1.0, np.ones(n - 1)],
        "nan": np.r_[np.nan, np.ones(n - 1)],
    }[kind]
    if kind in ("zero", "negative", "nan"):
        faults.append(f"weights: {kind}")
        return np.ones(n, bool), weights
    return np.ones(n, bool) if weights is None else weights > 0, weights


def find_empty_cells(codes, groups, counted, parameters, faults):
    """Faults of the label × group cells, found with sets."""
    y, g = codes[counted], groups[counted]
    everybody, labels = set(groups), set(codes)
    if len(set(y)) < 2:
        faults.append("one class with weight")
    constraint = parameters["constraint"]
    if constraint is not None and len(everybody) < 2:
        faults.append("one group")
    if constraint is not None and set(g) != everybody:
        faults.append("a group without weight")
    compared = {
        "equalized_odds": labels,
        "true_positive_rate_parity": {1} if len(labels) == 2 else labels,
        "false_positive_rate_parity": {0} if len(labels) == 2 else labels,
    }.get(constraint, set())
    if parameters["sampling"] == "group_label":
        compared = labels
    if any((label, group) not in set(zip(y, g, strict=True))
           for label in compared for group in everybody):  # fmt: skip
        faults.append("an empty cell")


@st.composite
def cases(draw):
    n = draw(st.sampled_from([2, 3, 5, 20, 40, 60, 60, 60]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    faults = []
    X, index = draw_features(draw, n, rng, faults)
    codes, y = draw_labels(draw, n, rng, faults)
    group_codes, groups = draw_groups(draw, n, rng, index, faults)
    counted, weights = draw_weights(draw, n, rng, faults)
    labels = sorted(set(np.asarray(y).tolist()), key=str)
    parameters = {
        "constraint": draw(st.sampled_from([None, None, *CONSTRAINTS])),
        "repair": draw(st.sampled_from(["decisions", "scores"])),
        "sampling": draw(st.sampled_from(["shuffled", "group", "group_label"])),
        "importance": draw(st.sampled_from(list(IMPORTANCES))),
        "distance": draw(st.sampled_from(list(DISTANCES))),
        "early_stopping": draw(st.booleans()),
        "difference_bound": draw(st.sampled_from([None, 0.0, 0.05, 1.0])),
    }
    if "a label is missing" not in faults:
        present = sorted(set(codes.tolist()))
        codes = np.searchsorted(present, codes)
        parameters["pos_label"] = labels[-1] if len(labels) == 2 else None
    find_empty_cells(codes, group_codes, counted, parameters, faults)
    return Case(X, y, groups, weights, parameters, faults)


def learn(case):
    """Fit and predict; an error must be clear, a model made of numbers."""
    clf = RunnerFairClassifier(**QUICK, **case.parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # An epoch on few rows leads to both.
        warnings.simplefilter("ignore", ConstantClassifierWarning)
        warnings.simplefilter("ignore", BoundNotMetWarning)
        try:
            clf.fit(
                case.X,
                case.y,
                sensitive_features=case.groups,
                sample_weight=case.weights,
            )
        except (TypeError, ValueError) as error:
            assert case.faults, f"refused without a fault: {error}"
            assert NAMES_A_VALUE.search(str(error)), f"names no value: {error}"
            assert not [name for name in vars(clf) if name.endswith("_")]
            return
        proba = clf.predict_proba(case.X)
    assert not case.faults, f"learned from {case.faults}"
    assert np.isfinite(proba).all()
    assert (proba >= 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-9)
    assert set(clf.predict(case.X)) <= set(clf.classes_)
    assert np.isfinite(clf.history_["train_loss"]).all()
    if case.parameters["constraint"] is not None:
        numbers = clf.neuron_importance_.select_dtypes("number")
        assert np.isfinite(numbers.to_numpy()).all()


@settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(cases())
def test_bad_input_is_refused_and_odd_input_is_learned(case):
    learn(case)


@pytest.mark.slow
@settings(
    derandomize=True,
    deadline=None,
    max_examples=1500,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(cases())
def test_much_bad_input_is_refused_and_odd_input_is_learned(case):
    learn(case)


@pytest.mark.parametrize(
    ("constraint", "sampling"),
    [
        *((constraint, "shuffled") for constraint in (None, *CONSTRAINTS)),
        ("demographic_parity", "group"),
        ("equalized_odds", "group_label"),
    ],
)
def test_ten_thousand_groups_are_learned_from(constraint, sampling):
    rng = np.random.default_rng(0)
    codes, y = np.arange(20_000) % 10_000, np.arange(20_000) // 10_000
    X = rng.normal(size=(20_000, 2)) + y[:, None]
    names = [f"village {code}" for code in codes]
    parameters = {"constraint": constraint, "sampling": sampling}
    clf = RunnerFairClassifier(**{**QUICK, "batch_size": 5_000, **parameters})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # An epoch on few rows leads to both.
        warnings.simplefilter("ignore", ConstantClassifierWarning)
        warnings.simplefilter("ignore", BoundNotMetWarning)
        clf.fit(X, y, sensitive_features=names)
    assert len(clf.groups_) == 10_000
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.fixture
def people():
    """X with an index, y and groups with the same."""
    rng = np.random.default_rng(0)
    index = rng.permutation(40)
    X = pd.DataFrame(rng.normal(size=(40, 2)), index, columns=["pay", "age"])
    y = pd.Series((X["pay"] > 0).astype(int), index)
    return X, y, pd.Series(rng.choice(["f", "m"], 40), index, name="sex")


@OFTEN_CONSTANT
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("name", ["y", "sensitive_features", "sample_weight"])
def test_what_has_the_index_of_x_in_another_order_is_refused(people, method, name):
    X, y, groups = people
    told = {"y": y, "sensitive_features": groups, "sample_weight": y + 1.0}
    classes = {"classes": [0, 1]} if method == "partial_fit" else {}
    clf = RunnerFairClassifier(**QUICK)
    message = f"RunnerFairClassifier.{method}: the indexes of X and `{name}` differ"
    with pytest.raises(ValueError, match=message):
        getattr(clf, method)(X, **{**told, name: told[name].sort_index()}, **classes)
    assert not hasattr(clf, "net_")
    getattr(clf, method)(X, **told, **classes)
    getattr(clone(clf), method)(X.to_numpy(), **told, **classes)


@OFTEN_CONSTANT
@pytest.mark.parametrize("container", [tuple, np.array, pd.Index, pd.Series])
def test_sensitive_columns_may_be_in_any_container(people, container):
    X, y, groups = people
    clf = RunnerFairClassifier(**QUICK, sensitive_columns=container(["sex"]))
    clone(clf).fit(X.assign(sex=groups), y)
    assert clf.get_params()["sensitive_columns"] is clf.sensitive_columns
    clf.fit(X.assign(sex=groups), y)
    assert clf.groups_ == ["f", "m"]
    assert len(clf.predict(X)) == len(X)


def test_a_gap_of_two_arguments_is_refused_before_training(people):
    X, y, groups = people

    def gap(y_score, groups):
        return y_score.mean()

    clf = RunnerFairClassifier(gap, difference_bound=None, **QUICK)
    with pytest.raises(TypeError, match="constraint=gap is called with three"):
        clf.fit(X, y, sensitive_features=groups)


@pytest.mark.parametrize(
    ("gap", "error", "told"),
    [
        (lambda y_true, y_score, groups: 0.25, TypeError, "the float 0.25"),
        (lambda y_true, y_score, groups: y_score.sum() * np.nan, ValueError, "nan for"),
        (lambda y_true, y_score, groups: y_score.detach().max(), ValueError, "none"),
    ],
    ids=["number", "nan", "detached"],
)
@pytest.mark.parametrize("output_weight", [None, 1.0])
def test_what_is_no_gap_is_refused(people, gap, error, told, output_weight):
    X, y, groups = people
    clf = RunnerFairClassifier(
        gap, difference_bound=None, output_weight=output_weight, **QUICK
    )
    with pytest.raises(error, match=f"constraint=<lambda> must return .*{told}"):
        clf.fit(X, y, sensitive_features=groups)


@OFTEN_CONSTANT
def test_a_gap_of_decisions_needs_ablation(people):
    X, y, groups = people
    clf = RunnerFairClassifier(
        lambda y_true, y_score, groups: (y_score > 0.5).float().mean(),
        difference_bound=None,
        importance="ablation",
        **QUICK,
    )
    clf.fit(X, y, sensitive_features=groups)
    assert np.isfinite(clf.neuron_importance_["importance"]).all()


def test_a_module_of_doubles_is_to_be_converted(people):
    X, y, groups = people
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).double()
    with pytest.raises(ValueError, match=r"torch.float64, and .* module\.float\(\)"):
        RunnerFairClassifier(module=net, **QUICK).fit(X, y, sensitive_features=groups)


@OFTEN_CONSTANT
def test_a_group_that_the_first_chunk_lacks_is_told_with_a_remedy(people):
    X, y, groups = people
    clf = RunnerFairClassifier(**QUICK)
    clf.partial_fit(X, y, [0, 1], sensitive_features=groups)
    message = r"partial_fit: unknown group 'x' \(column: sex\).*call fit with rows of"
    with pytest.raises(ValueError, match=message):
        clf.partial_fit(X, y, sensitive_features=groups.replace("f", "x"))


def test_measurements_are_no_groups(people):
    X, y, _ = people
    X = pd.concat([X, X + 0.1], ignore_index=True)
    y = pd.concat([y, y], ignore_index=True)
    message = "RunnerFairClassifier.fit: .* 'age' holds 80 different numbers.*qcut"
    for constraint in ("demographic_parity", "equalized_odds"):
        with pytest.raises(ValueError, match=message):
            RunnerFairClassifier(constraint, **QUICK).fit(
                X, y, sensitive_features=X["age"]
            )
