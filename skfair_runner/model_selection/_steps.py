"""The steps of a search: checks, plan, rungs, pick."""

import operator
import warnings
from contextlib import nullcontext
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone

from skfair_runner._runs.fingerprint import data_fingerprint, digest
from skfair_runner._runs.told import recording
from skfair_runner.model_selection._candidates import (
    RandomProposals,
    check_space,
    largest_resource,
)
from skfair_runner.model_selection._halving import (
    Runner,
    climb,
    open_progress,
    tell_once,
)
from skfair_runner.model_selection._optuna import OptunaProposals
from skfair_runner.model_selection._refit import best_within_bound, knee_of_front
from skfair_runner.model_selection._schedule import plan_rungs
from skfair_runner.model_selection._search_results import choosable
from skfair_runner.model_selection._trial_store import open_trials
from skfair_runner.model_selection._trials import check_measures, fit_on

# Rows of each label and group below which a rung of rows would tell nothing.
_FEW = 10


def check(search, caller):
    """Refuse parameters that do not go together.

    Parameters
    ----------
    search : TradeoffSearchCV
        With parameters that are valid one by one.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    measures : Measures
        What candidates are measured by.

    Raises
    ------
    TypeError
        If values of a parameter cannot be drawn from.

    ValueError
        If a utility, difference, parameter or resource is unknown; if `results` is
        given without a seed.
    """
    measures = search._measures()
    check_measures(measures, caller)
    check_space(search.param_distributions, search.estimator, search.resource, caller)
    if search.results is not None and not isinstance(search.random_state, Integral):
        raise ValueError(
            f"{caller}: a search goes on from results={str(search.results)!r} only "
            f"with the same rows and candidates, but random_state is "
            f"{search.random_state!r}: pass an integer."
        )
    return measures


def run_rungs(search, task, seed, caller):
    """Run what is planned, and tell what went wrong.

    Parameters
    ----------
    search : TradeoffSearchCV
        With its candidates, resources and file.

    task : Task
        What trials have in common.

    seed : int
        Of the candidates.

    caller : str
        Who asks; begins errors and warnings.

    Returns
    -------
    rounds : list of Round
        One per rung.

    Raises
    ------
    ValueError
        If there are not so many resources, or all trials of a rung failed.

    Warns
    -----
    FitFailedWarning
        If fits failed.
    """
    proposals = _make_proposals(search, seed)
    rungs = _plan(search, task, proposals, caller)
    opened = nullcontext()
    if search.results is not None:
        opened = open_trials(search.results, _fingerprint(task), caller)
    n_folds = len(task.folds)
    with opened as file, open_progress(rungs, n_folds, search.verbose) as progress:
        runner = Runner(task, file, search.n_jobs, progress, caller)
        rounds = climb(rungs, proposals, runner, search.resource)
    tell_once(rounds, caller)
    return rounds


def _make_proposals(search, seed):
    """Where candidates come from."""
    if isinstance(search.sampler, str) and search.sampler == "random":
        return RandomProposals(search.param_distributions, seed)
    sampler = None if isinstance(search.sampler, str) else search.sampler
    return OptunaProposals(search.param_distributions, seed, sampler)


def _plan(search, task, proposals, caller):
    """Rungs, as far as there are candidates and resources."""
    n_rows = min(len(train) for train, _ in task.folds)
    most = largest_resource(
        search.max_resources, search.estimator, search.resource, n_rows, caller
    )
    n_cells = len(task.data.classes) * task.data.groups.n_groups
    least = min(_FEW * n_cells, most) if search.resource == "n_samples" else 1
    start = None if search.min_resources == "auto" else int(search.min_resources)
    if start is not None and start > most:
        raise ValueError(
            f"{caller}: min_resources={start} is above the most that there are, {most}."
        )
    n_candidates = proposals.count(search.n_candidates)
    return plan_rungs(n_candidates, search.factor, start, most, least)


def _fingerprint(task):
    """Digests of what all trials in a file have in common, and the shape of X."""
    measures = task.measures
    names = " and ".join(measures.names)
    shown = [measures.utility, measures.difference, measures.pos_label]
    return {
        **data_fingerprint(task.data),
        "fit parameters": digest(
            {
                name: value
                for name, value in sorted(task.keywords.items())
                if not name.endswith("sensitive_features")
            }
        ),
        "utility and difference": f"{names} {digest(shown)}",
        "folds": digest(task.folds),
    }


def pick(search, results, names):
    """Row of the results that the rule picks.

    Parameters
    ----------
    search : TradeoffSearchCV
        With its `refit`.

    results : dict
        `cv_results_`.

    names : tuple of (str, str)
        Names of utility and difference.

    Returns
    -------
    row : int
        Of a candidate with all resources.

    Raises
    ------
    TypeError
        If a function returns what is no position.

    ValueError
        If a function returns the position of no candidate.
    """
    rows = choosable(results, names)
    part = {
        name: [values[row] for row in rows]
        if isinstance(values, list)
        else values[rows]
        for name, values in results.items()
    }
    picked = _rule(search.refit, names)(part)
    caller = type(search).__name__
    try:
        position = operator.index(picked)
    except TypeError:
        raise TypeError(
            f"{caller}: refit returned {picked!r}, where it should return the position "
            "of a candidate, a whole number."
        ) from None
    if not 0 <= position < len(rows):
        raise ValueError(
            f"{caller}: refit returned {position}, but it was given {len(rows)} "
            "candidates, counted from 0."
        )
    return int(rows[position])


def _rule(refit, names):
    """The function that a `refit` stands for."""
    utility, difference = (f"mean_test_{name}" for name in names)
    if isinstance(refit, str):
        return knee_of_front(utility=utility, difference=difference)
    if isinstance(refit, Real):
        return best_within_bound(refit, utility=utility, difference=difference)
    return refit


def fit_pick(search, task):
    """Fit what was picked on all rows that were searched with.

    Parameters
    ----------
    search : TradeoffSearchCV
        With its `best_params_`.

    task : Task
        What trials had in common.

    Returns
    -------
    estimator : estimator
        Fitted. What it warns of names the line that called `fit` of the search.
    """
    estimator = clone(search.estimator)
    estimator.set_params(**clone(search.best_params_, safe=False))
    told = []
    with recording(told):
        fit_on(estimator, task.data, np.arange(len(task.data.codes)), task.keywords)
    for category, text in dict.fromkeys(told):
        # The caller of fit, beyond scikit-learn's wrapper.
        warnings.warn(text, category, stacklevel=5)
    return estimator
