"""`skfair-runner repair`: what it prints, writes, keeps and refuses."""

import numpy as np
import pandas as pd
import pytest
import torch

from skfair_runner import load
from skfair_runner.cli import repair as command
from skfair_runner.cli.cases import case_of_file
from skfair_runner.metrics import fairness_summary, false_positive_rate_difference

PEOPLE = ("--target", "hired", "--sensitive", "gender", "--positive", "yes")
FILES = ["metrics.csv", "model", "neurons.csv", "neurons.png"]

# Hardly trained.
pytestmark = pytest.mark.filterwarnings(
    "ignore::skfair_runner.utils.SkfairRunnerWarning"
)


@pytest.fixture
def repair(run, pipeline, table, tmp_path):
    """Run `repair` on the saved pipeline and the whole table."""

    def run_repair(*arguments, out="repaired"):
        options = ["--data", table, *PEOPLE, "--out", tmp_path / out, "--epochs", 2]
        return run("repair", pipeline, *options, *arguments)

    return run_repair


@pytest.fixture
def case(table):
    return case_of_file(table, target="hired", sensitive=["gender"], positive="yes")


def test_numbers_are_those_of_the_written_model_on_held_out_rows(
    repair, pipeline, case, tmp_path
):
    result = repair("--held-out", "0.25", "--seed", 4)
    result.succeeds()
    _, test = command._split(case, 0.25, 4)
    metrics = pd.read_csv(tmp_path / "repaired" / "metrics.csv", index_col=0)
    X, y = case.X.iloc[test], case.y[test]
    told = {"sensitive_features": case.groups["gender"].iloc[test]}
    for column, path in [("before", pipeline), ("after", tmp_path / "repaired/model")]:
        model = load(path)
        decided, scores = model.predict(X), model.predict_proba(X)[:, 1]
        expected = fairness_summary(y, decided, scores, pos_label="yes", **told)
        expected["false_positive_rate_difference"] = false_positive_rate_difference(
            y, decided, pos_label="yes", **told
        )
        expected = pd.Series(expected, name=column).astype(float)
        pd.testing.assert_series_equal(metrics[column], expected, rtol=1e-4)
    assert f"{len(case.y)} rows, {len(test)} of them held out." in result.text
    assert f"On {len(test)} held-out rows, aiming at 0.05" in result.text


def test_rows_are_held_out_of_every_group_and_label(case):
    train, test = command._split(case, 0.25, 0)
    assert np.array_equal(np.sort(np.r_[train, test]), np.arange(len(case.y)))
    cells = case.groups["gender"] + case.y
    shares = cells.iloc[test].value_counts() / cells.value_counts()
    assert shares.between(0.2, 0.3).all()


def test_every_file_is_written_and_named(repair, tmp_path):
    pytest.importorskip("matplotlib")
    result = repair()
    result.succeeds()
    found = sorted(path.name for path in (tmp_path / "repaired").iterdir())
    assert found == FILES
    for name in FILES:
        assert f": {tmp_path / 'repaired' / name}\n" in result.output
    neurons = pd.read_csv(tmp_path / "repaired" / "neurons.csv")
    assert "discrimination_after" in neurons


def test_it_says_what_was_reduced_at_what_cost(repair):
    text = repair().text
    assert "The repair " in text
    assert "the demographic parity difference" in text
    assert "of accuracy" in text or "accuracy " in text
    assert "The model needs no groups to predict." in text


def test_a_longer_repair_reduces_the_difference(repair, tmp_path):
    repair("--epochs", 20, "--bound", 0).succeeds()
    metrics = pd.read_csv(tmp_path / "repaired" / "metrics.csv", index_col=0)
    before, after = metrics.loc["demographic_parity_difference"]
    assert after < before


def test_the_original_is_left_as_it_is(repair, pipeline, tmp_path):
    files = {path: path.read_bytes() for path in pipeline.iterdir()}
    repair()
    assert {path: path.read_bytes() for path in pipeline.iterdir()} == files


