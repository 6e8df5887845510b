"""The network of a saved classifier, of a class that the caller vouches for."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from skfair_runner._module_making import call_factory
from skfair_runner._randomness import own_randomness
from skfair_runner.modules import TabularNet
from skfair_runner.persistence.values import damaged_unless_read, name_of


def rebuild_network(
    description: dict, module, shape: dict, parameters: dict, weights: dict[str, Tensor]
) -> nn.Module:
    """The saved network.

    Parameters
    ----------
    description : dict
        Name of its class, and the configuration of ours.

    module : None, callable or nn.Module
        What the caller of `load` passed.

    shape : dict
        ``n_features`` and ``n_outputs``.

    parameters : dict
        Of the classifier; those with the prefix ``module__`` are handed on.

    weights : dict of str to Tensor
        Its state.

    Returns
    -------
    network : nn.Module
        Not shared with the caller.

    Raises
    ------
    TypeError
        If `module` is of another class, or calling it fails.

    ValueError
        If `module` is needed and was not passed, or does not fit the weights.
    """
    network = _build(description, module, shape, parameters)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f"load: weights.safetensors does not fit the network "
            f"{description['class']!r}, whose layers have other names or sizes: {error}"
        ) from error
    return network


def _build(description: dict, module, shape: dict, parameters: dict) -> nn.Module:
    """The network with weights of its own."""
    name = description["class"]
    if module is None:
        if "config" not in description:
            raise ValueError(
                f"load: the network is a {name!r}, and load imports no class that a "
                "file names: pass module=..., the class, a function that returns the "
                "network, or an instance."
            )
        with damaged_unless_read(), own_randomness(0, "cpu"):
            return TabularNet(**description["config"])
    if isinstance(module, nn.Module):
        _check_class(type(module), name)
        return copy.deepcopy(module)
    if not callable(module):
        raise TypeError(
            "load: `module` is a class, a function that returns a network, or an "
            f"instance; got {module!r}."
        )
    if isinstance(module, type):
        _check_class(module, name)
    own = {
        key.removeprefix("module__"): value
        for key, value in parameters.items()
        if key.startswith("module__")
    }
    # Initial weights are drawn and overwritten; the global state stays as it was.
    with own_randomness(0, "cpu"):
        try:
            built = call_factory(module, shape, own)
        except TypeError as error:
            raise TypeError(
                f"load: calling {module!r} with {sorted({**shape, **own})}, as far as "
                f"it takes them, failed ({error}): pass an instance, as in "
                "load(path, module=Net(...))."
            ) from error
    _check_class(type(built), name)
    return built


def _check_class(found: type, name: str) -> None:
    """Refuse another class; the place it is imported from may have changed."""
    if found.__name__ != name.rpartition(":")[2].rpartition(".")[2]:
        raise TypeError(
            f"load: the network is a {name!r}, but `module` is a {name_of(found)!r}: "
            "pass the class that was trained."
        )
