"""What columns hold, and which part they play: sensitive, immutable, free, constant."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype

from skfair_runner.fairness_testing._columns import Categories, Floats, Integers
from skfair_runner.fairness_testing._tables import infer_column, to_frame
from skfair_runner.utils._columns import column_positions

_KINDS = {Integers: "int", Floats: "float", Categories: "text"}


def named_positions(known, names, argument) -> np.ndarray:
    """Positions of columns given by name.

    Parameters
    ----------
    known : list of str
        Names of all columns.

    names : str or list of str
        Some of them.

    argument : str
        What the user passed them as, for messages.

    Returns
    -------
    positions : ndarray of int of shape (n_names,)
        In ascending order, each once.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        if name not in known:
            raise ValueError(
                f"{argument} names {name!r}, which is not a column; the columns are "
                f"{known}."
            )
    return np.array(sorted({known.index(name) for name in names}), dtype=np.int64)


def check_roles(space) -> None:
    """Refuse a box in which there is nothing to exchange.

    Parameters
    ----------
    space : Space
        The box, its columns and positions known.

    Raises
    ------
    ValueError
        If no column is sensitive, a sensitive one has one value only, or is immutable.
    """
    if len(space.sensitive) == 0:
        raise ValueError(
            f"sensitive_features names no column: pass one or more of {space.names}."
        )
    for position in space.sensitive:
        if space.sizes[position] < 2:
            (value,) = space.columns[position].decode([0]).tolist()
            raise ValueError(
                f"The sensitive column {space.names[position]!r} has one value only, "
                f"{value!r}, so there is nothing to exchange: describe its values with "
                "columns=..."
            )
    both = np.intersect1d(space.sensitive, space.immutable)
    if len(both):
        raise ValueError(
            f"{space.names[both[0]]!r} is both sensitive and immutable: a sensitive "
            "column is never changed by the search, only exchanged."
        )


def describe_roles(space) -> pd.DataFrame:
    """The table of :meth:`Space.describe`.

    Parameters
    ----------
    space : Space
        The box.

    Returns
    -------
    table : DataFrame
        One row per column.
    """
    rows = []
    for position, column in enumerate(space.columns):
        first, last = column.decode([0, column.size - 1]).tolist()
        role = "free" if position in space.free else "constant"
        role = "immutable" if position in space.immutable else role
        rows.append(
            {
                "kind": _KINDS[type(column)],
                "low": first,
                "high": last,
                "step": column.step if column.ordered else "",
                "values": column.size,
                "role": "sensitive" if position in space.sensitive else role,
            }
        )
    return pd.DataFrame(rows, index=space.names)


def complete_rows(X, caller) -> np.ndarray:
    """Tell which rows have all of their numbers; a missing category is a level.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_columns)
        A table.

    caller : str
        Who asks, for messages.

    Returns
    -------
    complete : ndarray of shape (n_samples,), dtype bool
        One per row.
    """
    numbers = to_frame(X, caller).select_dtypes("number")
    return numbers.notna().all(axis=1).to_numpy()


def infer_columns(frame, overrides, max_levels, caller) -> dict:
    """Description of every column of a table.

    Parameters
    ----------
    frame : DataFrame of shape (n_samples, n_columns)
        The data.

    overrides : dict of str to Integers, Floats or Categories, or None
        What the user said.

    max_levels : int
        See :meth:`Space.from_data`.

    caller : str
        Who asks, for messages.

    Returns
    -------
    columns : dict of str to Integers, Floats or Categories
        In the order of the table.

    Raises
    ------
    ValueError
        If there is no row, `overrides` names an unknown column, `max_levels` is too
        small, or a column cannot be described.
    """
    overrides = dict(overrides or {})
    if len(frame) == 0:
        raise ValueError(f"{caller}: X has {len(frame)} rows; it needs some.")
    unknown = [name for name in overrides if name not in frame.columns]
    if unknown:
        raise ValueError(
            f"{caller}: columns describes {unknown[0]!r}, which X does not have; its "
            f"columns are {frame.columns.tolist()}."
        )
    if max_levels < 2:
        raise ValueError(
            f"{caller}: max_levels={max_levels!r} leaves a number no two values: pass "
            "at least 2."
        )
    return {
        name: overrides.get(name) or infer_column(values, max_levels=max_levels)
        for name, values in frame.items()
    }


def chosen_names(frame, columns, caller) -> list:
    """Names of columns that the user gave by name or by position."""
    if not isinstance(columns, str) and np.iterable(columns) and not list(columns):
        return []
    return frame.columns[column_positions(frame, columns, caller)].tolist()


def as_dtype(values, dtype):
    """An array of values that `take` and DataFrame accept, in the dtype asked for."""
    if values.dtype.kind == "f" and dtype is not None and is_integer_dtype(dtype):
        dtype = None  # whole numbers in the data, fractions in the box
    series = pd.Series(values) if dtype is None else pd.Series(values, dtype=dtype)
    return series.array
