"""What a page shows: plain tables, texts and pictures, checked once."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

_PNG = b"\x89PNG\r\n\x1a\n"
_KINDS = ("quality", "difference", "cost")
_GROUP_COLUMNS = ("n_samples", "share_favourable")
_NEURON_COLUMNS = ("layer", "neuron", "importance", "rank", "selected")


@dataclass(frozen=True)
class PageMeasure:
    """One measure: a column of the table, and an axis of the trade-off.

    Attributes
    ----------
    name : str
        Begins the columns of the table: ``<name>_mean`` and perhaps ``<name>_std``,
        ``<name>_low`` and ``<name>_high``.

    label : str
        What it is called in text.

    kind : {"quality", "difference", "cost"}
        What it tells about.

    greater_is_better : bool or None, default=None
        None where it is neither.

    meaning : str, default=""
        A sentence for readers who do not know it.

    unit : str, default=""
        Such as ``"s"``; empty for shares in [0, 1].

    decimals : int, default=3
        Digits after the point.

    Raises
    ------
    ValueError
        If `kind` is none of the three.

    Examples
    --------
    >>> PageMeasure("accuracy", "accuracy", "quality", True).decimals
    3
    """

    name: str
    label: str
    kind: str
    greater_is_better: bool | None = None
    meaning: str = ""
    unit: str = ""
    decimals: int = 3

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(
                f"PageMeasure: {self.name!r} has the kind {self.kind!r}; pass one of "
                f"{', '.join(_KINDS)}."
            )


@dataclass(frozen=True)
class PageFigure:
    """A picture with its title and with words for those who cannot see it.

    Attributes
    ----------
    title : str
        Heading.

    content : bytes
        A PNG or SVG file.

    alt : str
        What the picture shows.

    caption : str, default=""
        How to read it.

    Raises
    ------
    ValueError
        If the content is neither PNG nor SVG, or `alt` is empty.

    Examples
    --------
    >>> PageFigure("Dot", b"<svg></svg>", alt="A dot.").media_type
    'image/svg+xml'
    """

    title: str
    content: bytes
    alt: str
    caption: str = ""

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ValueError(
                f"PageFigure: the figure {self.title!r} has no `alt`: say in words "
                "what it shows."
            )
        start = self.content[:1000]
        is_png = start.startswith(_PNG) and len(start) >= 24
        if not (is_png or b"<svg" in start):
            raise ValueError(
                f"PageFigure: the content of {self.title!r} is neither PNG nor SVG; "
                f"it begins with {start[:8]!r}."
            )

    @property
    def media_type(self) -> str:
        """Media type of the content."""
        is_png = self.content.startswith(_PNG)
        return "image/png" if is_png else "image/svg+xml"

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of a PNG in pixels; None of an SVG, which has any."""
        if not self.content.startswith(_PNG):
            return None
        # The first chunk begins at byte 8 with its length and name, 4 bytes each.
        width, height = struct.unpack(">II", self.content[16:24])
        return width, height


