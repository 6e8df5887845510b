"""Scorer of a group metric, with groups that are found through X."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import metadata_routing

from skfair_runner.metrics import METRICS, Metric, resolve_metric
from skfair_runner.utils._columns import as_table, column_positions, column_table

_RESPONSES = ("predict", "predict_proba", "decision_function")
_SHOWN = 5


def fairness_scorer(metric, *, sensitive_features, pos_label=None, response=None):
    """Build a scorer of a group metric, for `scoring` in searches.

    The groups come with X, so that the scorer needs no metadata routing and
    works with it on and off: alone, or in a dict of scorers.

    Parameters
    ----------
    metric : str, Metric or callable
        A name in `skfair_runner.metrics.METRICS`, or a function called as
        ``metric(y_true, y_pred, *, sensitive_features)``. A function whose name
        ends in ``_ratio`` is better when greater, any other when smaller; pass
        a `Metric` to say otherwise.

    sensitive_features : str, int, list of str and int, Series or DataFrame
        Columns of X, by name for a DataFrame or by position; or the groups
        themselves with the index that X has, which is then a DataFrame. Groups
        are looked up by index label, so their order may differ.

    pos_label : int, bool or str, default=None
        The favourable label, handed to the metric unless None.

    response : {"predict", "predict_proba", "decision_function"}, default=None
        Method of the estimator that gives what the metric compares. None means
        what the metric needs: decisions, or probabilities.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)`` is the metric, negated
        if smaller is better: greater is better in any case.

    Raises
    ------
    TypeError
        If `metric` or `sensitive_features` has the wrong type. When called: if
        the groups are given by index and X has none.

    ValueError
        If the metric or `response` is unknown, or the index of the groups
        repeats a label. When called: if X lacks a column, or has rows without
        a group.

    See Also
    --------
    best_within_bound : Refit rule for searches with such a scorer.
    SensitiveColumns : Hands columns of X to an estimator, which need not see
        them as features.

    Notes
    -----
    The estimator predicts on X as it comes, groups included. A pipeline that
    selects its columns ignores them; others go into `SensitiveColumns`.

    Searches turn an error of a scorer into NaN and a warning unless
    ``error_score="raise"``.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.dummy import DummyClassifier
    >>> from skfair_runner.model_selection import fairness_scorer
    >>> X = pd.DataFrame({"sex": ["F", "F", "M", "M"], "skill": [0, 1, 1, 1]})
    >>> scorer = fairness_scorer(
    ...     "demographic_parity_difference", sensitive_features="sex"
    ... )
    >>> scorer
    fairness_scorer('demographic_parity_difference', sensitive_features='sex')
    >>> scorer(DummyClassifier().fit(X, [0, 1, 1, 1]), X, [0, 1, 1, 1])
    0.0
    """
    _resolve(metric)
    if response is not None and response not in _RESPONSES:
        raise ValueError(
            f"fairness_scorer: `response` must be None or one of {list(_RESPONSES)}, "
            f"got {response!r}."
        )
    _check_groups(sensitive_features)
    return _FairnessScorer(metric, sensitive_features, pos_label, response)


class _FairnessScorer(BaseEstimator):
    """Scorer; an estimator for `get_params`, `clone` and `set_score_request`."""

    # The request for `sample_weight` is read off the method `score`.
    __metadata_request__score = {"estimator": metadata_routing.UNUSED}

    def __init__(self, metric, sensitive_features, pos_label, response):
        self.metric = metric
        self.sensitive_features = sensitive_features
        self.pos_label = pos_label
        self.response = response

    def __call__(self, estimator, X, y, sample_weight=None):
        return self.score(estimator, X, y, sample_weight)

    def score(self, estimator, X, y, sample_weight=None):
        """Metric of the estimator's response, greater is better."""
        metric = _resolve(self.metric)
        groups = _groups_of(X, self.sensitive_features)
        response = getattr(estimator, self.response or metric.response_method)(X)
        keywords = {"sample_weight": sample_weight, "pos_label": self.pos_label}
        value = metric.function(
            # As arrays: rows of X and y belong together by position.
            np.asarray(y),
            response,
            sensitive_features=groups,
            **{key: given for key, given in keywords.items() if given is not None},
        )
        # Not -value: a difference of 0 shall not read -0.0.
        return float(value if metric.greater_is_better else 0.0 - value)

    def __repr__(self):
        groups = self.sensitive_features
        named = isinstance(self.metric, str)
        metric = repr(self.metric) if named else _resolve(self.metric).name
        if isinstance(groups, pd.Series | pd.DataFrame):
            groups = f"<{type(groups).__name__} of shape {groups.shape}>"
        else:
            groups = repr(groups)
        parts = [metric, f"sensitive_features={groups}"]
        for name in ("pos_label", "response"):
            if getattr(self, name) is not None:
                parts.append(f"{name}={getattr(self, name)!r}")
        return f"fairness_scorer({', '.join(parts)})"

    def _accept_sample_weight(self):
        # Asked by the searches of scikit-learn when weights come without routing.
        return True


