"""One classifier on one fold: fitted, timed, asked for its decisions, and measured."""

import warnings
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d

from skfair_runner._runs.told import recording
from skfair_runner.compare._metrics import call_metric
from skfair_runner.compare._model_metrics import ask_model
from skfair_runner.metrics.summary import full_summary
from skfair_runner.model_selection import SensitiveColumns
from skfair_runner.model_selection._routing import fit_keywords, needs_groups_at_predict
from skfair_runner.utils import SkfairRunnerWarning
from skfair_runner.utils._columns import take_rows


@dataclass
class Outcome:
    """What one classifier did on one fold; everything else is computed from it.

    Attributes
    ----------
    y_pred : ndarray of shape (n_test,) or None
        Codes of the decisions; None where it failed.

    scores : ndarray of shape (n_test, n_classes) or None
        Probabilities of all labels; None where it has none.

    fit_seconds, predict_seconds : float
        How long `fit` took, and `predict` for all test rows together.

    tables : dict of str to DataFrame
        ``neurons`` and ``history``, where the classifier has them.

    answers : dict of str to dict of str to float
        What the model metrics said, by metric and column; empty where one failed.

    error : str
        What went wrong; empty where nothing did.

    warnings : list of (type, str)
        What it warned of.
    """

    y_pred: np.ndarray | None = None
    scores: np.ndarray | None = None
    fit_seconds: float = float("nan")
    predict_seconds: float = float("nan")
    tables: dict = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    error: str = ""
    warnings: list = field(default_factory=list)


@dataclass
class Measured:
    """Numbers of one classifier on some rows.

    Attributes
    ----------
    numbers : dict of str to float
        Measures by name; empty where it failed.

    constant : bool
        Whether nearly all samples got the same decision.

    error : str
        What went wrong; empty where nothing did.

    warnings : list of (type, str)
        What it warned of, while it was fitted or measured.
    """

    numbers: dict = field(default_factory=dict)
    constant: bool = False
    error: str = ""
    warnings: list = field(default_factory=list)


def is_randomised(classifier):
    """Tell whether a classifier, or the last step of a pipeline, decides by lot.

    Parameters
    ----------
    classifier : estimator
        Fitted or not.

    Returns
    -------
    randomised : bool
        Its ``is_randomised``; False where it has none.
    """
    while isinstance(classifier, Pipeline):
        classifier = classifier.steps[-1][1]
    return bool(getattr(classifier, "is_randomised", False))


def evaluate(classifier, data, train, test, model_metrics=None):
    """Fit a classifier on some rows and let it decide about others.

    Parameters
    ----------
    classifier : estimator
        Unfitted, and nobody else's.

    data : Data
        All rows.

    train, test : ndarray of int
        Row numbers.

    model_metrics : dict of str to callable or None, default=None
        What to ask the fitted classifier besides its decisions.

    Returns
    -------
    outcome : Outcome
        An exception becomes its `error`; an interrupt (Ctrl-C) is not caught.
    """
    outcome = Outcome()
    with recording(outcome.warnings):
        try:
            _fill(outcome, classifier, data, train, test)
            if model_metrics:
                rows = data.take(test)
                outcome.answers = ask_model(model_metrics, classifier, *rows)
        except Exception as error:
            outcome.error = _words(error)
    return outcome


def _fill(outcome, classifier, data, train, test):
    """Decisions on the test rows, and how long they took."""
    X, y, groups = data.take(train)
    if isinstance(classifier, SensitiveColumns):
        groups = None  # it takes them out of X
    # The one place that knows how groups are spelled for pipelines and searches.
    keywords = fit_keywords(SensitiveColumns(classifier), groups, None, {})
    start = perf_counter()
    classifier.fit(X, y, **keywords)
    outcome.fit_seconds = perf_counter() - start

    X, _, groups = data.take(test)
    told = {}
    if needs_groups_at_predict(classifier):
        told = {"sensitive_features": groups}
    start = perf_counter()
    y_pred = classifier.predict(X, **told)
    outcome.predict_seconds = perf_counter() - start
    decisions = _codes(y_pred, data.classes, len(test))
    if hasattr(classifier, "predict_proba"):
        scores = classifier.predict_proba(X, **told)
        outcome.scores = _scores(scores, classifier.classes_, data.classes, len(test))
    last = _last_step(classifier)
    for name, attribute in (("neurons", "neuron_importance_"), ("history", "history_")):
        table = getattr(last, attribute, None)
        if isinstance(table, pd.DataFrame):
            outcome.tables[name] = table
    outcome.y_pred = decisions


