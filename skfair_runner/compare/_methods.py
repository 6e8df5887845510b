"""The methods that are compared around the same net: names, builders, what to know."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.pipeline import Pipeline

from skfair_runner.baselines import (
    AdversarialDebiasingClassifier,
    CorrelationRemoverClassifier,
    ExponentiatedGradientClassifier,
    FADClassifier,
    FaireClassifier,
    FairlearnAdversarialClassifier,
    FairNeuronClassifier,
    FairSMOTEClassifier,
    GapRegularisationClassifier,
    GridSearchReductionClassifier,
    NeuFairClassifier,
    NeuronFairAugmentationClassifier,
    OversamplingClassifier,
    PrototypeRepresentationClassifier,
    RejectOptionClassifier,
    ReweighingClassifier,
    ThresholdOptimizerClassifier,
)
from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.conditions import CONSTRAINTS
from skfair_runner.preprocessing import make_table_preprocessor

# What every method is told that takes it.
_TOLD = ("constraint", "difference_bound", "pos_label")
# fairlearn learns them by finite differences, seconds an iteration for wide tables.
_PROTOTYPES = {"max_samples": 1000, "max_iter": 30}
QUICK = ("unmitigated", "runner", "exponentiated_gradient", "threshold_optimizer")


@dataclass(frozen=True)
class MethodSettings:
    """What is the same for all methods: parameters of `standard_classifiers`.

    Attributes
    ----------
    constraint, difference_bound, pos_label, max_iter, sensitive_columns
        As there.

    net_parameters, oracle_parameters : dict
        As there; empty where nothing is passed.
    """

    constraint: str
    difference_bound: float
    pos_label: Any
    max_iter: int
    net_parameters: dict
    oracle_parameters: dict
    sensitive_columns: Any = None

    def net(self, **more):
        """The net that every method trains.

        Parameters
        ----------
        **more : dict
            Further parameters, which come before all others.

        Returns
        -------
        net : RunnerFairClassifier
            Unfitted.
        """
        return RunnerFairClassifier(
            **{"constraint": None, **self.net_parameters, **more}
        )


@dataclass(frozen=True)
class Method:
    """One way to train the net.

    Attributes
    ----------
    label : str
        Name in tables.

    build : callable
        Makes the classifier out of the settings.

    constraints : tuple of str or None, default=None
        What it can be held to; None for a method that goes its own way.

    scaled : bool, default=False
        Whether it needs features of like scales.

    takes_the_table : bool, default=False
        Whether it prepares the table itself, with the sensitive columns among the
        features.
    """

    label: str
    build: Callable[[MethodSettings], Any]
    constraints: tuple[str, ...] | None = None
    scaled: bool = False
    takes_the_table: bool = False

    def takes(self, constraint):
        """Whether it can be compared under a constraint."""
        return self.constraints is None or constraint in self.constraints


def _around_the_net(
    label, classifier, *, oracle=False, scaled=False, fixed=None, **named
):
    """Method of a classifier that is given the net and what it takes of the rest.

    With `oracle`, the net is the one for methods that train it many times. `named` are
    further settings, by the name of the parameter that gets them, and `fixed` are
    parameters that nobody sets.
    """
    taken = inspect.signature(classifier).parameters
    names = {name: name for name in _TOLD if name in taken} | named

    def build(settings):
        net = settings.net(**(settings.oracle_parameters if oracle else {}))
        told = {name: getattr(settings, key) for name, key in names.items()}
        return classifier(net, **told, **(fixed or {}))

    constraints = None
    if "constraint" in taken:
        (words,) = classifier._parameter_constraints["constraint"]
        constraints = tuple(name for name in CONSTRAINTS if name in words.options)
    return Method(label, build, constraints, scaled)


def _runner(settings):
    return settings.net(
        constraint=settings.constraint,
        difference_bound=settings.difference_bound,
        pos_label=settings.pos_label,
    )


def _threshold_optimizer(settings):
    exact = settings.constraint == "equalized_odds"
    return ThresholdOptimizerClassifier(
        settings.net(),
        settings.constraint,
        difference_bound=None if exact else settings.difference_bound,
        pos_label=settings.pos_label,
    )


def _neuronfair_augmentation(settings):
    # It exchanges sensitive values in the table as it is, so it prepares that itself.
    steps = [("prepare", make_table_preprocessor()), ("classify", settings.net())]
    return NeuronFairAugmentationClassifier(
        Pipeline(steps),
        sensitive_columns=settings.sensitive_columns,
        pos_label=settings.pos_label,
    )


# By the name that users type: before, in and after training, then what fairlearn has.
METHODS = {
    "unmitigated": Method("Unmitigated net", lambda settings: settings.net()),
    "runner": Method("RunnerFairClassifier", _runner, tuple(CONSTRAINTS)),
    "oversampling": _around_the_net("Oversampling", OversamplingClassifier),
    "reweighing": _around_the_net("Reweighing", ReweighingClassifier),
    "fair_smote": _around_the_net("FairSMOTE", FairSMOTEClassifier),
    "gap_regularisation": _around_the_net(
        "GapRegularisation", GapRegularisationClassifier
    ),
    "adversarial": _around_the_net(
        "AdversarialDebiasing", AdversarialDebiasingClassifier
    ),
    "fair_neuron": _around_the_net("FairNeuron", FairNeuronClassifier),
    "reject_option": _around_the_net("RejectOption", RejectOptionClassifier),
    "exponentiated_gradient": _around_the_net(
        "ExponentiatedGradient",
        ExponentiatedGradientClassifier,
        oracle=True,
        max_iter="max_iter",
    ),
    "grid_search": _around_the_net(
        "GridSearchReduction", GridSearchReductionClassifier, oracle=True
    ),
    "threshold_optimizer": Method(
        "ThresholdOptimizer", _threshold_optimizer, tuple(CONSTRAINTS)
    ),
    "correlation_remover": _around_the_net(
        "CorrelationRemover", CorrelationRemoverClassifier
    ),
    "prototypes": _around_the_net(
        "Prototypes",
        PrototypeRepresentationClassifier,
        scaled=True,
        fixed=_PROTOTYPES,
    ),
    "fairlearn_adversarial": _around_the_net(
        "FairlearnAdversarial", FairlearnAdversarialClassifier
    ),
    "faire": _around_the_net("Faire", FaireClassifier),
    "fad": _around_the_net("FAD", FADClassifier),
    "neufair": _around_the_net("NeuFair", NeuFairClassifier),
    "neuronfair_augmentation": Method(
        "NeuronFairAugmentation", _neuronfair_augmentation, takes_the_table=True
    ),
}
# Compared where they are named: relatives of RUNNER that repair a trained net.
BY_NAME_ONLY = ("faire", "fad", "neufair", "neuronfair_augmentation")


def choose_methods(methods, constraint, caller="standard_classifiers"):
    """Names of the methods that are asked for.

    Parameters
    ----------
    methods : {"quick", "all"} or sequence of str
        A set of methods, or their names.

    constraint : str
        What they are to be held to; "all" leaves out those that cannot be.

    caller : str, default="standard_classifiers"
        Begins the error messages.

    Returns
    -------
    names : list of str
        Keys of ``METHODS``, each once.

    Raises
    ------
    ValueError
        If a name is unknown, there is none, or a method that was named cannot be held
        to the constraint.

    Examples
    --------
    >>> choose_methods(["runner", "reweighing", "runner"], "demographic_parity")
    ['runner', 'reweighing']
    """
    if isinstance(methods, str):
        if methods not in ("quick", "all"):
            raise ValueError(
                f"{caller}: there is no set of methods {methods!r}; pass 'quick', "
                f"'all' or a list of names out of {', '.join(METHODS)}."
            )
        names = QUICK if methods == "quick" else set(METHODS) - set(BY_NAME_ONLY)
        return [n for n in METHODS if n in names and METHODS[n].takes(constraint)]
    names = list(dict.fromkeys(methods))
    unknown = [name for name in names if name not in METHODS]
    if unknown or not names:
        what = f"method {unknown[0]!r}" if unknown else "name in the list of methods"
        raise ValueError(
            f"{caller}: there is no {what}; the methods are {', '.join(METHODS)}."
        )
    for name in names:
        if not METHODS[name].takes(constraint):
            raise ValueError(
                f"{caller}: {name!r} cannot be held to {constraint!r}, only to "
                f"{', '.join(METHODS[name].constraints)}: leave it out, or pass one of "
                "these."
            )
    return names


def about_methods(methods, constraint):
    """What a reader has to know about the methods that are compared.

    Parameters
    ----------
    methods : {"quick", "all"} or sequence of str
        As for :func:`choose_methods`.

    constraint : str
        What they are held to.

    Returns
    -------
    sentences : list of str
        Which take no constraint, which have the sensitive columns among their features,
        and which were left out because they cannot take this constraint.
    """
    names = choose_methods(methods, constraint)
    free = [
        METHODS[name].label
        for name in names
        if METHODS[name].constraints is None and name != "unmitigated"
    ]
    sentences = []
    if free:
        one = len(free) == 1
        sentences.append(
            f"{', '.join(free)} {'takes' if one else 'take'} neither constraint nor "
            f"bound: {'it goes its' if one else 'they go their'} own way, whatever is "
            "asked for."
        )
    sentences += [
        f"{METHODS[name].label} has the sensitive columns among its features, so it "
        "needs them in every row that it decides about."
        for name in names
        if METHODS[name].takes_the_table
    ]
    if methods == "all":
        sentences += [
            f"{method.label} is left out: it cannot be held to {constraint}, only to "
            f"{', '.join(method.constraints)}."
            for name, method in METHODS.items()
            if name not in (*names, *BY_NAME_ONLY)
        ]
    return sentences


def short_training(n_samples):
    """Epochs of the net within methods that train it many times.

    Parameters
    ----------
    n_samples : int
        Rows that are trained on.

    Returns
    -------
    parameters : dict
        For `oracle_parameters` of :func:`standard_classifiers`.

    Examples
    --------
    >>> short_training(30_000)
    {'warmup_epochs': 4, 'max_epochs': 4}
    """
    # At least 80 steps in each phase, at the smallest batch size of 64 rows.
    epochs = max(4, math.ceil(80 * 64 / n_samples))
    return {"warmup_epochs": epochs, "max_epochs": epochs}


def about_caps(labels, max_iter, training):
    """How methods that would take hours were cut short.

    Parameters
    ----------
    labels : sequence of str
        Methods, by their names in tables.

    max_iter : int
        Iterations of ExponentiatedGradient.

    training : dict
        Of :func:`short_training`.

    Returns
    -------
    texts : dict of str to str
        By the method's name in tables; empty where none of them is there.

    Examples
    --------
    >>> about_caps(["ExponentiatedGradient"], 5, short_training(30_000))
    {'ExponentiatedGradient': "5 iterations instead of fairlearn's 50, each with about \
3 trainings of 8 epochs"}
    """
    epochs = training["warmup_epochs"] + training["max_epochs"]
    texts = {
        "ExponentiatedGradient": f"{max_iter} iterations instead of fairlearn's 50, "
        f"each with about 3 trainings of {epochs} epochs",
        "GridSearchReduction": f"one training of {epochs} epochs for each point of the "
        "grid",
        "Prototypes": "learned from {max_samples:,} rows in {max_iter} iterations "
        "instead of fairlearn's 1,000".format(**_PROTOTYPES),
    }
    return {label: text for label, text in texts.items() if label in labels}
