"""Rule that picks a search's best candidate among those below a bound."""

import warnings
from dataclasses import dataclass
from numbers import Real

import numpy as np

from skfair_runner.utils import SkfairRunnerWarning

_TOLERANCE = 1e-12


def best_within_bound(
    bound,
    *,
    utility="mean_test_accuracy",
    difference="mean_test_demographic_parity_difference",
):
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
    if isinstance(bound, bool) or not isinstance(bound, Real):
        raise TypeError(f"best_within_bound: `bound` must be a number, got {bound!r}.")
    if not bound >= 0:
        raise ValueError(
            f"best_within_bound: `bound` must be at least 0, got {bound!r}."
        )
    return _BestWithinBound(bound, utility, difference)


@dataclass(frozen=True)
class _BestWithinBound:
    """Refit rule; an object rather than a function, so that it can be pickled."""

    bound: float
    utility: str
    difference: str

    def __repr__(self):
        return (
            f"best_within_bound({self.bound!r}, utility={self.utility!r}, "
            f"difference={self.difference!r})"
        )

    def __call__(self, cv_results):
        """Index of the chosen candidate."""
        utility = _column(cv_results, self.utility)
        difference = -_column(cv_results, self.difference)
        valid = np.flatnonzero(~np.isnan(utility) & ~np.isnan(difference))
        if len(valid) == 0:
            raise ValueError(
                f"best_within_bound: all {len(utility)} candidates have NaN in "
                f"{self.utility!r} or {self.difference!r}. Pass error_score='raise' "
                "to the search to see why."
            )
        if difference[valid].min() < -_TOLERANCE:
            raise ValueError(
                f"best_within_bound: {self.difference!r} holds positive values, up to "
                f"{-difference[valid].min():.4g}, so it is not a negated difference. "
                "Score it with fairness_scorer, or make_scorer(..., "
                "greater_is_better=False)."
            )
        within = valid[difference[valid] <= self.bound + _TOLERANCE]
        if len(within) == 0:
            return self._closest(valid, utility, difference)
        return int(within[np.lexsort((difference[within], -utility[within]))[0]])

    def _closest(self, valid, utility, difference):
        """Index of the smallest difference, with a warning."""
        order = np.lexsort((-utility[valid], difference[valid]))
        best = int(valid[order[0]])
        warnings.warn(
            f"No candidate has a difference of at most {self.bound:.4g} "
            f"({self.difference!r}): the smallest, {difference[best]:.4g}, is taken "
            f"(candidate {best}, {self.utility!r} {utility[best]:.4g}).",
            SkfairRunnerWarning,
            stacklevel=3,
        )
        return best


def _column(cv_results, name):
    """One column of the results as floats."""
    if name not in cv_results:
        known = sorted(key for key in cv_results if key.startswith("mean_test_"))
        raise ValueError(
            f"best_within_bound: the search has no column {name!r}. Its mean test "
            f"scores are {known}: name the scorers in `scoring`, a dict, accordingly."
        )
    return np.asarray(cv_results[name], dtype=np.float64)
