"""How often a bound on the difference holds on new data, and what that costs.

Three ways to ask for it: the controlled repair, which holds the bound on its training
rows; the point of a front whose estimate on held-out rows is within it; and the point
whose confidence interval is. Splits are those of ``benchmarks.effect``; the front may
use the validation part, since it has rows to choose on, and the controlled repair
trains on those rows as well. Nothing is chosen on the test part, where the difference
is itself known up to the sampling of its rows only.

One row per data set and seed, appended to a CSV as it is made; a run that was stopped
goes on where it left off.

    python -m benchmarks.bounds --seeds 20
    python -m benchmarks.bounds --report --out docs/benchmarks
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import pandas as pd
import torch

from benchmarks._report import (
    append_row,
    known_keys,
    mean_and_spread,
    write_csv,
    write_table,
)
from benchmarks.effect import CRITERIA, GROUPS, measure, split
from benchmarks.frontier import HELD_OUT, _joined
from skfair_runner import RunnerFairClassifier, RunnerFrontier

BOUNDS = (0.02, 0.05, 0.1)
CONSTRAINT = "demographic_parity"
RESULTS = Path(__file__).parent / "results" / "bounds.csv"
WAYS = {
    "training": "held on the training rows",
    "estimate": "estimate on held-out rows",
    "interval": "interval on held-out rows",
}


def run_one(dataset, seed, data_home):
    """Test figures of all three ways at every bound."""
    torch.set_num_threads(1)
    (train, valid, test), favourable = split(dataset, seed, data_home)
    rows = _joined(train, valid)
    found = {"dataset": dataset, "seed": seed}

    def tell(way, bound, clf):
        row = measure(clf, test, favourable)
        found[f"{way} {bound:g} difference"] = row[CRITERIA[CONSTRAINT]]
        found[f"{way} {bound:g} accuracy"] = row["accuracy"]

    with warnings.catch_warnings():
        # That no point meets a bound shows in the table.
        warnings.simplefilter("ignore")
        front = RunnerFrontier(
            RunnerFairClassifier(CONSTRAINT, pos_label=favourable),
            validation_fraction=HELD_OUT,
            random_state=seed,
        ).fit(*rows[:2], sensitive_features=rows[2])
        for bound in BOUNDS:
            clf = RunnerFairClassifier(
                CONSTRAINT,
                difference_bound=bound,
                pos_label=favourable,
                random_state=seed,
            )
            clf.fit(*rows[:2], sensitive_features=rows[2])
            tell("training", bound, clf)
            tell("estimate", bound, front.at(difference=bound))
            tell("interval", bound, front.at(difference=bound, confident=True))
    return found


def report(path, out):
    """Share of test parts within each bound, mean difference and accuracy."""
    results = pd.read_csv(path)
    rows = []
    for dataset, part in results.groupby("dataset", sort=False):
        for bound in BOUNDS:
            for way, words in WAYS.items():
                difference = part[f"{way} {bound:g} difference"]
                accuracy = part[f"{way} {bound:g} accuracy"]
                rows.append(
                    {
                        "data set": f"{dataset} ({GROUPS[dataset]})",
                        "bound": f"{bound:.2f}",
                        "how": words,
                        "seeds": len(part),
                        "within": f"{(difference <= bound).mean():.0%}",
                        "difference": mean_and_spread(difference),
                        "accuracy": mean_and_spread(accuracy),
                    }
                )
    table = pd.DataFrame(rows)
    write_table(table, title="Demographic parity difference on the test parts")
    if out is not None:
        write_csv(table, Path(out) / "bounds.csv")


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--datasets", nargs="+", default=["compas", "lsac", "adult", "bank"]
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="only print the table")
    parser.add_argument("--out", type=Path, default=None, help="folder for the table")
    parser.add_argument("--quick", action="store_true", help="generated data, one seed")
    options = parser.parse_args(arguments)
    if options.quick:
        options.datasets, options.seeds = ["biased"], 1
        options.results = Path(tempfile.mkdtemp()) / "bounds_quick.csv"
    if not options.report:
        done = known_keys(options.results, ["dataset", "seed"])
        for seed in range(options.seeds):
            for dataset in options.datasets:
                if (dataset, seed) not in done:
                    row = run_one(dataset, seed, options.data_home)
                    append_row(row, options.results)
    report(options.results, options.out)


if __name__ == "__main__":
    main()
