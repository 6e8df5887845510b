import logging

import numpy as np
import pandas as pd
import pytest
from fairlearn.reductions import DemographicParity, EqualizedOdds, GridSearch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from skfair_runner.baselines import GridSearchReductionClassifier
from skfair_runner.baselines._grid_search import choose_point
from skfair_runner.metrics import (
    demographic_parity_difference,
    equalized_odds_difference,
)
from skfair_runner.utils import SkfairRunnerWarning


# The wrapper silences what pandas says about fairlearn 0.15.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:fairlearn")
@pytest.mark.parametrize("constraint_weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("constraint", "moment"),
    [("demographic_parity", DemographicParity), ("equalized_odds", EqualizedOdds)],
)
def test_it_is_fairlearns_choice(constraint, moment, constraint_weight, people):
    X, y, gender = people
    clf = GridSearchReductionClassifier(
        LogisticRegression(),
        constraint,
        constraint_weight=constraint_weight,
        grid_size=9,
        grid_limit=1.5,
    ).fit(X, y, sensitive_features=gender)
    theirs = GridSearch(
        LogisticRegression(),
        moment(),
        constraint_weight=constraint_weight,
        grid_size=9,
        grid_limit=1.5,
    ).fit(X, (y == "hired").astype(int), sensitive_features=gender)

    assert_allclose(clf.predict_proba(X), theirs.predict_proba(X))
    expected = np.where(theirs.predict(X) == 1, "hired", "declined")
    assert_array_equal(clf.predict(X), expected)
    assert clf.grid_results_["selected"].to_numpy().nonzero() == (theirs.best_idx_,)
    assert_allclose(clf.grid_results_["error"], theirs.objectives_)
    assert_allclose(clf.grid_results_["violation"], theirs.gammas_.max())


@pytest.mark.parametrize(
    ("constraint", "metric"),
    [
        ("demographic_parity", demographic_parity_difference),
        ("equalized_odds", equalized_odds_difference),
    ],
)
def test_the_difference_that_is_told_is_that_of_the_decisions(
    constraint, metric, people
):
    X, y, gender = people
    table = pd.DataFrame({"gender": gender, "tall": X["height"] > 0})
    for groups in (gender, table):
        clf = GridSearchReductionClassifier(
            LogisticRegression(), constraint, grid_size=64
        ).fit(X, y, sensitive_features=groups)
        kept = clf.grid_results_.query("selected").iloc[0]
        y_pred = clf.predict(X)
        assert kept["error"] == pytest.approx(np.mean(y_pred != y))
        difference = metric(y, y_pred, sensitive_features=groups, pos_label="hired")
        assert kept["difference"] == pytest.approx(difference)


@pytest.mark.parametrize("difference_bound", [0.1, 0.2])
def test_of_the_points_within_the_bound_the_most_accurate_is_kept(
    difference_bound, people
):
    X, y, gender = people
    clf = GridSearchReductionClassifier(
        LogisticRegression(), difference_bound=difference_bound, grid_size=21
    ).fit(X, y, sensitive_features=gender)
    within = clf.grid_results_.query("difference <= @difference_bound")
    kept = clf.grid_results_.query("selected")
    assert kept["error"].item() == within["error"].min()
    assert kept["difference"].item() <= difference_bound


def test_equal_errors_are_decided_by_the_difference():
    points = pd.DataFrame(
        {
            "error": [0.3, 0.2, 0.2],
            "violation": [0.1, 0.1, 0.1],
            "difference": [0.0, 0.2, 0.1],
        },
        index=[7, 8, 9],
    )
    assert choose_point(points, 0.2, 0.5) == 2


def test_a_bound_that_no_point_keeps_to_is_told(people):
    X, y, gender = people
    clf = GridSearchReductionClassifier(
        LogisticRegression(), difference_bound=0.001, grid_size=3
    )
    message = r"none of the 3 points .* difference_bound=0\.001 .*, 0\.\d+, was taken"
    with pytest.warns(SkfairRunnerWarning, match=message) as record:
        clf.fit(X, y, sensitive_features=gender)
    assert record[0].filename == __file__
    kept = clf.grid_results_.query("selected")["difference"].item()
    assert kept == clf.grid_results_["difference"].min()


