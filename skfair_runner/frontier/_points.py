"""The points of a front: their classifiers and their measures."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from sklearn.base import clone

from skfair_runner._building import assemble_net
from skfair_runner._settings import Settings
from skfair_runner.frontier._placing import first_weights, next_weight
from skfair_runner.metrics.bootstrap import count_decisions, errors_of_decisions
from skfair_runner.metrics.influence import (
    influence_on_average_precision,
    linear_half_width,
)
from skfair_runner.metrics.intervals import ends_around
from skfair_runner.metrics.summary import full_summary
from skfair_runner.tasks import probabilities
from skfair_runner.utils import SkfairRunnerWarning

# What of a controller's state is proportional to the weight.
_SCALED = ("integral", "multipliers", "guard_integral", "guard")
# What `frontier_` tells of every point, besides its weight.
_TOLD = (
    "accuracy",
    "balanced_accuracy",
    "average_precision",
    "roc_auc",
    "selection_rate",
    "demographic_parity_difference",
    "equalized_odds_difference",
    "equalized_odds_sum",
    "equal_opportunity_difference",
    "false_positive_rate_difference",
    "abcc",
    "constant",
)


def classifier_around(fitted, weight, difference_bound=None):
    """A fitted classifier at one point.

    Parameters
    ----------
    fitted : RunnerFairClassifier
        Trained by a :class:`~skfair_runner.frontier._net.FrontierNet`.

    weight : float
        Share of the penalty; 0 is the biased model.

    difference_bound : float, default=None
        What a controller keeps to if the point is trained further; None keeps to that
        of `fitted`.

    Returns
    -------
    clf : RunnerFairClassifier
        Light: with a plain net, a copy of the module, and no optimizer state. What it
        says of neurons is that of `fitted`.
    """
    clf = clone(fitted)
    known = {k: v for k, v in vars(fitted).items() if k.endswith("_") and k != "net_"}
    vars(clf).update(known)
    old = fitted.net_
    # Trained further, the point keeps to its own penalty.
    clf.settings_ = {**fitted.settings_, "alpha": weight * fitted.settings_["alpha"]}
    if difference_bound is not None:
        clf.difference_bound = difference_bound
    if clf.output_weight is not None:
        clf.output_weight = weight * clf.output_weight
    net = assemble_net(
        clf,
        old.front_.network_at(weight),
        task=old.task,
        settings=Settings(**clf.settings_),
        constraint=old.plan.constraint,
        skorch_parameters=clf._skorch_parameters,
    )
    state = None
    if old.controller_ is not None:
        state = old.controller_.state_dict()
        for name in _SCALED:
            state[name] = weight * state[name]
    # These epochs aimed at no point.
    rows = [{**row, "of_front": True} for row in old.history]
    net.resume(rows, state, before=old.before_, after=old.after_)
    clf.net_ = net
    return clf


def measure_points(fitted, progress, data, pos_label, **bootstrap):
    """Measures of as many points as there are steps of progress, on held-out rows.

    The first ones are laid evenly, the others where neighbours differ most.

    Parameters
    ----------
    fitted : RunnerFairClassifier
        Trained by a :class:`~skfair_runner.frontier._net.FrontierNet`.

    progress : sequence
        As long as there are points, at least 3; run through while they are measured.

    data, pos_label, **bootstrap
        As of :func:`measure_point`.

    Returns
    -------
    table : DataFrame
        One row per point, in rising order of weight.
    """
    clf = classifier_around(fitted, 0.0)
    difference = watched_difference(fitted.net_.plan.constraint)
    planned = first_weights(len(progress))
    front, repaired, rows = fitted.net_.front_, None, []
    for _ in progress:
        if not planned:
            table = pd.DataFrame(rows).sort_values("weight")
            planned = [next_weight(table, difference)]
        weight = planned.pop(0)
        # Nothing else of the classifier is needed to measure its decisions.
        module = front.network_at(weight, into=repaired)
        repaired = module if weight > 0 else repaired
        clf.net_.module_ = module
        row = measure_point(clf, data, pos_label, **bootstrap)
        rows.append({"weight": weight, **row})
    return pd.DataFrame(rows).sort_values("weight", ignore_index=True)


def measure_point(clf, data, pos_label, *, n_bootstrap, level, rng):
    """Measures of a classifier on held-out rows, with bootstrap intervals.

    Parameters
    ----------
    clf : RunnerFairClassifier
        Fitted.

    data : TrainingData
        The rows.

    pos_label : label or None
        The favourable label; None compares every class with the rest.

    n_bootstrap : int
        Number of resamples.

    level : float
        Confidence level of the intervals, in (0, 1).

    rng : Generator
        Source of the resamples.

    Returns
    -------
    row : dict
        The measures, and ``<measure>_low`` and ``<measure>_high`` of those that have an
        interval: for the sampling of the held-out rows, not that of training. Those of
        average precision and selection rate, with two labels, are linearised.
    """
    proba = probabilities(clf.net_.decision_values(data.X))
    decided = proba.argmax(axis=1)
    classes = data.classes.tolist()
    scores = proba if pos_label is None else proba[:, classes.index(pos_label)]
    row = summary(data, decided, scores, pos_label)
    counts = cells_of_decisions(data, decided)
    compared = range(len(classes)) if pos_label is None else [classes.index(pos_label)]
    errors = errors_of_decisions(counts, list(compared), n_bootstrap, rng)
    row = {name: row[name] for name in _TOLD}
    widths = np.quantile(np.abs(list(errors.values())), level, axis=1)
    for name, width in zip(errors, widths.tolist(), strict=True):
        _add_interval(row, name, width)
    if pos_label is not None:
        positive = compared[0]
        cells = data.groups.codes * len(classes) + data.y
        given = {"selection_rate": (decided == positive) / len(decided)}
        right = data.y == positive
        if right.any():
            told = influence_on_average_precision(right, scores)
            given["average_precision"] = told
        for name, influence in given.items():
            _add_interval(row, name, linear_half_width(influence, cells, level))
    return row


def _add_interval(row, name, width):
    """Set both ends of a measure's interval."""
    row[f"{name}_low"], row[f"{name}_high"] = ends_around(name, row[name], width)


def watched_difference(constraint):
    """Name of the measure that a constraint is about; demographic parity for a gap."""
    return constraint.metric or "demographic_parity_difference"


def cells_of_decisions(data, decided):
    """Rows of each group, label and decision, (n_groups, n_classes, n_classes)."""
    sizes = data.groups.n_groups, len(data.classes)
    return count_decisions(data.groups.codes, data.y, decided, *sizes)


def summary(data, decided, scores, pos_label):
    """Measures of some decisions, by name."""
    told = {"sensitive_features": data.groups, "pos_label": pos_label}
    with warnings.catch_warnings():
        # That a rate counts as 0 is told once, of the rows, not of every point.
        warnings.filterwarnings(
            "ignore", "fairness_summary: group", SkfairRunnerWarning
        )
        return full_summary(data.classes[data.y], data.classes[decided], scores, **told)
