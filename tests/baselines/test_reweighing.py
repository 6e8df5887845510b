from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner.baselines import ReweighingClassifier, reweighing_weights


def test_weights_worked_by_hand():
    """By the formula, w = n_a n_y / (n n_ay)."""
    y = [1] * 6 + [0] * 2 + [1] * 2 + [0] * 10
    groups = ["m"] * 8 + ["f"] * 12
    # n = 20; n_m = 8, n_f = 12; n_1 = 8, n_0 = 12.
    expected = np.repeat(
        [
            8 * 8 / (20 * 6),
            8 * 12 / (20 * 2),
            12 * 8 / (20 * 2),
            12 * 12 / (20 * 10),
        ],
        [6, 2, 2, 10],
    )
    assert_allclose(reweighing_weights(y, sensitive_features=groups), expected)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.lists(st.integers(1, 20), min_size=3, max_size=3), min_size=2, max_size=4
    )
)
def test_weighted_label_and_group_are_independent(counts):
    """Each cell's weighted share is the product of the shares of label and group."""
    counts = np.array(counts)
    labels, groups = np.indices(counts.shape).reshape(2, -1)
    y, groups = np.repeat(labels, counts.ravel()), np.repeat(groups, counts.ravel())
    weights = reweighing_weights(y, sensitive_features=groups)

    weighted = np.zeros(counts.shape)
    np.add.at(weighted, (y, groups), weights)
    total = weighted.sum()
    of_label, of_group = weighted.sum(axis=1) / total, weighted.sum(axis=0) / total
    assert_allclose(weighted / total, np.outer(of_label, of_group), rtol=1e-12)
    # And neither the labels' nor the groups' shares are changed.
    assert_allclose(total, len(y))
    assert_allclose(of_label, counts.sum(axis=1) / counts.sum())
    assert_allclose(of_group, counts.sum(axis=0) / counts.sum())


def test_independence_is_exact():
    """In fractions, so that no rounding hides a difference."""
    y = [1, 1, 1, 0, 1, 0, 0, 0, 0]
    groups = ["a", "a", "a", "a", "b", "b", "b", "b", "b"]
    weights = reweighing_weights(y, sensitive_features=groups)
    exact = [Fraction(float(w)).limit_denominator(1000) for w in weights]
    rate = {
        name: sum(
            w
            for w, label, g in zip(exact, y, groups, strict=True)
            if g == name and label
        )
        / sum(w for w, g in zip(exact, groups, strict=True) if g == name)
        for name in "ab"
    }
    assert rate["a"] == rate["b"] == Fraction(4, 9)
    assert_allclose([float(w) for w in exact], weights, rtol=1e-15)


def test_independent_labels_and_groups_weigh_one():
    y, groups = [0, 0, 1, 1], ["a", "b", "a", "b"]
    assert_array_equal(reweighing_weights(y, sensitive_features=groups), np.ones(4))


def test_the_estimator_is_trained_with_these_weights(people):
    X, y, gender = people
    weights = reweighing_weights(y, sensitive_features=gender)
    expected = LogisticRegression().fit(X, y, weights)
    clf = ReweighingClassifier(LogisticRegression())
    clf.fit(X, y, sensitive_features=gender)
    assert_allclose(clf.predict_proba(X), expected.predict_proba(X))
    cells = clf.cell_weights_
    assert_allclose([cells.loc[a, b] for a, b in zip(y, gender, strict=True)], weights)


def test_a_pipeline_gets_its_weights_at_its_last_step(people, routing):
    X, y, gender = people
    weights = reweighing_weights(y, sensitive_features=gender)
    clf = ReweighingClassifier(
        make_pipeline(StandardScaler(), make_pipeline(LogisticRegression()))
    )
    clf.fit(X, y, sensitive_features=gender)
    scaled = (X - X.mean()) / X.std(ddof=0)
    expected = LogisticRegression().fit(scaled.to_numpy(), y, weights)
    assert_allclose(
        clf.predict_proba(X), expected.predict_proba(scaled.to_numpy()), rtol=1e-5
    )


def test_several_columns_name_the_weights(people):
    X, y, gender = people
    table = pd.DataFrame({"gender": gender, "tall": X["height"] > 0})
    clf = ReweighingClassifier(LogisticRegression())
    clf.fit(X, y, sensitive_features=table)
    assert list(clf.cell_weights_)[0] == "female, False"
    assert clf.cell_weights_.index.tolist() == ["declined", "hired"]


def test_an_estimator_without_weights_is_refused(people):
    X, y, gender = people
    clf = ReweighingClassifier(make_pipeline(KNeighborsClassifier()))
    with pytest.raises(TypeError, match=r"KNeighborsClassifier\.fit takes no sample_w"):
        clf.fit(X, y, sensitive_features=gender)


def test_a_group_without_a_label_is_refused():
    y, groups = [0, 1, 0, 0], ["a", "a", "b", "b"]
    message = "makes label and group independent, but group 'b' has no sample with lab"
    with pytest.raises(ValueError, match=f"reweighing_weights {message}"):
        reweighing_weights(y, sensitive_features=groups)
    clf = ReweighingClassifier(LogisticRegression())
    with pytest.raises(ValueError, match=rf"ReweighingClassifier\.fit {message}"):
        clf.fit(np.zeros((4, 1)), y, sensitive_features=groups)


def test_groups_of_another_length_are_refused():
    with pytest.raises(ValueError, match="reweighing_weights.*3 rows, y has 4"):
        reweighing_weights([0, 1, 0, 1], sensitive_features=["a", "b", "a"])
