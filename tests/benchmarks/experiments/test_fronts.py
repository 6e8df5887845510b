"""Areas, intervals and distances, worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from benchmarks.experiments.fronts import (
    accuracy_at,
    areas,
    best_rival,
    front_points,
    interval,
    paired,
    table_of_areas,
    table_of_distances,
    table_of_goals,
    table_of_score_goals,
)
from benchmarks.experiments.methods import CEILING, RUNNER, VANILLA


def _both(accuracy, difference):
    """The same figures on validation and test."""
    figures = {"accuracy": accuracy, "DP": difference}
    return {"valid": figures, "test": figures}


def test_points_are_chosen_on_validation_and_reported_on_test(row):
    vanilla = pd.DataFrame([row(VANILLA, "–", 0, **_both(0.7, 0.2))])
    own = pd.DataFrame(
        [
            # Beaten by Vanilla on validation, though best on test.
            row(
                RUNNER,
                "a",
                0,
                valid={"accuracy": 0.6, "DP": 0.3},
                test={"accuracy": 0.9, "DP": 0.0},
            ),
            row(
                RUNNER,
                "b",
                0,
                valid={"accuracy": 0.65, "DP": 0.1},
                test={"accuracy": 0.64, "DP": 0.12},
            ),
        ]
    )

    points = front_points(own, vanilla, "accuracy", "DP")

    assert_allclose(points, [[0.7, 0.2], [0.64, 0.12]])


def test_constant_settings_are_on_no_front(row):
    vanilla = pd.DataFrame([row(VANILLA, "–", 0, **_both(0.7, 0.2))])
    own = pd.DataFrame([row(RUNNER, "a", 0, **_both(0.6, 0.0), valid_constant=True)])

    assert len(front_points(own, vanilla, "accuracy", "DP")) == 1


def test_area_counts_from_the_majority_and_vanillas_mean_difference(row):
    rows = pd.DataFrame(
        [
            row(VANILLA, "–", 0, **_both(0.7, 0.2)),
            row(VANILLA, "–", 1, **_both(0.7, 0.4)),
            row(RUNNER, "a", 0, **_both(0.65, 0.1)),
            row(RUNNER, "a", 1, **_both(0.65, 0.3)),
        ]
    )

    found = areas(rows, "accuracy", "DP")

    # Reference (.6, .3): Vanilla's .1 × .1 in seed 0, and nothing in seed 1.
    assert found[VANILLA, 0] == pytest.approx(10)
    assert found[VANILLA, 1] == 0
    # Besides, RUNNER adds .05 × .1 in seed 0.
    assert found[RUNNER, 0] == pytest.approx(15)


def test_interval_is_students():
    mean, low, high = interval([1.0, 2.0, 3.0])

    # t = 4.3027 with two degrees of freedom, standard error 1 / sqrt(3).
    assert mean == 2
    assert_allclose([low, high], [2 - 2.48414, 2 + 2.48414], rtol=1e-5)


def test_interval_of_one_value_has_no_ends():
    assert np.isnan(interval([1.0])[1:]).all()


def _areas(**by_method):
    return pd.concat(
        {
            name: pd.Series(values, index=pd.RangeIndex(len(values), name="seed"))
            for name, values in by_method.items()
        },
        names=["method"],
    )


def test_paired_differences_are_in_percent_of_the_rivals_mean():
    found = _areas(ours=[11.0, 22.0, 40.0], rival=[10.0, 30.0])

    assert_allclose(paired(found, "ours", "rival"), [5, -40])


def test_best_rival_is_compared_on_common_seeds_and_has_two():
    found = _areas(ours=[10.0, 10.0, 100.0], one=[200.0], two=[9.0, 9.0], no=[0.0, 0.0])

    assert best_rival(found, "ours", ["one", "two", "no", "absent"]) == "two"
    assert best_rival(found, "ours", ["one"]) is None


@pytest.mark.parametrize(
    ("bound", "expected"), [(0.05, np.nan), (0.15, 0.65), (0.5, 0.7)]
)
def test_accuracy_is_interpolated_between_points(bound, expected):
    points = np.array([[0.7, 0.2], [0.6, 0.1]])

    assert_allclose(accuracy_at(points, bound), expected)


def _whole(row):
    rows = []
    for seed in range(3):
        shift = 0.001 * seed
        rows += [
            row(VANILLA, "–", seed, **_both(0.70 + shift, 0.20)),
            row(RUNNER, "bound=0", seed, **_both(0.68 + shift, 0.02)),
            row("Gap regularisation", "weight=1", seed, **_both(0.66, 0.02)),
            row(CEILING, "λ=0.1", seed, **_both(0.69 + shift, 0.01)),
            row(CEILING, "λ=0", seed, **_both(0.71 + shift, 0.21)),
            row(
                "ROC",
                "theta=0.6",
                seed,
                **_both(0.70, 0.0),
                groups_at_prediction=True,
            ),
        ]
    return pd.DataFrame(rows)


def test_the_goal_is_against_rivals_without_groups(row):
    table = table_of_goals(_whole(row))

    first = table.iloc[0]
    assert first["front"] == "accuracy against ΔDP"
    assert first["best rival"] == "Gap regularisation"
    assert first["seeds"] == "3"
    assert first["above -1 %"] == "yes"


def test_rows_without_the_repair_of_scores_have_no_goal_for_it(row):
    assert not len(table_of_score_goals(_whole(row)))


def test_distance_to_the_limit_is_in_points_at_equal_differences(row):
    table = table_of_distances(_whole(row)).set_index("at")

    # At .02, the limit is at .69 + .02 · .01 / .2 = .691, RUNNER at .68.
    assert table.loc["ΔDP = 0.02", "points below"].startswith("1.10")
    assert table.loc["ΔDP = 0.02", "within .5"] == "no"
    assert table.loc["ΔDP = 0.02", "reached by both"] == "3 of 3"


def test_table_of_areas_has_a_row_per_method(row):
    table = table_of_areas(_whole(row), "demographic_parity")

    assert table["method"].tolist() == [VANILLA, "ROC", "Gap regularisation", RUNNER]
