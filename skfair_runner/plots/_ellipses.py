"""How sure the place of a point is in two dimensions."""

import numpy as np
from scipy.special import fdtri


def confidence_ellipse(covariance, n_folds, confidence):
    r"""Axes and angle of the confidence region of a mean in two dimensions.

    Hotelling's (1931, The generalization of Student's ratio): the region is where
    :math:`n (x - \bar x)^T S^{-1} (x - \bar x) \le 2 (n - 1) F / (n - 2)` with the
    quantile :math:`F` of 2 and :math:`n - 2` degrees of freedom.

    Parameters
    ----------
    covariance : ndarray of shape (2, 2)
        Sample covariance over the folds.

    n_folds : int
        At least three.

    confidence : float
        In (0, 1).

    Returns
    -------
    width, height : float
        Lengths of the axes, the longer one first.

    angle : float
        Of the longer axis, in degrees from the first dimension.

    Examples
    --------
    >>> width, height, angle = confidence_ellipse(
    ...     np.array([[1.0, 0.0], [0.0, 4.0]]), 10, 0.95
    ... )
    >>> print(round(width / height, 6), round(abs(angle)))
    2.0 90
    """
    quantile = fdtri(2, n_folds - 2, confidence)
    squared_radius = 2 * (n_folds - 1) / (n_folds - 2) * quantile / n_folds
    variances, directions = np.linalg.eigh(covariance)
    # By rounding, the variance along a constant direction may fall below zero.
    lengths = 2 * np.sqrt(variances.clip(min=0) * squared_radius)
    x, y = directions[:, 1]
    return lengths[1], lengths[0], float(np.degrees(np.arctan2(y, x)))
