"""Half precision inside a module, single precision around it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MIXED_PRECISIONS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def at_least_single(values: Tensor) -> Tensor:
    """Half precision raised to float32; anything else as it is.

    Parameters
    ----------
    values : Tensor
        Of any type.

    Returns
    -------
    values : Tensor
        Carries gradient to what was passed.

    Examples
    --------
    >>> at_least_single(torch.ones(1, dtype=torch.bfloat16)).dtype
    torch.float32
    >>> at_least_single(torch.ones(1, dtype=torch.float64)).dtype
    torch.float64
    """
    return values.float() if values.dtype in MIXED_PRECISIONS.values() else values


def run_module(module: nn.Module, X: Tensor, mixed_precision: str | None = None):
    """Output of a module, whose convolutions and products may be of half precision.

    Parameters
    ----------
    module : nn.Module
        Its weights keep their type.

    X : Tensor of shape (n_samples, ...)
        On the module's device.

    mixed_precision : {"bfloat16", "float16"} or None, default=None
        What torch's autocast computes in where that is known to be safe; None leaves
        all to the module.

    Returns
    -------
    output : Tensor
        At least float32. Anything but a tensor is returned as the module emits it.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> run_module(net, torch.ones(2, 3), "bfloat16").dtype
    torch.float32
    """
    if mixed_precision is None:
        return module(X)
    with torch.autocast(X.device.type, MIXED_PRECISIONS[mixed_precision]):
        output = module(X)
    return at_least_single(output) if isinstance(output, Tensor) else output


def takes_channels_last(module: nn.Module, X: Tensor) -> bool:
    """Whether a module is worth feeding with channels behind the pixels in memory.

    Convolutions are faster so. A module that looks at the layout of its input, as
    ``x.view(len(x), -1)`` does, refuses it.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode.

    X : Tensor of shape (n_samples, ...)
        A few inputs.

    Returns
    -------
    takes : bool
        True if X has four axes, the module has two-dimensional convolutions, and it
        runs.
    """
    if X.ndim != 4 or not any(isinstance(m, nn.Conv2d) for m in module.modules()):
        return False
    try:
        with torch.no_grad():
            module(X.contiguous(memory_format=torch.channels_last))
    except RuntimeError:
        return False
    return True