def _codes(y_pred, classes, n_samples):
    """Decisions as codes into the classes."""
    y_pred = column_or_1d(y_pred)
    if len(y_pred) != n_samples:
        raise ValueError(f"predict returned {len(y_pred)} labels for {n_samples} rows")
    code_of = {label: code for code, label in enumerate(classes.tolist())}
    found, inverse = np.unique(y_pred, return_inverse=True)
    for label in found.tolist():
        if label not in code_of:
            raise ValueError(
                f"predict returned {label!r}, which is not among the labels "
                f"{classes.tolist()}"
            )
    return np.array([code_of[label] for label in found.tolist()])[inverse]


def _scores(scores, known, classes, n_samples):
    """Probabilities with one column per class, 0 for those unknown in training."""
    scores = np.asarray(scores, dtype=np.float64)
    known = np.asarray(known).tolist()
    if scores.shape != (n_samples, len(known)):
        raise ValueError(
            f"predict_proba returned shape {scores.shape}, not ({n_samples}, "
            f"{len(known)}): one row per sample, one column per label of {known}"
        )
    whole = np.zeros((n_samples, len(classes)))
    whole[:, [classes.tolist().index(label) for label in known]] = scores
    return whole


def _last_step(classifier):
    """What decides, inside of fitted pipelines and searches."""
    while True:
        if isinstance(classifier, Pipeline):
            classifier = classifier.steps[-1][1]
        elif isinstance(classifier, SensitiveColumns):
            classifier = classifier.estimator_
        elif hasattr(classifier, "best_estimator_"):
            classifier = classifier.best_estimator_
        elif hasattr(classifier, "frontier_"):
            classifier = classifier.classifier_
        else:
            return classifier


def measure(outcome, data, rows, metrics):
    """Numbers of one outcome.

    Parameters
    ----------
    outcome : Outcome
        Decisions about some rows.

    data : Data
        All rows.

    rows : ndarray of int
        Rows that were decided about.

    metrics : dict of str to Metric
        What the user wants to know besides.

    Returns
    -------
    measured : Measured
        What cannot be measured becomes its `error`; a metric of the user's that fails
        is NaN, with a warning.
    """
    measured = Measured(error=outcome.error, warnings=list(outcome.warnings))
    if outcome.error:
        return measured
    with recording(measured.warnings):
        try:
            _count(measured, outcome, data, rows)
        except Exception as error:
            measured.error, measured.numbers = _words(error), {}
            return measured
        for name, metric in metrics.items():
            measured.numbers[name] = _added(name, metric, outcome, data, rows)
    for answer in outcome.answers.values():
        measured.numbers |= answer
    return measured


def _count(measured, outcome, data, rows):
    """Numbers that every table has."""
    y_true = data.classes[data.codes[rows]]
    y_pred = data.classes[outcome.y_pred]
    told = {"sensitive_features": data.groups_of(rows), "pos_label": data.pos_label}
    numbers = full_summary(y_true, y_pred, _compared(outcome, data, rows), **told)
    measured.constant = numbers.pop("constant")
    numbers["disparate_impact"] = numbers.pop("demographic_parity_ratio")
    numbers["fit_seconds"] = outcome.fit_seconds
    numbers["predict_seconds"] = outcome.predict_seconds
    measured.numbers = numbers


def _compared(outcome, data, rows):
    """Scores of the favourable label, or of all labels that occur here."""
    if outcome.scores is None:
        return None
    if data.favourable is not None:
        return outcome.scores[:, data.favourable]
    return outcome.scores[:, np.union1d(data.codes[rows], outcome.y_pred)]


def _added(name, metric, outcome, data, rows):
    """Value of a metric of the user's; NaN, with a warning, where it fails."""
    try:
        return call_metric(
            metric,
            data.classes[data.codes[rows]],
            data.classes[outcome.y_pred],
            _compared(outcome, data, rows),
            sensitive_features=take_rows(data.sensitive_features, rows),
            pos_label=data.pos_label,
        )
    except Exception as error:
        warnings.warn(
            f"metric {name!r} failed: {_words(error)}",
            SkfairRunnerWarning,
            stacklevel=2,
        )
        return float("nan")


def _words(error):
    return f"{type(error).__name__}: {error}"
