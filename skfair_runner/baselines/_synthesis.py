"""New rows out of the neighbours within a cell (Fair-SMOTE; Chakraborty et al., 2021).

A new row starts from a parent and two of its nearest neighbours. A number moves by a
fraction of the difference between the two, as in differential evolution; a yes-or-no or
a category is taken from one of the three.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import MinMaxScaler

from skfair_runner.preprocessing import make_table_preprocessor


@dataclass(frozen=True)
class Families:
    """Rows that each new row is made of, as positions.

    Attributes
    ----------
    parents, first, second : ndarray of shape (n_new,), dtype int64
        The parent, and two neighbours of it; the same one twice where the cell holds no
        third row, and the parent itself where it holds no second.
    """

    parents: np.ndarray
    first: np.ndarray
    second: np.ndarray


class Encoder:
    """Numbers in [0, 1] and one-hot categories, for distances and regressions.

    Missing numbers are the median, with a column that tells; a missing category is one
    of its own.

    Attributes
    ----------
    numbers : list of int
        Positions of the columns that hold numbers.
    """

    def fit(self, X):
        """Learn ranges and categories from a table."""
        self._prepare = make_table_preprocessor(sparse_output=False)
        encoded = self._prepare.fit_transform(X)
        self._scale = MinMaxScaler(clip=True).fit(_dense(encoded))
        chosen = {name: columns for name, _, columns in self._prepare.transformers_}
        self.numbers = list(chosen["numbers"])
        return self

    def transform(self, X):
        """Encode rows, (n_samples, n_encoded), float32."""
        if X.shape[0] == 0:  # which scikit-learn refuses
            return np.empty((0, self._scale.n_features_in_), dtype=np.float32)
        return self._scale.transform(_dense(self._prepare.transform(X)))


def _dense(X):
    return X.toarray() if sparse.issparse(X) else X


def find_families(encoded, cells, n_new, n_neighbors, random_state):
    """Draw parents in each cell, and two of the nearest neighbours of each.

    Parameters
    ----------
    encoded : ndarray of shape (n_samples, n_encoded)
        Where the samples are.

    cells : ndarray of shape (n_samples,), dtype int64
        Cell of each sample.

    n_new : ndarray of shape (n_cells,)
        Parents to draw in each cell, with replacement.

    n_neighbors : int
        The two are drawn among so many of the nearest rows in the cell.

    random_state : RandomState
        Draws.

    Returns
    -------
    families : Families
        Cell after cell.
    """
    found = []
    for cell in np.flatnonzero(n_new):
        members = np.flatnonzero(cells == cell)
        drawn = random_state.randint(len(members), size=n_new[cell])
        pair = _two_neighbours(encoded[members], drawn, n_neighbors, random_state)
        found.append(members[np.column_stack([drawn, pair])])
    rows = np.concatenate(found) if found else np.empty((0, 3), dtype=np.int64)
    return Families(*rows.T)


def _two_neighbours(points, drawn, n_neighbors, random_state):
    """Two of the nearest neighbours of each of the drawn points, (n_drawn, 2)."""
    n_neighbors = min(n_neighbors, len(points) - 1)
    if n_neighbors == 0:
        return np.column_stack([drawn, drawn])
    asked, position = np.unique(drawn, return_inverse=True)
    index = NearestNeighbors(n_neighbors=n_neighbors + 1).fit(points)
    near = index.kneighbors(points[asked], return_distance=False)
    # Among equal rows a point need not be the first of its own neighbours.
    itself = near == asked[:, None]
    itself[~itself.any(axis=1), -1] = True
    near = near[~itself].reshape(len(asked), n_neighbors)[position]
    if n_neighbors == 1:
        return np.repeat(near, 2, axis=1)
    order = random_state.uniform(size=near.shape).argsort(axis=1)[:, :2]
    return np.take_along_axis(near, order, axis=1)


def make_rows(X, families, numbers, *, mutation, crossover, random_state):
    r"""Rows of mixed type out of parents and neighbours.

    A number is :math:`p + f\,(c_1 - c_2)`, :math:`f` the mutation, with the probability
    `crossover`, else that of the parent; it stays within the range of its column, and
    whole where all of its column are. Categories, and numbers of no more than two
    values, are those of one of the three rows.

    Parameters
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The rows that there are.

    families : Families
        What each new row is made of.

    numbers : list of int
        Positions of the columns that hold numbers.

    mutation, crossover : float
        In [0, 1].

    random_state : RandomState
        Draws.

    Returns
    -------
    X_new : {ndarray, CSR matrix, DataFrame} of shape (n_new, n_features)
        In the container of X, with its types. Where the parent lacks a number, so does
        the new row; where a neighbour lacks it, the parent's is taken.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"age": [30, 40, 36], "job": ["nurse", "clerk", "clerk"]})
    >>> families = Families(np.array([0]), np.array([1]), np.array([2]))
    >>> make_rows(
    ...     people,
    ...     families,
    ...     [0],
    ...     mutation=0.8,
    ...     crossover=1.0,
    ...     random_state=np.random.RandomState(0),
    ... )
       age    job
    0   33  clerk
    """
    table = pd.DataFrame(X.toarray() if sparse.issparse(X) else X)
    three = np.stack([families.parents, families.first, families.second])
    n_new, numbers = three.shape[1], set(numbers)
    made = []
    for k in range(table.shape[1]):
        column = table.iloc[:, k]
        values = None
        if k in numbers:
            values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        if values is None or _has_two_values(values):
            chosen = random_state.randint(3, size=n_new)
            column = column.take(three[chosen, np.arange(n_new)])
        else:
            moves = random_state.uniform(size=n_new) < crossover
            moved = _move(values, three, np.where(moves, mutation, 0.0))
            column = pd.Series(moved).astype(column.dtype)
        made.append(column.reset_index(drop=True))
    return _in_container_of(X, made)


def _has_two_values(values):
    """Tell whether a number is a yes-or-no, missing values aside."""
    present = values[~np.isnan(values)]
    return len(present) == 0 or np.isin(present, [present.min(), present.max()]).all()


def _move(values, three, steps):
    """Parents moved by a fraction of the difference of their neighbours."""
    parents, first, second = values[three]
    moved = parents + steps * (first - second)
    moved = np.where(np.isnan(moved), parents, moved)
    present = values[~np.isnan(values)]
    if (present == np.round(present)).all():
        moved = np.round(moved)
    return np.clip(moved, present.min(), present.max())


def _in_container_of(X, columns):
    """Table of new columns, of the type that X has."""
    table = pd.concat(columns, axis=1)
    if isinstance(X, pd.DataFrame):
        return table.set_axis(X.columns, axis=1)
    values = table.to_numpy(dtype=X.dtype)
    return sparse.csr_matrix(values) if sparse.issparse(X) else values


def stack_rows(X, X_new):
    """All rows of two tables of one kind, those of a DataFrame numbered anew."""
    if isinstance(X, pd.DataFrame):
        return pd.concat([X, X_new], ignore_index=True)
    if sparse.issparse(X):
        return sparse.vstack([X, X_new], format="csr")
    return np.concatenate([X, X_new])
