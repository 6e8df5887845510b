"""Columns of a table by name or position: found, taken out, left out."""

from numbers import Integral

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import check_array

_SHOWN = 20


def as_table(X, caller):
    """DataFrame or sparse matrix as it is, anything else as a 2-d array.

    Raises
    ------
    ValueError
        If X is not a table: see `sklearn.utils.check_array`.
    """
    if isinstance(X, pd.DataFrame):
        return X
    if isinstance(X, list | tuple):
        # As objects, so that a row keeps its numbers beside its strings.
        X = np.asarray(X, dtype=object)
    return check_array(
        X, dtype=None, accept_sparse=True, ensure_all_finite=False, estimator=caller
    )


def take_rows(values, rows):
    """Some rows of whatever was passed.

    Parameters
    ----------
    values : array-like of shape (n_samples, ...) or None
        None stays None.

    rows : ndarray of int or bool
        Positions, which may repeat, or a mask; positions for a list.

    Returns
    -------
    part : array-like of shape (n_rows, ...) or None
        In the container that it came in.

    Examples
    --------
    >>> take_rows(["a", "b", "c"], [2, 0])
    ['c', 'a']
    """
    if values is None:
        return None
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if hasattr(values, "tocsr"):
        return values.tocsr()[rows]
    if isinstance(values, list | tuple):
        # An array of what a list mixes would be one of strings.
        return [values[row] for row in rows]
    return values[rows] if hasattr(values, "shape") else np.asarray(values)[rows]


def column_positions(X, columns, caller):
    """Positions of columns given by name or position.

    Parameters
    ----------
    X : {DataFrame, ndarray, sparse matrix} of shape (n_samples, n_features)
        The table; looked at only if `columns` is not None.

    columns : None, str, int or list of str and int
        Names, for a DataFrame, or positions.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    positions : ndarray of shape (n_columns,), dtype int64
        In the order of `columns`; empty for None.

    Raises
    ------
    TypeError
        If a column is neither a string nor an integer.

    ValueError
        If a column is unknown, ambiguous, named twice or the list is empty.
    """
    if columns is None:
        return np.empty(0, dtype=np.int64)
    if isinstance(columns, str | Integral) or not np.iterable(columns):
        columns = [columns]
    positions = [_position(X, column, caller) for column in columns]
    if not positions:
        raise ValueError(f"{caller}: columns={columns!r} names no column.")
    if len(set(positions)) < len(positions):
        raise ValueError(f"{caller}: a column is named twice in {list(columns)!r}.")
    return np.array(positions, dtype=np.int64)


def column_table(X, positions):
    """Series of one column, DataFrame of several; a DataFrame's index is kept."""
    if isinstance(X, pd.DataFrame):
        table = X.iloc[:, positions]
    else:
        values = X.tocsc() if sparse.issparse(X) else X
        values = values[:, positions]
        values = values.toarray() if sparse.issparse(values) else values
        table = pd.DataFrame(values, columns=[f"x{k}" for k in positions])
    return table.iloc[:, 0] if len(positions) == 1 else table


def drop_columns(X, positions):
    """Return X without some of its columns, in the container it came in."""
    kept = np.setdiff1d(np.arange(X.shape[1]), positions)
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, kept]
    if sparse.issparse(X):
        return X.tocsc()[:, kept].asformat(X.format)
    return X[:, kept]


def _position(X, column, caller):
    """Position of one column."""
    n_columns = X.shape[1]
    if isinstance(column, str):
        if not isinstance(X, pd.DataFrame):
            raise ValueError(
                f"{caller}: column {column!r} is given by name, but X "
                f"({type(X).__name__}) has no column names: pass a DataFrame, or the "
                f"position of the column (0 to {n_columns - 1})."
            )
        found = np.flatnonzero([name == column for name in X.columns])
        if len(found) == 1:
            return int(found[0])
        number = f"{len(found)} columns" if len(found) else "no column"
        raise ValueError(
            f"{caller}: X has {number} {column!r}. Its columns are {_listed(X)}."
        )
    if not isinstance(column, Integral) or isinstance(column, bool):
        raise TypeError(
            f"{caller}: a column is given by its name (str) or position (int), got "
            f"{column!r}."
        )
    if not -n_columns <= column < n_columns:
        raise ValueError(
            f"{caller}: X has {n_columns} columns (positions 0 to {n_columns - 1}), "
            f"none at position {column}."
        )
    return int(column) % n_columns


def _listed(X):
    """Names of the columns of a DataFrame, cut short where there are many."""
    names = ", ".join(repr(name) for name in X.columns[:_SHOWN])
    more = X.shape[1] - _SHOWN
    return f"{names} and {more} more" if more > 0 else names
