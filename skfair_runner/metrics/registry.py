"""Group metrics by name, for scorers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from skfair_runner.metrics.differences import (
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    false_positive_rate_difference,
)
from skfair_runner.metrics.labels import encode_labels
from skfair_runner.metrics.scores import (
    area_between_cdfs,
    largest_demographic_parity_difference,
)


@dataclass(frozen=True)
class Metric:
    """A group metric, and what a scorer has to know about it.

    Attributes
    ----------
    name : str
        Its name.

    function : callable
        Called as ``function(y_true, response, *, sensitive_features, ...)``,
        where ``...`` are `sample_weight` and `pos_label`.

    greater_is_better : bool
        False for differences: a scorer returns the negated value.

    response_method : {"predict", "predict_proba"}
        Where the response comes from: decisions, or probabilities.
    """

    name: str
    function: Callable[..., float]
    greater_is_better: bool = False
    response_method: str = "predict"


def _of_scores(
    function,
    y_true,
    y_score,
    *,
    sensitive_features,
    sample_weight=None,
    pos_label=None,
):
    """Metric of scores, called with labels like the metrics of decisions."""
    scores = np.asarray(y_score)
    if scores.ndim == 2:
        caller = function.__name__
        labels = encode_labels(y_true, y_true, pos_label, caller)
        if scores.shape[1] != len(labels.classes):
            raise ValueError(
                f"{caller}: y_score must have one column per label of "
                f"{list(labels.classes)}, got shape {scores.shape}."
            )
        scores = scores[:, labels.favourable]
    return function(
        scores, sensitive_features=sensitive_features, sample_weight=sample_weight
    )


METRICS = {
    metric.name: metric
    for metric in (
        Metric("demographic_parity_difference", demographic_parity_difference),
        Metric(
            "demographic_parity_ratio", demographic_parity_ratio, greater_is_better=True
        ),
        Metric("equalized_odds_difference", equalized_odds_difference),
        Metric("equalized_odds_sum", partial(equalized_odds_difference, agg="sum")),
        Metric("equal_opportunity_difference", equal_opportunity_difference),
        Metric("false_positive_rate_difference", false_positive_rate_difference),
        Metric(
            "area_between_cdfs",
            partial(_of_scores, area_between_cdfs),
            response_method="predict_proba",
        ),
        Metric(
            "largest_demographic_parity_difference",
            partial(_of_scores, largest_demographic_parity_difference),
            response_method="predict_proba",
        ),
    )
}


def resolve_metric(metric: str | Metric | Callable[..., float]) -> Metric:
    """Look up a group metric by name, or take a callable as one.

    Parameters
    ----------
    metric : str, Metric or callable
        A name in `METRICS`, or a function called as
        ``metric(y_true, y_pred, *, sensitive_features, ...)``. A callable is
        taken for a difference of decisions, where less is better; pass a
        `Metric` to say otherwise.

    Returns
    -------
    metric : Metric
        Function, direction and response method.

    Raises
    ------
    ValueError
        If the name is unknown. The message lists the known ones.

    TypeError
        If `metric` is neither a string nor callable.

    Examples
    --------
    >>> from skfair_runner.metrics import resolve_metric
    >>> resolve_metric("demographic_parity_ratio").greater_is_better
    True
    """
    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, str):
        if metric not in METRICS:
            raise ValueError(f"Unknown metric {metric!r}. Known: {list(METRICS)}.")
        return METRICS[metric]
    if not callable(metric):
        raise TypeError(
            f"A metric is a callable or one of {list(METRICS)}, got {metric!r}."
        )
    return Metric(getattr(metric, "__name__", repr(metric)), metric)
