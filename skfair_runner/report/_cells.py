"""What stands in each cell of the page: texts, and what they are sorted by."""

import math
import re

import numpy as np
import pandas as pd

from skfair_runner.report._scatter import span

DASH = "–"
_YES_NO = {True: "yes", False: "no"}
# Facts about a method that are no measures: column, heading, word for each value, and
# which value a reader would want first.
_FACTS = (
    ("four_fifths", "four-fifths rule", {True: "met", False: "not met"}, True),
    ("needs_groups_at_predict", "groups needed to predict", _YES_NO, False),
    ("randomised", "decides by lot", _YES_NO, False),
)


def number_text(value, decimals):
    """Round a number, with a true minus sign; a dash where there is none.

    Examples
    --------
    >>> number_text(0.12345, 3), number_text(-0.5, 1), number_text(float("nan"), 3)
    ('0.123', '−0.5', '–')
    """
    if pd.isna(value):
        return DASH
    text = f"{value:.{decimals}f}"
    # What rounds to zero has no sign.
    return text.replace("-", "−" if float(text) else "")


def measure_cell(row, measure):
    """Texts of one measure of one method.

    Parameters
    ----------
    row : Series
        Row of the table.

    measure : PageMeasure
        The measure.

    Returns
    -------
    cell : dict of str to str
        ``sort`` (empty where there is no number), ``mean``, ``spread``, ``interval``.
    """

    def text(value):
        return number_text(value, measure.decimals)

    mean = row[f"{measure.name}_mean"]
    cell = {"sort": "", "mean": text(mean), "spread": "", "interval": ""}
    if pd.isna(mean):
        return cell
    cell["sort"] = repr(float(mean))
    std = row.get(f"{measure.name}_std")
    if pd.notna(std):
        cell["spread"] = f"± {text(std)}"
    low, high = (row.get(f"{measure.name}_{end}") for end in ("low", "high"))
    if pd.notna(low) and pd.notna(high):
        cell["interval"] = f"{text(low)} to {text(high)}"
    return cell


def fact_columns(table):
    """Headings of the facts that the table has, and which value comes first."""
    columns = [
        {"name": name, "label": label, "first": "desc" if first else "asc"}
        for name, label, _, first in _FACTS
        if name in table
    ]
    if "constant_folds" in table:
        columns.append(
            {"name": "constant_folds", "label": "constant decisions", "first": "asc"}
        )
    return columns


def _fact_cells(row):
    """Words of the facts, in the order of their columns; dashes for what failed."""
    cells, failed = [], row.get("folds") == 0
    for name, _, words, _ in _FACTS:
        if name in row.index:
            value = row[name]
            known = pd.notna(value) and not failed
            cells.append(
                {
                    "sort": str(int(bool(value))) if known else "",
                    "mean": words[bool(value)] if known else DASH,
                }
            )
    if "constant_folds" in row.index:
        constant, folds = int(row["constant_folds"]), row.get("folds")
        of = "" if folds is None else f" of {int(folds)}"
        text = f"{constant}{of} folds" if constant else "no"
        cells.append(
            {
                "sort": "" if failed else str(constant),
                "mean": DASH if failed else text,
            }
        )
    return cells


def _flags(row, most_folds):
    """What a reader must know about a method, in a few words each."""
    flags = []
    folds = row.get("folds")
    if folds == 0:
        return [("failed", "failed")]
    if folds is not None and folds < most_folds:
        missed = int(most_folds - folds)
        flags.append(("failed", f"failed in {missed} of {int(most_folds)} folds"))
    if row.get("constant_folds", 0) > 0:
        flags.append(("constant", "constant decisions"))
    if bool(row.get("needs_groups_at_predict", False)):
        flags.append(("groups", "needs groups"))
    if bool(row.get("randomised", False)):
        flags.append(("lot", "by lot"))
    return flags


