"""A repair in words: what was reduced, from what to what, and at what cost."""

from skfair_runner.compare._measures import MEASURES

# A change of less than this is not worth a word.
_WORTH_TELLING = 0.005


def describe_repair(metrics, aim, n_rows):
    """Sentences about a repair.

    Parameters
    ----------
    metrics : DataFrame
        With the columns before and after, one row per measure.

    aim : str
        The difference that was to be reduced.

    n_rows : int
        Held-out rows that it was measured on.

    Returns
    -------
    text : str
        One paragraph.

    Examples
    --------
    >>> import pandas as pd
    >>> metrics = pd.DataFrame(
    ...     {"before": [0.90, 0.20, 0.0], "after": [0.88, 0.04, 0.0]},
    ...     index=["accuracy", "demographic_parity_difference", "constant"],
    ... )
    >>> describe_repair(metrics, "demographic_parity_difference", 300)
    'The repair reduced the demographic parity difference from 0.200 to 0.040 on 300 \
held-out rows, at a cost of 2.0 points of accuracy (0.900 to 0.880). The model needs \
no groups to predict.'
    """
    before, after = metrics.loc[aim, ["before", "after"]]
    label, change = MEASURES[aim].label, f"from {before:.3f} to {after:.3f}"
    if after < before - _WORTH_TELLING / 2:
        start = f"The repair reduced the {label} {change}"
    elif after > before + _WORTH_TELLING / 2:
        start = f"The repair did not reduce the {label}: it went {change}"
    else:
        start = f"The repair left the {label} where it was, {change}"
    reduced = after < before - _WORTH_TELLING / 2
    sentences = [f"{start} on {n_rows:,} held-out rows, {_cost(metrics, reduced)}."]
    if metrics.loc["constant", "before"] and metrics.loc["constant", "after"]:
        sentences.append(
            "But the model was constant before it was repaired: it gives more than "
            "99.5 % the same decision, so that there was no difference to reduce. Is "
            "it fed with what it was trained on (--features, scaling, --module-output)?"
        )
    elif metrics.loc["constant", "after"]:
        sentences.append(
            "But the repaired model became constant: it gives more than 99.5 % the "
            "same decision, so its differences say nothing. Raise --bound."
        )
    sentences.append("The model needs no groups to predict.")
    worse = _worse(metrics, aim)
    if worse:
        sentences.append(f"Worse than before: {', '.join(worse)}.")
    return " ".join(sentences)


def _cost(metrics, reduced):
    """What happened to accuracy, in points."""
    before, after = metrics.loc["accuracy", ["before", "after"]]
    points, numbers = 100 * (after - before), f"({before:.3f} to {after:.3f})"
    if abs(points) < 0.05:
        return f"with accuracy unchanged {numbers}"
    if points < 0 and reduced:
        return f"at a cost of {-points:.1f} points of accuracy {numbers}"
    moved = "rose" if points > 0 else "fell"
    return f"while accuracy {moved} by {abs(points):.1f} points {numbers}"


def _worse(metrics, aim):
    """Other measures that got worse by an amount worth telling."""
    found = []
    for name, (before, after) in metrics[["before", "after"]].iterrows():
        known = MEASURES.get(name)
        if (
            known is None
            or known.greater_is_better is None
            or name in (aim, "accuracy")
        ):
            continue
        worse_by = before - after if known.greater_is_better else after - before
        if worse_by >= _WORTH_TELLING:
            found.append(f"{known.label} ({before:.3f} to {after:.3f})")
    return found
