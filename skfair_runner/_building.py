"""From an estimator's parameters and its data to a net ready to train."""

from __future__ import annotations

import difflib

import numpy as np
import torch
from torch import nn

from ._callbacks import make_early_stopping
from ._module_making import check_precision, make_module
from ._settings import Settings, resolve_optimizer, resolve_output, resolve_settings
from ._training_data import TrainingData
from .batches import GroupedDataset
from .conditions import Constraint
from .constraints import resolve_bounds
from .distances import resolve_distance
from .net import RunnerNet
from .tasks import RepairPlan, Task

SKORCH_PREFIXES = (
    "module__",
    "optimizer__",
    "criterion__",
    "iterator_train__",
    "iterator_valid__",
    "callbacks__",
)
# Parameters of the net that a parameter of the estimator's own already sets.
_OURS = {
    "criterion__reduction": "sample_weight, in fit, for a weighted mean",
    "iterator_train__batch_size": "batch_size",
    "iterator_train__sampling": "sampling",
    "optimizer__lr": "lr",
}


def check_skorch_parameter(name: str, known, caller: str) -> None:
    """Refuse a keyword that is neither ours nor skorch's.

    Parameters
    ----------
    name : str
        What the user wrote.

    known : iterable of str
        The estimator's own parameters.

    caller : str
        Class name, for the message.

    Raises
    ------
    TypeError
        If the name has none of skorch's prefixes, or does what a parameter of ours
        does.
    """
    if name in _OURS:
        raise TypeError(
            f"{caller} does not take {name!r}: use its own parameter, {_OURS[name]}."
        )
    if name.startswith(SKORCH_PREFIXES):
        return
    close = difflib.get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise TypeError(
        f"{caller} has no parameter {name!r}{hint} Parameters of the net carry one of "
        f"the prefixes {', '.join(SKORCH_PREFIXES)}."
    )


def make_dataset(data: TrainingData, rows=None) -> GroupedDataset:
    """The rows as the net reads them.

    Parameters
    ----------
    data : TrainingData
        All rows.

    rows : ndarray of int, default=None
        Those that belong to the data set; None takes all.

    Returns
    -------
    dataset : GroupedDataset
        Shares the arrays.
    """
    groups = np.zeros(len(data.y), dtype=np.int64)
    if data.groups is not None:
        groups = data.groups.codes
    if rows is not None and len(rows) == len(data.y) and (np.diff(rows) > 0).all():
        rows = None
    source = {"X": data.X, "groups": groups, "weights": data.weights}
    return GroupedDataset(source, data.y, rows)


def make_task(estimator, data: TrainingData, rows, *, positive, output) -> Task:
    """Labels, groups, and how balanced batches differ from the data.

    Parameters
    ----------
    estimator : RunnerFairClassifier
        Whose `sampling` and `correct_prior` are read.

    data : TrainingData
        All rows.

    rows : ndarray of int
        Those that batches are drawn from.

    positive : int
        Code of the favourable label.

    output : {"logits", "probabilities"}
        What the module emits.

    Returns
    -------
    task : Task
        Without groups where the data have none.
    """
    n_labels = len(data.classes)
    if data.groups is None:
        return Task(n_labels, 0, positive, output)
    shift = shares = None
    if estimator.sampling != "shuffled" and estimator.correct_prior:
        counts, weights = data.cell_counts(rows), data.cell_weights(rows)
        drawn = (counts > 0).astype(float)
        if estimator.sampling == "group":
            drawn = counts / np.maximum(counts.sum(0), 1)
        in_data, in_batches = counts / counts.sum(), drawn / drawn.sum()
        # Rows that are not drawn often enough count for more, in rates and penalty.
        shares = np.divide(
            in_data, in_batches, out=np.zeros_like(in_data), where=in_batches > 0
        )
        # The criterion sees labels as often as they are drawn, times their weights.
        per_row = weights / np.maximum(counts, 1)
        seen, wanted = ((share * per_row).sum(1) for share in (in_batches, in_data))
        # A class of the model that this chunk does not hold needs no shift.
        shift = np.log(np.divide(seen, wanted, out=np.ones(n_labels), where=wanted > 0))
        if n_labels == 2:
            shift = shift[1:] - shift[:1]
        shift, shares = shift.astype(np.float32), shares.astype(np.float32)
    return Task(n_labels, data.groups.n_groups, positive, output, shift, shares)


def _populations(constraint: Constraint | None) -> str | dict[str, str]:
    """Within what a constraint compares; of several by name."""
    if constraint is None:
        return "everybody"
    found = {part.name: part.within for part in constraint.parts}
    return found if len(found) > 1 else constraint.within


