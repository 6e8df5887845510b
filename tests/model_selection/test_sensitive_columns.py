import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

from skfair_runner.model_selection import SensitiveColumns
from skfair_runner.utils import SensitiveFeaturesRequestMixin


class Recorder(SensitiveFeaturesRequestMixin, ClassifierMixin, BaseEstimator):
    """Classifier that keeps what its `fit` received, and insists on groups."""

    def __init__(self, C=1.0):
        self.C = C

    def fit(self, X, y, *, sensitive_features=None, sample_weight=None):
        if sensitive_features is None:
            raise ValueError("no groups came")
        if len(sensitive_features) != X.shape[0]:
            raise ValueError("X and the groups have different lengths")
        self.X_, self.groups_, self.weights_ = X, sensitive_features, sample_weight
        self.model_ = LogisticRegression(C=self.C).fit(X, y, sample_weight)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class ByGroup(ClassifierMixin, BaseEstimator):
    """Classifier that predicts a sample's group."""

    needs_groups_at_predict = True

    def fit(self, X, y, *, sensitive_features):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X, *, sensitive_features):
        return np.asarray(sensitive_features)

    def predict_proba(self, X, *, sensitive_features):
        return np.eye(2)[np.asarray(sensitive_features)]


class Keywords(Recorder):
    """Declares no more than `**kwargs`, like the reductions of fairlearn."""

    def fit(self, X, y, **kwargs):
        return super().fit(X, y, **kwargs)


@pytest.fixture(params=[False, True], ids=["routing off", "routing on"])
def routing(request):
    with config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.fixture
