"""The skorch net that trains plainly, then repairs: everything that touches skorch."""

from __future__ import annotations

import inspect
import math
from contextlib import nullcontext, suppress

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import EpochTimer, PassthroughScoring
from skorch.utils import to_device
from torch import Tensor, nn

from ._callbacks import EpochProgress, PhaseLog
from ._checkpoint import Resumable
from ._guards import check_names, is_raised_by_code
from ._modes import evaluation_mode
from ._on_device import OnDevice, keep_freed_memory
from ._repairing import PREDICTION_BATCH, Repairing
from ._resident import make_resident
from ._scored import Scored
from ._telling import Telling
from .batches import BatchLoader, GroupedDataset, RowBuffer, rows_at_once
from .cells import Cells
from .control import OutputController
from .diagnosis import Diagnosis
from .penalty import RepairPenalty
from .relaxations import Outcome
from .tasks import RateMeter, as_logits

_WARM_UP_STEPS = 20
# What a pickled net has in place of its module where that is the trained one.
_ITSELF = "module_"


class StopTraining(Exception):
    """A callback asked, in skorch's way, to end the present phase."""


class RunnerNet(OnDevice, Resumable, Repairing, Telling, Scored, NeuralNet):
    """Warm-up, diagnosis and repair of one module.

    Parameters
    ----------
    module : nn.Module class or instance
        The network.

    task : Task
        What its output means and who is compared.

    plan : RepairPlan or None
        How to repair; None trains plainly through both phases.

    warmup_epochs : int, default=0
        Epochs of plain training before the repair.

    warmup_lr : float, default=None
        Learning rate of the warm-up; None takes `lr`.

    lr_schedule : {"cosine", "constant"}, default="cosine"
        "cosine": a linear rise over 20 steps, then half a cosine to zero, per phase.

    checkpoint : str, path-like or None, default=None
        File that the state of :meth:`fit_phases` is written to after every epoch, and
        from which it goes on if the same training was stopped.

    mixed_precision : {"bfloat16", "float16"} or None, default=None
        What training computes convolutions and products in. Weights, gaps, penalty, and
        all that is computed after training are float32.

    **kwargs
        Of :class:`skorch.NeuralNet`.
    """

    # Whether what is trained is what the user gets, and is told by its training rows:
    # the neurons before and after the repair, and warnings.
    is_result = True

    def __init__(
        self,
        module,
        *,
        task,
        plan=None,
        warmup_epochs=0,
        warmup_lr=None,
        lr_schedule="cosine",
        checkpoint=None,
        mixed_precision=None,
        dataset=GroupedDataset,
        iterator_train=BatchLoader,
        iterator_valid=BatchLoader,
        train_split=None,
        **kwargs,
    ):
        kwargs.setdefault(
            "criterion",
            nn.BCEWithLogitsLoss if task.n_labels == 2 else nn.CrossEntropyLoss,
        )
        kwargs.setdefault("criterion__reduction", "none")
        self.task = task
        self.plan = plan
        self.warmup_epochs = warmup_epochs
        self.warmup_lr = warmup_lr
        self.lr_schedule = lr_schedule
        self.checkpoint = checkpoint
        self.mixed_precision = mixed_precision
        super().__init__(
            module,
            dataset=dataset,
            iterator_train=iterator_train,
            iterator_valid=iterator_valid,
            train_split=train_split,
            **kwargs,
        )

    @property
    def _default_callbacks(self):
        callbacks = [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring(name="train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring(name="valid_loss")),
        ]
        if self.verbose == 1:
            callbacks.append(("progress", EpochProgress()))
        if self.verbose > 1:
            callbacks.append(("print_log", PhaseLog()))
        return callbacks

    # The phases

    def start(self, train: GroupedDataset) -> None:
        """Initialise without training, once the module is known to fit the data."""
        self.before_: Diagnosis | None = None
        self.after_: Diagnosis | None = None
        self.controller_: OutputController | None = None
        self.training_, self.reached_ = None, None
        self.channels_last_ = None
        self.initialize()
        self._check_module(train)

    def _check_module(self, train: GroupedDataset) -> None:
        """Run the module on two rows, and refuse what it emits if it is unusable."""
        batch, _ = train.take(np.arange(min(2, len(train))))
        X = to_device(batch["X"], self.device)
        try:
            with evaluation_mode(self.module_), torch.no_grad():
                output = self.module_(self.laid_out(X))
        except RuntimeError as error:
            raise ValueError(
                f"The module does not take X, of shape {('n', *X.shape[1:])} and type "
                f"{X.dtype}: {error}"
            ) from error
        logits = as_logits(output, self.task.n_labels, "logits")
        if len(logits) != len(X):
            raise ValueError(
                f"The module emits {len(logits)} rows for {len(X)} rows of X; it "
                "should emit one for each: change its last layer."
            )
        if self.task.output == "probabilities" and not (
            (output >= 0).all() and (output <= 1).all()
        ):
            raise ValueError(
                "The module should emit probabilities, but among its first values are "
                f"{output.flatten()[:4].tolist()}: pass module_output='logits', or end "
                "it in a Sigmoid or Softmax."
            )

    def fit_phases(self, train: GroupedDataset, valid: GroupedDataset | None = None):
        """Start, unless that is done, train plainly, diagnose, repair.

        Parameters
        ----------
        train, valid : GroupedDataset
            The rows that are trained on, and those that are only watched.

        Returns
        -------
        self : RunnerNet
            Fitted.
        """
        if not self.initialized_:
            self.start(train)
        if self.checkpoint is not None:
            self.take_up(train)
        try:
            if self.reached_ is None or self.reached_.phase == "warm-up":
                self.train_phase("warm-up", train, valid, self.warmup_epochs)
                if self.plan is not None and self.is_result:
                    self.before_ = self.diagnose(train, self.plan.importance)
            return self.train_phase("repair", train, valid, self.max_epochs)
        finally:
            # What comes later is another training.
            self.training_ = None

    def initialize_optimizer(self, *args, **kwargs):
        """skorch's; the learning rates that it starts from are kept."""
        given = self.get_params_for("optimizer")
        check_names("optimizer", self.optimizer, given, ("param_groups",))
        super().initialize_optimizer(*args, **kwargs)
        self.initial_lrs_ = [group["lr"] for group in self.optimizer_.param_groups]
        return self

    def initialize_criterion(self):
        """skorch's; a parameter that a class does not take is named."""
        for prefix in ("iterator_train", "iterator_valid"):
            factory, given = getattr(self, prefix), self.get_params_for(prefix)
            check_names(prefix, factory, given)
        if inspect.isclass(self.criterion):
            check_names("criterion", self.criterion, self.get_params_for("criterion"))
        return super().initialize_criterion()

    def initialize_callbacks(self):
        """skorch's, which would look neither at types nor at ``callbacks__name``."""
        names = set()
        for name, callback in self._uniquely_named_callbacks():
            # What `load` could not restore is refused when training begins.
            if not all(hasattr(callback, m) for m in ("initialize", "on_train_begin")):
                raise TypeError(
                    f"callbacks holds {callback!r}, which is no skorch callback: pass "
                    "objects or classes of skorch.callbacks.Callback, or pairs "
                    "(name, callback)."
                )
            if not getattr(callback, "use_caching", True):
                raise ValueError(
                    f"The callback {name!r} has use_caching=False, with which skorch "
                    "passes its scorer no labels of these data: leave it at True."
                )
            names.add(name)
        for parameter in vars(self):
            prefix, _, rest = parameter.partition("__")
            if prefix == "callbacks" and rest and rest.split("__")[0] not in names:
                raise ValueError(
                    f"{parameter!r} names no callback of this net; its callbacks are "
                    f"{sorted(names)}."
                )
        return super().initialize_callbacks()

    def train_phase(
        self,
        phase,
        train,
        valid,
        epochs,
        *,
        fresh=True,
        constant_lr=False,
        at_the_end=False,
    ):
        """Run one phase with an optimizer of its own.

        Parameters
        ----------
        phase : {"warm-up", "repair"}
            Name in the history; only "repair" adds the penalty.

        train, valid : GroupedDataset
            Data; `valid` may be None.

        epochs : int
            Number of epochs.

        fresh : bool, default=True
            Whether the optimizer starts without memory.

        constant_lr : bool, default=False
            Whether the learning rate stays at `lr` whatever `lr_schedule` says.

        at_the_end : bool, default=False
            Whether the relaxed decisions are as sharp as at the end of a repair.

        Returns
        -------
        self : RunnerNet
            Trained further.
        """
        if epochs == 0:
            return self
        train, valid = self._closer(train), self._closer(valid)
        if valid is None:
            self._check_monitors()
        trained = [p.requires_grad for p in self.module_.parameters()]
        if not any(trained):
            raise ValueError(
                f"Training changes the module's parameters, but all {len(trained)} of "
                "them are frozen: call requires_grad_(True) on the part of it that is "
                "to be trained."
            )
        keep_freed_memory()
        self.phase_, self.phase_epochs_, self.step_ = phase, epochs, 0
        self.at_the_end_ = at_the_end
        self.valid_dataset_ = valid
        self.lay_out_weights(torch.channels_last)
        self.scaler_ = self.make_scaler()
        if fresh:
            with self._current_init_context("optimizer"):
                self.initialize_optimizer()
        ratio = 1.0
        if phase == "warm-up" and self.warmup_lr is not None:
            ratio = self.warmup_lr / self.lr
        self.base_lrs_ = [lr * ratio for lr in self.initial_lrs_]
        # What schedulers of torch go on from, should a callback have one.
        for group, lr in zip(self.optimizer_.param_groups, self.base_lrs_, strict=True):
            group["initial_lr"] = lr
        self.constant_lr_ = constant_lr or self.lr_schedule == "constant"
        self._set_lr(1.0)
        self.n_steps_ = epochs * len(self.get_iterator(train, training=True))
        self.penalty_ = self.meters_ = None
        if self.plan is not None:
            self.meters_ = [RateMeter(self.plan.constraint, self.task) for _ in "tv"]
            if phase == "repair":
                self.penalty_ = self.make_penalty(train)
        done = 0 if self.reached_ is None else self.restore_phase(self.reached_)
        begun = False
        try:
            self.notify("on_train_begin", X=train, y=None)
            begun = True
            self.fit_loop(train, None, epochs=epochs - done)
        except StopTraining:
            pass
        finally:
            if begun:
                with suppress(StopTraining):
                    self.notify("on_train_end", X=None, y=None)
            self.lay_out_weights(torch.contiguous_format)
            if self.history and "phase" not in self.history[-1]:
                self.history.pop()  # an epoch that was cut short
            # Neither data nor a second reference to the module outlives the phase.
            self.valid_dataset_ = self.penalty_ = self.meters_ = None
        return self

    def _check_monitors(self) -> None:
        """Refuse callbacks that watch rows which there are none of."""
        for name, callback in self.callbacks_:
            monitor = getattr(callback, "monitor", None)
            own = getattr(callback, "needs_no_rows", False)
            if not own and isinstance(monitor, str) and monitor.startswith("valid_"):
                raise ValueError(
                    f"The callback {name!r}, a {type(callback).__name__}, watches "
                    f"{monitor!r}, but no rows are held out: pass early_stopping=True, "
                    "which holds out validation_fraction of them, or let it watch "
                    "'train_loss'."
                )

    def _closer(self, dataset: GroupedDataset | None) -> GroupedDataset | None:
        """The data on the device, unless samples are augmented one by one."""
        if dataset is None or "iterator_train__transform" in vars(self):
            return dataset
        return make_resident(dataset, self.device)

    def _set_lr(self, factor: float) -> None:
        """Let the optimizer step by a share of the phase's learning rates."""
        groups = self.optimizer_.param_groups
        for group, lr in zip(groups, self.base_lrs_, strict=True):
            group["lr"] = lr * factor

    # The step

    def train_step_single(self, batch, **fit_params):
        """Criterion, penalty, gradient: RUNNER's training step."""
        self._set_training(True)
        batch, y = self.send_batch(batch)
        penalty, meter = self.parts_of_step()
        with nullcontext({}) if penalty is None else penalty.recorder as activations:
            logits = self.infer(batch, self.mixed_precision)
        loss = self.get_loss(logits, y, X=batch, training=True)
        # Plain training compares no groups.
        outcome = None
        if self.plan is not None:
            outcome = Outcome(logits, self._cells(batch, y))
        if penalty is not None:
            progress = 1.0 if self.at_the_end_ else self.step_ / self.n_steps_
            loss = loss + penalty(
                batch["X"], outcome, activations, self.step_, progress
            )
        self.backward(loss)
        if meter is not None:
            meter.add(outcome)
        return {"loss": loss, "y_pred": logits}

    def parts_of_step(self) -> tuple[RepairPenalty | None, RateMeter | None]:
        """What a step adds to the criterion, and what counts its rates."""
        return self.penalty_, None if self.meters_ is None else self.meters_[0]

    def train_step(self, batch, **fit_params):
        """Set the learning rate, then let skorch step the optimizer."""
        if not self.constant_lr_:
            factor = min(1.0, (self.step_ + 1) / _WARM_UP_STEPS)
            factor *= 0.5 * (1 + math.cos(math.pi * self.step_ / self.n_steps_))
            self._set_lr(factor)
        step = super().train_step(batch, **fit_params)
        self.step_ += 1
        return step

    def validation_step(self, batch, **fit_params):
        """Plain criterion, rates and penalty on rows that are only watched."""
        self._set_training(False)
        batch, y = self.send_batch(batch)
        penalty = self.penalty_
        if penalty is not None and penalty.controller is not None:
            penalty = None  # what it holds is told by the rates
        with torch.no_grad():
            with nullcontext({}) if penalty is None else penalty.recorder as told:
                logits = self.infer(batch, self.mixed_precision)
            step = {"loss": self.get_loss(logits, y, X=batch), "y_pred": logits}
            if self.meters_ is not None:
                outcome = Outcome(logits, self._cells(batch, y, sampled=False))
                self.meters_[1].add(outcome)
                if penalty is not None:
                    step["penalty"] = penalty.watched(outcome, told)
        return step

    def get_loss(self, y_pred, y_true, X=None, training=False) -> Tensor:
        """Weighted mean of the criterion; batches of another prior are corrected."""
        if training and self.task.logit_shift is not None:
            y_pred = y_pred + self.send(self.task.logit_shift)
        if self.task.n_labels == 2:
            losses = self.criterion_(y_pred[:, 0], y_true.to(y_pred.dtype))
        else:
            losses = self.criterion_(y_pred, y_true)
        weights = None if X is None else X.get("weights")
        if weights is None:
            return losses.mean()
        return (losses * weights).sum() / weights.sum().clamp(min=1e-12)

    def _cells(self, batch, y, sampled=True) -> Cells | None:
        """Label × group cells of a batch, in the proportions of the data."""
        task = self.task
        if not task.n_groups:
            return None
        weights = batch.get("weights")
        if sampled and task.cell_weights is not None:
            shares = self.send(task.cell_weights)[y, batch["groups"]]
            weights = shares if weights is None else weights * shares
        return Cells(y, batch["groups"], task.n_labels, task.n_groups, weights)

    # What skorch asks for

    def __getstate__(self):
        """skorch's, which would write the module twice."""
        state = super().__getstate__()
        if self.module is vars(self).get("module_"):
            state["module"] = _ITSELF
        return state

    def __setstate__(self, state):
        """skorch's; the module is again the one that was trained."""
        super().__setstate__(state)
        if isinstance(self.module, str) and self.module == _ITSELF:
            self.module = self.module_

    def get_split_datasets(self, X, y=None, **fit_params):
        """The rows of the present phase: they were split before."""
        return X, self.valid_dataset_

    def get_iterator(self, dataset, training=False):
        """skorch's, with larger batches where nothing is learned."""
        if training or "iterator_valid__batch_size" in vars(self):
            return super().get_iterator(dataset, training=training)
        size = max(self.batch_size, rows_at_once(dataset, PREDICTION_BATCH))
        kwargs = {"batch_size": size, **self.get_params_for("iterator_valid")}
        return self.iterator_valid(dataset, **kwargs)

    def notify(self, method_name, **cb_kwargs):
        """Tell the callbacks; one that raises KeyboardInterrupt ends the phase."""
        getattr(self, method_name)(self, **cb_kwargs)
        try:
            for _, callback in self.callbacks_:
                getattr(callback, method_name)(self, **cb_kwargs)
        except KeyboardInterrupt as interrupt:
            if not is_raised_by_code(interrupt):
                raise  # Ctrl-C: not one phase is to end, but everything
            raise StopTraining from None
        finally:
            if method_name == "on_epoch_end" and self.training_ is not None:
                self.write_checkpoint()

    def decision_values(self, X) -> np.ndarray:
        """Logits of all rows, in evaluation mode.

        Parameters
        ----------
        X : array or CSR matrix of shape (n_samples, ...)
            Input of the module.

        Returns
        -------
        logits : ndarray of shape (n_samples, n_columns)
            float64.
        """
        n = X.shape[0]
        source = {"X": X, "groups": np.zeros(n, dtype=np.int64), "weights": None}
        dataset = GroupedDataset(source, np.zeros(n, dtype=np.int64))
        # Not the user's iterator: rows are returned in the order in which they came.
        size = rows_at_once(dataset, PREDICTION_BATCH)
        size = getattr(self, "iterator_valid__batch_size", size)
        logits = RowBuffer(n)
        for batch, _ in BatchLoader(dataset, size):
            logits.add(self.evaluation_step((batch, None)))
        return logits.values.cpu().double().numpy()
