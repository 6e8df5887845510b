"""A CSV file as a table, and columns of it that are hardly what they look like."""

import codecs
import shlex
from pathlib import Path

import numpy as np
import pandas as pd

from skfair_runner.groups.texts import first_few
from skfair_runner.utils._texts import is_mostly_numbers

_MISSING = "?"
# What stands for a missing number; among texts it may be a text as any other.
_NO_NUMBER = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "#N/A", "-")
# Points between thousands are read as such, since a comma is the decimal sign.
_DECIMAL_COMMA = r"[+-]?(?=,?\d)(\d{1,3}(\.\d{3})+|\d*)(,\d*)?([eE][+-]?\d+)?"
# More different texts than this are hardly categories; of fewer rows, more than half.
_MANY_TEXTS, _FEW_TEXTS = 100, 20
# Fewer rows may be numbered by chance. Rows without a label leave gaps behind.
_NUMBERED_ROWS = 50
_GAPS = 1.2
# As many columns are named in one sentence.
_SHOWN = 10


def read_table(path):
    """Table of a CSV file, its numbers as numbers.

    An empty field and a question mark stand for a missing value, and among numbers what
    is often written instead, such as NA. Where semicolons separate, numbers may have a
    decimal comma.

    Parameters
    ----------
    path : path-like
        The file: a header, then rows, separated by commas, semicolons or tabs.

    Returns
    -------
    table : DataFrame
        As many rows as there are below the header.

    notes : list of str
        What was read otherwise than it is written, in sentences.

    Raises
    ------
    OSError
        If there is no file.

    ValueError
        If it is not text in UTF-8, not a table, or names a column twice.
    """
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            header = file.readline()
        separator = max(",;\t", key=header.count)
        names = pd.read_csv(
            path, sep=separator, encoding="utf-8-sig", header=None, nrows=1, dtype=str
        )
        _check_header(names.iloc[0].dropna().tolist())
        # At one go, so that a column has one type.
        table = pd.read_csv(
            path,
            sep=separator,
            encoding="utf-8-sig",
            low_memory=False,
            keep_default_na=False,
            na_values=[""],
        )
    except UnicodeDecodeError as error:
        raise ValueError(_about_encoding(Path(path), error.object)) from error
    marked, converted = {}, []
    for name in table.select_dtypes(["object", "string"]):
        column = table[name]
        texts = column.astype("string").str.strip()
        is_marked = (texts == _MISSING).fillna(False).to_numpy(dtype=bool)
        written_out = texts.isin(_NO_NUMBER).to_numpy(dtype=bool)
        if written_out.any() and _are_numbers(texts[~is_marked & ~written_out]):
            is_marked |= written_out
        if is_marked.any():
            for text, count in texts[is_marked].value_counts().items():
                marked.setdefault(text, {})[name] = count
            column, texts = column.mask(is_marked), texts.mask(is_marked)
        has_comma = separator == ";" and texts.str.contains(",", regex=False).any()
        if has_comma and texts.dropna().str.fullmatch(_DECIMAL_COMMA).all():
            converted.append(name)
            texts = texts.str.replace(".", "").str.replace(",", ".")
        elif not is_marked.any():
            continue  # as pandas has read it
        table[name] = _numbers(texts, column)
    return table, _about_reading(marked, converted)


def _numbers(texts, otherwise):
    """The numbers that texts are, or something else where they are not."""
    try:
        return pd.to_numeric(texts.to_numpy(dtype=object, na_value=np.nan))
    except ValueError:
        return otherwise


def _about_reading(marked, converted):
    """What was read otherwise than it is written, in sentences."""
    notes = []
    if converted:
        notes.append(f"Read as numbers with a decimal comma: {_listed(converted)}.")
    for text, columns in marked.items():
        counted = [f"{name} ({count:,})" for name, count in columns.items()]
        notes.append(f"Read {text} as a missing value: {_listed(counted)}.")
    return notes


def _check_header(names):
    """Refuse a header of which one column would be read under another name."""
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        named = _listed([repr(name) for name in twice])
        raise ValueError(
            f"its header names more than one column {named}: give each a name of its "
            "own, or leave one out."
        )


def _are_numbers(texts):
    """Whether there are texts, and all of them are numbers."""
    present = texts.dropna()
    numbers = pd.to_numeric(present, errors="coerce")
    return len(present) > 0 and bool(numbers.notna().all())


def _about_encoding(path, start):
    """That a file is not in UTF-8, and how to make it so."""
    is_utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "UTF-16" if is_utf16 else "CP1252"
    where = "" if is_utf16 else ", for text from Western Europe,"
    source, target = (
        shlex.quote(str(each))
        for each in (path, path.with_name(f"{path.stem}-utf8{path.suffix}"))
    )
    return (
        "its text is not encoded in UTF-8. Save it as 'CSV UTF-8' in the program that "
        f"it comes from, or{where} convert it with: iconv -f {encoding} -t UTF-8 "
        f"{source} > {target}"
    )


def count_rows(number):
    """Rows as words.

    Parameters
    ----------
    number : int
        How many there are.

    Returns
    -------
    text : str
        With a singular for one.

    Examples
    --------
    >>> count_rows(1), count_rows(2000)
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {'row' if number == 1 else 'rows'}"


def about_columns(table):
    """Which columns are hardly features as they are.

    Parameters
    ----------
    table : DataFrame
        Features.

    Returns
    -------
    notes : list of str
        What to do about columns of numbers that were read as text, of names, ids or
        free text, and of the numbers of the rows; in sentences.

    numbers : list of str
        Columns of numbers that were read as text.
    """
    texts = table.select_dtypes(["object", "string"])
    numbers = [name for name in texts if is_mostly_numbers(texts[name])]
    many = [name for name in texts.drop(columns=numbers) if _has_many(texts[name])]
    whole = table.select_dtypes("integer")
    numbered = [name for name in whole if _counts_rows(whole[name])]
    notes = []
    if numbers:
        found = [f"{name} (such as {_no_number(texts[name])!r})" for name in numbers]
        notes.append(
            f"Mostly numbers, but read as text: {_listed(found)}. Each different text "
            "becomes a category: write plain numbers, and leave missing ones empty."
        )
    if many:
        found = [f"{name} ({texts[name].nunique():,})" for name in many]
        notes.append(
            f"Very many different texts: {_listed(found)}. Leave ids, names and free "
            "text out of the file."
        )
    if numbered:
        notes.append(
            f"As if rows were numbered, without repetitions: "
            f"{_listed(numbered)}. Leave such numbers out of the file."
        )
    return notes, numbers


def _has_many(texts):
    """Whether a column is rather a name, an id or free text than a category."""
    return texts.nunique() > max(_FEW_TEXTS, min(_MANY_TEXTS, len(texts) / 2))


def _counts_rows(column):
    """Whether whole numbers are hardly more than those from the first to the last."""
    return (
        len(column) >= _NUMBERED_ROWS
        and column.is_unique
        and column.max() - column.min() < _GAPS * len(column)
    )


def _no_number(texts):
    """The first text that kept a column from being read as numbers."""
    present = texts.dropna()
    refused = present[pd.to_numeric(present, errors="coerce").isna()]
    return next(iter(refused), present.iloc[0])


def _listed(names):
    """Names as a sentence has room for them."""
    return first_few(names, most=_SHOWN)
