"""Multilayer perceptron for tables, with a piecewise-linear encoding of its inputs."""

from collections.abc import Sequence

from torch import Tensor, nn

from skfair_runner.modules._checks import check_dropout, check_sizes
from skfair_runner.modules.encoding import PiecewiseLinearEncoding


class TabularNet(nn.Module):
    """Multilayer perceptron, by default on piecewise-linearly encoded features.

    Its children, in order of execution: `encoding` (when `edges` are given), then
    `linear1`, `relu1`, `dropout1` (when `dropout` is positive), `linear2` and so on,
    and `output`. The neurons of a layer are the columns that `relu1`, `relu2`, ...
    return.

    Parameters
    ----------
    n_features : int
        Number of input columns.

    n_outputs : int, default=1
        Number of output columns: one logit for two classes, else one per class.

    hidden_layer_sizes : sequence of int, default=(128, 128)
        Number of neurons of each hidden layer. Empty: a linear model.

    dropout : float, default=0.1
        Probability, in [0, 1), that a neuron is silenced during training.

    edges : sequence of array-like of shape (n_edges,), default=None
        Bin edges of each column, as from `piecewise_linear_edges`. None: the columns
        enter as they are and should be standardised.

    Attributes
    ----------
    config : dict
        The constructor's arguments as JSON values.

    Raises
    ------
    ValueError
        If a size is not a positive integer, `dropout` lies outside [0, 1), or
        `edges` has not one entry per feature.

    See Also
    --------
    MLP : The plain network of the comparisons with published results.

    Notes
    -----
    A module equal to `net` is built by ``copy = TabularNet(**net.config)`` and
    ``copy.load_state_dict(net.state_dict())``; `config` survives a round trip through
    JSON unchanged.

    Examples
    --------
    >>> import torch
    >>> from skfair_runner.modules import TabularNet
    >>> net = TabularNet(2, hidden_layer_sizes=(8,), edges=[[0, 1, 2], [0, 1]])
    >>> [name for name, _ in net.named_children()]
    ['encoding', 'linear1', 'relu1', 'dropout1', 'output']
    >>> net(torch.zeros(5, 2)).shape
    torch.Size([5, 1])
    """

    n_features: int
    n_outputs: int
    hidden_layer_sizes: list[int]
    dropout: float
    __jit_unused_properties__ = ["config"]  # TorchScript would compile it

    def __init__(
        self,
        n_features: int,
        n_outputs: int = 1,
        *,
        hidden_layer_sizes: Sequence[int] = (128, 128),
        dropout: float = 0.1,
        edges: Sequence | None = None,
    ) -> None:
        super().__init__()
        sizes = {"n_features": n_features, "n_outputs": n_outputs}
        for i, size in enumerate(hidden_layer_sizes):
            sizes[f"hidden_layer_sizes[{i}]"] = size
        check_sizes(sizes)
        check_dropout(dropout)
        if edges is not None and len(edges) != n_features:
            raise ValueError(
                f"`edges` has one entry per feature; got {len(edges)} for "
                f"n_features={n_features}."
            )
        self.n_features = int(n_features)
        self.n_outputs = int(n_outputs)
        self.hidden_layer_sizes = [int(size) for size in hidden_layer_sizes]
        self.dropout = float(dropout)

        width = self.n_features
        if edges is not None:
            self.encoding = PiecewiseLinearEncoding(edges)
            width = self.encoding.n_outputs
        for i, size in enumerate(self.hidden_layer_sizes, start=1):
            self.add_module(f"linear{i}", nn.Linear(width, size))
            self.add_module(f"relu{i}", nn.ReLU())
            if self.dropout > 0:
                self.add_module(f"dropout{i}", nn.Dropout(self.dropout))
            width = size
        self.output = nn.Linear(width, self.n_outputs)

    @property
    def config(self) -> dict:
        """The constructor's arguments as JSON values; see the class's notes."""
        encoding = self._modules.get("encoding")
        return {
            "n_features": self.n_features,
            "n_outputs": self.n_outputs,
            "hidden_layer_sizes": list(self.hidden_layer_sizes),
            "dropout": self.dropout,
            "edges": None if encoding is None else encoding.edges,
        }

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of `x`.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Finite values.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            Two-dimensional even for a single output.
        """
        for layer in self.children():
            x = layer(x)
        return x


def MLP(
    n_features: int,
    n_outputs: int = 1,
    *,
    hidden_layer_sizes: Sequence[int] = (200, 200),
) -> TabularNet:
    """Plain multilayer perceptron: `TabularNet` without encoding and dropout.

    Parameters
    ----------
    n_features : int
        Number of input columns.

    n_outputs : int, default=1
        Number of output columns.

    hidden_layer_sizes : sequence of int, default=(200, 200)
        Number of neurons of each hidden layer.

    Returns
    -------
    net : TabularNet
        With `dropout` 0 and no `edges`.

    Examples
    --------
    >>> from skfair_runner.modules import MLP
    >>> [name for name, _ in MLP(10).named_children()]
    ['linear1', 'relu1', 'linear2', 'relu2', 'output']
    """
    return TabularNet(
        n_features, n_outputs, hidden_layer_sizes=hidden_layer_sizes, dropout=0.0
    )
