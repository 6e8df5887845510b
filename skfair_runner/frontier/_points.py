"""The points of a front: their classifiers and their measures."""

from __future__ import annotations

import warnings
from typing import NamedTuple

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

# Errors of resampled rates are held for about this many cells at once.
_MOST_NUMBERS = 2**22
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


class Point(NamedTuple):
    """What held-out rows tell of a classifier.

    Attributes
    ----------
    told : dict of str to float
        Its measures.

    counts : ndarray of shape (n_groups, n_classes, n_classes)
        Rows of each group, label and decision.

    widths : dict of str to float
        Half-widths of the intervals of measures that need more than these counts.
    """

    told: dict
    counts: np.ndarray
    widths: dict


def measure_points(fitted, progress, data, pos_label, *, n_bootstrap, level, rng):
    """Measures of as many points as there are steps of progress, on held-out rows.

    The first ones are laid evenly, the others where neighbours differ most.

    Parameters
    ----------
    fitted : RunnerFairClassifier
        Trained by a :class:`~skfair_runner.frontier._net.FrontierNet`.

    progress : sequence
        As long as there are points, at least 3; run through while they are measured.

    data, pos_label, level
        As of :func:`measure_point`.

    n_bootstrap, rng
        As of :func:`tell_points`.

    Returns
    -------
    table : DataFrame
        One row per point, in rising order of weight: see :func:`tell_points`.
    """
    clf = classifier_around(fitted, 0.0)
    front, repaired = fitted.net_.front_, None
    steep_in = ("accuracy", watched_difference(fitted.net_.plan.constraint))
    planned, weights, points = first_weights(len(progress)), [], []
    for _ in progress:
        if not planned:
            measures = [[point.told[name] for name in steep_in] for point in points]
            planned = [next_weight(weights, measures)]
        weights.append(planned.pop(0))
        # Nothing else of the classifier is needed to measure its decisions.
        module = front.network_at(weights[-1], into=repaired)
        repaired = module if weights[-1] > 0 else repaired
        clf.net_.module_ = module
        points.append(measure_point(clf, data, pos_label, level))
    compared = _compared(data, pos_label)
    table = tell_points(points, compared, n_bootstrap=n_bootstrap, level=level, rng=rng)
    table.insert(0, "weight", weights)
    return table.sort_values("weight", ignore_index=True)


def measure_point(clf, data, pos_label, level):
    """Measures of a classifier on held-out rows.

    Parameters
    ----------
    clf : RunnerFairClassifier
        Fitted.

    data : TrainingData
        The rows.

    pos_label : label or None
        The favourable label; None compares every class with the rest.

    level : float
        Confidence level of the intervals, in (0, 1).

    Returns
    -------
    point : Point
        With two labels, the half-widths are those of average precision and selection
        rate, linearised.
    """
    proba = probabilities(clf.net_.decision_values(data.X))
    decided = proba.argmax(axis=1)
    compared = _compared(data, pos_label)
    scores = proba if pos_label is None else proba[:, compared[0]]
    row = summary(data, decided, scores, pos_label)
    widths = {}
    if pos_label is not None:
        positive = compared[0]
        cells = data.groups.codes * len(data.classes) + data.y
        given = {"selection_rate": (decided == positive) / len(decided)}
        right = data.y == positive
        if right.any():
            told = influence_on_average_precision(right, scores)
            given["average_precision"] = told
        for name, influence in given.items():
            widths[name] = linear_half_width(influence, cells, level)
    told = {name: row[name] for name in _TOLD}
    return Point(told, cells_of_decisions(data, decided), widths)


def tell_points(points, compared, *, n_bootstrap, level, rng):
    """Measures of points, with bootstrap intervals.

    Parameters
    ----------
    points : sequence of Point
        On the same rows.

    compared : list of int
        Classes whose rates are compared between groups.

    n_bootstrap : int
        Number of resamples.

    level : float
        Confidence level of the intervals, in (0, 1).

    rng : Generator
        Source of the resamples.

    Returns
    -------
    table : DataFrame
        One row per point: the measures, and ``<measure>_low`` and ``<measure>_high`` of
        those that have an interval: for the sampling of the held-out rows, not that of
        training.
    """
    counts = np.stack([point.counts for point in points])
    at_once = max(1, _MOST_NUMBERS // (n_bootstrap * counts[0].size))
    parts = [
        errors_of_decisions(counts[first : first + at_once], compared, n_bootstrap, rng)
        for first in range(0, len(counts), at_once)
    ]
    rows = [dict(point.told) for point in points]
    for name in parts[0]:
        errors = np.abs(np.concatenate([part[name] for part in parts], axis=1))
        widths = np.quantile(errors, level, axis=0)
        for row, width in zip(rows, widths.tolist(), strict=True):
            _add_interval(row, name, width)
    for row, point in zip(rows, points, strict=True):
        for name, width in point.widths.items():
            _add_interval(row, name, width)
    return pd.DataFrame(rows)


def _add_interval(row, name, width):
    """Set both ends of a measure's interval."""
    row[f"{name}_low"], row[f"{name}_high"] = ends_around(name, row[name], width)


def _compared(data, pos_label):
    """Codes of the classes whose rates are compared."""
    classes = data.classes.tolist()
    return (
        list(range(len(classes))) if pos_label is None else [classes.index(pos_label)]
    )


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
