"""The user's table: as a DataFrame, and each column described by what it holds."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_hashable

from skfair_runner.fairness_testing._columns import (
    Categories,
    Column,
    Floats,
    Integers,
)
from skfair_runner.utils._columns import as_table

_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
_CATEGORIES = ("boolean", "categorical", "string", "mixed", "mixed-integer")
# A numeric column with more values than this gets a coarser step.
MAX_LEVELS = 100


def to_frame(X, caller) -> pd.DataFrame:
    """X as a DataFrame; columns of an array are called x0, x1 and so on.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_columns)
        A table; not sparse.

    caller : str
        Who asks, for messages.

    Returns
    -------
    frame : DataFrame
        X itself where it is one.

    Raises
    ------
    TypeError
        If X is sparse.
    """
    X = as_table(X, caller)
    if isinstance(X, pd.DataFrame):
        return X
    if not isinstance(X, np.ndarray):
        raise TypeError(
            f"{caller} takes a DataFrame or an array, but X is sparse, a "
            f"{type(X).__name__}: pass X.toarray(), or the table before it was encoded."
        )
    frame = pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])])
    return frame.infer_objects() if X.dtype == object else frame


def infer_column(values: pd.Series, *, max_levels: int = MAX_LEVELS) -> Column:
    """Describe a column by the values that it holds.

    Parameters
    ----------
    values : Series of shape (n_samples,)
        A column of the user's table.

    max_levels : int, default=100
        A number gets the smallest step out of 1, 2, 5, 10, 20, 50, ... (and their
        tenths, hundredths, ... where it has fractions) that leaves at most so many
        values.

    Returns
    -------
    column : Integers, Floats or Categories
        From the smallest to the largest value, or all levels in sorted order.

    Raises
    ------
    ValueError
        If a number is missing or infinite, or the column holds neither numbers nor
        categories.

    Examples
    --------
    >>> infer_column(pd.Series([17, 90, 35], name="age"))
    Integers(low=17, high=90, step=1)
    >>> infer_column(pd.Series([0, 99999], name="gain"))
    Integers(low=0, high=99999, step=2000)
    >>> infer_column(pd.Series(["nurse", "clerk"], name="job"))
    Categories(levels=('clerk', 'nurse'))
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        levels = list(values.cat.categories)
        return Categories((*levels, *([np.nan] if values.isna().any() else [])))
    found = infer_dtype(values, skipna=True)
    if found in _NUMBERS:
        return _infer_numbers(values, max_levels)
    if found not in _CATEGORIES or not values.dropna().map(is_hashable).all():
        example = values.dropna().iloc[0] if values.notna().any() else None
        raise ValueError(
            f"Column {values.name!r} holds neither numbers nor categories but {found} "
            f"values, such as {example!r}: drop it, or turn it into one of these."
        )
    levels = list(pd.unique(values.dropna()))
    levels.sort(key=lambda level: (type(level).__name__, level))
    missing = values[values.isna()]
    return Categories((*levels, *missing.iloc[:1]))


def _infer_numbers(values: pd.Series, max_levels: int) -> Column:
    if values.isna().any():
        raise ValueError(
            f"Column {values.name!r} has {values.isna().sum()} missing number(s), "
            "which have no place on a grid: leave these rows out, or fill them."
        )
    numbers = values.to_numpy(dtype=np.float64)
    low, high = numbers.min(), numbers.max()
    if not np.isfinite([low, high]).all():
        raise ValueError(
            f"Column {values.name!r} goes from {low} to {high}: no grid has infinitely "
            "many values, so leave these rows out, or cut them."
        )
    whole = bool((numbers == np.rint(numbers)).all())
    step = _nice_step(high - low, max_levels)
    if whole:
        return Integers(int(low), int(high), max(1, round(step)))
    return Floats(float(low), float(high), step)


def _nice_step(width: float, max_levels: int) -> float:
    """Smallest of 1, 2, 5 times a power of ten with at most `max_levels` values."""
    if width <= 0:
        return 1.0
    least = width / (max_levels - 1)
    power = 10.0 ** math.floor(math.log10(least))
    return next(
        factor * power for factor in (1, 2, 5, 10) if factor * power >= least * 0.999999
    )
