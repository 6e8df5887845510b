"""The trials of a search: rung by rung, the front, the pick and its report."""

import numpy as np

from skfair_runner.plots._drawing import (
    COLOURS,
    GREY,
    columns_of,
    legend_below,
    pyplot,
    tidy,
)
from skfair_runner.plots._tradeoff import _show_zero, _words

_COLUMNS = ["iter", "n_resources", "constant", "on_front", "chosen"]


class TradeoffSearchDisplay:
    """Utility against difference of every candidate of a search.

    Better is up and to the left. Candidates of early rungs, which had few resources,
    are small and grey; those with all resources are dots, and the steps join the front
    among them. The pick is ringed. The diamond is what it came to on the rows that were
    set aside, with its intervals.

    Parameters
    ----------
    trials : DataFrame
        As `trials_` of :class:`~skfair_runner.TradeoffSearchCV`: iter, n_resources,
        constant, on_front, chosen, and ``<measure>_mean`` of both measures.

    difference : str, default="demographic_parity_difference"
        Measure on the horizontal axis, less is better.

    utility : str, default="accuracy"
        Measure on the vertical axis, more is better.

    report : DataFrame or None, default=None
        Rows named like both measures, columns ``value``, ``low`` and ``high``.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around it.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.plots import TradeoffSearchDisplay
    >>> trials = pd.DataFrame(
    ...     {
    ...         "iter": [0, 0, 1, 1],
    ...         "n_resources": [10, 10, 30, 30],
    ...         "accuracy_mean": [0.8, 0.7, 0.86, 0.8],
    ...         "demographic_parity_difference_mean": [0.2, 0.1, 0.15, 0.02],
    ...         "constant": False,
    ...         "on_front": [False, False, True, True],
    ...         "chosen": [False, False, False, True],
    ...     }
    ... )
    >>> TradeoffSearchDisplay(trials).plot().ax_.get_ylabel()
    'accuracy (more is better)'
    """

    def __init__(
        self,
        trials,
        *,
        difference="demographic_parity_difference",
        utility="accuracy",
        report=None,
    ):
        measures = [f"{utility}_mean", f"{difference}_mean"]
        columns_of(trials, [*_COLUMNS, *measures], type(self).__name__)
        self.trials = trials
        self.difference = difference
        self.utility = utility
        self.report = report

    def plot(self, ax=None):
        """Draw the candidates, the front, the pick and the report.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : TradeoffSearchDisplay
            With ``ax_`` and ``figure_``.
        """
        if ax is None:
            _, ax = pyplot().subplots(figsize=(6.4, 5.2), layout="constrained")
        tidy(ax)
        measures = [f"{self.difference}_mean", f"{self.utility}_mean"]
        trials = self.trials.dropna(subset=measures)
        last = trials["iter"].max()
        for number, rung in trials.groupby("iter"):
            n_resources = rung["n_resources"].iloc[0]
            label = f"{n_resources} resources ({len(rung)} candidates)"
            if number < last:
                # Darker from rung to rung.
                shade = 0.8 - 0.3 * number / max(last, 1)
                look = {"color": str(shade), "s": 14, "zorder": 2}
            else:
                look = {"color": COLOURS[2], "s": 34, "zorder": 4}
            ax.scatter(rung[measures[0]], rung[measures[1]], label=label, **look)
        constant = trials[trials["constant"]]
        if len(constant):
            look = {"marker": "x", "color": COLOURS[1], "zorder": 5}
            ax.scatter(
                constant[measures[0]], constant[measures[1]], label="constant", **look
            )
        ax.margins(0.1, 0.12)
        self._draw_report(ax)
        self._draw_front(ax, trials[trials["on_front"]], measures)
        chosen = trials[trials["chosen"]]
        ring = {"mfc": "none", "mec": COLOURS[0], "mew": 1.6, "ms": 12, "zorder": 6}
        ax.plot(
            chosen[measures[0]],
            chosen[measures[1]],
            *("o",),
            linestyle="none",
            label="picked, by cross-validation",
            **ring,
        )
        _show_zero(ax)
        ax.set_xlabel(f"{_words(self.difference)} (less is better)")
        ax.set_ylabel(f"{_words(self.utility)} (more is better)")
        legend_below(ax, ncols=2)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @staticmethod
    def _draw_front(ax, front, measures):
        """Steps of what is attained at each difference."""
        if len(front) < 2:
            return
        across, up = front.sort_values(measures)[measures].to_numpy().T
        right = ax.get_xlim()[1]
        look = {"color": COLOURS[2], "linewidth": 1.2, "zorder": 3}
        ax.step([*across, right], [*up, up[-1]], where="post", label="front", **look)
        ax.set_xlim(right=right)

    def _draw_report(self, ax):
        """What the pick came to on rows that were set aside, with intervals."""
        if self.report is None:
            return
        across, up = self.report.loc[self.difference], self.report.loc[self.utility]
        reach = [
            np.array([[each["value"] - each["low"]], [each["high"] - each["value"]]])
            for each in (across, up)
        ]
        ax.errorbar(
            [across["value"]],
            [up["value"]],
            xerr=reach[0],
            yerr=reach[1],
            fmt="D",
            color=COLOURS[1],
            markerfacecolor="white",
            ecolor=GREY,
            elinewidth=1,
            label="the same, on rows set aside",
            zorder=6,
        )
