"""Constraints written as tuples."""

import numpy as np
import pandas as pd
import pytest

from skfair_runner.fairness_testing import Categories, Integers
from skfair_runner.fairness_testing._rules import OPERATORS, Constraints, read_rule

NAMES = ["age", "school", "job"]
COLUMNS = [Integers(0, 90), Integers(0, 20), Categories(("a", "b"))]


@pytest.mark.parametrize("relation", OPERATORS)
def test_a_rule_compares_values(relation):
    rule = read_rule(("age", relation, "school", 5), NAMES, COLUMNS)
    values = [np.array([10, 11, 12]), np.array([6, 6, 6])]
    kept = rule.holds(lambda k: values[k])
    assert kept.tolist() == [eval(f"{a} {relation} 11") for a in (10, 11, 12)]


def test_a_number_may_stand_on_the_right():
    rule = read_rule(("age", ">=", 18), NAMES, COLUMNS)
    assert rule.columns == (0,)
    assert rule.holds(lambda k: np.array([17, 18])).tolist() == [False, True]


@pytest.mark.parametrize(
    ("constraint", "error", "match"),
    [
        ("age > 3", TypeError, "'age > 3'"),
        (("age", ">="), TypeError, r"\('age', '>='\)"),
        (("age", "=>", 3), ValueError, "relation '=>'"),
        (("age", ">=", "shoe"), ValueError, "'shoe', which is not a column"),
        (("job", ">=", 3), ValueError, "'job', which holds categories"),
    ],
)
def test_a_rule_that_cannot_be_read_is_named(constraint, error, match):
    with pytest.raises(error, match=match):
        read_rule(constraint, NAMES, COLUMNS)


def test_rules_and_functions_are_kept_together():
    constraints = Constraints(
        [("age", ">=", "school", 5), lambda table: table["job"] != "b"], NAMES, COLUMNS
    )
    codes = np.array([[10, 5, 0], [9, 5, 0], [10, 5, 1]])

    def to_table(codes):
        return pd.DataFrame({"job": np.array(["a", "b"])[codes[:, 2]]})

    assert constraints.hold(codes, to_table).tolist() == [True, False, False]
    assert len(constraints.rules) == len(constraints.functions) == 1


def test_a_function_may_look_at_any_column_and_a_rule_at_its_own():
    rule = Constraints([("age", ">=", "school", 5)], NAMES, COLUMNS)
    assert rule.concern([1, 2])
    assert not rule.concern([2])
    assert Constraints(len, NAMES, COLUMNS).concern([2])
    assert not Constraints([], NAMES, COLUMNS).concern([0, 1, 2])
