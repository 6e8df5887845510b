import numpy as np
import pandas as pd
import pytest
from fairlearn.postprocessing import ThresholdOptimizer
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.metrics import (
    demographic_parity_difference,
    equalized_odds_difference,
)


class Float32Scores(ClassifierMixin, BaseEstimator):
    """Torch models return scores like these."""

    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X).astype(np.float32)

    def predict(self, X):
        return self.model_.predict(X)


class OnlyDecides(DecisionTreeClassifier):
    """Classifier with nothing but `predict`."""

    predict_proba = property()


@pytest.mark.parametrize(
    ("constraint", "tol"),
    [
        ("demographic_parity", None),
        ("demographic_parity", 0.1),
        ("equalized_odds", None),
        ("true_positive_rate_parity", 0.05),
        ("false_positive_rate_parity", None),
    ],
)
def test_it_is_fairlearns_thresholder(constraint, tol, people):
    X, y, gender = people
    clf = ThresholdOptimizerClassifier(
        GaussianNB(),
        constraint,
        difference_bound=tol,
        pos_label="hired",
        random_state=3,
    ).fit(X, y, sensitive_features=gender)
    theirs = ThresholdOptimizer(
        estimator=GaussianNB(), constraints=constraint, tol=tol
    ).fit(X, (y == "hired").astype(int), sensitive_features=gender)

    assert_allclose(
        clf.predict_proba(X, sensitive_features=gender),
        theirs._pmf_predict(X, sensitive_features=gender),
    )
    drawn = theirs.predict(X, sensitive_features=gender, random_state=3)
    assert_array_equal(
        clf.predict(X, sensitive_features=gender),
        np.where(drawn == 1, "hired", "declined"),
    )


def test_differences_of_the_training_data_come_down_to_the_bound(people):
    X, y, gender = people
    measured = {"sensitive_features": gender, "pos_label": "hired"}
    for bound in (None, 0.1):
        clf = ThresholdOptimizerClassifier(
            LogisticRegression(), difference_bound=bound, random_state=0
        ).fit(X, y, sensitive_features=gender)
        y_pred = clf.predict(X, sensitive_features=gender)
        difference = demographic_parity_difference(y, y_pred, **measured)
        assert difference <= (bound or 0) + 0.01
    clf = ThresholdOptimizerClassifier(
        LogisticRegression(), "equalized_odds", random_state=0
    ).fit(X, y, sensitive_features=gender)
    plain = clf.estimator_.predict(X)
    y_pred = clf.predict(X, sensitive_features=gender)
    assert equalized_odds_difference(y, y_pred, **measured) < 0.5 * (
        equalized_odds_difference(y, plain, **measured)
    )


@pytest.mark.parametrize("estimator", [Float32Scores(), LinearSVC(), OnlyDecides()])
@pytest.mark.parametrize("pos_label", ["hired", "declined"])
def test_scores_are_what_the_estimator_has(estimator, pos_label, people):
    """Float32 scores crash fairlearn's own thresholder under pandas 3."""
    X, y, gender = people
    clf = ThresholdOptimizerClassifier(
        estimator, pos_label=pos_label, random_state=0
    ).fit(X, y, sensitive_features=gender)
    y_pred = clf.predict(X, sensitive_features=gender)
    assert np.mean(y_pred == y) > 0.7


def test_a_fitted_estimator_is_left_as_it_is(people):
    X, y, gender = people
    fitted = LogisticRegression().fit(X, y)
    before = fitted.coef_.copy()
    clf = ThresholdOptimizerClassifier(fitted, prefit=True, random_state=0)
    clf.fit(X[:100], y[:100], sensitive_features=gender[:100])
    assert clf.estimator_ is fitted
    assert_array_equal(fitted.coef_, before)


def test_score_is_the_accuracy(people):
    X, y, gender = people
    clf = ThresholdOptimizerClassifier(LogisticRegression(), random_state=0)
    clf.fit(X, y, sensitive_features=gender)
    right = clf.predict(X, sensitive_features=gender) == y
    assert clf.score(X, y, sensitive_features=gender) == right.mean()
    weights = np.linspace(0, 1, 300)
    weighted = clf.score(X, y, sensitive_features=gender, sample_weight=weights)
    assert weighted == pytest.approx(np.average(right, weights=weights))


def test_a_search_hands_the_groups_to_score_with_routing_on(people, routing):
    X, y, gender = people
    search = GridSearchCV(
        ThresholdOptimizerClassifier(LogisticRegression(), random_state=0),
        {"estimator__C": [0.1, 1.0]},
        cv=2,
        error_score="raise",
    )
    if routing:
        search.fit(X, y, sensitive_features=gender)
        assert (search.cv_results_["mean_test_score"] > 0.5).all()
    else:
        with pytest.raises(ValueError, match="SensitiveColumns, which reads them"):
            search.fit(X, y, sensitive_features=gender)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_groups_are_required_to_predict(method, people):
    X, y, gender = people
    clf = ThresholdOptimizerClassifier(LogisticRegression(), random_state=0)
    clf.fit(X, y, sensitive_features=gender)
    with pytest.raises(ValueError, match=rf"Classifier\.{method} cuts the scores"):
        getattr(clf, method)(X)


def test_a_group_that_fit_did_not_see_is_refused(people):
    """fairlearn declines everybody of such a group without a word."""
    X, y, gender = people
    clf = ThresholdOptimizerClassifier(LogisticRegression(), random_state=0)
    clf.fit(X, y, sensitive_features=gender)
    with pytest.raises(ValueError, match="unknown group 'other'"):
        clf.predict(X[:2], sensitive_features=pd.Series(["male", "other"], X.index[:2]))


@pytest.mark.parametrize("pos_label", ["hired", "declined"])
def test_a_group_without_a_label_is_refused(pos_label, people):
    X, y, gender = people
    kept = (gender == "male") | (y == "declined")
    clf = ThresholdOptimizerClassifier(LogisticRegression(), pos_label=pos_label)
    with pytest.raises(ValueError, match="'female' has no sample with label 'hired'"):
        clf.fit(X[kept], y[kept], sensitive_features=gender[kept])


def test_a_bound_on_equalized_odds_is_refused(people):
    X, y, gender = people
    clf = ThresholdOptimizerClassifier(None, "equalized_odds", difference_bound=0.1)
    with pytest.raises(ValueError, match=r"but difference_bound=0\.1"):
        clf.fit(X, y, sensitive_features=gender)


def test_prefit_needs_an_estimator(people):
    X, y, gender = people
    clf = ThresholdOptimizerClassifier(prefit=True)
    with pytest.raises(ValueError, match="but estimator=None"):
        clf.fit(X, y, sensitive_features=gender)


def test_prefit_needs_a_fitted_estimator(people):
    X, y, gender = people
    clf = ThresholdOptimizerClassifier(LogisticRegression(), prefit=True)
    with pytest.raises(NotFittedError, match="LogisticRegression"):
        clf.fit(X, y, sensitive_features=gender)


def test_prefit_needs_the_labels_of_the_estimator(people):
    X, y, gender = people
    fitted = LogisticRegression().fit(X, y == "hired")
    clf = ThresholdOptimizerClassifier(fitted, prefit=True)
    with pytest.raises(ValueError, match=r"labels \[False, True\], but y has \['decl"):
        clf.fit(X, y, sensitive_features=gender)
