"""Models that imitate the tested one, and that Z3 can be asked about."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from skfair_runner.fairness_testing._columns import all_combinations
from skfair_runner.fairness_testing._keys import instance_keys
from skfair_runner.fairness_testing._solver import (
    DECIMALS,
    cells_formula,
    net_formula,
)

# A cell with at most so many rows is listed; from a larger one rows are drawn, so many
# times as many as are wanted, to find new ones.
_LISTED = 2048
_DRAWS = 4
# Other values of each column that are looked at around an answer about a network.
_VALUES = 8
# Cells are compared with the tried rows in parts of so many comparisons.
_CHUNK = 5_000_000


class TreeSurrogate:
    """A decision tree, as the cells in which it decides a row and its twin differently.

    Two leaves of different classes, one for the row and one for its twin, leave to the
    columns that are not sensitive the values that both allow: a cell, unless there are
    none. What the tree says elsewhere is of no interest, and Z3 is not told.

    Parameters
    ----------
    space : Space
        The box.

    codes : ndarray of int of shape (n_samples, n_columns)
        Training rows.

    labels : ndarray of int of shape (n_samples,)
        The model's decisions on them.

    tried : ndarray of int of shape (n_tried, n_columns)
        Rows that need not be tried again: cells that hold no other are left out.

    rng : numpy.random.Generator
        Source of randomness.

    Attributes
    ----------
    tree : DecisionTreeClassifier
        Fitted.

    low, high : ndarray of int of shape (n_cells, 2, n_columns)
        Smallest and largest codes of row and twin, both included.
    """

    def __init__(self, space, codes, labels, tried, rng):
        self.space = space
        seed = int(rng.integers(2**31))
        self.tree = DecisionTreeClassifier(random_state=seed).fit(codes, labels)
        low, high = differing_cells(space, self.tree)
        open_ = ~_exhausted(space, low[:, 0], high[:, 0], tried)
        order = rng.permutation(np.flatnonzero(open_))
        self.low, self.high = low[order], high[order]

    def differs(self, row, twin):
        """Formula: the tree decides row and twin differently, in an open cell."""
        return cells_formula(self.space, self.low, self.high, row, twin)

    def forget(self, solver, tried):
        """Nothing to do: cells without new rows are no part of the formula."""

    def follow(self, solver, pair, ledger, n_samples, rng):
        """New rows of an answer's cell, and questions about its neighbours.

        Parameters
        ----------
        solver : PairSolver
            Gave the answer; it will not give one in this cell again.

        pair : tuple (row, twin) of ndarray of int of shape (n_columns,)
            The answer.

        ledger : Ledger
            Knows what was tried.

        n_samples : int
            Rows wanted, at most.

        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        rows : ndarray of int of shape (at most n_samples, n_columns)
            Not tried before.

        questions : list of z3.BoolRef
            A row within the cell's bounds but for one column, for each that is bounded:
            one condition of the paths is toggled.
        """
        sides = np.stack(pair)
        inside = (self.low <= sides) & (sides <= self.high)
        cell = np.flatnonzero(inside.all(axis=(1, 2)))[0]
        low, high = self.low[cell, 0].copy(), self.high[cell, 0].copy()
        solver.block(low, high)
        free = self.space.free
        bounded = free[(low[free] > 0) | (high[free] < self.space.sizes[free] - 1)]
        questions = [solver.within(low, high, but=position) for position in bounded]
        kept = np.union1d(self.space.sensitive, self.space.immutable)
        low[kept] = high[kept] = pair[0][kept]
        rows = _rows_within(low, high, n_samples, rng)
        return new_rows(ledger, rows)[:n_samples], questions


class NetSurrogate:
    """A small ReLU network.

    Parameters
    ----------
    space : Space
        The box.

    codes : ndarray of int of shape (n_samples, n_columns)
        Training rows.

    labels : ndarray of int of shape (n_samples,)
        The model's decisions on them.

    hidden_neurons : int
        Size of the hidden layer.

    rng : numpy.random.Generator
        Source of randomness.

    Attributes
    ----------
    net : MLPClassifier
        Fitted, its weights rounded.
    """

    def __init__(self, space, codes, labels, hidden_neurons, rng):
        self.space = space
        seed = int(rng.integers(2**31))
        self.net = fit_small_net(space, codes, labels, hidden_neurons, seed)

    def differs(self, row, twin):
        """Formula: the network decides row and twin differently."""
        sizes = self.space.sizes
        return net_formula(self.net, sizes, row) != net_formula(self.net, sizes, twin)

    def forget(self, solver, tried):
        """Ask for no row that was tried; those that it would give need a clause."""
        solver.block_rows(tried[self.discriminates(tried)])

    def discriminates(self, codes) -> np.ndarray:
        """Whether the network decides rows differently with other sensitive values.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples, n_columns)
            Rows.

        Returns
        -------
        discriminates : ndarray of shape (n_samples,), dtype bool
            Among the combinations of sensitive values that keep the constraints.
        """
        if not len(codes):
            return np.zeros(0, dtype=bool)
        rows = self.space.expand(codes)
        scaled = rows.reshape(-1, codes.shape[1]) / np.maximum(self.space.sizes - 1, 1)
        decided = self.net.predict(scaled).reshape(rows.shape[:2])
        allowed = self.space.valid_combinations(codes)
        return (decided & allowed).any(axis=1) & (~decided & allowed).any(axis=1)

    def follow(self, solver, pair, ledger, n_samples, rng):
        """New rows around an answer that the network decides in the same way.

        Single values are replaced, over and over, as long as the network still decides
        differently; this takes no question. See :meth:`TreeSurrogate.follow`.
        """
        rows = latest = new_rows(ledger, pair[0][None])
        while len(latest) and len(rows) < n_samples:
            around = new_rows(ledger, _neighbours(self.space, latest, rng))
            around = around[~_in(self.space, around, rows)]
            latest = around[self.discriminates(around)]
            latest = rng.permutation(latest)[: n_samples - len(rows)]
            rows = np.concatenate([rows, latest])
        # Blocked even where a constraint that Z3 does not know forbids it.
        solver.block_rows(np.concatenate([pair[0][None], rows]))
        return rows, []


def fit_small_net(space, codes, labels, hidden_neurons, seed):
    """A network with one hidden layer and rounded weights.

    Parameters
    ----------
    space : Space
        The box.

    codes : ndarray of int of shape (n_samples, n_columns)
        Training rows.

    labels : ndarray of int of shape (n_samples,)
        Decisions; the most frequent is learnt against the others.

    hidden_neurons : int
        Size of the hidden layer.

    seed : int
        Of its initial weights.

    Returns
    -------
    net : MLPClassifier
        Fitted; takes codes divided by ``sizes - 1``.
    """
    net = MLPClassifier(
        (hidden_neurons,), solver="lbfgs", alpha=1e-3, max_iter=300, random_state=seed
    )
    target = labels == np.bincount(labels).argmax()
    with warnings.catch_warnings():
        # An unfinished surrogate is as good as another: its candidates are checked.
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(codes / np.maximum(space.sizes - 1, 1), target)
    net.coefs_ = [weights.round(DECIMALS) for weights in net.coefs_]
    net.intercepts_ = [biases.round(DECIMALS) for biases in net.intercepts_]
    return net


def leaf_bounds(space, tree):
    """The rows that reach each leaf of a tree.

    Parameters
    ----------
    space : Space
        The box.

    tree : DecisionTreeClassifier
        Fitted on codes.

    Returns
    -------
    low, high : ndarray of int of shape (n_leaves, n_columns)
        Smallest and largest codes, both included; leaves that no row of the box reaches
        are left out.

    labels : ndarray of int of shape (n_leaves,)
        Positions in ``tree.classes_``.
    """
    nodes = tree.tree_
    low = np.zeros((nodes.node_count, len(space.sizes)), dtype=np.int64)
    high = np.tile(space.sizes - 1, (nodes.node_count, 1))
    # Children have larger numbers than their parents.
    for node in np.flatnonzero(nodes.children_left >= 0):
        left, right = nodes.children_left[node], nodes.children_right[node]
        position = nodes.feature[node]
        # Codes are whole numbers, so a threshold may be rounded down.
        limit = int(np.floor(nodes.threshold[node]))
        for child in (left, right):
            low[child], high[child] = low[node], high[node]
        high[left, position] = min(high[node, position], limit)
        low[right, position] = max(low[node, position], limit + 1)
    leaves = (nodes.children_left < 0) & (low <= high).all(axis=1)
    return low[leaves], high[leaves], nodes.value[leaves, 0].argmax(axis=1)


def differing_cells(space, tree):
    """Where a tree decides a row and its twin differently.

    Parameters
    ----------
    space : Space
        The box.

    tree : DecisionTreeClassifier
        Fitted on codes.

    Returns
    -------
    low, high : ndarray of int of shape (n_cells, 2, n_columns)
        Smallest and largest codes of row and twin, both included; alike but for the
        sensitive columns. Either side of a pair is the row once.
    """
    low, high, labels = leaf_bounds(space, tree)
    # A leaf that takes all sensitive values takes the twins of its rows, too.
    looks = (low > 0) | (high < space.sizes - 1)
    looks = looks[:, space.sensitive].any(axis=1)
    low, high, labels = low[looks], high[looks], labels[looks]
    nothing = np.empty((0, 2, low.shape[1]), low.dtype)
    lows, highs = [nothing], [nothing]
    for leaf in range(len(labels) - 1):
        later = slice(leaf + 1, None)
        lower = np.maximum(low[leaf], low[later])
        upper = np.minimum(high[leaf], high[later])
        others = space.others
        meets = (lower[:, others] <= upper[:, others]).all(axis=1)
        kept = np.flatnonzero(meets & (labels[later] != labels[leaf]))
        cells = np.stack([lower[kept], upper[kept]])[:, :, None].repeat(2, axis=2)
        for end, bounds in enumerate((low, high)):
            cells[end][:, 0, space.sensitive] = bounds[leaf, space.sensitive]
            own = bounds[later][kept]
            cells[end][:, 1, space.sensitive] = own[:, space.sensitive]
        lows.append(cells[0])
        highs.append(cells[1])
    return np.concatenate(lows), np.concatenate(highs)


def _exhausted(space, low, high, tried) -> np.ndarray:
    """Whether each cell holds no row, sensitive columns aside, that was not tried."""
    low, high = low[:, space.others], high[:, space.others]
    volume = (high - low + 1).astype(float).prod(axis=1)
    inside, tried = np.zeros(len(low)), tried[:, space.others]
    small = np.flatnonzero(volume <= len(tried))
    n_parts = 1 + len(small) * tried.size // _CHUNK
    for part in np.array_split(small, n_parts):
        lower, upper = low[part][:, None], high[part][:, None]
        holds = ((lower <= tried) & (tried <= upper)).all(axis=2)
        inside[part] = holds.sum(axis=1)
    return inside >= volume


def _rows_within(low, high, n_samples, rng) -> np.ndarray:
    """Rows between bounds, in random order: all of them, or several for each wanted."""
    extent = high - low + 1
    if extent.astype(float).prod() <= _LISTED:
        return low + rng.permutation(all_combinations(extent))
    return rng.integers(low, high + 1, (_DRAWS * n_samples, len(low)))


def _neighbours(space, codes, rng) -> np.ndarray:
    """Rows that differ in one value of a column that may be changed."""
    parts = []
    for position in space.free:
        size = int(space.sizes[position])
        # The nearest values, or any of a column without order.
        steps = np.arange(1, size)
        if size - 1 > _VALUES:
            half = _VALUES // 2
            steps = np.r_[1 : half + 1, size - half : size]
            if not space.ordered[position]:
                steps = rng.choice(np.arange(1, size), _VALUES, replace=False)
        rows = codes.repeat(len(steps), axis=0)
        rows[:, position] += np.tile(steps, len(codes))
        rows[:, position] %= size
        parts.append(rows)
    rows = np.concatenate(parts)
    return rng.permutation(rows[space.valid(rows)])


def _in(space, rows, known) -> np.ndarray:
    """Whether each row is the same instance as one of others."""
    return np.isin(instance_keys(space, rows), instance_keys(space, known))


def new_rows(ledger, rows) -> np.ndarray:
    """Rows that were not tried, each once, and that keep the constraints.

    Parameters
    ----------
    ledger : Ledger
        Knows what was tried.

    rows : ndarray of int of shape (n_samples, n_columns)
        Any rows.

    Returns
    -------
    rows : ndarray of int of shape (n_new, n_columns)
        In their order.
    """
    keys = instance_keys(ledger.space, rows)
    _, first = np.unique(keys, return_index=True)
    first = np.sort(first)
    first = first[~ledger.known.contains(keys[first])]
    rows = rows[first]
    return rows[ledger.space.valid_combinations(rows).sum(axis=1) > 1]
