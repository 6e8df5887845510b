import importlib

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from skfair_runner.plots._drawing import (
    COLOURS,
    LINES,
    MARKERS,
    columns_of,
    darker,
    panels,
    pyplot,
    seam,
    style_of,
    tidy,
    wrapped,
)


def contrast_with_white(colour):
    """Ratio of the Web Content Accessibility Guidelines 2.1."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)


def test_every_colour_has_a_marker_of_its_own():
    assert len(set(COLOURS)) == len(COLOURS) == len(set(MARKERS)) == len(MARKERS)
    assert len(set(LINES)) == len(LINES) == len(COLOURS)


def test_many_series_differ_in_colour_marker_or_line():
    assert len({style_of(number) for number in range(49)}) == 49
    first = [style_of(number) for number in range(7)]
    assert len({(style.marker, style.line) for style in first}) == 7
    for number in range(7, 49):
        assert style_of(number).marker != style_of(number - 7).marker
        assert style_of(number).line != style_of(number - 7).line


def test_first_colours_stand_out_on_white():
    """A ratio of 3 is what graphical objects need."""
    assert min(map(contrast_with_white, COLOURS[:4])) >= 3


def test_labels_are_dark_enough_to_read():
    """A ratio of 4.5 is what text needs."""
    shades = [darker(colour) for colour in COLOURS]
    assert min(map(contrast_with_white, shades)) >= 4.5


def test_an_absent_column_is_named():
    table = pd.DataFrame({"epoch": [1]})
    with pytest.raises(ValueError, match="Display: the table has no column 'phase'"):
        columns_of(table, ["epoch", "phase"], "Display")


def test_only_the_frame_that_carries_ticks_is_left(ax):
    tidy(ax)
    visible = {side for side, spine in ax.spines.items() if spine.get_visible()}
    assert visible == {"left", "bottom"}


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="matplotlib")

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ImportError, match=r"Plotting .*skfair-runner\[plots\]"):
        pyplot()


@pytest.mark.parametrize("place", [None, "grid", "by hand"])
def test_panels_share_the_place_of_the_axes(place):
    figure = pyplot().figure()
    ax = None
    if place == "grid":
        ax = figure.add_subplot(1, 2, 2)
    elif place == "by hand":
        ax = figure.add_axes([0.5, 0.2, 0.4, 0.6])
    axes = panels(ax, 2, 3, (6, 4), height_ratios=[1, 2], sharex=True)
    assert axes.shape == (2, 3)
    if ax is None:
        assert axes[0, 0].figure is not figure
        return
    assert not ax.axison
    frame = ax.get_position()
    boxes = [panel.get_position() for panel in axes.ravel()]
    assert min(box.x0 for box in boxes) == pytest.approx(frame.x0)
    assert max(box.x1 for box in boxes) == pytest.approx(frame.x1)
    assert min(box.y0 for box in boxes) == pytest.approx(frame.y0)
    assert max(box.y1 for box in boxes) == pytest.approx(frame.y1)
    assert boxes[-1].height == pytest.approx(2 * boxes[0].height)


def test_long_names_are_cut_where_they_say_so():
    assert wrapped("Female") == "Female"
    text = wrapped("one two three four five six seven eight", width=9, n_lines=2)
    assert text == "one two\nthree …"
    assert wrapped("Asian-Pac-Islander, Female", width=20).startswith("Asian-Pac-I")


def test_letters_have_a_white_seam(ax):
    ax.text(0, 0, "text", path_effects=seam())
    ax.figure.draw_without_rendering()
