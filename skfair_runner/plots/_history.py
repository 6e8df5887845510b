"""Loss and difference over the epochs of a training."""

import numpy as np

from skfair_runner.plots._drawing import COLOURS, GREY, columns_of, pyplot, tidy

_TRAIN, _VALID, _GAP = COLOURS[0], COLOURS[1], COLOURS[2]


class TrainingHistoryDisplay:
    """Curves of the loss and of the difference between groups, epoch by epoch.

    Two panels above one another, with the phases marked: plain training, and the
    repair, whose loss includes its penalties.

    Parameters
    ----------
    history : DataFrame
        One row per epoch, with the columns epoch, phase and train_loss, and where
        training had groups train_difference; perhaps train_gap, and valid_loss and
        valid_difference.

    difference_bound : float or None, default=None
        Drawn as a line, in [0, 1].

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (n_panels,)
        The loss, and the difference where there is one, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around them.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.plots import TrainingHistoryDisplay
    >>> history = pd.DataFrame(
    ...     {
    ...         "epoch": [1, 2, 3],
    ...         "phase": ["warm-up", "warm-up", "repair"],
    ...         "train_loss": [0.7, 0.5, 0.6],
    ...         "train_difference": [0.1, 0.2, 0.1],
    ...     }
    ... )
    >>> display = TrainingHistoryDisplay.from_history(history, difference_bound=0.05)
    >>> display.plot().axes_.shape
    (2,)
    """

    def __init__(self, history, *, difference_bound=None):
        self.history = history
        self.difference_bound = difference_bound

    @classmethod
    def from_history(cls, history, *, difference_bound=None):
        """Take the curves from ``history_`` of a fitted classifier.

        Parameters
        ----------
        history : DataFrame
            One row per epoch.

        difference_bound : float or None, default=None
            What was aimed at, as of the classifier.

        Returns
        -------
        display : TrainingHistoryDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If a column is absent, or there is no epoch.
        """
        caller = "TrainingHistoryDisplay.from_history"
        columns_of(history, ["epoch", "phase", "train_loss"], caller)
        if len(history) == 0:
            raise ValueError(f"{caller}: the history has {len(history)} epochs.")
        return cls(history, difference_bound=difference_bound)

    def plot(self, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Its place is divided among the panels; None makes a figure.

        Returns
        -------
        self : TrainingHistoryDisplay
            With ``axes_`` and ``figure_``.
        """
        n_panels = 2 if "train_difference" in self.history else 1
        if ax is None:
            size = (6.4, 2.2 + 2.2 * n_panels)
            figure = pyplot().figure(figsize=size, layout="constrained")
            grid = figure.add_gridspec(n_panels, 1)
        else:
            figure = ax.figure
            grid = ax.get_subplotspec().subgridspec(n_panels, 1)
            ax.set_axis_off()
        self.figure_ = figure
        self.axes_ = grid.subplots(sharex=True, squeeze=False)[:, 0]
        self._draw_losses(self.axes_[0])
        if n_panels == 2:
            self._draw_differences(self.axes_[1])
        for panel in self.axes_:
            self._mark_phases(panel)
            tidy(panel)
            panel.legend(frameon=False, fontsize=8)
        self.axes_[-1].set_xlabel("epoch")
        return self

    def _draw_losses(self, ax):
        self._draw_curve(ax, "train_loss", "training", _TRAIN, "-")
        self._draw_curve(ax, "valid_loss", "validation, criterion alone", _VALID, "--")
        repaired = (self.history["phase"] == "repair").any()
        ax.set_ylabel("loss, penalties included" if repaired else "loss")

    def _draw_differences(self, ax):
        self._draw_curve(ax, "train_difference", "training, decisions", _TRAIN, "-")
        self._draw_curve(ax, "train_gap", "training, scores", _GAP, ":")
        self._draw_curve(ax, "valid_difference", "validation, decisions", _VALID, "--")
        if self.difference_bound is not None:
            ax.axhline(
                self.difference_bound,
                color=GREY,
                linewidth=1.2,
                label=f"bound {self.difference_bound:g}",
            )
        ax.set_ylabel("difference between groups")
        ax.set_ylim(bottom=0)

    def _draw_curve(self, ax, column, label, colour, style):
        if column in self.history and self.history[column].notna().any():
            ax.plot(
                self.history["epoch"],
                self.history[column],
                style,
                color=colour,
                linewidth=1.6,
                marker=".",
                markersize=5,
                label=label,
            )

    def _mark_phases(self, ax):
        """Name each phase above the first panel, and part it from the next."""
        phases = self.history["phase"].to_numpy()
        epochs = self.history["epoch"].to_numpy(dtype=float)
        starts = [0, *(np.flatnonzero(phases[1:] != phases[:-1]) + 1), len(phases)]
        for start, stop in zip(starts[:-1], starts[1:], strict=True):
            if start:
                ax.axvline(epochs[start] - 0.5, color=GREY, linewidth=1, linestyle="-.")
            if ax is self.axes_[0]:
                ax.annotate(
                    str(phases[start]),
                    ((epochs[start] + epochs[stop - 1]) / 2, 1.0),
                    xytext=(0, 3),
                    xycoords=("data", "axes fraction"),
                    textcoords="offset points",
                    ha="center",
                    va="bottom",
                    fontsize=9,
                )
