"""Rows in an order that fits every budget, and keywords for some of them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skfair_runner.model_selection._trials import keywords_of, spread_rows


@pytest.mark.parametrize("seed", range(3))
def test_every_beginning_holds_every_stratum_in_its_share(seed):
    rng = np.random.default_rng(seed)
    strata = rng.choice(4, 300, p=[0.5, 0.3, 0.15, 0.05])
    order = spread_rows(strata, rng)
    assert_array_equal(np.sort(order), np.arange(300))
    shares = np.bincount(strata) / 300
    for size in range(1, 301):
        counts = np.bincount(strata[order[:size]], minlength=4)
        # Half a row each is unavoidable, and a half more for where they fall.
        assert np.abs(counts - shares * size).max() <= 1.5


def test_only_what_has_one_value_per_row_is_sliced():
    rows = np.array([2, 0])
    weights = pd.Series([1.0, 2.0, 3.0])
    given = {
        "weights": weights,
        "groups": ["a", "b", "c"],
        "array": np.arange(6).reshape(3, 2),
        "text": "abc",
        "table": {"a": 1, "b": 2, "c": 3},
        "classes": [0, 1],
        "number": 3,
        "scalar": np.float64(3.0),
        "nothing": None,
    }
    told = keywords_of(given, rows, 3)
    assert told["weights"].tolist() == [3.0, 1.0]
    assert told["groups"] == ["c", "a"]
    assert told["array"].tolist() == [[4, 5], [0, 1]]
    for name in ("text", "table", "classes", "number", "scalar", "nothing"):
        assert told[name] is given[name]
