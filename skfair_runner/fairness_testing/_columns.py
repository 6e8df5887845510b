"""Values that a column may take, and their codes: whole numbers, grids, categories."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Integers:
    """Whole numbers from `low` to `high`.

    Attributes
    ----------
    low : int
        Smallest value.

    high : int
        Largest value; one that no step reaches is left out.

    step : int
        Distance of neighbouring values, at least 1.

    Examples
    --------
    >>> from skfair_runner.fairness_testing import Integers
    >>> Integers(17, 90).size
    74
    >>> Integers(0, 100, step=25).decode([0, 1, 4]).tolist()
    [0, 25, 100]
    """

    low: int
    high: int
    step: int = 1

    ordered = True

    def __post_init__(self):
        for name in ("low", "high", "step"):
            if getattr(self, name) != int(getattr(self, name)):
                raise ValueError(
                    f"Integers takes whole numbers, but {name}="
                    f"{getattr(self, name)!r}: pass Floats(low, high, step) instead."
                )
        _check_range(self)

    @property
    def size(self) -> int:
        """Number of values."""
        return int((self.high - self.low) // self.step) + 1

    def encode(self, values) -> np.ndarray:
        """Number of the nearest value on the grid.

        Parameters
        ----------
        values : array-like of shape (n_samples,)
            Numbers; those outside the range count as its nearest end.

        Returns
        -------
        codes : ndarray of shape (n_samples,), dtype int64
            From 0 to ``size - 1``.
        """
        return _nearest(values, self)

    def decode(self, codes) -> np.ndarray:
        """Values of codes.

        Parameters
        ----------
        codes : array-like of int of shape (n_samples,)
            From 0 to ``size - 1``.

        Returns
        -------
        values : ndarray of shape (n_samples,), dtype int64
            On the grid.
        """
        return int(self.low) + int(self.step) * np.asarray(codes, dtype=np.int64)


@dataclass(frozen=True)
class Floats:
    """Numbers from `low` to `high` on a grid.

    Attributes
    ----------
    low : float
        Smallest value.

    high : float
        Largest value; one that no step reaches is left out.

    step : float
        Distance of neighbouring values, positive.

    Examples
    --------
    >>> from skfair_runner.fairness_testing import Floats
    >>> Floats(0.0, 4.0, step=0.5).decode([0, 3, 8]).tolist()
    [0.0, 1.5, 4.0]
    """

    low: float
    high: float
    step: float

    ordered = True

    def __post_init__(self):
        _check_range(self)

    @property
    def size(self) -> int:
        """Number of values."""
        # Rounding must not take the last value away.
        return math.floor((self.high - self.low) / self.step + 1e-9) + 1

    def encode(self, values) -> np.ndarray:
        """Number of the nearest value on the grid.

        Parameters
        ----------
        values : array-like of shape (n_samples,)
            Numbers; those outside the range count as its nearest end.

        Returns
        -------
        codes : ndarray of shape (n_samples,), dtype int64
            From 0 to ``size - 1``.
        """
        return _nearest(values, self)

    def decode(self, codes) -> np.ndarray:
        """Values of codes.

        Parameters
        ----------
        codes : array-like of int of shape (n_samples,)
            From 0 to ``size - 1``.

        Returns
        -------
        values : ndarray of shape (n_samples,), dtype float64
            On the grid.
        """
        return self.low + self.step * np.asarray(codes, dtype=np.float64)


@dataclass(frozen=True)
class Categories:
    """Values without an order.

    Attributes
    ----------
    levels : tuple
        The values, all different; None or NaN for missing is one of them.

    Examples
    --------
    >>> from skfair_runner.fairness_testing import Categories
    >>> Categories(("clerk", "nurse")).encode(["nurse", "clerk"]).tolist()
    [1, 0]
    """

    levels: tuple

    ordered = False

    def __post_init__(self):
        object.__setattr__(self, "levels", tuple(self.levels))
        if not self.levels:
            raise ValueError(
                f"Categories takes at least one level, but got {self.levels!r}."
            )
        if pd.Index(self.levels, dtype=object).has_duplicates:
            raise ValueError(
                f"Categories takes each level once, but got {self.levels!r}."
            )

    @property
    def size(self) -> int:
        """Number of levels."""
        return len(self.levels)

    def encode(self, values) -> np.ndarray:
        """Position of each value among the levels.

        Parameters
        ----------
        values : array-like of shape (n_samples,)
            Levels.

        Returns
        -------
        codes : ndarray of shape (n_samples,), dtype int64
            From 0 to ``size - 1``.

        Raises
        ------
        ValueError
            If a value is not a level.
        """
        values = pd.Series(values, dtype=object)
        codes = pd.Index(self.levels, dtype=object).get_indexer(values)
        # None, NaN and pandas.NA are one level, whichever of them it holds.
        missing = np.flatnonzero(pd.isna(np.array(self.levels, dtype=object)))
        if len(missing):
            codes[values.isna()] = missing[0]
        if (codes < 0).any():
            raise ValueError(
                f"{values[codes < 0].iloc[0]!r} is not among the levels "
                f"{self.levels!r}: add it, or leave its rows out."
            )
        return codes.astype(np.int64)

    def decode(self, codes) -> np.ndarray:
        """Levels of codes.

        Parameters
        ----------
        codes : array-like of int of shape (n_samples,)
            From 0 to ``size - 1``.

        Returns
        -------
        values : ndarray of shape (n_samples,), dtype object
            Levels.
        """
        table = np.empty(self.size, dtype=object)
        table[:] = self.levels
        return table[np.asarray(codes, dtype=np.int64)]


Column = Integers | Floats | Categories


def _check_range(column) -> None:
    ends = (column.low, column.high, column.step)
    if not all(math.isfinite(end) for end in ends):
        raise ValueError(f"{column!r} has an end or a step that is not finite.")
    if column.low > column.high or column.step <= 0:
        raise ValueError(
            f"{column!r} holds no value: low must not exceed high, and step must be "
            "positive."
        )


def _nearest(values, column) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    codes = np.rint((values - column.low) / column.step)
    return np.clip(codes, 0, column.size - 1).astype(np.int64)


def all_combinations(sizes) -> np.ndarray:
    """All rows of codes, the last column fastest.

    Parameters
    ----------
    sizes : array-like of int of shape (n_columns,)
        Number of values of each column.

    Returns
    -------
    codes : ndarray of shape (prod(sizes), n_columns), dtype int64
        Every combination once.

    Examples
    --------
    >>> all_combinations([2, 2]).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    grids = np.indices(tuple(int(size) for size in sizes)).reshape(len(sizes), -1)
    return grids.T.astype(np.int64)
