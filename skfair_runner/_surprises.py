"""What is valid but surprising about a net that was just trained, as warnings."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from skorch.utils import to_device

from ._training_data import TrainingData
from .batches import BatchLoader, GroupedDataset, rows_at_once
from .multipliers import MULTIPLIER_LIMIT
from .net import RunnerNet
from .relaxations import Outcome
from .tasks import RateMeter
from .utils import BoundNotMetWarning, ConstantClassifierWarning

# A classifier that selects less or more than this is called constant.
_LEAST_SELECTED = 0.005
_ROWS = 2048
# By how much a bound among several, and one alone, may be missed without a word.
_MISSED, _MISSED_ALONE = 0.02, 0.05
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
    weights = None if data.weights is None else data.weights[data.rows]
    base = np.bincount(data.y[data.rows], weights, minlength=len(data.classes))
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
    """Say which bound the repair has not met on its own training rows.

    That is where its multiplier cannot grow further; of several constraints, which can
    pull apart, where a bound is missed by more than 0.02; and by more than 0.05 where
    there is one, whose multiplier may just not have arrived.

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
    bounds = {part.name: bound for part, bound in net.plan.bounded_parts()}
    at_limit = {name for name, part in controller.parts.items() if part.at_limit}
    allowed = _MISSED if len(bounds) > 1 else _MISSED_ALONE
    if not at_limit and len(bounds) == 1:
        # The last epoch's, while it was trained, spares most fits a pass over the rows.
        (bound,) = bounds.values()
        met = bound + allowed / 2
        if net.history[-1].get("train_difference", math.inf) <= met:
            return
    reached = _differences(net, train)
    unmet = [
        name
        for name, bound in bounds.items()
        if reached[name] > bound + (0 if name in at_limit else allowed)
    ]
    if unmet:
        warnings.warn(
            _sentence(unmet, bounds, reached, at_limit, voice),
            BoundNotMetWarning,
            stacklevel=_STACK_LEVEL + voice.n_frames,
        )


def _sentence(unmet, bounds, reached, at_limit, voice) -> str:
    """Which bounds are not met, why, and what to do."""
    told = _listed(
        f"{name} (bound {bounds[name]:g}, reached {reached[name]:.3f} on the training "
        f"data{', its multiplier at the limit' if name in at_limit else ''})"
        for name in unmet
    )
    if len(bounds) == 1 and not at_limit:
        return (
            f"{voice.name} does not meet {told}. Its multiplier can still grow: train "
            "longer, or raise the bound."
        )
    if len(bounds) == 1:
        return (
            f"{voice.name} does not meet {told}. The limit is {MULTIPLIER_LIMIT:g}, so "
            "that training longer would not push harder: raise the bound, or give it "
            "other features."
        )
    longer = "" if set(unmet) <= at_limit else ", or train longer"
    return (
        f"{voice.name} does not meet {told}. Where base rates differ, "
        f"{_listed(bounds)} pull apart: raise a bound in constraint, leave one "
        f"out{longer}."
    )


def _listed(words: Iterable[str]) -> str:
    """Words as in a sentence: "a, b and c"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _differences(net: RunnerNet, train: GroupedDataset) -> dict[str, float]:
    """Differences of the decisions on some rows, by constraint."""
    parts = net.plan.constraint.parts
    meter = RateMeter(net.plan.constraint, net.task)
    for batch, y in BatchLoader(train, rows_at_once(train, _ROWS)):
        logits = net.evaluation_step((batch, None))
        batch, y = to_device((batch, y), logits.device)
        cells = net._cells(batch, y, sampled=False)
        assert cells is not None  # where there is a constraint, there are groups
        meter.add(Outcome(logits, cells))
    told = meter.read()
    suffixes = {part.name: f"_{part.name}" if len(parts) > 1 else "" for part in parts}
    return {name: told[f"difference{suffix}"] for name, suffix in suffixes.items()}
