"""What is tried is counted once, what is found is compared rightly."""

import numpy as np
import pytest

from skfair_runner.fairness_testing import Integers, Space
from skfair_runner.fairness_testing._ledger import BudgetSpent, Ledger

SPACE = Space(
    {"a": Integers(0, 9), "race": Integers(0, 2)},
    sensitive_features="race",
    constraints=[("a", "!=", 9)],
)


class Thresholds:
    """Selects where a ≥ 2 for race 0, a ≥ 4 for race 1, a ≥ 7 for race 2."""

    has_scores = True

    def decide(self, codes):
        bound = np.array([2, 4, 7])[codes[:, 1]]
        score = 1 / (1 + np.exp(-(codes[:, 0] - bound + 0.5)))
        decisions = (codes[:, 0] >= bound).astype(int)
        return decisions, np.column_stack([1 - score, score])


def _rows(values, race=0):
    return np.column_stack([values, np.full(len(values), race)])


def test_all_combinations_are_compared_with_the_rows_own():
    answers = Ledger(SPACE, Thresholds()).ask(_rows([0, 2, 5, 8, 5]))
    assert answers.discriminatory.tolist() == [False, True, True, False, True]
    # The farthest of those decided otherwise; of all, where there are none.
    assert answers.other.tolist() == [2, 2, 2, 2, 2]
    assert Ledger(SPACE, Thresholds()).ask(_rows([3], race=1)).other.tolist() == [0]


def test_instances_are_counted_once_without_their_sensitive_columns():
    ledger = Ledger(SPACE, Thresholds())
    ledger.examine(_rows([2, 2, 3]))
    ledger.examine(_rows([2, 0], race=1))
    assert (ledger.tried, ledger.found) == (3, 2)
    codes, found, pairs = ledger.collected()
    assert codes[:, 0].tolist() == [2, 3, 0]
    assert found.tolist() == [True, True, False]
    assert ledger.trace()[["tried", "found"]].to_numpy().tolist() == [[2, 2], [3, 2]]


def test_what_breaks_a_constraint_is_not_counted():
    ledger = Ledger(SPACE, Thresholds())
    answers = ledger.examine(_rows([9, 1]))
    assert answers.valid.tolist() == [False, True]
    assert ledger.tried == 1


def test_the_budget_is_never_exceeded():
    ledger = Ledger(SPACE, Thresholds(), budget=3)
    with pytest.raises(BudgetSpent):
        ledger.examine(_rows([0, 1, 0, 1, 2, 3, 4]))
    assert ledger.tried == 3
    with pytest.raises(BudgetSpent):
        ledger.examine(_rows([5]))
    assert ledger.tried == 3


def test_a_phase_has_its_share_of_the_budget():
    ledger = Ledger(SPACE, Thresholds(), budget=6)
    ledger.begin("global", 0.5)
    with pytest.raises(BudgetSpent):
        ledger.examine(_rows(range(9)))
    ledger.begin("local")
    ledger.examine(_rows([7, 8]))
    assert ledger.trace()["phase"].tolist() == ["global", "local"]


def test_nothing_asked_is_nothing_answered():
    assert len(Ledger(SPACE, Thresholds()).ask(_rows([])).other) == 0
