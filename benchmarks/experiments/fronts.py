"""Fronts chosen on validation: their areas, the goal, and the distance to the limit."""

import itertools

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.experiments.methods import (
    CEILING,
    METHODS,
    NOT_RIVALS,
    RUNNER,
    RUNNER_FRONT,
    RUNNER_SCORES,
    RUNNER_SCORES_FRONT,
    VANILLA,
)
from skfair_runner.metrics.fronts import hypervolume, non_dominated

UTILITIES = ("accuracy", "AP")
# What a front trades for utility: of decisions, and of scores.
DECISIONS = {"demographic_parity": ("DP",), "equalized_odds": ("EO_larger",)}
SCORES = {
    "demographic_parity": ("ABCC", "largest"),
    "equalized_odds": ("ABCC_within", "largest_within"),
}
NAMES = {
    "DP": "ΔDP",
    "EO_larger": "ΔEO (larger)",
    "ABCC": "ABCC",
    "ABCC_within": "ABCC in labels",
    "largest": "largest over thresholds",
    "largest_within": "largest over thresholds in labels",
}
BOUNDS = (0.02, 0.05, 0.1)
GOAL = -1.0
GOAL_POINTS = 0.5


def front_points(own, vanilla, utility, difference):
    """Test figures of what no other setting beats on validation.

    Parameters
    ----------
    own : DataFrame
        Rows of one method and seed.

    vanilla : DataFrame
        The row of Vanilla of that seed; not to mitigate is a setting of every method.

    utility, difference : str
        More and less of which is better.

    Returns
    -------
    points : ndarray of shape (n_points, 2)
        Utility and difference of the test part.
    """
    both = pd.concat([vanilla, own], ignore_index=True)
    both = both[~both["valid_constant"].astype(bool)]
    kept = non_dominated(both[f"valid_{utility}"], both[f"valid_{difference}"])
    return both.loc[kept, [f"test_{utility}", f"test_{difference}"]].to_numpy(float)


def areas(rows, utility, difference):
    """Area of each method's front on test, times 1000, by method and seed.

    Parameters
    ----------
    rows : DataFrame
        Of one data set and criterion.

    utility, difference : str
        Of the front. It counts from what guessing reaches (the majority's accuracy, or
        the share of the favourable label as AP) and from Vanilla's mean difference.

    Returns
    -------
    areas : Series
        Indexed by method and seed.
    """
    vanilla = rows[rows["method"] == VANILLA]
    most = vanilla[f"test_{difference}"].mean()
    found = {}
    for (method, seed), own in rows.groupby(["method", "seed"], sort=False):
        plain = vanilla[vanilla["seed"] == seed]
        if method == CEILING or not len(plain):
            continue
        rate = own["base_rate"].iloc[0]
        least = max(rate, 1 - rate) if utility == "accuracy" else rate
        points = front_points(own, plain, utility, difference)
        found[method, seed] = 1000 * hypervolume(points, reference=(least, most))
    index = pd.MultiIndex.from_tuples(found, names=["method", "seed"])
    return pd.Series(list(found.values()), index=index, dtype=np.float64)


def interval(values):
    """Mean and the ends of its 95 % t interval; NaN ends for one value.

    Parameters
    ----------
    values : array-like of shape (n_values,)
        One per seed.

    Returns
    -------
    mean, low, high : float
        In the unit of the values.
    """
    values = np.asarray(values, dtype=np.float64)
    mean = values.mean()
    if len(values) < 2:
        return mean, np.nan, np.nan
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return mean, mean - half, mean + half


def _with_ends(values, digits):
    mean, low, high = interval(values)
    if np.isnan(low):
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def table_of_areas(rows, criterion):
    """Mean areas with 95 % intervals, of all methods and fronts."""
    columns = {}
    scored = rows[~rows["randomised"].astype(bool)]
    for kind, used in ((DECISIONS, rows), (SCORES, scored)):
        for difference in kind[criterion]:
            for utility in UTILITIES:
                by_method = areas(used, utility, difference).groupby("method")
                title = f"{utility} against {NAMES[difference]}"
                columns[title] = by_method.apply(lambda own: _with_ends(own, 2))
    seeds = rows.groupby("method")["seed"].nunique().rename("seeds")
    table = pd.DataFrame({"seeds": seeds, **columns}).fillna("–")
    order = [name for name in METHODS if name in table.index]
    return table.loc[order].rename_axis("method").reset_index()


def paired(found, method, rival):
    """Differences of area per seed, in percent of the rival's mean."""
    own, other = found[method].align(found[rival], join="inner")
    return 100 * (own - other) / other.mean()


def best_rival(found, method, rivals):
    """The rival that does best beside a method on the seeds of both; None without one.

    Those with fewer than two seeds in common are left out.
    """
    known = found.index.get_level_values("method").unique()
    means = {}
    for rival in rivals:
        if rival in known:
            against = paired(found, method, rival)
            if len(against) > 1 and np.isfinite(against).all():
                means[rival] = against.mean()
    return min(means, key=means.get, default=None)


