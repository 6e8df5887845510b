"""MODEL on the command line: a saved model, or the weights of a user's own module."""

from __future__ import annotations

import copy
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.cli.cases import Case, CaseError
from skfair_runner.cli.factories import build_module, import_factory, write_state
from skfair_runner.cli.options import MODULE_OUTPUTS, check_choice
from skfair_runner.cli.tables import count_rows
from skfair_runner.groups.texts import first_few
from skfair_runner.model_selection import SensitiveColumns
from skfair_runner.persistence import load, save
from skfair_runner.persistence.files import DOCUMENT

# Of a saved classifier, what says how its network is built and fed; a repair sets the
# rest.
_KEPT = (
    "device",
    "drop_sensitive",
    "hidden_layer_sizes",
    "missing_groups",
    "module",
    "module_output",
    "sensitive_columns",
    "verbose",
)


@dataclass(frozen=True)
class Model:
    """A trained model and a table, in the form that its network takes.

    Attributes
    ----------
    path : Path
        Where it came from.

    estimator : RunnerFairClassifier, Pipeline or SensitiveColumns
        Fitted; a module of the user's is inside a classifier of no more training.

    classifier : RunnerFairClassifier
        The last step of `estimator`, or `estimator` itself.

    own_module : bool
        Whether it is the user's module with a state-dict file.

    X : {DataFrame, ndarray, sparse matrix} of shape (n_samples, n_features)
        What the network is fed.

    case : Case
        The table, its labels written as the classifier's.
    """

    path: Path
    estimator: Any
    classifier: RunnerFairClassifier
    own_module: bool
    X: Any
    case: Case

    @property
    def network(self) -> dict:
        """Arguments that `diagnose_neurons` and `repair_module` have for the network.

        Its output is what the classifier knows, so that "auto" does not guess again.
        """
        return {
            "module_output": self.classifier.net_.task.output,
            "pos_label": self.case.pos_label,
        }


def read_model(
    path: Path,
    case: Case,
    *,
    module=None,
    module_output="auto",
    features=(),
    saved_only=False,
) -> Model:
    """The model at a path, and the table as its network takes it.

    Parameters
    ----------
    path : Path
        Folder or zip file that :func:`skfair_runner.save` wrote, or a state dict.

    case : Case
        The table.

    module : str or None, default=None
        ``package.file:factory`` of the user's module; importing it runs their code.

    module_output : {"auto", "logits", "probabilities"}, default="auto"
        What a user's module emits.

    features : sequence of str, default=()
        Columns that are fed to a network that knows no names, in its order; none
        stands for all numeric columns but the groups', in the order of the file.

    saved_only : bool, default=False
        Whether the command takes no module of the user's, so that weights without their
        module are of no use to it.

    Returns
    -------
    model : Model
        Fitted.

    Raises
    ------
    CaseError
        If there is no model, it cannot be read, or it does not take the table; if an
        option is wrong or does not belong to such a model.
    """
    check_choice("--module-output", module_output, MODULE_OUTPUTS)
    if not path.exists():
        raise CaseError("MODEL", f"there is neither a file nor a folder at {path}.")
    if _is_saved(path):
        return _read_saved(path, case, module, features, saved_only)
    if saved_only:
        raise CaseError(
            "MODEL",
            f"{path} is not a model that skfair_runner.save wrote, and other files, "
            "such as pickles, are not opened, since that would run what they hold. In "
            "Python, skfair_runner.fairness_testing.search takes any fitted model.",
        )
    if module is None:
        raise CaseError(
            "MODEL",
            f"{path} is not a model that skfair_runner.save wrote. If it holds the "
            "weights of a torch module of yours, pass --module package.file:factory.",
        )
    X = _numeric_features(case, features)
    network = build_module(module, path, X.shape[1])
    classifier = RunnerFairClassifier(
        None,
        module=network,
        module_output=module_output,
        pos_label=case.pos_label,
        warmup_epochs=0,
        max_epochs=0,
        random_state=0,
    )
    try:
        classifier.fit(X, case.y)
        classifier.predict(X)
    except (TypeError, ValueError) as error:
        columns = features or [c for c in case.X if c not in case.left_out]
        raise CaseError(
            "--data",
            f"{module} with the weights in {path} cannot be fed with the {X.shape[1]} "
            f"columns {', '.join(map(str, columns))}: {error}",
        ) from error
    return Model(path, classifier, classifier, True, X, case)


def _is_saved(path: Path) -> bool:
    """Whether a path looks as if `save` wrote it; `load` says what is wrong with it."""
    if path.is_dir():
        return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return DOCUMENT in archive.namelist()


def _read_saved(path: Path, case: Case, module, features, saved_only) -> Model:
    factory = None if module is None else import_factory(module)
    try:
        estimator = load(path, module=factory, device="cpu")
    except (ImportError, OSError, TypeError, ValueError) as error:
        hint = ""
        if factory is None and "pass module=" in str(error):
            hint = " Here that is --module package.file:factory."
            if saved_only:
                hint = " This command takes no module: load and search it in Python."
        raise CaseError("MODEL", f"{error}{hint}") from error
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        X = _numeric_features(case, features)
    elif features:
        raise CaseError(
            "--features",
            f"the model at {path} knows its features by name ({_listed(names)}): leave "
            "--features out.",
        )
    else:
        X = case.X[[name for name in names if name in case.X.columns]]
    try:
        X, classifier = _fed(estimator, X)
        classifier.predict(X)
    except (TypeError, ValueError) as error:
        known = "" if names is None else f" Its features are {_listed(names)}."
        raise CaseError(
            "--data",
            f"{case.name} cannot be fed to the model at {path}: "
            f"{_failure(error, case, names)}{known}",
        ) from error
    case = _relabelled(case, classifier.classes_)
    return Model(path, estimator, classifier, False, X, case)


