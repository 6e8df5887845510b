"""The figure of a sweep: one line per method."""

from skfair_runner.plots._drawing import GREY, pyplot, style_of, tidy


class SweepDisplay:
    """Fronts of several methods: a utility against a difference between groups.

    Better is up and to the left. A line joins the settings that are on a method's
    front; settings beside it are small, and constant ones are grey crosses.

    Parameters
    ----------
    points : DataFrame
        One row per method and setting, with the columns ``utility``, ``difference``,
        ``on_front`` and ``constant``.

    utility, difference : str
        What the axes are called.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around it.
    """

    def __init__(self, points, utility, difference):
        self.points = points
        self.utility = utility
        self.difference = difference

    def plot(self, ax=None):
        """Draw points, lines and a legend.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : SweepDisplay
            With ``ax_`` and ``figure_``.
        """
        if ax is None:
            _, ax = pyplot().subplots(figsize=(6.4, 4.4), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        tidy(ax)
        methods = self.points.groupby(level="method", sort=False)
        for number, (name, points) in enumerate(methods):
            _draw(ax, name, points, style_of(number))
        constant = self.points[self.points["constant"]]
        if len(constant):
            ax.plot(
                constant["difference"],
                constant["utility"],
                linestyle="none",
                marker="x",
                color=GREY,
                label="constant",
            )
        ax.set_xlabel(f"{self.difference} (less is better)")
        ax.set_ylabel(self.utility)
        ax.set_title(
            "Lines: settings not dominated on validation rows, drawn by their test "
            "figures",
            loc="left",
            fontsize=8,
        )
        ax.legend(frameon=False, fontsize=9)
        return self


def _draw(ax, name, points, style):
    """One method."""
    # By difference, so that the line does not turn back where the test rows disagree
    # with the validation rows.
    front = points[points["on_front"]].sort_values("difference")
    beside = points[~points["on_front"] & ~points["constant"]]
    ax.plot(
        front["difference"],
        front["utility"],
        color=style.colour,
        marker=style.marker,
        linestyle=style.line,
        label=name,
        zorder=3,
    )
    ax.plot(
        beside["difference"],
        beside["utility"],
        color=style.colour,
        marker=style.marker,
        linestyle="none",
        markersize=3,
        alpha=0.5,
        zorder=2,
    )
