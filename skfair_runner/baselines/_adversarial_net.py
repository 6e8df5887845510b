"""A net that plays against an adversary (Zhang, Lemoine & Mitchell, 2018)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from skorch.utils import to_device
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from skfair_runner.conditions import Constraint
from skfair_runner.net import RunnerNet
from skfair_runner.relaxations import Outcome
from skfair_runner.tasks import RateMeter


def project_out(
    gradients: Sequence[Tensor], directions: Sequence[Tensor]
) -> list[Tensor]:
    r"""Gradients without their part along the directions.

    Both lists are one vector each, that of all weights, as in the paper; the inner
    product is the sum of the Frobenius products of their tensors:

    .. math:: g - \frac{\langle g, d \rangle}{\langle d, d \rangle}\, d

    Parameters
    ----------
    gradients, directions : sequence of Tensor
        Of the same shapes, tensor by tensor.

    Returns
    -------
    orthogonal : list of Tensor
        Of these shapes, with inner product zero with `directions`; the gradients
        themselves where the directions are zero.

    Examples
    --------
    >>> import torch
    >>> project_out([torch.tensor([3.0, 4.0])], [torch.tensor([0.0, 2.0])])
    [tensor([3., 0.])]
    """
    largest = torch.stack([d.abs().max() for d in directions]).max()
    # Squares of small numbers would vanish; zero directions stay zero.
    units = [d / largest.where(largest > 0, 1.0) for d in directions]
    squared = torch.stack([(u * u).sum() for u in units]).sum()
    pairs = list(zip(gradients, units, strict=True))
    along = torch.stack([(g * u).sum() for g, u in pairs]).sum()
    along = along / squared.where(squared > 0, 1.0)
    return [g - along * u for g, u in pairs]


class ScoreAdversary(nn.Module):
    r"""Logistic regression that guesses the group from the score of a sample.

    The paper's adversary: it sees :math:`s = \sigma((1 + |c|)\, o)` of the logit
    :math:`o`, with a steepness :math:`c` that it learns, so that it can look at
    decisions as well as at scores. For equalized odds it sees the label too, which
    makes it one regression for each label; for a rate parity it sees the samples of one
    label alone.

    Parameters
    ----------
    pools : Tensor of shape (n_pools, n_labels)
        1 where samples of that label belong to the population, of which none has two.

    n_groups : int
        Number of groups.
    """

    pools: Tensor

    def __init__(self, pools: Tensor, n_groups: int):
        super().__init__()
        self.register_buffer("pools", pools)
        # At zero the absolute value would pass on no gradient.
        self.steepness = nn.Parameter(torch.ones(()))
        self.slopes = nn.Parameter(torch.zeros(len(pools), n_groups))
        self.intercepts = nn.Parameter(torch.zeros(len(pools), n_groups))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Unnormalised log-probabilities of the groups.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, 1)
            Of the predictor.

        labels : LongTensor of shape (n_samples,)
            Label codes.

        Returns
        -------
        guesses : Tensor of shape (n_samples, n_groups)
            Zero for samples outside every population.
        """
        score = ((1 + self.steepness.abs()) * logits).sigmoid()
        member = self.pools.T[labels]  # (n_samples, n_pools)
        return score * (member @ self.slopes) + member @ self.intercepts

    def loss(self, logits: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Mean cross-entropy of the guesses over the samples of the populations.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, 1)
            Of the predictor.

        labels, groups : LongTensor of shape (n_samples,)
            Label and group codes.

        Returns
        -------
        loss : Tensor of shape ()
            Zero where no sample belongs to a population.
        """
        member = self.pools.T[labels].sum(1)
        losses = cross_entropy(self(logits, labels), groups, reduction="none")
        return (losses * member).sum() / member.sum().clamp(min=1)


class AdversarialNet(RunnerNet):
    """Plain warm-up, then training against an adversary instead of a repair.

    The adversary takes a step of its own in every step of both phases.

    Parameters
    ----------
    module : nn.Module class or instance
        The predictor.

    constraint : Constraint
        Says what the adversary sees.

    alpha : float
        Weight of the adversary's gradient at the end of the second phase.

    adversary_lr : float
        Learning rate of the adversary's Adam.

    **kwargs
        Of :class:`~skfair_runner.net.RunnerNet`; its task has two labels.
    """

    def __init__(
        self,
        module,
        *,
        constraint: Constraint,
        alpha: float,
        adversary_lr: float,
        **kwargs,
    ):
        super().__init__(module, **kwargs)
        self.constraint = constraint
        self.alpha = alpha
        self.adversary_lr = adversary_lr

    def start(self, train) -> None:
        """Initialise the predictor and its adversary."""
        super().start(train)
        task = self.task
        pools = self.constraint.activation_pools(task.n_labels, task.positive)
        adversary = ScoreAdversary(pools, task.n_groups).to(self.device)
        # In a tuple, since skorch takes every module that it holds for its own.
        self.opponent_ = (
            adversary,
            torch.optim.Adam(adversary.parameters(), lr=self.adversary_lr),
        )
        self.meter_ = RateMeter(self.constraint, task)
        self.adversary_losses_: list[Tensor] = []

    def fit_phases(self, train, valid=None):
        """Train in both phases; the adversary goes when it has played its part."""
        try:
            return super().fit_phases(train, valid)
        finally:
            self.opponent_ = None

    def train_step_single(self, batch, **fit_params):
        """Gradients of predictor and adversary, and the adversary's own step."""
        self._set_training(True)
        batch, y = to_device(batch, self.device)
        logits = self.infer(batch)
        loss = self.get_loss(logits, y, X=batch, training=True)
        adversary, optimizer = self.opponent_
        adversary_loss = adversary.loss(logits, y, batch["groups"])
        weights = [p for p in self.module_.parameters() if p.requires_grad]
        own = list(adversary.parameters())
        against = torch.autograd.grad(
            adversary_loss, own + weights, retain_graph=True, materialize_grads=True
        )
        loss.backward()
        if self.phase_ == "repair":
            self._oppose(weights, against[len(own) :])
        for parameter, gradient in zip(own, against, strict=False):
            parameter.grad = gradient
        optimizer.step()
        self.meter_.add(Outcome(logits, self._cells(batch, y)))
        self.adversary_losses_.append(adversary_loss.detach())
        return {"loss": loss, "y_pred": logits}

    def _oppose(self, weights: list[nn.Parameter], against: Sequence[Tensor]) -> None:
        """Replace the gradients by the paper's update."""
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in weights]
        alpha = self.alpha * math.sqrt((self.step_ + 1) / self.n_steps_)
        kept = project_out(gradients, against)
        for parameter, gradient, other in zip(weights, kept, against, strict=True):
            parameter.grad = gradient - alpha * other

    def on_epoch_end(self, net, **kwargs):
        """Write the adversary's loss, the gap and the difference to the history."""
        super().on_epoch_end(net, **kwargs)
        losses, self.adversary_losses_ = self.adversary_losses_, []
        self.history.record("adversary_loss", float(torch.stack(losses).mean()))
        for name, value in self.meter_.read().items():
            self.history.record(f"train_{name}", value)