def build_net(
    estimator,
    data: TrainingData,
    rows,
    *,
    module,
    constraint: Constraint | None,
    positive: int,
    skorch_parameters: dict,
    warmup_epochs: int | None = None,
) -> tuple[RunnerNet, Settings]:
    """The net of an estimator, its module built and nothing trained.

    Parameters
    ----------
    estimator : RunnerFairClassifier
        Whose parameters are read.

    data : TrainingData
        All rows.

    rows : ndarray of int
        Those that are trained on.

    module : None, callable or nn.Module
        See :func:`make_module`.

    constraint : Constraint or None
        None trains plainly.

    positive : int
        Code of the favourable label.

    skorch_parameters : dict
        Parameters with skorch's prefixes.

    warmup_epochs : int, default=None
        None takes those of the estimator.

    Returns
    -------
    net : RunnerNet
        Not yet initialised.

    settings : Settings
        The numbers it will use.
    """
    own = {
        name.removeprefix("module__"): value
        for name, value in skorch_parameters.items()
        if name.startswith("module__")
    }
    settings = resolve_settings(
        len(rows),
        within=_populations(constraint),
        repair=estimator.repair,
        own_module=estimator.module is not None,
        trained=isinstance(module, nn.Module),
        alpha=estimator.alpha,
        batch_size=estimator.batch_size,
        warmup_epochs=(
            estimator.warmup_epochs if warmup_epochs is None else warmup_epochs
        ),
        max_epochs=estimator.max_epochs,
        lr=estimator.lr,
        optimizer=estimator.optimizer,
    )
    defaults = {
        "hidden_layer_sizes": estimator.hidden_layer_sizes,
        "dropout": settings.dropout,
        "n_bins": settings.n_bins,
    }
    built = make_module(module, data, rows, defaults, own)
    check_precision(built, data, repaired=constraint is not None)
    output = resolve_output(built, estimator.module_output)
    task = make_task(estimator, data, rows, positive=positive, output=output)
    net = assemble_net(
        estimator,
        built,
        task=task,
        settings=settings,
        constraint=constraint,
        skorch_parameters=skorch_parameters,
    )
    return net, settings


def assemble_net(
    estimator,
    module: nn.Module,
    *,
    task: Task,
    settings: Settings,
    constraint: Constraint | None,
    skorch_parameters: dict,
) -> RunnerNet:
    """The net around a module, from what was already read off the data.

    Parameters
    ----------
    estimator : RunnerFairClassifier
        Whose parameters are read, and whose class of net is taken.

    module : nn.Module
        The network; not copied.

    task : Task
        Labels and groups.

    settings : Settings
        Every number that was "auto".

    constraint : Constraint or None
        None trains plainly.

    skorch_parameters : dict
        Parameters with skorch's prefixes; those of the module are left aside.

    Returns
    -------
    net : RunnerNet
        Not yet initialised.
    """
    plan = None
    if constraint is not None:
        plan = RepairPlan(
            constraint=constraint,
            distance=resolve_distance(estimator.distance),
            importance=estimator.importance,
            alpha=settings.alpha,
            top_k=estimator.top_k,
            diagnose_every=estimator.diagnose_every,
            output_weight=estimator.output_weight or 0.0,
            difference_bound=resolve_bounds(
                estimator.constraint, estimator.difference_bound
            ),
            gain=settings.gain,
            memory=settings.memory,
            sharpness=settings.sharpness,
            layers=estimator.layers,
        )
    optimizer, optimizer_parameters = resolve_optimizer(
        estimator.optimizer, estimator.device
    )
    callbacks = list(estimator.callbacks or [])
    if estimator.early_stopping:
        callbacks += make_early_stopping(estimator.n_iter_no_change)
    prefixed = {
        name: value
        for name, value in skorch_parameters.items()
        if not name.startswith("module__")
    }
    if torch.device(estimator.device).type == "cuda":
        for name in ("iterator_train__pin_memory", "iterator_valid__pin_memory"):
            prefixed.setdefault(name, True)
    return estimator._net_class(
        module,
        task=task,
        plan=plan,
        warmup_epochs=settings.warmup_epochs,
        warmup_lr=settings.warmup_lr,
        lr_schedule=estimator.lr_schedule,
        checkpoint=estimator.checkpoint,
        mixed_precision=estimator.mixed_precision,
        max_epochs=settings.max_epochs,
        batch_size=settings.batch_size,
        lr=settings.lr,
        optimizer=optimizer,
        callbacks=callbacks,
        device=estimator.device,
        verbose=int(estimator.verbose),
        **{
            **optimizer_parameters,
            "iterator_train__shuffle": True,
            "iterator_train__sampling": estimator.sampling,
            **prefixed,
        },
    )
