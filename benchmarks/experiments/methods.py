"""The methods, the settings that each is swept over, and what was cut short.

Those that train plainly before they repair share the plain phase of a split, which is
trained once, and whose seconds count in each: they differ in the second phase alone.
"""

from collections.abc import Callable
from typing import NamedTuple

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner import (
    RunnerFairClassifier,
    RunnerFrontier,
    make_table_preprocessor,
    paper_settings,
)
from skfair_runner.baselines import (
    AdversarialDebiasingClassifier,
    ExponentiatedGradientClassifier,
    FairNeuronClassifier,
    FairSMOTEClassifier,
    OversamplingClassifier,
    RejectOptionClassifier,
    ReweighingClassifier,
    ThresholdOptimizerClassifier,
)

VANILLA = "Vanilla"
RUNNER = "RUNNER"
RUNNER_SCORES = "RUNNER (scores)"
RUNNER_PAPER = "RUNNER (paper)"
RUNNER_FRONT = "RUNNER (front)"
RUNNER_SCORES_FRONT = "RUNNER (front of scores)"
CEILING = "ceiling"
ITERATIONS = 3
_PUBLISHED = ("adult", "compas", "credit", "lsac")


class Method(NamedTuple):
    """One method: how its classifiers are made, and what it is swept over.

    Attributes
    ----------
    make : callable
        Of the case, the criterion and one setting.

    parameter : str
        What is swept; "" where there is one setting, None.

    settings : tuple
        In order of a stronger effect.

    per_criterion : bool
        Whether a fit serves one criterion alone; else it serves both.

    shares_plain : bool
        Whether it goes on from the plain phase of the split.

    after_vanilla : bool
        Whether `make` takes the fitted unmitigated net as well, and goes on from it.

    raw : bool
        Whether it trains on the table as it is.

    one_training : bool
        Whether one fit serves all settings, which are the weights of its points.

    short : str
        What was cut short.
    """

    make: Callable
    parameter: str = ""
    settings: tuple = (None,)
    per_criterion: bool = True
    shares_plain: bool = False
    after_vanilla: bool = False
    raw: bool = False
    one_training: bool = False
    short: str = ""

    def name_of(self, setting):
        """How a setting is called in the rows."""
        return "–" if setting is None else f"{self.parameter}={setting:g}"


def net(seed):
    """The net that all methods share, with the same two phases."""
    return RunnerFairClassifier(None, random_state=seed)


def vanilla(case, criterion, setting):
    """The net alone, trained plainly in the second phase, too."""
    return net(case.seed)


def oversample(case, criterion, setting):
    """Cells of group and label repeated until they are equal."""
    return OversamplingClassifier(net(case.seed), random_state=case.seed)


def reweighing(case, criterion, setting):
    """Kamiran and Calders' weights."""
    return ReweighingClassifier(net(case.seed), pos_label=case.favourable)


def fair_smote(case, criterion, setting):
    """New rows on the raw table, and the situation test."""
    pipeline = make_pipeline(make_table_preprocessor(), net(case.seed))
    return FairSMOTEClassifier(pipeline, random_state=case.seed)


def fair_neuron(case, criterion, setting):
    """Dropout for the samples on rare paths."""
    return FairNeuronClassifier(net(case.seed), theta=setting)


def adversarial(case, criterion, setting):
    """Zhang et al.'s projected update."""
    return AdversarialDebiasingClassifier(
        net(case.seed), criterion, alpha=setting, pos_label=case.favourable
    )


def gap_regularisation(case, criterion, setting):
    """A fixed weight on the gap of the scores, no neurons.

    What GapRegularisationClassifier trains.
    """
    return RunnerFairClassifier(
        criterion,
        alpha=0.0,
        difference_bound=None,
        output_weight=setting,
        pos_label=case.favourable,
        random_state=case.seed,
    )


def reject_option(case, criterion, setting, fitted):
    """The group decides where the unmitigated net is unsure."""
    return RejectOptionClassifier(
        fitted, theta=setting, prefit=True, pos_label=case.favourable
    )


def threshold_optimizer(case, criterion, setting, fitted):
    """Thresholds by group, fitted on the training part; equalized odds has no bound."""
    bound = setting if criterion == "demographic_parity" else None
    return ThresholdOptimizerClassifier(
        fitted,
        criterion,
        difference_bound=bound or None,
        prefit=True,
        pos_label=case.favourable,
        random_state=case.seed,
    )


