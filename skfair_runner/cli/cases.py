"""What the command line compares on: a data set of the package, or a user's file."""

import shlex
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skfair_runner._inputs import favourable_code
from skfair_runner.cli.tables import count_rows, read_table
from skfair_runner.datasets import load_dataset
from skfair_runner.groups.texts import first_few

# More values than this in a column are no groups but measurements or names.
_MOST_GROUPS = 20
_MOST_NUMERIC_GROUPS = 10
_MISSING = "missing"


class CaseError(ValueError):
    """A wrong option of the command line.

    Parameters
    ----------
    option : str
        The option, such as ``"--target"``.

    message : str
        Which value is wrong, and what to do.
    """

    def __init__(self, option, message):
        super().__init__(message)
        self.option = option


@dataclass(frozen=True)
class Case:
    """A table with labels and groups, ready to be compared on.

    Attributes
    ----------
    name : str
        What it is called in the output.

    X : DataFrame of shape (n_samples, n_columns)
        Features, and the sensitive columns if they are there.

    y : ndarray of shape (n_samples,)
        Labels.

    groups : DataFrame of shape (n_samples, n_sensitive)
        Values of the sensitive features; to be crossed where there are several.

    left_out : list of str
        Columns of X that are no features.

    pos_label : label
        The favourable one.

    favourable : str
        What it means.

    notes : list of str
        What was done to the data, in sentences.
    """

    name: str
    X: pd.DataFrame
    y: np.ndarray
    groups: pd.DataFrame
    left_out: list
    pos_label: Any
    favourable: str
    notes: list

    @property
    def sensitive_features(self) -> pd.DataFrame | pd.Series:
        """The groups as measures take them: one column, or several to be crossed."""
        return self.groups if self.groups.shape[1] > 1 else self.groups.iloc[:, 0]


def case_of_dataset(name, *, data_home=None, sensitive=()):
    """Case of a data set that the package knows.

    Parameters
    ----------
    name : str
        As of :func:`skfair_runner.datasets.load_dataset`.

    data_home : path-like or None, default=None
        Folder of the data sets.

    sensitive : sequence of str, default=()
        Sensitive features; none stands for the data set's own choice.

    Returns
    -------
    case : Case
        All of its rows.

    Raises
    ------
    CaseError
        If there is no such data set or sensitive feature, or it cannot be read.
    """
    try:
        bunch = load_dataset(name, data_home=data_home)
    except (ImportError, OSError) as error:
        raise CaseError("--data-home", str(error)) from error
    except ValueError as error:
        raise CaseError("--dataset", str(error)) from error
    chosen = list(dict.fromkeys(sensitive)) or [bunch.default_sensitive]
    unknown = [each for each in chosen if each not in bunch.sensitive_names]
    if unknown:
        raise CaseError(
            "--sensitive",
            f"{unknown[0]!r} is no sensitive feature of {name!r}; pass one or more of "
            f"{', '.join(bunch.sensitive_names)}.",
        )
    return Case(
        name=f"data set {name!r}" + " (generated)" * (name == "biased"),
        X=bunch.data,
        y=bunch.target.to_numpy(),
        groups=bunch.sensitive_features[chosen],
        left_out=list(
            dict.fromkeys(sum((bunch.sensitive_columns[each] for each in chosen), []))
        ),
        pos_label=bunch.favourable_label,
        favourable=bunch.target_names[bunch.favourable_label],
        notes=[],
    )


def case_of_file(path, *, target, sensitive, positive=None):
    """Case of a CSV file.

    Rows without a label are left out; missing groups become a group of their own;
    missing features are left to the preprocessing.

    Parameters
    ----------
    path : path-like
        The file, as of :func:`~skfair_runner.cli.tables.read_table`: a header, then one
        row per person.

    target : str
        Column of the labels, of which there must be two.

    sensitive : sequence of str
        Columns of the groups; several are crossed.

    positive : str or None, default=None
        The favourable label, as it is written; None where it can be guessed.

    Returns
    -------
    case : Case
        All rows that have a label.

    Raises
    ------
    CaseError
        If the file cannot be read, a column is absent, there are not two labels, the
        favourable one is not known, a sensitive column has too many values, or no
        feature is left.
    """
    table, notes = _read(path)
    if target is None:
        raise CaseError(
            "--target", f"name the column of the labels, one of {_list(table)}."
        )
    if not sensitive:
        raise CaseError(
            "--sensitive", f"name the column of the groups, one of {_list(table)}."
        )
    sensitive = list(dict.fromkeys(sensitive))
    named = [("--target", target), *(("--sensitive", column) for column in sensitive)]
    for option, column in named:
        if column not in table.columns:
            hint = ""
            if table.shape[1] == 1:
                hint = " Columns are separated by commas, semicolons or tabs."
            raise CaseError(
                option,
                f"{path} has no column {column!r}; its columns are {_list(table)}."
                f"{hint}",
            )
    if target in sensitive:
        raise CaseError(
            "--sensitive",
            f"{target!r} is the column of the labels, so it cannot be that of the "
            "groups: pass another one.",
        )
    if table.shape[1] == 1 + len(sensitive):
        raise CaseError(
            "--data",
            f"of the columns of {path}, {_list(table)}, none is left as a feature.",
        )
    labelled = table[table[target].notna()].reset_index(drop=True)
    absent = len(table) - len(labelled)
    if absent:
        notes.append(f"Left out: {count_rows(absent)} without a value of {target!r}.")
    y, pos_label = _labels(labelled[target], positive)
    groups = {column: _groups(labelled[column], notes) for column in sensitive}
    return Case(
        name=str(path),
        X=labelled.drop(columns=target),
        y=y,
        groups=pd.DataFrame(groups),
        left_out=sensitive,
        pos_label=pos_label,
        favourable=f"{target} = {pos_label}",
        notes=notes,
    )


