"""The file of outcomes: what comes back, and what is refused."""

import io
import pickle
import sqlite3
import zlib

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from skfair_runner.compare._evaluation import Outcome
from skfair_runner.compare._store import open_results

DATA = {"shape": "3 × 2", "X": "a", "y": "b"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


@pytest.fixture
def outcome():
    table = pd.DataFrame(
        {
            "layer": ["relu1", "relu2"],
            "importance": [0.1, np.nan],
            "selected": [True, False],
            "multipliers": [None, np.array([0.5])],
        }
    )
    return Outcome(
        y_pred=np.array([0, 1, 1]),
        scores=np.array([[0.9, 0.1], [1 / 3, 2 / 3], [0.0, 1.0]]),
        fit_seconds=1 / 3,
        predict_seconds=0.25,
        tables={"neurons": table},
        warnings=[(ConvergenceWarning, "no"), (ResourceWarning, "open")],
    )


def stored(path, outcome):
    with open_results(path, DATA, "here") as results:
        results.put("key", "a", 0, 0, outcome)


def read(path):
    with open_results(path, DATA, "here") as results:
        return results.get("key", 3, 2)


def test_an_outcome_comes_back_as_it_was(path, outcome):
    stored(path, outcome)
    found = read(path)
    assert_array_equal(found.y_pred, outcome.y_pred)
    assert_array_equal(found.scores, outcome.scores)
    assert (found.fit_seconds, found.predict_seconds) == (1 / 3, 0.25)
    # A class that is not known is told as the plainest warning.
    assert found.warnings == [(ConvergenceWarning, "no"), (UserWarning, "open")]
    table = found.tables["neurons"]
    kept = ["layer", "importance", "selected"]
    pd.testing.assert_frame_equal(table[kept], outcome.tables["neurons"][kept])
    assert table["multipliers"].tolist() == [None, [0.5]]
    assert found.error == ""


def test_without_scores_there_are_none(path, outcome):
    outcome.scores = None
    stored(path, outcome)
    assert read(path).scores is None


def test_an_unknown_key_is_not_there(path):
    with open_results(path, DATA, "here") as results:
        assert results.get("other", 3, 2) is None


def test_the_last_one_stays(path, outcome):
    stored(path, outcome)
    outcome.y_pred = np.array([1, 1, 1])
    stored(path, outcome)
    assert read(path).y_pred.tolist() == [1, 1, 1]


class Harmful:
    """Would write a file if it were unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def altered(path, column, value):
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE outcomes SET {column} = ?", (value,))
    connection.close()


def array_bytes(*arrays):
    file = io.BytesIO()
    for array in arrays:
        np.save(file, array)
    return zlib.compress(file.getvalue())


def test_nothing_in_the_file_executes(path, outcome, tmp_path):
    stored(path, outcome)
    harmful = np.array([Harmful(tmp_path / "harm")] * 3, dtype=object)
    for value in (array_bytes(harmful), zlib.compress(pickle.dumps(harmful))):
        altered(path, "arrays", value)
        with pytest.raises(ValueError, match=r"here: an entry of .*damaged \(.*pickle"):
            read(path)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("column", "value", "match"),
    [
        ("facts", "{", "damaged"),
        ("facts", "{}", "damaged .*seconds"),
        ("arrays", b"nothing", "damaged .*decompress"),
        ("arrays", array_bytes(np.zeros(2, int)), r"no 3 decisions .* shape \(2,\)"),
        ("arrays", array_bytes(np.full(3, 7)), "no 3 decisions between 2 labels"),
        (
            "arrays",
            array_bytes(np.zeros(3, int), np.zeros((3, 1))),
            r"scores of shape \(3, 1\)",
        ),
    ],
)
def test_a_damaged_entry_is_refused(path, outcome, column, value, match):
    stored(path, outcome)
    altered(path, column, value)
    with pytest.raises(ValueError, match=match):
        read(path)


def test_a_database_of_somebody_else_is_refused(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (number INTEGER)")
    connection.close()
    with pytest.raises(ValueError, match=r"its tables are \['mine'\], not \['about'"):
        read(path)


def test_a_file_that_does_more_than_hold_outcomes_is_refused(path, outcome):
    stored(path, outcome)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TRIGGER more AFTER INSERT ON outcomes BEGIN DELETE FROM about; END"
        )
    connection.close()
    with pytest.raises(ValueError, match=r"its tables are \['about', 'more', 'outc"):
        read(path)


def test_a_later_format_is_refused(path, outcome):
    stored(path, outcome)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE about SET value = 'new' WHERE name = 'format'")
    connection.close()
    with pytest.raises(ValueError, match="its format is 'new', not 'skfair-runner res"):
        read(path)


def test_the_data_must_be_the_same(path, outcome):
    stored(path, outcome)
    other = {**DATA, "y": "c", "shape": "4 × 2"}
    with (
        pytest.raises(ValueError, match=r"3 × 2 there, 4 × 2 here; different: y\)"),
        open_results(path, other, "here"),
    ):
        pass
