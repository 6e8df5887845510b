"""What a comparison returns: tables, intervals, ranks, sentences, files, a figure."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from skfair_runner.compare._by_group import group_frame, group_table
from skfair_runner.compare._measures import (
    MEASURES,
    check_difference,
    check_utility,
)
from skfair_runner.compare._page import to_html
from skfair_runner.compare._sentences import about_zeros, describe
from skfair_runner.compare._text import format_constant, format_number, format_table
from skfair_runner.metrics.fronts import non_dominated, ranks_of_intervals
from skfair_runner.plots import TradeoffDisplay
from skfair_runner.utils import atomic_write

__all__ = ["Comparison", "format_constant", "format_number"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Measures of several classifiers on the same folds.

    Attributes
    ----------
    table : DataFrame
        One row per method. For each measure ``<measure>_mean`` and ``<measure>_std``
        over the folds of all seeds (the sample standard deviation) and, for accuracy
        and the differences of groups, the confidence interval ``<measure>_low`` to
        ``<measure>_high``; then ``four_fifths`` (whether the mean disparate impact
        reaches 0.8; missing where there is none), ``needs_groups_at_predict``,
        ``randomised`` (decides by lot), ``constant_folds`` (folds in which more than
        99.5 % got one decision), ``folds`` (that did not fail) and ``error``.

    per_fold : DataFrame
        One row per method, seed and fold: the measures, ``four_fifths``, ``constant``
        and ``error``. Seeds are numbered from 0.

    groups : tuple of str
        Names of the groups.

    pos_label : label or None
        The favourable label; None where every class was compared with the rest.

    predictions : dict of str to DataFrame
        Decisions about held-out rows, by method: ``seed``, ``fold``, ``row``,
        ``y_true``, ``y_pred``, ``score`` (of the favourable label; one
        ``score_<label>`` for each, where every class is compared) and ``group``.

    neurons : dict of str to DataFrame
        `neuron_importance_` of methods that have it, from their first fold.

    history : dict of str to DataFrame
        `history_` of methods that have it, from their first fold.

    settings : dict
        What it takes to do it again: parameters of the methods, seeds, folds, and
        versions. Strings and numbers only.

    measures : dict of str to Measure
        What there are columns for.

    See Also
    --------
    compare_classifiers : Makes one.

    Notes
    -----
    Measures are those of :func:`skfair_runner.metrics.fairness_summary` on held-out
    rows; ``disparate_impact`` is its demographic parity ratio. Where decisions are
    drawn by lot, average precision and the area between score distributions are those
    of the probability of the decision, which takes few values.

    An interval says how far the mean over folds may be from what the same trained
    models would show on all the people that the rows were drawn from. It does not say
    how much another training would differ: that is in the standard deviation over folds
    and seeds.
    """

    table: pd.DataFrame
    per_fold: pd.DataFrame
    groups: tuple[str, ...]
    pos_label: Any
    predictions: dict[str, pd.DataFrame] = field(default_factory=dict)
    neurons: dict[str, pd.DataFrame] = field(default_factory=dict)
    history: dict[str, pd.DataFrame] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    measures: dict[str, Any] = field(default_factory=lambda: MEASURES)

    def __repr__(self) -> str:
        return format_table(self.table, self.measures).to_string()

    @property
    def intervals(self) -> pd.DataFrame:
        """Confidence intervals: one row per method and measure that has one.

        Columns ``mean``, ``low`` and ``high``.
        """
        parts = {
            name: self.table[[f"{name}_mean", f"{name}_low", f"{name}_high"]].set_axis(
                ["mean", "low", "high"], axis=1
            )
            for name in self.measures
            if f"{name}_low" in self.table
        }
        if not parts:
            return pd.DataFrame(columns=["mean", "low", "high"])
        return pd.concat(parts, names=["measure"]).swaplevel().dropna()

    def rank(self, *, difference="demographic_parity_difference"):
        """Methods from the lowest difference to the highest, as far as that is settled.

        Methods whose confidence intervals overlap share a rank, and so do methods that
        are linked by a chain of overlaps. The rank is 1 and the number of methods whose
        whole group lies lower. Methods that failed, or became constant in any fold,
        have no rank.

        Parameters
        ----------
        difference : str, default="demographic_parity_difference"
            The difference to rank by.

        Returns
        -------
        ranks : DataFrame
            One row per method, in the order of ``rank`` and mean: ``rank``, ``mean``,
            ``low``, ``high``, ``clearly_above`` (how many ranked methods have an
            interval that lies wholly below) and ``note`` (why there is no rank).

        Raises
        ------
        ValueError
            If there is no such difference, or it has no intervals.
        """
        caller = "Comparison.rank"
        check_difference(difference, caller, self.measures)
        if f"{difference}_low" not in self.table and self.table["folds"].any():
            raise ValueError(
                f"{caller}: there are no confidence intervals of {difference!r}, so "
                "nothing says which methods can be told apart: pass n_bootstrap=1000 "
                "to compare_classifiers, and one of the differences that it always "
                "measures."
            )
        names = {f"{difference}_{end}": end for end in ("mean", "low", "high")}
        # Where all failed, there are no intervals, and nothing to rank by them.
        ranks = self.table.reindex(columns=list(names)).rename(columns=names)
        notes = self._notes(difference)
        ranked = ranks[notes == ""]
        ranks.insert(0, "rank", pd.array([pd.NA] * len(ranks), dtype="Int64"))
        if len(ranked):
            ranks.loc[ranked.index, "rank"] = ranks_of_intervals(
                ranked["low"], ranked["high"]
            )
        ranks["clearly_above"] = [
            int((ranked["high"] < low).sum()) for low in ranks["low"]
        ]
        ranks["note"] = notes
        return ranks.sort_values(["rank", "mean"], na_position="last", kind="stable")

    def pareto(self, *, utility="accuracy", difference="demographic_parity_difference"):
        """Methods that no other method beats in one respect and equals in the other.

        Means are compared, so a method may be here by chance: see :meth:`rank`. Methods
        that failed, or became constant in any fold, are left out.

        Parameters
        ----------
        utility : str, default="accuracy"
            More is better.

        difference : str, default="demographic_parity_difference"
            Less is better.

        Returns
        -------
        front : DataFrame
            Columns of both measures out of ``table``, from the lowest difference up.

        Raises
        ------
        ValueError
            If there is no such utility or difference.
        """
        check_utility(utility, "Comparison.pareto", self.measures)
        check_difference(difference, "Comparison.pareto", self.measures)
        table = self.table[self._notes(difference) == ""]
        kept = non_dominated(table[f"{utility}_mean"], table[f"{difference}_mean"])
        columns = [
            f"{name}_{part}"
            for name in (utility, difference)
            for part in ("mean", "std", "low", "high")
            if f"{name}_{part}" in table
        ]
        front = table.loc[kept, columns]
        return front.sort_values(f"{difference}_mean", kind="stable")

    def _notes(self, difference):
        """Why a method cannot be judged by a difference; empty where it can."""
        table = self.table
        notes = pd.Series("", index=table.index)
        notes[table[f"{difference}_mean"].isna()] = "no value"
        notes[table["constant_folds"] > 0] = "constant"
        notes[table["folds"] == 0] = "failed"
        return notes

    def by_group(self, *, metrics=None, label=None, seed=0, as_frame=False):
        """Rates of every group, on the held-out rows of all folds together.

        Parameters
        ----------
        metrics : dict of str to callable or None, default=None
            Called as ``metric(y_true, y_pred)`` with 1 for the favourable label and 0
            for any other. None counts samples, and measures accuracy and the rates of
            selection, true positives and false positives.

        label : label or None, default=None
            What counts as 1; None is the favourable label. Required where every class
            was compared with the rest.

        seed : int, default=0
            Number of the repetition; each tests every row once.

        as_frame : bool, default=False
            True returns one DataFrame for all methods.

        Returns
        -------
        frames : dict of str to fairlearn.metrics.MetricFrame, or DataFrame
            By method, without those that failed; or one row per method and group.

        Raises
        ------
        ValueError
            If no label is favourable and none is passed, it is not among the labels, or
            there is no such repetition.
        """
        caller = "Comparison.by_group"
        chosen = {
            method: table[table["seed"] == seed]
            for method, table in self.predictions.items()
        }
        chosen = {method: table for method, table in chosen.items() if len(table)}
        if not chosen:
            n_seeds = self.per_fold["seed"].nunique()
            raise ValueError(
                f"{caller}: there are no decisions of seed={seed!r}; there are "
                f"{n_seeds} repetitions, numbered from 0, and {len(self.predictions)} "
                "methods that did not fail."
            )
        label = self.pos_label if label is None else label
        labels = sorted(set().union(*(each["y_true"] for each in chosen.values())))
        if label not in labels:
            raise ValueError(
                f"{caller}: pass the label whose rates to compare, one of {labels}, as "
                f"in by_group(label={labels[-1]!r}); got {label!r}."
            )
        frames = {
            method: group_frame(table, label, metrics)
            for method, table in chosen.items()
        }
        return group_table(frames) if as_frame else frames

    def summary(self, *, difference="demographic_parity_difference", reference=None):
        """What each method reduced, from what to what, and at what cost.

        Parameters
        ----------
        difference : str, default="demographic_parity_difference"
            The measure that was to be reduced.

        reference : str or None, default=None
            The method that the others are compared with; None is the first one.

        Returns
        -------
        text : str
            One paragraph for each other method, and what a measure of 0 means.

        Raises
        ------
        ValueError
            If there is no such difference or method.
        """
        check_difference(difference, "Comparison.summary", self.measures)
        if reference is None:
            reference = self.table.index[0]
        if reference not in self.table.index:
            raise ValueError(
                f"Comparison.summary: there is no method {reference!r} to compare "
                f"with; the methods are {self.table.index.tolist()}."
            )
        text = describe(self.table, self.per_fold, self.measures[difference], reference)
        return "\n\n".join([text, *about_zeros(self.table, self.measures)])

    def plot(
        self,
        *,
        difference="demographic_parity_difference",
        utility="accuracy",
        spread="bars",
        ax=None,
    ):
        """Draw the trade-off between a difference and a utility.

        Parameters
        ----------
        difference : str, default="demographic_parity_difference"
            Measure on the horizontal axis, less is better.

        utility : str, default="accuracy"
            Measure on the vertical axis, more is better.

        spread : {"bars", "ellipses"} or None, default="bars"
            Standard deviations over the folds, or confidence regions of the means, as
            in :meth:`skfair_runner.plots.TradeoffDisplay.plot`.

        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TradeoffDisplay
            With ``ax_`` and ``figure_``.
        """
        display = TradeoffDisplay.from_table(
            self.table,
            difference=difference,
            utility=utility,
            per_fold=self.per_fold,
        )
        return display.plot(ax=ax, spread=spread)

    to_html = to_html  # with the words about measures that the page is made of

    def to_csv(self, path):
        """Write the table, in full or not at all.

        Parameters
        ----------
        path : str or path-like
            File to write; its folder must exist.
        """
        with atomic_write(path, "w") as file:
            self.table.to_csv(file, lineterminator="\n", float_format="%.6f")

    def to_markdown(self, *, measures=None):
        """Table for a document, as mean ± standard deviation.

        Parameters
        ----------
        measures : sequence of str or None, default=None
            Which to show; None shows the usual ones and those that were added.

        Returns
        -------
        text : str
            A Markdown table, one row per method.

        Raises
        ------
        ValueError
            If there is no such measure.
        """
        for name in measures or ():
            if name not in self.measures:
                raise ValueError(
                    f"Comparison.to_markdown: there is no measure {name!r}; pass some "
                    f"of {list(self.measures)}."
                )
        shown = format_table(self.table, self.measures, measures).reset_index()
        rows = [list(shown.columns), ["---"] * shown.shape[1], *shown.values.tolist()]
        # A line break, as errors have them, would end the row.
        cells = (
            [" ".join(str(cell).split()).replace("|", r"\|") for cell in row]
            for row in rows
        )
        return "".join(f"| {' | '.join(row)} |\n" for row in cells)
