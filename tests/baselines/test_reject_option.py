import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skfair_runner.baselines import RejectOptionClassifier
from skfair_runner.metrics import (
    demographic_parity_difference,
    equal_opportunity_difference,
    equalized_odds_difference,
)
from skfair_runner.utils import SkfairRunnerWarning


class ScoresInX(ClassifierMixin, BaseEstimator):
    """The first column of X is the probability of the larger label."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = np.asarray(X)[:, 0]
        return np.column_stack([1 - p, p])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def reject(estimator=None, *args, **parameters):
    estimator = LogisticRegression() if estimator is None else estimator
    parameters = {"pos_label": "hired", "random_state": 0, **parameters}
    return RejectOptionClassifier(estimator, *args, **parameters)


# Selection rates 1/5 and 3/5 of groups b and a.
SCORES = np.array([0.1, 0.3, 0.45, 0.4, 0.8, 0.2, 0.4, 0.55, 0.7, 0.9])[:, None]
Y = np.array([0, 0, 1, 0, 1, 0, 0, 1, 1, 1])
GROUPS = np.array(["b"] * 5 + ["a"] * 5)


def test_decisions_worked_by_hand():
    """Confidences 0.9 0.7 0.55 0.6 0.8 of group b, 0.8 0.6 0.55 0.7 0.9 of group a."""
    clf = RejectOptionClassifier(ScoresInX(), theta=0.65)
    clf.fit(SCORES, Y, sensitive_features=GROUPS)
    assert clf.disadvantaged_ == ["b"]
    decisions = clf.predict(SCORES, sensitive_features=GROUPS)
    assert decisions.tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 1, 1]
    assert clf.theta_ == 0.65
    # Selected: 3 of 5 and 2 of 5; right: all but the fourth and the eighth.
    assert clf.difference_ == pytest.approx(1 / 5)
    assert clf.balanced_accuracy_ == pytest.approx(4 / 5)
    proba = clf.predict_proba(SCORES, sensitive_features=GROUPS)
    assert_allclose(proba[:, 1], [0.1, 0.3, 0.55, 0.6, 0.8, 0.2, 0.4, 0.45, 0.7, 0.9])


def test_theta_worked_by_hand():
    """At 0.575 both groups have 2 of 5; accuracy 9/10, the best with no difference."""
    clf = RejectOptionClassifier(ScoresInX(), difference_bound=0.0)
    clf.fit(SCORES, Y, sensitive_features=GROUPS)
    assert clf.theta_ == pytest.approx(0.575)
    assert (clf.difference_, clf.balanced_accuracy_) == (0.0, pytest.approx(0.9))


def test_an_overshoot_is_no_smaller_difference():
    """A known implementation minimises the signed difference: group b far ahead."""
    scores = np.array([[0.3], [0.3], [0.7], [0.3]])
    groups, y = ["b", "b", "a", "a"], [0, 1, 1, 0]
    clf = RejectOptionClassifier(ScoresInX(), difference_bound=0.1)
    # Plainly 0 of 2 and 1 of 2; beyond 0.7 it would be 2 of 2 and 0 of 2.
    with pytest.warns(SkfairRunnerWarning, match=r"smallest one is 0\.500"):
        clf.fit(scores, y, sensitive_features=groups)
    assert clf.theta_ == 0.5
    assert clf.predict(scores, sensitive_features=groups).tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("constraint", "metric"),
    [
        ("demographic_parity", demographic_parity_difference),
        ("equalized_odds", equalized_odds_difference),
        ("true_positive_rate_parity", equal_opportunity_difference),
    ],
)
def test_the_difference_keeps_to_the_bound_or_the_warning_says_which_it_is(
    constraint, metric, people
):
    X, y, gender = people
    clf = reject(None, constraint)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf.fit(X, y, sensitive_features=gender)
    y_pred = clf.predict(X, sensitive_features=gender)
    found = metric(y, y_pred, sensitive_features=gender, pos_label="hired")
    assert clf.difference_ == pytest.approx(found)
    plain = clf.estimator_.predict(X)
    before = metric(y, plain, sensitive_features=gender, pos_label="hired")
    assert found < before
    if found > 0.05:
        assert f"The smallest one is {found:.3f}" in str(caught[0].message)
        assert caught[0].filename == __file__
    else:
        assert not caught


def test_a_bound_that_is_met_already_changes_nothing(people):
    X, y, gender = people
    clf = reject(difference_bound=1.0).fit(X, y, sensitive_features=gender)
    expected = LogisticRegression().fit(X, y)
    assert clf.balanced_accuracy_ >= 0.8
    decided = clf.predict(X, sensitive_features=gender)
    if clf.theta_ == 0.5:
        assert_array_equal(decided, expected.predict(X))


@pytest.mark.parametrize("pos_label", ["hired", "declined"])
@pytest.mark.parametrize("theta", ["auto", 0.8, 1.0])
def test_the_most_probable_label_is_the_decision(theta, pos_label, people):
    X, y, gender = people
    clf = reject(theta=theta, pos_label=pos_label).fit(X, y, sensitive_features=gender)
    proba = clf.predict_proba(X, sensitive_features=gender)
    decisions = clf.predict(X, sensitive_features=gender)
    assert_array_equal(clf.classes_[proba.argmax(axis=1)], decisions)
    assert_allclose(proba.sum(axis=1), 1)
    plain = clf.estimator_.predict_proba(X)
    sure = plain.max(axis=1) >= clf.theta_
    assert_allclose(proba[sure], plain[sure])


def test_scores_of_one_half_are_decided_alike_by_both_methods():
    scores = np.array([[0.5], [0.5], [0.9], [0.1], [0.9], [0.1]])
    y, groups = [1, 0, 1, 0, 1, 0], ["b", "a", "a", "b", "a", "b"]
    clf = RejectOptionClassifier(ScoresInX(), theta=0.6)
    clf.fit(scores, y, sensitive_features=groups)
    assert clf.disadvantaged_ == ["b"]
    assert clf.predict(scores, sensitive_features=groups).tolist() == [1, 0, 1, 0, 1, 0]
    proba = clf.predict_proba(scores, sensitive_features=groups)
    assert proba.argmax(axis=1).tolist() == [1, 0, 1, 0, 1, 0]


def test_of_three_groups_those_below_the_overall_rate_are_favoured():
    scores = np.array([0.1, 0.45, 0.2, 0.6, 0.9, 0.55, 0.9, 0.8])[:, None]
    y, groups = [0, 1, 0, 1, 1, 0, 1, 0], list("aabbcccc")
    clf = RejectOptionClassifier(ScoresInX(), theta=0.65)
    clf.fit(scores, y, sensitive_features=groups)
    # Rates 0, 1/2, 1 of a, b, c; overall 5/8.
    assert clf.disadvantaged_ == ["a", "b"]
    decided = clf.predict(scores, sensitive_features=groups)
    assert decided.tolist() == [0, 1, 0, 1, 1, 0, 1, 1]


@pytest.mark.parametrize("theta", ["auto", 0.9])
def test_where_nobody_is_disadvantaged_no_decision_is_changed(theta):
    scores = np.array([[0.4], [0.6], [0.4], [0.6]])
    y, groups = [0, 1, 0, 1], ["a", "a", "b", "b"]
    clf = RejectOptionClassifier(ScoresInX(), theta=theta)
    clf.fit(scores, y, sensitive_features=groups)
    assert (clf.disadvantaged_, clf.theta_) == ([], 0.5)
    assert clf.predict(scores, sensitive_features=groups).tolist() == y


def test_theta_is_chosen_on_rows_held_out_where_a_share_is_given(people):
    """A tree knows its training data by heart: there, nothing is unsure."""
    X, y, gender = people
    tree = DecisionTreeClassifier(min_samples_leaf=2)
    on_training = reject(tree).set_params(difference_bound=0.1)
    held_out = reject(tree, validation_fraction=0.4, difference_bound=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkfairRunnerWarning)
        on_training.fit(X, y, sensitive_features=gender)
        held_out.fit(X, y, sensitive_features=gender)
    assert on_training.balanced_accuracy_ - held_out.balanced_accuracy_ > 0.05
    seen = held_out.estimator_.tree_.n_node_samples[0]
    assert 175 <= seen <= 185


def test_a_fitted_estimator_is_left_as_it_is(people):
    X, y, gender = people
    fitted = LogisticRegression().fit(X, y)
    before = fitted.coef_.copy()
    clf = reject(fitted, prefit=True)
    clf.fit(X[:100], y[:100], sensitive_features=gender[:100])
    assert clf.estimator_ is fitted
    assert_array_equal(fitted.coef_, before)


def test_score_is_the_accuracy(people):
    X, y, gender = people
    clf = reject().fit(X, y, sensitive_features=gender)
    right = clf.predict(X, sensitive_features=gender) == y
    assert clf.score(X, y, sensitive_features=gender) == right.mean()


def test_a_search_hands_the_groups_to_score_with_routing_on(people, routing):
    X, y, gender = people
    search = GridSearchCV(
        reject(theta=0.6), {"theta": [0.55, 0.6]}, cv=2, error_score="raise"
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
    clf = reject().fit(X, y, sensitive_features=gender)
    with pytest.raises(ValueError, match=rf"Classifier\.{method} lets the group deci"):
        getattr(clf, method)(X)


def test_a_group_that_fit_did_not_see_is_refused(people):
    X, y, gender = people
    clf = reject().fit(X, y, sensitive_features=gender)
    with pytest.raises(ValueError, match="unknown group 'other'"):
        clf.predict(X[:2], sensitive_features=pd.Series(["male", "other"], X.index[:2]))


def test_the_favourable_label_must_be_told(people):
    X, y, gender = people
    with pytest.raises(
        ValueError, match="^RejectOptionClassifier depends on .*pass pos_label='hired'"
    ):
        reject(pos_label=None).fit(X, y, sensitive_features=gender)


def test_an_estimator_without_probabilities_is_refused(people):
    X, y, gender = people
    with pytest.raises(TypeError, match="LinearSVC has no predict_proba"):
        reject(LinearSVC()).fit(X, y, sensitive_features=gender)


@pytest.mark.parametrize("theta", [0.5, 1.2, "best"])
def test_theta_out_of_range_is_refused(theta, people):
    X, y, gender = people
    with pytest.raises(ValueError, match=f"theta.*Got {theta!r} instead"):
        reject(theta=theta).fit(X, y, sensitive_features=gender)


@pytest.mark.parametrize("pos_label", ["hired", "declined"])
def test_a_group_without_a_label_is_refused_where_labels_are_compared(
    pos_label, people
):
    X, y, gender = people
    kept = (gender == "male") | (y == "declined")
    clf = reject(None, "equalized_odds", pos_label=pos_label, theta=0.6)
    with pytest.raises(ValueError, match="'female' has no sample with label 'hired'"):
        clf.fit(X[kept], y[kept], sensitive_features=gender[kept])
    clf.set_params(constraint="demographic_parity")
    clf.fit(X[kept], y[kept], sensitive_features=gender[kept])


def test_prefit_needs_an_estimator(people):
    X, y, gender = people
    with pytest.raises(ValueError, match="but estimator=None"):
        RejectOptionClassifier(prefit=True, pos_label="hired").fit(
            X, y, sensitive_features=gender
        )


def test_prefit_needs_a_fitted_estimator(people):
    X, y, gender = people
    with pytest.raises(NotFittedError, match="LogisticRegression"):
        reject(prefit=True).fit(X, y, sensitive_features=gender)


def test_prefit_needs_the_labels_of_the_estimator(people):
    X, y, gender = people
    fitted = LogisticRegression().fit(X, y == "hired")
    with pytest.raises(ValueError, match=r"labels \[False, True\], but y has \['decl"):
        reject(fitted, prefit=True).fit(X, y, sensitive_features=gender)


def test_prefit_holds_no_rows_out(people):
    X, y, gender = people
    fitted = LogisticRegression().fit(X, y)
    clf = reject(fitted, prefit=True, validation_fraction=0.25)
    with pytest.raises(ValueError, match=r"validation_fraction=0\.25: pass None"):
        clf.fit(X, y, sensitive_features=gender)
