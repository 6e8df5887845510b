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
    from matplotlib.transforms import Bbox

    labels = []
    for text, point, colour in zip(texts, points, colours, strict=True):
        label = _annotate(ax, text, point, colour, size)
        extent = label.get_window_extent()
        where = ax.transData.transform(point)
        boxes = [
            Bbox.from_bounds(
                *_corner(where, place, extent, ax.figure.dpi), *extent.size
            )
            for place in _PLACES
        ]
        # Nearer is better where nothing is covered.
        costs = [
            _covered(box, taken, ax.bbox) + distance
            for box, (distance, _) in zip(boxes, _PLACES, strict=True)
        ]
        best = int(np.argmin(costs))
        _move(label, *_PLACES[best])
        if _PLACES[best][0] > _FAR:
            _lead(ax, label, colour)
        taken.append(boxes[best])
        labels.append(label)
    return labels


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
    )


def _lead(ax, label, colour):
    """Thin line from a point to its name."""
    ax.annotate(
        "",
        label.xy,
        xytext=label.get_position(),
        textcoords="offset points",
        arrowprops={
            "arrowstyle": "-",
            "color": colour,
            "linewidth": 0.6,
            "shrinkA": 0,
            "shrinkB": 5,
        },
        zorder=1.5,
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