def _resolve(metric):
    """Metric by name, of this package by function, or any other function."""
    name = getattr(metric, "__name__", "")
    own = str(getattr(metric, "__module__", "")).startswith("skfair_runner.")
    if own and name in METRICS:
        return METRICS[name]
    found = resolve_metric(metric)
    if found is metric or isinstance(metric, str):
        return found
    return Metric(found.name, metric, greater_is_better=name.endswith("_ratio"))


def _check_groups(groups):
    """Refuse groups that could not be matched with the rows of a fold."""
    if isinstance(groups, pd.Series | pd.DataFrame):
        repeated = groups.index[groups.index.duplicated()].tolist()
        if repeated:
            raise ValueError(
                "fairness_scorer: groups are looked up by index label, but the index "
                f"of `sensitive_features` repeats {repeated[0]!r}. Name columns of X "
                "instead, or give both a unique index."
            )
        return
    columns = groups if isinstance(groups, list | tuple) else [groups]
    if not columns or not all(isinstance(c, str | int | np.integer) for c in columns):
        raise TypeError(
            "fairness_scorer: `sensitive_features` must name columns of X (names or "
            "positions), or be a Series or DataFrame with the index of X, got the "
            f"{_described(groups)}. Cross-validation hands a scorer some rows of X, to "
            "which the rows of a bare array cannot be matched."
        )


def _described(groups):
    """Type of what was passed, and its shape; its value where that is short."""
    kind = type(groups).__name__
    if getattr(groups, "shape", ()):
        return f"{kind} of shape {groups.shape}"
    if isinstance(groups, list | tuple | dict | set) and len(groups) > _SHOWN:
        return f"{kind} of {len(groups)} values"
    return f"{kind} {groups!r}"


def _groups_of(X, groups):
    """Series or DataFrame of the groups of the rows of X."""
    if not isinstance(groups, pd.Series | pd.DataFrame):
        X = as_table(X, "fairness_scorer")
        return column_table(X, column_positions(X, groups, "fairness_scorer"))
    if not isinstance(X, pd.DataFrame):
        raise TypeError(
            "fairness_scorer: groups are looked up by the index of X, but X is a "
            f"{type(X).__name__}, which has none. Pass a DataFrame, or give the groups "
            "as a column of X and its position."
        )
    absent = X.index[~X.index.isin(groups.index)]
    if len(absent):
        shown = ", ".join(repr(label) for label in absent[:_SHOWN].tolist())
        raise ValueError(
            f"fairness_scorer: {len(absent)} of {len(X)} rows of X have no group: "
            f"the index of `sensitive_features` lacks {shown}"
            f"{', …' if len(absent) > _SHOWN else ''}."
        )
    return groups.loc[X.index]
