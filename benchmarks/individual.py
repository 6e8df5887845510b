"""Individual discrimination before and after retraining and repair, on real data.

The question is whether reducing a group difference also lowers it.

One row per data set, method and seed, appended to a CSV as it is made; a run that was
stopped goes on where it left off. Splits are 60/20/20, stratified by group and label.
The sensitive column is a feature like any other, except where a method leaves it out.
Every model is searched by EIDIG with the same seeds, steps and number of tries, from
training rows; rates are measured on test rows and on uniform rows of the box.

    python -m benchmarks.individual --datasets german adult bank --seeds 5
    python -m benchmarks.individual --report --out docs/benchmarks
"""

import argparse
import tempfile
import time
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from benchmarks._report import (
    append_row,
    known_keys,
    machine,
    mean_and_spread,
    write_table,
)
from skfair_runner import RunnerFairClassifier, make_table_preprocessor
from skfair_runner.datasets import load_dataset
from skfair_runner.fairness_testing import (
    EIDIG,
    Space,
    discrimination_rate,
    retrain_on_discriminatory,
)
from skfair_runner.metrics import fairness_summary

# Sensitive column, and what is no feature: weights of the census, and the age in years
# where its two bands are the sensitive column.
DATASETS = {
    "german": ("sex", ()),
    "adult": ("sex", ("fnlwgt",)),
    "bank": ("age_group", ("age",)),
    "biased": ("gender", ()),
}
PLAIN = "plain"
DP, EO = "demographic_parity", "equalized_odds"
REPAIRED = {PLAIN: None, "repaired (DP)": DP, "repaired (EO)": EO}
RETRAINED = {f"{name}, retrained": name for name in REPAIRED}
BLIND = {f"{name}, column left out": name for name in REPAIRED}
METHODS = [*REPAIRED, *RETRAINED, *BLIND]
# What is asked first comes first; each stage goes on from what it needs.
STAGES = [[*REPAIRED, f"{PLAIN}, retrained"], [*BLIND], [*RETRAINED][1:]]
SEEDS, STEPS, TRIES, BOX = 1000, 1000, 50_000, 10_000
SHARES = (0.1, 0.4)
GROUPS_KEYWORD = "runnerfairclassifier__sensitive_features"
RESULTS = Path(__file__).parent / "results" / "individual.csv"
KEY = ["dataset", "method", "seed"]


@lru_cache(maxsize=1)
def split(dataset, seed, data_home):
    """Train, validation and test parts (X, y), the box, and the favourable label."""
    bunch = load_dataset(dataset, data_home=data_home)
    sensitive, left_out = DATASETS[dataset]
    groups, y = bunch.sensitive_features[sensitive], bunch.target
    X = bunch.data.drop(columns=list(left_out)).assign(**{sensitive: groups})
    strata = groups.astype(str) + y.astype(str)
    train, rest = train_test_split(
        np.arange(len(y)), test_size=0.4, random_state=seed, stratify=strata
    )
    valid, test = train_test_split(
        rest, test_size=0.5, random_state=seed, stratify=strata.iloc[rest]
    )
    parts = [
        (X.iloc[rows].reset_index(drop=True), y.iloc[rows].to_numpy())
        for rows in (train, valid, test)
    ]
    space = Space.from_data(X, sensitive_features=sensitive)
    return parts, space, bunch.favourable_label


def make_model(constraint, seed, left_out=None):
    """The default net behind the table preprocessor; a column may be left out."""
    steps = [
        make_table_preprocessor(),
        RunnerFairClassifier(constraint, random_state=seed),
    ]
    if left_out is not None:
        drop = FunctionTransformer(pd.DataFrame.drop, kw_args={"columns": left_out})
        steps.insert(0, drop)
    return make_pipeline(*steps)


def search(model, X, space, seed):
    """Pairs that EIDIG finds within the tries that every model gets."""
    method = EIDIG(n_global=SEEDS, n_local=STEPS, budget=TRIES, random_state=seed)
    return method.search(model, X, space=space)


