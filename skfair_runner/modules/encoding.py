"""Piecewise-linear encoding of numerical features, and the bin edges that it needs.

The encoding follows Gorishniy, Rubachev and Babenko [1]_. Its edges are quantiles of
the training data: computed once, then part of the module like its other fixed numbers.

References
----------
.. [1] Y. Gorishniy, I. Rubachev and A. Babenko (2022). On Embeddings for Numerical
   Features in Tabular Deep Learning. NeurIPS 35, section 3.2.
"""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

# The first layer is as wide as the encoding; beyond this it outweighs the network.
_MAX_OUTPUTS = 8192


def piecewise_linear_edges(X, *, n_bins="auto", sample_weight=None):
    """Bin edges of the piecewise-linear encoding of each column.

    A column with at most `n_bins` + 1 distinct values has them as its edges, so a
    column of zeros and ones is encoded as itself. Other columns are cut at
    quantiles. A value that holds more than its share of a column, say the zero of a
    column that is mostly zero, becomes one edge, and the remaining edges are
    quantiles of the other values.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
        Finite numbers, read as float32, the precision of the module. Columns are
        handled one at a time; a sparse X is never made dense.

    n_bins : int or "auto", default="auto"
        Largest number of bins of a column. "auto" is 48 from 15,000 rows (or a total
        weight of 15,000) and 16 below. Where all columns together would need more
        than 8192 bins, the widest columns get fewer, down to one bin each.

    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights. A weight of two is a row given twice and a weight of
        zero a row left out, exactly.

    Returns
    -------
    edges : list of ndarray of shape (n_edges,)
        Strictly increasing float32 values of the column, one array per column. From
        the smallest to the largest value, hence empty for a constant column.

    Raises
    ------
    ValueError
        If `n_bins` is neither "auto" nor a positive integer, if X has no rows or
        contains NaN or values beyond float32, or if `sample_weight` has the wrong
        shape, a negative or non-finite value, or no positive one.

    See Also
    --------
    PiecewiseLinearEncoding : The layer that applies these edges.

    Examples
    --------
    >>> import numpy as np
    >>> from skfair_runner.modules import piecewise_linear_edges
    >>> X = np.column_stack([np.arange(100), np.arange(100) % 2, np.ones(100)])
    >>> piecewise_linear_edges(X, n_bins=4)
    [array([ 0., 24., 49., 74., 99.], dtype=float32), array([0., 1.], dtype=float32), \
array([], dtype=float32)]
    """
    if n_bins != "auto" and not (isinstance(n_bins, Integral) and n_bins >= 1):
        raise ValueError(
            f"`n_bins` is 'auto' or an integer of at least 1; got {n_bins!r}."
        )
    if X.shape[0] == 0:
        raise ValueError(
            "The bin edges are quantiles of the rows of X, so at least one row is "
            f"needed; X has shape {X.shape}."
        )
    weights = rows = None
    n_samples = X.shape[0]
    if sample_weight is not None:
        weights = _checked_weights(sample_weight, X.shape[0])
        n_samples = weights.sum()
        if not weights.all():
            rows = np.flatnonzero(weights)
            weights = weights[rows]
    if n_bins == "auto":
        n_bins = 48 if n_samples >= 15_000 else 16
    if sparse.issparse(X):
        X, rows = _canonical_csc(X, rows), None

    edges = [_column_edges(X, j, rows, weights, n_bins) for j in range(X.shape[1])]
    n_outputs = np.array([max(len(e) - 1, 0) for e in edges])
    if n_outputs.sum() > _MAX_OUTPUTS:
        fewer = range(n_bins, 0, -1)
        fits = (b for b in fewer if np.minimum(n_outputs, b).sum() <= _MAX_OUTPUTS)
        n_bins = next(fits, 1)
        for j in np.flatnonzero(n_outputs > n_bins):
            edges[j] = _column_edges(X, j, rows, weights, n_bins)
    return edges


