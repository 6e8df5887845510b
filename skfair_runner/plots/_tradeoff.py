"""Utility against a difference between groups, one point per method."""

from itertools import product

import numpy as np
import pandas as pd

from skfair_runner.plots._drawing import (
    COLOURS,
    GREY,
    MARKERS,
    columns_of,
    pyplot,
    tidy,
)

_POINT = 9.0  # diameter of a point, in points of the page
# Where a label may stand, seen from its point, and its alignment there.
_SIDES = (
    (1, 0, "left", "center"),
    (-1, 0, "right", "center"),
    (0, 1, "center", "bottom"),
    (0, -1, "center", "top"),
    (0.7, 0.7, "left", "bottom"),
    (-0.7, 0.7, "right", "bottom"),
    (0.7, -0.7, "left", "top"),
    (-0.7, -0.7, "right", "top"),
)
_DISTANCES = (9, 16, 24)  # in points


class TradeoffDisplay:
    """Scatter of a utility against a difference between groups.

    Better is up and to the left. Bars are one standard deviation over the folds.
    Methods that need groups at prediction are drawn hollow; constant classifiers, whose
    difference is small for no good reason, are crossed out.

    Parameters
    ----------
    points : DataFrame
        One row per method, with the columns utility, utility_std, difference,
        difference_std, needs_groups_at_predict and constant.

    utility : str
        Name of the utility.

    difference : str
        Name of the difference.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around it.

    labels_ : list of matplotlib Annotation
        The names beside the points, in the order of the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.plots import TradeoffDisplay
    >>> table = pd.DataFrame(
    ...     {
    ...         "accuracy_mean": [0.86, 0.85],
    ...         "demographic_parity_difference_mean": [0.21, 0.05],
    ...     },
    ...     index=["plain", "repaired"],
    ... )
    >>> display = TradeoffDisplay.from_table(table).plot()
    >>> display.ax_.get_ylabel()
    'accuracy'
    """

    def __init__(self, points, *, utility, difference):
        self.points = points
        self.utility = utility
        self.difference = difference

    @classmethod
    def from_table(
        cls, table, *, difference="demographic_parity_difference", utility="accuracy"
    ):
        """Take the points from the table of a comparison.

        Parameters
        ----------
        table : DataFrame
            One row per method, with ``<measure>_mean`` and perhaps ``<measure>_std``
            for both measures, and perhaps ``needs_groups_at_predict`` and
            ``constant_folds``. Rows without a mean are left out.

        difference : str, default="demographic_parity_difference"
            Measure on the horizontal axis, less is better.

        utility : str, default="accuracy"
            Measure on the vertical axis, more is better.

        Returns
        -------
        display : TradeoffDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If the table lacks a measure, or no row has both.
        """
        columns = {"utility": utility, "difference": difference}
        caller = "TradeoffDisplay.from_table"
        columns_of(table, [f"{name}_mean" for name in columns.values()], caller)
        nothing = pd.Series(np.nan, index=table.index)
        no = pd.Series(False, index=table.index)
        points = pd.DataFrame(
            {
                key + suffix: table.get(f"{name}{column}", nothing)
                for key, name in columns.items()
                for suffix, column in (("", "_mean"), ("_std", "_std"))
            }
        )
        points["needs_groups_at_predict"] = table.get("needs_groups_at_predict", no)
        points["constant"] = table.get("constant_folds", no) > 0
        points = points.dropna(subset=["utility", "difference"])
        if points.empty:
            raise ValueError(
                f"{caller}: none of the methods {table.index.tolist()} has both "
                f"{utility!r} and {difference!r}, so there is nothing to draw."
            )
        return cls(points, utility=utility, difference=difference)

    def plot(self, ax=None):
        """Draw the points and their names.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : TradeoffDisplay
            With ``ax_``, ``figure_`` and ``labels_``.
        """
        if ax is None:
            _, ax = pyplot().subplots(figsize=(6.4, 4.4), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        tidy(ax)
        for number, (_, point) in enumerate(self.points.iterrows()):
            self._draw_point(ax, point, number)
        ax.set_xlabel(f"{_words(self.difference)} (less is better)")
        ax.set_ylabel(_words(self.utility))
        ax.margins(0.18, 0.16)
        self._show_zero(ax)
        self.labels_ = self._draw_labels(ax)
        ax.set_title(self._explanation(), loc="left", fontsize=8, color="#404040")
        return self

    @staticmethod
    def _show_zero(ax):
        """Begin just left of zero, which is what is aimed at, where it is near."""
        left, right = ax.get_xlim()
        if left < 0.5 * (right - left):
            ax.set_xlim(left=-0.04 * right)

    def _draw_point(self, ax, point, number):
        colour = COLOURS[number % len(COLOURS)]
        ax.errorbar(
            point["difference"],
            point["utility"],
            xerr=None if np.isnan(point["difference_std"]) else point["difference_std"],
            yerr=None if np.isnan(point["utility_std"]) else point["utility_std"],
            color=colour,
            alpha=0.55,
            linewidth=1.2,
            capsize=2.5,
            zorder=2,
        )
        ax.plot(
            point["difference"],
            point["utility"],
            linestyle="none",
            marker=MARKERS[number % len(MARKERS)],
            markersize=_POINT,
            markeredgewidth=1.6,
            markeredgecolor=colour,
            markerfacecolor="white" if point["needs_groups_at_predict"] else colour,
            zorder=3,
        )
        if point["constant"]:
            ax.plot(
                point["difference"],
                point["utility"],
                linestyle="none",
                marker="x",
                markersize=1.9 * _POINT,
                markeredgewidth=1.4,
                markeredgecolor=GREY,
                zorder=4,
            )

    def _draw_labels(self, ax):
        """Names beside the points, where they cover as little as possible."""
        # Fixes the axes, so that places on the page can be compared.
        self.figure_.draw_without_rendering()
        taken = self._boxes_of_points(ax)
        labels = []
        for number, (name, point) in enumerate(self.points.iterrows()):
            text = f"{name} (constant)" if point["constant"] else str(name)
            place = (point["difference"], point["utility"])
            label = _annotate(ax, text, place, COLOURS[number % len(COLOURS)])
            costs = []
            for distance, side in product(_DISTANCES, _SIDES):
                _move(label, distance, side)
                box = label.get_window_extent()
                # Nearer is better where nothing is covered.
                costs.append(_covered(box, taken, ax.bbox) + distance)
            best = int(np.argmin(costs))
            _move(label, *list(product(_DISTANCES, _SIDES))[best])
            taken.append(label.get_window_extent())
            labels.append(label)
        return labels

    def _boxes_of_points(self, ax):
        """Rectangles of the page that points and bars take up."""
        from matplotlib.transforms import Bbox

        boxes = []
        half = _POINT / 2 * self.figure_.dpi / 72
        for _, point in self.points.iterrows():
            centre = np.array([point["difference"], point["utility"]])
            spread = np.nan_to_num([point["difference_std"], point["utility_std"]])
            low, high = ax.transData.transform([centre - spread, centre + spread])
            x, y = ax.transData.transform(centre)
            boxes.append(Bbox([[x - half, y - half], [x + half, y + half]]))
            boxes.append(Bbox([[low[0], y - 2], [high[0], y + 2]]))
            boxes.append(Bbox([[x - 2, low[1]], [x + 2, high[1]]]))
        return boxes

    def _explanation(self):
        """What bars, hollow points and crosses mean, where there are any."""
        parts = []
        if self.points[["utility_std", "difference_std"]].notna().any(axis=None):
            parts.append("bars: standard deviation over folds")
        if self.points["needs_groups_at_predict"].any():
            parts.append("hollow: needs groups at prediction")
        if self.points["constant"].any():
            parts.append("crossed out: constant, its difference says nothing")
        return "\n".join(parts)


def _annotate(ax, text, place, colour):
    """Text beside a point, darker than it and with a white seam."""
    from matplotlib.colors import to_rgb
    from matplotlib.patheffects import withStroke

    return ax.annotate(
        text,
        place,
        xytext=(0, 0),
        textcoords="offset points",
        fontsize=9,
        color=tuple(0.75 * part for part in to_rgb(colour)),
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
        zorder=5,
    )


def _move(label, distance, side):
    """Put a label beside its point."""
    dx, dy, horizontal, vertical = side
    label.set_position((distance * dx, distance * dy))
    label.set(ha=horizontal, va=vertical)


def _covered(box, taken, frame):
    """Area that a label shares with what is there, and that leaves the axes."""
    shared = 0.0
    for other in taken:
        width = min(box.x1, other.x1) - max(box.x0, other.x0)
        height = min(box.y1, other.y1) - max(box.y0, other.y0)
        if width > 0 and height > 0:
            shared += width * height
    inside_width = max(0.0, min(box.x1, frame.x1) - max(box.x0, frame.x0))
    inside_height = max(0.0, min(box.y1, frame.y1) - max(box.y0, frame.y0))
    outside = box.width * box.height - inside_width * inside_height
    return shared + 5 * outside


def _words(name):
    """Name of a measure as it reads in a sentence."""
    words = {"abcc": "area between score distributions"}
    return words.get(name, name.replace("_", " "))
