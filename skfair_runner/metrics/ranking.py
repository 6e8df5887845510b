"""How well scores rank: average precision and ROC AUC from one sort."""

from __future__ import annotations

import numpy as np


def ranking_quality(y, scores, sample_weight=None):
    """Average precision and area under the ROC curve.

    The values of scikit-learn's ``average_precision_score`` and ``roc_auc_score``,
    without their checks and curves, which take longer than the sums for the rows that
    a table of many classifiers is measured on.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the favourable label, else 0; with at least one of each.

    scores : ndarray of shape (n_samples,)
        Scores; equal ones are one cut-off.

    sample_weight : ndarray of shape (n_samples,), default=None
        Not negative; None weighs all the same.

    Returns
    -------
    average_precision, roc_auc : float
        In [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> ranking_quality(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    (0.8333333333333333, 0.75)
    """
    cut_offs, place = np.unique(scores, return_inverse=True)
    weights = np.ones(len(place)) if sample_weight is None else sample_weight
    # By cut-off, in rising order of score.
    positives = np.bincount(place, weights=weights * y, minlength=len(cut_offs))
    rows = np.bincount(place, weights=weights, minlength=len(cut_offs))
    right, above = positives[::-1].cumsum(), rows[::-1].cumsum()
    negatives = rows - positives
    n_positives, n_negatives = right[-1], negatives.sum()
    precision = right / np.where(above > 0, above, 1)
    average_precision = positives[::-1] @ precision / n_positives
    # Of the negatives, those below each cut-off, and half of those at it.
    below = negatives.cumsum() - negatives / 2
    area = positives @ below / (n_positives * n_negatives)
    return float(average_precision), float(area)
