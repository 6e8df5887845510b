"""More than two groups: what becomes of the largest difference among all of them.

Each group is held to the overall rate, within half of the bound, which bounds max - min
by the whole. Splits are 60/20/20, stratified by group and label; the sensitive columns
are no features; figures are of the test part, and nothing is chosen. One row per case,
way and seed, appended to a CSV as it is made; a run that was stopped goes on where it
left off.

    python -m benchmarks.many_groups --seeds 5
    python -m benchmarks.many_groups --report --out docs/benchmarks
"""

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import pandas as pd
import torch

from benchmarks._report import append_row, known_keys, mean_and_spread, write_table
from benchmarks.effect import fit, measure, rows_of_parts
from skfair_runner import RunnerFairClassifier, make_table_preprocessor
from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.datasets import load_dataset
from skfair_runner.metrics import group_rates

RESULTS = Path(__file__).parent / "results" / "many_groups.csv"
KEY = ["case", "way", "seed"]
# Data set and sensitive columns, crossed where there are two.
CASES = {
    "adult, race": ("adult", ["race"]),
    "adult, sex and race": ("adult", ["sex", "race"]),
    "biased, gender": ("biased", ["gender"]),
}
# Groups of fewer rows than this are taken together: a rate of a few test rows is noise.
LEAST_ROWS = 1500
CONSTRAINT = "demographic_parity"
DIFFERENCE = "demographic_parity_difference"
WAYS = {
    "unmitigated": lambda seed: RunnerFairClassifier(None, random_state=seed),
    "RUNNER (default)": lambda seed: RunnerFairClassifier(
        CONSTRAINT, random_state=seed
    ),
    "RUNNER (bound 0)": lambda seed: RunnerFairClassifier(
        CONSTRAINT, difference_bound=0.0, random_state=seed
    ),
    "gap penalty 0.2": lambda seed: RunnerFairClassifier(
        CONSTRAINT,
        alpha=0.0,
        difference_bound=None,
        output_weight=0.2,
        random_state=seed,
    ),
    "ThresholdOptimizer": lambda seed: ThresholdOptimizerClassifier(
        RunnerFairClassifier(None, random_state=seed), CONSTRAINT, random_state=seed
    ),
}
COSTS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "average_precision": "AP",
    "selection_rate": "selected",
    DIFFERENCE: "ΔDP",
    "standard_deviation": "sd of rates",
    "abcc": "ABCC",
}


def groups_of(bunch, columns):
    """Names of the crossed groups; small ones of a column are called "other"."""
    parts = []
    for name in columns:
        part = bunch.sensitive_features[name].astype(str)
        sizes = part.value_counts()
        small = sizes.index[sizes < LEAST_ROWS]
        parts.append(part.where(~part.isin(small) | (len(small) < 2), "other"))
    return parts[0].str.cat(parts[1:], sep=", ")


def load_parts(case, seed, data_home):
    """Train and test part, (X, y, groups) each, and the favourable label."""
    dataset, columns = CASES[case]
    bunch = load_dataset(dataset, data_home=data_home)
    y, groups = bunch.target, groups_of(bunch, columns)
    left_out = {each for name in columns for each in bunch.sensitive_columns[name]}
    X = bunch.data.drop(columns=sorted(left_out))
    train, _, test = rows_of_parts(groups, y, seed)
    preprocess = make_table_preprocessor().fit(X.iloc[train])
    return [
        (
            preprocess.transform(X.iloc[rows]),
            y.iloc[rows].to_numpy(),
            groups.iloc[rows].to_numpy(),
        )
        for rows in (train, test)
    ], bunch.favourable_label


def run_one(case, way, seed, data_home):
    """Test figures of one way."""
    torch.set_num_threads(1)
    (train, test), favourable = load_parts(case, seed, data_home)
    classifier = WAYS[way](seed)
    with warnings.catch_warnings():
        # Constant classifiers and unmet bounds are seen in the figures.
        warnings.simplefilter("ignore")
        start = time.process_time()
        fit(classifier, *train)
        seconds = time.process_time() - start
    row = measure(classifier, test, favourable)
    told = {}
    if getattr(classifier, "needs_groups_at_predict", False):
        told["sensitive_features"] = test[2]
    rates = group_rates(
        test[1],
        classifier.predict(test[0], **told),
        sensitive_features=test[2],
        pos_label=favourable,
    )
    row["standard_deviation"] = rates["selection_rate"].std(ddof=0)
    return {
        **dict(zip(KEY, (case, way, seed), strict=True)),
        "n_groups": len(set(test[2])),
        **{name: row[name] for name in COSTS},
        "constant": bool(row["constant"]),
        "fit_seconds": seconds,
    }


def report(path, out):
    """Mean ± standard deviation over the seeds, per case."""
    results = pd.read_csv(path)
    for case, part in results.groupby("case", sort=False):
        table = []
        for way in [way for way in WAYS if way in set(part["way"])]:
            own = part[part["way"] == way]
            row = {"method": way, "groups": own["n_groups"].max(), "seeds": len(own)}
            row |= {title: mean_and_spread(own[name]) for name, title in COSTS.items()}
            row["constant"] = int(own["constant"].sum())
            row["fit s"] = f"{own['fit_seconds'].mean():.1f}"
            table.append(row)
        name = case.replace(", ", "_").replace(" ", "_")
        write_table(
            pd.DataFrame(table), title=case, out=out, name=f"many_groups_{name}"
        )


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    cases = [case for case in CASES if not case.startswith("biased")]
    parser.add_argument("--cases", nargs="+", default=cases, choices=list(CASES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="only print the tables")
    parser.add_argument("--out", type=Path, default=None, help="folder for the tables")
    parser.add_argument("--quick", action="store_true", help="generated data, one seed")
    options = parser.parse_args(arguments)
    if options.quick:
        options.cases, options.seeds = ["biased, gender"], 1
        options.results = Path(tempfile.mkdtemp()) / "many_groups_quick.csv"
    if not options.report:
        done = known_keys(options.results, KEY)
        for seed in range(options.seeds):
            for case in options.cases:
                for way in WAYS:
                    if (case, way, seed) not in done:
                        row = run_one(case, way, seed, options.data_home)
                        append_row(row, options.results)
    report(options.results, options.out)


if __name__ == "__main__":
    main()
