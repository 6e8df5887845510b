"""Successive halving by two measures: rungs of trials, and who goes on."""

import warnings
from collections import Counter
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.utils.parallel import Parallel, delayed
from tqdm import tqdm

from skfair_runner._runs.fingerprint import digest, versions
from skfair_runner.model_selection._promotion import promote
from skfair_runner.model_selection._trials import run_trial, spread_rows


@dataclass
class Round:
    """What one rung came to.

    Attributes
    ----------
    n_resources : int
        What each candidate could use.

    candidates : list of dict
        Their parameters, the resource among them.

    trials : list of list of Trial
        One per candidate and fold.
    """

    n_resources: int
    candidates: list
    trials: list

    def values(self, name):
        """Values of a trial's attribute, of shape (n_candidates, n_folds)."""
        found = [[getattr(trial, name) for trial in folds] for folds in self.trials]
        return np.array(found, dtype=np.float64)


@dataclass(frozen=True)
class Task:
    """All that trials of a search have in common.

    Attributes
    ----------
    estimator : estimator
        What is searched.

    resource : str
        ``"n_samples"``, or a parameter of the estimator.

    data : Data
        Rows that are searched with.

    folds : list of (train, test)
        Row numbers; training rows in an order of which every beginning holds every
        label and group in its share.

    keywords : dict
        For `fit`.

    measures : Measures
        What is measured.

    error_score : {"raise"} or nan
        What becomes of exceptions.
    """

    estimator: object
    resource: str
    data: object
    folds: list
    keywords: dict
    measures: object
    error_score: object

    def prepare(self, params, n_resources, fold):
        """Estimator, training and test rows of one trial."""
        estimator = clone(self.estimator).set_params(**clone(params, safe=False))
        train, test = self.folds[fold]
        if self.resource == "n_samples":
            train = train[:n_resources]
        return estimator, np.sort(train), test


class Runner:
    """Runs trials side by side, and keeps them in a file as they are made.

    Parameters
    ----------
    task : Task
        What they have in common.

    file : StoredTrials or None
        Where they are kept.

    n_jobs : int or None
        Trials at the same time.

    progress : tqdm
        Counts trials.

    caller : str
        Who asks; begins the error messages.
    """

    def __init__(self, task, file, n_jobs, progress, caller):
        self.task = task
        self.file = file
        self.n_jobs = n_jobs
        self.progress = progress
        self.caller = caller
        self._versions = versions() if file is not None else None

    def run(self, candidates, n_resources):
        """Trials of some candidates on all folds.

        Parameters
        ----------
        candidates : list of dict
            Parameters.

        n_resources : int
            What each may use.

        Returns
        -------
        trials : list of list of Trial
            By candidate and fold.
        """
        places = [
            (number, fold)
            for number in range(len(candidates))
            for fold in range(len(self.task.folds))
        ]
        prepared = [
            self.task.prepare(candidates[number], n_resources, fold)
            for number, fold in places
        ]
        keys = [self._key(each) for each in prepared]
        done = {}
        for place, key in enumerate(keys):
            found = None if key is None else self.file.get(key)
            if found is not None:
                done[place] = found
        self.progress.update(len(done))
        task = self.task
        made = Parallel(n_jobs=self.n_jobs, return_as="generator_unordered")(
            delayed(_numbered)(
                place,
                *(prepared[place][0], task.data, *prepared[place][1:]),
                *(task.keywords, task.measures, task.error_score),
            )
            for place in range(len(places))
            if place not in done
        )
        for place, trial in made:
            done[place] = trial
            # What failed is tried again the next time.
            if keys[place] is not None and not trial.error:
                self.file.put(keys[place], trial)
            self.progress.update()
        n_folds = len(task.folds)
        return [
            [done[number * n_folds + fold] for fold in range(n_folds)]
            for number in range(len(candidates))
        ]

    def _key(self, prepared):
        """Digest of all that a trial depends on, the data aside."""
        if self.file is None:
            return None
        try:
            return digest([self._versions, *prepared])
        except TypeError as error:
            raise TypeError(
                f"{self.caller}: `results` has to tell whether the settings of the "
                f"estimator changed, but {error}. Leave `results` out, or pass the "
                "parameter in a form that can be pickled."
            ) from error


def _numbered(place, *trial):
    """Trial with its number, since trials end in any order."""
    return place, run_trial(*trial)


