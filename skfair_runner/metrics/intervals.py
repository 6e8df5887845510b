"""How far a group difference on some rows may be off for new ones."""

from __future__ import annotations

import math
import warnings
from numbers import Real
from typing import NamedTuple

import numpy as np

from skfair_runner._randomness import draw_seed
from skfair_runner.metrics.bootstrap import count_decisions, errors_of_decisions
from skfair_runner.metrics.rates import compute_rates
from skfair_runner.metrics.summary import differences_of
from skfair_runner.utils import SkfairRunnerWarning, check_count

# Which rows tell the rates of each measure.
_TOLD_BY = {
    "demographic_parity_difference": "everybody",
    "equalized_odds_difference": "each label",
    "equalized_odds_sum": "each label",
    "equal_opportunity_difference": "favourable",
    "false_positive_rate_difference": "others",
}
# Rows that a rate should rest on.
FEW_ROWS = 20


class DifferenceInterval(NamedTuple):
    """A difference between groups and its confidence interval.

    Attributes
    ----------
    estimate : float
        The difference on the rows at hand.

    low, high : float
        Ends of the interval, for the sampling of the rows.

    n_samples : int
        Number of rows.
    """

    estimate: float
    low: float
    high: float
    n_samples: int

    def rows_for(self, bound: float) -> int | None:
        """About how many rows would bring the upper end within a bound.

        Parameters
        ----------
        bound : float
            Largest difference allowed.

        Returns
        -------
        n_samples : int or None
            If the estimate stays, rounded up to two digits; the number at hand where
            they do; None where the estimate is not below the bound.

        Examples
        --------
        >>> DifferenceInterval(0.03, 0.0, 0.07, 500).rows_for(0.05)
        2000
        """
        if self.high <= bound:
            return self.n_samples
        if self.estimate >= bound:
            return None
        width, room = self.high - self.estimate, bound - self.estimate
        return two_digits(self.n_samples * (width / room) ** 2)


def two_digits(number: float) -> int:
    """A positive number rounded up to two digits.

    Parameters
    ----------
    number : float
        At least 1.

    Returns
    -------
    rounded : int
        Not below it, but for rounding errors.

    Examples
    --------
    >>> two_digits(1234), two_digits(7.5)
    (1300, 8)
    """
    unit = 10 ** max(math.floor(math.log10(number)) - 1, 0)
    return math.ceil(round(number / unit, 9)) * unit


