"""The bootstrap: its coverage, a loop that resamples rows, and cases by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import wasserstein_distance

from skfair_runner.metrics import fairness_summary
from skfair_runner.metrics.bootstrap import (
    derivative_of_max,
    derivative_of_range,
    errors_of_decisions,
    errors_of_distributions,
    half_width,
    rates_of_cells,
    resample_cells,
)

AIM = "demographic_parity_difference"


def cells_of(y_true, y_pred, groups, n_classes=2):
    """Rows of each group, label and decision."""
    counts = np.zeros((groups.max() + 1, n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (groups, y_true, y_pred), 1)
    return counts


def people(rng, n, n_groups=2, slope=0.15):
    """Groups, labels and scores; the groups are treated differently by `slope`."""
    groups = rng.integers(0, n_groups, n)
    y = rng.integers(0, 2, n)
    scores = np.clip(0.2 + 0.25 * y + slope * groups + rng.normal(0, 0.2, n), 0, 1)
    return groups, y, scores


@pytest.mark.parametrize("n_groups", [2, 3])
def test_rates_of_cells_are_those_of_the_metrics(n_groups):
    rng = np.random.default_rng(0)
    groups, y, scores = people(rng, 300, n_groups)
    y_pred = (scores > 0.5).astype(int)
    counts = cells_of(y, y_pred, groups)
    rates = [rate[1] for rate in rates_of_cells(counts, counts.sum(axis=-1))]
    found = fairness_summary(y, y_pred, sensitive_features=groups)
    spread = [np.ptp(rate) for rate in rates]
    assert_allclose(spread[0], found["demographic_parity_difference"])
    assert_allclose(spread[1], found["equal_opportunity_difference"])
    assert_allclose(max(spread[1:]), found["equalized_odds_difference"])


def test_a_rate_of_nobody_is_zero():
    counts = np.array([[[3, 1], [0, 0]], [[1, 1], [1, 1]]])
    selection, true, false = rates_of_cells(counts, counts.sum(axis=-1))
    assert_allclose(true[1], [0, 0.5])
    assert_allclose(false[1], [0.25, 0.5])
    assert_allclose(selection[1], [0.25, 0.5])


def test_resampled_cells_have_the_spread_of_a_naive_loop():
    """Draw rows one by one, from those of the cell and an imagined one."""
    rng = np.random.default_rng(0)
    groups, y, scores = people(rng, 120)
    y_pred = (scores > 0.5).astype(int)
    counts = cells_of(y, y_pred, groups)
    naive = np.zeros((4000, *counts.shape))
    for draw in naive:
        for group in (0, 1):
            for label in (0, 1):
                decisions = y_pred[(groups == group) & (y == label)]
                n = len(decisions)
                rows = rng.integers(n + 1, size=n)
                imagined = rng.integers(2, size=n)
                drawn = np.where(rows < n, decisions[rows.clip(max=n - 1)], imagined)
                draw[group, label] = np.bincount(drawn, minlength=2)
    ours = resample_cells(counts, 4000, np.random.default_rng(1))
    assert_allclose(ours.std(axis=0), naive.std(axis=0), rtol=0.06)
    assert_allclose(ours.mean(axis=0), 0, atol=0.25)
    assert_allclose(ours.sum(axis=-1), 0, atol=1e-9)


def test_intervals_of_clear_differences_have_the_width_of_a_naive_loop():
    """Far from any kink, the derivative is that of an ordinary bootstrap."""
    rng = np.random.default_rng(0)
    groups, y, scores = people(rng, 600, slope=0.3)
    y_pred = (scores > 0.5).astype(int)
    cells = [np.flatnonzero((groups == g) & (y == c)) for g in (0, 1) for c in (0, 1)]

    def measures(rows):
        one, other = (rows[groups[rows] == g] for g in (0, 1))
        odds = [
            abs(y_pred[one][y[one] == c].mean() - y_pred[other][y[other] == c].mean())
            for c in (0, 1)
        ]
        return {
            "accuracy": (y[rows] == y_pred[rows]).mean(),
            AIM: abs(y_pred[one].mean() - y_pred[other].mean()),
            "equalized_odds_sum": sum(odds),
            "abcc": wasserstein_distance(scores[one], scores[other]),
        }

    whole = measures(np.arange(600))
    naive = pd.DataFrame(
        measures(np.concatenate([rng.choice(cell, len(cell)) for cell in cells]))
        for _ in range(1000)
    )
    errors = errors_of_decisions(cells_of(y, y_pred, groups), [1], 2000, rng)
    errors["abcc"] = errors_of_distributions(scores[:, None], y, groups, 2000, rng)
    for name, value in whole.items():
        width = np.quantile(np.abs(naive[name] - value), 0.95)
        assert_allclose(np.quantile(np.abs(errors[name]), 0.95), width, rtol=0.1)


def test_a_cell_with_one_decision_is_not_certain():
    counts = np.array([[[5, 0], [0, 5]], [[50, 0], [0, 50]]])
    errors = resample_cells(counts, 2000, np.random.default_rng(0))
    assert errors.std(axis=0).min() > 0
    errors = errors_of_decisions(counts, [1], 2000, np.random.default_rng(0))
    assert np.quantile(np.abs(errors["equal_opportunity_difference"]), 0.95) > 0.05


def test_an_area_of_levelled_groups_has_the_errors_of_noise():
    """Errors of |F - G| at F = G are areas of noise: those of fresh samples."""
    rng = np.random.default_rng(0)
    groups, y = np.repeat([0, 1], 300), np.tile([0, 1], 300)
    errors = errors_of_distributions(rng.random((600, 1)), y, groups, 1000, rng)
    fresh = [wasserstein_distance(*rng.random((2, 300))) for _ in range(1000)]
    assert_allclose(np.quantile(errors, 0.95), np.quantile(fresh, 0.95), rtol=0.12)


def test_a_range_has_the_errors_of_all_groups_that_are_level():
    errors = np.array([[0.1, -0.2, 0.3], [0.0, 0.1, -0.1]])
    level = derivative_of_range(np.array([0.5, 0.5, 0.5]), errors)
    assert_allclose(level, [0.5, 0.2])
    clear = derivative_of_range(np.array([9.0, 0.5, 5.0]), errors)
    assert_allclose(clear, errors[:, 0] - errors[:, 1])


def test_a_maximum_has_the_errors_of_what_may_be_largest():
    rng = np.random.default_rng(0)
    errors = rng.normal(0, 0.01, (500, 2, 3))
    values = np.array([[0.5, 0.49, 0.1], [0.1, 0.2, 0.9]])
    found = derivative_of_max(values, errors)
    assert_allclose(found[:, 0], errors[:, 0, :2].max(axis=-1))
    assert_allclose(found[:, 1], errors[:, 1, 2])


def test_every_class_is_compared_where_no_label_is_favourable():
    rng = np.random.default_rng(0)
    groups, y = rng.integers(0, 2, 3000), rng.integers(0, 3, 3000)
    y_pred = np.where((groups == 1) & (rng.random(3000) < 0.5), 2, y)
    counts = cells_of(y, y_pred, groups, 3)
    several = errors_of_decisions(counts, [0, 1, 2], 500, np.random.default_rng(1))
    one = errors_of_decisions(counts, [2], 500, np.random.default_rng(1))
    # The third class differs by far the most.
    assert_allclose(several[AIM], one[AIM])


def test_folds_of_one_block_average_out_and_blocks_do_not():
    errors = np.random.default_rng(0).normal(size=(4, 4000))
    one = half_width(errors, np.zeros(4, dtype=int), 0.95)
    four = half_width(errors, np.arange(4), 0.95)
    assert_allclose(one, 1.96 / 2, rtol=0.05)
    assert_allclose(four, 1.96, rtol=0.05)


@pytest.mark.slow  # 500 comparisons for each case
@pytest.mark.parametrize(
    ("rates", "n_folds"),
    [
        ((0.2, 0.2), 1),
        ((0.2, 0.2), 5),
        ((0.2, 0.25), 5),
        ((0.2, 0.4), 5),
        ((0.2, 0.2, 0.2), 3),
        ((0.1, 0.2, 0.4), 3),
    ],
)
def test_intervals_cover_what_they_should(rates, n_folds):
    """At least 95 %, but for the 1 % that 500 comparisons may be off by."""
    rng = np.random.default_rng(0)
    rates, size = np.array(rates), 150
    truth, hits = np.ptp(rates), []
    for _ in range(500):
        errors, mean = [], 0.0
        for _ in range(n_folds):
            selected = rng.binomial(size, rates)
            counts = np.zeros((len(rates), 2, 2), dtype=np.int64)
            counts[:, 0] = np.stack([size - selected, selected], axis=-1)
            errors.append(errors_of_decisions(counts, [1], 200, rng)[AIM])
            mean += np.ptp(selected / size) / n_folds
        width = half_width(np.stack(errors), np.zeros(n_folds), 0.95)
        hits.append(abs(mean - truth) <= width)
    assert np.mean(hits) > 0.925


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.2])
def test_intervals_of_areas_cover_what_they_should(shift):
    rng = np.random.default_rng(0)
    groups, labels = np.repeat([0, 1], 200), np.zeros(400, dtype=int)
    hits = []
    for _ in range(200):
        scores = np.clip(0.3 * rng.random(400) + shift * groups, 0, 1)
        errors = errors_of_distributions(scores[:, None], labels, groups, 200, rng)
        area = wasserstein_distance(scores[:200], scores[200:])
        hits.append(abs(area - shift) <= np.quantile(np.abs(errors), 0.95))
    assert np.mean(hits) > 0.91
