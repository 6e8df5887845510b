"""The repair's part of the loss: neuron penalty and output term."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add

import torch
from torch import Tensor

from .activations import evaluation_mode, neuron_values, record_activations
from .cells import Cells, PricedSums
from .control import OutputController
from .diagnosis import Subject
from .distances import Moments
from .neurons import DiagnosisInputs, resolve_importance, select_top_neurons
from .relaxations import Outcome, positive_scores


@dataclass
class RepairPenalty:
    """``alpha`` · neuron penalty + output term, with RUNNER's schedule of diagnoses.

    The neuron penalty is Σ over layers of the mean discrimination of the selected
    neurons (Li et al. 2024, Eq. of L; the mean instead of the sum as in the authors'
    code). The selection is diagnosed anew every `diagnose_every` steps. Of several
    constraints the gaps are summed, and the populations within which neurons are
    compared are those of all; see
    :class:`~skfair_runner.constraints.JointConstraint` for the reason.

    Parameters
    ----------
    subject : Subject
        The network and what it is held to.

    alpha : float
        Weight of the neuron penalty, at least 0.

    top_k : float or int
        Fraction or number of neurons selected per layer.

    importance : str or callable
        See :func:`~skfair_runner.neurons.resolve_importance`.

    diagnose_every : int
        Optimizer steps between diagnoses.

    output_weight : float, default=0.0
        Fixed weight of the output gap.

    controller : OutputController, default=None
        Controls the output term instead of a fixed weight.

    Attributes
    ----------
    strength : float
        Share of the penalty that a step applies, 1 unless it is set before the step. A
        controller learns from steps of the whole penalty only.

    selected : dict of str to Tensor
        Neurons held responsible at present, by layer.

    recorder : record_activations
        Records `layers` while a block runs.

    Raises
    ------
    ValueError
        If every parameter of the module is frozen.
    """

    subject: Subject
    alpha: float
    top_k: float
    importance: str | Callable
    diagnose_every: int
    output_weight: float = 0.0
    controller: OutputController | None = None

    def __post_init__(self) -> None:
        subject = self.subject
        parameters = list(subject.module.parameters())
        if not any(parameter.requires_grad for parameter in parameters):
            raise ValueError(
                f"A repair changes the module's parameters, but all {len(parameters)} "
                "of them are frozen: call requires_grad_(True) on the module, or on "
                "the part of it that is to be repaired."
            )
        self.strength = 1.0
        self.selected: dict[str, Tensor] = {}
        # 1 / k for the k selected neurons of a layer, 0 for the others; all layers. And
        # the same times alpha.
        self._shares = self._weights = torch.empty(0)
        # For each step's forward pass.
        self.recorder = record_activations(subject.module, self.layers)
        pools = subject.constraint.activation_pools(subject.n_labels, subject.positive)
        self._pools = pools.to(parameters[0].device)

    @property
    def layers(self):
        """The layers that a step has to record; none where the penalty is off."""
        return self.subject.layers if self.alpha > 0 else []

    def __call__(
        self,
        X: Tensor,
        outcome: Outcome,
        activations: dict[str, Tensor],
        step: int,
        progress: float,
    ) -> Tensor:
        """The penalty of one recorded forward pass.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ...)
            Input of the pass; run again only by importance="ablation".

        outcome : Outcome
            Logits, with graph, and cells.

        activations : dict of str to Tensor
            Recorded outputs of `layers`.

        step : int
            Number of repair steps taken before this one.

        progress : float
            Share of the repair that is over, in [0, 1].

        Returns
        -------
        penalty : Tensor of shape ()
            To be added to the criterion.
        """
        cells = outcome.cells
        diagnosing = self.alpha > 0 and (
            step % self.diagnose_every == 0 or not self.selected
        )
        gap = None
        if diagnosing or self.output_weight > 0:
            gap = self._gap(outcome)
        if diagnosing:
            assert gap is not None
            self._select(X, gap, activations, cells)
        terms = []
        # What is linear in sums over cells takes its gradient in one go.
        priced: list[PricedSums] = []
        if self.alpha > 0:
            if self.subject.distance.slopes is not None:
                priced.append(self._priced_neurons(activations, cells, self._weights))
            else:
                terms.append(self.alpha * self.neuron_penalty(activations, cells))
        if self.output_weight > 0 and gap is not None:
            terms.append(self.output_weight * gap)
        if self.controller is not None:
            observing = self.strength == 1
            priced.append(
                self.controller.priced(outcome, progress, observing=observing)
            )
        if priced:
            terms.append(cells.priced(priced))
        penalty = reduce(add, terms) if terms else outcome.logits.new_zeros(())
        return penalty if self.strength == 1 else self.strength * penalty

    def watched(self, outcome: Outcome, activations: dict[str, Tensor]) -> Tensor:
        """What a repair without a controller lowers, on rows that are only watched.

        Parameters
        ----------
        outcome, activations
            As of a call; the neurons are those held responsible at present.

        Returns
        -------
        penalty : Tensor of shape ()
            ``alpha`` · neuron penalty + ``output_weight`` · gap.
        """
        terms = [outcome.logits.new_zeros(())]
        if self.alpha > 0:
            penalty = self.neuron_penalty(activations, outcome.cells)
            terms.append(self.alpha * penalty)
        if self.output_weight > 0:
            terms.append(self.output_weight * self._gap(outcome))
        return reduce(add, terms)

    def neuron_penalty(self, activations: dict[str, Tensor], cells: Cells) -> Tensor:
        """Σ over layers of the mean discrimination of the selected neurons."""
        distance = self.subject.distance
        if distance.slopes is not None:
            return cells.priced(
                [self._priced_neurons(activations, cells, self._shares)]
            )
        values = self._neuron_values(activations)
        if distance.of_moments is not None:
            # All neurons of all layers at once cost less than picking some of each.
            moments = [distance.moments(v, cells) for v in values.values()]
            together = Moments.side_by_side(moments)
            discrimination = distance.of_moments(together, self._pools)
            return discrimination.to(self._shares) @ self._shares
        parts = [
            distance(v.index_select(1, self.selected[name]), cells, self._pools).mean()
            for name, v in values.items()
        ]
        return torch.stack(parts).sum()

    def _priced_neurons(
        self, activations: dict[str, Tensor], cells: Cells, weights: Tensor
    ) -> PricedSums:
        """Discrimination that is linear between two kinks, times weights of neurons."""
        distance = self.subject.distance
        assert distance.slopes is not None
        values = list(self._neuron_values(activations).values())
        with torch.no_grad():
            sums = [cells.sums(v) for v in values]
            together = Moments(torch.cat(sums, 2), None, cells.counts)
            prices = distance.slopes(together, self._pools) * weights
        return PricedSums(values, together.sums, prices)

    def _neuron_values(self, activations: dict[str, Tensor]) -> dict[str, Tensor]:
        """One value per sample and neuron, by layer."""
        return {
            layer.name: neuron_values(activations[layer.name], layer.axis)
            for layer in self.subject.layers
        }

    def _gap(self, outcome: Outcome) -> Tensor:
        scores = positive_scores(outcome.logits)
        subject = self.subject
        return subject.constraint.gap(scores, outcome.cells, subject.positive)

    def _select(
        self,
        X: Tensor,
        gap: Tensor,
        activations: dict[str, Tensor],
        cells: Cells,
    ) -> None:
        """Diagnose this pass, and select the neurons that it holds responsible."""
        subject = self.subject

        def recompute_gap() -> Tensor:
            with evaluation_mode(subject.module), torch.no_grad():
                scores = subject.scores(subject.module(X))
            return subject.constraint.gap(scores, cells, subject.positive)

        if any(h.dtype == torch.float16 for h in activations.values()):
            # Else the gradient of a single sample's pixel would be rounded to zero;
            # selecting compares importances with one another alone.
            gap = gap * len(X)
        inputs = DiagnosisInputs(
            gap, activations, subject.layers, subject.module, recompute_gap
        )
        importance = resolve_importance(self.importance)(inputs)
        self.hold(select_top_neurons(importance, self.top_k))

    def hold(self, selected: dict[str, Tensor]) -> None:
        """Hold these neurons responsible until the next diagnosis.

        Parameters
        ----------
        selected : dict of str to LongTensor
            Neurons by layer; for every recorded layer at least one.
        """
        self.selected = selected
        layers = self.subject.layers
        sizes = [layer.n_neurons for layer in layers]
        device = selected[layers[0].name].device
        self._shares = torch.zeros(sum(sizes), device=device)
        for layer, share in zip(layers, self._shares.split(sizes), strict=True):
            chosen = selected[layer.name]
            share.index_fill_(0, chosen, 1 / len(chosen))
        self._weights = self.alpha * self._shares
