"""Intervals by linearisation: what each row contributes to a measure.

A bootstrap redraws rows; to first order, the measure then changes by the sum of the
influences of those that were drawn. The standard deviation of that sum is known without
drawing (the infinitesimal jackknife), so that it costs one sort where resampling a
ranking takes a sort for each resample.
"""

from statistics import NormalDist

import numpy as np


def influence_on_average_precision(y, scores):
    """Derivative of the average precision by the weight of each row.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the favourable label, else 0; with at least one 1.

    scores : ndarray of shape (n_samples,)
        Scores; equal ones are one cut-off.

    Returns
    -------
    influence : ndarray of shape (n_samples,)
        With a sum of zero, up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> influence_on_average_precision(np.array([1, 0]), np.array([0.2, 0.8]))
    array([ 0.25, -0.25])
    """
    _, place = np.unique(scores, return_inverse=True)
    rows = np.bincount(place)
    positives = np.bincount(place, weights=y)
    # Of those with at least this score.
    above, right = (part[::-1].cumsum()[::-1] for part in (rows, positives))
    precision = right / above
    n_positives = right[0]
    own = precision[place] - positives @ precision / n_positives
    # A row counts in the precision at every cut-off up to its score.
    gained = (positives / above).cumsum()[place]
    lost = (positives * right / above**2).cumsum()[place]
    return (y * (own + gained) - lost) / n_positives


def linear_half_width(influence, cells, level):
    """Half-width of the interval of a measure, rows being redrawn within their cells.

    Parameters
    ----------
    influence : ndarray of shape (n_samples,)
        Of each row on the measure.

    cells : ndarray of shape (n_samples,)
        Codes of the cells that rows are redrawn within, such as group × label.

    level : float
        Confidence level, in (0, 1).

    Returns
    -------
    width : float
        Not negative.

    Examples
    --------
    >>> import numpy as np
    >>> decided, cells = np.array([1.0, 0, 1, 0]), np.zeros(4, dtype=int)
    >>> round(linear_half_width(decided / 4, cells, 0.95), 3)  # of the share, 0.5
    0.49
    """
    sizes = np.bincount(cells).clip(min=1)
    means = np.bincount(cells, weights=influence) / sizes
    # The sum of one draw for each row of a cell varies as often as the cell has rows.
    variance = ((influence - means[cells]) ** 2).sum()
    return float(NormalDist().inv_cdf(0.5 + level / 2) * variance**0.5)
