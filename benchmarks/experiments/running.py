"""Tasks in their order, one row each, appended at once."""

import copy
import csv
import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from benchmarks import _report
from benchmarks.effect import fit
from benchmarks.experiments.ceiling import ceiling_rows
from benchmarks.experiments.data import (
    CRITERIA,
    MEASURES,
    PARTS,
    load_case,
    measure_case,
)
from benchmarks.experiments.methods import (
    CEILING,
    CHEAP_FOR_REDUCTION,
    METHODS,
    VANILLA,
    net,
    settings_of,
)
from skfair_runner.utils import SkfairRunnerWarning

BOTH = "both"
KEY = ("dataset", "criterion", "method", "setting", "seed")
_MEASURED = (*MEASURES, "largest", "largest_within")
COLUMNS = (
    *KEY,
    *(f"{part}_{name}" for part in PARTS for name in _MEASURED),
    "base_rate",
    "fit_seconds",
    "groups_at_prediction",
    "randomised",
    "error",
)


class Task(NamedTuple):
    """One row to make; of the ceiling, the rows of all its shifts."""

    dataset: str
    criterion: str
    method: str
    setting: float | None
    seed: int

    @property
    def key(self):
        """What the finished row is found by."""
        name = ""
        if self.method != CEILING:
            name = METHODS[self.method].name_of(self.setting)
        return (self.dataset, self.criterion, self.method, name, self.seed)


def tasks_of(datasets, methods, seeds, *, only_first=False):
    """All tasks, seed after seed, so that early tables hold every data set."""
    tasks = []
    for seed in seeds:
        for dataset in datasets:
            for method in methods:
                # Each iteration trains several nets.
                dear = method == "ExponentiatedGradient" and (
                    dataset not in CHEAP_FOR_REDUCTION
                )
                tasks += _of_method(dataset, method, seed, only_first or dear)
    return tasks


def _of_method(dataset, method, seed, only_first):
    if method == CEILING:
        return [Task(dataset, each, method, None, seed) for each in CRITERIA]
    criteria = CRITERIA if METHODS[method].per_criterion else (BOTH,)
    return [
        Task(dataset, criterion, method, setting, seed)
        for criterion in criteria
        for setting in settings_of(method, criterion, only_first=only_first)
    ]


def known_keys(path):
    """Keys of the rows that a file holds; every ceiling counts as one."""
    return {
        (*key[:3], "", *key[4:]) if key[2] == CEILING else key
        for key in _report.known_keys(path, KEY)
    }


