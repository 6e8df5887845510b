"""What a sweep returns, worked by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skfair_runner.compare import TradeoffSweep
from skfair_runner.compare._measures import MEASURES

AIM = "demographic_parity_difference"


def row(method, setting, validation, test, **more):
    """One setting on one split: (accuracy, difference) on both parts."""
    found = {
        "method": method,
        "setting": setting,
        "param_alpha": setting / 10,
        "seed": 0,
        "fold": 0,
    }
    for part, values in (("validation", validation), ("test", test)):
        found |= {f"{part}_{name}": 0.5 for name in MEASURES}
        found[f"{part}_accuracy"], found[f"{part}_{AIM}"] = values
        found[f"{part}_constant"] = False
    return found | {"error": "", **more}


@pytest.fixture
def made():
    def made(*rows):
        return TradeoffSweep(
            pd.DataFrame(list(rows)),
            groups=("a", "b"),
            pos_label=1,
            measures=MEASURES,
            settings={},
        )

    return made


@pytest.fixture
def sweep(made):
    """The third setting is beaten on validation rows and would win on test rows."""
    return made(
        row("net", 0, (0.86, 0.20), (0.85, 0.22)),
        row("net", 1, (0.84, 0.05), (0.83, 0.10)),
        row("net", 2, (0.83, 0.06), (0.90, 0.01)),
        row("net", 3, (0.70, 0.00), (0.70, 0.00), validation_constant=True),
        row("net", 4, (np.nan, np.nan), (np.nan, np.nan), error="RuntimeError: no"),
    )


def test_the_front_is_chosen_on_validation_rows(sweep):
    front = sweep.front()
    assert front.index.tolist() == [("net", 1), ("net", 0)]
    assert front["param_alpha"].tolist() == [0.1, 0.0]
    assert_allclose(front["test_accuracy_mean"], [0.83, 0.85])
    assert front.columns[-1] == f"test_{AIM}_std"


def test_the_table_marks_what_is_constant_or_failed(sweep):
    assert sweep.table["constant_splits"].tolist() == [0, 0, 0, 1, 0]
    assert sweep.table["splits"].tolist() == [1, 1, 1, 1, 0]
    assert sweep.table["error"].iloc[-1] == "RuntimeError: no"
    assert repr(sweep) == "TradeoffSweep(net: 5 settings; 1 splits)"


def test_the_area_is_that_of_the_chosen_settings_on_test_rows(sweep):
    areas = sweep.hypervolume(reference=(0.5, 0.3))
    by_hand = (0.85 - 0.5) * (0.3 - 0.22) + (0.83 - 0.5) * (0.22 - 0.10)
    assert_allclose(areas.loc["net", ["mean", "seed_0"]].astype(float), by_hand)
    assert np.isnan(areas.loc["net", "std"])


def test_areas_are_averaged_over_folds_and_then_over_seeds(made):
    sweep = made(
        row("a", 0, (0.8, 0.1), (0.7, 0.1)),
        row("a", 0, (0.8, 0.1), (0.9, 0.1), fold=1),
        row("a", 0, (0.8, 0.1), (0.6, 0.1), seed=1),
        row("a", 0, (0.8, 0.1), (0.6, 0.1), seed=1, fold=1),
        row("b", 0, (0.8, 0.1), (0.7, 0.1), error="E: no"),
    )
    areas = sweep.hypervolume(reference=(0.5, 0.3))
    assert_allclose(areas.loc["a", ["seed_0", "seed_1"]], [0.06, 0.02])
    assert_allclose(areas.loc["a", "mean"], 0.04)
    assert_allclose(areas.loc["a", "std"], np.std([0.06, 0.02], ddof=1))
    assert np.isnan(areas.loc["b", "mean"])


def test_what_becomes_constant_on_test_rows_dominates_nothing(made):
    sweep = made(row("a", 0, (0.8, 0.1), (0.8, 0.0), test_constant=True))
    assert sweep.hypervolume(reference=(0.5, 0.3)).loc["a", "mean"] == 0
    assert sweep.front().empty
    assert sweep.pick(bound=0.2)["test_constant"].tolist() == [True]


def test_what_becomes_constant_on_test_rows_makes_room_for_no_other(made):
    sweep = made(
        row("a", 0, (0.9, 0.1), (0.5, 0.0), test_constant=True),
        row("a", 1, (0.8, 0.2), (0.8, 0.1)),
    )
    assert sweep.front().empty


def test_a_setting_is_picked_on_validation_rows(sweep):
    picked = sweep.pick(bound=0.1).iloc[0]
    assert (picked["setting"], picked["param_alpha"]) == (1, 0.1)
    assert (picked["test_accuracy"], picked[f"test_{AIM}"]) == (0.83, 0.10)
    assert picked["within_bound"]
    assert sweep.pick(bound=0.2)["setting"].tolist() == [0]


def test_where_nothing_is_within_the_bound_the_lowest_is_picked(sweep):
    picked = sweep.pick(bound=0.01).iloc[0]
    assert picked["setting"] == 1 and not picked["within_bound"]


def test_equal_utilities_are_decided_by_the_difference(made):
    sweep = made(
        row("a", 0, (0.8, 0.09), (0.8, 0.1)),
        row("a", 1, (0.8, 0.04), (0.8, 0.1)),
    )
    assert sweep.pick(bound=0.1)["setting"].tolist() == [1]


def test_each_split_picks_for_itself(made):
    sweep = made(
        row("a", 0, (0.8, 0.0), (0.8, 0.1)),
        row("a", 1, (0.9, 0.0), (0.7, 0.1)),
        row("a", 0, (0.9, 0.0), (0.6, 0.1), seed=1),
        row("a", 1, (0.8, 0.0), (0.5, 0.1), seed=1),
    )
    picked = sweep.pick(bound=0.1)
    assert picked["setting"].tolist() == [1, 0]
    assert picked["test_accuracy"].tolist() == [0.7, 0.6]


def test_a_method_that_is_always_constant_is_never_picked(made):
    sweep = made(row("a", 0, (0.8, 0.0), (0.8, 0.1), validation_constant=True))
    picked = sweep.pick(bound=0.1)
    assert picked.empty and "param_alpha" in picked
    assert sweep.front().empty


def test_the_figure_shows_fronts_by_their_test_figures(sweep):
    pytest.importorskip("matplotlib")
    display = sweep.plot()
    points = display.points
    assert points["method"].tolist() == ["net", "net", "net, constant"]
    assert points["setting"].tolist() == ["alpha=0.1", "alpha=0.0", "alpha=0.3"]
    assert_allclose(points["utility"], [0.83, 0.85, 0.70])
    assert points["constant"].tolist() == [False, False, True]
    assert display.front["setting"].tolist() == ["alpha=0.1", "alpha=0.0"]


@pytest.mark.parametrize("method", ["front", "pick", "hypervolume", "plot"])
def test_unknown_measures_are_refused(method, sweep):
    needed = {"pick": {"bound": 0.1}, "hypervolume": {"reference": (0.5, 0.3)}}
    options = needed.get(method, {})
    with pytest.raises(ValueError, match=r"TradeoffSweep\..*no utility 'abcc'"):
        getattr(sweep, method)(utility="abcc", **options)
    with pytest.raises(ValueError, match=r"TradeoffSweep\..*no difference 'accuracy'"):
        getattr(sweep, method)(difference="accuracy", **options)


@pytest.mark.parametrize(
    ("bound", "error", "match"),
    [
        ("low", TypeError, "`bound` is a number, got 'low'"),
        (True, TypeError, "`bound` is a number, got True"),
        (-0.1, ValueError, "`bound` must be at least 0, got -0.1"),
        (np.nan, ValueError, "`bound` must be at least 0, got nan"),
    ],
)
def test_a_bound_is_a_number(sweep, bound, error, match):
    with pytest.raises(error, match=match):
        sweep.pick(bound=bound)


def test_a_wrong_reference_is_refused(sweep):
    with pytest.raises(ValueError, match="must be two numbers.* got 0.5"):
        sweep.hypervolume(reference=0.5)