def table_of_goals(rows, kind=DECISIONS, methods=(RUNNER, RUNNER_FRONT)):
    """One of RUNNER's two default repairs against the best rival, front by front.

    Parameters
    ----------
    rows : DataFrame
        As of ``views.read_rows``.

    kind : dict
        DECISIONS or SCORES; of scores, what draws its decisions has none.

    methods : tuple of str
        The repair trained for each bound, and its front from one training.

    Returns
    -------
    table : DataFrame
        Rivals share the net and need no group at prediction.
    """
    table = []
    for (dataset, criterion), part in rows.groupby(
        ["dataset", "criterion"], sort=False
    ):
        used = part[~part["groups_at_prediction"].astype(bool)]
        if kind is SCORES:
            used = used[~used["randomised"].astype(bool)]
        for difference, utility, method in itertools.product(
            kind[criterion], UTILITIES, methods
        ):
            if method not in set(used["method"]):
                continue
            row = {
                "data set": dataset,
                "criterion": criterion.replace("_", " "),
                "front": f"{utility} against {NAMES[difference]}",
                "trainings": "one" if METHODS[method].one_training else "one a bound",
            }
            table.append(row | _against_best(areas(used, utility, difference), method))
    return pd.DataFrame(table)


def table_of_score_goals(rows):
    """The same for the repair of scores."""
    return table_of_goals(rows, SCORES, (RUNNER_SCORES, RUNNER_SCORES_FRONT))


def _against_best(found, method):
    """Cells about one front's area and the best rival's."""
    if method not in found.index.get_level_values("method"):
        return {"area": "–", "best rival": "–"}  # there is no Vanilla beside it
    rivals = [name for name in METHODS if name not in NOT_RIVALS]
    rival = best_rival(found, method, rivals)
    cells = {"area": f"{found[method].mean():.2f}", "best rival": rival or "–"}
    if rival is None:
        return cells
    against = paired(found, method, rival)
    return cells | {
        "rival's area": f"{found[rival].reindex(against.index).mean():.2f}",
        "seeds": f"{len(against)}",
        "difference in %": _with_ends(against, 1),
        "above -1 %": "yes" if interval(against)[1] > GOAL else "no",
    }


def accuracy_at(points, bound):
    """Accuracy where a front has a difference, between its points; NaN out of reach.

    Parameters
    ----------
    points : ndarray of shape (n_points, 2)
        Accuracy and difference.

    bound : float
        Beyond the largest difference, its accuracy holds.

    Returns
    -------
    accuracy : float
        Interpolated in the difference.
    """
    points = points[np.lexsort((points[:, 0], points[:, 1]))]
    if not len(points) or bound < points[0, 1]:
        return np.nan
    return float(np.interp(bound, points[:, 1], points[:, 0]))


def ceiling_points(own, difference):
    """The limit's front, chosen on validation as all others."""
    kept = non_dominated(own["valid_accuracy"], own[f"valid_{difference}"])
    return own.loc[kept, ["test_accuracy", f"test_{difference}"]].to_numpy(float)


def table_of_distances(rows):
    """Points of accuracy between the limit and RUNNER, at equal test differences."""
    table = []
    for (dataset, criterion), part in rows.groupby(
        ["dataset", "criterion"], sort=False
    ):
        (difference,) = DECISIONS[criterion]
        by_method = dict(iter(part.groupby("method")))
        if not {CEILING, RUNNER, VANILLA} <= by_method.keys():
            continue
        for bound in BOUNDS:
            pairs = []
            for seed in by_method[RUNNER]["seed"].unique():
                own, plain, limit = (
                    by_method[name][by_method[name]["seed"] == seed]
                    for name in (RUNNER, VANILLA, CEILING)
                )
                points = front_points(own, plain, "accuracy", difference)
                pairs.append(
                    (
                        accuracy_at(ceiling_points(limit, difference), bound),
                        accuracy_at(points, bound),
                    )
                )
            pairs = np.array(pairs)
            reached = pairs[~np.isnan(pairs).any(axis=1)]
            row = {
                "data set": dataset,
                "criterion": criterion.replace("_", " "),
                "at": f"{NAMES[difference]} = {bound:g}",
                "reached by both": f"{len(reached)} of {len(pairs)}",
            }
            if len(reached):
                distance = 100 * (reached[:, 0] - reached[:, 1])
                row |= {
                    "limit": f"{reached[:, 0].mean():.4f}",
                    "RUNNER": f"{reached[:, 1].mean():.4f}",
                    "points below": _with_ends(distance, 2),
                    "within .5": "yes" if distance.mean() <= GOAL_POINTS else "no",
                }
            table.append(row)
    return pd.DataFrame(table)
