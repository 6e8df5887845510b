import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, count, selection_rate, true_positive_rate
from matplotlib import pyplot
from numpy.testing import assert_allclose
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression

from skfair_runner.metrics import group_rates
from skfair_runner.plots import GroupMetricsDisplay
from skfair_runner.plots._rates import RATES


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    n_people = 300
    y_true = rng.integers(0, 2, n_people)
    y_pred = np.where(rng.random(n_people) < 0.7, y_true, 1 - y_true)
    groups = pd.DataFrame(
        {"sex": rng.choice(["f", "m"], n_people), "age": rng.choice(["<", ">"], 300)}
    )
    return y_true, y_pred, groups


def bars(ax):
    return [bar.get_width() for bar in ax.patches]


def test_values_are_the_rates_of_the_groups(people):
    y_true, y_pred, groups = people
    display = GroupMetricsDisplay.from_predictions(
        y_true, y_pred, sensitive_features=groups, metrics=RATES
    )
    expected = group_rates(y_true, y_pred, sensitive_features=groups)
    assert_allclose(display.values, expected[list(RATES)])
    assert display.sizes.tolist() == expected["n"].tolist()
    assert display.values.index.tolist() == ["f, <", "f, >", "m, <", "m, >"]


def test_weighted_values_are_fairlearns(people):
    y_true, y_pred, groups = people
    weights = np.random.default_rng(1).integers(0, 4, len(y_true))
    display = GroupMetricsDisplay.from_predictions(
        y_true, y_pred, sensitive_features=groups["sex"], sample_weight=weights
    )
    frame = MetricFrame(
        metrics={"s": selection_rate, "t": true_positive_rate},
        y_true=y_true,
        y_pred=y_pred,
        sensitive_features=groups["sex"],
        sample_params={
            "s": {"sample_weight": weights},
            "t": {"sample_weight": weights},
        },
    )
    names = ["selection_rate", "true_positive_rate"]
    assert_allclose(display.values[names], frame.by_group)
    assert_allclose(display.overall[names], frame.overall)


def test_intervals_count_only_those_among_whom_a_rate_is_taken(people):
    y_true, y_pred, groups = people
    display = GroupMetricsDisplay.from_predictions(
        y_true, y_pred, sensitive_features=groups["sex"]
    )
    who = (groups["sex"] == "f") & (y_true == 1)
    expected = binomtest(int(y_pred[who].sum()), int(who.sum())).proportion_ci(
        0.95, method="wilson"
    )
    assert display.low.loc["f", "true_positive_rate"] == pytest.approx(expected.low)
    assert display.high.loc["f", "true_positive_rate"] == pytest.approx(expected.high)


def test_equal_weights_change_no_interval(people):
    y_true, y_pred, groups = people
    plain, weighted = (
        GroupMetricsDisplay.from_predictions(
            y_true, y_pred, sensitive_features=groups, sample_weight=weights
        )
        for weights in (None, np.full(len(y_true), 2.5))
    )
    assert_allclose(plain.low, weighted.low)
    assert_allclose(plain.high, weighted.high)


def test_bars_and_differences_are_the_values(people):
    y_true, y_pred, groups = people
    display = GroupMetricsDisplay.from_predictions(
        y_true, y_pred, sensitive_features=groups
    ).plot()
    assert len(display.axes_) == 4
    for ax, metric in zip(display.axes_, display.values, strict=True):
        values = display.values[metric]
        assert_allclose(bars(ax), values)
        difference = values.max() - values.min()
        assert display.differences_[metric] == pytest.approx(difference)
        assert f"difference {difference:.3f}" in ax.get_title()


def test_groups_stand_beside_their_bars_with_their_size(people):
    y_true, y_pred, groups = people
    display = GroupMetricsDisplay.from_predictions(
        y_true, y_pred, sensitive_features=groups["sex"]
    ).plot()
    n_women = (groups["sex"] == "f").sum()
    texts = [tick.get_text() for tick in display.axes_[0].get_yticklabels()]
    assert texts == [f"f\n(n = {n_women})", f"m\n(n = {300 - n_women})"]
    assert display.axes_[0].yaxis_inverted()


def test_a_rate_of_nobody_is_told_and_not_drawn(people):
    y_true, y_pred, groups = people
    y_true = np.where(groups["sex"] == "f", 0, y_true)
    display = GroupMetricsDisplay.from_predictions(
        y_true, y_pred, sensitive_features=groups["sex"]
    ).plot()
    assert np.isnan(display.values.loc["f", "true_positive_rate"])
    texts = [text.get_text() for text in display.axes_[1].texts]
    assert texts[0] == "no such samples"
    assert display.differences_["true_positive_rate"] == 0


