"""Metrics of the user: which are taken, how they are called."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score, brier_score_loss, fbeta_score

from skfair_runner.compare._metrics import call_metric, measure_of, read_metrics
from skfair_runner.metrics import METRICS, Metric

Y = np.array(["yes", "no", "yes", "no"])
PRED = np.array(["yes", "yes", "yes", "no"])
GROUPS = np.array([0, 0, 1, 1])


def call(metric, scores=None, pos_label="yes"):
    return call_metric(
        metric, Y, PRED, scores, sensitive_features=GROUPS, pos_label=pos_label
    )


def test_a_metric_is_called_with_what_it_takes():
    seen = {}

    def plain(y_true, y_pred):
        return 1.0

    def groups(y_true, y_pred, *, sensitive_features):
        seen["groups"] = sensitive_features
        return 2

    def anything(y_true, y_pred, **kwargs):
        seen["kwargs"] = kwargs
        return np.float32(3)

    found = read_metrics({"a": plain, "b": groups, "c": anything}, "here")
    assert [call(metric) for metric in found.values()] == [1.0, 2.0, 3.0]
    assert seen["groups"] is GROUPS
    assert seen["kwargs"] == {"sensitive_features": GROUPS, "pos_label": "yes"}
    assert call(found["c"], pos_label=None) == 3.0
    assert set(seen["kwargs"]) == {"sensitive_features"}


def test_scores_are_handed_on_where_they_are_asked_for():
    metric = Metric("brier", brier_score_loss, response_method="predict_proba")
    metric = read_metrics([metric], "here")["brier"]
    scores = np.array([0.9, 0.6, 0.8, 0.1])
    expected = brier_score_loss(Y, scores, pos_label="yes")
    assert_allclose(call(metric, scores), expected)
    assert np.isnan(call(metric))


def test_less_is_better_of_what_looks_at_groups():
    def gap(y_true, y_pred, *, sensitive_features):
        return 0.0

    def told(y_true, y_pred, *, sensitive_features):
        return 0.0

    found = read_metrics(
        {
            "gap": gap,
            "accuracy of all": accuracy_score,
            "told": Metric("told", told, greater_is_better=True),
            "demographic_parity_ratio": "demographic_parity_ratio",
        },
        "here",
    )
    directions = [measure_of(*each).greater_is_better for each in found.items()]
    assert directions == [False, True, True, True]
    assert [measure_of(*each).compares_groups for each in found.items()] == [
        True,
        False,
        True,
        True,
    ]


def test_what_is_measured_anyway_is_not_measured_twice():
    names = ["demographic_parity_difference", METRICS["equalized_odds_sum"]]
    assert read_metrics(names, "here") == {}
    assert read_metrics(None, "here") == {}


def test_functions_may_be_listed():
    assert list(read_metrics([accuracy_score], "here")) == ["accuracy_score"]


@pytest.mark.parametrize(
    ("metrics", "error", "match"),
    [
        ("accuracy", TypeError, "`metrics` must be a dict .* got 'accuracy'"),
        ({accuracy_score}, TypeError, "`metrics` must be a dict .* got {<func"),
        ({3: accuracy_score}, TypeError, "here: names of metrics are strings, got 3"),
        ({"a": 3}, TypeError, "here: metric 'a': A metric is a callable .* got 3"),
        (["f1"], ValueError, "here: metric 'f1': Unknown metric 'f1'"),
        ({"accuracy": accuracy_score}, ValueError, "cannot be called 'accuracy', wh"),
        ({"seed": accuracy_score}, ValueError, "cannot be called 'seed', which"),
        ({"f": fbeta_score}, TypeError, "metric 'f' cannot be called .*'beta'"),
        ({"f": lambda y_true: 1}, TypeError, "'f' cannot be called .*too many pos"),
    ],
)
def test_what_is_no_metric_is_refused(metrics, error, match):
    with pytest.raises(error, match=match):
        read_metrics(metrics, "here")


@pytest.mark.parametrize("value", [True, [0.5], "high", None, 1j])
def test_what_is_no_number_is_refused(value):
    metric = Metric("mine", lambda y_true, y_pred: value)
    with pytest.raises(TypeError, match="it must return a number, got ") as raised:
        call(metric)
    assert repr(value) in str(raised.value)
