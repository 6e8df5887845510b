"""One training of a whole front against one training per bound, on real data.

One row per data set, constraint, method and seed, appended to a CSV as it is made; a
run that was stopped goes on where it left off. Splits are those of
``benchmarks.effect``, 60/20/20. The front trains on as many rows as the other methods,
60 %, and measures its points on the 20 % that they do not see; "controlled, all rows"
trains on those as well, since one who knows the bound needs no rows to choose on.
Figures are of the test part, on which nothing is chosen.

    python -m benchmarks.frontier --seeds 5
    python -m benchmarks.frontier --report --out docs/benchmarks
"""

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import issparse, vstack

from benchmarks._front_tables import (
    KEY,
    in_common,
    read,
    table_of_areas,
    table_of_costs,
    table_of_curves,
    table_of_picks,
    table_of_shares,
    with_chosen,
)
from benchmarks._report import append_row, known_keys, write_csv, write_table
from benchmarks.effect import CRITERIA, GROUPS, measure, split
from skfair_runner import RunnerFairClassifier, RunnerFrontier

BOUNDS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2)
PICKS = (0.0, 0.02, 0.05, 0.1)
RESULTS = Path(__file__).parent / "results" / "frontier.csv"
# A quarter of the training and validation parts together is the validation part.
HELD_OUT = 0.25


def _point(classifier, part, favourable, constraint, **about):
    """Test figures of one classifier, as the results keep them."""
    row = measure(classifier, part, favourable)
    return {
        **about,
        "accuracy": row["accuracy"],
        "AP": row["average_precision"],
        "difference": row[CRITERIA[constraint]],
        "constant": bool(row["constant"]),
    }


def _joined(train, valid):
    """Rows of two parts; features may be sparse."""
    return [
        vstack(pair, format="csr") if issparse(pair[0]) else np.concatenate(pair)
        for pair in zip(train, valid, strict=True)
    ]


def _warm_up():
    """A small fit: the first of a process waits for what others find loaded."""
    X = np.random.default_rng(0).normal(size=(200, 2))
    quick = RunnerFairClassifier(warmup_epochs=1, max_epochs=1, random_state=0)
    with warnings.catch_warnings():
        # What it learned is of no interest.
        warnings.simplefilter("ignore")
        quick.fit(X, X[:, 0] > 0, sensitive_features=X[:, 1] > 0)


def _fit(estimator, X, y, groups):
    """Fit, and the seconds of one processor that it took."""
    start = time.process_time()
    estimator.fit(X, y, sensitive_features=groups)
    return time.process_time() - start


def plain(parts, favourable, constraint, seed):
    """The net alone, with the same two phases."""
    train, _, test = parts
    clf = RunnerFairClassifier(None, random_state=seed)
    seconds = _fit(clf, *train)
    points = [_point(clf, test, favourable, constraint)]
    return {"points": points, "picks": [], "fit_seconds": seconds}


def frontier(parts, favourable, constraint, seed):
    """One training: every point, and picks made on the rows that it holds out."""
    train, valid, test = parts
    front = RunnerFrontier(
        RunnerFairClassifier(constraint, pos_label=favourable),
        validation_fraction=HELD_OUT,
        random_state=seed,
    )
    seconds = _fit(front, *_joined(train, valid))
    start = time.process_time()
    front.neurons_  # noqa: B018  computed when it is first read
    neurons = time.process_time() - start
    table = front.frontier_.rename(columns={front.difference_: "valid_difference"})
    known = table.rename(columns={"accuracy": "valid_accuracy"})[
        ["weight", "valid_accuracy", "valid_difference"]
    ]
    points = [
        _point(front.at(weight=told["weight"]), test, favourable, constraint, **told)
        for told in known.to_dict("records")
    ]
    picks = [
        _point(
            front.at(difference=bound),
            test,
            favourable,
            constraint,
            bound=bound,
            nothing_within=bool((known["valid_difference"] > bound).all()),
        )
        for bound in PICKS
    ]
    return {
        "points": points,
        "picks": picks,
        "fit_seconds": seconds,
        "neuron_seconds": neurons,
    }


