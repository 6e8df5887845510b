"""Batch plans and the loader that slices whole batches out of arrays.

Collating samples one at a time is what makes a plain ``DataLoader`` slow on tables;
here a plan says which rows make up each batch, and every source is indexed once per
batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from ._transfer import pinned

SAMPLINGS = ("shuffled", "group", "group_label")
# Input values of a batch of images where nothing is learned, 2 MiB of them: a
# convolution's outputs are many times as large as its input.
_MOST_VALUES = 2**19
_LEAST_IMAGES = 16


class GroupedDataset:
    """Rows of X with their label, group and weight codes, sliced batch by batch.

    Parameters
    ----------
    X : dict
        ``"X"``: array or CSR matrix of shape (n_samples, ...); ``"groups"``: int64
        array of shape (n_samples,); ``"weights"``: float32 array of shape (n_samples,)
        or None; further arrays of one row per sample.

    y : ndarray of shape (n_samples,)
        Label codes, int64.

    rows : ndarray of int, default=None
        The rows that belong to this data set; None takes all. The sources are shared.
    """

    def __init__(self, X, y=None, rows=None):
        self.X, self.y, self.rows = X, y, rows

    def __len__(self) -> int:
        return self.X["X"].shape[0] if self.rows is None else len(self.rows)

    def subset(self, rows) -> GroupedDataset:
        """The data set of some of these rows, sharing the sources."""
        rows = np.asarray(rows)
        return GroupedDataset(
            self.X, self.y, rows if self.rows is None else self.rows[rows]
        )

    def with_column(self, name: str, values: np.ndarray) -> GroupedDataset:
        """The same rows, which bring one more array into each batch.

        Parameters
        ----------
        name : str
            Its name in the batch.

        values : ndarray of shape (n_rows, ...)
            One for each row of this data set.

        Returns
        -------
        dataset : GroupedDataset
            Shares the other arrays.
        """
        if self.rows is not None:
            spread = np.zeros((self.X["X"].shape[0], *values.shape[1:]), values.dtype)
            spread[self.rows] = values
            values = spread
        return GroupedDataset({**self.X, name: values}, self.y, self.rows)

    def column(self, name: str):
        """Codes of all rows: "y", "groups", "weights" or a further array."""
        source = self.y if name == "y" else self.X[name]
        return source if self.rows is None or source is None else source[self.rows]

    def take(self, index) -> tuple[dict[str, Tensor], Tensor]:
        """The rows at `index` as tensors: ``({"X", "groups", ...}, y)``."""
        index = index if self.rows is None else self.rows[index]
        X = self.X["X"][index]
        if sparse.issparse(X):
            X = X.toarray()
        batch = {"X": torch.from_numpy(np.ascontiguousarray(X))}
        for name, values in self.X.items():
            if name != "X" and values is not None:
                batch[name] = torch.from_numpy(values[index])
        return batch, torch.from_numpy(self.y[index])

    def __getitem__(self, i: int):
        batch, y = self.take(np.array([i]))
        return {name: value[0] for name, value in batch.items()}, y[0]


def rows_at_once(dataset: GroupedDataset, most: int) -> int:
    """How many rows a module is given at a time where nothing is learned.

    Parameters
    ----------
    dataset : GroupedDataset
        Where the rows come from.

    most : int
        Rows of a table.

    Returns
    -------
    n_rows : int
        At most `most`; of images fewer the larger they are, but at least 16.

    Examples
    --------
    >>> table = GroupedDataset({"X": np.zeros((5, 1000))})
    >>> photographs = GroupedDataset({"X": np.zeros((5, 3, 64, 64))})
    >>> rows_at_once(table, 2048), rows_at_once(photographs, 2048)
    (2048, 42)
    """
    shape = dataset.X["X"].shape
    if len(shape) < 4:
        return most
    return min(most, max(_LEAST_IMAGES, _MOST_VALUES // max(1, math.prod(shape[1:]))))


def spread_rows(n_samples: int, most: int) -> np.ndarray:
    """Some of the rows, evenly spaced, so that data in any order are represented.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    most : int
        How many to take; all, if there are not more.

    Returns
    -------
    rows : ndarray of int
        Rising.

    Examples
    --------
    >>> spread_rows(10, 4), spread_rows(3, 4)
    (array([0, 3, 6, 9]), array([0, 1, 2]))
    """
    return np.linspace(0, n_samples - 1, min(most, n_samples)).astype(np.int64)


class RowBuffer:
    """A tensor of a known number of rows, filled batch by batch.

    It is made once. Small tensors that are kept while large ones come and go would keep
    the allocator from using the large ones' place again.

    Parameters
    ----------
    n_rows : int
        Number of rows of all batches together.

    Attributes
    ----------
    values : Tensor of shape (n_rows, ...)
        Of the type and device of the first part; empty before it is added.

    Examples
    --------
    >>> import torch
    >>> buffer = RowBuffer(3)
    >>> for part in torch.arange(3).split(2):
    ...     buffer.add(part)
    >>> buffer.values
    tensor([0, 1, 2])
    """

    def __init__(self, n_rows: int):
        self.n_rows, self.filled = n_rows, 0
        self.values = torch.empty(0)

    def add(self, part: Tensor) -> None:
        """Fill the next rows.

        Parameters
        ----------
        part : Tensor of shape (n_rows_of_part, ...)
            What these rows are.
        """
        if not self.filled:
            self.values = part.new_empty(self.n_rows, *part.shape[1:])
        end = self.filled + len(part)
        self.values[self.filled : end] = part
        self.filled = end


def plan_shuffled(
    n_samples: int, batch_size: int, order: np.ndarray
) -> list[np.ndarray]:
    """Split an order of the rows into batches whose sizes differ by at most one.

    An even split leaves no batch of one or two rows at the end, on which group
    statistics and batch normalisation would be noise.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    batch_size : int
        Largest size of a batch.

    order : ndarray of shape (n_samples,)
        Permutation of the rows.

    Returns
    -------
    batches : list of ndarray
        ceil(n_samples / batch_size) batches.

    Examples
    --------
    >>> [b.tolist() for b in plan_shuffled(5, 2, np.arange(5))]
    [[0, 1], [2, 3], [4]]
    """
    return np.array_split(order, max(1, -(-n_samples // batch_size)))


class BalancedPlan:
    """Batches that hold the same number of rows of every cell.

    Each cell's rows are dealt in a shuffled order, which is shuffled anew when it is
    used up, so that no row of a cell returns before all others of it were drawn.

    Parameters
    ----------
    cells : ndarray of shape (n_samples,)
        Cell code of each row: its group, or its label × group.

    batch_size : int
        Rows per batch; every cell gets ``batch_size // n_cells`` of them, at least one.
    """

    def __init__(self, cells: np.ndarray, batch_size: int):
        codes, index = np.unique(cells, return_inverse=True)
        self.members = [np.flatnonzero(index == c) for c in range(len(codes))]
        self.per_cell = max(1, batch_size // len(codes))
        self.piles: list[np.ndarray] = [rows[:0] for rows in self.members]

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Rows of the next batch."""
        parts = []
        for c, members in enumerate(self.members):
            pile = self.piles[c]
            while len(pile) < self.per_cell:
                pile = np.concatenate([pile, generator.permutation(members)])
            parts.append(pile[: self.per_cell])
            self.piles[c] = pile[self.per_cell :]
        return np.concatenate(parts)


