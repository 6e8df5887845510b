"""The points of a front: their classifiers, their measures and their neurons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone

from skfair_runner._building import assemble_net
from skfair_runner._settings import Settings
from skfair_runner.batches import GroupedDataset
from skfair_runner.diagnosis import Diagnosis, make_neuron_table
from skfair_runner.metrics.bootstrap import errors_of_decisions, half_width
from skfair_runner.metrics.summary import full_summary
from skfair_runner.tasks import probabilities

# What of a controller's state is proportional to the weight.
_SCALED = ("integral", "multipliers", "guard_integral", "guard")
# Held-out rows that neurons are diagnosed on; more would not change the picture.
_MOST_ROWS = 4096
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
    rows = [{k: v for k, v in row.items() if k != "batches"} for row in old.history]
    net.resume(rows, state, before=old.before_, after=old.after_)
    clf.net_ = net
    return clf


class Measured(NamedTuple):
    """What the held-out rows say of the points.

    Attributes
    ----------
    table : DataFrame
        One row per point.

    diagnoses : list of Diagnosis
        Of the neurons at each point.
    """

    table: pd.DataFrame
    diagnoses: list[Diagnosis]

    def neurons(self):
        """Importance and discrimination of every neuron at every point, as a table."""
        weights = self.table["weight"].tolist()
        parts = [
            pd.DataFrame(
                {
                    "weight": weight,
                    "layer": layer,
                    "neuron": np.arange(len(values)),
                    "importance": found.importance[layer].numpy(force=True),
                    "discrimination": values,
                }
            )
            for weight, found in zip(weights, self.diagnoses, strict=True)
            for layer, values in found.discrimination.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def at(self, weight):
        """The diagnosis at a weight; between two points, the mean that lies there."""
        weights = self.table["weight"].to_numpy()
        place = float(np.interp(weight, weights, np.arange(len(weights))))
        low = min(int(place), len(weights) - 2)
        one, other, share = self.diagnoses[low], self.diagnoses[low + 1], place - low
        discrimination = {
            name: (1 - share) * values + share * other.discrimination[name]
            for name, values in one.discrimination.items()
        }
        gap = (1 - share) * one.gap + share * other.gap
        return Diagnosis(gap, None, discrimination)


def measure_points(points, data, pos_label, *, n_bootstrap, level, rng):
    """Measures and diagnoses of classifiers on held-out rows.

    Parameters
    ----------
    points : iterable of (float, RunnerFairClassifier)
        Weights and classifiers.

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
    measured : Measured
        Tables.
    """
    source = {"X": data.X, "groups": data.groups.codes, "weights": None}
    rows = None
    if len(data.y) > _MOST_ROWS:
        # The split has shuffled them.
        rows = np.arange(_MOST_ROWS)
    watched = GroupedDataset(source, data.y, rows)
    table, diagnoses = [], []
    for weight, clf in points:
        row = measure_point(
            clf, data, pos_label, n_bootstrap=n_bootstrap, level=level, rng=rng
        )
        table.append({"weight": weight, **row})
        diagnoses.append(clf.net_.diagnose(watched, clf.importance))
    return Measured(pd.DataFrame(table), diagnoses)


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
        The measures, and ``<measure>_low`` and ``<measure>_high`` of those that the
        bootstrap covers: the sampling of the held-out rows, not that of training.
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
    for name, error in errors.items():
        if name in row:
            width = half_width(error[None], np.zeros(1, dtype=int), level)
            row[f"{name}_low"] = max(row[name] - width, 0.0)
            row[f"{name}_high"] = min(row[name] + width, 1.0)
    return row


def watched_difference(constraint):
    """Name of the measure that a constraint is about; demographic parity for a gap."""
    return constraint.metric or "demographic_parity_difference"


def cells_of_decisions(data, decided):
    """Rows of each group, label and decision, (n_groups, n_classes, n_classes)."""
    n_groups, n_classes = data.groups.n_groups, len(data.classes)
    cells = (data.groups.codes * n_classes + data.y) * n_classes + decided
    counts = np.bincount(cells, minlength=n_groups * n_classes**2)
    return counts.reshape(n_groups, n_classes, n_classes)


def summary(data, decided, scores, pos_label):
    """Measures of some decisions, by name."""
    told = {"sensitive_features": data.groups, "pos_label": pos_label}
    return full_summary(data.classes[data.y], data.classes[decided], scores, **told)


def tell_neurons(clf, before, after):
    """Set what a point's classifier says of its neurons.

    Parameters
    ----------
    clf : RunnerFairClassifier
        Changed.

    before, after : Diagnosis
        Of the biased model, with importance, and of the point, on the same rows.
    """
    clf.net_.before_, clf.net_.after_ = before, after
    table = make_neuron_table(before, clf.top_k, after)
    chosen = table[table["selected"]].sort_values("rank", kind="stable")
    clf.neuron_importance_ = table
    clf.selected_neurons_ = {
        layer: part["neuron"].to_numpy()
        for layer, part in chosen.groupby("layer", sort=False)
    }
