import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    roc_auc_score,
)

from skfair_runner import metrics
from skfair_runner.metrics import fairness_summary
from skfair_runner.utils import SkfairRunnerWarning

KEYS = [
    "accuracy",
    "balanced_accuracy",
    "average_precision",
    "roc_auc",
    "selection_rate",
    "demographic_parity_difference",
    "equalized_odds_difference",
    "equalized_odds_sum",
    "equal_opportunity_difference",
    "demographic_parity_ratio",
    "abcc",
    "constant",
]
OF_SCORES = ["average_precision", "roc_auc", "abcc"]


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 200)
    y_score = np.clip(0.3 * y_true + rng.uniform(0, 0.7, 200), 0, 1)
    groups = pd.DataFrame(
        {"sex": rng.choice(["F", "M"], 200), "race": rng.choice(["x", "y"], 200)}
    )
    return y_true, (y_score > 0.4).astype(int), y_score, groups


@pytest.mark.parametrize("weighted", [False, True])
def test_every_number_is_that_of_its_own_function(data, weighted):
    y_true, y_pred, y_score, groups = data
    weights = np.random.default_rng(1).uniform(0.1, 2, 200) if weighted else None
    sample = {"sample_weight": weights}
    grouped = {"sensitive_features": groups, **sample}
    summary = fairness_summary(y_true, y_pred, y_score, **grouped)
    expected = {
        "accuracy": accuracy_score(y_true, y_pred, **sample),
        "balanced_accuracy": balanced_accuracy_score(y_true, y_pred, **sample),
        "average_precision": average_precision_score(y_true, y_score, **sample),
        "roc_auc": roc_auc_score(y_true, y_score, **sample),
        "selection_rate": np.average(y_pred, weights=weights),
        "equalized_odds_sum": metrics.equalized_odds_difference(
            y_true, y_pred, agg="sum", **grouped
        ),
        "abcc": metrics.area_between_cdfs(y_score, **grouped),
        "constant": False,
    }
    for name in KEYS[5:7] + KEYS[8:10]:
        expected[name] = getattr(metrics, name)(y_true, y_pred, **grouped)
    assert list(summary) == KEYS
    assert summary.keys() == expected.keys()
    for name, value in summary.items():
        assert_allclose(value, expected[name], err_msg=name)
    assert all(isinstance(summary[name], float) for name in KEYS[:-1])
    assert summary["constant"] is False


def test_both_columns_of_predict_proba_may_be_passed(data):
    y_true, y_pred, y_score, groups = data
    proba = np.column_stack((1 - y_score, y_score))
    expected = fairness_summary(y_true, y_pred, y_score, sensitive_features=groups)
    assert (
        fairness_summary(y_true, y_pred, proba, sensitive_features=groups) == expected
    )


def test_the_column_is_that_of_the_favourable_label(data):
    y_true, y_pred, y_score, groups = data
    proba = np.column_stack((y_score, 1 - y_score))
    named = np.array(["yes", "zero"])
    summary = fairness_summary(
        named[1 - y_true],
        named[1 - y_pred],
        proba,
        sensitive_features=groups,
        pos_label="yes",
    )
    expected = fairness_summary(y_true, y_pred, y_score, sensitive_features=groups)
    assert summary == pytest.approx(expected)


def test_numbers_of_scores_are_not_a_number_without_scores(data):
    y_true, y_pred, _, groups = data
    summary = fairness_summary(y_true, y_pred, sensitive_features=groups)
    assert [name for name in KEYS if np.isnan(summary[name])] == OF_SCORES


def test_samples_of_weight_zero_do_not_count(data):
    y_true, y_pred, y_score, groups = data
    weights = np.where(groups["race"] == "x", 1.0, 0.0)
    here = weights > 0
    summary = fairness_summary(
        y_true, y_pred, y_score, sensitive_features=groups, sample_weight=weights
    )
    expected = fairness_summary(
        y_true[here], y_pred[here], y_score[here], sensitive_features=groups[here]
    )
    assert summary == pytest.approx(expected)


