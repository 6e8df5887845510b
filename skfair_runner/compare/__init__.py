"""Many classifiers on the same folds, in one table of accuracy and differences."""

from skfair_runner.compare._compare import compare_classifiers
from skfair_runner.compare._comparison import Comparison
from skfair_runner.compare._methods import standard_classifiers

__all__ = ["Comparison", "compare_classifiers", "standard_classifiers"]