def exponentiated_gradient(case, criterion, setting):
    """Fairlearn's reduction over the net, stopped early."""
    return ExponentiatedGradientClassifier(
        net(case.seed),
        criterion,
        difference_bound=setting,
        max_iter=ITERATIONS,
        pos_label=case.favourable,
        random_state=case.seed,
    )


def runner(case, criterion, setting):
    """Every parameter but the bound at its default."""
    return RunnerFairClassifier(
        criterion,
        difference_bound=setting,
        pos_label=case.favourable,
        random_state=case.seed,
    )


def runner_scores(case, criterion, setting):
    """The same, for the scores at every threshold."""
    return runner(case, criterion, setting).set_params(repair="scores")


def runner_front(case, criterion, setting):
    """Every strength of the default repair from one training."""
    return RunnerFrontier(runner(case, criterion, 0.0))


def runner_scores_front(case, criterion, setting):
    """Every strength of the repair of scores from one training."""
    return RunnerFrontier(runner_scores(case, criterion, 0.0))


def runner_paper(case, criterion, setting):
    """The paper's settings on scaled features, with a multiple of its weight."""
    dataset = case.name.split("_")[0]
    settings = paper_settings(criterion, dataset if dataset in _PUBLISHED else "adult")
    settings["alpha"] *= setting
    settings["output_weight"] *= setting
    return make_pipeline(
        StandardScaler(with_mean=False),
        RunnerFairClassifier(
            **settings, pos_label=case.favourable, random_state=case.seed
        ),
    )


_BOUNDS = (0.15, 0.1, 0.05, 0.02, 0.0)
# Of a front's points, as shares of the whole repair.
_WEIGHTS = (0.01, 0.04, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.0, 1.2)
METHODS = {
    VANILLA: Method(vanilla, per_criterion=False, shares_plain=True),
    "Oversample": Method(oversample, per_criterion=False),
    "Reweighing": Method(reweighing, per_criterion=False),
    "FairSMOTE": Method(fair_smote, per_criterion=False, raw=True),
    "FairNeuron": Method(
        fair_neuron,
        "theta",
        (0.001,),
        per_criterion=False,
        short="one value of theta and of gamma",
    ),
    "ROC": Method(
        reject_option,
        "theta",
        (0.525, 0.55, 0.6, 0.65, 0.7, 0.8),
        per_criterion=False,
        after_vanilla=True,
    ),
    "ThresholdOptimizer": Method(
        threshold_optimizer, "bound", _BOUNDS, after_vanilla=True
    ),
    "Adversarial": Method(adversarial, "alpha", (1.0, 3.0, 10.0)),
    "Gap regularisation": Method(
        gap_regularisation,
        "weight",
        (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2),
        shares_plain=True,
    ),
    "ExponentiatedGradient": Method(
        exponentiated_gradient,
        "bound",
        (0.1, 0.02),
        short=f"{ITERATIONS} of 50 iterations, 2 bounds, 1 on larger data",
    ),
    RUNNER_PAPER: Method(runner_paper, "times", (1.0, 8.0), short="2 values of alpha"),
    RUNNER: Method(runner, "bound", _BOUNDS, shares_plain=True),
    RUNNER_SCORES: Method(
        runner_scores, "bound", (0.12, 0.06, 0.03, 0.0), shares_plain=True
    ),
    RUNNER_FRONT: Method(runner_front, "weight", _WEIGHTS, one_training=True),
    RUNNER_SCORES_FRONT: Method(
        runner_scores_front, "weight", _WEIGHTS, one_training=True
    ),
}
# Where a fit of the reduction takes minutes, it is run on request alone.
CHEAP_FOR_REDUCTION = ("compas", "credit", "biased")
# What neither shares the net nor decides without the group is no rival.
OURS = (RUNNER, RUNNER_FRONT, RUNNER_SCORES, RUNNER_SCORES_FRONT, RUNNER_PAPER)
NOT_RIVALS = (VANILLA, *OURS, CEILING)


def settings_of(name, criterion, *, only_first=False):
    """Settings to run for one criterion."""
    settings = METHODS[name].settings
    if name == "ThresholdOptimizer" and criterion == "equalized_odds":
        settings = settings[-1:]
    return settings[:1] if only_first else settings
