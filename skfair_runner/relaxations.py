"""Decisions of a network, and their relaxations, which carry gradient."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .cells import Cells


def positive_scores(logits: Tensor) -> Tensor:
    """Probabilities: sigmoid of one column of logits, softmax of several.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_columns)
        One column for two classes, else one per class.

    Returns
    -------
    scores : Tensor of shape (n_samples, n_columns)
        In [0, 1].

    Examples
    --------
    >>> import torch
    >>> positive_scores(torch.zeros(1, 1)), positive_scores(torch.zeros(1, 4))
    (tensor([[0.5000]]), tensor([[0.2500, 0.2500, 0.2500, 0.2500]]))
    """
    return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(1)


def decisions(logits: Tensor) -> Tensor:
    """Hard decisions, 0 or 1, per column.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_columns)
        One column for two classes, else one per class.

    Returns
    -------
    decisions : Tensor of shape (n_samples, n_columns)
        For several columns, 1 in the column of the largest logit.

    Examples
    --------
    >>> import torch
    >>> decisions(torch.tensor([[-1.0], [2.0]])).squeeze(1)
    tensor([0., 1.])
    """
    if logits.shape[1] == 1:
        return (logits > 0).to(logits.dtype)
    chosen = logits.argmax(1, keepdim=True)
    return torch.zeros_like(logits).scatter_(1, chosen, 1.0)


def sharpened_scores(logits: Tensor, sharpness: float) -> Tensor:
    r"""Relaxed decisions whose slope at the decision threshold is one.

    .. math:: q = \frac{4}{s}\,\sigma(s\,o)

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_columns)
        One column for two classes, else one per class.

    sharpness : float
        s > 0; at 1 the scores times four, for large s a step of height 4 / s.

    Returns
    -------
    relaxed : Tensor of shape (n_samples, n_columns)
        In [0, 4 / s].

    Examples
    --------
    >>> import torch
    >>> logits = torch.zeros(1, 1, requires_grad=True)
    >>> sharpened_scores(logits, 5.0).sum().backward()
    >>> logits.grad
    tensor([[1.]])
    """
    return positive_scores(logits * sharpness) * (4.0 / sharpness)


class Outcome(NamedTuple):
    """What a network said of a batch, and whom each sample belongs to.

    Attributes
    ----------
    logits : Tensor of shape (n_samples, n_columns)
        One column for two classes, else one per class.

    cells : Cells
        Label and group of each sample.
    """

    logits: Tensor
    cells: Cells
