import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skfair_runner.model_selection import (
    best_within_bound,
    knee_of_front,
    least_difference_near_best,
)
from skfair_runner.utils import SkfairRunnerWarning

ACCURACY = "mean_test_accuracy"
DIFFERENCE = "mean_test_difference"


def choose(bound, accuracy, difference):
    rule = best_within_bound(bound, utility=ACCURACY, difference=DIFFERENCE)
    return rule({ACCURACY: np.array(accuracy), DIFFERENCE: -np.array(difference)})


@pytest.mark.parametrize(
    ("bound", "accuracy", "difference", "expected"),
    [
        (0.05, [0.9, 0.8, 0.7], [0.2, 0.04, 0.01], 1),
        (1, [0.9, 0.8, 0.7], [0.2, 0.04, 0.01], 0),
        (0.05, [0.9, 0.8], [0.06, 0.05], 1),
        (0, [0.9, 0.8], [0.1, 0.0], 1),
        (0.1, [0.8, 0.8, 0.8], [0.05, 0.01, 0.01], 1),
        (0.05, [np.nan, 0.8, 0.9], [0.01, 0.02, np.nan], 1),
    ],
    ids=["best below", "all below", "equal to", "zero", "tie", "NaN"],
)
def test_the_best_utility_below_the_bound_is_chosen(
    bound, accuracy, difference, expected
):
    best = choose(bound, accuracy, difference)
    assert best == expected
    assert isinstance(best, int)


def test_a_difference_that_rounding_puts_above_the_bound_meets_it():
    assert 0.1 + 0.2 > 0.3
    assert choose(0.3, [0.9, 0.8], [0.1 + 0.2, 0.1]) == 0


def test_the_smallest_difference_is_taken_with_a_warning_when_none_is_below():
    message = r"at most 0.01 \('mean_test_difference'\): the smallest, 0.04, is taken"
    with pytest.warns(SkfairRunnerWarning, match=message):
        assert choose(0.01, [0.9, 0.7, 0.8], [0.2, 0.04, 0.04]) == 2


def test_the_warning_of_a_rule_names_the_line_that_called_it():
    with pytest.warns(SkfairRunnerWarning) as told:
        line = sys._getframe().f_lineno + 1
        best_within_bound(0.01)(
            {
                ACCURACY: np.array([0.9]),
                "mean_test_demographic_parity_difference": np.array([-0.2]),
            }
        )
    assert (told[0].filename, told[0].lineno) == (__file__, line)


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: make_pipeline(None, s)])
def test_the_warning_of_a_rule_names_the_line_that_called_a_search(wrap):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), rng.integers(0, 2, 60)
    rule = best_within_bound(0.0, utility="mean_test_a", difference="mean_test_b")
    search = GridSearchCV(
        LogisticRegression(),
        {"C": [0.1, 1.0]},
        scoring={"a": "accuracy", "b": lambda clf, X, y: -0.3},
        refit=rule,
        cv=2,
    )
    with pytest.warns(SkfairRunnerWarning, match=r"the smallest, 0\.3") as told:
        line = sys._getframe().f_lineno + 1
        wrap(search).fit(X, y)
    assert [(each.filename, each.lineno) for each in told] == [(__file__, line)]


def test_nan_is_not_chosen_when_none_is_below():
    with pytest.warns(SkfairRunnerWarning, match="the smallest, 0.2"):
        assert choose(0.01, [0.9, np.nan], [0.2, 0.1]) == 0


def test_an_unknown_column_lists_the_known_ones():
    rule = best_within_bound(0.1, utility="mean_test_acuracy", difference=DIFFERENCE)
    message = r"no column 'mean_test_acuracy'.*\['mean_test_accuracy', 'mean_test_diff"
    with pytest.raises(ValueError, match=message):
        rule({ACCURACY: [1], DIFFERENCE: [0], "rank_test_accuracy": [1]})


def test_differences_that_are_not_negated_are_refused():
    with pytest.raises(ValueError, match="'mean_test_difference' .*, up to 0.25, so"):
        choose(0.1, [0.9, 0.8], [-0.25, -0.1])


def test_nan_everywhere_is_refused():
    with pytest.raises(ValueError, match="all 2 candidates have NaN"):
        choose(0.1, [0.9, np.nan], [np.nan, 0.1])


