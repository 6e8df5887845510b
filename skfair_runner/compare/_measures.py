"""The measures of a comparison: their names, what they are called, which is better."""

from dataclasses import dataclass

from skfair_runner.conditions import CONSTRAINTS


@dataclass(frozen=True)
class Measure:
    """One number per classifier and fold.

    Attributes
    ----------
    name : str
        Column of the tables.

    label : str
        What it is called in text.

    greater_is_better : bool or None
        None where it is neither.

    compares_groups : bool
        Whether it is about a difference between groups, or between people who differ
        in their group alone, rather than about use.

    meaning : str, default=""
        A sentence for readers who do not know it.

    about_zero : str, default=""
        What it says about methods if this, and every measure with the same text, is 0.
    """

    name: str
    label: str
    greater_is_better: bool | None
    compares_groups: bool = False
    meaning: str = ""
    about_zero: str = ""


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("accuracy", "accuracy", True),
        Measure("balanced_accuracy", "balanced accuracy", True),
        Measure("average_precision", "average precision", True),
        Measure("roc_auc", "area under the ROC curve", True),
        Measure("selection_rate", "selection rate", None),
        Measure(
            "demographic_parity_difference",
            "demographic parity difference",
            False,
            True,
        ),
        Measure("equalized_odds_difference", "equalized odds difference", False, True),
        Measure("equalized_odds_sum", "equalized odds sum", False, True),
        Measure(
            "equal_opportunity_difference", "equal opportunity difference", False, True
        ),
        Measure(
            "false_positive_rate_difference",
            "false positive rate difference",
            False,
            True,
        ),
        Measure("disparate_impact", "disparate impact", True, True),
        Measure("abcc", "area between score distributions", False, True),
        Measure("fit_seconds", "seconds to fit", None),
        Measure("predict_seconds", "seconds to predict", None),
    )
}
# The difference that each constraint is about.
DIFFERENCE_OF = {name: constraint.metric for name, constraint in CONSTRAINTS.items()}
# Of a ratio of selection rates; the "four-fifths rule" of US employment guidelines.
FOUR_FIFTHS = 0.8


def check_difference(name, caller, measures=MEASURES):
    """Refuse a name that is no difference between groups.

    Parameters
    ----------
    name : str
        Column that is asked for.

    caller : str
        Who asks; begins the error message.

    measures : dict of str to Measure, default=MEASURES
        What there is.

    Raises
    ------
    ValueError
        If there is no difference of that name.
    """
    known = [m.name for m in measures.values() if m.greater_is_better is False]
    if name not in known:
        raise ValueError(
            f"{caller}: there is no difference {name!r}; pass one of {known}."
        )


def check_utility(name, caller, measures=MEASURES):
    """Refuse a name that is no measure of use, of which more is better.

    Parameters
    ----------
    name : str
        Column that is asked for.

    caller : str
        Who asks; begins the error message.

    measures : dict of str to Measure, default=MEASURES
        What there is.

    Raises
    ------
    ValueError
        If there is no utility of that name.
    """
    known = [
        m.name
        for m in measures.values()
        if m.greater_is_better and not m.compares_groups
    ]
    if name not in known:
        raise ValueError(
            f"{caller}: there is no utility {name!r}; pass one of {known}."
        )
