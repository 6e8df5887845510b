"""What group metrics cost, beside fairlearn's, for the same numbers.

Both sides are given the same labels, decisions and groups, and return the same numbers,
which is checked before anything is timed. They take turns: each repetition times both,
and the ratio is formed within it, so that whatever else the machine is doing slows both
sides. Processor time is compared rather than the clock, for the same reason.

    python -m benchmarks.metrics [--quick] [--out DIR]
"""

import argparse
import time

import fairlearn.metrics as fairlearn
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from benchmarks._report import machine, write_table
from skfair_runner.metrics import (
    demographic_parity_difference,
    equalized_odds_difference,
    fairness_summary,
    group_rates,
)

# The columns of `group_rates`; its sizes are counted by fairlearn, too.
RATES = {
    "n": fairlearn.count,
    "selection_rate": fairlearn.selection_rate,
    "base_rate": lambda y_true, y_pred: fairlearn.selection_rate(y_true, y_true),
    "true_positive_rate": fairlearn.true_positive_rate,
    "false_positive_rate": fairlearn.false_positive_rate,
    "accuracy": accuracy_score,
}
OF_SUMMARY = {
    name: RATES[name]
    for name in (
        "selection_rate",
        "true_positive_rate",
        "false_positive_rate",
        "accuracy",
    )
} | {"balanced_accuracy": balanced_accuracy_score}


def their_rates(y_true, y_pred, groups):
    """Rates of every group."""
    return fairlearn.MetricFrame(
        metrics=RATES, y_true=y_true, y_pred=y_pred, sensitive_features=groups
    ).by_group


def their_summary(y_true, y_pred, groups):
    """Overall numbers and differences, from one frame."""
    frame = fairlearn.MetricFrame(
        metrics=OF_SUMMARY, y_true=y_true, y_pred=y_pred, sensitive_features=groups
    )
    overall, apart = frame.overall, frame.difference()
    odds = [apart["true_positive_rate"], apart["false_positive_rate"]]
    return {
        "accuracy": overall["accuracy"],
        "balanced_accuracy": overall["balanced_accuracy"],
        "selection_rate": overall["selection_rate"],
        "demographic_parity_difference": apart["selection_rate"],
        "equalized_odds_difference": max(odds),
        "equalized_odds_sum": sum(odds),
        "equal_opportunity_difference": apart["true_positive_rate"],
        "demographic_parity_ratio": frame.ratio()["selection_rate"],
    }


# What is asked for: ours, theirs.
CONTESTS = {
    "group_rates, MetricFrame.by_group": (
        lambda y_true, y_pred, groups: group_rates(
            y_true, y_pred, sensitive_features=groups
        ),
        their_rates,
    ),
    "fairness_summary, MetricFrame": (
        lambda y_true, y_pred, groups: fairness_summary(
            y_true, y_pred, sensitive_features=groups
        ),
        their_summary,
    ),
    "demographic_parity_difference": (
        lambda y_true, y_pred, groups: demographic_parity_difference(
            y_true, y_pred, sensitive_features=groups
        ),
        lambda y_true, y_pred, groups: fairlearn.demographic_parity_difference(
            y_true, y_pred, sensitive_features=groups
        ),
    ),
    "equalized_odds_difference": (
        lambda y_true, y_pred, groups: equalized_odds_difference(
            y_true, y_pred, sensitive_features=groups
        ),
        lambda y_true, y_pred, groups: fairlearn.equalized_odds_difference(
            y_true, y_pred, sensitive_features=groups
        ),
    ),
}


def generate(n_samples, seed=0):
    """Labels, decisions, and groups in four spellings."""
    generator = np.random.default_rng(seed)
    y_true = generator.integers(0, 2, n_samples)
    y_pred = np.where(generator.random(n_samples) < 0.8, y_true, 1 - y_true)
    sex = generator.choice(["Female", "Male"], n_samples)
    region = generator.integers(0, 100, n_samples)
    groups = {
        "2, integers": pd.Series((sex == "Male").astype(int), name="sex"),
        "2, strings": pd.Series(sex, name="sex"),
        "200, integers": pd.Series(2 * region + (sex == "Male"), name="cell"),
        "200, crossed": pd.DataFrame({"sex": sex, "region": region}),
    }
    return y_true, y_pred, groups


def check_same(ours, theirs):
    """Refuse to time two functions whose numbers differ."""
    if isinstance(ours, dict):
        ours, theirs = ([found[name] for name in theirs] for found in (ours, theirs))
    elif isinstance(ours, pd.DataFrame):
        ours = ours.loc[theirs.index, theirs.columns]
    np.testing.assert_allclose(
        np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), atol=1e-12
    )


def seconds(function, data, times):
    """Processor time of one call, of so many in a row."""
    start = time.process_time()
    for _ in range(times):
        function(*data)
    return (time.process_time() - start) / times


def race(ours, theirs, data, repetitions):
    """Processor time per repetition of (ours, theirs), who take turns."""
    check_same(ours(*data), theirs(*data))
    # As long as one call of theirs, so that a hiccup of the machine meets both.
    times = max(1, round(seconds(theirs, data, 1) / seconds(ours, data, 3)))
    rows = []
    for repetition in range(repetitions):
        first = (ours, times), (theirs, 1)
        order = first if repetition % 2 else first[::-1]
        found = {function: seconds(function, data, n) for function, n in order}
        rows.append((found[ours], found[theirs]))
    return np.array(rows)


def compare(y_true, y_pred, groups, repetitions):
    """One row per question and spelling of the groups."""
    rows = []
    for name, (ours, theirs) in CONTESTS.items():
        for spelling, values in groups.items():
            taken = race(ours, theirs, (y_true, y_pred, values), repetitions)
            ratios = taken[:, 1] / taken[:, 0]
            low, high = np.quantile(ratios, [0.1, 0.9])
            own, other = 1e3 * np.median(taken, axis=0)
            rows.append(
                {
                    "numbers": name,
                    "groups": spelling,
                    "ours, ms": round(own, 2),
                    "fairlearn, ms": round(other),
                    "× faster": f"{np.median(ratios):.0f} ({low:.0f}–{high:.0f})",
                }
            )
    return pd.DataFrame(rows)


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    parser.add_argument("--repetitions", type=int, default=None)
    parser.add_argument("--out", default=None, help="folder for CSV files")
    options = parser.parse_args(arguments)
    n_samples, repetitions = (4_000, 2) if options.quick else (40_000, 7)
    repetitions = options.repetitions or repetitions
    write_table(
        compare(*generate(n_samples), repetitions),
        title=f"Group metrics on {n_samples:,} rows ({repetitions} repetitions)",
        out=options.out,
        name="metrics",
    )
    write_table(pd.DataFrame({"": [machine()]}), title="Machine")


if __name__ == "__main__":
    main()