def _checked_weights(sample_weight, n_samples):
    """Return the weights as float64, one non-negative number per row."""
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n_samples,):
        raise ValueError(
            f"`sample_weight` holds one weight per row of X, shape ({n_samples},); "
            f"got shape {weights.shape}."
        )
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if wrong.size:
        raise ValueError(
            "`sample_weight` must be finite and non-negative; row "
            f"{wrong[0]} has {weights[wrong[0]]}."
        )
    if not weights.any():
        raise ValueError(
            "`sample_weight` is zero for all "
            f"{n_samples} rows; at least one row needs a positive weight."
        )
    return weights


def _canonical_csc(X, rows):
    """Return the given rows (None: all) of a sparse X, by columns, each cell once."""
    columns = X.tocsc()
    if rows is not None:
        columns = columns[rows]
    if not columns.has_canonical_format:
        columns = columns.copy()
        columns.sum_duplicates()
    return columns


def _column_edges(X, j, rows, weights, n_bins):
    """Edges of column `j` over the given rows (None: all), whose weights these are."""
    values, masses = _distribution(X, j, rows, weights)
    if not (np.isfinite(values[0]) and np.isfinite(values[-1])):
        raise ValueError(
            "Bin edges need finite float32 values; column "
            f"{j} of X contains NaN, infinity or a value beyond 3.4e38. Impute or "
            "rescale it first."
        )
    if len(values) == 1:
        return values[:0]
    n_edges = n_bins + 1
    if len(values) <= n_edges:
        return values
    kept = []
    # A value heavier than a bin would be several quantiles at once. What is left has
    # no such value, so its quantiles are distinct.
    while (heavy := masses * (n_edges - 1) > masses.sum()).any():
        kept.append(values[heavy])
        n_edges = max(n_edges - len(kept[-1]), 2)
        values, masses = values[~heavy], masses[~heavy]
    cumulated = np.cumsum(masses)
    # Inverted CDF, multiplied out so that whole-number weights stay exact.
    positions = np.searchsorted(
        cumulated * (n_edges - 1), np.arange(n_edges) * cumulated[-1]
    )
    positions[-1] = len(values) - 1  # also where rounding hides the last weights
    return np.unique(np.concatenate([*kept, values[positions]]))


def _distribution(X, j, rows, weights):
    """Distinct values of column `j`, increasing, as float32, and their weights."""
    if sparse.issparse(X):
        column, weights = _stored_and_zero(X, j, weights)
    else:
        column = X[:, j] if rows is None else X[rows, j]
    with np.errstate(over="ignore"):
        column = np.array(column, dtype=np.float32)
    if weights is None:
        column.sort()
    else:
        order = np.argsort(column)
        column, weights = column[order], weights[order]
    starts = np.flatnonzero(column[1:] != column[:-1]) + 1
    starts = np.concatenate([[0], starts])
    if weights is None:
        masses = np.diff(starts, append=len(column)).astype(np.float64)
    else:
        masses = np.add.reduceat(weights, starts)
    return column[starts], masses


def _stored_and_zero(X, j, weights):
    """Stored values of a CSC column and a zero for all other cells, with weights."""
    stored = slice(X.indptr[j], X.indptr[j + 1])
    column = X.data[stored]
    n_absent = X.shape[0] - len(column)
    if weights is None:
        column_weights, absent = np.ones(len(column)), float(n_absent)
    else:
        column_weights = weights[X.indices[stored]]
        # Rounding must not turn the weight of rows that are there into nothing.
        absent = max(weights.sum() - column_weights.sum(), weights.min())
    if n_absent == 0:
        return column, column_weights
    return np.append(column, 0), np.append(column_weights, absent)


