"""Group metrics of scores, which hold for every cut-off at once."""

from dataclasses import replace
from typing import Any

import numpy as np

from skfair_runner.groups import check_at_least_two
from skfair_runner.metrics.labels import encode_classes
from skfair_runner.metrics.rates import as_groups, check_weights, present_groups

# A reference distribution with this many steps bounds most pairs of groups from above.
_N_STEPS = 256
# Cut-offs × groups held at a time.
_BLOCK = 4_000_000


def area_between_cdfs(y_score, *, sensitive_features, y_true=None, sample_weight=None):
    r"""Area between the score distributions of two groups, the largest over pairs.

    The demographic parity difference of two groups, averaged over all cut-offs
    in [0, 1]; equal to the Wasserstein-1 distance of their scores. Also known
    as ABCC. Exact, by sorting.

    .. math:: \max_{g, h} \int_0^1 |F_g(t) - F_h(t)| \, dt

    Parameters
    ----------
    y_score : array-like of shape (n_samples,) or (n_samples, n_classes)
        Probability of the favourable label, in [0, 1]. Of two columns the
        second is taken, of more the one with the largest area.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each sample; several columns are crossed. An encoded
        `skfair_runner.groups.Groups` is taken as it is.

    y_true : array-like of shape (n_samples,), default=None
        Labels. When given, groups are compared within each label, as
        equalized odds does, and the result is the mean over the labels.

    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample; None weighs all the same.

    Returns
    -------
    area : float
        In [0, 1]; 0 when all groups have the same distribution of scores.

    Raises
    ------
    ValueError
        If a score lies outside of [0, 1], or fewer than two groups are present,
        for `y_true` within some label.

    Notes
    -----
    Two groups take O(n log n). With more, pairs that cannot have the largest
    area are left out by their distance to a common distribution; the others
    are computed one by one.

    Examples
    --------
    >>> from skfair_runner.metrics import area_between_cdfs
    >>> area_between_cdfs([0.25, 0.5, 0.5, 1.0], sensitive_features=list("aabb"))
    0.375
    """
    caller = "area_between_cdfs"
    columns = _score_columns(y_score, caller)
    if columns.min() < 0 or columns.max() > 1:
        outside = columns.min() if columns.min() < 0 else columns.max()
        raise ValueError(
            f"{caller}: y_score must hold probabilities in [0, 1], got {outside}. "
            "Pass what `predict_proba` returns, or scores scaled to [0, 1]."
        )
    groups, weights, kept = _who_counts(
        y_score, columns, sensitive_features, sample_weight, caller
    )
    if y_true is None:
        check_at_least_two(groups, caller)
        return _largest_area(columns[kept], groups, weights)
    (labels,), values = encode_classes({"y_true": y_true}, caller)
    if len(labels) != len(columns):
        raise ValueError(
            f"{caller}: y_true has {len(labels)} samples, y_score has {len(columns)}; "
            "pass one label per score."
        )
    areas = []
    for code in np.unique(labels[kept]):
        where = labels[kept] == code
        inside = present_groups(replace(groups, codes=groups.codes[where]))
        check_at_least_two(inside, f"{caller} within label {values[code]!r}")
        areas.append(_largest_area(columns[kept][where], inside, weights[where]))
    return float(np.mean(areas))


def largest_demographic_parity_difference(
    y_score,
    *,
    sensitive_features,
    selection_rates=(0.05, 0.5),
    sample_weight=None,
):
    """Largest demographic parity difference over a range of cut-offs.

    Every distinct score is a cut-off, which selects the samples with this score
    or a higher one. Only cut-offs with a selection rate in `selection_rates`
    count.

    Parameters
    ----------
    y_score : array-like of shape (n_samples,) or (n_samples, n_classes)
        Score of the favourable label, in any unit. Of two columns the second
        is taken, of more the one with the largest difference.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each sample; several columns are crossed. An encoded
        `skfair_runner.groups.Groups` is taken as it is.

    selection_rates : tuple of (float, float), default=(0.05, 0.5)
        Smallest and largest share of all samples that a cut-off may select, in
        [0, 1].

    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample; None weighs all the same.

    Returns
    -------
    difference : float
        In [0, 1], or NaN if no cut-off has a selection rate in the range, as
        happens with few distinct scores.

    Raises
    ------
    ValueError
        If scores are missing or infinite, fewer than two groups are present,
        or `selection_rates` is no range within [0, 1].

    Examples
    --------
    >>> from skfair_runner.metrics import largest_demographic_parity_difference
    >>> largest_demographic_parity_difference(
    ...     [0.9, 0.8, 0.3, 0.6, 0.2, 0.1], sensitive_features=list("aaabbb")
    ... )
    0.6666666666666666
    """
    caller = "largest_demographic_parity_difference"
    low, high = selection_rates
    if not 0 <= low <= high <= 1:
        raise ValueError(
            f"{caller}: selection_rates must be a range within [0, 1], as in "
            f"(0.05, 0.5), got {selection_rates!r}."
        )
    columns = _score_columns(y_score, caller)
    groups, weights, kept = _who_counts(
        y_score, columns, sensitive_features, sample_weight, caller
    )
    check_at_least_two(groups, caller)
    found = [
        _largest_difference(scores, groups, weights, low, high)
        for scores in columns[kept].T
    ]
    finite = [value for value in found if not np.isnan(value)]
    return max(finite) if finite else float("nan")


