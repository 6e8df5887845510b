"""Rates of every group, by fairlearn's MetricFrame."""

import pandas as pd
from fairlearn.metrics import (
    MetricFrame,
    count,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score

_METRICS = {
    "count": count,
    "accuracy": accuracy_score,
    "selection_rate": selection_rate,
    "true_positive_rate": true_positive_rate,
    "false_positive_rate": false_positive_rate,
}


def group_frame(predictions, label, metrics=None):
    """Metrics of one method, overall and by group.

    Parameters
    ----------
    predictions : DataFrame
        With ``y_true``, ``y_pred`` and ``group``.

    label : label
        What counts as 1; everything else is 0.

    metrics : dict of str to callable or None, default=None
        Called as ``metric(y_true, y_pred)`` with labels 0 and 1; None counts samples,
        accuracy, and rates of selection, true and false positives.

    Returns
    -------
    frame : fairlearn.metrics.MetricFrame
        With ``overall``, ``by_group``, ``difference()`` and more.
    """
    return MetricFrame(
        metrics=dict(metrics or _METRICS),
        y_true=(predictions["y_true"] == label).astype(int),
        y_pred=(predictions["y_pred"] == label).astype(int),
        sensitive_features=predictions["group"],
    )


def group_table(frames):
    """Put the frames of several methods below one another.

    Parameters
    ----------
    frames : dict of str to MetricFrame
        By method.

    Returns
    -------
    table : DataFrame
        One row per method and group, one column per metric.
    """
    return pd.concat(
        {method: frame.by_group for method, frame in frames.items()},
        names=["method", "group"],
    )