@dataclass(frozen=True, eq=False)
class ComparisonPage:
    """All that one page shows.

    Everything but the first five attributes may be absent; its section is then left
    out. All texts are shown as they are, never read as HTML.

    Attributes
    ----------
    title : str
        Heading of the page.

    table : DataFrame of shape (n_methods, n_columns)
        One row per method, its name as the index, the one that the others are compared
        with first. For each measure ``<name>_mean`` and perhaps ``<name>_std`` and the
        interval ``<name>_low``, ``<name>_high``; and perhaps
        ``needs_groups_at_predict``, ``randomised``, ``four_fifths`` (bool,
        perhaps missing), ``constant_folds``, ``folds`` (int) and ``error`` (str).

    measures : tuple of PageMeasure
        Columns to show, in this order. One without a column in `table` is left out.

    difference : str
        Measure on the horizontal axis of the trade-off, to begin with.

    utility : str
        Measure on the vertical axis.

    data_name : str, default=""
        What the methods were compared on.

    description : str, default=""
        Sentences about it.

    favourable : str, default=""
        What the favourable label is.

    groups : DataFrame of shape (n_groups, n_columns) or None, default=None
        Name of the group as the index, with the columns ``n_samples`` and
        ``share_favourable`` (share of the favourable label among the group's, in
        [0, 1]).

    measured_on : str, default=""
        How the numbers came about, in a sentence: folds, seeds.

    by_group : DataFrame or None, default=None
        Rates of every group: one row per method and group, which are the two levels of
        the index, and one column per rate. Columns of integers are counts.

    summary : str, default=""
        Paragraphs, separated by blank lines.

    caveats : tuple of str, default=()
        Sentences beside those that every page has.

    figures : tuple of PageFigure, default=()
        Pictures.

    neurons : dict of str to DataFrame, default={}
        For each method that has them: one row per neuron with the columns layer,
        neuron, importance, rank, selected, and perhaps discrimination and
        discrimination_after.

    settings : dict of str to str, default={}
        Settings of each method, as text.

    reproduce : dict, default={}
        Versions, seeds and whatever else is needed to do it again; made of what JSON
        knows.

    Raises
    ------
    ValueError
        If `table` is empty, names a method twice or lacks a measure that the axes
        need; if a table lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.report import ComparisonPage, PageMeasure, render_page
    >>> page = ComparisonPage(
    ...     title="Two methods",
    ...     table=pd.DataFrame(
    ...         {"accuracy_mean": [0.86, 0.85], "gap_mean": [0.21, 0.05]},
    ...         index=["plain", "repaired"],
    ...     ),
    ...     measures=(
    ...         PageMeasure("accuracy", "accuracy", "quality", True),
    ...         PageMeasure("gap", "selection rate difference", "difference", False),
    ...     ),
    ...     difference="gap",
    ...     utility="accuracy",
    ... )
    >>> "<title>Two methods</title>" in render_page(page)
    True
    """

    title: str
    table: pd.DataFrame
    measures: tuple[PageMeasure, ...]
    difference: str
    utility: str
    data_name: str = ""
    description: str = ""
    favourable: str = ""
    groups: pd.DataFrame | None = None
    measured_on: str = ""
    by_group: pd.DataFrame | None = None
    summary: str = ""
    caveats: tuple[str, ...] = ()
    figures: tuple[PageFigure, ...] = ()
    neurons: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    reproduce: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.table.empty:
            raise ValueError(
                f"ComparisonPage: the table has {len(self.table)} methods and "
                f"{self.table.shape[1]} columns: there is nothing to show."
            )
        twice = self.table.index[self.table.index.duplicated()]
        if len(twice):
            raise ValueError(
                f"ComparisonPage: the method {twice[0]!r} has more than one row; give "
                "each its own name."
            )
        shown = [measure.name for measure in self.shown_measures]
        for axis in ("difference", "utility"):
            if getattr(self, axis) not in shown:
                raise ValueError(
                    f"ComparisonPage: `{axis}` is {getattr(self, axis)!r}, which is no "
                    f"measure of the table; pass one of {shown}."
                )
        if self.groups is not None:
            _check_columns("groups", self.groups, _GROUP_COLUMNS)
        if self.by_group is not None and self.by_group.index.nlevels != 2:
            raise ValueError(
                "ComparisonPage: the index of `by_group` has "
                f"{self.by_group.index.nlevels} level; it takes two, method and group."
            )
        for name, table in self.neurons.items():
            _check_columns(f"neurons[{name!r}]", table, _NEURON_COLUMNS)

    @property
    def shown_measures(self) -> tuple[PageMeasure, ...]:
        """Measures that the table has."""
        return tuple(m for m in self.measures if f"{m.name}_mean" in self.table)


def _check_columns(name, table, columns):
    """Refuse a table without the columns that the page shows."""
    absent = [column for column in columns if column not in table]
    if absent:
        raise ValueError(
            f"ComparisonPage: `{name}` has no column {absent[0]!r}; its columns are "
            f"{table.columns.tolist()}."
        )
