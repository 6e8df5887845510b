import numpy as np
import pytest
from fairlearn.metrics import (
    demographic_parity_difference,
    equalized_odds_difference,
    false_positive_rate_difference,
    true_positive_rate_difference,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import balanced_accuracy_score

from skfair_runner.baselines._base import LabelsAndGroups
from skfair_runner.baselines._rejection import (
    best_theta,
    evaluate_thetas,
    find_disadvantaged,
    reject_option_scores,
    theta_candidates,
)
from skfair_runner.groups import encode_groups


def people(n_groups, n_samples=200):
    """Scores in 64ths, so that many are equal, labels and groups."""
    rng = np.random.default_rng(n_groups)
    groups = rng.integers(0, n_groups, n_samples)
    scores = np.clip(rng.normal(0.4 + 0.1 * groups, 0.2), 0, 1)
    scores = np.round(64 * scores) / 64
    favoured = (rng.uniform(size=n_samples) < scores).astype(int)
    return scores, LabelsAndGroups(favoured, 1, encode_groups(groups))


def decide_one_by_one(scores, groups, disadvantaged, theta):
    """The rule in its authors' words, person by person."""
    decisions = []
    for p, group in zip(scores, groups, strict=True):
        if max(p, 1 - p) < theta:
            decisions.append(int(disadvantaged[group]))
        else:
            decisions.append(int(p > 0.5))
    return np.array(decisions)


def test_decisions_worked_by_hand():
    scores = np.array([0.10, 0.35, 0.45, 0.55, 0.65, 0.90])
    # With theta 0.6 the critical region is (0.4, 0.6).
    for disadvantaged, expected in (
        (True, [0, 0, 1, 1, 1, 1]),
        (False, [0, 0, 0, 0, 1, 1]),
    ):
        mirrored = reject_option_scores(scores, np.full(6, disadvantaged), 0.6)
        assert (mirrored > 0.5).astype(int).tolist() == expected
    mirrored = reject_option_scores(scores, np.full(6, True), 0.6)
    assert_allclose(mirrored, [0.10, 0.35, 0.55, 0.55, 0.65, 0.90])


def test_a_confidence_of_exactly_theta_is_not_rejected():
    scores = np.array([0.25, 0.75])
    assert_array_equal(
        reject_option_scores(scores, np.array([True, False]), 0.75), scores
    )


@pytest.mark.parametrize(("disadvantaged", "above"), [(True, True), (False, False)])
def test_a_score_of_one_half_is_decided_by_the_group(disadvantaged, above):
    score = reject_option_scores(np.array([0.5]), np.array([disadvantaged]), 0.6)[0]
    assert (score > 0.5, score < 0.5) == (above, not above)


def test_groups_below_the_overall_rate_are_the_disadvantaged():
    # Rates 1/4, 1/2, 3/4; overall 1/2.
    favoured = np.array([1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0], dtype=bool)
    groups = np.repeat([0, 1, 2], 4)
    assert find_disadvantaged(favoured, groups, 3).tolist() == [True, False, False]


@pytest.mark.parametrize("n_selected", [1, 2, 3])
@pytest.mark.parametrize("n_members", [3, 7, 10])
def test_of_equal_rates_none_is_disadvantaged(n_selected, n_members):
    """Such as one third, which is no binary fraction."""
    favoured = np.tile(np.arange(n_members) < n_selected, 4)
    groups = np.repeat([0, 1], [n_members, 3 * n_members])
    assert not find_disadvantaged(favoured, groups, 2).any()


@pytest.mark.parametrize("n_groups", [2, 3])
@pytest.mark.parametrize(
    ("within", "metric"),
    [
        (None, demographic_parity_difference),
        ((0, 1), equalized_odds_difference),
        ((1,), true_positive_rate_difference),
        ((0,), false_positive_rate_difference),
    ],
)
def test_every_theta_is_evaluated_as_by_fairlearn(n_groups, within, metric):
    scores, task = people(n_groups)
    plain, codes = scores > 0.5, task.groups.codes
    disadvantaged = find_disadvantaged(plain, codes, n_groups)
    thetas = theta_candidates(scores)
    difference, balanced = evaluate_thetas(
        thetas, scores, plain, task, disadvantaged, within
    )
    for k, theta in list(enumerate(thetas))[::6]:
        decisions = decide_one_by_one(scores, codes, disadvantaged, theta)
        mirrored = reject_option_scores(scores, disadvantaged[codes], theta)
        assert_array_equal(mirrored > 0.5, decisions == 1)
        assert_allclose(
            difference[k],
            metric(task.favoured, decisions, sensitive_features=codes),
            atol=1e-12,
        )
        assert_allclose(balanced[k], balanced_accuracy_score(task.favoured, decisions))


def test_candidates_lead_to_all_the_decisions_there_are():
    scores, task = people(2)
    groups, disadvantaged = task.groups.codes, np.array([True, False])

    def distinct(thetas):
        return {
            decide_one_by_one(scores, groups, disadvantaged, theta).tobytes()
            for theta in thetas
        }

    assert distinct(theta_candidates(scores)) == distinct(np.linspace(0.5, 1, 129))


def test_candidates_of_many_scores_are_spread_over_them():
    """Not evenly over [0.5, 1]: an overconfident net has its scores near one."""
    scores = 1 - np.random.default_rng(0).uniform(0, 1e-3, 20_000)
    thetas = theta_candidates(scores)
    assert 900 < len(thetas) <= 1001 and (np.diff(thetas) > 0).all()
    assert thetas[0] == 0.5 and thetas[-1] == 1
    assert np.ptp(np.diff(np.searchsorted(np.sort(scores), thetas[1:-1]))) <= 2


def test_the_most_accurate_theta_within_the_bound_is_the_best():
    difference = np.array([0.3, 0.05, 0.02, 0.04, 0.2])
    accuracy = np.array([0.9, 0.7, 0.8, 0.8, 0.85])
    assert best_theta(difference, accuracy, 0.05) == 2
    assert best_theta(difference, accuracy, 0.2) == 4
    assert best_theta(difference, accuracy, 1.0) == 0


def test_a_bound_that_cannot_be_met_leaves_the_smallest_difference():
    difference = np.array([0.3, 0.1, 0.2, 0.1])
    assert best_theta(difference, np.array([0.9, 0.5, 0.8, 0.6]), 0.05) == 3
