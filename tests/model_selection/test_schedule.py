"""Rungs: how many candidates, how many resources."""

import pytest

from skfair_runner.model_selection._schedule import plan_rungs


@pytest.mark.parametrize("n_candidates", [1, 4, 5, 6, 20, 45, 100])
@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("least", [1, 7])
def test_the_last_rung_has_all_resources_and_a_front_of_candidates(
    n_candidates, factor, least
):
    rungs = plan_rungs(n_candidates, factor, None, 60, least)
    assert rungs[0].n_candidates == n_candidates
    assert rungs[-1].n_resources == 60
    assert rungs[-1].n_candidates >= min(5, n_candidates)
    resources = [rung.n_resources for rung in rungs]
    assert resources == sorted(set(resources)) and resources[0] >= least


def test_each_rung_divides_candidates_and_multiplies_resources():
    rungs = [tuple(rung) for rung in plan_rungs(135, 3, None, 270)]
    assert rungs == [(135, 10), (45, 30), (15, 90), (5, 270)]


def test_a_given_start_is_kept_to_and_the_end_reached_all_the_same():
    rungs = [tuple(rung) for rung in plan_rungs(45, 3, 4, 30)]
    assert rungs == [(45, 4), (15, 30)]
    assert [tuple(rung) for rung in plan_rungs(45, 3, 30, 30)] == [(45, 30)]


@pytest.mark.parametrize("n_candidates", [6, 15, 45, 100])
def test_less_is_spent_than_on_all_candidates_in_full(n_candidates):
    rungs = plan_rungs(n_candidates, 3, None, 90)
    spent = sum(rung.n_candidates * rung.n_resources for rung in rungs)
    assert spent < n_candidates * 90 or len(rungs) == 1
