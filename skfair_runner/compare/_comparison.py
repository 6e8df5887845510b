"""What a comparison returns: tables, a sentence about each method, files, a figure."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from skfair_runner.compare._measures import MEASURES, check_difference
from skfair_runner.compare._sentences import describe
from skfair_runner.plots import TradeoffDisplay
from skfair_runner.utils import atomic_write

# What is shown where there is room for a few columns only.
_SHOWN = (
    "accuracy",
    "balanced_accuracy",
    "average_precision",
    "selection_rate",
    "demographic_parity_difference",
    "equalized_odds_difference",
    "equalized_odds_sum",
    "abcc",
    "fit_seconds",
)


def format_number(mean, std, measure):
    """Mean ± standard deviation, at a precision that suits the measure.

    Parameters
    ----------
    mean, std : float
        Over the folds; NaN where there is none.

    measure : str
        Name of the measure.

    Returns
    -------
    text : str
        Three decimals, one for seconds; a dash for NaN.

    Examples
    --------
    >>> format_number(0.84512, 0.0061, "accuracy")
    '0.845 ± .006'
    >>> format_number(float("nan"), float("nan"), "abcc")
    '–'
    """
    if pd.isna(mean):
        return "–"
    if measure == "fit_seconds":
        spread = "" if pd.isna(std) else f" ± {std:.1f}"
        return f"{mean:.1f}{spread}"
    # The zero before the point is left out, so that columns stay narrow.
    spread = "" if pd.isna(std) else f" ± {std:.3f}".replace(" 0.", " .")
    return f"{mean:.3f}{spread}"


def format_constant(constant_folds, folds):
    """Whether decisions became constant, as a word or a number of folds.

    Parameters
    ----------
    constant_folds, folds : int
        Folds with constant decisions, and all folds that were measured.

    Returns
    -------
    text : str
        "no", or "2 of 3 folds".

    Examples
    --------
    >>> format_constant(0, 3), format_constant(2, 3)
    ('no', '2 of 3 folds')
    """
    return f"{constant_folds} of {folds} folds" if constant_folds else "no"


@dataclass(frozen=True, eq=False)
class Comparison:
    """Measures of several classifiers on the same folds.

    Attributes
    ----------
    table : DataFrame
        One row per method. For each measure ``<measure>_mean`` and ``<measure>_std``
        over the folds (the sample standard deviation); then
        ``needs_groups_at_predict``, ``randomised`` (decides by lot), ``constant_folds``
        (folds in which more than 99.5 % got one decision), ``folds`` (that did not
        fail) and ``error``.

    per_fold : DataFrame
        One row per method and fold: the measures, ``constant`` and ``error``.

    groups : tuple of str
        Names of the groups.

    pos_label : label or None
        The favourable label; None where every class was compared with the rest.

    See Also
    --------
    compare_classifiers : Makes one.

    Notes
    -----
    Measures are those of :func:`skfair_runner.metrics.fairness_summary` on held-out
    rows. Where decisions are drawn by lot, average precision and the area between score
    distributions are those of the probability of the decision, which takes few values.
    """

    table: pd.DataFrame
    per_fold: pd.DataFrame
    groups: tuple[str, ...]
    pos_label: Any

    def __repr__(self) -> str:
        return self._formatted().to_string()

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
            One paragraph for each other method.

        Raises
        ------
        ValueError
            If there is no such difference or method.
        """
        check_difference(difference, "Comparison.summary")
        if reference is None:
            reference = self.table.index[0]
        if reference not in self.table.index:
            raise ValueError(
                f"Comparison.summary: there is no method {reference!r} to compare "
                f"with; the methods are {self.table.index.tolist()}."
            )
        return describe(self.table, self.per_fold, MEASURES[difference], reference)

    def plot(
        self,
        *,
        difference="demographic_parity_difference",
        utility="accuracy",
        ax=None,
    ):
        """Draw the trade-off between a difference and a utility.

        Parameters
        ----------
        difference : str, default="demographic_parity_difference"
            Measure on the horizontal axis, less is better.

        utility : str, default="accuracy"
            Measure on the vertical axis, more is better.

        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TradeoffDisplay
            With ``ax_`` and ``figure_``.
        """
        display = TradeoffDisplay.from_table(
            self.table, difference=difference, utility=utility
        )
        return display.plot(ax=ax)

    def to_csv(self, path):
        """Write the table, in full or not at all.

        Parameters
        ----------
        path : str or path-like
            File to write; its folder must exist.
        """
        with atomic_write(path, "w") as file:
            self.table.to_csv(file, lineterminator="\n", float_format="%.6f")

    def to_markdown(self):
        """Table for a document, as mean ± standard deviation.

        Returns
        -------
        text : str
            A Markdown table, one row per method.
        """
        shown = self._formatted().reset_index()
        rows = [list(shown.columns), ["---"] * shown.shape[1], *shown.values.tolist()]
        cells = ([str(cell).replace("|", r"\|") for cell in row] for row in rows)
        return "".join(f"| {' | '.join(row)} |\n" for row in cells)

    def _formatted(self) -> pd.DataFrame:
        """Text of the measures that are always shown, and of the properties."""
        table = self.table
        shown = {
            MEASURES[name].label: [
                format_number(mean, std, name)
                for mean, std in zip(
                    table[f"{name}_mean"], table[f"{name}_std"], strict=True
                )
            ]
            for name in _SHOWN
        }
        yes = {True: "yes", False: "no"}
        shown["groups at prediction"] = table["needs_groups_at_predict"].map(yes)
        shown["randomised"] = table["randomised"].map(yes)
        shown["constant"] = [
            format_constant(*counts)
            for counts in zip(table["constant_folds"], table["folds"], strict=True)
        ]
        if table["error"].any():
            shown["error"] = table["error"].tolist()
        return pd.DataFrame(shown, index=table.index)
