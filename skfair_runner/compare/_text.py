"""Numbers of a comparison as text."""

import pandas as pd

from skfair_runner.compare._measures import MEASURES

# What is shown where nothing else is asked for.
SHOWN = (
    "accuracy",
    "balanced_accuracy",
    "average_precision",
    "roc_auc",
    "selection_rate",
    "demographic_parity_difference",
    "equalized_odds_difference",
    "equalized_odds_sum",
    "equal_opportunity_difference",
    "disparate_impact",
    "abcc",
    "fit_seconds",
    "predict_seconds",
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
        Three decimals, one for seconds to fit, none from 1,000 on; a dash for NaN.

    Examples
    --------
    >>> format_number(0.84512, 0.0061, "accuracy")
    '0.845 ± .006'
    >>> format_number(12345.0, 0.0, "parameters")
    '12,345 ± 0'
    >>> format_number(float("nan"), float("nan"), "abcc")
    '–'
    """
    if pd.isna(mean):
        return "–"
    if measure == "fit_seconds":
        spread = "" if pd.isna(std) else f" ± {std:.1f}"
        return f"{mean:.1f}{spread}"
    if abs(mean) >= 1000:
        return f"{mean:,.0f}" + ("" if pd.isna(std) else f" ± {std:,.0f}")
    # The zero before the point is left out, so that columns stay narrow.
    spread = "" if pd.isna(std) else f" ± {std:.3f}".replace(" 0.", " .")
    return f"{mean:.3f}{spread}"


def format_interval(low, high):
    """Interval in brackets.

    Parameters
    ----------
    low, high : float
        Its ends; NaN where there is none.

    Returns
    -------
    text : str
        Three decimals; empty for NaN.

    Examples
    --------
    >>> format_interval(0.0123, 0.0456)
    '[0.012, 0.046]'
    """
    return "" if pd.isna(low) or pd.isna(high) else f"[{low:.3f}, {high:.3f}]"


def format_constant(constant_folds, folds):
    """Whether decisions became constant, as a word or a number of folds.

    Parameters
    ----------
    constant_folds, folds : int
        Folds with constant decisions, and all folds that were measured.

    Returns
    -------
    text : str
        "no", or "2 of 3 folds"; a dash where none was measured.

    Examples
    --------
    >>> format_constant(0, 3), format_constant(2, 3), format_constant(0, 0)
    ('no', '2 of 3 folds', '–')
    """
    if not folds:
        return "–"
    return f"{constant_folds} of {folds} folds" if constant_folds else "no"


def format_table(table, measures, names=None):
    """Text of the measures and properties of all methods.

    Parameters
    ----------
    table : DataFrame
        As of :class:`~skfair_runner.compare.Comparison`.

    measures : dict of str to Measure
        What the columns are called.

    names : sequence of str or None, default=None
        Measures to show; None shows the usual ones and those of the user.

    Returns
    -------
    text : DataFrame
        One row per method: mean ± standard deviation and, of differences, the
        confidence interval. A method that failed has dashes.
    """
    if names is None:
        added = [name for name in measures if name not in MEASURES]
        names = [*SHOWN[:-2], *added, *SHOWN[-2:]]
    shown = {measures[name].label: _cells(table, measures[name]) for name in names}
    yes = {True: "yes", False: "no"}
    if "disparate_impact" in names:
        impact = measures["disparate_impact"].label
        shown[impact] = [
            text if text == "–" or above else f"{text}, below four fifths"
            for text, above in zip(shown[impact], table["four_fifths"], strict=True)
        ]
    for label, name in (
        ("groups at prediction", "needs_groups_at_predict"),
        ("randomised", "randomised"),
    ):
        # What failed has not shown what it needs.
        shown[label] = table[name].map(yes).where(table["folds"] > 0, "–")
    shown["constant"] = [
        format_constant(*counts)
        for counts in zip(table["constant_folds"], table["folds"], strict=True)
    ]
    if table["error"].any():
        shown["error"] = table["error"].tolist()
    return pd.DataFrame(shown, index=table.index)


def _cells(table, measure):
    """Mean and spread of one measure, and the interval of a difference."""
    name = measure.name
    pairs = zip(table[f"{name}_mean"], table[f"{name}_std"], strict=True)
    cells = [format_number(mean, std, name) for mean, std in pairs]
    if measure.greater_is_better is not False or f"{name}_low" not in table:
        return cells
    ends = zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
    return [
        f"{cell} {format_interval(*each)}".strip()
        for cell, each in zip(cells, ends, strict=True)
    ]
