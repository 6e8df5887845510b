r"""Bootstrap of group differences: how far they may be off, for the rows tested on.

The half-width of an interval is a quantile of :math:`|\phi'(e^*)|`, where :math:`e^*`
are the errors of the rates of resampled rows, stratified over group × label, and
:math:`\phi'` is the directional derivative [1]_ of the measure. A largest rate less a
smallest one has a kink where groups are level: its plain bootstrap is too narrow there,
while the derivative keeps every group that may be the largest or the smallest.

References
----------
.. [1] Z. Fang and A. Santos (2019). Inference on directionally differentiable
   functions. Review of Economic Studies 86(1), section 3. The groups that may be the
   largest are those within three standard errors of it.
"""

from itertools import combinations

import numpy as np

# Standard errors within which two values count as level.
_LEVEL = 3.0
# Cut-offs on which score distributions are compared.
_N_CUTOFFS = 64


def derivative_of_max(values, errors):
    """Errors of a maximum: the largest error of all that may be the maximum.

    Parameters
    ----------
    values : ndarray of shape (..., n_values)
        Estimates.

    errors : ndarray of shape (n_bootstrap, ..., n_values)
        Errors of the estimates in each resample.

    Returns
    -------
    errors : ndarray of shape (n_bootstrap, ...)
        Of the maximum over the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> errors = np.array([[0.1, -0.1], [-0.1, 0.1]])
    >>> derivative_of_max(np.array([0.5, 0.5]), errors)
    array([0.1, 0.1])
    >>> derivative_of_max(np.array([1.5, 0.5]), errors)
    array([ 0.1, -0.1])
    """
    top = values.argmax(axis=-1)[..., None]
    lead = np.take_along_axis(values, top, axis=-1) - values
    everywhere = np.broadcast_to(top, (*errors.shape[:-1], 1))
    of_top = np.take_along_axis(errors, everywhere, axis=-1)
    may_be_top = lead <= _LEVEL * (errors - of_top).std(axis=0)
    return np.where(may_be_top, errors, -np.inf).max(axis=-1)


def derivative_of_range(values, errors):
    """Errors of a largest value less a smallest one.

    Parameters
    ----------
    values : ndarray of shape (..., n_values)
        Estimates.

    errors : ndarray of shape (n_bootstrap, ..., n_values)
        Errors of the estimates in each resample.

    Returns
    -------
    errors : ndarray of shape (n_bootstrap, ...)
        Of the range over the last axis.
    """
    return derivative_of_max(values, errors) + derivative_of_max(-values, -errors)


def _derivative_of_size(values, errors):
    """Errors of |a|, the larger of a and −a, elementwise."""
    clear = np.abs(values) > _LEVEL * errors.std(axis=0)
    return np.where(clear, np.sign(values) * errors, np.abs(errors))


def resample_cells(counts, n_bootstrap, rng):
    """Numbers of decisions in resampled rows, less what is expected of them.

    The rows of every group and label are drawn anew, as many as there are. One imagined
    row, spread evenly over the decisions, joins those drawn from: without it, five rows
    with the same decision would count as certain.

    Parameters
    ----------
    counts : ndarray of shape (..., n_groups, n_classes, n_classes)
        Rows of each group, label and decision.

    n_bootstrap : int
        Number of resamples.

    rng : Generator
        Source of randomness; what is drawn for one table of counts does not depend on
        those that follow.

    Returns
    -------
    errors : ndarray of shape (n_bootstrap, ..., n_groups, n_classes, n_classes)
        Numbers of rows.
    """
    sizes = counts.sum(axis=-1)
    chances = (counts + 1 / counts.shape[-1]) / (sizes[..., None] + 1)
    each = np.expand_dims(sizes, -3), np.expand_dims(chances, -4)
    drawn = rng.multinomial(
        *each, size=(*sizes.shape[:-2], n_bootstrap, *sizes.shape[-2:])
    )
    # Resamples side by side in memory: what follows reduces over a few groups of each.
    return np.asfortranarray(np.moveaxis(drawn, -4, 0) - sizes[..., None] * chances)


def count_decisions(groups, labels, decided, n_groups, n_classes):
    """Rows of each group, label and decision.

    Parameters
    ----------
    groups, labels, decided : ndarray of shape (n_samples,)
        Codes.

    n_groups, n_classes : int
        Number of groups, and of labels.

    Returns
    -------
    counts : ndarray of shape (n_groups, n_classes, n_classes)
        Numbers of rows.
    """
    cells = (groups * n_classes + labels) * n_classes + decided
    counts = np.bincount(cells, minlength=n_groups * n_classes**2)
    return counts.reshape(n_groups, n_classes, n_classes)


def rates_of_cells(cells, sizes):
    """Rates of every group for every class, linear in the numbers of rows.

    Parameters
    ----------
    cells : ndarray of shape (..., n_groups, n_classes, n_classes)
        Rows of each group, label and decision, or their errors.

    sizes : ndarray of shape (..., n_groups, n_classes)
        Rows of each group and label.

    Returns
    -------
    selection, true_positive, false_positive : ndarray of shape \
            (..., n_classes, n_groups)
        Rates; 0 where there are no rows.
    """
    everybody = sizes.sum(axis=-1, keepdims=True)
    given = cells.sum(axis=-2)
    right = np.diagonal(cells, axis1=-2, axis2=-1)
    rates = (
        given / everybody.clip(min=1),
        right / sizes.clip(min=1),
        (given - right) / (everybody - sizes).clip(min=1),
    )
    return tuple(np.moveaxis(rate, -1, -2) for rate in rates)