@pytest.mark.parametrize(
    ("bound", "error"),
    [
        (-0.1, ValueError),
        (np.nan, ValueError),
        ("0.1", TypeError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_a_bad_bound_is_named(bound, error):
    with pytest.raises(error, match=f"`bound` must be .*, got {bound!r}"):
        best_within_bound(bound)


def test_pickles_and_shows_how_it_was_made():
    rule = best_within_bound(0.05, difference=DIFFERENCE)
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert repr(rule) == (
        "best_within_bound(0.05, utility='mean_test_accuracy', "
        "difference='mean_test_difference')"
    )


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_refits_a_grid_search(n_jobs):
    """The strongly regularised candidate predicts the majority, so its gap is 0."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"sex": rng.integers(0, 2, 300), "noise": rng.normal(size=300)})
    y = ((X["sex"] + rng.normal(size=300)) > 0.2).astype(int)
    search = GridSearchCV(
        LogisticRegression(),
        {"C": [1e-6, 1.0]},
        scoring={"accuracy": "accuracy", "difference": negated_difference},
        refit=best_within_bound(0.05, difference=DIFFERENCE),
        n_jobs=n_jobs,
        error_score="raise",
    ).fit(X, y)
    results = search.cv_results_
    assert results[ACCURACY][1] > results[ACCURACY][0]
    assert search.best_index_ == 0
    assert search.best_estimator_.C == 1e-6


def negated_difference(estimator, X, y):
    selected = estimator.predict(X)
    rates = [selected[X["sex"] == group].mean() for group in (0, 1)]
    return -abs(rates[0] - rates[1])


def near_best(folds, difference, n=1.0):
    folds = np.array(folds, dtype=float)  # (n_folds, n_candidates)
    rule = least_difference_near_best(n, difference=DIFFERENCE)
    results = {f"split{i}_test_accuracy": row for i, row in enumerate(folds)}
    return rule({ACCURACY: folds.mean(0), DIFFERENCE: -np.array(difference), **results})


@pytest.mark.parametrize(
    ("n", "expected"), [(0, 0), (0.99, 0), (1.01, 1), (3, 2)], ids=str
)
def test_standard_errors_of_the_best_are_given_for_the_difference(n, expected):
    # The best mean, .90, has a standard error of .02: .88 is one away, .85 two and
    # a half.
    folds = [[0.92, 0.88, 0.85], [0.88, 0.88, 0.85]]
    assert near_best(folds, [0.2, 0.1, 0.0], n) == expected


def test_near_the_best_the_better_utility_breaks_a_tie():
    folds = [[0.92, 0.88, 0.89], [0.88, 0.89, 0.89]]
    assert near_best(folds, [0.2, 0.1, 0.1]) == 2


def test_one_fold_has_no_standard_error():
    with pytest.raises(ValueError, match="has 1 columns split…_test_accuracy"):
        near_best([[0.9, 0.8]], [0.2, 0.1])


@pytest.mark.parametrize("value", [-1, float("nan")])
def test_a_number_of_standard_errors_is_not_negative(value):
    with pytest.raises(ValueError, match=f"must be at least 0, got {value!r}"):
        least_difference_near_best(value)


def test_a_number_of_standard_errors_is_a_number():
    with pytest.raises(TypeError, match="`n_standard_errors` must be a number.*'one'"):
        least_difference_near_best("one")


def test_near_the_best_needs_a_mean_over_folds():
    with pytest.raises(ValueError, match="got 'rank_test_accuracy'"):
        least_difference_near_best(utility="rank_test_accuracy")


def test_the_knee_is_far_above_the_line_between_the_ends():
    rule = knee_of_front(utility=ACCURACY, difference=DIFFERENCE)
    accuracy = np.array([0.90, 0.89, 0.80, 0.70, np.nan])
    difference = np.array([0.20, 0.05, 0.04, 0.00, 0.00])
    assert rule({ACCURACY: accuracy, DIFFERENCE: -difference}) == 1


def test_a_dominated_candidate_is_not_the_knee():
    rule = knee_of_front(utility=ACCURACY, difference=DIFFERENCE)
    accuracy = np.array([0.90, 0.89, 0.70, 0.895])
    difference = np.array([0.20, 0.06, 0.00, 0.05])
    assert rule({ACCURACY: accuracy, DIFFERENCE: -difference}) == 3


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            least_difference_near_best(2),
            "least_difference_near_best(2, utility='mean_test_accuracy', "
            "difference='mean_test_demographic_parity_difference')",
        ),
        (
            knee_of_front(utility="mean_test_ap"),
            "knee_of_front(utility='mean_test_ap', "
            "difference='mean_test_demographic_parity_difference')",
        ),
    ],
    ids=["near best", "knee"],
)
def test_the_other_rules_pickle_and_say_what_they_are(rule, text):
    assert repr(pickle.loads(pickle.dumps(rule))) == text
