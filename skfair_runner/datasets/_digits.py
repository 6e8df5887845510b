"""Digits in colours that go with the label: images with a known group difference."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.utils import check_random_state, check_scalar

from ._bunch import make_image_bunch

_COLOURS = {"green": (0.25, 1.0, 0.25), "red": (1.0, 0.25, 0.25)}
_LEAST_LARGE_DIGIT = 5

DESCR = """
Biased digits (coloured images)
-------------------------------
Handwritten digits of 8 × 8 pixels, each in one of two colours that have nothing to do
with the digit but go with the label.

Images: 1,797, or a sample of them, uint8 of shape (8, 8, 3).
Target: 1 for the digits 5 to 9, 0 for 0 to 4.
Favourable label: 1.
Sensitive feature: colour (green, red). The share of label 1 among the red digits is
larger than among the green ones by about `strength`.

Source: the digits of scikit-learn, a copy of the test part of Alpaydin, E. and Kaynak,
C. (1998), Optical recognition of handwritten digits, UCI Machine Learning Repository,
https://doi.org/10.24432/C50P49. Coloured by skfair_runner.
Terms: Creative Commons Attribution 4.0 (CC BY 4.0).
"""


def make_biased_digits(
    n_samples=None,
    *,
    strength=0.3,
    noise=0.3,
    return_X_y=False,
    random_state=None,
):
    """Colour scikit-learn's digits so that colour is a group that goes with the label.

    Of each label's images, a share of (1 + `strength`) / 2 gets the label's own colour,
    red for large digits and green for small ones, and the rest the other colour. The
    counts are rounded, not drawn. Noise on the pixels makes the shape harder to read
    than the colour.

    Parameters
    ----------
    n_samples : int or None, default=None
        Number of images, drawn without repetition from 1,797; None takes all.

    strength : float, default=0.3
        In [-1, 1]: how much more frequent label 1 is among red digits than among green
        ones. At 0 colour tells nothing, at 1 everything.

    noise : float, default=0.3
        Standard deviation of the noise on the brightness of a pixel, which is between
        0 and 1; at least 0.

    return_X_y : bool, default=False
        Whether ``(data, target)`` is returned instead of a Bunch.

    random_state : int, RandomState instance or None, default=None
        Makes order, colours and noise repeatable.

    Returns
    -------
    bunch : Bunch
        With the entries

        data : ndarray of shape (n_samples, 8, 8, 3), uint8
            Images, their channels last.
        target : Series of shape (n_samples,)
            1 for the digits 5 to 9, 0 for the others.
        sensitive_features : DataFrame of shape (n_samples, 1)
            The colour of each image.
        target_names, sensitive_names : list of str
            What the labels mean; columns of `sensitive_features`.
        favourable_label : int
            1.
        default_sensitive : str
            Column of `sensitive_features` to use where none is named.
        digits : Series of shape (n_samples,)
            The digit, 0 to 9.
        DESCR : str
            Source, terms, contents.

    Raises
    ------
    TypeError
        If a parameter has a wrong type.

    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> from skfair_runner.datasets import make_biased_digits
    >>> digits = make_biased_digits(strength=0.6, random_state=0)
    >>> digits.data.shape
    (1797, 8, 8, 3)
    >>> digits.target.groupby(digits.sensitive_features["colour"]).mean().round(2)
    colour
    green    0.2
    red      0.8
    Name: large, dtype: float64
    """
    check_scalar(strength, "strength", Real, min_val=-1, max_val=1)
    check_scalar(noise, "noise", Real, min_val=0)
    source = load_digits()
    n_all = len(source.target)
    if n_samples is not None:
        check_scalar(n_samples, "n_samples", Integral, min_val=2, max_val=n_all)
    random_state = check_random_state(random_state)
    rows = random_state.permutation(n_all)[:n_samples]
    digits = source.target[rows]
    large = (digits >= _LEAST_LARGE_DIGIT).astype(np.int64)
    red = _choose_red(large, strength, random_state)

    brightness = source.images[rows] / 16  # (n_samples, 8, 8)
    brightness = brightness + noise * random_state.normal(size=brightness.shape)
    names = list(_COLOURS)
    tint = np.array([_COLOURS[name] for name in names])[red]  # (n_samples, 3)
    pixels = brightness.clip(0, 1)[..., None] * tint[:, None, None]
    return make_image_bunch(
        np.rint(255 * pixels).astype(np.uint8),
        pd.Series(large, name="large"),
        pd.DataFrame({"colour": np.take(names, red)}),
        target_names=["0 to 4", "5 to 9"],
        favourable_label=1,
        default_sensitive="colour",
        descr=DESCR,
        return_X_y=return_X_y,
        digits=pd.Series(digits, name="digit"),
    )


def _choose_red(large, strength, random_state):
    """1 for the images that become red, in exact shares of each label."""
    red = np.zeros(len(large), dtype=np.int64)
    for label in (0, 1):
        members = random_state.permutation(np.flatnonzero(large == label))
        share = (1 + strength) / 2 if label else (1 - strength) / 2
        red[members[: round(share * len(members))]] = 1
    return red
