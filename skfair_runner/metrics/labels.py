"""Class labels and decisions turned into codes, and which label is favourable."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

# Integer labels within this range are counted rather than hashed.
_WIDEST_COUNTED = 1000


@dataclass(frozen=True, eq=False)
class Labels:
    """True and predicted labels as codes, and the labels whose rates are compared.

    Attributes
    ----------
    y_true, y_pred : ndarray of shape (n_samples,), dtype int64
        Codes into `classes`.

    classes : tuple
        All labels, sorted.

    favourable : ndarray of shape (n_compared,), dtype int64
        Codes of the labels that are compared with the rest: the favourable
        one, or every class of a multiclass target.
    """

    y_true: np.ndarray
    y_pred: np.ndarray
    classes: tuple
    favourable: np.ndarray


def encode_labels(y_true: Any, y_pred: Any, pos_label: Any, caller: str) -> Labels:
    """Codes of labels and decisions; refuses whatever has no favourable label.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Labels and decisions: integers, booleans or strings.

    pos_label : int, bool, str or None
        The favourable label. None means 1 among {0, 1} and {-1, 1}, True among
        {False, True}, and every class in turn with more than two labels.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    labels : Labels
        Codes, classes and favourable labels.

    Raises
    ------
    ValueError
        If shapes do not fit, values are missing, scores are passed in place of
        decisions, strings are mixed with numbers, or the favourable label is
        not known.
    """
    (true, pred), values = encode_classes({"y_true": y_true, "y_pred": y_pred}, caller)
    classes, favourable, shift = _choose_favourable(values, pos_label, caller)
    return Labels(true + shift, pred + shift, classes, favourable)


def encode_classes(named: dict[str, Any], caller: str) -> tuple[list, list]:
    """Codes of one or more arrays of labels into their common sorted values.

    Parameters
    ----------
    named : dict of str to array-like of shape (n_samples,)
        Arrays of labels, under the names that error messages call them.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    codes : list of ndarray of shape (n_samples,), dtype int64
        Codes of each array.

    classes : list
        The sorted values.

    Raises
    ------
    ValueError
        If shapes do not fit, values are missing, scores are passed in place of
        decisions, or strings are mixed with other labels.
    """
    names = " and ".join(named)
    arrays = [
        _one_label_per_sample(values, name, caller) for name, values in named.items()
    ]
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1 or lengths[0] == 0:
        raise ValueError(
            f"{caller}: {names} must hold one label per sample and at least one, got "
            f"{' and '.join(map(str, lengths))} samples."
        )
    small = _small_integers(arrays)
    if small is not None:
        return small
    if not all(array.dtype.kind in "biuf" for array in arrays):
        arrays = [array.astype(object) for array in arrays]
    codes, found = pd.factorize(np.concatenate(arrays))
    if codes.min() < 0:
        raise ValueError(
            f"{caller}: {names} must not have missing values, got "
            f"{np.count_nonzero(codes < 0)}; leave these samples out."
        )
    values = np.asarray(found).tolist()
    _check_values(values, names, caller)
    order = sorted(range(len(values)), key=values.__getitem__)
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.arange(len(values))
    return np.split(rank[codes], len(arrays)), [values[k] for k in order]


def _small_integers(arrays):
    """Codes and values of integers or booleans in a narrow range; None for others.

    They are counted instead of hashed, which is several times faster.
    """
    if not all(array.dtype.kind in "bi" for array in arrays):
        return None
    dtype = np.result_type(*arrays)
    lowest = min(int(array.min()) for array in arrays)
    width = max(int(array.max()) for array in arrays) - lowest + 1
    if width > _WIDEST_COUNTED:
        return None
    shifted = [array.astype(np.int64) - lowest for array in arrays]
    occurs = sum(np.bincount(array, minlength=width) for array in shifted) > 0
    values = (np.flatnonzero(occurs) + lowest).astype(dtype).tolist()
    if len(values) == width:
        return shifted, values
    rank = np.cumsum(occurs) - 1
    return [rank[array] for array in shifted], values


def _one_label_per_sample(values, name, caller):
    """Array of shape (n_samples,)."""
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"{caller}: {name} must hold one label per sample, got shape "
            f"{array.shape}. Decisions come from `predict`, not `predict_proba`."
        )
    return array


def _check_values(values, names, caller):
    """Refuse scores, and strings beside numbers."""
    for value in values:
        if isinstance(value, float) and not value.is_integer():
            raise ValueError(
                f"{caller} compares decisions, but {names} must not hold {value!r}, "
                "which is no class label. Pass what `predict` returns, or cut scores "
                "off, as in y_score >= 0.5."
            )
    strings = [value for value in values if isinstance(value, str)]
    if strings and len(strings) < len(values):
        other = next(value for value in values if not isinstance(value, str))
        raise ValueError(
            f"{caller}: {names} mix strings with other labels, such as {strings[0]!r} "
            f"and {other!r}. Write all in the same labels."
        )


def _choose_favourable(classes, pos_label, caller):
    """Classes, codes of the favourable ones, and how far all codes move up."""
    known = set(classes) <= {0, 1} or set(classes) <= {-1, 1}
    lowest = classes[0]
    if len(classes) == 1:
        classes = _with_other_label(lowest, pos_label, known)
    if pos_label is None and known:
        pos_label = classes[-1]
    if pos_label is None:
        if len(classes) > 2:
            return tuple(classes), np.arange(len(classes)), 0
        raise ValueError(
            f"{caller}: which of the labels {classes} is the favourable one? "
            f"Name it, as in pos_label={classes[-1]!r}."
        )
    if pos_label not in classes:
        raise ValueError(
            f"{caller}: pos_label={pos_label!r} is not among the labels {classes}."
        )
    return tuple(classes), np.array([classes.index(pos_label)]), classes.index(lowest)


def _with_other_label(only, pos_label, known):
    """Sorted labels where one occurs alone: the other, where it is known."""
    if pos_label is not None and pos_label != only:
        # Nobody has or gets the favourable label: a valid, constant result.
        comparable = isinstance(pos_label, str) == isinstance(only, str)
        return sorted((only, pos_label)) if comparable else [only]
    if known:
        return [type(only)(0), only] if only == 1 else [only, type(only)(1)]
    return [only]
