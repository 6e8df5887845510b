"""How well scores rank the samples that have a label above those that have not."""

import numpy as np


def average_precision_and_area(positive, scores, weights=None):
    """Average precision, and area under the ROC curve, from one sort.

    Parameters
    ----------
    positive : ndarray of shape (n_samples,), dtype bool
        Which samples have the label: some, and not all.

    scores : ndarray of shape (n_samples,)
        Scores; equal ones are one cut-off.

    weights : ndarray of shape (n_samples,) or None, default=None
        Positive weights; None weighs all the same.

    Returns
    -------
    average_precision, area : float
        In [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> average_precision_and_area(
    ...     np.array([True, False, True]), np.array([0.9, 0.8, 0.8])
    ... )
    (0.8333333333333333, 0.75)
    """
    order = np.argsort(-scores)
    scores, positive = scores[order], positive[order]
    weights = np.ones(len(order)) if weights is None else weights[order]
    # The last sample of each distinct score closes a cut-off.
    closes = np.append(scores[1:] != scores[:-1], True)
    right = np.cumsum(np.where(positive, weights, 0.0))[closes]
    wrong = np.cumsum(np.where(positive, 0.0, weights))[closes]
    precision = right / (right + wrong)
    average_precision = np.diff(right, prepend=0.0) @ precision / right[-1]
    area = np.trapezoid(np.append(0.0, right), np.append(0.0, wrong))
    return float(average_precision), float(area / (right[-1] * wrong[-1]))
