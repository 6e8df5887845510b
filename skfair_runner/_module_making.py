"""The network to train: ours, one of the user's, or a copy of an instance."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ._guards import check_names
from ._training_data import TrainingData
from .activations import evaluation_mode
from .batches import GroupedDataset
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
        If the class does not take one of them, or does not return a module.
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
        check_names("module", TabularNet, parameters, ("n_bins",))
        own = {**defaults, **parameters}
        n_bins = own.pop("n_bins")
        if "edges" not in own:
            own["edges"] = _learn_edges(data, rows, n_bins)
        return TabularNet(**{**shape, **own})
    return call_factory(module, shape, parameters)


def takes_grey_images(module, X) -> bool:
    """Whether floats (n, height, width) are images to a module, instead of sequences.

    Parameters
    ----------
    module : None, callable or nn.Module
        As of :func:`make_module`.

    X : object
        What the user passed.

    Returns
    -------
    takes : bool
        False unless X has three axes. Of a class or function whether it has a parameter
        that only modules for images are told; of an instance whether it begins with a
        convolution of grey images, and runs when X gets an axis for its channel.

    Examples
    --------
    >>> import numpy as np
    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten())
    >>> takes_grey_images(net, np.zeros((5, 8, 8)))
    True
    >>> takes_grey_images(nn.Sequential(nn.Linear(8, 4), net), np.zeros((5, 8, 8)))
    False
    """
    if module is None or getattr(X, "ndim", 0) != 3:
        return False
    if not isinstance(module, nn.Module):
        try:
            return any(_names(module, name) for name in image_sizes((1, 1, 1)))
        except ValueError:  # some builtins tell nothing
            return False
    first = next((each for each in module.modules() if each._parameters), None)
    if not isinstance(first, nn.Conv2d) or first.in_channels != 1:
        return False
    with evaluation_mode(module), torch.no_grad():
        try:
            module(torch.as_tensor(X[:2]).to(first.weight)[:, None])
        except (RuntimeError, TypeError, ValueError):  # it adds the axis itself
            return False
    return True


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
        If it does not take one of the parameters, or returns something else.
    """
    check_names("module", factory, parameters)
    taken = {name: size for name, size in shape.items() if _accepts(factory, name)}
    try:
        built = factory(**{**taken, **parameters})
    except TypeError as error:
        # Functions of torchvision hand on whatever they are given, to classes that
        # have other names for it.
        named = {name: size for name, size in taken.items() if _names(factory, name)}
        if not any(f"argument {name!r}" in str(error) for name in taken.keys() - named):
            if "required positional argument" in str(error):
                told = ", ".join([*taken, *parameters]) or "nothing"
                raise TypeError(
                    f"module={getattr(factory, '__name__', factory)} was called with "
                    f"{told}, but {error}: pass them as module__<name>=..., or a "
                    "function that makes the module of n_features and n_outputs."
                ) from error
            raise
        built = factory(**{**named, **parameters})
    if not isinstance(built, nn.Module):
        raise TypeError(
            f"module={factory!r} returned a {type(built).__name__}: pass a class of "
            "torch.nn.Module, or a function that returns one."
        )
    # A function may return one that it keeps.
    return built if inspect.isclass(factory) else copy.deepcopy(built)


def check_precision(module: nn.Module, data: TrainingData, repaired: bool) -> None:
    """Refuse a module of other numbers than float32, unless it converts them itself.

    Parameters
    ----------
    module : nn.Module
        The network; run on two rows where its parameters are not float32.

    data : TrainingData
        What is trained on.

    repaired : bool
        Whether gaps are computed from what it emits, beside float32 numbers.

    Raises
    ------
    ValueError
        If it does not take float32, or is repaired and does not emit it.
    """
    floats = [each for each in module.parameters() if each.is_floating_point()]
    other = next((each for each in floats if each.dtype != torch.float32), None)
    if other is None:
        return
    batch, _ = GroupedDataset({"X": data.X}, data.y).take(np.arange(len(data.y))[:2])
    X = batch["X"].to(other.device)
    try:
        with evaluation_mode(module), torch.no_grad():
            output = module(X)
    except RuntimeError:
        fault = "does not take X, which is float32"
    else:
        emitted = output.dtype if isinstance(output, Tensor) else torch.float32
        if not repaired or emitted == torch.float32:
            return
        fault = f"emits {emitted}, while gaps are computed in float32"
    raise ValueError(
        f"The module has parameters of type {other.dtype}, and {fault}: convert it by "
        "module.float(), or, in the __init__ of a class, by self.float()."
    )


def _learn_edges(data: TrainingData, rows, n_bins):
    if n_bins == 0:
        return None
    X = data.X if len(rows) == data.X.shape[0] else data.X[rows]
    weights = None if data.weights is None else data.weights[rows]
    return piecewise_linear_edges(X, n_bins=n_bins, sample_weight=weights)
