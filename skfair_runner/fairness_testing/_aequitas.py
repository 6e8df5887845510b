"""Aequitas: random inputs, then small random steps from every hit.

Udeshi, Arora and Chattopadhyay, "Automated directed fairness testing", ASE 2018.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from skfair_runner.fairness_testing._base import BUDGET, COUNT, GLOBAL_SHARE, Search
from skfair_runner.fairness_testing._ledger import BudgetSpent
from skfair_runner.fairness_testing._sampling import sample_box
from skfair_runner.fairness_testing._walks import (
    Walkers,
    free_weights,
    pick_columns,
)
from skfair_runner.utils import StrOptions

_CHANGE = 0.001
# Directions and columns never die out; the published ones can.
_LEAST_DIRECTION = 0.3
_LEAST_COLUMN = 0.7


class Aequitas(Search):
    """Random inputs, then small random steps from every hit; for any model.

    First uniform inputs of the box are tried. From each hit a walker then changes one
    column at a time, by one step up or down, and goes on from there as long as the
    instance stays discriminatory.

    Parameters
    ----------
    variant : {"random", "semi_directed", "fully_directed"}, default="fully_directed"
        "random" learns nothing. "semi_directed" learns for each column whether steps
        down succeed more often than steps up; "fully_directed" also which columns
        succeed.

    n_global : int, default=1000
        Number of uniform inputs.

    n_local : int, default=1000
        Number of steps of each walker.

    budget : int or None, default=None
        Number of distinct instances that may be tried, of which half may be uniform
        inputs. None: as many as the steps lead to.

    random_state : int, RandomState or None, default=None
        Seed.

    See Also
    --------
    EIDIG : Follows gradients, where the model has them.

    Notes
    -----
    All walkers move in lockstep and share what they learn: the probability of a
    direction or column changes by 0.001 for each success and failure, as published, but
    is kept from falling to zero. A walker whose step fails goes back by one step.

    References
    ----------
    .. [1] S. Udeshi, P. Arora and S. Chattopadhyay, "Automated directed fairness
       testing", ASE 2018.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skfair_runner.fairness_testing import Aequitas
    >>> X = pd.DataFrame({"skill": [1, 2, 3, 4] * 2, "sex": [0] * 4 + [1] * 4})
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X, [0, 0, 0, 1, 0, 0, 1, 1])
    >>> search = Aequitas(n_global=20, n_local=10, random_state=0)
    >>> search.search(tree, X, sensitive_features="sex").pairs[["skill"]]
       skill
    0      3
    """

    _parameter_constraints: dict = {
        "variant": [StrOptions({"random", "semi_directed", "fully_directed"})],
        "n_global": COUNT,
        "n_local": COUNT,
        "budget": BUDGET,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        variant="fully_directed",
        *,
        n_global=1000,
        n_local=1000,
        budget=None,
        random_state=None,
    ):
        self.variant = variant
        self.n_global = n_global
        self.n_local = n_local
        self.budget = budget
        self.random_state = random_state

    def _run(self, ledger, data, rng, notes):
        space = ledger.space
        ledger.begin("global", GLOBAL_SHARE)
        codes = sample_box(space, self.n_global, rng)
        with suppress(BudgetSpent):
            ledger.examine(codes)
        tried, found, _ = ledger.collected()
        walkers = Walkers(tried[found].astype(np.int64))
        ledger.begin("local")
        odds = _Odds(space, self.variant)
        for _ in range(self.n_local if found.any() else 0):
            positions, directions = odds.draw(int(found.sum()), rng)
            reached = walkers.move(ledger, positions, directions, rng)
            odds.learn(positions, directions, reached.discriminatory)


class _Odds:
    """What the walkers have learnt about columns and directions."""

    def __init__(self, space, variant):
        self.space, self.variant = space, variant
        n_columns = len(space.sizes)
        self.down = np.full(n_columns, 0.5)
        self.column = free_weights(space, np.full(n_columns, 1 / len(space.free)))

    def draw(self, n_walkers, rng):
        """A column and a direction for each walker."""
        shape = (n_walkers, len(self.column))
        positions = pick_columns(np.broadcast_to(self.column, shape), rng)
        falls = rng.uniform(size=n_walkers) < self.down[positions]
        return positions, np.where(falls, -1, 1)

    def learn(self, positions, directions, success):
        """Change the probabilities by successes and failures."""
        if self.variant == "random":
            return
        gain = np.where(success, 1, -1)
        n_columns = len(self.column)
        falls = np.bincount(positions, -gain * directions, minlength=n_columns)
        self.down = np.clip(
            self.down + _CHANGE * falls, _LEAST_DIRECTION, 1 - _LEAST_DIRECTION
        )
        if self.variant == "fully_directed":
            gains = np.bincount(positions, gain, minlength=n_columns)
            least = _LEAST_COLUMN / len(self.space.free)
            column = np.maximum(self.column + _CHANGE * gains, least)
            column = free_weights(self.space, column)
            self.column = column / column.sum()
