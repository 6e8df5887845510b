"""From outcomes to the tables of a comparison."""

import warnings

import numpy as np
import pandas as pd

from skfair_runner.compare._evaluation import is_randomised
from skfair_runner.compare._intervals import bounds, half_widths
from skfair_runner.compare._measures import FOUR_FIFTHS
from skfair_runner.model_selection._routing import needs_groups_at_predict


def warn_once(tasks, measured):
    """Tell each warning of a classifier once, with the folds that it came from.

    Parameters
    ----------
    tasks : list of Task
        What was done.

    measured : list of Measured
        What came of it.
    """
    folds = {}
    for task, each in zip(tasks, measured, strict=True):
        for category, message in each.warnings:
            where = folds.setdefault((task.method, category, message), set())
            where.add((task.repetition, task.fold))
    for (name, category, message), where in folds.items():
        count = f"{len(where)} fold{'s' * (len(where) > 1)}"
        warnings.warn(f"{name} ({count}): {message}", category, stacklevel=3)


def make_per_fold(tasks, measured, measures):
    """One row per method, repetition and fold.

    Parameters
    ----------
    tasks : list of Task
        What was done.

    measured : list of Measured
        What came of it.

    measures : dict of str to Measure
        Columns.

    Returns
    -------
    per_fold : DataFrame
        ``method``, ``seed``, ``fold``, the measures, ``four_fifths``, ``constant`` and
        ``error``.
    """
    rows = [
        {
            "method": task.method,
            "seed": task.repetition,
            "fold": task.fold,
            **{name: each.numbers.get(name, np.nan) for name in measures},
            "constant": each.constant,
            "error": each.error,
        }
        for task, each in zip(tasks, measured, strict=True)
    ]
    per_fold = pd.DataFrame(rows)
    per_fold.insert(
        per_fold.columns.get_loc("constant"),
        "four_fifths",
        _meets_four_fifths(per_fold["disparate_impact"]),
    )
    return per_fold


def make_table(per_fold, classifiers, measures, widths):
    """One row per method.

    Parameters
    ----------
    per_fold : DataFrame
        From :func:`make_per_fold`.

    classifiers : dict of str to classifier
        The methods, in the order of the rows.

    measures : dict of str to Measure
        Columns.

    widths : dict of str to dict of str to float
        Half-widths of intervals, by method and measure; empty for none.

    Returns
    -------
    table : DataFrame
        As in :class:`~skfair_runner.compare.Comparison`.
    """
    by_method = per_fold.groupby("method", sort=False)
    measured = by_method[list(measures)]
    mean, std = measured.mean(), measured.std(ddof=1)
    table = pd.DataFrame(index=pd.Index(list(classifiers), name="method"))
    with_interval = {name for each in widths.values() for name in each}
    for name in measures:
        table[f"{name}_mean"] = mean[name]
        table[f"{name}_std"] = std[name]
        if name in with_interval:
            ends = [
                bounds(name, mean.loc[method, name], widths[method].get(name, np.nan))
                for method in classifiers
            ]
            table[f"{name}_low"], table[f"{name}_high"] = zip(*ends, strict=True)
    table["four_fifths"] = _meets_four_fifths(table["disparate_impact_mean"])
    table["needs_groups_at_predict"] = [
        needs_groups_at_predict(each) for each in classifiers.values()
    ]
    table["randomised"] = [is_randomised(each) for each in classifiers.values()]
    table["constant_folds"] = by_method["constant"].sum()
    table["folds"] = by_method["error"].agg(lambda errors: int((errors == "").sum()))
    table["error"] = by_method["error"].agg(
        lambda errors: " | ".join(dict.fromkeys(filter(None, errors)))
    )
    return table


def _meets_four_fifths(impact):
    """Whether ratios reach four fifths; missing where there is no ratio."""
    met = (impact >= FOUR_FIFTHS).astype("boolean")
    return met.mask(impact.isna())


def make_widths(tasks, outcomes, measured, data, *, n_bootstrap, level, seed):
    """Half-widths of the intervals of every method.

    Parameters
    ----------
    tasks : list of Task
        What was done.

    outcomes : list of Outcome
        Decisions.

    measured : list of Measured
        Those with an error do not count.

    data : Data
        All rows.

    n_bootstrap : int
        Number of resamples; 0 for no intervals.

    level : float
        Confidence level.

    seed : int or None
        Seed of the resampling, the same for every method.

    Returns
    -------
    widths : dict of str to dict of str to float
        By method and measure.
    """
    folds = {task.method: [] for task in tasks}
    for task, outcome, each in zip(tasks, outcomes, measured, strict=True):
        if not each.error:
            folds[task.method].append((task.test, outcome))
    return {
        method: half_widths(
            found, data, n_bootstrap=n_bootstrap, level=level, seed=seed
        )
        for method, found in folds.items()
    }


def make_predictions(tasks, outcomes, measured, data):
    """Decisions about held-out rows, as one table per method.

    Parameters
    ----------
    tasks : list of Task
        What was done.

    outcomes : list of Outcome
        Decisions.

    measured : list of Measured
        Those with an error are left out.

    data : Data
        All rows.

    Returns
    -------
    predictions : dict of str to DataFrame
        As in :class:`~skfair_runner.compare.Comparison`.
    """
    parts = {task.method: [] for task in tasks}
    labels = np.array(data.groups.labels, dtype=object)
    for task, outcome, each in zip(tasks, outcomes, measured, strict=True):
        if each.error:
            continue
        part = {
            "seed": task.repetition,
            "fold": task.fold,
            "row": task.test,
            "y_true": data.classes[data.codes[task.test]],
            "y_pred": data.classes[outcome.y_pred],
            **_score_columns(outcome, data),
            "group": labels[data.groups.codes[task.test]],
        }
        parts[task.method].append(pd.DataFrame(part))
    return {
        method: pd.concat(found, ignore_index=True)
        for method, found in parts.items()
        if found
    }


def _score_columns(outcome, data):
    """Scores under their names; NaN where there are none."""
    scores = outcome.scores
    if scores is None:
        scores = np.full((len(outcome.y_pred), len(data.classes)), np.nan)
    if data.favourable is not None:
        return {"score": scores[:, data.favourable]}
    return {
        f"score_{label}": scores[:, code]
        for code, label in enumerate(data.classes.tolist())
    }


def first_tables(tasks, outcomes, name):
    """Table of each method from its first fold that has one.

    Parameters
    ----------
    tasks : list of Task
        What was done.

    outcomes : list of Outcome
        With their `tables`.

    name : {"neurons", "history"}
        Which table.

    Returns
    -------
    tables : dict of str to DataFrame
        Without methods that have none.
    """
    found = {}
    for task, outcome in zip(tasks, outcomes, strict=True):
        if name in outcome.tables:
            found.setdefault(task.method, outcome.tables[name])
    return found