class PiecewiseLinearEncoding(nn.Module):
    r"""Encode each feature by how far its value reaches into each of its bins.

    Output :math:`t` of a feature with edges :math:`e_0 < e_1 < \dots` is

    .. math:: \min(\max((x - e_t) / (e_{t+1} - e_t), 0), 1)

    so bins below the value are one and bins above it zero. The outputs of all
    features lie side by side. Features with fewer than two edges are left out; if no
    feature is left, the output is a single column of zeros, so that a linear layer
    can follow in any case.

    Parameters
    ----------
    edges : sequence of array-like of shape (n_edges,)
        Strictly increasing edges of each feature, as from `piecewise_linear_edges`.

    Attributes
    ----------
    low, high : Tensor of shape (n_bins,)
        Lower and upper edge of each bin; buffers, saved with the `state_dict`.

    feature : LongTensor of shape (n_bins,)
        Column that each bin belongs to; a buffer.

    n_features : int
        Number of input columns.

    n_bins : int
        Number of bins of all features together.

    n_outputs : int
        Number of output columns: `n_bins`, but at least one.

    Raises
    ------
    ValueError
        If `edges` is empty, or the edges of a feature are not strictly increasing
        in float32 or lie further apart than float32 can hold.

    Examples
    --------
    >>> import torch
    >>> from skfair_runner.modules import PiecewiseLinearEncoding
    >>> encoding = PiecewiseLinearEncoding([[0.0, 10.0, 20.0], [0.0, 1.0]])
    >>> encoding(torch.tensor([[15.0, 1.0], [-3.0, 0.0]]))
    tensor([[1.0000, 0.5000, 1.0000],
            [0.0000, 0.0000, 0.0000]])
    """

    low: Tensor
    high: Tensor
    feature: Tensor
    __jit_unused_properties__ = ["edges"]  # TorchScript would compile it

    def __init__(self, edges: Sequence) -> None:
        super().__init__()
        if len(edges) == 0:
            raise ValueError("`edges` has one entry per feature; got none.")
        columns = [np.asarray(e, dtype=np.float32) for e in edges]
        for j, column in enumerate(columns):
            with np.errstate(over="ignore"):
                widths = np.diff(column)
            if not (np.isfinite(widths).all() and (widths > 0).all()):
                raise ValueError(
                    f"The edges of feature {j} must be strictly increasing float32 "
                    f"values, less than 3.4e38 apart; got {column.tolist()}."
                )
        sizes = [max(len(column) - 1, 0) for column in columns]
        low = np.concatenate([column[:-1] for column in columns])
        high = np.concatenate([column[1:] for column in columns])
        feature = np.repeat(np.arange(len(columns)), sizes)
        self.n_features = len(columns)
        self.n_bins = len(low)
        self.n_outputs = max(self.n_bins, 1)
        self.register_buffer("low", torch.from_numpy(low))
        self.register_buffer("high", torch.from_numpy(high))
        self.register_buffer("feature", torch.from_numpy(feature))

    @property
    def edges(self) -> list[list[float]]:
        """Edges of each feature, read from the buffers; empty if it has no bin."""
        result: list[list[float]] = [[] for _ in range(self.n_features)]
        bins = zip(
            self.feature.tolist(), self.low.tolist(), self.high.tolist(), strict=True
        )
        for feature, low, high in bins:
            result[feature] = [*(result[feature] or [low]), high]
        return result

    def forward(self, x: Tensor) -> Tensor:
        """Return the encoding of `x`.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Finite values; those outside the edges count as the nearest edge.

        Returns
        -------
        encoded : Tensor of shape (n_samples, n_outputs)
            In [0, 1].
        """
        if self.n_bins == 0:
            return x.new_zeros((x.shape[0], 1))
        # A quotient, not a product with an inverse: the upper edge is encoded as
        # exactly one, and a subnormal width has no float32 inverse. In place, because
        # the encoding is many times as large as x.
        reach = x.to(self.low.dtype).index_select(1, self.feature).sub_(self.low)
        return reach.div_(self.high - self.low).clamp_(0.0, 1.0)

    def extra_repr(self) -> str:
        """Sizes shown by `print`."""
        return f"n_features={self.n_features}, n_outputs={self.n_outputs}"
