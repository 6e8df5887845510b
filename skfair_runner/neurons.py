"""Which neurons carry the gap: unfairness importance, discrimination, selection.

The importance of a neuron is what silencing it would do to the gap, squared, to first
order (Li et al., "RUNNER", ICSE 2024, Section 3, "importance-based neuron diagnosis").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ._precision import at_least_single
from .activations import Layer, silence_neurons


def taylor_terms(activation: Tensor, gradient: Tensor, axis: int) -> Tensor:
    """Σ over samples and positions of h · ∂Gap/∂h, per neuron."""
    product = at_least_single(activation.detach()) * gradient
    if product.ndim == 2:
        return product.sum(0)
    return product.movedim(axis, 0).flatten(1).sum(1)


def weight_terms(weight: Tensor, gradient: Tensor) -> Tensor:
    """Σ over incoming weights of (w · ∂Gap/∂w)², per neuron; the bias is left out."""
    return ((weight.detach() * gradient) ** 2).flatten(1).sum(1)


def feeding_weights(module: nn.Module, layers: Sequence[Layer]) -> list[Tensor]:
    """The weight of the Linear or convolution that feeds each layer.

    Parameters
    ----------
    module : nn.Module
        The network that owns the layers.

    layers : sequence of Layer
        Recorded layers.

    Returns
    -------
    weights : list of Tensor of shape (n_neurons, ...)
        One per layer.

    Raises
    ------
    ValueError
        If nothing feeds a layer, its feeder has another number of neurons, or the
        feeder's weight has no gradient of its own: frozen, or computed from others.
    """
    weights: list[Tensor] = []
    for layer in layers:
        feeder = None if layer.feeder is None else module.get_submodule(layer.feeder)
        if feeder is None:
            raise ValueError(
                "importance='weight' pairs each recorded layer with the Linear or "
                f"convolution that feeds it, and none runs before {layer.name!r}: use "
                "importance='activation'."
            )
        weight = feeder.weight
        assert isinstance(weight, Tensor)
        if len(weight) != layer.n_neurons:
            raise ValueError(
                f"importance='weight' finds {layer.n_neurons} neurons in "
                f"{layer.name!r}, but {len(weight)} in the layer "
                f"{layer.feeder!r} that feeds it: use importance='activation'."
            )
        if not (weight.is_leaf and weight.requires_grad):
            raise ValueError(
                "importance='weight' needs the gradient of the weight of "
                f"{layer.feeder!r}, which is frozen or computed from other parameters: "
                "use importance='activation'."
            )
        weights.append(weight)
    return weights


def activation_importance(
    gap: Tensor, activations: Mapping[str, Tensor], layers: Sequence[Layer]
) -> dict[str, Tensor]:
    r"""Squared first-order effect on the gap of silencing each neuron's output.

    .. math:: UI(m) = \Big(\sum_b \frac{\partial\,\mathrm{Gap}}{\partial h_{b,m}}
        h_{b,m}\Big)^2

    Parameters
    ----------
    gap : Tensor of shape ()
        A gap whose graph contains the activations. The graph is kept.

    activations : mapping of str to Tensor
        What :func:`~skfair_runner.activations.record_activations` recorded.

    layers : sequence of Layer
        The recorded layers.

    Returns
    -------
    importance : dict of str to Tensor of shape (n_neurons,)
        Non-negative, in squared units of the gap; without gradient.
    """
    recorded = [activations[layer.name] for layer in layers]
    gradients = torch.autograd.grad(
        gap, recorded, retain_graph=True, materialize_grads=True
    )
    return {
        layer.name: taylor_terms(h, g, layer.axis) ** 2
        for layer, h, g in zip(layers, recorded, gradients, strict=True)
    }


def weight_importance(
    gap: Tensor, module: nn.Module, layers: Sequence[Layer]
) -> dict[str, Tensor]:
    r"""Sum over a neuron's incoming weights of the squared first-order effect.

    .. math:: UI(m) = \sum_j \Big(\frac{\partial\,\mathrm{Gap}}{\partial w_{m,j}}
        w_{m,j}\Big)^2

    This is what the authors of RUNNER compute; biases are left out.

    Parameters
    ----------
    gap : Tensor of shape ()
        A gap whose graph contains the parameters. The graph is kept.

    module : nn.Module
        The network that owns the layers.

    layers : sequence of Layer
        The recorded layers.

    Returns
    -------
    importance : dict of str to Tensor of shape (n_neurons,)
        Non-negative, without gradient.

    Raises
    ------
    ValueError
        If a layer has no Linear or convolution that feeds it.
    """
    return effects_of_weights(gap, feeding_weights(module, layers), layers)


def effects_of_weights(
    gap: Tensor,
    weights: Sequence[Tensor],
    layers: Sequence[Layer],
    values: Sequence[Tensor] | None = None,
) -> dict[str, Tensor]:
    """Squared first-order effects of some weights, summed over each neuron's.

    Parameters
    ----------
    gap : Tensor of shape ()
        A gap whose graph contains the weights. The graph is kept.

    weights : sequence of Tensor of shape (n_neurons, ...)
        Those that feed each layer.

    layers : sequence of Layer
        The recorded layers.

    values : sequence of Tensor of shape (n_neurons, ...), default=None
        What the gradients are multiplied with; None takes `weights`.

    Returns
    -------
    importance : dict of str to Tensor of shape (n_neurons,)
        Non-negative, without gradient.
    """
    gradients = torch.autograd.grad(
        gap, weights, retain_graph=True, materialize_grads=True
    )
    values = weights if values is None else values
    return {
        layer.name: weight_terms(w, g)
        for layer, w, g in zip(layers, values, gradients, strict=True)
    }


def ablation_importance(
    recompute_gap: Callable[[], Tensor], module: nn.Module, layers: Sequence[Layer]
) -> dict[str, Tensor]:
    """Squared change of the gap when each neuron is silenced: the definition itself.

    One forward pass per neuron; meant for checking the first-order forms.

    Parameters
    ----------
    recompute_gap : callable
        Runs the module forward and returns the gap.

    module : nn.Module
        The network that owns the layers.

    layers : sequence of Layer
        The layers whose neurons are silenced.

    Returns
    -------
    importance : dict of str to Tensor of shape (n_neurons,)
        Non-negative, in squared units of the gap.
    """
    with torch.no_grad():
        whole = recompute_gap()
        importance = {}
        for layer in layers:
            changes = []
            for m in range(layer.n_neurons):
                silent = {layer.name: torch.tensor([m])}
                with silence_neurons(module, layers, silent):
                    changes.append(whole - recompute_gap())
            importance[layer.name] = torch.stack(changes) ** 2
    return importance


@dataclass(frozen=True)
class DiagnosisInputs:
    """What an importance strategy may use; a user's function receives it whole.

    Attributes
    ----------
    gap : Tensor of shape ()
        The gap of the recorded forward pass, with its graph.

    activations : dict of str to Tensor
        The recorded outputs of the layers.

    layers : sequence of Layer
        The recorded layers.

    module : nn.Module
        The network.

    recompute_gap : callable
        Runs the module forward on the same inputs and returns the gap.
    """

    gap: Tensor
    activations: Mapping[str, Tensor]
    layers: Sequence[Layer]
    module: nn.Module
    recompute_gap: Callable[[], Tensor]


IMPORTANCES: dict[str, Callable[[DiagnosisInputs], dict[str, Tensor]]] = {
    "activation": lambda d: activation_importance(d.gap, d.activations, d.layers),
    "weight": lambda d: weight_importance(d.gap, d.module, d.layers),
    "ablation": lambda d: ablation_importance(d.recompute_gap, d.module, d.layers),
}


@dataclass(frozen=True)
class _UsersImportance:
    """A user's function, whose answers are looked at."""

    function: Callable

    def __call__(self, inputs: DiagnosisInputs) -> dict[str, Tensor]:
        found = self.function(inputs)
        name = getattr(self.function, "__name__", type(self.function).__name__)
        rule = (
            f"importance={name} must return a dict with one finite number per neuron "
            "of each layer"
        )
        if not isinstance(found, Mapping):
            raise TypeError(f"{rule}, but it returned a {type(found).__name__}.")
        checked = {}
        for layer in inputs.layers:
            if layer.name not in found:
                raise ValueError(
                    f"{rule}, but it has no {layer.name!r}, only {sorted(found)}: the "
                    "keys are the names of inputs.layers."
                )
            values = torch.as_tensor(found[layer.name], device=inputs.gap.device)
            if values.shape != (layer.n_neurons,) or not values.isfinite().all():
                raise ValueError(
                    f"{rule}, but for {layer.name!r}, which has {layer.n_neurons} "
                    f"neurons, it returned shape {tuple(values.shape)} with "
                    f"{int((~values.isfinite()).sum())} values that are not finite."
                )
            checked[layer.name] = values.detach()
        return checked


