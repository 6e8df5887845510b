"""Which points of a front are worth taking, and which one to take."""

from __future__ import annotations

import operator
import warnings
from numbers import Real

import numpy as np

from skfair_runner.frontier._placing import LARGEST_WEIGHT
from skfair_runner.metrics.fronts import find_knee, non_dominated
from skfair_runner.metrics.intervals import two_digits
from skfair_runner.utils import SkfairRunnerWarning


def mark_front(table, difference):
    """Whether each point is on the front: nobody is more accurate and more equal.

    Parameters
    ----------
    table : DataFrame
        Points; constant ones are never on the front.

    difference : str
        The measure that is traded for accuracy.

    Returns
    -------
    marks : ndarray of shape (n_points,), dtype bool
        For every point.
    """
    alive = np.flatnonzero(~table["constant"].to_numpy(dtype=bool))
    marks = np.zeros(len(table), dtype=bool)
    found = non_dominated(
        table["accuracy"].to_numpy()[alive], table[difference].to_numpy()[alive]
    )
    marks[alive[found]] = True
    return marks


def worse_ends(table, difference):
    """A table whose accuracies and differences are the worse ends of their intervals.

    Parameters
    ----------
    table : DataFrame
        The points.

    difference : str
        Measure that is traded for accuracy.

    Returns
    -------
    table : DataFrame
        A copy, with the estimated differences as ``estimate``.
    """
    return table.assign(
        **{
            "estimate": table[difference],
            difference: table[f"{difference}_high"],
            "accuracy": table["accuracy_low"],
        }
    )


def _by_intervals(table, difference, caller):
    """What a choice among intervals is made of, and how warnings call it."""
    return worse_ends(table, difference), f"{caller} with confident=True"


def choose_position(
    table, difference, select, caller, *, confident=False, n_rows=None, majority=0.0
):
    """The row that a `select` means.

    Parameters
    ----------
    table : DataFrame
        The points.

    difference : str
        Measure that is traded for accuracy.

    select : {"knee"}, float or callable
        See :class:`~skfair_runner.RunnerFrontier`.

    caller : str
        Who asks; begins messages.

    confident, n_rows
        As of :func:`weight_of_request`; for a number.

    majority : float, default=0.0
        Share of the commonest label; the knee is more accurate, if a point is.

    Returns
    -------
    position : int
        Of a row of `table`.

    Raises
    ------
    TypeError
        If a function returns what is no position.

    ValueError
        If a function returns the position of no row.

    Warns
    -----
    SkfairRunnerWarning
        If no point is within the number.
    """
    if callable(select):
        chosen = select(table.copy())
        try:
            position = operator.index(chosen)
        except TypeError:
            raise TypeError(
                f"{caller}: select returned {chosen!r}, where it should return the "
                "position of a row of frontier_, a whole number."
            ) from None
        if not 0 <= position < len(table):
            raise ValueError(
                f"{caller}: select returned {position}, which is no row of frontier_: "
                f"it has {len(table)}, counted from 0."
            )
        return position
    if select == "knee":
        front = np.flatnonzero(table["on_front"])
        # What is no better than one decision for everybody is no bargain.
        better = front[table["accuracy"].to_numpy()[front] > majority]
        front = better if len(better) else front
        front = front if len(front) else np.arange(len(table))
        points = table.iloc[front]
        knee = find_knee(points["accuracy"].to_numpy(), points[difference].to_numpy())
        return int(front[knee])
    if confident:
        table, caller = _by_intervals(table, difference, caller)
    n_rows = n_rows if confident else None
    # The caller of fit, beyond scikit-learn's wrapper.
    return most_accurate_within(
        table, difference, select, caller, stacklevel=5, n_rows=n_rows
    )


def weight_of_request(
    table,
    column,
    caller,
    *,
    difference,
    accuracy,
    weight,
    confident=False,
    n_rows=None,
):
    """Weight of the point that was asked for in one of three ways.

    Parameters
    ----------
    table : DataFrame
        The points.

    column : str
        Measure that is traded for accuracy.

    caller : str
        Who asks; begins messages.

    difference, accuracy, weight : float or None
        See :meth:`~skfair_runner.RunnerFrontier.at`.

    confident : bool, default=False
        Whether the worse ends of the intervals are to be good enough.

    n_rows : int or None, default=None
        Rows that the intervals rest on; needed where `confident`.

    Returns
    -------
    weight : float
        In [0, 1.2].

    Raises
    ------
    TypeError
        If it is no number, or `confident` neither True nor False.

    ValueError
        If not exactly one is passed, or it is out of range; if a weight is to be
        confident.

    Warns
    -----
    SkfairRunnerWarning
        If no point is good enough.
    """
    asked = {"difference": difference, "accuracy": accuracy, "weight": weight}
    given = {name: value for name, value in asked.items() if value is not None}
    if len(given) != 1:
        raise ValueError(
            f"{caller} takes exactly one of difference, accuracy and weight, got "
            f"{given or 'none'}."
        )
    ((name, value),) = given.items()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{caller}: {name}={value!r} is no number.")
    largest = LARGEST_WEIGHT if name == "weight" else 1
    if not 0 <= value <= largest:
        raise ValueError(f"{caller}: {name}={value!r} is not between 0 and {largest}.")
    if not isinstance(confident, (bool, np.bool_)):
        raise TypeError(f"{caller}: confident={confident!r} is neither True nor False.")
    if name == "weight":
        if confident:
            raise ValueError(
                f"{caller}: confident=True asks for an interval that is good enough, "
                f"and weight={value!r} names a point whatever its interval: pass a "
                "difference or an accuracy, or leave confident out."
            )
        return float(value)
    if confident:
        table, caller = _by_intervals(table, column, caller)
    # Both warn the caller of `at` or `refine`.
    if name == "accuracy":
        position = most_equal_above(table, column, value, caller, stacklevel=5)
    else:
        n_rows = n_rows if confident else None
        position = most_accurate_within(
            table, column, value, caller, stacklevel=5, n_rows=n_rows
        )
    return float(table["weight"].iloc[position])


