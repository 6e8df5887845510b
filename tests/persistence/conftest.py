"""A small table, and classifiers trained on it."""

import warnings

import numpy as np
import pandas as pd
import pytest

from skfair_runner import RunnerFairClassifier
from skfair_runner.utils import ConstantClassifierWarning


@pytest.fixture(scope="session")
def table():
    """X with named columns, balanced labels, and two groups."""
    rng = np.random.default_rng(0)
    groups = np.where(rng.random(240) < 0.5, "f", "m")
    X = pd.DataFrame(rng.normal(size=(240, 3)), columns=["a", "b", "größe"])
    X["a"] += groups == "m"
    y = (X["a"] + X["b"] + rng.normal(size=240) > 0.5).to_numpy().astype(int)
    return X, y, groups


@pytest.fixture(scope="session")
def train(table):
    """Function that trains a classifier with the given parameters, for a moment."""

    def train(*, y=None, groups=None, **parameters):
        X, labels, sensitive_features = table
        short = {
            "warmup_epochs": 2,
            "max_epochs": 2,
            "batch_size": 24,
            "lr": 0.03,
            "random_state": 0,
        }
        small = {} if "module" in parameters else {"hidden_layer_sizes": (8, 4)}
        clf = RunnerFairClassifier(**{**short, **small, **parameters})
        with warnings.catch_warnings():
            # So few steps need not lead anywhere.
            warnings.simplefilter("ignore", ConstantClassifierWarning)
            return clf.fit(
                X,
                labels if y is None else y,
                sensitive_features=sensitive_features if groups is None else groups,
            )

    return train


@pytest.fixture(scope="session")
def fitted(train):
    """A classifier with default settings; tests must not change it."""
    return train()
