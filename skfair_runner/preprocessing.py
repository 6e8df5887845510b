"""Preprocessing of mixed tables, put together from scikit-learn's own parts."""

import warnings

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_hashable
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from skfair_runner.groups.texts import first_few
from skfair_runner.utils import SkfairRunnerWarning
from skfair_runner.utils._columns import column_positions
from skfair_runner.utils._texts import is_mostly_numbers

# What pandas.api.types.infer_dtype says of a column.
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
_CATEGORIES = (
    "boolean",
    "bytes",
    "categorical",
    "empty",
    "mixed",
    "mixed-integer",
    "string",
)
_DATES = ("date", "datetime", "datetime64")
# As many columns are named in one warning.
_SHOWN = 10


def make_table_preprocessor(
    *,
    sensitive_columns=None,
    max_categories=32,
    min_frequency=0.001,
    sparse_output=True,
):
    """Build a preprocessor for tables of numbers, categories and missing values.

    Numbers are kept at their scale, with the median in place of missing values
    and an indicator column for each number that was missing in `fit`. Strings,
    booleans and categories are one-hot encoded: missing is a level of its own,
    rare levels share one column, and so do levels first met in `transform`
    (they get zeros where no level is rare). Numbers need no scaling for
    RunnerFairClassifier, whose default module encodes them itself.

    Parameters
    ----------
    sensitive_columns : str, int or list of str and int, default=None
        Columns to leave out, by name for a DataFrame or by position. They must
        be there in `fit`, and may be absent in `transform`.

    max_categories : int, default=32
        Largest number of one-hot columns per column, at least 2: the rarest
        levels share the last one. None for no limit.

    min_frequency : int or float, default=0.001
        Levels in fewer rows than this are rare: a count, at least 1, or a
        fraction of the rows, in (0, 1). None for no rare levels.

    sparse_output : bool, default=True
        With True, `transform` returns a CSR matrix where fewer than 30 % of
        the values are nonzero, and an array otherwise; with False always an
        array, as ``set_output(transform="pandas")`` needs.

    Returns
    -------
    preprocessor : ColumnTransformer
        Unfitted. Takes a DataFrame, or an array (of objects also, each column
        judged by its values), and returns float32.

    Raises
    ------
    TypeError
        If a column in `sensitive_columns` is neither a string nor an integer.

    ValueError
        If `max_categories` or `min_frequency` is out of range. In `fit`: if a
        sensitive column is unknown, no column is left, or a column holds dates
        or anything else that is neither a number nor a category.

    Warns
    -----
    SkfairRunnerWarning
        In `fit`, where a text column has more than ten levels, and more than 90 % of
        them are numbers.

    See Also
    --------
    skfair_runner.model_selection.SensitiveColumns : Takes the sensitive columns
        out of X and hands them to the classifier as well.

    Notes
    -----
    Numbers come as a numeric dtype, strings of digits are categories; with the
    dtype "category" they are so without a warning. Columns are found by name in a
    DataFrame, so their order may change. A missing level may be rare like any
    other.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.preprocessing import make_table_preprocessor
    >>> people = pd.DataFrame(
    ...     {
    ...         "age": [25, None, 40],
    ...         "job": ["clerk", None, "nurse"],
    ...         "sex": ["F", "M", "F"],
    ...     }
    ... )
    >>> preprocessor = make_table_preprocessor(sensitive_columns="sex")
    >>> preprocessor.fit_transform(people)
    array([[25. ,  0. ,  1. ,  0. ,  0. ],
           [32.5,  1. ,  0. ,  0. ,  1. ],
           [40. ,  0. ,  0. ,  1. ,  0. ]], dtype=float32)
    >>> preprocessor.get_feature_names_out().tolist()
    ['age', 'missingindicator_age', 'job_clerk', 'job_nurse', 'job_nan']
    """
    numbers = make_pipeline(
        FunctionTransformer(_to_float32, feature_names_out="one-to-one"),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
    )
    categories = make_pipeline(
        FunctionTransformer(_to_text, feature_names_out="one-to-one"),
        OneHotEncoder(
            dtype=np.float32,
            handle_unknown="infrequent_if_exist",
            max_categories=max_categories,
            min_frequency=min_frequency,
            sparse_output=sparse_output,
        ),
    )
    return ColumnTransformer(
        [
            ("numbers", numbers, _ColumnsOfKind("number", sensitive_columns)),
            ("categories", categories, _ColumnsOfKind("category", sensitive_columns)),
        ],
        remainder="drop",
        sparse_threshold=0.3,
        verbose_feature_names_out=False,
    )