def order_folds(folds, data, seed):
    """Training rows in an order of which every beginning is like the whole.

    Parameters
    ----------
    folds : list of (train, test)
        Row numbers.

    data : Data
        All rows.

    seed : int
        Of the order.

    Returns
    -------
    folds : list of (train, test)
        The same rows.
    """
    rng = np.random.default_rng(seed)
    cells = data.codes * data.groups.n_groups + data.groups.codes
    return [(train[spread_rows(cells[train], rng)], test) for train, test in folds]


def climb(rungs, proposals, runner, resource):
    """Run all rungs.

    Parameters
    ----------
    rungs : list of Rung
        How many candidates get how much.

    proposals : RandomProposals or OptunaProposals
        Where the first candidates come from.

    runner : Runner
        Runs trials.

    resource : str
        Name of what is divided.

    Returns
    -------
    rounds : list of Round
        One per rung.

    Raises
    ------
    ValueError
        If every trial of a rung failed.
    """
    rounds = [_first_round(rungs[0], proposals, runner, resource)]
    for rung in rungs[1:]:
        last = rounds[-1]
        kept = promote(*judge(last), rung.n_candidates)
        candidates = [
            _given(last.candidates[number], resource, rung.n_resources)
            for number in kept
        ]
        trials = runner.run(candidates, rung.n_resources)
        rounds.append(Round(rung.n_resources, candidates, trials))
        _check_alive(rounds[-1], runner.caller)
    return rounds


def judge(done):
    """Mean utility and difference of candidates, and which are constant on a fold.

    Parameters
    ----------
    done : Round
        One rung.

    Returns
    -------
    utility, difference : ndarray of shape (n_candidates,)
        NaN where a fold failed.

    constant : ndarray of shape (n_candidates,), dtype bool
        Whether any fold's decisions are.
    """
    return (
        done.values("utility").mean(axis=1),
        done.values("difference").mean(axis=1),
        done.values("constant").any(axis=1),
    )


def _first_round(rung, proposals, runner, resource):
    """Candidates as they are proposed, which may take the earlier ones into account."""
    done = Round(rung.n_resources, [], [])
    left = rung.n_candidates
    while left > 0:
        n_asked = min(left, proposals.batch or left)
        asked = proposals.ask(n_asked)
        candidates = [_given(params, resource, rung.n_resources) for params in asked]
        trials = runner.run(candidates, rung.n_resources)
        # Those of an optuna study may all be known already.
        values = [], []
        if candidates:
            batch = Round(rung.n_resources, candidates, trials)
            utility, difference, constant = judge(batch)
            # A constant classifier shall not look like the way to no difference.
            values = utility, np.where(constant, 1.0, difference)
        proposals.tell(*values)
        done.candidates += candidates
        done.trials += trials
        left -= n_asked
    _check_alive(done, runner.caller)
    return done


def _given(params, resource, n_resources):
    """Parameters with the resource, where that is one."""
    if resource == "n_samples":
        return params
    return {**params, resource: n_resources}


def _check_alive(done, caller):
    """Refuse to go on where nothing worked."""
    trials = [trial for folds in done.trials for trial in folds]
    errors = [trial.error for trial in trials if trial.error]
    if len(errors) == len(trials):
        raise ValueError(
            f"{caller}: all {len(trials)} fits with {done.n_resources} resources "
            f"failed, the first with {errors[0]}. Pass error_score='raise' to see "
            "where."
        )


def tell_once(rounds, caller):
    """Tell every warning and every error of trials once, with their number.

    Parameters
    ----------
    rounds : list of Round
        All rungs.

    caller : str
        Who asks; begins the warnings.

    Warns
    -----
    FitFailedWarning
        If fits failed.
    """
    trials = [t for each in rounds for folds in each.trials for t in folds]
    errors = Counter(trial.error for trial in trials if trial.error)
    if errors:
        told = "; ".join(f"{number} × {error}" for error, number in errors.items())
        warnings.warn(
            f"{caller}: {errors.total()} of {len(trials)} fits failed, and their "
            f"candidates are not chosen: {told}.",
            FitFailedWarning,
            stacklevel=6,
        )
    for (category, text), number in Counter(
        each for trial in trials for each in dict.fromkeys(trial.warnings)
    ).items():
        count = f"{number} fit{'s' * (number > 1)} of {len(trials)}"
        warnings.warn(f"{caller} ({count}): {text}", category, stacklevel=6)


def open_progress(rungs, n_folds, verbose):
    """Progress bar over all trials; none where `verbose` is 0."""
    total = sum(rung.n_candidates for rung in rungs) * n_folds
    return tqdm(total=total, disable=not verbose, unit="fit")
