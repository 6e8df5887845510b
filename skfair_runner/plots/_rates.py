"""Rates of the groups with their confidence intervals."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

RATES = (
    "selection_rate",
    "base_rate",
    "true_positive_rate",
    "false_positive_rate",
    "accuracy",
)


def check_request(metrics, confidence, caller):
    """Refuse metrics that are no rates, and a confidence that is no share.

    Parameters
    ----------
    metrics : sequence of str
        What was asked for.

    confidence : float or None
        Of the intervals.

    caller : str
        Who asks; begins the error messages.

    Raises
    ------
    ValueError
        If a metric is not in `RATES`, there is none, or `confidence` is out of range.
    """
    unknown = [name for name in metrics if name not in RATES]
    if unknown or len(metrics) == 0:
        raise ValueError(
            f"{caller}: metrics must be some of {list(RATES)}, got {list(metrics)}. "
            "Other metrics are drawn by from_table."
        )
    if confidence is not None and not 0 < confidence < 1:
        raise ValueError(
            f"{caller}: confidence must be in (0, 1) or None, got {confidence!r}."
        )


def measure(rates, favourable, metrics, confidence):
    """Rates of every group and of all samples, with intervals.

    Parameters
    ----------
    rates : GroupRates
        From `compute_rates`.

    favourable : int
        Code of the favourable label.

    metrics : list of str
        Among `RATES`.

    confidence : float or None
        Of the intervals; None computes none.

    Returns
    -------
    parameters : dict
        What `GroupMetricsDisplay` takes.
    """
    have = rates.labels.y_true == favourable
    get = rates.labels.y_pred == favourable
    everybody = np.ones(len(have), dtype=bool)
    # Who is counted, and among whom.
    counted = {
        "selection_rate": (get, everybody),
        "base_rate": (have, everybody),
        "true_positive_rate": (get, have),
        "false_positive_rate": (get, ~have),
        "accuracy": (rates.labels.y_true == rates.labels.y_pred, everybody),
    }
    weights = rates.weights
    if weights is None:
        weights = np.ones(len(have))
    index = pd.Index(rates.groups.labels, name=", ".join(rates.groups.columns))
    values, effective, overall = {}, {}, {}
    for name in metrics:
        hit, among = counted[name]
        values[name], effective[name] = _shares(
            hit[among], weights[among], rates.groups.codes[among], len(index)
        )
        whole, _ = _shares(hit[among], weights[among], np.zeros(among.sum(), int), 1)
        overall[name] = whole[0]
    values = pd.DataFrame(values, index=index)
    low = high = None
    if confidence is not None:
        ends = wilson_interval(
            values.to_numpy(), pd.DataFrame(effective).to_numpy(), confidence
        )
        low, high = (pd.DataFrame(e, index, values.columns) for e in ends)
    return {
        "values": values,
        "sizes": pd.Series(rates.n, index=index, name="n"),
        "low": low,
        "high": high,
        "overall": pd.Series(overall),
        "confidence": confidence,
    }


def _shares(hit, weights, codes, n_groups):
    """Weighted share of hits in each group, and the effective number of samples."""
    total = np.bincount(codes, weights, minlength=n_groups)
    hits = np.bincount(codes, weights * hit, minlength=n_groups)
    squares = np.bincount(codes, weights**2, minlength=n_groups)
    nobody = np.full(n_groups, np.nan)
    some = total > 0
    shares = np.divide(hits, total, out=nobody.copy(), where=some)
    # Kish's effective sample size: n where all weigh the same.
    return shares, np.divide(total**2, squares, out=nobody, where=some)


def wilson_interval(share, n, confidence):
    """Confidence interval of a share (Wilson, 1927, JASA 22).

    Parameters
    ----------
    share : ndarray
        Observed, in [0, 1].

    n : ndarray
        Number of samples, positive.

    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : ndarray
        Ends of the interval, in [0, 1], around `share`.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = wilson_interval(np.array([0.0]), np.array([10.0]), 0.95)
    >>> low.round(3), high.round(3)
    (array([0.]), array([0.278]))
    """
    z = ndtri((1 + confidence) / 2)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    # By rounding, the end at a share of 0 or 1 would lie beyond it.
    return np.clip(centre - half, 0, share), np.clip(centre + half, share, 1)
