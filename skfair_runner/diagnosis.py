"""Diagnosis of a network over a data set: which neurons carry the gap, and how much.

The gap is a function of all scores. Where the data set does not fit into one batch, it
is differentiated with respect to the scores first; each batch is then run forward and
backward once with its part of that gradient. The first-order terms add up over batches,
so the result is that of one batch holding everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from .activations import (
    Layer,
    evaluation_mode,
    neuron_values,
    record_activations,
)
from .batches import RowBuffer
from .cells import Cells
from .conditions import Constraint
from .distances import Distance, Moments
from .neurons import (
    DiagnosisInputs,
    feeding_weights,
    resolve_importance,
    select_top_neurons,
    taylor_terms,
    weight_terms,
)

# Distances that need every sample are measured on about this many rows.
_MOST_ROWS_FOR_SAMPLE_DISTANCES = 20_000


class Batch(NamedTuple):
    """Samples of one step.

    Attributes
    ----------
    X : Tensor of shape (n_samples, ...)
        Input of the module.

    labels, groups : LongTensor of shape (n_samples,)
        Label and group codes.

    weights : Tensor of shape (n_samples,) or None
        Sample weights.
    """

    X: Tensor
    labels: Tensor
    groups: Tensor
    weights: Tensor | None = None


@dataclass(frozen=True)
class Subject:
    """The network under diagnosis and what it is held to.

    Attributes
    ----------
    module : nn.Module
        The network.

    layers : sequence of Layer
        Recorded layers.

    scores : callable
        Turns the module's output into probabilities of shape (n_samples, n_columns).

    constraint : Constraint
        Its gap is attributed to neurons.

    distance : Distance
        Measures discrimination.

    n_labels, n_groups : int
        Number of label and group codes.

    positive : int
        Code of the favourable label.
    """

    module: nn.Module
    layers: Sequence[Layer]
    scores: Callable[[Tensor], Tensor]
    constraint: Constraint
    distance: Distance
    n_labels: int
    n_groups: int
    positive: int = 1

    def cells(self, labels: Tensor, groups: Tensor, weights: Tensor | None) -> Cells:
        """Cells of the given samples."""
        return Cells(labels, groups, self.n_labels, self.n_groups, weights)

    def scores_of(self, batch: Batch) -> Tensor:
        """Probabilities of one batch."""
        return self.scores(self.module(batch.X))

    def gap_of(
        self, batches, n_rows: int, scores_of=None, *, leaf: bool = False
    ) -> tuple[Tensor, Tensor]:
        """The gap over all batches without the module's graph, and its scores.

        With `scores_of` the scores of a batch come from there. With ``leaf=True`` they
        require gradient.
        """
        scores_of = scores_of or self.scores_of
        scores, labels, groups, weights = (RowBuffer(n_rows) for _ in range(4))
        weighted = False
        with torch.no_grad():
            for batch in batches:
                scores.add(scores_of(batch))
                labels.add(batch.labels)
                groups.add(batch.groups)
                if weighted := batch.weights is not None:
                    weights.add(batch.weights)
        y_score = scores.values.requires_grad_(leaf)
        cells = self.cells(
            labels.values, groups.values, weights.values if weighted else None
        )
        return self.constraint.gap(y_score, cells, self.positive), y_score


@dataclass
class _DiscriminationMeter:
    """Discrimination of each neuron, gathered batch by batch."""

    subject: Subject
    stride: int
    moments: dict[str, Moments] = field(default_factory=dict)
    samples: dict[str, list[Tensor]] = field(default_factory=dict)
    sources: list[tuple] = field(default_factory=list)

    def add(self, activations: dict[str, Tensor], batch: Batch, cells: Cells) -> None:
        distance = self.subject.distance
        rows = slice(None, None, self.stride)
        for layer in self.subject.layers:
            values = neuron_values(activations[layer.name].detach(), layer.axis)
            if distance.of_moments is not None:
                part = distance.moments(values.double(), cells)
                known = self.moments.get(layer.name)
                self.moments[layer.name] = part if known is None else known + part
            else:
                # A view would keep the rows in between.
                kept = values[rows].clone()
                self.samples.setdefault(layer.name, []).append(kept)
        if distance.of_moments is None:
            weights = None if batch.weights is None else batch.weights[rows]
            self.sources.append((batch.labels[rows], batch.groups[rows], weights))

    def result(self) -> dict[str, np.ndarray]:
        distance, subject = self.subject.distance, self.subject
        pools = subject.constraint.activation_pools(subject.n_labels, subject.positive)
        if distance.of_moments is not None:
            return {
                name: distance.of_moments(moments, pools).cpu().numpy()
                for name, moments in self.moments.items()
            }
        labels, groups, weights = zip(*self.sources, strict=True)
        cells = subject.cells(
            torch.cat(labels),
            torch.cat(groups),
            None if weights[0] is None else torch.cat(weights),
        )
        return {
            name: distance(torch.cat(parts), cells, pools).cpu().numpy()
            for name, parts in self.samples.items()
        }


class Diagnosis(NamedTuple):
    """What a diagnosis over a data set found.

    Attributes
    ----------
    gap : float
        The gap over the whole data set.

    importance : dict of str to Tensor of shape (n_neurons,), or None
        By layer name; None where only discrimination was asked for.

    discrimination : dict of str to ndarray of shape (n_neurons,)
        By layer name.
    """

    gap: float
    importance: dict[str, Tensor] | None
    discrimination: dict[str, np.ndarray]

    def state_dict(self) -> dict:
        """The same as a number and tensors."""
        discrimination = {
            name: torch.as_tensor(values)
            for name, values in self.discrimination.items()
        }
        return {**self._asdict(), "discrimination": discrimination}

    @classmethod
    def from_state_dict(cls, state: dict) -> Diagnosis:
        """What :meth:`state_dict` told."""
        discrimination = {k: v.numpy() for k, v in state["discrimination"].items()}
        return cls(state["gap"], state["importance"], discrimination)


def diagnose(subject: Subject, batches, importance="activation") -> Diagnosis:
    """Importance and discrimination of every neuron over all batches.

    Parameters
    ----------
    subject : Subject
        The network, run in evaluation mode and left in the mode it was in.

    batches : re-iterable of Batch, with ``len`` and ``n_rows``
        The data set, in the same order each time: twice for the first-order forms, once
        per neuron and more for "ablation".

    importance : str, callable or None, default="activation"
        See :func:`~skfair_runner.neurons.resolve_importance`; None measures
        discrimination only. A user's function receives the first batch only, which
        should represent the others.

    Returns
    -------
    diagnosis : Diagnosis
        Gap, importance and discrimination.
    """
    with evaluation_mode(subject.module):
        if importance is not None:
            strategy = resolve_importance(importance)
        stride = max(1, batches.n_rows // _MOST_ROWS_FOR_SAMPLE_DISTANCES)
        meter = _DiscriminationMeter(subject, stride)
        if importance in ("activation", "weight") and len(batches) > 1:
            gap, found = _diagnose_in_parts(subject, batches, importance, meter)
        elif importance is not None:
            whole = importance == "ablation"
            gap, found = _diagnose_at_once(subject, batches, strategy, meter, whole)
        else:
            gap, found = _measure(subject, batches, meter), None
        return Diagnosis(gap, found, meter.result())


def _measure(subject: Subject, batches, meter: _DiscriminationMeter) -> float:
    """The gap over all batches, and the discrimination from the same pass."""

    def scores_of(batch: Batch) -> Tensor:
        with record_activations(subject.module, subject.layers) as activations:
            scores = subject.scores_of(batch)
        cells = subject.cells(batch.labels, batch.groups, batch.weights)
        meter.add(activations, batch, cells)
        return scores

    return float(subject.gap_of(batches, batches.n_rows, scores_of)[0])


def _diagnose_at_once(
    subject: Subject, batches, strategy, meter: _DiscriminationMeter, whole: bool
) -> tuple[float, dict[str, Tensor]]:
    """One recorded forward pass over the first batch, handed to any strategy.

    With `whole` the strategy recomputes the gap of all batches, not of the first alone.
    """
    batch = next(iter(batches))
    cells = subject.cells(batch.labels, batch.groups, batch.weights)
    with (
        torch.enable_grad(),
        record_activations(subject.module, subject.layers) as activations,
    ):
        gap = subject.constraint.gap(subject.scores_of(batch), cells, subject.positive)
    recomputed = (batches, batches.n_rows) if whole else ([batch], len(batch.labels))
    inputs = DiagnosisInputs(
        gap=gap,
        activations=activations,
        layers=subject.layers,
        module=subject.module,
        recompute_gap=lambda: subject.gap_of(*recomputed)[0],
    )
    found = strategy(inputs)
    if len(batches) > 1:
        return _measure(subject, batches, meter), found
    with torch.no_grad():
        meter.add(activations, batch, cells)
    return float(gap.detach()), found


def _diagnose_in_parts(
    subject: Subject, batches, importance: str, meter: _DiscriminationMeter
) -> tuple[float, dict[str, Tensor]]:
    """The first-order forms, batch by batch, with the gap of the whole data set."""
    module, layers = subject.module, subject.layers
    gap, leaf = subject.gap_of(batches, batches.n_rows, leaf=True)
    (slopes,) = torch.autograd.grad(gap, leaf, materialize_grads=True)
    weights = feeding_weights(module, layers) if importance == "weight" else []
    totals: list[Tensor] | None = None
    start = 0
    for batch in batches:
        with torch.enable_grad(), record_activations(module, layers) as activations:
            scores = subject.scores_of(batch)
        part = slopes[start : start + len(scores)]
        start += len(scores)
        recorded = [activations[layer.name] for layer in layers]
        gradients = torch.autograd.grad(
            scores, weights or recorded, grad_outputs=part, materialize_grads=True
        )
        terms = list(gradients)
        if not weights:
            terms = [
                taylor_terms(h, g, layer.axis)
                for layer, h, g in zip(layers, recorded, gradients, strict=True)
            ]
        totals = (
            terms
            if totals is None
            else [a + b for a, b in zip(totals, terms, strict=True)]
        )
        cells = subject.cells(batch.labels, batch.groups, batch.weights)
        with torch.no_grad():
            meter.add(activations, batch, cells)
    assert totals is not None
    if weights:
        values = [weight_terms(w, g) for w, g in zip(weights, totals, strict=True)]
    else:
        values = [total**2 for total in totals]
    found = {layer.name: v for layer, v in zip(layers, values, strict=True)}
    return float(gap.detach()), found


def make_neuron_table(
    before: Diagnosis, top_k: float, after: Diagnosis | None = None
) -> pd.DataFrame:
    """The per-neuron table of a diagnosis.

    Parameters
    ----------
    before : Diagnosis
        Diagnosis with importance.

    top_k : float or int
        How many neurons of each layer are marked as selected.

    after : Diagnosis, default=None
        Diagnosis of the same neurons after repair, whose discrimination is added.

    Returns
    -------
    table : DataFrame of shape (n_neurons, 6) or (n_neurons, 7)
        Columns layer, neuron, importance, rank (1 is the most important of its layer),
        selected, discrimination, and discrimination_after where `after` is given.
    """
    assert before.importance is not None
    selected = select_top_neurons(before.importance, top_k)
    parts = []
    for name, values in before.importance.items():
        importance = values.detach().double().cpu().numpy()
        part = pd.DataFrame({"layer": name, "neuron": np.arange(len(importance))})
        part["importance"] = importance
        order = np.argsort(-importance, kind="stable")
        rank = np.empty(len(order), dtype=int)
        rank[order] = np.arange(1, len(order) + 1)
        part["rank"] = rank
        part["selected"] = np.isin(part["neuron"], selected[name].cpu().numpy())
        part["discrimination"] = before.discrimination[name]
        if after is not None:
            part["discrimination_after"] = after.discrimination[name]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def selected_by_layer(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """The selected neurons of a per-neuron table.

    Parameters
    ----------
    table : DataFrame
        From :func:`make_neuron_table`.

    Returns
    -------
    selected : dict of str to ndarray of int
        By layer, the most important one first.
    """
    chosen = table[table["selected"]].sort_values("rank", kind="stable")
    return {
        layer: part["neuron"].to_numpy()
        for layer, part in chosen.groupby("layer", sort=False)
    }
