"""A net that drops hidden neurons once it is trained (Dasu et al., ISSTA 2024)."""

from __future__ import annotations

import numpy as np
import torch

from skfair_runner.baselines._annealing import (
    Annealed,
    DroppingNetwork,
    GroupRates,
    anneal,
)
from skfair_runner.baselines._multipliers import as_foldable, fold_multipliers
from skfair_runner.baselines._paths import logit_maps, recorded_values
from skfair_runner.batches import BatchLoader, GroupedDataset, RowBuffer
from skfair_runner.conditions import Constraint
from skfair_runner.net import RunnerNet

_RECORDING_BATCH = 2048


class NeuFairNet(RunnerNet):
    """Plain training through both phases, then a search over dropped neurons.

    Parameters
    ----------
    module : nn.Module class or instance
        A perceptron, see :func:`~skfair_runner.baselines._multipliers.as_foldable`.

    constraint : Constraint
        What must not depend on the group.

    search : dict
        Keywords of :func:`~skfair_runner.baselines._annealing.anneal`.

    caller : str
        Who trains; begins the error message.

    **kwargs
        Of :class:`~skfair_runner.net.RunnerNet`; its task has two labels.
    """

    def __init__(
        self, module, *, constraint: Constraint, search: dict, caller: str, **kwargs
    ):
        super().__init__(module, **kwargs)
        self.constraint = constraint
        self.search = search
        self.caller = caller

    def start(self, train: GroupedDataset) -> None:
        """Initialise, once the module is known to be a perceptron."""
        super().start(train)
        as_foldable(self.module_, self.caller)

    def fit_phases(self, train, valid=None):
        """Train plainly, search on the rows that were trained on, and drop."""
        super().fit_phases(train, valid)
        self.annealed_ = self.drop(train)
        return self

    def drop(self, dataset: GroupedDataset) -> Annealed:
        """Search on some rows, and fold what is found into the weights.

        Parameters
        ----------
        dataset : GroupedDataset
            The rows.

        Returns
        -------
        annealed : Annealed
            The best state.
        """
        perceptron = as_foldable(self.module_, self.caller)
        first = RowBuffer(len(dataset))
        with recorded_values(perceptron.relus) as hidden:
            for batch, _ in BatchLoader(dataset, _RECORDING_BATCH):
                self.evaluation_step((batch, None))
                first.add(hidden[0].detach().cpu())
        weights, biases = logit_maps(perceptron)
        network = DroppingNetwork(
            first.values, [w.cpu() for w in weights], [b.cpu() for b in biases]
        )
        measure = GroupRates(
            dataset.column("y"),
            dataset.column("groups"),
            self.constraint,
            self.task.positive,
        )
        seed = int(torch.randint(2**31 - 1, ()))
        rng = np.random.default_rng(seed)
        annealed = anneal(network, measure, rng=rng, **self.search)
        fold_multipliers(perceptron, annealed.kept)
        return annealed
