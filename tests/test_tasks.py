"""The meter that a history's gaps and differences come from."""

import numpy as np
import pytest
import torch
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference

from skfair_runner import tasks
from skfair_runner.cells import Cells
from skfair_runner.gaps import resolve_constraint
from skfair_runner.relaxations import Outcome
from skfair_runner.tasks import RateMeter, Task


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    y, groups = rng.integers(0, 2, 500), rng.integers(0, 2, 500)
    logits = torch.tensor(rng.normal(y + groups - 1.0)[:, None], requires_grad=True)
    return logits, y, groups, rng.uniform(0.1, 2, 500)


def batches(people, size, weighted):
    """Outcomes of the rows in turn."""
    logits, y, groups, weights = people
    for rows in np.split(np.arange(len(y)), range(size, len(y), size)):
        share = torch.tensor(weights[rows]) if weighted else None
        codes = torch.tensor(y[rows]), torch.tensor(groups[rows])
        yield Outcome(logits[rows], Cells(*codes, 2, 2, share))


# Fewer batches than are counted at once, as many, and more.
@pytest.mark.parametrize("size", [500, 100, 16, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("demographic_parity", demographic_parity_difference),
        ("equalized_odds", equalized_odds_difference),
    ],
)
def test_differences_of_an_epoch_are_fairlearns(
    people, size, weighted, constraint, expected
):
    meter = RateMeter(resolve_constraint(constraint), Task(2, 2))
    for outcome in batches(people, size, weighted):
        meter.add(outcome)

    told = meter.read()

    logits, y, groups, weights = people
    difference = expected(
        y,
        (logits[:, 0] > 0).numpy().astype(int),
        sensitive_features=groups,
        sample_weight=weights if weighted else None,
    )
    assert told["difference"] == pytest.approx(difference, abs=1e-6)


def test_the_gap_is_of_scores_and_reading_starts_anew(people):
    meter = RateMeter(resolve_constraint("demographic_parity"), Task(2, 2))
    for outcome in batches(people, 100, False):
        meter.add(outcome)
    scores, groups = people[0][:, 0].sigmoid().detach().numpy(), people[2]
    gap = abs(scores[groups == 0].mean() - scores[groups == 1].mean())

    assert meter.read()["gap"] == pytest.approx(gap, abs=1e-6)
    assert meter.read() == {}


def test_what_waits_holds_no_graph(people):
    meter = RateMeter(resolve_constraint("demographic_parity"), Task(2, 2))
    meter.add(next(batches(people, 100, False)))

    assert not any(logits.requires_grad for logits, _ in meter._waiting)


def test_few_rows_wait(people, monkeypatch):
    """Many would take more memory than they hold: they part what is free."""
    monkeypatch.setattr(tasks, "_ROWS_AT_ONCE", 250)
    meter = RateMeter(resolve_constraint("demographic_parity"), Task(2, 2))
    waiting = []
    for outcome in batches(people, 100, False):
        meter.add(outcome)
        waiting.append(sum(len(logits) for logits, _ in meter._waiting))
    assert waiting[:5] == [100, 200, 0, 100, 200]
