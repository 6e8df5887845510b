import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from skfair_runner.baselines import UnmitigatedClassifier


def test_it_is_the_estimator(people):
    X, y, gender = people
    clf = UnmitigatedClassifier(LogisticRegression())
    expected = LogisticRegression().fit(X, y)
    for groups in (None, gender):
        clf.fit(X, y, sensitive_features=groups)
        assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
        assert_array_equal(clf.decision_function(X), expected.decision_function(X))
        assert_array_equal(clf.predict(X), expected.predict(X))
        assert clf.score(X, y) == expected.score(X, y)


def test_groups_are_told_only_where_they_were_given(people):
    X, y, gender = people
    clf = UnmitigatedClassifier(LogisticRegression())
    assert clf.fit(X, y, sensitive_features=gender).groups_ == ["female", "male"]
    assert not hasattr(clf.fit(X, y), "groups_")


def test_one_group_is_no_reason_to_refuse(people):
    X, y, _ = people
    clf = UnmitigatedClassifier(LogisticRegression())
    assert clf.fit(X, y, sensitive_features=["all"] * 300).groups_ == ["all"]


def test_three_labels_are_learned():
    X, y = load_iris(return_X_y=True)
    clf = UnmitigatedClassifier(LogisticRegression(max_iter=200)).fit(X, y)
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.predict_proba(X).shape == (150, 3)


def test_the_favourable_label_is_told(people):
    X, y, _ = people
    clf = UnmitigatedClassifier(LogisticRegression(), pos_label="declined").fit(X, y)
    assert clf.classes_[clf.favourable_] == "declined"


def test_an_unknown_favourable_label_is_refused(people):
    X, y, _ = people
    clf = UnmitigatedClassifier(LogisticRegression(), pos_label="maybe")
    with pytest.raises(ValueError, match="pos_label='maybe' is not a class of y"):
        clf.fit(X, y)


def test_only_what_the_estimator_offers_is_offered():
    assert not hasattr(UnmitigatedClassifier(LinearSVC()), "predict_proba")
    assert hasattr(UnmitigatedClassifier(LinearSVC()), "decision_function")
    assert hasattr(UnmitigatedClassifier(), "predict_proba")
    assert not hasattr(UnmitigatedClassifier(), "decision_function")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_nothing_is_predicted_before_fit(method):
    clf = UnmitigatedClassifier(LogisticRegression())
    with pytest.raises(NotFittedError, match="UnmitigatedClassifier"):
        getattr(clf, method)(np.zeros((2, 2)))


def test_an_estimator_must_be_one():
    with pytest.raises(ValueError, match="Got 'a tree' instead"):
        UnmitigatedClassifier("a tree").fit([[0.0], [1.0]], [0, 1])
