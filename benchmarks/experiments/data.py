"""Data sets with their groups, split in three, and what is measured on a part."""

import warnings
from typing import NamedTuple

import numpy as np

from benchmarks.effect import measure, rows_of_parts
from skfair_runner import make_table_preprocessor
from skfair_runner.datasets import load_dataset
from skfair_runner.metrics import largest_demographic_parity_difference
from skfair_runner.utils import SkfairRunnerWarning

# Data set and the group that is compared.
CASES = {
    "adult": ("adult", "sex"),
    "compas": ("compas", "race"),
    "credit": ("credit", "sex"),
    "lsac_race": ("lsac", "race"),
    "lsac_sex": ("lsac", "sex"),
    "bank": ("bank", "age_group"),
    "biased": ("biased", "gender"),
}
CRITERIA = ("demographic_parity", "equalized_odds")
# A share of all people: nearly everybody is selected on some data sets.
SELECTION_RATES = (0.05, 0.95)
# Of the generated table, which only shows that everything runs.
QUICK_ROWS = 800
PARTS = ("valid", "test")
# Names in the rows, and in a fairness summary.
MEASURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "AP": "average_precision",
    "selection_rate": "selection_rate",
    "DP": "demographic_parity_difference",
    "EO_larger": "equalized_odds_difference",
    "EO_sum": "equalized_odds_sum",
    "ABCC": "abcc",
    "ABCC_within": "abcc_within_labels",
    "constant": "constant",
}


class Part(NamedTuple):
    """Rows of one part: as they are in the table, and as the net gets them."""

    raw: object
    X: object
    y: np.ndarray
    groups: np.ndarray


class Case(NamedTuple):
    """One split of one data set."""

    name: str
    seed: int
    favourable: object
    train: Part
    valid: Part
    test: Part


def load_case(name, seed, data_home=None):
    """Train, validation and test parts, encoded on train; the group is no feature."""
    dataset, group = CASES[name]
    options = {"n_samples": QUICK_ROWS} if dataset == "biased" else {}
    bunch = load_dataset(dataset, data_home=data_home, **options)
    groups, y = bunch.sensitive_features[group], bunch.target
    table = bunch.data.drop(columns=bunch.sensitive_columns[group])
    rows = rows_of_parts(groups, y, seed)
    preprocess = make_table_preprocessor().fit(table.iloc[rows[0]])
    parts = [
        Part(
            table.iloc[each],
            preprocess.transform(table.iloc[each]),
            y.iloc[each].to_numpy(),
            groups.iloc[each].to_numpy(),
        )
        for each in rows
    ]
    return Case(name, seed, bunch.favourable_label, *parts)


def measure_part(classifier, part, favourable, *, raw=False):
    """Figures of a fitted classifier on one part, by the names of the rows."""
    X = part.raw if raw else part.X
    with warnings.catch_warnings():
        # A small part may lack a cell; its rate counts as 0.
        warnings.simplefilter("ignore", SkfairRunnerWarning)
        summary = measure(classifier, (X, part.y, part.groups), favourable)
    row = {name: summary[key] for name, key in MEASURES.items()}
    row["largest"] = row["largest_within"] = np.nan
    if hasattr(classifier, "predict_proba"):
        knows = getattr(classifier, "needs_groups_at_predict", False)
        told = {"sensitive_features": part.groups} if knows else {}
        column = int(np.flatnonzero(classifier.classes_ == favourable)[0])
        scores = classifier.predict_proba(X, **told)[:, column]
        row["largest"] = _largest(scores, part.groups)
        within = [
            _largest(scores[part.y == label], part.groups[part.y == label])
            for label in np.unique(part.y)
        ]
        row["largest_within"] = float(np.max(within))
    return row


def _largest(scores, groups):
    """Largest difference in selection rate over the thresholds."""
    return largest_demographic_parity_difference(
        scores, sensitive_features=groups, selection_rates=SELECTION_RATES
    )


def measure_case(classifier, case, *, raw=False):
    """Figures of both parts, by column of the results."""
    return {
        f"{part}_{name}": value
        for part in PARTS
        for name, value in measure_part(
            classifier, getattr(case, part), case.favourable, raw=raw
        ).items()
    }
