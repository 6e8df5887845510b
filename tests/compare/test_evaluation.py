"""One classifier on one fold: what it decides, and what is wrong with it."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin

from skfair_runner._runs.data import read_data
from skfair_runner.compare._evaluation import evaluate, measure

TRAIN, TEST = np.arange(8), np.arange(8, 16)


class Returns(ClassifierMixin, BaseEstimator):
    """Returns what it is told to."""

    def __init__(self, y_pred, scores=None, classes=None):
        self.y_pred = y_pred
        self.scores = scores
        self.classes = classes

    def fit(self, X, y):
        self.classes_ = np.unique(y) if self.classes is None else self.classes
        return self

    def predict(self, X):
        return self.y_pred

    def predict_proba(self, X):
        return self.scores


class Decides(Returns):
    """Has no scores."""

    @property
    def predict_proba(self):
        raise AttributeError("predict_proba")


@pytest.fixture
def data():
    groups = np.tile([0, 0, 1, 1], 4)
    return read_data(np.zeros((16, 1)), np.resize([0, 1], 16), groups, None, "here")


def outcome_of(classifier, data):
    outcome = evaluate(classifier, data, TRAIN, TEST)
    return outcome, measure(outcome, data, TEST, {})


def test_decisions_become_codes(data):
    outcome, measured = outcome_of(Decides(np.array([1.0, 0.0] * 4)), data)
    assert_array_equal(outcome.y_pred, [1, 0] * 4)
    assert outcome.scores is None and measured.error == ""
    assert measured.numbers["accuracy"] == 0
    assert outcome.fit_seconds >= 0 and outcome.predict_seconds >= 0


def test_a_label_unknown_in_training_has_no_chance(data):
    classifier = Returns(np.ones(8, int), np.ones((8, 1)), classes=np.array([1]))
    outcome, measured = outcome_of(classifier, data)
    assert_array_equal(outcome.scores, np.tile([0.0, 1.0], (8, 1)))
    assert measured.error == "" and measured.constant


@pytest.mark.parametrize(
    ("classifier", "error"),
    [
        (Returns(np.full(8, 7)), "ValueError: predict returned 7, which is not among"),
        (Returns(np.zeros(5)), "ValueError: predict returned 5 labels for 8 rows"),
        (
            Returns(np.zeros(8), np.zeros((8, 3))),
            "ValueError: predict_proba returned shape (8, 3), not (8, 2): one row per",
        ),
        (
            Returns(np.zeros(8), np.full((8, 2), 1.5)),
            "ValueError: area_between_cdfs: y_score must hold probabilities in [0, 1], "
            "got 1.5",
        ),
    ],
)
def test_what_cannot_be_read_is_an_error_of_the_method(classifier, error, data):
    _, measured = outcome_of(classifier, data)
    assert measured.error.startswith(error)
    assert measured.numbers == {} and not measured.constant


def test_an_interrupt_is_no_error(data):
    class Stops(Returns):
        def fit(self, X, y):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(Stops(None), data, TRAIN, TEST)


def test_a_fold_may_lack_one_of_three_labels():
    groups = np.tile([0, 0, 1, 1], 4)
    y = np.array([0, 1, 2, 0, 1, 2, 0, 1] + [0, 1] * 4)
    data = read_data(np.zeros((16, 1)), y, groups, None, "here")
    scores = np.tile([0.5, 0.3, 0.2], (8, 1))
    _, measured = outcome_of(Returns(y[TEST], scores), data)
    assert measured.error == "" and measured.numbers["accuracy"] == 1


def test_a_label_that_a_group_lacks_is_told_once():
    groups = np.tile([0, 0, 1, 1], 4)
    y = np.append(np.resize([0, 1], 8), np.where(groups[TEST] == 1, 0, [0, 1] * 4))
    data = read_data(np.zeros((16, 1)), y, groups, None, "here")
    _, measured = outcome_of(Decides(np.array([1, 0] * 4)), data)
    (told,) = [text for _, text in measured.warnings if "no sample with label" in text]
    assert "group '1' has no sample with label 1" in told
