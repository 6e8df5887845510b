"""Every method of the package on the same folds of one data set, around the same net.

RUNNER and the fourteen baselines, three folds stratified by group and label; the group
is never a feature. Methods that would take hours are cut short, and the table says how.
Every fit is stored as it is made: a run that was stopped goes on where it left off.
Processes have one thread each.

    python -m benchmarks.comparison --data-home folder --out docs/benchmarks
    python -m benchmarks.comparison --quick
    python -m benchmarks.comparison --dataset compas --rows 2000 --methods all
"""

import argparse
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split

from benchmarks._report import machine, write_table
from skfair_runner import compare_classifiers, standard_classifiers
from skfair_runner.cli.cases import case_of_dataset
from skfair_runner.compare._measures import DIFFERENCE_OF
from skfair_runner.compare._methods import (
    METHODS,
    about_caps,
    about_methods,
    short_training,
)
from skfair_runner.groups import encode_groups

BOUND = 0.05
COLUMNS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "average_precision": "AP",
    "selection_rate": "selected",
    "demographic_parity_difference": "ΔDP",
    "equalized_odds_difference": "ΔEO (larger)",
    "equalized_odds_sum": "ΔEO (sum)",
    "abcc": "ABCC",
    "fit_seconds": "fit s",
}


def some_rows(case, n_rows, seed):
    """A part of the table, stratified by group and label; None takes all."""
    if n_rows is None or n_rows >= len(case.y):
        return case
    cells = 2 * encode_groups(case.groups).codes + (case.y == case.pos_label)
    rows, _ = train_test_split(
        np.arange(len(cells)), train_size=n_rows, random_state=seed, stratify=cells
    )
    rows = np.sort(rows)
    return replace(
        case,
        X=case.X.iloc[rows].reset_index(drop=True),
        y=case.y[rows],
        groups=case.groups.iloc[rows].reset_index(drop=True),
    )


def run(case, options):
    """The comparison, and how methods were cut short."""
    training = short_training(len(case.y) * (options.folds - 1) // options.folds)
    classifiers = standard_classifiers(
        options.constraint,
        methods=options.methods,
        difference_bound=BOUND,
        sensitive_columns=[c for c in case.left_out if c in case.X.columns] or None,
        pos_label=case.pos_label,
        max_iter=options.iterations,
        oracle_parameters=training,
    )
    results = options.results
    results.parent.mkdir(parents=True, exist_ok=True)
    with (
        joblib.parallel_config(backend="loky", inner_max_num_threads=1),
        warnings.catch_warnings(),
    ):
        # Where nothing runs side by side, loky has no process to limit.
        torch.set_num_threads(1)
        # What is constant or above the bound is a column of the table.
        warnings.simplefilter("ignore")
        comparison = compare_classifiers(
            classifiers,
            case.X,
            case.y,
            sensitive_features=case.sensitive_features,
            cv=options.folds,
            pos_label=case.pos_label,
            n_jobs=options.jobs,
            random_state=options.seed,
            results=results,
            verbose=1,
        )
    return comparison, about_caps(classifiers, options.iterations, training)


def table_of(comparison, constraint, short):
    """Mean ± standard deviation over folds, and what each method needs."""
    table = comparison.table
    shown = pd.DataFrame(index=table.index)
    for name, title in COLUMNS.items():
        digits = 1 if name == "fit_seconds" else 3
        pairs = zip(table[f"{name}_mean"], table[f"{name}_std"], strict=True)
        shown[title] = [_cell(mean, std, digits) for mean, std in pairs]
    aim = DIFFERENCE_OF[constraint]
    shown[f"95 % of {COLUMNS[aim]}"] = [
        "–" if pd.isna(low) else f"{low:.3f} to {high:.3f}"
        for low, high in zip(table[f"{aim}_low"], table[f"{aim}_high"], strict=True)
    ]
    words = {True: "yes", False: "no"}
    shown["groups at prediction"] = table["needs_groups_at_predict"].map(words)
    shown["by lot"] = table["randomised"].map(words)
    shown["constant"] = table["constant_folds"]
    shown["cut short to"] = [short.get(name, "") for name in table.index]
    if table["error"].any():
        shown["error"] = table["error"]
    return shown.rename_axis("method").reset_index()


def _cell(mean, std, digits):
    return "–" if pd.isna(mean) else f"{mean:.{digits}f} ± {std:.{digits}f}"


def read_options(arguments):
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dataset", default="adult")
    parser.add_argument("--sensitive", nargs="+", default=[], help="groups, crossed")
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--rows", type=int, default=None, help="a random part")
    parser.add_argument(
        "--constraint",
        default="demographic_parity",
        choices=["demographic_parity", "equalized_odds"],
    )
    parser.add_argument(
        "--methods", nargs="+", default=["all"], help=f"quick, all, or {[*METHODS]}"
    )
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=8, help="of the reduction")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=None, help="file of the fits")
    parser.add_argument("--out", type=Path, default=None, help="folder for the table")
    parser.add_argument("--html", type=Path, default=None, help="file for the page")
    parser.add_argument(
        "--quick", action="store_true", help="generated data, quick methods"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.dataset, options.methods, options.iterations = "biased", ["quick"], 5
    if options.methods in (["quick"], ["all"]):
        (options.methods,) = options.methods
    if options.results is None:
        rows = f"_{options.rows}" if options.rows else ""
        name = f"comparison_{options.dataset}{rows}.fits"
        options.results = Path(__file__).parent / "results" / name
    return options


def main(arguments=None):
    """Command line."""
    options = read_options(arguments)
    start = time.perf_counter()
    case = case_of_dataset(
        options.dataset, data_home=options.data_home, sensitive=options.sensitive
    )
    case = some_rows(case, options.rows, options.seed)
    comparison, short = run(case, options)
    table = table_of(comparison, options.constraint, short)
    title = (
        f"{options.dataset} ({' × '.join(case.groups)}), {len(case.y):,} rows, "
        f"{options.constraint.replace('_', ' ')}, bound {BOUND}, {options.folds} folds"
    )
    name = f"comparison_{options.dataset}_{options.constraint}"
    write_table(table, title=title, out=options.out, name=name)
    notes = about_methods(options.methods, options.constraint)
    minutes = (time.perf_counter() - start) / 60
    sys.stdout.write("\n".join(["", *notes, f"{minutes:.1f} minutes, {machine()}", ""]))
    if options.html is not None:
        comparison.to_html(
            options.html,
            difference=DIFFERENCE_OF[options.constraint],
            data_name=case.name,
            favourable=case.favourable,
            notes=[
                *notes,
                *(f"{label} is cut short: {text}." for label, text in short.items()),
            ],
        )


if __name__ == "__main__":
    main()
