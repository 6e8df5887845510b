"""Normalisation of images as the first layer of a network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Normalize(nn.Module):
    """Subtract a mean from each channel and divide it by a deviation.

    As the first layer of a network it is saved with the weights, and cannot be
    forgotten at prediction.

    Parameters
    ----------
    mean, std : sequence of float of length n_channels
        Of pixels in [0, 1]; deviations are positive.

    Raises
    ------
    ValueError
        If both are not of one length, or a deviation is not positive.

    Examples
    --------
    A ResNet-18 that takes the pixels that those of torchvision were trained on:

    >>> from torch import nn
    >>> from skfair_runner.modules import Normalize, ResNet18
    >>> net = nn.Sequential(
    ...     Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    ...     ResNet18(),
    ... )
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if len(mean) != len(std) or not all(s > 0 for s in std):
            raise ValueError(
                "`mean` and `std` hold one number for each channel, those of `std` "
                f"positive; got {list(mean)} and {list(std)}."
            )
        for name, values in (("mean", mean), ("std", std)):
            column = torch.tensor(values, dtype=torch.float32).reshape(-1, 1, 1)
            self.register_buffer(name, column)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised images.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_channels, height, width)
            Pixels in [0, 1].

        Returns
        -------
        x : Tensor of the same shape
            Of mean 0 and deviation 1 in each channel, over the data that both were
            measured on.
        """
        return (x - self.mean) / self.std
