"""What each part of the repair does: one part changed at a time, on real data.

The default of RunnerFairClassifier, and the same with one part exchanged or left out.
One row per data set, criterion, variant and seed, appended to a CSV as it is made; a
run that was stopped goes on where it left off. Figures are of the test part of 60/20/20
splits; nothing is chosen, on it or elsewhere.

    python -m benchmarks.parts --datasets compas lsac_race adult --seeds 3
    python -m benchmarks.parts --report --out docs/benchmarks
"""

import argparse
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, ClassifierMixin

from benchmarks._neuron_figures import DIFFERENCE, NAMES
from benchmarks._report import (
    append_row,
    known_keys,
    mean_and_spread,
    write_csv,
    write_table,
)
from benchmarks._signed import by_signed_neurons
from benchmarks.effect import fit
from benchmarks.experiments.data import CRITERIA, load_case, measure_part
from skfair_runner import RunnerFairClassifier
from skfair_runner._settings import resolve_settings
from skfair_runner.gaps import CONSTRAINTS
from skfair_runner.utils import SkfairRunnerWarning

RESULTS = Path(__file__).parent / "results" / "parts.csv"
KEY = ["dataset", "criterion", "variant", "seed"]
NETS = 4


class MeanOfNets(ClassifierMixin, BaseEstimator):
    """Mean probability of several repaired nets that differ in their seed.

    Parameters
    ----------
    estimators : list of RunnerFairClassifier
        Unfitted.
    """

    def __init__(self, estimators):
        self.estimators = estimators

    def fit(self, X, y, sensitive_features):
        """Fit every net on all rows."""
        for estimator in self.estimators:
            estimator.fit(X, y, sensitive_features=sensitive_features)
        self.classes_ = self.estimators[0].classes_
        return self

    def predict_proba(self, X):
        """Mean over the nets, (n_samples, n_classes)."""
        return np.mean([each.predict_proba(X) for each in self.estimators], axis=0)

    def predict(self, X):
        """The more probable label."""
        return self.classes_[self.predict_proba(X).argmax(1)]


def random_neurons(inputs):
    """An importance that knows nothing."""
    return {layer.name: torch.rand(layer.n_neurons) for layer in inputs.layers}


def one(case, criterion, **parameters):
    """Our classifier with some parameters of its own."""
    settings = {"pos_label": case.favourable, "random_state": case.seed, **parameters}
    return RunnerFairClassifier(criterion, **settings)


def from_scratch(case, criterion):
    """No warm-up: every epoch is one of repair."""
    unset = ("alpha", "batch_size", "warmup_epochs", "max_epochs", "lr")
    settings = resolve_settings(
        len(case.train.y),
        within=CONSTRAINTS[criterion].within,
        repair="decisions",
        own_module=False,
        trained=False,
        **dict.fromkeys(unset, "auto"),
    )
    both = settings.warmup_epochs + settings.max_epochs
    return one(case, criterion, warmup_epochs=0, max_epochs=both)


def several_nets(case, criterion):
    """Four nets, each repaired by itself."""
    seeds = range(NETS * case.seed, NETS * (case.seed + 1))
    return MeanOfNets([one(case, criterion, random_state=seed) for seed in seeds])


def with_(**parameters):
    """The default but for these parameters."""
    return partial(one, **parameters)


def signed(weight, **parameters):
    """No output term: each neuron is pushed where it lowers the gap."""

    def make(case, criterion):
        return by_signed_neurons(one(case, criterion, **parameters), weight)

    return make


