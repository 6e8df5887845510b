"""The net that learns every strength of a repair in one training."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch
from skorch.utils import to_device
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from skfair_runner.conditional import Modulation, at_strength, modulate, modulated
from skfair_runner.net import RunnerNet
from skfair_runner.neurons import (
    DiagnosisInputs,
    effects_of_weights,
    feeding_weights,
)

# Half of the steps are of the whole repair, which steers the controller; a fifth are
# plain training, so that the other end of the front stays where it was.
_SHARE_OF_WHOLE = 0.5
_SHARE_OF_PLAIN = 0.2
# Roots of the strengths that batch statistics are kept for, and how many batches tell
# them.
_ROOTS = np.linspace(0, 1.1, 8)
_N_BATCHES = 20


@dataclass
class Front:
    """What one training learned of all strengths.

    Attributes
    ----------
    biased : nn.Module
        The network before the repair.

    base : nn.Module
        The network without modulation.

    modulation : Modulation
        What the strength does to it.

    statistics : list of dict of str to Tensor
        Running means and variances of the batch normalisations, by their names, at
        strengths between 0 and 1.21; empty where there are none.
    """

    biased: nn.Module
    base: nn.Module
    modulation: Modulation
    statistics: list[dict[str, Tensor]] = field(default_factory=list)

    def settle(self, batches: Iterable[Tensor]) -> None:
        """Tell the statistics of batch normalisations of each strength by itself.

        Training mixes those of all strengths, which no strength has.

        Parameters
        ----------
        batches : iterable of Tensor of shape (n_samples, ...)
            Inputs; read only if there is a normalisation that keeps statistics.
        """
        self.statistics = []
        if not any(_norms(self.base)):
            return
        batches = list(batches)
        for root in _ROOTS.tolist():
            network = at_strength(self.base, self.modulation, root**2).eval()
            for norm in _norms(network).values():
                norm.reset_running_stats()
                norm.momentum = None  # the mean over all batches
                norm.train()
            with torch.no_grad():
                for X in batches:
                    network(X)
            self.statistics.append(_running(network))

    def network_at(
        self, strength: float, *, into: nn.Module | None = None
    ) -> nn.Module:
        """The network of one strength, as a plain module in evaluation mode.

        Parameters
        ----------
        strength : float
            0 is the network before the repair.

        into : nn.Module, default=None
            What an earlier call returned for a strength above 0, to be written over
            if this one is above 0 as well.

        Returns
        -------
        module : nn.Module
            `into`, or a copy.
        """
        if strength == 0:
            return copy.deepcopy(self.biased).eval()
        network = at_strength(self.base, self.modulation, strength, into=into)
        if into is None:
            network.eval()
        if self.statistics:
            place = np.interp(strength**0.5, _ROOTS, np.arange(len(_ROOTS)))
            low = min(int(place), len(_ROOTS) - 2)
            for name, values in _running(network).items():
                one, other = (self.statistics[low + i][name] for i in (0, 1))
                values.copy_(torch.lerp(one, other, float(place - low)))
        return network


def _norms(module: nn.Module) -> dict[str, _BatchNorm]:
    """Batch normalisations that keep statistics, by path."""
    return {
        path: norm
        for path, norm in module.named_modules()
        if isinstance(norm, _BatchNorm) and norm.running_mean is not None
    }


def _running(module: nn.Module) -> dict[str, Tensor]:
    """Running means and variances, by name."""
    return {
        f"{path}.{name}": getattr(norm, name)
        for path, norm in _norms(module).items()
        for name in ("running_mean", "running_var")
    }


def modulated_weight_importance(modulation: Modulation) -> Callable:
    """The weight form of importance while layers follow a strength.

    Parameters
    ----------
    modulation : Modulation
        What they follow.

    Returns
    -------
    importance : callable
        As of :func:`~skfair_runner.neurons.resolve_importance`. A neuron's weights are
        a scale times what was moved along the direction; the scale cancels in their
        product with the gradient, so that the gradient of what is trained will do.
    """

    def importance(inputs: DiagnosisInputs) -> dict[str, Tensor]:
        weights = feeding_weights(inputs.module, inputs.layers)
        moved = [
            modulation.moved(layer.feeder, weight)
            if layer.feeder in modulation.paths
            else weight
            for layer, weight in zip(inputs.layers, weights, strict=True)
        ]
        return effects_of_weights(inputs.gap, weights, inputs.layers, moved)

    return importance


class FrontierNet(RunnerNet):
    """Warm-up, then a repair whose strength differs from step to step.

    The output term is linear in the controller's multipliers, so that a share of them
    is the optimum of a smaller price of difference: strength 0 is plain training, and 1
    holds the bound. The network learns all of them at once, by layers whose weights
    follow the strength.

    Attributes
    ----------
    front_ : Front or None
        All strengths; None before the repair. ``module_`` is the network at strength 1
        once training is over.
    """

    # Every point is told by itself, on rows held out.
    is_result = False

    def start(self, train):
        """As of every net, with nothing learned of strengths yet."""
        self.front_: Front | None = None
        super().start(train)
        # What cannot follow a strength is refused before anything is trained, and
        # training draws what it would draw without being asked.
        with torch.random.fork_rng(devices=[]):
            self._modulation(train)

    def fit_phases(self, train, valid=None):
        """Warm up, diagnose, repair, and leave the network of strength 1."""
        try:
            return super().fit_phases(train, valid)
        finally:
            if self.front_ is not None:
                self.front_.settle(self._inputs(train))
                self.module_ = self.front_.network_at(1.0)

    def _inputs(self, train):
        """Inputs of a few batches."""
        loader = self.get_iterator(train, training=True)
        for batch, _ in islice(loader, _N_BATCHES):
            yield to_device(batch["X"], self.device)

    def _modulation(self, train) -> Modulation:
        """Untrained modulation of the module."""
        batch, _ = train.take(np.arange(min(2, len(train))))
        example = to_device(batch["X"], self.device)
        return modulate(self.module_, example, self.plan.layers).to(self.device)

    def train_phase(self, phase, train, *args, **kwargs):
        """Run one phase; in the repair, layers follow the strength of the step."""
        if phase != "repair":
            return super().train_phase(phase, train, *args, **kwargs)
        modulation = self._modulation(train)
        biased = copy.deepcopy(self.module_)
        self.front_ = Front(biased, self.module_, modulation)
        with modulated(self.module_, modulation):
            return super().train_phase(phase, train, *args, **kwargs)

    def make_controller(self, selection_rates):
        """A controller that moves as far as one that every step steers.

        The guard against a constant classifier keeps its gain: it was made for steps,
        not for a distance to go.
        """
        controller = super().make_controller(selection_rates)
        for part in controller.parts.values():
            part.gain /= _SHARE_OF_WHOLE
        return controller

    def make_penalty(self, train):
        """The repair's part of the loss, in a form that modulated layers have."""
        penalty = super().make_penalty(train)
        if penalty.importance == "weight":
            penalty.importance = modulated_weight_importance(self.front_.modulation)
        return penalty

    def parts_of_step(self):
        """Draw the strength of a step, and what belongs to it."""
        penalty, meter = super().parts_of_step()
        if penalty is None:
            return penalty, meter
        strength = self._draw_strength()
        self.front_.modulation.strength = penalty.strength = strength
        # Nothing is added to a plain step, and so nothing recorded; the history tells
        # of the whole repair.
        return penalty if strength > 0 else None, meter if strength == 1 else None

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
