"""The command line: what it prints, writes and refuses."""

import importlib
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner import __version__, cli, make_table_preprocessor
from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.compare import _cases
from skfair_runner.datasets import DATASETS, make_biased_classification

testing = pytest.importorskip("typer.testing")
METHODS = [
    "Unmitigated net",
    "RunnerFairClassifier",
    "ExponentiatedGradient",
    "ThresholdOptimizer",
]


@pytest.fixture
def generated(monkeypatch):
    """A smaller generated table."""
    monkeypatch.setattr(
        _cases,
        "load_dataset",
        lambda name, data_home: make_biased_classification(300, random_state=0),
    )


@pytest.fixture
def quick(generated, monkeypatch):
    """Regressions in place of the nets; what they would have been made of."""
    seen = {}

    def regressions(constraint, *, sensitive_columns, pos_label, **options):
        seen.update(options, constraint=constraint, pos_label=pos_label)
        seen["sensitive_columns"] = sensitive_columns
        last = LogisticRegression()
        steps = [last, ThresholdOptimizerClassifier(last, pos_label=pos_label)] * 2
        prepare = make_table_preprocessor(
            sensitive_columns=sensitive_columns, sparse_output=False
        )
        return {
            name: make_pipeline(prepare, StandardScaler(), step)
            for name, step in zip(METHODS, steps, strict=True)
        }

    monkeypatch.setattr(cli, "standard_classifiers", regressions)
    return seen


@pytest.fixture
def people(tmp_path):
    """File of a user: text labels, and values missing everywhere."""
    bunch = make_biased_classification(n_samples=300, random_state=0)
    rng = np.random.default_rng(0)
    table = bunch.data.astype({"education": object, "gender": object})
    table["hired"] = np.where(bunch.target == 1, "yes", "no")
    for column, share in [("experience", 0.1), ("education", 0.1), ("gender", 0.1)]:
        table.loc[rng.random(300) < share, column] = None
    table.loc[[3, 5], "hired"] = None
    table["union"] = rng.integers(0, 2, 300)
    path = tmp_path / "people.csv"
    table.to_csv(path, index=False)
    return path


def run(tmp_path, *arguments, out="results"):
    """Result of the command, in processes of its own nowhere."""
    arguments = [str(argument) for argument in arguments]
    if arguments and arguments[0] == "compare":
        arguments += ["--jobs", "1", "--out", str(tmp_path / out)]
    return testing.CliRunner().invoke(cli.make_app(), arguments)


def text_of(result):
    """Output in one line, without the frame around errors."""
    output = result.output + (result.stderr if result.stderr_bytes else "")
    return " ".join(output.replace("│", " ").split())


def refused(result):
    """What an error says; it must be one of usage."""
    assert result.exit_code == 2, result.output
    assert "Traceback" not in text_of(result)
    return text_of(result)


# Hardly trained.
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
def test_without_options_it_runs_on_the_generated_table(
    generated, tmp_path, monkeypatch
):
    net = {"warmup_epochs": 4, "max_epochs": 2, "hidden_layer_sizes": (4,)}
    with_nets = partial(cli.standard_classifiers, net_parameters=net)
    monkeypatch.setattr(cli, "standard_classifiers", with_nets)
    result = run(tmp_path, "compare", "--folds", 2, "--iterations", 1)
    assert result.exit_code == 0, result.output
    text = text_of(result)
    assert "data set 'biased' (generated): 300 rows, 2 folds." in text
    assert "Favourable label: hired. By gender: female" in text
    assert "Left out of the features: gender." in text
    assert "the demographic parity difference" in text
    assert "ExponentiatedGradient has --iterations 1 here" in text
    table = pd.read_csv(tmp_path / "results" / "comparison.csv", index_col="method")
    assert table.index.tolist() == METHODS
    assert table["folds"].tolist() == [2] * 4
    assert table["error"].isna().all()


