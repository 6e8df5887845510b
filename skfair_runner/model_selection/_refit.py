"""Rules that pick a candidate of a search by a utility and a group difference."""

import sys
import warnings
from dataclasses import dataclass
from numbers import Real

import numpy as np

from skfair_runner.metrics.fronts import find_knee, non_dominated
from skfair_runner.utils import SkfairRunnerWarning

_TOLERANCE = 1e-12
_UTILITY = "mean_test_accuracy"
_DIFFERENCE = "mean_test_demographic_parity_difference"
# Packages whose searches call the rules.
_SEARCHING = ("skfair_runner", "sklearn")


def best_within_bound(bound, *, utility=_UTILITY, difference=_DIFFERENCE):
    """Build a refit rule: the best utility among candidates below a bound.

    For the parameter `refit` of GridSearchCV and RandomizedSearchCV, whose
    `scoring` then names both scores. When no candidate meets the bound, the
    one with the smallest difference is taken, with a warning.

    Parameters
    ----------
    bound : float
        Largest group difference allowed, at least 0, as a mean over the folds.

    utility : str, default="mean_test_accuracy"
        Column of `cv_results_` to maximise.

    difference : str, default="mean_test_demographic_parity_difference"
        Column of `cv_results_` with the negated group difference, as
        `fairness_scorer` gives it: never above 0.

    Returns
    -------
    rule : callable
        ``rule(cv_results)`` is the index of the chosen candidate. Among equal
        utilities the smaller difference wins, then the first candidate.
        Candidates with a NaN in either column are never chosen.

    Raises
    ------
    TypeError
        If `bound` is not a number.

    ValueError
        If `bound` is negative or NaN. When called: if a column does not exist,
        the differences are not negated, or every candidate has a NaN.

    See Also
    --------
    fairness_scorer : Scorer for the second column.
    least_difference_near_best : Bounds the loss of utility instead.
    knee_of_front : Bounds neither.

    Notes
    -----
    HalvingGridSearchCV scores by one number only, so it takes no such rule.

    Examples
    --------
    >>> from skfair_runner.model_selection import best_within_bound
    >>> rule = best_within_bound(
    ...     0.05, utility="mean_test_accuracy", difference="mean_test_difference"
    ... )
    >>> rule(
    ...     {
    ...         "mean_test_accuracy": [0.86, 0.84, 0.82],
    ...         "mean_test_difference": [-0.18, -0.04, -0.01],
    ...     }
    ... )
    1
    """
    _check_number("best_within_bound", "bound", bound)
    return _BestWithinBound(utility, difference, bound)


def least_difference_near_best(
    n_standard_errors=1.0, *, utility=_UTILITY, difference=_DIFFERENCE
):
    """Build a refit rule: the smallest difference whose utility is as good as the best.

    As good is what lies within one standard error of the best mean over the folds, the
    rule by which trees are pruned [1]_, here spent on the difference between groups.

    Parameters
    ----------
    n_standard_errors : float, default=1.0
        How many standard errors of the best candidate's mean are given away, at
        least 0.

    utility : str, default="mean_test_accuracy"
        Column of `cv_results_` that counts; it begins with ``mean_test_``, and the
        folds' columns of the same score must be there.

    difference : str, default="mean_test_demographic_parity_difference"
        Column of `cv_results_` with the negated group difference.

    Returns
    -------
    rule : callable
        ``rule(cv_results)`` is the index of the chosen candidate. Among equal
        differences the better utility wins, then the first candidate.

    Raises
    ------
    TypeError
        If `n_standard_errors` is not a number.

    ValueError
        If `n_standard_errors` is negative or NaN, or `utility` is no mean over folds.
        When called: if a column does not exist, there are fewer than two folds, the
        differences are not negated, or every candidate has a NaN.

    See Also
    --------
    best_within_bound : Bounds the difference instead.

    Notes
    -----
    Folds share training rows, so that the standard error is smaller than the error of
    a new training would be.

    References
    ----------
    .. [1] L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression
       Trees", 1984, section 3.4.3.

    Examples
    --------
    >>> from skfair_runner.model_selection import least_difference_near_best
    >>> rule = least_difference_near_best(difference="mean_test_difference")
    >>> rule(
    ...     {
    ...         "mean_test_accuracy": [0.86, 0.85, 0.82],
    ...         "split0_test_accuracy": [0.88, 0.86, 0.82],
    ...         "split1_test_accuracy": [0.84, 0.84, 0.82],
    ...         "mean_test_difference": [-0.18, -0.04, -0.01],
    ...     }
    ... )
    1
    """
    _check_number("least_difference_near_best", "n_standard_errors", n_standard_errors)
    if not utility.startswith("mean_test_"):
        raise ValueError(
            "least_difference_near_best: `utility` is a mean over folds, such as "
            f"'mean_test_accuracy', got {utility!r}."
        )
    return _LeastDifferenceNearBest(utility, difference, n_standard_errors)


