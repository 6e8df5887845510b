from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import wasserstein_distance

from skfair_runner.metrics import (
    area_between_cdfs,
    demographic_parity_difference,
    largest_demographic_parity_difference,
)
from skfair_runner.metrics import scores as scores_module


@st.composite
def scored_samples(draw, most_groups=6):
    """Scores with ties, groups, and weights or None."""
    n_samples = draw(st.integers(2, 40))

    def array(values):
        return np.array(draw(st.lists(values, min_size=n_samples, max_size=n_samples)))

    scores = array(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0])))
    groups = array(st.integers(0, most_groups - 1))
    groups[:2] = [0, 1]
    weights = array(st.floats(0.01, 10)) if draw(st.booleans()) else None
    return scores, groups, weights


def largest_wasserstein_distance(scores, groups, weights):
    weights = np.ones(len(scores)) if weights is None else weights
    parts = [(scores[groups == g], weights[groups == g]) for g in np.unique(groups)]
    return max(
        wasserstein_distance(one, other, one_weights, other_weights)
        for (one, one_weights), (other, other_weights) in combinations(parts, 2)
    )


@given(scored_samples())
@settings(max_examples=100, deadline=None)
def test_the_area_is_the_largest_wasserstein_distance_over_pairs(data):
    scores, groups, weights = data
    area = area_between_cdfs(scores, sensitive_features=groups, sample_weight=weights)
    expected = largest_wasserstein_distance(scores, groups, weights)
    assert_allclose(area, expected, atol=1e-12)


@pytest.mark.parametrize("n_groups", [3, 30, 300])
def test_no_pair_of_many_similar_groups_is_left_out_wrongly(n_groups):
    rng = np.random.default_rng(n_groups)
    groups = rng.permutation(np.arange(6 * n_groups) % n_groups)
    scores = rng.beta(2, 2, len(groups)).round(2)
    area = area_between_cdfs(scores, sensitive_features=groups)
    if n_groups < 300:
        expected = largest_wasserstein_distance(scores, groups, None)
    else:
        # All groups have six samples: the mean distance of the sorted scores.
        ordered = np.sort(scores[np.argsort(groups, kind="stable")].reshape(-1, 6))
        expected = np.abs(ordered[:, None] - ordered).mean(-1).max()
    assert_allclose(area, expected)


def test_the_area_is_the_difference_averaged_over_cut_offs():
    rng = np.random.default_rng(0)
    scores, groups = rng.uniform(size=50), np.arange(50) % 2
    cutoffs = (np.arange(20_000) + 0.5) / 20_000
    selected = scores > cutoffs[:, None]
    rates = [selected[:, groups == g].mean(1) for g in (0, 1)]
    area = area_between_cdfs(scores, sensitive_features=groups)
    assert_allclose(area, np.abs(rates[0] - rates[1]).mean(), atol=1e-3)


def test_areas_by_hand():
    groups = list("aabb")
    assert area_between_cdfs([0, 0, 1, 1], sensitive_features=groups) == 1
    assert area_between_cdfs([0, 1, 0.5, 0.5], sensitive_features=groups) == 0.5
    assert area_between_cdfs([0.2, 0.6, 0.6, 0.2], sensitive_features=groups) == 0


def test_areas_within_labels_are_averaged():
    scores = np.array([0.0, 0.5, 0.0, 1.0, 0.25, 0.5])
    groups = np.array(list("abaabb"))
    y_true = np.array(["no", "no", "yes", "yes", "yes", "yes"])
    area = area_between_cdfs(scores, sensitive_features=groups, y_true=y_true)
    assert area == (0.5 + 0.375) / 2


def test_a_label_of_weight_zero_does_not_count():
    area = area_between_cdfs(
        [0.0, 0.5, 0.9],
        sensitive_features=list("aba"),
        y_true=[0, 0, 1],
        sample_weight=[1, 1, 0],
    )
    assert area == 0.5


def test_a_label_with_a_single_group_is_named():
    message = "area_between_cdfs within label 'yes' compares groups, .* 'b'"
    with pytest.raises(ValueError, match=message):
        area_between_cdfs(
            [0.1, 0.2, 0.3],
            sensitive_features=list("abb"),
            y_true=["no", "no", "yes"],
        )


def test_of_two_columns_the_second_is_taken_and_of_more_the_worst():
    rng = np.random.default_rng(0)
    groups = np.arange(60) % 3
    proba = rng.dirichlet([1, 2, 3], 60)
    for function in (area_between_cdfs, largest_demographic_parity_difference):
        single = [function(column, sensitive_features=groups) for column in proba.T]
        assert function(proba, sensitive_features=groups) == max(single)
        assert function(proba[:, :2], sensitive_features=groups) == single[1]
        assert function(proba[:, [0]], sensitive_features=groups) == single[0]