def difference_interval(
    y_true,
    y_pred,
    *,
    sensitive_features,
    metric="demographic_parity_difference",
    pos_label=None,
    confidence_level=0.95,
    n_bootstrap=1000,
    random_state=None,
):
    """Estimate of a group difference on new data, with its interval.

    What a training says of its own rows flatters. Pass rows that it has not seen: a
    part that was held out, or all rows with decisions made out of fold, as by
    scikit-learn's `cross_val_predict`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels.

    y_pred : array-like of shape (n_samples,)
        Decisions, in the same labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each sample; several columns are crossed.

    metric : {"demographic_parity_difference", "equalized_odds_difference", \
            "equalized_odds_sum", "equal_opportunity_difference", \
            "false_positive_rate_difference"}, default="demographic_parity_difference"
        Which difference.

    pos_label : int, bool or str, default=None
        The favourable label, as of :func:`fairness_summary`.

    confidence_level : float, default=0.95
        Of the interval, in (0, 1).

    n_bootstrap : int, default=1000
        Resamples, drawn within each group and label; at least 1.

    random_state : int, RandomState or None, default=None
        Seed of the resamples.

    Returns
    -------
    interval : DifferenceInterval
        With ``estimate``, ``low``, ``high``, ``n_samples`` and ``rows_for(bound)``. It
        tells how far these rows may mislead, not how another training would turn out.

    Raises
    ------
    TypeError
        If `n_bootstrap` is no whole number.

    ValueError
        If the metric is unknown, `confidence_level` out of range or `n_bootstrap` below
        1; and as of :func:`fairness_summary`.

    Warns
    -----
    SkfairRunnerWarning
        If fewer than 20 rows of a group tell one of the rates that are compared, with
        the number of rows that it would take; and as of :func:`fairness_summary`.

    Examples
    --------
    >>> import numpy as np
    >>> from skfair_runner.metrics import difference_interval
    >>> groups, y = np.repeat(["a", "b"], 200), np.tile([0, 1], 200)
    >>> decided = np.where(np.arange(400) % 10 < 5, 1, 0)
    >>> decided[:40] = 1
    >>> found = difference_interval(
    ...     y, decided, sensitive_features=groups, random_state=0
    ... )
    >>> round(found.estimate, 2), bool(found.low < 0.05), found.rows_for(0.15)
    (0.1, True, 1500)
    """
    caller = "difference_interval"
    if metric not in _TOLD_BY:
        raise ValueError(
            f"{caller}: there is no metric {metric!r}: pass one of {list(_TOLD_BY)}."
        )
    if not isinstance(confidence_level, Real) or not 0 < confidence_level < 1:
        raise ValueError(
            f"{caller}: confidence_level={confidence_level!r} is not between 0 and 1."
        )
    enough = "an interval is told by resamples, and 1000 of them tell it well."
    check_count(n_bootstrap, "n_bootstrap", caller, enough)
    rates = compute_rates(y_true, y_pred, sensitive_features, None, pos_label, caller)
    labels, codes = rates.labels, rates.groups.codes
    sizes = len(rates.n), len(labels.classes)
    counts = count_decisions(codes, labels.y_true, labels.y_pred, *sizes)
    _warn_of_few(counts.sum(axis=2), metric, rates, caller)
    rng = np.random.default_rng(draw_seed(random_state))
    compared = labels.favourable.tolist()
    errors = errors_of_decisions(counts, compared, n_bootstrap, rng)[metric]
    width = float(np.quantile(np.abs(errors), confidence_level))
    estimate = differences_of(rates)[metric]
    return DifferenceInterval(
        estimate, *ends_around(metric, estimate, width), len(codes)
    )


def ends_around(measure, estimate, width):
    """Ends of an interval, within what the measure can be.

    Parameters
    ----------
    measure : str
        Its name.

    estimate, width : float
        Its value, and half the width of the interval.

    Returns
    -------
    low, high : float
        At least 0; at most 1, or 2 for the sum of two differences.
    """
    largest = 2.0 if measure == "equalized_odds_sum" else 1.0
    return max(estimate - width, 0.0), min(estimate + width, largest)


def _warn_of_few(sizes, metric, rates, caller):
    """Name a cell that is too small to tell a rate by; sizes are by group and label."""
    told_by, favourable = _TOLD_BY[metric], rates.labels.favourable
    if told_by == "everybody":
        by_rate, names = sizes.sum(axis=1, keepdims=True), [None]
    else:
        codes = list(range(sizes.shape[1]))
        if len(favourable) == 1 and told_by != "each label":
            is_told = [(c == favourable[0]) == (told_by == "favourable") for c in codes]
            codes = [c for c, told in zip(codes, is_told, strict=True) if told]
        by_rate, names = sizes[:, codes], [rates.labels.classes[c] for c in codes]
    least = int(by_rate.min())
    if least >= FEW_ROWS:
        return
    group, rate = np.unravel_index(by_rate.argmin(), by_rate.shape)
    of_label = "" if names[rate] is None else f" with the label {names[rate]!r}"
    n_rows = len(rates.groups.codes)
    needed = "more rows of it"
    if least:
        wanted = two_digits(FEW_ROWS * n_rows / least)
        needed = f"about {wanted:,} rows in place of {n_rows:,}"
    warnings.warn(
        f"{caller}: only {least} rows of group {rates.groups.labels[group]!r}"
        f"{of_label} tell a rate that is compared, where at least {FEW_ROWS} should: "
        f"its difference is mostly noise. That takes {needed}.",
        SkfairRunnerWarning,
        stacklevel=3,
    )
