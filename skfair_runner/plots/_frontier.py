"""The front of one training: a utility against a difference, point by point."""

import numpy as np

from skfair_runner.plots._drawing import (
    COLOURS,
    columns_of,
    legend_below,
    pyplot,
    style_of,
    tidy,
)
from skfair_runner.plots._labels import place_labels
from skfair_runner.plots._tradeoff import _show_zero, _words

_LABELLED = (0.0, 0.3, 1.0)
# Places of the line, per pair of neighbours, that labels keep away from.
_STEPS = 8


class FrontierDisplay:
    """Points of one training between no repair and no difference.

    Better is up and to the left. The band is the confidence interval of the utility,
    the whiskers at the named points are that of the difference. Constant classifiers
    are crossed out; the selected point is ringed. Other classifiers are diamonds.

    Parameters
    ----------
    points : DataFrame
        One row per point, with the columns weight, constant and both measures, and
        perhaps selected, ``<measure>_low`` and ``<measure>_high``; as ``frontier_`` of
        :class:`~skfair_runner.RunnerFrontier`.

    difference : str, default="demographic_parity_difference"
        Measure on the horizontal axis, less is better.

    utility : str, default="accuracy"
        Measure on the vertical axis, more is better.

    reference : DataFrame or None, default=None
        Other classifiers, one row each, with both measures and perhaps ``label``; else
        the index names them.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around it.

    labels_ : list of matplotlib Annotation
        Of the points that are named.

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
        self,
        points,
        *,
        difference="demographic_parity_difference",
        utility="accuracy",
        reference=None,
    ):
        name = type(self).__name__
        columns_of(points, ["weight", "constant", difference, utility], name)
        if reference is not None:
            columns_of(reference, [difference, utility], f"{name}: reference")
        self.points = points
        self.difference = difference
        self.utility = utility
        self.reference = reference

    def plot(self, ax=None, *, name=None, number=0):
        """Draw the front.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        name : str or None, default=None
            What the legend calls this front, where there are several in one figure.

        number : int, default=0
            Which of several fronts this is; they differ in colour, marker and line.

        Returns
        -------
        self : FrontierDisplay
            With ``ax_``, ``figure_`` and ``labels_``.
        """
        if ax is None:
            _, ax = pyplot().subplots(figsize=(6.4, 4.8), layout="constrained")
        line = style_of(number)
        # Black rings the selected point.
        style = line._replace(colour=COLOURS[1 + (1 + number) % (len(COLOURS) - 1)])
        points = self.points.sort_values("weight")
        named = self._named(points)
        self._draw_intervals(ax, points, named, style)
        self._draw_points(ax, points, name, style)
        self._draw_reference(ax)
        tidy(ax)
        ax.margins(0.1, 0.12)
        _show_zero(ax)
        ax.set_xlabel(f"{_words(self.difference)} (less is better)")
        ax.set_ylabel(f"{_words(self.utility)} (more is better)")
        if ax.get_legend_handles_labels()[1]:
            legend_below(ax, ncols=3)
        self.labels_ = self._draw_labels(ax, points, named, style)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @staticmethod
    def _named(points):
        """Rows whose weight is told: the ends, one between, and the selected one."""
        weights = points["weight"].to_numpy()
        rows = {int(np.abs(weights - wanted).argmin()) for wanted in _LABELLED}
        if "selected" in points:
            rows |= set(np.flatnonzero(points["selected"]).tolist())
        return sorted(rows)

    def _draw_intervals(self, ax, points, named, style):
        """A band for the utility, whiskers for the difference of a few points."""
        if f"{self.utility}_low" in points:
            ordered = points.sort_values(self.difference)
            ends = (ordered[f"{self.utility}_{end}"] for end in ("low", "high"))
            look = {"color": style.colour, "alpha": 0.13, "linewidth": 0, "zorder": 0}
            ax.fill_between(ordered[self.difference], *ends, **look)
        if f"{self.difference}_low" in points:
            few = points.iloc[named]
            ends = (few[f"{self.difference}_{end}"] for end in ("low", "high"))
            look = {"color": style.colour, "linewidth": 0.9, "alpha": 0.8, "zorder": 2}
            ax.hlines(few[self.utility], *ends, **look)

    def _draw_points(self, ax, points, name, style):
        across, up = points[self.difference], points[self.utility]
        look = {"color": style.colour, "linestyle": style.line, "linewidth": 1.2}
        constant = points["constant"].astype(bool).to_numpy()
        ax.plot(across, up, zorder=3, **look)
        look = {"ls": "none", "marker": style.marker, "ms": 4.5, "zorder": 4}
        ax.plot(
            across[~constant], up[~constant], color=style.colour, label=name, **look
        )
        known = ax.get_legend_handles_labels()[1]
        if constant.any():
            told = None if "constant" in known else "constant"
            look = {"ls": "none", "marker": "x", "ms": 8, "mew": 2, "zorder": 4}
            ax.plot(
                across[constant], up[constant], color=COLOURS[1], label=told, **look
            )
        if "selected" in points and points["selected"].any():
            chosen = points["selected"].astype(bool).to_numpy()
            told = None if "selected" in known else "selected"
            ring = {"mfc": "none", "mec": COLOURS[0], "mew": 1.6, "zorder": 5}
            ax.plot(across[chosen], up[chosen], "o", ms=12, label=told, **ring)

    def _draw_reference(self, ax):
        if self.reference is None:
            return
        across, up = self.reference[self.difference], self.reference[self.utility]
        look = {"mfc": "white", "mec": COLOURS[1], "mew": 1.4, "zorder": 4}
        ax.plot(across, up, "D", ms=6, label="others", **look)

    def _draw_labels(self, ax, points, named, style):
        """Names of a few points, beside whatever is drawn."""
        from matplotlib.transforms import Bbox

        across = points[self.difference].to_numpy(dtype=float)
        up = points[self.utility].to_numpy(dtype=float)
        texts = [
            "no repair" if weight == 0 else f"weight {weight:.2g}"
            for weight in points["weight"].iloc[named]
        ]
        places = [(across[row], up[row]) for row in named]
        colours = [style.colour] * len(named)
        rows = np.arange(len(across))
        between = np.linspace(0, len(across) - 1, _STEPS * len(across))
        drawn = [np.interp(between, rows, values) for values in (across, up)]
        if f"{self.difference}_low" in points:
            for row in named:
                ends = (
                    points[f"{self.difference}_{e}"].iloc[row] for e in ("low", "high")
                )
                drawn[0] = np.append(drawn[0], np.linspace(*ends, 5 * _STEPS))
                drawn[1] = np.append(drawn[1], np.full(5 * _STEPS, up[row]))
        if self.reference is not None:
            others = self.reference
            names = others.get("label", others.index)
            texts += [str(name) for name in names]
            beside = zip(others[self.difference], others[self.utility], strict=True)
            places += list(beside)
            colours += [COLOURS[1]] * len(others)
            drawn[0] = np.append(drawn[0], others[self.difference])
            drawn[1] = np.append(drawn[1], others[self.utility])
        # Places are in pixels, which the layout decides.
        ax.figure.figure.draw_without_rendering()
        pixels = ax.transData.transform(np.column_stack(drawn))
        taken = [Bbox.from_extents(x - 4, y - 4, x + 4, y + 4) for x, y in pixels]
        taken += [label.get_window_extent() for label in ax.texts]
        return place_labels(ax, texts, places, colours, taken, size=8.5)
