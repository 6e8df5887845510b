"""What was run: settings in words, and digests that tell whether they changed."""

import functools
import hashlib
import inspect
import platform
from importlib.metadata import version
from types import CodeType, FunctionType, MethodType

import joblib
import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.frozen import FrozenEstimator

from skfair_runner.images import Images

_PACKAGES = (
    "numpy",
    "pandas",
    "scikit-learn",
    "torch",
    "skorch",
    "fairlearn",
)


def versions():
    """Versions of what the numbers depend on.

    Returns
    -------
    versions : dict of str to str
        By the name of the package, and of ``python``.
    """
    # Imported here: the package's own file imports this one.
    from skfair_runner import __version__

    installed = {name: version(name) for name in _PACKAGES}
    python = platform.python_version()
    return {"skfair-runner": __version__, "python": python, **installed}


def describe(estimator):
    """Class and parameters of an estimator, in words.

    Parameters
    ----------
    estimator : estimator
        With any number of estimators inside.

    Returns
    -------
    description : dict
        ``class``, and ``parameters``: a dict of names, as in `get_params`, to the
        `repr` of their values; of an estimator its class.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> found = describe(LogisticRegression(C=0.5))
    >>> found["class"].rsplit(".")[-1], found["parameters"]["C"]
    ('LogisticRegression', '0.5')
    """
    return {
        "class": _name(type(estimator)),
        "parameters": {
            name: _name(type(value))
            if hasattr(value, "get_params") and not inspect.isclass(value)
            else " ".join(repr(value).split())
            for name, value in sorted(estimator.get_params(deep=True).items())
            # Named estimators are listed one by one.
            if not _holds_estimators(value)
        },
    }


def data_fingerprint(data):
    """Digests of features, labels and groups.

    Parameters
    ----------
    data : Data
        All rows.

    Returns
    -------
    fingerprint : dict of str to str
        ``shape``, and digests of ``X``, ``y`` and ``sensitive_features``. Lazy images
        are not decoded for it, see :meth:`~skfair_runner.images.Images.identity`.
    """
    return {
        "shape": " × ".join(map(str, data.X.shape)),
        "X": _digest_of_table(data.X),
        "y": digest([data.classes.tolist(), data.codes]),
        "sensitive_features": digest([list(data.groups.names), data.groups.codes]),
    }


def digest(value):
    """Hexadecimal digest of a value, the same for equal values in any process.

    Parameters
    ----------
    value : object
        Numbers, strings, arrays, tables, functions, classes, modules of torch,
        estimators, and containers of these. Of a class only its name counts, of a
        function its code and what it holds on to, of an estimator its parameters and,
        where it is frozen, what it learned.

    Returns
    -------
    digest : str
        Of 40 characters.

    Raises
    ------
    TypeError
        If the value, or one inside of it, can be compared in no way.

    Examples
    --------
    >>> digest({"a": 1}) == digest({"a": 1}), digest([1]) == digest([1.0])
    (True, False)
    """
    state = hashlib.sha256()
    try:
        _feed(value, state.update)
    except RecursionError:
        raise TypeError(f"{value!r} holds itself") from None
    return state.hexdigest()[:40]


def _name(cls):
    return f"{cls.__module__}.{cls.__qualname__}"


def _holds_estimators(value):
    """Tell whether this is a list of named steps, as pipelines have them."""
    if not isinstance(value, list | tuple):
        return False
    parts = [part for each in value if isinstance(each, tuple) for part in each]
    return any(hasattr(part, "get_params") for part in [*value, *parts])


def _feed(value, update):
    """Hand the bytes of a value on, each with its kind."""
    kind, parts = _parts(value)
    update(f"<{kind}>".encode())
    for part in parts:
        if isinstance(part, bytes):
            update(part)
        else:
            _feed(part, update)
    update(b"</>")


def _parts(value):
    """Kind of a value, and what it consists of: bytes, or further values."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return type(value).__name__, [repr(value).encode()]
    if inspect.isclass(value):
        return "class", [_name(value).encode()]
    if isinstance(value, dict):
        return "dict", [part for item in value.items() for part in item]
    if isinstance(value, list | tuple):
        return type(value).__name__, list(value)
    if isinstance(value, np.ndarray) and value.dtype != object:
        array = np.ascontiguousarray(value)
        return f"array {array.dtype} {array.shape}", [array.tobytes()]
    if isinstance(value, torch.Tensor):
        return "tensor", [value.detach().cpu().numpy()]
    if isinstance(value, torch.nn.Module):
        return _name(type(value)), [repr(value), dict(value.state_dict())]
    if isinstance(value, FrozenEstimator):
        # The one estimator whose copies keep what was learned.
        return "frozen", [joblib.hash(value.estimator).encode()]
    if hasattr(value, "get_params"):
        return _name(type(value)), [dict(sorted(value.get_params(deep=False).items()))]
    return _parts_of_code(value)


def _parts_of_code(value):
    """Kind and parts of functions, and of what nothing else is known about."""
    if isinstance(value, functools.partial):
        return "partial", [value.func, list(value.args), value.keywords]
    if isinstance(value, MethodType):
        return "method", [value.__self__, value.__func__]
    if isinstance(value, FunctionType):
        held = [cell.cell_contents for cell in value.__closure__ or ()]
        defaults = [value.__defaults__, value.__kwdefaults__]
        return "function", [_name(value), value.__code__, *defaults, held]
    if isinstance(value, CodeType):
        return "code", [value.co_code, list(value.co_names), list(value.co_consts)]
    try:
        return _name(type(value)), [joblib.hash(value).encode()]
    except Exception as error:
        raise TypeError(
            f"{value!r} cannot be compared with what it was before ({error})"
        ) from error


def _digest_of_table(X):
    """Digest of features, in any container."""
    if isinstance(X, Images):
        return digest(X.identity())
    if sparse.issparse(X):
        X = X.sorted_indices()
        return digest([list(X.shape), X.data, X.indices, X.indptr])
    if isinstance(X, pd.DataFrame):
        names = [str(name) for name in X.columns]
        rows = pd.util.hash_pandas_object(X, index=False).to_numpy()
        return digest([names, [str(dtype) for dtype in X.dtypes], rows])
    if X.dtype == object:
        return digest(pd.util.hash_pandas_object(pd.DataFrame(X), index=False).values)
    return digest(X)
