"""A file of results, so that what was stopped goes on where it was.

An SQLite database: every result is in the file, or not there at all, whatever happens
to the process. It holds text and bytes, and nothing in it can execute when it is read.
"""

import json
import sqlite3
from contextlib import contextmanager
from pathlib import Path

_ABOUT = "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)"


@contextmanager
def open_store(path, fingerprint, *, kind, tables, caller):
    """Open a file of results, or make it.

    Parameters
    ----------
    path : path-like
        The file; its folder must exist.

    fingerprint : dict of str to str
        Of what all results in the file depend on, with the key ``shape``, that of X.

    kind : str
        Which file this is, and the version of its form.

    tables : dict of str to str
        Statements that create the tables, by name.

    caller : str
        Who asks; begins the error messages.

    Yields
    ------
    connection : sqlite3.Connection
        To a file with these tables.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.

    ValueError
        If the file is something else, or belongs to other data.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{caller}: the folder {str(path.parent)!r} of results={str(path)!r} does "
            "not exist: make it first."
        )
    connection = sqlite3.connect(path, timeout=60)
    try:
        _prepare(
            connection, path, fingerprint, kind, {"about": _ABOUT, **tables}, caller
        )
        yield connection
    finally:
        connection.close()


def damaged(path, caller, error):
    """Words for an entry that cannot be read.

    Parameters
    ----------
    path : path-like
        The file.

    caller : str
        Who asks.

    error : Exception
        Why.

    Returns
    -------
    message : str
        Of a ValueError.
    """
    return (
        f"{caller}: an entry of results={str(path)!r} is damaged ({error}): delete the "
        "file."
    )


class Entries:
    """Entries of an open file.

    Parameters
    ----------
    connection : sqlite3.Connection
        To a file with the right tables.

    path : path-like
        The file, for messages.

    caller : str
        Who asks; begins the error messages.
    """

    def __init__(self, connection, path, caller):
        self._connection = connection
        self._path = path
        self._caller = caller

    def _find(self, query, key, read):
        """What `read` makes of the row that a query finds by its key, or None.

        Raises
        ------
        ValueError
            If the entry is damaged.
        """
        row = self._connection.execute(query, (key,)).fetchone()
        if row is None:
            return None
        try:
            return read(*row)
        except Exception as error:
            raise ValueError(damaged(self._path, self._caller, error)) from error


def _prepare(connection, path, fingerprint, kind, tables, caller):
    """Make the tables of a new file; check those of an old one."""
    try:
        # What somebody may have put into the file besides must not run.
        connection.execute("PRAGMA trusted_schema = OFF")
        query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        found = dict(connection.execute(query))
        if not found:
            _make(connection, fingerprint, kind, tables)
            return
        if found != tables:
            reason = f"its tables are {sorted(found)}, not {sorted(tables)}"
            raise ValueError(_not_ours(path, caller, reason))
        about = dict(connection.execute("SELECT name, value FROM about"))
    except sqlite3.DatabaseError as error:
        raise ValueError(_not_ours(path, caller, str(error))) from error
    if about.get("format") != kind:
        reason = f"its format is {about.get('format')!r}, not {kind!r}"
        raise ValueError(_not_ours(path, caller, reason))
    _check_fingerprint(json.loads(about["data"]), fingerprint, path, caller)


def _make(connection, fingerprint, kind, tables):
    with connection:
        for statement in tables.values():
            connection.execute(statement)
        connection.executemany(
            "INSERT INTO about VALUES (?, ?)",
            [("format", kind), ("data", json.dumps(fingerprint))],
        )


def _not_ours(path, caller, reason):
    return (
        f"{caller}: results={str(path)!r} is no file of results ({reason}): pass the "
        "path of a new file, or delete this one."
    )


def _check_fingerprint(stored, fingerprint, path, caller):
    """Refuse to mix results of different data, or measured in different ways."""
    differing = [name for name in fingerprint if stored.get(name) != fingerprint[name]]
    if differing:
        shapes = f"{stored.get('shape')} there, {fingerprint['shape']} here"
        what = ", ".join(name for name in differing if name != "shape")
        raise ValueError(
            f"{caller}: results={str(path)!r} belongs to other data (X is {shapes}; "
            f"different: {what}): pass another file for this data."
        )