def test_ten_thousand_groups():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(10_000), 2)
    scores = rng.uniform(0.2, 0.8, 20_000)
    scores[:2], scores[-2:] = 0.0, 1.0
    assert area_between_cdfs(scores, sensitive_features=groups) == 1
    assert largest_demographic_parity_difference(scores, sensitive_features=groups) == 1


@given(
    scored_samples(most_groups=4), st.sampled_from([(0.05, 0.5), (0, 1), (0.2, 0.3)])
)
@settings(max_examples=60, deadline=None)
def test_the_largest_difference_is_found_by_trying_every_cut_off(data, selection_rates):
    scores, groups, weights = data
    low, high = selection_rates
    found = largest_demographic_parity_difference(
        scores,
        sensitive_features=groups,
        selection_rates=selection_rates,
        sample_weight=weights,
    )
    tried = [float("nan")]
    for cutoff in np.unique(scores):
        y_pred = scores >= cutoff
        rate = np.average(y_pred, weights=weights)
        if low - 1e-9 <= rate <= high + 1e-9:
            tried.append(
                demographic_parity_difference(
                    y_pred, y_pred, sensitive_features=groups, sample_weight=weights
                )
            )
    assert_allclose(found, np.fmax.reduce(tried), atol=1e-12)


def test_cut_offs_in_blocks_give_the_same_difference(monkeypatch):
    rng = np.random.default_rng(0)
    scores, groups = rng.uniform(size=200), rng.integers(0, 5, 200)
    whole = largest_demographic_parity_difference(scores, sensitive_features=groups)
    monkeypatch.setattr(scores_module, "_BLOCK", 11)
    blocks = largest_demographic_parity_difference(scores, sensitive_features=groups)
    assert blocks == whole


def test_the_bounds_of_the_selection_rate_are_included():
    scores = np.linspace(1, 0, 20)
    groups = [0] + [1] * 19
    found = largest_demographic_parity_difference(
        scores, sensitive_features=groups, selection_rates=(0.05, 0.05)
    )
    assert found == 1


def test_no_cut_off_in_the_range_is_not_a_number():
    same = [0.5] * 4
    found = largest_demographic_parity_difference(same, sensitive_features=list("aabb"))
    assert np.isnan(found)


@pytest.mark.parametrize("rates", [(0.5, 0.05), (-0.1, 0.5), (0.5, 1.5), (np.nan, 1)])
def test_no_range_of_selection_rates_is_refused(rates):
    with pytest.raises(ValueError, match=rf"range within .* got \({rates[0]}, "):
        largest_demographic_parity_difference(
            [0.1, 0.2], sensitive_features=["a", "b"], selection_rates=rates
        )


@pytest.mark.parametrize("outside", [-0.5, 1.5])
def test_scores_that_are_no_probabilities_have_no_area(outside):
    with pytest.raises(ValueError, match=rf"probabilities in \[0, 1\], got {outside}"):
        area_between_cdfs([outside, 0.5], sensitive_features=["a", "b"])
    margin = largest_demographic_parity_difference(
        [outside, 0.5], sensitive_features=["a", "b"], selection_rates=(0, 1)
    )
    assert margin == 1


FUNCTIONS = [area_between_cdfs, largest_demographic_parity_difference]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_must_be_finite(function, value):
    with pytest.raises(
        ValueError, match=f"{function.__name__}: .* got {value} among 2"
    ):
        function([value, 0.5], sensitive_features=["a", "b"])


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (2, 2, 2)])
def test_scores_of_other_shapes_are_refused(function, shape):
    with pytest.raises(ValueError) as info:
        function(np.zeros(shape), sensitive_features=["a", "b"])
    assert f"at least one sample, got {shape}." in str(info.value)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_single_group_is_refused(function):
    with pytest.raises(ValueError, match=f"{function.__name__} compares .* group, 'a'"):
        function([0.1, 0.2], sensitive_features=["a", "a"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_groups_must_be_those_of_the_scores(function):
    scores = pd.Series([0.1, 0.2], index=[1, 2])
    with pytest.raises(ValueError, match="row 0: 1 in y_score, 2 in"):
        function(scores, sensitive_features=pd.Series(["a", "b"], index=[2, 1]))
    with pytest.raises(ValueError, match="has 3 rows, y_score has 2"):
        function(scores, sensitive_features=["a", "b", "a"])


def test_labels_must_be_as_many_as_scores():
    with pytest.raises(ValueError, match="y_true has 3 samples, y_score has 2"):
        area_between_cdfs([0.1, 0.2], sensitive_features=["a", "b"], y_true=[0, 1, 1])