def test_options_reach_the_repair(repair, tmp_path, monkeypatch):
    seen, wanted = {}, command.repair_module

    def spy(*args, **options):
        seen.update(options)
        return wanted(*args, **options)

    monkeypatch.setattr(command, "repair_module", spy)
    result = repair(
        *("--constraint", "equalized_odds", "--bound", 0.1, "--repair-for", "scores"),
        *("--epochs", 3, "--top-k", 2, "--layers", "relu1", "--seed", 7),
    )
    result.succeeds()
    expected = {
        "constraint": "equalized_odds",
        "difference_bound": 0.1,
        "repair": "scores",
        "max_epochs": 3,
        "top_k": 2,
        "layers": ["relu1"],
        "random_state": 7,
        "verbose": 1,
        "pos_label": "yes",
        "module_output": "logits",
    }
    assert {name: seen[name] for name in expected} == expected
    assert "the equalized odds difference" in result.text


def test_epochs_are_chosen_from_the_rows_if_left_out(
    run, pipeline, table, tmp_path, monkeypatch
):
    class Stopped(Exception):
        pass

    def spy(*args, max_epochs, **options):
        raise Stopped(max_epochs)

    monkeypatch.setattr(command, "repair_module", spy)
    with pytest.raises(Stopped, match="auto"):
        run(
            *("repair", pipeline, "--data", table, *PEOPLE),
            *("--out", tmp_path / "repaired"),
        )


def test_the_same_seed_writes_the_same_model(repair, tmp_path):
    weights = []
    for name in ("one", "two"):
        repair("--seed", 3, out=name)
        path = tmp_path / name / "model" / "weights.safetensors"
        weights.append(path.read_bytes())
    assert weights[0] == weights[1]


def test_a_module_of_the_users_is_repaired(run, own_module, numbers, tmp_path):
    before = torch.load(own_module)
    result = run(
        *("repair", own_module, "--module", "nets:make_net", "--data", numbers),
        *(*PEOPLE, "--out", tmp_path / "repaired", "--epochs", 2),
    )
    result.succeeds()
    after = torch.load(tmp_path / "repaired" / "net.pt", weights_only=True)
    assert after.keys() == before.keys()
    assert not torch.equal(after["0.weight"], before["0.weight"])
    assert torch.equal(torch.load(own_module)["0.weight"], before["0.weight"])


def test_progress_is_shown_unless_quiet(repair, tmp_path):
    assert "repair" in repair().stderr
    result = repair("--quiet", out="again")
    assert (result.exit_code, result.output, result.stderr) == (0, "", "")
    assert (tmp_path / "again" / "model" / "model.json").exists()


def test_a_repaired_model_is_replaced_by_the_next_one(repair):
    repair().succeeds()
    repair().succeeds()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--repair-for", "rates"], "no repair for 'rates'; pass one of decisions, sc"),
        (["--constraint", "parity"], "no constraint 'parity'"),
        (["--top-k", "none"], "'none' is neither a share"),
        (["--epochs", "0"], "--epochs"),
        (["--held-out", "0.95"], "--held-out"),
        (["--bound", "2"], "--bound"),
        (["--layers", "relu9"], "relu9"),
    ],
)
def test_wrong_options_are_refused_with_value_and_remedy(repair, options, expected):
    repair(*options).refuses(expected)


def test_too_few_rows_to_hold_some_out_are_said(run, pipeline, table, tmp_path):
    rows = pd.read_csv(table)
    few = (rows["gender"] == "female") & (rows["hired"] == "yes")
    kept = rows[~few | (few.cumsum() == 1)]
    kept.to_csv(tmp_path / "few.csv", index=False)
    result = run(
        *("repair", pipeline, "--data", tmp_path / "few.csv", *PEOPLE),
        *("--out", tmp_path / "repaired"),
    )
    result.refuses(
        f"a share of 0.3 of the {len(kept)} rows cannot be held out",
        "fewest are the 1 of 'female' that have the favourable label",
    )


def test_the_folder_of_the_original_is_refused(repair, pipeline, tmp_path):
    result = repair("--out", pipeline.parent)
    result.refuses("would put the repaired model in place of the one at")