class _ColumnsOfKind:
    """Selector for a ColumnTransformer: the columns of one kind, none left out."""

    def __init__(self, kind, left_out):
        self.kind = kind
        self.left_out = left_out

    def __repr__(self):
        left_out = "" if self.left_out is None else f" without {self.left_out!r}"
        return f"columns of kind {self.kind!r}{left_out}"

    def __call__(self, X):
        """Positions of the columns of this kind in X."""
        left_out = column_positions(X, self.left_out, "make_table_preprocessor")
        kept = np.setdiff1d(np.arange(X.shape[1]), left_out)
        if len(kept) == 0:
            raise ValueError(
                f"make_table_preprocessor: X has {X.shape[1]} feature(s), and "
                f"sensitive_columns={self.left_out!r} leaves out every one."
            )
        if sparse.issparse(X):
            return kept.tolist() if self.kind == "number" else []
        table = pd.DataFrame(X)
        found = [k for k in kept.tolist() if _kind(table.iloc[:, k]) == self.kind]
        if self.kind == "category":
            _warn_of_numbers(table.iloc[:, found])
        return found


def _kind(column):
    """Return "number" or "category"; refuse a column that is neither."""
    found = infer_dtype(column, skipna=True)
    if found in _NUMBERS:
        return "number"
    if found in _CATEGORIES and column.dropna().map(is_hashable).all():
        return "category"
    name = column.name
    example = column.dropna().iloc[0]
    remedy = "Turn it into columns of numbers or text first, or drop it."
    if found in _DATES:
        remedy = (
            f"Turn it into numbers first, as in (X[{name!r}] - X[{name!r}].min())"
            ".dt.days, or drop it."
        )
    raise ValueError(
        f"make_table_preprocessor: column {name!r} holds neither numbers nor "
        f"categories but {found} values, such as {example!r}. {remedy}"
    )


def _warn_of_numbers(categories):
    """Name the columns of numbers that came as text."""
    names = [
        repr(name) for name, column in categories.items() if is_mostly_numbers(column)
    ]
    if not names:
        return
    warnings.warn(
        "make_table_preprocessor: there is text that is mostly numbers in the "
        f"column{'s' * (len(names) > 1)} {first_few(names, most=_SHOWN)}, and each "
        "different text becomes a category. Convert numbers with "
        "pd.to_numeric(column, errors='coerce'), decimal commas replaced first, and "
        "codes with column.astype('category').",
        SkfairRunnerWarning,
        stacklevel=2,
    )


def _to_float32(X):
    """Numbers of any type as float32, missing ones as NaN."""
    if sparse.issparse(X):
        return X.astype(np.float32)
    table = pd.DataFrame(X)
    # What overflows becomes infinite, which the imputer then refuses.
    with np.errstate(over="ignore"):
        values = [
            column.to_numpy(dtype=np.float64, na_value=np.nan).astype(np.float32)
            for _, column in table.items()
        ]
    return _like(X, np.column_stack(values))


def _to_text(X):
    """Categories of any type as strings, missing ones as NaN."""
    columns = []
    for _, column in pd.DataFrame(X).items():
        codes, levels = pd.factorize(column)
        # Code -1 stands for missing, and picks the last one.
        texts = np.array([*map(_text, levels), np.nan], dtype=object)
        columns.append(texts[codes])
    return _like(X, np.column_stack(columns))


def _text(level):
    """Name of a level; 1.0 reads as 1, since missing values turn codes into floats."""
    whole = isinstance(level, float | np.floating) and level.is_integer()
    return str(int(level) if whole else level)


def _like(X, values):
    """Values in the container of X, with its names and index."""
    if isinstance(X, pd.DataFrame):
        return pd.DataFrame(values, columns=X.columns, index=X.index)
    return values
