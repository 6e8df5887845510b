"""Tables of fronts: areas, costs, picks, and how often bounds held."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from benchmarks._report import mean_and_spread
from skfair_runner.compare import hypervolume
from skfair_runner.metrics.fronts import non_dominated

KEY = ["dataset", "constraint", "method", "seed"]
NINE = "controlled"
# Every third of the front's 25 points, so that as many count as of the others.
EVERY = 3
CHOSEN = "controlled, chosen"


def read(path) -> pd.DataFrame:
    """Rows whose points and picks are tables again."""
    results = pd.read_csv(path)
    for column in ("points", "picks"):
        results[column] = [pd.DataFrame(json.loads(cell)) for cell in results[column]]
    return results


def _areas(rows, most: float, keep) -> pd.Series:
    """Hypervolume per thousand of the points that count, by seed."""
    found = {}
    for seed, row in rows.iterrows():
        points = keep(row["points"])
        points = points[~points["constant"]]
        reference = (row["majority"], most)
        area = hypervolume(points[["accuracy", "difference"]], reference=reference)
        found[seed] = 1000 * area
    return pd.Series(found, dtype=float)


def _as_many(points):
    """Nine points, whichever they are."""
    return points if len(points) <= 9 else points.iloc[::EVERY]


def _kept(points):
    """Of nine points, those that the rows held out keep."""
    points = _as_many(points)
    if "valid_constant" in points:
        points = points[~points["valid_constant"].astype(bool)]
    return points[non_dominated(points["valid_accuracy"], points["valid_difference"])]


READINGS = {
    "all": lambda points: points,
    "nine of each": _as_many,
    "kept": _kept,
}


def _most(plain) -> float:
    """Mean difference of the plain net."""
    return float(np.mean([points["difference"].iloc[0] for points in plain["points"]]))


def _settings(results):
    """Data set, constraint, and rows by method, each indexed by seed."""
    for (dataset, constraint), part in results.groupby(KEY[:2], sort=False):
        methods = {
            method: own.set_index("seed").sort_index()
            for method, own in part.groupby("method", sort=False)
        }
        if {"plain", "frontier"} <= methods.keys():
            yield dataset, constraint.replace("_", " "), methods


def table_of_areas(results) -> pd.DataFrame:
    """Hypervolumes of one front and of nine trainings, in each reading."""
    rows = []
    for dataset, constraint, methods in _settings(results):
        most = _most(methods["plain"])
        for reading, keep in READINGS.items():
            nine = methods.get(NINE, pd.DataFrame({"points": []}))
            if keep is _kept:
                nine = nine[["valid_accuracy" in points for points in nine["points"]]]
            seeds = methods["frontier"].index.intersection(nine.index)
            if not len(seeds):
                continue
            front = _areas(methods["frontier"].loc[seeds], most, keep)
            against = _areas(nine.loc[seeds], most, keep)
            rows.append(
                {
                    "data set": dataset,
                    "constraint": constraint,
                    "difference, plain": f"{most:.3f}",
                    "points": reading,
                    "seeds": len(seeds),
                    "front": mean_and_spread(front, 2),
                    "nine trainings": mean_and_spread(against, 2),
                    "front not below": f"{(front >= against).sum()} of {len(seeds)}",
                }
            )
    return pd.DataFrame(rows)


def _along(points, differences):
    """Accuracy on straight lines between points, in the order of their differences."""
    points = points[~points["constant"]].sort_values("difference")
    return np.interp(differences, points["difference"], points["accuracy"])


def accuracy_along(front, nine) -> tuple[float, float]:
    """Mean accuracy of both over the differences that both reach.

    No point is left out for being worse than another, so that luck in one of many
    points on the rows that are reported is no gain.
    """
    ends = [(p["difference"].min(), p["difference"].max()) for p in (front, nine)]
    (one, other), (this, that) = ends
    differences = np.linspace(max(one, this), min(other, that), 100)
    return _along(front, differences).mean(), _along(nine, differences).mean()


def table_of_curves(results) -> pd.DataFrame:
    """Accuracy of one front and of nine trainings at the same differences."""
    rows = []
    for dataset, constraint, methods in _settings(results):
        if NINE not in methods:
            continue
        seeds = methods["frontier"].index.intersection(methods[NINE].index)
        if not len(seeds):
            continue
        pairs = np.array(
            [
                accuracy_along(
                    methods["frontier"].loc[seed, "points"],
                    methods[NINE].loc[seed, "points"],
                )
                for seed in seeds
            ]
        )
        rows.append(
            {
                "data set": dataset,
                "constraint": constraint,
                "seeds": len(seeds),
                "front": mean_and_spread(pairs[:, 0], 4),
                "nine": mean_and_spread(pairs[:, 1], 4),
                "front less nine": mean_and_spread(pairs[:, 0] - pairs[:, 1], 4),
            }
        )
    return pd.DataFrame(rows)


def table_of_costs(results) -> pd.DataFrame:
    """Seconds of one processor, in plain fits that were made beside them."""
    rows = []
    for dataset, constraint, methods in _settings(results):
        front, plain = methods["frontier"], methods["plain"]["fit_seconds"]
        ratio = (front["fit_seconds"] / plain).dropna()
        neurons = (front["neuron_seconds"] / plain).dropna()
        row = {
            "data set": dataset,
            "constraint": constraint,
            "seeds": len(ratio),
            "front": mean_and_spread(ratio, 2),
            "its neurons": mean_and_spread(neurons, 2),
            "seconds of the front": mean_and_spread(front["fit_seconds"], 1),
        }
        if NINE in methods:
            one = methods[NINE]["fit_seconds"].mean() / plain.mean()
            row["nine trainings"] = f"{9 * one:.1f}"
        rows.append(row)
    return pd.DataFrame(rows)


def chosen_of_nine(points, bounds) -> pd.DataFrame:
    """Of nine trainings, the most accurate within each bound on the rows held out."""
    alive = points[~points["valid_constant"].astype(bool)]
    picks = []
    for bound in bounds:
        within = alive[alive["valid_difference"] <= bound]
        if len(within):
            pick = within.loc[within["valid_accuracy"].idxmax()]
        else:
            pick = alive.loc[alive["valid_difference"].idxmin()]
        picks.append({**pick.to_dict(), "bound": bound})
    return pd.DataFrame(picks)


def with_chosen(results, bounds) -> pd.DataFrame:
    """Results with a method more: picks among nine trainings, on rows held out."""
    nine = results[results["method"] == NINE]
    nine = nine[["valid_accuracy" in points for points in nine["points"]]].copy()
    if nine.empty:
        return results
    nine["picks"] = [chosen_of_nine(points, bounds) for points in nine["points"]]
    return pd.concat([results, nine.assign(method=CHOSEN)])


def in_common(results) -> pd.DataFrame:
    """Rows of the seeds that the front and the nine trainings were both made with."""
    kept = []
    for _, part in results.groupby(KEY[:2], sort=False):
        seeds = [
            set(part.loc[part["method"] == method, "seed"])
            for method in ("frontier", NINE)
        ]
        common = set.intersection(*seeds) or set.union(*seeds)
        kept.append(part[part["seed"].isin(common)])
    return pd.concat(kept)


def above_curve(pick, nine) -> float:
    """Accuracy of a pick less that of nine trainings at the same difference.

    Between two of them the curve is straight; beyond its ends it is level.
    """
    nine = nine[~nine["constant"]]
    kept = nine[non_dominated(nine["accuracy"], nine["difference"])]
    kept = kept.sort_values("difference")
    curve = np.interp(pick["difference"], kept["difference"], kept["accuracy"])
    return float(pick["accuracy"] - curve)


def table_of_picks(results, bounds) -> pd.DataFrame:
    """What was asked for, and what the test part has of it."""
    rows = []
    for (dataset, constraint), part in results.groupby(KEY[:2], sort=False):
        for bound in bounds:
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
                        "accuracy": mean_and_spread(picks["accuracy"]),
                        "AP": mean_and_spread(picks["AP"]),
                        "difference": mean_and_spread(picks["difference"]),
                        "within": f"{within} of {len(picks)}",
                        "constant": int(picks["constant"].sum()),
                    }
                )
    return pd.DataFrame(rows)


def table_of_shares(results) -> pd.DataFrame:
    """Picks within the bound, over data sets and seeds that all methods have.

    "Above the curve" is the accuracy less that of the nine trainings at the same
    difference.
    """
    rows = []
    for constraint, part in results.groupby("constraint", sort=False):
        methods = {
            method: own.set_index(["dataset", "seed"])
            for method, own in part.groupby("method", sort=False)
            if method in ("frontier", NINE, CHOSEN)
        }
        if not methods.keys() >= {"frontier", NINE}:
            continue
        common = set.intersection(*(set(own.index) for own in methods.values()))
        for method, own in methods.items():
            picks, above = [], []
            for key in sorted(common):
                own_picks = own.loc[key, "picks"]
                own_picks = own_picks[own_picks["bound"] > 0]
                curve = methods[NINE].loc[key, "points"]
                picks.append(own_picks)
                above += [above_curve(pick, curve) for _, pick in own_picks.iterrows()]
            picks = pd.concat(picks)
            within = picks["difference"] <= picks["bound"]
            over = (picks["difference"] - picks["bound"]).clip(lower=0)
            rows.append(
                {
                    "constraint": constraint.replace("_", " "),
                    "method": method,
                    "picks": len(picks),
                    "within the bound": f"{within.mean():.0%}",
                    "mean excess": f"{over.mean():.3f}",
                    "accuracy": f"{picks['accuracy'].mean():.4f}",
                    "above the curve": f"{np.mean(above):+.4f}",
                }
            )
    return pd.DataFrame(rows)