def knee_of_front(*, utility=_UTILITY, difference=_DIFFERENCE):
    """Build a refit rule: the candidate that bends the front of candidates most.

    The front holds the candidates that no other one beats in both respects. With both
    axes brought to [0, 1], its knee lies farthest above the line between its ends.

    Parameters
    ----------
    utility : str, default="mean_test_accuracy"
        Column of `cv_results_` of which more is better.

    difference : str, default="mean_test_demographic_parity_difference"
        Column of `cv_results_` with the negated group difference.

    Returns
    -------
    rule : callable
        ``rule(cv_results)`` is the index of the chosen candidate.

    Raises
    ------
    ValueError
        When called: if a column does not exist, the differences are not negated, or
        every candidate has a NaN.

    See Also
    --------
    best_within_bound : Where the bound is known beforehand.

    Notes
    -----
    Where the knee lies depends on the ends of the front, thus on the candidates that
    were tried.

    Examples
    --------
    >>> from skfair_runner.model_selection import knee_of_front
    >>> rule = knee_of_front(difference="mean_test_difference")
    >>> rule(
    ...     {
    ...         "mean_test_accuracy": [0.86, 0.85, 0.80],
    ...         "mean_test_difference": [-0.18, -0.04, -0.01],
    ...     }
    ... )
    1
    """
    return _KneeOfFront(utility, difference)


def _check_number(caller, name, value):
    """Refuse what is no number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{caller}: `{name}` must be a number, got {value!r}.")
    if not value >= 0:
        raise ValueError(f"{caller}: `{name}` must be at least 0, got {value!r}.")


@dataclass(frozen=True)
class _Rule:
    """Refit rule; an object rather than a function, so that it can be pickled."""

    utility: str
    difference: str

    def __call__(self, cv_results):
        """Index of the chosen candidate."""
        utility = self._column(cv_results, self.utility)
        difference = -self._column(cv_results, self.difference)
        valid = np.flatnonzero(~np.isnan(utility) & ~np.isnan(difference))
        if len(valid) == 0:
            raise ValueError(
                f"{self.caller}: all {len(utility)} candidates have NaN in "
                f"{self.utility!r} or {self.difference!r}. Pass error_score='raise' "
                "to the search to see why."
            )
        if difference[valid].min() < -_TOLERANCE:
            raise ValueError(
                f"{self.caller}: {self.difference!r} holds positive values, up to "
                f"{-difference[valid].min():.4g}, so it is not a negated difference. "
                "Score it with fairness_scorer, or make_scorer(..., "
                "greater_is_better=False)."
            )
        chosen = self._choose(utility[valid], difference[valid], valid, cv_results)
        return int(valid[chosen])

    def _column(self, cv_results, name):
        """One column of the results as floats."""
        if name not in cv_results:
            known = sorted(key for key in cv_results if key.startswith("mean_test_"))
            raise ValueError(
                f"{self.caller}: the search has no column {name!r}. Its mean test "
                f"scores are {known}: name the scorers in `scoring`, a dict, "
                "accordingly."
            )
        return np.asarray(cv_results[name], dtype=np.float64)

    def _columns(self):
        return f"utility={self.utility!r}, difference={self.difference!r}"


@dataclass(frozen=True)
class _BestWithinBound(_Rule):
    """The rule of :func:`best_within_bound`."""

    bound: float
    caller = "best_within_bound"

    def __repr__(self):
        return f"{self.caller}({self.bound!r}, {self._columns()})"

    def _choose(self, utility, difference, valid, cv_results):
        """Position among the valid candidates."""
        within = np.flatnonzero(difference <= self.bound + _TOLERANCE)
        if len(within):
            return within[np.lexsort((difference[within], -utility[within]))[0]]
        best = np.lexsort((-utility, difference))[0]
        warnings.warn(
            f"No candidate has a difference of at most {self.bound:.4g} "
            f"({self.difference!r}): the smallest, {difference[best]:.4g}, is taken "
            f"(candidate {valid[best]}, {self.utility!r} {utility[best]:.4g}).",
            SkfairRunnerWarning,
            stacklevel=_level_of_user(),
        )
        return best


@dataclass(frozen=True)
class _LeastDifferenceNearBest(_Rule):
    """The rule of :func:`least_difference_near_best`."""

    n_standard_errors: float
    caller = "least_difference_near_best"

    def __repr__(self):
        return f"{self.caller}({self.n_standard_errors!r}, {self._columns()})"

    def _choose(self, utility, difference, valid, cv_results):
        """Position among the valid candidates."""
        score = self.utility.removeprefix("mean_")
        folds = [
            np.asarray(values, dtype=np.float64)[valid]
            for key, values in cv_results.items()
            if key.startswith("split") and key.endswith(f"_{score}")
        ]
        if len(folds) < 2:
            raise ValueError(
                f"{self.caller}: a standard error needs the scores of at least two "
                f"folds, but the search has {len(folds)} columns split…_{score}."
            )
        best = utility.argmax()
        scores = np.array(folds)[:, best]
        error = scores.std(ddof=1) / np.sqrt(len(folds))
        lowest = utility[best] - self.n_standard_errors * error - _TOLERANCE
        near = np.flatnonzero(utility >= lowest)
        return near[np.lexsort((-utility[near], difference[near]))[0]]


@dataclass(frozen=True)
class _KneeOfFront(_Rule):
    """The rule of :func:`knee_of_front`."""

    caller = "knee_of_front"

    def __repr__(self):
        return f"{self.caller}({self._columns()})"

    def _choose(self, utility, difference, valid, cv_results):
        """Position among the valid candidates."""
        front = np.flatnonzero(non_dominated(utility, difference))
        return front[find_knee(utility[front], difference[front])]


def _level_of_user():
    """Stack level at which a warning of the calling function names the user's line.

    Searches call a rule from different depths.
    """
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _is_of_search(frame):
        frame, level = frame.f_back, level + 1
    return level


def _is_of_search(frame):
    """Whether the code of a frame belongs to a package that searches."""
    return frame.f_globals.get("__name__", "").partition(".")[0] in _SEARCHING
