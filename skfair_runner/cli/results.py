"""What `diagnose` and `repair` show and write alike: differences and neurons."""

from pathlib import Path

import pandas as pd

from skfair_runner.cli.screen import (
    import_package,
    say_path,
    write_figure,
)
from skfair_runner.compare._measures import MEASURES
from skfair_runner.groups import encode_groups
from skfair_runner.metrics import group_rates
from skfair_runner.metrics.summary import full_summary
from skfair_runner.plots import NeuronImportanceDisplay
from skfair_runner.utils import atomic_write

# Rows of the table of numbers.
SHOWN = (
    "accuracy",
    "balanced_accuracy",
    "average_precision",
    "selection_rate",
    "demographic_parity_difference",
    "equalized_odds_difference",
    "equalized_odds_sum",
    "equal_opportunity_difference",
    "false_positive_rate_difference",
    "abcc",
)
# Neurons of each layer, and layers, that fit on a screen.
_NEURONS, _LAYERS = 5, 6


def measure(classifier, X, y, groups, pos_label):
    """Accuracy and group differences of a classifier on some rows.

    Parameters
    ----------
    classifier : RunnerFairClassifier
        Fitted.

    X : array-like of shape (n_samples, n_features)
        Its features.

    y : ndarray of shape (n_samples,)
        Labels, among its classes.

    groups : Series or DataFrame of length n_samples
        Groups; several columns are crossed.

    pos_label : label
        The favourable one.

    Returns
    -------
    numbers : dict of str to float
        Of :func:`skfair_runner.metrics.fairness_summary`, and the false positive rate
        difference.
    """
    told = {"sensitive_features": groups, "pos_label": pos_label}
    decided = classifier.predict(X)
    column = classifier.classes_.tolist().index(pos_label)
    scores = classifier.predict_proba(X)[:, column]
    return full_summary(y, decided, scores, **told)


def show_numbers(screen, columns, *, title, aim):
    """Print the numbers of a model, before and after perhaps.

    Parameters
    ----------
    screen : rich.console.Console
        Where to.

    columns : dict of str to dict of str to float
        Numbers of :func:`measure` by the heading of their column.

    title : str
        Above it.

    aim : str
        Name of the number that stands out.
    """
    rows = [
        [MEASURES[name].label.capitalize()]
        + [f"{numbers[name]:.3f}" for numbers in columns.values()]
        for name in SHOWN
    ]
    styles = ["bold" if name == aim else None for name in SHOWN]
    _show_table(screen, title, ["", *columns], rows, styles)


def show_groups(screen, classifier, X, y, groups, pos_label, *, title):
    """Print the rates of every group.

    Parameters
    ----------
    screen : rich.console.Console
        Where to.

    classifier, X, y, groups, pos_label
        As for :func:`measure`.

    title : str
        Above it.
    """
    table = group_rates(
        y, classifier.predict(X), sensitive_features=groups, pos_label=pos_label
    )
    rows = [
        [name, f"{counted.n:,.0f}", *(f"{rate:.3f}" for rate in counted[2:])]
        for name, counted in zip(
            encode_groups(groups).labels, table.itertuples(), strict=True
        )
    ]
    headings = [name.replace("_", " ").capitalize() for name in table.columns[1:]]
    _show_table(screen, title, ["Group", "Rows", *headings], rows)


def show_neurons(screen, neurons, *, title):
    """Print the most important neurons of each layer.

    Parameters
    ----------
    screen : rich.console.Console
        Where to.

    neurons : DataFrame
        One row per neuron, as of :func:`skfair_runner.diagnose_neurons`.

    title : str
        Above it.
    """
    numbers = ["importance", "discrimination"]
    headings = ["Layer", "Neuron", "Importance", "Discrimination"]
    if "discrimination_after" in neurons:
        numbers.append("discrimination_after")
        headings.append("after repair")
    rows = []
    layers = list(neurons.groupby("layer", sort=False))
    for layer, part in layers[:_LAYERS]:
        for _, neuron in part.sort_values("rank").head(_NEURONS).iterrows():
            cells = [f"{neuron[name]:.3g}" for name in numbers]
            rows.append([layer, str(neuron["neuron"]), *cells])
        if len(part) > _NEURONS:
            rows.append(["", f"{len(part) - _NEURONS} more", *[""] * len(numbers)])
    if len(layers) > _LAYERS:
        more = f"{len(layers) - _LAYERS} more layers"
        rows.append([more, "", *[""] * len(numbers)])
    _show_table(screen, title, headings, rows)


def _show_table(screen, title, headings, rows, styles=None):
    """Print a table in the manner of all others."""
    screen.print(title, style="bold", markup=False, highlight=False)
    table = import_package("rich.table").Table(
        box=import_package("rich.box").SIMPLE_HEAD, show_header=any(headings)
    )
    for k, heading in enumerate(headings):
        # One word a line, so that columns stay narrow.
        broken = heading.replace(" ", "\n")
        table.add_column(broken, justify="right" if k else "left", no_wrap=True)
    for cells, style in zip(rows, styles or [None] * len(rows), strict=True):
        table.add_row(*map(str, cells), style=style)
    screen.print(table)


def write_neurons(screen, neurons: pd.DataFrame, out: Path):
    """Write the table of neurons and, where matplotlib is installed, its picture.

    Parameters
    ----------
    screen : rich.console.Console
        Where to say it.

    neurons : DataFrame
        One row per neuron.

    out : Path
        Folder for neurons.csv and neurons.png.
    """
    write_csv(screen, "Neurons", neurons, out / "neurons.csv", index=False)
    write_figure(
        screen,
        lambda: NeuronImportanceDisplay.from_table(neurons).plot().figure_,
        out / "neurons.png",
        purpose="The picture of the neurons",
    )


def write_csv(screen, what, table: pd.DataFrame, path: Path, *, index):
    """Write a table, whole or not at all, and say where.

    Parameters
    ----------
    screen : rich.console.Console
        Where to say it.

    what : str
        What the table holds.

    table : DataFrame
        To write.

    path : Path
        File.

    index : bool
        Whether its index becomes a column.
    """
    with atomic_write(path, "w") as file:
        table.to_csv(file, index=index, lineterminator="\n", float_format="%.6g")
    say_path(screen, what, path)
