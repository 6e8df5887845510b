"""A user's CSV file: what is read as numbers and as missing, and what is said of it."""

import numpy as np
import pandas as pd
import pytest

from skfair_runner.cli.tables import about_columns, read_table


@pytest.fixture
def read(tmp_path):
    """Read a file of some text."""

    def read_text(text, encoding="utf-8", name="people.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return read_table(path)

    return read_text


def test_decimal_commas_are_read_between_semicolons(read):
    table, notes = read("pay;rate;age;job\n1.028,5;-,5;40;a,b\n28,5;1,5e3;50;c\n")
    assert table["pay"].tolist() == [1028.5, 28.5]
    assert table["rate"].tolist() == [-0.5, 1500]
    assert table["age"].tolist() == [40, 50]
    assert table["job"].tolist() == ["a,b", "c"]
    assert notes == ["Read as numbers with a decimal comma: pay, rate."]


@pytest.mark.parametrize(
    "text",
    [
        'pay,age\n"28,5",1\n"30,5",2\n',  # may be meant as English thousands
        "pay;age\n28,5;1\n30.5;2\n",
        "pay;age\n28,5;1\nunknown;2\n",
        "pay;age\n1,028,500;1\n2,000;2\n",
    ],
)
def test_what_may_be_something_else_stays_text(text, read):
    table, notes = read(text)
    assert table["pay"].iloc[0] in text
    assert notes == []


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_question_marks_are_missing_values(read, separator):
    rows = ["age,job,sure,none", "40,a,True,?", "?,?,?,?", "50, ?,False,?"]
    table, notes = read("\n".join(rows).replace(",", separator))
    np.testing.assert_array_equal(table["age"], [40, np.nan, 50])
    assert table["job"].isna().tolist() == [False, True, True]
    assert table["sure"].isna().tolist() == [False, True, False]
    assert table["none"].isna().all()
    assert notes == ["Read ? as a missing value: age (1), job (2), sure (1), none (3)."]


def test_among_numbers_na_is_missing_and_among_texts_a_text(read):
    table, notes = read("age,region\n1,NA\nNA,EU\nNaN,None\n4,\n")
    assert table["age"].tolist()[::3] == [1, 4] and table["age"].isna().sum() == 2
    assert table["region"].tolist()[:3] == ["NA", "EU", "None"]
    assert table["region"].isna().tolist() == [False, False, False, True]
    assert notes == [
        "Read NA as a missing value: age (1).",
        "Read NaN as a missing value: age (1).",
    ]


def test_a_column_of_nothing_but_na_stays_as_it_is(read):
    table, notes = read("age,region\n1,NA\n2,NA\n")
    assert table["region"].tolist() == ["NA", "NA"] and not notes


def test_a_header_that_names_a_column_twice_is_refused(read):
    with pytest.raises(ValueError, match=r"more than one column 'hired', 'age': give"):
        read("hired,age,sex,age,hired\n1,2,3,4,5\n")


def test_decimal_commas_beside_question_marks_are_numbers(read):
    table, notes = read("pay;job\n28,5;a\n?;?\n;b\n")
    np.testing.assert_array_equal(table["pay"], [28.5, np.nan, np.nan])
    assert len(notes) == 2


def test_a_plain_file_is_read_as_pandas_does(read, tmp_path):
    text = "age,job,pay,sure\n40, a,1.5,True\n,b?,2.5,\n"
    table, notes = read(text)
    pd.testing.assert_frame_equal(table, pd.read_csv(tmp_path / "people.csv"))
    assert notes == []


def test_many_columns_are_cut_short(read):
    header = ",".join(f"c{k}" for k in range(12))
    _, (note,) = read(f"{header}\n{','.join('?' * 12)}\n{','.join('a' * 12)}\n")
    assert note.endswith("c9 (1) and 2 more.")


@pytest.mark.parametrize("text", ["näme,age\na,1\n", "name,age\nä,1\n"])
def test_a_file_in_another_encoding_is_told_how_to_be_converted(read, text):
    with pytest.raises(ValueError, match="not encoded in UTF-8. Save it") as refused:
        read(text, "latin-1", name="my people.csv")
    command = str(refused.value).partition("Western Europe, convert it with: ")[2]
    assert command.startswith("iconv -f CP1252 -t UTF-8 '")
    assert command.endswith("my people-utf8.csv'")


def test_a_file_in_utf_16_is_recognised(read):
    with pytest.raises(ValueError, match="or convert it with: iconv -f UTF-16 -t UTF"):
        read("name\tage\na\t1\n", "utf-16")


def column_notes(**columns):
    return about_columns(pd.DataFrame(columns))


def test_numbers_read_as_text_are_said_with_what_kept_them_from_being_read():
    pay = [*(f"{k}.5" for k in range(60)), "28.5 EUR", None]
    (note,), numbers = column_notes(pay=pay, job=["a", "b"] * 31)
    assert numbers == ["pay"]
    assert note.startswith("Mostly numbers, but read as text: pay (such as '28.5 EUR')")


def test_numbers_with_decimal_commas_are_an_example_of_themselves():
    (note,), _ = column_notes(pay=[f"{k},5" for k in range(60)])
    assert "pay (such as '0,5')" in note


@pytest.mark.parametrize(
    ("n_texts", "n_rows", "is_said"),
    [(101, 1000, True), (100, 1000, False), (21, 40, True), (20, 20, False)],
)
def test_very_many_texts_are_said(n_texts, n_rows, is_said):
    name = [f"person {k % n_texts}" for k in range(n_rows)]
    notes, numbers = column_notes(name=name)
    assert numbers == []
    assert bool(notes) == is_said
    if is_said:
        assert notes[0].startswith(f"Very many different texts: name ({n_texts}).")


@pytest.mark.parametrize(
    ("column", "is_said"),
    [
        (np.arange(60) + 1000, True),
        (np.delete(np.arange(64), [3, 30, 31, 50]), True),
        (np.arange(60)[::-1], True),
        (np.arange(40), False),
        (np.arange(60) * 2, False),
        (np.arange(60) // 2, False),
        (np.arange(60) / 1.0, False),
    ],
)
def test_numbers_of_rows_are_said(column, is_said):
    notes, _ = column_notes(id=column)
    assert bool(notes) == is_said
    if is_said:
        assert notes[0].startswith("As if rows were numbered, without repetitions: id")
