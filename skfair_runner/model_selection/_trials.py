"""One candidate on one fold, with so many resources: fitted, timed and measured."""

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.metrics import get_scorer

from skfair_runner._runs.told import recording
from skfair_runner.metrics import is_constant, resolve_metric
from skfair_runner.utils._columns import take_rows


@dataclass
class Trial:
    """What one fit came to.

    Attributes
    ----------
    utility, difference : float
        On the test rows of the fold; NaN where it failed.

    constant : bool
        Whether nearly all of these got the same decision.

    fit_time, score_time : float
        Seconds.

    error : str
        What went wrong; empty where nothing did.

    warnings : list of (type, str)
        What it warned of.
    """

    utility: float = float("nan")
    difference: float = float("nan")
    constant: bool = False
    fit_time: float = float("nan")
    score_time: float = float("nan")
    error: str = ""
    warnings: list = field(default_factory=list)


@dataclass(frozen=True)
class Measures:
    """What a candidate is measured by.

    Attributes
    ----------
    utility : str or callable
        A scorer of scikit-learn, or its name.

    difference : str, Metric or callable
        What :func:`~skfair_runner.metrics.resolve_metric` knows.

    pos_label : label or None
        The favourable label, handed to the difference unless None.
    """

    utility: object
    difference: object
    pos_label: object

    @property
    def names(self):
        """Names of utility and difference, for columns."""
        named = isinstance(self.utility, str)
        utility = self.utility if named else "utility"
        return utility, resolve_metric(self.difference).name

    def of(self, fitted, X, y, sensitive_features):
        """Utility, difference and whether decisions are constant.

        Parameters
        ----------
        fitted : classifier
            What decides.

        X, y, sensitive_features
            Some rows.

        Returns
        -------
        utility, difference : float
            The difference as it is, less is better.

        constant : bool
            Of the decisions.
        """
        utility = self.scorer(fitted, X, y)
        metric = resolve_metric(self.difference)
        y_pred = fitted.predict(X)
        response = y_pred
        if metric.response_method != "predict":
            response = getattr(fitted, metric.response_method)(X)
        told = {} if self.pos_label is None else {"pos_label": self.pos_label}
        difference = metric.function(
            y, response, sensitive_features=sensitive_features, **told
        )
        return float(utility), float(difference), is_constant(y_pred)

    @property
    def scorer(self):
        """The utility as a function of estimator, X and y."""
        return get_scorer(self.utility) if self.named else self.utility

    @property
    def named(self):
        """Whether the utility is known by name."""
        return isinstance(self.utility, str)


def check_measures(measures, caller):
    """Refuse a utility or a difference that is none.

    Parameters
    ----------
    measures : Measures
        What the user asked for.

    caller : str
        Who asks; begins the error messages.

    Raises
    ------
    ValueError
        If a name is unknown, or more of the difference is better.
    """
    if measures.named:
        try:
            get_scorer(measures.utility)
        except ValueError as error:
            raise ValueError(
                f"{caller}: utility={measures.utility!r} is no scorer of scikit-learn; "
                "sklearn.metrics.get_scorer_names() lists them."
            ) from error
    metric = resolve_metric(measures.difference)
    if metric.greater_is_better:
        raise ValueError(
            f"{caller}: of {metric.name!r} more is better; pass a difference, of which "
            "less is better, such as 'demographic_parity_difference'."
        )


def run_trial(estimator, data, train, test, keywords, measures, error_score):
    """Fit a candidate on some rows, and measure it on others.

    Parameters
    ----------
    estimator : estimator
        Not fitted, and not changed.

    data : Data
        All rows.

    train, test : ndarray of int
        Row numbers.

    keywords : dict
        For `fit`; what has one value per row is sliced.

    measures : Measures
        What it is measured by.

    error_score : {"raise"} or nan
        Whether an exception is raised, or becomes the trial's error.

    Returns
    -------
    trial : Trial
        An interrupt (Ctrl-C) is never caught.
    """
    trial = Trial()
    with recording(trial.warnings):
        try:
            _fill(trial, clone(estimator), data, train, test, keywords, measures)
        except Exception as error:
            if error_score == "raise":
                raise
            trial.error = f"{type(error).__name__}: {error}"
    return trial


def fit_on(estimator, data, rows, keywords):
    """Fit an estimator on some rows.

    Parameters
    ----------
    estimator : estimator
        Is fitted.

    data : Data
        All rows.

    rows : ndarray of int
        Row numbers.

    keywords : dict
        For `fit`, as in :func:`run_trial`.

    Returns
    -------
    estimator : estimator
        The same.
    """
    X, y, _ = data.take(rows)
    told = keywords_of(keywords, rows, len(data.codes))
    return estimator.fit(X, y, **told)


def _fill(trial, estimator, data, train, test, keywords, measures):
    start = perf_counter()
    fit_on(estimator, data, train, keywords)
    trial.fit_time = perf_counter() - start
    start = perf_counter()
    measured = measures.of(estimator, *data.take(test))
    trial.score_time = perf_counter() - start
    trial.utility, trial.difference, trial.constant = measured


def keywords_of(keywords, rows, n_rows):
    """Keywords of `fit` for some rows.

    Parameters
    ----------
    keywords : dict
        What has one value per row is sliced.

    rows : ndarray of int
        Row numbers.

    n_rows : int
        Number of all rows.

    Returns
    -------
    keywords : dict
        In the containers that they came in.
    """
    return {
        name: take_rows(value, rows) if _is_per_row(value, n_rows) else value
        for name, value in keywords.items()
    }


def _is_per_row(value, n_rows):
    """Tell whether this has one value per row, as scikit-learn's searches do."""
    if isinstance(value, str | bytes | dict):
        return False
    shape = getattr(value, "shape", None)
    if shape is not None:
        return len(shape) > 0 and shape[0] == n_rows
    return hasattr(value, "__len__") and len(value) == n_rows


def spread_rows(strata, rng):
    """Order of rows of which every beginning holds every stratum in its share.

    Parameters
    ----------
    strata : ndarray of shape (n_rows,)
        Stratum of each row.

    rng : Generator
        Order within a stratum.

    Returns
    -------
    order : ndarray of shape (n_rows,)
        Positions.

    Examples
    --------
    >>> import numpy as np
    >>> strata = np.array([0, 0, 0, 0, 1, 1])
    >>> order = spread_rows(strata, np.random.default_rng(0))
    >>> strata[order].tolist()
    [0, 1, 0, 0, 1, 0]
    """
    places = np.empty(len(strata))
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        places[rng.permutation(rows)] = (np.arange(len(rows)) + 0.5) / len(rows)
    return np.argsort(places, kind="stable")
