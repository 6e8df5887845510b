import os
import time

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skfair_runner import make_table_preprocessor
from skfair_runner.baselines import FairSMOTEClassifier, _fair_smote
from skfair_runner.baselines._fair_smote import situation_test
from skfair_runner.datasets import load_dataset, make_biased_classification


class Remembers(ClassifierMixin, BaseEstimator):
    """Keeps what it was trained on."""

    def fit(self, X, y):
        self.X_, self.y_, self.classes_ = X, y, np.unique(y)
        return self

    def predict(self, X):
        return self.y_[: X.shape[0]]


def smote(estimator=None, **parameters):
    estimator = Remembers() if estimator is None else estimator
    return FairSMOTEClassifier(estimator, random_state=0, **parameters)


@pytest.fixture(scope="module")
def applicants():
    """Numbers and categories; the gender is a column, too."""
    bunch = make_biased_classification(n_samples=400, random_state=0)
    gender = bunch.sensitive_features["gender"]
    X = bunch.data.assign(gender=gender, age=np.arange(400) % 50 + 18)
    return X, bunch.target, gender


def test_cells_are_equal_before_the_situation_test(applicants):
    X, y, gender = applicants
    seen = smote(situation_testing=False).fit(X, y, sensitive_features=gender)
    seen = seen.estimator_
    largest = pd.crosstab(y, gender).max(axis=None)
    assert (pd.crosstab(seen.y_, seen.X_["gender"]) == largest).all(axis=None)


def test_rows_are_those_of_the_table_and_new_ones_within_its_range(applicants):
    X, y, gender = applicants
    seen = smote(situation_testing=False).fit(X, y, sensitive_features=gender)
    seen = seen.estimator_
    pd.testing.assert_frame_equal(seen.X_[:400], X.reset_index(drop=True))
    assert_array_equal(seen.y_[:400], y)
    assert seen.X_.dtypes.equals(X.dtypes)
    for name in X.select_dtypes("number"):
        assert seen.X_[name].between(X[name].min(), X[name].max()).all()
    for name in ("education", "district"):
        assert set(seen.X_[name]) <= set(X[name])
    fresh = seen.X_[400:].merge(X.drop_duplicates(), how="left", indicator=True)
    assert (fresh["_merge"] == "left_only").mean() > 0.9


def test_cells_that_are_equal_already_get_no_rows():
    X, groups, y = np.arange(8.0)[:, None], np.tile(["a", "b"], 4), [0, 0, 1, 1] * 2
    seen = smote(situation_testing=False).fit(X, y, sensitive_features=groups)
    assert_array_equal(seen.estimator_.X_, X)
    assert smote().fit(X, y, sensitive_features=groups).cells_["synthetic"].sum() == 0


def test_cells_tell_what_became_of_them(applicants):
    X, y, gender = applicants
    clf = smote().fit(X, y, sensitive_features=gender)
    cells = clf.cells_.set_index(["label", "group"])
    counts = pd.crosstab(y, gender)
    assert cells["original"].to_dict() == counts.stack().to_dict()
    assert (cells["original"] + cells["synthetic"] == counts.max(axis=None)).all()
    kept = cells["original"] + cells["synthetic"] - cells["dropped"]
    seen = pd.crosstab(clf.estimator_.y_, clf.estimator_.X_["gender"])
    assert kept.to_dict() == seen.stack().to_dict()
    assert cells["dropped"].sum() > 0


@pytest.mark.parametrize("n_groups", [2, 3])
def test_the_situation_test_flips_groups_one_by_one(n_groups):
    """As in its authors' words, with predict on a copy for every other group."""
    rng = np.random.default_rng(0)
    groups = rng.integers(0, n_groups, 400)
    features = np.round(rng.uniform(size=(400, 2)), 2)
    y = (features.sum(axis=1) + 0.3 * groups + rng.normal(0, 0.2, 400) > 1.3).astype(
        int
    )
    columns = np.eye(n_groups)[:, 1:] if n_groups == 2 else np.eye(n_groups)
    regression = LogisticRegression(max_iter=1000)
    regression.fit(np.column_stack([features, columns[groups]]), y)
    expected = np.ones(400, dtype=bool)
    for row in range(400):
        found = {
            regression.predict([[*features[row], *columns[group]]])[0]
            for group in range(n_groups)
        }
        expected[row] = len(found) == 1

    passed = situation_test(features, y, groups, n_groups)
    assert_array_equal(passed, expected)
    assert 0.1 < passed.mean() < 0.95


def test_three_labels_are_tested_too():
    rng = np.random.default_rng(0)
    groups, features = rng.integers(0, 2, 300), rng.uniform(size=(300, 2))
    y = np.digitize(features[:, 0] + 0.3 * groups, [0.4, 0.9])
    regression = LogisticRegression(max_iter=1000)
    regression.fit(np.column_stack([features, groups]), y)
    flipped = [
        regression.predict(np.column_stack([features, np.full(300, group)]))
        for group in (0, 1)
    ]
    passed = situation_test(features, y, groups, 2)
    assert_array_equal(passed, flipped[0] == flipped[1])
    assert 0.1 < passed.mean() < 0.95


