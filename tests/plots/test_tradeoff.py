import io

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from scipy.stats import f

from skfair_runner.plots import TradeoffDisplay
from skfair_runner.plots._drawing import MARKERS

DIFFERENCE = "demographic_parity_difference"


@pytest.fixture
def per_fold():
    """Five folds of two methods, and three of another."""
    rng = np.random.default_rng(0)
    values = rng.multivariate_normal([0.8, 0.1], [[4e-4, 3e-4], [3e-4, 9e-4]], size=13)
    frame = pd.DataFrame(values, columns=["accuracy", DIFFERENCE])
    return frame.assign(method=["one"] * 5 + ["two"] * 5 + ["few"] * 3)


@pytest.fixture
def sweep():
    index = pd.MultiIndex.from_product(
        [["ours", "theirs"], [0, 1, 2]], names=["method", "alpha"]
    )
    return pd.DataFrame(
        {
            "accuracy_mean": [0.86, 0.85, 0.8, 0.86, 0.84, 0.79],
            f"{DIFFERENCE}_mean": [0.2, 0.1, 0.02, 0.2, 0.11, 0.03],
        },
        index=index,
    )


def means_of(per_fold):
    folds = per_fold.groupby("method", sort=False)
    means = folds.mean().add_suffix("_mean")
    return means.join(folds.std().add_suffix("_std"))


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "accuracy_mean": [0.86, 0.84, 0.83, 0.7],
            "accuracy_std": [0.01, 0.02, 0.01, 0.0],
            "abcc_mean": [0.2, 0.1, np.nan, 0.0],
            f"{DIFFERENCE}_mean": [0.2, 0.05, 0.04, 0.0],
            f"{DIFFERENCE}_std": [0.02, 0.01, 0.02, 0.0],
            "needs_groups_at_predict": [False, False, True, False],
            "constant_folds": [0, 0, 0, 2],
        },
        index=["plain", "repaired", "thresholds", "collapsed"],
    )


def drawn_points(ax):
    """The points, without the ends of bars and the crosses."""
    return [
        line
        for line in ax.lines
        if len(line.get_xdata()) == 1 and line.get_marker() in MARKERS
    ]


def test_points_stand_where_the_table_says(table):
    ax = TradeoffDisplay.from_table(table).plot().ax_
    places = [(line.get_xdata()[0], line.get_ydata()[0]) for line in drawn_points(ax)]
    assert places == [(0.2, 0.86), (0.05, 0.84), (0.04, 0.83), (0.0, 0.7)]


def test_bars_are_a_standard_deviation_to_each_side(table):
    ax = TradeoffDisplay.from_table(table).plot().ax_
    bars = ax.containers[0]
    (horizontal,), (vertical,) = (lines.get_segments() for lines in bars.lines[2])
    np.testing.assert_allclose(horizontal[:, 0], [0.18, 0.22])
    np.testing.assert_allclose(vertical[:, 1], [0.85, 0.87])


def test_methods_that_need_groups_to_predict_are_hollow(table):
    ax = TradeoffDisplay.from_table(table).plot().ax_
    hollow = [line.get_markerfacecolor() == "white" for line in drawn_points(ax)]
    assert hollow == [False, False, True, False]
    assert "hollow: needs groups at prediction" in ax.get_title(loc="left")


def test_a_constant_classifier_is_crossed_out_and_called_so(table):
    display = TradeoffDisplay.from_table(table).plot()
    crosses = [line for line in display.ax_.lines if line.get_marker() == "x"]
    assert [(c.get_xdata()[0], c.get_ydata()[0]) for c in crosses] == [(0.0, 0.7)]
    assert display.labels_[-1].get_text() == "collapsed (constant)"


def test_every_point_has_its_name_beside_it(table):
    display = TradeoffDisplay.from_table(table).plot()
    assert [label.get_text() for label in display.labels_[:3]] == [
        "plain",
        "repaired",
        "thresholds",
    ]
    for label, point in zip(display.labels_, drawn_points(display.ax_), strict=True):
        assert label.xy == (point.get_xdata()[0], point.get_ydata()[0])


def test_names_of_neighbours_do_not_cover_one_another(table):
    table.loc[:, "accuracy_mean"] = [0.84, 0.841, 0.842, 0.839]
    table.loc[:, f"{DIFFERENCE}_mean"] = [0.05, 0.052, 0.048, 0.051]
    table["constant_folds"] = 0
    display = TradeoffDisplay.from_table(table).plot()
    boxes = [label.get_window_extent() for label in display.labels_]
    overlapping = [
        (one, two)
        for k, one in enumerate(boxes)
        for two in boxes[k + 1 :]
        if one.overlaps(two)
    ]
    assert overlapping == []


