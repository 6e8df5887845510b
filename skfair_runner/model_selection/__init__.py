"""Sensitive features from columns of X, scorers of group differences, refit rules."""

from skfair_runner.model_selection._refit import (
    best_within_bound,
    knee_of_front,
    least_difference_near_best,
)
from skfair_runner.model_selection._scorer import fairness_scorer
from skfair_runner.model_selection._sensitive_columns import SensitiveColumns

__all__ = [
    "SensitiveColumns",
    "best_within_bound",
    "fairness_scorer",
    "knee_of_front",
    "least_difference_near_best",
]
