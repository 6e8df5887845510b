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

from skfair_runner.frontier import _points
from skfair_runner.frontier._points import (
    cells_of_decisions,
    measure_point,
    measure_points,
    tell_points,
)
from skfair_runner.metrics.bootstrap import errors_of_decisions


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
    for name in (
        "accuracy",
        "average_precision",
        "selection_rate",
        "demographic_parity_difference",
    ):
        assert (table[f"{name}_low"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_high"]).all()
        assert (table[f"{name}_low"] >= 0).all() and (table[f"{name}_high"] <= 1).all()
    width = (table["accuracy_high"] - table["accuracy_low"]) / 2
    expected = 1.96 * np.sqrt(table["accuracy"] * (1 - table["accuracy"]) / 120)
    # Resampling within groups and labels leaves out what these numbers would vary.
    assert (0.5 * expected < width).all() and (width < 1.25 * expected).all()


def measured(clf, held_out, **bootstrap):
    """What the table of points says of one of them."""
    point = measure_point(clf, held_out, 1, 0.9)
    return tell_points([point], [1], level=0.9, **bootstrap).iloc[0]


def test_intervals_are_those_of_the_bootstrap(front, held_out):
    clf = front.at(weight=0)
    row = measured(clf, held_out, n_bootstrap=50, rng=np.random.default_rng(3))
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
    names = [name for name, _ in clf.net_.module_.named_parameters()]
    assert not any("modulation" in name for name in names)
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


@pytest.mark.parametrize("at_once", [2**22, 300])
def test_all_points_are_measured_as_each_by_itself(
    front, held_out, monkeypatch, at_once
):
    monkeypatch.setattr(_points, "_MOST_NUMBERS", at_once)
    told, weights = {"n_bootstrap": 20}, [0.0, 0.3, 1.2]
    rng = np.random.default_rng(5)
    expected = [
        measured(front.at(weight=weight), held_out, rng=rng, **told)
        for weight in weights
    ]
    rng = np.random.default_rng(5)
    table = measure_points(
        front._trained, range(3), held_out, 1, level=0.9, rng=rng, **told
    )
    assert table["weight"].tolist() == weights
    expected = pd.DataFrame(expected).reset_index(drop=True)
    found = table.drop(columns="weight").astype(object)
    pd.testing.assert_frame_equal(found, expected.astype(object))


def test_a_sum_of_two_differences_may_exceed_one(front, held_out):
    """All of one group are selected, none of the other."""

    class Divided:
        class net_:
            @staticmethod
            def decision_values(X):
                return np.where(held_out.groups.codes == 0, 9.0, -9.0)[:, None]

    row = measured(Divided, held_out, n_bootstrap=50, rng=np.random.default_rng(0))
    assert row["equalized_odds_sum"] == row["equalized_odds_sum_high"] == 2
    assert row["equalized_odds_difference_high"] == 1
