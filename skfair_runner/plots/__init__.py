"""Figures of comparisons, groups, neurons and training, as display objects."""

from skfair_runner.plots._channel_images import ChannelImagesDisplay
from skfair_runner.plots._discrimination import DiscriminationDisplay
from skfair_runner.plots._frontier import FrontierDisplay
from skfair_runner.plots._frontier_neurons import FrontierNeuronsDisplay
from skfair_runner.plots._groups import GroupMetricsDisplay
from skfair_runner.plots._history import TrainingHistoryDisplay
from skfair_runner.plots._neuron_history import NeuronHistoryDisplay
from skfair_runner.plots._neurons import NeuronImportanceDisplay
from skfair_runner.plots._precision_recall import GroupPrecisionRecallDisplay
from skfair_runner.plots._scores import ScoreDistributionDisplay
from skfair_runner.plots._search import TradeoffSearchDisplay
from skfair_runner.plots._tradeoff import TradeoffDisplay

__all__ = [
    "ChannelImagesDisplay",
    "DiscriminationDisplay",
    "FrontierDisplay",
    "FrontierNeuronsDisplay",
    "GroupMetricsDisplay",
    "GroupPrecisionRecallDisplay",
    "NeuronHistoryDisplay",
    "NeuronImportanceDisplay",
    "ScoreDistributionDisplay",
    "TradeoffDisplay",
    "TradeoffSearchDisplay",
    "TrainingHistoryDisplay",
]
