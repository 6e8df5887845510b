"""Decisions of low confidence made by the group (Kamiran, Karim & Zhang, 2012).

Functions of scores, groups and the threshold of confidence; no estimator.
"""

import numpy as np

_MOST_CANDIDATES = 1000


def find_disadvantaged(favoured, groups, n_groups):
    """Groups whose rate of favourable decisions is below the overall one.

    Parameters
    ----------
    favoured : ndarray of shape (n_samples,), dtype bool
        Whether the decision is the favourable one.

    groups : ndarray of shape (n_samples,), dtype int64
        Group code of each sample.

    n_groups : int
        Number of groups.

    Returns
    -------
    disadvantaged : ndarray of shape (n_groups,), dtype bool
        All False where all rates are equal.

    Examples
    --------
    >>> import numpy as np
    >>> find_disadvantaged(np.array([True, True, False]), np.array([0, 1, 1]), 2)
    array([False,  True])
    """
    counts = np.bincount(groups, minlength=n_groups)
    selected = np.bincount(groups[favoured], minlength=n_groups)
    # In whole numbers, so that equal rates do not differ by rounding.
    return selected * counts.sum() < selected.sum() * counts


def reject_option_scores(scores, disadvantaged, theta):
    r"""Scores of the favourable label, mirrored at ½ where the group decides.

    That is where :math:`\max(p, 1 - p) < \theta`. There the disadvantaged get the
    larger of :math:`p` and :math:`1 - p`, the others the smaller one.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Probability of the favourable label.

    disadvantaged : ndarray of shape (n_samples,), dtype bool
        Whether a sample's group is a disadvantaged one.

    theta : float
        Confidence below which the group decides, in [0.5, 1].

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        Above ½ for the disadvantaged in the critical region, below for the others.

    Examples
    --------
    >>> import numpy as np
    >>> scores = np.array([0.45, 0.45, 0.55, 0.9])
    >>> disadvantaged = np.array([True, False, False, False])
    >>> reject_option_scores(scores, disadvantaged, 0.6)
    array([0.55, 0.45, 0.45, 0.9 ])
    """
    confidence = np.maximum(scores, 1 - scores)
    # A score of exactly one half would leave the decision open.
    above = np.maximum(confidence, np.nextafter(0.5, 1))
    below = np.minimum(1 - confidence, np.nextafter(0.5, 0))
    mirrored = np.where(disadvantaged, above, below)
    return np.where(confidence < theta, mirrored, scores)


def theta_candidates(scores):
    """Confidences below which the group may decide, from 0.5, where it never does.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Probability of the favourable label.

    Returns
    -------
    thetas : ndarray of shape (n_candidates,)
        Rising, in [0.5, 1]: halfway between the confidences that occur, or between a
        thousand of them, evenly spaced in rank.

    Examples
    --------
    >>> import numpy as np
    >>> theta_candidates(np.array([0.375, 0.75, 0.25]))
    array([0.5   , 0.6875, 1.    ])
    """
    found = np.unique(np.maximum(scores, 1 - scores))
    halfway = np.append((found[:-1] + found[1:]) / 2, 1.0)
    if len(halfway) > _MOST_CANDIDATES:
        chosen = np.linspace(0, len(halfway) - 1, _MOST_CANDIDATES).round().astype(int)
        halfway = halfway[chosen]
    return np.unique(np.append(0.5, halfway))


def evaluate_thetas(thetas, scores, plain, task, disadvantaged, within):
    """Group difference and balanced accuracy at each theta, in one pass.

    Parameters
    ----------
    thetas : ndarray of shape (n_thetas,)
        Rising.

    scores : ndarray of shape (n_samples,)
        Probability of the favourable label.

    plain : ndarray of shape (n_samples,), dtype bool
        Whether the estimator's own decision is the favourable one.

    task : LabelsAndGroups
        Labels and groups of the samples.

    disadvantaged : ndarray of shape (n_groups,), dtype bool
        Which groups are favoured in the critical region.

    within : tuple of int or None
        Labels within which groups are compared; None for everybody.

    Returns
    -------
    difference, balanced_accuracy : ndarray of shape (n_thetas,)
        In [0, 1].
    """
    n_thetas, n_groups = len(thetas), task.groups.n_groups
    counts = task.counts()  # (2, n_groups)
    cells = task.favoured * n_groups + task.groups.codes
    start = np.bincount(cells, weights=plain, minlength=2 * n_groups)
    # A decision changes at the first theta above its confidence.
    place = np.searchsorted(thetas, np.maximum(scores, 1 - scores), side="right")
    change = disadvantaged[task.groups.codes].astype(float) - plain
    seen = place < n_thetas
    changes = np.bincount(
        (place * 2 * n_groups + cells)[seen],
        weights=change[seen],
        minlength=n_thetas * 2 * n_groups,
    )
    selected = start + changes.reshape(n_thetas, -1).cumsum(axis=0)
    selected = selected.reshape(n_thetas, 2, n_groups)
    fpr, tpr = np.moveaxis(selected.sum(axis=2) / counts.sum(axis=1), 1, 0)
    if within is None:
        rates = (selected.sum(axis=1) / counts.sum(axis=0))[:, None]
    else:
        rates = selected[:, [*within]] / counts[[*within]]
    difference = np.ptp(rates, axis=2).max(axis=1)
    return difference, (tpr + 1 - fpr) / 2


def best_theta(difference, balanced_accuracy, difference_bound):
    """The most accurate theta within the bound, else the one nearest to it.

    Parameters
    ----------
    difference, balanced_accuracy : ndarray of shape (n_thetas,)
        At each theta, rising; from `evaluate_thetas`.

    difference_bound : float
        Largest difference allowed.

    Returns
    -------
    position : int
        Of the best; of equally good ones the first, which changes the fewest decisions.

    Examples
    --------
    >>> import numpy as np
    >>> accuracy = np.array([0.8, 0.78, 0.7])
    >>> best_theta(np.array([0.3, 0.04, 0.01]), accuracy, 0.05)
    1
    >>> best_theta(np.array([0.3, 0.25, 0.2]), accuracy, 0.05)
    2
    """
    # Rates are quotients of counts; a bound that is met exactly counts as met.
    within = np.flatnonzero(difference <= difference_bound + 1e-9)
    if len(within) == 0:
        within = np.flatnonzero(difference <= difference.min() + 1e-9)
    return int(within[balanced_accuracy[within].argmax()])
