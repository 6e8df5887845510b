"""A file of outcomes, so that a comparison that was stopped goes on where it was.

Arrays are stored by NumPy without pickling and tables as JSON, so that nothing in the
file can execute when it is read.
"""

import io
import json
import zlib
from contextlib import contextmanager

import numpy as np
import pandas as pd

from skfair_runner._runs.store import Entries, open_store
from skfair_runner._runs.told import category_of
from skfair_runner.compare._evaluation import Outcome

_KIND = "skfair-runner results 1"
_TABLES = {
    "outcomes": (
        "CREATE TABLE outcomes (key TEXT PRIMARY KEY, method TEXT NOT NULL, seed "
        "INTEGER, fold INTEGER NOT NULL, facts TEXT NOT NULL, arrays BLOB NOT NULL)"
    ),
}


@contextmanager
def open_results(path, fingerprint, caller):
    """Open the file of outcomes, or make it.

    Parameters
    ----------
    path : path-like
        The file; its folder must exist.

    fingerprint : dict of str to str
        Of the data that is compared on.

    caller : str
        Who asks; begins the error messages.

    Yields
    ------
    results : Results
        What the file holds.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.

    ValueError
        If the file is something else, or belongs to other data.
    """
    with open_store(
        path, fingerprint, kind=_KIND, tables=_TABLES, caller=caller
    ) as connection:
        yield Results(connection, path, caller)


class Results(Entries):
    """Outcomes in an open file."""

    def get(self, key, n_samples, n_classes):
        """Outcome that was stored under a key.

        Parameters
        ----------
        key : str
            Digest of all that the outcome depends on.

        n_samples, n_classes : int
            How many rows were decided about, and how many labels there are.

        Returns
        -------
        outcome : Outcome or None
            None where there is none.

        Raises
        ------
        ValueError
            If the entry is damaged.
        """
        query = "SELECT facts, arrays FROM outcomes WHERE key = ?"
        return self._find(query, key, lambda *row: _read(*row, n_samples, n_classes))

    def put(self, key, method, seed, fold, outcome):
        """Store an outcome; when this returns, it is in the file.

        Parameters
        ----------
        key : str
            Digest of all that the outcome depends on.

        method : str
            Name of the method.

        seed : int or None
            Seed of the repetition.

        fold : int
            Number of the fold.

        outcome : Outcome
            What was done, without an error.
        """
        facts, arrays = _written(outcome)
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?, ?)",
                (key, method, seed, fold, facts, arrays),
            )


def _written(outcome):
    """Outcome as text and bytes."""
    facts = {
        "fit_seconds": outcome.fit_seconds,
        "predict_seconds": outcome.predict_seconds,
        "warnings": [(each.__name__, text) for each, text in outcome.warnings],
        "tables": {name: _columns(table) for name, table in outcome.tables.items()},
        "answers": outcome.answers,
    }
    file = io.BytesIO()
    np.save(file, outcome.y_pred.astype(np.int64), allow_pickle=False)
    if outcome.scores is not None:
        np.save(file, outcome.scores, allow_pickle=False)
    return json.dumps(facts, default=_plain), zlib.compress(file.getvalue(), 1)


def _read(facts, arrays, n_samples, n_classes):
    """Outcome out of text and bytes."""
    facts = json.loads(facts)
    file = io.BytesIO(zlib.decompress(arrays))
    y_pred, scores = np.load(file, allow_pickle=False), None
    if file.tell() < len(file.getvalue()):
        scores = np.load(file, allow_pickle=False)
    if y_pred.shape != (n_samples,) or not np.isin(y_pred, np.arange(n_classes)).all():
        raise ValueError(
            f"it has no {n_samples} decisions between {n_classes} labels, but shape "
            f"{y_pred.shape}"
        )
    if scores is not None and scores.shape != (n_samples, n_classes):
        raise ValueError(f"scores of shape {scores.shape}")
    return Outcome(
        y_pred=y_pred,
        scores=scores,
        fit_seconds=float(facts["fit_seconds"]),
        predict_seconds=float(facts["predict_seconds"]),
        tables={name: _table(each) for name, each in facts["tables"].items()},
        answers=_answers(facts.get("answers", {})),
        warnings=[(category_of(kind), text) for kind, text in facts["warnings"]],
    )


def _columns(table):
    """Columns of a table, with their types."""
    return [
        (str(name), str(column.dtype), column.tolist())
        for name, column in table.items()
    ]


def _table(columns):
    """Table out of its columns."""
    return pd.DataFrame(
        {name: pd.Series(values, dtype=dtype) for name, dtype, values in columns}
    )


def _answers(stored):
    """Numbers by metric and column."""
    return {
        name: {column: float(value) for column, value in each.items()}
        for name, each in stored.items()
    }


def _plain(value):
    """Turn what JSON does not know into numbers and lists."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)
