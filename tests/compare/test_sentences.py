"""Comparisons in words."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from skfair_runner.compare._measures import DIFFERENCE_OF

AIM = "demographic_parity_difference"
FOLDS = [
    ("plain", 0, 0, "", 0.2),
    ("plain", 0, 1, "", 0.22),
    ("other", 0, 0, "", 0.05),
    ("other", 0, 1, "", 0.25),
]


class Fails(DummyClassifier):
    def fit(self, X, y):
        raise RuntimeError(f"no memory for {X.shape[1]} columns")


@pytest.fixture
def two(made):
    """Comparison of a plain method with another one."""

    def two(difference, accuracy, **more):
        return made(
            {
                "plain": {
                    f"{AIM}_mean": 0.21,
                    f"{AIM}_low": 0.2,
                    f"{AIM}_high": 0.22,
                    "accuracy_mean": 0.86,
                },
                "other": {
                    f"{AIM}_mean": difference,
                    f"{AIM}_low": difference - 0.01,
                    f"{AIM}_high": difference + 0.01,
                    "accuracy_mean": accuracy,
                    **more,
                },
            },
            FOLDS,
        )

    return two


def test_the_sentence_says_what_was_reduced_and_at_what_cost(two):
    assert two(0.05, 0.845).summary() == (
        "other on average reduced the demographic parity difference from 0.210 to "
        "0.050 (mean over 2 folds, lower in 1 of 2), at a cost of 1.5 points of "
        "accuracy (0.860 to 0.845). It needs no groups to predict."
    )


def test_a_reduction_in_every_fold_is_said_without_reserve(two):
    result = two(0.05, 0.845)
    result.per_fold.loc[3, AIM] = 0.06
    assert result.summary().startswith("other reduced the demographic")
    assert "lower in 2 of 2" in result.summary()


@pytest.mark.parametrize(
    ("difference", "accuracy", "expected"),
    [
        (0.05, 0.87, "while accuracy rose by 1.0 points (0.860 to 0.870)"),
        (0.05, 0.86, "with accuracy unchanged (0.860 to 0.860)"),
        (0.3, 0.85, "other did not reduce the demographic parity difference: it went"),
        (0.3, 0.85, "while accuracy fell by 1.0 points"),
        (0.211, 0.85, "left the demographic parity difference where it was, from"),
    ],
)
def test_the_sentence_says_what_happened_otherwise(two, difference, accuracy, expected):
    assert expected in two(difference, accuracy).summary()


def test_the_sentence_says_what_has_to_be_accepted_and_what_is_worse(two):
    text = two(
        0.05,
        0.85,
        needs_groups_at_predict=True,
        randomised=True,
        equalized_odds_difference_mean=0.6,
        average_precision_mean=0.4,
        balanced_accuracy_mean=0.6,
    ).summary()
    assert "It needs the group of everybody that it decides about." in text
    assert "It decides by lot: with another seed" in text
    assert text.endswith(
        "Worse than plain: average precision (0.500 to 0.400), equalized odds "
        "difference (0.500 to 0.600)."
    )


def test_the_sentence_says_where_decisions_became_constant(two):
    text = two(0.0, 0.7, constant_folds=2, selection_rate_mean=0.001).summary()
    assert (
        "other became constant in 2 of 2 folds: it gives more than 99.5 % the same "
        "decision (selection rate 0.001), so its differences say nothing there."
    ) in text


def test_no_rate_is_told_where_no_label_selects(two):
    result = two(0.0, 0.7, constant_folds=2)
    result.table["selection_rate_mean"] = np.nan
    text = result.summary()
    assert "the same decision, so its differences say nothing there." in text


def test_a_constant_reference_is_said_first(comparison):
    assert comparison.summary(reference="nobody").startswith("nobody became constant")


def test_failures_are_in_the_sentence(compare, logistic):
    assert compare({"logistic": logistic, "fails": Fails()}).summary() == (
        "fails failed: RuntimeError: no memory for 6 columns"
    )
    text = compare({"fails": Fails(), "logistic": logistic}).summary()
    assert text.startswith(
        "fails, which the other methods are compared with, failed: R"
    )


def test_a_method_by_itself_has_a_sentence(compare, logistic):
    text = compare({"logistic": logistic}).summary()
    assert "no other method to compare it with" in text


def test_no_method_is_called_fair(comparison):
    for difference in DIFFERENCE_OF.values():
        assert "fair" not in comparison.summary(difference=difference)


def test_overlapping_intervals_settle_nothing(two):
    words = "The confidence intervals overlap (0.185 to 0.205 and 0.200 to 0.220)"
    assert words in two(0.195, 0.86).summary()
    assert "overlap" not in two(0.18, 0.86).summary()


def test_nothing_is_said_of_intervals_that_are_not_there(two):
    result = two(0.195, 0.86)
    result.table[f"{AIM}_low"] = result.table[f"{AIM}_high"] = np.nan
    assert "overlap" not in result.summary()
    del result.table[f"{AIM}_low"]
    assert "overlap" not in result.summary()
