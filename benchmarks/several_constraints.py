"""Whether two constraints can be held together, and what that costs beside each alone.

The groups' base rates differ, so that demographic parity and the rate parities pull
apart: equal selection rates come at unequal rates among those with the favourable
label, and the other way round. One row per data set, way and seed, appended to a CSV as
it is made; a run that was stopped goes on where it left off. Splits are those of
``benchmarks.effect``, trained on the training part; nothing is chosen.

    python -m benchmarks.several_constraints --seeds 5
    python -m benchmarks.several_constraints --report --out docs/benchmarks
"""

import argparse
import tempfile
import time
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
from benchmarks.effect import GROUPS, measure, split
from skfair_runner import RunnerFairClassifier

RESULTS = Path(__file__).parent / "results" / "several_constraints.csv"
WAYS = {
    "none": None,
    "DP .05": {"demographic_parity": 0.05},
    "TPR .10": {"true_positive_rate_parity": 0.1},
    "TPR .05": {"true_positive_rate_parity": 0.05},
    "EO .05": {"equalized_odds": 0.05},
    "DP .05, TPR .10": {"demographic_parity": 0.05, "true_positive_rate_parity": 0.1},
    "DP .05, TPR .05": {"demographic_parity": 0.05, "true_positive_rate_parity": 0.05},
    "DP .05, EO .05": {"demographic_parity": 0.05, "equalized_odds": 0.05},
    # The same with time to arrive: the default here is 12 epochs.
    "DP .05, TPR .10, 40 epochs": {
        "demographic_parity": 0.05,
        "true_positive_rate_parity": 0.1,
    },
}
DIFFERENCES = {
    "demographic_parity_difference": "ΔDP",
    "equal_opportunity_difference": "ΔTPR",
    "equalized_odds_difference": "ΔEO",
}
COSTS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "average_precision": "AP",
    "selection_rate": "selected",
}


def run_one(dataset, way, seed, data_home):
    """One row of the results: test figures, and differences on the training part."""
    torch.set_num_threads(1)
    (train, _, test), favourable = split(dataset, seed, data_home)
    clf = RunnerFairClassifier(
        WAYS[way],
        pos_label=favourable,
        max_epochs=40 if way.endswith("40 epochs") else "auto",
        random_state=seed,
    )
    with warnings.catch_warnings():
        # That a bound is not met shows in the table.
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        clf.fit(*train[:2], sensitive_features=train[2])
        seconds = time.perf_counter() - start
    on_train, on_test = (measure(clf, part, favourable) for part in (train, test))
    controller = clf.net_.controller_
    largest = 0.0 if controller is None else float(controller.multipliers.abs().max())
    return {
        "dataset": dataset,
        "way": way,
        "seed": seed,
        **{name: on_test[name] for name in (*COSTS, *DIFFERENCES, "constant")},
        **{f"train_{name}": on_train[name] for name in DIFFERENCES},
        "fit_seconds": seconds,
        "multiplier": largest,
    }


def report(path, out):
    """Mean ± standard deviation over seeds, per data set."""
    results = pd.read_csv(path)
    for dataset, part in results.groupby("dataset", sort=False):
        rows = []
        for way in WAYS:
            of_way = part[part["way"] == way]
            if of_way.empty:
                continue
            row = {"bounds": way, "seeds": len(of_way)}
            row |= {
                title: mean_and_spread(of_way[name]) for name, title in COSTS.items()
            }
            row |= {
                title: mean_and_spread(of_way[name])
                for name, title in DIFFERENCES.items()
            }
            row |= {
                f"{title} train": f"{of_way[f'train_{name}'].mean():.3f}"
                for name, title in DIFFERENCES.items()
            }
            row["multiplier"] = f"{of_way['multiplier'].mean():.2f}"
            row["fit s"] = f"{of_way['fit_seconds'].mean():.0f}"
            rows.append(row)
        table = pd.DataFrame(rows)
        write_table(table, title=f"{dataset} ({GROUPS[dataset]}), test part")
        if out is not None:
            write_csv(table, Path(out) / f"several_constraints_{dataset}.csv")


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", nargs="+", default=["adult"])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="only print the table")
    parser.add_argument("--out", type=Path, default=None, help="folder for the table")
    parser.add_argument(
        "--quick", action="store_true", help="generated data, three ways, one seed"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.datasets, options.seeds = ["biased"], 1
        options.ways = ["none", "DP .05", "DP .05, TPR .10"]
        options.results = Path(tempfile.mkdtemp()) / "several_constraints_quick.csv"
    if not options.report:
        done = known_keys(options.results, ["dataset", "way", "seed"])
        for seed in range(options.seeds):
            for dataset in options.datasets:
                for way in options.ways:
                    if (dataset, way, seed) not in done:
                        row = run_one(dataset, way, seed, options.data_home)
                        append_row(row, options.results)
    report(options.results, options.out)


if __name__ == "__main__":
    main()
