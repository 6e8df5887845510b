"""Methods to compare with, as scikit-learn classifiers with one signature for all."""

from skfair_runner.baselines._adversarial import AdversarialDebiasingClassifier
from skfair_runner.baselines._correlation_remover import CorrelationRemoverClassifier
from skfair_runner.baselines._exponentiated_gradient import (
    ExponentiatedGradientClassifier,
)
from skfair_runner.baselines._fad import FADClassifier
from skfair_runner.baselines._fair_neuron import FairNeuronClassifier
from skfair_runner.baselines._fair_smote import FairSMOTEClassifier
from skfair_runner.baselines._faire import FaireClassifier
from skfair_runner.baselines._fairlearn_adversarial import (
    FairlearnAdversarialClassifier,
)
from skfair_runner.baselines._gap_regularisation import GapRegularisationClassifier
from skfair_runner.baselines._grid_search import GridSearchReductionClassifier
from skfair_runner.baselines._neufair import NeuFairClassifier
from skfair_runner.baselines._neuronfair_augmentation import (
    NeuronFairAugmentationClassifier,
)
from skfair_runner.baselines._oversampling import OversamplingClassifier
from skfair_runner.baselines._prototypes import PrototypeRepresentationClassifier
from skfair_runner.baselines._reject_option import RejectOptionClassifier
from skfair_runner.baselines._reweighing import ReweighingClassifier, reweighing_weights
from skfair_runner.baselines._threshold_optimizer import ThresholdOptimizerClassifier
from skfair_runner.baselines._unmitigated import UnmitigatedClassifier

__all__ = [
    "AdversarialDebiasingClassifier",
    "CorrelationRemoverClassifier",
    "ExponentiatedGradientClassifier",
    "FADClassifier",
    "FairNeuronClassifier",
    "FairSMOTEClassifier",
    "FaireClassifier",
    "FairlearnAdversarialClassifier",
    "GapRegularisationClassifier",
    "GridSearchReductionClassifier",
    "NeuFairClassifier",
    "NeuronFairAugmentationClassifier",
    "OversamplingClassifier",
    "PrototypeRepresentationClassifier",
    "RejectOptionClassifier",
    "ReweighingClassifier",
    "ThresholdOptimizerClassifier",
    "UnmitigatedClassifier",
    "reweighing_weights",
]
