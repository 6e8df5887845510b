"""Sweeps: every setting of a grid, judged on validation rows, reported on test rows."""

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid

from skfair_runner._randomness import draw_seed
from skfair_runner._runs.data import read_data
from skfair_runner._runs.fingerprint import data_fingerprint, describe, versions
from skfair_runner._runs.folds import (
    check_sizes,
    draw_seeds,
    make_folds,
    read_splitter,
    split_off,
)
from skfair_runner.compare._collecting import warn_once
from skfair_runner.compare._compare import check_count, check_results
from skfair_runner.compare._evaluation import measure
from skfair_runner.compare._measures import MEASURES
from skfair_runner.compare._metrics import measure_of, read_metrics
from skfair_runner.compare._running import Task, run_tasks
from skfair_runner.compare._sweep_result import TradeoffSweep

_CALLER = "sweep_tradeoff"


def sweep_tradeoff(
    estimators,
    param_grid,
    X,
    y,
    *,
    sensitive_features,
    cv=None,
    test_size=0.25,
    validation_size=0.25,
    metrics=None,
    pos_label=None,
    n_seeds=1,
    n_jobs=None,
    random_state=None,
    results=None,
    verbose=0,
):
    """Fit every setting of a grid, for the trade-off that each method offers.

    Rows are parted in three. Settings are trained on the first part and chosen on the
    second, the validation rows; the third part, the test rows, only tells how good the
    choice was. A front that is chosen and reported on the same rows flatters.

    Parameters
    ----------
    estimators : classifier or dict
        One classifier; a dict of names and classifiers that share the grid; or a dict
        of names to pairs of a classifier and its own grid.

    param_grid : dict, list of dict or None
        Values to try, by parameter, as for GridSearchCV. None where every classifier
        has a grid of its own.

    X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features), or \
            images
        Features, handed on as they are, as in :func:`compare_classifiers`.

    y : array-like of shape (n_samples,)
        Labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        The group of each sample; several columns are crossed.

    cv : int, splitter, iterable of (train, test) or None, default=None
        Where test rows come from: None sets one part aside for each seed; otherwise
        every fold is the test part once.

    test_size : float, default=0.25
        Share of the test rows, in (0, 1), for ``cv=None``.

    validation_size : float, default=0.25
        Share of the validation rows among all that are no test rows, in (0, 1).

    metrics : dict of str to callable, or list of str; default=None
        Further measures, as in :func:`compare_classifiers`.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {−1, 1}, and compares
        every class with the rest where there are more than two.

    n_seeds : int, default=1
        How often everything is repeated, with other parts and other seeds of the
        classifiers whose `random_state` is None.

    n_jobs : int or None, default=None
        Fits that run at the same time, as in joblib.

    random_state : int, RandomState or None, default=None
        Seed of the parts, and of every classifier whose `random_state` is None.

    results : path-like or None, default=None
        File in which every fit is stored as it is made, as in
        :func:`compare_classifiers`.

    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    sweep : TradeoffSweep
        With ``table``, ``per_split``, ``front()``, ``hypervolume()``, ``pick()`` and
        ``plot()``.

    Raises
    ------
    TypeError
        If `estimators` is neither of these; if a metric cannot be called; if `n_seeds`
        is no integer.

    ValueError
        If there is no grid, or one for which a classifier has no parameter; if a share
        or `n_seeds` is out of range; as :func:`compare_classifiers` for all else.

    Warns
    -----
    SkfairRunnerWarning
        What the classifiers warn of, once for each setting.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skfair_runner.compare import sweep_tradeoff
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=900, random_state=0)
    >>> sweep = sweep_tradeoff(
    ...     DecisionTreeClassifier(),
    ...     {"max_depth": [1, 2, 4]},
    ...     people.data.select_dtypes("number"),
    ...     people.target,
    ...     sensitive_features=people.sensitive_features,
    ...     random_state=0,
    ... )
    >>> sweep.table["param_max_depth"].tolist()
    [1, 2, 4]
    >>> sweep.pick(bound=0.3)[["param_max_depth", "within_bound"]].values.tolist()
    [[4, True]]
    """
    settings = _read_settings(estimators, param_grid)
    _check_sizes_of_parts(test_size, validation_size)
    check_count("n_seeds", n_seeds, 1, _CALLER)
    check_results(results, random_state, _CALLER)
    metrics = read_metrics(metrics, _CALLER)
    data = read_data(X, y, sensitive_features, pos_label, _CALLER)
    cv = None if cv is None else read_splitter(cv)
    check_sizes(data, cv, _CALLER)

    seed = None if random_state is None else draw_seed(random_state)
    seeds = draw_seeds(seed, n_seeds)
    parts = {
        (repetition, fold): rows
        for repetition, each in enumerate(seeds)
        for fold, rows in enumerate(
            _make_parts(data, cv, test_size, validation_size, each)
        )
    }
    tasks = [
        Task(name, split[0], seeds[split[0]], split[1], train, np.append(*others))
        for split, (train, *others) in parts.items()
        for name in settings
    ]
    classifiers = {name: each["classifier"] for name, each in settings.items()}
    outcomes = run_tasks(
        tasks,
        classifiers,
        data,
        n_jobs=n_jobs,
        results=results,
        verbose=verbose,
        caller=_CALLER,
    )
    measures = MEASURES | {key: measure_of(key, each) for key, each in metrics.items()}
    measured = [
        _measure_parts(outcome, data, parts[task.repetition, task.fold][1:], metrics)
        for task, outcome in zip(tasks, outcomes, strict=True)
    ]
    warn_once([task for task in tasks for _ in range(2)], sum(measured, []))
    rows = [
        _row(task, settings[task.method], both, measures)
        for task, both in zip(tasks, measured, strict=True)
    ]
    return TradeoffSweep(
        _make_per_split(rows, settings),
        groups=tuple(data.groups.labels),
        pos_label=data.pos_label,
        measures=measures,
        settings={
            "settings": {name: describe(each) for name, each in classifiers.items()},
            "cv": repr(cv),
            "test_size": test_size,
            "validation_size": validation_size,
            "seeds": seeds,
            "pos_label": data.pos_label,
            "data": data_fingerprint(data),
            "versions": versions(),
        },
    )


