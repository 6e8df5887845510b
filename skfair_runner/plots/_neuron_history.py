"""Which neurons were held responsible, epoch by epoch, as a heat map per layer."""

import numpy as np
import pandas as pd

from skfair_runner.plots._drawing import (
    COLOURS,
    FAINT,
    GREY,
    columns_of,
    layer_panels,
    layer_title,
    legend_below,
)
from skfair_runner.plots._reading import fitted_attribute

_FEW = 25  # rows and columns whose cells are parted by lines and named
_MOST_TICKS = 6


class NeuronHistoryDisplay:
    """Heat map of the neurons that were held responsible, over the epochs of a repair.

    One panel per layer, one row per neuron, those that were selected most often on top.
    A dark cell is a neuron that belonged to the selection of the last diagnosis in that
    epoch. Long bars are neurons that the gap went through all along; scattered cells
    are neurons whose place in the order changed.

    Parameters
    ----------
    selected : dict of str to DataFrame of shape (n_neurons, n_epochs)
        For each layer, whether a neuron was selected. The index holds the neurons, the
        columns the epochs.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (n_layers,)
        The panels, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around them.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.plots import NeuronHistoryDisplay
    >>> history = pd.DataFrame(
    ...     {
    ...         "epoch": [1, 2, 3],
    ...         "selected": [None, {"relu1": [2, 0]}, {"relu1": [2, 1]}],
    ...     }
    ... )
    >>> display = NeuronHistoryDisplay.from_history(history)
    >>> display.selected["relu1"]
    epoch      2      3
    neuron
    0       True  False
    1      False   True
    2       True   True
    """

    def __init__(self, selected):
        self.selected = selected

    @classmethod
    def from_estimator(cls, estimator):
        """Take the epochs of a fitted classifier.

        Parameters
        ----------
        estimator : RunnerFairClassifier, RunnerFrontier, Pipeline or search
            Fitted with a constraint.

        Returns
        -------
        display : NeuronHistoryDisplay
            Not yet drawn.
        """
        caller = f"{cls.__name__}.from_estimator"
        table = fitted_attribute(estimator, "neuron_importance_", caller)
        history = fitted_attribute(estimator, "history_", caller)
        return cls.from_history(
            history, n_neurons=table.groupby("layer").size().to_dict()
        )

    @classmethod
    def from_history(cls, history, *, n_neurons=None):
        """Take the epochs from ``history_`` of a fitted classifier.

        Parameters
        ----------
        history : DataFrame
            One row per epoch, with the columns epoch and selected: neurons by layer, or
            missing where nothing was diagnosed.

        n_neurons : dict of str to int or None, default=None
            Neurons of each layer. None knows only those that were selected once.

        Returns
        -------
        display : NeuronHistoryDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If a column is absent, no epoch has a diagnosis, or a neuron is not among
            `n_neurons`.
        """
        caller = f"{cls.__name__}.from_history"
        columns_of(history, ["epoch", "selected"], caller)
        known = [isinstance(entry, dict) for entry in history["selected"]]
        entries = history["selected"][known].tolist()
        if not entries:
            raise ValueError(
                f"{caller}: none of the {len(history)} epochs says which neurons were "
                "selected. Draw a training with a constraint and epochs of repair."
            )
        epochs = pd.Index(history["epoch"][known], name="epoch")
        layers = dict.fromkeys(name for entry in entries for name in entry)
        selected = {}
        for layer in layers:
            chosen = [list(entry.get(layer, ())) for entry in entries]
            present = {neuron for neurons in chosen for neuron in neurons}
            neurons = sorted(present)
            if n_neurons is not None:
                neurons = range(n_neurons.get(layer, 0))
                unknown = sorted(present - set(neurons))
                if unknown:
                    raise ValueError(
                        f"{caller}: neuron {unknown[0]} of layer {layer!r} was "
                        f"selected, but n_neurons says {n_neurons}."
                    )
            cells = {
                epoch: np.isin(neurons, each)
                for epoch, each in zip(epochs, chosen, strict=True)
            }
            index = pd.Index(neurons, name="neuron")
            selected[layer] = pd.DataFrame(cells, index=index).rename_axis(
                columns="epoch"
            )
        return cls(selected)

    def plot(self, ax=None):
        """Draw one panel for each layer.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Its place is divided among the panels; None makes a figure.

        Returns
        -------
        self : NeuronHistoryDisplay
            With ``axes_`` and ``figure_``.
        """
        self.axes_ = layer_panels(ax, len(self.selected), (3.2, 4.4))[0]
        self.figure_ = self.axes_[0].figure
        for panel, (layer, table) in zip(
            self.axes_, self.selected.items(), strict=True
        ):
            self._draw_layer(panel, layer, table)
            panel.set_xlabel("epoch")
            if panel.get_subplotspec().is_first_col():
                panel.set_ylabel("neurons, most often held responsible first")
        self._draw_legend(self.axes_[0])
        return self

    @staticmethod
    def _draw_layer(ax, layer, table):
        from matplotlib.colors import ListedColormap

        table = _sorted(table)
        n_neurons, n_epochs = table.shape
        ax.imshow(
            table.to_numpy(),
            cmap=ListedColormap(["white", COLOURS[2]]),
            vmin=0,
            vmax=1,
            aspect="auto",
            interpolation="nearest",
        )
        rows, columns = np.arange(n_neurons), np.arange(n_epochs)
        if n_neurons <= _FEW:
            ax.hlines(rows[1:] - 0.5, -0.5, n_epochs - 0.5, FAINT, linewidth=0.6)
            ax.set_yticks(rows, [f"#{name}" for name in table.index])
            ax.tick_params(axis="y", labelsize=7, length=0)
        if n_epochs <= _FEW:
            ax.vlines(columns[1:] - 0.5, -0.5, n_neurons - 0.5, FAINT, linewidth=0.6)
        places = columns[:: -(-n_epochs // _MOST_TICKS)]
        ax.set_xticks(places, [str(epoch) for epoch in table.columns[places]])
        always, never = table.all(axis=1).sum(), (~table).all(axis=1).sum()
        ax.set_title(
            layer_title(layer, n_neurons)
            + f"\n{always} in every epoch, {never} in none",
            fontsize=10,
        )

    @staticmethod
    def _draw_legend(ax):
        from matplotlib.patches import Patch

        patches = [
            Patch(facecolor=COLOURS[2], edgecolor=GREY, label="held responsible"),
            Patch(facecolor="white", edgecolor=GREY, label="not"),
        ]
        legend_below(ax, handles=patches, ncols=2)


def _sorted(table):
    """Rows by how often a neuron was selected, then by when it was first."""
    order = np.lexsort((table.to_numpy().argmax(axis=1), -table.sum(axis=1)))
    return table.iloc[order]
