"""What `constraint` means, and the joint gap of several."""

import re

import pytest
import torch
from torch.testing import assert_close

from skfair_runner.cells import Cells
from skfair_runner.constraints import (
    JointConstraint,
    by_constraint,
    check_agreement,
    resolve_bounds,
    resolve_constraints,
)
from skfair_runner.gaps import CONSTRAINTS

RATES = {"false_positive_rate_parity": 0.2, "true_positive_rate_parity": 0.1}
PAIR = {"demographic_parity": 0.05, "true_positive_rate_parity": 0.1}


def cells_and_scores(n_labels, n_groups, n=300):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(n_labels, (n,), generator=generator)
    groups = torch.randint(n_groups, (n,), generator=generator)
    n_columns = 1 if n_labels == 2 else n_labels
    scores = torch.rand(n, n_columns, generator=generator, dtype=torch.double)
    return Cells(labels, groups, n_labels, n_groups), scores


@pytest.mark.parametrize(("n_labels", "n_groups"), [(2, 2), (2, 4), (3, 2), (4, 3)])
@pytest.mark.parametrize("positive", [0, 1])
def test_both_rate_parities_together_are_equalized_odds(n_labels, n_groups, positive):
    cells, scores = cells_and_scores(n_labels, n_groups)
    joint, odds = resolve_constraints(RATES), CONSTRAINTS["equalized_odds"]
    for reduction in ("sum", "largest"):
        assert_close(
            joint.gap(scores, cells, positive, reduction),
            odds.gap(scores, cells, positive, reduction),
        )


@pytest.mark.parametrize("n_labels", [2, 3])
def test_the_joint_gap_is_the_sum_of_the_gaps(n_labels):
    cells, scores = cells_and_scores(n_labels, 3)
    joint = resolve_constraints(dict.fromkeys(CONSTRAINTS))
    each = [part.gap(scores, cells) for part in CONSTRAINTS.values()]
    assert_close(joint.gap(scores, cells), torch.stack(each).sum())
    assert [part.name for part in joint.parts] == list(CONSTRAINTS)


def test_a_population_that_two_constraints_share_is_taken_once():
    joint = resolve_constraints({"equalized_odds": 0.1, **PAIR})
    pools = joint.activation_pools(2, positive=1)
    assert sorted(pools.tolist()) == [[0, 1], [1, 0], [1, 1]]


def test_the_order_of_the_dict_does_not_matter():
    reverse = dict(reversed(PAIR.items()))
    assert resolve_constraints(PAIR) == resolve_constraints(reverse)
    assert list(resolve_bounds(reverse, 0.05).items()) == list(PAIR.items())


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_dict_of_one_name_is_that_name(name):
    assert resolve_constraints({name: 0.3}) is CONSTRAINTS[name]
    assert resolve_bounds({name: 0.3}, 0.05) == 0.3
    assert resolve_bounds({name: None}, 0.05) is None


def test_other_values_mean_what_they_mean_alone():
    def my_gap(y_true, y_score, groups):
        return y_score.sum()

    assert resolve_constraints("equalized_odds") is CONSTRAINTS["equalized_odds"]
    assert resolve_constraints(my_gap).gap_function is my_gap
    assert resolve_bounds("equalized_odds", 0.2) == 0.2


def test_a_bound_of_none_leaves_a_constraint_without():
    bounds = {"demographic_parity": None, "equalized_odds": 0.0}
    assert resolve_bounds(bounds, 0.05) == bounds
    assert resolve_bounds(dict.fromkeys(bounds), 0.05) is None


def test_settings_are_one_for_all_or_one_for_each():
    joint = resolve_constraints(PAIR)
    assert by_constraint(3, joint) == dict.fromkeys(PAIR, 3)
    assert by_constraint(PAIR, joint) == PAIR
    assert by_constraint(3, CONSTRAINTS["equalized_odds"]) == {"equalized_odds": 3}


def test_a_constraint_is_its_own_part():
    parity = CONSTRAINTS["demographic_parity"]
    assert parity.parts == (parity,)
    assert isinstance(resolve_constraints(PAIR), JointConstraint)


def my_gap(y_true, y_score, groups):
    raise AssertionError("must not be called")


@pytest.mark.parametrize(
    ("constraint", "error", "message"),
    [
        ({}, ValueError, "constraint={} names nothing to hold"),
        ({"dp": 0.1}, ValueError, "has the key 'dp', and there is no such constraint"),
        ({my_gap: 0.1}, TypeError, "my_gap.*, a gap function: the keys are names"),
        ({3: 0.1}, TypeError, "has the key 3, of type int: the keys are names"),
        (
            {"equalized_odds": 1.5},
            ValueError,
            re.escape("constraint={'equalized_odds': 1.5} has a bound outside [0, 1]"),
        ),
        ({"equalized_odds": -0.1}, ValueError, r"-0.1} has a bound outside \[0, 1\]"),
        ({"equalized_odds": float("nan")}, ValueError, r"nan} has a bound outside"),
        ({"equalized_odds": True}, TypeError, "True} has a bound of type bool"),
        ({"equalized_odds": "0.1"}, TypeError, "'0.1'} has a bound of type str"),
        ({**PAIR, "equalized_odds": [0.1]}, TypeError, "of type list: pass a number"),
    ],
)
def test_what_names_no_constraint_or_bounds_nothing_is_refused(
    constraint, error, message
):
    with pytest.raises(error, match=message):
        resolve_constraints(constraint)


def test_a_bound_beside_the_dict_is_refused_unless_it_agrees():
    with pytest.raises(ValueError, match=r"so that difference_bound=0.2 would not be"):
        check_agreement(PAIR, 0.2, None)
    with pytest.raises(ValueError, match=r"difference_bound=None would not be read"):
        check_agreement(PAIR, None, None)
    check_agreement(PAIR, 0.05, None)
    check_agreement({"demographic_parity": 0.2}, 0.2, None)
    check_agreement(dict.fromkeys(PAIR), None, 0.5)


def test_a_weight_needs_bounds_of_none():
    with pytest.raises(ValueError, match=r"has bounds, and output_weight=0.5 is"):
        check_agreement({**PAIR, "equalized_odds": None}, 0.05, 0.5)
    check_agreement(dict.fromkeys(PAIR), 0.05, 0.5)
