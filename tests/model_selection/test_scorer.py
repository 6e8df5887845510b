import pickle

import fairlearn.metrics
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    cross_validate,
)
from sklearn.pipeline import make_pipeline

import skfair_runner.metrics
from skfair_runner.metrics import METRICS, Metric
from skfair_runner.model_selection import (
    SensitiveColumns,
    best_within_bound,
    fairness_scorer,
)

DIFFERENCE = "demographic_parity_difference"


class Answers(ClassifierMixin, BaseEstimator):
    """Classifier whose answers are columns of X."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return X["decision"].to_numpy()

    def predict_proba(self, X):
        return np.column_stack([1 - X["score"], X["score"]])

    def decision_function(self, X):
        return X["score"].to_numpy() * 8 - 4


@pytest.fixture(params=[False, True], ids=["routing off", "routing on"])
def routing(request):
    with config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.fixture
def people():
    """X with the answers of a classifier and two sensitive columns, and y."""
    rng = np.random.default_rng(0)
    sex = rng.choice(["F", "M"], 200)
    score = rng.uniform(size=200) * np.where(sex == "M", 1.0, 0.8)
    X = pd.DataFrame(
        {
            "sex": sex,
            "race": rng.choice(["a", "b", "c"], 200),
            "score": score,
            "decision": (score > 0.5).astype(int),
        },
        index=rng.permutation(200) + 1000,
    )
    return X, rng.integers(0, 2, 200)


@pytest.fixture
def answers(people):
    return Answers().fit(*people)


@pytest.mark.parametrize(
    "name",
    [
        "demographic_parity_difference",
        "demographic_parity_ratio",
        "equalized_odds_difference",
        "equal_opportunity_difference",
    ],
)
@pytest.mark.parametrize("own", [True, False], ids=["name", "fairlearn's function"])
def test_is_fairlearns_metric_with_greater_is_better(people, answers, name, own):
    X, y = people
    function = getattr(fairlearn.metrics, name)
    scorer = fairness_scorer(name if own else function, sensitive_features="sex")
    expected = function(y, X["decision"], sensitive_features=X["sex"])
    sign = 1 if name.endswith("ratio") else -1
    assert_allclose(scorer(answers, X, y), sign * expected)


@pytest.mark.parametrize("name", METRICS)
def test_every_known_metric_works_by_name_and_by_function(people, answers, name):
    X, y = people
    by_name = fairness_scorer(name, sensitive_features="sex")(answers, X, y)
    assert (by_name > 0) == name.endswith("ratio")
    function = getattr(skfair_runner.metrics, name, METRICS[name])
    by_function = fairness_scorer(function, sensitive_features="sex")
    assert by_function(answers, X, y) == by_name


def test_a_difference_of_zero_is_not_minus_zero(people, answers):
    X, y = people
    scorer = fairness_scorer(DIFFERENCE, sensitive_features="sex")
    assert str(scorer(answers, X.assign(decision=1), y)) == "0.0"


@pytest.mark.parametrize("columns", [["sex", "race"], ["race", 0], (0, 1)])
def test_several_columns_are_crossed(people, answers, columns):
    X, y = people
    scorer = fairness_scorer(DIFFERENCE, sensitive_features=columns)
    expected = fairlearn.metrics.demographic_parity_difference(
        y, X["decision"], sensitive_features=X[["sex", "race"]]
    )
    assert_allclose(scorer(answers, X, y), -expected)


@pytest.mark.parametrize("columns", [0, -2, [0], np.int64(0)])
def test_columns_of_an_array_are_given_by_position(columns):
    X = np.array([[0, 1], [0, 0], [1, 1], [1, 1], [1, 0], [1, 1]])
    model = SensitiveColumns(LogisticRegression(C=1e6), 0).fit(X, X[:, 1])
    scorer = fairness_scorer(DIFFERENCE, sensitive_features=columns)
    assert scorer(model, X, X[:, 1]) == -0.25
    assert scorer(model, X.tolist(), X[:, 1].tolist()) == -0.25


@pytest.mark.parametrize("columns", ["sex", ["sex", "race"]])
def test_groups_are_looked_up_by_index_in_any_order(people, answers, columns):
    X, y = people
    groups = X[columns].sample(frac=1, random_state=0)
    by_index = fairness_scorer(DIFFERENCE, sensitive_features=groups)
    by_column = fairness_scorer(DIFFERENCE, sensitive_features=columns)
    rows = np.random.default_rng(0).choice(200, 80)  # some rows twice
    part, labels = X.iloc[rows], y[rows]
    assert by_index(answers, part, labels) == by_column(answers, part, labels)


def test_the_index_of_y_does_not_matter(people, answers):
    X, y = people
    scorer = fairness_scorer(DIFFERENCE, sensitive_features="sex")
    assert scorer(answers, X, pd.Series(y)) == scorer(answers, X, y)


def test_the_favourable_label_and_weights_reach_the_metric(people, answers):
    X, y = people
    words = np.array(["no", "yes"])
    X_words = X.assign(decision=words[X["decision"]])
    scorer = fairness_scorer(
        "equal_opportunity_difference", sensitive_features="sex", pos_label="no"
    )
    weights = np.linspace(0, 1, 200)
    expected = fairlearn.metrics.equal_opportunity_difference(
        1 - y, 1 - X["decision"], sensitive_features=X["sex"], sample_weight=weights
    )
    assert_allclose(scorer(answers, X_words, words[y], weights), -expected)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (None, lambda X: X["decision"]),
        ("predict_proba", lambda X: X["score"]),
        ("decision_function", lambda X: X["score"] * 8 - 4),
    ],
)
def test_the_response_can_be_chosen(people, answers, response, expected):
    X, y = people
    scorer = fairness_scorer(mean_gap, sensitive_features="sex", response=response)
    means = expected(X).groupby(X["sex"]).mean()
    assert_allclose(scorer(answers, X, y), -abs(means["F"] - means["M"]))


def mean_gap(y_true, y_pred, *, sensitive_features):
    scores = y_pred[:, 1] if y_pred.ndim == 2 else y_pred
    first, second = np.unique(sensitive_features)
    return abs(
        scores[sensitive_features == first].mean()
        - scores[sensitive_features == second].mean()
    )


def test_a_metric_object_says_its_direction(people, answers):
    X, y = people
    greater = Metric("closeness", mean_gap, greater_is_better=True)
    up = fairness_scorer(greater, sensitive_features="sex")
    down = fairness_scorer(mean_gap, sensitive_features="sex")
    assert up(answers, X, y) == -down(answers, X, y) > 0


SEX = pd.Series(["F", "M"], name="sex")


@pytest.mark.parametrize(
    ("scorer", "expected"),
    [
        (
            fairness_scorer(DIFFERENCE, sensitive_features="sex"),
            "fairness_scorer('demographic_parity_difference', "
            "sensitive_features='sex')",
        ),
        (
            fairness_scorer(
                DIFFERENCE, sensitive_features=SEX, pos_label=1, response="predict"
            ),
            "fairness_scorer('demographic_parity_difference', "
            "sensitive_features=<Series of shape (2,)>, pos_label=1, "
            "response='predict')",
        ),
        (
            fairness_scorer(mean_gap, sensitive_features=["sex", 1]),
            "fairness_scorer(mean_gap, sensitive_features=['sex', 1])",
        ),
    ],
)
def test_shows_how_it_was_made(scorer, expected):
    assert repr(scorer) == expected


@pytest.mark.parametrize("groups", ["sex", "series"])
@pytest.mark.parametrize("copy", [clone, lambda it: pickle.loads(pickle.dumps(it))])
def test_copies_score_alike(people, answers, groups, copy):
    X, y = people
    groups = X["sex"] if groups == "series" else groups
    scorer = fairness_scorer("area_between_cdfs", sensitive_features=groups)
    assert copy(scorer)(answers, X, y) == scorer(answers, X, y)


def pipeline():
    """Pipeline that selects the score and ignores the group."""
    return make_pipeline(
        make_column_transformer(("passthrough", ["score"])), LogisticRegression()
    )


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("alone", [True, False])
def test_works_in_cross_validation(people, routing, alone, n_jobs):
    X, _ = people
    y = X["decision"].to_numpy()
    scorer = fairness_scorer(DIFFERENCE, sensitive_features="sex")
    results = cross_validate(
        pipeline(),
        X,
        y,
        cv=3,
        n_jobs=n_jobs,
        scoring=scorer if alone else {"score": scorer, "accuracy": "accuracy"},
        return_estimator=True,
        return_indices=True,
        error_score="raise",
    )
    for fitted, rows, score in zip(
        results["estimator"],
        results["indices"]["test"],
        results["test_score"],
        strict=True,
    ):
        expected = fairlearn.metrics.demographic_parity_difference(
            y[rows],
            fitted.predict(X.iloc[rows]),
            sensitive_features=X["sex"].iloc[rows],
        )
        assert_allclose(score, -expected)


@pytest.mark.parametrize("groups", ["sex", "series"])
@pytest.mark.parametrize("wrapped", [True, False])
def test_works_in_a_grid_search_with_the_refit_rule(people, routing, groups, wrapped):
    X, _ = people
    y = X["decision"].to_numpy()
    groups = X["sex"] if groups == "series" else groups
    model = SensitiveColumns(pipeline(), "sex") if wrapped else pipeline()
    prefix = "estimator__" if wrapped else ""
    search = GridSearchCV(
        model,
        {f"{prefix}logisticregression__C": [1e-9, 1.0]},
        scoring={
            "accuracy": "accuracy",
            DIFFERENCE: fairness_scorer(DIFFERENCE, sensitive_features=groups),
        },
        refit=best_within_bound(0.01),
        cv=3,
        error_score="raise",
    ).fit(X, y)
    assert search.best_index_ == 0
    assert (search.cv_results_[f"mean_test_{DIFFERENCE}"] <= 0).all()


def test_works_alone_in_a_halving_search(people, routing):
    X, _ = people
    search = HalvingGridSearchCV(
        pipeline(),
        {"logisticregression__C": [1e-9, 1.0]},
        scoring=fairness_scorer(DIFFERENCE, sensitive_features="sex"),
        cv=2,
        min_resources=60,
        error_score="raise",
    ).fit(X, X["decision"])
    assert search.best_params_ == {"logisticregression__C": 1e-9}


@pytest.mark.parametrize("alone", [True, False])
def test_weights_of_a_search_weigh_the_score(people, routing, alone):
    """Rows of weight 0 count as if they were not there."""
    X, _ = people
    y, weights = X["decision"].to_numpy(), np.arange(200) % 2
    model, scorer = (
        LogisticRegression(),
        fairness_scorer(DIFFERENCE, sensitive_features=X["sex"]),
    )
    if routing:
        model.set_fit_request(sample_weight=True)
        scorer.set_score_request(sample_weight=True)
    search = GridSearchCV(
        model,
        {"C": [1.0]},
        scoring=scorer if alone else {"score": scorer},
        refit=alone,
        cv=[(np.arange(200), np.arange(200))],
        error_score="raise",
    ).fit(X[["score"]], y, sample_weight=weights)
    fitted = LogisticRegression().fit(X[["score"]][1::2], y[1::2])
    expected = scorer(fitted, X[["score"]][1::2], y[1::2])
    assert_allclose(search.cv_results_["mean_test_score"], expected)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"metric": "dpd"}, ValueError, "'dpd'.*demographic_parity_difference"),
        ({"metric": 3}, TypeError, "demographic_parity_difference.* got 3"),
        ({"response": "proba"}, ValueError, "'predict_proba', .* got 'proba'"),
        (
            {"sensitive_features": np.array([0, 1])},
            TypeError,
            r"got the ndarray of shape \(2,\)\. Cross-validation",
        ),
        ({"sensitive_features": None}, TypeError, "got the NoneType None"),
        ({"sensitive_features": []}, TypeError, r"got the list \[\]"),
        ({"sensitive_features": [0.5]}, TypeError, r"got the list \[0.5\]"),
        ({"sensitive_features": [0.5] * 9}, TypeError, "got the list of 9 values"),
        (
            {"sensitive_features": pd.Series(["F", "M"], index=[7, 7])},
            ValueError,
            "repeats 7",
        ),
    ],
)
def test_bad_parameters_are_named(params, error, message):
    params = {"metric": DIFFERENCE, "sensitive_features": "sex", **params}
    with pytest.raises(error, match=message):
        fairness_scorer(params.pop("metric"), **params)


@pytest.mark.parametrize(
    ("groups", "change", "error", "message"),
    [
        ("Sex", None, ValueError, "fairness_scorer: X has no column 'Sex'.*'sex', 'ra"),
        (9, None, ValueError, "none at position 9"),
        (SEX, np.asarray, TypeError, "X is a ndarray, which has none"),
        (SEX, None, ValueError, r"200 of 200 rows of X .* lacks (\d+, ){4}\d+, …"),
        (
            SEX,
            lambda X: X.head(3).set_axis([0, "a", 1]),
            ValueError,
            "1 of 3 rows of X have no group: .* lacks 'a'[.]",
        ),
    ],
)
def test_groups_that_x_does_not_have_are_named(
    people, answers, groups, change, error, message
):
    X, y = people
    scorer = fairness_scorer(DIFFERENCE, sensitive_features=groups)
    with pytest.raises(error, match=message):
        scorer(answers, X if change is None else change(X), y)
