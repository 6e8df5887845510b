"""Torch modules to train: the network for tables, and networks for images."""

from skfair_runner.modules.alexnet import AlexNet
from skfair_runner.modules.encoding import (
    PiecewiseLinearEncoding,
    piecewise_linear_edges,
)
from skfair_runner.modules.normalize import Normalize
from skfair_runner.modules.resnet import ResNet18
from skfair_runner.modules.tabular import MLP, TabularNet

__all__ = [
    "MLP",
    "AlexNet",
    "Normalize",
    "PiecewiseLinearEncoding",
    "ResNet18",
    "TabularNet",
    "piecewise_linear_edges",
]