class BatchLoader:
    """Iterate over a :class:`GroupedDataset` in whole batches.

    Shuffling draws from torch's global generator, which the estimator seeds and gives
    back as it was.

    Parameters
    ----------
    dataset : GroupedDataset
        Where the rows come from.

    batch_size : int
        Largest number of rows of a batch.

    shuffle : bool, default=False
        Whether rows come in a new order in each epoch.

    sampling : {"shuffled", "group", "group_label"}, default="shuffled"
        "group" and "group_label" draw batches balanced over groups or label × group
        cells, whatever `shuffle` says.

    steps_per_epoch : int, default=None
        Number of balanced batches in an epoch; None takes as many as shuffled batches
        would need. Shuffled batches always cover each row once.

    transform : callable, default=None
        Changes each sample of a batch, as augmentation does: a function of one float32
        tensor, such as an image (channels, height, width), that returns one. It is
        called when the batch is used, so torch's generator makes it repeatable.

    pin_memory : bool, default=False
        Whether batches lie in pinned memory, from which a CUDA device copies them while
        it computes.

    Notes
    -----
    Where the data set's ``X`` is lazy, or batches are pinned, a thread reads one batch
    ahead.

    Raises
    ------
    TypeError
        If `transform` is no function; and, when a batch is drawn, if it returns
        something else than a tensor.

    ValueError
        If `sampling` is unknown, or `steps_per_epoch` is given for shuffled batches.
    """

    def __init__(
        self,
        dataset,
        batch_size,
        shuffle=False,
        sampling="shuffled",
        steps_per_epoch=None,
        transform: Callable[[Tensor], Tensor] | None = None,
        pin_memory=False,
    ):
        if sampling not in SAMPLINGS:
            raise ValueError(
                f"There is no sampling {sampling!r}: pass one of {list(SAMPLINGS)}."
            )
        if transform is not None and not callable(transform):
            raise TypeError(
                f"transform={transform!r} must be a function of one tensor that "
                "returns one, or None."
            )
        if steps_per_epoch is not None and sampling == "shuffled":
            raise ValueError(
                f"steps_per_epoch={steps_per_epoch!r} has no meaning for "
                "sampling='shuffled', whose epoch covers each row once: leave it None."
            )
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle
        self.sampling, self.steps_per_epoch = sampling, steps_per_epoch
        self.transform, self.pin_memory = transform, pin_memory

    def __len__(self) -> int:
        if self.steps_per_epoch is not None:
            return self.steps_per_epoch
        return max(1, -(-len(self.dataset) // self.batch_size))

    def __iter__(self) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        for batch, y in self._taken(self._plan()):
            if self.transform is not None:
                batch["X"] = torch.stack([self._changed(x) for x in batch["X"]])
            yield batch, y

    def _changed(self, x: Tensor) -> Tensor:
        assert self.transform is not None
        changed = self.transform(x)
        if not isinstance(changed, Tensor):
            raise TypeError(
                f"transform={self.transform!r} returned a {type(changed).__name__} for "
                f"a tensor of shape {tuple(x.shape)}: let it take a tensor and return "
                "one."
            )
        return changed

    def _plan(self) -> Iterable[np.ndarray]:
        """Rows of each batch."""
        if self.sampling != "shuffled":
            return self._balanced()
        n = len(self.dataset)
        order = torch.randperm(n).numpy() if self.shuffle else np.arange(n)
        return plan_shuffled(n, self.batch_size, order)

    def _taken(self, plan: Iterable[np.ndarray]):
        """The batches, of which a thread reads the next one if reading takes long."""
        lazy = getattr(self.dataset.X["X"], "lazy", False)
        if not lazy and not self.pin_memory:
            yield from map(self.dataset.take, plan)
            return
        with ThreadPoolExecutor(1) as reader:
            ahead = None
            for index in plan:
                ready, ahead = ahead, reader.submit(self._take, index)
                if ready is not None:
                    yield ready.result()
            if ahead is not None:
                yield ahead.result()

    def _take(self, index):
        batch, y = self.dataset.take(index)
        if self.pin_memory:
            batch = {name: pinned(values) for name, values in batch.items()}
            y = pinned(y)
        return batch, y

    def _balanced(self) -> Iterator[np.ndarray]:
        cells = self.dataset.column("groups")
        if self.sampling == "group_label":
            y = self.dataset.column("y")
            cells = cells * (int(y.max()) + 1) + y
        seed = int(torch.randint(2**31 - 1, ()))
        generator = np.random.default_rng(seed)
        plan = BalancedPlan(cells, self.batch_size)
        for _ in range(len(self)):
            yield plan.draw(generator)
