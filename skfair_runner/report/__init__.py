"""One HTML page about a comparison: self-contained, to hand over, print or keep."""

from skfair_runner.report._page import ComparisonPage, PageFigure, PageMeasure
from skfair_runner.report._render import render_page, write_page

__all__ = [
    "ComparisonPage",
    "PageFigure",
    "PageMeasure",
    "render_page",
    "write_page",
]
