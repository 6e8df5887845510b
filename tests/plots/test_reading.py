import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner import SensitiveColumns
from skfair_runner.plots._reading import decisions_of, fitted_attribute, scores_of

X = np.random.default_rng(0).normal(size=(60, 2))
Y = (X[:, 0] > 0).astype(int)
GROUPS = np.where(X[:, 1] > 0, "a", "b")


class ByGroup(ClassifierMixin, BaseEstimator):
    """Selects one group."""

    needs_groups_at_predict = True

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        return self

    def predict(self, X, *, sensitive_features):
        return (np.asarray(sensitive_features) == "a").astype(int)

    def predict_proba(self, X, *, sensitive_features):
        chosen = self.predict(X, sensitive_features=sensitive_features)
        return np.column_stack([1 - chosen, chosen])


@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: make_pipeline(None, c)])
def test_groups_are_passed_to_those_that_need_them(wrap):
    clf = wrap(ByGroup()).fit(X, Y)
    expected = (GROUPS == "a").astype(int)
    np.testing.assert_array_equal(decisions_of(clf, X, GROUPS), expected)
    np.testing.assert_array_equal(scores_of(clf, X, GROUPS, None, "plot"), expected)


def test_groups_are_not_passed_to_others():
    clf = LogisticRegression().fit(X, Y)
    np.testing.assert_array_equal(decisions_of(clf, X, GROUPS), clf.predict(X))


def test_sensitive_columns_find_the_groups_themselves():
    table = pd.DataFrame(X, columns=["a", "b"]).assign(sex=GROUPS)
    clf = SensitiveColumns(LogisticRegression(), "sex").fit(table, Y)
    np.testing.assert_array_equal(decisions_of(clf, table, GROUPS), clf.predict(table))


def test_the_column_of_the_favourable_label_is_taken():
    clf = LogisticRegression().fit(X, np.where(Y == 1, "good", "poor"))
    np.testing.assert_array_equal(
        scores_of(clf, X, GROUPS, "good", "plot"), clf.predict_proba(X)[:, 0]
    )


def test_attributes_are_found_inside_of_searches_and_pipelines():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [2.0]},
        cv=2,
    ).fit(X, Y)
    coefficients = search.best_estimator_[-1].coef_
    assert fitted_attribute(search, "coef_", "plot") is coefficients


def test_an_estimator_without_the_attribute_is_named():
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    message = "plot: LogisticRegression has no `history_`"
    with pytest.raises(ValueError, match=message):
        fitted_attribute(pipeline, "history_", "plot")


def test_an_estimator_without_scores_is_named():
    clf = RidgeClassifier().fit(X, Y)
    with pytest.raises(TypeError, match="plot: RidgeClassifier has no `predict_proba`"):
        scores_of(clf, X, GROUPS, None, "plot")


def test_the_favourable_label_must_be_known():
    clf = LogisticRegression().fit(X, np.where(Y == 1, "good", "poor"))
    with pytest.raises(ValueError, match=r"plot: which of the labels \['good', 'poor'"):
        scores_of(clf, X, GROUPS, None, "plot")