def test_points_are_told_apart_without_colour(table):
    ax = TradeoffDisplay.from_table(table).plot().ax_
    assert len({line.get_marker() for line in drawn_points(ax)}) == 4


def test_other_measures_can_be_drawn_and_rows_without_one_are_left_out(table):
    display = TradeoffDisplay.from_table(table, difference="abcc").plot()
    assert display.points.index.tolist() == ["plain", "repaired", "collapsed"]
    label = display.ax_.get_xlabel()
    assert label == "area between score distributions (less is better)"


def test_a_table_with_means_alone_is_enough(table):
    means = table[["accuracy_mean", f"{DIFFERENCE}_mean"]]
    display = TradeoffDisplay.from_table(means).plot()
    notes = display.ax_.get_title(loc="left")
    assert notes == "dashed: the front, which no point dominates"
    assert len(drawn_points(display.ax_)) == 4


def test_it_is_drawn_where_it_is_told_to(table, ax):
    display = TradeoffDisplay.from_table(table).plot(ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def test_it_can_be_saved_in_any_format_and_is_never_shown(table, monkeypatch):
    monkeypatch.setattr(pyplot, "show", lambda: pytest.fail("shown"))
    figure = TradeoffDisplay.from_table(table).plot().figure_
    for kind in ("png", "svg", "pdf"):
        file = io.BytesIO()
        figure.savefig(file, format=kind)
        assert file.tell() > 1000


def test_an_absent_measure_is_named(table):
    with pytest.raises(ValueError, match="no column 'recall_mean'"):
        TradeoffDisplay.from_table(table, utility="recall")


def test_a_table_without_numbers_is_refused(table):
    table["accuracy_mean"] = np.nan
    with pytest.raises(ValueError, match=r"methods \['plain', .* has both 'accuracy'"):
        TradeoffDisplay.from_table(table)


def test_the_front_is_drawn_as_steps_without_constant_points(table):
    display = TradeoffDisplay.from_table(table).plot()
    assert display.front.index.tolist() == ["thresholds", "repaired", "plain"]
    (line,) = [line for line in display.ax_.lines if line.get_zorder() == 1]
    assert line.get_drawstyle() == "steps-post"
    right = display.ax_.get_xlim()[1]
    np.testing.assert_allclose(line.get_xdata(), [0.04, 0.05, 0.2, right])
    np.testing.assert_allclose(line.get_ydata(), [0.83, 0.84, 0.86, 0.86])


def test_a_front_of_one_point_is_no_line(table):
    display = TradeoffDisplay.from_table(table[:1]).plot()
    assert not [line for line in display.ax_.lines if line.get_zorder() == 1]
    assert "front" not in display.ax_.get_title(loc="left")


def test_an_ellipse_is_the_confidence_region_of_the_mean(per_fold):
    """Its edge is where Hotelling's statistic has the quantile, point by point."""
    display = TradeoffDisplay.from_table(means_of(per_fold), per_fold=per_fold)
    ax = display.plot(spread="ellipses", confidence=0.9).ax_
    own = per_fold.loc[per_fold["method"] == "two", [DIFFERENCE, "accuracy"]]
    ellipse = ax.patches[2]
    edge = ellipse.get_patch_transform().transform(
        [[np.cos(t), np.sin(t)] for t in np.linspace(0, 6, 9)]
    )
    off = edge - own.mean().to_numpy()
    statistic = 5 * np.einsum("ij,jk,ik->i", off, np.linalg.inv(own.cov()), off)
    np.testing.assert_allclose(statistic, 2 * 4 / 3 * f.ppf(0.9, 2, 3))
    assert "90 % confidence" in ax.get_title(loc="left")


def test_too_few_folds_keep_their_bars(per_fold):
    display = TradeoffDisplay.from_table(means_of(per_fold), per_fold=per_fold)
    assert display.points["folds"].tolist() == [5, 5, 3]
    ax = display.plot(spread="ellipses").ax_
    assert len(ax.patches) == 4
    assert len(ax.containers) == 1


def test_folds_of_a_table_with_an_unnamed_index_are_found_by_method(per_fold):
    table = means_of(per_fold).rename_axis(None)
    display = TradeoffDisplay.from_table(table, per_fold=per_fold)
    expected = per_fold.groupby("method", sort=False)[["accuracy", DIFFERENCE]].cov()
    np.testing.assert_allclose(
        display.points["covariance"], expected[DIFFERENCE].to_numpy()[::2]
    )


def test_failed_folds_do_not_count(per_fold):
    per_fold.loc[0, "accuracy"] = np.nan
    display = TradeoffDisplay.from_table(means_of(per_fold), per_fold=per_fold)
    assert display.points["folds"].tolist() == [4, 5, 3]


def test_settings_of_a_method_are_joined_in_their_order(sweep):
    display = TradeoffDisplay.from_table(sweep).plot()
    lines = {line.get_label(): line for line in display.ax_.lines}
    for method in ("ours", "theirs"):
        rows = sweep.loc[method]
        np.testing.assert_allclose(
            lines[method].get_xydata(),
            rows[[f"{DIFFERENCE}_mean", "accuracy_mean"]].to_numpy(),
        )
    assert [label.get_text() for label in display.labels_] == list("012012")
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["ours", "theirs"]


def test_of_many_settings_the_first_and_the_last_are_named(sweep):
    table = pd.concat([sweep, sweep, sweep])
    labels = TradeoffDisplay.from_table(table).plot().labels_
    assert [label.get_text() for label in labels] == ["0", "0", "2", "2"]
    assert [label.xy for label in labels[::2]] == [(0.2, 0.86), (0.02, 0.8)]


def test_several_settings_are_named_together(sweep):
    sweep = pd.concat({"x": sweep}, names=["epochs"]).reorder_levels([1, 2, 0])
    display = TradeoffDisplay.from_table(sweep)
    assert display.points["setting"].tolist()[:2] == ["0, x", "1, x"]


def test_folds_of_settings_are_told_apart(sweep):
    rng = np.random.default_rng(0)
    rows = [
        {"method": method, "alpha": alpha, "accuracy": u, DIFFERENCE: d}
        for method, alpha in sweep.index
        for u, d in rng.random((alpha + 4, 2))
    ]
    display = TradeoffDisplay.from_table(sweep, per_fold=pd.DataFrame(rows))
    assert display.points["folds"].tolist() == [4, 5, 6] * 2


def test_without_spread_there_are_points_alone(table):
    ax = TradeoffDisplay.from_table(table).plot(spread=None).ax_
    assert not ax.containers
    assert "bars" not in ax.get_title(loc="left")


def test_intervals_of_the_table_are_drawn(table):
    table[f"{DIFFERENCE}_low"] = [0.15, 0.04, 0.01, 0.02]
    table[f"{DIFFERENCE}_high"] = [0.24, 0.09, 0.08, 0.03]
    ax = TradeoffDisplay.from_table(table).plot(spread="intervals").ax_
    ((bars,),) = [container.lines[2] for container in ax.containers[:1]]
    np.testing.assert_allclose(bars.get_segments()[0][:, 0], [0.15, 0.24])
    # One that does not contain its point is drawn on the side where it is.
    ((bars,),) = [container.lines[2] for container in ax.containers[3:]]
    np.testing.assert_allclose(bars.get_segments()[0][:, 0], [0.0, 0.03])
    assert "bars: confidence intervals" in ax.get_title(loc="left")


def test_absent_intervals_are_told(table):
    with pytest.raises(
        ValueError, match=f"no intervals of 'accuracy' and '{DIFFERENCE}'"
    ):
        TradeoffDisplay.from_table(table).plot(spread="intervals")


def test_sixteen_methods_are_told_apart_and_named_apart():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "accuracy_mean": 0.84 + 0.01 * rng.random(16),
            f"{DIFFERENCE}_mean": 0.05 + 0.1 * rng.random(16),
        },
        index=[f"method number {k}" for k in range(16)],
    )
    display = TradeoffDisplay.from_table(table).plot()
    looks = {
        (line.get_marker(), line.get_markeredgecolor())
        for line in drawn_points(display.ax_)
    }
    assert len(looks) == 16
    boxes = [label.get_window_extent() for label in display.labels_]
    frame = display.ax_.bbox
    for k, one in enumerate(boxes):
        assert not any(one.overlaps(two) for two in boxes[k + 1 :])
        assert frame.x0 <= one.x0 and one.x1 <= frame.x1


def test_an_unknown_spread_is_named(table):
    with pytest.raises(ValueError, match=r"one of \['bars'.* got 'boxes'"):
        TradeoffDisplay.from_table(table).plot(spread="boxes")


def test_a_confidence_that_is_no_share_is_refused(table):
    with pytest.raises(ValueError, match=r"in \(0, 1\), got 95"):
        TradeoffDisplay.from_table(table).plot(confidence=95)


def test_ellipses_without_folds_are_refused(table, per_fold):
    with pytest.raises(ValueError, match="at least 4 folds.* no point .* than 0 known"):
        TradeoffDisplay.from_table(table).plot(spread="ellipses")
    few = per_fold[per_fold["method"] == "few"]
    display = TradeoffDisplay.from_table(means_of(few), per_fold=few)
    with pytest.raises(ValueError, match="no point are more than 3 known"):
        display.plot(spread="ellipses")


def test_folds_without_a_measure_are_refused(table, per_fold):
    with pytest.raises(ValueError, match="no column 'accuracy'"):
        TradeoffDisplay.from_table(table, per_fold=per_fold.drop(columns="accuracy"))
