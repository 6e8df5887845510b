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


def next_weight(table, difference):
    """The weight between the two neighbouring points that differ most.

    Parameters
    ----------
    table : DataFrame
        Points measured so far, in rising order of weight.

    difference : str
        The measure that is traded for accuracy.

    Returns
    -------
    weight : float
        Between two of the table's. Neighbours that are close already have their turn
        when there are no others; so has the step from weight 0, the biased model, which
        was trained for fewer epochs and is on no curve with the others.

    Examples
    --------
    >>> import pandas as pd
    >>> points = {"weight": [0, 0.09, 0.25, 1], "accuracy": [0.9, 0.8, 0.7, 0.7]}
    >>> next_weight(pd.DataFrame({**points, "gap": [0.5, 0.2, 0.0, 0.0]}), "gap")
    0.16
    """
    roots = np.sqrt(table["weight"].to_numpy(dtype=float))
    jumps = table[["accuracy", difference]].diff().abs().sum(axis=1).to_numpy()[1:]
    widths = np.diff(roots)
    closed = widths <= _CLOSE
    if len(jumps) > 1:
        closed[0] |= roots[0] == 0
    jumps = np.where(closed, -1 / widths, jumps)
    widest = jumps.argmax()
    return round(float((roots[widest] + widths[widest] / 2) ** 2), 6)