def test_every_row_that_a_reader_needs_is_in_the_table(quick, tmp_path):
    output = run(tmp_path, "compare", "--folds", 2).output
    for row in (
        "Accuracy",
        "Balanced",
        "Average",
        "Selection rate",
        "Demographic",
        "Equalized odds",
        "Area between",
        "Seconds to fit",
        "Groups needed",
        "Decides by lot",
        "Constant",
    ):
        assert f"\n  {row}" in output, row


def test_the_figure_is_written_where_matplotlib_is(quick, tmp_path):
    pytest.importorskip("matplotlib")
    result = run(tmp_path, "compare", "--folds", 2)
    path = tmp_path / "results" / "tradeoff.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert f"Figure: {path}" in result.output


def test_without_matplotlib_it_says_so_and_writes_the_table(
    quick, tmp_path, monkeypatch
):
    def absent(name, **options):
        if name.startswith("matplotlib"):
            raise ImportError("The scatter plot needs the package 'matplotlib'")
        return importlib.import_module(name)

    monkeypatch.setattr(cli, "import_optional", absent)
    result = run(tmp_path, "compare", "--folds", 2)
    assert result.exit_code == 0
    assert "The scatter plot needs the package 'matplotlib'" in text_of(result)
    assert [path.name for path in (tmp_path / "results").iterdir()] == [
        "comparison.csv"
    ]


