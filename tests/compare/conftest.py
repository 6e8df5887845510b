"""Data and classifiers that the tests of comparisons share."""

import sys

import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.compare import Comparison, compare_classifiers
from skfair_runner.compare._measures import MEASURES
from skfair_runner.datasets import make_biased_classification

AIM = "demographic_parity_difference"


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def people():
    """Numeric X, labels and groups."""
    bunch = make_biased_classification(n_samples=400, random_state=0)
    X = bunch.data.select_dtypes("number")
    return X, bunch.target, bunch.sensitive_features["gender"]


@pytest.fixture(scope="session")
def logistic():
    return make_pipeline(StandardScaler(), LogisticRegression())


@pytest.fixture(scope="session")
def compare(people):
    """Comparison of classifiers on three folds, with few resamples."""

    def compare(classifiers, people=people, **options):
        X, y, gender = people
        options = {"cv": 3, "random_state": 0, "n_bootstrap": 50, **options}
        return compare_classifiers(
            classifiers, X, y, sensitive_features=gender, **options
        )

    return compare


@pytest.fixture(scope="session")
def comparison(compare, logistic):
    return compare(
        {
            "logistic": logistic,
            "thresholds": ThresholdOptimizerClassifier(logistic),
            "nobody": DummyClassifier(strategy="constant", constant=0),
        }
    )


@pytest.fixture
def made():
    """Comparison with the given means, ends of intervals, and folds."""

    def made(rows, per_fold=()):
        table = pd.DataFrame(rows).T
        for name in MEASURES:
            given = table.get(f"{name}_mean", pd.Series(0.5, index=table.index))
            table[f"{name}_mean"] = given.fillna(0.5).astype(float)
            table[f"{name}_std"] = 0.01
        for end in ("low", "high"):
            if f"{AIM}_{end}" in table:
                table[f"{AIM}_{end}"] = table[f"{AIM}_{end}"].astype(float)
        defaults = {
            "four_fifths": True,
            "needs_groups_at_predict": False,
            "randomised": False,
            "constant_folds": 0,
            "folds": 2,
            "error": "",
        }
        for name, default in defaults.items():
            given = table.get(name, pd.Series(default, index=table.index))
            table[name] = [default if pd.isna(value) else value for value in given]
        table = table.astype({"constant_folds": int, "folds": int})
        folds = pd.DataFrame(
            list(per_fold), columns=["method", "seed", "fold", "error", AIM]
        )
        return Comparison(table, folds, ("a", "b"), 1)

    return made
