"""What a net is asked to do: the task, the plan of the repair, and its reading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .cells import Cells
from .conditions import Constraint, condition_rates, reduce_rates
from .constraints import by_constraint
from .distances import Distance
from .relaxations import Outcome, decisions, positive_scores

# So many a meter keeps before it counts them. What is kept lies between the blocks that
# batches leave free, so that more of it would take many times its own memory.
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Task:
    """What the module's output means and who is compared.

    Attributes
    ----------
    n_labels : int
        Number of classes.

    n_groups : int
        Number of groups; 0 where the net is trained without any.

    positive : int
        Code of the favourable label.

    output : {"logits", "probabilities"}
        What the module emits.

    logit_shift : ndarray of shape (n_columns,) or None
        Log-odds of the labels in the batches minus those in the data; added to the
        logits inside the criterion, so that the module itself is calibrated to the
        data.

    cell_weights : ndarray of shape (n_labels, n_groups) or None
        Share of each cell in the data relative to its share in the batches.
    """

    n_labels: int
    n_groups: int
    positive: int = 1
    output: str = "logits"
    logit_shift: np.ndarray | None = None
    cell_weights: np.ndarray | None = None


@dataclass(frozen=True)
class RepairPlan:
    """Everything that the repair phase needs to be told.

    Attributes
    ----------
    constraint : Constraint
        What must not depend on the group.

    distance : Distance
        Measures discrimination.

    importance : str or callable
        How neurons are ranked.

    alpha, top_k, diagnose_every, output_weight
        See :class:`~skfair_runner.penalty.RepairPenalty`.

    difference_bound : float, dict of str to float or None, or None
        Bound of the controller; of several constraints by name, where None leaves one
        without. None switches it off.

    gain, memory : float or dict of str to float
        See :class:`~skfair_runner.multipliers.RateController`; of several constraints
        by name.

    sharpness : tuple of float
        See :class:`~skfair_runner.control.OutputController`.

    layers : sequence of str or "auto"
        Which layers are recorded.
    """

    constraint: Constraint
    distance: Distance
    importance: object
    alpha: float
    top_k: float
    diagnose_every: int
    output_weight: float
    difference_bound: float | dict[str, float | None] | None
    gain: float | dict[str, float]
    memory: float | dict[str, float]
    sharpness: tuple[float, float]
    layers: object = "auto"

    def bounded_parts(self) -> list[tuple[Constraint, float]]:
        """The constraints that a controller holds, and their bounds."""
        bounds = by_constraint(self.difference_bound, self.constraint)
        return [
            (part, bounds[part.name])
            for part in self.constraint.parts
            if bounds[part.name] is not None
        ]

    def description(self) -> dict:
        """The plan as plain values, functions by their names."""
        told = dict(vars(self))
        told |= {"constraint": self.constraint.name, "distance": self.distance.name}
        if callable(self.importance):
            told["importance"] = getattr(
                self.importance, "__qualname__", type(self.importance).__qualname__
            )
        return told


def as_logits(output: Tensor, n_labels: int, kind: str) -> Tensor:
    """Bring what a module emits into one form.

    Parameters
    ----------
    output : Tensor of shape (n_samples,), (n_samples, 1) or (n_samples, n_labels)
        Logits or probabilities. Two columns are accepted for two labels.

    n_labels : int
        Number of classes.

    kind : {"logits", "probabilities"}
        What the module emits.

    Returns
    -------
    logits : Tensor of shape (n_samples, 1) for two labels, else (n_samples, n_labels)
        Log-odds of the second label, or unnormalised log-probabilities.

    Raises
    ------
    TypeError
        If the module emits no tensor.

    ValueError
        If the number of columns does not fit the labels.

    Examples
    --------
    >>> import torch
    >>> as_logits(torch.tensor([[0.2, 0.8]]), 2, "probabilities").exp()
    tensor([[4.]])
    """
    if not isinstance(output, Tensor):
        raise TypeError(
            f"The module emits a {type(output).__name__}; it should emit one tensor of "
            f"scores for the {n_labels} classes: change its forward."
        )
    columns = output[:, None] if output.ndim == 1 else output
    if columns.ndim != 2 or columns.shape[1] not in {
        n_labels,
        1 if n_labels == 2 else n_labels,
    }:
        expected = "(n, 1), (n,) or (n, 2)" if n_labels == 2 else f"(n, {n_labels})"
        raise ValueError(
            f"The module emits an output of shape {tuple(output.shape)} for "
            f"{n_labels} classes; it should emit {expected}: change its last layer."
        )
    if kind == "probabilities":
        tiny = torch.finfo(columns.dtype).eps
        columns = columns.clamp(tiny, 1 - tiny)
        columns = columns.logit() if columns.shape[1] == 1 else columns.log()
    if n_labels == 2 and columns.shape[1] == 2:
        columns = columns[:, 1:] - columns[:, :1]
    return columns


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Probability of every class.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_columns), float64
        One column for two classes, else one per class.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)
        Rows sum to one.

    Examples
    --------
    >>> probabilities(np.array([[0.0]]))
    array([[0.5, 0.5]])
    """
    if logits.shape[1] == 1:
        positive = 1 / (1 + np.exp(-np.clip(logits[:, 0], -700, 700)))
        return np.column_stack([1 - positive, positive])
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class ModuleScores:
    """Probabilities out of the module's output; picklable."""

    task: Task

    def __call__(self, output: Tensor) -> Tensor:
        """Scores of shape (n_samples, n_columns)."""
        return positive_scores(as_logits(output, self.task.n_labels, self.task.output))


