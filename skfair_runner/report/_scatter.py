"""Axes and points of the trade-off, once for the picture and for the script."""

import math

import numpy as np

# Pixels of the picture that is in the page before the script draws its own.
WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 44, 56
_INSET = 16  # so that a point at the end of an axis lies inside
_STEPS = (1, 2, 2.5, 5, 10)


def nice_ticks(low, high, most=6):
    """Round numbers within a range.

    Parameters
    ----------
    low, high : float
        The range, low below high.

    most : int, default=6
        Number of steps that are not exceeded.

    Returns
    -------
    ticks : list of float
        Equally spaced, at least one.

    Examples
    --------
    >>> nice_ticks(0.0, 0.23)
    [0.0, 0.05, 0.1, 0.15, 0.2]
    """
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in _STEPS if power * each >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(k * step, digits) + 0.0 for k in range(first, last + 1)]


def make_axis(values):
    """Range and ticks of an axis that holds some values.

    Zero, which is what a difference is to come near to, is included where the values
    are near it.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Finite numbers to hold; perhaps none.

    Returns
    -------
    axis : dict
        ``low``, ``high`` and ``ticks``, pairs of a value and its text.

    Examples
    --------
    >>> axis = make_axis(np.array([0.05, 0.2]))
    >>> axis["low"], axis["high"]
    (0.0, 0.2)
    >>> axis["ticks"][-1]
    (0.2, '0.20')
    """
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    if high - low < 1e-9:
        margin = 0.1 * abs(high) or 0.5
        low, high = low - margin, high + margin
    if 0 < low < 0.7 * (high - low):
        low = 0.0
    ticks = nice_ticks(low, high)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else high - low
    digits = next((d for d in range(6) if abs(round(step, d) - step) < 1e-9), 6)
    return {
        "low": float(low),
        "high": float(high),
        "ticks": [(tick, f"{tick:.{digits}f}") for tick in ticks],
    }


def scatter_axes(table, measures):
    """Axis of every measure that has a number.

    Parameters
    ----------
    table : DataFrame
        As of :class:`~skfair_runner.report.ComparisonPage`.

    measures : sequence of PageMeasure
        Those of the table.

    Returns
    -------
    axes : dict of str to dict
        By the name of the measure; see :func:`make_axis`.
    """
    axes = {}
    for measure in measures:
        spans = [span(row, measure.name) for _, row in table.iterrows()]
        values = np.array([v for s in spans if s for v in s], dtype=float)
        if len(values):
            axes[measure.name] = make_axis(values)
    return axes


def span(row, name):
    """Mean of a measure, and the ends of its bar.

    The bar is the interval where there is one, else a standard deviation to each side.

    Parameters
    ----------
    row : Series
        Row of the table.

    name : str
        Name of the measure.

    Returns
    -------
    span : tuple of float or None
        Mean, low and high end; None without a mean.
    """
    mean = row[f"{name}_mean"]
    if not np.isfinite(mean):
        return None
    low, high = row.get(f"{name}_low", np.nan), row.get(f"{name}_high", np.nan)
    if not (np.isfinite(low) and np.isfinite(high)):
        std = row.get(f"{name}_std", np.nan)
        std = std if np.isfinite(std) else 0.0
        low, high = mean - std, mean + std
    return float(mean), float(low), float(high)


def draw_scatter(methods, axes, x, y):
    """Coordinates of the picture that needs no script.

    Parameters
    ----------
    methods : list of dict
        Methods with their `spans`, as the script gets them.

    axes : dict of str to dict
        See :func:`scatter_axes`.

    x, y : str
        Measures on the axes.

    Returns
    -------
    picture : dict or None
        Lines and points in pixels; None where a measure has no number.
    """
    if x not in axes or y not in axes:
        return None

    def across(value):
        return _place(value, axes[x], LEFT + _INSET, WIDTH - RIGHT - _INSET)

    def down(value):
        return _place(value, axes[y], HEIGHT - BOTTOM - _INSET, TOP + _INSET)

    points = []
    for method in methods:
        first, second = method["spans"].get(x), method["spans"].get(y)
        if first and second:
            points.append(
                {
                    **method,
                    "cx": across(first[0]),
                    "cy": down(second[0]),
                    "x1": across(first[1]),
                    "x2": across(first[2]),
                    "y1": down(second[1]),
                    "y2": down(second[2]),
                }
            )
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "bottom": HEIGHT - BOTTOM,
        "x_ticks": [(across(value), text) for value, text in axes[x]["ticks"]],
        "y_ticks": [(down(value), text) for value, text in axes[y]["ticks"]],
        "points": points,
    }


def _place(value, axis, start, end):
    """Pixel of a value."""
    share = (value - axis["low"]) / (axis["high"] - axis["low"])
    return round(start + share * (end - start), 1)
