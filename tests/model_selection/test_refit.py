import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skfair_runner.model_selection import best_within_bound
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
