"""Reading and checking what users pass to `fit`; below here nothing is re-checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from .groups import Groups, encode_groups
from .images import ImageSource, read_images
from .utils import check_sample_weight
from .utils._columns import as_table

# Pairs of labels whose larger one is favourable without a word.
_PLAIN_PAIRS = ({0, 1}, {-1, 1})


def take_sensitive_columns(X, columns, *, drop, required=True):
    """Take the sensitive columns out of a DataFrame.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
        The features, with the columns among them.

    columns : str or array-like of str
        Names of the sensitive columns.

    drop : bool
        Whether the columns leave the features.

    required : bool, default=True
        Whether their absence is an error; at prediction it is not.

    Returns
    -------
    X : DataFrame
        The features.

    sensitive_features : Series, DataFrame or None
        The columns; None where absent and not required.

    Raises
    ------
    TypeError
        If X is no DataFrame, and the columns are required.

    ValueError
        If no column is named; if one is not in X, and the columns are required.

    Examples
    --------
    >>> people = pd.DataFrame({"age": [40, 50], "sex": ["f", "m"]})
    >>> X, groups = take_sensitive_columns(people, "sex", drop=True)
    >>> list(X), list(groups)
    (['age'], ['f', 'm'])
    """
    single = isinstance(columns, str)
    names = [columns] if single else pd.Index(columns).tolist()
    if not names:
        raise ValueError(
            f"sensitive_columns={columns!r} names no column: name some, or pass None."
        )
    if not isinstance(X, pd.DataFrame):
        if not required:
            return X, None
        raise TypeError(
            f"sensitive_columns={columns!r} names columns of a DataFrame, but X is a "
            f"{type(X).__name__}: pass a DataFrame, or pass the groups as "
            "fit(X, y, sensitive_features=...)."
        )
    absent = [name for name in names if name not in X.columns]
    if absent and required:
        raise ValueError(
            f"sensitive_columns names {absent[0]!r}, which is not a column of X; its "
            f"columns are {X.columns.tolist()}."
        )
    present = [name for name in names if name in X.columns]
    taken = None
    if not absent:
        taken = X[names[0]] if single else X[names]
    return (X.drop(columns=present) if drop and present else X), taken


def read_samples(X, caller) -> tuple[Any, ImageSource | None]:
    """X as a table or as images, and sliceable by rows without being read.

    Parameters
    ----------
    X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features), or \
            images
        Images are what :func:`~skfair_runner.images.read_images` knows.

    caller : str
        Who asks, for messages.

    Returns
    -------
    X : {DataFrame, ndarray, sparse matrix, Tensor, Images}
        In the container that it came in; a list becomes an array.

    images : ImageSource or None
        The images as a net reads them; None where X is a table.

    Raises
    ------
    TypeError
        If the pixels are neither bytes nor floats.

    ValueError
        If X is neither a table nor images, or as
        :func:`~skfair_runner.images.read_images`.

    Examples
    --------
    >>> X, images = read_samples(np.zeros((7, 16, 16, 3), "uint8"), "fit")
    >>> X.shape, images.shape
    ((7, 16, 16, 3), (7, 3, 16, 16))
    """
    images = read_images(X, caller=caller)
    if images is None:
        return as_table(X, caller), None
    if isinstance(X, list | tuple | ImageSource):
        return images.images, images
    return X, images


def check_image_shape(estimator, images: ImageSource, *, reset: bool) -> None:
    """Keep the shape of the images that are trained on, or compare others with it.

    Parameters
    ----------
    estimator : estimator
        Gets ``image_shape_`` where `reset` is true.

    images : ImageSource
        What it was passed.

    reset : bool
        Whether it is being trained.

    Raises
    ------
    ValueError
        If it was trained on something else.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> clf = SimpleNamespace()
    >>> images = read_images(np.zeros((7, 16, 16, 3)), caller="fit")
    >>> check_image_shape(clf, images, reset=True)
    >>> clf.image_shape_
    (3, 16, 16)
    """
    name, shape = type(estimator).__name__, images.shape[1:]
    known = shape if reset else getattr(estimator, "image_shape_", None)
    if shape != known:
        trained_on = "a table" if known is None else f"images of shape {known}"
        single = known is not None and shape[0] == 1 != known[0]
        hint = "; a single image is X[None]" if single else ""
        raise ValueError(
            f"X holds images of shape {shape}, but this {name} was trained on "
            f"{trained_on}: bring X to what it was trained on{hint}."
        )
    if reset:
        estimator.image_shape_ = shape


def favourable_code(pos_label, classes, *, needed_by=None) -> int:
    """Code of the favourable label among two classes.

    Parameters
    ----------
    pos_label : label or None
        What the user said.

    classes : ndarray of shape (n_classes,)
        Sorted labels.

    needed_by : str, default=None
        What depends on it, such as ``"constraint='true_positive_rate_parity'"``; None
        where nothing does.

    Returns
    -------
    code : int
        1 where nothing depends on it.

    Raises
    ------
    ValueError
        If `pos_label` is not a class, or is needed and cannot be guessed.

    Examples
    --------
    >>> favourable_code("no", np.array(["no", "yes"]))
    0
    """
    if pos_label is not None:
        if pos_label not in classes.tolist():
            raise ValueError(
                f"pos_label={pos_label!r} is not a class of y; the classes are "
                f"{classes.tolist()}."
            )
        return classes.tolist().index(pos_label)
    names = classes.tolist()
    guessable = classes.dtype.kind in "biuf" and set(names) in _PLAIN_PAIRS
    if needed_by and len(classes) == 2 and not guessable:
        raise ValueError(
            f"{needed_by} depends on which label is the favourable one, and the "
            f"classes {names} do not say: pass pos_label={names[1]!r} or "
            f"pos_label={names[0]!r}."
        )
    return 1


def encode_labels(y, classes=None):
    """Class codes and sorted classes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels.

    classes : array-like, default=None
        Known classes; None takes those of y, of which there must be two or more.

    Returns
    -------
    codes : ndarray of shape (n_samples,), dtype int64
        Position of each label among the classes.

    classes : ndarray of shape (n_classes,)
        Sorted.

    Raises
    ------
    TypeError
        If labels of different types cannot be sorted.

    ValueError
        If y is no classification target, if there is one class only, or if y has a
        class that is not known.

    Examples
    --------
    >>> encode_labels(["yes", "no", "yes"])
    (array([1, 0, 1]), array(['no', 'yes'], dtype='<U3'))
    """
    y = column_or_1d(y, warn=True)
    try:
        found, codes = np.unique(y, return_inverse=True)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in y})
        raise TypeError(
            f"y mixes labels of the types {', '.join(kinds)}, which have no order: "
            "convert them to one type, as in y.astype(str)."
        ) from error
    check_classification_targets(y)
    classes = found if classes is None else np.unique(classes)
    if len(classes) < 2:
        raise ValueError(
            "A classifier needs at least two classes, but there is one class only: "
            f"{classes.tolist()}. Check how y was made."
        )
    unknown = [label for label in found.tolist() if label not in classes.tolist()]
    if unknown:
        raise ValueError(
            f"y has the label {unknown[0]!r}, which is not among the known classes "
            f"{classes.tolist()}."
        )
    return np.searchsorted(classes, found)[codes].astype(np.int64), classes


def check_labels_present(y) -> None:
    """Refuse missing labels among objects, which scikit-learn does not look for.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels, as the user passed them.

    Raises
    ------
    ValueError
        If a label is None, NaN or ``pandas.NA``.

    Examples
    --------
    >>> check_labels_present(["yes", "no"])
    """
    missing = np.atleast_1d(pd.isna(np.asarray(y, dtype=object)))
    if y is not None and missing.any():
        raise ValueError(
            f"y contains NaN or None in {missing.sum()} of {len(missing)} rows, first "
            f"in row {missing.argmax()}: leave these rows out, or give them a label."
        )


def read_weights(sample_weight, X) -> np.ndarray | None:
    """Sample weights as float32, or None.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
        Non-negative weights.

    X : array-like of shape (n_samples, ...)
        The samples.

    Returns
    -------
    weights : ndarray of shape (n_samples,) or None
        float32. Only their ratios matter: very large and very small weights are brought
        near one, by a power of two.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all are zero.

    Examples
    --------
    >>> read_weights([3, 1], np.zeros((2, 1)))
    array([3., 1.], dtype=float32)
    """
    if sample_weight is None:
        return None
    weights = check_sample_weight(sample_weight, X, dtype=np.float64)
    least, largest = weights.min(), weights.max()
    if least < 0 or largest == 0:
        found = f"row {weights.argmin()} has {least}" if least < 0 else "all are 0"
        raise ValueError(
            "sample_weight must hold no negative and at least one positive weight, but "
            f"{found}: leave a row out by the weight 0."
        )
    if not 1e-6 < largest < 1e6:
        weights = np.ldexp(weights, -np.frexp(largest)[1])
    return weights.astype(np.float32)


def read_groups(
    sensitive_features, X, *, needed_by, missing, names=None, caller
) -> Groups | None:
    """Group codes, where groups are needed or given.

    Parameters
    ----------
    sensitive_features : array-like or None
        What the user passed.

    X : array-like of shape (n_samples, ...)
        As the user passed it, with its index.

    needed_by : str or None
        Setting that needs groups, such as ``"sampling='group'"``; None where none does.

    missing : {"raise", "own group"}
        What to do with missing values.

    names : sequence, default=None
        Groups known from an earlier fit.

    caller : str
        Who asks, for messages.

    Returns
    -------
    groups : Groups or None
        None where nothing was passed and nothing is needed.

    Raises
    ------
    ValueError
        If groups are needed and not passed, or as
        :func:`~skfair_runner.groups.encode_groups`.

    Examples
    --------
    >>> read_groups(
    ...     ["f", "m"], np.zeros((2, 1)), needed_by=None, missing="raise", caller="fit"
    ... ).names
    ('f', 'm')
    """
    if sensitive_features is None:
        if needed_by is None:
            return None
        # A front has nothing to do without groups.
        plainly = "; or, for plain training, constraint=None and sampling='shuffled'"
        if caller.startswith("RunnerFrontier"):
            plainly = ""
        raise ValueError(
            f"{caller} with {needed_by} compares groups, so `sensitive_features` is "
            "required: pass one value per row of X, as in fit(X, y, "
            f"sensitive_features=X['sex']); or set sensitive_columns='sex'{plainly}."
        )
    return encode_groups(
        sensitive_features, X, missing=missing, names=names, caller=caller
    )
