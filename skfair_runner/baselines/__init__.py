"""Fairlearn's mitigators as scikit-learn classifiers, with one signature for all."""

from skfair_runner.baselines._exponentiated_gradient import (
    ExponentiatedGradientClassifier,
)
from skfair_runner.baselines._threshold_optimizer import ThresholdOptimizerClassifier

__all__ = ["ExponentiatedGradientClassifier", "ThresholdOptimizerClassifier"]
