"""Fits of many classifiers on many splits: side by side, stored as they are made."""

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from tqdm import tqdm

from skfair_runner._runs.fingerprint import data_fingerprint, digest, versions
from skfair_runner.baselines._base import seeded
from skfair_runner.compare._evaluation import evaluate
from skfair_runner.compare._store import open_results


@dataclass(frozen=True, eq=False)
class Task:
    """One classifier, to be fitted on some rows and to decide about others.

    Attributes
    ----------
    method : str
        Name of the classifier.

    repetition : int
        Number of the repetition, from 0.

    seed : int or None
        Its seed, for what has none of its own.

    fold : int
        Number of the split within the repetition.

    train, test : ndarray of int
        Row numbers.
    """

    method: str
    repetition: int
    seed: int | None
    fold: int
    train: np.ndarray
    test: np.ndarray


def run_tasks(
    tasks,
    classifiers,
    data,
    *,
    n_jobs,
    results,
    verbose,
    caller,
    model_metrics=None,
    told_metrics=None,
):
    """Outcomes of all tasks; those that the file of results holds are not run again.

    Parameters
    ----------
    tasks : list of Task
        What to do.

    classifiers : dict of str to classifier
        By the methods of the tasks.

    data : Data
        All rows.

    n_jobs : int or None
        Fits that run at the same time.

    results : path-like or None
        File to store outcomes in as they are made.

    verbose : int
        1 shows a progress bar.

    caller : str
        Who asks; begins the error messages.

    model_metrics : dict of str to callable or None, default=None
        What to ask fitted classifiers besides their decisions.

    told_metrics : dict, list or None, default=None
        The same as the user passed them, for the file of results to tell changes by.

    Returns
    -------
    outcomes : list of Outcome
        In the order of the tasks.
    """
    copies = {
        (task.method, task.seed): _copy(classifiers[task.method], task.seed)
        for task in tasks
    }
    opened = nullcontext()
    if results is not None:
        keys = _keys(tasks, copies, told_metrics, caller)
        opened = open_results(results, data_fingerprint(data), caller)
    done = {}
    with opened as file:
        if file is not None:
            done = _stored(file, keys, tasks, len(data.classes))
        waiting = [each for each in enumerate(tasks) if each[0] not in done]
        made = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
            delayed(_run)(
                number, task, copies[task.method, task.seed], data, model_metrics
            )
            for number, task in waiting
        )
        with tqdm(
            total=len(tasks), initial=len(done), disable=not verbose, unit="fit"
        ) as progress:
            for number, outcome in made:
                task, done[number] = tasks[number], outcome
                # What failed is tried again the next time.
                if file is not None and not outcome.error:
                    file.put(keys[number], task.method, task.seed, task.fold, outcome)
                progress.set_postfix_str(task.method)
                progress.update()
    return [done[number] for number in range(len(tasks))]


def _stored(file, keys, tasks, n_classes):
    """Outcomes that the file holds, by the number of the task."""
    found = {
        number: file.get(key, len(task.test), n_classes)
        for number, (key, task) in enumerate(zip(keys, tasks, strict=True))
    }
    return {number: each for number, each in found.items() if each is not None}


def _copy(classifier, seed):
    return clone(classifier) if seed is None else seeded(classifier, seed)


def _run(number, task, classifier, data, model_metrics):
    """Outcome with the number of its task, since tasks end in any order."""
    classifier = clone(classifier)
    return number, evaluate(classifier, data, task.train, task.test, model_metrics)


def _keys(tasks, copies, told_metrics, caller):
    """Digest of all that each outcome depends on, the data aside."""
    settings, installed = {}, versions()
    asked = _digest_of_metrics(told_metrics, caller)
    for (method, seed), classifier in copies.items():
        try:
            settings[method, seed] = digest([installed, classifier])
        except TypeError as error:
            raise TypeError(
                f"{caller}: `results` has to tell whether the settings of {method!r} "
                f"changed, but {error}. Leave `results` out, or pass the parameter in "
                "a form that can be pickled."
            ) from error
    return [
        digest([settings[task.method, task.seed], task.train, task.test, *asked])
        for task in tasks
    ]


def _digest_of_metrics(told_metrics, caller):
    """Digest of the model metrics, in a list; an empty one where there are none."""
    if not told_metrics:
        return []
    try:
        return [digest(told_metrics)]
    except TypeError as error:
        raise TypeError(
            f"{caller}: `results` has to tell whether `model_metrics` changed, but "
            f"{error}. Leave `results` out, or pass a function that holds on to less."
        ) from error
