import importlib

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from skfair_runner.plots._drawing import COLOURS, MARKERS, columns_of, pyplot, tidy


def contrast_with_white(colour):
    """Ratio of the Web Content Accessibility Guidelines 2.1."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)


def test_every_colour_has_a_marker_of_its_own():
    assert len(set(COLOURS)) == len(COLOURS) == len(set(MARKERS)) == len(MARKERS)


def test_first_colours_stand_out_on_white():
    """A ratio of 3 is what graphical objects need."""
    assert min(map(contrast_with_white, COLOURS[:4])) >= 3


def test_labels_are_dark_enough_to_read():
    darkened = [tuple(0.75 * part for part in to_rgb(c)) for c in COLOURS[:4]]
    assert min(map(contrast_with_white, darkened)) >= 4.5


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
