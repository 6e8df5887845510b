"""Importance and discrimination of every neuron, layer by layer."""

import numpy as np

from skfair_runner.plots._drawing import COLOURS, FAINT, GREY, columns_of, pyplot, tidy

_BLACK, _BEFORE, _AFTER = COLOURS[0], COLOURS[1], COLOURS[2]


class NeuronImportanceDisplay:
    """Bars of the neurons' importance, and their discrimination before and after.

    One column of panels per layer. Neurons are in the order of their importance, most
    important first; those that were held responsible are dark. Below, in the same
    order, the discrimination of each neuron, before and after the repair.

    Parameters
    ----------
    table : DataFrame
        One row per neuron, with the columns layer, neuron, importance, rank, selected,
        discrimination and perhaps discrimination_after.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (2, n_layers)
        Importance above, discrimination below, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around them.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.plots import NeuronImportanceDisplay
    >>> table = pd.DataFrame(
    ...     {
    ...         "layer": ["relu1", "relu1"],
    ...         "neuron": [0, 1],
    ...         "importance": [0.1, 0.7],
    ...         "rank": [2, 1],
    ...         "selected": [False, True],
    ...         "discrimination": [0.2, 0.9],
    ...     }
    ... )
    >>> display = NeuronImportanceDisplay.from_table(table).plot()
    >>> display.axes_.shape
    (2, 1)
    """

    def __init__(self, table):
        self.table = table

    @classmethod
    def from_table(cls, table):
        """Take the neurons from ``neuron_importance_`` or :func:`diagnose_neurons`.

        Parameters
        ----------
        table : DataFrame
            One row per neuron.

        Returns
        -------
        display : NeuronImportanceDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If the table lacks a column, or has no row.
        """
        caller = "NeuronImportanceDisplay.from_table"
        needed = [
            "layer",
            "neuron",
            "importance",
            "rank",
            "selected",
            "discrimination",
        ]
        columns_of(table, needed, caller)
        if table.empty:
            raise ValueError(f"{caller}: the table has {len(table)} neurons to draw.")
        return cls(table)

    def plot(self, ax=None):
        """Draw two panels for each layer.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Its place is divided among the panels; None makes a figure.

        Returns
        -------
        self : NeuronImportanceDisplay
            With ``axes_`` and ``figure_``.
        """
        layers = self.table["layer"].unique().tolist()
        if ax is None:
            size = (1.2 + 3.4 * len(layers), 4.8)
            figure = pyplot().figure(figsize=size, layout="constrained")
            grid = figure.add_gridspec(2, len(layers))
        else:
            figure = ax.figure
            grid = ax.get_subplotspec().subgridspec(2, len(layers))
            ax.set_axis_off()
        self.figure_ = figure
        self.axes_ = grid.subplots(sharex="col", squeeze=False)
        for column, layer in zip(self.axes_.T, layers, strict=True):
            part = self.table[self.table["layer"] == layer].sort_values("rank")
            self._draw_importance(column[0], part, layer)
            self._draw_discrimination(column[1], part)
        self.axes_[0, 0].set_ylabel("importance")
        self.axes_[1, 0].set_ylabel("discrimination")
        return self

    def _draw_importance(self, ax, part, layer):
        places = np.arange(1, len(part) + 1)
        selected = part["selected"].to_numpy(dtype=bool)
        for chosen, colour, edge, label in (
            (selected, _BLACK, _BLACK, "held responsible"),
            (~selected, FAINT, GREY, "others"),
        ):
            if chosen.any():
                ax.bar(
                    places[chosen],
                    part["importance"].to_numpy()[chosen],
                    width=0.85,
                    color=colour,
                    edgecolor=edge,
                    linewidth=0.4,
                    label=f"{label} ({chosen.sum()})",
                )
        ax.set_title(f"{layer}: {len(part)} neurons", fontsize=10)
        # Bars fall from left to right, so this corner is free.
        ax.legend(loc="upper right", frameon=False, fontsize=8)
        tidy(ax)

    def _draw_discrimination(self, ax, part):
        places = np.arange(1, len(part) + 1)
        before, after = part["discrimination"].to_numpy(), None
        if "discrimination_after" in part:
            after = part["discrimination_after"].to_numpy()
            ax.vlines(places, before, after, color=FAINT, linewidth=1.0, zorder=1)
        self._draw_dots(ax, places, before, "_", _BEFORE, "before")
        if after is not None:
            self._draw_dots(ax, places, after, "o", _AFTER, "after repair")
        ax.set_xlabel("neurons, most important first")
        ax.set_ylim(bottom=0)
        ax.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=2,
            columnspacing=1.0,
            handletextpad=0.2,
            borderpad=0,
            frameon=False,
            fontsize=8,
        )
        tidy(ax)

    @staticmethod
    def _draw_dots(ax, places, values, marker, colour, label):
        ax.plot(
            places,
            values,
            linestyle="none",
            marker=marker,
            markersize=5 if marker == "_" else 3,
            markeredgewidth=1.4 if marker == "_" else 0,
            color=colour,
            label=f"{label} (mean {values.mean():.3g})",
        )
