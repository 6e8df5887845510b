"""Intervals of a comparison: which rows count, and how folds and seeds combine."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skfair_runner._runs.data import read_data
from skfair_runner.compare._evaluation import Outcome
from skfair_runner.compare._intervals import bounds, half_widths

AIM = "demographic_parity_difference"


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    groups = rng.choice(["a", "b"], 2000)
    return read_data(np.zeros((2000, 1)), rng.integers(0, 2, 2000), groups, None, "x")


def outcome_of(data, rows, seed=0):
    """Group b is selected more often."""
    rng = np.random.default_rng(seed)
    scores = np.clip(0.2 + 0.3 * data.groups.codes[rows] + rng.random(len(rows)), 0, 1)
    return Outcome(
        y_pred=(scores > 0.5).astype(int), scores=np.column_stack([1 - scores, scores])
    )


def widths_of(data, parts, **options):
    folds = [(rows, outcome_of(data, rows, k)) for k, rows in enumerate(parts)]
    options = {"n_bootstrap": 1000, "level": 0.95, "seed": 0, **options}
    return half_widths(folds, data, **options)


def test_folds_tell_as_much_as_their_rows_together(data):
    whole = widths_of(data, [np.arange(2000)])
    folds = widths_of(data, np.split(np.arange(2000), 4))
    for name in ("accuracy", AIM, "abcc"):
        assert_allclose(folds[name], whole[name], rtol=0.15)


def test_another_seed_on_the_same_rows_tells_nothing_more(data):
    once = widths_of(data, np.split(np.arange(2000), 4))
    twice = widths_of(data, np.split(np.arange(2000), 4) * 2)
    for name in ("accuracy", AIM, "abcc"):
        assert_allclose(twice[name], once[name], rtol=0.1)


def test_four_times_the_rows_halve_the_width(data):
    part = widths_of(data, [np.arange(500)])
    whole = widths_of(data, [np.arange(2000)])
    assert_allclose(part[AIM] / whole[AIM], 2, rtol=0.15)


def test_a_higher_level_is_a_wider_interval(data):
    low, high = (widths_of(data, [np.arange(300)], level=p) for p in (0.8, 0.99))
    assert all(high[name] > low[name] for name in low)


def test_the_same_seed_gives_the_same_widths(data):
    parts = [np.arange(300)]
    assert widths_of(data, parts) == widths_of(data, parts)
    assert widths_of(data, parts) != widths_of(data, parts, seed=1)


def test_without_scores_on_every_fold_there_is_no_area(data):
    rows = np.arange(300)
    without = outcome_of(data, rows)
    without.scores = None
    folds = [(rows, outcome_of(data, rows)), (rows, without)]
    widths = half_widths(folds, data, n_bootstrap=50, level=0.95, seed=0)
    assert "abcc" not in widths and AIM in widths


def test_nothing_resampled_is_no_interval(data):
    assert widths_of(data, [np.arange(300)], n_bootstrap=0) == {}
    assert widths_of(data, []) == {}


def test_a_fold_may_lack_one_of_three_groups():
    groups = np.repeat(["a", "b", "c"], 100)
    y = np.tile([0, 1], 150)
    data = read_data(np.zeros((300, 1)), y, groups, None, "here")
    widths = widths_of(data, [np.arange(200)])
    few = np.append(np.arange(5), np.arange(290, 300))
    more = widths_of(data, [np.arange(5, 200), few])
    assert np.isfinite(list(widths.values())).all()
    assert more[AIM] > widths[AIM]


def test_ends_stay_where_the_measure_can_be():
    assert bounds(AIM, 0.03, 0.05) == (0.0, 0.08)
    assert bounds("equalized_odds_sum", 1.5, 0.25) == (1.25, 1.75)
    assert bounds("accuracy", 0.98, 0.05) == (0.98 - 0.05, 1.0)
    assert np.isnan(bounds("abcc", np.nan, np.nan)).all()
