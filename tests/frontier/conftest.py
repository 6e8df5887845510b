"""One trained front for the tests that only read it, and the people it is about."""

import pickle

import numpy as np
import pandas as pd
import pytest

from skfair_runner import RunnerFairClassifier, RunnerFrontier
from skfair_runner.datasets import make_biased_classification
from skfair_runner.frontier._held_out import hold_out

QUICK = {"warmup_epochs": 4, "max_epochs": 6, "hidden_layer_sizes": (12, 8), "lr": 0.02}


@pytest.fixture(scope="session")
def _people():
    bunch = make_biased_classification(n_samples=600, random_state=0)
    X = bunch.data.select_dtypes("number").astype("float64")
    X = (X - X.mean()) / X.std()
    return X, bunch.target, bunch.sensitive_features


@pytest.fixture
def people(_people):
    """Standardised X, labels 0 and 1, gender, on an index that is no range."""
    X, y, groups = _people
    index = pd.Index(np.random.default_rng(0).permutation(len(X)) + 1000)
    return X.set_axis(index), y.set_axis(index), groups["gender"].set_axis(index)


@pytest.fixture
def make_front():
    """Front of few epochs and points; keywords are those of either estimator."""

    def make(constraint="demographic_parity", **options):
        own = RunnerFrontier().get_params(deep=False)
        outer = {"n_points": 5, "n_bootstrap": 20, "random_state": 0}
        outer |= {k: v for k, v in options.items() if k in own}
        inner = {k: v for k, v in options.items() if k not in own}
        return RunnerFrontier(
            RunnerFairClassifier(constraint, **{**QUICK, **inner}), **outer
        )

    return make


@pytest.fixture(scope="session")
def _pickled(_people):
    X, y, groups = _people
    front = RunnerFrontier(
        RunnerFairClassifier(**QUICK),
        n_points=9,
        n_bootstrap=100,
        random_state=0,
    )
    front.fit(X, y, sensitive_features=groups["gender"])
    return pickle.dumps(front)


@pytest.fixture
def front(_pickled):
    """Fitted on all of `people`, as arrays of which every test has its own copy."""
    return pickle.loads(_pickled)


@pytest.fixture
def held_out(front, people):
    """The rows that `front` was measured on."""
    trainer = front._trainer(0, "me")
    return hold_out(
        trainer, *people, fraction=front.validation_fraction, seed=0, caller="me"
    ).held_out
