"""Retraining never returns a worse model, by its own definition."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skfair_runner import RunnerFairClassifier, make_table_preprocessor
from skfair_runner.fairness_testing import retrain_on_discriminatory, search
from skfair_runner.fairness_testing._retrain import vote

VOTERS = [LogisticRegression(max_iter=500)]


@pytest.fixture(scope="module")
def biased():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "skill": rng.integers(0, 20, 800),
            "effort": rng.integers(0, 10, 800),
            "sex": rng.integers(0, 2, 800),
        }
    )
    y = X["skill"] + X["effort"] + 3 * X["sex"] + rng.normal(size=800) > 15
    model = DecisionTreeClassifier(min_samples_leaf=5, random_state=0)
    model.fit(X, y.astype(int))
    found = search(
        model,
        X,
        sensitive_features="sex",
        method="aequitas",
        n_local=50,
        random_state=0,
    )
    return X, y.astype(int), model, found


def test_the_rate_falls_and_the_chosen_model_is_the_one_in_the_table(biased):
    X, y, model, found = biased
    result = retrain_on_discriminatory(
        model, X, y, found, accuracy_tolerance=0.1, random_state=0
    )
    before, chosen = (
        result.table.loc["before"],
        result.table[result.table["chosen"]].iloc[0],
    )
    assert result.improved
    assert chosen["data_rate"] < before["data_rate"]
    assert chosen["box_rate"] <= before["box_rate"]
    assert chosen["accuracy"] >= before["accuracy"] - 0.1
    assert result.model is not model
    assert "data_rate" in repr(result)


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
def test_a_worse_model_is_never_chosen(biased, tolerance):
    X, y, model, found = biased
    result = retrain_on_discriminatory(
        model,
        X,
        y,
        found,
        voters=VOTERS,
        shares=(0.1, 1.0),
        accuracy_tolerance=tolerance,
        random_state=1,
    )
    table = result.table
    first = table.loc["before"]
    chosen = table[table["chosen"]].iloc[0]
    assert chosen["admissible"]
    assert chosen["accuracy"] >= first["accuracy"] - tolerance - 1e-9
    assert (chosen[["data_rate", "box_rate"]] <= first[["data_rate", "box_rate"]]).all()
    if not result.improved:
        assert result.model is model


def test_the_model_handed_in_is_returned_where_none_is_better(biased):
    """Labels by a voter that says the opposite cost more accuracy than allowed."""
    X, y, model, found = biased

    class Opposite(LogisticRegression):
        def predict(self, X):
            return 1 - super().predict(X)

    result = retrain_on_discriminatory(
        model,
        X,
        y,
        found,
        evaluation=(X, y),
        shares=(1.0,),
        voters=[Opposite(max_iter=500)],
        accuracy_tolerance=0.0,
        random_state=0,
    )
    assert result.model is model
    assert not result.improved
    assert result.table["chosen"].tolist() == [True, False]


def test_a_model_that_needs_groups_to_train_gets_them(biased):
    X, y, _, found = biased
    model = make_pipeline(
        make_table_preprocessor(),
        RunnerFairClassifier(warmup_epochs=1, max_epochs=1, random_state=0),
    )
    keyword = "runnerfairclassifier__sensitive_features"
    model.fit(X, y, **{keyword: X["sex"]})
    result = retrain_on_discriminatory(
        model,
        X,
        y,
        found,
        shares=(0.1,),
        voters=VOTERS,
        groups_keyword=keyword,
        random_state=0,
    )
    assert len(result.table) == 2


def test_the_majority_decides_without_the_sensitive_columns():
    X = pd.DataFrame({"a": [0, 1] * 20, "s": [0, 0, 1, 1] * 10})
    voters = [DecisionTreeClassifier(), DecisionTreeClassifier(max_depth=1)]
    labels = vote(X, np.array(["n", "y"] * 20), X, ["s"], voters)
    assert labels.tolist() == ["n", "y"] * 20


def test_nothing_to_add_is_refused(biased):
    X, y, model, found = biased
    with pytest.raises(ValueError, match=r"shares=\(0.1, -1\)"):
        retrain_on_discriminatory(model, X, y, found, shares=(0.1, -1))
    blind = DecisionTreeClassifier(max_depth=1).fit(X, X["skill"] > 9)
    nothing = search(
        blind, X, sensitive_features="sex", method="aequitas", random_state=0
    )
    with pytest.raises(ValueError, match="0 found of .* has no pair"):
        retrain_on_discriminatory(blind, X, y, nothing)


def test_a_chosen_model_may_be_trained_on_all_rows(biased):
    """With the rows that were held out, and the same pairs."""
    X, y, _, found = biased
    fits = []

    class Records(DecisionTreeClassifier):
        def fit(self, X, y):
            fits.append(len(X))
            return super().fit(X, y)

    model = Records(min_samples_leaf=5, random_state=0).fit(X, y)
    options = {"voters": VOTERS, "shares": (0.1,), "accuracy_tolerance": 0.5}
    apart = retrain_on_discriminatory(model, X, y, found, **options, random_state=0)
    fits.clear()
    whole = retrain_on_discriminatory(
        model, X, y, found, **options, refit=True, random_state=0
    )
    assert whole.improved
    pd.testing.assert_frame_equal(whole.table, apart.table)
    added = whole.table["added"].iloc[1]
    assert fits == [600, 600 + added, 800 + added]


def test_rows_that_lack_a_number_are_trained_on_but_not_exchanged(biased):
    X, y, _, found = biased
    holes = X.assign(effort=X["effort"].where(X["effort"] != 4))
    model = DecisionTreeClassifier(min_samples_leaf=5, random_state=0).fit(holes, y)
    result = retrain_on_discriminatory(
        model,
        holes,
        y,
        found,
        shares=(0.1,),
        voters=[DecisionTreeClassifier()],
        random_state=0,
    )
    assert result.table["data_rate"].between(0, 1).all()
