"""Loading a model; nothing that a file says is imported or run."""

from __future__ import annotations

import json

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skfair_runner.model_selection import SensitiveColumns
from skfair_runner.persistence.files import (
    DOCUMENT,
    FORMAT,
    FORMAT_VERSION,
    WEIGHTS,
    read_files,
)
from skfair_runner.persistence.state import rebuild_classifier, restore_features
from skfair_runner.persistence.values import (
    Trust,
    damaged_unless_read,
    decode,
    read_trusted,
)
from skfair_runner.utils import import_optional

# Of make_table_preprocessor, the dtypes that scikit-learn's imputer and encoder keep,
# which skops reads from the head of an empty array, and what names columns by kind.
_SAFE_TYPES = (
    "numpy.dtype",
    "sklearn.compose._column_transformer.make_column_selector",
    "skfair_runner.preprocessing._ColumnsOfKind",
    "skfair_runner.preprocessing._to_float32",
    "skfair_runner.preprocessing._to_text",
)


def load(path, *, module=None, trusted=(), device=None):
    """Read a model that `save` wrote; nothing from the file is executed.

    The model predicts as the saved one did, to the last bit on the same machine and
    versions. It can be trained further with `partial_fit` or ``warm_start=True``; the
    optimizer then starts without the memory of earlier steps.

    Parameters
    ----------
    path : str or path-like
        Folder or zip file.

    module : None, callable or torch.nn.Module, default=None
        The network, where it is not :class:`~skfair_runner.modules.TabularNet`: its
        class, a function that returns it, or an instance, which is copied. load never
        imports a class because a file names it.

    trusted : sequence of class, function and str, or dict, default=()
        What the file may use beside scikit-learn, numpy and this package. Classes and
        functions stand for themselves, strings for types in the steps of a pipeline, as
        in the error message. A dict maps names in the file to objects, which need not
        have that name.

    device : str, torch.device or None, default=None
        Where torch computes; None takes the device that was saved.

    Returns
    -------
    model : RunnerFairClassifier, Pipeline or SensitiveColumns
        Fitted.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.

    ImportError
        If safetensors or skops is not installed.

    TypeError
        If `module` is of another class than the network that was saved, or `trusted` is
        not a sequence or dict.

    ValueError
        If `path` is not a model of ours, is damaged, tampered with or of a newer
        format; if it names a module class, a type of a step or a parameter of the net
        that was not passed; if the device is not available.

    See Also
    --------
    save : Write a model.

    Notes
    -----
    Functions as `constraint`, `importance` or `distance`, callbacks, a module instance
    that was repaired, and a RandomState are not needed to predict. Where `trusted` does
    not hold them, the parameter shows what is missing, and `fit` refuses to run until
    it is set.

    A step of scikit-learn is rebuilt from its attributes, which may not fit another
    version of scikit-learn.

    Examples
    --------
    >>> from skfair_runner import load
    >>> load("no-such-model.zip")
    Traceback (most recent call last):
        ...
    FileNotFoundError: load: there is neither a file nor a folder at no-such-model.zip;
    save(model, path) writes one.
    """
    safetensors = import_optional("safetensors.torch", extra="safe", purpose="load")
    trust = read_trusted(trusted)
    files = read_files(path)
    document = _read_document(files[DOCUMENT], path)
    broken = import_optional("safetensors", extra="safe", purpose="load")
    try:
        tensors = safetensors.load(files[WEIGHTS])
    except broken.SafetensorError as error:
        raise ValueError(
            f"load: {WEIGHTS} in {path} is damaged ({error}): copy or save the model "
            "again."
        ) from error
    with damaged_unless_read():
        packages, record = document["packages"], document["model"]
    return _Rebuilding(files, tensors, module, trust, device, packages).model(record)


