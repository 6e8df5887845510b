"""The front of one training: a utility against a difference, point by point."""

from itertools import pairwise

import numpy as np

from skfair_runner.plots._drawing import (
    COLOURS,
    columns_of,
    legend_below,
    pyplot,
    style_of,
    tidy,
)
from skfair_runner.plots._labels import arrange_labels, names_in, write_labels
from skfair_runner.plots._tradeoff import _show_zero, axis_label

_LABELLED = (0.0, 0.3, 1.0)
# Pixels between the places of lines that labels keep away from, and half their size.
_STEP, _HALF = 8, 4


class FrontierDisplay:
    """Points of one training between no repair and no difference.

    Better is up and to the left. The band is the confidence interval of the utility,
    the whiskers at the named points are that of the difference. Constant classifiers
    are crossed out; the selected point is ringed. Other classifiers are diamonds.

    Parameters
    ----------
    points : DataFrame
        One row per point, with the columns weight, constant and both measures, and
        perhaps selected, ``<measure>_low`` and ``<measure>_high``; as ``frontier_`` of
        :class:`~skfair_runner.RunnerFrontier`.

    difference : str, default="demographic_parity_difference"
        Measure on the horizontal axis, less is better.

    utility : str, default="accuracy"
        Measure on the vertical axis, more is better.

    reference : DataFrame or None, default=None
        Other classifiers, one row each, with both measures and perhaps ``label``; else
        the index names them.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around it.

    labels_ : list of matplotlib Annotation
        Of the points that are named; one without room is not visible.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.plots import FrontierDisplay
    >>> points = pd.DataFrame(
    ...     {
    ...         "weight": [0.0, 0.5, 1.0],
    ...         "accuracy": [0.86, 0.85, 0.84],
    ...         "demographic_parity_difference": [0.2, 0.1, 0.01],
    ...         "constant": False,
    ...     }
    ... )
    >>> FrontierDisplay(points).plot().ax_.get_ylabel()
    'accuracy (more is better)'
    """

    def __init__(
        self,
        points,
        *,
        difference="demographic_parity_difference",
        utility="accuracy",
        reference=None,
    ):
        name = type(self).__name__
        columns_of(points, ["weight", "constant", difference, utility], name)
        if reference is not None:
            columns_of(reference, [difference, utility], f"{name}: reference")
        self.points = points
        self.difference = difference
        self.utility = utility
        self.reference = reference

    def plot(self, ax=None, *, name=None, number=0):
        """Draw the front.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        name : str or None, default=None
            What the legend calls this front, where there are several in one figure.

        number : int, default=0
            Which of several fronts this is; they differ in colour, marker and line.

        Returns
        -------
        self : FrontierDisplay
            With ``ax_``, ``figure_`` and ``labels_``.
        """
        if ax is None:
            _, ax = pyplot().subplots(figsize=(6.4, 4.8), layout="constrained")
        line = style_of(number)
        # Black rings the selected point.
        style = line._replace(colour=COLOURS[1 + (1 + number) % (len(COLOURS) - 1)])
        points = self.points.sort_values("weight")
        named = self._named(points)
        self._draw_intervals(ax, points, named, style)
        self._draw_points(ax, points, name, style)
        self._draw_reference(ax)
        tidy(ax)
        if number:
            ax.autoscale(axis="x")  # which showing the zero has fixed
        ax.margins(0.1, 0.12)
        _show_zero(ax)
        ax.set_xlabel(axis_label(self.difference, "less"))
        ax.set_ylabel(axis_label(self.utility, "more"))
        if ax.get_legend_handles_labels()[1]:
            legend_below(ax, ncols=3)
        self.labels_ = self._draw_labels(ax, points, named, style)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @staticmethod
    def _named(points):
        """Rows whose weight is told: the ends, one between, and the selected one."""
        weights = points["weight"].to_numpy()
        rows = {int(np.abs(weights - wanted).argmin()) for wanted in _LABELLED}
        if "selected" in points:
            rows |= set(np.flatnonzero(points["selected"]).tolist())
        return sorted(rows)

    def _draw_intervals(self, ax, points, named, style):
        """A band for the utility, whiskers for the difference of a few points."""
        if f"{self.utility}_low" in points:
            ends = (points[f"{self.utility}_{end}"] for end in ("low", "high"))
            _draw_band(ax, points[self.difference], *ends, style.colour)
        if f"{self.difference}_low" in points:
            few = points.iloc[named]
            ends = (few[f"{self.difference}_{end}"] for end in ("low", "high"))
            look = {"color": style.colour, "linewidth": 0.9, "alpha": 0.8, "zorder": 2}
            ax.hlines(few[self.utility], *ends, **look)

    def _draw_points(self, ax, points, name, style):
        across, up = points[self.difference], points[self.utility]
        look = {"color": style.colour, "linestyle": style.line, "linewidth": 1.2}
        constant = points["constant"].astype(bool).to_numpy()
        ax.plot(across, up, zorder=3, **look)
        look = {"ls": "none", "marker": style.marker, "ms": 4.5, "zorder": 4}
        ax.plot(
            across[~constant], up[~constant], color=style.colour, label=name, **look
        )
        known = ax.get_legend_handles_labels()[1]
        if constant.any():
            told = None if "constant" in known else "constant"
            look = {"ls": "none", "marker": "x", "ms": 8, "mew": 2, "zorder": 4}
            ax.plot(
                across[constant], up[constant], color=COLOURS[1], label=told, **look
            )
        if "selected" in points and points["selected"].any():
            chosen = points["selected"].astype(bool).to_numpy()
            told = None if "selected" in known else "selected"
            ring = {"mfc": "none", "mec": COLOURS[0], "mew": 1.6, "zorder": 5}
            ax.plot(across[chosen], up[chosen], "o", ms=12, label=told, **ring)

    def _draw_reference(self, ax):
        if self.reference is None:
            return
        across, up = self.reference[self.difference], self.reference[self.utility]
        look = {"mfc": "white", "mec": COLOURS[1], "mew": 1.4, "zorder": 4}
        ax.plot(across, up, "D", ms=6, label="others", **look)

    def _draw_labels(self, ax, points, named, style):
        """Names of a few points; those of earlier fronts make room."""
        texts = [
            "before the repair" if weight == 0 else f"weight {weight:.2g}"
            for weight in points["weight"].iloc[named]
        ]
        few = points.iloc[named]
        places = list(zip(few[self.difference], few[self.utility], strict=True))
        colours = [style.colour] * len(named)
        if self.reference is not None:
            others = self.reference
            texts += [str(name) for name in others.get("label", others.index)]
            places += zip(others[self.difference], others[self.utility], strict=True)
            colours += [COLOURS[1]] * len(others)
        # Places are in pixels, which the layout decides.
        ax.figure.figure.draw_without_rendering()
        earlier = names_in(ax)
        labels = write_labels(ax, texts, places, colours, size=8.5)
        arrange_labels(ax, [*labels, *earlier], _boxes_of_lines(ax), hide=True)
        return labels


