"""Recording and silencing what each neuron of a network emits, by forward hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from ._modes import evaluation_mode
from ._precision import at_least_single
from .layers import Layer, trace_affine_layers, trace_layers

__all__ = [
    "Layer",
    "evaluation_mode",
    "neuron_values",
    "record_activations",
    "silence_neurons",
    "trace_affine_layers",
    "trace_layers",
]


class _CallHooks:
    """Hooks that hand each recorded call's output to ``act(layer, output)``.

    They are on while a block runs, of which there can be many, one after the other: a
    training step has one.
    """

    def __init__(
        self,
        module: nn.Module,
        layers: Sequence[Layer],
        act: Callable[[Layer, Tensor], Tensor | None],
    ):
        by_path: dict[str, dict[int, Layer]] = {}
        for layer in layers:
            by_path.setdefault(layer.path, {})[layer.call] = layer
        self._act = act
        self._n_seen = dict.fromkeys(by_path, 0)
        self._hooks = [
            (module.get_submodule(path), self._hook(path, by_call))
            for path, by_call in by_path.items()
        ]
        self._handles: list = []

    def _hook(self, path: str, by_call: dict[int, Layer]) -> Callable:
        n_calls = next(iter(by_call.values())).n_calls

        def hook(_module, _inputs, output):
            layer = by_call.get(self._n_seen[path] % n_calls)
            self._n_seen[path] += 1
            return None if layer is None else self._act(layer, output)

        return hook

    def __enter__(self) -> None:
        self._n_seen = dict.fromkeys(self._n_seen, 0)
        self._handles = [m.register_forward_hook(hook) for m, hook in self._hooks]

    def __exit__(self, *exception) -> None:
        for handle in self._handles:
            handle.remove()


class record_activations:  # noqa: N801, used as a function
    """Record what the layers emit while a block runs.

    Parameters
    ----------
    module : nn.Module
        The network that owns the layers.

    layers : sequence of Layer
        What to record, as found by :func:`trace_layers`.

    Raises
    ------
    RuntimeError
        When a block ends in which a recorded output was overwritten in place by a later
        operation.

    Notes
    -----
    A block gets a dict of str to Tensor, which each forward pass fills with the raw
    outputs, gradient included, also where only frozen parameters lead to them. Hooks
    come off when the block ends, however it ends. The same object serves any number of
    blocks, one after the other.

    Examples
    --------
    >>> import torch
    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> x = torch.zeros(2, 3)
    >>> with record_activations(net, trace_layers(net, x)) as activations:
    ...     y = net(x)
    >>> activations["1"].shape
    torch.Size([2, 4])
    """

    def __init__(self, module: nn.Module, layers: Sequence[Layer]):
        self._hooks = _CallHooks(module, layers, self._keep)
        # They would overwrite what was recorded before them.
        self._overwriting = [
            m for m in module.modules() if isinstance(m, _DropoutNd) and m.inplace
        ]
        self._activations: dict[str, Tensor] = {}
        self._versions: dict[str, int] = {}

    def _keep(self, layer: Layer, output: Tensor) -> None:
        if torch.is_grad_enabled() and not output.requires_grad:
            output.requires_grad_()
        self._activations[layer.name] = output
        self._versions[layer.name] = output._version

    def __enter__(self) -> dict[str, Tensor]:
        self._activations, self._versions = {}, {}
        for dropout in self._overwriting:
            dropout.inplace = False
        self._hooks.__enter__()
        return self._activations

    def __exit__(self, kind, *exception) -> None:
        self._hooks.__exit__()
        for dropout in self._overwriting:
            dropout.inplace = True
        # What the block holds is not held any longer than it holds it.
        activations, self._activations = self._activations, {}
        if kind is not None:
            return
        for name, output in activations.items():
            if output._version != self._versions[name]:
                raise RuntimeError(
                    f"The output of layer {name!r} was overwritten in place after it "
                    "was recorded: build the module that follows it with "
                    "inplace=False."
                )


@contextmanager
def silence_neurons(
    module: nn.Module, layers: Sequence[Layer], silent: Mapping[str, Tensor]
) -> Iterator[None]:
    """Replace the output of some neurons by zero while the block runs.

    Parameters
    ----------
    module : nn.Module
        The network that owns the layers.

    layers : sequence of Layer
        Layers as found by :func:`trace_layers`.

    silent : mapping of str to LongTensor
        Indices of the neurons to silence, by layer name.

    Examples
    --------
    >>> import torch
    >>> net = nn.Sequential(nn.Linear(1, 1), nn.Sigmoid(), nn.Linear(1, 1, bias=False))
    >>> x = torch.ones(1, 1)
    >>> with silence_neurons(net, trace_layers(net, x), {"1": torch.tensor([0])}):
    ...     net(x).item()
    0.0
    """

    def mute(layer: Layer, output: Tensor) -> Tensor | None:
        if layer.name not in silent:
            return None
        return output.index_fill(layer.axis, silent[layer.name].to(output.device), 0.0)

    with _CallHooks(module, layers, mute):
        yield


def neuron_values(output: Tensor, axis: int) -> Tensor:
    """One value per sample and neuron: channels are averaged over their positions.

    Parameters
    ----------
    output : Tensor of shape (n_samples, ..., n_neurons, ...)
        What a layer emitted.

    axis : int
        The axis that counts neurons.

    Returns
    -------
    values : Tensor of shape (n_samples, n_neurons)
        At least float32; carries gradient to `output`.

    Examples
    --------
    >>> import torch
    >>> neuron_values(torch.ones(5, 3, 2, 2), axis=1).shape
    torch.Size([5, 3])
    """
    output = at_least_single(output)
    if output.ndim == 2:
        return output
    moved = output.movedim(axis, 1)
    return moved.flatten(2).mean(2)
