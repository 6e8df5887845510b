"""A net that is trained on with FairNeuron's selective dropout (Gao et al., 2022)."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor

from skfair_runner.baselines._paths import (
    Perceptron,
    activation_paths,
    as_perceptron,
    logit_maps,
    rare_paths,
    recorded_values,
    selective_dropout,
)
from skfair_runner.batches import BatchLoader, GroupedDataset
from skfair_runner.net import RunnerNet

# Rows at a time; the contributions to every neuron of a path are held at once.
_SLICING_BATCH = 512
# Column of the data set: the neurons to drop, one bit each, eight in a byte.
_DETECTED = "detected"


def unpacked(packed: Tensor, n_bits: int) -> Tensor:
    """Bits of each row, as ``numpy.unpackbits`` on the device of the tensor.

    Parameters
    ----------
    packed : Tensor of shape (n_samples, n_bytes), uint8
        Eight bits in each byte, the most significant one first.

    n_bits : int
        How many of them count.

    Returns
    -------
    bits : BoolTensor of shape (n_samples, n_bits)
        True where the bit is set.

    Examples
    --------
    >>> unpacked(torch.tensor([[160]], dtype=torch.uint8), 4)
    tensor([[ True, False,  True, False]])
    """
    masks = torch.tensor(
        [128, 64, 32, 16, 8, 4, 2, 1], dtype=torch.uint8, device=packed.device
    )
    bits = packed[:, :, None].bitwise_and(masks) > 0
    return bits.flatten(1)[:, :n_bits]


class FairNeuronNet(RunnerNet):
    """Plain warm-up, then selective dropout instead of a repair.

    Paths are sliced once, in evaluation mode, when the second phase begins.

    Parameters
    ----------
    module : nn.Module class or instance
        A perceptron, see :func:`~skfair_runner.baselines._paths.as_perceptron`.

    gamma, theta : float
        See :func:`~skfair_runner.baselines._paths.activation_paths` and
        :func:`~skfair_runner.baselines._paths.rare_paths`.

    dropout : float
        Rate of the selective dropout.

    caller : str
        Who trains; begins the error message.

    **kwargs
        Of :class:`~skfair_runner.net.RunnerNet`; its task has two labels.
    """

    def __init__(
        self,
        module,
        *,
        gamma: float,
        theta: float,
        dropout: float,
        caller: str,
        **kwargs,
    ):
        super().__init__(module, **kwargs)
        self.gamma = gamma
        self.theta = theta
        self.dropout = dropout
        self.caller = caller

    @property
    def perceptron(self) -> Perceptron:
        """The hidden layers of the module."""
        return as_perceptron(self.module_, self.caller)

    def start(self, train: GroupedDataset) -> None:
        """Initialise, once the module is known to be a perceptron."""
        super().start(train)
        sizes = self.perceptron.sizes
        self.n_neurons_, self.n_paths_, self.n_conflicts_ = sum(sizes), 0, 0

    def train_phase(self, phase, train, valid, epochs, **settings):
        """Find the conflict samples before the second phase, and run the phase."""
        if phase == "repair" and epochs:
            paths = self.slice_paths(train)
            rare, self.n_paths_ = rare_paths(paths, self.theta)
            self.n_conflicts_ = int(rare.sum())
            paths[~rare] = 0
            if rare.any():
                train = train.with_column(_DETECTED, paths)
        return super().train_phase(phase, train, valid, epochs, **settings)

    def slice_paths(self, dataset: GroupedDataset) -> np.ndarray:
        """Activation path of every row.

        Parameters
        ----------
        dataset : GroupedDataset
            The rows.

        Returns
        -------
        paths : ndarray of shape (n_rows, n_bytes), uint8
            One bit for each neuron, layer by layer, as of ``numpy.packbits``.
        """
        perceptron = self.perceptron
        weights, biases = logit_maps(perceptron)
        packed = []
        with recorded_values(perceptron.relus) as hidden:
            for batch, _ in BatchLoader(dataset, _SLICING_BATCH):
                self.evaluation_step((batch, None))
                paths = activation_paths(hidden, weights, biases, self.gamma)
                packed.append(np.packbits(torch.cat(paths, 1).numpy(force=True), 1))
        return np.concatenate(packed)

    def train_step_single(self, batch, **fit_params):
        """The usual step, with dropout on the conflict samples' paths."""
        batch, y = batch
        dropping = nullcontext()
        if _DETECTED in batch:
            bits = unpacked(batch.pop(_DETECTED).to(self.device), self.n_neurons_)
            perceptron = self.perceptron
            detected = bits.split(perceptron.sizes, 1)
            dropping = selective_dropout(perceptron.relus, detected, self.dropout)
        with dropping:
            return super().train_step_single((batch, y), **fit_params)
