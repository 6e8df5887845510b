"""Sensitive features turned into integer group codes, and checks on the groups."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

_UNNAMED = "sensitive_features"
_MISSING = "missing"
_MISSING_RULES = ("raise", "own group")
_SHOWN = 5


@dataclass(frozen=True)
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
        return [_label(name) for name in self.names]


def encode_groups(
    sensitive_features: Any,
    X: Any = None,
    *,
    missing: str = "raise",
    n_samples: int | None = None,
    names: Sequence | None = None,
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
        them into a group named ``"missing"`` (in their column, when crossed),
        together with samples whose value is the string ``"missing"``.

    n_samples : int, default=None
        Expected number of samples, where `X` is not at hand.

    names : sequence of length n_groups, default=None
        Names of the known groups, as in `Groups.names`: codes then point into
        this sequence, and any other group is refused.

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
        length or another index than `X`, has missing values under
        ``missing="raise"``, or a group that is not in `names`.

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
    frame, columns = _as_frame(sensitive_features, caller)
    _check_rows(frame, sensitive_features, X, n_samples, caller)
    if missing == "raise":
        _check_nothing_missing(frame, columns, sensitive_features, caller)
    codes, found = _cross([_factorize(frame[k], caller) for k in frame])
    if names is not None:
        codes, found = _recode(codes, found, tuple(names), columns, caller)
    return Groups(codes=codes, names=found, columns=columns)


def check_at_least_two(groups: Groups, caller: str) -> None:
    """Refuse groups among which nothing can be compared.

    Parameters
    ----------
    groups : Groups
        The groups of the samples.

    caller : str
        Who asks; begins the error message.

    Raises
    ------
    ValueError
        If all samples belong to one group.

    Examples
    --------
    >>> from skfair_runner.groups import check_at_least_two, encode_groups
    >>> check_at_least_two(encode_groups(["a", "a"]), "fit")
    Traceback (most recent call last):
    ...
    ValueError: fit compares groups, but all 2 samples belong to one group, 'a' \
