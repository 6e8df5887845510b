import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from numpy.testing import assert_allclose
from scipy.stats import wasserstein_distance
from sklearn.linear_model import LogisticRegression

from skfair_runner.metrics import area_between_cdfs, demographic_parity_difference
from skfair_runner.plots import ScoreDistributionDisplay


def draw(n_groups, seed=0):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, n_groups, 200)
    scores = rng.beta(1 + groups, 2, 200).round(2)
    return scores, np.array([f"group {code}" for code in range(n_groups)])[groups]


def shaded_area(ax):
    """Area of what is filled: vertical strips between its two edges."""
    (filled,) = ax.collections
    (path,) = filled.get_paths()
    # One corner, one edge, another corner, the other edge backwards, and closed.
    n_points = (len(path.vertices) - 3) // 2
    (x, one), (same, other) = (
        path.vertices[1 : n_points + 1].T,
        path.vertices[n_points + 2 : -1][::-1].T,
    )
    assert_allclose(x, same)
    return np.abs(one - other)[:-1] @ np.diff(x)


@pytest.mark.parametrize("n_groups", [2, 5])
def test_the_area_is_the_metric_and_the_pairs_wasserstein_distance(n_groups):
    scores, groups = draw(n_groups)
    display = ScoreDistributionDisplay.from_predictions(
        scores, sensitive_features=groups
    )
    assert display.area == area_between_cdfs(scores, sensitive_features=groups)
    one, other = (scores[groups == name] for name in display.pair)
    assert display.area == pytest.approx(wasserstein_distance(one, other))


def test_the_weighted_area_is_the_weighted_distance():
    scores, groups = draw(2)
    weights = np.random.default_rng(1).integers(0, 4, 200)
    display = ScoreDistributionDisplay.from_predictions(
        scores, sensitive_features=groups, sample_weight=weights
    )
    a, b = (groups == name for name in display.pair)
    expected = wasserstein_distance(scores[a], scores[b], weights[a], weights[b])
    assert display.area == pytest.approx(expected)
    assert display.sizes.sum() == np.count_nonzero(weights)


@pytest.mark.parametrize("n_groups", [2, 4])
def test_what_is_shaded_has_that_area(n_groups):
    scores, groups = draw(n_groups)
    display = ScoreDistributionDisplay.from_predictions(
        scores, sensitive_features=groups
    ).plot()
    assert shaded_area(display.axes_[1]) == pytest.approx(display.area)
    assert f"(ABCC) {display.area:.3f}" in display.axes_[0].get_title(loc="left")


def test_curves_are_the_shares_up_to_each_score():
    scores, groups = draw(2)
    display = ScoreDistributionDisplay.from_predictions(
        scores, sensitive_features=groups
    ).plot()
    for line in display.axes_[1].lines[:2]:
        name = line.get_label().split(" (n")[0]
        own = scores[groups == name]
        x, y = line.get_xdata()[1:-1], line.get_ydata()[1:-1]
        assert_allclose(y, [(own <= cutoff).mean() for cutoff in x])
        assert f"(n = {len(own)})" in line.get_label()


def test_histograms_count_every_sample_once():
    scores, groups = draw(3)
    display = ScoreDistributionDisplay.from_predictions(
        scores, sensitive_features=groups
    )
    assert_allclose(display.histograms.sum(), 1)
    own = scores[groups == "group 0"]
    assert_allclose(
        display.histograms["group 0"].iloc[-1], np.mean(own >= 0.95), atol=1e-12
    )


@pytest.mark.parametrize("n_groups", [2, 3])
def test_the_difference_at_the_cut_off_is_that_of_the_decisions(n_groups):
    scores, groups = draw(n_groups)
    display = ScoreDistributionDisplay.from_predictions(
        scores, sensitive_features=groups, threshold=0.4
    )
    decisions = (scores > 0.4).astype(int)
    expected = demographic_parity_difference(
        decisions, decisions, sensitive_features=groups
    )
    assert display.difference == pytest.approx(expected)
    texts = [text.get_text() for text in display.plot().axes_[1].texts]
    assert texts == [f"cut-off 0.4:\ndifference {expected:.3f}"]


def test_without_a_cut_off_there_is_no_line():
    scores, groups = draw(2)
    display = ScoreDistributionDisplay.from_predictions(
        scores, sensitive_features=groups, threshold=None
    ).plot()
    assert np.isnan(display.difference)
    assert len(display.axes_[1].lines) == 2


def test_of_many_groups_the_furthest_pair_stands_out():
    scores, groups = draw(12)
    display = ScoreDistributionDisplay.from_predictions(
        scores, sensitive_features=groups
    ).plot()
    texts = [text.get_text() for text in display.axes_[1].get_legend().get_texts()]
    assert len(texts) == 4
    assert [text.split(" (n")[0] for text in texts[1:3]] == list(display.pair)
    assert texts[3] == "10 other groups"


def test_a_fitted_classifier_is_asked_for_the_favourable_label():
    scores, groups = draw(2)
    X, y = scores[:, None], np.where(scores > 0.5, "hired", "not")
    clf = LogisticRegression().fit(X, y)
    display = ScoreDistributionDisplay.from_estimator(
        clf, X, sensitive_features=groups, pos_label="hired"
    )
    expected = area_between_cdfs(clf.predict_proba(X)[:, 0], sensitive_features=groups)
    assert display.area == pytest.approx(expected)


def test_two_columns_are_read_as_of_predict_proba():
    scores, groups = draw(2)
    both = np.column_stack([1 - scores, scores])
    found, expected = (
        ScoreDistributionDisplay.from_predictions(each, sensitive_features=groups)
        for each in (both, scores)
    )
    for name in expected.distributions:
        pd.testing.assert_frame_equal(
            found.distributions[name], expected.distributions[name]
        )


def test_a_given_place_is_divided(ax):
    scores, groups = draw(2)
    display = ScoreDistributionDisplay.from_predictions(
        scores, sensitive_features=groups
    ).plot(ax=ax)
    assert display.figure_ is ax.figure
    assert pyplot.get_fignums() == [ax.figure.number]


def test_several_columns_of_scores_are_refused():
    with pytest.raises(ValueError, match=r"got shape \(4, 3\)"):
        ScoreDistributionDisplay.from_predictions(
            np.ones((4, 3)) / 3, sensitive_features=list("aabb")
        )


def test_a_cut_off_that_is_no_score_is_refused():
    with pytest.raises(ValueError, match=r"in \[0, 1\] or None, got 1.5"):
        ScoreDistributionDisplay.from_predictions(
            [0.1, 0.2], sensitive_features=["a", "b"], threshold=1.5
        )


def test_scores_that_are_no_probabilities_are_refused():
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\], got 2.0"):
        ScoreDistributionDisplay.from_predictions(
            [0.1, 2.0], sensitive_features=["a", "b"]
        )
