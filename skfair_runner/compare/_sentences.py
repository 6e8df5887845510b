"""A comparison in words: what was reduced, from what to what, and at what cost."""

from math import isnan

from skfair_runner.compare._measures import MEASURES

# A change of less than this is not worth a word.
_WORTH_TELLING = 0.005
_WATCHED = (
    "balanced_accuracy",
    "average_precision",
    "demographic_parity_difference",
    "equalized_odds_difference",
    "equal_opportunity_difference",
    "false_positive_rate_difference",
    "abcc",
)


def describe(table, per_fold, difference, reference):
    """Paragraphs about all methods but one, compared with that one.

    Parameters
    ----------
    table, per_fold : DataFrame
        As of :class:`~skfair_runner.compare.Comparison`.

    difference : Measure
        What was to be reduced.

    reference : str
        Method that the others are compared with.

    Returns
    -------
    text : str
        Paragraphs, separated by blank lines.
    """
    if table.loc[reference, "folds"] == 0:
        return (
            f"{reference}, which the other methods are compared with, failed: "
            f"{table.loc[reference, 'error']}"
        )
    others = [name for name in table.index if name != reference]
    paragraphs = [
        _paragraph(table, per_fold, difference, name, reference) for name in others
    ]
    if table.loc[reference, "constant_folds"]:
        paragraphs.insert(0, _constant(reference, table.loc[reference]))
    return "\n\n".join(paragraphs) or (
        f"{reference}: {difference.label} "
        f"{table.loc[reference, f'{difference.name}_mean']:.3f}, accuracy "
        f"{table.loc[reference, 'accuracy_mean']:.3f}; there is no other method to "
        "compare it with."
    )


def about_zeros(table, measures):
    """What has to be known about methods with a measure of 0.

    Parameters
    ----------
    table : DataFrame
        As of :class:`~skfair_runner.compare.Comparison`.

    measures : dict of str to Measure
        Those that say what 0 means are looked at.

    Returns
    -------
    sentences : list of str
        One for each such text, with the methods that it is about.
    """
    told = {}
    for measure in measures.values():
        if measure.about_zero:
            told.setdefault(measure.about_zero, []).append(f"{measure.name}_mean")
    sentences = []
    for text, columns in told.items():
        zero = (table[columns] == 0).all(axis=1)
        if zero.any():
            sentences.append(f"{', '.join(table.index[zero])}: {text}")
    return sentences


def _paragraph(table, per_fold, difference, name, reference):
    """What one method did, compared with the reference."""
    row, other = table.loc[name], table.loc[reference]
    if row["folds"] == 0:
        return f"{name} failed: {row['error']}"
    pairs = _pairs(per_fold, name, reference)
    sentences = [_change(name, row, other, difference, pairs)]
    sentences += _reserve(row, other, difference)
    if row["constant_folds"]:
        sentences.append(_constant(name, row))
    sentences += _conditions(row)
    worse = _worse(row, other, difference.name)
    if worse:
        sentences.append(f"Worse than {reference}: {', '.join(worse)}.")
    if row["error"]:
        sentences.append(f"It failed on the other folds: {row['error']}")
    return " ".join(sentences)


def _pairs(per_fold, name, reference):
    """Measures of both methods on the folds that neither failed on."""
    ours, theirs = (
        per_fold[(per_fold["method"] == each) & (per_fold["error"] == "")].set_index(
            ["seed", "fold"]
        )
        for each in (name, reference)
    )
    shared = ours.index.intersection(theirs.index)
    return ours.loc[shared], theirs.loc[shared]


def _change(name, row, other, difference, pairs):
    """How the difference moved, in how many folds, and what it cost."""
    column = f"{difference.name}_mean"
    before, after = other[column], row[column]
    ours, theirs = (part[difference.name] for part in pairs)
    folds = len(ours)
    lower = int((ours < theirs).sum())
    numbers = f"from {before:.3f} to {after:.3f}"
    where = f"mean over {row['folds']} folds, lower in {lower} of {folds}"
    if after < before - _WORTH_TELLING / 2:
        # Where it did not hold on every fold, it may be chance.
        verb = "reduced" if lower == folds else "on average reduced"
        start = f"{name} {verb} the {difference.label} {numbers} ({where})"
        link = "at a cost of" if row["accuracy_mean"] < other["accuracy_mean"] else ""
    elif after > before + _WORTH_TELLING / 2:
        start = f"{name} did not reduce the {difference.label}: it went {numbers}"
        start += f" ({where})"
        link = ""
    else:
        start = f"{name} left the {difference.label} where it was, {numbers} ({where})"
        link = ""
    return f"{start}, {_accuracy(row, other, link)}."


def _reserve(row, other, difference):
    """Say where the confidence intervals of the two overlap."""
    low, high = f"{difference.name}_low", f"{difference.name}_high"
    overlap = low in row and row[low] <= other[high] and other[low] <= row[high]
    if not overlap:  # nor where an end is missing
        return []
    ends = (
        f"{row[low]:.3f} to {row[high]:.3f} and {other[low]:.3f} to {other[high]:.3f}"
    )
    return [
        f"The confidence intervals overlap ({ends}): which of the two is lower is not "
        "settled."
    ]


def _accuracy(row, other, link):
    """What happened to accuracy, in points."""
    before, after = other["accuracy_mean"], row["accuracy_mean"]
    points = 100 * (after - before)
    numbers = f"({before:.3f} to {after:.3f})"
    if abs(points) < 0.05:
        return f"with accuracy unchanged {numbers}"
    if link:
        return f"{link} {-points:.1f} points of accuracy {numbers}"
    moved = "rose" if points > 0 else "fell"
    return f"while accuracy {moved} by {abs(points):.1f} points {numbers}"


def _conditions(row):
    """What has to be known and accepted when it decides."""
    sentences = []
    if row["needs_groups_at_predict"]:
        sentences.append("It needs the group of everybody that it decides about.")
    else:
        sentences.append("It needs no groups to predict.")
    if row["randomised"]:
        sentences.append(
            "It decides by lot: with another seed the same person may get the other "
            "decision."
        )
    return sentences


def _constant(name, row):
    """Say where a difference is small for no good reason."""
    rate = row["selection_rate_mean"]
    # Of more than two labels none is the one that selects.
    told = "" if isnan(rate) else f" (selection rate {rate:.3f})"
    return (
        f"{name} became constant in {row['constant_folds']} of {row['folds']} folds: "
        f"it gives more than 99.5 % the same decision{told}, so its differences say "
        "nothing there."
    )


def _worse(row, other, left_out):
    """Measures that got worse by an amount worth telling."""
    found = []
    for name in _WATCHED:
        before, after = other[f"{name}_mean"], row[f"{name}_mean"]
        worse_by = (
            before - after if MEASURES[name].greater_is_better else after - before
        )
        if name != left_out and worse_by >= _WORTH_TELLING:
            found.append(f"{MEASURES[name].label} ({before:.3f} to {after:.3f})")
    return found
