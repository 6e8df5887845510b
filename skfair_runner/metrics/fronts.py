"""Which points are not dominated, how much they dominate, and what can be ranked."""

import numpy as np


def on_front(difference, utility):
    """Which points no other point dominates.

    A point dominates another if its difference is no larger and its utility no smaller,
    and one of the two is better.

    Parameters
    ----------
    difference : ndarray of shape (n_points,)
        Less is better.

    utility : ndarray of shape (n_points,)
        More is better.

    Returns
    -------
    front : ndarray of shape (n_points,), dtype bool
        Equal points are on it together, or not at all.

    Examples
    --------
    >>> import numpy as np
    >>> on_front(np.array([0.2, 0.1, 0.1, 0.3]), np.array([0.9, 0.8, 0.7, 0.9]))
    array([ True,  True, False, False])
    """
    smaller = difference[:, None] <= difference
    larger = utility[:, None] >= utility
    better = (difference[:, None] < difference) | (utility[:, None] > utility)
    return ~(smaller & larger & better).any(axis=0)


def non_dominated(utility, difference):
    """Points that no other point beats in one respect and equals in the other.

    Parameters
    ----------
    utility : array-like of shape (n_points,)
        More is better.

    difference : array-like of shape (n_points,)
        Less is better.

    Returns
    -------
    kept : ndarray of shape (n_points,), dtype bool
        Equal points are kept alike; points with a NaN are not.

    Examples
    --------
    >>> from skfair_runner.metrics.fronts import non_dominated
    >>> non_dominated([0.86, 0.85, 0.84], [0.2, 0.05, 0.1])
    array([ True,  True, False])
    """
    utility = np.asarray(utility, dtype=np.float64)
    difference = np.asarray(difference, dtype=np.float64)
    kept = ~(np.isnan(utility) | np.isnan(difference))
    kept[kept] = on_front(difference[kept], utility[kept])
    return kept


def find_knee(accuracy, difference):
    """Position of the point that bends the front most.

    Both axes are brought to [0, 1]; the knee lies farthest above the straight line
    between the front's ends.

    Parameters
    ----------
    accuracy, difference : ndarray of shape (n_points,)
        The points of a front.

    Returns
    -------
    position : int
        In [0, n_points).

    Examples
    --------
    >>> import numpy as np
    >>> find_knee(np.array([0.8, 0.89, 0.9]), np.array([0.0, 0.02, 0.2]))
    1
    """
    spans = [np.ptp(values) for values in (accuracy, difference)]
    if min(spans) == 0:
        return int(np.argmin(difference))
    height = (accuracy - accuracy.min()) / spans[0]
    run = (difference - difference.min()) / spans[1]
    return int(np.argmax(height - run))


def hypervolume(points, reference):
    """Area that is dominated by a set of points, up to a reference point.

    One number for a whole trade-off: it grows with every point that is better in
    utility or in difference than all others. Only areas with the same reference point
    can be compared.

    Parameters
    ----------
    points : array-like of shape (n_points, 2)
        Utility (more is better) and difference (less is better) of each point. Points
        that are not better than the reference in both add nothing, nor do points with
        a NaN.

    reference : tuple of (float, float)
        The least utility and the largest difference that count.

    Returns
    -------
    area : float
        Not negative; utility times difference.

    Raises
    ------
    ValueError
        If `points` has another shape, or `reference` is not two finite numbers.

    Examples
    --------
    Two rectangles, 0.2 × 0.1 and 0.3 × 0.05, share 0.2 × 0.05:

    >>> from skfair_runner.compare import hypervolume
    >>> round(hypervolume([[0.7, 0.2], [0.8, 0.25]], reference=(0.5, 0.3)), 3)
    0.025
    """
    points = np.asarray(points, dtype=np.float64)
    if points.size == 0:
        points = points.reshape(0, 2)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            "hypervolume: `points` must have shape (n_points, 2), utility and "
            f"difference of each, got shape {points.shape}."
        )
    least, most = _read_reference(reference)
    inside = (points[:, 0] > least) & (points[:, 1] < most)
    points = points[inside]
    # From the best utility down, every point adds what lies left of those before.
    area, reached = 0.0, most
    for utility, difference in points[np.lexsort((points[:, 1], -points[:, 0]))]:
        if difference < reached:
            area += (utility - least) * (reached - difference)
            reached = difference
    return float(area)


def _read_reference(reference):
    """Two finite numbers."""
    try:
        least, most = (float(value) for value in reference)
    except (TypeError, ValueError):
        least = most = np.nan
    if not np.isfinite([least, most]).all():
        raise ValueError(
            "hypervolume: `reference` must be two numbers, the least utility and the "
            f"largest difference that count, as in (0.5, 0.3), got {reference!r}."
        )
    return least, most


def ranks_of_intervals(low, high):
    """Ranks that intervals allow: those that overlap, also by a chain, share one.

    Parameters
    ----------
    low, high : array-like of shape (n_intervals,)
        Ends of the intervals; less is better.

    Returns
    -------
    ranks : ndarray of shape (n_intervals,), dtype int64
        1 and the number of intervals in better groups.

    Examples
    --------
    >>> from skfair_runner.metrics.fronts import ranks_of_intervals
    >>> ranks_of_intervals([0.0, 0.1, 0.05, 0.2], [0.08, 0.15, 0.12, 0.3])
    array([1, 1, 1, 4])
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    order = np.argsort(low, kind="stable")
    reached = np.maximum.accumulate(high[order])
    starts = np.append(True, low[order][1:] > reached[:-1])
    position = np.arange(1, len(low) + 1)
    ranks = np.empty(len(low), dtype=np.int64)
    ranks[order] = np.maximum.accumulate(np.where(starts, position, 0))
    return ranks
