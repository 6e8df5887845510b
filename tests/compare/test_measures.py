"""What is measured, and in which direction it is better."""

import pytest

from skfair_runner.compare._measures import (
    DIFFERENCE_OF,
    MEASURES,
    check_difference,
    check_utility,
)
from skfair_runner.gaps import CONSTRAINTS
from skfair_runner.metrics import METRICS, fairness_summary


def test_every_constraint_has_a_difference():
    assert {
        name: constraint.metric for name, constraint in CONSTRAINTS.items()
    } == DIFFERENCE_OF
    assert set(DIFFERENCE_OF.values()) <= set(METRICS) & set(MEASURES)


def test_every_number_of_a_summary_is_a_measure():
    summary = fairness_summary(
        [0, 1, 0, 1], [0, 1, 1, 0], sensitive_features=[0, 0, 1, 1]
    )
    other_names = {"demographic_parity_ratio", "constant"}
    assert set(summary) - other_names <= set(MEASURES)


def test_measures_in_the_wrong_direction_are_refused():
    check_difference("abcc", "here")
    check_utility("roc_auc", "here")
    with pytest.raises(ValueError, match="here: there is no difference 'roc_auc'"):
        check_difference("roc_auc", "here")
    with pytest.raises(ValueError, match="here: there is no utility 'abcc'"):
        check_utility("abcc", "here")