def append_rows(rows, path):
    """Add rows in one write, so that two processes may share a file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        if is_new:
            writer.writeheader()
        for row in rows:
            writer.writerow({name: _short(value) for name, value in row.items()})


def _short(value):
    return f"{value:.6g}" if isinstance(value, float) else value


class Runner:
    """Runs tasks, keeping the last split and what is fitted on it once."""

    def __init__(self, data_home=None, load=load_case):
        self.data_home = data_home
        self.load = load
        self._case = None

    def run(self, task):
        """Rows of a task; one that fails is a row with its error."""
        if self._case is None or (self._case.name, self._case.seed) != (
            task.dataset,
            task.seed,
        ):
            self._case = self.load(task.dataset, task.seed, self.data_home)
            self._plain = self._vanilla = None
            self._fronts = {}
        key = dict(zip(KEY, task.key, strict=True))
        about = {"base_rate": float(_favoured(self._case.test, self._case.favourable))}
        if task.method == CEILING:
            rows = ceiling_rows(self._case, task.criterion, MEASURES)
            about |= {"groups_at_prediction": False, "randomised": False}
            return [{**key, **about, **row} for row in rows]
        with warnings.catch_warnings():
            # A constant classifier, or a bound that is not met, is seen in the row.
            warnings.simplefilter("ignore", SkfairRunnerWarning)
            try:
                row = self._row(task)
            except ValueError as error:
                row = {"error": str(error).split(".")[0]}
        return [{**key, **about, **row}]

    def _row(self, task):
        method, case = METHODS[task.method], self._case
        if task.method == VANILLA:
            classifier, seconds = self._fitted_vanilla()
        elif method.after_vanilla:
            fitted, before = self._fitted_vanilla()
            classifier = method.make(case, task.criterion, task.setting, fitted)
            seconds = before + _fit(classifier, case.train)
        elif method.one_training:
            front, seconds = self._fitted_front(task)
            classifier = front.at(weight=task.setting)
        else:
            classifier = method.make(case, task.criterion, task.setting)
            classifier, seconds = self._fitted(classifier, method)
        return {
            **measure_case(classifier, case, raw=method.raw),
            "fit_seconds": seconds,
            "groups_at_prediction": getattr(
                classifier, "needs_groups_at_predict", False
            ),
            "randomised": getattr(classifier, "is_randomised", False),
        }

    def _fitted(self, classifier, method):
        """The classifier, gone on from the plain phase where it has one to share."""
        if not method.shares_plain:
            return classifier, _fit(classifier, self._case.train, raw=method.raw)
        if self._plain is None:
            plain = net(self._case.seed).set_params(max_epochs=0)
            self._plain = plain, _fit(plain, self._case.train)
        plain, before = self._plain
        parameters = {**classifier.get_params(deep=False), "warm_start": True}
        classifier = copy.deepcopy(plain).set_params(**parameters)
        return classifier, before + _fit(classifier, self._case.train)

    def _fitted_front(self, task):
        """Every point of a front, and the seconds of its one training."""
        key = task.method, task.criterion
        if key not in self._fronts:
            case, method = self._case, METHODS[task.method]
            front = method.make(case, task.criterion, None)
            front.set_params(random_state=case.seed)
            start = time.process_time()
            front.fit(
                case.train.X,
                case.train.y,
                sensitive_features=case.train.groups,
                X_val=case.valid.X,
                y_val=case.valid.y,
                sensitive_features_val=case.valid.groups,
            )
            self._fronts[key] = front, time.process_time() - start
        return self._fronts[key]

    def _fitted_vanilla(self):
        if self._vanilla is None:
            method = METHODS[VANILLA]
            self._vanilla = self._fitted(method.make(self._case, BOTH, None), method)
        return self._vanilla


def _fit(classifier, part, *, raw=False):
    """Seconds of one processor that a fit takes."""
    start = time.process_time()
    fit(classifier, part.raw if raw else part.X, part.y, part.groups)
    return time.process_time() - start


def _fit_something():
    """Let the first fit of the process, which loads libraries, not be a timed one."""
    case = load_case("biased", 0)
    _fit(net(0).set_params(warmup_epochs=1, max_epochs=1), case.train)


def _favoured(part, favourable):
    return (part.y == favourable).mean()


def estimate(tasks, path):
    """What is to do, in minutes, as far as the rows made so far can tell."""
    if not Path(path).exists():
        return f"{len(tasks)} fits to make; no earlier ones to tell how long they take."
    rows = pd.read_csv(path)
    seconds = rows.groupby(["dataset", "method"])["fit_seconds"].mean()
    known = [_still_to_spend(task, seconds) for task in tasks]
    unknown = sum(value is None for value in known)
    minutes = sum(value for value in known if value is not None) / 60
    text = f"{len(tasks)} fits to make, about {minutes:.0f} minutes of one processor"
    return f"{text}; {unknown} of them unknown." if unknown else f"{text}."


def _still_to_spend(task, seconds):
    """Seconds of a fit, without the phase that others have trained before."""
    found = seconds.get((task.dataset, task.method))
    if found is None or task.method in (VANILLA, CEILING):
        return found
    method = METHODS[task.method]
    if method.after_vanilla or (
        method.one_training and task.setting != method.settings[0]
    ):
        return 0.0
    return found / 2 if METHODS[task.method].shares_plain else found


def run_all(tasks, path, data_home=None):
    """Make the rows that are not there yet."""
    torch.set_num_threads(1)
    _fit_something()
    done = known_keys(path)
    todo = [task for task in tasks if task.key not in done]
    sys.stdout.write(f"{estimate(todo, path)}\n")
    runner, reached = Runner(data_home), None
    for task in todo:
        if (task.dataset, task.seed) != reached:
            reached = (task.dataset, task.seed)
            stamp = time.strftime("%H:%M:%S")
            sys.stdout.write(f"{stamp} {task.dataset}, seed {task.seed}\n")
            sys.stdout.flush()
        append_rows(runner.run(task), path)
