"""What both wrappers do alike: reading, seeds, routing, the scikit-learn contract."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import (
    ExponentiatedGradientClassifier,
    ThresholdOptimizerClassifier,
    _base,
)
from skfair_runner.baselines._base import seeded
from skfair_runner.model_selection import SensitiveColumns


def mixture(estimator=None, **parameters):
    """ExponentiatedGradient that is quick, and stays a mixture."""
    estimator = LogisticRegression() if estimator is None else estimator
    return ExponentiatedGradientClassifier(
        estimator, max_iter=3, random_state=0, **parameters
    )


def thresholds(estimator=None, **parameters):
    estimator = LogisticRegression() if estimator is None else estimator
    return ThresholdOptimizerClassifier(estimator, random_state=0, **parameters)


BOTH = pytest.mark.parametrize("make", [mixture, thresholds])


def predict(clf, X, groups, method="predict"):
    """Call a method, with groups where the classifier needs them."""
    last = clf[-1] if hasattr(clf, "steps") else clf
    keywords = {"sensitive_features": groups} if last.needs_groups_at_predict else {}
    return getattr(clf, method)(X, **keywords)


def alternating(X, y=None):
    """Two groups in turns, within each label where there are labels."""
    n_samples = X.shape[0] if hasattr(X, "shape") else np.asarray(X).shape[0]
    y = np.zeros(n_samples) if y is None else np.asarray(y).ravel()
    groups = np.arange(n_samples) % 2
    if y.shape == (n_samples,):
        for label in pd.unique(y):
            rows = np.flatnonzero(y == label)
            groups[rows] = np.arange(len(rows)) % 2
    return groups


class MixtureOfDerivedGroups(ExponentiatedGradientClassifier):
    """Alternates between two groups, so that scikit-learn can check it."""

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X))


class ThresholdsOfDerivedGroups(ThresholdOptimizerClassifier):
    """Alternates between two groups; in `fit` among the samples of each label."""

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X, y))

    def predict(self, X):
        return super().predict(X, sensitive_features=alternating(X))

    def predict_proba(self, X):
        return super().predict_proba(X, sensitive_features=alternating(X))

    score = ClassifierMixin.score


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
# From check_estimator itself, where it casts infinite values.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@pytest.mark.parametrize(
    "estimator",
    [
        MixtureOfDerivedGroups(LogisticRegression(), max_iter=1),
        ThresholdsOfDerivedGroups(LogisticRegression()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_the_common_checks_of_scikit_learn_pass(estimator):
    check_estimator(estimator)


@BOTH
def test_labels_and_groups_may_be_strings(make, people):
    X, y, gender = people
    clf = make().fit(X, y, sensitive_features=gender)

    assert clf.classes_.tolist() == ["declined", "hired"]
    assert clf.groups_ == ["female", "male"]
    assert set(predict(clf, X, gender)) == {"declined", "hired"}
    proba = predict(clf, X, gender, "predict_proba")
    assert proba.shape == (300, 2) and proba.dtype == np.float64
    assert_allclose(proba.sum(axis=1), 1)


@BOTH
def test_decisions_are_those_on_labels_zero_and_one(make, people):
    X, y, gender = people
    named = make().fit(X, y, sensitive_features=gender)
    coded = make().fit(X, (y == "hired").astype(int), sensitive_features=gender)
    expected = np.where(predict(coded, X, gender) == 1, "hired", "declined")
    assert_array_equal(predict(named, X, gender), expected)


@BOTH
def test_the_smaller_label_may_be_the_favourable_one(make, people):
    X, y, gender = people
    clf = make(constraint="true_positive_rate_parity", pos_label="declined")
    clf.fit(X, y, sensitive_features=gender)
    coded = make(constraint="true_positive_rate_parity")
    coded.fit(X, (y == "declined").astype(int), sensitive_features=gender)

    expected = np.where(predict(coded, X, gender) == 1, "declined", "hired")
    assert_array_equal(predict(clf, X, gender), expected)
    proba = predict(clf, X, gender, "predict_proba")
    assert_allclose(proba[:, ::-1], predict(coded, X, gender, "predict_proba"))


@BOTH
def test_the_same_seed_gives_the_same_decisions(make, people):
    X, y, gender = people
    one = make().fit(X, y, sensitive_features=gender)
    two = make().fit(X, y, sensitive_features=gender)
    decisions = predict(one, X, gender)
    assert_array_equal(decisions, predict(one, X, gender))
    assert_array_equal(decisions, predict(two, X, gender))


@BOTH
def test_without_a_seed_a_fitted_classifier_repeats_its_decisions(make, people):
    X, y, gender = people
    clf = make().set_params(random_state=None).fit(X, y, sensitive_features=gender)
    assert_array_equal(predict(clf, X, gender), predict(clf, X, gender))


@BOTH
def test_a_pickled_classifier_decides_alike(make, people):
    X, y, gender = people
    clf = make().fit(X, y, sensitive_features=gender)
    copy = pickle.loads(pickle.dumps(clf))
    assert_array_equal(predict(copy, X, gender), predict(clf, X, gender))


@BOTH
@pytest.mark.parametrize("container", [sparse.csr_matrix, np.asarray, list])
def test_x_comes_in_any_container(make, container, people):
    X, y, gender = people
    other = X.to_numpy().tolist() if container is list else container(X.to_numpy())
    expected = make().fit(X.to_numpy(), y, sensitive_features=gender.to_numpy())
    clf = make().fit(other, y.to_list(), sensitive_features=gender.to_list())
    assert_array_equal(
        predict(clf, other, gender.to_list()),
        predict(expected, X.to_numpy(), gender.to_numpy()),
    )


@BOTH
def test_several_sensitive_columns_are_crossed(make, people):
    X, y, gender = people
    table = pd.DataFrame({"gender": gender, "tall": X["height"] > 0})
    clf = make().fit(X, y, sensitive_features=table)
    assert clf.groups_ == [
        ("female", False),
        ("female", True),
        ("male", False),
        ("male", True),
    ]
    assert len(predict(clf, X, table)) == 300


@BOTH
def test_pipelines_hand_the_groups_on(make, people, routing):
    X, y, gender = people
    clf = make_pipeline(StandardScaler(), make())
    prefix = "" if routing else f"{clf.steps[-1][0]}__"
    clf.fit(X, y, **{f"{prefix}sensitive_features": gender})
    assert len(predict(clf, X, gender)) == 300


@BOTH
def test_searches_read_the_groups_from_columns(make, people, routing):
    X, y, gender = people
    table = X.assign(gender=gender)
    clf = SensitiveColumns(make_pipeline(StandardScaler(), make()), "gender")
    step = clf.estimator.steps[-1][0]
    search = GridSearchCV(
        clf,
        {f"estimator__{step}__estimator__C": [0.1, 1.0]},
        cv=2,
        error_score="raise",
    )
    search.fit(table, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(search.predict(table)) == 300


def test_a_search_hands_the_groups_to_fit(people, routing):
    X, y, gender = people
    search = GridSearchCV(mixture(), {"estimator__C": [1.0]}, cv=2, error_score="raise")
    search.fit(X, y, sensitive_features=gender)
    assert search.best_estimator_.groups_ == ["female", "male"]


def test_cross_validation_hands_the_groups_to_fit(people, routing):
    X, y, gender = people
    scores = cross_validate(
        mixture(),
        X,
        y,
        params={"sensitive_features": gender},
        cv=2,
        error_score="raise",
    )["test_score"]
    assert scores.min() > 0.5


def test_without_an_estimator_the_default_net_is_trained(people, monkeypatch):
    X, y, gender = people
    settings = {"warmup_epochs": 1, "max_epochs": 1}
    monkeypatch.setattr(
        _base, "RunnerFairClassifier", partial(RunnerFairClassifier, **settings)
    )
    clf = ThresholdOptimizerClassifier(random_state=5)
    clf.fit(X, y, sensitive_features=gender)
    assert isinstance(clf.estimator_, RunnerFairClassifier)
    assert (clf.estimator_.constraint, clf.estimator_.random_state) == (None, 5)


def test_an_unfitted_ensemble_is_no_reason_to_fail(people):
    """It has no length, so that asking whether it is true raises."""
    X, y, gender = people
    clf = thresholds(RandomForestClassifier(n_estimators=2, max_depth=2))
    assert get_tags(clf).classifier_tags.multi_class is False
    assert len(clf.fit(X, y, sensitive_features=gender).estimator_) == 2


def test_only_seeds_that_are_unset_are_set():
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(random_state=1))
    assert seeded(pipeline, 5)[-1].random_state == 1
    assert seeded(LogisticRegression(), 5).random_state == 5


@BOTH
def test_a_third_label_is_refused(make, people):
    X, y, gender = people
    y = y.where(X["height"] > -0.5, "undecided")
    with pytest.raises(ValueError, match=r"3 labels \['declined', 'hired', 'undeci"):
        make().fit(X, y, sensitive_features=gender)


@BOTH
def test_absent_labels_are_refused(make, people):
    X, _, gender = people
    with pytest.raises(ValueError, match=r"Classifier\.fit requires y to be passed"):
        make().fit(X, None, sensitive_features=gender)


@BOTH
def test_absent_groups_are_refused(make, people):
    X, y, _ = people
    with pytest.raises(ValueError, match=r"Classifier\.fit compares groups, so `sens"):
        make().fit(X, y)


@BOTH
def test_groups_of_another_length_are_refused(make, people):
    X, y, gender = people
    with pytest.raises(ValueError, match="has 299 rows, X has 300"):
        make().fit(X, y, sensitive_features=gender[:-1])


@BOTH
def test_groups_on_another_index_are_refused(make, people):
    X, y, gender = people
    with pytest.raises(ValueError, match=f"{gender.index[-1]} in `sensitive_features`"):
        make().fit(X, y, sensitive_features=gender[::-1])


@BOTH
def test_a_single_group_is_refused(make, people):
    X, y, _ = people
    with pytest.raises(ValueError, match="belong to one group, 'all'"):
        make().fit(X, y, sensitive_features=["all"] * 300)


@BOTH
@pytest.mark.parametrize(
    "constraint", ["true_positive_rate_parity", "false_positive_rate_parity"]
)
def test_the_favourable_label_must_be_told_where_it_matters(make, constraint, people):
    X, y, gender = people
    with pytest.raises(ValueError, match=rf"{constraint}.*pass pos_label='hired'"):
        make(constraint=constraint).fit(X, y, sensitive_features=gender)


@BOTH
def test_an_unknown_constraint_is_refused(make, people):
    X, y, gender = people
    with pytest.raises(ValueError, match="Got 'parity' instead"):
        make(constraint="parity").fit(X, y, sensitive_features=gender)
