"""Rows of a search: read, set aside for the report, and parted into folds."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from sklearn.base import is_classifier

from skfair_runner._runs.data import Data, read_data
from skfair_runner._runs.folds import check_sizes, make_folds, read_splitter, split_off
from skfair_runner.groups import check_at_least_two
from skfair_runner.model_selection._halving import order_folds
from skfair_runner.model_selection._routing import needs_groups_at_predict
from skfair_runner.model_selection._sensitive_columns import SensitiveColumns
from skfair_runner.utils._columns import (
    as_table,
    column_positions,
    column_table,
    take_rows,
)

_NAME = "sensitive_features"


class Parts(NamedTuple):
    """Both parts of the rows.

    Attributes
    ----------
    data : Data
        Rows that are searched with.

    rows : ndarray of int
        Their numbers among all rows.

    untouched : Data or None
        Rows for the report.

    untouched_rows : ndarray of int
        Their numbers among all rows.
    """

    data: Data
    rows: np.ndarray
    untouched: Data | None
    untouched_rows: np.ndarray


def check_estimator_and_groups(estimator, X, sensitive_features, fit_params, caller):
    """Refuse what cannot be searched, and find the groups.

    Parameters
    ----------
    estimator : estimator
        What is searched.

    X : array-like
        Features.

    sensitive_features : array-like or None
        Groups, as they were passed.

    fit_params : dict
        What was passed besides.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    sensitive_features : array-like
        Groups; out of X, where the estimator says in which columns they are.

    Raises
    ------
    TypeError
        If the estimator is no classifier, or the groups are passed in another way.

    ValueError
        If there are no groups, or two sources of them, or the estimator needs them to
        predict.
    """
    if not is_classifier(estimator):
        raise TypeError(
            f"{caller} compares decisions between groups, so that `estimator` must be "
            f"a classifier, got {estimator!r}."
        )
    if needs_groups_at_predict(estimator):
        raise ValueError(
            f"{caller}: {estimator!r} needs groups to predict, which no scorer hands "
            "on: wrap it in SensitiveColumns, which takes them out of X."
        )
    for key in fit_params:
        if key.endswith(f"__{_NAME}"):
            raise TypeError(
                f"{caller}.fit measures differences itself: pass the groups as "
                f"`{_NAME}`, not {key!r}. It hands them to every step that takes them."
            )
    columns = _columns_of(estimator)
    if columns is None and sensitive_features is None:
        raise ValueError(
            f"{caller} compares groups, so `{_NAME}` is required: pass one value per "
            f"row of X, as in fit(X, y, {_NAME}=X['sex'])."
        )
    if columns is None:
        return sensitive_features
    if sensitive_features is not None:
        raise ValueError(
            f"{caller}: {type(estimator).__name__} reads the sensitive features from "
            f"the columns {columns!r} of X, so `{_NAME}` must not be passed, too."
        )
    X = as_table(X, caller)
    return column_table(X, column_positions(X, columns, caller))


def _columns_of(estimator):
    """Columns of X from which an estimator takes its groups; None where it does not."""
    if isinstance(estimator, SensitiveColumns):
        return estimator.columns
    return getattr(estimator, "sensitive_columns", None)


def part_rows(X, y, sensitive_features, pos_label, test_size, seed, caller):
    """Check the data, and set rows aside.

    Parameters
    ----------
    X, y, sensitive_features : array-like
        As they were passed.

    pos_label : label or None
        The favourable label.

    test_size : float or None
        Share of the rows that is set aside.

    seed : int
        Of the choice.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    parts : Parts
        Both hold every label and group in its share.

    Raises
    ------
    ValueError
        If a part has fewer than two groups, and as of `read_data`.
    """
    everybody = read_data(X, y, sensitive_features, pos_label, caller)
    rows = np.arange(len(everybody.codes))
    if test_size is None:
        return Parts(everybody, rows, None, rows[:0])
    rows, untouched = split_off(everybody, rows, test_size, seed)
    rows, untouched = np.sort(rows), np.sort(untouched)
    parts = Parts(_part(everybody, rows), rows, _part(everybody, untouched), untouched)
    check_at_least_two(parts.data.groups, f"{caller} (rows to search with)")
    check_at_least_two(parts.untouched.groups, f"{caller} (rows for the report)")
    return parts


def _part(data, rows):
    """Some rows as data of their own."""
    return replace(
        data,
        X=take_rows(data.X, rows),
        codes=data.codes[rows],
        sensitive_features=take_rows(data.sensitive_features, rows),
        groups=data.groups_of(rows),
    )


def part_folds(data, cv, test_size, seeds, caller):
    """Folds of the rows that are searched with.

    Parameters
    ----------
    data : Data
        These rows.

    cv : int, splitter or iterable of (train, test)
        As the user passed it.

    test_size : float or None
        Whether rows were set aside.

    seeds : tuple of (int, int)
        Of the folds, and of the order of their rows.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    folds : list of (train, test)
        Row numbers; training rows in an order of which every beginning is like the
        whole.

    Raises
    ------
    ValueError
        If splits are passed as row numbers, and rows were set aside.
    """
    if test_size is not None and not hasattr(cv, "split") and np.iterable(cv):
        raise ValueError(
            f"{caller}: `cv` holds row numbers of X, but test_size={test_size:g} sets "
            "some of the rows aside first: pass test_size=None, or a splitter."
        )
    splitter = read_splitter(cv)
    check_sizes(data, splitter, caller)
    return order_folds(make_folds(data, splitter, seeds[0]), data, seeds[1])
