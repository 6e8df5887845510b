"""What a net tells of its training, epoch by epoch."""

from __future__ import annotations

import math
from typing import Any


class Telling:
    """What a net writes to its history; mixed into RunnerNet."""

    def on_epoch_end(self: Any, net, **kwargs):
        """Write rates, multipliers and selected neurons to the history."""
        losses = [
            row["train_loss"]
            for row in self.history[-1, "batches"]
            if "train_loss" in row
        ]
        self._check_converging(losses)
        record = self.history.record
        record("phase", self.phase_)
        if self.meters_ is None:
            return
        for prefix, meter in zip(("train", "valid"), self.meters_, strict=True):
            for name, value in meter.read().items():
                record(f"{prefix}_{name}", value)
        penalty = self.penalty_
        if penalty is not None:
            selected = {k: v.tolist() for k, v in penalty.selected.items()}
            record("alpha", penalty.alpha)
            record("n_selected", sum(len(v) for v in selected.values()))
            record("selected", selected)
            if penalty.controller is not None:
                controller = penalty.controller
                record("multipliers", controller.multipliers.flatten().tolist())
                if len(self.plan.constraint.parts) > 1:
                    for name, part in controller.parts.items():
                        record(f"multipliers_{name}", part.multipliers.ravel().tolist())
                record("guard", controller.guard.tolist())

    def _check_converging(self: Any, losses) -> None:
        """Refuse to go on from losses or parameters that are no numbers."""
        bad = [loss for loss in losses if not math.isfinite(loss)]
        if bad:
            what = f"loss became {bad[0]}"
        elif not self.all_finite():
            what = "module's parameters became infinite or nan"
        else:
            return
        raise ValueError(
            f"Training diverged in epoch {len(self.history)} ({self.phase_}): the "
            f"{what}. Lower lr (now {self.lr}), or scale the features."
        )