def most_accurate_within(
    table, difference, bound, caller, *, stacklevel=2, n_rows=None
):
    """The most accurate point whose difference is within a bound.

    Parameters
    ----------
    table : DataFrame
        The points.

    difference : str
        Measure that is bounded.

    bound : float
        Its largest value.

    caller : str
        Who asks; begins the warning.

    stacklevel : int, default=2
        Whose line the warning names.

    n_rows : int or None, default=None
        Rows that were held out, if `table` is of :func:`worse_ends`: the warning then
        says how many would do.

    Returns
    -------
    position : int
        The smallest difference where no point meets the bound.

    Warns
    -----
    SkfairRunnerWarning
        Where no point meets it.
    """
    usable = _usable(table)
    within = usable[table[difference].to_numpy()[usable] <= bound]
    if len(within):
        return int(within[table["accuracy"].to_numpy()[within].argmax()])
    position = int(usable[table[difference].to_numpy()[usable].argmin()])
    advice = ""
    if n_rows is not None:
        advice = _rows_that_would_do(table.iloc[usable], difference, bound, n_rows)
    name, smallest = difference.replace("_", " "), "smallest"
    what = f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    if "estimate" in table:
        what, smallest = f"an interval of its {name} that ends", "smallest end"
    warnings.warn(
        f"{caller}: no point of the front has {what} within {bound:g} on the held-out "
        f"rows; the {smallest} is {table[difference].iloc[position]:.3f}, and is "
        f"taken.{advice}",
        SkfairRunnerWarning,
        stacklevel=stacklevel,
    )
    return position


def _rows_that_would_do(points, difference, bound, n_rows):
    """How many held-out rows would bring an interval within a bound, as a sentence.

    Intervals are as wide as one over the root of the number of rows.
    """
    below = points[points["estimate"] < bound]
    if below.empty:
        smallest = points["estimate"].min()
        return (
            f" No estimate of a point that decides anything is below it (the smallest "
            f"is {smallest:.3f} on {n_rows:,} rows), so that how many rows would do "
            "cannot be told."
        )
    room = bound - below["estimate"]
    needed = n_rows * ((below[difference] - below["estimate"]) / room) ** 2
    return (
        f" About {two_digits(needed.min()):,} held-out rows in place of {n_rows:,} "
        f"could tell, if the estimate stays {below['estimate'][needed.idxmin()]:.3f}."
    )


def most_equal_above(table, difference, accuracy, caller, *, stacklevel=2):
    """The point of smallest difference that is accurate enough.

    Parameters
    ----------
    table : DataFrame
        The points.

    difference : str
        Measure to be small.

    accuracy : float
        The smallest accuracy that will do.

    caller : str
        Who asks; begins the warning.

    stacklevel : int, default=2
        Whose line the warning names.

    Returns
    -------
    position : int
        The most accurate point where none is accurate enough.

    Warns
    -----
    SkfairRunnerWarning
        Where none is.
    """
    usable = _usable(table)
    values = table["accuracy"].to_numpy()
    enough = usable[values[usable] >= accuracy]
    if len(enough):
        return int(enough[table[difference].to_numpy()[enough].argmin()])
    position = int(usable[values[usable].argmax()])
    what, which = "an accuracy of", "most accurate one"
    if "estimate" in table:
        what, which = "an interval of its accuracy that begins at", "largest beginning"
    warnings.warn(
        f"{caller}: no point of the front has {what} {accuracy:g} on the held-out "
        f"rows; the {which}, {values[position]:.3f}, is taken.",
        SkfairRunnerWarning,
        stacklevel=stacklevel,
    )
    return position


def _usable(table):
    """Positions of the points that are not constant; of all where all are."""
    alive = np.flatnonzero(~table["constant"].to_numpy(dtype=bool))
    return alive if len(alive) else np.arange(len(table))
