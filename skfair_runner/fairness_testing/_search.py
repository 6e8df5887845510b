"""One function for every search."""

from __future__ import annotations

from skfair_runner.fairness_testing._adf import ADF
from skfair_runner.fairness_testing._aequitas import Aequitas
from skfair_runner.fairness_testing._eidig import EIDIG
from skfair_runner.fairness_testing._mlcheck import MLCheck
from skfair_runner.fairness_testing._neuronfair import NeuronFair

# FairCheck is MLCheck with a decision tree.
METHODS = {
    "adf": ADF,
    "aequitas": Aequitas,
    "eidig": EIDIG,
    "faircheck": MLCheck,
    "mlcheck": MLCheck,
    "neuronfair": NeuronFair,
}


def search(
    model,
    X,
    *,
    sensitive_features=None,
    method="eidig",
    space=None,
    budget=None,
    random_state=None,
    **parameters,
):
    """Look for instances whose decision changes with the sensitive columns alone.

    Parameters
    ----------
    model : classifier, pipeline or torch.nn.Module
        Any fitted model with `predict` for "aequitas" and "mlcheck". "adf", "eidig" and
        "neuronfair" follow gradients: a RunnerFairClassifier, a pipeline or
        SensitiveColumns around one whose preprocessing treats columns one by one, or a
        torch module on numbers.

    X : DataFrame or array-like of shape (n_samples, n_columns)
        What the model is given to predict, sensitive columns included.

    sensitive_features : str, int or list of str and int, default=None
        Columns of X whose values are exchanged, in all combinations; needed unless
        `space` is given.

    method : {"adf", "aequitas", "eidig", "faircheck", "mlcheck", "neuronfair"}, \
            default="eidig"
        Which search; "faircheck" is "mlcheck" with a decision tree.

    space : Space, default=None
        Values and constraints of the columns, where they are not to be read off X.

    budget : int or None, default=None
        Number of distinct instances that may be tried; None leaves it to the method.

    random_state : int, RandomState or None, default=None
        Seed.

    **parameters
        Further parameters of the method's class, such as `n_local`.

    Returns
    -------
    result : SearchResult
        Pairs, each confirmed by the model; the trace; the discrimination rate.

    Raises
    ------
    TypeError
        If the model has no gradients, and the method needs them.

    ValueError
        If there is no such method, or as the method's `search`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skfair_runner.fairness_testing import search
    >>> X = pd.DataFrame({"skill": [1, 2, 3, 4] * 2, "sex": [0] * 4 + [1] * 4})
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X, [0, 0, 0, 1, 0, 0, 1, 1])
    >>> search(
    ...     tree, X, sensitive_features="sex", method="aequitas", budget=4,
    ...     n_local=20, random_state=0,
    ... ).found
    1
    """
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}: pass one of {list(METHODS)}.")
    tester = METHODS[method](budget=budget, random_state=random_state, **parameters)
    return tester.search(model, X, sensitive_features=sensitive_features, space=space)
