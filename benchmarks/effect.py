"""What each method does to group differences, and at what cost, on real data.

One row per data set, criterion, method and seed, appended to a CSV as it is made; a run
that was stopped goes on where it left off. Splits are 60/20/20, stratified by group and
label; the group is never a feature, and only ThresholdOptimizer sees it at prediction.
Where a method has a weight to choose, it is chosen on the validation part: the most
accurate candidate whose difference is within the bound, else the smallest difference.

    python -m benchmarks.effect --datasets adult compas lsac --seeds 5
    python -m benchmarks.effect --report
"""

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._report import append_row, known_keys, mean_and_spread, write_table
from benchmarks.experiments.ceiling import GroupBlindLimit
from skfair_runner import (
    RunnerFairClassifier,
    make_table_preprocessor,
    paper_settings,
)
from skfair_runner.baselines import (
    ExponentiatedGradientClassifier,
    ThresholdOptimizerClassifier,
)
from skfair_runner.datasets import load_dataset
from skfair_runner.metrics import area_between_cdfs, fairness_summary

CRITERIA = {
    "demographic_parity": "demographic_parity_difference",
    "equalized_odds": "equalized_odds_difference",
}
# Data set and the group that is compared; LSAC's gap is between races.
GROUPS = {
    "adult": "sex",
    "compas": "race",
    "lsac": "race",
    "bank": "age_group",
    "biased": "gender",
}
BOUND = 0.05
GAP_WEIGHTS = (0.05, 0.1, 0.2, 0.4)
ORACLE_CALLS = 8
# Accuracy that the limit may give: what RUNNER's default gives for demographic parity,
# and bound 0 for equalized odds, on Adult.
PRICES = {"demographic_parity": 0.012, "equalized_odds": 0.003}
RESULTS = Path(__file__).parent / "results" / "effect.csv"
KEY = ["dataset", "criterion", "method", "seed"]
COLUMNS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "average_precision": "AP",
    "selection_rate": "selected",
    "demographic_parity_difference": "ΔDP",
    "equalized_odds_difference": "ΔEO (larger)",
    "equalized_odds_sum": "ΔEO (sum)",
    "abcc": "ABCC",
    "abcc_within_labels": "ABCC in labels",
    "fit_seconds": "fit s",
}


def unmitigated(criterion, dataset, seed):
    """The net alone, with the same two phases."""
    return [RunnerFairClassifier(None, random_state=seed)]


def runner_default(criterion, dataset, seed):
    """Every parameter at its default."""
    return [RunnerFairClassifier(criterion, random_state=seed)]


def runner_bound_zero(criterion, dataset, seed):
    """Asked for no difference at all."""
    return [RunnerFairClassifier(criterion, difference_bound=0.0, random_state=seed)]


def runner_scores(criterion, dataset, seed):
    """Repair of the scores at every threshold."""
    return [RunnerFairClassifier(criterion, repair="scores", random_state=seed)]


def runner_scores_tighter(criterion, dataset, seed):
    """The same with a bound of 0.03."""
    return [
        RunnerFairClassifier(
            criterion, repair="scores", difference_bound=0.03, random_state=seed
        )
    ]


def runner_paper(criterion, dataset, seed):
    """The paper's settings, on standardised features."""
    published = dataset if dataset in ("adult", "compas", "lsac") else "adult"
    settings = paper_settings(criterion, published)
    return [
        make_pipeline(
            StandardScaler(with_mean=False),
            RunnerFairClassifier(**settings, random_state=seed),
        )
    ]


def gap_penalty(criterion, dataset, seed):
    """A fixed weight on the output gap, no neurons; the weight chosen on validation."""
    return [
        RunnerFairClassifier(
            criterion,
            alpha=0.0,
            difference_bound=None,
            output_weight=weight,
            random_state=seed,
        )
        for weight in GAP_WEIGHTS
    ]


def exponentiated_gradient(criterion, dataset, seed):
    """Fairlearn's reduction over the same net, with a cap on its oracle calls."""
    return [
        ExponentiatedGradientClassifier(
            RunnerFairClassifier(None, random_state=seed),
            criterion,
            max_iter=ORACLE_CALLS,
            random_state=seed,
        )
    ]


def threshold_optimizer(criterion, dataset, seed):
    """Fairlearn's post-processing of the same net; needs groups at prediction."""
    return [
        ThresholdOptimizerClassifier(
            RunnerFairClassifier(None, random_state=seed),
            criterion,
            random_state=seed,
        )
    ]


def group_blind_limit(criterion, dataset, seed):
    """Plug-in decisions over boosted trees, for what RUNNER pays on Adult."""
    return [GroupBlindLimit(criterion, price=PRICES[criterion], random_state=seed)]


METHODS = {
    "unmitigated": unmitigated,
    "RUNNER (default)": runner_default,
    "RUNNER (bound 0)": runner_bound_zero,
    "RUNNER (scores)": runner_scores,
    "RUNNER (scores, bound 0.03)": runner_scores_tighter,
    "RUNNER (paper)": runner_paper,
    "gap penalty": gap_penalty,
    "ThresholdOptimizer": threshold_optimizer,
    "ExponentiatedGradient": exponentiated_gradient,
    "group-blind limit": group_blind_limit,
}


def rows_of_parts(groups, y, seed):
    """Rows of the train, validation and test part, stratified by group and label."""
    strata = groups.astype(str) + y.astype(str)
    train, rest = train_test_split(
        np.arange(len(y)), test_size=0.4, random_state=seed, stratify=strata
    )
    valid, test = train_test_split(
        rest, test_size=0.5, random_state=seed, stratify=strata.iloc[rest]
    )
    return train, valid, test


