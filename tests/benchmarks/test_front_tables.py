"""Tables of fronts: areas, curves and picks by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks._front_tables import (
    above_curve,
    accuracy_along,
    chosen_of_nine,
    in_common,
    read,
    table_of_areas,
    table_of_costs,
    table_of_curves,
    table_of_picks,
    table_of_shares,
    with_chosen,
)

NINE = pd.DataFrame(
    {
        "bound": [0.0, 0.05, 0.1],
        "accuracy": [0.80, 0.84, 0.83],
        "AP": 0.7,
        "difference": [0.01, 0.05, 0.09],
        "constant": False,
        "valid_accuracy": [0.80, 0.79, 0.85],
        "valid_difference": [0.0, 0.06, 0.1],
        "valid_constant": False,
    }
)


def front_of(accuracy, difference):
    table = pd.DataFrame({"accuracy": accuracy, "difference": difference})
    seen = {"valid_accuracy": accuracy, "valid_difference": difference}
    return table.assign(constant=False, AP=0.7, **seen)


@pytest.fixture
def results(tmp_path):
    """One seed of three methods, from a file."""
    plain = front_of([0.85], [0.1])
    front = front_of(np.linspace(0.81, 0.85, 25), np.linspace(0.01, 0.1, 25))
    picks = front.iloc[[0, 24]].assign(bound=[0.02, 0.1])
    rows = [
        ("plain", plain, plain.iloc[:0], 2.0, None),
        ("frontier", front, picks, 3.0, 0.5),
        ("controlled", NINE, NINE.iloc[1:], 2.0, None),
    ]
    records = [
        {
            "dataset": "adult",
            "constraint": "demographic_parity",
            "method": method,
            "seed": 0,
            "majority": 0.75,
            "fit_seconds": seconds,
            "neuron_seconds": neurons,
            "points": json.dumps(points.to_dict("records")),
            "picks": json.dumps(chosen.to_dict("records")),
        }
        for method, points, chosen, seconds, neurons in rows
    ]
    pd.DataFrame(records).to_csv(tmp_path / "results.csv", index=False)
    return read(tmp_path / "results.csv")


def test_areas_count_nine_points_of_each_or_those_that_were_kept(results):
    table = table_of_areas(results).set_index("points")
    # From the reference (.75, .1): .09 x .05 + .05 x .04, less nothing of the third.
    area = 0.09 * 0.05 + 0.05 * 0.04
    assert table.loc["nine of each", "nine trainings"] == f"{1000 * area:.2f}"
    # Kept are the first and the third.
    area = 0.09 * 0.05 + 0.01 * 0.03
    assert table.loc["kept", "nine trainings"] == f"{1000 * area:.2f}"
    # On the front's curve none beats another.
    assert table.loc["kept", "front"] == table.loc["nine of each", "front"]
    # More points of it cover more.
    assert float(table.loc["all", "front"]) > float(table.loc["kept", "front"])
    assert table.loc["kept", "front not below"] == "1 of 1"


def test_costs_are_in_plain_fits(results):
    (row,) = table_of_costs(results).to_dict("records")
    assert row["front"] == "1.50" and row["its neurons"] == "0.25"
    assert row["nine trainings"] == "9.0"


def test_curves_are_compared_where_both_are_and_without_a_maximum():
    one = front_of([0.80, 0.84], [0.0, 0.1])
    # A dent between its ends: not bridged.
    other = front_of([0.80, 0.80, 0.84], [0.0, 0.05, 0.1])
    first, second = accuracy_along(one, other)
    assert first == pytest.approx(0.82)
    assert second == pytest.approx(0.81, abs=2e-4)
    shorter = front_of([0.82, 0.84], [0.05, 0.1])
    assert accuracy_along(shorter, one) == pytest.approx((0.83, 0.83))


def test_the_table_of_curves_tells_the_difference(results):
    (row,) = table_of_curves(results).to_dict("records")
    assert float(row["front less nine"]) == pytest.approx(
        float(row["front"]) - float(row["nine"]), abs=1e-4
    )


def test_of_nine_the_most_accurate_within_the_bound_is_chosen():
    picks = chosen_of_nine(NINE, [0.0, 0.06, 0.2])
    assert picks["accuracy"].tolist() == [0.80, 0.80, 0.83]
    assert picks["bound"].tolist() == [0.0, 0.06, 0.2]
    dead = NINE.assign(valid_constant=[True, False, False])
    # Nothing within: the smallest difference of those that decide anything.
    assert chosen_of_nine(dead, [0.0])["accuracy"].tolist() == [0.84]


def test_picks_lie_above_or_below_the_curve_of_nine():
    # The third point is dominated; between the others the curve is straight.
    assert above_curve({"difference": 0.03, "accuracy": 0.83}, NINE) == pytest.approx(
        0.01
    )
    assert above_curve({"difference": 0.2, "accuracy": 0.83}, NINE) == pytest.approx(
        -0.01
    )


def test_picks_are_counted_by_method(results):
    told = with_chosen(results, [0.02, 0.1])
    shares = table_of_shares(told).set_index("method")
    assert set(shares.index) == {"frontier", "controlled", "controlled, chosen"}
    assert shares.loc["frontier", "within the bound"] == "100%"
    # Of the bounds .05 and .1, differences .05 and .09.
    assert shares.loc["controlled", "picks"] == 2
    picks = table_of_picks(told, [0.02, 0.1])
    assert set(picks["bound"]) == {0.02, 0.1}


def test_picks_are_of_the_seeds_that_both_sides_have(results):
    more = pd.concat([results, results.assign(seed=1).query("method == 'frontier'")])
    assert in_common(more)["seed"].tolist() == [0, 0, 0]
    alone = results[results["method"] != "controlled"]
    assert len(in_common(alone)) == 2


def test_without_nine_trainings_there_are_costs_alone(results):
    few = results[results["method"] != "controlled"]
    assert table_of_curves(few).empty and table_of_shares(few).empty
    assert "nine trainings" not in table_of_costs(few)
    assert with_chosen(few, [0.1]) is few
    assert table_of_areas(few).empty
