"""Choosing points: cases by hand, and a loop over all pairs."""

import numpy as np
import pandas as pd
import pytest

from skfair_runner.frontier._choice import (
    choose_position,
    mark_front,
    most_accurate_within,
    most_equal_above,
    weight_of_request,
    worse_ends,
)
from skfair_runner.utils import SkfairRunnerWarning

AIM = "demographic_parity_difference"


@pytest.fixture
def table():
    table = pd.DataFrame(
        {
            "weight": [0.0, 0.3, 0.6, 0.9, 1.2],
            "accuracy": [0.86, 0.87, 0.85, 0.80, 0.99],
            AIM: [0.20, 0.15, 0.06, 0.02, 0.00],
            "constant": [False, False, False, False, True],
        }
    )
    return table.assign(on_front=mark_front(table, AIM))


def asked(**given):
    return {"difference": None, "accuracy": None, "weight": None, **given}


@pytest.mark.parametrize("seed", range(3))
def test_the_front_is_what_no_living_point_dominates(seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "accuracy": rng.integers(0, 6, 30) / 10,
            AIM: rng.integers(0, 6, 30) / 10,
            "constant": rng.random(30) < 0.3,
        }
    )
    alive = [row for _, row in table.iterrows() if not row["constant"]]
    expected = [
        not row["constant"]
        and not any(
            other["accuracy"] >= row["accuracy"]
            and other[AIM] <= row[AIM]
            and (other["accuracy"] > row["accuracy"] or other[AIM] < row[AIM])
            for other in alive
        )
        for _, row in table.iterrows()
    ]
    assert mark_front(table, AIM).tolist() == expected


def test_the_most_accurate_point_within_a_bound_is_taken(table):
    assert most_accurate_within(table, AIM, 0.2, "me") == 1
    assert most_accurate_within(table, AIM, 0.06, "me") == 2
    assert most_accurate_within(table, AIM, 0.02, "me") == 3


def test_the_smallest_difference_of_accurate_points_is_taken(table):
    assert most_equal_above(table, AIM, 0.85, "me") == 2
    assert most_equal_above(table, AIM, 0.0, "me") == 3


def test_where_nothing_is_good_enough_the_nearest_point_is_taken_and_told(table):
    with pytest.warns(
        SkfairRunnerWarning,
        match=r"me: no point of the front has a demographic parity difference within "
        r"0.01 on the held-out rows; the smallest is 0.020",
    ) as caught:
        assert most_accurate_within(table, AIM, 0.01, "me") == 3
    assert caught[0].filename == __file__
    with pytest.warns(
        SkfairRunnerWarning, match=r"me: no point .* an accuracy of 0.9 .* one, 0.870,"
    ) as caught:
        assert most_equal_above(table, AIM, 0.9, "me") == 1
    assert caught[0].filename == __file__


def test_a_measure_is_called_by_its_article(table):
    table = table.rename(columns={AIM: "equalized_odds_difference"})
    with pytest.warns(SkfairRunnerWarning, match="has an equalized odds difference"):
        most_accurate_within(table, "equalized_odds_difference", 0.01, "me")


def test_constant_points_are_taken_only_where_there_are_no_others(table):
    table["constant"] = True
    assert most_accurate_within(table, AIM, 0.1, "me") == 4


def test_the_knee_is_looked_for_on_the_front_alone(table):
    # On the scale of the front, (.85, .06) is highest above the line to (.87, .15).
    assert choose_position(table, AIM, "knee", "me") == 2
    # Away from the front nothing is a knee, however it bends.
    table.loc[3, "accuracy"] = 0.5
    table["on_front"] = mark_front(table, AIM)
    assert table["on_front"].iloc[choose_position(table, AIM, "knee", "me")]


def test_a_front_of_constant_points_has_a_knee_all_the_same(table):
    table["constant"], table["on_front"] = True, False
    assert 0 <= choose_position(table, AIM, "knee", "me") < 5


def test_a_function_chooses_a_row_and_cannot_change_the_table(table):
    def spoil(points):
        points["accuracy"] = 0
        return np.int64(3)

    before = table.copy()
    assert choose_position(table, AIM, spoil, "me") == 3
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("position", [5, -1])
def test_a_function_that_chooses_no_row_is_refused(table, position):
    with pytest.raises(ValueError, match=rf"me: select returned {position}, .* has 5,"):
        choose_position(table, AIM, lambda points: position, "me")


