"""Metrics that the user adds to a comparison."""

from collections.abc import Mapping
from inspect import Parameter, signature
from numbers import Real

import numpy as np

from skfair_runner.compare._measures import MEASURES, Measure
from skfair_runner.metrics import METRICS, Metric, resolve_metric

# Columns of the tables that are no measures.
TAKEN = (
    "method",
    "seed",
    "fold",
    "folds",
    "constant",
    "constant_folds",
    "four_fifths",
    "needs_groups_at_predict",
    "randomised",
    "error",
)


def read_metrics(metrics, caller):
    """Metrics by the name of their column.

    Parameters
    ----------
    metrics : dict, sequence or None
        A dict of names and metrics, or a sequence of names of
        :data:`skfair_runner.metrics.METRICS`, of `Metric` objects, or of functions
        that have a name.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    metrics : dict of str to Metric
        Without those that are in every table anyway.

    Raises
    ------
    TypeError
        If `metrics` is neither of these, a name is no string, or a metric is not
        callable with labels and decisions.

    ValueError
        If a name is unknown, or taken by a column of the tables.
    """
    if metrics is None:
        return {}
    if isinstance(metrics, str) or not isinstance(metrics, Mapping | list | tuple):
        raise TypeError(
            f"{caller}: `metrics` must be a dict of names and functions, or a list of "
            f"names out of {list(METRICS)}, got {metrics!r}."
        )
    if not isinstance(metrics, Mapping):
        metrics = {name_of(each): each for each in metrics}
    found = {}
    for name, given in metrics.items():
        if not isinstance(name, str):
            raise TypeError(f"{caller}: names of metrics are strings, got {name!r}.")
        if name in MEASURES and (given == name or given is METRICS.get(name)):
            continue
        if name in MEASURES or name in TAKEN:
            raise ValueError(
                f"{caller}: a metric cannot be called {name!r}, which is a column of "
                "the tables already: give it another name."
            )
        metric = _resolve(name, given, caller)
        _check_call(name, metric, caller)
        found[name] = metric
    return found


def _resolve(name, given, caller):
    """Metric with its direction."""
    try:
        metric = resolve_metric(given)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{caller}: metric {name!r}: {error}") from error
    if isinstance(given, Metric | str):
        return metric
    # What looks at no groups measures how good the decisions are.
    is_difference = "sensitive_features" in _keywords(given)
    return Metric(name, given, greater_is_better=not is_difference)


def measure_of(name, metric):
    """Describe a metric as a measure of the tables.

    Parameters
    ----------
    name : str
        Its column.

    metric : Metric
        What it is.

    Returns
    -------
    measure : Measure
        With its direction.
    """
    return Measure(
        name,
        name.replace("_", " "),
        metric.greater_is_better,
        "sensitive_features" in _keywords(metric.function),
    )


def call_metric(metric, y_true, y_pred, scores, *, sensitive_features, pos_label):
    """Value of a metric, called with what it takes.

    Parameters
    ----------
    metric : Metric
        What to call.

    y_true, y_pred : ndarray of shape (n_samples,)
        Labels and decisions.

    scores : ndarray of shape (n_samples,), (n_samples, n_classes) or None
        Probability of the favourable label, or of all labels.

    sensitive_features : Series, DataFrame or ndarray of shape (n_samples, ...)
        Handed on where the metric takes it.

    pos_label : label or None
        Handed on where the metric takes it and there is one.

    Returns
    -------
    value : float
        NaN where scores are needed and there are none.

    Raises
    ------
    TypeError
        If the metric returns anything but a number.
    """
    response = y_pred
    if metric.response_method == "predict_proba":
        if scores is None:
            return float("nan")
        response = scores
    offered = {"sensitive_features": sensitive_features}
    if pos_label is not None:
        offered["pos_label"] = pos_label
    taken = _keywords(metric.function)
    value = metric.function(
        y_true, response, **{key: offered[key] for key in offered if key in taken}
    )
    if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"it must return a number, got {value!r}")
    return float(value)


def name_of(metric):
    """Name of a metric that is listed without one."""
    if isinstance(metric, str):
        return metric
    return getattr(metric, "name", None) or getattr(metric, "__name__", repr(metric))


def _keywords(function):
    """Which of the keywords that a metric may be called with it takes."""
    offered = {"sensitive_features", "pos_label"}
    try:
        parameters = signature(function).parameters
    except (TypeError, ValueError):  # some builtins tell nothing
        return set()
    if any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values()):
        return offered
    return offered & set(parameters)


def _check_call(name, metric, caller):
    """Refuse what cannot be called with labels, decisions and these keywords."""
    try:
        bind = signature(metric.function).bind
    except (TypeError, ValueError):
        return
    try:
        bind(None, None, **dict.fromkeys(_keywords(metric.function)))
    except TypeError as error:
        raise TypeError(
            f"{caller}: metric {name!r} cannot be called as metric(y_true, y_pred, *, "
            f"sensitive_features): {error}."
        ) from error
