"""Sensitive features turned into integer group codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skfair_runner.groups.reading import (
    MISSING,
    as_frame,
    check_missing_is_free,
    check_not_continuous,
    check_nothing_missing,
    check_rows,
)
from skfair_runner.groups.texts import first_few, label_of, plain

_MISSING_RULES = ("raise", "own group")


@dataclass(frozen=True, eq=False)
class Groups:
    """Group of every sample, as codes into a tuple of names.

    Attributes
    ----------
    codes : ndarray of shape (n_samples,), dtype int64
        Group code of each sample, in ``range(n_groups)``.

    names : tuple of length n_groups
        The value that a code stands for; with several columns, the tuple of
        their values.

    columns : tuple of str
        Names of the columns that the groups come from,
        ``("sensitive_features",)`` for one unnamed column.

    Examples
    --------
    >>> from skfair_runner.groups import encode_groups
    >>> groups = encode_groups(["Male", "Female", "Male"])
    >>> groups.codes
    array([1, 0, 1])
    >>> groups.names, groups.n_groups
    (('Female', 'Male'), 2)
    """

    codes: np.ndarray
    names: tuple
    columns: tuple[str, ...]

    @property
    def n_groups(self) -> int:
        """Number of groups, also those without a sample."""
        return len(self.names)

    @property
    def labels(self) -> list[str]:
        """Readable names: ``"Female"``, or ``"Female, Black"`` when crossed."""
        return [label_of(name) for name in self.names]


def encode_groups(
    sensitive_features: Any,
    X: Any = None,
    *,
    missing: str = "raise",
    n_samples: int | None = None,
    names: Sequence | None = None,
    of: str = "X",
    caller: str = "fit",
) -> Groups:
    """Encode sensitive features as integer group codes.

    Several columns are crossed: every combination of values that occurs is a
    group. Groups are numbered in the sorted order of their values, so the
    codes depend neither on the order of the samples nor on the container.

    Parameters
    ----------
    sensitive_features : Series, DataFrame or array-like of shape (n_samples,) or \
            (n_samples, n_columns)
        One value per sample and column: strings, numbers, booleans or
        categories. Values are compared as they are; infinite numbers are
        values like others.

    X : array-like of shape (n_samples, n_features), default=None
        The samples that the groups belong to. When both carry a pandas index,
        the indexes must be equal.

    missing : {"raise", "own group"}, default="raise"
        What to do with None, NaN, NaT and ``pandas.NA``: refuse them, or put
        them into a group named ``"missing"`` (in their column, when crossed). The
        name must be free: the value ``"missing"`` beside them is refused.

    n_samples : int, default=None
        Expected number of samples, where `X` is not at hand.

    names : sequence of length n_groups, default=None
        Names of the known groups, as in `Groups.names`: codes then point into
        this sequence, and any other group is refused.

    of : str, default="X"
        What error messages call `X`.

    caller : str, default="fit"
        Who asks; begins the error messages.

    Returns
    -------
    groups : Groups
        Codes, names and columns.

    Raises
    ------
    TypeError
        If `sensitive_features` is a dict, a single string, a sparse matrix or
        holds values that cannot be hashed.

    ValueError
        If `sensitive_features` is None, empty, neither 1-d nor 2-d, of another
        length or another index than `X`; has missing values under
        ``missing="raise"``, or beside the value ``"missing"`` under
        ``missing="own group"``; has a column of more than 50 different numbers
        that are not all whole; or a group that is not in `names`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.groups import encode_groups
    >>> people = pd.DataFrame(
    ...     {"sex": ["Female", "Male", "Male"], "race": ["Black", "White", "Black"]}
    ... )
    >>> groups = encode_groups(people)
    >>> groups.codes
    array([0, 2, 1])
    >>> groups.labels
    ['Female, Black', 'Male, Black', 'Male, White']
    >>> encode_groups(["Male", None], missing="own group").names
    ('Male', 'missing')
    """
    if missing not in _MISSING_RULES:
        raise ValueError(
            f"{caller}: `missing` must be one of {list(_MISSING_RULES)}, "
            f"got {missing!r}."
        )
    frame, columns = as_frame(sensitive_features, caller)
    check_rows(frame, sensitive_features, X, n_samples, of, caller)
    factors = [_factorize(frame[k], caller) for k in frame]
    if missing == "raise" and any((codes < 0).any() for codes, _ in factors):
        check_nothing_missing(frame, columns, sensitive_features, caller)
    for name, (codes, values) in zip(columns, factors, strict=True):
        check_not_continuous(values, name, caller)
        check_missing_is_free(codes, values, name, caller)
    codes, found = _cross([_sort_values(*factor) for factor in factors])
    if names is not None:
        codes, found = _recode(codes, found, tuple(names), columns, caller)
    return Groups(codes=codes, names=found, columns=columns)


def _factorize(column, caller):
    """Codes into the values of one column, −1 where they are missing."""
    if isinstance(column.dtype, pd.StringDtype):
        # Twice as fast as objects.
        column = column.to_numpy(dtype=object)
    try:
        codes, uniques = pd.factorize(column)
    except TypeError as error:
        raise TypeError(
            f"{caller}: the values of `sensitive_features` must be strings, numbers, "
            f"booleans or other hashable values ({error})."
        ) from error
    return codes, [plain(value) for value in pd.Series(uniques).tolist()]


def _sort_values(codes, values):
    """Codes into the sorted values; missing ones come last."""
    if (codes < 0).any():
        codes = np.where(codes < 0, len(values), codes)
        values.append(MISSING)
    order = sorted(range(len(values)), key=_sort_key(values))
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.arange(len(values))
    return rank[codes], tuple(values[k] for k in order)


def _sort_key(values):
    """Key that sorts by value or, where types do not compare, by type and text."""
    try:
        sorted(value for value in values if value != MISSING)
    except TypeError:
        return lambda k: (
            values[k] == MISSING,
            type(values[k]).__name__,
            str(values[k]),
        )
    # The missing group's name may be of another type than all values.
    return lambda k: (True,) if values[k] == MISSING else (False, values[k])


def _cross(columns):
    """Codes and names of the combinations of values that occur."""
    codes, values = columns[0]
    names = [(value,) for value in values]
    for other, values in columns[1:]:
        # Compressed after every column, so that the product cannot overflow.
        cells = codes * len(values) + other
        codes, present = pd.factorize(cells, sort=True)
        names = [
            (*names[cell // len(values)], values[cell % len(values)])
            for cell in present.tolist()
        ]
    if len(columns) == 1:
        names = [name[0] for name in names]
    return codes.astype(np.int64, copy=False), tuple(names)


def _recode(codes, found, names, columns, caller):
    """Codes into `names`; groups outside of it are refused."""
    known = {name: code for code, name in enumerate(names)}
    unseen = [label_of(name) for name in found if name not in known]
    if unseen:
        raise ValueError(
            f"{caller}: unknown group {first_few([repr(name) for name in unseen])} "
            f"(column: {', '.join(columns)}). The known groups are "
            f"{first_few([repr(label_of(name)) for name in names])}: leave the rows of "
            "other groups out, or call fit with rows of every group."
        )
    return np.array([known[name] for name in found], dtype=np.int64)[codes], names
