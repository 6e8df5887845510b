import warnings
from functools import partial

import fairlearn.metrics as fairlearn
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skfair_runner import metrics
from skfair_runner.groups import encode_groups
from skfair_runner.metrics import (
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    false_positive_rate_difference,
)
from skfair_runner.utils import SkfairRunnerWarning


def fairlearn_false_positive_rate_difference(
    y_true, y_pred, *, sensitive_features, sample_weight=None
):
    return fairlearn.MetricFrame(
        metrics=fairlearn.false_positive_rate,
        y_true=y_true,
        y_pred=y_pred,
        sensitive_features=sensitive_features,
        sample_params={"sample_weight": sample_weight},
    ).difference()


def fairlearn_equalized_odds_sum(y_true, y_pred, **kwargs):
    return 2 * fairlearn.equalized_odds_difference(y_true, y_pred, agg="mean", **kwargs)


PAIRS = [
    (demographic_parity_difference, fairlearn.demographic_parity_difference),
    (demographic_parity_ratio, fairlearn.demographic_parity_ratio),
    (equalized_odds_difference, fairlearn.equalized_odds_difference),
    (partial(equalized_odds_difference, agg="sum"), fairlearn_equalized_odds_sum),
    (equal_opportunity_difference, fairlearn.equal_opportunity_difference),
    (false_positive_rate_difference, fairlearn_false_positive_rate_difference),
]
NAMES = [
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equalized_odds_sum",
    "equal_opportunity_difference",
    "false_positive_rate_difference",
]
OURS = [ours for ours, _ in PAIRS]


@st.composite
def samples(draw):
    """Labels, decisions, groups in one or two columns, and weights or None."""
    n_samples = draw(st.integers(2, 30))
    n_columns = draw(st.integers(1, 2))

    def array(values):
        return np.array(draw(st.lists(values, min_size=n_samples, max_size=n_samples)))

    columns = [array(st.sampled_from(["a", "b", "c", "Ω"])) for _ in range(n_columns)]
    columns[0][:2] = ["a", "b"]
    weights = array(st.floats(0.01, 100)) if draw(st.booleans()) else None
    groups = pd.DataFrame(np.column_stack(columns), columns=["sex", "race"][:n_columns])
    return array(st.integers(0, 1)), array(st.integers(0, 1)), groups, weights


@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=NAMES)
@given(samples())
@settings(max_examples=40, deadline=None)
def test_results_are_fairlearns(ours, theirs, data):
    """Also for groups without a sample of some label, whose rate is 0."""
    y_true, y_pred, groups, weights = data
    kwargs = {"sensitive_features": groups, "sample_weight": weights}
    expected = theirs(y_true, y_pred, **kwargs)
    assert_allclose(ours(y_true, y_pred, **kwargs), expected, rtol=1e-9, atol=1e-12)


@pytest.fixture
def data():
    """40 samples of 3 groups in which every group has every label."""
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 2, (2, 40))
    return y_true, y_pred, np.arange(40) % 3


def test_a_case_by_hand():
    """Selection rates 3/4 and 1/4, true positive rates 1 and 0, others 1/2 and 1/3."""
    y_true = [1, 1, 0, 0, 1, 0, 0, 0]
    y_pred = [1, 1, 1, 0, 0, 1, 0, 0]
    groups = list("aaaabbbb")
    results = [ours(y_true, y_pred, sensitive_features=groups) for ours in OURS]
    assert_allclose(results, [1 / 2, 1 / 3, 1, 1 + 1 / 6, 1, 1 / 6])
    assert all(isinstance(result, float) for result in results)


@pytest.mark.parametrize("ours", OURS, ids=NAMES)
@pytest.mark.parametrize(
    ("negative", "positive", "pos_label"),
    [
        (False, True, None),
        (-1, 1, None),
        (0.0, 1.0, None),
        ("no", "yes", "yes"),
        ("yes", "accept", "accept"),
        (2, 1, 1),
        (b"0", b"1", b"1"),
    ],
)
def test_results_do_not_depend_on_how_labels_are_written(
    data, ours, negative, positive, pos_label
):
    y_true, y_pred, groups = data
    expected = ours(y_true, y_pred, sensitive_features=groups)
    y_true, y_pred = np.array([negative, positive])[np.array([y_true, y_pred])]
    kwargs = {"sensitive_features": groups, "pos_label": pos_label}
    assert ours(y_true, y_pred, **kwargs) == expected
    assert ours(pd.Series(y_true), pd.Categorical(y_pred), **kwargs) == expected
    assert ours(y_true.tolist(), y_pred[:, None], **kwargs) == expected


@pytest.mark.parametrize("ours", OURS, ids=NAMES)
def test_the_other_label_can_be_the_favourable_one(data, ours):
    y_true, y_pred, groups = data
    result = ours(y_true, y_pred, sensitive_features=groups, pos_label=0)
    assert result == ours(1 - y_true, 1 - y_pred, sensitive_features=groups)


@pytest.mark.parametrize("ours", OURS, ids=NAMES)
def test_order_and_names_of_the_groups_do_not_matter(data, ours):
    y_true, y_pred, groups = data
    order = np.random.default_rng(1).permutation(40)
    expected = ours(y_true, y_pred, sensitive_features=groups)
    renamed = np.array(["z", "x", "y"])[groups]
    result = ours(y_true[order], y_pred[order], sensitive_features=renamed[order])
    assert result == expected


