"""Which layers of a network are recorded, found by watching one forward pass.

A neuron is a unit, or a channel of a convolution. Hooks see modules, not functions: an
activation written as ``F.relu(x)`` cannot be recorded, ``nn.ReLU()`` can.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ._modes import evaluation_mode

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMALISING = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.GroupNorm,
    nn.LayerNorm,
)
_NOT_HIDDEN = (nn.Softmax, nn.LogSoftmax, nn.Softmax2d, nn.MultiheadAttention)


@dataclass(frozen=True)
class Layer:
    """One recorded layer: a call of a submodule within one forward pass.

    Attributes
    ----------
    name : str
        Name in tables: the submodule's path, followed by ``#1``, ``#2`` … where it is
        called several times.

    path : str
        Path of the submodule, as of ``module.get_submodule``.

    call : int
        Which of its calls, from 0.

    n_calls : int
        How often it is called in one forward pass.

    feeder : str or None
        Path of the Linear or convolution executed last before it.

    axis : int
        The axis of its output that counts neurons: 1 after a convolution, else -1.

    n_neurons : int
        Number of units, or of channels.
    """

    name: str
    path: str
    call: int
    n_calls: int
    feeder: str | None
    axis: int
    n_neurons: int


def _is_activation(module: nn.Module) -> bool:
    """Whether a module is an elementwise nonlinearity of torch."""
    home = type(module).__module__ == "torch.nn.modules.activation"
    return home and not isinstance(module, _NOT_HIDDEN)


def trace_layers(
    module: nn.Module, example: Tensor, layers: Sequence[str] | str = "auto"
) -> list[Layer]:
    """The layers to record, found by watching one forward pass.

    Parameters
    ----------
    module : nn.Module
        Any network. It is run once in evaluation mode without gradient, and left in the
        mode it was in.

    example : Tensor of shape (n_samples, ...)
        A few inputs.

    layers : sequence of str or "auto", default="auto"
        Paths of submodules, with ``#k`` for the k-th call of one that is called several
        times (without it, all its calls). "auto": every activation module that follows
        a Linear or a convolution and has another one after it.

    Returns
    -------
    layers : list of Layer
        In order of execution.

    Raises
    ------
    ValueError
        If a name is unknown, or "auto" finds nothing.

    Examples
    --------
    >>> import torch
    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> [layer.name for layer in trace_layers(net, torch.zeros(2, 3))]
    ['1']
    """
    calls = _trace_calls(module, example)
    n_calls: dict[str, int] = {}
    for path, _, _ in calls:
        n_calls[path] = n_calls.get(path, 0) + 1
    weighted_after = [False] * len(calls)
    for i in range(len(calls) - 2, -1, -1):
        weighted_after[i] = weighted_after[i + 1] or isinstance(
            calls[i + 1][1], _WEIGHTED
        )

    known: list[Layer] = []
    automatic: list[Layer] = []
    feeder: tuple[str, nn.Module] | None = None
    seen: dict[str, int] = {}
    for (path, submodule, shape), has_next in zip(calls, weighted_after, strict=True):
        if isinstance(submodule, _WEIGHTED):
            feeder = (path, submodule)
        call = seen.get(path, 0)
        seen[path] = call + 1
        if len(shape) < 2:
            continue
        convolved = feeder is not None and not isinstance(feeder[1], nn.Linear)
        axis = 1 if convolved and len(shape) > 2 else -1
        layer = Layer(
            name=path if n_calls[path] == 1 else f"{path}#{call + 1}",
            path=path,
            call=call,
            n_calls=n_calls[path],
            feeder=feeder[0] if feeder else None,
            axis=axis,
            n_neurons=shape[axis],
        )
        known.append(layer)
        if _is_activation(submodule) and feeder is not None and has_next:
            automatic.append(layer)
    return _choose(known, automatic, layers)


def trace_affine_layers(
    module: nn.Module, example: Tensor, layers: Sequence[str] | str = "auto"
) -> list[str]:
    """What scales and shifts the neurons of the recorded layers, and the last layer.

    Parameters
    ----------
    module : nn.Module
        Any network.

    example : Tensor of shape (n_samples, ...)
        A few inputs.

    layers : sequence of str or "auto", default="auto"
        As of :func:`trace_layers`.

    Returns
    -------
    paths : list of str
        Linear layers, convolutions and normalisations, in order of execution: the last
        one before each recorded layer with as many neurons, and the last one of all
        Linear layers and convolutions.

    Raises
    ------
    ValueError
        As of :func:`trace_layers`.

    Examples
    --------
    >>> net = nn.Sequential(
    ...     nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1)
    ... )
    >>> trace_affine_layers(net, torch.zeros(2, 3))
    ['1', '3']
    """
    calls = _trace_calls(module, example)
    seen: dict[str, int] = {}
    found = set()
    recorded = {(x.path, x.call): x for x in trace_layers(module, example, layers)}
    last: dict[int, int] = {}
    for i, (path, submodule, _) in enumerate(calls):
        if isinstance(submodule, (*_WEIGHTED, *_NORMALISING)):
            weight = getattr(submodule, "weight", None)
            if weight is not None:
                last[len(weight)] = i
        layer = recorded.get((path, seen.get(path, 0)))
        seen[path] = seen.get(path, 0) + 1
        if layer is not None and layer.n_neurons in last:
            found.add(last[layer.n_neurons])
    weighted = [i for i, call in enumerate(calls) if isinstance(call[1], _WEIGHTED)]
    found.update(weighted[-1:])
    return list(dict.fromkeys(calls[i][0] for i in sorted(found)))


def _trace_calls(
    module: nn.Module, example: Tensor
) -> list[tuple[str, nn.Module, torch.Size]]:
    """Calls of the innermost submodules, in order: path, submodule, shape of output.

    A Linear or a convolution is innermost whatever it holds, and so is what holds
    nothing but parametrizations, such as a spectral norm.
    """
    calls: list[tuple[str, nn.Module, torch.Size]] = []
    inside: tuple[str, ...] = ()

    def watch(path: str, submodule: nn.Module):
        def hook(_module, _inputs, output):
            if isinstance(output, Tensor):
                calls.append((path, submodule, output.shape))

        return submodule.register_forward_hook(hook)

    with ExitStack() as stack:
        for path, submodule in module.named_modules():
            held = [name for name, _ in submodule.named_children()]
            weighted = isinstance(submodule, _WEIGHTED)
            innermost = weighted or held in ([], ["parametrizations"])
            if path and innermost and not path.startswith(inside):
                stack.callback(watch(path, submodule).remove)
            if path and innermost and held:
                inside += (f"{path}.",)
        with evaluation_mode(module), torch.no_grad():
            module(example)
    return calls


def _choose(
    known: list[Layer], automatic: list[Layer], layers: Sequence[str] | str
) -> list[Layer]:
    """The layers asked for, in order of execution."""
    names = [layer.name for layer in known]
    if isinstance(layers, str) and layers == "auto":
        if not automatic:
            raise ValueError(
                "No activation module follows a Linear or a convolution and precedes "
                "another one, so there is no hidden neuron to record. Use nn.ReLU() "
                "objects instead of F.relu in forward, or pass layers=[...] with some "
                f"of {names} (a Linear is recorded before the nonlinearity)."
            )
        return automatic
    wanted = [layers] if isinstance(layers, str) else list(layers)
    for name in wanted:
        if not any(name in (layer.name, layer.path) for layer in known):
            raise ValueError(
                f"layers names {name!r}, which this module does not call; it calls "
                f"{names}."
            )
    return [layer for layer in known if layer.name in wanted or layer.path in wanted]
