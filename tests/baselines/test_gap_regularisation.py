import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import GapRegularisationClassifier


def net(**parameters):
    quick = {"warmup_epochs": 3, "max_epochs": 8, "hidden_layer_sizes": (8,)}
    return RunnerFairClassifier(**{"constraint": None, **quick, **parameters})


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_it_is_runner_with_nothing_but_the_output_gap(constraint, people):
    X, y, gender = people
    clf = GapRegularisationClassifier(net(), constraint, weight=0.7, random_state=0)
    clf.fit(X, y, sensitive_features=gender)
    expected = net(
        constraint=constraint,
        alpha=0.0,
        difference_bound=None,
        output_weight=0.7,
        random_state=0,
    ).fit(X, y, sensitive_features=gender)
    assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))


def test_a_weight_of_zero_trains_plainly(people):
    X, y, gender = people
    clf = GapRegularisationClassifier(net(), weight=0, random_state=0)
    clf.fit(X, y, sensitive_features=gender)
    plain = net(random_state=0).fit(X, y)
    assert_allclose(clf.predict_proba(X), plain.predict_proba(X), atol=1e-6)


def test_a_larger_weight_leaves_a_smaller_gap(people):
    X, y, gender = people
    gaps = []
    for weight in (0, 0.5, 2.0):
        clf = GapRegularisationClassifier(net(lr=0.02), weight=weight, random_state=0)
        scores = clf.fit(X, y, sensitive_features=gender).predict_proba(X)[:, 1]
        means = [scores[gender == name].mean() for name in clf.groups_]
        gaps.append(abs(means[0] - means[1]))
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 0.5 * gaps[0]


def test_three_labels_are_learned():
    X, y = load_iris(return_X_y=True)
    clf = GapRegularisationClassifier(net(lr=0.05), random_state=0)
    clf.fit(X, y, sensitive_features=np.arange(150) % 2)
    assert clf.predict_proba(X).shape == (150, 3)
    assert clf.score(X, y) > 0.8


def test_a_negative_weight_is_refused(people):
    X, y, gender = people
    with pytest.raises(ValueError, match="'weight' .* Got -1 instead"):
        GapRegularisationClassifier(weight=-1).fit(X, y, sensitive_features=gender)
