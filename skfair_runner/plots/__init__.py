"""Figures of comparisons, neurons and training, as display objects."""

from skfair_runner.plots._history import TrainingHistoryDisplay
from skfair_runner.plots._neurons import NeuronImportanceDisplay
from skfair_runner.plots._tradeoff import TradeoffDisplay

__all__ = ["NeuronImportanceDisplay", "TradeoffDisplay", "TrainingHistoryDisplay"]