def _score_columns(y_score: Any, caller: str) -> np.ndarray:
    """Scores of shape (n_samples, n_compared), finite."""
    scores = np.asarray(y_score, dtype=np.float64)
    if scores.ndim not in (1, 2) or 0 in scores.shape:
        raise ValueError(
            f"{caller}: y_score must have shape (n_samples,) or (n_samples, n_classes) "
            f"with at least one sample, got {scores.shape}."
        )
    wrong = scores[~np.isfinite(scores)]
    if wrong.size:
        raise ValueError(
            f"{caller}: y_score must be finite, got {wrong[0]} among {scores.size} "
            "values."
        )
    if scores.ndim == 1:
        return scores[:, None]
    return scores[:, 1:] if scores.shape[1] == 2 else scores


def _who_counts(y_score, columns, sensitive_features, sample_weight, caller):
    """Groups and weights of the samples of positive weight, and which these are."""
    groups = as_groups(sensitive_features, y_score, "y_score", caller)
    weights = check_weights(sample_weight, len(columns), caller)
    if weights is None:
        weights = np.ones(len(columns))
    kept = weights > 0
    groups = replace(groups, codes=groups.codes[kept])
    return present_groups(groups), weights[kept], kept


def _largest_area(columns, groups, weights):
    """Largest area over columns of scores and pairs of groups."""
    areas = [_largest_over_pairs(scores, groups, weights) for scores in columns.T]
    return float(max(areas))


def _largest_over_pairs(scores, groups, weights):
    """Largest area between the distributions of two groups."""
    if groups.n_groups == 2:
        return _area_of_two(scores, groups.codes, weights)
    order = np.lexsort((scores, groups.codes))
    starts = np.cumsum(np.bincount(groups.codes))[:-1]
    distributions = [
        (values, np.concatenate(([0.0], np.cumsum(mass) / mass.sum())))
        for values, mass in zip(
            np.split(scores[order], starts),
            np.split(weights[order], starts),
            strict=True,
        )
    ]
    steps = np.quantile(scores, (np.arange(_N_STEPS) + 0.5) / _N_STEPS)
    common = (steps, np.linspace(0, 1, _N_STEPS + 1))
    # By the triangle inequality two groups are no further apart than the sum of their
    # distances to any common distribution.
    reach = np.array([_area(one, common) for one in distributions])
    means = [values @ np.diff(shares) for values, shares in distributions]
    lowest, highest = int(np.argmin(means)), int(np.argmax(means))
    best = _area(distributions[lowest], distributions[highest])
    by_reach = np.argsort(-reach)
    for position, one in enumerate(by_reach):
        for other in by_reach[position + 1 :]:
            if reach[one] + reach[other] <= best:
                break
            best = max(best, _area(distributions[one], distributions[other]))
    return best


def _area_of_two(scores, codes, weights):
    """Area between the distributions of the groups 0 and 1, in one sort."""
    order = np.argsort(scores)
    shares = weights / np.bincount(codes, weights)[codes]
    apart = np.where(codes == 0, shares, -shares)[order].cumsum()[:-1]
    return np.abs(apart) @ np.diff(scores[order])


def _area(one, other):
    """Area between two distributions, given as sorted values and cumulated shares."""
    (one_values, one_shares), (other_values, other_shares) = one, other
    steps = np.sort(np.concatenate((one_values, other_values)))
    left = steps[:-1]
    one_below = one_shares[np.searchsorted(one_values, left, side="right")]
    other_below = other_shares[np.searchsorted(other_values, left, side="right")]
    return np.abs(one_below - other_below) @ np.diff(steps)


def _largest_difference(scores, groups, weights, low, high):
    """Largest difference in selection rate over the cut-offs within the range."""
    order = np.argsort(-scores, kind="stable")
    scores, weights, codes = scores[order], weights[order], groups.codes[order]
    selected = np.cumsum(weights) / weights.sum()
    # The last sample of each distinct score closes a cut-off.
    closes = np.append(scores[1:] != scores[:-1], True)
    tolerance = 1e-9
    inside = (selected >= low - tolerance) & (selected <= high + tolerance)
    cutoffs = np.flatnonzero(closes & inside)
    total = np.bincount(codes, weights)
    above, start, best = np.zeros(groups.n_groups), 0, float("nan")
    n_at_a_time = max(1, _BLOCK // groups.n_groups)
    for first in range(0, len(cutoffs), n_at_a_time):
        block = cutoffs[first : first + n_at_a_time]
        stop = block[-1] + 1
        rows = np.searchsorted(block, np.arange(start, stop))
        cells = rows * groups.n_groups + codes[start:stop]
        added = np.bincount(
            cells, weights[start:stop], minlength=len(block) * groups.n_groups
        ).reshape(len(block), groups.n_groups)
        counts = above + np.cumsum(added, axis=0)  # (n_cutoffs, n_groups)
        rates = counts / total
        best = np.fmax(best, (rates.max(axis=1) - rates.min(axis=1)).max())
        above, start = counts[-1], stop
    return float(best)