def test_a_metric_frame_is_drawn_as_it_is(people):
    y_true, y_pred, groups = people
    frame = MetricFrame(
        metrics={"selection_rate": selection_rate, "count": count},
        y_true=y_true,
        y_pred=y_pred,
        sensitive_features=groups,
    )
    display = GroupMetricsDisplay.from_table(frame).plot()
    (ax,) = display.axes_
    assert_allclose(bars(ax), frame.by_group["selection_rate"])
    assert display.sizes.tolist() == frame.by_group["count"].tolist()
    (line,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert line.get_xdata()[0] == pytest.approx(frame.overall["selection_rate"])


def test_a_frame_with_one_metric_or_control_features_can_be_drawn(people):
    y_true, y_pred, groups = people
    data = {"y_true": y_true, "y_pred": y_pred, "sensitive_features": groups["sex"]}
    one = MetricFrame(metrics=selection_rate, **data)
    display = GroupMetricsDisplay.from_table(one)
    assert_allclose(display.values["selection_rate"], one.by_group)
    assert display.overall["selection_rate"] == one.overall
    for metrics in (selection_rate, {"selection_rate": selection_rate}):
        frame = MetricFrame(metrics=metrics, control_features=groups["age"], **data)
        display = GroupMetricsDisplay.from_table(frame)
        assert display.overall is None
        assert len(display.values) == 4


def test_values_above_one_are_drawn_on_their_own_scale():
    table = pd.DataFrame({"mean_income": [31.5, 60.25]}, index=["f", "m"])
    display = GroupMetricsDisplay.from_table(table).plot()
    (ax,) = display.axes_
    assert ax.get_xlim()[1] > 60.25
    assert ax.get_xlabel() == "value"
    assert [text.get_text() for text in ax.texts] == ["31.5", "60.2"]


def test_long_names_are_wrapped(people):
    y_true, y_pred, groups = people
    name = "American Indian, Eskimo, Aleut or Alaska Native, any other tribe"
    groups = groups["sex"].replace("f", name)
    display = GroupMetricsDisplay.from_predictions(
        y_true, y_pred, sensitive_features=groups
    ).plot()
    text = display.axes_[0].get_yticklabels()[0].get_text()
    assert max(map(len, text.split("\n"))) <= 28


def test_a_fitted_classifier_is_asked_for_its_decisions(people):
    y_true, _, groups = people
    X = np.random.default_rng(2).normal(size=(300, 2)) + y_true[:, None]
    clf = LogisticRegression().fit(X, y_true)
    found = GroupMetricsDisplay.from_estimator(
        clf, X, y_true, sensitive_features=groups, metrics=["accuracy"]
    )
    expected = GroupMetricsDisplay.from_predictions(
        y_true, clf.predict(X), sensitive_features=groups, metrics=["accuracy"]
    )
    pd.testing.assert_frame_equal(found.values, expected.values)


def test_no_intervals_are_drawn_where_none_are_asked_for(people):
    y_true, y_pred, groups = people
    display = GroupMetricsDisplay.from_predictions(
        y_true, y_pred, sensitive_features=groups["sex"], confidence=None
    ).plot()
    assert display.low is None
    assert not display.axes_[0].containers[1:]


def test_a_given_place_is_divided(people, ax):
    y_true, y_pred, groups = people
    display = GroupMetricsDisplay.from_predictions(
        y_true, y_pred, sensitive_features=groups["sex"]
    ).plot(ax=ax)
    assert display.figure_ is ax.figure
    assert pyplot.get_fignums() == [ax.figure.number]


@pytest.mark.parametrize("metrics", [["recall"], []])
def test_an_unknown_metric_is_named(people, metrics):
    y_true, y_pred, groups = people
    with pytest.raises(ValueError, match=rf"selection_rate.*got \{metrics}"[:-1]):
        GroupMetricsDisplay.from_predictions(
            y_true, y_pred, sensitive_features=groups, metrics=metrics
        )


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_a_confidence_that_is_no_share_is_refused(people, confidence):
    y_true, y_pred, groups = people
    with pytest.raises(ValueError, match=rf"in \(0, 1\) or None, got {confidence}"):
        GroupMetricsDisplay.from_predictions(
            y_true, y_pred, sensitive_features=groups, confidence=confidence
        )


def test_one_of_several_labels_must_be_named(people):
    _, y_pred, groups = people
    y_true = np.arange(300) % 3
    with pytest.raises(ValueError, match=r"which of \[0, 1, 2\].*pos_label=2"):
        GroupMetricsDisplay.from_predictions(y_true, y_pred, sensitive_features=groups)
    display = GroupMetricsDisplay.from_predictions(
        y_true, y_pred, sensitive_features=groups["sex"], pos_label=2
    )
    assert display.overall["selection_rate"] == 0


def test_an_absent_column_is_named():
    table = pd.DataFrame({"n": [1, 2], "accuracy": [0.5, 0.6]})
    with pytest.raises(ValueError, match="from_table: the table has no column 'auc'"):
        GroupMetricsDisplay.from_table(table, metrics=["auc"])


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (pd.DataFrame({"n": [3, 4]}), r"2 groups and 0 metrics .* \['n'\]"),
        (pd.DataFrame({"accuracy": []}), "0 groups and 1 metrics"),
    ],
)
def test_a_table_with_nothing_to_draw_is_refused(table, found):
    with pytest.raises(ValueError, match=found):
        GroupMetricsDisplay.from_table(table)
