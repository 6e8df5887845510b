"""Which candidates of a search go on, by utility and difference together.

Non-dominated sorting with crowding distances, as in NSGA-II [1]_, but for one thing:
what does not fit is left out one by one, each time the most crowded, for distances
change with every point that goes.

References
----------
.. [1] K. Deb, A. Pratap, S. Agarwal, T. Meyarivan, "A Fast and Elitist Multiobjective
   Genetic Algorithm: NSGA-II", IEEE Transactions on Evolutionary Computation 6(2),
   2002, section III.
"""

import numpy as np

from skfair_runner.metrics.fronts import find_knee, non_dominated


def front_ranks(utility, difference):
    """Rank of every point: 1 on the front, 2 on the front of the others, and so on.

    Parameters
    ----------
    utility : array-like of shape (n_points,)
        More is better.

    difference : array-like of shape (n_points,)
        Less is better.

    Returns
    -------
    ranks : ndarray of shape (n_points,), dtype int64
        Points with a NaN rank behind all others.

    Examples
    --------
    >>> front_ranks([0.9, 0.8, 0.8, 0.7], [0.2, 0.1, 0.2, 0.3])
    array([1, 1, 2, 3])
    """
    utility = np.array(utility, dtype=np.float64)
    difference = np.array(difference, dtype=np.float64)
    ranks = np.zeros(len(utility), dtype=np.int64)
    rank = 1
    while (front := non_dominated(utility, difference)).any():
        ranks[front], utility[front] = rank, np.nan
        rank += 1
    ranks[ranks == 0] = rank
    return ranks


def crowding_distances(utility, difference):
    """How far apart the neighbours of every point of a front are.

    Parameters
    ----------
    utility, difference : ndarray of shape (n_points,)
        Points of which none dominates another.

    Returns
    -------
    distances : ndarray of shape (n_points,)
        Sum over both axes, each brought to [0, 1]; infinite at both ends, and zero for
        a point between two equal ones.

    Examples
    --------
    >>> import numpy as np
    >>> crowding_distances(np.array([0.5, 0.6, 0.9]), np.array([0.0, 0.1, 0.2]))
    array([inf,  2., inf])
    """
    order = np.lexsort((utility, difference))
    distances = np.zeros(len(order))
    for values in (utility[order], difference[order]):
        span = np.ptp(values)
        if span > 0:
            distances[order[1:-1]] += np.abs(values[2:] - values[:-2]) / span
    distances[order[[0, -1]]] = np.inf
    return distances


def promote(utility, difference, constant, n_kept):
    """Candidates that go on.

    Parameters
    ----------
    utility, difference : array-like of shape (n_candidates,)
        Means over the folds; NaN where a candidate failed.

    constant : array-like of shape (n_candidates,), dtype bool
        Whose decisions are constant on a fold: their difference says nothing.

    n_kept : int
        How many go on, at least 1.

    Returns
    -------
    kept : ndarray of int
        Positions, in ascending order. Whole fronts one after the other; of the one that
        does not fit, what leaves it spread out best. Constant candidates fill what room
        is left, those of the best utility first; failed ones never go on.

    Examples
    --------
    >>> promote([0.9, 0.8, 0.79, 0.7], [0.3, 0.2, 0.19, 0.0], [False] * 4, 3)
    array([0, 2, 3])
    """
    utility = np.asarray(utility, dtype=np.float64)
    difference = np.asarray(difference, dtype=np.float64)
    constant = np.asarray(constant, dtype=bool)
    failed = np.isnan(utility) | np.isnan(difference)
    ranks = front_ranks(np.where(constant, np.nan, utility), difference)
    kept = np.empty(0, dtype=np.int64)
    for rank in np.unique(ranks[~failed & ~constant]):
        front = np.flatnonzero(ranks == rank)
        room = n_kept - len(kept)
        if len(front) > room:
            front = _thin(front, utility, difference, room)
        kept = np.append(kept, front)
    room = n_kept - len(kept)
    spare = np.flatnonzero(constant & ~failed)
    spare = spare[np.argsort(-utility[spare], kind="stable")][:room]
    return np.sort(np.append(kept, spare))


def _thin(front, utility, difference, room):
    """As many points of a front as there is room for, far from one another."""
    if room == 0:
        return front[:0]
    # So that ties do not depend on the order of the candidates.
    front = front[np.lexsort((utility[front], difference[front]))]
    if room == 1:
        # Both ends are equally uncrowded.
        return front[[find_knee(utility[front], difference[front])]]
    while len(front) > room:
        distances = crowding_distances(utility[front], difference[front])
        # Of equals that of the largest difference goes.
        crowded = len(front) - 1 - np.argmin(distances[::-1])
        front = np.delete(front, crowded)
    return front
