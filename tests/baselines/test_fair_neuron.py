import numpy as np
import pytest
from numpy.testing import assert_array_equal
from torch import nn

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import FairNeuronClassifier
from skfair_runner.modules import MLP


def net(**parameters):
    quick = {"warmup_epochs": 2, "max_epochs": 2}
    return RunnerFairClassifier(None, **{**quick, **parameters})


def sequential(n_features):
    return nn.Sequential(nn.Linear(n_features, 5), nn.ReLU(), nn.Linear(5, 1))


@pytest.mark.parametrize(
    "module",
    [
        {"hidden_layer_sizes": (5, 4)},
        {"module": MLP, "module__hidden_layer_sizes": (5,)},
        {"module": sequential},
    ],
)
def test_perceptrons_of_any_make_are_trained(module, people):
    X, y, _ = people
    clf = FairNeuronClassifier(net(**module), theta=1.0, random_state=0).fit(X, y)
    assert clf.n_conflicts_ == 300
    assert 1 < clf.n_paths_ <= 300
    plain = net(**module, random_state=0).fit(X, y)
    assert not np.allclose(clf.predict_proba(X), plain.predict_proba(X))


def test_without_conflicts_the_net_is_trained_plainly(people):
    X, y, _ = people
    few = net(hidden_layer_sizes=(2,))
    clf = FairNeuronClassifier(few, random_state=0).fit(X, y)
    assert clf.n_conflicts_ == 0
    plain = net(hidden_layer_sizes=(2,), random_state=0).fit(X, y)
    assert_array_equal(clf.predict_proba(X), plain.predict_proba(X))


def test_groups_do_not_matter(people):
    X, y, gender = people
    clf = FairNeuronClassifier(net(hidden_layer_sizes=(5,)), random_state=0)
    without = clf.fit(X, y).predict_proba(X)
    assert not hasattr(clf, "groups_")
    clf.fit(X, y, sensitive_features=gender)
    assert_array_equal(clf.predict_proba(X), without)
    assert clf.groups_ == ["female", "male"]


def test_fewer_samples_are_in_conflict_where_theta_is_small(people):
    X, y, _ = people
    found = []
    for theta in (1e-4, 0.1, 1.0):
        clf = FairNeuronClassifier(
            net(hidden_layer_sizes=(4,)), theta=theta, gamma=0.5, random_state=0
        )
        found.append(clf.fit(X, y).n_conflicts_)
    assert found[0] <= found[1] < found[2] == 300


def test_the_net_still_learns_with_dropout_on_every_path(people):
    X, y, _ = people
    clf = FairNeuronClassifier(
        net(hidden_layer_sizes=(16,), max_epochs=15, lr=0.01), theta=1.0, random_state=0
    )
    assert clf.fit(X, y).score(X, y) > 0.75


def test_without_a_second_phase_no_path_is_sliced(people):
    X, y, _ = people
    clf = FairNeuronClassifier(net(max_epochs=0), random_state=0).fit(X, y)
    assert (clf.n_paths_, clf.n_conflicts_) == (0, 0)


def test_a_third_label_is_refused(people):
    X, y, _ = people
    y = y.where(X["height"] > -0.5, "undecided")
    with pytest.raises(ValueError, match=r"3 labels \['declined', 'hired', 'undeci"):
        FairNeuronClassifier(net()).fit(X, y)


@pytest.mark.parametrize(
    ("name", "value"), [("gamma", 0), ("theta", 2), ("dropout", 1)]
)
def test_numbers_out_of_range_are_refused(name, value, people):
    X, y, _ = people
    with pytest.raises(ValueError, match=f"'{name}' .* Got {value} instead"):
        FairNeuronClassifier(**{name: value}).fit(X, y)
