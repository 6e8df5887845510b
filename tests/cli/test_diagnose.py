"""`skfair-runner diagnose`: what it prints, writes and refuses."""

import pandas as pd
import pytest

from skfair_runner import diagnose_neurons, load
from skfair_runner.cli import screen
from skfair_runner.cli.cases import case_of_file
from skfair_runner.datasets import DATASETS
from skfair_runner.metrics import demographic_parity_difference, group_rates

PEOPLE = ("--target", "hired", "--sensitive", "gender", "--positive", "yes")


@pytest.fixture
def diagnose(run, pipeline, table, tmp_path):
    """Run `diagnose` on the saved pipeline and the whole table."""

    def run_diagnose(*arguments):
        options = ["--data", table, *PEOPLE, "--out", tmp_path / "results"]
        return run("diagnose", pipeline, *options, *arguments)

    return run_diagnose


def test_differences_and_neurons_are_those_of_the_library(
    diagnose, pipeline, table, tmp_path
):
    result = diagnose("--top-k", "3")
    result.succeeds()
    case = case_of_file(table, target="hired", sensitive=["gender"], positive="yes")
    model, groups = load(pipeline), case.groups["gender"]
    told = {"sensitive_features": groups, "pos_label": "yes"}
    decided = model.predict(case.X)
    difference = demographic_parity_difference(case.y, decided, **told)
    assert f"Demographic parity difference {difference:.3f}" in result.text
    rates = group_rates(case.y, decided, **told)
    for name, row in rates.iterrows():
        assert f"{name} {row['n']:.0f} {row['selection_rate']:.3f}" in result.text
    neurons = pd.read_csv(tmp_path / "results" / "neurons.csv")
    expected = diagnose_neurons(
        model[-1],
        model[:-1].transform(case.X),
        case.y,
        sensitive_features=groups,
        top_k=3,
        pos_label="yes",
    )
    pd.testing.assert_frame_equal(neurons, expected, rtol=1e-4)
    assert f"3 of {len(neurons)} neurons are held responsible" in result.text


def test_the_table_of_differences_has_no_empty_header(diagnose):
    output = diagnose().output
    lines = [line.strip() for line in output.splitlines()]
    title = lines.index("Its differences, and their price")
    assert lines[title + 1] == ""
    assert lines[title + 2].startswith("Accuracy")


@pytest.mark.parametrize(
    ("absent", "expected"),
    [
        (["height"], "it has no column height. Its features are"),
        (["height", "commute"], "it has no columns height, commute. Its features are"),
    ],
)
def test_columns_that_the_model_misses_are_named_in_words(
    diagnose, applicants, tmp_path, absent, expected
):
    applicants.drop(columns=absent).to_csv(tmp_path / "fewer.csv", index=False)
    result = diagnose("--data", tmp_path / "fewer.csv")
    result.refuses("fewer.csv cannot be fed to the model", expected)
    assert "{'" not in result.text


def test_a_file_of_another_country_is_the_same_table(
    diagnose, applicants, table, tmp_path
):
    path = tmp_path / "commas.csv"
    # As written there, numbers are the same.
    pd.read_csv(table).to_csv(path, sep=";", decimal=",", index=False)
    expected = diagnose().text.replace(str(table), "")
    text = diagnose("--data", path).text
    assert "Read as numbers with a decimal comma: experience, skill_test" in text
    differences = "Its differences, and their price"
    assert text.partition(differences)[2] == expected.partition(differences)[2]


def test_a_module_of_the_users_is_diagnosed(run, own_module, numbers, tmp_path):
    result = run(
        *("diagnose", own_module, "--module", "nets:make_net"),
        *("--data", numbers, *PEOPLE, "--out", tmp_path / "results"),
    )
    result.succeeds()
    neurons = pd.read_csv(tmp_path / "results" / "neurons.csv")
    assert neurons["layer"].tolist() == [1] * 6
    assert f"What {own_module} does" in result.text


