"""Reading and checking what users pass to `fit`; below here nothing is re-checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from .gaps import Constraint
from .groups import (
    Groups,
    cell_counts,
    check_at_least_two,
    check_no_empty_cell,
    encode_groups,
)
from .utils import check_sample_weight

# Pairs of labels whose larger one is favourable without a word.
_PLAIN_PAIRS = ({0, 1}, {-1, 1})


def take_sensitive_columns(X, columns, *, drop, required=True):
    """Take the sensitive columns out of a DataFrame.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
        The features, with the columns among them.

    columns : str or list of str
        Names of the sensitive columns.

    drop : bool
        Whether the columns leave the features.

    required : bool, default=True
        Whether their absence is an error; at prediction it is not.

    Returns
    -------
    X : DataFrame
        The features.

    sensitive_features : Series, DataFrame or None
        The columns; None where absent and not required.

    Raises
    ------
    TypeError
        If X is no DataFrame, and the columns are required.

    ValueError
        If a column is not in X, and the columns are required.

    Examples
    --------
    >>> people = pd.DataFrame({"age": [40, 50], "sex": ["f", "m"]})
    >>> X, groups = take_sensitive_columns(people, "sex", drop=True)
    >>> list(X), list(groups)
    (['age'], ['f', 'm'])
    """
    names = [columns] if isinstance(columns, str) else list(columns)
    if not isinstance(X, pd.DataFrame):
        if not required:
            return X, None
        raise TypeError(
            f"sensitive_columns={columns!r} names columns of a DataFrame, but X is a "
            f"{type(X).__name__}: pass a DataFrame, or pass the groups as "
            "fit(X, y, sensitive_features=...)."
        )
    absent = [name for name in names if name not in X.columns]
    if absent and required:
        raise ValueError(
            f"sensitive_columns names {absent[0]!r}, which is not a column of X; its "
            f"columns are {X.columns.tolist()}."
        )
    present = [name for name in names if name in X.columns]
    taken = None
    if not absent:
        taken = X[names[0]] if isinstance(columns, str) else X[names]
    return (X.drop(columns=present) if drop and present else X), taken


def favourable_code(pos_label, classes, *, needed_by=None) -> int:
    """Code of the favourable label among two classes.

    Parameters
    ----------
    pos_label : label or None
        What the user said.

    classes : ndarray of shape (n_classes,)
        Sorted labels.

    needed_by : str, default=None
        What depends on it, such as ``"constraint='true_positive_rate_parity'"``; None
        where nothing does.

    Returns
    -------
    code : int
        1 where nothing depends on it.

    Raises
    ------
    ValueError
        If `pos_label` is not a class, or is needed and cannot be guessed.

    Examples
    --------
    >>> favourable_code("no", np.array(["no", "yes"]))
    0
    """
    if pos_label is not None:
        found = np.flatnonzero(classes == pos_label)
        if len(found) != 1:
            raise ValueError(
                f"pos_label={pos_label!r} is not a class of y; the classes are "
                f"{classes.tolist()}."
            )
        return int(found[0])
    guessable = classes.dtype.kind in "biuf" and set(classes.tolist()) in _PLAIN_PAIRS
    if needed_by and len(classes) == 2 and not guessable:
        raise ValueError(
            f"{needed_by} depends on which label is the favourable one, and the "
            f"classes {classes.tolist()} do not say: pass pos_label={classes[1]!r} or "
            f"pos_label={classes[0]!r}."
        )
    return 1


def encode_labels(y, classes=None):
    """Class codes and sorted classes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels.

    classes : array-like, default=None
        Known classes; None takes those of y, of which there must be two or more.

    Returns
    -------
    codes : ndarray of shape (n_samples,), dtype int64
        Position of each label among the classes.

    classes : ndarray of shape (n_classes,)
        Sorted.

    Raises
    ------
    ValueError
        If y is no classification target, has one class only, or a class that is not
        known.

    Examples
    --------
    >>> encode_labels(["yes", "no", "yes"])
    (array([1, 0, 1]), array(['no', 'yes'], dtype='<U3'))
    """
    y = column_or_1d(y, warn=True)
    check_classification_targets(y)
    found, codes = np.unique(y, return_inverse=True)
    if classes is None:
        if len(found) < 2:
            raise ValueError(
                f"A classifier needs at least two classes, but y has one class only: "
                f"{found.tolist()}. Check how y was made."
            )
        return codes.astype(np.int64), found
    classes = np.unique(classes)
    unknown = [label for label in found.tolist() if label not in classes.tolist()]
    if unknown:
        raise ValueError(
            f"y has the label {unknown[0]!r}, which is not among the known classes "
            f"{classes.tolist()}."
        )
    return np.searchsorted(classes, found)[codes].astype(np.int64), classes


def read_weights(sample_weight, X) -> np.ndarray | None:
    """Sample weights as float32, or None.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
        Non-negative weights.

    X : array-like of shape (n_samples, ...)
        The samples.

    Returns
    -------
    weights : ndarray of shape (n_samples,) or None
        float32.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all are zero.
    """
    if sample_weight is None:
        return None
    weights = check_sample_weight(
        sample_weight, X, dtype=np.float32, ensure_non_negative=True
    )
    if not weights.any():
        raise ValueError(
            "All values of sample_weight are zero, so no sample is left to train on: "
            "pass at least one positive weight."
        )
    return weights


@dataclass(frozen=True)
class TrainingData:
    """What training uses.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        float32.

    y : ndarray of shape (n_samples,)
        Class codes, int64.

    classes : ndarray of shape (n_classes,)
        Sorted labels.

    groups : Groups or None
        None where none were passed.

    weights : ndarray of shape (n_samples,) or None
        float32.
    """

    X: Any
    y: np.ndarray
    classes: np.ndarray
    groups: Groups | None
    weights: np.ndarray | None

    @property
    def rows(self) -> np.ndarray:
        """Rows of positive weight; the others are as if they were not there."""
        if self.weights is None:
            return np.arange(len(self.y))
        return np.flatnonzero(self.weights)

    def cell_counts(self, rows) -> np.ndarray:
        """Rows in each label × group cell, (n_labels, n_groups)."""
        assert self.groups is not None
        return cell_counts(
            self.y[rows],
            self.groups.codes[rows],
            len(self.classes),
            self.groups.n_groups,
        )

    def cell_weights(self, rows) -> np.ndarray:
        """Weight in each label × group cell, (n_labels, n_groups)."""
        assert self.groups is not None
        n_groups = self.groups.n_groups
        weights = None if self.weights is None else self.weights[rows]
        cells = self.y[rows] * n_groups + self.groups.codes[rows]
        shape = (len(self.classes), n_groups)
        totals = np.bincount(cells, weights, minlength=shape[0] * shape[1])
        return totals.reshape(shape)


def read_groups(
    sensitive_features, X, *, constraint, missing, names=None, caller
) -> Groups | None:
    """Group codes, where groups are needed or given.

    Parameters
    ----------
    sensitive_features : array-like or None
        What the user passed.

    X : array-like of shape (n_samples, ...)
        As the user passed it, with its index.

    constraint : Constraint or None
        None needs no groups.

    missing : {"raise", "own group"}
        What to do with missing values.

    names : sequence, default=None
        Groups known from an earlier fit.

    caller : str
        Who asks, for messages.

    Returns
    -------
    groups : Groups or None
        None where nothing was passed and nothing is needed.

    Raises
    ------
    ValueError
        If groups are needed and not passed, or there is one only.
    """
    if sensitive_features is None:
        if constraint is None:
            return None
        raise ValueError(
            f"{caller} compares groups, so `sensitive_features` is required: pass one "
            "value per row of X, as in fit(X, y, sensitive_features=X['sex']); or set "
            "sensitive_columns='sex', or constraint=None for plain training."
        )
    groups = encode_groups(
        sensitive_features, X, missing=missing, names=names, caller=caller
    )
    if constraint is not None and names is None:
        check_at_least_two(groups, caller)
    return groups


def check_cells(
    data: TrainingData,
    constraint: Constraint | None,
    sampling: str,
    positive: int,
    caller: str,
) -> None:
    """Refuse training data in which a cell that is compared or drawn from is empty.

    Parameters
    ----------
    data : TrainingData
        With groups where there is a constraint.

    constraint : Constraint or None
        Whose populations must hold every group.

    sampling : {"shuffled", "group", "group_label"}
        Balanced sampling draws from every cell.

    positive : int
        Code of the favourable label.

    caller : str
        Who asks, for messages.

    Raises
    ------
    ValueError
        If a group has no row (of positive weight) with a label that matters.
    """
    if data.groups is None:
        return
    counts = data.cell_counts(data.rows)
    rules: list[tuple[str, Constraint | None]] = []
    if constraint is not None and constraint.within == "everybody":
        if (counts.sum(0) == 0).any():
            name = data.groups.labels[int(np.argmin(counts.sum(0)))]
            raise ValueError(
                f"{caller}: group {name!r} has no sample of positive weight, so it "
                "cannot be compared: drop its rows."
            )
    elif constraint is not None:
        rules.append((f"constraint={constraint.name!r}", constraint))
    if sampling == "group_label":
        rules.append(("sampling='group_label'", None))
    for rule, needed in rules:
        relevant = np.arange(len(data.classes))
        if needed is not None and len(data.classes) == 2:
            only = {"positive": [positive], "negative": [1 - positive]}.get(
                needed.within
            )
            relevant = relevant if only is None else np.array(only)
        check_no_empty_cell(
            counts[relevant],
            data.classes[relevant],
            data.groups.names,
            caller,
            rule,
        )


def split_validation(data: TrainingData, fraction: float, random_state):
    """Rows to train on and rows to watch, in the proportions of the cells.

    Parameters
    ----------
    data : TrainingData
        All rows.

    fraction : float
        Share of the rows that is watched, in (0, 1).

    random_state : int
        Seed of the split.

    Returns
    -------
    train, valid : ndarray of int
        Row numbers.
    """
    cells = data.y
    if data.groups is not None:
        cells = data.y * data.groups.n_groups + data.groups.codes
    rows = data.rows
    _, index, counts = np.unique(cells[rows], return_inverse=True, return_counts=True)
    # Stratification needs two rows of each cell; single rows join the largest one.
    index[counts[index] < 2] = counts.argmax()
    n_strata = len(np.unique(index))
    n_valid = max(int(np.ceil(fraction * len(rows))), n_strata)
    stratify = index if len(rows) - n_valid >= n_strata else None
    return train_test_split(
        rows, test_size=n_valid, random_state=random_state, stratify=stratify
    )