(column: sensitive_features). Pass data with at least two groups.
    """
    present = np.flatnonzero(np.bincount(groups.codes, minlength=groups.n_groups))
    if len(present) < 2:
        label = groups.labels[present[0]] if len(present) else "none"
        raise ValueError(
            f"{caller} compares groups, but all {len(groups.codes)} samples belong "
            f"to one group, {label!r} (column: {', '.join(groups.columns)}). "
            "Pass data with at least two groups."
        )


def cell_counts(
    label_codes: np.ndarray, group_codes: np.ndarray, n_labels: int, n_groups: int
) -> np.ndarray:
    """Count the samples in each label and group.

    Parameters
    ----------
    label_codes : ndarray of shape (n_samples,)
        Label code of each sample, in ``range(n_labels)``.

    group_codes : ndarray of shape (n_samples,)
        Group code of each sample, in ``range(n_groups)``.

    n_labels, n_groups : int
        Number of labels and of groups.

    Returns
    -------
    counts : ndarray of shape (n_labels, n_groups), dtype int64
        Number of samples in each cell.

    Examples
    --------
    >>> import numpy as np
    >>> from skfair_runner.groups import cell_counts
    >>> cell_counts(np.array([0, 1, 1]), np.array([0, 0, 1]), 2, 2)
    array([[1, 0],
           [1, 1]])
    """
    cells = np.asarray(label_codes, dtype=np.int64) * n_groups + group_codes
    counts = np.bincount(cells, minlength=n_labels * n_groups)
    return counts.reshape(n_labels, n_groups)


def check_no_empty_cell(
    counts: np.ndarray,
    label_names: Iterable,
    group_names: Iterable,
    caller: str,
    rule: str,
) -> None:
    """Refuse data in which a group has no sample with some label.

    Parameters
    ----------
    counts : ndarray of shape (n_labels, n_groups)
        Number of samples per label and group, from `cell_counts`.

    label_names : iterable of length n_labels
        Names of the labels.

    group_names : iterable of length n_groups
        Names of the groups: `Groups.names` or `Groups.labels`.

    caller : str
        Who asks; begins the error message.

    rule : str
        What needs the cells, such as ``"constraint='equalized_odds'"``.

    Raises
    ------
    ValueError
        If a cell is empty. Names up to five empty cells.

    Examples
    --------
    >>> import numpy as np
    >>> from skfair_runner.groups import check_no_empty_cell
    >>> counts = np.array([[5, 3], [2, 1]])
    >>> check_no_empty_cell(counts, [0, 1], ["a", "b"], "fit", "equalized odds")
    """
    empty = np.argwhere(np.asarray(counts) == 0)
    if len(empty) == 0:
        return
    labels, groups = list(label_names), [_label(name) for name in group_names]
    cells = [
        f"group {groups[column]!r} has no sample with label {_plain(labels[row])!r}"
        for row, column in empty
    ]
    raise ValueError(
        f"{caller}: {rule} compares groups within each label, but "
        f"{_some(cells, '; ')}. Merge this group with another, leave its samples out, or use "
        "constraint='demographic_parity', which does not look at labels."
    )


def _as_frame(sensitive_features, caller):
    """Table of the sensitive features with columns 0, 1, …, and the columns' names."""
    values = sensitive_features
    if values is None:
        raise ValueError(
            f"{caller} compares groups, so `sensitive_features` is required: pass one "
            "value per row of X, as in fit(X, y, sensitive_features=X['sex'])."
        )
    if isinstance(values, (dict, str, bytes, set, frozenset)) or sparse.issparse(
        values
    ):
        shown = f" {values!r}" if isinstance(values, (str, bytes)) else ""
        raise TypeError(
            f"{caller}: `sensitive_features` must be a Series, DataFrame, list or "
            f"array with one value per row of X, got the {type(values).__name__}"
            f"{shown}. Several columns go into a DataFrame; a column is passed by "
            "its values, as in X['sex']."
        )
    if isinstance(values, (list, tuple)):
        values = _from_list(values, caller)
    elif isinstance(values, pd.Index):
        values = values.to_frame(index=False)
    elif isinstance(values, pd.api.extensions.ExtensionArray):
        values = pd.Series(values)
    elif not isinstance(values, (pd.Series, pd.DataFrame)):
        values = _from_array(values, caller)

    if isinstance(values, pd.Series):
        frame, named = values.to_frame(), values.name is not None
    else:
        frame, named = values, not isinstance(values.columns, pd.RangeIndex)
    n_columns = frame.shape[1]
    if n_columns == 0:
        raise ValueError(
            f"{caller}: `sensitive_features` has no columns (shape {frame.shape}); "
            "pass at least one."
        )
    if named:
        columns = tuple(map(str, frame.columns))
    elif n_columns == 1:
        columns = (_UNNAMED,)
    else:
        columns = tuple(f"{_UNNAMED}_{k}" for k in range(n_columns))
    return frame.set_axis(range(frame.shape[1]), axis=1), columns


def _from_list(values, caller):
    """Series or DataFrame of a list of values or of equally long rows."""
    rows = (list, tuple, np.ndarray)
    if not any(isinstance(row, rows) for row in values):
        return pd.Series(values)
    lengths = {len(row) if isinstance(row, rows) else 1 for row in values}
    if len(lengths) > 1 or not all(isinstance(row, rows) for row in values):
        raise ValueError(
            f"{caller}: the rows of `sensitive_features` must have the same number "
            f"of values, got rows of {sorted(lengths)} values."
        )
    return pd.DataFrame(list(map(tuple, values)))


def _from_array(values, caller):
    """Series or DataFrame of anything that numpy can read; 1-d or 2-d only."""
    names = getattr(values, "columns", getattr(values, "name", None))
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{caller}: `sensitive_features` must have one dimension (one value per "
            "row of X) or two (one column per sensitive feature), got "
            f"{array.ndim} dimensions (shape {array.shape})."
        )
    if array.ndim == 1 and array.dtype.names is None:
        return pd.Series(array, name=names)
    return pd.DataFrame(array, columns=names)