def resolve_importance(importance) -> Callable[[DiagnosisInputs], dict[str, Tensor]]:
    """The importance strategy of a name or of a user's function.

    Parameters
    ----------
    importance : str or callable
        "activation", "weight" or "ablation"; or a function that takes a
        :class:`DiagnosisInputs` and returns, by layer name, one number per neuron;
        what it returns is checked when it is called.

    Returns
    -------
    importance : callable
        Takes a :class:`DiagnosisInputs`.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> resolve_importance("saliency")
    Traceback (most recent call last):
        ...
    ValueError: There is no importance 'saliency': pass one of ['ablation', ...
    """
    if callable(importance):
        return _UsersImportance(importance)
    if importance not in IMPORTANCES:
        raise ValueError(
            f"There is no importance {importance!r}: pass one of "
            f"{sorted(IMPORTANCES)}, or a function importance(diagnosis)."
        )
    return IMPORTANCES[importance]


def count_top(top_k: float, n_neurons: int) -> int:
    """How many neurons of a layer `top_k` selects.

    Parameters
    ----------
    top_k : float or int
        A float is a fraction in (0, 1], rounded, at least one neuron; an int a count,
        at most all.

    n_neurons : int
        Size of the layer.

    Returns
    -------
    count : int
        In [1, n_neurons].

    Examples
    --------
    >>> count_top(0.05, 200), count_top(0.05, 4), count_top(3, 2), count_top(1.0, 8)
    (10, 1, 2, 8)
    """
    if isinstance(top_k, int | np.integer):
        return min(int(top_k), n_neurons)
    return max(1, round(top_k * n_neurons))


def select_top_neurons(
    importance: Mapping[str, Tensor], top_k: float
) -> dict[str, Tensor]:
    """Indices of the most important neurons of each layer.

    Parameters
    ----------
    importance : mapping of str to Tensor of shape (n_neurons,)
        Importance by layer name.

    top_k : float or int
        See :func:`count_top`.

    Returns
    -------
    selected : dict of str to LongTensor
        Most important first; of equally important ones the lower index.

    Examples
    --------
    >>> import torch
    >>> select_top_neurons({"relu1": torch.tensor([0.1, 0.7, 0.4])}, 2)
    {'relu1': tensor([1, 2])}
    """
    return {
        name: values.argsort(descending=True, stable=True)[
            : count_top(top_k, len(values))
        ]
        for name, values in importance.items()
    }
