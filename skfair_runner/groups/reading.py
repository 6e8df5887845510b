"""Reading of sensitive features from any container, and checks of their rows."""

import numpy as np
import pandas as pd
from scipy import sparse

from skfair_runner.groups.texts import first_few, plain

# Name of the group of missing values.
MISSING = "missing"
_UNNAMED = "sensitive_features"
# A column with more different numbers than this, not all whole, is continuous.
_MOST_FRACTIONS = 50


def as_frame(sensitive_features, caller):
    """Table of the sensitive features with columns 0, 1, …, and the columns' names."""
    values = sensitive_features
    if values is None:
        raise ValueError(
            f"{caller} compares groups, so `sensitive_features` is required: pass one "
            "value per row of X, as in fit(X, y, sensitive_features=X['sex'])."
        )
    refused = (dict, str, bytes, set, frozenset)
    if isinstance(values, refused) or sparse.issparse(values):
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
    return frame.set_axis(range(n_columns), axis=1), columns


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
    # `asanyarray` keeps the mask of a masked array.
    array = np.asanyarray(values)
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{caller}: `sensitive_features` must have one dimension (one value per "
            "row of X) or two (one column per sensitive feature), got the "
            f"{type(values).__name__} with {array.ndim} dimensions "
            f"(shape {array.shape})."
        )
    if array.ndim == 1 and array.dtype.names is None:
        return pd.Series(array, name=names)
    return pd.DataFrame(array, columns=names)


def check_rows(frame, sensitive_features, X, n_samples, of, caller):
    """Refuse groups that are not those of X, row by row."""
    if X is not None:
        n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_samples is not None and len(frame) != n_samples:
        raise ValueError(
            f"{caller}: `sensitive_features` has {len(frame)} rows, {of} has "
            f"{n_samples}. Each row of {of} needs its group. A step that adds or drops "
            "rows, such as SMOTE in an imbalanced-learn Pipeline, does not change "
            "`sensitive_features`: resample before the pipeline, groups included."
        )
    if len(frame) == 0:
        raise ValueError(
            f"{caller}: `sensitive_features` has no rows; pass at least one."
        )
    check_same_index(X, sensitive_features, "sensitive_features", caller, of=of)


def check_same_index(X, values, name, caller, *, of="X"):
    """Refuse values whose pandas index is not that of X.

    Parameters
    ----------
    X : object
        The samples. Without a pandas index, everything is accepted.

    values : object
        What belongs to them row by row; without a pandas index, or of another length,
        which others look at, it is accepted.

    name : str
        What messages call `values`.

    caller : str
        Who asks; begins the error message.

    of : str, default="X"
        What messages call `X`.

    Raises
    ------
    ValueError
        If the labels of the two indexes differ in a row.

    Examples
    --------
    >>> X, y = pd.DataFrame({"age": [40, 50]}), pd.Series([0, 1], index=[1, 0])
    >>> check_same_index(X, y, "y", "fit")
    Traceback (most recent call last):
    ...
    ValueError: fit: the indexes of X and `y` differ, first in row 0: 0 in X, 1 in \
`y`. Rows are matched by position: align them with y.loc[X.index], or pass \
y.to_numpy() if their order is right.
    """
    index, own = getattr(X, "index", None), getattr(values, "index", None)
    if not isinstance(index, pd.Index) or not isinstance(own, pd.Index):
        return
    if len(index) != len(own) or index.equals(own):
        return
    # As objects, so that indexes of different dtypes compare label by label.
    differs = index.to_numpy(dtype=object) != own.to_numpy(dtype=object)
    if differs.any():
        first = int(np.argmax(differs))
        raise ValueError(
            f"{caller}: the indexes of {of} and `{name}` differ, first in row {first}: "
            f"{plain(index[first])!r} in {of}, {plain(own[first])!r} in `{name}`. Rows "
            f"are matched by position: align them with {name}.loc[{of}.index], or pass "
            f"{name}.to_numpy() if their order is right."
        )


def check_same_indexes(X, caller, **values):
    """Refuse values whose pandas indexes differ from that of X, or from one another.

    Parameters
    ----------
    X : object
        The samples. A pipeline's steps may have left them without an index; the first
        of `values` that has one then takes its place.

    caller : str
        Who asks; begins the error message.

    **values : object
        What belongs to the samples row by row, by name; as of :func:`check_same_index`.

    Raises
    ------
    ValueError
        As :func:`check_same_index`.

    Examples
    --------
    >>> y = pd.Series([0, 1], index=[1, 0])
    >>> check_same_indexes(np.zeros((2, 3)), "fit", y=y, sample_weight=y.sort_index())
    Traceback (most recent call last):
    ...
    ValueError: fit: the indexes of y and `sample_weight` differ, first in row 0: 1 in \
y, 0 in `sample_weight`. Rows are matched by position: align them with \
sample_weight.loc[y.index], or pass sample_weight.to_numpy() if their order is right.
    """
    reference, of = X, "X"
    for name, own in values.items():
        if isinstance(getattr(reference, "index", None), pd.Index):
            check_same_index(reference, own, name, caller, of=of)
        else:
            reference, of = own, name


def check_nothing_missing(frame, columns, sensitive_features, caller):
    """Refuse missing values, naming rows and columns."""
    absent = frame.isna().to_numpy()
    rows = np.flatnonzero(absent.any(axis=1))
    if len(rows) == 0:
        return
    index = getattr(sensitive_features, "index", None)
    labelled = isinstance(index, pd.Index)
    where = [repr(plain(label)) for label in (index[rows] if labelled else rows)]
    which = [name for name, bad in zip(columns, absent.any(axis=0), strict=True) if bad]
    raise ValueError(
        f"{caller}: the group is missing in {len(rows)} of {len(frame)} rows "
        f"(column: {', '.join(which)}; {'index labels' if labelled else 'rows'} "
        f"{first_few(where)}). Fill the values in, leave these rows out, or treat "
        "them as a group: missing_groups='own group' of an estimator that has it, or "
        "missing='own group' of encode_groups."
    )


def check_not_continuous(values, column, caller):
    """Refuse a column of measurements, every value of which would be a group."""
    if len(values) <= _MOST_FRACTIONS:
        return
    if not all(isinstance(value, float) for value in values):
        return
    broken = next((value for value in values if not value.is_integer()), None)
    if broken is None:
        return
    raise ValueError(
        f"{caller}: every value of a sensitive feature is a group, but the column "
        f"{column!r} holds {len(values)} different numbers, such as {broken!r}: bin "
        "it, as in pandas.qcut(values, 4) or pandas.cut(values, [0, 25, 45, 65, 120])."
    )


def check_missing_is_free(codes, values, column, caller):
    """Refuse a group that is called as the group of missing values is."""
    if not (codes < 0).any() or MISSING not in values:
        return
    raise ValueError(
        f"{caller}: the column {column!r} has both missing values (in "
        f"{(codes < 0).sum()} of {len(codes)} rows), whose group is named "
        f"{MISSING!r}, and the value {MISSING!r} itself: give the value another name, "
        f"or make both one group by fillna({MISSING!r})."
    )
