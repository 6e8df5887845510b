"""Tasks, their order, and rows that are appended."""

import pandas as pd
import pytest

from benchmarks.experiments.methods import (
    CEILING,
    METHODS,
    RUNNER,
    RUNNER_FRONT,
    VANILLA,
)
from benchmarks.experiments.running import (
    BOTH,
    COLUMNS,
    Runner,
    Task,
    append_rows,
    estimate,
    known_keys,
    tasks_of,
)
from skfair_runner import RunnerFairClassifier, RunnerFrontier


def test_what_does_not_depend_on_the_criterion_is_run_once():
    tasks = tasks_of(["compas"], [VANILLA, RUNNER], [0])

    assert [task.criterion for task in tasks if task.method == VANILLA] == [BOTH]
    assert len(tasks) == 1 + 2 * len(METHODS[RUNNER].settings)


def test_tasks_go_seed_after_seed():
    tasks = tasks_of(["compas", "credit"], [VANILLA], [0, 1])

    assert [(task.seed, task.dataset) for task in tasks] == [
        (0, "compas"),
        (0, "credit"),
        (1, "compas"),
        (1, "credit"),
    ]


@pytest.mark.parametrize(("dataset", "number"), [("compas", 4), ("adult", 2)])
def test_the_reduction_has_one_bound_on_larger_data(dataset, number):
    assert len(tasks_of([dataset], ["ExponentiatedGradient"], [0])) == number


def test_rows_that_are_there_are_known_and_a_ceiling_is_one(tmp_path):
    path = tmp_path / "results" / "rows.csv"
    task = Task("compas", "demographic_parity", RUNNER, 0.05, 1)
    shared = {"dataset": "compas", "criterion": "equalized_odds", "seed": 1}
    append_rows([dict(zip(COLUMNS, task.key, strict=False))], path)
    append_rows(
        [{**shared, "method": CEILING, "setting": name} for name in ("λ=1", "λ=2")],
        path,
    )

    known = known_keys(path)

    ceiling = Task("compas", "equalized_odds", CEILING, None, 1)
    assert known == {task.key, ceiling.key}
    assert len(pd.read_csv(path)) == 3


def test_the_estimate_counts_a_shared_phase_once(tmp_path):
    path = tmp_path / "rows.csv"
    tasks = [Task("compas", "demographic_parity", RUNNER, bound, 1) for bound in (0, 1)]
    assert "no earlier ones" in estimate(tasks, path)

    row = {"dataset": "compas", "method": RUNNER, "fit_seconds": 120.0}
    append_rows([row], path)

    assert estimate(tasks, path) == "2 fits to make, about 2 minutes of one processor."
    assert estimate([Task("credit", BOTH, VANILLA, None, 0)], path).endswith(
        "1 of them unknown."
    )


def test_a_method_that_fails_is_a_row_with_its_error(monkeypatch):
    def fails(case, criterion, setting):
        raise ValueError("FairSMOTE: nothing is left. Add features.")

    method = METHODS["FairSMOTE"]._replace(make=fails)
    monkeypatch.setitem(METHODS, "FairSMOTE", method)

    (row,) = Runner().run(Task("biased", BOTH, "FairSMOTE", None, 0))

    assert row["error"] == "FairSMOTE: nothing is left"
    assert (row["dataset"], row["seed"]) == ("biased", 0)


def test_a_front_is_trained_once_for_all_its_weights(monkeypatch):
    made = []

    def small(case, criterion, setting):
        made.append(setting)
        estimator = RunnerFairClassifier(
            criterion, warmup_epochs=2, max_epochs=2, hidden_layer_sizes=(8,)
        )
        return RunnerFrontier(estimator, n_points=3, n_bootstrap=5)

    monkeypatch.setitem(
        METHODS, RUNNER_FRONT, METHODS[RUNNER_FRONT]._replace(make=small)
    )
    runner = Runner()
    tasks = [
        Task("biased", "demographic_parity", RUNNER_FRONT, weight, 0)
        for weight in (0.1, 1.0)
    ]

    (first,), (second,) = [runner.run(task) for task in tasks]

    assert made == [None]
    assert first["fit_seconds"] == second["fit_seconds"] > 0
    assert first["setting"] == "weight=0.1"
    assert "error" not in first and not first["groups_at_prediction"]
    assert first["test_AP"] != second["test_AP"]
