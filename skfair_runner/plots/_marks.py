"""Marks of a trade-off: points, bars and ellipses."""

import numpy as np

from skfair_runner.plots._drawing import GREY
from skfair_runner.plots._ellipses import confidence_ellipse

POINT = 9.0  # diameter of a method's point, in points of the page


def reach(point, spread):
    """How far the bars of a point reach in both dimensions.

    Parameters
    ----------
    point : Series
        Row of `TradeoffDisplay.points`.

    spread : {"bars", "intervals"}
        One standard deviation to each side, or confidence intervals.

    Returns
    -------
    lengths : ndarray of shape (2, 2)
        For the difference and the utility, how far down and up; 0 where unknown.
    """
    rows = []
    for measure in ("difference", "utility"):
        if spread == "intervals":
            low, high = point[f"{measure}_low"], point[f"{measure}_high"]
            rows.append([point[measure] - low, high - point[measure]])
        else:
            rows.append([point[f"{measure}_std"]] * 2)
    # An interval need not contain the mean.
    return np.nan_to_num(np.array(rows, dtype=float)).clip(min=0)


def draw_bars(ax, point, style, spread):
    """Bars to each side of a point.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.

    point : Series
        Row of `TradeoffDisplay.points`.

    style : Style
        Colour, marker and line of the method.

    spread : {"bars", "intervals"}
        One standard deviation to each side, or confidence intervals.
    """
    horizontal, vertical = reach(point, spread)
    ax.errorbar(
        point["difference"],
        point["utility"],
        xerr=horizontal[:, None] if horizontal.any() else None,
        yerr=vertical[:, None] if vertical.any() else None,
        color=style.colour,
        alpha=0.55,
        linewidth=1.2,
        capsize=2.5,
        zorder=2,
    )


def draw_ellipse(ax, point, style, confidence):
    """Confidence region of the mean of both measures.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.

    point : Series
        Row of `TradeoffDisplay.points`, with three folds or more.

    style : Style
        Colour, marker and line of the method.

    confidence : float
        In (0, 1).
    """
    from matplotlib.patches import Ellipse

    deviations = point[["difference_std", "utility_std"]].to_numpy(dtype=float)
    covariance = np.diag(deviations**2)
    covariance[0, 1] = covariance[1, 0] = point["covariance"]
    width, height, angle = confidence_ellipse(covariance, point["folds"], confidence)
    place = (point["difference"], point["utility"])
    look = {"linewidth": 1.0, "zorder": 2}
    for face, edge in (((style.colour, 0.08), "none"), ("none", style.colour)):
        ax.add_patch(
            Ellipse(
                place,
                width,
                height,
                angle=angle,
                facecolor=face,
                edgecolor=edge,
                linestyle=style.line,
                **look,
            )
        )


def draw_point(ax, point, style, size):
    """Marker of a point, hollow or crossed out where it has to be.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.

    point : Series
        Row of `TradeoffDisplay.points`.

    style : Style
        Colour, marker and line of the method.

    size : float
        Diameter, in points of the page.
    """
    place = (point["difference"], point["utility"])
    ax.plot(
        *place,
        linestyle="none",
        marker=style.marker,
        markersize=size,
        markeredgewidth=1.6 if size == POINT else 1.2,
        markeredgecolor=style.colour,
        markerfacecolor="white" if point["needs_groups_at_predict"] else style.colour,
        zorder=3,
    )
    if point["constant"]:
        ax.plot(
            *place,
            linestyle="none",
            marker="x",
            markersize=1.9 * size,
            markeredgewidth=1.4,
            markeredgecolor=GREY,
            zorder=4,
        )
