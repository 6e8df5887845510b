"""Tables of settings chosen on validation, and of what fits cost."""

import numpy as np
import pandas as pd

from benchmarks._report import mean_and_spread
from benchmarks.experiments.data import CRITERIA
from benchmarks.experiments.methods import (
    CEILING,
    METHODS,
    OURS,
    RUNNER_FRONT,
    RUNNER_SCORES_FRONT,
    VANILLA,
)
from benchmarks.experiments.running import BOTH, KEY

# The paper's differences; for equalized odds its sum.
PAPER_DIFFERENCE = {"demographic_parity": "DP", "equalized_odds": "EO_sum"}
WITHIN = (0.01, 0.03)
PUBLISHED_REDUCTION = 79.3
TITLES = {
    "AP": "AP",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "selection_rate": "selected",
    "DP": "ΔDP",
    "EO_sum": "ΔEO (sum)",
    "EO_larger": "ΔEO (larger)",
    "ABCC": "ABCC",
    "ABCC_within": "ABCC in labels",
}


def read_rows(*paths):
    """Rows of all files, those of both criteria under each; seeds run in full alone.

    A seed of a method counts once all of its settings are there, so that a method is
    never judged by half of its sweep.
    """
    rows = pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)
    rows = rows.drop_duplicates(list(KEY), keep="first")
    shared = rows["criterion"] == BOTH
    copies = [rows[shared].assign(criterion=criterion) for criterion in CRITERIA]
    rows = pd.concat([rows[~shared], *copies], ignore_index=True)
    return _complete(rows)


def _complete(rows):
    keys = ["dataset", "criterion", "method"]
    counts = rows.groupby([*keys, "seed"])["setting"].transform("size")
    most = counts.groupby([rows[key] for key in keys]).transform("max")
    rows = rows[(counts == most) | (rows["method"] == CEILING)]
    return rows[rows["error"].isna()].reset_index(drop=True)


def chosen_near_vanilla(rows, difference, within):
    """Per method and seed, the setting with the least difference near Vanilla's AP.

    Both are of the validation part; a constant classifier is not chosen.

    Parameters
    ----------
    rows : DataFrame
        Of one data set and criterion.

    difference : str
        What is made small.

    within : float
        How far the AP may lie below that of Vanilla of the same seed.

    Returns
    -------
    chosen : DataFrame
        The rows, and what the same seed of Vanilla has on test as ``vanilla``.
    """
    vanilla = rows[rows["method"] == VANILLA].set_index("seed")
    candidates = rows[rows["method"] != CEILING]
    candidates = candidates[candidates["seed"].isin(vanilla.index)]
    least = candidates["seed"].map(vanilla["valid_AP"]) - within
    allowed = candidates["valid_AP"] >= least
    allowed &= ~candidates["valid_constant"].astype(bool)
    candidates = candidates[allowed]
    best = candidates.groupby(["method", "seed"])[f"valid_{difference}"].idxmin()
    chosen = candidates.loc[best]
    return chosen.assign(vanilla=chosen["seed"].map(vanilla[f"test_{difference}"]))


def reduction(chosen, difference):
    """How much less the mean difference is than Vanilla's on the same seeds, in %."""
    if not len(chosen):
        return np.nan
    return 100 * (1 - chosen[f"test_{difference}"].mean() / chosen["vanilla"].mean())


def table_near_vanilla(rows, criterion):
    """Test figures of the chosen settings, for both distances from Vanilla's AP."""
    difference = PAPER_DIFFERENCE[criterion]
    tables = []
    for within in WITHIN:
        chosen = chosen_near_vanilla(rows, difference, within)
        for method in METHODS:
            own = rows[rows["method"] == method]
            if not len(own) or (method == VANILLA and within != WITHIN[0]):
                continue
            kept = chosen[chosen["method"] == method]
            run = own["seed"].nunique()
            row = {
                "AP within": "" if method == VANILLA else f"{within:g}",
                "method": method,
                "seeds": f"{len(kept)} of {run}",
            }
            row |= {
                title: mean_and_spread(kept[f"test_{name}"])
                for name, title in TITLES.items()
            }
            less = reduction(kept, difference)
            title = f"less {TITLES[difference]}"
            row[title] = "–" if np.isnan(less) else f"{less:.1f} %"
            row["group at prediction"] = (
                "yes" if own["groups_at_prediction"].astype(bool).all() else ""
            )
            tables.append(row)
    return pd.DataFrame(tables)


def table_of_reductions(rows):
    """Reduction of RUNNER's three forms and of the best other method without groups."""
    table = []
    for (dataset, criterion), part in rows.groupby(
        ["dataset", "criterion"], sort=False
    ):
        difference = PAPER_DIFFERENCE[criterion]
        for within in WITHIN:
            chosen = chosen_near_vanilla(part, difference, within)
            blind = chosen[~chosen["groups_at_prediction"].astype(bool)]
            found = {
                method: (reduction(own, difference), len(own))
                for method, own in blind.groupby("method")
                if method != VANILLA
            }
            row = {
                "data set": dataset,
                "criterion": criterion.replace("_", " "),
                "AP within": within,
            }
            for method in OURS:
                row[method] = _percent(found.get(method))
            others = {name: own for name, own in found.items() if name not in OURS}
            best = max(others, key=lambda name: others[name][0], default=None)
            row["best other"] = (
                "–" if best is None else f"{best}: {_percent(others[best])}"
            )
            reached = [found[name][0] for name in OURS if name in found]
            row[f"above {PUBLISHED_REDUCTION} %"] = (
                "yes" if max(reached, default=-np.inf) > PUBLISHED_REDUCTION else "no"
            )
            table.append(row)
    return pd.DataFrame(table)


def _percent(found):
    """Reduction and the seeds on which a setting was near enough."""
    return "–" if found is None else f"{found[0]:.1f} % ({found[1]})"


def table_of_costs(rows):
    """Mean seconds of a fit, and times those of Vanilla on the same seeds.

    Fronts were not timed beside Vanilla; ``benchmarks.frontier`` does that.
    """
    rows = rows[~rows["method"].isin([CEILING, RUNNER_FRONT, RUNNER_SCORES_FRONT])]
    table = {"method": [name for name in METHODS if name in set(rows["method"])]}
    for dataset, part in rows.groupby("dataset", sort=False):
        by_seed = part.groupby(["method", "seed"])["fit_seconds"].mean()
        vanilla = by_seed.get(VANILLA)
        cells = []
        for method in table["method"]:
            own = by_seed.get(method)
            if own is None or vanilla is None:
                cells.append("–")
                continue
            ratio = own.mean() / vanilla.reindex(own.index).mean()
            cells.append(f"{own.mean():.1f} s, {ratio:.1f} ×")
        table[dataset] = cells
    table["cut short"] = [METHODS[method].short for method in table["method"]]
    return pd.DataFrame(table)


def table_of_seeds(rows):
    """Seeds reached by each method on each data set."""
    counts = rows.groupby(["method", "dataset"], sort=False)["seed"].nunique()
    table = counts.unstack().reindex([CEILING, *METHODS]).dropna(how="all")
    names = [name for name in rows["dataset"].unique() if name in table]
    table = table[names].fillna(0).astype(int)
    return table.rename_axis("method").reset_index()
