"""The file of results: made, found again, refused."""

import sqlite3

import pytest

from skfair_runner._runs.store import damaged, open_store

TABLES = {"results": "CREATE TABLE results (key TEXT PRIMARY KEY)"}
DATA = {"shape": "3 × 2", "y": "a"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def opened(path, fingerprint=DATA, kind="kind 1", tables=TABLES):
    return open_store(path, fingerprint, kind=kind, tables=tables, caller="here")


def refused(path, match, **changed):
    with pytest.raises(ValueError, match=match), opened(path, **changed):
        pass


def test_what_was_put_in_is_there_the_next_time(path):
    with opened(path) as connection, connection:
        connection.execute("INSERT INTO results VALUES ('one')")
    with opened(path) as connection:
        assert connection.execute("SELECT * FROM results").fetchall() == [("one",)]


def test_what_was_not_finished_is_not_there(path):
    with pytest.raises(KeyboardInterrupt), opened(path) as connection, connection:
        connection.execute("INSERT INTO results VALUES ('one')")
        raise KeyboardInterrupt
    with opened(path) as connection:
        assert connection.execute("SELECT * FROM results").fetchall() == []


def test_the_folder_must_exist(tmp_path):
    path = tmp_path / "none" / "file"
    with (
        pytest.raises(FileNotFoundError, match=f"here: .*{path.parent}.* make it"),
        opened(path),
    ):
        pass


def test_a_file_of_another_kind_is_refused(path):
    with opened(path):
        pass
    refused(path, "its format is 'kind 1', not 'kind 2'", kind="kind 2")


def test_a_file_with_other_tables_is_refused(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (number INTEGER)")
    connection.close()
    refused(path, r"its tables are \['mine'\], not \['about', 'results'\]")


def test_what_is_no_database_is_refused(path):
    path.write_text("a diary, and a long one at that: " * 40, encoding="utf-8")
    refused(path, "is no file of results .*not a database")


def test_a_file_of_other_data_is_refused(path):
    with opened(path):
        pass
    other = {"shape": "4 × 2", "y": "b"}
    refused(path, r"3 × 2 there, 4 × 2 here; different: y\)", fingerprint=other)


def test_words_for_a_damaged_entry_name_the_file(path):
    error = ValueError("no numbers")
    assert damaged(path, "here", error).startswith("here: an entry of results=")
    assert "damaged (no numbers)" in damaged(path, "here", error)
