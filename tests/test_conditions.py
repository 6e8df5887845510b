"""Populations, the rates of groups within them, and their one number."""

import pytest
import torch
from torch.testing import assert_close

from skfair_runner import metrics
from skfair_runner.cells import Cells
from skfair_runner.conditions import (
    CONSTRAINTS,
    Constraint,
    condition_rates,
    reduce_rates,
    resolve_constraint,
)


def test_activation_pools_name_each_population_once():
    pools = {
        name: constraint.activation_pools(3).tolist()
        for name, constraint in CONSTRAINTS.items()
    }
    own = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    rest = [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    assert pools == {
        "demographic_parity": [[1, 1, 1]],
        "equalized_odds": own,
        "true_positive_rate_parity": own,
        "false_positive_rate_parity": rest,
    }
    parity = CONSTRAINTS["true_positive_rate_parity"]
    assert parity.activation_pools(2, positive=0).tolist() == [[1, 0]]
    assert CONSTRAINTS["equalized_odds"].activation_pools(2).tolist() == [
        [1, 0],
        [0, 1],
    ]


def test_rates_are_means_of_scores_by_condition_and_group():
    """Label 1 holds 0.2, 0.6 of group 0 and nothing of group 1."""
    labels, groups = torch.tensor([1, 1, 0, 0]), torch.tensor([0, 0, 0, 1])
    cells = Cells(labels, groups, 2, 2)
    conditions = CONSTRAINTS["equalized_odds"].conditions(2)

    rates, present = condition_rates(
        cells.sums(torch.tensor([[0.2], [0.6], [0.5], [0.1]])), cells.counts, conditions
    )

    assert_close(rates, torch.tensor([[0.5, 0.1], [0.4, 0.0]]))
    assert present.tolist() == [[True, True], [True, False]]


def test_reductions_by_hand():
    rates = torch.tensor([[0.1, 0.4, 0.8], [0.5, 0.2, 0.0]])
    present = torch.tensor([[True, True, True], [True, True, False]])
    assert reduce_rates(rates, present, "largest").item() == pytest.approx(0.7)
    by_hand = (0.3 + 0.7 + 0.4) / 3 + 0.3
    assert reduce_rates(rates, present, "sum").item() == pytest.approx(by_hand)


def test_an_unknown_reduction_is_named():
    rates, present = torch.rand(1, 2), torch.ones(1, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match="'sum' or 'largest', not by 'mean'"):
        reduce_rates(rates, present, "mean")


def test_every_constraint_resolves_by_name_and_names_a_metric():
    for name, constraint in CONSTRAINTS.items():
        assert resolve_constraint(name) is constraint
        assert resolve_constraint(constraint) is constraint
        assert hasattr(metrics, constraint.metric)


def test_an_unknown_constraint_is_named_beside_the_known():
    with pytest.raises(ValueError, match=r"'eodds'.*'demographic_parity'.*'equalized"):
        resolve_constraint("eodds")


def test_a_users_gap_receives_labels_squeezed_scores_and_groups():
    labels, groups = torch.tensor([0, 1, 1, 0]), torch.tensor([0, 0, 1, 1])
    scores = torch.tensor([0.1, 0.9, 0.4, 0.3])
    received = []

    def largest_score(y_true, y_score, groups):
        received.append((y_true, y_score, groups))
        return y_score.max()

    constraint = resolve_constraint(largest_score)
    gap = constraint.gap(scores[:, None], Cells(labels, groups, 2, 2))

    assert isinstance(constraint, Constraint)
    assert (constraint.name, constraint.metric) == ("largest_score", None)
    assert gap == scores.max()
    for found, expected in zip(received[0], (labels, scores, groups), strict=True):
        assert_close(found, expected)


def test_a_users_multiclass_gap_receives_every_column():
    labels, groups = torch.tensor([0, 1, 2]), torch.tensor([0, 1, 1])
    shapes = []
    constraint = resolve_constraint(
        lambda y_true, y_score, groups: shapes.append(y_score.shape) or y_score.sum()
    )
    constraint.gap(torch.eye(3), Cells(labels, groups, 3, 2))
    assert shapes == [(3, 3)]


def by_two(y_score, groups):
    return y_score.mean()


def by_name(*, y_true, y_score, groups):
    return y_score.mean()


@pytest.mark.parametrize("gap", [by_two, by_name])
def test_a_gap_of_other_arguments_is_refused(gap):
    message = (
        rf"constraint={gap.__name__} is called with three .* it takes \(.*groups\)"
    )
    with pytest.raises(TypeError, match=message):
        resolve_constraint(gap)


def test_a_gap_that_does_not_tell_its_arguments_is_accepted():
    assert resolve_constraint(max).gap_function is max  # a builtin of no signature


def gap_of(function, y_score=None):
    """The gap of four samples, two of each group, whose scores are parameters."""
    labels, groups = torch.tensor([0, 1, 1, 0]), torch.tensor([0, 0, 1, 1])
    if y_score is None:
        y_score = torch.tensor([[0.1], [0.9], [0.4], [0.3]], requires_grad=True)

    def my_gap(y_true, y_score, groups):
        return function(y_score)

    return resolve_constraint(my_gap).gap(y_score, Cells(labels, groups, 2, 2))


@pytest.mark.parametrize(
    ("function", "kind", "told"),
    [
        (lambda s: 0.25, TypeError, "returned the float 0.25"),
        (lambda s: s.mean().item(), TypeError, "returned the float 0.42"),
        (lambda s: None, TypeError, "returned the NoneType None"),
        (lambda s: s.detach().numpy().mean(), TypeError, "returned the float32"),
        (lambda s: s, ValueError, r"of shape \(4,\) and type torch.float32"),
        (lambda s: s[:0], ValueError, r"of shape \(0,\)"),
        (lambda s: (s > 0.5).sum(), ValueError, r"shape \(\) and type torch.int64"),
        (lambda s: s[:0].mean(), ValueError, r"nan for 4 samples of .* \[0, 1\]"),
        (lambda s: 1 / (0 * s.sum()), ValueError, "inf for 4 samples"),
    ],
)
def test_what_is_no_gap_is_refused(function, kind, told):
    message = f"constraint=my_gap must return a scalar tensor .*{told}"
    with pytest.raises(kind, match=message):
        gap_of(function)


def test_scores_that_are_no_numbers_are_not_laid_to_the_gap():
    assert gap_of(lambda s: s.mean(), torch.full((4, 1), torch.nan)).isnan()


def test_a_gap_of_one_element_is_a_scalar():
    assert gap_of(lambda s: s.mean()[None]).shape == ()


def test_a_gap_without_gradient_is_refused_where_one_is_asked_for():
    gap = gap_of(lambda s: (s > 0.35).float().mean())
    assert gap == 0.5  # as importance="ablation" reads it
    with pytest.raises(ValueError, match="what it returned, 0.5, has none: compute"):
        gap.backward()
    with torch.no_grad():
        assert gap_of(lambda s: s.detach().max()) == 0.9


def test_a_zero_is_a_gap_that_has_nothing_to_compare():
    scores = torch.rand(4, 1, requires_grad=True)
    gap_of(lambda s: torch.tensor(0.0), scores).backward()
    assert_close(scores.grad, torch.zeros(4, 1))
