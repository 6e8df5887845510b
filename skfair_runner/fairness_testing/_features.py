"""What a preprocessor makes of each code, found by asking it.

Gradients of a network are with respect to its inputs, while a search moves through the
codes of the user's own columns. Where every input of the network depends on one column
only, as after one-hot encoding or scaling, the way from one to the other is a table for
each column, and rows are encoded without calling the preprocessor again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# A column with at most so many values is asked about all of them.
_FULL = 2048
# Ordered columns with more are asked about so many values, and should lie on a line.
_PROBES = 129
# What is no line, such as bins of a long column, may still be listed in full.
_LONGEST = 200_000
_CHECKED = 256
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class ColumnTable:
    """Inputs of the network that one column decides.

    Attributes
    ----------
    outputs : ndarray of int of shape (n_outputs,)
        Which inputs of the network.

    table : ndarray of shape (size, n_outputs) or None
        Their values for each code; None where they lie on a line.

    start, slope : ndarray of shape (n_outputs,) or None
        Value at code 0 and change per code, float64.
    """

    outputs: np.ndarray
    table: np.ndarray | None = None
    start: np.ndarray | None = None
    slope: np.ndarray | None = None

    def values(self, codes):
        """Inputs of the network, of shape (n_samples, n_outputs)."""
        if self.table is not None:
            return self.table[codes]
        return self.start + codes[:, None] * self.slope


class NotSeparableError(ValueError):
    """An input of the network depends on several columns, or on an unknown one."""


class FeatureTables:
    """Encoding of codes as inputs of a network, one table per column.

    Parameters
    ----------
    space : Space
        The box.

    prepare : callable
        Maps rows as `Space.decode` returns them to an array of shape (n_samples,
        n_inputs).

    rng : numpy.random.Generator
        Draws the rows on which the tables are checked.

    Attributes
    ----------
    columns : list of ColumnTable
        One per column of the space.

    n_inputs : int
        Number of inputs of the network.

    Raises
    ------
    NotSeparableError
        If an input of the network depends on more than one column.
    """

    def __init__(self, space, prepare, rng):
        self.space, self._prepare = space, prepare
        # In the middle, so that clipping at an end does not hide a dependence.
        centre = (space.sizes - 1) // 2
        self._base = self._encode(centre[None, :])[0].astype(np.float64)
        self.n_inputs = len(self._base)
        owner = np.full(self.n_inputs, -1)
        self.columns = []
        for position in range(len(space.sizes)):
            column = self._probe(centre, position)
            taken = owner[column.outputs]
            if (taken >= 0).any():
                first = space.names[taken[taken >= 0][0]]
                raise NotSeparableError(
                    f"an input of the network depends on both {first!r} and "
                    f"{space.names[position]!r}"
                )
            owner[column.outputs] = position
            self.columns.append(column)
        self._check(rng)

    def _encode(self, codes) -> np.ndarray:
        features = self._prepare(self.space.decode(codes))
        features = features.toarray() if hasattr(features, "toarray") else features
        return np.asarray(features)

    def _probe(self, centre, position):
        """Ask about one column, with the others in the middle."""
        size = int(self.space.sizes[position])
        if size <= _FULL or not self.space.ordered[position]:
            return self._table(centre, position, np.arange(size))
        asked = np.unique(np.linspace(0, size - 1, _PROBES).astype(np.int64))
        probe = self._table(centre, position, asked)
        values = probe.table.astype(np.float64)
        slope = (values[-1] - values[0]) / (size - 1)
        line = values[0] + asked[:, None] * slope
        if np.allclose(values, line, rtol=1e-5, atol=1e-5 * np.abs(values).max()):
            return ColumnTable(probe.outputs, start=values[0], slope=slope)
        if size > _LONGEST:
            raise NotSeparableError(
                f"{self.space.names[position]!r} has {size:,} values, and what the "
                "network gets is not on a line with them: describe it with a larger "
                "step"
            )
        return self._table(centre, position, np.arange(size))

    def _table(self, centre, position, asked) -> ColumnTable:
        codes = np.repeat(centre[None, :], len(asked), axis=0)
        codes[:, position] = asked
        values = self._encode(codes)
        changed = np.flatnonzero((values != self._base).any(axis=0))
        return ColumnTable(changed, np.ascontiguousarray(values[:, changed]))

    def _check(self, rng) -> None:
        """Compare with the preprocessor on rows that it was not asked about."""
        shape = (_CHECKED, len(self.space.sizes))
        codes = rng.integers(0, self.space.sizes, size=shape)
        expected, found = self._encode(codes), self.encode(codes)
        size = np.abs(expected).max(axis=0) + 1
        off = np.abs(expected - found) > _TOLERANCE * size
        if off.any():
            raise NotSeparableError(
                f"input {off.any(axis=0).argmax()} of the network depends on more "
                "than one column"
            )

    def encode(self, codes) -> np.ndarray:
        """Inputs of the network.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples, n_columns)
            Rows.

        Returns
        -------
        features : ndarray of shape (n_samples, n_inputs), dtype float32
            What the preprocessor returns, up to rounding.
        """
        features = np.empty((len(codes), self.n_inputs), dtype=np.float32)
        features[:] = self._base
        for position, column in enumerate(self.columns):
            if len(column.outputs):
                features[:, column.outputs] = column.values(codes[:, position])
        return features

    def slopes(self, gradients, codes) -> np.ndarray:
        """First-order change of a quantity per step of each column.

        Parameters
        ----------
        gradients : ndarray of shape (n_samples, n_inputs)
            Of the quantity, with respect to the network's inputs.

        codes : ndarray of int of shape (n_samples, n_columns)
            Where.

        Returns
        -------
        slopes : ndarray of shape (n_samples, n_columns)
            For an ordered column the signed change for one step up, the mean of the
            step up and the step down. For categories the mean absolute change over the
            other levels.
        """
        slopes = np.zeros(codes.shape)
        for position, column in enumerate(self.columns):
            part = gradients[:, column.outputs]
            if not len(column.outputs):
                continue
            if not self.space.ordered[position]:
                changes = self.level_changes(gradients, codes, position)
                others = max(changes.shape[1] - 1, 1)
                slopes[:, position] = np.abs(changes).sum(axis=1) / others
            elif column.table is None:
                slopes[:, position] = part @ column.slope
            else:
                here = codes[:, position]
                up = np.minimum(here + 1, len(column.table) - 1)
                down = np.maximum(here - 1, 0)
                span = column.table[up] - column.table[down]
                steps = np.maximum(up - down, 1)
                slopes[:, position] = (part * span).sum(axis=1) / steps
        return slopes

    def level_changes(self, gradients, codes, position) -> np.ndarray:
        """First-order change of a quantity for every other level of a category.

        Parameters
        ----------
        gradients : ndarray of shape (n_samples, n_inputs)
            Of the quantity, with respect to the network's inputs.

        codes : ndarray of int of shape (n_samples, n_columns)
            Where.

        position : int
            The column.

        Returns
        -------
        changes : ndarray of shape (n_samples, size)
            Zero for the level that the row has.
        """
        column = self.columns[position]
        reached = gradients[:, column.outputs] @ column.table.T
        here = np.take_along_axis(reached, codes[:, position, None], axis=1)
        return reached - here
