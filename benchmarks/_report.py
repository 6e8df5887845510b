"""Tables on standard output, and CSV files that are written in full or not at all."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from skfair_runner.utils import atomic_write


def write_table(
    frame: pd.DataFrame, *, title: str, out=None, name: str | None = None
) -> None:
    """Write a table to standard output, and to ``out/name.csv`` where both are given.

    Parameters
    ----------
    frame : DataFrame
        Without its index; make it a column where it matters.

    title : str
        A line above it.

    out : path-like, default=None
        Folder of the CSV file, made if need be.

    name : str, default=None
        Name of the CSV file, without its ending.
    """
    sys.stdout.write(f"\n{title}\n\n{frame.to_string(index=False, na_rep='')}\n")
    sys.stdout.flush()
    if out is not None and name is not None:
        write_csv(frame, Path(out) / f"{name}.csv")


def write_csv(frame: pd.DataFrame, path) -> None:
    """Write a table to a CSV file, whose folder is made if need be.

    Parameters
    ----------
    frame : DataFrame
        Without its index.

    path : path-like
        Replaced only once the new file is complete.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, "w") as file:
        frame.to_csv(file, index=False)


def append_row(row: dict, path) -> None:
    """Add one row to a CSV file, which is made if need be.

    Parameters
    ----------
    row : dict
        Values by column; new columns are empty in earlier rows.

    path : path-like
        The file.
    """
    known = [pd.read_csv(path)] if Path(path).exists() else []
    write_csv(pd.concat([*known, pd.DataFrame([row])], ignore_index=True), path)


def known_keys(path, key) -> set[tuple]:
    """Keys of the rows that a CSV file holds, so that they are not made again.

    Parameters
    ----------
    path : path-like
        The file; one that does not exist holds none.

    key : sequence of str
        Columns that tell rows apart.

    Returns
    -------
    keys : set of tuple
        In the order of `key`.
    """
    if not Path(path).exists():
        return set()
    return set(pd.read_csv(path)[list(key)].itertuples(index=False, name=None))


def mean_and_spread(values, digits: int = 3) -> str:
    """Mean, and its standard deviation over several seeds.

    Parameters
    ----------
    values : array-like of float
        One per seed; NaN are left out.

    digits : int, default=3
        Behind the point.

    Returns
    -------
    text : str
        A dash where there is no value.

    Examples
    --------
    >>> mean_and_spread([0.1, 0.3]), mean_and_spread([1234.5], 1), mean_and_spread([])
    ('0.200 ± 0.141', '1,234.5', '–')
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return "–"
    text = f"{values.mean():,.{digits}f}"
    if len(values) == 1:
        return text
    return f"{text} ± {values.std(ddof=1):,.{digits}f}"


def machine() -> str:
    """Processor, cores, load and library versions, in one line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if "model name" in line]
        model = lines[0].split(":")[1].strip() if lines else model
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"{model}, {os.cpu_count()} cores, load {load:.1f}; "
        f"torch {torch.__version__} with {torch.get_num_threads()} thread(s), "
        f"Python {platform.python_version()}"
    )
