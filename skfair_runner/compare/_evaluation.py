"""One classifier on one fold: fitted, timed and measured."""

import warnings
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from skfair_runner.metrics import fairness_summary, false_positive_rate_difference
from skfair_runner.model_selection import SensitiveColumns
from skfair_runner.model_selection._routing import fit_keywords, needs_groups_at_predict


@dataclass(frozen=True)
class Data:
    """What all classifiers are compared on.

    Attributes
    ----------
    X : DataFrame, ndarray or CSR matrix of shape (n_samples, n_features)
        Features.

    y : ndarray of shape (n_samples,)
        Labels.

    sensitive_features : Series, DataFrame or ndarray
        Groups, as they were passed.

    pos_label : label or None
        The favourable label; None compares every class with the rest.
    """

    X: Any
    y: np.ndarray
    sensitive_features: Any
    pos_label: Any

    def take(self, rows):
        """Features, labels and groups of some rows."""
        return (_take(self.X, rows), self.y[rows], _take(self.sensitive_features, rows))


@dataclass
class Outcome:
    """What one classifier did on one fold.

    Attributes
    ----------
    numbers : dict of str to float
        Measures by name; empty where it failed.

    constant : bool
        Whether nearly all samples got the same decision.

    error : str
        What went wrong; empty where nothing did.

    warnings : list of (type, str)
        What it warned of.
    """

    numbers: dict = field(default_factory=dict)
    constant: bool = False
    error: str = ""
    warnings: list = field(default_factory=list)


def _take(values, rows):
    if isinstance(values, pd.DataFrame | pd.Series):
        return values.iloc[rows]
    return values[rows]


def is_randomised(classifier):
    """Tell whether a classifier, or the last step of a pipeline, decides by lot."""
    while isinstance(classifier, Pipeline):
        classifier = classifier.steps[-1][1]
    return bool(getattr(classifier, "is_randomised", False))


def evaluate(classifier, data, train, test):
    """Fit a classifier on some rows and measure it on others.

    Parameters
    ----------
    classifier : estimator
        Unfitted, and nobody else's.

    data : Data
        All rows.

    train, test : ndarray of int
        Row numbers.

    Returns
    -------
    outcome : Outcome
        An exception becomes its `error`; an interrupt (Ctrl-C) is not caught.
    """
    outcome = Outcome()
    with warnings.catch_warnings(record=True) as caught:
        # What is an error outside is one inside; what is shown is told once, later.
        warnings.simplefilter("default", UserWarning)
        try:
            outcome.numbers, outcome.constant = _measure(classifier, data, train, test)
        except Exception as error:
            outcome.error = f"{type(error).__name__}: {error}"
    outcome.warnings = [(each.category, str(each.message)) for each in caught]
    return outcome


def _measure(classifier, data, train, test):
    """Numbers on the test rows, and whether the decisions are constant."""
    X, y, groups = data.take(train)
    # The one place that knows how groups are spelled for pipelines and searches.
    keywords = fit_keywords(SensitiveColumns(classifier), groups, None, {})
    start = perf_counter()
    classifier.fit(X, y, **keywords)
    seconds = perf_counter() - start

    X, y, groups = data.take(test)
    told = {}
    if needs_groups_at_predict(classifier):
        told = {"sensitive_features": groups}
    y_pred = classifier.predict(X, **told)
    measured = {"sensitive_features": groups, "pos_label": data.pos_label}
    numbers = fairness_summary(
        y, y_pred, _scores(classifier, X, told, data.pos_label), **measured
    )
    constant = numbers.pop("constant")
    numbers["false_positive_rate_difference"] = false_positive_rate_difference(
        y, y_pred, **measured
    )
    numbers["fit_seconds"] = seconds
    return numbers, constant


def _scores(classifier, X, told, pos_label):
    """Probabilities of the favourable label, or of all; None where there are none."""
    if not hasattr(classifier, "predict_proba"):
        return None
    scores = classifier.predict_proba(X, **told)
    if pos_label is None:
        return scores
    return scores[:, np.asarray(classifier.classes_).tolist().index(pos_label)]
