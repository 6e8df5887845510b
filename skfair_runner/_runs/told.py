"""Warnings of many fits: kept while they run, told once with their number."""

import warnings
from contextlib import contextmanager

from sklearn.exceptions import ConvergenceWarning

from skfair_runner.utils import (
    BoundNotMetWarning,
    ConstantClassifierWarning,
    SkfairRunnerWarning,
)

# Classes that a warning out of a file is told with; any other is told as the last one.
_CATEGORIES = {
    each.__name__: each
    for each in (
        ConvergenceWarning,
        BoundNotMetWarning,
        ConstantClassifierWarning,
        SkfairRunnerWarning,
        RuntimeWarning,
        FutureWarning,
        DeprecationWarning,
        UserWarning,
    )
}


@contextmanager
def recording(told):
    """Append the warnings of the block to a list.

    Parameters
    ----------
    told : list of (type, str)
        Gets class and text of each.
    """
    with warnings.catch_warnings(record=True) as caught:
        # What is an error outside is one inside; what is shown is told once, later.
        warnings.simplefilter("default", UserWarning)
        yield
    told += [(each.category, str(each.message)) for each in caught]


def category_of(name):
    """Class of a warning, by its name.

    Parameters
    ----------
    name : str
        Of the class.

    Returns
    -------
    category : type
        UserWarning where the name is unknown.

    Examples
    --------
    >>> category_of("RuntimeWarning"), category_of("Harmful")
    (<class 'RuntimeWarning'>, <class 'UserWarning'>)
    """
    return _CATEGORIES.get(name, UserWarning)
