"""Saving a model as JSON, safetensors and skops files."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.model_selection import SensitiveColumns
from skfair_runner.persistence.files import (
    DOCUMENT,
    FORMAT,
    FORMAT_VERSION,
    WEIGHTS,
    write_files,
)
from skfair_runner.persistence.state import (
    describe_classifier,
    describe_features,
)
from skfair_runner.persistence.values import encode
from skfair_runner.utils import import_optional

_PACKAGES = ("numpy", "safetensors", "scikit-learn", "skops", "skorch", "torch")


def save(model, path):
    """Write a fitted model to a folder or a zip file, without pickle.

    Parameters
    ----------
    model : RunnerFairClassifier, Pipeline or SensitiveColumns
        Fitted. A pipeline ends in a RunnerFairClassifier, or in a SensitiveColumns or
        pipeline around one; its other steps are written by skops.

    path : str or path-like
        A zip file where it ends in ".zip", else a folder. A model that is already there
        is replaced as a whole; if anything fails, it stays as it was.

    Raises
    ------
    FileExistsError
        If `path` is something else than a saved model.

    FileNotFoundError
        If the folder that `path` lies in does not exist.

    ImportError
        If safetensors or skops is not installed.

    NotFittedError
        If the model is not fitted.

    TypeError
        If the model is something else, or holds what cannot be written.

    See Also
    --------
    load : Read it again.
    export_onnx : The network for other programs.

    Notes
    -----
    Not kept are the optimizer's memory, the network's weights from before the repair, a
    pipeline's `memory`, and metadata requests other than the default. Functions,
    classes and objects among the parameters are written as names; see :func:`load`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skfair_runner import RunnerFairClassifier, load, save
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data.select_dtypes("number")
    >>> clf = RunnerFairClassifier(constraint=None, max_epochs=2, random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     save(clf.fit(X, people.target), Path(folder, "model"))
    ...     sorted(file.name for file in Path(folder, "model").iterdir())
    ...     again = load(Path(folder, "model"))
    ['model.json', 'weights.safetensors']
    >>> bool((again.predict_proba(X) == clf.predict_proba(X)).all())
    True
    """
    safetensors = import_optional("safetensors.torch", extra="safe", purpose="save")
    files: dict[str, bytes] = {}
    record, tensors = _describe(model, files)
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "packages": _versions(),
        "model": record,
    }
    text = json.dumps(document, indent=1, allow_nan=False)
    files[DOCUMENT] = text.encode()
    files[WEIGHTS] = safetensors.save(tensors)
    write_files(path, files)


def _versions() -> dict[str, str]:
    # Imported here: the package's own file imports this one.
    from skfair_runner import __version__

    installed = {name: version(name) for name in _PACKAGES if _is_installed(name)}
    python = platform.python_version()
    return {"skfair-runner": __version__, "python": python, **installed}


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except ModuleNotFoundError:
        return False
    return True


def _describe(model, files: dict[str, bytes]):
    """Record of a model and the tensors of its classifier; other steps become files."""
    # Exact classes: a subclass may hold more than is written here.
    if type(model) is RunnerFairClassifier:
        return describe_classifier(model)
    if type(model) is Pipeline:
        *steps, (last, final) = model.steps
        described = [[name, _describe_step(name, step, files)] for name, step in steps]
        record, tensors = _describe(final, files)
        parameters = {
            key: encode(value)
            for key, value in model.get_params(deep=False).items()
            if key not in {"steps", "memory"}
        }
        return {
            "kind": "Pipeline",
            "parameters": parameters,
            "steps": [*described, [last, record]],
        }, tensors
    if type(model) is SensitiveColumns:
        check_is_fitted(model, "estimator_")
        record, tensors = _describe(model.estimator_, files)
        return {
            "kind": "SensitiveColumns",
            "columns": encode(model.columns),
            "drop": encode(model.drop),
            "positions": encode(model.columns_),
            **describe_features(model),
            "estimator": record,
        }, tensors
    raise TypeError(
        "save takes a fitted RunnerFairClassifier, or a Pipeline or SensitiveColumns "
        f"around one, but got a {name_with_hint(model)}"
    )


def name_with_hint(model) -> str:
    """The end of a refusal: what was passed, and what of it could be.

    Parameters
    ----------
    model : object
        Neither a classifier nor around one.

    Returns
    -------
    words : str
        Ends with a full stop.
    """
    name = type(model).__name__
    if hasattr(model, "best_estimator_"):
        return f"{name}: pass the best_estimator_ of the {name}."
    if hasattr(model, "frontier_"):
        return f"{name}: pass one of its points, as in front.at(difference=0.05)."
    return f"{name}."


def _describe_step(name: str, step, files: dict[str, bytes]) -> dict:
    """Record of a step before the last; skops writes it to a file of its own."""
    if step is None or isinstance(step, str):
        return {"kind": "word", "word": step}
    skops = import_optional("skops.io", extra="safe", purpose="save")
    try:
        content = skops.dumps(step)
        types = skops.get_untrusted_types(data=content)
    # skops hands on whatever the object's own state raises.
    except Exception as error:
        raise TypeError(
            f"save: skops cannot write the step {name!r}, a {type(step).__name__}: "
            f"{type(error).__name__}: {error}."
        ) from error
    nameless = [found for found in types if "<" in found]
    if nameless:
        raise TypeError(
            f"save: the step {name!r} holds {nameless[0]!r}, which cannot be found "
            "again by that name: define it with a name at the top of a module."
        )
    file = f"step_{len(files)}.skops"
    files[file] = content
    return {"kind": "skops", "file": file, "class": type(step).__name__}
