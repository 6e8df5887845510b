"""Choices near Vanilla's precision, and which rows count."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.experiments.methods import CEILING, RUNNER, VANILLA
from benchmarks.experiments.running import BOTH
from benchmarks.experiments.views import (
    chosen_near_vanilla,
    read_rows,
    reduction,
    table_near_vanilla,
    table_of_costs,
    table_of_reductions,
    table_of_seeds,
)


def _rows(row):
    return [
        row(VANILLA, "–", 0, valid={"AP": 0.80, "DP": 0.2}, test={"DP": 0.25}),
        row(RUNNER, "a", 0, valid={"AP": 0.795, "DP": 0.1}, test={"DP": 0.05}),
        row(RUNNER, "b", 0, valid={"AP": 0.78, "DP": 0.05}, test={"DP": 0.01}),
        row(RUNNER, "c", 0, valid={"AP": 0.75, "DP": 0.0}, test={"DP": 0.0}),
        row(
            RUNNER,
            "d",
            0,
            valid={"AP": 0.80, "DP": 0.0},
            test={"DP": 0.0},
            valid_constant=True,
        ),
    ]


@pytest.mark.parametrize(("within", "setting"), [(0.01, "a"), (0.03, "b")])
def test_the_least_validation_difference_near_vanilla_is_chosen(row, within, setting):
    chosen = chosen_near_vanilla(pd.DataFrame(_rows(row)), "DP", within)

    own = chosen[chosen["method"] == RUNNER]
    assert own["setting"].tolist() == [setting]
    assert own["vanilla"].tolist() == [0.25]


def test_reduction_is_of_the_mean_test_difference(row):
    chosen = chosen_near_vanilla(pd.DataFrame(_rows(row)), "DP", 0.01)

    own = chosen[chosen["method"] == RUNNER]
    assert reduction(own, "DP") == pytest.approx(80)
    assert np.isnan(reduction(own.iloc[:0], "DP"))


def test_table_tells_on_how_many_seeds_a_setting_is_near(row):
    far = row(RUNNER, "a", 1, valid={"AP": 0.5})
    vanilla = row(VANILLA, "–", 1, valid={"AP": 0.8}, test={"DP": 0.2})
    rows = pd.DataFrame([*_rows(row), vanilla, far])

    table = table_near_vanilla(rows, "demographic_parity").set_index("AP within")

    assert table.loc["0.01", "seeds"] == "1 of 2"
    assert table.loc["0.01", "less ΔDP"] == "80.0 %"


def test_reductions_are_held_against_the_published_one(row):
    table = table_of_reductions(pd.DataFrame(_rows(row))).set_index("AP within")

    assert table.loc[0.01, RUNNER] == "80.0 % (1)"
    assert table.loc[0.03, RUNNER] == "96.0 % (1)"
    assert table["above 79.3 %"].tolist() == ["yes", "yes"]


def test_rows_of_both_criteria_stand_under_each(row, write_rows):
    path = write_rows([row(VANILLA, "–", 0, criterion=BOTH)])

    rows = read_rows(path)

    assert sorted(rows["criterion"]) == ["demographic_parity", "equalized_odds"]


def test_a_seed_whose_sweep_is_not_finished_does_not_count(row, write_rows):
    path = write_rows(
        [
            row(RUNNER, "a", 0),
            row(RUNNER, "b", 0),
            row(RUNNER, "a", 1),
            row(CEILING, "λ=0", 0),
            row(CEILING, "λ=0", 1),
            row(CEILING, "λ=1", 1),
        ]
    )

    rows = read_rows(path)

    assert rows.loc[rows["method"] == RUNNER, "seed"].tolist() == [0, 0]
    assert (rows["method"] == CEILING).sum() == 3


def test_failed_and_repeated_rows_are_left_out(row, write_rows):
    one = write_rows([row(VANILLA, "–", 0)], "one.csv")
    two = write_rows(
        [row(VANILLA, "–", 0), row(VANILLA, "–", 1, error="no row passes")], "two.csv"
    )

    assert len(read_rows(one, two)) == 1


def test_costs_are_times_vanilla_on_the_same_seeds(row):
    rows = pd.DataFrame(
        [
            row(VANILLA, "–", 0, fit_seconds=1.0),
            row(VANILLA, "–", 1, fit_seconds=9.0),
            row(RUNNER, "a", 0, fit_seconds=2.0),
            row(RUNNER, "b", 0, fit_seconds=4.0),
        ]
    )

    table = table_of_costs(rows).set_index("method")

    assert table.loc[RUNNER, "compas"] == "3.0 s, 3.0 ×"


def test_seeds_are_counted_by_method_and_data_set(row):
    rows = pd.DataFrame([*_rows(row), row(VANILLA, "–", 1)])

    table = table_of_seeds(rows).set_index("method")

    assert table["compas"].to_dict() == {VANILLA: 2, RUNNER: 1}
