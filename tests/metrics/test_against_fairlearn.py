"""Whole tables and summaries against fairlearn's MetricFrame, on random samples.

`test_differences.py` compares the single functions with fairlearn's of the same name.
"""

import fairlearn.metrics as fairlearn
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from skfair_runner.metrics import (
    METRICS,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    fairness_summary,
    group_rates,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning"),
    # scikit-learn's, of groups in which nobody has some label.
    pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true"),
    pytest.mark.filterwarnings("ignore:A single label was found"),
]

COLUMNS = ["sex", "race", "age"]
VALUES = {
    "sex": ["F", "M"],
    "race": ["Black", "White", "Ω other"],
    "age": [20, 40],
}
RATES = {
    "selection_rate": fairlearn.selection_rate,
    "base_rate": lambda y_true, y_pred, **kwargs: fairlearn.selection_rate(
        y_true, y_true, **kwargs
    ),
    "true_positive_rate": fairlearn.true_positive_rate,
    "false_positive_rate": fairlearn.false_positive_rate,
    "accuracy": accuracy_score,
}


@st.composite
def samples(draw):
    """Labels, decisions, one to three sensitive columns, and weights or None."""
    n_samples = draw(st.integers(4, 60))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.1, 0.5, 0.9]))
    y_true, y_pred = (generator.random((2, n_samples)) < share).astype(int)
    columns = COLUMNS[: draw(st.integers(1, 3))]
    groups = pd.DataFrame(
        {name: generator.choice(VALUES[name], n_samples) for name in columns}
    )
    groups.loc[:1, "sex"] = ["F", "M"]  # at least two groups
    weighted = draw(st.booleans())
    weights = generator.uniform(0.01, 10, n_samples) if weighted else None
    return y_true, y_pred, groups, weights


def frame_of(metrics, data):
    """Their frame, with the weights for every metric."""
    y_true, y_pred, groups, weights = data
    params = {} if weights is None else {"sample_weight": weights}
    return fairlearn.MetricFrame(
        metrics=metrics,
        y_true=y_true,
        y_pred=y_pred,
        sensitive_features=groups,
        sample_params=dict.fromkeys(metrics, params),
    )


@given(samples())
@settings(max_examples=20, deadline=None)
def test_the_rates_of_every_group_are_those_of_the_metric_frame(data):
    y_true, y_pred, groups, weights = data
    table = group_rates(
        y_true, y_pred, sensitive_features=groups, sample_weight=weights
    )
    theirs = frame_of(RATES, data).by_group

    # Theirs also has combinations of values that nobody has.
    expected = theirs.dropna(how="all")
    assert set(table.index) == set(expected.index)
    expected = expected.loc[table.index].astype(float)
    assert_allclose(table[list(RATES)], expected, atol=1e-12)
    assert_array_equal(table["n"], groups.value_counts().loc[table.index])


@given(samples())
@settings(max_examples=20, deadline=None)
def test_the_summary_is_that_of_the_metric_frame(data):
    y_true, y_pred, groups, weights = data
    metrics = {**RATES, "balanced_accuracy": balanced_accuracy_score}
    theirs = frame_of(metrics, data)
    apart, ratio, overall = theirs.difference(), theirs.ratio(), theirs.overall
    odds = [apart["true_positive_rate"], apart["false_positive_rate"]]
    expected = {
        "accuracy": overall["accuracy"],
        "balanced_accuracy": overall["balanced_accuracy"],
        "selection_rate": overall["selection_rate"],
        "demographic_parity_difference": apart["selection_rate"],
        "demographic_parity_ratio": ratio["selection_rate"],
        "equalized_odds_difference": max(odds),
        "equalized_odds_sum": sum(odds),
        "equal_opportunity_difference": apart["true_positive_rate"],
    }

    summary = fairness_summary(
        y_true, y_pred, sensitive_features=groups, sample_weight=weights
    )

    ours = {name: summary[name] for name in expected}
    assert ours == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (demographic_parity_difference, fairlearn.demographic_parity_difference),
        (demographic_parity_ratio, fairlearn.demographic_parity_ratio),
        (equalized_odds_difference, fairlearn.equalized_odds_difference),
        (equal_opportunity_difference, fairlearn.equal_opportunity_difference),
    ],
)
@given(samples())
@settings(max_examples=15, deadline=None)
def test_string_labels_give_what_fairlearn_gives_on_zero_and_one(ours, theirs, data):
    """fairlearn itself returns 0.0 on string labels."""
    y_true, y_pred, groups, weights = data
    kwargs = {"sensitive_features": groups, "sample_weight": weights}
    words = np.array(["declined", "hired"])
    result = ours(words[y_true], words[y_pred], pos_label="hired", **kwargs)
    assert_allclose(result, theirs(y_true, y_pred, **kwargs), atol=1e-12)


@given(samples())
@settings(max_examples=15, deadline=None)
def test_metrics_by_name_are_fairlearns(data):
    y_true, y_pred, groups, weights = data
    kwargs = {"sensitive_features": groups, "sample_weight": weights}
    for name in (
        "demographic_parity_difference",
        "demographic_parity_ratio",
        "equalized_odds_difference",
        "equal_opportunity_difference",
    ):
        expected = getattr(fairlearn, name)(y_true, y_pred, **kwargs)
        result = METRICS[name].function(y_true, y_pred, **kwargs)
        assert_allclose(result, expected, atol=1e-12, err_msg=name)
