"""Differentiable gaps between groups, and the rates they are made of.

A *gap* is the relaxation of a difference: the decisions of a group, 0 or 1, become its
scores, so that the value carries gradient (Li et al., "RUNNER", ICSE 2024, Section 3).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .cells import Cells
from .conditions import (
    CONSTRAINTS,
    Conditions,
    Constraint,
    condition_rates,
    reduce_rates,
    resolve_constraint,
)

__all__ = [
    "CONSTRAINTS",
    "Conditions",
    "Constraint",
    "condition_rates",
    "demographic_parity_gap",
    "equalized_odds_gap",
    "false_positive_rate_gap",
    "reduce_rates",
    "resolve_constraint",
    "true_positive_rate_gap",
]


def _gap(
    name: str, y_true: Tensor, y_score: Tensor, groups: Tensor, reduction: str
) -> Tensor:
    """Gap of a named constraint over all samples, checked for two groups."""
    codes = torch.unique(groups)
    if len(codes) < 2:
        raise ValueError(
            f"A gap compares at least two groups; this batch has {len(codes)} "
            f"(group codes: {codes.tolist()})."
        )
    scores = y_score[:, None] if y_score.ndim == 1 else y_score
    n_labels = max(scores.shape[1], 2)
    cells = Cells(y_true.long(), groups, n_labels, int(codes.max()) + 1)
    return CONSTRAINTS[name].gap(scores, cells, reduction=reduction)


def demographic_parity_gap(
    y_true: Tensor | None,
    y_score: Tensor,
    groups: Tensor,
    *,
    reduction: str = "largest",
) -> Tensor:
    r"""Difference in mean score between groups.

    The relaxation of the demographic parity difference: the selection rate of a group,
    a mean of 0/1 decisions, becomes the mean of its scores.

    .. math:: \max_g \bar{s}_g - \min_g \bar{s}_g

    Parameters
    ----------
    y_true : Tensor of shape (n_samples,) or None
        Ignored. Present so that every gap is called alike.

    y_score : Tensor of shape (n_samples,) or (n_samples, n_classes)
        Probability of the positive class, or of each class, in [0, 1]; not logits.

    groups : LongTensor of shape (n_samples,)
        Group code of each sample.

    reduction : {"largest", "sum"}, default="largest"
        "largest": max − min over groups, the largest over classes, which on 0/1 scores
        is fairlearn's difference. "sum": mean absolute difference over pairs of groups,
        summed over classes, which diagnosis and penalties use. For two groups and two
        classes both are the absolute difference of the groups' means.

    Returns
    -------
    gap : Tensor of shape ()
        Zero when all groups have the same mean score. Carries gradient to `y_score`.

    Raises
    ------
    ValueError
        If fewer than two groups are present.

    See Also
    --------
    equalized_odds_gap : The same, within each label.

    Examples
    --------
    >>> import torch
    >>> y_score = torch.tensor([0.9, 0.7, 0.2, 0.4])
    >>> demographic_parity_gap(None, y_score, torch.tensor([0, 0, 1, 1]))
    tensor(0.5000)
    """
    everybody = torch.zeros_like(groups)
    return _gap("demographic_parity", everybody, y_score, groups, reduction)


def equalized_odds_gap(
    y_true: Tensor, y_score: Tensor, groups: Tensor, *, reduction: str = "largest"
) -> Tensor:
    """Difference in mean score between groups, within each label.

    Parameters
    ----------
    y_true : LongTensor of shape (n_samples,)
        Label codes.

    y_score : Tensor of shape (n_samples,) or (n_samples, n_classes)
        Probability of the positive class, or of each class, in [0, 1]; not logits.

    groups : LongTensor of shape (n_samples,)
        Group code of each sample.

    reduction : {"largest", "sum"}, default="largest"
        "largest": the larger of the two labels' differences, which on 0/1 scores is
        fairlearn's equalized odds difference. "sum": their sum, the paper's GapEO, with
        the mean over pairs of groups where there are more than two.

    Returns
    -------
    gap : Tensor of shape ()
        Carries gradient to `y_score`. A group without samples of a label is not
        compared within that label.

    Raises
    ------
    ValueError
        If fewer than two groups are present.

    Examples
    --------
    >>> import torch
    >>> y_true, groups = torch.tensor([1, 0, 1, 0]), torch.tensor([0, 0, 1, 1])
    >>> y_score = torch.tensor([0.9, 0.3, 0.6, 0.2])
    >>> equalized_odds_gap(y_true, y_score, groups)
    tensor(0.3000)
    >>> equalized_odds_gap(y_true, y_score, groups, reduction="sum")
    tensor(0.4000)
    """
    return _gap("equalized_odds", y_true, y_score, groups, reduction)


def true_positive_rate_gap(
    y_true: Tensor, y_score: Tensor, groups: Tensor, *, reduction: str = "largest"
) -> Tensor:
    """Difference in mean score between groups, among samples of the positive label.

    Parameters
    ----------
    y_true : LongTensor of shape (n_samples,)
        Label codes; 1 is positive. With more than two classes each is compared against
        the rest.

    y_score : Tensor of shape (n_samples,) or (n_samples, n_classes)
        Probability of the positive class, or of each class, in [0, 1]; not logits.

    groups : LongTensor of shape (n_samples,)
        Group code of each sample.

    reduction : {"largest", "sum"}, default="largest"
        See :func:`demographic_parity_gap`.

    Returns
    -------
    gap : Tensor of shape ()
        Carries gradient to `y_score`.

    Raises
    ------
    ValueError
        If fewer than two groups are present.

    Examples
    --------
    >>> import torch
    >>> y_true, groups = torch.tensor([1, 0, 1, 0]), torch.tensor([0, 0, 1, 1])
    >>> true_positive_rate_gap(y_true, torch.tensor([0.9, 0.3, 0.6, 0.2]), groups)
    tensor(0.3000)
    """
    return _gap("true_positive_rate_parity", y_true, y_score, groups, reduction)


def false_positive_rate_gap(
    y_true: Tensor, y_score: Tensor, groups: Tensor, *, reduction: str = "largest"
) -> Tensor:
    """Difference in mean score between groups, among samples of the negative label.

    Parameters
    ----------
    y_true : LongTensor of shape (n_samples,)
        Label codes; 0 is negative. With more than two classes the samples of all other
        classes are the negatives of each.

    y_score : Tensor of shape (n_samples,) or (n_samples, n_classes)
        Probability of the positive class, or of each class, in [0, 1]; not logits.

    groups : LongTensor of shape (n_samples,)
        Group code of each sample.

    reduction : {"largest", "sum"}, default="largest"
        See :func:`demographic_parity_gap`.

    Returns
    -------
    gap : Tensor of shape ()
        Carries gradient to `y_score`.

    Raises
    ------
    ValueError
        If fewer than two groups are present.

    Examples
    --------
    >>> import torch
    >>> y_true, groups = torch.tensor([1, 0, 1, 0]), torch.tensor([0, 0, 1, 1])
    >>> false_positive_rate_gap(y_true, torch.tensor([0.9, 0.3, 0.6, 0.2]), groups)
    tensor(0.1000)
    """
    return _gap("false_positive_rate_parity", y_true, y_score, groups, reduction)
