"""What the page of a comparison shows: its tables, and words about them."""

import inspect
import sys

from skfair_runner.compare._measures import check_difference, check_utility
from skfair_runner.compare._page_figures import make_figures
from skfair_runner.report import ComparisonPage, PageMeasure, render_page, write_page

_MEANINGS = {
    "accuracy": "Share of decisions that agree with the label.",
    "balanced_accuracy": (
        "Mean, over the labels, of the share of right decisions. Constant decisions "
        "get 0.5 of two labels."
    ),
    "average_precision": (
        "How far scores sort the favourable label to the top. Scores at random get the "
        "share of that label."
    ),
    "roc_auc": (
        "How often somebody with the favourable label has a higher score than somebody "
        "without. Scores at random get 0.5."
    ),
    "selection_rate": "Share of people who get the favourable decision.",
    "demographic_parity_difference": (
        "Largest minus smallest selection rate among the groups. It does not look at "
        "the label."
    ),
    "equalized_odds_difference": (
        "The larger of two differences among the groups: in the true positive rate "
        "(favourable decisions among those who have the favourable label) and in the "
        "false positive rate (among those who do not)."
    ),
    "equalized_odds_sum": (
        "The differences in true and in false positive rate, added; at most 2."
    ),
    "equal_opportunity_difference": (
        "Largest minus smallest true positive rate among the groups: favourable "
        "decisions among those who have the favourable label."
    ),
    "false_positive_rate_difference": (
        "Largest minus smallest false positive rate among the groups: favourable "
        "decisions among those who do not have the favourable label."
    ),
    "disparate_impact": (
        "Smallest selection rate divided by the largest; 1 means that they are the "
        "same. The four-fifths rule of US guidelines on employment asks for 0.8. "
        "Meeting it says nothing about errors."
    ),
    "abcc": (
        "Area between the distributions of the groups' scores (ABCC): the demographic "
        "parity difference, averaged over all thresholds. Of more than two groups, the "
        "pair that differs most."
    ),
    "fit_seconds": "Time to train once, on the training rows of one fold.",
    "predict_seconds": "Time to decide about all held-out rows of one fold.",
}
_DECIMALS = {"fit_seconds": 1}


def to_html(
    self,
    path=None,
    *,
    difference="demographic_parity_difference",
    utility="accuracy",
    title=None,
    data_name="",
    description="",
    favourable="",
    notes=(),
):
    """Show a comparison on one HTML page, to read, print or hand over.

    The page is a single file that loads nothing. It has the groups, the table,
    which can be sorted and filtered, an interactive trade-off, neurons, pictures
    where matplotlib is installed, reading help, settings and versions.

    Parameters
    ----------
    path : str, path-like or None, default=None
        File to write, in full or not at all; its folder must exist. None returns
        the page instead.

    difference : str, default="demographic_parity_difference"
        The measure that was to be reduced; the horizontal axis of the trade-off, to
        begin with.

    utility : str, default="accuracy"
        Its vertical axis.

    title : str or None, default=None
        Heading; None counts the classifiers.

    data_name : str, default=""
        What the methods were compared on.

    description : str, default=""
        Sentences about it.

    favourable : str, default=""
        What the favourable label means; the label itself, where nothing is said.

    notes : sequence of str, default=()
        Sentences to add to the reading help.

    Returns
    -------
    html : str or None
        The page, where no path is given.

    Raises
    ------
    ImportError
        If jinja2 is not installed.

    ValueError
        If there is no such difference or utility.
    """
    caller = "Comparison.to_html"
    check_difference(difference, caller, self.measures)
    check_utility(utility, caller, self.measures)
    page = make_page(
        self,
        difference=difference,
        utility=utility,
        title=title,
        notes=notes,
        data_name=data_name,
        description=description,
        favourable=favourable,
    )
    return render_page(page) if path is None else write_page(page, path)


def make_page(comparison, *, difference, utility, title, notes, **facts):
    """Everything that the page shows.

    Parameters
    ----------
    comparison : Comparison
        What was measured.

    difference, utility : str
        Axes of the trade-off, to begin with.

    title : str or None
        Heading; None counts the classifiers.

    notes : sequence of str
        Sentences beside those that every page has.

    **facts : dict
        ``data_name``, ``description`` and ``favourable``, as of
        :class:`~skfair_runner.report.ComparisonPage`.

    Returns
    -------
    page : ComparisonPage
        Ready to be rendered.
    """
    table = comparison.table
    if title is None:
        title = f"Comparison of {len(table)} classifier{'s' * (len(table) != 1)}"
    if not facts["favourable"] and comparison.pos_label is not None:
        facts["favourable"] = str(comparison.pos_label)
    settings = dict(comparison.settings)
    described = {
        name: changed_parameters(each)
        for name, each in settings.pop("methods", {}).items()
    }
    if described:
        settings = {"methods": described, **settings}
    figures = make_figures(comparison, difference, utility)
    return ComparisonPage(
        title=title,
        table=table,
        measures=tuple(_page_measure(m, table) for m in comparison.measures.values()),
        difference=difference,
        utility=utility,
        groups=_groups(comparison),
        measured_on=_measured_on(comparison.per_fold),
        by_group=_by_group(comparison),
        summary=comparison.summary(difference=difference),
        caveats=(*_caveats(comparison, figures), *notes),
        figures=figures,
        neurons=comparison.neurons,
        settings={name: _text(each) for name, each in described.items()},
        reproduce=settings,
        **facts,
    )


