"""How a net computes: on which device, in which precision, in which memory layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from skorch.dataset import get_len
from torch import Tensor

from ._precision import run_module, takes_channels_last
from ._transfer import is_apart, send, send_batch
from .activations import evaluation_mode
from .tasks import as_logits

# The largest block, with its header, whose release tells glibc anything.
_LARGEST_TOLD = 2**25 - 2**16


def keep_freed_memory() -> None:
    """Let the C library keep what a step frees, for the next step.

    glibc hands the end of its heap back to the system whenever more of it is free than
    a threshold, and asks for it again on the next step, page by page. Releasing a block
    that was mapped by itself raises this threshold to twice its size. The block is
    never touched, so that it takes no memory.
    """
    torch.empty(_LARGEST_TOLD, dtype=torch.uint8)


class OnDevice:
    """What runs a net's module on its device; mixed into RunnerNet.

    Attributes
    ----------
    channels_last_ : bool or None
        Whether the module is given images with channels behind the pixels in memory;
        None before it was given any.

    scaler_ : GradScaler or None
        Scales the gradients of float16 while a phase runs.
    """

    channels_last_: bool | None = None
    scaler_: torch.amp.GradScaler | None = None

    def laid_out(self: Any, X: Tensor) -> Tensor:
        """X in the layout that the module computes fastest with.

        Parameters
        ----------
        X : Tensor of shape (n_samples, ...)
            Input of the module, on its device.

        Returns
        -------
        X : Tensor of shape (n_samples, ...)
            The same values; images perhaps with channels behind the pixels in memory.
        """
        if X.ndim != 4:
            return X
        if self.channels_last_ is None:
            with evaluation_mode(self.module_):
                self.channels_last_ = takes_channels_last(self.module_, X[:2])
        if not self.channels_last_:
            return X.contiguous()
        return X.contiguous(memory_format=torch.channels_last)

    def lay_out_weights(self: Any, memory_format) -> None:
        """Bring the weights of convolutions into a layout, if images come in another.

        Parameters
        ----------
        memory_format : torch.memory_format
            ``torch.channels_last`` while training uses them again and again;
            ``torch.contiguous_format``, as everybody expects them, after it.
        """
        if self.channels_last_:
            self.module_.to(memory_format=memory_format)

    def make_scaler(self: Any) -> torch.amp.GradScaler | None:
        """What scales gradients up that float16 would round to zero."""
        if self.mixed_precision != "float16":
            return None
        return torch.amp.GradScaler(torch.device(self.device).type)

    def send(self: Any, values: Tensor) -> Tensor:
        """A tensor, or an array's, on the net's device."""
        return send(torch.as_tensor(values), self.device)

    def send_batch(self: Any, batch):
        """A batch on the net's device."""
        return send_batch(batch, self.device)

    def run_single_epoch(
        self: Any, iterator, training, prefix, step_fn, **fit_params
    ) -> None:
        """skorch's, which would wait for each step's loss where a device works apart.

        Parameters
        ----------
        iterator : iterable or None
            Batches; None does nothing.

        training : bool
            What callbacks are told.

        prefix : {"train", "valid"}
            Of names in the history.

        step_fn : callable
            Called with each batch.

        **fit_params
            Handed on to `step_fn`.
        """
        if iterator is None or not is_apart(self.device):
            net: Any = super()
            net.run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            return
        losses = []
        first = len(self.history[-1]["batches"])
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            losses.append(step["loss"].detach())
            self.history.record_batch(f"{prefix}_batch_size", get_len(batch[0]))
            self.notify("on_batch_end", batch=batch, training=training, **step)
        rows = self.history[-1]["batches"][first:]
        for row, loss in zip(rows, torch.stack(losses).tolist(), strict=True):
            row[f"{prefix}_loss"] = loss
        self.history.record(f"{prefix}_batch_count", len(losses))

    def all_finite(self: Any) -> bool:
        """Whether every parameter of the module is a number."""
        parameters = [
            p.detach()
            for p in self.module_.parameters()
            if p.is_floating_point() or p.is_complex()
        ]
        # One pass over each: a sum of sizes is a number if all are, or overflows.
        sums = [torch.linalg.vector_norm(p, 1).float() for p in parameters]
        if torch.stack(sums).isfinite().all():
            return True
        return all(bool(p.isfinite().all()) for p in parameters)

    def infer(self: Any, x, mixed_precision=None, **fit_params) -> Tensor:
        """Logits of a batch.

        Parameters
        ----------
        x : dict or Tensor of shape (n_samples, ...)
            Batch, or the input alone.

        mixed_precision : {"bfloat16", "float16"} or None, default=None
            Of the module; see :func:`~skfair_runner._precision.run_module`.

        **fit_params
            Not used.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_columns)
            At least float32.
        """
        if isinstance(x, Mapping):
            x = x["X"]
        X = self.laid_out(send(x, self.device))
        output = run_module(self.module_, X, mixed_precision)
        return as_logits(output, self.task.n_labels, self.task.output)

    def backward(self: Any, loss: Tensor) -> None:
        """Gradients of a loss.

        Parameters
        ----------
        loss : Tensor of shape ()
            With graph.
        """
        if self.scaler_ is None:
            loss.backward()
            return
        self.scaler_.scale(loss).backward()
        # Callbacks that clip gradients see them as they are.
        self.scaler_.unscale_(self.optimizer_)

    def _step_optimizer(self: Any, step_fn) -> None:
        """skorch's; no step where float16 overflowed."""
        if self.scaler_ is None:
            net: Any = super()
            net._step_optimizer(step_fn)
            return
        step_fn()
        self.scaler_.step(self.optimizer_)
        self.scaler_.update()