@lru_cache(maxsize=len(REPAIRED))
def trained(dataset, name, seed, data_home):
    """A model that sees the sensitive column, what a search finds, and the seconds."""
    ((X, y), _, _), space, _ = split(dataset, seed, data_home)
    start = time.perf_counter()
    model = make_model(REPAIRED[name], seed)
    model.fit(X, y, **{GROUPS_KEYWORD: X[DATASETS[dataset][0]]})
    seconds = time.perf_counter() - start
    return model, search(model, X, space, seed), seconds


def prepare(dataset, method, seed, data_home):
    """Model and search result of a method, and columns of their own."""
    ((X, y), valid, _), space, _ = split(dataset, seed, data_home)
    sensitive = DATASETS[dataset][0]
    if method in REPAIRED:
        model, result, seconds = trained(dataset, method, seed, data_home)
        return model, result, {"fit_seconds": seconds}
    start = time.perf_counter()
    if method in BLIND:
        model = make_model(REPAIRED[BLIND[method]], seed, sensitive)
        model.fit(X, y, **{GROUPS_KEYWORD: X[sensitive]})
        own = {}
    else:
        before, found, _ = trained(dataset, RETRAINED[method], seed, data_home)
        if not found.found:
            return before, found, {"fit_seconds": 0.0}
        keyword = None if RETRAINED[method] == PLAIN else GROUPS_KEYWORD
        start = time.perf_counter()
        retrained = retrain_on_discriminatory(
            before,
            X,
            y,
            found,
            evaluation=valid,
            shares=SHARES,
            groups_keyword=keyword,
            random_state=seed,
        )
        model = retrained.model
        chosen = retrained.table.loc[retrained.table["chosen"], "added"]
        own = {"added_rows": int(chosen.iloc[0])}
    own["fit_seconds"] = time.perf_counter() - start
    return model, search(model, X, space, seed), own


def flips(model, X, sensitive, advantaged, favourable):
    """Shares of rows that are selected with one value of the sensitive column alone.

    The sensitive column has two values; the advantaged one is selected more often in
    the training data. The shares add up to the discrimination rate.
    """
    values = X[sensitive].astype(str).unique()
    (other,) = [value for value in values if value != advantaged]
    selected = []
    for value in (advantaged, other):
        column = pd.Series(value, X.index).astype(X[sensitive].dtype)
        rows = X.assign(**{sensitive: column})
        selected.append(model.predict(rows) == favourable)
    return {
        "as_advantaged_alone": (selected[0] & ~selected[1]).mean(),
        "as_disadvantaged_alone": (selected[1] & ~selected[0]).mean(),
    }


def run_one(dataset, method, seed, data_home):
    """One row of the results."""
    with warnings.catch_warnings():
        # A constant classifier is a column of the table.
        warnings.simplefilter("ignore")
        model, result, own = prepare(dataset, method, seed, data_home)
    ((X_train, y_train), _, (X, y)), space, favourable = split(dataset, seed, data_home)
    sensitive = DATASETS[dataset][0]
    column = int(np.flatnonzero(model.classes_ == favourable)[0])
    quality = fairness_summary(
        y,
        model.predict(X),
        model.predict_proba(X)[:, column],
        sensitive_features=X[sensitive],
        pos_label=favourable,
    )
    rates = discrimination_rate(
        model, X, space=space, n_samples=BOX, random_state=seed
    ).rename(index={"data": "test"})
    wanted = pd.Series(y_train == favourable).groupby(X_train[sensitive].astype(str))
    advantaged = wanted.mean().idxmax()
    return {
        **dict(zip(KEY, (dataset, method, seed), strict=True)),
        **{
            f"{place}_{name}": value
            for place, row in rates.iterrows()
            for name, value in row.items()
        },
        **flips(model, X, sensitive, advantaged, favourable),
        "tried": result.tried,
        "found": result.found,
        "unverified": result.n_unverified,
        "search_seconds": result.seconds,
        **{
            name: quality[name]
            for name in (
                "accuracy",
                "average_precision",
                "selection_rate",
                "demographic_parity_difference",
                "equalized_odds_difference",
                "constant",
            )
        },
        "added_rows": 0,
        **own,
    }


def _rate(part, place):
    """Mean rate over seeds, and the mean ends of its intervals."""
    low, high = part[f"{place}_low"].mean(), part[f"{place}_high"].mean()
    return f"{mean_and_spread(part[f'{place}_rate'])} [{low:.3f}, {high:.3f}]"


