"""Sending tensors to a device without waiting for what it is doing."""

from __future__ import annotations

import torch
from torch import Tensor


def is_apart(device) -> bool:
    """Whether a device works beside the processor, which may run ahead of it.

    Parameters
    ----------
    device : str or torch.device
        Where torch computes.

    Returns
    -------
    apart : bool
        False for the processor itself.

    Examples
    --------
    >>> is_apart("cpu"), is_apart("cuda:0")
    (False, True)
    """
    return torch.device(device).type != "cpu"


def pinned(values: Tensor) -> Tensor:
    """The same values in memory that a CUDA device reads by itself.

    Parameters
    ----------
    values : Tensor
        On any device.

    Returns
    -------
    values : Tensor
        A copy, unless it is there already or on another device.
    """
    if values.device.type != "cpu" or values.is_pinned():
        return values
    return values.pin_memory()


def send(values: Tensor, device) -> Tensor:
    """A tensor on a device.

    A copy to a CUDA device goes through pinned memory, is queued behind the work that
    the device was given before, and is not waited for.

    Parameters
    ----------
    values : Tensor
        On any device.

    device : str or torch.device
        Where to.

    Returns
    -------
    values : Tensor
        The same one where it is there already.

    Examples
    --------
    >>> x = torch.ones(2)
    >>> send(x, "cpu") is x
    True
    """
    if torch.device(device).type != "cuda":
        return values.to(device)
    return pinned(values).to(device, non_blocking=True)


def send_batch(batch: tuple[dict[str, Tensor], Tensor], device):
    """A batch on a device, see :func:`send`.

    Parameters
    ----------
    batch : tuple (dict of str to Tensor, Tensor)
        What a :class:`~skfair_runner.batches.BatchLoader` yields.

    device : str or torch.device
        Where to.

    Returns
    -------
    batch : tuple (dict of str to Tensor, Tensor)
        New containers.
    """
    X, y = batch
    return {name: send(values, device) for name, values in X.items()}, send(y, device)
