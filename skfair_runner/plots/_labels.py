"""Names beside points, where they cover as little as possible."""

from itertools import product

import numpy as np

from skfair_runner.plots._drawing import darker, seam

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
_DISTANCES = (9, 16, 24, 36, 50, 66)  # in points
_FAR = 20  # from here on a line leads to the point
_PLACES = tuple(product(_DISTANCES, _SIDES))
# How much worse it is to cover a name than a line.
_OF_NAMES = 4
# What tells names, and the lines that lead to them, from other texts.
_NAME, _LEAD = "name of a point", "lead to a name"


def place_labels(ax, texts, points, colours, taken, *, size=9):
    """Write names beside points.

    Parameters
    ----------
    ax : matplotlib Axes
        With limits that no longer change.

    texts : sequence of str
        The names.

    points : sequence of tuple of (float, float)
        What they name, in data coordinates.

    colours : sequence of colour
        Of the points; names are darker.

    taken : list of matplotlib Bbox
        Rectangles of the page that are covered already; those of the names are added.

    size : float, default=9
        Of the letters, in points.

    Returns
    -------
    labels : list of matplotlib Annotation
        In the given order.
    """
    labels = write_labels(ax, texts, points, colours, size=size)
    arrange_labels(ax, labels, taken)
    return labels


def write_labels(ax, texts, points, colours, *, size=9):
    """Write names on points, from where :func:`arrange_labels` moves them.

    Parameters
    ----------
    ax, texts, points, colours, size
        As of :func:`place_labels`.

    Returns
    -------
    labels : list of matplotlib Annotation
        In the given order.
    """
    return [
        _annotate(ax, text, point, colour, size)
        for text, point, colour in zip(texts, points, colours, strict=True)
    ]


def names_in(ax):
    """Names that were written before.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to look.

    Returns
    -------
    labels : list of matplotlib Annotation
        The oldest first.
    """
    return [text for text in ax.texts if text.get_gid() == _NAME]


def arrange_labels(ax, labels, taken, *, hide=False):
    """Move names to where they cover as little as possible.

    Parameters
    ----------
    ax : matplotlib Axes
        With limits that no longer change.

    labels : list of matplotlib Annotation
        The names; those that come first choose first.

    taken : list of matplotlib Bbox
        Rectangles of the page that are covered already; those of the names are added.

    hide : bool, default=False
        Whether a name that covers another one wherever it stands is hidden.
    """
    points = {label.xy for label in labels}
    for text in list(ax.texts):
        if text.get_gid() == _LEAD and text.xy in points:
            text.remove()
    names = []
    for label in labels:
        label.set_visible(True)
        boxes = _boxes(ax, label)
        # Nearer is better where nothing is covered.
        costs = [
            _covered(box, taken, ax.bbox) + _OF_NAMES * _shared(box, names) + distance
            for box, (distance, _) in zip(boxes, _PLACES, strict=True)
        ]
        best = int(np.argmin(costs))
        if hide and _shared(boxes[best], names):
            label.set_visible(False)
            continue
        _move(label, *_PLACES[best])
        if _PLACES[best][0] > _FAR:
            _lead(ax, label)
        names.append(boxes[best])
    taken += names


def _boxes(ax, label):
    """Rectangle of the page that a label would take at each place."""
    from matplotlib.transforms import Bbox

    extent = label.get_window_extent()
    where = ax.transData.transform(label.xy)
    return [
        Bbox.from_bounds(*_corner(where, place, extent, ax.figure.dpi), *extent.size)
        for place in _PLACES
    ]


def _corner(where, place, extent, dpi):
    """Lower left corner of a label at a place, in pixels of the page."""
    distance, (dx, dy, horizontal, vertical) = place
    x, y = where + distance * np.array([dx, dy]) * dpi / 72
    left = {"left": 0, "center": 0.5, "right": 1}[horizontal]
    down = {"bottom": 0, "center": 0.5, "top": 1}[vertical]
    return x - left * extent.width, y - down * extent.height


def _annotate(ax, text, point, colour, size):
    """Text beside a point, darker than it and with a white seam."""
    return ax.annotate(
        text,
        point,
        xytext=(0, 0),
        textcoords="offset points",
        fontsize=size,
        color=darker(colour),
        path_effects=seam(),
        zorder=5,
        gid=_NAME,
    )


def _lead(ax, label):
    """Thin line from a point to its name."""
    ax.annotate(
        "",
        label.xy,
        xytext=label.get_position(),
        textcoords="offset points",
        arrowprops={
            "arrowstyle": "-",
            "color": label.get_color(),
            "linewidth": 0.6,
            "shrinkA": 0,
            "shrinkB": 5,
        },
        zorder=1.5,
        gid=_LEAD,
    )


def _move(label, distance, side):
    """Put a label beside its point."""
    dx, dy, horizontal, vertical = side
    label.set_position((distance * dx, distance * dy))
    label.set(ha=horizontal, va=vertical)


def _covered(box, taken, frame):
    """Area that a label shares with what is there, and that leaves the axes."""
    inside = _shared(box, [frame])
    return _shared(box, taken) + 5 * (box.width * box.height - inside)


def _shared(box, others):
    """Area that a rectangle shares with others."""
    shared = 0.0
    for other in others:
        width = min(box.x1, other.x1) - max(box.x0, other.x0)
        height = min(box.y1, other.y1) - max(box.y0, other.y0)
        if width > 0 and height > 0:
            shared += width * height
    return shared