def _read_settings(estimators, param_grid):
    """Every setting by its name: method, number, parameters and classifier."""
    if not isinstance(estimators, Mapping):
        estimators = {type(estimators).__name__: estimators}
    if not estimators:
        raise ValueError(f"{_CALLER}: `estimators` is empty: pass at least one.")
    settings = {}
    for method, given in estimators.items():
        classifier, grid = _read_pair(method, given, param_grid)
        for number, parameters in enumerate(ParameterGrid(grid)):
            words = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
            settings[f"{method} ({words})" if words else method] = {
                "method": method,
                "setting": number,
                "parameters": parameters,
                "classifier": _with_parameters(method, classifier, parameters),
            }
    return settings


def _read_pair(method, given, param_grid):
    """Classifier and grid of one method."""
    if isinstance(given, tuple):
        if len(given) != 2 or param_grid is not None:
            raise ValueError(
                f"{_CALLER}: {method!r} must come with one grid, either as (classifier,"
                f" grid) and param_grid=None, or alone; got {len(given)} values and "
                f"param_grid={param_grid!r}."
            )
        given, param_grid = given
    if isinstance(given, type) or not all(
        hasattr(given, name) for name in ("fit", "predict", "get_params")
    ):
        raise TypeError(
            f"{_CALLER}: {method!r} must be a classifier, or a pair of a classifier "
            f"and its grid, got {given!r}."
        )
    if not param_grid:
        raise ValueError(
            f"{_CALLER}: {method!r} has no grid, got {param_grid!r}: pass the values "
            "to try, as in {'alpha': [0, 0.1, 1]}."
        )
    return given, param_grid


def _with_parameters(method, classifier, parameters):
    """Copy of a classifier with some parameters."""
    try:
        return clone(classifier).set_params(**clone(parameters, safe=False))
    except ValueError as error:
        raise ValueError(
            f"{_CALLER}: {method!r} does not take its grid: {error}"
        ) from error


def _check_sizes_of_parts(test_size, validation_size):
    """Refuse shares that leave a part empty."""
    for name, value in (("test_size", test_size), ("validation_size", validation_size)):
        if not (isinstance(value, Real) and 0 < value < 1):
            raise ValueError(
                f"{_CALLER}: `{name}` must be a share between 0 and 1, as 0.25, got "
                f"{value!r}."
            )


def _make_parts(data, cv, test_size, validation_size, seed):
    """Training, validation and test rows of every split."""
    if cv is None:
        everybody = np.arange(len(data.codes))
        folds = [split_off(data, everybody, test_size, seed)]
    else:
        folds = make_folds(data, cv, seed)
    return [
        (*split_off(data, rest, validation_size, seed), test) for rest, test in folds
    ]


def _measure_parts(outcome, data, parts, metrics):
    """Numbers on the validation and on the test rows."""
    if outcome.error:
        rows = np.append(*parts)
        return [measure(outcome, data, rows, metrics) for _ in parts]
    size = len(parts[0])
    halves = [
        replace(
            outcome,
            y_pred=outcome.y_pred[part],
            scores=None if outcome.scores is None else outcome.scores[part],
        )
        for part in (slice(size), slice(size, None))
    ]
    return [
        measure(half, data, rows, metrics)
        for half, rows in zip(halves, parts, strict=True)
    ]


def _make_per_split(rows, settings):
    """Table of all rows, with a column for every parameter of any grid."""
    per_split = pd.DataFrame(rows)
    names = dict.fromkeys(
        key for each in settings.values() for key in each["parameters"]
    )
    parameters = {
        (each["method"], each["setting"]): each["parameters"]
        for each in settings.values()
    }
    for place, name in enumerate(names, start=2):
        # As objects, so that a whole number stays one beside methods without it.
        values = [
            parameters[row["method"], row["setting"]].get(name, np.nan) for row in rows
        ]
        column = pd.Series(values, dtype=object)
        per_split.insert(place, f"param_{name}", column)
    return per_split


def _row(task, setting, both, measures):
    """One setting on one split."""
    row = {
        "method": setting["method"],
        "setting": setting["setting"],
        "seed": task.repetition,
        "fold": task.fold,
    }
    for part, measured in zip(("validation", "test"), both, strict=True):
        for name in measures:
            row[f"{part}_{name}"] = measured.numbers.get(name, np.nan)
        row[f"{part}_constant"] = measured.constant
    row["error"] = both[0].error or both[1].error
    return row