def table_of(results):
    """What each method does on one data set; mean ± standard deviation over seeds."""
    rows = []
    for method in [name for name in METHODS if name in set(results["method"])]:
        part = results[results["method"] == method]
        rows.append(
            {
                "method": method,
                "seeds": len(part),
                "rate on test rows": _rate(part, "test"),
                "rate in the box": _rate(part, "box"),
                "selected as advantaged alone": mean_and_spread(
                    part["as_advantaged_alone"]
                ),
                "as disadvantaged alone": mean_and_spread(
                    part["as_disadvantaged_alone"]
                ),
                "found": mean_and_spread(part["found"], 0),
                "tried": mean_and_spread(part["tried"], 0),
                "found per second": mean_and_spread(
                    part["found"] / part["search_seconds"], 0
                ),
                "accuracy": mean_and_spread(part["accuracy"]),
                "AP": mean_and_spread(part["average_precision"]),
                "ΔDP": mean_and_spread(part["demographic_parity_difference"]),
                "ΔEO (larger)": mean_and_spread(part["equalized_odds_difference"]),
                "constant": int(part["constant"].sum()),
                "added rows": mean_and_spread(part["added_rows"], 0),
            }
        )
    return pd.DataFrame(rows)


def draw(results, path):
    """Rates of each method that sees the column, with the spread over seeds."""
    import matplotlib.pyplot as plt

    methods = [*REPAIRED, *RETRAINED]
    methods = [name for name in methods if name in set(results["method"])]
    datasets = list(dict.fromkeys(results["dataset"]))
    figure, axes = plt.subplots(
        1, len(datasets), figsize=(3 * len(datasets) + 2, 3.4), sharey=True, dpi=120
    )
    for ax, dataset in zip(np.atleast_1d(axes), datasets, strict=True):
        part = results[results["dataset"] == dataset].groupby("method")
        for place, marker, colour in (
            ("test", "o", "#0072B2"),
            ("box", "s", "#D55E00"),
        ):
            mean = part[f"{place}_rate"].mean().reindex(methods)
            spread = part[f"{place}_rate"].std().reindex(methods).fillna(0)
            style = {"color": colour, "label": f"{place} rows", "capsize": 2}
            heights = np.arange(len(methods)) + (0.12 if place == "box" else -0.12)
            ax.errorbar(mean, heights, xerr=spread, fmt=marker, ms=4, **style)
            ax.axvline(mean[PLAIN], color=colour, linewidth=0.8, linestyle=":")
        ax.set(title=dataset, xlabel="discrimination rate", xlim=(0, None))
        ax.spines[["top", "right"]].set_visible(False)
    first = np.atleast_1d(axes)[0]
    first.set_yticks(range(len(methods)), methods)
    first.invert_yaxis()
    first.legend(loc="lower right", frameon=False)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def report(path, out):
    """Print the tables, and write them and the figure where that was asked for."""
    results = pd.read_csv(path)
    for dataset, part in results.groupby("dataset", sort=False):
        write_table(
            table_of(part),
            title=f"{dataset} ({DATASETS[dataset][0]})",
            out=out,
            name=f"individual_{dataset}",
        )
    if out is not None:
        draw(results, Path(out) / "individual.png")


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", nargs="+", default=["german", "adult", "bank"])
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="only print the tables")
    parser.add_argument("--out", type=Path, default=None, help="folder for the tables")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="generated data, one seed, no EO",
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(machine())
    if options.quick:
        options.datasets, options.seeds = ["biased"], 1
        options.methods = [name for name in METHODS if "EO" not in name]
        options.results = Path(tempfile.mkdtemp()) / "individual_quick.csv"
    if not options.report:
        done = known_keys(options.results, KEY)
        tasks = [
            (dataset, method, seed)
            for stage in STAGES
            for seed in range(options.seeds)
            for dataset in options.datasets
            for method in stage
            if method in options.methods
        ]
        for task in tasks:
            if task not in done:
                append_row(run_one(*task, options.data_home), options.results)
    report(options.results, options.out)


if __name__ == "__main__":
    main()
