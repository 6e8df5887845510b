"""Where the points of a front are measured."""

from __future__ import annotations

import numpy as np

# Beyond what is trained: the difference of new rows may vanish a little later.
LARGEST_WEIGHT = 1.2
# The share of the points that are laid evenly, before the front is known.
_EVENLY = 0.6
# Roots of weights that differ by less belong to points that differ by chance.
_CLOSE = 0.01


def first_weights(n_points):
    """Weights that are measured before it is known where the front is steep.

    Parameters
    ----------
    n_points : int
        How many points there will be in all.

    Returns
    -------
    weights : list of float
        From 0 to 1.2, closer where little repair changes much: even in their roots.

    Examples
    --------
    >>> first_weights(3), first_weights(5)
    ([0.0, 0.3, 1.2], [0.0, 0.3, 1.2])
    """
    n_first = max(3, round(_EVENLY * n_points))
    return (np.linspace(0, LARGEST_WEIGHT**0.5, n_first) ** 2).round(6).tolist()


def next_weight(weights, measures):
    """The weight between the two neighbouring points that differ most.

    Parameters
    ----------
    weights : array-like of shape (n_points,)
        Of the points measured so far, in any order.

    measures : array-like of shape (n_points, n_measures)
        What neighbours differ in: accuracy, and the difference traded for it.

    Returns
    -------
    weight : float
        Between two of the weights. Neighbours that are close already have their turn
        when there are no others; so has the step from weight 0, the biased model, which
        was trained for fewer epochs and is on no curve with the others.

    Examples
    --------
    >>> next_weight([0, 1, 0.09, 0.25], [[0.9, 0.5], [0.7, 0], [0.8, 0.2], [0.7, 0]])
    0.16
    """
    order = np.argsort(weights)
    roots = np.sqrt(np.asarray(weights, dtype=float)[order])
    jumps = np.abs(np.diff(np.asarray(measures)[order], axis=0)).sum(axis=1)
    widths = np.diff(roots)
    closed = widths <= _CLOSE
    if len(jumps) > 1:
        closed[0] |= roots[0] == 0
    jumps = np.where(closed, -1 / widths, jumps)
    widest = jumps.argmax()
    return round(float((roots[widest] + widths[widest] / 2) ** 2), 6)