def controlled(parts, favourable, constraint, seed):
    """Nine trainings, one per bound; the seconds are the mean of one."""
    train, valid, test = parts
    points, seconds = [], []
    for bound in BOUNDS:
        clf = RunnerFairClassifier(
            constraint, difference_bound=bound, pos_label=favourable, random_state=seed
        )
        seconds.append(_fit(clf, *train))
        seen = _point(clf, valid, favourable, constraint)
        told = {
            "bound": bound,
            "valid_accuracy": seen["accuracy"],
            "valid_difference": seen["difference"],
            "valid_constant": seen["constant"],
        }
        points.append(_point(clf, test, favourable, constraint, **told))
    picks = [point for point in points if point["bound"] in PICKS]
    return {"points": points, "picks": picks, "fit_seconds": float(np.mean(seconds))}


def controlled_all_rows(parts, favourable, constraint, seed):
    """A training for each bound of the picks, on the validation rows as well."""
    train, valid, test = parts
    rows, picks, seconds = _joined(train, valid), [], []
    for bound in PICKS:
        clf = RunnerFairClassifier(
            constraint, difference_bound=bound, pos_label=favourable, random_state=seed
        )
        seconds.append(_fit(clf, *rows))
        picks.append(_point(clf, test, favourable, constraint, bound=bound))
    return {"points": picks, "picks": picks, "fit_seconds": float(np.mean(seconds))}


ALL_ROWS = "controlled, all rows"
METHODS = {
    "plain": plain,
    "frontier": frontier,
    "controlled": controlled,
    ALL_ROWS: controlled_all_rows,
}


def run_one(dataset, constraint, method, seed, data_home):
    """One row of the results; points and picks as JSON."""
    torch.set_num_threads(1)
    parts, favourable = split(dataset, seed, data_home)
    with warnings.catch_warnings():
        # Constant points and bounds that nothing meets are columns of the tables.
        warnings.simplefilter("ignore")
        found = METHODS[method](parts, favourable, constraint, seed)
    share = np.mean(parts[2][1] == favourable)
    return {
        **dict(zip(KEY, (dataset, constraint, method, seed), strict=True)),
        "majority": max(share, 1 - share),
        **{k: json.dumps(v) if isinstance(v, list) else v for k, v in found.items()},
    }


def report(path, out):
    """Print the tables, and write them where that was asked for."""
    results = read(path)
    picked = with_chosen(in_common(results), PICKS)
    tables = {
        "areas": ("Hypervolumes", table_of_areas(results)),
        "curves": ("Accuracy at the same differences", table_of_curves(results)),
        "costs": ("Cost", table_of_costs(results)),
        "within": ("Within the bound: .02, .05 and .1", table_of_shares(picked)),
    }
    for name, (title, table) in tables.items():
        # Without nine trainings there is nothing to compare with.
        if not table.empty:
            write_table(table, title=title, out=out, name=f"frontier_{name}")
    picks = table_of_picks(picked, PICKS)
    for (dataset, constraint), part in picks.groupby(
        ["data set", "constraint"], sort=False
    ):
        part = part.drop(columns=["data set", "constraint"])
        write_table(part, title=f"{dataset} ({GROUPS[dataset]}), {constraint}")
        if out is not None:
            name = f"frontier_{dataset}_{constraint.replace(' ', '_')}.csv"
            write_csv(part, Path(out) / name)


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--datasets", nargs="+", default=["adult", "compas", "lsac", "bank"]
    )
    parser.add_argument("--constraints", nargs="+", default=list(CRITERIA))
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="only print the tables")
    parser.add_argument("--out", type=Path, default=None, help="folder for the tables")
    parser.add_argument(
        "--quick", action="store_true", help="generated data, one seed, no nine nets"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.datasets, options.seeds = ["biased"], 1
        options.constraints, options.methods = (
            ["demographic_parity"],
            ["plain", "frontier"],
        )
        options.results = Path(tempfile.mkdtemp()) / "frontier_quick.csv"
    if not options.report:
        done = known_keys(options.results, KEY)
        tasks = [
            (dataset, constraint, method, seed)
            for last in (False, True)
            for constraint in options.constraints
            for dataset in options.datasets
            for seed in range(options.seeds)
            for method in options.methods
            if (method == ALL_ROWS) is last
        ]
        _warm_up()
        for task in tasks:
            if task not in done:
                append_row(run_one(*task, options.data_home), options.results)
    report(options.results, options.out)


if __name__ == "__main__":
    main()
