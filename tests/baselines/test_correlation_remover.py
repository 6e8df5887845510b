import numpy as np
import pandas as pd
import pytest
from fairlearn.preprocessing import CorrelationRemover
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from skfair_runner.baselines import CorrelationRemoverClassifier
from skfair_runner.metrics import demographic_parity_difference


class Remembers(LogisticRegression):
    """Keeps what it was trained on, and what it predicts for."""

    def fit(self, X, y):
        self.trained_on_ = X
        return super().fit(X, y)

    def predict(self, X):
        self.predicted_for_ = X
        return super().predict(X)


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_it_is_fairlearns_remover_before_the_estimator(alpha, people):
    X, y, gender = people
    clf = CorrelationRemoverClassifier(Remembers(), alpha=alpha)
    clf.fit(X[:200], y[:200], sensitive_features=gender[:200])
    y_pred = clf.predict(X[200:], sensitive_features=gender[200:])

    table = X.assign(group=(gender == "male").astype(float))
    remover = CorrelationRemover(sensitive_feature_ids=["group"], alpha=alpha)
    expected = remover.fit_transform(table[:200])
    assert_allclose(clf.estimator_.trained_on_, expected)
    new = remover.transform(table[200:])
    assert_allclose(clf.estimator_.predicted_for_, new)
    plain = LogisticRegression().fit(expected, y[:200])
    assert_array_equal(y_pred, plain.predict(new))


def test_every_group_of_several_has_the_same_means(people):
    X, y, gender = people
    table = pd.DataFrame({"gender": gender, "tall": X["height"] > 0})
    clf = CorrelationRemoverClassifier(Remembers())
    clf.fit(X, y, sensitive_features=table)
    means = clf.estimator_.trained_on_.groupby([table["gender"], table["tall"]]).mean()
    assert_allclose(means - means.iloc[0], 0, atol=1e-12)


def test_nothing_is_changed_for_alpha_zero(people):
    X, y, gender = people
    clf = CorrelationRemoverClassifier(Remembers(), alpha=0)
    clf.fit(X, y, sensitive_features=gender)
    assert_allclose(clf.estimator_.trained_on_, X)


def test_a_data_frame_keeps_its_names_and_its_index(people):
    X, y, gender = people
    clf = CorrelationRemoverClassifier(Remembers())
    clf.fit(X, y, sensitive_features=gender)
    assert clf.estimator_.trained_on_.columns.equals(X.columns)
    assert clf.estimator_.trained_on_.index.equals(X.index)


def test_a_linear_classifier_loses_most_of_its_difference(people):
    X, y, gender = people
    measured = {"sensitive_features": gender, "pos_label": "hired"}
    plain = LogisticRegression().fit(X, y).predict(X)
    clf = CorrelationRemoverClassifier(LogisticRegression())
    clf.fit(X, y, sensitive_features=gender)
    y_pred = clf.predict(X, sensitive_features=gender)
    before = demographic_parity_difference(y, plain, **measured)
    assert demographic_parity_difference(y, y_pred, **measured) < before / 2


def test_new_rows_may_be_of_one_group(people):
    X, y, gender = people
    clf = CorrelationRemoverClassifier(LogisticRegression())
    clf.fit(X, y, sensitive_features=gender)
    together = clf.predict_proba(X[:9], sensitive_features=gender[:9])
    alone = [
        clf.predict_proba(X[k : k + 1], sensitive_features=gender[k : k + 1])[0]
        for k in range(9)
    ]
    assert_allclose(alone, together)


def test_score_is_the_accuracy(people):
    X, y, gender = people
    clf = CorrelationRemoverClassifier(LogisticRegression())
    clf.fit(X, y, sensitive_features=gender)
    right = clf.predict(X, sensitive_features=gender) == y
    assert clf.score(X, y, sensitive_features=gender) == right.mean()


def test_probabilities_are_offered_where_the_estimator_has_them():
    assert not hasattr(CorrelationRemoverClassifier(LinearSVC()), "predict_proba")
    assert hasattr(CorrelationRemoverClassifier(), "predict_proba")


def test_the_estimator_is_seeded(people):
    X, y, gender = people
    clf = CorrelationRemoverClassifier(
        RandomForestClassifier(n_estimators=2), random_state=4
    ).fit(X, y, sensitive_features=gender)
    assert clf.estimator_.random_state == 4


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_groups_are_required_to_predict(method, people):
    X, y, gender = people
    clf = CorrelationRemoverClassifier(LogisticRegression())
    clf.fit(X, y, sensitive_features=gender)
    message = rf"Classifier\.{method} removes the correlation .* required here too"
    with pytest.raises(ValueError, match=message):
        getattr(clf, method)(X)


def test_a_group_that_fit_did_not_see_is_refused(people):
    X, y, gender = people
    clf = CorrelationRemoverClassifier(LogisticRegression())
    clf.fit(X, y, sensitive_features=gender)
    with pytest.raises(ValueError, match="unknown group 'other'"):
        clf.predict(X[:2], sensitive_features=np.array(["male", "other"]))


def test_features_that_are_no_numbers_are_refused(people):
    X, y, gender = people
    clf = CorrelationRemoverClassifier(LogisticRegression())
    with pytest.raises(
        ValueError, match=r"CorrelationRemoverClassifier .* 'gender' is"
    ):
        clf.fit(X.assign(gender=gender), y, sensitive_features=gender)
    clf.fit(X, y, sensitive_features=gender)
    words = X.astype({"height": object}).assign(height="tall")
    with pytest.raises(ValueError, match="'height' is"):
        clf.predict(words, sensitive_features=gender)


def test_an_amount_outside_of_zero_and_one_is_refused(people):
    X, y, gender = people
    clf = CorrelationRemoverClassifier(LogisticRegression(), alpha=1.5)
    with pytest.raises(ValueError, match="'alpha' parameter .* Got 1.5 instead"):
        clf.fit(X, y, sensitive_features=gender)
