"""Data of the tests of this folder."""

import pytest

from skfair_runner.datasets import make_biased_classification


@pytest.fixture
def people():
    """Numeric features, labels and one sensitive column of few people."""
    made = make_biased_classification(n_samples=60, random_state=0)
    X = made.data.select_dtypes("number")
    return X, made.target, made.sensitive_features["gender"]
