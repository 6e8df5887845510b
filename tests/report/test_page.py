"""What a page refuses to show."""

import re

import pandas as pd
import pytest

from skfair_runner.report import PageFigure, PageMeasure

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x07\0\0\0\x05"


def test_a_measure_is_of_a_known_kind():
    with pytest.raises(ValueError, match="'accuracy' has the kind 'good'.*difference"):
        PageMeasure("accuracy", "accuracy", "good")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"<svg></svg>", "image/svg+xml"),
        (b"<?xml version='1.0'?>\n<!DOCTYPE svg>\n<svg></svg>", "image/svg+xml"),
    ],
)
def test_the_type_of_a_figure_is_read_from_its_content(content, media_type):
    assert PageFigure("Dot", content, "A dot.").media_type == media_type


def test_the_size_of_a_png_is_read_and_an_svg_has_none():
    assert PageFigure("Dot", PNG, "A dot.").size == (7, 5)
    assert PageFigure("Dot", b"<svg></svg>", "A dot.").size is None


@pytest.mark.parametrize("content", [b"GIF89a", PNG[:20]])
def test_a_figure_of_another_kind_is_refused(content):
    begin = re.escape(repr(content[:8]))
    with pytest.raises(ValueError, match=f"'Dot' is neither PNG nor SVG.*{begin}"):
        PageFigure("Dot", content, "A dot.")


def test_a_figure_without_words_is_refused():
    with pytest.raises(ValueError, match="figure 'Dot' has no `alt`"):
        PageFigure("Dot", PNG, " ")


def test_an_empty_table_is_refused(make_page):
    with pytest.raises(ValueError, match="0 methods and 1 columns"):
        make_page(table=pd.DataFrame({"accuracy_mean": []}))


def test_a_method_with_two_rows_is_refused(make_page):
    table = pd.DataFrame({"accuracy_mean": [0.1, 0.2]}, index=["a", "a"])
    with pytest.raises(ValueError, match="method 'a' has more than one row"):
        make_page(table=table)


@pytest.mark.parametrize("axis", ["difference", "utility"])
def test_an_axis_that_the_table_lacks_is_refused(make_page, axis):
    with pytest.raises(ValueError, match=rf"`{axis}` is 'beauty'.*'accuracy'"):
        make_page(**{axis: "beauty"})


def test_groups_without_a_column_are_refused(make_page):
    with pytest.raises(ValueError, match=r"`groups` has no column 'share_favourable'"):
        make_page(groups=pd.DataFrame({"n_samples": [1]}))


def test_rates_of_groups_need_method_and_group(make_page):
    with pytest.raises(ValueError, match="`by_group` has 1 level"):
        make_page(by_group=pd.DataFrame({"selection_rate": [0.5]}))


def test_neurons_without_a_column_are_refused(make_page):
    with pytest.raises(ValueError, match=r"`neurons\['net'\]` has no column 'rank'"):
        make_page(
            neurons={"net": pd.DataFrame({"layer": [], "neuron": [], "importance": []})}
        )


def test_measures_that_the_table_lacks_are_not_shown(make_page):
    page = make_page()
    measures = (*page.measures, PageMeasure("beauty", "beauty", "quality"))
    assert make_page(measures=measures).shown_measures == page.measures
