"""The whole trade-off from one training, and choosing on it."""

from skfair_runner.frontier._frontier import RunnerFrontier

__all__ = ["RunnerFrontier"]