def test_a_function_that_returns_no_position_is_refused(table):
    with pytest.raises(TypeError, match=r"me: select returned 0.5, where"):
        choose_position(table, AIM, lambda points: 0.5, "me")


def test_a_number_is_a_bound(table):
    assert choose_position(table, AIM, 0.06, "me") == 2


@pytest.mark.parametrize(
    ("given", "weight"),
    [
        ({"difference": 0.06}, 0.6),
        ({"accuracy": 0.85}, 0.6),
        ({"weight": 0.4}, 0.4),
        ({"weight": 0}, 0.0),
        ({"weight": np.float32(1)}, 1.0),
        ({"weight": 1.2}, 1.2),
    ],
)
def test_a_request_is_a_weight(table, given, weight):
    assert weight_of_request(table, AIM, "me", **asked(**given)) == weight


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, ValueError, "me takes exactly one of .*, got none"),
        (
            {"weight": 0.1, "accuracy": 0.5},
            ValueError,
            r"got \{'accuracy': 0.5, 'weight': 0.1\}",
        ),
        ({"weight": 1.3}, ValueError, "me: weight=1.3 is not between 0 and 1.2"),
        ({"weight": float("nan")}, ValueError, "weight=nan is not between"),
        ({"difference": -0.1}, ValueError, "difference=-0.1 is not between 0 and 1"),
        ({"accuracy": 85}, ValueError, "accuracy=85 is not between 0 and 1"),
        ({"difference": "0.1"}, TypeError, "me: difference='0.1' is no number"),
        ({"weight": True}, TypeError, "me: weight=True is no number"),
        ({"difference": 0.1, "confident": "yes"}, TypeError, "confident='yes' is neit"),
        ({"weight": 0.4, "confident": True}, ValueError, "me: .*, and weight=0.4 name"),
    ],
)
def test_a_request_that_is_none_is_refused(table, given, error, message):
    with pytest.raises(error, match=message):
        weight_of_request(table, AIM, "me", **asked(**given))


@pytest.fixture
def with_intervals(table):
    """Every interval is .04 wide on either side of its difference."""
    return table.assign(
        **{f"{AIM}_high": table[AIM] + 0.04, "accuracy_low": table["accuracy"] - 0.02}
    )


def test_a_knee_is_better_than_one_decision_for_everybody(table):
    at = table["accuracy"].to_numpy()
    free = choose_position(table, AIM, "knee", "me")
    held = choose_position(table, AIM, "knee", "me", majority=at[free])
    assert at[held] > at[free]
    # Where none is, the knee of all is taken.
    assert choose_position(table, AIM, "knee", "me", majority=1.0) == free


def test_worse_ends_take_the_place_of_estimates(with_intervals):
    worse = worse_ends(with_intervals, AIM)
    assert worse[AIM].tolist() == with_intervals[f"{AIM}_high"].tolist()
    assert worse["accuracy"].tolist() == with_intervals["accuracy_low"].tolist()
    assert worse["estimate"].tolist() == with_intervals[AIM].tolist()


def test_a_confident_number_bounds_the_upper_end(with_intervals):
    told = {"confident": True, "n_rows": 100}
    assert choose_position(with_intervals, AIM, 0.1, "me", **told) == 2
    assert choose_position(with_intervals, AIM, 0.09, "me", **told) == 3


def test_how_many_rows_could_tell_is_told(with_intervals):
    """An estimate of .02 leaves .02 to .04: half the width, for four times the rows."""
    message = (
        "me with confident=True: no point .* an interval of its demographic parity "
        "difference that ends within 0.04 .* smallest end is 0.060, and is taken. "
        "About 400 held-out rows in place of 100 could tell, if the estimate "
        "stays 0.020"
    )
    told = {"confident": True, "n_rows": 100}
    with pytest.warns(SkfairRunnerWarning, match=message):
        assert choose_position(with_intervals, AIM, 0.04, "me", **told) == 3
    with pytest.warns(SkfairRunnerWarning, match="About 400 held-out rows"):
        request = asked(difference=0.04, **told)
        assert weight_of_request(with_intervals, AIM, "me", **request) == 0.9


def test_where_no_estimate_is_below_the_bound_no_number_of_rows_is_told(
    with_intervals,
):
    message = r"No estimate of a point that decides anything is below it .* on 100 rows"
    with pytest.warns(SkfairRunnerWarning, match=message):
        choose_position(with_intervals, AIM, 0.01, "me", confident=True, n_rows=100)