class RateMeter:
    """Rates of decisions and scores over the batches of an epoch."""

    def __init__(self, constraint: Constraint, task: Task):
        self.constraint, self.positive = constraint, task.positive
        self.sums: list[Tensor] | None = None
        # Counting many batches at once costs little more than counting one.
        self._waiting: list[tuple[Tensor, Cells]] = []
        self._n_waiting = 0

    def add(self, outcome: Outcome) -> None:
        """Count one more batch."""
        self._waiting.append((outcome.logits.detach(), outcome.cells))
        self._n_waiting += len(outcome.logits)
        if self._n_waiting >= _ROWS_AT_ONCE:
            self._count()

    def _count(self) -> None:
        """Add what is waiting to the sums."""
        if not self._waiting:
            return
        logits, cells = zip(*self._waiting, strict=True)
        self._waiting, self._n_waiting = [], 0
        together, joined = torch.cat(logits), Cells.joined(cells)
        both = torch.cat([positive_scores(together), decisions(together)], 1)
        sums = [joined.sums(both), joined.counts]
        if self.sums is not None:
            sums = [a + b for a, b in zip(self.sums, sums, strict=True)]
        self.sums = sums

    def read(self) -> dict[str, float]:
        """The gap of scores and the difference of decisions; then start anew.

        Of several constraints both end in the name, and the gap of all comes first.
        """
        self._count()
        if self.sums is None or self.constraint.gap_function is not None:
            return {}
        (sums, counts), self.sums = self.sums, None
        n_columns = sums.shape[2] // 2
        told, parts = {}, self.constraint.parts
        for part in parts:
            conditions = part.conditions(len(counts), self.positive)
            soft = condition_rates(sums[:, :, :n_columns], counts, conditions)
            hard = condition_rates(sums[:, :, n_columns:], counts, conditions)
            suffix = "" if len(parts) == 1 else f"_{part.name}"
            told[f"gap{suffix}"] = float(reduce_rates(*soft, "sum"))
            told[f"difference{suffix}"] = float(reduce_rates(*hard, "largest"))
        if len(parts) > 1:
            return {"gap": sum(told[f"gap_{part.name}"] for part in parts), **told}
        return told
