"""Routing of sensitive features to a small estimator of the kind that we have."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner.utils import SensitiveFeaturesRequestMixin

PACKAGE = Path(__file__).parents[2] / "skfair_runner"


class Recorder(SensitiveFeaturesRequestMixin, ClassifierMixin, BaseEstimator):
    """Keeps what `fit` was given; refuses to train without groups."""

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def fit(self, X, y, *, sensitive_features=None, sample_weight=None):
        if sensitive_features is None:
            raise ValueError("no groups arrived")
        assert len(sensitive_features) == len(X)
        self.received_ = np.asarray(sensitive_features)
        self.weights_ = sample_weight
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class PartialRecorder(Recorder):
    def partial_fit(self, X, y, classes=None, *, sensitive_features=None):
        return self.fit(X, y, sensitive_features=sensitive_features)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    groups = pd.Series(rng.choice(["Female", "Male"], 60), name="sex")
    X = pd.DataFrame({"row": np.arange(60.0), "noise": rng.normal(size=60)})
    return X, np.tile([0, 1], 30), groups


def test_groups_reach_fit_through_pipeline_and_search_with_routing_on(data):
    X, y, groups = data
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Recorder()),
        {"recorder__alpha": [0.0, 1.0]},
        cv=3,
        error_score="raise",
    )
    with config_context(enable_metadata_routing=True):
        search.fit(X, y, sensitive_features=groups)
    assert_array_equal(search.best_estimator_[-1].received_, groups)


def test_groups_reach_fit_through_pipeline_and_search_with_routing_off(data):
    X, y, groups = data
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Recorder()),
        {"recorder__alpha": [0.0, 1.0]},
        cv=3,
        error_score="raise",
    )
    search.fit(X, y, recorder__sensitive_features=groups)
    assert_array_equal(search.best_estimator_[-1].received_, groups)


@pytest.mark.parametrize("routing", [False, True])
def test_a_search_over_the_bare_estimator_takes_groups_in_both_modes(data, routing):
    X, y, groups = data
    search = GridSearchCV(Recorder(), {"alpha": [0.0, 1.0]}, error_score="raise")
    with config_context(enable_metadata_routing=routing):
        search.fit(X, y, sensitive_features=groups)
    assert_array_equal(search.best_estimator_.received_, groups)


@pytest.mark.parametrize("routing", [False, True])
def test_groups_are_sliced_like_the_rows_of_each_fold(data, routing):
    X, y, groups = data
    with config_context(enable_metadata_routing=routing):
        result = cross_validate(
            Recorder(),
            X,
            y,
            cv=3,
            params={"sensitive_features": groups},
            return_estimator=True,
            return_indices=True,
            error_score="raise",
        )
    folds = result["indices"]["train"]
    for estimator, rows in zip(result["estimator"], folds, strict=True):
        assert_array_equal(estimator.received_, groups.iloc[rows])


@pytest.mark.parametrize("wrap", [OneVsRestClassifier, BaggingClassifier])
def test_other_meta_estimators_route_groups_too(data, wrap):
    X, y, groups = data
    with config_context(enable_metadata_routing=True):
        fitted = wrap(Recorder()).fit(X, y, sensitive_features=groups)
    assert all(len(member.received_) for member in fitted.estimators_)


def test_the_request_survives_cloning():
    fit = clone(Recorder()).get_metadata_routing().fit
    assert fit.requests == {"sensitive_features": True, "sample_weight": None}


def test_partial_fit_requests_groups_where_it_exists():
    routing = PartialRecorder().get_metadata_routing()
    expected = {"classes": None, "sensitive_features": True}
    assert routing.partial_fit.requests == expected
    assert routing.score.requests == {"sample_weight": None}


def test_sample_weight_must_be_requested_as_for_any_estimator(data):
    X, y, groups = data
    weights = np.arange(60.0)
    with config_context(enable_metadata_routing=True):
        pipe = make_pipeline(StandardScaler(), Recorder())
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            pipe.fit(X, y, sensitive_features=groups, sample_weight=weights)

        scaler = StandardScaler().set_fit_request(sample_weight=False)
        recorder = Recorder().set_fit_request(sample_weight=True)
        pipe = make_pipeline(scaler, recorder)
        pipe.fit(X, y, sensitive_features=groups, sample_weight=weights)
    assert_array_equal(pipe[-1].weights_, weights)
    assert_array_equal(pipe[-1].received_, groups)


def test_a_user_can_withdraw_the_request(data):
    X, y, groups = data
    with config_context(enable_metadata_routing=True):
        recorder = Recorder().set_fit_request(sensitive_features=False)
        with pytest.raises(TypeError, match="sensitive_features"):
            make_pipeline(recorder).fit(X, y, sensitive_features=groups)


def _private_names(path):
    """Imports of scikit-learn in which some part of the name is private."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            top, *parts = name.split(".")
            if top == "sklearn" and any(part.startswith("_") for part in parts):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno} imports {name}"


def test_private_names_of_scikit_learn_are_imported_in_one_place():
    here = PACKAGE / "utils" / "_sklearn.py"
    assert list(_private_names(here))
    found = [
        sentence
        for path in PACKAGE.rglob("*.py")
        if path != here
        for sentence in _private_names(path)
    ]
    assert not found, "\n".join(found)
