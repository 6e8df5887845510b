"""Every spelling by which RunnerFairClassifier gets its groups trains the same net."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    TunedThresholdClassifierCV,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline

from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.model_selection import (
    SensitiveColumns,
    best_within_bound,
    fairness_scorer,
)
from skfair_runner.preprocessing import make_table_preprocessor

pytestmark = [
    # A few epochs on few rows are enough to see who gets which groups, and no more.
    pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning"),
]

DIFFERENCE = "demographic_parity_difference"


@pytest.fixture(params=[False, True], ids=["routing off", "routing on"])
def routing(request):
    with config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    n = 160
    sex = rng.choice(["F", "M"], n)
    X = pd.DataFrame(
        {
            "sex": sex,
            "age": np.where(rng.uniform(size=n) < 0.1, np.nan, rng.normal(size=n)),
            "job": rng.choice(["clerk", "nurse", "pilot", None], n),
            "skill": rng.normal(size=n) + (sex == "M"),
        },
        index=rng.permutation(n) + 1000,
    )
    y = (X["skill"] + rng.normal(size=n) > 0.5).astype(int)
    return X, y


def classifier(**params):
    settings = {
        "warmup_epochs": 2,
        "max_epochs": 2,
        "batch_size": 32,
        "hidden_layer_sizes": (8,),
        "random_state": 0,
    }
    return RunnerFairClassifier(**settings | params)


def pipeline(last=None):
    """Pipeline for raw X, of which the sensitive column is left out."""
    prepare = make_table_preprocessor(sensitive_columns="sex")
    return Pipeline([("prepare", prepare), ("clf", last or classifier())])


def inner_pipeline(last=None):
    """The same, for X that lost its sensitive column before."""
    return Pipeline(
        [("prepare", make_table_preprocessor()), ("clf", last or classifier())]
    )


@pytest.fixture(scope="module")
def expected(people):
    """Probabilities of the classifier, fitted by hand on prepared features."""
    X, y = people
    prepared = make_table_preprocessor(sensitive_columns="sex").fit_transform(X)
    clf = classifier().fit(prepared, y, sensitive_features=X["sex"].to_numpy())
    return clf.predict_proba(prepared)


def grid(estimator, name="clf__alpha"):
    return GridSearchCV(estimator, {name: [0.1]}, cv=2, error_score="raise")


def halving(estimator, name="clf__alpha"):
    return HalvingGridSearchCV(
        estimator,
        {name: [0.1, 0.2]},
        cv=2,
        min_resources=80,
        random_state=0,
        error_score="raise",
    )


def test_the_preprocessor_feeds_the_classifier_sparse_features(people):
    X, y = people
    wide = X.assign(town=[f"town {k % 30}" for k in range(len(X))])
    pipe = pipeline().set_params(prepare__categories__onehotencoder__min_frequency=None)
    with config_context(enable_metadata_routing=True):
        pipe.fit(wide, y, sensitive_features=X["sex"])
    assert pipe[0].sparse_output_
    assert pipe.predict_proba(wide).shape == (len(X), 2)


def test_sensitive_columns_trains_the_same_net(people, routing, expected):
    X, y = people
    outer = SensitiveColumns(inner_pipeline(), "sex").fit(X, y)
    assert_array_equal(outer.predict_proba(X), expected)
    assert_array_equal(outer.predict_proba(X.drop(columns="sex")), expected)


def test_the_spelling_with_routing_off(people, expected):
    X, y = people
    pipe = pipeline().fit(X, y, clf__sensitive_features=X["sex"])
    assert_array_equal(pipe.predict_proba(X), expected)
    for search in (grid(pipeline()), halving(pipeline())):
        search.fit(X, y, clf__sensitive_features=X["sex"])
    cross_validate(
        pipeline(),
        X,
        y,
        params={"clf__sensitive_features": X["sex"]},
        cv=2,
        error_score="raise",
    )
    for estimator in (pipeline(), grid(pipeline())):
        with pytest.raises(ValueError, match="sensitive_features"):
            estimator.fit(X, y, sensitive_features=X["sex"])


@config_context(enable_metadata_routing=True)
def test_the_spelling_with_routing_on(people, expected):
    X, y = people
    pipe = pipeline().fit(X, y, sensitive_features=X["sex"])
    assert_array_equal(pipe.predict_proba(X), expected)
    for search in (grid(pipeline()), halving(pipeline())):
        search.fit(X, y, sensitive_features=X["sex"])
    cross_validate(
        pipeline(),
        X,
        y,
        params={"sensitive_features": X["sex"]},
        cv=2,
        error_score="raise",
    )
    with pytest.raises(TypeError, match="clf__sensitive_features"):
        pipeline().fit(X, y, clf__sensitive_features=X["sex"])


def test_a_search_of_the_classifier_alone_takes_groups_by_name(people, routing):
    X, y = people
    groups = X["sex"]
    search = grid(classifier(), "alpha").fit(X[["skill"]], y, sensitive_features=groups)
    direct = classifier(alpha=0.1).fit(X[["skill"]], y, sensitive_features=groups)
    assert_array_equal(
        search.predict_proba(X[["skill"]]), direct.predict_proba(X[["skill"]])
    )


ENSEMBLES = {
    "voting": lambda clf: VotingClassifier([("clf", clf)], voting="soft"),
    "bagging": lambda clf: BaggingClassifier(clf, n_estimators=2, random_state=0),
    "one vs rest": OneVsRestClassifier,
    "threshold": lambda clf: TunedThresholdClassifierCV(clf, cv=2),
}


@pytest.mark.parametrize("name", ENSEMBLES)
def test_ensembles_pass_groups_on_with_routing_on(people, name):
    X, y = people
    features = X[["sex", "skill"]]
    outer = SensitiveColumns(ENSEMBLES[name](classifier()), "sex")
    with config_context(enable_metadata_routing=True):
        outer.fit(features, y)
    assert outer.predict(features).shape == y.shape
    with pytest.raises(ValueError, match="with metadata routing on"):
        outer.fit(features, y)


def test_stacking_takes_no_groups(people, routing):
    X, y = people
    stacking = StackingClassifier([("clf", classifier())], cv=2)
    with pytest.raises((TypeError, ValueError), match="sensitive_features"):
        stacking.fit(X[["skill"]], y, sensitive_features=X["sex"])


@pytest.mark.parametrize("search", [grid, halving])
def test_searches_over_sensitive_columns(people, routing, search):
    X, y = people
    outer = SensitiveColumns(inner_pipeline(), "sex")
    fitted = search(outer, "estimator__clf__alpha").fit(X, y)
    assert fitted.predict_proba(X.drop(columns="sex")).shape == (len(X), 2)


@pytest.mark.parametrize("search", [grid, halving])
def test_sensitive_columns_around_searches(people, routing, search):
    X, y = people
    outer = SensitiveColumns(search(inner_pipeline()), "sex").fit(X, y)
    assert outer.predict_proba(X.drop(columns="sex")).shape == (len(X), 2)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_scores_the_difference_and_refits_below_a_bound(
    people, routing, n_jobs
):
    X, y = people
    search = GridSearchCV(
        SensitiveColumns(inner_pipeline(), "sex"),
        {"estimator__clf__alpha": [0.0, 1.0]},
        scoring={
            "accuracy": "accuracy",
            DIFFERENCE: fairness_scorer(DIFFERENCE, sensitive_features="sex"),
            "area": fairness_scorer("area_between_cdfs", sensitive_features=X["sex"]),
        },
        refit=best_within_bound(1.0),
        cv=2,
        n_jobs=n_jobs,
        error_score="raise",
    ).fit(X, y)
    results = search.cv_results_
    assert search.best_index_ == results["mean_test_accuracy"].argmax()
    assert (results["mean_test_area"] <= 0).all()


def test_cross_validation_agrees_in_both_settings(people):
    X, y = people
    scores = []
    for routing in (False, True):
        with config_context(enable_metadata_routing=routing):
            results = cross_validate(
                SensitiveColumns(inner_pipeline(), "sex"),
                X,
                y,
                cv=2,
                scoring=fairness_scorer(DIFFERENCE, sensitive_features="sex"),
                error_score="raise",
            )
        scores.append(results["test_score"])
    assert_array_equal(*scores)
