"""Selection and error rates of every group, counted in one pass over the samples."""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skfair_runner.groups import Groups, check_at_least_two, encode_groups
from skfair_runner.groups.reading import check_rows
from skfair_runner.metrics.labels import Labels, encode_labels
from skfair_runner.utils import SkfairRunnerWarning


@dataclass(frozen=True, eq=False)
class GroupRates:
    """Rates of every group for the favourable label, or for every class.

    Attributes
    ----------
    labels : Labels
        Labels and decisions of the samples that count.

    groups : Groups
        Their groups, each with at least one sample.

    weights : ndarray of shape (n_samples,) or None
        Their weights, all positive; None if all weigh the same.

    kept : ndarray of shape (n_passed,), dtype bool
        Which of the samples passed in these are.

    n : ndarray of shape (n_groups,)
        Number of samples in each group.

    accuracy : ndarray of shape (n_groups,)
        Share of right decisions.

    right_shares : ndarray of shape (n_classes,)
        Share of right decisions among all samples that have each label, NaN where
        there are none.

    overall_accuracy : float
        Share of right decisions among all samples.

    overall_selection_rate : ndarray of shape (n_compared,)
        Share of all samples that get each compared label.

    selection_rate, base_rate : ndarray of shape (n_groups, n_compared)
        Share of samples that get, and that have, each compared label.

    true_positive_rate, false_positive_rate : ndarray of shape \
            (n_groups, n_compared)
        Share that gets the label among samples that have it, and among those
        that have another one; 0 where there are none.
    """

    labels: Labels
    groups: Groups
    weights: np.ndarray | None
    kept: np.ndarray
    n: np.ndarray
    accuracy: np.ndarray
    right_shares: np.ndarray
    overall_accuracy: float
    overall_selection_rate: np.ndarray
    selection_rate: np.ndarray
    base_rate: np.ndarray
    true_positive_rate: np.ndarray
    false_positive_rate: np.ndarray


def difference(rates: np.ndarray) -> np.ndarray:
    """Largest less smallest rate over groups.

    Parameters
    ----------
    rates : ndarray of shape (n_groups, n_compared)
        Rates from `compute_rates`.

    Returns
    -------
    difference : ndarray of shape (n_compared,)
        In [0, 1].
    """
    return rates.max(axis=0) - rates.min(axis=0)


def selection_ratio(rates):
    """Ratio of the selection rates of `GroupRates`, the smallest over classes.

    Parameters
    ----------
    rates : GroupRates
        From `compute_rates`.

    Returns
    -------
    ratio : float
        In [0, 1], or NaN when nobody is selected.
    """
    largest = rates.selection_rate.max(axis=0)
    smallest = rates.selection_rate.min(axis=0)[largest > 0]
    ratios = smallest / largest[largest > 0]
    return float(ratios.min()) if len(ratios) else float("nan")


def odds_difference(rates, agg):
    """Equalized odds difference of `GroupRates`, the largest over classes.

    Parameters
    ----------
    rates : GroupRates
        From `compute_rates`.

    agg : {"worst_case", "sum"}
        The larger of the two differences, or their sum.

    Returns
    -------
    difference : float
        In [0, 1], or in [0, 2] for the sum.
    """
    both = [
        difference(rates.true_positive_rate),
        difference(rates.false_positive_rate),
    ]
    return float((np.sum if agg == "sum" else np.max)(both, axis=0).max())


def compute_rates(
    y_true: Any,
    y_pred: Any,
    sensitive_features: Any,
    sample_weight: Any,
    pos_label: Any,
    caller: str,
    *,
    within_labels: bool = True,
) -> GroupRates:
    """Validate the input of a metric and count its rates.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Labels and decisions.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns), \
            or Groups
        What `encode_groups` accepts, or its result.

    sample_weight : array-like of shape (n_samples,) or None
        Weights. Samples of weight 0 count as if they were not there.

    pos_label : int, bool, str or None
        The favourable label.

    caller : str
        Who asks; begins the error messages.

    within_labels : bool, default=True
        Whether the caller reads true and false positive rates, so that a group
        without a sample of some label deserves a warning.

    Returns
    -------
    rates : GroupRates
        Rates and what they were counted from.
    """
    labels = encode_labels(y_true, y_pred, pos_label, caller)
    groups = as_groups(sensitive_features, y_true, "y_true", caller)
    weights = check_weights(sample_weight, len(groups.codes), caller)
    kept = np.ones(len(groups.codes), dtype=bool)
    if weights is not None and not weights.all():
        kept = weights > 0
        weights = weights[kept]
        labels = replace(labels, y_true=labels.y_true[kept], y_pred=labels.y_pred[kept])
        groups = replace(groups, codes=groups.codes[kept])
    check_at_least_two(groups, caller)
    rates = _count(labels, present_groups(groups), weights, kept)
    if within_labels:
        _warn_about_empty_cells(rates, caller)
    return rates