def method_rows(page):
    """Rows of the comparison.

    Parameters
    ----------
    page : ComparisonPage
        What the page shows.

    Returns
    -------
    rows : list of dict
        One per method: ``number``, ``name`` and its ``parts``, ``cells``, ``facts``,
        ``flags``, ``error``, ``settings`` and ``spans``, see
        :func:`~skfair_runner.report._scatter.span`.
    """
    table, rows = page.table, []
    most_folds = table["folds"].max() if "folds" in table else 0
    for number, (name, row) in enumerate(table.iterrows(), start=1):
        rows.append(
            {
                "number": number,
                "name": str(name),
                # It may be broken before a capital, as in RunnerFairClassifier.
                "parts": re.split(r"(?<=[a-z])(?=[A-Z])", str(name)),
                "cells": [measure_cell(row, m) for m in page.shown_measures],
                "facts": _fact_cells(row),
                "flags": _flags(row, most_folds),
                "error": str(row.get("error") or ""),
                "settings": str(page.settings.get(name, "")),
                "spans": {
                    m.name: values
                    for m in page.shown_measures
                    if (values := span(row, m.name)) is not None
                },
            }
        )
    return rows


def group_rows(groups):
    """Rows of the table of groups: name, rows, share of all, share favourable."""
    total = groups["n_samples"].sum()
    return [
        {
            "name": str(name),
            "n": f"{int(row['n_samples']):,}",
            "part": f"{row['n_samples'] / total:.1%}",
            "share": (
                DASH
                if pd.isna(row["share_favourable"])
                else f"{row['share_favourable']:.1%}"
            ),
            "bar": round(100 * float(np.nan_to_num(row["share_favourable"])), 1),
        }
        for name, row in groups.iterrows()
    ]


def rate_rows(by_group):
    """Rates of every group, method by method.

    Parameters
    ----------
    by_group : DataFrame
        See :class:`~skfair_runner.report.ComparisonPage`.

    Returns
    -------
    methods : list of dict
        ``name`` and ``groups``, each of which has a ``name`` and ``cells``.
    """
    methods = []
    counts = [pd.api.types.is_integer_dtype(dtype) for dtype in by_group.dtypes]
    for name, part in by_group.groupby(level=0, sort=False):
        groups = [
            {
                "name": str(group),
                "cells": [
                    f"{value:,.0f}" if is_count else number_text(value, 3)
                    for value, is_count in zip(row, counts, strict=True)
                ],
            }
            for (_, group), row in part.iterrows()
        ]
        methods.append({"name": str(name), "groups": groups})
    return methods


def neuron_layers(table, most=15):
    """Most important neurons of every layer.

    Parameters
    ----------
    table : DataFrame
        One row per neuron.

    most : int, default=15
        Neurons to show of each layer.

    Returns
    -------
    layers : list of dict
        ``name``, ``total``, ``n_selected`` and ``rows``, lists of texts.
    """
    layers = []
    has_discrimination = "discrimination" in table
    has_after = "discrimination_after" in table
    for layer, part in table.groupby("layer", sort=False):
        part = part.sort_values("rank")
        rows = []
        for _, neuron in part.head(most).iterrows():
            texts = [
                f"{neuron['rank']:g}",
                str(neuron["neuron"]),
                _short(neuron["importance"]),
                _YES_NO[bool(neuron["selected"])],
            ]
            if has_discrimination:
                texts.append(_short(neuron["discrimination"]))
            if has_after:
                texts.append(_short(neuron["discrimination_after"]))
            rows.append(texts)
        layers.append(
            {
                "name": str(layer),
                "total": len(part),
                "n_selected": int(part["selected"].sum()),
                "rows": rows,
                "has_discrimination": has_discrimination,
                "has_after": has_after,
            }
        )
    return layers


def _short(value):
    """Three significant digits, for numbers of any size."""
    if pd.isna(value) or not math.isfinite(value):
        return DASH
    return f"{value:.3g}".replace("-", "−")