def test_a_sensitive_column_among_the_features_is_flipped_with_the_group():
    """Left in the features, it would take half of the group's effect with it."""
    rng = np.random.default_rng(0)
    groups, features = rng.integers(0, 3, 300), rng.uniform(size=(300, 2))
    y = (features[:, 0] + 0.3 * groups > 0.8).astype(int)
    beside = np.column_stack([features, groups == 1, np.ones(300), groups / 2])
    assert_array_equal(
        situation_test(beside, y, groups, 3), situation_test(features, y, groups, 3)
    )


def test_where_the_group_says_nothing_every_row_passes():
    features = np.repeat(np.linspace(0, 1, 50), 2)[:, None]
    y, groups = (features[:, 0] > 0.5).astype(int), np.tile([0, 1], 50)
    assert situation_test(features, y, groups, 2).all()


def test_a_pipeline_prepares_the_raw_table(applicants):
    X, y, gender = applicants
    X = X.copy()
    X.loc[:20, "age"] = None
    X.loc[10:40, "education"] = None
    plain = make_pipeline(
        make_table_preprocessor(sensitive_columns="gender"),
        LogisticRegression(max_iter=2000),
    )
    clf = smote(plain).fit(X, y, sensitive_features=gender)
    assert clf.score(X, y) > 0.7
    assert clf.n_features_in_ == X.shape[1]


def test_missing_values_stay_missing_where_the_estimator_takes_them(people):
    X, y, gender = people
    X = X.mask(np.random.default_rng(0).uniform(size=X.shape) < 0.1)
    clf = smote(HistGradientBoostingClassifier(max_iter=5))
    assert clf.fit(X, y, sensitive_features=gender).score(X, y) > 0.7
    seen = smote(situation_testing=False).fit(X, y, sensitive_features=gender)
    share = seen.estimator_.X_[300:].isna().mean(axis=None)
    assert 0.05 < share < 0.15


def test_missing_values_are_the_estimators_to_refuse(people):
    X, y, gender = people
    X = X.mask(np.random.default_rng(0).uniform(size=X.shape) < 0.1)
    with pytest.raises(ValueError, match="LogisticRegression does not accept missing"):
        smote(LogisticRegression()).fit(X, y, sensitive_features=gender)


def test_the_seed_decides_the_rows(applicants):
    X, y, gender = applicants
    frames = [
        FairSMOTEClassifier(Remembers(), random_state=seed)
        .fit(X, y, sensitive_features=gender)
        .estimator_.X_
        for seed in (0, 0, 1)
    ]
    assert frames[0].equals(frames[1]) and not frames[0].equals(frames[2])


def test_parameters_are_those_of_the_new_rows(people):
    X, y, gender = people
    still = {"mutation": 0.0, "crossover": 0.0}
    for name in still:
        clf = smote(situation_testing=False, **{name: 0.0})
        seen = clf.fit(X, y, sensitive_features=gender).estimator_
        fresh = seen.X_[300:].merge(X, how="left", indicator=True)
        assert (fresh["_merge"] == "both").all()
    clf = smote(situation_testing=False, n_neighbors=9)
    far = clf.fit(X, y, sensitive_features=gender).estimator_.X_
    near = smote(situation_testing=False).fit(X, y, sensitive_features=gender)
    assert not far.equals(near.estimator_.X_)


def test_sparse_tables_give_csr_rows(people):
    X, y, gender = people
    values = np.where(np.abs(X) > 0.3, X, 0.0)
    dense, other = (
        smote().fit(each, y, sensitive_features=gender.to_numpy()).estimator_.X_
        for each in (values, sparse.coo_matrix(values))
    )
    assert other.format == "csr"
    # Neighbours are looked for in float32, of either.
    assert_array_equal(other.toarray(), dense)


def test_a_group_without_a_label_is_refused(people):
    X, y, gender = people
    kept = (gender == "male") | (y == "declined")
    with pytest.raises(
        ValueError,
        match="equally frequent, but group 'female' has no sample with label 'hired'",
    ):
        smote().fit(X[kept], y[kept], sensitive_features=gender[kept])


def test_a_label_of_which_no_row_passes_is_refused(monkeypatch, people):
    X, y, gender = people
    monkeypatch.setattr(
        _fair_smote, "situation_test", lambda encoded, codes, *others: codes == 0
    )
    n_each = 2 * pd.crosstab(y, gender).max(axis=None)
    with pytest.raises(
        ValueError,
        match=f"no row with label 'hired' passes .* {n_each} of {2 * n_each} rows",
    ):
        smote().fit(X, y, sensitive_features=gender)


def test_dates_are_refused(people):
    X, y, gender = people
    X = X.assign(since=pd.Timestamp("2020-01-01"))
    with pytest.raises(ValueError, match="column 'since' holds neither numbers nor"):
        smote().fit(X, y, sensitive_features=gender)


def test_one_neighbour_is_too_few(people):
    X, y, gender = people
    with pytest.raises(ValueError, match="n_neighbors.*Got 1 instead"):
        smote(n_neighbors=1).fit(X, y, sensitive_features=gender)


@pytest.mark.slow
def test_adult_takes_no_more_than_a_minute(data_home):
    adult = load_dataset("adult", data_home=data_home)
    start = time.perf_counter()
    clf = smote().fit(adult.data, adult.target, sensitive_features=adult.data["sex"])
    assert time.perf_counter() - start < 60, os.getloadavg()
    assert clf.cells_["original"].sum() == len(adult.data)
