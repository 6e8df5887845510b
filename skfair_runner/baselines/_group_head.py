"""What a layer of a trained net tells of the groups."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

# Weight decay; it keeps the head finite where groups can be separated.
_DECAY = 1e-4


def group_head(features: Tensor, groups: Tensor, n_groups: int) -> nn.Linear:
    """Multinomial regression that tells groups from the last hidden layer.

    Parameters
    ----------
    features : Tensor of shape (n_samples, n_neurons)
        What the layer emits; without graph.

    groups : LongTensor of shape (n_samples,)
        Group codes.

    n_groups : int
        Number of groups.

    Returns
    -------
    head : Linear
        Trained on all samples at once, from zero.
    """
    head = nn.Linear(features.shape[1], n_groups).to(features)
    for parameter in head.parameters():
        nn.init.zeros_(parameter)
    optimizer = torch.optim.LBFGS(
        head.parameters(), max_iter=200, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        loss = cross_entropy(head(features), groups)
        loss = loss + _DECAY * head.weight.square().sum()
        loss.backward()
        return loss

    with torch.enable_grad():
        optimizer.step(closure)
    return head
