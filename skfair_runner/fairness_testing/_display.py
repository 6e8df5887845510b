"""Found against tried, one curve per search."""

from skfair_runner.plots._drawing import COLOURS, pyplot, tidy


class SearchDisplay:
    """Curves of how many discriminatory instances were found, and after how many tries.

    Parameters
    ----------
    traces : dict of str to DataFrame
        By name of the search, with the columns tried and found.

    n_discriminatory : int or None, default=None
        How many there are in the whole box; curves are then recalls. None shows counts.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around it.

    Raises
    ------
    ValueError
        If there is no trace.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.fairness_testing import SearchDisplay
    >>> trace = pd.DataFrame({"tried": [10, 20], "found": [1, 5]})
    >>> display = SearchDisplay({"random": trace}, n_discriminatory=10).plot()
    >>> display.ax_.get_ylabel()
    'recall'
    """

    def __init__(self, traces, *, n_discriminatory=None):
        if not traces:
            raise ValueError(
                f"SearchDisplay draws one curve per search, but got {traces!r}."
            )
        self.traces = traces
        self.n_discriminatory = n_discriminatory

    @classmethod
    def from_results(cls, results, *, n_discriminatory=None):
        """Take the curves from results of searches.

        Parameters
        ----------
        results : dict of str to SearchResult
            By the name that the legend shows.

        n_discriminatory : int or None, default=None
            How many there are in the whole box.

        Returns
        -------
        display : SearchDisplay
            Not yet drawn.
        """
        traces = {name: result.trace for name, result in results.items()}
        return cls(traces, n_discriminatory=n_discriminatory)

    def plot(self, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : SearchDisplay
            With ``ax_`` and ``figure_``.
        """
        if ax is None:
            _, ax = pyplot().subplots(figsize=(6.4, 4.0), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        tidy(ax)
        whole = self.n_discriminatory
        for number, (name, trace) in enumerate(self.traces.items()):
            tried = [0, *trace["tried"]]
            found = [0, *trace["found"]]
            if whole:
                found = [count / whole for count in found]
            colour = COLOURS[number % len(COLOURS)]
            ax.plot(tried, found, color=colour, linewidth=1.6, label=name)
        ax.set_xlabel("distinct instances tried")
        ax.set_ylabel("recall" if whole else "distinct discriminatory instances found")
        if whole:
            ax.set_ylim(0, 1.05)
        if len(self.traces) > 1:
            ax.legend(frameon=False, fontsize=8)
        return self
