"""Data that lie on a device, where batches are cut out of them."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from ._transfer import is_apart, send
from .batches import GroupedDataset
from .images import ImageSource

# More than this is copied batch by batch.
_MOST_BYTES = 2**31


class ResidentDataset(GroupedDataset):
    """Rows that were copied to a device once.

    Parameters
    ----------
    dataset : GroupedDataset
        Of a dense table, or of images in memory, which stay bytes until a batch needs
        them.

    device : str or torch.device
        Where batches are wanted.
    """

    def __init__(self, dataset: GroupedDataset, device):
        super().__init__(dataset.X, dataset.y, dataset.rows)
        self.device = device
        columns = {name: self.column(name) for name in (*self.X, "y") if name != "X"}
        columns["X"] = self._inputs()
        self._there = {
            name: send(torch.from_numpy(np.ascontiguousarray(values)), device)
            for name, values in columns.items()
            if values is not None
        }

    def _inputs(self) -> np.ndarray:
        """X of the rows, as it is kept."""
        X = self.X["X"]
        rows = slice(None) if self.rows is None else self.rows
        return X.images.load(rows) if isinstance(X, ImageSource) else X[rows]

    def take(self, index) -> tuple[dict[str, Tensor], Tensor]:
        """The rows at `index` as tensors on the device."""
        rows = send(torch.from_numpy(np.ascontiguousarray(index)), self.device)
        batch = {name: values[rows] for name, values in self._there.items()}
        X = self.X["X"]
        if isinstance(X, ImageSource):
            batch["X"] = X.converted(batch["X"])
        y = batch.pop("y")
        return batch, y


def make_resident(dataset: GroupedDataset, device) -> GroupedDataset:
    """The data set on a device that works apart, if it is dense and not large.

    Parameters
    ----------
    dataset : GroupedDataset
        Any.

    device : str or torch.device
        Where batches are wanted.

    Returns
    -------
    dataset : GroupedDataset
        The same one for the processor, for sparse tables and lazy images, and above two
        gigabytes.

    Examples
    --------
    >>> table = GroupedDataset({"X": np.zeros((5, 3))}, np.zeros(5))
    >>> make_resident(table, "cpu") is table
    True
    """
    X = dataset.X["X"]
    if not is_apart(device) or sparse.issparse(X) or getattr(X, "lazy", False):
        return dataset
    kept = X.images.dtype if isinstance(X, ImageSource) else X.dtype
    n_bytes = len(dataset) * math.prod(X.shape[1:]) * kept.itemsize
    return dataset if n_bytes > _MOST_BYTES else ResidentDataset(dataset, device)
