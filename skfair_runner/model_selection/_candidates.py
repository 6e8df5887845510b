"""The candidates of a search: what may be searched, and samples of it."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import ParameterSampler


class RandomProposals:
    """Candidates drawn at random, all at once.

    Parameters
    ----------
    space : dict or list of dict
        Values or distributions by parameter, as for RandomizedSearchCV.

    seed : int
        Of the draws.
    """

    # So many candidates are asked for at once; None is all of them.
    batch = None

    def __init__(self, space, seed):
        self.space = space
        self.seed = seed

    def count(self, n_candidates):
        """How many there will be; fewer than asked for where the space holds fewer."""
        return len(ParameterSampler(self.space, n_candidates))

    def ask(self, n_candidates):
        """Draw so many, which the space holds."""
        return list(ParameterSampler(self.space, n_candidates, random_state=self.seed))

    def tell(self, utility, difference):
        """Nothing is learned from values."""


def check_space(space, estimator, resource, caller):
    """Refuse what cannot be searched.

    Parameters
    ----------
    space : dict or list of dict
        Values or distributions by parameter.

    estimator : estimator
        What is searched.

    resource : str
        ``"n_samples"``, or a parameter of the estimator.

    caller : str
        Who asks; begins the error messages.

    Raises
    ------
    TypeError
        If a parameter's values are neither a distribution nor a list.

    ValueError
        If a parameter is unknown, is the resource, or has no values; if the resource is
        no parameter.
    """
    known = estimator.get_params(deep=True)
    for each in [space] if isinstance(space, dict) else space:
        for name, values in each.items():
            _check_values(name, values, caller)
            if name == resource:
                raise ValueError(
                    f"{caller}: {resource!r} is both the resource and searched for. "
                    "Leave it out of `param_distributions`, or pass another resource, "
                    "such as 'n_samples'."
                )
            if name not in known:
                raise ValueError(
                    f"{caller}: {type(estimator).__name__} has no parameter {name!r}. "
                    f"It has {sorted(known)}."
                )
    if resource != "n_samples" and resource not in known:
        raise ValueError(
            f"{caller}: the resource is 'n_samples' or a whole number among the "
            f"parameters of {type(estimator).__name__}, which has no {resource!r}. It "
            f"has {sorted(known)}."
        )


def _check_values(name, values, caller):
    """Refuse values that cannot be drawn from."""
    if hasattr(values, "rvs"):
        return
    if isinstance(values, str) or not hasattr(values, "__len__"):
        raise TypeError(
            f"{caller}: `param_distributions` maps {name!r} to {values!r}, which is "
            "neither a list of values nor a distribution of scipy.stats."
        )
    if len(values) == 0:
        raise ValueError(f"{caller}: `param_distributions` has no values for {name!r}.")


def largest_resource(given, estimator, resource, n_rows, caller):
    """What a candidate of the last rung may use.

    Parameters
    ----------
    given : int or "auto"
        What the user asked for.

    estimator : estimator
        What is searched.

    resource : str
        ``"n_samples"``, or a parameter of the estimator.

    n_rows : int
        Training rows of the smallest fold.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    n_resources : int
        For "auto" all rows, or what the estimator is set to.

    Raises
    ------
    ValueError
        If there are not so many rows, or "auto" cannot be told.
    """
    if resource == "n_samples":
        if given == "auto":
            return n_rows
        if given > n_rows:
            raise ValueError(
                f"{caller}: max_resources={given} rows, but the smallest fold trains "
                f"on {n_rows}."
            )
        return int(given)
    if given != "auto":
        return int(given)
    value = estimator.get_params(deep=True)[resource]
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(
            f"{caller}: max_resources='auto' is what the estimator is set to, but its "
            f"{resource!r} is {value!r}: say how much the last rung gets, as in "
            "max_resources=30."
        )
    return int(value)


def as_key(params):
    """Parameters as text, to tell whether they have been tried."""
    return repr(sorted((name, _plain(value)) for name, value in params.items()))


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value