@pytest.mark.parametrize("ours", OURS, ids=NAMES)
def test_a_weight_is_a_number_of_copies(data, ours):
    y_true, y_pred, groups = data
    weights = np.random.default_rng(2).integers(0, 4, 40)
    weighted = ours(y_true, y_pred, sensitive_features=groups, sample_weight=weights)
    copies = np.repeat(np.arange(40), weights)
    repeated = ours(y_true[copies], y_pred[copies], sensitive_features=groups[copies])
    assert_allclose(weighted, repeated)


@pytest.mark.parametrize("ours", OURS, ids=NAMES)
def test_a_group_of_weight_zero_is_as_if_it_were_not_there(data, ours):
    y_true, y_pred, groups = data
    weights = np.where(groups == 2, 0.0, 1.0)
    here = groups < 2
    weighted = ours(y_true, y_pred, sensitive_features=groups, sample_weight=weights)
    assert weighted == ours(y_true[here], y_pred[here], sensitive_features=groups[here])


@pytest.mark.parametrize("ours", OURS, ids=NAMES)
def test_encoded_groups_are_taken_as_they_are(data, ours):
    y_true, y_pred, groups = data
    known = encode_groups(groups, names=[0, 1, 2, "nobody's"])
    result = ours(y_true, y_pred, sensitive_features=known)
    assert result == ours(y_true, y_pred, sensitive_features=groups)


@pytest.mark.parametrize("ours", OURS, ids=NAMES)
def test_each_class_is_compared_with_the_rest(ours):
    rng = np.random.default_rng(3)
    y_true, y_pred = rng.integers(0, 3, (2, 90))
    groups = rng.integers(0, 3, 90)
    single = [
        ours(y_true == label, y_pred == label, sensitive_features=groups)
        for label in range(3)
    ]
    extreme = min(single) if ours is demographic_parity_ratio else max(single)
    assert ours(y_true, y_pred, sensitive_features=groups) == extreme
    for label in range(3):
        kwargs = {"sensitive_features": groups, "pos_label": label}
        assert ours(y_true, y_pred, **kwargs) == single[label]


def test_ten_thousand_groups():
    groups = np.repeat(np.arange(10_000), 4)
    y_true = np.tile([0, 0, 1, 1], 10_000)
    y_pred = np.tile([0, 1, 0, 1], 10_000)
    y_pred[:4] = 1
    for ours, expected in zip(OURS, [0.5, 0.5, 0.5, 1, 0.5, 0.5], strict=True):
        assert ours(y_true, y_pred, sensitive_features=groups) == expected


@pytest.mark.parametrize("label", [0, 1])
def test_one_label_for_everybody_is_no_difference(label):
    same = [label] * 4
    groups = list("aabb")
    assert demographic_parity_difference(same, same, sensitive_features=groups) == 0


def test_the_ratio_is_not_a_number_when_nobody_is_selected():
    ratio = demographic_parity_ratio([0, 1], [0, 0], sensitive_features=["a", "b"])
    assert np.isnan(ratio)


@pytest.mark.parametrize(
    ("ours", "y_true", "message"),
    [
        (
            equal_opportunity_difference,
            [0, 0, 0, 1],
            "'a' .* with label 1, .* true pos",
        ),
        (
            false_positive_rate_difference,
            [1, 1, 0, 1],
            "'a' .* without label 1, .* fal",
        ),
        (equalized_odds_difference, [0, 0, 0, 1], "'a' has no sample with label 1"),
    ],
)
def test_a_group_without_a_label_is_named_in_a_warning(ours, y_true, message):
    with pytest.warns(SkfairRunnerWarning, match=f"{ours.__name__}: group {message}"):
        result = ours(y_true, [1, 1, 1, 1], sensitive_features=list("aabb"))
    assert result == 1.0


def test_demographic_parity_does_not_look_at_the_labels():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        demographic_parity_difference(
            [0, 0, 1, 1], [1, 0, 1, 0], sensitive_features=list("aabb")
        )


def test_the_warning_points_to_the_line_of_the_caller():
    with pytest.warns(SkfairRunnerWarning) as record:
        equal_opportunity_difference([0, 1], [1, 1], sensitive_features=["a", "b"])
    assert record[0].filename == __file__


@pytest.mark.parametrize("ours", OURS, ids=NAMES)
def test_a_single_group_is_refused(ours):
    with pytest.raises(
        ValueError, match="compares groups, but all 2 .* one group, 'a'"
    ):
        ours([0, 1], [0, 1], sensitive_features=["a", "a"])


@pytest.mark.parametrize("ours", OURS, ids=NAMES)
def test_strings_without_a_favourable_label_are_refused(ours):
    with pytest.raises(
        ValueError, match=r"of the labels \['no', 'yes'\] .*pos_label='yes'"
    ):
        ours(["no", "yes"], ["no", "no"], sensitive_features=["a", "b"])


def test_an_unknown_way_to_combine_is_refused():
    with pytest.raises(ValueError, match=r"\['worst_case', 'sum'\], got 'mean'"):
        equalized_odds_difference(
            [0, 1], [0, 1], sensitive_features=["a", "b"], agg="mean"
        )


def test_every_public_name_is_there():
    assert all(
        callable(getattr(metrics, name)) or name == "METRICS"
        for name in metrics.__all__
    )
