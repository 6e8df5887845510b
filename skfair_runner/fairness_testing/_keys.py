"""Telling whole batches of instances apart, without looking at one row at a time."""

from __future__ import annotations

import numpy as np

# New keys are merged into the sorted ones when they are this share of them.
_SHARE = 0.25


def instance_keys(space, codes) -> np.ndarray:
    """One number for each instance, equal for equal instances.

    Parameters
    ----------
    space : Space
        The box.

    codes : ndarray of int of shape (n_samples, n_columns)
        Rows.

    Returns
    -------
    keys : ndarray of shape (n_samples,), dtype uint64
        Sensitive columns are left out. Different for different instances in a box of at
        most 2⁶⁴ instances. In a larger one it is a hash: among a million instances, two
        agree by chance once in forty million times, and one of them is then not
        counted.
    """
    keys = np.zeros(len(codes), dtype=np.uint64)
    exact = space.n_instances <= 2**64
    for position in space.others:
        if exact:
            keys *= np.uint64(space.sizes[position])
        keys += codes[:, position].astype(np.uint64)
        if not exact:
            keys = _mix(keys)
    return keys


def _mix(keys: np.ndarray) -> np.ndarray:
    """Scatter 64-bit numbers (the finalizer of splitmix64)."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


class KeySet:
    """A growing set of keys that is asked about whole arrays.

    Examples
    --------
    >>> import numpy as np
    >>> known = KeySet()
    >>> known.add(np.array([7, 5, 7], dtype=np.uint64)).tolist()
    [True, True, False]
    >>> known.add(np.array([5, 6], dtype=np.uint64)).tolist()
    [False, True]
    >>> len(known)
    3
    """

    def __init__(self):
        self._sorted = np.empty(0, dtype=np.uint64)
        self._recent = np.empty(0, dtype=np.uint64)

    def __len__(self) -> int:
        return len(self._sorted) + len(self._recent)

    def contains(self, keys) -> np.ndarray:
        """Whether each key is in the set.

        Parameters
        ----------
        keys : ndarray of shape (n_keys,), dtype uint64
            Any keys.

        Returns
        -------
        known : ndarray of shape (n_keys,), dtype bool
            One per key.
        """
        return _in_sorted(self._sorted, keys) | _in_sorted(self._recent, keys)

    def add(self, keys) -> np.ndarray:
        """Put keys into the set.

        Parameters
        ----------
        keys : ndarray of shape (n_keys,), dtype uint64
            Any keys, repeated ones also.

        Returns
        -------
        new : ndarray of shape (n_keys,), dtype bool
            Whether each was absent; of equal ones the first alone.
        """
        found, first = np.unique(keys, return_index=True)
        absent = ~self.contains(found)
        new = np.zeros(len(keys), dtype=bool)
        new[first[absent]] = True
        self._recent = np.union1d(self._recent, found[absent])
        if len(self._recent) > _SHARE * len(self._sorted):
            self._sorted = np.union1d(self._sorted, self._recent)
            self._recent = self._recent[:0]
        return new


def _in_sorted(known: np.ndarray, keys: np.ndarray) -> np.ndarray:
    if len(known) == 0:
        return np.zeros(len(keys), dtype=bool)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return known[places] == keys
