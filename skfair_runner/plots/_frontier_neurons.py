"""What each neuron does along a front, as a heat map per layer."""

import numpy as np

from skfair_runner.plots._drawing import COLOURS, columns_of, layer_panels, layer_title

_MEASURES = {
    "discrimination": "discrimination: distance between the groups",
    "importance": "importance for the gap",
}
_GAMMA = {"discrimination": 1.0, "importance": 0.5}
_SHOWN = 0.995  # share of the values that the shades tell apart
_MOST_TICKS = 6
_FEW = 25  # neurons that are named


class FrontierNeuronsDisplay:
    """Heat map of the neurons' discrimination or importance over the weights.

    One panel per layer, one row per neuron, those with the largest values, on the mean
    over the front, on top; the repair grows from left to right. Light is little. Rows
    that stay dark are neurons that tell the groups apart whatever the repair. The
    leftmost column is the biased model, which was trained for fewer epochs.

    Parameters
    ----------
    neurons : DataFrame
        One row per neuron and point, with the columns weight, layer, neuron and the
        measure; as ``neurons_`` of :class:`~skfair_runner.RunnerFrontier`.

    measure : {"discrimination", "importance"}, default="discrimination"
        What is drawn. Importance is heavy-tailed: its shades follow its root.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (n_layers,)
        The panels, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around them.

    tables_ : dict of str to DataFrame of shape (n_neurons, n_points)
        What the panels show, in their order.

    Raises
    ------
    ValueError
        If a column is absent, or the measure is another one.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.plots import FrontierNeuronsDisplay
    >>> neurons = pd.DataFrame(
    ...     {
    ...         "weight": [0.0, 0.0, 1.0, 1.0],
    ...         "layer": "relu1",
    ...         "neuron": [0, 1, 0, 1],
    ...         "discrimination": [0.1, 0.9, 0.1, 0.2],
    ...     }
    ... )
    >>> FrontierNeuronsDisplay(neurons).plot().tables_["relu1"]
    weight  0.0  1.0
    neuron
    1       0.9  0.2
    0       0.1  0.1
    """

    def __init__(self, neurons, *, measure="discrimination"):
        if measure not in _MEASURES:
            raise ValueError(
                f"{type(self).__name__}: measure must be one of {list(_MEASURES)}, got "
                f"{measure!r}."
            )
        columns_of(neurons, ["weight", "layer", "neuron", measure], type(self).__name__)
        self.neurons = neurons
        self.measure = measure

    def plot(self, ax=None):
        """Draw one panel for each layer.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Its place is divided among the panels; None makes a figure.

        Returns
        -------
        self : FrontierNeuronsDisplay
            With ``axes_``, ``figure_`` and ``tables_``.
        """
        layers = self.neurons["layer"].unique().tolist()
        self.axes_ = layer_panels(ax, len(layers), (3.9, 4.4))[0]
        self.figure_ = self.axes_[0].figure
        self.tables_ = {layer: self._table(layer) for layer in layers}
        for panel, (layer, table) in zip(self.axes_, self.tables_.items(), strict=True):
            self._draw_layer(panel, layer, table)
            panel.set_xlabel("weight of the repair")
            if panel.get_subplotspec().is_first_col():
                panel.set_ylabel("neurons, largest mean on top")
        return self

    def _table(self, layer):
        """Neurons by weights, the largest mean first."""
        part = self.neurons[self.neurons["layer"] == layer]
        table = part.pivot(index="neuron", columns="weight", values=self.measure)
        order = np.argsort(-table.to_numpy().mean(axis=1), kind="stable")
        return table.iloc[order]

    def _draw_layer(self, ax, layer, table):
        from matplotlib.colors import LinearSegmentedColormap, PowerNorm

        # Evenly darker, in grey as well, and one hue for the colour-blind.
        shades = LinearSegmentedColormap.from_list("", ["white", COLOURS[2], "black"])
        values = table.to_numpy()
        # One neuron that is far out would leave all others white.
        largest = float(np.quantile(values, _SHOWN)) or float(values.max()) or 1.0
        image = ax.imshow(
            values,
            cmap=shades,
            norm=PowerNorm(_GAMMA[self.measure], vmin=0, vmax=largest),
            aspect="auto",
            interpolation="nearest",
        )
        n_neurons, n_points = table.shape
        places = np.unique(
            np.linspace(0, n_points - 1, _MOST_TICKS).round().astype(int)
        )
        names = [f"{weight:.2g}" for weight in table.columns[places]]
        # Small weights have long names.
        ax.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
        if n_neurons <= _FEW:
            names = [f"#{neuron}" for neuron in table.index]
            ax.set_yticks(np.arange(n_neurons), names, fontsize=7)
        else:
            ax.set_yticks([])
        first, last = table.iloc[:, 0].mean(), table.iloc[:, -1].mean()
        title = layer_title(layer, n_neurons)
        ax.set_title(f"{title}\nmean {first:.3g} → {last:.3g}", fontsize=10)
        extend = "max" if values.max() > largest else "neither"
        bar = ax.figure.colorbar(image, ax=ax, fraction=0.05, pad=0.02, extend=extend)
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=8)
        if ax.get_subplotspec().is_last_col():
            bar.set_label(_MEASURES[self.measure], fontsize=9)