def _failure(error: Exception, case: Case, names) -> str:
    """Why a table is refused; scikit-learn names absent columns as a Python set."""
    lacks = [
        str(name)
        for name in (() if names is None else names)
        if name not in case.X.columns and repr(str(name)) in str(error)
    ]
    if not lacks:
        return str(error)
    return f"it has no column{'s' * (len(lacks) > 1)} {_listed(lacks)}."


def _listed(names) -> str:
    return first_few(names, most=20)


def _fed(estimator, X):
    """What the classifier inside an estimator is given for X, and that classifier."""
    if isinstance(estimator, SensitiveColumns):
        return _fed(estimator.estimator_, estimator._features(X)[0])
    if isinstance(estimator, Pipeline):
        if len(estimator.steps) > 1:
            X = estimator[:-1].transform(X)
        return _fed(estimator.steps[-1][1], X)
    return X, estimator


def _numeric_features(case: Case, features) -> np.ndarray:
    """Columns for a network that knows no names, as float32."""
    features = list(features) or [c for c in case.X if c not in case.left_out]
    columns = case.X.columns.tolist()
    unknown = [name for name in features if name not in columns]
    if unknown:
        raise CaseError(
            "--features",
            f"{case.name} has no column {unknown[0]!r} to feed to the network; its "
            f"columns are {_listed(columns)}.",
        )
    remedy = (
        "pass --features with the columns that the network takes, in its order, or "
        "save the model as a pipeline with its preprocessing"
    )
    for name in features:
        column = case.X[name]
        if not pd.api.types.is_numeric_dtype(column):
            raise CaseError(
                "--data",
                f"the network takes numbers, but the column {name!r} of {case.name} "
                f"holds {next(iter(column.dropna()), None)!r}: {remedy}.",
            )
        if column.isna().any():
            raise CaseError(
                "--data",
                f"the network takes numbers, but the column {name!r} of {case.name} "
                f"has no value in {count_rows(column.isna().sum())}: fill them, or "
                f"{remedy}.",
            )
    return case.X[features].to_numpy(dtype=np.float32)


def _relabelled(case: Case, classes: np.ndarray) -> Case:
    """The case with its two labels written as the classifier's classes."""
    known = classes.tolist()
    labels = sorted(set(case.y.tolist()), key=str)
    matches = {
        label: [each for each in known if each == label or str(each) == str(label)]
        for label in labels
    }
    if len(known) != len(labels) or not all(matches.values()):
        raise CaseError(
            "--target",
            f"the labels of {case.name} are {' and '.join(map(str, labels))}, but the "
            f"model decides between {', '.join(map(str, known))}: write them alike.",
        )
    codes = [known.index(matches[label][0]) for label in case.y.tolist()]
    return replace(case, y=classes[codes], pos_label=matches[case.pos_label][0])


def write_model(model: Model, repaired: RunnerFairClassifier, folder: Path) -> Path:
    """Write a repaired model in the format that the original came in.

    Parameters
    ----------
    model : Model
        The original; not changed.

    repaired : RunnerFairClassifier
        Around the repaired network; its settings of building and feeding become those
        of the original.

    folder : Path
        Where to write, under the original's name.

    Returns
    -------
    path : Path
        What was written.

    Raises
    ------
    CaseError
        If something else stands in its place.
    """
    path = target_of(model.path, folder)
    if model.own_module:
        write_state(repaired.net_.module_.state_dict(), path)
        return path
    parameters = model.classifier.get_params()
    repaired.set_params(
        **{
            name: value
            for name, value in parameters.items()
            if name in _KEPT or name.startswith("module__")
        }
    )
    try:
        save(_with_classifier(model.estimator, repaired), path)
    except (OSError, TypeError) as error:
        raise CaseError("--out", str(error)) from error
    return path


def target_of(path: Path, folder: Path) -> Path:
    """Where the repaired model goes; never in place of the original.

    Parameters
    ----------
    path : Path
        Of the original.

    folder : Path
        For the results.

    Returns
    -------
    target : Path
        In `folder`, under the original's name.

    Raises
    ------
    CaseError
        If that is the original, or of another kind.
    """
    source = path.resolve()
    target = folder / source.name
    if target.resolve() == source or source in folder.resolve().parents:
        raise CaseError(
            "--out",
            f"{folder} would put the repaired model in place of the one at {path}, or "
            "inside it: pass another folder.",
        )
    if target.exists() and target.is_dir() != source.is_dir():
        kind = "a folder" if target.is_dir() else "a file"
        raise CaseError(
            "--out",
            f"{target} is {kind}, so the repaired model cannot take its place: pass "
            "another folder.",
        )
    return target


def _with_classifier(estimator, classifier):
    """A copy of an estimator that ends in another classifier."""
    if isinstance(estimator, SensitiveColumns):
        other = copy.copy(estimator)
        other.estimator_ = _with_classifier(estimator.estimator_, classifier)
        return other
    if isinstance(estimator, Pipeline):
        other = copy.copy(estimator)
        *steps, (name, last) = estimator.steps
        other.steps = [*steps, (name, _with_classifier(last, classifier))]
        return other
    return classifier
