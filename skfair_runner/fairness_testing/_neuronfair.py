"""NeuronFair: a gradient search that is driven by the most biased layer's neurons.

Zheng, Chen, Du, Zhang, Cheng, Ji, Wang, Yu and Chen, "NeuronFair: interpretable
white-box fairness testing through biased neuron identification", ICSE 2022.
"""

from __future__ import annotations

from numbers import Real

import numpy as np
import torch
from torch.nn import functional as F

from skfair_runner.activations import (
    evaluation_mode,
    neuron_values,
    record_activations,
    trace_layers,
)
from skfair_runner.fairness_testing._base import BUDGET, COUNT
from skfair_runner.fairness_testing._gradient_search import GradientSearch
from skfair_runner.fairness_testing._ledger import Ledger
from skfair_runner.utils import Interval

_ROWS = 2000


def activation_differences(model, layers, codes, twins):
    """Mean difference of each neuron between rows and their twins.

    Parameters
    ----------
    model : Differentiable
        Adapter.

    layers : list of Layer
        Recorded layers.

    codes, twins : ndarray of int of shape (n_samples, n_columns)
        Rows, alike but for the sensitive columns.

    Returns
    -------
    differences : dict of str to Tensor of shape (n_neurons,)
        Mean absolute difference, by layer, as a share of the layer's mean absolute
        activation, so that layers compare.
    """
    stacked = np.concatenate([codes, twins])
    inputs = torch.from_numpy(model.features.encode(stacked))
    with (
        evaluation_mode(model.module),
        torch.no_grad(),
        record_activations(model.module, layers) as recorded,
    ):
        model.logits(inputs)
    differences = {}
    for layer in layers:
        values = neuron_values(recorded[layer.name], layer.axis).cpu()
        own, other = values.chunk(2)
        scale = values.abs().mean().clamp_min(torch.finfo(values.dtype).tiny)
        differences[layer.name] = (own - other).abs().mean(0) / scale
    return differences


class NeuronFair(GradientSearch):
    """Gradient search driven by the neurons that tell a row from its twin.

    The most biased layer is the one whose neurons differ most between rows of the data
    and their twins with other sensitive values; its most different neurons are the
    biased ones. Both phases are those of :class:`ADF`, with a quantity that grows as
    these neurons move apart. Each step takes a random part of the other neurons of the
    layer along, so that the search does not end in a local optimum.

    Parameters
    ----------
    n_global : int, default=1000
        Number of rows to start from, at most.

    n_local : int, default=1000
        Number of steps of each walker.

    biased_share : float, default=0.2
        Share of the layer's neurons that are called biased, in (0, 1]; at least one.

    random_share : float, default=0.05
        Probability with which another neuron of the layer is taken along, in [0, 1].

    n_clusters : int, default=4
        Number of clusters of k-means.

    max_iter : int, default=10
        Number of moves of each row, at most. (The authors' code makes up to 40.)

    budget : int or None, default=None
        Number of distinct instances that may be tried, of which half may be used before
        the walks. None: as many as the steps lead to.

    random_state : int, RandomState or None, default=None
        Seed.

    Attributes
    ----------
    layer_ : str
        The most biased layer, after a search.

    biased_neurons_ : ndarray of int
        Its biased neurons.

    See Also
    --------
    EIDIG : Driven by the output instead.

    Notes
    -----
    The quantity is the cross-entropy between the sigmoids of the neurons of a row and
    of its twin, with the twin's held fixed: its gradient is Σ (σ(h) − σ(h')) ∂h/∂x over
    the chosen neurons.

    References
    ----------
    .. [1] H. Zheng et al., "NeuronFair: interpretable white-box fairness testing
       through biased neuron identification", ICSE 2022.

    Examples
    --------
    >>> import torch
    >>> from skfair_runner.fairness_testing import NeuronFair
    >>> _ = torch.manual_seed(0)
    >>> net = torch.nn.Sequential(
    ...     torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)
    ... )
    >>> X = torch.cartesian_prod(*[torch.arange(8.0)] * 2, torch.arange(2.0)).numpy()
    >>> search = NeuronFair(n_global=20, n_local=5, random_state=0)
    >>> result = search.search(net, X, sensitive_features=2)
    >>> search.layer_
    '1'
    """

    _parameter_constraints: dict = {
        "n_global": COUNT,
        "n_local": COUNT,
        "biased_share": [Interval(Real, 0, 1, closed="right")],
        "random_share": [Interval(Real, 0, 1, closed="both")],
        "n_clusters": COUNT,
        "max_iter": COUNT,
        "budget": BUDGET,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_global=1000,
        n_local=1000,
        biased_share=0.2,
        random_share=0.05,
        n_clusters=4,
        max_iter=10,
        budget=None,
        random_state=None,
    ):
        self.n_global = n_global
        self.n_local = n_local
        self.biased_share = biased_share
        self.random_share = random_share
        self.n_clusters = n_clusters
        self.max_iter = max_iter
        self.budget = budget
        self.random_state = random_state

    knows_sides = False

    def _prepare(self, ledger, data):
        space, model = ledger.space, ledger.model
        codes = data[:_ROWS]
        twins = codes.copy()
        other = Ledger(space, model).ask(codes).other
        twins[:, space.sensitive] = space.combinations[other]
        example = torch.from_numpy(model.features.encode(codes[:2]))
        layers = trace_layers(model.module, example)
        differences = activation_differences(model, layers, codes, twins)
        means = [float(differences[layer.name].mean()) for layer in layers]
        self._layer = layers[int(np.argmax(means))]
        self.layer_ = self._layer.name
        found = differences[self.layer_]
        n_biased = max(1, round(self.biased_share * len(found)))
        self.biased_neurons_ = found.argsort(descending=True)[:n_biased].numpy()

    def _objective(self, model, rng):
        chosen = rng.uniform(size=self._layer.n_neurons) < self.random_share
        chosen[self.biased_neurons_] = True
        neurons = torch.from_numpy(np.flatnonzero(chosen))

        def quantity(inputs):
            with record_activations(model.module, [self._layer]) as recorded:
                model.logits(inputs)
            values = neuron_values(recorded[self.layer_], self._layer.axis).cpu()
            values = values[:, neurons]
            twin = values.detach().roll(len(values) // 2, 0).sigmoid()
            return F.binary_cross_entropy_with_logits(
                values, twin, reduction="none"
            ).sum(1)

        return quantity
