"""Neural classifiers whose group differences are found and reduced in the neurons."""

from ._settings import paper_settings
from .classifier import RunnerFairClassifier
from .compare import (
    Comparison,
    TradeoffSweep,
    compare_classifiers,
    hypervolume,
    standard_classifiers,
    sweep_tradeoff,
)
from .frontier import RunnerFrontier
from .model_selection import (
    SensitiveColumns,
    TradeoffSearchCV,
    best_within_bound,
    fairness_scorer,
    knee_of_front,
    least_difference_near_best,
)
from .persistence import export_onnx, load, save
from .preprocessing import make_table_preprocessor
from .repair import RepairResult, diagnose_neurons, repair_module

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "RepairResult",
    "RunnerFairClassifier",
    "RunnerFrontier",
    "SensitiveColumns",
    "TradeoffSearchCV",
    "TradeoffSweep",
    "best_within_bound",
    "compare_classifiers",
    "diagnose_neurons",
    "export_onnx",
    "fairness_scorer",
    "hypervolume",
    "knee_of_front",
    "least_difference_near_best",
    "load",
    "make_table_preprocessor",
    "paper_settings",
    "repair_module",
    "save",
    "standard_classifiers",
    "sweep_tradeoff",
]
