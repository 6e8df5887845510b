"""What a net repairs by: the diagnosis of its module, the penalty, the controller."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from skorch.utils import to_device
from torch import Tensor

from .activations import trace_layers
from .batches import BatchLoader, GroupedDataset, rows_at_once, spread_rows
from .constraints import by_constraint
from .control import OutputController
from .diagnosis import Batch, Diagnosis, Subject, diagnose
from .multipliers import make_rate_controller
from .penalty import RepairPenalty
from .relaxations import decisions
from .tasks import ModuleScores

# Rows at a time where nothing is learned; more would not stay in a processor's cache.
PREDICTION_BATCH = 2048
# Rows that a user's own importance receives.
_CUSTOM_DIAGNOSIS_BATCH = 8192


class _DiagnosisBatches:
    """A data set as batches for a diagnosis, on the net's device."""

    def __init__(self, net: Any, dataset: GroupedDataset, batch_size: int):
        self.loader = BatchLoader(dataset, batch_size)
        self.net, self.n_rows = net, len(dataset)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self):
        for batch, y in self.loader:
            batch, y = self.net.send_batch((batch, y))
            X = self.net.laid_out(batch["X"])
            yield Batch(X, y, batch["groups"], batch.get("weights"))


class Repairing:
    """What a net needs for the repair of its module; mixed into RunnerNet.

    Attributes
    ----------
    controller_ : OutputController or None
        Of the output term; None before the repair, and where nothing is bounded.
    """

    controller_: OutputController | None

    def make_controller(self: Any, selection_rates: Tensor) -> OutputController:
        """A controller of the plan's bounds that starts from these selection rates."""
        plan, task = self.plan, self.task
        gains = by_constraint(plan.gain, plan.constraint)
        memories = by_constraint(plan.memory, plan.constraint)
        parts = {
            part.name: make_rate_controller(
                part.conditions(task.n_labels, task.positive),
                task.n_groups,
                len(selection_rates),
                bound,
                device=selection_rates.device,
                gain=gains[part.name],
                memory=memories[part.name],
            )
            for part, bound in plan.bounded_parts()
        }
        return OutputController(parts, selection_rates, sharpness=plan.sharpness)

    def make_penalty(self: Any, train: GroupedDataset) -> RepairPenalty:
        """The repair's part of the loss; a controller goes on where it stood."""
        plan = self.plan
        if self.controller_ is None and plan.difference_bound is not None:
            self.controller_ = self.make_controller(self.selection_rates(train))
        return RepairPenalty(
            self.subject(train),
            alpha=plan.alpha,
            top_k=plan.top_k,
            importance=plan.importance,
            diagnose_every=plan.diagnose_every,
            output_weight=plan.output_weight,
            controller=self.controller_,
        )

    def subject(self: Any, train: GroupedDataset) -> Subject:
        """The module with its recorded layers, as the diagnosis sees it."""
        example, _ = train.take(np.arange(min(2, len(train))))
        layers = trace_layers(
            self.module_, to_device(example["X"], self.device), self.plan.layers
        )
        return Subject(
            self.module_,
            layers,
            ModuleScores(self.task),
            self.plan.constraint,
            self.plan.distance,
            self.task.n_labels,
            self.task.n_groups,
            self.task.positive,
        )

    def diagnose(self: Any, dataset: GroupedDataset, importance) -> Diagnosis:
        """Diagnosis of the module over a data set, in evaluation mode."""
        custom = callable(importance)
        size = _CUSTOM_DIAGNOSIS_BATCH if custom else PREDICTION_BATCH
        size = rows_at_once(dataset, size)
        if custom and len(dataset) > size:
            # It receives the first batch only, and rows may be sorted.
            first = spread_rows(len(dataset), size)
            others = np.setdiff1d(np.arange(len(dataset)), first)
            dataset = dataset.subset(np.concatenate([first, others]))
        batches = _DiagnosisBatches(self, dataset, size)
        return diagnose(self.subject(dataset), batches, importance)

    def selection_rates(self: Any, dataset: GroupedDataset) -> Tensor:
        """Share of the rows that the module decides for, per column of logits."""
        selected = total = torch.zeros((), device=self.device)
        for batch, _ in BatchLoader(dataset, rows_at_once(dataset, PREDICTION_BATCH)):
            hard = decisions(self.evaluation_step((batch, None)))
            weights = batch.get("weights")
            weights = (
                hard.new_ones(len(hard)) if weights is None else self.send(weights)
            )
            selected = selected + weights @ hard
            total = total + weights.sum()
        return selected / total
