"""Methods to compare with, as scikit-learn classifiers with one signature for all."""

from skfair_runner.baselines._exponentiated_gradient import (
    ExponentiatedGradientClassifier,
)
from skfair_runner.baselines._fair_smote import FairSMOTEClassifier
from skfair_runner.baselines._oversampling import OversamplingClassifier
from skfair_runner.baselines._reject_option import RejectOptionClassifier
from skfair_runner.baselines._reweighing import ReweighingClassifier, reweighing_weights
from skfair_runner.baselines._threshold_optimizer import ThresholdOptimizerClassifier
from skfair_runner.baselines._unmitigated import UnmitigatedClassifier

__all__ = [
    "ExponentiatedGradientClassifier",
    "FairSMOTEClassifier",
    "OversamplingClassifier",
    "RejectOptionClassifier",
    "ReweighingClassifier",
    "ThresholdOptimizerClassifier",
    "UnmitigatedClassifier",
    "reweighing_weights",
]
