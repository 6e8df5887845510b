"""Torch modules to train: the network for tables and its input encoding."""

from skfair_runner.modules.encoding import (
    PiecewiseLinearEncoding,
    piecewise_linear_edges,
)
from skfair_runner.modules.tabular import MLP, TabularNet

__all__ = ["MLP", "PiecewiseLinearEncoding", "TabularNet", "piecewise_linear_edges"]