def as_groups(sensitive_features: Any, X: Any, of: str, caller: str) -> Groups:
    """Groups of the samples; groups that are encoded already pass through.

    Parameters
    ----------
    sensitive_features : array-like or Groups
        What the user passed.

    X : array-like of shape (n_samples, ...)
        What it belongs to.

    of : str
        What error messages call `X`.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    groups : Groups
        As many codes as `X` has rows.
    """
    if isinstance(sensitive_features, Groups):
        # Codes have neither an index nor missing values.
        check_rows(sensitive_features.codes, None, X, None, of, caller)
        return sensitive_features
    return encode_groups(sensitive_features, X, of=of, caller=caller)


def check_weights(sample_weight: Any, n_samples: int, caller: str) -> np.ndarray | None:
    """Weights as float64, or None; refuses what cannot weigh anything.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
        What the user passed.

    n_samples : int
        How many weights there must be.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    weights : ndarray of shape (n_samples,) or None
        Non-negative, finite, not all zero.
    """
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n_samples,):
        raise ValueError(
            f"{caller}: sample_weight must have shape ({n_samples},), one weight per "
            f"sample, got shape {weights.shape}."
        )
    wrong = weights[~(np.isfinite(weights) & (weights >= 0))]
    if len(wrong):
        raise ValueError(
            f"{caller}: sample_weight must be finite and not negative, got {wrong[0]}."
        )
    if not weights.any():
        raise ValueError(
            f"{caller}: all {n_samples} sample weights are 0; some must be positive."
        )
    return weights


def present_groups(groups: Groups) -> Groups:
    """Groups without the names that no sample has.

    Parameters
    ----------
    groups : Groups
        Groups of the samples.

    Returns
    -------
    present : Groups
        Codes into the names that occur.
    """
    occurs = np.bincount(groups.codes, minlength=groups.n_groups) > 0
    if occurs.all():
        return groups
    names = tuple(name for name, here in zip(groups.names, occurs, strict=True) if here)
    return Groups((np.cumsum(occurs) - 1)[groups.codes], names, groups.columns)


def _count(labels, groups, weights, kept):
    """Rates from the numbers of samples by group and class."""
    n_groups, n_classes = groups.n_groups, len(labels.classes)
    rows = groups.codes * n_classes
    right = labels.y_true == labels.y_pred

    def count(cells, where=slice(None)):
        chosen = None if weights is None else weights[where]
        counts = np.bincount(cells[where], chosen, minlength=n_groups * n_classes)
        return counts.reshape(n_groups, n_classes)

    have = count(rows + labels.y_true)
    get = count(rows + labels.y_pred)
    both = count(rows + labels.y_true, right)
    total = have.sum(axis=1, keepdims=True)
    others = total - have
    compared = labels.favourable
    return GroupRates(
        labels=labels,
        groups=groups,
        weights=weights,
        kept=kept,
        n=np.bincount(groups.codes, minlength=n_groups),
        accuracy=both.sum(axis=1) / total[:, 0],
        right_shares=_rate(both.sum(axis=0), have.sum(axis=0), of_nothing=np.nan),
        overall_accuracy=float(both.sum() / total.sum()),
        overall_selection_rate=get.sum(axis=0)[compared] / total.sum(),
        selection_rate=(get / total)[:, compared],
        base_rate=(have / total)[:, compared],
        true_positive_rate=_rate(both, have)[:, compared],
        # Rounding of weighted sums must not make a rate negative.
        false_positive_rate=_rate((get - both).clip(min=0), others)[:, compared],
    )


def _rate(part, whole, of_nothing=0.0):
    """Quotient, or `of_nothing` where the whole is empty."""
    return np.divide(part, whole, out=np.full(part.shape, of_nothing), where=whole > 0)


def _warn_about_empty_cells(rates, caller):
    """Name the group that lacks a label: its rate of 0 may be all there is."""
    for base, what in ((0.0, "with"), (1.0, "without")):
        empty = np.argwhere(rates.base_rate == base)
        if len(empty):
            group, column = empty[0]
            label = rates.labels.classes[rates.labels.favourable[column]]
            rate = "true" if what == "with" else "false"
            warnings.warn(
                f"{caller}: group {rates.groups.labels[group]!r} has no sample {what} "
                f"label {label!r}, so its {rate} positive rate counts as 0, as in "
                "fairlearn. Merge small groups, or read `group_rates`.",
                SkfairRunnerWarning,
                stacklevel=4,
            )