def _read(path):
    """Table of a CSV file, and what was read otherwise than it is written."""
    try:
        table, notes = read_table(path)
    except (OSError, ValueError) as error:  # of the parser and of the encoding, too
        raise CaseError(
            "--data", f"{path} cannot be read as a CSV file: {error}"
        ) from error
    if table.empty:
        raise CaseError("--data", f"{path} has {len(table)} rows below its header.")
    return table, notes


def _list(table):
    return first_few(table.columns, most=20)


def _labels(column, positive):
    """Labels as an array, and the favourable one."""
    column = column.infer_objects()
    if column.dtype.kind == "f" and (column % 1 == 0).all():
        column = column.astype(np.int64)  # missing values had made them floats
    y = column.to_numpy()
    classes = pd.unique(column)
    if len(classes) != 2:
        shown = ", ".join(map(str, sorted(classes.tolist(), key=str)[:8]))
        more = ", ..." if len(classes) > 8 else ""
        raise CaseError(
            "--target",
            f"{column.name!r} has {len(classes)} different values ({shown}{more}), but "
            "decisions are compared between two labels: merge or bin its values first.",
        )
    if y.dtype.kind not in "biuf":
        y = column.astype(str).to_numpy(dtype=object)
    classes = np.array(sorted(set(y.tolist())), dtype=y.dtype)
    if positive is not None:
        return y, _typed_label(positive, classes.tolist(), column.name)
    try:
        code = favourable_code(None, classes, needed_by="the comparison")
    except ValueError as error:
        raise CaseError(
            "--positive",
            f"which of the labels of {column.name!r} is the favourable one? Pass "
            f"{' or '.join(f'--positive {_quoted(label)}' for label in classes)}.",
        ) from error
    return y, classes.tolist()[code]


def _typed_label(text, labels, name):
    """The label that is meant: as it is written, in other case, or the same number."""
    for is_meant in (_is_written, _is_in_other_case, _is_number):
        found = [label for label in labels if is_meant(label, text)]
        if len(found) == 1:
            return found[0]
    raise CaseError(
        "--positive",
        f"{text!r} is not among the labels of {name!r}: pass "
        f"{' or '.join(map(_quoted, labels))}.",
    )


def _quoted(label):
    """A label as it is to be typed, so that blanks at its ends can be seen."""
    return shlex.quote(str(label))


def _is_written(label, text):
    return str(label) == text


def _is_in_other_case(label, text):
    return str(label).lower() == text.strip().lower()


def _is_number(label, text):
    try:
        return float(label) == float(text)
    except ValueError:
        return False


def _groups(column, notes):
    """Names of the groups in one column, missing ones under a name of their own."""
    values = column.dropna()
    is_number = values.dtype.kind in "iuf"
    most = _MOST_NUMERIC_GROUPS if is_number else _MOST_GROUPS
    if values.nunique() > most:
        remedy = (
            "bin it into a few bands first, such as ages below and above 40"
            if is_number
            else "merge its values into a few groups first"
        )
        raise CaseError(
            "--sensitive",
            f"{column.name!r} has {values.nunique()} different values, such as "
            f"{values.iloc[0]}: too many to be groups of people ({most} at most); "
            f"{remedy}.",
        )
    if is_number and (values % 1 == 0).all():
        values = values.astype(np.int64)
    names = values.astype(str)
    absent, name = len(column) - len(values), _MISSING
    while absent and (names == name).any():
        name = f"({name})"  # a group is called that already
    if absent:
        notes.append(
            f"In the group {name!r}: {count_rows(absent)} without a value of "
            f"{column.name!r}."
        )
    return names.reindex(column.index).fillna(name).astype(object)
