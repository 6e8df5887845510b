"""Group differences of networks of images: coloured digits, and faces of FairFace.

One row per task, constraint, method, setting and seed, appended to a CSV as it is made;
a run that was stopped goes on where it left off. Every method trains the same network
for as many epochs, RUNNER's warm-up included, on 80 % of the training images. The other
20 % are for choices: of the settings of a method whose average precision there is at
most .02 below Vanilla's, the one with the smallest difference. Numbers are of the test
images: a part of the digits, and the published validation part of FairFace.

    python -m benchmarks.faces --tasks digits --seeds 5
    python -m benchmarks.faces --tasks fairface32 --seeds 3
    python -m benchmarks.faces --report --out docs/benchmarks
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch import nn

from benchmarks._faces_tables import CONSTRAINTS, chosen_rows, draw, make_table
from benchmarks._report import append_row, known_keys, machine, write_table
from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import (
    AdversarialDebiasingClassifier,
    OversamplingClassifier,
    UnmitigatedClassifier,
)
from skfair_runner.datasets import fetch_fairface, make_biased_digits
from skfair_runner.metrics import fairness_summary
from skfair_runner.modules import ResNet18

# Methods that take no constraint have one row for both.
ANY = "any"
RESULTS = Path(__file__).parent / "results" / "faces.csv"


class DigitNet(nn.Module):
    """Two convolutions and a hidden layer, for 8 × 8 pixels."""

    def __init__(self, n_channels, n_outputs, batch_norm=True):
        super().__init__()
        norm = nn.BatchNorm2d if batch_norm else nn.Identity
        self.features = nn.Sequential(
            nn.Conv2d(n_channels, 16, 3, padding=1),
            norm(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            norm(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(512, 64),
            nn.ReLU(),
        )
        self.output = nn.Linear(64, n_outputs)

    def forward(self, x):
        """Logits."""
        return self.output(self.features(x))


def shifted(image):
    """The image moved by at most one pixel, in place of more digits."""
    height, width = image.shape[1:]
    top, left = torch.randint(0, 3, (2,)).tolist()
    padded = nn.functional.pad(image, (1, 1, 1, 1))
    return padded[:, top : top + height, left : left + width]


def flipped(image):
    """The image or its mirror image."""
    return image.flip(-1) if torch.rand(()) < 0.5 else image


@dataclass(frozen=True)
class Part:
    """Images with labels and groups.

    Attributes
    ----------
    X : ndarray of shape (n_images, height, width, channels), uint8
        Images.

    y, groups : ndarray of shape (n_images,)
        Label, 0 or 1, and group.
    """

    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray

    def take(self, rows):
        """Some of the images."""
        return Part(self.X[rows], self.y[rows], self.groups[rows])

    def split(self, share, seed):
        """All but a share, and that share, of every label in every group."""
        cells = np.char.add(self.y.astype(str), self.groups.astype(str))
        parts = train_test_split(
            np.arange(len(self.y)), test_size=share, stratify=cells, random_state=seed
        )
        return [self.take(rows) for rows in parts]


def load_digits(seed, data_home):
    """Digits in colours of their own for each seed; 70 % to train on."""
    bunch = make_biased_digits(strength=0.5, random_state=seed)
    groups = bunch.sensitive_features["colour"].to_numpy()
    whole = Part(bunch.data, bunch.target.to_numpy(), groups)
    return whole.split(0.3, seed)


def load_fairface(seed, data_home, size=64):
    """Age of at least 30 by gender; the published parts."""
    parts = []
    for subset in ("train", "val"):
        bunch = fetch_fairface(
            data_home=data_home, age_from=30, subset=subset, size=size
        )
        groups = bunch.sensitive_features["gender"].to_numpy()
        parts.append(Part(np.asarray(bunch.data), bunch.target.to_numpy(), groups))
    return parts


@dataclass(frozen=True)
class Task:
    """What is predicted, by which network, and which settings are tried.

    Attributes
    ----------
    title : str
        For tables and figure.

    load : callable
        Images to train on and test images, by seed and data home.

    network : dict
        Parameters of RunnerFairClassifier that all methods share.

    settings : dict of str to list of dict
        By method, those to choose from; the first one is reported by itself, too.
    """

    title: str
    load: Callable
    network: dict
    settings: dict = field(default_factory=dict)


FACES = {
    "module": ResNet18,
    "warmup_epochs": 2,
    "max_epochs": 2,
    "batch_size": 64,
    "mixed_precision": "bfloat16",
    "iterator_train__transform": flipped,
}
FACE_SETTINGS = {
    "AdversarialDebiasing": [{"alpha": a} for a in (3.0, 0.3)],
    "RUNNER": [{"difference_bound": b} for b in (0.05, 0.12)],
}
TASKS = {
    "digits": Task(
        "Coloured digits: 5 to 9, by colour",
        load_digits,
        {
            "module": DigitNet,
            "warmup_epochs": 30,
            "max_epochs": 30,
            "iterator_train__transform": shifted,
        },
        {
            "AdversarialDebiasing": [{"alpha": a} for a in (3.0, 1.0, 0.3)],
            "RUNNER": [{"difference_bound": b} for b in (0.05, 0.45)],
        },
    ),
    "digits_short": Task(
        "Coloured digits, 16 + 16 epochs without batch normalisation",
        load_digits,
        {
            "module": DigitNet,
            "module__batch_norm": False,
            "warmup_epochs": 16,
            "max_epochs": 16,
            "iterator_train__transform": shifted,
        },
        {
            "AdversarialDebiasing": [{"alpha": 3.0}],
            "RUNNER": [
                {"difference_bound": 0.05},
                {"difference_bound": None, "output_weight": 0.5},
            ],
        },
    ),
    "fairface": Task(
        "FairFace, 64 × 64 pixels: at least 30 years, by gender",
        load_fairface,
        FACES,
        FACE_SETTINGS,
    ),
    "fairface32": Task(
        "FairFace, 32 × 32 pixels: at least 30 years, by gender",
        partial(load_fairface, size=32),
        FACES,
        FACE_SETTINGS,
    ),
}


def vanilla(constraint, network, setting):
    """The network alone."""
    return UnmitigatedClassifier(RunnerFairClassifier(None, **network))


def runner(constraint, network, setting):
    """The repair of decisions, all else at its default."""
    return RunnerFairClassifier(constraint, **network, **setting)


def adversarial(constraint, network, setting):
    """Against an adversary who guesses the group."""
    plain = RunnerFairClassifier(None, **network)
    return AdversarialDebiasingClassifier(plain, constraint, **setting)


def oversampling(constraint, network, setting):
    """Every label of every group equally often."""
    return OversamplingClassifier(RunnerFairClassifier(None, **network))


METHODS = {
    "Vanilla": vanilla,
    "RUNNER": runner,
    "AdversarialDebiasing": adversarial,
    "Oversampling": oversampling,
}
PLAIN = ("Vanilla", "Oversampling")


def list_runs(tasks, methods, n_seeds, n_settings):
    """Keys of all rows: first settings of every seed come before second ones."""
    for position in range(n_settings):
        for task in tasks:
            for seed in range(n_seeds):
                for method in methods:
                    tried = TASKS[task].settings.get(method, [{}])
                    if position < len(tried):
                        name = describe(tried[position])
                        for constraint in [ANY] if method in PLAIN else CONSTRAINTS:
                            yield task, constraint, method, name, seed


def describe(setting):
    """A setting in words."""
    return ", ".join(f"{name}={value}" for name, value in setting.items()) or "default"


def measure(classifier, part):
    """All measures of one fitted classifier on one part."""
    scores = classifier.predict_proba(part.X)[:, 1]
    decided = classifier.predict(part.X)
    return fairness_summary(
        part.y, decided, scores, sensitive_features=part.groups, pos_label=1
    )


def run_one(task, constraint, method, setting, seed, data_home):
    """One row of the results."""
    torch.set_num_threads(1)
    train, test = TASKS[task].load(seed, data_home)
    train, valid = train.split(0.2, seed)
    tried = TASKS[task].settings.get(method, [{}])
    chosen = next(each for each in tried if describe(each) == setting)
    classifier = METHODS[method](constraint, TASKS[task].network, chosen)
    classifier.set_params(random_state=seed)
    start, begun = time.process_time(), time.perf_counter()
    with warnings.catch_warnings():
        # A constant classifier is a column of the table.
        warnings.simplefilter("ignore")
        classifier.fit(train.X, train.y, sensitive_features=train.groups)
        spent, passed = time.process_time() - start, time.perf_counter() - begun
        on_valid, on_test = measure(classifier, valid), measure(classifier, test)
    key = {
        "task": task,
        "constraint": constraint,
        "method": method,
        "setting": setting,
        "seed": seed,
    }
    return {
        **key,
        "n_train": len(train.y),
        **on_test,
        **{f"valid_{name}": value for name, value in on_valid.items()},
        "fit_seconds": passed,
        "fit_cpu_seconds": spent,
    }


def report(path, out):
    """Print the tables, and write tables and figure where a folder is given."""
    results = pd.read_csv(path)
    for task in TASKS:
        part = results[results["task"] == task]
        if not (part["method"] == "Vanilla").any():
            continue
        for constraint in CONSTRAINTS:
            write_table(
                make_table(chosen_rows(part, constraint)),
                title=f"{TASKS[task].title}, {constraint.replace('_', ' ')}",
                out=out,
                name=f"faces_{task}_{constraint}",
            )
    if out is not None:
        titles = {name: TASKS[name].title for name in TASKS if name != "digits_short"}
        draw(results, titles, Path(out) / "faces.png")
    write_table(pd.DataFrame({"": [machine()]}), title="Machine")


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--settings", type=int, default=3, help="how many of each method's to try"
    )
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="only print the tables")
    parser.add_argument("--out", type=Path, default=None, help="folder for the tables")
    parser.add_argument(
        "--quick", action="store_true", help="digits, one seed, first settings"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.tasks, options.seeds, options.settings = ["digits"], 1, 1
        options.results = Path(tempfile.mkdtemp()) / "faces_quick.csv"
    if not options.report:
        key = ["task", "constraint", "method", "setting", "seed"]
        done = known_keys(options.results, key)
        wanted = (options.tasks, options.methods, options.seeds, options.settings)
        for key in list_runs(*wanted):
            if key not in done:
                append_row(run_one(*key, options.data_home), options.results)
    report(options.results, options.out)


if __name__ == "__main__":
    main()
