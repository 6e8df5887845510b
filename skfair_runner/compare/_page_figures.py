"""Pictures for the page of a comparison, and the words that stand for them."""

import io

from skfair_runner.compare._by_group import group_frame
from skfair_runner.plots import (
    DiscriminationDisplay,
    GroupMetricsDisplay,
    GroupPrecisionRecallDisplay,
    NeuronHistoryDisplay,
    NeuronImportanceDisplay,
    ScoreDistributionDisplay,
    TradeoffDisplay,
    TrainingHistoryDisplay,
)
from skfair_runner.report import PageFigure
from skfair_runner.utils import import_optional

_DPI = 144  # about twice the pixels that it is shown with
_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")


def make_figures(comparison, difference, utility):
    """Draw the trade-off, rates and scores by group, and neurons.

    Groups are drawn for two methods: the first, which the others are compared with, and
    the first that shows its neurons, or else the next that did not fail.

    Parameters
    ----------
    comparison : Comparison
        What was measured.

    difference, utility : str
        Axes of the trade-off.

    Returns
    -------
    figures : tuple of PageFigure
        Those that there are numbers for; none without matplotlib.
    """
    try:
        pyplot = import_optional("matplotlib.pyplot", extra="plots", purpose="Drawing")
    except ImportError:
        return ()
    figures = [_tradeoff(pyplot, comparison, difference, utility)]
    for name in _pictured(comparison):
        figures += _figures_of_groups(pyplot, comparison, name)
    for name, table in comparison.neurons.items():
        figures += _figures_of_neurons(pyplot, comparison, name, table)
    return tuple(figure for figure in figures if figure is not None)


def _pictured(comparison):
    """Names of the methods whose groups are drawn."""
    if comparison.pos_label is None:
        return []
    measured = list(comparison.predictions)
    first = comparison.table.index[0]
    others = [name for name in measured if name != first]
    shown = [name for name in others if name in comparison.neurons] or others
    return [first] * (first in measured) + shown[:1]


def _drawn(pyplot, display, title, alt, caption, **keywords):
    """Figure of a display, closed again."""
    figure = display.plot(**keywords).figure_
    content = io.BytesIO()
    try:
        figure.savefig(content, format="png", dpi=_DPI)
    finally:
        pyplot.close(figure)
    return PageFigure(title, content.getvalue(), alt, caption)


def _tradeoff(pyplot, comparison, difference, utility):
    table = comparison.table
    columns = [f"{difference}_mean", f"{utility}_mean"]
    if table[columns].dropna().empty:
        return None
    display = TradeoffDisplay.from_table(table, difference=difference, utility=utility)
    words = [comparison.measures[name].label for name in (difference, utility)]
    return _drawn(
        pyplot,
        display,
        "Trade-off and front",
        f"Scatter of {words[1]} against {words[0]}, one point for each method. On the "
        f"front, from the lowest difference up: {', '.join(display.front['method'])}.",
        "The front joins the methods that none beats in one respect and equals in the "
        "other. It goes by means, so a method may be on it by chance.",
    )


def _figures_of_groups(pyplot, comparison, name):
    """Rates, scores and precision against recall of one method, group by group."""
    # Each repetition tests every row once; the first stands for all.
    table = comparison.predictions[name]
    table = table[table["seed"] == table["seed"].min()]
    if table["group"].nunique() < 2:
        return
    favoured = (table["y_true"] == comparison.pos_label).astype(int)
    selected = (table["y_pred"] == comparison.pos_label).astype(int)
    groups = table["group"].astype(str)
    yield _drawn(
        pyplot,
        GroupMetricsDisplay.from_predictions(
            favoured, selected, sensitive_features=groups, metrics=_RATES
        ),
        f"{name}: rates by group",
        _words_of_rates(table, comparison.pos_label),
        "On the held-out rows of all folds together, so differences may deviate a "
        "little from the means in the table. Whiskers are 95 % intervals of each rate.",
    )
    if "score" not in table or table["score"].isna().any():
        return
    scores = ScoreDistributionDisplay.from_predictions(
        table["score"], sensitive_features=groups
    )
    yield _drawn(
        pyplot,
        scores,
        f"{name}: scores by group",
        "Histograms of the scores of each group, and below them the share of each "
        f"group with at most that score. The area between {scores.pair[0]} and "
        f"{scores.pair[1]} is {scores.area:.3f}.",
        "The area is the demographic parity difference averaged over all thresholds.",
    )
    if favoured.nunique() < 2:
        return
    curves = GroupPrecisionRecallDisplay.from_predictions(
        favoured, table["score"], sensitive_features=groups
    )
    precisions = ", ".join(
        f"{group} {value:.3f}"
        for group, value in curves.summary["average_precision"].items()
    )
    yield _drawn(
        pyplot,
        curves,
        f"{name}: precision and recall by group",
        f"Precision against recall, one curve for each group; average precision: "
        f"{precisions}.",
        "Dotted lines are what scores at random would reach in each group.",
    )


def _words_of_rates(predictions, label):
    """Rates of all groups in a sentence for each."""
    frame = group_frame(predictions, label).by_group
    sentences = [
        f"{group}: "
        + ", ".join(f"{name.replace('_', ' ')} {rates[name]:.3f}" for name in _RATES)
        for group, rates in frame.iterrows()
    ]
    return f"Bars of four rates for each group. {'; '.join(sentences)}."


def _figures_of_neurons(pyplot, comparison, name, table):
    """Neurons and training of one method, in its first fold."""
    selected = int(table["selected"].sum())
    yield _drawn(
        pyplot,
        NeuronImportanceDisplay.from_table(table),
        f"{name}: importance of neurons",
        f"Bars of the importance of {len(table)} neurons in "
        f"{table['layer'].nunique()} layers, most important first; {selected} were "
        "held responsible.",
        "Of the first fold.",
    )
    if "discrimination_after" in table:
        fell = int((table["discrimination_after"] < table["discrimination"]).sum())
        yield _drawn(
            pyplot,
            DiscriminationDisplay.from_table(table),
            f"{name}: discrimination of neurons",
            "Scatter of the discrimination of each neuron after the repair against "
            f"before; it fell in {fell} of {len(table)}.",
            "Neurons below the diagonal answer the groups more alike than before. Of "
            "the first fold.",
        )
    history = comparison.history.get(name)
    if history is None or not len(history):
        return
    yield _drawn(
        pyplot,
        TrainingHistoryDisplay.from_history(history),
        f"{name}: training",
        f"Curves of loss and difference over {len(history)} epochs.",
        "Of the first fold, on the rows that it was trained on.",
    )
    if "selected" in history and history["selected"].notna().any():
        yield _drawn(
            pyplot,
            NeuronHistoryDisplay.from_history(history),
            f"{name}: neurons held responsible",
            "Heat map of the neurons that were held responsible in each epoch of the "
            "repair.",
            "Long bars are neurons that the gap went through all along. Of the first "
            "fold.",
        )
