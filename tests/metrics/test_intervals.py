"""The interval of a difference: a bootstrap by hand, and small cells."""

import numpy as np
import pytest

from skfair_runner.metrics import DifferenceInterval, difference_interval
from skfair_runner.metrics.intervals import two_digits
from skfair_runner.metrics.summary import full_summary
from skfair_runner.utils import SkfairRunnerWarning

METRICS = [
    "demographic_parity_difference",
    "equalized_odds_difference",
    "equalized_odds_sum",
    "equal_opportunity_difference",
    "false_positive_rate_difference",
]


def people(n=2000, seed=0, shift=0.2):
    rng = np.random.default_rng(seed)
    groups, y = rng.choice(["a", "b"], n), rng.integers(0, 2, n)
    chance = 0.2 + 0.4 * y + shift * (groups == "a")
    return y, (rng.random(n) < chance).astype(int), groups


@pytest.mark.parametrize("metric", METRICS)
def test_the_estimate_is_the_metric_and_the_width_that_of_a_bootstrap(metric):
    y, decided, groups = people()
    found = difference_interval(
        y, decided, sensitive_features=groups, metric=metric, random_state=0
    )
    assert found.estimate == pytest.approx(
        full_summary(y, decided, sensitive_features=groups)[metric]
    )
    rng, drawn = np.random.default_rng(1), []
    cells = [np.flatnonzero((groups == g) & (y == k)) for g in "ab" for k in (0, 1)]
    for _ in range(300):
        rows = np.concatenate([rng.choice(cell, len(cell)) for cell in cells])
        told = {"sensitive_features": groups[rows]}
        drawn.append(full_summary(y[rows], decided[rows], **told)[metric])
    width = np.quantile(np.abs(np.array(drawn) - found.estimate), 0.95)
    assert found.high - found.estimate == pytest.approx(width, rel=0.2)
    assert found.low == pytest.approx(2 * found.estimate - found.high)
    assert found.n_samples == 2000


def test_most_intervals_hold_the_difference_of_the_population():
    held = 0
    for seed in range(60):
        y, decided, groups = people(600, seed)
        found = difference_interval(
            y, decided, sensitive_features=groups, random_state=0
        )
        held += found.low <= 0.2 <= found.high
    assert held >= 53


def test_the_same_seed_gives_the_same_interval_and_leaves_numpys_alone():
    y, decided, groups = people()
    before = np.random.get_state()[1].copy()
    told = {"sensitive_features": groups}
    first, second = (
        difference_interval(y, decided, **told, random_state=seed)
        for seed in (3, np.random.RandomState(3).randint(1) + 3)
    )
    difference_interval(y, decided, **told)
    difference_interval(y, decided, **told, random_state=np.random.RandomState(0))
    assert first == second
    assert (np.random.get_state()[1] == before).all()


def test_how_many_rows_would_do():
    interval = DifferenceInterval(0.03, 0.0, 0.07, 500)
    assert interval.rows_for(0.05) == 2000  # half the width takes four times the rows
    assert interval.rows_for(0.07) == 500
    assert interval.rows_for(0.03) is None


@pytest.mark.parametrize(
    ("number", "rounded"), [(1, 1), (9.1, 10), (99, 99), (100.5, 110), (123456, 130000)]
)
def test_numbers_are_rounded_up_to_two_digits(number, rounded):
    assert two_digits(number) == rounded


@pytest.mark.parametrize(
    ("metric", "least", "label"),
    [
        ("equal_opportunity_difference", 5, "with the label 1 "),
        ("false_positive_rate_difference", 9, "with the label 0 "),
        ("equalized_odds_difference", 5, "with the label 1 "),
        ("demographic_parity_difference", 14, "tell"),
    ],
)
def test_a_cell_that_is_too_small_is_named(metric, least, label):
    y = np.array([0, 1] * 50 + [1] * 5 + [0] * 9)
    groups = np.array(["a"] * 100 + ["b"] * 14)
    needed = two_digits(20 * 114 / least)
    message = f"only {least} rows of group 'b' {label}.* about {needed} rows in place"
    with pytest.warns(SkfairRunnerWarning, match=message) as caught:
        difference_interval(y, y, sensitive_features=groups, metric=metric)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"metric": "accuracy"}, "no metric 'accuracy': pass one of .'demographic_par"),
        ({"confidence_level": 1}, "confidence_level=1 is not between 0 and 1"),
        ({"confidence_level": "a"}, "confidence_level='a' is not between"),
        ({"n_bootstrap": 0}, "n_bootstrap=0 is below 1: an interval is told by"),
        ({"n_bootstrap": 9.5}, "n_bootstrap=9.5 is no whole number"),
        ({"n_bootstrap": True}, "n_bootstrap=True is no whole number"),
    ],
)
def test_what_cannot_be_told_is_refused(parameters, message):
    y, decided, groups = people()
    with pytest.raises((TypeError, ValueError), match=message):
        difference_interval(y, decided, sensitive_features=groups, **parameters)
