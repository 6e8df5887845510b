"""Whether the parameters of a RunnerFairClassifier agree with each other."""

from __future__ import annotations

import os
from pathlib import Path

from ._guards import check_device
from .conditions import Constraint
from .constraints import check_agreement, resolve_constraints
from .net import RunnerNet


def check_parameters(estimator) -> Constraint | None:
    """Refuse parameters that contradict each other, or cannot be used here.

    Parameters
    ----------
    estimator : RunnerFairClassifier
        Each of its parameters is of an allowed type already.

    Returns
    -------
    constraint : Constraint or None
        What its `constraint` means; None trains plainly.

    Raises
    ------
    TypeError
        If a number is a switch, or `constraint` a dict of anything but names and
        numbers.

    ValueError
        If a device, a folder or a constraint is unknown, or two parameters contradict
        each other.
    """
    for parameter in ("difference_bound", "output_weight", "alpha", "top_k"):
        value = getattr(estimator, parameter)
        if isinstance(value, bool):
            raise TypeError(
                f"{parameter}={value!r} is no switch: pass a number. "
                f"{type(estimator).__name__} is trained plainly by constraint=None."
            )
    if not isinstance(estimator.layers, str) and len(estimator.layers) == 0:
        raise ValueError(
            f"layers={estimator.layers!r} names no layer, so no neuron could be "
            "diagnosed: pass 'auto', or names; alpha=0 leaves neurons alone."
        )
    sizes = estimator.hidden_layer_sizes
    own = estimator.module is None and estimator.constraint is not None
    if len(sizes) == 0 and own and estimator.layers == "auto":
        raise ValueError(
            f"hidden_layer_sizes={sizes!r} leaves no hidden neuron to diagnose: pass "
            "at least one size, or layers=['encoding']."
        )
    check_device(estimator.device)
    _check_checkpoint(estimator)
    return _read_constraint(
        estimator.constraint, estimator.difference_bound, estimator.output_weight
    )


def _read_constraint(constraint, difference_bound, output_weight):
    """The constraint, once it agrees with what steers the output term."""
    if isinstance(constraint, dict):
        found = resolve_constraints(constraint)
        check_agreement(constraint, difference_bound, output_weight)
        return found
    if output_weight is not None and difference_bound is not None:
        raise ValueError(
            f"output_weight={output_weight!r} and "
            f"difference_bound={difference_bound!r} are two ways to steer the "
            "same term: set one of them to None."
        )
    if constraint is None:
        return None
    found = resolve_constraints(constraint)
    if found.gap_function is not None and difference_bound is not None:
        raise ValueError(
            f"difference_bound={difference_bound!r} bounds rates, which the "
            f"gap function {found.name!r} does not tell: pass "
            "difference_bound=None, and output_weight=... to weigh the gap."
        )
    return found


def _check_checkpoint(estimator) -> None:
    """Refuse a checkpoint where it would not hold all of the training's state."""
    if estimator.checkpoint is None:
        return
    given = f"checkpoint={os.fspath(estimator.checkpoint)!r}"
    if estimator.early_stopping:
        raise ValueError(
            f"{given} does not hold what early stopping remembers: pass "
            "early_stopping=False, or no checkpoint."
        )
    if estimator._net_class is not RunnerNet:
        raise ValueError(
            f"{given} holds the training of RunnerFairClassifier, not that of "
            "another method: pass checkpoint=None."
        )
    folder = Path(estimator.checkpoint).absolute().parent
    if not folder.is_dir():
        raise ValueError(f"{given}: there is no folder {str(folder)!r}: make it.")