def _draw_band(ax, across, low, high, colour):
    """An area from low to high along a line, which may turn back."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    ends = np.column_stack([across, low, across, high]).reshape(-1, 2, 2)
    pieces = []
    for one, other in pairwise(ends):
        # All wound alike, so that pieces that share an area are filled as one.
        left, right = (one, other) if one[0, 0] <= other[0, 0] else (other, one)
        corners = [left[0], right[0], right[1], left[1], left[0]]
        pieces.append(Path(corners, closed=True))
    look = {"facecolor": colour, "alpha": 0.13, "linewidth": 0, "zorder": 0}
    ax.add_patch(PathPatch(Path.make_compound_path(*pieces), **look))


def _boxes_of_lines(ax):
    """Small rectangles of the page along all lines and on all markers."""
    from matplotlib.collections import LineCollection
    from matplotlib.transforms import Bbox

    drawn = [np.empty((0, 2))]
    for line in ax.lines:
        places = line.get_transform().transform(line.get_xydata())
        drawn.append(places if line.get_linestyle() == "None" else _dotted(places))
    for whiskers in ax.collections:
        if isinstance(whiskers, LineCollection):
            segments = filter(len, whiskers.get_segments())
            drawn += [_dotted(ax.transData.transform(each)) for each in segments]
    return [
        Bbox.from_extents(x - _HALF, y - _HALF, x + _HALF, y + _HALF)
        for x, y in np.concatenate(drawn)
    ]


def _dotted(corners):
    """Places along a line, at its corners and evenly between them."""
    corners = corners[np.isfinite(corners).all(axis=1)]
    if not len(corners):
        return corners
    steps = np.hypot(*np.diff(corners, axis=0).T)
    passed = np.concatenate([[0], np.cumsum(steps)])
    places = np.union1d(passed, np.arange(0, passed[-1], _STEP))
    return np.column_stack([np.interp(places, passed, part) for part in corners.T])
