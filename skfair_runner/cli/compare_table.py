"""The table of a comparison on the screen."""

import re

import pandas as pd

from skfair_runner.cli.screen import import_package
from skfair_runner.compare._measures import DIFFERENCE_OF, MEASURES
from skfair_runner.compare._text import format_constant, format_number
from skfair_runner.fairness_testing import IndividualDiscrimination

# What the table shows, in three parts; the constraint's own difference is added.
_QUALITY = ("accuracy", "balanced_accuracy", "average_precision", "selection_rate")
_DIFFERENCES = (
    "demographic_parity_difference",
    "equalized_odds_difference",
    "equalized_odds_sum",
)
# More methods than this do not fit on 80 columns side by side: they are the rows of the
# table, with less about each.
_MOST_COLUMNS = 4
_IN_ROWS = ("accuracy", "balanced_accuracy")
# Where they were asked for.
_INDIVIDUAL = {
    f"{IndividualDiscrimination.name}_{key}": f"individual discrimination, {key}"
    for key in IndividualDiscrimination.meanings
}
_LABELS = {name: each.label for name, each in MEASURES.items()} | _INDIVIDUAL


def has_rows(table):
    """Whether methods are shown as rows, since they are too many for columns.

    Parameters
    ----------
    table : DataFrame
        As of :class:`~skfair_runner.compare.Comparison`.

    Returns
    -------
    has_rows : bool
        True from five methods on.
    """
    return len(table) > _MOST_COLUMNS


def comparison_table(table, constraint, *, title):
    """Table of a comparison, with its methods as columns, or as rows where many.

    Parameters
    ----------
    table : DataFrame
        As of :class:`~skfair_runner.compare.Comparison`.

    constraint : str
        Whose difference stands out.

    title : str
        Above it.

    Returns
    -------
    shown : rich.table.Table or rich.console.Group of them
        With what a reader needs to judge the methods.
    """
    aim = DIFFERENCE_OF[constraint]
    if not has_rows(table):
        shown = _empty_table(title)
        _fill_columns(shown, table, aim)
        return shown
    shown = _empty_table(title, padding=0)
    _fill_rows(shown, table, aim)
    asked = _asked_for(table)
    if not asked:
        return shown
    # Beside the others, these would not fit.
    more = _empty_table(None)
    _add_headings(more, [_LABELS[name].capitalize() for name in asked])
    for name, row in table.iterrows():
        more.add_row(name, *_means(row, asked))
    return import_package("rich.console").Group(shown, more)


def _empty_table(title, **options):
    return import_package("rich.table").Table(
        title=title,
        title_style="bold",
        title_justify="left",
        box=import_package("rich.box").SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
        **options,
    )


def _fill_columns(shown, table, aim):
    """One column per method, and all of the usual measures."""
    shown.add_column("")
    for name in table.index:
        # Broken where the last word begins, so that columns stay narrow.
        broken = re.sub(r"(?<=[a-z])(?=[A-Z][a-z]+$)| (?=\S+$)", "\n", name)
        shown.add_column(broken, justify="right", no_wrap=True)
    differences = [*_DIFFERENCES, *({aim} - set(_DIFFERENCES)), "abcc"]
    differences += _asked_for(table)
    for part in (_QUALITY, differences, ("fit_seconds",)):
        for name in part:
            cells = [
                format_number(row[f"{name}_mean"], row[f"{name}_std"], name)
                for _, row in table.iterrows()
            ]
            label = _LABELS[name].capitalize()
            shown.add_row(label, *cells, style="bold" if name == aim else None)
            if name == aim:
                shown.add_row("its 95 % interval", *_intervals(table, aim))
        shown.add_section()
    words = {True: "yes", False: "no"}
    shown.add_row(
        "Groups needed to predict", *table["needs_groups_at_predict"].map(words)
    )
    shown.add_row("Decides by lot", *table["randomised"].map(words))
    shown.add_row(
        "Constant",
        *(
            format_constant(*counts) if counts[1] else "failed"
            for counts in zip(table["constant_folds"], table["folds"], strict=True)
        ),
    )


def _fill_rows(shown, table, aim):
    """One row per method: means, and letters for what has to be known."""
    names = (*_IN_ROWS, aim)
    headings = [_LABELS[name].capitalize() for name in names]
    _add_headings(shown, [*headings, "its 95\u00a0% interval", "Fit seconds", ""])
    for (name, row), interval in zip(
        table.iterrows(), _intervals(table, aim), strict=True
    ):
        (seconds,) = _means(row, ["fit_seconds"])
        shown.add_row(name, *_means(row, names), interval, seconds, letters(row))


def _add_headings(shown, headings):
    """The column of the methods, and narrow ones: one word of a heading in a line."""
    # Where there is no room, the end of a name goes to a second line.
    shown.add_column("", overflow="fold")
    for heading in headings:
        broken = heading.replace(" ", "\n")
        shown.add_column(broken, justify="right", no_wrap=True)


def _means(row, names):
    """Means of a method, without their spread."""
    return [format_number(row[f"{name}_mean"], float("nan"), name) for name in names]


def _asked_for(table):
    """Rates of individual discrimination that the table has."""
    return [name for name in _INDIVIDUAL if f"{name}_mean" in table]


def _intervals(table, aim):
    """Confidence intervals, in a form that is no wider than mean ± std."""
    if f"{aim}_low" not in table:  # where every method failed
        return ["–"] * len(table)
    ends = zip(table[f"{aim}_low"], table[f"{aim}_high"], strict=True)
    return ["–" if pd.isna(low) else f"{low:.3f}–{high:.3f}" for low, high in ends]


LETTERS = {
    "G": "needs groups to predict",
    "L": "decides by lot",
    "C": "became constant in some folds",
    "F": "failed in some folds",
}


def letters(row):
    """What has to be known about a method, as the letters of ``LETTERS``.

    Parameters
    ----------
    row : Series
        Of the table.

    Returns
    -------
    text : str
        Perhaps empty.
    """
    marks = {
        "G": row["needs_groups_at_predict"],
        "L": row["randomised"],
        "C": row["constant_folds"] > 0,
        "F": row["error"] != "",
    }
    return "".join(letter for letter, is_set in marks.items() if is_set)


def about_letters(table):
    """What the letters in a table of many methods mean.

    Parameters
    ----------
    table : DataFrame
        As of :class:`~skfair_runner.compare.Comparison`.

    Returns
    -------
    sentences : list of str
        None where no letter is shown.
    """
    if not has_rows(table):
        return []
    found = "".join(letters(row) for _, row in table.iterrows())
    meanings = [f"{each}: {text}" for each, text in LETTERS.items() if each in found]
    return ["; ".join(meanings) + "."] if meanings else []
