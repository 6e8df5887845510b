"""Confidence intervals of the measures of a comparison."""

import numpy as np

from skfair_runner._runs.folds import disjoint_blocks
from skfair_runner.metrics.bootstrap import (
    errors_of_decisions,
    errors_of_distributions,
    half_width,
)

# The largest value of what is no difference of two rates.
_LARGEST = {"equalized_odds_sum": 2.0}


def half_widths(folds, data, *, n_bootstrap, level, seed):
    """Half-widths of the intervals around the means over folds of one method.

    Parameters
    ----------
    folds : list of (ndarray of int, Outcome)
        Test rows, and the decisions about them.

    data : Data
        All rows.

    n_bootstrap : int
        Number of resamples.

    level : float
        Confidence level, in (0, 1).

    seed : int
        Seed of the resampling.

    Returns
    -------
    widths : dict of str to float
        By the name of the measure; without those that need scores, where a fold has
        none.
    """
    if not folds or not n_bootstrap:
        return {}
    rng = np.random.default_rng(seed)
    errors = {}
    for rows, outcome in folds:
        for name, wrong in _errors(rows, outcome, data, n_bootstrap, rng).items():
            errors.setdefault(name, []).append(wrong)
    blocks = disjoint_blocks([rows for rows, _ in folds])
    return {
        name: half_width(np.stack(wrong), blocks, level)
        for name, wrong in errors.items()
        if len(wrong) == len(folds)
    }


def bounds(name, mean, width):
    """Interval around a mean, within the values that the measure can take.

    Parameters
    ----------
    name : str
        Measure.

    mean, width : float
        Mean over the folds, and half-width; NaN where there is none.

    Returns
    -------
    low, high : float
        Ends of the interval.

    Examples
    --------
    >>> bounds("accuracy", 0.75, 0.5)
    (0.25, 1.0)
    """
    return (
        float(np.maximum(mean - width, 0.0)),
        float(np.minimum(mean + width, _LARGEST.get(name, 1.0))),
    )


def _errors(rows, outcome, data, n_bootstrap, rng):
    """Errors of all measures on one fold, in every resample."""
    n_classes = len(data.classes)
    labels = data.codes[rows]
    # Groups that have no row here are not compared here.
    present, groups = np.unique(data.groups.codes[rows], return_inverse=True)
    cells = (groups * n_classes + labels) * n_classes + outcome.y_pred
    shape = (len(present), n_classes, n_classes)
    counts = np.bincount(cells, minlength=np.prod(shape)).reshape(shape)
    compared = range(n_classes) if data.favourable is None else [data.favourable]
    compared = list(compared)
    errors = errors_of_decisions(counts, compared, n_bootstrap, rng)
    if outcome.scores is not None:
        errors["abcc"] = errors_of_distributions(
            outcome.scores[:, compared], labels, groups, n_bootstrap, rng
        )
    return errors
