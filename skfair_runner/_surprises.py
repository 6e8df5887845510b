"""What is valid but surprising about a net that was just trained, as warnings."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from skorch.utils import to_device

from ._training_data import TrainingData
from .batches import BatchLoader, GroupedDataset, rows_at_once
from .control import MULTIPLIER_LIMIT
from .net import RunnerNet
from .tasks import RateMeter
from .utils import BoundNotMetWarning, ConstantClassifierWarning

# A classifier that selects less or more than this is called constant.
_LEAST_SELECTED = 0.005
_ROWS = 2048
# warn < here < _finish < fit < scikit-learn's wrapper < the caller of fit.
_STACK_LEVEL = 5


class Voice(NamedTuple):
    """In whose name a warning speaks.

    Attributes
    ----------
    name : str
        The class that the user has called.

    remedy : str
        What to do about a constant classifier, by that class's own parameters; begins
        in lower case.

    n_frames : int
        Calls between the user's and that of the net's `fit`.
    """

    name: str
    remedy: str
    n_frames: int = 0


def warn_if_constant(
    net: RunnerNet, data: TrainingData, train: GroupedDataset, voice: Voice
) -> None:
    """Say it where every sample gets the same label.

    Parameters
    ----------
    net : RunnerNet
        Trained.

    data : TrainingData
        All rows.

    train : GroupedDataset
        The rows that were trained on.

    voice : Voice
        Who warns.
    """
    selected = net.selection_rates(train).cpu().numpy()
    base = np.bincount(data.y[data.rows], minlength=len(data.classes))
    base = base[-len(selected) :] / base.sum()
    constant = (selected > 1 - _LEAST_SELECTED) & (base <= 1 - _LEAST_SELECTED)
    if len(selected) == 1:
        constant |= (selected < _LEAST_SELECTED) & (base >= _LEAST_SELECTED)
    if constant.any():
        warnings.warn(
            f"{voice.name} has become constant: it selects "
            f"{selected[constant][0]:.1%} of the training samples, so that every "
            "difference is zero for the wrong reason. "
            f"{voice.remedy[0].upper()}{voice.remedy[1:]}.",
            ConstantClassifierWarning,
            stacklevel=_STACK_LEVEL + voice.n_frames,
        )


def warn_if_bound_not_met(net: RunnerNet, train: GroupedDataset, voice: Voice) -> None:
    """Say which bound is not met though its multiplier cannot grow further.

    Parameters
    ----------
    net : RunnerNet
        Trained.

    train : GroupedDataset
        The rows that were trained on.

    voice : Voice
        Who warns.
    """
    controller = net.controller_
    if controller is None:
        return
    stuck = [name for name, part in controller.parts.items() if part.at_limit]
    if not stuck:
        return
    reached = _differences(net, train)
    bounds = {part.name: bound for part, bound in net.plan.bounded_parts()}
    unmet = [name for name in stuck if reached[name] > bounds[name]]
    if not unmet:
        return
    told = " and ".join(
        f"{name} (bound {bounds[name]:g}, reached {reached[name]:.3f} on the training "
        "data)"
        for name in unmet
    )
    remedy = "Raise difference_bound"
    if len(bounds) > 1:
        remedy = (
            "Raise a bound in constraint, or leave one of "
            f"{', '.join(map(repr, bounds))} out, since they can pull apart"
        )
    warnings.warn(
        f"{voice.name} does not meet {told}, though the multiplier is at its limit of "
        f"{MULTIPLIER_LIMIT:g}, so that training longer would not push harder. "
        f"{remedy}; or give it other features.",
        BoundNotMetWarning,
        stacklevel=_STACK_LEVEL + voice.n_frames,
    )


def _differences(net: RunnerNet, train: GroupedDataset) -> dict[str, float]:
    """Differences of the decisions on some rows, by constraint."""
    parts = net.plan.constraint.parts
    meter = RateMeter(net.plan.constraint, net.task)
    for batch, y in BatchLoader(train, rows_at_once(train, _ROWS)):
        logits = net.evaluation_step((batch, None))
        batch, y = to_device((batch, y), logits.device)
        meter.add(logits, net._cells(batch, y, sampled=False))
    told = meter.read()
    suffixes = {part.name: f"_{part.name}" if len(parts) > 1 else "" for part in parts}
    return {name: told[f"difference{suffix}"] for name, suffix in suffixes.items()}
