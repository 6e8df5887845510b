import numpy as np
import pandas as pd
import pytest
from fairlearn.preprocessing import PrototypeRepresentationLearner
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.utils import get_tags

from skfair_runner.baselines import PrototypeRepresentationClassifier
from skfair_runner.baselines._prototypes import spread_rows

WEIGHTS = {"reconstruct_weight": 0.1, "target_weight": 2.0, "fairness_weight": 0.5}


@pytest.fixture
def narrow(people):
    """Two features, since every feature costs evaluations of the loss."""
    X, y, gender = people
    return X[["experience", "interview"]], y, gender


def test_the_prototypes_decide_as_fairlearns(narrow):
    X, y, gender = narrow
    X = X.to_numpy()  # of a DataFrame fairlearn 0.15 misses the names that it dropped
    settings = {"n_prototypes": 3, "max_iter": 8, "tol": 1e-4, **WEIGHTS}
    clf = PrototypeRepresentationClassifier("prototypes", random_state=3, **settings)
    clf.fit(X, y, sensitive_features=gender)
    theirs = PrototypeRepresentationLearner(random_state=3, **settings)
    theirs.fit(X, y, sensitive_features=gender)

    assert_allclose(clf.predict_proba(X), theirs.predict_proba(X))
    assert_array_equal(clf.predict(X), theirs.predict(X))
    assert_allclose(clf.memberships(X), theirs.transform(X))
    assert clf.n_iter_ == theirs.n_iter_ <= 8


def test_the_estimator_is_trained_on_the_memberships(narrow):
    X, y, gender = narrow
    clf = PrototypeRepresentationClassifier(
        LogisticRegression(), max_iter=5, random_state=3
    ).fit(X, y, sensitive_features=gender)
    learner = PrototypeRepresentationLearner(max_iter=5, random_state=3)
    memberships = learner.fit(X, y, sensitive_features=gender).transform(X)
    expected = LogisticRegression().fit(memberships, y)
    assert_allclose(clf.predict_proba(X), expected.predict_proba(memberships))
    assert_allclose(clf.decision_function(X), expected.decision_function(memberships))
    assert_array_equal(clf.predict(X), expected.predict(memberships))


def test_memberships_of_the_groups_come_nearer_under_the_fairness_term(narrow):
    X, y, gender = narrow
    apart = []
    for weight in (0.0, 20.0):
        clf = PrototypeRepresentationClassifier(
            "prototypes",
            reconstruct_weight=0.01,
            fairness_weight=weight,
            max_iter=15,
            random_state=0,
        ).fit(X, y, sensitive_features=gender)
        means = pd.DataFrame(clf.memberships(X), X.index).groupby(gender).mean()
        apart.append(np.abs(means.iloc[0] - means.iloc[1]).max())
    assert apart[1] < apart[0] / 3


def test_prototypes_are_learned_from_some_of_the_rows(narrow):
    X, y, gender = narrow
    clf = PrototypeRepresentationClassifier(
        LogisticRegression(), max_samples=50, max_iter=5, random_state=3
    ).fit(X, y, sensitive_features=gender)
    cells = 2 * (y == "hired").to_numpy() + (gender == "male").to_numpy()
    rows = spread_rows(cells, 50, seed=3)
    learner = PrototypeRepresentationLearner(max_iter=5, random_state=3)
    learner.fit(X.iloc[rows], y.iloc[rows], sensitive_features=gender.iloc[rows])
    assert_allclose(clf.memberships(X), learner.transform(X))
    assert clf.estimator_.n_features_in_ == 2


def test_rows_are_spread_over_the_cells_in_proportion():
    cells = np.random.default_rng(0).choice(4, 1000, p=[0.1, 0.2, 0.3, 0.4])
    rows = spread_rows(cells, 100, seed=0)
    assert len(set(rows)) == 100
    shares = np.bincount(cells[rows]) / 100 - np.bincount(cells) / 1000
    assert np.abs(shares).max() <= 0.01
    assert not np.array_equal(rows, spread_rows(cells, 100, seed=1))


def test_both_labels_are_among_the_rows_however_rare_one_is():
    cells = np.array([0] * 500 + [3])
    assert set(cells[spread_rows(cells, 2, seed=0)]) == {0, 3}


def test_few_rows_are_taken_all():
    assert_array_equal(spread_rows(np.zeros(3, dtype=int), 5, seed=0), [0, 1, 2])


def test_the_prototypes_offer_probabilities_and_no_decision_values():
    clf = PrototypeRepresentationClassifier("prototypes")
    assert hasattr(clf, "predict_proba") and not hasattr(clf, "decision_function")
    tags = get_tags(clf)
    assert tags.input_tags.sparse and not tags.input_tags.allow_nan


def test_features_that_are_no_numbers_are_refused(people):
    X, y, gender = people
    clf = PrototypeRepresentationClassifier(LogisticRegression())
    with pytest.raises(ValueError, match="measures distances .* 'gender' is"):
        clf.fit(X.assign(gender=gender), y, sensitive_features=gender)


@pytest.mark.parametrize(
    ("name", "value"), [("estimator", "votes"), ("n_prototypes", 1), ("tol", -1)]
)
def test_parameters_out_of_range_are_refused(name, value, narrow):
    X, y, gender = narrow
    clf = PrototypeRepresentationClassifier(LogisticRegression())
    with pytest.raises(ValueError, match=f"'{name}' parameter .* Got {value!r} inst"):
        clf.set_params(**{name: value}).fit(X, y, sensitive_features=gender)
