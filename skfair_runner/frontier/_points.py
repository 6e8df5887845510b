"""The points of a front: their classifiers, their measures, and which to take."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.base import clone

from skfair_runner._building import (
    assemble_net,
    draw_seed,
    make_dataset,
    own_randomness,
)
from skfair_runner._settings import Settings
from skfair_runner.diagnosis import make_neuron_table
from skfair_runner.gaps import resolve_constraint
from skfair_runner.metrics import fairness_summary, false_positive_rate_difference
from skfair_runner.metrics.bootstrap import errors_of_decisions, half_width
from skfair_runner.metrics.fronts import non_dominated
from skfair_runner.tasks import probabilities
from skfair_runner.utils import SkfairRunnerWarning

# The difference that each constraint is about, where it is one of rates.
DIFFERENCE_OF = {
    "demographic_parity": "demographic_parity_difference",
    "equalized_odds": "equalized_odds_difference",
    "true_positive_rate_parity": "equal_opportunity_difference",
    "false_positive_rate_parity": "false_positive_rate_difference",
}
# Of the learning rate of a whole repair.
_SHARE_OF_LR = 0.25
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


def classifier_around(fitted, module, weight, *, dataset=None):
    """A fitted classifier like another one, around another module.

    Parameters
    ----------
    fitted : RunnerFairClassifier
        Trained by a net of any class.

    module : nn.Module
        For the same features and classes; not copied.

    weight : float
        Share of the controller's multipliers that the module was trained with.

    dataset : GroupedDataset, default=None
        Rows on which the neurons of `module` are diagnosed; None leaves the table of
        neurons as it is.

    Returns
    -------
    clf : RunnerFairClassifier
        Light: without optimizer state, and with a plain net.
    """
    clf = clone(fitted)
    known = {k: v for k, v in vars(fitted).items() if k.endswith("_") and k != "net_"}
    vars(clf).update(known)
    old = fitted.net_
    net = assemble_net(
        clf,
        module,
        task=old.task,
        settings=Settings(**fitted.settings_),
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
    if dataset is not None:
        net.after_ = net.diagnose(dataset, clf.importance)
        clf.neuron_importance_ = make_neuron_table(old.before_, clf.top_k, net.after_)
    return clf


def continue_repair(
    clf, X, y, sensitive_features, *, difference_bound, max_epochs, caller
):
    """Repair a point further, from the multipliers that it was trained with.

    Parameters
    ----------
    clf : RunnerFairClassifier
        From :func:`classifier_around`; trained in place.

    X, y, sensitive_features
        As of :meth:`~skfair_runner.RunnerFairClassifier.fit`.

    difference_bound : float
        What the controller holds, where there is one; or the difference that the point
        has on these rows, if that is smaller.

    max_epochs : int
        Epochs, at a quarter of the learning rate that falls to zero.

    caller : str
        Who asks, for messages.

    Returns
    -------
    clf : RunnerFairClassifier
        The same object.
    """
    constraint = resolve_constraint(clf.constraint)
    data = clf._read(
        X,
        y,
        sensitive_features,
        None,
        constraint,
        classes=clf.classes_,
        names=clf.groups_,
        reset=False,
        caller=caller,
    )
    net, train = clf.net_, make_dataset(data, data.rows)
    net.set_params(lr=_SHARE_OF_LR * net.lr)
    if net.controller_ is not None:
        state = net.controller_.state_dict()
        # Differences of training rows flatter: the point's own must not be given up.
        here = _difference(clf, data)
        difference_bound = min(difference_bound, here)
        net.plan = replace(net.plan, difference_bound=difference_bound)
        net.controller_ = net.make_controller(state["initial"])
        net.controller_.load_state_dict(state)
        clf.difference_bound = difference_bound
    clf.max_epochs = max_epochs
    with own_randomness(draw_seed(clf.random_state), clf.device):
        net.train_phase("repair", train, None, max_epochs, at_the_end=True)
        clf._publish(net, data, {**clf.settings_, "max_epochs": max_epochs}, train)
    return clf


def _difference(clf, data):
    """The difference that the constraint is about, on some rows."""
    decided = probabilities(clf.net_.decision_values(data.X)).argmax(axis=1)
    positive = clf.net_.task.positive
    pos_label = data.classes.tolist()[positive] if len(data.classes) == 2 else None
    summary = _summary(data, decided, None, pos_label)
    return summary[DIFFERENCE_OF[clf.net_.plan.constraint.name]]


def _summary(data, decided, scores, pos_label):
    """Measures of some decisions."""
    told = {"sensitive_features": data.groups, "pos_label": pos_label}
    decisions = data.classes[data.y], data.classes[decided]
    row = fairness_summary(*decisions, scores, **told)
    row["false_positive_rate_difference"] = false_positive_rate_difference(
        *decisions, **told
    )
    return row


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
    y, groups = data.y, data.groups
    decided = proba.argmax(axis=1)
    classes = data.classes.tolist()
    scores = proba if pos_label is None else proba[:, classes.index(pos_label)]
    row = _summary(data, decided, scores, pos_label)
    n_classes = len(classes)
    cells = (groups.codes * n_classes + y) * n_classes + decided
    counts = np.bincount(cells, minlength=groups.n_groups * n_classes**2)
    counts = counts.reshape(groups.n_groups, n_classes, n_classes)
    compared = range(n_classes) if pos_label is None else [classes.index(pos_label)]
    errors = errors_of_decisions(counts, list(compared), n_bootstrap, rng)
    row = {name: row[name] for name in _TOLD}
    for name, error in errors.items():
        if name in row:
            width = half_width(error[None], np.zeros(1, dtype=int), level)
            row[f"{name}_low"] = max(row[name] - width, 0.0)
            row[f"{name}_high"] = min(row[name] + width, 1.0)
    return row


def neurons_of_point(clf, weight):
    """Importance and discrimination of the neurons at one point, as a table."""
    after = clf.net_.after_
    parts = [
        pd.DataFrame(
            {
                "weight": weight,
                "layer": layer,
                "neuron": np.arange(len(values)),
                "importance": after.importance[layer].numpy(force=True),
                "discrimination": values,
            }
        )
        for layer, values in after.discrimination.items()
    ]
    return pd.concat(parts, ignore_index=True)


def mark_front(table, difference):
    """Whether each point is on the front: nobody is more accurate and more equal.

    Parameters
    ----------
    table : DataFrame
        Points; constant ones are never on the front.

    difference : str
        The measure that is traded for accuracy.

    Returns
    -------
    marks : ndarray of bool
        One per row.
    """
    constant = table["constant"].to_numpy(dtype=bool)
    marks = np.zeros(len(table), dtype=bool)
    alive = np.flatnonzero(~constant)
    marks[alive] = non_dominated(
        table["accuracy"].to_numpy()[alive], table[difference].to_numpy()[alive]
    )
    return marks


def most_accurate_within(table, difference, bound, caller):
    """The most accurate point whose difference is within a bound.

    Parameters
    ----------
    table : DataFrame
        The points.

    difference : str
        Measure that is bounded.

    bound : float
        Its largest value.

    caller : str
        Who asks; begins the warning.

    Returns
    -------
    position : int
        The smallest difference where no point meets the bound.

    Warns
    -----
    SkfairRunnerWarning
        Where no point meets it.
    """
    usable = _usable(table)
    within = usable[table[difference].to_numpy()[usable] <= bound]
    if len(within):
        return int(within[table["accuracy"].to_numpy()[within].argmax()])
    position = int(usable[table[difference].to_numpy()[usable].argmin()])
    warnings.warn(
        f"{caller}: no point of the front has a {difference.replace('_', ' ')} within "
        f"{bound:g} on the held-out rows; the smallest is "
        f"{table[difference].iloc[position]:.3f}, and is taken.",
        SkfairRunnerWarning,
        stacklevel=3,
    )
    return position


def most_equal_above(table, difference, accuracy, caller):
    """The point of smallest difference that is accurate enough.

    Parameters
    ----------
    table : DataFrame
        The points.

    difference : str
        Measure to be small.

    accuracy : float
        The smallest accuracy that will do.

    caller : str
        Who asks; begins the warning.

    Returns
    -------
    position : int
        The most accurate point where none is accurate enough.

    Warns
    -----
    SkfairRunnerWarning
        Where none is.
    """
    usable = _usable(table)
    values = table["accuracy"].to_numpy()
    enough = usable[values[usable] >= accuracy]
    if len(enough):
        return int(enough[table[difference].to_numpy()[enough].argmin()])
    position = int(usable[values[usable].argmax()])
    warnings.warn(
        f"{caller}: no point of the front has an accuracy of {accuracy:g} on the "
        f"held-out rows; the most accurate one, {values[position]:.3f}, is taken.",
        SkfairRunnerWarning,
        stacklevel=3,
    )
    return position


def _usable(table):
    """Positions of the points that are not constant; of all where all are."""
    alive = np.flatnonzero(~table["constant"].to_numpy(dtype=bool))
    return alive if len(alive) else np.arange(len(table))
