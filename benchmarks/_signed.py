"""A repair that acts on each neuron in the direction in which it carries the gap.

The output term is Σ price of a cell · relaxed decisions in it. Here the decisions are
replaced by what the recorded neurons contribute to them, to first order: activation
times the mean slope of the decisions by the neuron. Every neuron's difference between
groups is so pushed down or up, whichever lowers the gap, and weighted by what it does
to the gap; what lies behind the last hidden layer is not told of the gap at all.
"""

from functools import partial

import torch

from skfair_runner.cells import PricedSums
from skfair_runner.control import OutputController
from skfair_runner.net import RunnerNet
from skfair_runner.penalty import RepairPenalty
from skfair_runner.relaxations import sharpened_scores


class SignedController(OutputController):
    """The controller of bounds, with a term of the neurons in place of the output's.

    Attributes
    ----------
    recorded : list of Tensor of shape (n_samples, n_neurons)
        Activations of the present step, with graph.

    weight : float
        Factor of the term, whose gradient does not reach the last layer.
    """

    weight = 1.0

    def priced(self, outcome, progress, *, observing=True):
        """See :class:`~skfair_runner.control.OutputController`."""
        if observing:
            self.observe(outcome)
        relaxed = sharpened_scores(outcome.logits, self.sharpness_at(progress))
        slopes = torch.autograd.grad(
            relaxed.mean(), self.recorded, retain_graph=True, materialize_grads=True
        )
        cells = outcome.cells
        # Each layer speaks for all of the gap.
        prices = self.weight / len(slopes) * self.prices(cells)
        sums = [cells.sums(h.detach()) for h in self.recorded]
        each = [prices * slope.sum(0) for slope in slopes]
        return PricedSums(self.recorded, torch.cat(sums, 2), torch.cat(each, 2))


class SignedPenalty(RepairPenalty):
    """Shows the controller what was recorded."""

    def __call__(self, X, outcome, activations, step, progress):
        """See :class:`~skfair_runner.penalty.RepairPenalty`."""
        layers = self.subject.layers
        self.controller.recorded = [activations[layer.name] for layer in layers]
        return super().__call__(X, outcome, activations, step, progress)


class SignedNet(RunnerNet):
    """A net of dense layers that is repaired by its neurons alone.

    Parameters
    ----------
    weight : float, default=1.0
        Of the neurons' term.
    """

    def __init__(self, *args, weight=1.0, **kwargs):
        self.weight = weight
        super().__init__(*args, **kwargs)

    def make_penalty(self, train):
        """See :class:`~skfair_runner.net.RunnerNet`."""
        penalty = super().make_penalty(train)
        fields = {name: getattr(penalty, name) for name in penalty.__match_args__}
        return SignedPenalty(**fields)

    def make_controller(self, selection_rates):
        """See :class:`~skfair_runner.net.RunnerNet`."""
        usual = super().make_controller(selection_rates)
        controller = SignedController(
            usual.parts, selection_rates, sharpness=usual.sharpness
        )
        controller.weight = self.weight
        return controller


def by_signed_neurons(classifier, weight):
    """The classifier, unfitted, with its neurons' term in place of the output's.

    Parameters
    ----------
    classifier : RunnerFairClassifier
        With a bound.

    weight : float
        Of the neurons' term.

    Returns
    -------
    classifier : RunnerFairClassifier
        The same object.
    """
    classifier._net_class = partial(SignedNet, weight=weight)
    return classifier
