import pickle

import numpy as np
import pytest

from skfair_runner import metrics
from skfair_runner.metrics import METRICS, Metric, resolve_metric

RNG = np.random.default_rng(0)
Y_TRUE, Y_PRED = RNG.integers(0, 2, (2, 60))
GROUPS = np.arange(60) % 3
PROBA = RNG.dirichlet([1, 1], 60)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_found_by_its_name_and_can_be_pickled(name):
    metric = resolve_metric(name)
    assert metric.name == name
    response = PROBA if metric.response_method == "predict_proba" else Y_PRED
    copy = pickle.loads(pickle.dumps(metric))
    results = [
        one.function(Y_TRUE, response, sensitive_features=GROUPS)
        for one in (metric, copy)
    ]
    assert results[0] == results[1] > 0


def test_only_ratios_are_better_when_greater():
    greater = [name for name in METRICS if METRICS[name].greater_is_better]
    assert greater == ["demographic_parity_ratio"]


def test_the_sum_has_a_name_of_its_own():
    kwargs = {"sensitive_features": GROUPS}
    assert METRICS["equalized_odds_sum"].function(
        Y_TRUE, Y_PRED, **kwargs
    ) == metrics.equalized_odds_difference(Y_TRUE, Y_PRED, agg="sum", **kwargs)


OF_SCORES = ["area_between_cdfs", "largest_demographic_parity_difference"]


@pytest.mark.parametrize("name", OF_SCORES)
@pytest.mark.parametrize("pos_label", ["no", "yes"])
def test_metrics_of_scores_take_the_column_of_the_favourable_label(name, pos_label):
    y_true = np.array(["no", "yes"])[Y_TRUE]
    weights = RNG.uniform(1, 2, 60)
    kwargs = {"sensitive_features": GROUPS, "sample_weight": weights}
    result = METRICS[name].function(y_true, PROBA, pos_label=pos_label, **kwargs)
    column = PROBA[:, ["no", "yes"].index(pos_label)]
    assert result == getattr(metrics, name)(column, **kwargs)
    assert result == METRICS[name].function(y_true, column, **kwargs)


@pytest.mark.parametrize("name", OF_SCORES)
def test_metrics_of_scores_compare_every_class(name):
    y_true, proba = np.arange(60) % 3, RNG.dirichlet([1, 1, 1], 60)
    groups = GROUPS[::-1] > 0
    result = METRICS[name].function(y_true, proba, sensitive_features=groups)
    assert result == getattr(metrics, name)(proba, sensitive_features=groups)


@pytest.mark.parametrize("name", OF_SCORES)
def test_metrics_of_scores_need_a_column_per_label(name):
    message = rf"{name}: .* column per label of \[0, 1\], got shape \(60, 3\)"
    with pytest.raises(ValueError, match=message):
        METRICS[name].function(Y_TRUE, np.zeros((60, 3)), sensitive_features=GROUPS)


def test_a_callable_is_taken_for_a_difference_of_decisions():
    def my_difference(y_true, y_pred, *, sensitive_features):
        return 0.0

    expected = Metric("my_difference", my_difference, False, "predict")
    assert resolve_metric(my_difference) == expected
    assert resolve_metric(expected) is expected


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        ValueError, match="metric 'accuracy'. Known: .*'equalized_odds_sum'"
    ):
        resolve_metric("accuracy")


def test_anything_else_is_refused():
    with pytest.raises(TypeError, match="'area_between_cdfs'.*, got 3"):
        resolve_metric(3)