def test_several_classes_are_each_compared_with_the_rest():
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 3, (2, 90))
    proba, groups = rng.dirichlet([1, 1, 1], 90), rng.integers(0, 2, 90)
    summary = fairness_summary(y_true, y_pred, proba, sensitive_features=groups)
    single = [
        fairness_summary(
            y_true == label,
            y_pred == label,
            proba[:, label],
            sensitive_features=groups,
        )
        for label in range(3)
    ]
    expected = {name: max(one[name] for one in single) for name in KEYS[5:9] + ["abcc"]}
    expected |= {
        "accuracy": accuracy_score(y_true, y_pred),
        "balanced_accuracy": balanced_accuracy_score(y_true, y_pred),
        "average_precision": average_precision_score(y_true, proba),
        "roc_auc": roc_auc_score(y_true, proba, multi_class="ovr"),
        "selection_rate": np.nan,
        "demographic_parity_ratio": min(one[KEYS[9]] for one in single),
        "constant": False,
    }
    assert summary == pytest.approx(expected, nan_ok=True)


def test_one_class_of_several_may_be_the_favourable_one():
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 3, (2, 90))
    proba, groups = rng.dirichlet([1, 1, 1], 90), rng.integers(0, 2, 90)
    summary = fairness_summary(
        y_true, y_pred, proba, sensitive_features=groups, pos_label=2
    )
    expected = fairness_summary(
        y_true == 2, y_pred == 2, proba[:, 2], sensitive_features=groups
    )
    assert {name: summary[name] for name in KEYS[2:11]} == {
        name: expected[name] for name in KEYS[2:11]
    }
    assert summary["accuracy"] == accuracy_score(y_true, y_pred)


@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("two_columns", [False, True])
def test_a_single_label_leaves_ranking_undefined_without_other_warnings(
    label, two_columns
):
    y_true, y_pred = [label] * 4, [0, 1, 0, 1]
    y_score = np.array([0.1, 0.8, 0.3, 0.6])
    if two_columns:
        y_score = np.column_stack((1 - y_score, y_score))
    summary = fairness_summary(y_true, y_pred, y_score, sensitive_features=list("aabb"))
    assert np.isnan([summary["average_precision"], summary["roc_auc"]]).all()
    assert summary["balanced_accuracy"] == summary["accuracy"] == 0.5
    assert summary["abcc"] == pytest.approx(0.2)


def test_a_constant_classifier_is_told():
    y_true, groups = np.arange(1000) % 2, np.arange(1000) // 2 % 2
    summary = fairness_summary(y_true, y_true * 0, sensitive_features=groups)
    assert summary["constant"] is True
    assert summary["selection_rate"] == 0


def test_a_group_without_a_label_is_named_once():
    with pytest.warns(
        SkfairRunnerWarning, match="fairness_summary: group 'a'"
    ) as record:
        fairness_summary([0, 0, 1, 0], [0, 1, 0, 1], sensitive_features=list("aabb"))
    assert len(record) == 1


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3,), r"shape \(4,\) or \(4, 2\), .* \[0, 1\], got shape \(3,\)"),
        ((4, 3), r"shape \(4,\) or \(4, 2\), .* got shape \(4, 3\)"),
    ],
)
def test_scores_of_other_shapes_are_refused(shape, message):
    with pytest.raises(ValueError, match=f"fairness_summary: y_score must .*{message}"):
        fairness_summary(
            [0, 1, 0, 1], [0, 1, 0, 1], np.zeros(shape), sensitive_features=list("aabb")
        )


def test_one_score_for_three_classes_is_refused():
    with pytest.raises(
        ValueError, match=r"must have shape \(6, 3\), .*got shape \(6,\)"
    ):
        fairness_summary(
            [0, 1, 2, 0, 1, 2],
            [0, 1, 2, 0, 1, 2],
            np.zeros(6),
            sensitive_features=list("aaabbb"),
        )


def test_a_single_group_is_refused():
    with pytest.raises(ValueError, match="fairness_summary compares groups, .* 'a'"):
        fairness_summary([0, 1], [0, 1], sensitive_features=["a", "a"])