def test_too_few_points_are_told(people, caplog):
    """fairlearn says it to a log that nobody reads."""
    X, y, gender = people
    table = pd.DataFrame({"gender": gender, "tall": X["height"] > 0})
    clf = GridSearchReductionClassifier(LogisticRegression(), "equalized_odds")
    message = r"grid_size=11 points for 6 multipliers \(4 groups, equalized_odds\).* 64"
    with pytest.warns(SkfairRunnerWarning, match=message):
        clf.fit(X, y, sensitive_features=table)
    assert not caplog.records
    assert logging.getLogger("fairlearn.reductions").level == logging.NOTSET


@pytest.mark.parametrize("pos_label", ["hired", "declined"])
def test_one_label_for_everybody_may_be_what_is_kept(pos_label, people):
    X, y, gender = people
    with pytest.warns(SkfairRunnerWarning, match="none of the"):
        clf = GridSearchReductionClassifier(
            LogisticRegression(),
            difference_bound=0.0,
            grid_size=2,
            grid_limit=1e-6,
            pos_label=pos_label,
        ).fit(X, y, sensitive_features=gender)
    # As fairlearn does where a point of the grid gives all samples one label.
    for constant, label in ((1, pos_label), (0, ({*clf.classes_} - {pos_label}).pop())):
        dummy = DummyClassifier(strategy="constant", constant=constant)
        clf.estimator_ = dummy.fit(np.zeros((1, 1)), [constant])
        assert set(clf.predict(X)) == {label}
        proba = clf.predict_proba(X)
        assert (proba[:, clf.classes_.tolist().index(label)] == 1).all()
        assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize("pos_label", ["hired", "declined"])
def test_decision_values_are_positive_for_the_second_class(pos_label, people):
    X, y, gender = people
    clf = GridSearchReductionClassifier(LinearSVC(), pos_label=pos_label, grid_size=3)
    clf.fit(X, y, sensitive_features=gender)
    assert not hasattr(clf, "predict_proba")
    expected = np.where(clf.decision_function(X) > 0, "hired", "declined")
    assert_array_equal(clf.predict(X), expected)


def test_features_are_not_kept_in_the_fitted_classifier(people):
    X, y, gender = people
    clf = GridSearchReductionClassifier(LogisticRegression(), grid_size=3)
    clf.fit(X, y, sensitive_features=gender)
    assert not any(value is X for value in vars(clf).values())
    assert isinstance(clf.estimator_, LogisticRegression)


def test_an_estimator_without_weights_is_refused(people):
    X, y, gender = people
    clf = GridSearchReductionClassifier(KNeighborsClassifier())
    with pytest.raises(TypeError, match=r"KNeighborsClassifier\.fit takes no sample_w"):
        clf.fit(X, y, sensitive_features=gender)


def test_a_single_point_is_refused(people):
    X, y, gender = people
    clf = GridSearchReductionClassifier(LogisticRegression(), grid_size=1)
    with pytest.raises(ValueError, match="'grid_size' parameter .* Got 1 instead"):
        clf.fit(X, y, sensitive_features=gender)


@pytest.mark.parametrize("pos_label", ["hired", "declined"])
def test_a_group_without_a_label_is_refused_where_labels_are_compared(
    pos_label, people
):
    X, y, gender = people
    kept = (gender == "male") | (y == "declined")
    clf = GridSearchReductionClassifier(
        LogisticRegression(), "equalized_odds", grid_size=4, pos_label=pos_label
    )
    with pytest.raises(ValueError, match="'female' has no sample with label 'hired'"):
        clf.fit(X[kept], y[kept], sensitive_features=gender[kept])
    clf.set_params(constraint="demographic_parity")
    clf.fit(X[kept], y[kept], sensitive_features=gender[kept])