def _check_rows(frame, sensitive_features, X, n_samples, caller):
    """Refuse groups that are not those of X, row by row."""
    if X is not None:
        n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_samples is not None and len(frame) != n_samples:
        raise ValueError(
            f"{caller}: `sensitive_features` has {len(frame)} rows, X has {n_samples}. "
            "Each row of X needs its group. A step that adds or drops rows, such as "
            "SMOTE in an imbalanced-learn Pipeline, changes X but not "
            "`sensitive_features`: resample before the pipeline, groups included."
        )
    if len(frame) == 0:
        raise ValueError(
            f"{caller}: `sensitive_features` has no rows; pass at least one."
        )
    index = getattr(X, "index", None)
    own = getattr(sensitive_features, "index", None)
    if not isinstance(index, pd.Index) or not isinstance(own, pd.Index):
        return
    if not index.equals(own):
        first = int(np.argmax(np.asarray(index != own)))
        raise ValueError(
            f"{caller}: the indexes of X and `sensitive_features` differ, first in row "
            f"{first}: {_plain(index[first])!r} in X, {_plain(own[first])!r} in "
            "`sensitive_features`. Rows are matched by position: align them with "
            "sensitive_features.loc[X.index], or pass sensitive_features.to_numpy() "
            "if their order is right."
        )


def _check_nothing_missing(frame, columns, sensitive_features, caller):
    """Refuse missing values, naming rows and columns."""
    absent = frame.isna().to_numpy()
    rows = np.flatnonzero(absent.any(axis=1))
    if len(rows) == 0:
        return
    index = getattr(sensitive_features, "index", None)
    labelled = isinstance(index, pd.Index)
    where = [repr(_plain(label)) for label in (index[rows] if labelled else rows)]
    which = [name for name, bad in zip(columns, absent.any(axis=0), strict=True) if bad]
    raise ValueError(
        f"{caller}: the group is missing in {len(rows)} of {len(frame)} rows "
        f"(column: {', '.join(which)}; {'index labels' if labelled else 'rows'} "
        f"{_some(where, ', ')}). Fill the values in, leave these rows out, or use "
        "missing='own group' to treat them as a group."
    )


def _factorize(column, caller):
    """Codes into the sorted values of one column; missing ones come last."""
    try:
        codes, uniques = pd.factorize(column)
    except TypeError as error:
        raise TypeError(
            f"{caller}: the values of `sensitive_features` must be strings, numbers, "
            f"booleans or other hashable values ({error})."
        ) from error
    values = pd.Series(uniques).tolist()
    if (codes < 0).any():
        if _MISSING not in values:
            values.append(_MISSING)
        codes = np.where(codes < 0, values.index(_MISSING), codes)
    order = sorted(range(len(values)), key=_sort_key(values))
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.arange(len(values))
    return rank[codes], tuple(values[k] for k in order)


def _sort_key(values):
    """Key that sorts by value or, where types do not compare, by type and text."""
    try:
        sorted(value for value in values if value != _MISSING)
    except TypeError:
        return lambda k: (
            values[k] == _MISSING,
            type(values[k]).__name__,
            str(values[k]),
        )
    # With one value left the missing group's name is still of another type.
    return lambda k: (True,) if values[k] == _MISSING else (False, values[k])


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
    unseen = [_label(name) for name in found if name not in known]
    if unseen:
        raise ValueError(
            f"{caller}: unknown group {_some([repr(name) for name in unseen], ', ')} "
            f"(column: {', '.join(columns)}). The known groups are "
            f"{_some([repr(_label(name)) for name in names], ', ')}."
        )
    return np.array([known[name] for name in found], dtype=np.int64)[codes], names


def _label(name):
    """Readable name of a group."""
    return ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _plain(value):
    """Python value of a numpy scalar, whose repr would show its type."""
    return value.item() if isinstance(value, np.generic) else value


def _some(items, separator):
    """First few items joined, and how many more there are."""
    more = len(items) - _SHOWN
    text = separator.join(items[:_SHOWN])
    return f"{text} and {more} more" if more > 0 else text
