"""The measures of a comparison: their names, what they are called, which is better."""

from dataclasses import dataclass


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
    """

    name: str
    label: str
    greater_is_better: bool | None


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("accuracy", "accuracy", True),
        Measure("balanced_accuracy", "balanced accuracy", True),
        Measure("average_precision", "average precision", True),
        Measure("selection_rate", "selection rate", None),
        Measure(
            "demographic_parity_difference", "demographic parity difference", False
        ),
        Measure("equalized_odds_difference", "equalized odds difference", False),
        Measure("equalized_odds_sum", "equalized odds sum", False),
        Measure("equal_opportunity_difference", "equal opportunity difference", False),
        Measure(
            "false_positive_rate_difference", "false positive rate difference", False
        ),
        Measure("abcc", "area between score distributions", False),
        Measure("fit_seconds", "seconds to fit", None),
    )
}
# The difference that each constraint is about.
DIFFERENCE_OF = {
    "demographic_parity": "demographic_parity_difference",
    "equalized_odds": "equalized_odds_difference",
    "true_positive_rate_parity": "equal_opportunity_difference",
    "false_positive_rate_parity": "false_positive_rate_difference",
}


def check_difference(name, caller):
    """Refuse a name that is no difference between groups.

    Parameters
    ----------
    name : str
        Column that is asked for.

    caller : str
        Who asks; begins the error message.

    Raises
    ------
    ValueError
        If there is no difference of that name.
    """
    known = [m.name for m in MEASURES.values() if m.greater_is_better is False]
    if name not in known:
        raise ValueError(
            f"{caller}: there is no difference {name!r}; pass one of {known}."
        )
