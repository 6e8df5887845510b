"""The file of a search: trials that are done, by all that they depend on."""

import json
import math
from contextlib import contextmanager

from skfair_runner._runs.store import Entries, open_store
from skfair_runner._runs.told import category_of
from skfair_runner.model_selection._trials import Trial

_KIND = "skfair-runner search 1"
_TABLES = {"trials": "CREATE TABLE trials (key TEXT PRIMARY KEY, facts TEXT NOT NULL)"}
_NUMBERS = ("utility", "difference", "fit_time", "score_time")


@contextmanager
def open_trials(path, fingerprint, caller):
    """Open the file of trials, or make it.

    Parameters
    ----------
    path : path-like
        The file; its folder must exist.

    fingerprint : dict of str to str
        Of the data, the measures and the folds.

    caller : str
        Who asks; begins the error messages.

    Yields
    ------
    trials : StoredTrials
        What the file holds.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.

    ValueError
        If the file is something else, or belongs to another search.
    """
    with open_store(
        path, fingerprint, kind=_KIND, tables=_TABLES, caller=caller
    ) as connection:
        yield StoredTrials(connection, path, caller)


class StoredTrials(Entries):
    """Trials in an open file."""

    def get(self, key):
        """Trial that was stored under a key.

        Parameters
        ----------
        key : str
            Digest of all that the trial depends on.

        Returns
        -------
        trial : Trial or None
            None where there is none.

        Raises
        ------
        ValueError
            If the entry is damaged.
        """
        query = "SELECT facts FROM trials WHERE key = ?"
        return self._find(query, key, _read)

    def put(self, key, trial):
        """Store a trial; when this returns, it is in the file.

        Parameters
        ----------
        key : str
            Digest of all that the trial depends on.

        trial : Trial
            What was done, without an error.
        """
        facts = {name: getattr(trial, name) for name in _NUMBERS}
        facts["constant"] = trial.constant
        facts["warnings"] = [(each.__name__, text) for each, text in trial.warnings]
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO trials VALUES (?, ?)", (key, json.dumps(facts))
            )


def _read(facts):
    """Trial out of text."""
    facts = json.loads(facts)
    numbers = {name: float(facts[name]) for name in _NUMBERS}
    if not all(map(math.isfinite, numbers.values())):
        raise ValueError(f"it holds {numbers}, which are not all numbers")
    return Trial(
        **numbers,
        constant=bool(facts["constant"]),
        warnings=[(category_of(kind), str(text)) for kind, text in facts["warnings"]],
    )
