"""Group metrics in one vectorised pass, in agreement with fairlearn's."""

from skfair_runner.metrics.differences import (
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    false_positive_rate_difference,
)
from skfair_runner.metrics.intervals import DifferenceInterval, difference_interval
from skfair_runner.metrics.registry import METRICS, Metric, resolve_metric
from skfair_runner.metrics.scores import (
    area_between_cdfs,
    largest_demographic_parity_difference,
)
from skfair_runner.metrics.summary import fairness_summary
from skfair_runner.metrics.tables import group_rates, is_constant

__all__ = [
    "METRICS",
    "DifferenceInterval",
    "Metric",
    "area_between_cdfs",
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "difference_interval",
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "fairness_summary",
    "false_positive_rate_difference",
    "group_rates",
    "is_constant",
    "largest_demographic_parity_difference",
    "resolve_metric",
]
