import fairlearn.metrics as fairlearn
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.metrics import accuracy_score

from skfair_runner.metrics import group_rates, is_constant
from skfair_runner.utils import SkfairRunnerWarning

RATES = {
    "n": fairlearn.count,
    "selection_rate": fairlearn.selection_rate,
    "base_rate": lambda y_true, y_pred, **kwargs: fairlearn.selection_rate(
        y_true, y_true, **kwargs
    ),
    "true_positive_rate": fairlearn.true_positive_rate,
    "false_positive_rate": fairlearn.false_positive_rate,
    "accuracy": accuracy_score,
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("columns", [["sex"], ["sex", "race"]])
def test_the_table_is_fairlearns(columns, weighted):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 2, (2, 300))
    groups = pd.DataFrame(
        {"sex": rng.choice(["F", "M"], 300), "race": rng.choice(list("xyz"), 300)}
    )[columns]
    weights = rng.uniform(0.1, 2, 300) if weighted else None
    table = group_rates(
        y_true, y_pred, sensitive_features=groups, sample_weight=weights
    )
    params = {"sample_weight": weights} if weighted else {}
    expected = fairlearn.MetricFrame(
        metrics=RATES,
        y_true=y_true,
        y_pred=y_pred,
        sensitive_features=groups,
        sample_params={name: params for name in RATES if name != "n"},
    ).by_group
    assert_frame_equal(table, expected.astype({"n": np.int64}), check_index_type=False)


def test_several_classes_have_a_row_each():
    table = group_rates(
        ["x", "y", "z", "x", "y", "z"],
        ["x", "y", "y", "x", "x", "z"],
        sensitive_features=pd.Series(list("aaabbb"), name="sex"),
    )
    assert table.index.names == ["sex", "label"]
    assert table.loc[("a", "y")].to_dict() == pytest.approx(
        {
            "n": 3,
            "selection_rate": 2 / 3,
            "base_rate": 1 / 3,
            "true_positive_rate": 1,
            "false_positive_rate": 1 / 2,
            "accuracy": 2 / 3,
        }
    )
    assert table.index.tolist() == [(g, label) for g in "ab" for label in "xyz"]


def test_one_class_of_several_on_request():
    y_true, y_pred = np.array(["x", "y", "x", "z"]), np.array(["x", "x", "y", "z"])
    table = group_rates(y_true, y_pred, sensitive_features=list("aabb"), pos_label="x")
    assert table["selection_rate"].to_dict() == {"a": 1.0, "b": 0.0}
    assert table["true_positive_rate"].to_dict() == {"a": 1.0, "b": 0.0}


def test_a_group_without_a_label_is_named_in_a_warning():
    with pytest.warns(
        SkfairRunnerWarning, match="group_rates: group 'a' has no sample"
    ):
        table = group_rates([0, 0, 0, 1], [1, 1, 1, 1], sensitive_features=list("aabb"))
    assert table.loc["a", "true_positive_rate"] == 0


@pytest.mark.parametrize(
    ("n_selected", "constant"),
    [(0, True), (4, True), (5, False), (500, False), (995, False), (996, True)],
)
def test_constant_is_less_than_half_a_percent_or_more_than_the_rest(
    n_selected, constant
):
    y_pred = np.arange(1000) < n_selected
    assert is_constant(y_pred) is constant
    assert is_constant(np.where(y_pred, "yes", "no")) is constant


def test_one_of_three_classes_for_nearly_everybody_is_constant():
    assert is_constant([0] * 998 + [1, 2])
    assert not is_constant([0, 1, 2])


def test_scores_are_not_called_constant():
    with pytest.raises(ValueError, match=r"is_constant compares decisions, .* 0\.3"):
        is_constant([0.3, 0.3])
