"""The one row of numbers that every table of the package shows."""

import numpy as np

from skfair_runner.metrics.ranking import ranking_quality
from skfair_runner.metrics.rates import (
    compute_rates,
    difference,
    odds_difference,
    selection_ratio,
)
from skfair_runner.metrics.scores import area_between_cdfs
from skfair_runner.metrics.tables import has_one_decision


def fairness_summary(
    y_true,
    y_pred,
    y_score=None,
    *,
    sensitive_features,
    pos_label=None,
    sample_weight=None,
):
    """Accuracy and group differences of one classifier on one set of samples.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels.

    y_pred : array-like of shape (n_samples,)
        Decisions, in the same labels.

    y_score : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
        Probability of the favourable label, or of every label in sorted order,
        as `predict_proba` returns them. In [0, 1].

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each sample; several columns are crossed. An encoded
        `skfair_runner.groups.Groups` is taken as it is.

    pos_label : int, bool or str, default=None
        The favourable label. None takes the larger of {0, 1}, {False, True}
        and {-1, 1}, and with more than two labels compares every class with
        the rest.

    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample; None weighs all the same.

    Returns
    -------
    summary : dict of str to float
        With the keys

        - ``accuracy``, ``balanced_accuracy``: over all labels;
        - ``average_precision``, ``roc_auc``: of `y_score`; the mean over the
          classes, each against the rest, where every class is compared; NaN
          where the label is never or always present;
        - ``selection_rate``: NaN where every class is compared;
        - ``demographic_parity_difference``, ``equalized_odds_difference`` (the
          larger of the differences in true and false positive rate),
          ``equalized_odds_sum`` (their sum), ``equal_opportunity_difference``:
          the largest over the classes where every class is compared;
        - ``demographic_parity_ratio``: the smallest over the classes then;
        - ``abcc``: `area_between_cdfs` of `y_score`;
        - ``constant``: a bool, whether one label is given to more than 99.5 %
          of the samples.

        The numbers that need `y_score` are NaN without it.

    Raises
    ------
    ValueError
        If the favourable label is not known, fewer than two groups are present,
        or `y_score` has another shape or leaves [0, 1].

    Warns
    -----
    SkfairRunnerWarning
        If a group has no sample with the label, or none without it. Its rate
        counts as 0, as in fairlearn.

    Examples
    --------
    >>> from skfair_runner.metrics import fairness_summary
    >>> summary = fairness_summary(
    ...     y_true=[0, 0, 1, 1, 0, 0, 1, 1],
    ...     y_pred=[0, 1, 1, 1, 0, 0, 0, 1],
    ...     sensitive_features=["a", "a", "a", "a", "b", "b", "b", "b"],
    ... )
    >>> summary["accuracy"], summary["equalized_odds_sum"]
    (0.75, 1.0)
    """
    summary = full_summary(
        y_true,
        y_pred,
        y_score,
        sensitive_features=sensitive_features,
        pos_label=pos_label,
        sample_weight=sample_weight,
    )
    del summary["false_positive_rate_difference"]
    return summary


def full_summary(
    y_true,
    y_pred,
    y_score=None,
    *,
    sensitive_features,
    pos_label=None,
    sample_weight=None,
):
    """The numbers of `fairness_summary` and the false positive rate difference.

    Parameters
    ----------
    y_true, y_pred, y_score, sensitive_features, pos_label, sample_weight
        As of :func:`fairness_summary`.

    Returns
    -------
    summary : dict of str to float
        Of one pass over the samples, so that what is missing is told once.
    """
    caller = "fairness_summary"
    rates = compute_rates(
        y_true, y_pred, sensitive_features, sample_weight, pos_label, caller
    )
    selected = rates.overall_selection_rate
    precision = area = abcc = float("nan")
    if y_score is not None:
        scores = _favourable_scores(y_score, rates, caller)
        precision, area = _ranking_quality(rates, scores)
        abcc = max(
            area_between_cdfs(
                column, sensitive_features=rates.groups, sample_weight=rates.weights
            )
            for column in scores.T
        )
    return {
        "accuracy": rates.overall_accuracy,
        "balanced_accuracy": float(np.nanmean(rates.right_shares)),
        "average_precision": precision,
        "roc_auc": area,
        "selection_rate": float(selected[0]) if len(selected) == 1 else float("nan"),
        **differences_of(rates),
        "demographic_parity_ratio": selection_ratio(rates),
        "abcc": abcc,
        "constant": has_one_decision(rates.labels.y_pred),
    }


def differences_of(rates):
    """Every difference between groups, the largest over the compared labels.

    Parameters
    ----------
    rates : GroupRates
        From `compute_rates`.

    Returns
    -------
    differences : dict of str to float
        By name.
    """
    return {
        "demographic_parity_difference": float(difference(rates.selection_rate).max()),
        "equalized_odds_difference": odds_difference(rates, "worst_case"),
        "equalized_odds_sum": odds_difference(rates, "sum"),
        "equal_opportunity_difference": float(
            difference(rates.true_positive_rate).max()
        ),
        "false_positive_rate_difference": float(
            difference(rates.false_positive_rate).max()
        ),
    }


def _favourable_scores(y_score, rates, caller):
    """Scores of the compared labels, of shape (n_samples, n_compared)."""
    scores = np.asarray(y_score, dtype=np.float64)
    n_samples, classes = len(rates.kept), rates.labels.classes
    compared = rates.labels.favourable
    if scores.shape == (n_samples, len(classes)):
        return scores[rates.kept][:, compared]
    if scores.shape in {(n_samples,), (n_samples, 1)} and len(compared) == 1:
        return scores[rates.kept].reshape(-1, 1)
    one = f"({n_samples},) or " if len(compared) == 1 else ""
    raise ValueError(
        f"{caller}: y_score must have shape {one}({n_samples}, {len(classes)}), one "
        f"column per label of {list(classes)}, got shape {scores.shape}."
    )


def _ranking_quality(rates, scores):
    """Average precision and ROC AUC, means over the labels that can be told apart."""
    values = []
    for code, column in zip(rates.labels.favourable, scores.T, strict=True):
        positive = rates.labels.y_true == code
        if positive.any() and not positive.all():
            values.append(ranking_quality(positive, column, rates.weights))
    if not values:
        return float("nan"), float("nan")
    precision, area = np.mean(values, axis=0).tolist()
    return precision, area
