"""Columns of text that hold numbers."""

import pandas as pd
from pandas.api.types import infer_dtype

# What pandas.api.types.infer_dtype says of a column.
_TEXTS = ("string", "mixed", "mixed-integer")
# A decimal point or comma, and points or commas between thousands.
_NUMBER = r"\s*[+-]?(?=[.,]?\d)(\d{1,3}([.,]\d{3})+|\d*)([.,]\d*)?([eE][+-]?\d+)?\s*"
# Few numbers are codes; of more texts, this share of numbers is no accident.
_MOST_CODES, _SHARE_OF_NUMBERS = 10, 0.9


def is_mostly_numbers(column):
    """Whether a column of text holds numbers that were read as text.

    Parameters
    ----------
    column : Series
        Of hashable values.

    Returns
    -------
    found : bool
        True where it has more than ten different texts, and more than 90 % of them are
        numbers, with a decimal point or comma. False for the dtype "category".

    Examples
    --------
    >>> is_mostly_numbers(pd.Series([f"{k},5" for k in range(11)] + [None, "unknown"]))
    True
    >>> is_mostly_numbers(pd.Series(["1", "2", "unknown"]))
    False
    """
    if infer_dtype(column, skipna=True) not in _TEXTS:
        return False
    texts = pd.Series(column.dropna().unique()).astype(str)
    if len(texts) <= _MOST_CODES:
        return False
    return bool(texts.str.fullmatch(_NUMBER).mean() > _SHARE_OF_NUMBERS)
