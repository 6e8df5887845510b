"""The front of one training: a utility against a difference, point by point."""

import numpy as np

from skfair_runner.plots._drawing import COLOURS, GREY, columns_of, pyplot, tidy
from skfair_runner.plots._tradeoff import _show_zero, _words

_LABELLED = (0.0, 0.5, 1.0)


class FrontierDisplay:
    """Points of one training between no repair and no difference.

    Better is up and to the left. The band and the bars are the confidence intervals of
    both measures; constant classifiers are crossed out; the selected point is ringed.

    Parameters
    ----------
    points : DataFrame
        One row per point, with the columns weight, constant and both measures, and
        perhaps selected, on_front, ``<measure>_low`` and ``<measure>_high``; as
        ``frontier_`` of :class:`~skfair_runner.RunnerFrontier`.

    difference : str, default="demographic_parity_difference"
        Measure on the horizontal axis, less is better.

    utility : str, default="accuracy"
        Measure on the vertical axis, more is better.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around it.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.plots import FrontierDisplay
    >>> points = pd.DataFrame(
    ...     {
    ...         "weight": [0.0, 0.5, 1.0],
    ...         "accuracy": [0.86, 0.85, 0.84],
    ...         "demographic_parity_difference": [0.2, 0.1, 0.01],
    ...         "constant": False,
    ...     }
    ... )
    >>> FrontierDisplay(points).plot().ax_.get_ylabel()
    'accuracy (more is better)'
    """

    def __init__(
        self, points, *, difference="demographic_parity_difference", utility="accuracy"
    ):
        columns_of(
            points,
            ["weight", "constant", difference, utility],
            type(self).__name__,
        )
        self.points = points
        self.difference = difference
        self.utility = utility

    def plot(self, ax=None):
        """Draw the front.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : FrontierDisplay
            With ``ax_`` and ``figure_``.
        """
        if ax is None:
            _, ax = pyplot().subplots(figsize=(6.4, 4.8), layout="constrained")
        points = self.points.sort_values("weight")
        across, up = points[self.difference], points[self.utility]
        self._draw_intervals(ax, points)
        ax.plot(across, up, color=COLOURS[2], linewidth=1.2, zorder=3)
        constant = points["constant"].astype(bool)
        ax.plot(across[~constant], up[~constant], "o", ms=5, color=COLOURS[2], zorder=4)
        if constant.any():
            crossed = {"color": COLOURS[1], "zorder": 4, "label": "constant"}
            ax.plot(across[constant], up[constant], "x", ms=8, mew=2, **crossed)
        if "selected" in points and points["selected"].any():
            chosen = points["selected"].astype(bool)
            ring = {"mfc": "none", "mec": COLOURS[0], "mew": 1.8, "zorder": 5}
            ax.plot(across[chosen], up[chosen], "o", ms=13, label="selected", **ring)
        self._name_ends(ax, points)
        tidy(ax)
        _show_zero(ax)
        ax.set_xlabel(f"{_words(self.difference)} (less is better)")
        ax.set_ylabel(f"{_words(self.utility)} (more is better)")
        if ax.get_legend_handles_labels()[1]:
            ax.legend(loc="lower right", frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_intervals(self, ax, points):
        """Bars of both measures, where the table has intervals."""
        for name, sideways in ((self.difference, True), (self.utility, False)):
            if f"{name}_low" not in points:
                continue
            low, high = points[f"{name}_low"], points[f"{name}_high"]
            style = {"color": GREY, "linewidth": 0.7, "alpha": 0.7, "zorder": 1}
            if sideways:
                ax.hlines(points[self.utility], low, high, **style)
            else:
                ax.vlines(points[self.difference], low, high, **style)

    def _name_ends(self, ax, points):
        """Say what the weights of a few points are."""
        weights = points["weight"].to_numpy()
        places = {int(np.abs(weights - wanted).argmin()) for wanted in _LABELLED}
        for place in sorted(places):
            row = points.iloc[place]
            weight = row["weight"]
            ax.annotate(
                "no repair" if weight == 0 else f"weight {weight:.2g}",
                (row[self.difference], row[self.utility]),
                xytext=(7, -11),
                textcoords="offset points",
                fontsize=9,
            )