def test_nothing_is_imported_without_being_asked(run, own_module, numbers, tmp_path):
    (tmp_path / "nets.py").write_text("raise SystemExit('imported')")
    result = run("diagnose", own_module, "--data", numbers, *PEOPLE)
    result.refuses("net.pt is not a model that skfair_runner.save wrote")


def test_the_most_important_neurons_of_each_layer_are_shown(diagnose, tmp_path):
    result = diagnose()
    neurons = pd.read_csv(tmp_path / "results" / "neurons.csv")
    for row in neurons[neurons["rank"] <= 5].itertuples():
        assert f"{row.layer} {row.neuron} {row.importance:.3g}" in result.text
    assert result.text.count(" 3 more") == neurons["layer"].nunique()


def test_options_reach_the_diagnosis(diagnose, tmp_path):
    options = ["--constraint", "equalized_odds", "--importance", "weight"]
    result = diagnose(*options, "--layers", "relu1")
    result.succeeds()
    assert "Neurons that carry the equalized odds gap most" in result.text
    neurons = pd.read_csv(tmp_path / "results" / "neurons.csv")
    assert set(neurons["layer"]) == {"relu1"}


def test_the_picture_is_written_where_matplotlib_is(diagnose, tmp_path):
    pytest.importorskip("matplotlib")
    result = diagnose()
    path = tmp_path / "results" / "neurons.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert f"Figure: {path}" in result.output


def test_without_matplotlib_it_says_so(diagnose, tmp_path, monkeypatch):
    wanted = screen.import_optional

    def absent(name, **options):
        if name.startswith("matplotlib"):
            raise ImportError(f"{options['purpose']} needs the package 'matplotlib'")
        return wanted(name, **options)

    monkeypatch.setattr(screen, "import_optional", absent)
    result = diagnose()
    result.succeeds()
    assert "The picture of the neurons needs the package 'matplotlib'" in result.text
    assert not (tmp_path / "results" / "neurons.png").exists()


def test_quiet_prints_nothing_and_writes_the_files(diagnose, tmp_path):
    result = diagnose("--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / "results" / "neurons.csv").exists()


def test_a_known_data_set_is_diagnosed_on(run, generated, pipeline, tmp_path):
    options = ["--dataset", "biased", "--out", tmp_path / "results"]
    # Its labels are 0 and 1, those of the model are words.
    run("diagnose", pipeline, *options).refuses("labels of data set 'biased'", "0 and")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--constraint", "parity"], "no constraint 'parity'; pass one of demographic"),
        (["--importance", "size"], "no importance 'size'; pass one of activation, we"),
        (["--top-k", "0"], "'0' is neither a share of a layer's neurons, such as"),
        (["--top-k", "1.5"], "'1.5' is neither a share"),
        (["--top-k", "half"], "'half' is neither a share"),
        (["--layers", "relu9"], "relu9"),
        (["--features", "pay"], "knows its features by name"),
        (["--module", "absent:net"], "no Python module 'absent'"),
        (["--positive", "maybe"], "'maybe' is not among the labels of 'hired'"),
        (["--sensitive", "race"], "no column 'race'"),
    ],
)
def test_wrong_options_are_refused_with_value_and_remedy(diagnose, options, expected):
    diagnose(*options).refuses(expected)


def test_a_wrong_kind_of_output_is_refused(run, own_module, numbers):
    result = run(
        *("diagnose", own_module, "--module", "nets:make_net"),
        *("--module-output", "numbers", "--data", numbers, *PEOPLE),
    )
    result.refuses("no module output 'numbers'; pass one of auto, logits, prob")


def test_a_table_has_to_be_named(run, pipeline):
    result = run("diagnose", pipeline)
    result.refuses("there is no table to read: pass --data", ", ".join(DATASETS))


def test_help_says_that_a_factory_runs_code(run):
    text = run("diagnose", "--help").text
    assert "Importing it runs your code" in text
    assert "nothing is imported without this option" in text
