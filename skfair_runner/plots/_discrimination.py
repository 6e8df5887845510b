"""Discrimination of every neuron after the repair, against that before."""

import numpy as np
import pandas as pd

from skfair_runner.plots._drawing import (
    COLOURS,
    GREY,
    columns_of,
    layer_panels,
    layer_title,
    legend_below,
    tidy,
)
from skfair_runner.plots._reading import fitted_attribute


class DiscriminationDisplay:
    """Scatter of the neurons' discrimination after the repair against before.

    One panel per layer. Neurons below the diagonal emit more similar activations for
    the groups than before. Those that were held responsible are filled, the others
    hollow.

    Parameters
    ----------
    table : DataFrame
        One row per neuron, with the columns layer, selected, discrimination and
        discrimination_after.

    summary : DataFrame
        One row per layer and selected, with the columns n, before, after, the mean
        discriminations, and fell, the number of neurons whose discrimination is
        smaller after.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (n_layers,)
        The panels, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around them.

    See Also
    --------
    NeuronImportanceDisplay : The same neurons in the order of their importance.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.plots import DiscriminationDisplay
    >>> table = pd.DataFrame(
    ...     {
    ...         "layer": ["relu1", "relu1", "relu1"],
    ...         "selected": [True, True, False],
    ...         "discrimination": [0.9, 0.5, 0.1],
    ...         "discrimination_after": [0.3, 0.3, 0.2],
    ...     }
    ... )
    >>> display = DiscriminationDisplay.from_table(table)
    >>> display.summary.loc[("relu1", True), ["n", "fell"]].to_dict()
    {'n': 2, 'fell': 2}
    """

    def __init__(self, table, *, summary):
        self.table = table
        self.summary = summary

    @classmethod
    def from_estimator(cls, estimator):
        """Take the neurons of a fitted classifier.

        Parameters
        ----------
        estimator : RunnerFairClassifier, RunnerFrontier, Pipeline or search
            Fitted with a constraint.

        Returns
        -------
        display : DiscriminationDisplay
            Not yet drawn.
        """
        caller = f"{cls.__name__}.from_estimator"
        return cls.from_table(fitted_attribute(estimator, "neuron_importance_", caller))

    @classmethod
    def from_table(cls, table):
        """Take the neurons from ``neuron_importance_`` or a repair's ``neurons``.

        Parameters
        ----------
        table : DataFrame
            One row per neuron.

        Returns
        -------
        display : DiscriminationDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If the table lacks a column, as that of a diagnosis without repair does, or
            has no row.
        """
        caller = f"{cls.__name__}.from_table"
        needed = ["layer", "selected", "discrimination", "discrimination_after"]
        columns_of(table, needed, caller)
        if table.empty:
            raise ValueError(f"{caller}: the table has {len(table)} neurons to draw.")
        by = [table["layer"], table["selected"].astype(bool)]
        before, after = table["discrimination"], table["discrimination_after"]
        summary = pd.DataFrame(
            {"n": 1, "before": before, "after": after, "fell": (after < before)}
        )
        how = {"n": "sum", "before": "mean", "after": "mean", "fell": "sum"}
        return cls(table, summary=summary.groupby(by, sort=False).agg(how))

    def plot(self, ax=None):
        """Draw one panel for each layer.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Its place is divided among the panels; None makes a figure.

        Returns
        -------
        self : DiscriminationDisplay
            With ``axes_`` and ``figure_``.
        """
        layers = self.table["layer"].unique().tolist()
        self.axes_ = layer_panels(ax, len(layers), (3.2, 3.7))[0]
        self.figure_ = self.axes_[0].figure
        for panel, layer in zip(self.axes_, layers, strict=True):
            self._draw_layer(panel, layer)
            panel.set_xlabel("discrimination before")
            if panel.get_subplotspec().is_first_col():
                panel.set_ylabel("discrimination after")
        return self

    def _draw_layer(self, ax, layer):
        part = self.table[self.table["layer"] == layer]
        selected = part["selected"].to_numpy(dtype=bool)
        before = part["discrimination"].to_numpy()
        after = part["discrimination_after"].to_numpy()
        top = 1.06 * np.nanmax([before, after]) or 1.0
        ax.plot([0, top], [0, top], color=GREY, linewidth=1, zorder=1)
        # Filled ones last, so that they are not covered.
        for chosen, marker, colour, fill in (
            (~selected, "s", COLOURS[2], "none"),
            (selected, "o", COLOURS[0], COLOURS[0]),
        ):
            ax.plot(
                before[chosen],
                after[chosen],
                linestyle="none",
                marker=marker,
                markersize=4,
                markeredgewidth=0.9,
                markeredgecolor=colour,
                markerfacecolor=fill,
                alpha=0.85,
                label=self._label(layer, bool(fill != "none")),
            )
        ax.annotate(
            "unchanged",
            (0.92 * top, 0.92 * top),
            xytext=(-3, 3),
            textcoords="offset points",
            ha="right",
            va="bottom",
            rotation=45,
            rotation_mode="anchor",
            fontsize=8,
            color="#595959",
        )
        ax.set(xlim=(-0.02 * top, top), ylim=(-0.02 * top, top), aspect="equal")
        ax.set_title(layer_title(layer, len(part)), fontsize=10)
        tidy(ax)
        legend_below(ax, handletextpad=0.3, reverse=True)

    def _label(self, layer, selected):
        """Line of the legend: how many fell, and the means."""
        name = "held responsible" if selected else "others"
        if (layer, selected) not in self.summary.index:
            return f"{name}: none"
        row = self.summary.loc[(layer, selected)]
        return (
            f"{name}: {int(row['fell'])} of {int(row['n'])} fell,\n"
            f"mean {row['before']:.3g} → {row['after']:.3g}"
        )
