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
import pandas as pd
import torch
from scipy.sparse import issparse, vstack

from benchmarks._report import append_row, write_csv, write_table
from benchmarks.effect import CRITERIA, GROUPS, measure, split
from skfair_runner import RunnerFairClassifier, RunnerFrontier
from skfair_runner.compare import hypervolume
from skfair_runner.metrics.fronts import non_dominated

BOUNDS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2)
PICKS = (0.0, 0.02, 0.05, 0.1)
RESULTS = Path(__file__).parent / "results" / "frontier.csv"
KEY = ["dataset", "constraint", "method", "seed"]
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
        ["weight", "valid_accuracy", "valid_difference", "on_front"]
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
    seen = pd.DataFrame(points)
    alive = np.flatnonzero(~seen["valid_constant"])
    kept = non_dominated(
        seen["valid_accuracy"].to_numpy()[alive],
        seen["valid_difference"].to_numpy()[alive],
    )
    for position, point in enumerate(points):
        point["on_front"] = position in alive[kept]
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


def _said(values, digits=3):
    """Mean, and its spread over seeds."""
    values = np.asarray(values, dtype=float)
    if not len(values):
        return "–"
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{values.mean():.{digits}f} ± {values.std():.{digits}f}"


def _read(path):
    """Rows whose points and picks are tables again."""
    results = pd.read_csv(path)
    for column in ("points", "picks"):
        results[column] = [pd.DataFrame(json.loads(cell)) for cell in results[column]]
    return results


def _area(row, most):
    """Hypervolume of a row's points, constant ones left out, per thousand."""
    points = row["points"]
    points = points[~points["constant"]]
    reference = (row["majority"], most)
    return 1000 * hypervolume(points[["accuracy", "difference"]], reference=reference)


def table_of_fronts(results):
    """Hypervolumes and costs, by data set and constraint."""
    rows = []
    for (dataset, constraint), part in results.groupby(KEY[:2], sort=False):
        by_seed = part.set_index(["method", "seed"]).sort_index()
        plain_rows = by_seed.loc["plain"]
        most = np.mean([p["difference"].iloc[0] for p in plain_rows["points"]])
        row = {
            "data set": dataset,
            "constraint": constraint.replace("_", " "),
            "seeds": len(plain_rows),
            "difference, plain": f"{most:.3f}",
        }
        areas = {}
        for method in ("frontier", "controlled"):
            if method not in part["method"].to_numpy():
                continue
            own = by_seed.loc[method]
            areas[method] = np.array([_area(one, most) for _, one in own.iterrows()])
            row[f"hypervolume, {method}"] = _said(areas[method], 2)
            ratio = own["fit_seconds"] / plain_rows["fit_seconds"]
            total = ratio * len(BOUNDS) if method == "controlled" else ratio
            row[f"cost, {method}"] = _said(total, 1)
        if len(areas) == 2:
            wins = (areas["frontier"] >= areas["controlled"]).sum()
            row["front not below"] = f"{wins} of {len(plain_rows)}"
        rows.append(row)
    return pd.DataFrame(rows)


def table_of_picks(results):
    """What was asked for, and what the test part has of it."""
    rows = []
    for (dataset, constraint), part in results.groupby(KEY[:2], sort=False):
        for bound in PICKS:
            for method, own in part.groupby("method", sort=False):
                picks = [
                    table[table["bound"] == bound]
                    for table in own["picks"]
                    if len(table)
                ]
                if not picks:
                    continue
                picks = pd.concat(picks)
                within = (picks["difference"] <= bound).sum()
                rows.append(
                    {
                        "data set": dataset,
                        "constraint": constraint.replace("_", " "),
                        "bound": bound,
                        "method": method,
                        "seeds": len(picks),
                        "accuracy": _said(picks["accuracy"]),
                        "AP": _said(picks["AP"]),
                        "difference": _said(picks["difference"]),
                        "within": f"{within} of {len(picks)}",
                        "constant": int(picks["constant"].sum()),
                    }
                )
    return pd.DataFrame(rows)


def table_of_shares(results):
    """Share of test parts within the bound, over data sets and seeds."""
    rows = []
    for (constraint, method), part in results.groupby(KEY[1:3], sort=False):
        tables = [table for table in part["picks"] if len(table)]
        if not tables:
            continue
        picks = pd.concat(tables)
        picks = picks[picks["bound"] > 0]
        within = picks["difference"] <= picks["bound"]
        over = (picks["difference"] - picks["bound"]).clip(lower=0)
        rows.append(
            {
                "constraint": constraint.replace("_", " "),
                "method": method,
                "picks": len(picks),
                "within the bound": f"{within.mean():.0%}",
                "mean excess": f"{over.mean():.3f}",
                "accuracy": _said(picks["accuracy"]).split(" ")[0],
            }
        )
    return pd.DataFrame(rows)


def _in_common(results):
    """Rows of the seeds that the front and the controlled repair were both run with."""
    kept = []
    for _, part in results.groupby(KEY[:2], sort=False):
        seeds = [
            set(part.loc[part["method"] == method, "seed"])
            for method in ("plain", "frontier", "controlled")
        ]
        kept.append(part[part["seed"].isin(set.intersection(*seeds))])
    return pd.concat(kept)


def report(path, out):
    """Print the tables, and write them where that was asked for."""
    results = _read(path)
    if set(results["method"]) >= {"plain", "frontier", "controlled"}:
        results = _in_common(results)
    write_table(table_of_fronts(results), title="Fronts", out=out, name="frontier")
    write_table(
        table_of_shares(results),
        title="Within the bound: .02, .05 and .1",
        out=out,
        name="frontier_within",
    )
    picks = table_of_picks(results)
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
        done = set()
        if options.results.exists():
            known = pd.read_csv(options.results)
            done = set(known[KEY].itertuples(index=False, name=None))
        tasks = [
            (dataset, constraint, method, seed)
            for last in (False, True)
            for constraint in options.constraints
            for dataset in options.datasets
            for seed in range(options.seeds)
            for method in options.methods
            if (method == ALL_ROWS) is last
        ]
        for task in tasks:
            if task not in done:
                append_row(run_one(*task, options.data_home), options.results)
    report(options.results, options.out)


if __name__ == "__main__":
    main()
