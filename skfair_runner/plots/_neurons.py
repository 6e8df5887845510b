"""Importance and discrimination of every neuron, layer by layer."""

import numpy as np

from skfair_runner.plots._drawing import (
    COLOURS,
    FAINT,
    GREY,
    columns_of,
    layer_panels,
    layer_title,
    tidy,
)
from skfair_runner.plots._reading import fitted_attribute

_BLACK, _BEFORE, _AFTER = COLOURS[0], COLOURS[1], COLOURS[2]
_TABLE = "neuron_importance_"
_MANY = 100  # neurons whose dots must be small


class NeuronImportanceDisplay:
    """Bars of the neurons' importance, and their discrimination before and after.

    Two panels per layer. Neurons are in the order of their importance, most
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
    def from_estimator(cls, estimator):
        """Take the neurons of a fitted classifier.

        Parameters
        ----------
        estimator : RunnerFairClassifier, RunnerFrontier, Pipeline or search
            Fitted with a constraint.

        Returns
        -------
        display : NeuronImportanceDisplay
            Not yet drawn.
        """
        caller = f"{cls.__name__}.from_estimator"
        return cls.from_table(fitted_attribute(estimator, _TABLE, caller))

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
        self.axes_ = layer_panels(ax, len(layers), (3.4, 4.4), n_rows=2)
        self.figure_ = self.axes_[0, 0].figure
        for (upper, lower), layer in zip(self.axes_.T, layers, strict=True):
            part = self.table[self.table["layer"] == layer].sort_values("rank")
            self._draw_importance(upper, part, layer)
            self._draw_discrimination(lower, part)
            lower.sharex(upper)
            upper.tick_params(labelbottom=False)
            if upper.get_subplotspec().is_first_col():
                upper.set_ylabel("importance for the gap")
                lower.set_ylabel("discrimination: distance\nbetween the groups")
        return self

    def _draw_importance(self, ax, part, layer):
        from matplotlib.patches import Patch

        places = np.arange(1, len(part) + 1)
        selected = part["selected"].to_numpy(dtype=bool)
        kinds = []
        for chosen, colour, edge, name in (
            (selected, _BLACK, _BLACK, "held responsible"),
            (~selected, FAINT, GREY, "others"),
        ):
            look = {"facecolor": colour, "edgecolor": edge, "linewidth": 0.4}
            look["label"] = f"{name} ({chosen.sum()})"
            kinds.append(Patch(**look))
            if chosen.any():
                heights = part["importance"].to_numpy()[chosen]
                ax.bar(places[chosen], heights, width=0.85, **look)
        ax.set_title(layer_title(layer, len(part)), fontsize=10)
        # Bars fall from left to right, so this corner is free.
        ax.legend(handles=kinds, loc="upper right", frameon=False, fontsize=8)
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
        ax.xaxis.get_major_locator().set_params(integer=True)
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
        size = 5 if marker == "_" else 4
        ax.plot(
            places,
            values,
            linestyle="none",
            marker=marker,
            markersize=0.6 * size if len(places) > _MANY else size,
            markeredgewidth=1.4 if marker == "_" else 0,
            color=colour,
            label=f"{label} (mean {values.mean():.3g})",
        )
