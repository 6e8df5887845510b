"""Many classifiers on the same folds, in one table of accuracy and differences."""

from skfair_runner.compare._compare import compare_classifiers
from skfair_runner.compare._comparison import Comparison
from skfair_runner.compare._standard import standard_classifiers
from skfair_runner.compare._sweep import sweep_tradeoff
from skfair_runner.compare._sweep_result import TradeoffSweep
from skfair_runner.metrics.fronts import hypervolume

__all__ = [
    "Comparison",
    "TradeoffSweep",
    "compare_classifiers",
    "hypervolume",
    "standard_classifiers",
    "sweep_tradeoff",
]
