"""The network to train: ours, one of the user's, or a copy of an instance."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence

from torch import nn

from ._training_data import TrainingData
from .modules import TabularNet, piecewise_linear_edges


def _accepts(function: Callable, name: str) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some builtins tell nothing
        return False
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in parameters)


def _names(function: Callable, name: str) -> bool:
    return name in inspect.signature(function).parameters


def make_module(module, data: TrainingData, rows, defaults: dict, parameters: dict):
    """The network to train: ours, the user's class, or a copy of an instance.

    Parameters
    ----------
    module : None, callable or nn.Module
        None is :class:`~skfair_runner.modules.TabularNet` with edges learned from the
        rows; a class or function is called with `parameters`, and with ``n_features``
        and ``n_outputs`` where it takes them; for images also with ``n_channels`` and
        ``image_size``, (height, width).

    data : TrainingData
        What is trained on.

    rows : ndarray of int
        Rows that edges are learned from.

    defaults : dict
        ``hidden_layer_sizes``, ``dropout`` and ``n_bins`` of the default module.

    parameters : dict
        From ``module__…``; they come before the defaults.

    Returns
    -------
    module : nn.Module
        Not shared with the caller.

    Raises
    ------
    ValueError
        If parameters are given for an instance.

    TypeError
        If the class does not return a module.
    """
    if isinstance(module, nn.Module):
        if parameters:
            name = next(iter(parameters))
            raise ValueError(
                f"module__{name}={parameters[name]!r} cannot change a module that is "
                "already built: pass the class instead of an instance, or leave it out."
            )
        return copy.deepcopy(module)
    n_outputs = 1 if len(data.classes) == 2 else len(data.classes)
    shape = {"n_features": data.X.shape[1], "n_outputs": n_outputs}
    if data.X.ndim == 4:
        shape |= image_sizes(data.X.shape[1:])
    if module is None:
        own = {**defaults, **parameters}
        n_bins = own.pop("n_bins")
        if "edges" not in own:
            own["edges"] = _learn_edges(data, rows, n_bins)
        return TabularNet(**{**shape, **own})
    return call_factory(module, shape, parameters)


def image_sizes(image_shape: Sequence[int]) -> dict:
    """What a module for images may want to know.

    Parameters
    ----------
    image_shape : sequence of int
        (channels, height, width).

    Returns
    -------
    sizes : dict
        ``n_channels`` and ``image_size``, (height, width).

    Examples
    --------
    >>> image_sizes((3, 64, 48))
    {'n_channels': 3, 'image_size': (64, 48)}
    """
    n_channels, *size = image_shape
    return {"n_channels": n_channels, "image_size": tuple(size)}


def call_factory(factory: Callable, shape: dict, parameters: dict) -> nn.Module:
    """A module out of the user's class or function.

    Parameters
    ----------
    factory : callable
        Called with `parameters`, and with what it takes of `shape`; what is taken by
        ``**`` alone is left out where the call fails for it.

    shape : dict
        ``n_features`` and ``n_outputs``; for images also what :func:`image_sizes`
        tells.

    parameters : dict
        From ``module__…``.

    Returns
    -------
    module : nn.Module
        New.

    Raises
    ------
    TypeError
        If it returns something else.
    """
    taken = {name: size for name, size in shape.items() if _accepts(factory, name)}
    try:
        built = factory(**{**taken, **parameters})
    except TypeError as error:
        # Functions of torchvision hand on whatever they are given, to classes that
        # have other names for it.
        named = {name: size for name, size in taken.items() if _names(factory, name)}
        if not any(f"argument {name!r}" in str(error) for name in taken.keys() - named):
            raise
        built = factory(**{**named, **parameters})
    if not isinstance(built, nn.Module):
        raise TypeError(
            f"module={factory!r} returned a {type(built).__name__}: pass a class of "
            "torch.nn.Module, or a function that returns one."
        )
    return built


def _learn_edges(data: TrainingData, rows, n_bins):
    if n_bins == 0:
        return None
    X = data.X if len(rows) == data.X.shape[0] else data.X[rows]
    weights = None if data.weights is None else data.weights[rows]
    return piecewise_linear_edges(X, n_bins=n_bins, sample_weight=weights)
