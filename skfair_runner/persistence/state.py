"""A fitted classifier as JSON and tensors, and back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from skfair_runner._building import SKORCH_PREFIXES, assemble_net
from skfair_runner._module_making import image_sizes
from skfair_runner._settings import Settings
from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.constraints import resolve_constraints
from skfair_runner.diagnosis import Diagnosis
from skfair_runner.modules import TabularNet
from skfair_runner.persistence.network import rebuild_network
from skfair_runner.persistence.values import (
    NotRestored,
    Trust,
    damaged_unless_read,
    decode,
    encode,
    name_of,
    names_in,
)
from skfair_runner.tasks import Task

_MODULE, _CONTROLLER = "module.", "controller."
# Named objects that only training needs; load leaves a placeholder for them.
_DEFERRED = {
    "callbacks",
    "constraint",
    "distance",
    "importance",
    "module",
    "random_state",
}


def describe_features(estimator) -> dict:
    """Number and names of the features of a fitted estimator, as JSON."""
    names = getattr(estimator, "feature_names_in_", None)
    return {
        "n_features_in": getattr(estimator, "n_features_in_", None),
        "feature_names_in": None if names is None else names.tolist(),
    }


def restore_features(estimator, record: dict) -> None:
    """Set what :func:`describe_features` read."""
    if record["n_features_in"] is not None:
        estimator.n_features_in_ = int(record["n_features_in"])
    if record["feature_names_in"] is not None:
        names = [str(name) for name in record["feature_names_in"]]
        estimator.feature_names_in_ = np.array(names, dtype=object)


def describe_classifier(clf: RunnerFairClassifier) -> tuple[dict, dict[str, Tensor]]:
    """A fitted classifier as JSON and tensors.

    Parameters
    ----------
    clf : RunnerFairClassifier
        Fitted.

    Returns
    -------
    record : dict
        For ``json.dumps``.

    tensors : dict of str to Tensor
        Weights of the module and state of the controller.

    Raises
    ------
    NotFittedError
        If it is not fitted.

    TypeError
        If labels or groups are of a type that JSON cannot hold, or the module keeps a
        state that is no tensor.
    """
    check_is_fitted(clf, "net_")
    net = clf.net_
    module: dict = {"class": name_of(type(net.module_))}
    if type(net.module_) is TabularNet:
        module["config"] = net.module_.config
    record = {
        "kind": "RunnerFairClassifier",
        "parameters": {k: encode(v) for k, v in clf.get_params(deep=False).items()},
        **describe_features(clf),
        "image_shape": encode(getattr(clf, "image_shape_", None)),
        "classes": _encode_data(clf.classes_, "the labels"),
        "groups": _encode_data(getattr(clf, "groups_", None), "the groups"),
        "net_groups": _encode_data(getattr(net, "groups_", None), "the groups"),
        "settings": encode(clf.settings_),
        "task": {name: encode(value) for name, value in vars(net.task).items()},
        "module": module,
        "history": [
            {key: encode(value) for key, value in row.items() if key != "batches"}
            for row in net.history
        ],
        "diagnosis": None if net.plan is None else _describe_diagnosis(clf),
    }
    return record, _tensors(net)


def _encode_data(value, what: str):
    """Encoded labels or groups; an error where one would only be named."""
    data = encode(value)
    lost = next(names_in(data), None)
    if lost is not None:
        raise TypeError(
            f"save: {what} hold a value of the type {lost.removesuffix('()')!r}, which "
            "model.json cannot hold exactly: train on strings, numbers or booleans "
            "instead, as in y.astype(str)."
        )
    return data


def _describe_diagnosis(clf: RunnerFairClassifier) -> dict:
    table = clf.neuron_importance_
    return {
        "gap_before": encode(clf.net_.before_.gap),
        "gap_after": encode(clf.net_.after_.gap),
        "neurons": {
            name: encode(
                column.tolist() if name == "layer" else column.to_numpy(copy=False)
            )
            for name, column in table.items()
        },
        "selected": encode(clf.selected_neurons_),
    }


def _tensors(net) -> dict[str, Tensor]:
    found = {_MODULE + k: v for k, v in net.module_.state_dict().items()}
    if net.controller_ is not None:
        state = net.controller_.state_dict()
        found |= {_CONTROLLER + k: v for k, v in state.items()}
    for name, value in found.items():
        if not isinstance(value, Tensor):
            raise TypeError(
                f"save: the state of the module holds {name.removeprefix(_MODULE)!r}, "
                f"a {type(value).__name__}: only tensors are written. Keep it as a "
                "buffer, or build it in the module's constructor."
            )
    # Copies, since safetensors refuses tensors that share their memory.
    return {k: v.detach().cpu().clone().contiguous() for k, v in found.items()}


@dataclass(frozen=True)
class _Read:
    """What model.json says of a classifier, checked and decoded."""

    parameters: dict[str, Any]
    task: Task
    settings: Settings
    history: list[dict]
    classes: np.ndarray
    groups: list | None
    net_groups: tuple | None
    before: Diagnosis | None
    after: Diagnosis | None
    neurons: pd.DataFrame | None
    selected: dict | None


def _read(record: dict, known: dict) -> _Read:
    with damaged_unless_read():
        parameters = {k: decode(v, known) for k, v in record["parameters"].items()}
        diagnosis = record["diagnosis"]
        before = after = neurons = selected = None
        if diagnosis is not None:
            columns = {k: decode(v, {}) for k, v in diagnosis["neurons"].items()}
            neurons = pd.DataFrame(columns)
            selected = decode(diagnosis["selected"], {})
            before, after = _read_diagnoses(diagnosis, neurons)
        return _Read(
            parameters,
            Task(**{k: decode(v, {}) for k, v in record["task"].items()}),
            Settings(**decode(record["settings"], {})),
            [decode(row, {}) for row in record["history"]],
            decode(record["classes"], {}),
            decode(record["groups"], {}),
            decode(record["net_groups"], {}),
            before,
            after,
            neurons,
            selected,
        )


def _read_diagnoses(diagnosis: dict, neurons: pd.DataFrame):
    """Both diagnoses, out of the table of neurons."""
    parts = dict(list(neurons.groupby("layer", sort=False)))
    before = Diagnosis(
        float(decode(diagnosis["gap_before"], {})),
        {k: torch.tensor(part["importance"].to_numpy()) for k, part in parts.items()},
        {k: part["discrimination"].to_numpy() for k, part in parts.items()},
    )
    after = Diagnosis(
        float(decode(diagnosis["gap_after"], {})),
        None,
        {k: part["discrimination_after"].to_numpy() for k, part in parts.items()},
    )
    return before, after


def rebuild_classifier(
    record: dict, tensors: dict[str, Tensor], *, module, trust: Trust, device
) -> RunnerFairClassifier:
    """The classifier that :func:`describe_classifier` described.

    Parameters
    ----------
    record : dict
        From model.json.

    tensors : dict of str to Tensor
        From weights.safetensors.

    module : None, callable or nn.Module
        The network, where it is not our own.

    trust : Trust
        What names in the file may stand for.

    device : str, torch.device or None
        Where torch computes; None takes the device that was saved.

    Returns
    -------
    clf : RunnerFairClassifier
        Fitted.

    Raises
    ------
    ValueError
        If the record is damaged, names what is needed and was not passed, or does not
        fit the weights; if there is no such device.

    TypeError
        If `module` is of another class.
    """
    read = _read(record, trust.known)
    _check_names(record["parameters"], trust.known, module)
    parameters = dict(read.parameters)
    if device is not None:
        parameters["device"] = device
    _check_device(parameters.get("device", "cpu"))
    if _is_parameter(module, parameters.get("module")):
        parameters["module"] = module
    with damaged_unless_read():
        clf = RunnerFairClassifier(**parameters)
        restore_features(clf, record)
        description = record["module"]
        shape = {
            "n_features": clf.n_features_in_,
            "n_outputs": 1 if read.task.n_labels == 2 else read.task.n_labels,
        }
        image_shape = decode(record["image_shape"], {})
        if image_shape is not None:
            clf.image_shape_ = tuple(image_shape)
            shape |= image_sizes(clf.image_shape_)
    network = rebuild_network(
        description, module, shape, parameters, _with_prefix(tensors, _MODULE)
    )
    trained_with = None if read.before is None else clf.constraint
    net = assemble_net(
        clf,
        network,
        task=read.task,
        settings=read.settings,
        constraint=None if trained_with is None else resolve_constraints(trained_with),
        skorch_parameters={
            k: v for k, v in parameters.items() if k.startswith(SKORCH_PREFIXES)
        },
    )
    controller = None
    if net.plan is not None and net.plan.difference_bound is not None:
        controller = _with_prefix(tensors, _CONTROLLER) or None
    net.resume(read.history, controller, before=read.before, after=read.after)
    if read.net_groups is not None:
        net.groups_ = read.net_groups
    clf.net_, clf.classes_, clf.settings_ = net, read.classes, asdict(read.settings)
    if read.groups is not None:
        clf.groups_ = read.groups
    if read.neurons is not None:
        clf.neuron_importance_, clf.selected_neurons_ = read.neurons, read.selected
    return clf


def _is_parameter(module, saved) -> bool:
    """Whether `module` is the class or function that the saved parameter named."""
    if module is None or isinstance(module, nn.Module):
        return False
    return isinstance(saved, NotRestored) and not saved.name.endswith("()")


def _check_names(parameters: dict, known: dict, module) -> None:
    """Refuse names that the net needs at once and that were not passed."""
    for parameter, data in parameters.items():
        of_module = parameter.startswith("module__")
        # The module's parameters matter where its class is called.
        unused = of_module and (module is None or isinstance(module, nn.Module))
        if parameter in _DEFERRED or unused:
            continue
        for name in names_in(data):
            if name not in known:
                raise ValueError(
                    f"load: the parameter {parameter!r} holds {name!r}, which load "
                    "does not import from a file. If you trust it, pass it: "
                    f"load(path, trusted={{{name!r}: ...}})."
                )


def _check_device(device) -> None:
    try:
        torch.empty(0, device=device)
    # torch has no common error for a device that is absent.
    except (AssertionError, NotImplementedError, RuntimeError) as error:
        raise ValueError(
            f"load: the device {str(device)!r} is not available here: pass "
            "load(path, device='cpu')."
        ) from error


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