def test_quiet_prints_nothing_and_writes_the_files(quick, tmp_path):
    result = run(tmp_path, "compare", "--folds", 2, "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / "results" / "comparison.csv").exists()


def test_progress_is_shown(quick, tmp_path):
    result = run(tmp_path, "compare", "--folds", 2)
    assert "8/8" in result.stderr


def test_options_reach_the_classifiers(quick, tmp_path):
    options = ["--constraint", "equalized_odds", "--bound", "0.1", "--folds", 2]
    result = run(tmp_path, "compare", *options, "--iterations", 7)
    assert result.exit_code == 0, result.output
    assert quick["constraint"] == "equalized_odds"
    assert (quick["difference_bound"], quick["max_iter"]) == (0.1, 7)
    assert quick["sensitive_columns"] == ["gender"]
    assert quick["pos_label"] == 1
    assert "Aiming at 0.1 as equalized odds difference" in text_of(result)
    assert "the equalized odds difference" in text_of(result)


@pytest.mark.parametrize(
    ("constraint", "row"),
    [
        ("true_positive_rate_parity", "Equal opportunity difference"),
        ("false_positive_rate_parity", "False positive rate difference"),
    ],
)
def test_the_difference_of_a_rate_parity_gets_a_row(constraint, row, quick, tmp_path):
    result = run(tmp_path, "compare", "--constraint", constraint, "--folds", 2)
    assert result.exit_code == 0, result.output
    first, *_ = row.split()
    assert f"\n  {first} " in result.output


def test_the_same_seed_writes_the_same_table(quick, tmp_path):
    tables = []
    for name in ("one", "two"):
        run(tmp_path, "compare", "--folds", 2, "--seed", 3, "--quiet", out=name)
        table = pd.read_csv(tmp_path / name / "comparison.csv", index_col="method")
        tables.append(table.filter(regex="^(?!fit_seconds)"))
    pd.testing.assert_frame_equal(*tables)


def test_a_file_of_the_user_is_compared_on(quick, people, tmp_path):
    result = run(
        tmp_path,
        *("compare", "--data", people, "--target", "hired", "--sensitive", "gender"),
        *("--positive", "yes", "--folds", 2),
    )
    assert result.exit_code == 0, result.output
    text = text_of(result)
    assert "298 rows, 2 folds." in text
    assert "2 rows without a value of 'hired' are left out." in text
    assert "without a value of 'gender' form the group 'missing'" in text
    assert "Favourable label: hired = yes. By gender: female" in text
    table = pd.read_csv(tmp_path / "results" / "comparison.csv", index_col="method")
    assert table["folds"].tolist() == [2] * 4
    assert quick["pos_label"] == "yes"
    assert "rows of 'missing' have the favourable label, about" in text


def test_several_sensitive_columns_are_crossed(quick, people, tmp_path):
    result = run(
        tmp_path,
        *("compare", "--data", people, "--target", "hired", "--positive", "yes"),
        *("--sensitive", "gender", "--sensitive", "union", "--folds", 2),
    )
    assert result.exit_code == 0, result.output
    assert "By gender × union: female, 0" in text_of(result)
    assert quick["sensitive_columns"] == ["gender", "union"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("labels", "expected"), [([0, 1], 1), ([-1, 1], 1), ([True, False], True)]
)
def test_plain_labels_need_no_favourable_one(separator, labels, expected, tmp_path):
    path = tmp_path / "plain.csv"
    # The missing label makes numbers floats.
    y = pd.Series([*labels, *labels, None], dtype=object)
    table = pd.DataFrame({"x": [1, 2, 3, 4, 5], "y": y, "g": list("aabba")})
    table.to_csv(path, sep=separator, index=False)
    case = _cases.case_of_file(path, target="y", sensitive=["g"])
    assert case.pos_label == expected
    assert case.X.columns.tolist() == ["x", "g"]
    assert case.left_out == ["g"]


@pytest.fixture
def small(tmp_path):
    """File with columns of every kind that is refused."""
    path = tmp_path / "small.csv"
    pd.DataFrame(
        {
            "age": range(20, 60),
            "name": [f"person {k}" for k in range(40)],
            "hired": ["yes", "no"] * 20,
            "grade": ["a", "b", "c", "d"] * 10,
            "sex": ["f", "f", "m", "m"] * 10,
            "rare": ["x"] + ["y"] * 39,
        }
    ).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"--target": "pay"}, r"no column 'pay'; its columns are age, name, hired,"),
        ({"--sensitive": "race"}, "no column 'race'; its columns are age, name"),
        ({"--target": None}, "name the column of the labels, one of age, name"),
        ({"--sensitive": None}, "name the column of the groups, one of age, name"),
        ({"--sensitive": "hired"}, "'hired' is the column of the labels"),
        ({"--target": "grade"}, "'grade' has 4 different values (a, b, c, d), but"),
        ({"--target": "age"}, "'age' has 40 different values (20, 21, 22"),
        ({"--sensitive": "age"}, "'age' has 40 different values, such as 20"),
        ({"--sensitive": "age"}, "bin it into a few bands first"),
        ({"--sensitive": "name"}, "merge its values into a few groups first"),
        ({"--positive": None}, "Pass --positive no or --positive yes"),
        (
            {"--positive": "hired"},
            "'hired' is not among the labels of 'hired': p",
        ),
        ({"--sensitive": "rare"}, "group 'x' has 1 of 40 samples, too few for cv=3"),
        ({"--dataset": "adult"}, "name two tables: pass one"),
        ({"--constraint": "parity"}, "no constraint 'parity'; pass one of demographic"),
        ({"--bound": "2"}, "--bound"),
        ({"--folds": "1"}, "--folds"),
        ({"--seed": "x"}, "--seed"),
    ],
)
def test_wrong_options_are_refused_with_value_and_remedy(
    options, expected, small, tmp_path
):
    given = {
        "--data": small,
        "--target": "hired",
        "--sensitive": "sex",
        "--positive": "yes",
        **options,
    }
    arguments = [part for pair in given.items() if pair[1] is not None for part in pair]
    message = refused(run(tmp_path, "compare", *arguments))
    # Words may be broken at the ends of lines.
    assert expected.replace(" ", "") in message.replace(" ", "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--dataset", "census"], f"one of {sorted(DATASETS)}; got 'census'"),
        (["--target", "hired"], "--target hired is about a file of your own"),
        (["--positive", "yes"], "--positive yes is about a file of your own"),
        (["--sensitive", "race"], "'race' is no sensitive feature of 'biased'; pass"),
        (["--data", "absent.csv"], "absent.csv cannot be read as a CSV file"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments, expected, tmp_path):
    message = refused(run(tmp_path, "compare", *arguments))
    assert expected.replace(" ", "") in message.replace(" ", "")


