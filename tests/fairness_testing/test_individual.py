"""Discrimination rates as a measure of fitted classifiers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skfair_runner import make_table_preprocessor
from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.fairness_testing import (
    IndividualDiscrimination,
    Integers,
    Space,
    discrimination_rate,
)


class Rule(ClassifierMixin, BaseEstimator):
    """Asks men for a skill of 2, women for more."""

    def __init__(self, more=1):
        self.more = more

    def fit(self, X, y=None):
        self.classes_ = np.array([0, 1])
        return self

    def predict(self, X):
        return (X["skill"] >= 2 + self.more * (X["sex"] == "f")).to_numpy().astype(int)


@pytest.fixture
def skilled():
    """Every skill from 0 to 4 for both, and luck, which is of no use."""
    rows = [(skill, sex, 0.5) for skill in range(5) for sex in "fm"]
    return pd.DataFrame(rows, columns=["skill", "sex", "luck"])


@pytest.fixture(scope="module")
def learned():
    """A mixed table, and a pipeline that has learned to look at sex."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "skill": rng.integers(0, 20, 300),
            "job": rng.choice(["clerk", "nurse"], 300),
            "sex": rng.choice(["f", "m"], 300),
        },
        index=np.arange(300) + 7,
    )
    y = (X["skill"] + 4 * (X["sex"] == "m") + rng.normal(size=300) > 11).astype(int)
    tree = DecisionTreeClassifier(min_samples_leaf=5, random_state=0)
    return X, y, make_pipeline(make_table_preprocessor(), tree).fit(X, y)


@pytest.mark.parametrize(("more", "expected"), [(0, 0.0), (1, 0.2), (3, 0.6)])
def test_the_rates_are_those_of_the_listed_box(more, expected, skilled):
    """With `more`, skills from 2 to 1 + more are decided by sex, one in five each."""
    metric = IndividualDiscrimination("sex", n_samples=4000)
    rates = metric.prepare(skilled)(Rule(more).fit(skilled), skilled)
    assert list(rates) == ["data", "box"]
    assert rates["data"] == expected
    assert abs(rates["box"] - expected) < 0.03


def test_the_rates_are_those_of_the_function(learned):
    X, _, pipeline = learned
    found = IndividualDiscrimination("sex", random_state=3)(pipeline, X)
    expected = discrimination_rate(
        pipeline, X, sensitive_features="sex", random_state=3
    )
    assert found == expected["rate"].to_dict()
    assert found["data"] > 0.05 and found["box"] > 0.05


def test_the_box_is_that_of_all_rows(skilled):
    metric = IndividualDiscrimination("sex", random_state=0).prepare(skilled)
    few = skilled.iloc[:2]
    rule = Rule().fit(skilled)
    rates = metric(rule, few)
    expected = discrimination_rate(
        rule,
        few,
        space=Space.from_data(skilled, sensitive_features="sex"),
        random_state=0,
    )
    assert rates == expected["rate"].to_dict()
    assert rates["data"] == 0 and rates["box"] > 0.1


def test_the_box_may_be_described(skilled):
    columns = {"skill": Integers(0, 99)}
    space = Space.from_data(skilled, sensitive_features="sex", columns=columns)
    rates = IndividualDiscrimination(space=space).prepare(skilled)(
        Rule(50).fit(skilled), skilled
    )
    assert abs(rates["box"] - 0.5) < 0.05


def test_rows_that_lack_a_number_are_left_out(skilled):
    metric = IndividualDiscrimination("sex", n_samples=0)
    holes = pd.concat([skilled, skilled.assign(skill=np.nan)])
    assert metric.prepare(holes)(Rule().fit(holes), holes) == {"data": 0.2}
    with pytest.raises(ValueError, match=r"each of the 10 rows of X lacks a number"):
        metric(Rule().fit(holes), holes.iloc[10:])


def test_arrays_have_positions(learned):
    X, y, _ = learned
    numbers = np.column_stack([X["skill"], X["sex"] == "m"]).astype(float)
    model = DecisionTreeClassifier(random_state=0).fit(numbers, y)
    found = IndividualDiscrimination(1)(model, numbers)
    named = pd.DataFrame(numbers, columns=["skill", "man"])
    expected = IndividualDiscrimination("man")(
        DecisionTreeClassifier(random_state=0).fit(named, y), named
    )
    assert found == expected and found["data"] > 0


@pytest.mark.parametrize("container", [pd.DataFrame, np.asarray])
def test_groups_at_prediction_are_exchanged_too(container, learned):
    """Scores that do not see sex are cut at a threshold of its own for each."""
    X, y, _ = learned
    X = pd.DataFrame({"skill": X["skill"], "man": (X["sex"] == "m").astype(int)})
    table = container(X)
    groups = X["man"] if container is pd.DataFrame else X["man"].to_numpy()

    class Blind(LogisticRegression):
        def fit(self, X, y):
            return super().fit(np.asarray(X)[:, :1], y)

        def predict_proba(self, X):
            return super().predict_proba(np.asarray(X)[:, :1])

    clf = ThresholdOptimizerClassifier(Blind(), random_state=0)
    clf.fit(table, y, sensitive_features=groups)
    rates = IndividualDiscrimination(1)(clf, table, sensitive_features=groups)

    decided = [
        clf.predict(table, sensitive_features=np.full(len(X), sex)) for sex in (0, 1)
    ]
    assert rates["data"] == np.mean(decided[0] != decided[1]) > 0
    assert rates["box"] > 0


def test_groups_that_are_no_column_cannot_be_exchanged(learned):
    X, y, _ = learned
    X = X[["skill"]].assign(man=(X["sex"] == "m").astype(int))
    older = pd.Series(np.arange(300) % 2, index=X.index, name="older")
    clf = ThresholdOptimizerClassifier(LogisticRegression(), random_state=0)
    clf.fit(X, y, sensitive_features=older)
    with pytest.raises(ValueError, match="decides by the sensitive feature 'older'"):
        IndividualDiscrimination("man")(clf, X, sensitive_features=older)


def test_luck_is_no_discrimination(skilled):
    """A lottery that draws the n-th lot for the n-th row does not see the column."""

    class Lottery(Rule):
        def predict(self, X):
            return (np.random.RandomState(0).uniform(size=len(X)) < 0.5).astype(int)

    lottery = Lottery().fit(skilled)
    assert set(lottery.predict(skilled)) == {0, 1}
    assert IndividualDiscrimination("sex")(lottery, skilled) == {"data": 0, "box": 0}


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (
            {"sensitive_columns": "gender"},
            "no column 'gender'. Its columns are 'skill'",
        ),
        ({}, "IndividualDiscrimination exchanges .* got neither"),
        ({"sensitive_columns": "luck"}, "'luck' has one value only, 0.5"),
    ],
)
def test_a_box_that_cannot_be_is_refused_before_anything_is_trained(
    arguments, match, skilled
):
    with pytest.raises(ValueError, match=match):
        IndividualDiscrimination(**arguments).prepare(skilled)