def split(dataset, seed, data_home):
    """Train, validation and test parts: (X, y, groups) each, encoded on train."""
    bunch = load_dataset(dataset, data_home=data_home)
    group = GROUPS[dataset]
    groups, y = bunch.sensitive_features[group], bunch.target
    X = bunch.data.drop(columns=bunch.sensitive_columns[group])
    train, valid, test = rows_of_parts(groups, y, seed)
    preprocess = make_table_preprocessor().fit(X.iloc[train])
    return [
        (
            preprocess.transform(X.iloc[rows]),
            y.iloc[rows].to_numpy(),
            groups.iloc[rows].to_numpy(),
        )
        for rows in (train, valid, test)
    ], bunch.favourable_label


def fit(estimator, X, y, groups):
    """Fit with groups in the spelling that a pipeline takes while routing is off."""
    name = "sensitive_features"
    if hasattr(estimator, "steps"):
        name = f"{estimator.steps[-1][0]}__{name}"
    return estimator.fit(X, y, **{name: groups})


def measure(classifier, part, favourable):
    """All metrics of one fitted classifier on one part."""
    X, y, groups = part
    knows = getattr(classifier, "needs_groups_at_predict", False)
    told = {"sensitive_features": groups} if knows else {}
    y_pred = classifier.predict(X, **told)
    y_score = None
    if hasattr(classifier, "predict_proba"):
        column = int(np.flatnonzero(classifier.classes_ == favourable)[0])
        y_score = classifier.predict_proba(X, **told)[:, column]
    row = fairness_summary(
        y, y_pred, y_score, sensitive_features=groups, pos_label=favourable
    )
    row["abcc_within_labels"] = np.nan
    if y_score is not None:
        row["abcc_within_labels"] = area_between_cdfs(
            y_score, sensitive_features=groups, y_true=y
        )
    return row


def choose(fitted, valid, favourable, criterion):
    """The candidate picked on the validation part, and its position."""
    if len(fitted) == 1:
        return 0
    rows = [measure(classifier, valid, favourable) for classifier in fitted]
    differences = np.array([row[CRITERIA[criterion]] for row in rows])
    accuracies = np.array([row["accuracy"] for row in rows])
    within = differences <= BOUND
    if not within.any():
        return int(differences.argmin())
    return int(np.where(within, accuracies, -np.inf).argmax())


def run_one(dataset, criterion, method, seed, data_home):
    """One row of the results."""
    torch.set_num_threads(1)
    (train, valid, test), favourable = split(dataset, seed, data_home)
    fitted, seconds = [], []
    with warnings.catch_warnings():
        # A constant classifier is a column of the table.
        warnings.simplefilter("ignore")
        for estimator in METHODS[method](criterion, dataset, seed):
            start = time.perf_counter()
            fitted.append(fit(estimator, *train))
            seconds.append(time.perf_counter() - start)
        chosen = choose(fitted, valid, favourable, criterion)
        row = measure(fitted[chosen], test, favourable)
    key = dict(zip(KEY, (dataset, criterion, method, seed), strict=True))
    return {**key, "setting": chosen, **row, "fit_seconds": seconds[chosen]}


def _cell(values, spread):
    """Mean, and its spread over seeds where there are several."""
    if len(values) and not spread:
        return f"{values.mean():.1f}"
    return mean_and_spread(values)


def report(path, out):
    """Mean ± standard deviation over seeds, per data set and criterion."""
    results = pd.read_csv(path)
    for (dataset, criterion), part in results.groupby(
        ["dataset", "criterion"], sort=False
    ):
        grouped = part.groupby("method", sort=False)
        table = pd.DataFrame({"seeds": grouped.size()})
        for column, title in COLUMNS.items():
            spread = column != "fit_seconds"
            table[title] = [
                _cell(values.dropna(), spread) for _, values in grouped[column]
            ]
        table["constant"] = grouped["constant"].sum()
        order = [name for name in METHODS if name in table.index]
        table = table.loc[order].rename_axis("method").reset_index()
        title = f"{dataset} ({GROUPS[dataset]}), {criterion.replace('_', ' ')}"
        write_table(table, title=title)
        if out is not None:
            name = f"effect_{dataset}_{criterion}.csv"
            table.to_csv(Path(out) / name, index=False)


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", nargs="+", default=["adult", "compas", "lsac"])
    parser.add_argument("--criteria", nargs="+", default=list(CRITERIA))
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="only print the tables")
    parser.add_argument("--out", type=Path, default=None, help="folder for the tables")
    parser.add_argument(
        "--quick", action="store_true", help="generated data, two methods, one seed"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.datasets, options.seeds = ["biased"], 1
        options.methods = ["unmitigated", "RUNNER (default)"]
        options.results = Path(tempfile.mkdtemp()) / "effect_quick.csv"
    if not options.report:
        done = known_keys(options.results, KEY)
        tasks = [
            (dataset, criterion, method, seed)
            for method in options.methods
            for dataset in options.datasets
            for criterion in options.criteria
            for seed in range(options.seeds)
        ]
        rows = Parallel(n_jobs=options.jobs, return_as="generator_unordered")(
            delayed(run_one)(*task, options.data_home)
            for task in tasks
            if task not in done
        )
        for row in rows:
            append_row(row, options.results)
    report(options.results, options.out)


if __name__ == "__main__":
    main()
