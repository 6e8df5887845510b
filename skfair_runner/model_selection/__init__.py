"""Sensitive columns, scorers of group differences, refit rules, and a search."""

from skfair_runner.model_selection._refit import (
    best_within_bound,
    knee_of_front,
    least_difference_near_best,
)
from skfair_runner.model_selection._scorer import fairness_scorer
from skfair_runner.model_selection._search import TradeoffSearchCV
from skfair_runner.model_selection._sensitive_columns import SensitiveColumns

__all__ = [
    "SensitiveColumns",
    "TradeoffSearchCV",
    "best_within_bound",
    "fairness_scorer",
    "knee_of_front",
    "least_difference_near_best",
]
