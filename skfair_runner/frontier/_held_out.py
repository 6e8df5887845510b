"""Rows to train on, and rows to measure the points of a front on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import clone

from skfair_runner._training_data import TrainingData, check_cells, split_validation
from skfair_runner.gaps import resolve_constraint
from skfair_runner.metrics.intervals import FEW_ROWS
from skfair_runner.utils import SkfairRunnerWarning
from skfair_runner.utils._columns import take_rows


@dataclass(frozen=True)
class Parts:
    """Both parts of the data.

    Attributes
    ----------
    train : tuple
        X, y and sensitive features of the rows to train on, in the containers that they
        came in.

    held_out : TrainingData
        The other rows, as the net reads them.

    pos_label : label or None
        The favourable label; None where there are more than two.

    features : dict
        Number and names of the features, as fitted attributes.
    """

    train: tuple
    held_out: TrainingData
    pos_label: object
    features: dict


def hold_out(
    clf, X, y, sensitive_features, *, fraction, seed, caller, given=(None, None, None)
):
    """Split data in the proportions of their label × group cells, unless that is done.

    Parameters
    ----------
    clf : RunnerFairClassifier
        Unfitted; says how the data are read. Not changed.

    X, y, sensitive_features
        As of :meth:`~skfair_runner.RunnerFairClassifier.fit`.

    fraction : float
        Share of the rows that is held out, in (0, 1).

    seed : int
        Of the split.

    caller : str
        Who asks; begins messages.

    given : tuple, default=(None, None, None)
        X, y and sensitive features of rows to measure on; all of the others are then
        trained on.

    Returns
    -------
    parts : Parts
        Both parts.

    Raises
    ------
    ValueError
        If a group has no row, in one of the parts, that tells a rate which the
        constraint compares; if one of X and y is given without the other; and as of
        the classifier's `fit`.

    Warns
    -----
    SkfairRunnerWarning
        If fewer than 20 held-out rows of a group tell such a rate, or a group has no
        held-out row with a label, or none without it; if neither of two labels is known
        to be the favourable one.
    """
    probe = clone(clf)
    constraint = resolve_constraint(clf.constraint)
    data = probe._read(
        X,
        y,
        sensitive_features,
        None,
        constraint,
        classes=None,
        reset=True,
        caller=caller,
    )
    positive = clf._favourable(constraint, data.classes)
    check_cells(data, constraint, clf.sampling, positive, caller)
    whole = X, y, sensitive_features
    if any(part is not None for part in given):
        watched = _read_given(probe, data, given, constraint, caller)
        told = _telling(watched.cell_counts(slice(None)), constraint, positive)
        _check_given(told, data, caller)
        train = whole
    else:
        rows, held_out = split_validation(data, fraction, seed)
        both = {"train on": rows, "hold out": held_out}
        counts = {
            what: _telling(data.cell_counts(part), constraint, positive)
            for what, part in both.items()
        }
        _check_counts(counts, data, fraction, caller)
        told = counts["hold out"]
        watched = replace(
            data,
            # Images are sliced, not read, which would take memory for all of them.
            X=getattr(data.X, "subset", data.X.__getitem__)(held_out),
            y=data.y[held_out],
            groups=replace(data.groups, codes=data.groups.codes[held_out]),
        )
        train = tuple(take_rows(part, rows) for part in whole)
    labels = _labels_that_tell(constraint, data.classes, positive)
    more = " in X_val" if train is whole else ", or a larger validation_fraction"
    _warn_of_few(told, labels, watched, caller, more)
    _warn_of_empty(watched, caller)
    _warn_of_guessed_label(clf, data.classes.tolist(), positive, caller)
    return Parts(
        train=train,
        held_out=watched,
        pos_label=data.classes.tolist()[positive] if len(data.classes) == 2 else None,
        features={
            name: getattr(probe, name)
            for name in ("n_features_in_", "feature_names_in_")
            if hasattr(probe, name)
        },
    )


def _warn_of_guessed_label(clf, classes, positive, caller):
    """Say which of two labels the table takes for the favourable one, if none does."""
    if len(classes) != 2 or clf.pos_label is not None:
        return
    if set(classes) in ({0, 1}, {-1, 1}):
        return
    warnings.warn(
        f"{caller}: the selection rate, the average precision and the rates of a label "
        f"in frontier_ are those of {classes[positive]!r}, since the labels {classes} "
        "do not say which is the favourable one: give the estimator pos_label="
        f"{classes[positive]!r} or pos_label={classes[1 - positive]!r}.",
        SkfairRunnerWarning,
        # The caller of fit, beyond hold_out and scikit-learn's wrapper.
        stacklevel=5,
    )


def _read_given(probe, data, given, constraint, caller):
    """The rows to measure on, in the codes of those to train on."""
    X, y, sensitive_features = given
    for name, part in (("X_val", X), ("y_val", y)):
        if part is None:
            raise ValueError(
                f"{caller}: points are measured on X_val and y_val, but {name} is "
                "None: pass both, with sensitive_features_val, or none of them, and a "
                "part of X is held out."
            )
    if sensitive_features is None and probe.sensitive_columns is None:
        raise ValueError(
            f"{caller}: sensitive_features_val is None, and the points are compared by "
            "the groups of X_val: pass one value per row of it."
        )
    try:
        return probe._read(
            X,
            y,
            sensitive_features,
            None,
            constraint,
            classes=data.classes,
            reset=False,
            caller=f"{caller} (X_val)",
            names=data.groups.names,
        )
    except (TypeError, ValueError) as error:
        error.add_note(
            f"{caller}: this is about X_val, y_val and sensitive_features_val."
        )
        raise


def _check_given(told, data, caller):
    """Refuse rows that do not tell every rate of every group."""
    least = told.min(0)
    if least.min() == 0:
        group = data.groups.labels[int(least.argmin())]
        raise ValueError(
            f"{caller}: no row of X_val is of group {group!r} and tells a rate which "
            "the constraint compares, so that no difference can be measured on it: "
            "pass rows of every group and label, or leave X_val out."
        )


def _telling(counts, constraint, positive):
    """Rows by rate and group that tell a rate which the constraint compares."""
    if constraint.within == "everybody":
        return counts.sum(0, keepdims=True)
    return counts[_codes_that_tell(constraint, len(counts), positive)]


def _labels_that_tell(constraint, classes, positive):
    """The label of each rate of `_telling`; None for everybody."""
    if constraint.within == "everybody":
        return [None]
    return classes[_codes_that_tell(constraint, len(classes), positive)].tolist()


def _codes_that_tell(constraint, n_classes, positive):
    """Codes of the labels whose rows tell a rate which the constraint compares."""
    if n_classes == 2 and constraint.within in ("positive", "negative"):
        return [positive if constraint.within == "positive" else 1 - positive]
    return list(range(n_classes))


def _check_counts(counts, data, fraction, caller):
    """Refuse a split after which a rate that is compared has no rows."""
    for what, by_rate in counts.items():
        least = by_rate.min(0)
        if least.min() > 0:
            continue
        group = data.groups.labels[int(least.argmin())]
        raise ValueError(
            f"{caller}: with validation_fraction={fraction:g} no row of group "
            f"{group!r} that tells a rate which the constraint compares is left to "
            f"{what}: the data have too few. Choose another validation_fraction, merge "
            "the group with another, or leave its rows out."
        )


def _warn_of_few(by_rate, labels, held_out, caller, more):
    """Say where held-out rows are too few to tell a difference."""
    least = int(by_rate.min())
    if least >= FEW_ROWS:
        return
    rate, group = np.unravel_index(by_rate.argmin(), by_rate.shape)
    of_label = "" if labels[rate] is None else f" with the label {labels[rate]!r}"
    n_rows = len(held_out.y)
    needed = -(-FEW_ROWS * n_rows // least)
    warnings.warn(
        f"{caller}: only {least} held-out rows of group "
        f"{held_out.groups.labels[group]!r}{of_label} tell a rate that the constraint "
        f"compares, where at least {FEW_ROWS} should: its difference is mostly noise. "
        f"That takes about {needed:,} held-out rows in place of {n_rows:,}: more "
        f"rows{more}.",
        SkfairRunnerWarning,
        # The caller of fit, beyond hold_out and scikit-learn's wrapper.
        stacklevel=5,
    )


def _warn_of_empty(held_out, caller):
    """Name a group that has no rows to tell one of the table's rates by."""
    counts = held_out.cell_counts(slice(None))  # (n_labels, n_groups)
    for what, found in (("with", counts), ("without", counts.sum(0) - counts)):
        empty = np.argwhere(found == 0)
        if len(empty) == 0:
            continue
        label, group = empty[0]
        name, value = held_out.groups.labels[group], held_out.classes.tolist()[label]
        warnings.warn(
            f"{caller}: no held-out row of group {name!r} is {what} the label "
            f"{value!r}, so that its rate among such rows counts as 0 in frontier_, as "
            "in fairlearn. Merge small groups, or leave columns aside that use it.",
            SkfairRunnerWarning,
            # The caller of fit, beyond hold_out and scikit-learn's wrapper.
            stacklevel=5,
        )
        return
