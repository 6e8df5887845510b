"""Rows to start from: uniform in the box, listed in full, or spread over the data."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans

from skfair_runner.fairness_testing._columns import all_combinations
from skfair_runner.fairness_testing._keys import instance_keys

_ROUNDS = 200
_LARGEST_GRID = 5_000_000
# More rows do not make better clusters to start from.
_CLUSTERED = 10_000


def sample_box(space, n_samples, rng) -> np.ndarray:
    """Uniform rows of the box that keep the constraints.

    Parameters
    ----------
    space : Space
        The box.

    n_samples : int
        Number of rows; they need not be different.

    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    codes : ndarray of shape (n_samples, n_columns), dtype int64
        Immutable columns are drawn together from the rows of the data, where the space
        was made from data.

    Raises
    ------
    ValueError
        If hardly any row keeps the constraints.
    """
    parts = [np.empty((0, len(space.sizes)), dtype=np.int64)]
    missing = n_samples
    for _ in range(_ROUNDS):
        if missing <= 0:
            break
        shape = (max(2 * missing, 100), len(space.sizes))
        codes = rng.integers(0, space.sizes, size=shape)
        if space.pinned is not None and len(space.immutable):
            rows = rng.integers(0, len(space.pinned), len(codes))
            codes[:, space.immutable] = space.pinned[rows]
        codes = codes[space.valid(codes)][:missing]
        parts.append(codes)
        missing -= len(codes)
    if missing > 0:
        raise ValueError(
            f"{n_samples} random rows of the box are needed, but after {_ROUNDS} "
            f"rounds only {n_samples - missing} keep the constraints: narrow the "
            "columns, or loosen the constraints."
        )
    return np.concatenate(parts)


def all_instances(space) -> np.ndarray:
    """Every instance of a small box that keeps the constraints.

    Parameters
    ----------
    space : Space
        The box.

    Returns
    -------
    codes : ndarray of shape (n_instances, n_columns), dtype int64
        Each with the first combination of sensitive values for which the constraints
        hold.

    Raises
    ------
    ValueError
        If the box is too large to be listed.

    Examples
    --------
    >>> from skfair_runner.fairness_testing import Categories, Integers, Space
    >>> columns = {"age": Integers(1, 2), "sex": Categories(("f", "m"))}
    >>> space = Space(columns, sensitive_features="sex")
    >>> space.decode(all_instances(space))
       age sex
    0    1   f
    1    2   f
    """
    if space.n_instances > _LARGEST_GRID:
        raise ValueError(
            f"The box has {space.n_instances:,} instances, too many to list; at most "
            f"{_LARGEST_GRID:,} are."
        )
    codes = np.zeros((space.n_instances, len(space.sizes)), dtype=np.int64)
    codes[:, space.others] = all_combinations(space.sizes[space.others])
    valid = space.valid_combinations(codes)
    codes[:, space.sensitive] = space.combinations[valid.argmax(axis=1)]
    return codes[valid.any(axis=1)]


def spread_seeds(space, codes, n_seeds, n_clusters, rng) -> np.ndarray:
    """Rows of the data in turn from each of a few clusters.

    Parameters
    ----------
    space : Space
        The box.

    codes : ndarray of int of shape (n_samples, n_columns)
        The data.

    n_seeds : int
        Number of rows.

    n_clusters : int
        Number of clusters of k-means.

    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    seeds : ndarray of shape (at most n_seeds, n_columns), dtype int64
        Different instances, of which the data may have fewer.
    """
    _, first = np.unique(instance_keys(space, codes), return_index=True)
    codes = codes[rng.permutation(first)]
    codes = codes[space.valid(codes)]
    scaled = codes / np.maximum(space.sizes - 1, 1)
    n_clusters = min(n_clusters, len(np.unique(scaled[:_CLUSTERED], axis=0)))
    if n_clusters == 0:
        return codes
    kmeans = KMeans(n_clusters, n_init=1, random_state=int(rng.integers(2**31)))
    clusters = kmeans.fit(scaled[:_CLUSTERED]).predict(scaled)
    # The n-th row of every cluster comes before the next row of any.
    turn = np.empty(len(codes), dtype=np.int64)
    for cluster in range(n_clusters):
        members = np.flatnonzero(clusters == cluster)
        turn[members] = np.arange(len(members))
    return codes[np.lexsort((clusters, turn))[:n_seeds]]
