"""A net whose neurons are damped and promoted once it is trained (Faire, 2023)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from skfair_runner.baselines._group_head import group_head
from skfair_runner.baselines._multipliers import (
    Condition,
    as_foldable,
    fold_multipliers,
    inserted,
)
from skfair_runner.baselines._paths import recorded_values
from skfair_runner.batches import BatchLoader, GroupedDataset, RowBuffer
from skfair_runner.net import RunnerNet

_RECORDING_BATCH = 2048


def criticality(
    first: Tensor, linears: Sequence[nn.Linear], losses: Sequence
) -> list[list[Tensor]]:
    r"""How much losses change, to first order, where single neurons are silenced.

    .. math:: \sum_b \Big| h_{b,m} \frac{\partial\,\ell_b}{\partial h_{b,m}} \Big|

    Parameters
    ----------
    first : Tensor of shape (n_samples, n_neurons)
        What the first hidden layer emits.

    linears : sequence of Linear
        The map that follows each hidden layer.

    losses : sequence of callable
        ``loss(features, output)`` of the last hidden layer and the output: the sum over
        the samples.

    Returns
    -------
    critical : list of list of Tensor of shape (n_neurons,)
        For each loss, one tensor per hidden layer.
    """
    with torch.enable_grad():
        hidden = [first.detach().requires_grad_()]
        for linear in linears[:-1]:
            hidden.append(linear(hidden[-1]).relu())
        output = linears[-1](hidden[-1])
        gradients = [
            torch.autograd.grad(
                loss(hidden[-1], output),
                hidden,
                retain_graph=True,
                materialize_grads=True,
            )
            for loss in losses
        ]
    return [
        [(h.detach() * g).abs().sum(0) for h, g in zip(hidden, parts, strict=True)]
        for parts in gradients
    ]


def shares(values: Tensor) -> Tensor:
    """Non-negative values of one layer as shares of their sum, if that is positive."""
    total = values.sum()
    return values / total.where(total > 0, 1.0)


class FaireNet(RunnerNet):
    """Plain warm-up, then training of neuron multipliers alone instead of a repair.

    Parameters
    ----------
    module : nn.Module class or instance
        A perceptron, see :func:`~skfair_runner.baselines._multipliers.as_foldable`.

    alpha : float
        Weight of the multipliers of damped neurons.

    most : float
        Largest multiplier of a promoted neuron.

    condition_lr : float
        Learning rate of the multipliers.

    caller : str
        Who trains; begins the error message.

    **kwargs
        Of :class:`~skfair_runner.net.RunnerNet`.
    """

    def __init__(
        self,
        module,
        *,
        alpha: float,
        most: float,
        condition_lr: float,
        caller: str,
        **kwargs,
    ):
        super().__init__(module, **kwargs)
        self.alpha = alpha
        self.most = most
        self.condition_lr = condition_lr
        self.caller = caller

    def start(self, train: GroupedDataset) -> None:
        """Initialise, once the module is known to be a perceptron."""
        # In tuples, since skorch takes every module that it holds for its own.
        self.conditions_: tuple[Condition, ...] = ()
        self.weights_: tuple[Tensor, ...] = ()
        super().start(train)
        perceptron = as_foldable(self.module_, self.caller)
        self.multipliers_ = [torch.ones(size) for size in perceptron.sizes]
        self.shares_ = [(torch.zeros(size),) * 2 for size in perceptron.sizes]

    def train_phase(self, phase, train, valid, epochs, **settings):
        """In the second phase, find critical neurons, train conditions, fold them."""
        if phase != "repair" or epochs == 0:
            return super().train_phase(phase, train, valid, epochs, **settings)
        perceptron = as_foldable(self.module_, self.caller)
        self.shares_ = self.critical_shares(train)
        conditions, weights = [], []
        for of_groups, of_labels in self.shares_:
            damped = of_groups > of_labels
            low = (~damped).to(of_groups)
            high = torch.ones_like(low).where(damped, torch.tensor(float(self.most)))
            conditions.append(Condition(low, high).to(self.device))
            weights.append(shares(of_groups * damped).to(self.device))
        with inserted(self.module_, perceptron.relus, conditions):
            self.conditions_, self.weights_ = tuple(conditions), tuple(weights)
            try:
                super().train_phase(phase, train, valid, epochs, **settings)
            finally:
                self.conditions_ = self.weights_ = ()
        self.multipliers_ = [c.multipliers.detach().cpu() for c in conditions]
        fold_multipliers(perceptron, self.multipliers_)
        return self

    def critical_shares(self, dataset: GroupedDataset) -> list[tuple[Tensor, Tensor]]:
        """Each neuron's share of what its layer means for groups and for labels.

        Parameters
        ----------
        dataset : GroupedDataset
            The rows.

        Returns
        -------
        shares : list of tuple of two Tensor of shape (n_neurons,)
            For groups and for labels, one pair for each hidden layer; each sums to one.
        """
        perceptron = as_foldable(self.module_, self.caller)
        n, parts = len(dataset), (0, -1)
        buffers = [RowBuffer(n) for _ in parts]
        with recorded_values(perceptron.relus) as hidden:
            for batch, _ in BatchLoader(dataset, _RECORDING_BATCH):
                self.evaluation_step((batch, None))
                for buffer, part in zip(buffers, parts, strict=True):
                    buffer.add(hidden[part].detach())
        first, last = (buffer.values for buffer in buffers)
        groups = torch.from_numpy(dataset.column("groups")).to(first.device)
        labels = torch.from_numpy(dataset.column("y")).to(first.device)
        head = group_head(last, groups, self.task.n_groups)
        found = [
            self._critical(first[rows], labels[rows], groups[rows], head)
            for rows in torch.arange(n).split(_RECORDING_BATCH)
        ]
        of_groups, of_labels = (
            [shares(sum(parts)).cpu() for parts in zip(*side, strict=True)]
            for side in zip(*found, strict=True)
        )
        return list(zip(of_groups, of_labels, strict=True))

    def _critical(self, first, labels, groups, head) -> list[list[Tensor]]:
        """Criticality for groups and for labels on some rows."""

        def of_groups(features, _output):
            return cross_entropy(head(features), groups, reduction="sum")

        def of_labels(_features, output):
            if output.shape[1] == 1:
                # Two columns whose difference is the logit.
                output = torch.cat([torch.zeros_like(output), output], 1)
            return cross_entropy(output, labels, reduction="sum")

        linears = as_foldable(self.module_, self.caller).linears
        return criticality(first, linears, [of_groups, of_labels])

    def initialize_optimizer(self, *args, **kwargs):
        """The net's own; in the second phase, Adam of the multipliers alone."""
        if not self.conditions_:
            return super().initialize_optimizer(*args, **kwargs)
        self.optimizer_ = torch.optim.Adam(
            [condition.multipliers for condition in self.conditions_],
            lr=self.condition_lr,
        )
        self.initial_lrs_ = [self.condition_lr]
        return self

    def train_step_single(self, batch, **fit_params):
        """The usual step; damped neurons pay for what they still hand on."""
        step = super().train_step_single(batch, **fit_params)
        if self.conditions_:
            pairs = zip(self.conditions_, self.weights_, strict=True)
            kept = torch.stack([w @ c.multipliers for c, w in pairs]).sum()
            (self.alpha * kept).backward()
            step["loss"] = step["loss"] + self.alpha * kept.detach()
        return step

    def train_step(self, batch, **fit_params):
        """The usual step, and the multipliers back between their bounds."""
        step = super().train_step(batch, **fit_params)
        for condition in self.conditions_:
            condition.project()
        return step
