"""Neurons along a front: told late, the same as at once, and without rows."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skfair_runner._building import make_dataset
from skfair_runner.frontier import _neurons
from skfair_runner.frontier._neurons import PointNeurons
from skfair_runner.net import RunnerNet


def test_neurons_of_a_point_are_those_of_the_table(front, held_out):
    neurons = front.neurons_
    assert list(neurons) == [
        "weight",
        "layer",
        "neuron",
        "importance",
        "discrimination",
    ]
    assert len(neurons) == 9 * (12 + 8)
    weight = front.frontier_["weight"].iloc[5]
    clf, part = front.at(weight=weight), neurons[neurons["weight"] == weight]
    table = clf.neuron_importance_
    assert table["layer"].tolist() == part["layer"].tolist()
    assert_allclose(table["discrimination_after"], part["discrimination"])
    biased = neurons[neurons["weight"] == 0]
    assert_allclose(table["discrimination"], biased["discrimination"])
    assert_allclose(table["importance"], biased["importance"])
    found = clf.net_.diagnose(make_dataset(held_out), "activation")
    assert_allclose(
        np.concatenate(list(found.discrimination.values())),
        part["discrimination"],
        rtol=1e-4,
        atol=1e-6,
    )
    for layer, chosen in clf.selected_neurons_.items():
        own = table[table["layer"] == layer].sort_values("rank")
        assert chosen.tolist() == own["neuron"][own["selected"]].tolist()


def test_neurons_between_two_points_lie_between_theirs(front):
    low, high = front.frontier_["weight"].iloc[[5, 6]]
    one, other, middle = (
        front.at(weight=weight).neuron_importance_["discrimination_after"]
        for weight in (low, high, (low + high) / 2)
    )
    assert_allclose(middle, (one + other) / 2)


@pytest.fixture
def fresh(front, held_out):
    """Neurons that nobody has asked for, and how often one was diagnosed."""
    return PointNeurons(front._trained, front.frontier_["weight"], held_out)


def test_neurons_are_diagnosed_when_they_are_asked_for(fresh, monkeypatch):
    asked = []
    own = RunnerNet.diagnose
    monkeypatch.setattr(
        RunnerNet, "diagnose", lambda *args: asked.append(1) or own(*args)
    )
    fresh.at(fresh.weights[4])
    assert len(asked) == 1
    fresh.at((fresh.weights[4] + fresh.weights[5]) / 2)
    assert len(asked) == 2
    fresh.table()
    fresh.table()
    assert len(asked) == 9


def test_fit_diagnoses_no_more_than_its_point_needs(make_front, people):
    front = make_front().fit(people[0], people[1], sensitive_features=people[2])
    (selected,) = np.flatnonzero(front.frontier_["selected"])
    assert set(front._neurons._found) == {0, selected}


def test_what_is_pickled_tells_the_same_without_the_rows(fresh, front):
    again = pickle.loads(pickle.dumps(fresh))
    assert again._watched is None and again._trained is None
    assert again.table().equals(fresh.table())
    assert again.table().equals(front.neurons_)


def test_images_are_not_kept(front, held_out, monkeypatch):
    seen = []
    monkeypatch.setattr(_neurons.PointNeurons, "complete", lambda self: seen.append(1))
    images = held_out.X.reshape(len(held_out.y), 1, 2, -1)
    PointNeurons(front._trained, [0.0, 1.0], replace(held_out, X=images))
    assert seen == [1]


def test_beyond_4096_rows_neurons_are_diagnosed_on_some(front, held_out, monkeypatch):
    monkeypatch.setattr(_neurons, "_MOST_ROWS", 60)
    neurons = PointNeurons(front._trained, [0.0, 0.5], held_out)
    clf = front.at(weight=0.5)
    rows = np.linspace(0, len(held_out.y) - 1, 60).astype(int)
    few = clf.net_.diagnose(make_dataset(held_out, rows), "activation")
    assert neurons[1].gap == pytest.approx(few.gap)