def test_a_data_set_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    def absent(name, data_home):
        raise FileNotFoundError(f"no adult.data in {data_home}")

    monkeypatch.setattr(_cases, "load_dataset", absent)
    result = run(tmp_path, "compare", "--dataset", "adult", "--data-home", "nowhere")
    assert "no adult.data in nowhere" in refused(result)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n", "has 0 rows below its header"),
        (b"", "cannot be read as a CSV file"),
        (b"a\xff,b\n1,2\n", "cannot be read as a CSV file"),
        (b'a,b\n1,"2\n', "cannot be read as a CSV file"),
        (b"y,g\n1,a\n0,b\n", "none is left as a feature"),
    ],
)
def test_a_file_that_holds_no_table_is_refused(content, expected, tmp_path):
    path = tmp_path / "wrong.csv"
    path.write_bytes(content)
    options = ["--data", path, "--target", "y", "--sensitive", "g"]
    message = refused(run(tmp_path, "compare", *options))
    assert expected.replace(" ", "") in message.replace(" ", "")


def test_a_file_in_place_of_the_folder_is_refused(quick, tmp_path):
    (tmp_path / "taken").write_text("")
    result = run(tmp_path, "compare", out="taken")
    message = refused(result).replace(" ", "")
    assert "taken" in message and "cannotbemadeafolder" in message


def test_when_every_method_fails_the_command_fails(quick, tmp_path, monkeypatch):
    classifiers = {name: LogisticRegression() for name in METHODS}
    monkeypatch.setattr(cli, "standard_classifiers", lambda *_, **__: classifiers)
    result = run(tmp_path, "compare", "--folds", 2)
    assert result.exit_code == 1
    assert "Unmitigated net, which the other methods are compared" in text_of(result)
    assert "could not convert string to float" in text_of(result)
    assert not (tmp_path / "results" / "tradeoff.png").exists()


def test_the_training_of_the_oracle_is_short_but_not_too_short():
    assert cli._short_training(30_000) == {"warmup_epochs": 4, "max_epochs": 4}
    assert cli._short_training(640) == {"warmup_epochs": 8, "max_epochs": 8}


def test_the_version_is_told(tmp_path):
    result = run(tmp_path, "--version")
    assert (result.exit_code, result.output) == (0, f"skfair-runner {__version__}\n")


def test_help_names_every_option(tmp_path):
    result = run(tmp_path, "compare", "--help")
    for option in ("--dataset", "--data-home", "--target", "--bound", "--quiet"):
        assert option in result.output


def test_without_typer_the_extra_is_named(monkeypatch, capsys):
    def absent(name, **options):
        raise ImportError("The command line needs the package 'typer'")

    monkeypatch.setattr(cli, "import_optional", absent)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "The command line needs the package 'typer'\n"


@pytest.mark.slow  # imports the package anew
def test_the_package_can_be_run_as_a_module():
    run = subprocess.run(
        [sys.executable, "-m", "skfair_runner", "--version"],
        capture_output=True,
        text=True,
    )
    assert run.stdout == f"skfair-runner {__version__}\n", run.stderr


def test_a_real_data_set_is_compared_on(quick, data_home, tmp_path, monkeypatch):
    from skfair_runner.datasets import load_dataset

    monkeypatch.setattr(_cases, "load_dataset", load_dataset)
    result = run(
        tmp_path,
        *("compare", "--dataset", "credit", "--data-home", data_home, "--folds", 2),
    )
    assert result.exit_code == 0, result.output
    assert "data set 'credit': 600 rows" in text_of(result)
