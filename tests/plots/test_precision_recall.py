import numpy as np
import pytest
from matplotlib import pyplot
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_score, recall_score

from skfair_runner.plots import GroupPrecisionRecallDisplay


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 120)
    scores = (y_true + rng.normal(size=120)).round(1)
    return y_true, scores, rng.choice(["f", "m", "x"], 120)


def test_every_point_is_the_precision_and_recall_of_a_cut_off(people):
    y_true, scores, groups = people
    display = GroupPrecisionRecallDisplay.from_predictions(
        y_true, scores, sensitive_features=groups
    )
    own = groups == "f"
    expected = [
        (
            recall_score(y_true[own], scores[own] >= cutoff),
            precision_score(y_true[own], scores[own] >= cutoff),
        )
        for cutoff in np.unique(scores[own])
    ]
    # The last point, nobody selected, is (0, 1) by convention.
    assert_allclose(display.curves["f"].to_numpy(), [*expected, (0, 1)])


def test_average_precision_and_prevalence_are_weighted(people):
    y_true, scores, groups = people
    weights = np.random.default_rng(1).integers(0, 3, 120)
    display = GroupPrecisionRecallDisplay.from_predictions(
        y_true, scores, sensitive_features=groups, sample_weight=weights
    )
    for name, row in display.summary.iterrows():
        own = groups == name
        assert row["n"] == np.count_nonzero(weights[own])
        assert row["prevalence"] == pytest.approx(
            np.average(y_true[own], weights=weights[own])
        )
        assert row["average_precision"] == pytest.approx(
            average_precision_score(
                y_true[own], scores[own], sample_weight=weights[own]
            )
        )


def test_the_area_under_the_drawn_steps_is_the_average_precision(people):
    y_true, scores, groups = people
    display = GroupPrecisionRecallDisplay.from_predictions(
        y_true, scores, sensitive_features=groups
    ).plot()
    line = display.ax_.lines[0]
    assert line.get_drawstyle() == "steps-post"
    x, y = line.get_xdata(), line.get_ydata()
    area = -np.diff(x) @ y[:-1]
    assert area == pytest.approx(display.summary["average_precision"].iloc[0])


def test_the_legend_tells_average_precision_prevalence_and_size(people):
    y_true, scores, groups = people
    display = GroupPrecisionRecallDisplay.from_predictions(
        y_true, scores, sensitive_features=groups
    ).plot()
    row = display.summary.loc["m"]
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts[1] == (
        f"m: AP {row['average_precision']:.3f}, prevalence {row['prevalence']:.3f}, "
        f"n = {int(row['n'])}"
    )
    dotted = [
        line.get_ydata()[0] for line in display.ax_.lines if len(line.get_xdata()) == 2
    ]
    assert_allclose(dotted, display.summary["prevalence"])


def test_a_group_without_the_label_is_told_and_has_no_curve(people):
    y_true, scores, groups = people
    y_true = np.where(groups == "x", 0, y_true)
    display = GroupPrecisionRecallDisplay.from_predictions(
        y_true, scores, sensitive_features=groups
    ).plot()
    assert set(display.curves) == {"f", "m"}
    assert np.isnan(display.summary.loc["x", "average_precision"])
    text = display.ax_.get_legend().get_texts()[2].get_text()
    assert text == f"x: nobody has the label, n = {np.sum(groups == 'x')}"


def test_a_fitted_classifier_is_asked_for_the_favourable_label(people):
    y_true, scores, groups = people
    labels = np.where(y_true == 1, "hired", "not")
    clf = LogisticRegression().fit(scores[:, None], labels)
    display = GroupPrecisionRecallDisplay.from_estimator(
        clf,
        scores[:, None],
        labels,
        sensitive_features=groups,
        pos_label="hired",
    )
    own = groups == "f"
    assert display.summary.loc["f", "average_precision"] == pytest.approx(
        average_precision_score(y_true[own], scores[own])
    )


def test_it_is_drawn_where_it_is_told_to(people, ax):
    y_true, scores, groups = people
    display = GroupPrecisionRecallDisplay.from_predictions(
        y_true, scores, sensitive_features=groups
    ).plot(ax=ax)
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert pyplot.get_fignums() == [ax.figure.number]


def test_scores_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"each of the 3 labels, got shape \(2,\)"):
        GroupPrecisionRecallDisplay.from_predictions(
            [0, 1, 1], [0.1, 0.2], sensitive_features=list("aab")
        )


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="with 1 that are not finite"):
        GroupPrecisionRecallDisplay.from_predictions(
            [0, 1], [0.1, np.nan], sensitive_features=list("ab")
        )


def test_labels_of_which_none_is_favourable_are_refused():
    with pytest.raises(ValueError, match="none of the 2 samples .* label 'yes'"):
        GroupPrecisionRecallDisplay.from_predictions(
            ["no", "no"], [0.1, 0.2], sensitive_features=list("ab"), pos_label="yes"
        )


def test_one_of_several_labels_must_be_named(people):
    _, scores, groups = people
    with pytest.raises(ValueError, match=r"which of \[0, 1, 2\]"):
        GroupPrecisionRecallDisplay.from_predictions(
            np.arange(120) % 3, scores, sensitive_features=groups
        )
