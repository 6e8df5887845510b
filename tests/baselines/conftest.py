"""A small table, and routing switched off and on."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context

from skfair_runner.datasets import make_biased_classification


@pytest.fixture(params=[False, True], ids=["routing off", "routing on"])
def routing(request):
    with config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.fixture
def people():
    """Standardised X, string labels and string groups, on an index that is no range."""
    bunch = make_biased_classification(n_samples=300, random_state=0)
    index = pd.Index(np.random.default_rng(0).permutation(300) + 1000)
    X = bunch.data.select_dtypes("number").set_axis(index)
    X = (X - X.mean()) / X.std()
    y = pd.Series(np.where(bunch.target == 1, "hired", "declined"), index=index)
    return X, y, bunch.sensitive_features["gender"].set_axis(index)
