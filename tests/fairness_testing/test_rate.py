"""Rates and their intervals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binomtest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from skfair_runner.fairness_testing import Space, discrimination_rate
from skfair_runner.fairness_testing._rate import clopper_pearson


@pytest.mark.parametrize(("count", "n"), [(0, 7), (3, 7), (7, 7), (144, 2000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_is_scipys(count, n, level):
    expected = binomtest(count, n).proportion_ci(level, method="exact")
    assert_allclose(clopper_pearson(count, n, level), expected, atol=1e-12)


def test_nothing_examined_says_nothing():
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_the_rate_in_the_box_is_near_the_truth(box):
    rates = discrimination_rate(
        box.net, box.X, sensitive_features=4, n_samples=5000, random_state=0
    )
    share = len(box.found) / box.space.n_instances
    assert rates.loc["box", "low"] <= share <= rates.loc["box", "high"]


def test_the_rate_on_the_data_counts_its_rows(box):
    rates = discrimination_rate(
        box.net, box.X, space=box.space, n_samples=0, random_state=0
    )
    known = {tuple(row) for row in box.found.tolist()}
    count = sum(tuple(row) in known for row in box.X[:, :4].tolist())
    assert rates.loc["data", ["discriminatory", "examined"]].tolist() == [count, 2000]
    assert rates.index.tolist() == ["data"]


def test_rows_of_the_data_are_asked_as_they_are():
    """The box has whole numbers only, the tree cuts between them."""
    X = pd.DataFrame({"skill": [0.0, 0.4, 0.6, 1.0] * 2, "sex": [0] * 4 + [1] * 4})
    tree = DecisionTreeClassifier().fit(X, [0, 0, 1, 1, 0, 1, 1, 1])
    space = Space.from_data(X, sensitive_features="sex", max_levels=2)
    rates = discrimination_rate(tree, X, space=space, random_state=0)
    assert rates.loc["data", "discriminatory"] == 2


def test_a_model_that_ignores_the_sensitive_columns_has_rate_zero(blind, box):
    rates = discrimination_rate(blind, box.X, sensitive_features=4, random_state=0)
    assert (rates["rate"] == 0).all()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({}, "neither: pass one"),
        ({"sensitive_features": 4, "space": "box"}, "both: pass one"),
        ({"sensitive_features": 4, "confidence_level": 1.0}, "confidence_level=1.0"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(box, arguments, match):
    with pytest.raises(ValueError, match=match):
        discrimination_rate(box.net, box.X, **arguments)


def test_combinations_that_break_a_constraint_do_not_count():
    """Only ages below 15 are refused, and nobody who went to school is that young."""
    X = pd.DataFrame({"age": [10, 20, 30], "school": [1, 12, 12]})
    tree = DecisionTreeClassifier(random_state=0).fit(X[["age"]], [0, 1, 1])
    tree = make_pipeline(FunctionTransformer(lambda X: X[["age"]]), tree)
    free = discrimination_rate(tree, X, sensitive_features="age", random_state=0)
    assert free.loc["data", "discriminatory"] == 3
    space = Space.from_data(
        X, sensitive_features="age", constraints=[("age", ">=", "school", 5)]
    )
    bound = discrimination_rate(tree, X, space=space, random_state=0)
    assert bound.loc["data", "discriminatory"] == 1


def test_the_seed_decides(box):
    arguments = {"sensitive_features": 4, "random_state": 3}
    first = discrimination_rate(box.net, box.X, **arguments)
    pd.testing.assert_frame_equal(
        first, discrimination_rate(box.net, box.X, **arguments)
    )
    assert np.isfinite(first.to_numpy()).all()


def test_columns_may_be_numbered():
    X = pd.DataFrame({0: [1, 2, 3, 4] * 2, 1: [0] * 4 + [1] * 4})
    tree = DecisionTreeClassifier(random_state=0).fit(X, [0, 0, 0, 1, 0, 0, 1, 1])
    rates = discrimination_rate(tree, X, sensitive_features=1, random_state=0)
    assert rates.loc["data", "rate"] == 0.25


def test_the_nth_lot_is_drawn_for_the_nth_row_of_every_combination(box):
    class Lottery(DecisionTreeClassifier):
        def predict(self, X):
            return np.random.RandomState(0).uniform(size=len(X)) < 0.5

    model = Lottery().fit(box.X, box.X[:, 0])
    rates = discrimination_rate(model, box.X, sensitive_features=4, random_state=0)
    assert (rates["rate"] == 0).all()