def errors_of_decisions(counts, compared, n_bootstrap, rng):
    """Errors of the measures of decisions in every resample.

    Parameters
    ----------
    counts : ndarray of shape (..., n_groups, n_classes, n_classes)
        Rows of each group, label and decision; every group has some.

    compared : sequence of int
        Classes whose rates are compared between groups.

    n_bootstrap : int
        Number of resamples.

    rng : Generator
        Source of randomness.

    Returns
    -------
    errors : dict of str to ndarray of shape (n_bootstrap, ...)
        By the name of the measure.
    """
    sizes = counts.sum(axis=-1)
    wrong = resample_cells(counts, n_bootstrap, rng)
    pairs = zip(
        rates_of_cells(counts, sizes), rates_of_cells(wrong, sizes), strict=True
    )
    pairs = ((part[..., compared, :] for part in pair) for pair in pairs)
    # Differences of each class, (..., n_compared), and their errors.
    (selection, selection_off), (true, true_off), (false, false_off) = (
        (np.ptp(rates, axis=-1), derivative_of_range(rates, off))
        for rates, off in pairs
    )
    both = np.append(true, false, axis=-1), np.append(true_off, false_off, axis=-1)
    right = np.diagonal(wrong, axis1=-2, axis2=-1).sum(axis=-2)
    of_label = sizes.sum(axis=-2)
    n_occurring = (of_label > 0).sum(axis=-1)
    return {
        "accuracy": right.sum(axis=-1) / of_label.sum(axis=-1),
        "balanced_accuracy": (right / of_label.clip(min=1)).sum(axis=-1) / n_occurring,
        "demographic_parity_difference": derivative_of_max(selection, selection_off),
        "equal_opportunity_difference": derivative_of_max(true, true_off),
        "false_positive_rate_difference": derivative_of_max(false, false_off),
        "equalized_odds_difference": derivative_of_max(*both),
        "equalized_odds_sum": derivative_of_max(true + false, true_off + false_off),
    }


def errors_of_distributions(scores, labels, groups, n_bootstrap, rng):
    """Errors of the area between score distributions in every resample.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_compared)
        Scores in [0, 1], of each class that is compared.

    labels, groups : ndarray of shape (n_samples,)
        Codes; every group has rows.

    n_bootstrap : int
        Number of resamples.

    rng : Generator
        Source of randomness.

    Returns
    -------
    errors : ndarray of shape (n_bootstrap,)
        Of the largest area over classes and pairs of groups.
    """
    areas, wrongs = [], []
    for column in scores.T:
        shares, errors = _distributions(column, labels, groups, n_bootstrap, rng)
        for one, other in combinations(range(len(shares)), 2):
            apart, wrong = shares[one] - shares[other], errors[one] - errors[other]
            areas.append(np.abs(apart).mean())
            wrongs.append(_derivative_of_size(apart, wrong).mean(axis=-1))
    return derivative_of_max(np.array(areas), np.stack(wrongs, axis=-1))


def _distributions(scores, labels, groups, n_bootstrap, rng):
    """Share of each group at or below every cut-off, and its errors.

    Shapes (n_groups, n_cutoffs) and (n_groups, n_bootstrap, n_cutoffs).
    """
    bins = np.minimum((scores * _N_CUTOFFS).astype(np.int64), _N_CUTOFFS - 1)
    n_groups = groups.max() + 1
    shares = np.zeros((n_groups, _N_CUTOFFS))
    errors = np.zeros((n_groups, n_bootstrap, _N_CUTOFFS))
    for group in range(n_groups):
        inside = groups == group
        for label in np.unique(labels[inside]):
            counts = np.bincount(bins[inside & (labels == label)], minlength=_N_CUTOFFS)
            occupied = np.flatnonzero(counts)
            drawn = _redraw(counts[occupied], n_bootstrap, rng)
            errors[group][:, occupied] += drawn - counts[occupied]
            shares[group] += counts
        shares[group] = shares[group].cumsum() / inside.sum()
        errors[group] = errors[group].cumsum(axis=-1) / inside.sum()
    return shares, errors


def _redraw(counts, n_bootstrap, rng):
    """Multinomial numbers of shape (n_bootstrap, n_values), of as many rows again."""
    size, n_values = counts.sum(), len(counts)
    if size > 32 * n_values:
        return rng.multinomial(size, counts / size, size=n_bootstrap)
    # Row by row takes less time where rows are few.
    rows = np.repeat(np.arange(n_values), counts)
    drawn = rows[rng.integers(size, size=(n_bootstrap, size))]
    drawn += n_values * np.arange(n_bootstrap)[:, None]
    return np.bincount(drawn.ravel(), minlength=n_bootstrap * n_values).reshape(
        n_bootstrap, n_values
    )


def half_width(errors, blocks, level):
    """Half-width of the interval around a mean over folds.

    Parameters
    ----------
    errors : ndarray of shape (n_folds, n_bootstrap)
        Errors of the measure on every fold, each fold resampled by itself.

    blocks : ndarray of shape (n_folds,)
        Folds of one block share no row, so that their errors average out. Those of
        different blocks test the same rows, so that theirs do not.

    level : float
        Confidence level, in (0, 1).

    Returns
    -------
    width : float
        Not negative.

    Examples
    --------
    >>> import numpy as np
    >>> errors = np.array([[0.1, -0.1], [-0.1, 0.1]])
    >>> half_width(errors, np.array([0, 0]), 0.95), half_width(
    ...     errors, np.array([0, 1]), 0.95
    ... )
    (0.0, 0.1)
    """
    total = 0.0
    for block in np.unique(blocks):
        inside = errors[blocks == block]
        width = np.quantile(np.abs(inside.mean(axis=0)), level)
        total += width * len(inside) / len(errors)
    return float(total)