def people():
    """X with two sensitive columns, of which the index is no range, and y."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "age": rng.normal(size=120),
            "sex": rng.choice(["F", "M"], 120),
            "job": rng.choice(["clerk", "nurse", "other"], 120),
            "race": rng.choice(["a", "b", "c"], 120),
            "pay": rng.normal(size=120),
        },
        index=rng.permutation(120) + 1000,
    )
    y = (X["age"] + rng.normal(size=120) > 0).to_numpy().astype(int)
    return X, y


def table_pipeline(last):
    """Pipeline that ends in `last` behind a ColumnTransformer."""
    encode = make_column_transformer(
        (OneHotEncoder(), ["job"]), ("passthrough", ["age", "pay"])
    )
    return Pipeline([("encode", encode), ("clf", last)])


def inner_recorder(fitted):
    """Innermost fitted estimator behind pipelines and searches."""
    while True:
        if isinstance(fitted, SensitiveColumns):
            fitted = fitted.estimator_
        elif isinstance(fitted, Pipeline):
            fitted = fitted[-1]
        elif hasattr(fitted, "best_estimator_"):
            fitted = fitted.best_estimator_
        else:
            return fitted


def search(estimator, name="clf__C"):
    return GridSearchCV(estimator, {name: [0.1, 1.0]}, cv=2, error_score="raise")


SHAPES = {
    "estimator": (Recorder, ["age", "pay"]),
    "any keyword": (Keywords, ["age", "pay"]),
    "search": (lambda: search(Recorder(), "C"), ["age", "pay"]),
    "pipeline": (lambda: table_pipeline(Recorder()), None),
    "nested pipeline": (
        lambda: table_pipeline(make_pipeline(StandardScaler(), Recorder())),
        None,
    ),
    "search of a pipeline": (lambda: search(table_pipeline(Recorder())), None),
    "search in a pipeline": (lambda: table_pipeline(search(Recorder(), "C")), None),
    "nested search": (
        lambda: search(make_pipeline(table_pipeline(Recorder())), "pipeline__clf__C"),
        None,
    ),
}


@pytest.mark.parametrize(
    "estimator",
    [
        SensitiveColumns(LogisticRegression()),
        SensitiveColumns(LogisticRegression(), -1),
        SensitiveColumns(LogisticRegression(), [0], drop=False),
        SensitiveColumns(Recorder(), -1),
        SensitiveColumns(Ridge(), [-1]),
        SensitiveColumns(
            make_pipeline(FunctionTransformer(), LogisticRegression()), -1
        ),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_estimator_checks_pass(estimator):
    check_estimator(estimator)


# These checks put bad values into the first column of X, and expect a complaint.
FIRST_COLUMN_IS_NOT_LOOKED_AT = {
    "check_estimators_nan_inf": "NaN in a column that is dropped does no harm",
    "check_dtype_object": "an object in a column that is dropped does no harm",
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_checks_that_fail_look_at_the_column_that_is_dropped():
    results = check_estimator(SensitiveColumns(LogisticRegression(), 0), on_fail=None)
    failed = {r["check_name"] for r in results if r["status"] == "failed"}
    assert failed == set(FIRST_COLUMN_IS_NOT_LOOKED_AT)


def test_methods_of_the_inner_estimator_are_delegated(people):
    X, y = people
    X = X[["age", "pay", "sex"]]
    outer = SensitiveColumns(LogisticRegression(), "sex").fit(X, y)
    inner = LogisticRegression().fit(X[["age", "pay"]], y)

    features = X[["age", "pay"]]
    assert_array_equal(outer.classes_, [0, 1])
    assert_array_equal(outer.predict(X), inner.predict(features))
    assert_array_equal(outer.predict_proba(X), inner.predict_proba(features))
    assert_array_equal(outer.decision_function(X), inner.decision_function(features))
    assert outer.score(X, y) == inner.score(features, y)
    weights = np.linspace(0, 1, 120)
    assert outer.score(X, y, weights) == inner.score(features, y, weights)


def test_methods_that_the_inner_estimator_lacks_are_not_offered():
    outer = SensitiveColumns(Ridge())
    assert not hasattr(outer, "predict_proba")
    assert not hasattr(outer, "decision_function")
    assert not hasattr(outer, "classes_")
    assert hasattr(outer, "predict")
    assert not hasattr(SensitiveColumns(StandardScaler()), "score")


def test_features_in_are_those_of_raw_x(people):
    X, y = people
    outer = SensitiveColumns(table_pipeline(Recorder()), ["race", "sex"]).fit(X, y)
    assert outer.n_features_in_ == 5
    assert_array_equal(outer.feature_names_in_, X.columns)
    assert_array_equal(outer.columns_, [3, 1])


def test_a_request_that_would_be_ignored_cannot_be_set(routing):
    assert not hasattr(SensitiveColumns, "set_fit_request")
    assert not hasattr(SensitiveColumns, "set_score_request")


def test_the_inner_estimator_is_not_touched(people):
    X, y = people
    inner = Recorder()
    SensitiveColumns(inner, "sex").fit(X[["age", "sex"]], y)
    assert not hasattr(inner, "X_")


@pytest.mark.parametrize("shape", SHAPES)
def test_groups_reach_the_last_step_in_every_spelling(people, routing, shape):
    X, y = people
    make, features = SHAPES[shape]
    X = X if features is None else X[[*features, "sex"]]

    outer = SensitiveColumns(make(), "sex").fit(X, y)

    pd.testing.assert_series_equal(inner_recorder(outer).groups_, X["sex"])
    assert_array_equal(outer.predict(X), outer.predict(X.drop(columns="sex")))


def test_the_features_of_an_estimator_lack_the_column_but_keep_the_index(people):
    X, y = people
    outer = SensitiveColumns(Recorder(), "sex").fit(X[["age", "sex", "pay"]], y)
    pd.testing.assert_frame_equal(outer.estimator_.X_, X[["age", "pay"]])


def test_several_columns_arrive_as_a_frame_in_the_order_named(people, routing):
    X, y = people
    outer = SensitiveColumns(table_pipeline(Recorder()), ["sex", "race"]).fit(X, y)
    pd.testing.assert_frame_equal(inner_recorder(outer).groups_, X[["sex", "race"]])


@pytest.mark.parametrize("columns", [1, -2, [1], np.array([1]), np.int64(1)])
@pytest.mark.parametrize(
    "container", [np.asarray, np.ndarray.tolist, sparse.csr_array, sparse.coo_matrix]
)
def test_columns_of_an_array_are_given_by_position(container, columns):
    X = np.array([[0.5, 7.0, 1.0], [0.0, 8.0, 2.0], [1.5, 7.0, 0.0], [2.0, 8.0, 0.0]])
    y = [0, 1, 0, 1]

    outer = SensitiveColumns(Recorder(), columns).fit(container(X), y)

    assert_array_equal(outer.estimator_.groups_, X[:, 1])
    features = outer.estimator_.X_
    features = features.toarray() if sparse.issparse(features) else features
    assert_array_equal(features.astype(float), X[:, [0, 2]])
    assert_array_equal(
        outer.predict(container(X)), outer.predict(container(X[:, [0, 2]]))
    )


def test_rows_of_a_list_keep_numbers_beside_strings():
    outer = SensitiveColumns(Recorder(), 0)
    outer.fit([["F", 1.0], ["M", 2.0], ["F", 3.0]], [0, 1, 1])
    assert outer.estimator_.groups_.tolist() == ["F", "M", "F"]
    assert outer.estimator_.X_.tolist() == [[1.0], [2.0], [3.0]]


def test_a_position_in_a_frame_is_found_by_name_afterwards(people):
    X, y = people
    X = X[["sex", "age", "pay"]]
    outer = SensitiveColumns(Recorder(), 0).fit(X, y)
    moved = X[["age", "pay", "sex"]]
    assert_array_equal(outer.predict(moved), outer.predict(X))


def test_one_of_two_columns_may_be_absent_in_predict(people):
    X, y = people
    outer = SensitiveColumns(table_pipeline(Recorder()), ["sex", "race"]).fit(X, y)
    expected = outer.predict(X)
    assert_array_equal(outer.predict(X.drop(columns="sex")), expected)
    assert_array_equal(outer.predict(X.drop(columns=["race", "sex"])), expected)


def test_columns_that_are_not_dropped_are_features_as_well(routing):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
    outer = SensitiveColumns(Recorder(), 1, drop=False).fit(X, y)
    assert_array_equal(outer.estimator_.X_, X)
    assert_array_equal(outer.estimator_.groups_, X[:, 1])
    with pytest.raises(ValueError, match="X has 2 features, but .* expecting 3 fea"):
        outer.predict(X[:, :2])


def test_no_columns_hand_x_on_as_it_is():
    words = ["good day", "bad day", "good", "bad"]
    pipe = make_pipeline(FirstLetter(), DecisionTreeClassifier())
    outer = SensitiveColumns(pipe).fit(words, [1, 0, 1, 0])
    assert outer.predict(["gone", "bald"]).tolist() == [1, 0]


class FirstLetter(BaseEstimator):
    """Transformer of a list of texts, which no table could hold."""

    def fit(self, X, y=None):
        assert isinstance(X, list)
        return self

    def transform(self, X):
        return np.array([[ord(text[0])] for text in X])


def test_an_estimator_without_groups_is_fitted_without_the_column(people, routing):
    X, y = people
    outer = SensitiveColumns(table_pipeline(LogisticRegression()), "sex").fit(X, y)
    plain = table_pipeline(LogisticRegression()).fit(X.drop(columns="sex"), y)
    assert_array_equal(outer.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.filterwarnings("ignore:The scoring .* does not support sample_weight")
def test_weights_reach_the_last_step_with_routing_off(people, shape):
    X, y = people
    make, features = SHAPES[shape]
    X = X if features is None else X[[*features, "sex"]]
    weights = np.linspace(0.1, 1, 120)
    outer = SensitiveColumns(make(), "sex").fit(X, y, weights)
    assert_array_equal(inner_recorder(outer).weights_, weights)


@config_context(enable_metadata_routing=True)
def test_weights_follow_the_requests_with_routing_on(people):
    X, y = people
    weights = np.linspace(0.1, 1, 120)
    asks = Recorder().set_fit_request(sample_weight=True)
    outer = SensitiveColumns(table_pipeline(asks), "sex").fit(X, y, weights)
    assert_array_equal(inner_recorder(outer).weights_, weights)

    refuses = Recorder().set_fit_request(sample_weight=False)
    outer = SensitiveColumns(table_pipeline(refuses), "sex")
    with pytest.raises(TypeError, match="sample_weight"):
        outer.fit(X, y, weights)


@config_context(enable_metadata_routing=True)
def test_a_search_routes_weights_through_to_fit_and_score(people):
    X, y = people
    asks = Recorder().set_fit_request(sample_weight=True)
    asks.set_score_request(sample_weight=True)
    outer = search(SensitiveColumns(table_pipeline(asks), "sex"), "estimator__clf__C")
    weights = np.arange(120) % 2
    outer.fit(X, y, sample_weight=weights)
    assert_array_equal(inner_recorder(outer).weights_, weights)
    best = outer.best_estimator_
    assert best.score(X, y, weights) == best.score(X[1::2], y[1::2])


def test_further_parameters_of_a_step_are_handed_on(people):
    X, y = people
    weights = np.linspace(0.1, 1, 120)
    outer = SensitiveColumns(table_pipeline(Recorder()), "sex")
    outer.fit(X, y, clf__sample_weight=weights)
    assert_array_equal(inner_recorder(outer).weights_, weights)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_works_in_a_grid_search(people, routing, n_jobs):
    X, y = people
    outer = search(
        SensitiveColumns(table_pipeline(Recorder()), "sex"), "estimator__clf__C"
    )
    outer.set_params(n_jobs=n_jobs).fit(X, y)
    pd.testing.assert_series_equal(inner_recorder(outer).groups_, X["sex"])


def test_works_in_a_halving_search(people, routing):
    X, y = people
    outer = HalvingGridSearchCV(
        SensitiveColumns(table_pipeline(Recorder()), "sex"),
        {"estimator__clf__C": [0.1, 1.0]},
        cv=2,
        min_resources=40,
        random_state=0,
        error_score="raise",
    ).fit(X, y)
    pd.testing.assert_series_equal(inner_recorder(outer).groups_, X["sex"])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_fold_gets_the_groups_of_its_rows(people, routing, n_jobs):
    X, y = people
    results = cross_validate(
        SensitiveColumns(table_pipeline(Recorder()), ["sex", "race"]),
        X,
        y,
        cv=3,
        n_jobs=n_jobs,
        return_estimator=True,
        return_indices=True,
        error_score="raise",
    )
    for fitted, rows in zip(
        results["estimator"], results["indices"]["train"], strict=True
    ):
        expected = X[["sex", "race"]].iloc[rows]
        pd.testing.assert_frame_equal(inner_recorder(fitted).groups_, expected)


def test_voting_and_stacking_work_with_routing_on_and_say_so_with_routing_off(people):
    X, y = people
    voting = VotingClassifier([("clf", Recorder()), ("tree", DecisionTreeClassifier())])
    outer = SensitiveColumns(table_pipeline(voting), "sex")
    with config_context(enable_metadata_routing=True):
        outer.fit(X, y)
    for refused in (
        voting,
        table_pipeline(voting),
        search(voting, "clf__C"),
        StackingClassifier([("clf", Recorder())]),
    ):
        name = type(refused).__name__
        message = f"SensitiveColumns: {name} passes .*enable_metadata_routing=True"
        with pytest.raises(ValueError, match=message):
            SensitiveColumns(refused, "sex").fit(X, y)


def test_pickles_and_clones(people):
    X, y = people
    outer = SensitiveColumns(table_pipeline(Recorder()), ["sex", "race"]).fit(X, y)
    again = pickle.loads(pickle.dumps(outer))
    assert_allclose(again.predict_proba(X), outer.predict_proba(X))
    assert clone(outer).get_params(deep=False)["columns"] == ["sex", "race"]


def test_groups_at_predict_go_only_where_they_are_needed(people):
    X, y = people
    X = X.assign(sex=(X["sex"] == "M").astype(int))
    outer = SensitiveColumns(ByGroup(), "sex").fit(X, y)
    assert_array_equal(outer.predict(X), X["sex"])
    assert_array_equal(outer.predict_proba(X)[:, 1], X["sex"])
    assert outer.score(X, y) == accuracy_score(y, X["sex"])
    weights = np.linspace(0, 1, 120)
    assert_allclose(
        outer.score(X, y, weights), accuracy_score(y, X["sex"], sample_weight=weights)
    )
    with pytest.raises(ValueError, match=r"needs groups to predict, .*columns='sex'"):
        outer.predict(X.drop(columns="sex"))


def test_groups_at_predict_reach_the_last_step_of_a_pipeline(people, routing):
    X, y = people
    X = X.assign(sex=(X["sex"] == "M").astype(int))
    last = ByGroup()
    if routing:
        last.set_fit_request(sensitive_features=True)
        last.set_predict_request(sensitive_features=True)
    results = cross_validate(
        SensitiveColumns(table_pipeline(last), "sex"),
        X,
        y,
        cv=2,
        return_indices=True,
        error_score="raise",
    )
    expected = [
        accuracy_score(y[rows], X["sex"].iloc[rows])
        for rows in results["indices"]["test"]
    ]
    assert_allclose(results["test_score"], expected)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"estimator": 3}, ValueError, "'estimator' parameter.*'fit'.*Got 3"),
        ({"drop": "no"}, ValueError, "'drop' parameter.*Got 'no'"),
        ({"columns": 1.5}, ValueError, "'columns' parameter.*Got 1.5"),
        ({"columns": "Sex"}, ValueError, "no column 'Sex'.*'age', 'sex', 'job', 'ra"),
        (
            {"columns": ["age", "sex", "job", "race", "pay"]},
            ValueError,
            r"X has 5 feature\(s\), and columns=\['age', .* every one",
        ),
    ],
)
def test_bad_parameters_are_named(people, params, error, message):
    X, y = people
    outer = SensitiveColumns(Recorder(), "sex").set_params(**params)
    with pytest.raises(error, match=message):
        outer.fit(X, y)


@pytest.mark.parametrize("key", ["sensitive_features", "clf__sensitive_features"])
def test_groups_beside_the_columns_are_refused(people, routing, key):
    X, y = people
    outer = SensitiveColumns(table_pipeline(Recorder()), "sex")
    with pytest.raises(TypeError, match=f"columns 'sex' of X, so '{key}' must not"):
        outer.fit(X, y, **{key: X["sex"]})


@pytest.mark.parametrize("n_features", [1, 4])
def test_another_number_of_features_in_predict_is_refused(n_features):
    X = np.random.default_rng(0).normal(size=(20, 3))
    outer = SensitiveColumns(Recorder(), 0).fit(X, [0, 1] * 10)
    message = (
        f"X has {n_features} features, but SensitiveColumns is expecting 3 features as "
        "input, or 2 without the sensitive columns"
    )
    with pytest.raises(ValueError, match=message):
        outer.predict(np.ones((5, n_features)))


@pytest.mark.parametrize(
    "step",
    [
        make_column_transformer((OneHotEncoder(), ["sex"]), remainder="drop"),
        FunctionTransformer(lambda X: X[["sex"]]),
        FunctionTransformer(lambda X: X[["sex", "age"]]),
        FunctionTransformer(lambda X: X["sex"].to_frame()),
    ],
    ids=["transformer", "columns", "some columns", "a column"],
)
def test_a_step_that_asks_for_a_dropped_column_is_told(people, step):
    X, y = people
    pipeline = make_pipeline(step, OneHotEncoder(), LogisticRegression())
    message = r"takes columns='sex' out of X, and Pipeline asks for 'sex' .*drop=False"
    with pytest.raises(ValueError, match=message):
        SensitiveColumns(pipeline, "sex").fit(X, y)
    SensitiveColumns(pipeline, "sex", drop=False).fit(X, y)


class Refusing(LogisticRegression):
    """Classifier with an error of its own."""

    def fit(self, X, y):
        raise self.error


@pytest.mark.parametrize(
    "error",
    [ValueError("the column 'sex' holds 99 values"), KeyError("place"), KeyError(0)],
)
def test_other_errors_of_the_estimator_stay_what_they_are(people, error, monkeypatch):
    X, y = people
    monkeypatch.setattr(Refusing, "error", error, raising=False)
    with pytest.raises(type(error)) as told:
        SensitiveColumns(Refusing(), "sex").fit(X, y)
    assert told.value is error
    with pytest.raises(type(error)) as told:
        SensitiveColumns(Refusing(), 0).fit(np.eye(len(y)), y)
    assert told.value is error
