"""A net with a layer from which groups are hard to tell (Adel et al., AAAI 2019)."""

from __future__ import annotations

import numpy as np
import torch
from skorch.utils import to_device
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from skfair_runner.baselines._group_head import group_head
from skfair_runner.baselines._paths import as_perceptron, recorded_values
from skfair_runner.batches import BatchLoader, GroupedDataset, RowBuffer
from skfair_runner.conditions import resolve_constraint
from skfair_runner.modules import TabularNet
from skfair_runner.net import RunnerNet
from skfair_runner.relaxations import Outcome
from skfair_runner.tasks import RateMeter

_RECORDING_BATCH = 2048


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, beta):
        ctx.beta = beta
        return values.view_as(values)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.beta * gradient, None


def reverse_gradient(values: Tensor, beta: float) -> Tensor:
    """The values themselves, whose gradient comes back times minus `beta`.

    Parameters
    ----------
    values : Tensor of shape (n_samples, ...)
        Any values.

    beta : float
        Weight of the reversed gradient.

    Returns
    -------
    values : Tensor of the same shape
        Equal to the values.

    Examples
    --------
    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> reverse_gradient(x, 0.5).backward()
    >>> x.grad
    tensor([-0.5000])
    """
    return _Reversal.apply(values, beta)


def with_extra_layer(module: nn.Module, caller: str) -> nn.Module:
    """The same perceptron with one more hidden layer, as wide as its last one.

    The new layer begins as the identity, which its ReLU leaves alone, as it follows a
    ReLU: the module's output stays what it is.

    Parameters
    ----------
    module : nn.Module
        See :func:`~skfair_runner.baselines._paths.as_perceptron`. A
        :class:`~skfair_runner.modules.TabularNet` is left as it is; of other modules
        the last Linear is replaced.

    caller : str
        Who asks; begins the error message.

    Returns
    -------
    module : nn.Module
        A TabularNet with one more of the `hidden_layer_sizes`, or the module itself.

    Raises
    ------
    TypeError
        If the module is no perceptron.

    Examples
    --------
    >>> net = TabularNet(3, hidden_layer_sizes=(8,))
    >>> with_extra_layer(net, "Test").hidden_layer_sizes
    [8, 8]
    """
    last = as_perceptron(module, caller).linears[-1]
    width = last.in_features
    if type(module) is TabularNet:
        config = module.config
        config["hidden_layer_sizes"] = [*config["hidden_layer_sizes"], width]
        deeper = TabularNet(**config).to(last.weight)
        deeper.load_state_dict(module.state_dict(), strict=False)
        start_as_identity(getattr(deeper, f"linear{len(deeper.hidden_layer_sizes)}"))
        return deeper.train(module.training)
    added = nn.Linear(width, width).to(last.weight)
    start_as_identity(added)
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if child is last:
                setattr(parent, name, nn.Sequential(added, nn.ReLU(), last))
    return module


def start_as_identity(linear: nn.Linear) -> None:
    """Make a square Linear hand on what it gets.

    Parameters
    ----------
    linear : Linear
        Changed in place.
    """
    nn.init.eye_(linear.weight)
    nn.init.zeros_(linear.bias)


class FADNet(RunnerNet):
    r"""Plain warm-up, then one more layer, trained against a head for the groups.

    With the label head's loss :math:`L_y` and the group head's loss :math:`L_s`, the
    net descends along the gradient of :math:`L_y - \beta L_s`, and the group head along
    that of :math:`L_s`, out of the same backward pass. The head begins as the best one
    for the layer as it is then, and has an optimizer of its own.

    Parameters
    ----------
    module : nn.Module class or instance
        A perceptron, see :func:`~skfair_runner.baselines._paths.as_perceptron`.

    beta : float
        Weight of the group head's loss.

    head_lr : float
        Learning rate of the group head's Adam, which stays what it is.

    caller : str
        Who trains; begins the error message.

    **kwargs
        Of :class:`~skfair_runner.net.RunnerNet`; its task has groups.
    """

    def __init__(self, module, *, beta: float, head_lr: float, caller: str, **kwargs):
        super().__init__(module, **kwargs)
        self.beta = beta
        self.head_lr = head_lr
        self.caller = caller

    def start(self, train: GroupedDataset) -> None:
        """Initialise, once the module is known to be a perceptron."""
        # In a tuple, since skorch takes every module that it holds for its own.
        self.group_head_: tuple = ()
        self.group_losses_: list[Tensor] = []
        super().start(train)
        as_perceptron(self.module_, self.caller)

    def train_phase(self, phase, train, valid, epochs, **settings):
        """Add layer and head before the second phase; the head goes after it."""
        if phase == "repair" and epochs:
            self.module_ = with_extra_layer(self.module_, self.caller)
            head = self.trained_head(train)
            optimizer = torch.optim.Adam(head.parameters(), lr=self.head_lr)
            self.group_head_ = (head, optimizer)
            shares = np.bincount(train.column("groups")) / len(train)
            self.chance_ = float(-(shares * np.log(shares.clip(1e-12))).sum())
            constraint = resolve_constraint("demographic_parity")
            self.meter_ = RateMeter(constraint, self.task)
        try:
            return super().train_phase(phase, train, valid, epochs, **settings)
        finally:
            self.group_head_ = ()

    def trained_head(self, dataset: GroupedDataset) -> nn.Linear:
        """Head for the groups, trained on what the last hidden layer emits now."""
        perceptron = as_perceptron(self.module_, self.caller)
        last = RowBuffer(len(dataset))
        with recorded_values(perceptron.relus[-1:]) as values:
            for batch, _ in BatchLoader(dataset, _RECORDING_BATCH):
                self.evaluation_step((batch, None))
                last.add(values[0].detach())
        groups = torch.from_numpy(dataset.column("groups")).to(last.values.device)
        return group_head(last.values, groups, self.task.n_groups)

    def train_step_single(self, batch, **fit_params):
        """Both losses in one backward pass, the groups' reversed below their head."""
        if not self.group_head_:
            return super().train_step_single(batch, **fit_params)
        self._set_training(True)
        batch, y = to_device(batch, self.device)
        relu = as_perceptron(self.module_, self.caller).relus[-1]
        with recorded_values([relu]) as values:
            logits = self.infer(batch)
        loss = self.get_loss(logits, y, X=batch, training=True)
        head, optimizer = self.group_head_
        optimizer.zero_grad()
        with torch.no_grad():
            told = cross_entropy(head(values[0]), batch["groups"]) < self.chance_
        # There is nothing left to hide from a head that does worse than by guessing;
        # its loss has no bound, and would drive the layer to infinity.
        beta = self.beta if told else 0.0
        guesses = head(reverse_gradient(values[0], beta))
        group_loss = cross_entropy(guesses, batch["groups"])
        (loss + group_loss).backward()
        optimizer.step()
        self.meter_.add(Outcome(logits, self._cells(batch, y)))
        self.group_losses_.append(group_loss.detach())
        return {"loss": loss, "y_pred": logits}

    def on_epoch_end(self, net, **kwargs):
        """Write the group head's loss, the gap and the difference to the history."""
        super().on_epoch_end(net, **kwargs)
        if not self.group_head_:
            return
        losses, self.group_losses_ = self.group_losses_, []
        self.history.record("group_loss", float(torch.stack(losses).mean()))
        for name, value in self.meter_.read().items():
            self.history.record(f"train_{name}", value)
