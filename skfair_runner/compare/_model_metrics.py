"""Metrics that ask the fitted classifier itself, right after it was fitted."""

import warnings
from collections.abc import Mapping
from inspect import Parameter, signature
from numbers import Real

import numpy as np

from skfair_runner.compare._measures import MEASURES, Measure
from skfair_runner.compare._metrics import TAKEN, name_of
from skfair_runner.utils import SkfairRunnerWarning

_OFFERED = ("y", "sensitive_features")


def read_model_metrics(model_metrics, metrics, X, caller):
    """Model metrics by their name, ready to be called.

    Parameters
    ----------
    model_metrics : dict, sequence or None
        Functions by name, or functions that have a name.

    metrics : dict of str to Metric
        Those of decisions, whose names are taken.

    X : DataFrame, ndarray, CSR matrix or images
        All rows, shown to metrics that have a method `prepare`.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    found : dict of str to callable
        What `prepare` returns, where there is one.

    Raises
    ------
    TypeError
        If `model_metrics` is no dict or list, a name is no string, or a metric cannot
        be called with a classifier and rows.

    ValueError
        If a name is taken by a column of the tables, or as `prepare`.
    """
    if model_metrics is None:
        return {}
    if isinstance(model_metrics, str) or not isinstance(
        model_metrics, Mapping | list | tuple
    ):
        raise TypeError(
            f"{caller}: `model_metrics` must be a list of functions, or a dict with "
            f"their names, got {model_metrics!r}."
        )
    if not isinstance(model_metrics, Mapping):
        model_metrics = {name_of(each): each for each in model_metrics}
    found = {}
    for name, metric in model_metrics.items():
        if not isinstance(name, str):
            raise TypeError(
                f"{caller}: names of model metrics are strings, got {name!r}."
            )
        if name in MEASURES or name in TAKEN or name in metrics:
            raise ValueError(
                f"{caller}: a model metric cannot be called {name!r}, which is a "
                "column of the tables already: give it another name."
            )
        _check_call(name, metric, caller)
        found[name] = metric.prepare(X) if hasattr(metric, "prepare") else metric
    return found


def ask_model(model_metrics, classifier, X, y, sensitive_features):
    """What the metrics say about a fitted classifier.

    Parameters
    ----------
    model_metrics : dict of str to callable
        As read.

    classifier : estimator
        Fitted.

    X : DataFrame, ndarray, CSR matrix or images
        Rows that it was not fitted on.

    y : ndarray of shape (n_samples,)
        Their labels.

    sensitive_features : Series, DataFrame or ndarray of shape (n_samples, ...)
        Their groups.

    Returns
    -------
    answers : dict of str to dict of str to float
        By the metric's name and the column's; empty, with a warning, where it failed.
    """
    offered = {"y": y, "sensitive_features": sensitive_features}
    answers = {}
    for name, metric in model_metrics.items():
        try:
            taken = {key: offered[key] for key in _keywords(metric)}
            answers[name] = _columns(name, metric(classifier, X, **taken))
        except Exception as error:
            answers[name] = {}
            warnings.warn(
                f"model metric {name!r} failed: {type(error).__name__}: {error}",
                SkfairRunnerWarning,
                stacklevel=2,
            )
    return answers


def model_measures(model_metrics, outcomes):
    """Columns of the tables that model metrics fill.

    Parameters
    ----------
    model_metrics : dict of str to callable
        As read.

    outcomes : list of Outcome
        With their `answers`.

    Returns
    -------
    measures : dict of str to Measure
        One of the metric's own name, where it failed every time.
    """
    measures = {}
    for name, metric in model_metrics.items():
        found = [column for each in outcomes for column in each.answers.get(name, {})]
        better = getattr(metric, "greater_is_better", None)
        meanings = getattr(metric, "meanings", {})
        for column in dict.fromkeys(found) or [name]:
            key = column[len(name) + 1 :]
            measures[column] = Measure(
                column,
                ", ".join(filter(None, [name, key])).replace("_", " "),
                better,
                better is False,
                meanings.get(key, ""),
                getattr(metric, "about_zero", ""),
            )
    return measures


def _columns(name, answer):
    """Numbers by the column that they belong in."""
    if not isinstance(answer, Mapping):
        return {name: _number(answer)}
    columns = {f"{name}_{key}": _number(value) for key, value in answer.items()}
    for column in columns:
        if column in MEASURES or column in TAKEN:
            raise ValueError(
                f"its column would be {column!r}, which the tables have already"
            )
    return columns


def _number(value):
    if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"it must return a number, or a dict of numbers, got {value!r}")
    return float(value)


def _keywords(metric):
    """Which of the keywords that a metric may be called with it takes."""
    try:
        parameters = signature(metric).parameters
    except (TypeError, ValueError):  # some builtins tell nothing
        return ()
    if any(each.kind is Parameter.VAR_KEYWORD for each in parameters.values()):
        return _OFFERED
    return tuple(key for key in _OFFERED if key in parameters)


def _check_call(name, metric, caller):
    """Refuse what cannot be called with a classifier and rows."""
    if not callable(metric) or isinstance(metric, type):
        raise TypeError(
            f"{caller}: model metric {name!r} must be a function of a fitted "
            f"classifier and rows, got {metric!r}."
        )
    try:
        bind = signature(metric).bind
    except (TypeError, ValueError):
        return
    try:
        bind(None, None, **dict.fromkeys(_keywords(metric)))
    except TypeError as error:
        raise TypeError(
            f"{caller}: model metric {name!r} cannot be called as metric(classifier, "
            f"X, *, y, sensitive_features): {error}."
        ) from error
