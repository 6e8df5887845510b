"""The front's figure: where things stand, and what covers what."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from skfair_runner.plots import FrontierDisplay

AIM = "demographic_parity_difference"


@pytest.fixture
def points():
    weights = np.linspace(0, 1.2**0.5, 12) ** 2
    across, up = 0.2 * (1 - weights / 1.2), 0.87 - 0.04 * (weights / 1.2) ** 2
    table = pd.DataFrame({"weight": weights, "accuracy": up, AIM: across})
    for name, width in (("accuracy", 0.01), (AIM, 0.03)):
        table[f"{name}_low"] = (table[name] - width).clip(lower=0)
        table[f"{name}_high"] = table[name] + width
    return table.assign(constant=False, selected=weights == weights[8])


def line_of(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line


def test_points_stand_where_the_table_says_whatever_its_order(points):
    ax = FrontierDisplay(points.sample(frac=1, random_state=0)).plot().ax_
    line = ax.lines[0]
    np.testing.assert_allclose(line.get_xdata(), points[AIM])
    np.testing.assert_allclose(line.get_ydata(), points["accuracy"])


def band_of(ax):
    (band,) = ax.patches
    return band.get_path()


def test_the_band_is_the_interval_of_the_utility(points):
    corners = band_of(FrontierDisplay(points).plot().ax_).vertices
    assert corners[:, 1].min() == pytest.approx(points["accuracy_low"].min())
    assert corners[:, 1].max() == pytest.approx(points["accuracy_high"].max())


def test_the_band_follows_a_front_that_turns_back(points):
    """The difference grows again at the end, where the accuracy still falls."""
    points[AIM] = np.abs(points[AIM] - 0.05)
    band = band_of(FrontierDisplay(points).plot().ax_)
    middle = (points.shift(-1)[["accuracy", AIM]] + points[["accuracy", AIM]]) / 2
    for _, row in middle.dropna().iterrows():
        for up, inside in ((0, True), (0.0095, True), (-0.0095, True)):
            assert band.contains_point((row[AIM], row["accuracy"] + up)) == inside
    # Between the branches where they are far apart, and beyond them.
    assert not band.contains_point((0.04, 0.845))
    assert not band.contains_point((0.04, points["accuracy_low"].min() - 0.001))


def test_pieces_of_the_band_that_share_an_area_are_wound_alike(points):
    points[AIM] = np.abs(points[AIM] - 0.1)
    polygons = band_of(FrontierDisplay(points).plot().ax_).to_polygons()
    assert len(polygons) == len(points) - 1
    areas = [np.sum(p[:-1, 0] * p[1:, 1] - p[1:, 0] * p[:-1, 1]) for p in polygons]
    assert min(areas) > 0


def test_one_point_without_a_utility_will_do(points):
    points = points[:1].assign(accuracy=np.nan)
    assert len(FrontierDisplay(points).plot().labels_) == 1


def test_whiskers_stand_at_the_named_points_only(points):
    display = FrontierDisplay(points).plot()
    (whiskers,) = [c for c in display.ax_.collections if len(c.get_paths()) > 1]
    assert len(whiskers.get_segments()) == len(display.labels_) == 4
    first = points.iloc[0]
    ends = [segment[:, 0].tolist() for segment in whiskers.get_segments()]
    assert [first[f"{AIM}_low"], first[f"{AIM}_high"]] in ends


def test_a_table_without_intervals_or_selection_will_do(points):
    ax = FrontierDisplay(points[["weight", "accuracy", AIM, "constant"]]).plot().ax_
    assert not ax.collections and ax.get_legend() is None


def test_the_selected_point_is_ringed_and_constant_ones_are_crossed_out(points):
    points.loc[11, "constant"] = True
    ax = FrontierDisplay(points).plot().ax_
    assert line_of(ax, "selected").get_xdata() == [points[AIM][8]]
    assert line_of(ax, "constant").get_xdata() == [points[AIM][11]]
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {
        "selected",
        "constant",
    }


def test_labels_cover_neither_the_line_nor_one_another(points):
    display = FrontierDisplay(points).plot()
    display.figure_.draw_without_rendering()
    boxes = [label.get_window_extent() for label in display.labels_]
    line = display.ax_.transData.transform(points[[AIM, "accuracy"]])
    for i, box in enumerate(boxes):
        assert not any(box.contains(x, y) for x, y in line)
        assert not any(box.overlaps(other) for other in boxes[:i])
    texts = [label.get_text() for label in display.labels_]
    assert texts[0] == "before the repair" and "weight 0.63" in texts


def drawn_fronts(points, size):
    """Three fronts in one figure, and the display of each."""
    _, ax = pyplot.subplots(figsize=size, layout="constrained")
    names = ("accuracy", "accuracy_low", "accuracy_high")
    return [
        FrontierDisplay(
            points.assign(
                **{AIM: points[AIM] * stretch},
                **{name: points[name] + up for name in names},
            )
        ).plot(ax, name=str(number), number=number)
        for number, (stretch, up) in enumerate([(1, 0), (1.5, 0.01), (0.5, -0.005)])
    ]


@pytest.mark.parametrize("size", [(6.4, 4.8), (2.8, 2.4)])
def test_names_of_several_fronts_do_not_cover_one_another(points, size):
    displays = drawn_fronts(points, size)
    displays[0].figure_.draw_without_rendering()
    labels = [label for display in displays for label in display.labels_]
    shown = [label for label in labels if label.get_visible()]
    assert len(labels) == 12
    assert len(shown) == 12 if size[0] > 6 else 2 < len(shown) < 12
    boxes = [label.get_window_extent().padded(-1) for label in shown]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_the_axes_reach_as_far_as_the_longest_of_several_fronts(points):
    ax = drawn_fronts(points, (6.4, 4.8))[0].ax_
    left, right = ax.get_xlim()
    assert left < 0 and right > 1.5 * points[AIM].max()


def test_references_are_named_by_their_label_or_their_index(points):
    others = pd.DataFrame({"accuracy": [0.85], AIM: [0.05]}, index=["bound 0.05"])
    for reference, name in (
        (others, "bound 0.05"),
        (others.assign(label="controlled"), "controlled"),
    ):
        display = FrontierDisplay(points, reference=reference).plot()
        assert name in [label.get_text() for label in display.labels_]
        assert line_of(display.ax_, "others").get_xdata() == [0.05]


def test_fronts_in_one_figure_differ_in_colour_marker_and_line(points):
    first = FrontierDisplay(points).plot(name="one")
    second = FrontierDisplay(points.assign(accuracy=points["accuracy"] + 0.02)).plot(
        first.ax_, name="two", number=1
    )
    assert second.ax_ is first.ax_
    one, two = line_of(first.ax_, "one"), line_of(first.ax_, "two")
    assert one.get_color() != two.get_color() and one.get_marker() != two.get_marker()
    styles = {
        line.get_linestyle() for line in first.ax_.lines if len(line.get_xdata()) > 2
    }
    assert len(styles - {"None"}) == 2
    labels = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert sorted(labels) == ["one", "selected", "two"]


def test_axes_that_are_given_are_drawn_into(points):
    _, ax = pyplot.subplots()
    display = FrontierDisplay(points, utility="accuracy").plot(ax)
    assert display.ax_ is ax and display.figure_ is ax.figure


@pytest.mark.parametrize("column", ["weight", "constant", AIM, "accuracy"])
def test_an_absent_column_is_named(points, column):
    with pytest.raises(ValueError, match=f"FrontierDisplay.*{column}"):
        FrontierDisplay(points.drop(columns=column))


def test_an_absent_column_of_the_reference_is_named(points):
    with pytest.raises(ValueError, match=f"FrontierDisplay: reference.*{AIM}"):
        FrontierDisplay(points, reference=pd.DataFrame({"accuracy": [0.8]}))


@pytest.mark.parametrize(
    ("utility", "label"),
    [
        ("accuracy", "accuracy (more is better)"),
        ("equalized_odds_difference", "equalized odds difference (less is better)"),
        ("demographic_parity_ratio", "demographic parity ratio (more is better)"),
        ("selection_rate", "selection rate"),
        ("profit", "profit (more is better)"),
    ],
)
def test_axes_say_what_is_better_of_what_they_show(utility, label):
    points = pd.DataFrame(
        {
            "weight": [0.0, 1.0],
            "constant": False,
            "demographic_parity_difference": [0.2, 0.1],
            utility: [0.9, 0.8],
        }
    )
    assert FrontierDisplay(points, utility=utility).plot().ax_.get_ylabel() == label


def test_a_reference_is_a_table():
    points = pd.DataFrame(
        {
            "weight": [0.0, 1.0],
            "constant": False,
            "demographic_parity_difference": [0.2, 0.1],
            "accuracy": [0.9, 0.8],
        }
    )
    with pytest.raises(TypeError, match="reference must be a DataFrame, .* got a dict"):
        FrontierDisplay(points, reference={"accuracy": 0.8})
