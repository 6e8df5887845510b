"""Tables of numbers, for methods that calculate with the features themselves."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import check_array


def as_numbers(X, caller, does, dtype=np.float64):
    """Dense array of a table that holds nothing but finite numbers.

    Parameters
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The table; booleans are numbers, too.

    caller : str
        Name of the class that asks, for messages.

    does : str
        What it does with the numbers, for messages.

    dtype : dtype, default=numpy.float64
        Of the result.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Not shared where it was converted.

    Raises
    ------
    ValueError
        If a column holds something else, or NaN or infinite values.

    Examples
    --------
    >>> as_numbers(pd.DataFrame({"age": [40, 50]}), "Method", "adds features")
    array([[40.],
           [50.]])
    """
    advice = (
        f"{caller} {does}, so every feature must be a number: encode categories "
        f"first, as in make_pipeline(make_table_preprocessor(), {caller}(...))."
    )
    if isinstance(X, pd.DataFrame):
        for name, column in X.items():
            if not pd.api.types.is_numeric_dtype(column.dtype):
                raise ValueError(f"{advice} Column {name!r} is {column.dtype}.")
    if sparse.issparse(X):
        X = X.toarray()
    try:
        return check_array(X, dtype=dtype, estimator=caller)
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise ValueError(f"{advice} numpy {error}.") from error
