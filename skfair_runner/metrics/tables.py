"""Rates of every group as a table, and whether decisions are constant."""

import numpy as np
import pandas as pd

from skfair_runner.metrics.labels import encode_classes
from skfair_runner.metrics.rates import compute_rates


def group_rates(
    y_true,
    y_pred,
    *,
    sensitive_features,
    sample_weight=None,
    pos_label=None,
):
    """Size and rates of every group, as a table.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels.

    y_pred : array-like of shape (n_samples,)
        Decisions, in the same labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each sample; several columns are crossed. An encoded
        `skfair_runner.groups.Groups` is taken as it is.

    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample; None weighs all the same.

    pos_label : int, bool or str, default=None
        The favourable label. None takes the larger of {0, 1}, {False, True}
        and {-1, 1}, and with more than two labels compares every class with
        the rest: one row per group and label.

    Returns
    -------
    table : DataFrame
        One row per group, with the columns ``n`` (samples of positive weight),
        ``selection_rate``, ``base_rate``, ``true_positive_rate``,
        ``false_positive_rate`` and ``accuracy``. The index holds the groups.

    Raises
    ------
    ValueError
        If the favourable label is not known, scores are passed in place of
        decisions, or fewer than two groups are present.

    Warns
    -----
    SkfairRunnerWarning
        If a group has no sample with the label, or none without it. Its rate
        counts as 0, as in fairlearn.

    Examples
    --------
    >>> from skfair_runner.metrics import group_rates
    >>> y_true = [0, 0, 1, 1, 0, 0, 1, 1]
    >>> y_pred = [0, 1, 1, 1, 0, 0, 0, 1]
    >>> table = group_rates(y_true, y_pred, sensitive_features=list("aaaabbbb"))
    >>> table[["n", "selection_rate", "true_positive_rate"]]
                        n  selection_rate  true_positive_rate
    sensitive_features
    a                   4            0.75                 1.0
    b                   4            0.25                 0.5
    """
    rates = compute_rates(
        y_true, y_pred, sensitive_features, sample_weight, pos_label, "group_rates"
    )
    groups, labels = rates.groups, rates.labels
    compared = [labels.classes[code] for code in labels.favourable]
    names, columns = groups.names, list(groups.columns)
    if len(columns) == 1:
        names = [(name,) for name in names]
    if len(compared) > 1:
        names = [(*name, label) for name in names for label in compared]
        columns.append("label")
    if len(columns) == 1:
        index = pd.Index([name[0] for name in names], name=columns[0])
    else:
        index = pd.MultiIndex.from_tuples(names, names=columns)
    return pd.DataFrame(
        {
            "n": rates.n.repeat(len(compared)),
            "selection_rate": rates.selection_rate.ravel(),
            "base_rate": rates.base_rate.ravel(),
            "true_positive_rate": rates.true_positive_rate.ravel(),
            "false_positive_rate": rates.false_positive_rate.ravel(),
            "accuracy": rates.accuracy.repeat(len(compared)),
        },
        index=index,
    )


def is_constant(y_pred):
    """Whether nearly all samples get the same decision.

    Parameters
    ----------
    y_pred : array-like of shape (n_samples,)
        Decisions, in any labels.

    Returns
    -------
    constant : bool
        True if one label is given to more than 99.5 % of the samples: with two
        labels, if fewer than 0.5 % or more than 99.5 % are selected.

    Raises
    ------
    ValueError
        If there are no samples, or `y_pred` holds scores.

    Examples
    --------
    >>> from skfair_runner.metrics import is_constant
    >>> is_constant([0] * 999 + [1])
    True
    >>> is_constant([0, 1])
    False
    """
    (codes,), _ = encode_classes({"y_pred": y_pred}, "is_constant")
    return has_one_decision(codes)


def has_one_decision(codes):
    """Whether one code makes up more than 99.5 % of all.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        Codes of the decisions.

    Returns
    -------
    constant : bool
        Whether it does.
    """
    return bool(np.bincount(codes).max() > 0.995 * len(codes))
