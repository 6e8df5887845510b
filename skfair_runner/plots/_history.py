"""Loss, difference and multipliers over the epochs of a training."""

import numpy as np
import pandas as pd

from skfair_runner.plots._drawing import (
    COLOURS,
    GREY,
    columns_of,
    panels,
    style_of,
    tidy,
)
from skfair_runner.plots._reading import fitted_attribute, inner_estimators

_TRAIN, _VALID, _GAP = COLOURS[0], COLOURS[1], COLOURS[2]
_NAMED = 7  # multipliers that can be told apart
_BESIDE = {
    "loc": "upper left",
    "bbox_to_anchor": (1, 1),
    "frameon": False,
    "fontsize": 8,
}


class TrainingHistoryDisplay:
    """Curves of the loss and of the difference between groups, epoch by epoch.

    Panels above one another, with the phases marked: plain training, and the repair,
    whose loss includes its penalties. A third panel shows how hard the controller
    pulled, where it is asked for.

    Parameters
    ----------
    history : DataFrame
        One row per epoch, with the columns epoch, phase and train_loss, and where
        training had groups train_difference; perhaps train_gap, valid_loss,
        valid_difference, multipliers and of_front. Of several constraints the names of
        differences end in that of the constraint.

    difference_bound : float, dict of str to float or None, or None, default=None
        Drawn as a line, in [0, 1]; of several constraints by name. Where some epochs
        are of_front, the line is over the others.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (n_panels,)
        The loss, the difference where there is one, and the multipliers where they are
        asked for, after :meth:`plot`.

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
    def from_estimator(cls, estimator):
        """Take the curves and the bound of a fitted classifier.

        The point of a front has the curves of the training that all points share, which
        aimed at no bound; if it was refined, its bound is drawn over those epochs.

        Parameters
        ----------
        estimator : RunnerFairClassifier, RunnerFrontier, Pipeline or search
            Fitted.

        Returns
        -------
        display : TrainingHistoryDisplay
            Not yet drawn.
        """
        history = fitted_attribute(
            estimator, "history_", f"{cls.__name__}.from_estimator"
        )
        owner = next(e for e in inner_estimators(estimator) if hasattr(e, "history_"))
        # Plain training has a bound among its parameters, but aims at none.
        constraint = getattr(owner, "constraint", None)
        bound = None
        if isinstance(constraint, dict):
            bound = owner.net_.plan.difference_bound
        elif constraint is not None:
            bound = getattr(owner, "difference_bound", None)
        if _of_front(history).all():
            bound = None
        return cls.from_history(history, difference_bound=bound)

    @classmethod
    def from_history(cls, history, *, difference_bound=None):
        """Take the curves from ``history_`` of a fitted classifier.

        Parameters
        ----------
        history : DataFrame
            One row per epoch.

        difference_bound : float, dict of str to float or None, or None, default=None
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

    def plot(self, ax=None, *, multipliers=False):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Its place is divided among the panels; None makes a figure.

        multipliers : bool, default=False
            Whether the controller's multipliers get a panel of their own.

        Returns
        -------
        self : TrainingHistoryDisplay
            With ``axes_`` and ``figure_``.

        Raises
        ------
        ValueError
            If multipliers are asked for, and the training had none.
        """
        if multipliers:
            self._check_multipliers()
        draw = [self._draw_losses]
        if "train_difference" in self.history:
            draw.append(self._draw_differences)
        elif self._several():
            draw.append(self._draw_several_differences)
        if multipliers:
            draw.append(self._draw_multipliers)
        width = 8.4 if self._several() else 7.6  # long names beside the panels
        size = (width, 2.2 + 2.2 * len(draw))
        self.axes_ = panels(ax, len(draw), 1, size, sharex=True)[:, 0]
        self.figure_ = self.axes_[0].figure
        for panel, draw_panel in zip(self.axes_, draw, strict=True):
            draw_panel(panel)
            self._mark_phases(panel)
            tidy(panel)
            if panel.get_legend_handles_labels()[0]:
                # Beside the curves, which may be anywhere.
                panel.legend(**_BESIDE)
        last = self.axes_[-1]
        last.set_xlabel("epoch")
        epochs = self.history["epoch"]
        last.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)
        last.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        return self

    def _draw_losses(self, ax):
        self._draw_curve(ax, "train_loss", "training", _TRAIN, "-")
        self._draw_curve(ax, "valid_loss", "validation, criterion alone", _VALID, "--")
        repaired = (self.history["phase"] == "repair").any()
        # Plain training, too, has both phases, but no groups and so no penalty.
        repaired &= "train_difference" in self.history or bool(self._several())
        ax.set_ylabel("loss, penalties included" if repaired else "loss")

    def _draw_differences(self, ax):
        self._draw_curve(ax, "train_difference", "training, decisions", _TRAIN, "-")
        self._draw_curve(ax, "train_gap", "training, scores", _GAP, ":")
        self._draw_curve(ax, "valid_difference", "validation, decisions", _VALID, "--")
        if self.difference_bound is not None:
            self._draw_bound(ax, self.difference_bound, color=GREY)
        ax.set_ylabel("difference between groups")
        ax.set_ylim(bottom=0)

    def _draw_bound(self, ax, bound, of="", **look):
        """A line over the epochs that aimed at a bound."""
        aimed = ~_of_front(self.history)
        epochs = self.history["epoch"][aimed if aimed.any() else ~aimed]
        ends = [epochs.min() - 0.5, epochs.max() + 0.5]
        label = f"bound {bound:.3g}{of}"
        ax.plot(ends, [bound, bound], linewidth=1.2, label=label, **look)

    def _several(self):
        """Names of several constraints, in the order of their columns."""
        start = "train_difference_"
        return [c.removeprefix(start) for c in self.history if c.startswith(start)]

    def _draw_several_differences(self, ax):
        """A colour for each constraint, and its bound in that colour."""
        bounds = self.difference_bound or {}
        for number, name in enumerate(self._several()):
            words, colour = name.replace("_", " "), style_of(number).colour
            self._draw_curve(ax, f"train_difference_{name}", words, colour, "-")
            self._draw_curve(
                ax, f"valid_difference_{name}", f"{words}, validation", colour, "--"
            )
            if bounds.get(name) is not None:
                look = {"color": colour, "linestyle": ":"}
                self._draw_bound(ax, bounds[name], f" on {words}", **look)
        ax.set_ylabel("difference between groups")
        ax.set_ylim(bottom=0)

    def _check_multipliers(self):
        """Refuse a training without a controller."""
        if not any(self._multipliers()):
            raise ValueError(
                "TrainingHistoryDisplay.plot: none of the "
                f"{len(self.history)} epochs has multipliers. A controller works in "
                "the repair, and only with a difference_bound: leave "
                "`multipliers=True` out."
            )

    def _multipliers(self):
        """Multipliers of each epoch; an empty list where there are none."""
        nothing = [None] * len(self.history)
        entries = self.history.get("multipliers", nothing)
        return [entry if isinstance(entry, list) else [] for entry in entries]

    def _multiplier_labels(self, n_lines):
        """Numbers, or of several constraints their names."""
        labels, start = [], "multipliers_"
        for column in self.history:
            if column.startswith(start):
                words = column.removeprefix(start).replace("_", " ")
                entries = self.history[column]
                n_own = max(len(e) for e in entries if isinstance(e, list))
                several = [f"{words} {k + 1}" for k in range(n_own)]
                labels += several if n_own > 1 else [words]
        if len(labels) == n_lines:
            return labels
        numbered = [f"multiplier {number + 1}" for number in range(n_lines)]
        return numbered if n_lines > 1 else ["multiplier"]

    def _draw_multipliers(self, ax):
        entries = self._multipliers()
        n_lines = max(map(len, entries))
        values = np.full((len(entries), n_lines), np.nan)
        for row, entry in zip(values, entries, strict=True):
            row[: len(entry)] = entry
        labels = self._multiplier_labels(n_lines)
        for number, column in enumerate(values.T):
            style, label = style_of(number), labels[number]
            if n_lines > _NAMED:
                label = f"{n_lines} multipliers" if number == 0 else "_nolegend_"
            ax.plot(
                self.history["epoch"],
                column,
                color=style.colour,
                linestyle=style.line,
                linewidth=1.6,
                marker=".",
                markersize=5,
                label=label,
            )
        ax.axhline(0, color=GREY, linewidth=0.8)
        ax.set_ylabel("multiplier of the\ncontroller")

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


def _of_front(history):
    """Which epochs belong to the training of a whole front."""
    return history.get("of_front", pd.Series(False, history.index)).eq(True)
