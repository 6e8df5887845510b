import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from skfair_runner.baselines import OversamplingClassifier
from skfair_runner.baselines._base import take_rows
from skfair_runner.baselines._oversampling import oversampled_rows


class Remembers(ClassifierMixin, BaseEstimator):
    """Keeps what it was trained on."""

    def fit(self, X, y):
        self.X_, self.y_, self.classes_ = X, y, np.unique(y)
        return self

    def predict(self, X):
        return self.y_[: X.shape[0]]


def test_cells_are_equal_and_every_row_is_kept():
    cells = np.array([0, 3, 3, 1, 3, 1, 3, 3])
    rows = oversampled_rows(cells, np.random.RandomState(0))

    assert_array_equal(rows[:8], np.arange(8))
    # By hand: cell 3 has five rows, so four are drawn of cell 0 and three of cell 1.
    assert np.bincount(cells[rows]).tolist() == [5, 5, 0, 5]
    assert set(rows[8:12]) == {0} and set(rows[12:]) <= {3, 5}


def test_every_row_of_a_cell_is_as_likely_to_be_repeated():
    cells = np.repeat([0, 1], [4, 4004])
    rows = oversampled_rows(cells, np.random.RandomState(0))[4008:]
    expected = 4000 / 4
    assert (np.abs(np.bincount(rows)[:4] - expected) < 4 * np.sqrt(expected)).all()


def test_the_estimator_sees_every_label_of_every_group_equally_often(people):
    X, y, gender = people
    X = X.assign(gender=gender)
    clf = OversamplingClassifier(Remembers(), random_state=0)
    clf.fit(X, y, sensitive_features=gender)

    seen = clf.estimator_
    counts = pd.crosstab(seen.X_["gender"], seen.y_)
    largest = pd.crosstab(gender, y).max(axis=None)
    assert (counts == largest).all(axis=None)
    assert clf.n_repeated_ == 4 * largest - 300
    # The rows are those of X, with their labels.
    pd.testing.assert_frame_equal(seen.X_[:300], X.reset_index(drop=True))
    pairs = X.assign(y=y).drop_duplicates()
    merged = seen.X_.assign(y=seen.y_).merge(pairs, how="left", indicator=True)
    assert (merged["_merge"] == "both").all()


def test_another_seed_repeats_other_rows(people):
    X, y, gender = people
    frames = [
        OversamplingClassifier(Remembers(), random_state=seed)
        .fit(X, y, sensitive_features=gender)
        .estimator_.X_
        for seed in (0, 0, 1)
    ]
    assert frames[0].equals(frames[1]) and not frames[0].equals(frames[2])


def test_three_labels_are_balanced():
    rng = np.random.default_rng(0)
    X, groups = rng.normal(size=(200, 2)), rng.integers(0, 2, 200)
    y = rng.choice(["no", "perhaps", "yes"], p=[0.6, 0.3, 0.1], size=200)
    clf = OversamplingClassifier(Remembers(), random_state=0)
    clf.fit(X, y, sensitive_features=groups)
    assert len(set(np.unique(clf.estimator_.y_, return_counts=True)[1])) == 1


@pytest.mark.parametrize("container", [sparse.coo_matrix, sparse.csc_array, np.array])
def test_rows_come_in_the_container_of_the_table(container):
    rows = take_rows(container([[1, 2], [3, 4]]), np.array([1, 1, 0]))
    dense = rows.toarray() if sparse.issparse(rows) else rows
    assert dense.tolist() == [[3, 4], [3, 4], [1, 2]]


def test_a_group_without_a_label_is_refused(people):
    X, y, gender = people
    kept = (gender == "male") | (y == "declined")
    with pytest.raises(
        ValueError,
        match="equally often, but group 'female' has no sample with label 'hired'",
    ):
        OversamplingClassifier(LogisticRegression()).fit(
            X[kept], y[kept], sensitive_features=gender[kept]
        )