def _page_measure(measure, table):
    if measure.name.endswith("_seconds"):
        kind = "cost"
    else:
        kind = "difference" if measure.compares_groups else "quality"
    return PageMeasure(
        measure.name,
        measure.label,
        kind,
        measure.greater_is_better,
        measure.meaning or _MEANINGS.get(measure.name, ""),
        decimals=0
        if table[f"{measure.name}_mean"].abs().max() >= 1000
        else _DECIMALS.get(measure.name, 3),
    )


def _groups(comparison):
    """Sizes of the groups, and the share with the favourable label in each.

    Of the rows that were held out, each counted once; None where every method failed.
    """
    tables = list(comparison.predictions.values())
    if not tables:
        return None
    rows = max(tables, key=len).drop_duplicates("row")
    favoured = (rows["y_true"] == comparison.pos_label).astype(float)
    if comparison.pos_label is None:
        favoured[:] = float("nan")
    groups = favoured.groupby(rows["group"].astype(str)).agg(["size", "mean"])
    return groups.set_axis(["n_samples", "share_favourable"], axis=1)


def _by_group(comparison):
    """Rates of every method and group; None without a favourable label or decisions."""
    if comparison.pos_label is None or not comparison.predictions:
        return None
    table = comparison.by_group(as_frame=True)
    return table.astype({"count": int})


def _measured_on(per_fold):
    folds, seeds = per_fold["fold"].nunique(), per_fold["seed"].nunique()
    repeated = f" of each of {seeds} seeds" if seeds > 1 else ""
    return f"mean over {folds} fold{'s' * (folds != 1)}{repeated}, on held-out rows"


def _caveats(comparison, figures):
    """Sentences about this comparison in particular."""
    if comparison.pos_label is None:
        yield (
            "No label is the favourable one: every label was compared with the rest, "
            "and the largest difference is shown."
        )
    table = comparison.table
    if table.loc[table["folds"] > 0, "randomised"].any():
        yield (
            "Where decisions are drawn by lot, measures of scores are those of the "
            "probability of the decision."
        )
    if comparison.neurons:
        yield "Neurons are those of the first fold; other folds train other networks."
    if not figures:
        yield "There are no pictures, for matplotlib was not installed."


def changed_parameters(description):
    """Class of an estimator, and the parameters that are not at their defaults.

    Parameters
    ----------
    description : dict
        ``class`` and ``parameters``, texts by name, as in ``Comparison.settings``.

    Returns
    -------
    changed : dict of str to str
        ``class``, then the parameters. One whose default is not known is kept.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> changed_parameters(
    ...     {
    ...         "class": "sklearn.linear_model._logistic.LogisticRegression",
    ...         "parameters": {"C": "0.5", "max_iter": "100"},
    ...     }
    ... )
    {'class': 'sklearn.linear_model._logistic.LogisticRegression', 'C': '0.5'}
    """
    parameters = description["parameters"]
    changed = {"class": description["class"]}
    for name, value in parameters.items():
        owner, _, own_name = name.rpartition("__")
        owner = parameters.get(owner, "") if owner else description["class"]
        if _defaults(owner).get(own_name) != value:
            changed[name] = value
    return changed


def _defaults(class_name):
    """Texts of a class's defaults, if it is one that is loaded."""
    module, _, name = class_name.rpartition(".")
    found = getattr(sys.modules.get(module), name, None) if module else None
    if not inspect.isclass(found):
        return {}
    return {
        parameter.name: " ".join(repr(parameter.default).split())
        for parameter in inspect.signature(found).parameters.values()
        if parameter.default is not inspect.Parameter.empty
    }


def _text(changed):
    """Class and parameters of a method, one in each line, the outer ones first."""
    names = sorted(
        changed.keys() - {"class"}, key=lambda name: (name.count("__"), name)
    )
    lines = [f"{name} = {changed[name]}" for name in names]
    return "\n".join([changed["class"].rpartition(".")[2], *lines])