def _read_document(content: bytes, path) -> dict:
    """model.json, of a format version that is known here."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"load: {DOCUMENT} in {path} is not JSON ({error}): it is damaged, or from "
            "another program."
        ) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(
            f"load: {DOCUMENT} in {path} does not say that it is a {FORMAT!r}: it is "
            "from another program."
        )
    with damaged_unless_read():
        found, packages = int(document["format_version"]), document["packages"]
        writer = str(packages["skfair-runner"])
    if found > FORMAT_VERSION:
        raise ValueError(
            f"load: {path} has format version {found}, written by skfair-runner "
            f"{writer}; this one reads up to {FORMAT_VERSION}: upgrade skfair-runner."
        )
    return document


class _Rebuilding:
    """One call of `load`: what was read, and what the caller allows.

    Parameters
    ----------
    files : dict of str to bytes
        Contents by name.

    tensors : dict of str to Tensor
        Of the classifier.

    module, trust, device
        See :func:`~skfair_runner.persistence.state.rebuild_classifier`.

    packages : dict of str to str
        Versions that the model was saved with.
    """

    def __init__(self, files, tensors, module, trust: Trust, device, packages):
        self.files, self.tensors = files, tensors
        self.module, self.trust, self.device = module, trust, device
        self.packages = packages

    def model(self, record):
        """The model of a record."""
        with damaged_unless_read():
            kind = record["kind"]
        if kind == "RunnerFairClassifier":
            return rebuild_classifier(
                record,
                self.tensors,
                module=self.module,
                trust=self.trust,
                device=self.device,
            )
        if kind == "Pipeline":
            return self._pipeline(record)
        if kind == "SensitiveColumns":
            return self._sensitive_columns(record)
        raise ValueError(
            f"load: {DOCUMENT} describes a model of the kind {kind!r}, which save "
            "never writes."
        )

    def _pipeline(self, record):
        with damaged_unless_read():
            *steps, (last, final) = record["steps"]
            steps = [(str(name), dict(step)) for name, step in steps]
            parameters = {k: decode(v, {}) for k, v in record["parameters"].items()}
        built = [(name, self._step(name, step)) for name, step in steps]
        built.append((str(last), self.model(final)))
        with damaged_unless_read():
            return Pipeline(built, **parameters)

    def _sensitive_columns(self, record):
        with damaged_unless_read():
            columns, drop = decode(record["columns"], {}), decode(record["drop"], {})
            positions, inner = decode(record["positions"], {}), record["estimator"]
        inner = self.model(inner)
        model = SensitiveColumns(clone(inner), columns, drop=drop)
        model.estimator_, model.columns_ = inner, positions
        with damaged_unless_read():
            restore_features(model, record)
        return model

    def _step(self, name, record):
        with damaged_unless_read():
            if record["kind"] == "word":
                return record["word"]
            file = str(record["file"])
        if file not in self.files or not file.endswith(".skops"):
            raise ValueError(
                f"load: the step {name!r} is in the file {file!r}, which the model "
                "does not hold: the copy is incomplete, or was tampered with."
            )
        skops = import_optional("skops.io", extra="safe", purpose="load")
        content = self.files[file]
        allowed = [*_SAFE_TYPES, *self.trust.types]
        unknown = set(self._ask(name, skops.get_untrusted_types, data=content))
        unknown -= set(allowed)
        if unknown:
            listed = sorted(unknown)
            raise ValueError(
                f"load: the step {name!r} needs types that are not trusted: {listed}. "
                "If you know where the file comes from and what they do, pass them: "
                f"load(path, trusted={listed})."
            )
        return self._ask(name, skops.loads, content, trusted=allowed)

    def _ask(self, name, function, *args, **kwargs):
        """Call skops, which hands on whatever a broken file leads to."""
        try:
            return function(*args, **kwargs)
        except Exception as error:
            raise ValueError(
                f"load: the step {name!r} cannot be rebuilt "
                f"({type(error).__name__}: {error}). Its file is damaged, or the "
                f"versions differ too much from those it was saved with: "
                f"{self.packages}."
            ) from error