FIXED = {"difference_bound": None}
SIGNED = "output term: through the neurons, signed"
VARIANTS = {
    "unmitigated": lambda case, _: RunnerFairClassifier(None, random_state=case.seed),
    "default": one,
    "importance: weight form": with_(importance="weight"),
    "importance: ablation": with_(importance="ablation"),
    "importance: at random": with_(importance=random_neurons),
    "distance: l2": with_(distance="l2"),
    "distance: standardized": with_(distance="standardized"),
    "distance: Wasserstein-1": with_(distance="wasserstein"),
    "distance: MMD": with_(distance="mmd"),
    "neuron penalty: none": with_(alpha=0.0),
    "neuron penalty: 1 instead of 0.05": with_(alpha=1.0),
    "output term: none": with_(alpha=1.0, **FIXED),
    "output term: none, neurons at random": with_(
        alpha=1.0, importance=random_neurons, **FIXED
    ),
    SIGNED: signed(2.0),
    f"{SIGNED}, twice as strong": signed(4.0),
    "output term: fixed weight 0.2": with_(output_weight=0.2, **FIXED),
    "diagnosis: every step": with_(diagnose_every=1),
    "diagnosis: every 100 steps": with_(diagnose_every=100),
    "batches: balanced over groups": with_(sampling="group"),
    "batches: balanced over group × label": with_(sampling="group_label"),
    "from scratch, without warm-up": from_scratch,
    "repair of scores": with_(repair="scores"),
    f"mean of {NETS} nets": several_nets,
}


def run_one(case, criterion, variant):
    """Test figures of one variant."""
    classifier = VARIANTS[variant](case, criterion)
    start = time.process_time()
    fit(classifier, case.train.X, case.train.y, case.train.groups)
    seconds = time.process_time() - start
    figures = measure_part(classifier, case.test, case.favourable)
    return {**figures, "fit_seconds": seconds}


def run(options):
    """Make the rows that are not there yet, seed after seed."""
    torch.set_num_threads(1)
    done = known_keys(options.results, KEY)
    for seed in range(options.seeds):
        for dataset in options.datasets:
            tasks = [
                key
                for criterion in CRITERIA
                for variant in options.methods
                if (key := (dataset, criterion, variant, seed)) not in done
            ]
            case = load_case(dataset, seed, options.data_home) if tasks else None
            for key in tasks:
                row = dict(zip(KEY, key, strict=True))
                row |= run_one(case, key[1], key[2])
                append_row(row, options.results)


def table_of(part, criterion):
    """Variants of one data set and criterion, in the order of ``VARIANTS``."""
    table = []
    for variant in [name for name in VARIANTS if name in set(part["variant"])]:
        own = part[part["variant"] == variant]
        table.append(
            {
                "variant": variant,
                "seeds": len(own),
                "accuracy": mean_and_spread(own["accuracy"]),
                "AP": mean_and_spread(own["AP"]),
                "difference": mean_and_spread(own[DIFFERENCE[criterion]]),
                "ABCC": mean_and_spread(own["ABCC"]),
                "selected": mean_and_spread(own["selection_rate"]),
                "constant": int(own["constant"].sum()),
                "fit s": f"{own['fit_seconds'].mean():.1f}",
            }
        )
    return pd.DataFrame(table)


def report(path, out):
    """Print a table per data set and criterion, and write them where asked for."""
    rows = pd.read_csv(path)
    for (dataset, criterion), part in rows.groupby(["dataset", "criterion"]):
        table = table_of(part, criterion)
        write_table(table, title=f"{NAMES[dataset]}, {criterion.replace('_', ' ')}")
        if out is not None:
            write_csv(table, Path(out) / f"parts_{dataset}_{criterion}.csv")


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--datasets", nargs="+", default=["compas", "lsac_race", "adult"]
    )
    parser.add_argument("--methods", nargs="+", default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="only print the tables")
    parser.add_argument("--out", type=Path, default=None, help="folder for the tables")
    parser.add_argument("--quick", action="store_true", help="generated data, one seed")
    options = parser.parse_args(arguments)
    if options.quick:
        options.datasets, options.seeds = ["biased"], 1
        options.methods = ["unmitigated", "default", SIGNED]
        options.results = Path(tempfile.mkdtemp()) / "parts_quick.csv"
    if not options.report:
        with warnings.catch_warnings():
            # Constant classifiers and unmet bounds are seen in the figures.
            warnings.simplefilter("ignore", SkfairRunnerWarning)
            run(options)
    report(options.results, options.out)


if __name__ == "__main__":
    main()
