"""Points: measures against fairlearn, intervals by another route, light classifiers."""

import numpy as np
import pandas as pd
import pytest
import torch
from fairlearn.metrics import (
    demographic_parity_difference,
    equalized_odds_difference,
)
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score, average_precision_score

from skfair_runner._building import make_dataset
from skfair_runner.frontier._held_out import hold_out
from skfair_runner.frontier._points import (
    cells_of_decisions,
    classifier_around,
    measure_point,
    measure_points,
)
from skfair_runner.metrics.bootstrap import errors_of_decisions


@pytest.fixture
def held_out(front, people):
    """The rows that `front` was measured on."""
    trainer = front._trainer(0, "me")
    return hold_out(
        trainer, *people, fraction=front.validation_fraction, seed=0, caller="me"
    ).held_out


def test_the_table_holds_fairlearns_and_scikit_learns_measures(front, held_out):
    for weight in front.frontier_["weight"]:
        clf = front.at(weight=weight)
        row = front.frontier_.set_index("weight").loc[weight]
        proba, y = clf.predict_proba(pd_like(held_out, front)), held_out.y
        decided, groups = proba.argmax(axis=1), held_out.groups.codes
        told = {"sensitive_features": groups}
        assert_allclose(row["accuracy"], accuracy_score(y, decided))
        assert_allclose(
            row["average_precision"], average_precision_score(y, proba[:, 1])
        )
        assert_allclose(row["selection_rate"], decided.mean())
        assert_allclose(
            row["demographic_parity_difference"],
            demographic_parity_difference(y, decided, **told),
        )
        assert_allclose(
            row["equalized_odds_difference"],
            equalized_odds_difference(y, decided, **told),
        )


def pd_like(held_out, front):
    return pd.DataFrame(held_out.X, columns=front.feature_names_in_)


def test_intervals_hold_their_measure_and_are_as_wide_as_a_binomials(front, held_out):
    table = front.frontier_
    for name in ("accuracy", "demographic_parity_difference"):
        assert (table[f"{name}_low"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_high"]).all()
        assert (table[f"{name}_low"] >= 0).all() and (table[f"{name}_high"] <= 1).all()
    width = (table["accuracy_high"] - table["accuracy_low"]) / 2
    expected = 1.96 * np.sqrt(table["accuracy"] * (1 - table["accuracy"]) / 120)
    # Resampling within groups and labels leaves out what these numbers would vary.
    assert (0.5 * expected < width).all() and (width < 1.1 * expected).all()


def test_intervals_are_those_of_the_bootstrap(front, held_out):
    clf = front.at(weight=0)
    row = measure_point(
        clf, held_out, 1, n_bootstrap=50, level=0.9, rng=np.random.default_rng(3)
    )
    decided = clf.net_.decision_values(held_out.X)[:, 0] > 0
    counts = np.zeros((2, 2, 2), dtype=int)
    rows = zip(held_out.groups.codes, held_out.y, decided.astype(int), strict=True)
    for cell in rows:
        counts[cell] += 1
    assert (cells_of_decisions(held_out, decided.astype(int)) == counts).all()
    errors = errors_of_decisions(counts, [1], 50, np.random.default_rng(3))
    half = np.quantile(np.abs(errors["accuracy"]), 0.9)
    assert_allclose(row["accuracy_high"] - row["accuracy"], half)


def test_a_point_is_light_and_its_own(front):
    clf, other = front.at(weight=0.5), front.at(weight=0.5)
    assert type(clf.net_).__name__ == "RunnerNet"
    assert not clf.net_.optimizer_.state
    assert not any("parametrizations" in n for n, _ in clf.net_.module_.named_modules())
    with torch.no_grad():
        clf.net_.module_.output.weight.zero_()
    assert other.net_.module_.output.weight.abs().sum() > 0
    assert front.at(weight=0.5).net_.module_.output.weight.abs().sum() > 0


def test_multipliers_and_neuron_penalty_are_those_of_the_weight(front):
    whole = front._trained
    for weight in (0.0, 0.3, 1.0):
        clf = front.at(weight=weight)
        assert_allclose(
            clf.net_.controller_.multipliers,
            weight * whole.net_.controller_.multipliers,
            rtol=1e-6,
        )
        assert clf.net_.plan.alpha == weight * whole.settings_["alpha"]
        assert clf.settings_["alpha"] == clf.net_.plan.alpha


def test_a_point_keeps_to_the_difference_that_it_has(front):
    table = front.frontier_
    for row in (0, 4, 8):
        clf = front.at(weight=table["weight"].iloc[row])
        bound = table["demographic_parity_difference"].iloc[row]
        assert clf.difference_bound == clf.net_.plan.difference_bound == bound
        assert clf.net_.plan.difference_bound == bound
    between = front.at(weight=table["weight"].iloc[[4, 5]].mean()).difference_bound
    ends = table["demographic_parity_difference"].iloc[[4, 5]]
    assert between == pytest.approx(ends.mean())


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


def test_beyond_4096_rows_neurons_are_diagnosed_on_some(front, held_out, monkeypatch):
    monkeypatch.setattr("skfair_runner.frontier._points._MOST_ROWS", 60)
    clf = classifier_around(front._trained, 0.5)
    measured = measure_points(
        [(0.5, clf)],
        held_out,
        1,
        n_bootstrap=5,
        level=0.95,
        rng=np.random.default_rng(0),
    )
    few = clf.net_.diagnose(make_dataset(held_out, np.arange(60)), "activation")
    assert measured.diagnoses[0].gap == pytest.approx(few.gap)
    assert measured.table["accuracy"].iloc[0] == pytest.approx(
        (clf.predict(pd_like(held_out, front)) == held_out.y).mean()
    )
