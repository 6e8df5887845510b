"""The net that learns every strength of a repair in one training."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import nn

from skfair_runner.conditional import Modulation, at_strength, modulate, modulated
from skfair_runner.net import RunnerNet

# Half of the steps are of the whole repair, which steers the controller; a tenth are
# plain training, so that the other end of the front stays where it was.
_SHARE_OF_WHOLE = 0.5
_SHARE_OF_PLAIN = 0.1


@dataclass
class Front:
    """What one training learned of all strengths.

    Attributes
    ----------
    biased : nn.Module
        The network before the repair.

    base : nn.Module
        The network without scales and shifts.

    modulation : Modulation
        Scales and shifts by strength.
    """

    biased: nn.Module
    base: nn.Module
    modulation: Modulation


class FrontierNet(RunnerNet):
    """Warm-up, then a repair whose strength differs from step to step.

    The output term is linear in the controller's multipliers, so that a share of them
    is the optimum of a smaller price of difference: strength 0 is plain training, and 1
    holds the bound. The network learns all of them at once, by layers whose scale and
    shift follow the strength.

    Attributes
    ----------
    front_ : Front or None
        All strengths; None before the repair. ``module_`` is the network at strength 1
        once training is over.
    """

    def start(self, train):
        """As of every net, with nothing learned of strengths yet."""
        self.front_: Front | None = None
        super().start(train)

    def fit_phases(self, train, valid=None):
        """Warm up, diagnose, repair, and leave the network of strength 1."""
        try:
            return super().fit_phases(train, valid)
        finally:
            if self.front_ is not None:
                self.module_ = self.network_at(1.0)

    def network_at(self, strength: float):
        """The network of one strength, as a plain module in evaluation mode.

        Parameters
        ----------
        strength : float
            0 is the network before the repair.

        Returns
        -------
        module : nn.Module
            A copy.
        """
        front = self.front_
        assert front is not None
        if strength == 0:
            return copy.deepcopy(front.biased).eval()
        return at_strength(front.base, front.modulation, strength).eval()

    def train_phase(self, phase, train, *args, **kwargs):
        """Run one phase; in the repair, layers follow the strength of the step."""
        if phase != "repair":
            return super().train_phase(phase, train, *args, **kwargs)
        example, _ = train.take(range(min(2, len(train))))
        example = example["X"].to(self.device)
        modulation = modulate(self.module_, example, self.plan.layers)
        modulation.to(self.device)
        biased = copy.deepcopy(self.module_)
        self.front_ = Front(biased, self.module_, modulation)
        with modulated(self.module_, modulation):
            return super().train_phase(phase, train, *args, **kwargs)

    def train_step_single(self, batch, **fit_params):
        """Draw a strength, and take the step of a repair with it."""
        if self.penalty_ is None:
            return super().train_step_single(batch, **fit_params)
        strength = self._draw_strength()
        self.front_.modulation.strength = self.penalty_.strength = strength
        # The history tells of the whole repair.
        meters = self.meters_
        if strength < 1:
            self.meters_ = None
        try:
            return super().train_step_single(batch, **fit_params)
        finally:
            self.meters_ = meters

    def validation_step(self, batch, **fit_params):
        """Watch the whole repair."""
        if self.penalty_ is not None:
            self.front_.modulation.strength = 1.0
        return super().validation_step(batch, **fit_params)

    def _draw_strength(self) -> float:
        kind, root = torch.rand(2).tolist()
        if kind < _SHARE_OF_WHOLE:
            return 1.0
        if kind < _SHARE_OF_WHOLE + _SHARE_OF_PLAIN:
            return 0.0
        # Small strengths are drawn more often, since little repair changes much.
        return root**2
