"""`skfair-runner compare`: what it prints, writes and refuses."""

import importlib
from functools import partial

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner import make_table_preprocessor
from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.cli import cases, screen
from skfair_runner.cli import compare as command
from skfair_runner.datasets import DATASETS, load_dataset

METHODS = [
    "Unmitigated net",
    "RunnerFairClassifier",
    "ExponentiatedGradient",
    "ThresholdOptimizer",
]


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

    monkeypatch.setattr(command, "standard_classifiers", regressions)
    return seen


@pytest.fixture
def compare(run, tmp_path):
    """Run `compare`, in processes of its own nowhere."""

    def run_compare(*arguments, out="results"):
        return run("compare", *arguments, "--jobs", 1, "--out", tmp_path / out)

    return run_compare


# Hardly trained.
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
def test_without_options_it_runs_on_the_generated_table(
    compare, generated, tmp_path, monkeypatch
):
    net = {"warmup_epochs": 4, "max_epochs": 2, "hidden_layer_sizes": (4,)}
    with_nets = partial(command.standard_classifiers, net_parameters=net)
    monkeypatch.setattr(command, "standard_classifiers", with_nets)
    result = compare("--folds", 2, "--iterations", 1)
    result.succeeds()
    text = result.text
    assert "data set 'biased' (generated): 300 rows, 2 folds." in text
    assert "Favourable label: hired. By gender: female" in text
    assert "Left out of the features: gender." in text
    assert "the demographic parity difference" in text
    assert "ExponentiatedGradient is cut short: 1 iterations instead of" in text
    table = pd.read_csv(tmp_path / "results" / "comparison.csv", index_col="method")
    assert table.index.tolist() == METHODS
    assert table["folds"].tolist() == [2] * 4
    assert table["error"].isna().all()


def test_every_row_that_a_reader_needs_is_in_the_table(compare, quick):
    output = compare("--folds", 2).output
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
        assert f"\n {row}" in output, row


def test_the_figure_is_written_where_matplotlib_is(compare, quick, tmp_path):
    pytest.importorskip("matplotlib")
    result = compare("--folds", 2)
    path = tmp_path / "results" / "tradeoff.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert f"Figure: {path}" in result.output


def test_without_matplotlib_it_says_so_and_writes_the_table(
    compare, quick, tmp_path, monkeypatch
):
    def absent(name, **options):
        if name.startswith("matplotlib"):
            raise ImportError("The scatter plot needs the package 'matplotlib'")
        return importlib.import_module(name)

    monkeypatch.setattr(screen, "import_optional", absent)
    result = compare("--folds", 2)
    assert result.exit_code == 0
    assert "The scatter plot needs the package 'matplotlib'" in result.text
    assert [path.name for path in (tmp_path / "results").iterdir()] == [
        "comparison.csv"
    ]


def test_quiet_prints_nothing_and_writes_the_files(compare, quick, tmp_path):
    result = compare("--folds", 2, "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / "results" / "comparison.csv").exists()


def test_progress_is_shown(compare, quick):
    result = compare("--folds", 2)
    assert "8/8" in result.stderr


def test_options_reach_the_classifiers(compare, quick):
    options = ["--constraint", "equalized_odds", "--bound", "0.1", "--folds", 2]
    result = compare(*options, "--iterations", 7)
    result.succeeds()
    assert quick["constraint"] == "equalized_odds"
    assert (quick["difference_bound"], quick["max_iter"]) == (0.1, 7)
    assert quick["sensitive_columns"] == ["gender"]
    assert quick["pos_label"] == 1
    assert "Aiming at 0.1 as equalized odds difference" in result.text
    assert "the equalized odds difference" in result.text


@pytest.mark.parametrize(
    ("constraint", "row"),
    [
        ("true_positive_rate_parity", "Equal opportunity difference"),
        ("false_positive_rate_parity", "False positive rate difference"),
    ],
)
def test_the_difference_of_a_rate_parity_gets_a_row(compare, constraint, row, quick):
    result = compare("--constraint", constraint, "--folds", 2)
    result.succeeds()
    first, *_ = row.split()
    assert f"\n {first} " in result.output


def test_the_same_seed_writes_the_same_table(compare, quick, tmp_path):
    tables = []
    for name in ("one", "two"):
        compare("--folds", 2, "--seed", 3, "--quiet", out=name)
        table = pd.read_csv(tmp_path / name / "comparison.csv", index_col="method")
        tables.append(table.filter(regex="^(?!.*_seconds)"))
    pd.testing.assert_frame_equal(*tables)


def test_a_file_of_the_user_is_compared_on(compare, quick, people, tmp_path):
    result = compare(
        *("--data", people, "--target", "hired", "--sensitive", "gender"),
        *("--positive", "yes", "--folds", 2),
    )
    result.succeeds()
    text = result.text
    assert "298 rows, 2 folds." in text
    assert "Left out: 2 rows without a value of 'hired'." in text
    assert "In the group 'missing': " in text
    assert "rows without a value of 'gender'." in text
    assert "Favourable label: hired = yes. By gender: female" in text
    table = pd.read_csv(tmp_path / "results" / "comparison.csv", index_col="method")
    assert table["folds"].tolist() == [2] * 4
    assert quick["pos_label"] == "yes"
    assert "rows of 'missing' with the favourable label, about" in text


def test_columns_that_are_hardly_features_are_said_once(compare, quick, people):
    table = pd.read_csv(people)
    table["pay"] = [f"{k % 40}.5" for k in range(len(table))]
    table.loc[0, "pay"] = "28.5 EUR"
    table["name"] = [f"person {k}" for k in range(len(table))]
    table.to_csv(people, index=False)
    result = compare(
        *("--data", people, "--target", "hired", "--sensitive", "gender"),
        *("--positive", "yes", "--folds", 2),
    )
    result.succeeds()
    assert "read as text: pay (such as '28.5 EUR')" in result.text
    assert "different texts: name (298)" in result.text
    assert "make_table_preprocessor" not in result.text


def test_several_sensitive_columns_are_crossed(compare, quick, people):
    result = compare(
        *("--data", people, "--target", "hired", "--positive", "yes"),
        *("--sensitive", "gender", "--sensitive", "union", "--folds", 2),
    )
    result.succeeds()
    assert "By gender × union: female, 0" in result.text
    assert quick["sensitive_columns"] == ["gender", "union"]


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
    compare, options, expected, small
):
    given = {
        "--data": small,
        "--target": "hired",
        "--sensitive": "sex",
        "--positive": "yes",
        **options,
    }
    arguments = [part for pair in given.items() if pair[1] is not None for part in pair]
    compare(*arguments).refuses(expected)


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
def test_options_that_do_not_go_together_are_refused(compare, arguments, expected):
    compare(*arguments).refuses(expected)


def test_a_data_set_that_cannot_be_read_is_said(compare, monkeypatch):
    def absent(name, data_home):
        raise FileNotFoundError(f"no adult.data in {data_home}")

    monkeypatch.setattr(cases, "load_dataset", absent)
    result = compare("--dataset", "adult", "--data-home", "nowhere")
    result.refuses("no adult.data in nowhere")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n", "has 0 rows below its header"),
        (b"", "cannot be read as a CSV file"),
        (b"a\xff,b\n1,2\n", "wrong.csv cannot be read as a CSV file: its text is not"),
        (b'a,b\n1,"2\n', "cannot be read as a CSV file"),
        (b"y,g\n1,a\n0,b\n", "none is left as a feature"),
    ],
)
def test_a_file_that_holds_no_table_is_refused(compare, content, expected, tmp_path):
    path = tmp_path / "wrong.csv"
    path.write_bytes(content)
    options = ["--data", path, "--target", "y", "--sensitive", "g"]
    compare(*options).refuses(expected)


def test_a_file_in_place_of_the_folder_is_refused(compare, quick, tmp_path):
    (tmp_path / "taken").write_text("")
    compare(out="taken").refuses("taken cannot be made a folder")


def test_when_every_method_fails_the_command_fails(
    compare, quick, tmp_path, monkeypatch
):
    classifiers = {name: LogisticRegression() for name in METHODS}
    monkeypatch.setattr(command, "standard_classifiers", lambda *_, **__: classifiers)
    result = compare("--folds", 2)
    assert result.exit_code == 1
    assert "Unmitigated net, which the other methods are compared" in result.text
    assert "could not convert string to float" in result.text
    assert not (tmp_path / "results" / "tradeoff.png").exists()


# Hardly trained.
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
def test_many_methods_are_the_rows_of_the_table(
    compare, generated, tmp_path, monkeypatch
):
    net = {"warmup_epochs": 1, "max_epochs": 1, "hidden_layer_sizes": (4,)}
    with_nets = partial(command.standard_classifiers, net_parameters=net)
    monkeypatch.setattr(command, "standard_classifiers", with_nets)
    names = "unmitigated, runner,oversampling,reweighing,reject_option,fair_smote"
    result = compare("--methods", names, "--folds", 2)
    result.succeeds()
    table = pd.read_csv(tmp_path / "results" / "comparison.csv", index_col="method")
    assert len(table) == 6
    for name, row in table.iterrows():
        assert f"{name} {row['accuracy_mean']:.3f}" in result.text
    assert "G: needs groups to predict" in result.text
    assert "(means over 2 folds)" in result.text
    assert "More measures, and how they vary, are in comparison.csv." in result.text
    assert "Oversampling, Reweighing, FairSMOTE take neither constraint" in result.text
    assert "ExponentiatedGradient" not in result.text


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ("runner,magic", "there is no method 'magic'; the methods are unmitigated, ru"),
        ("quickest", "there is no method 'quickest'; the methods are unmitigated"),
        (",", "there is no name in the list of methods; the methods are"),
    ],
)
def test_methods_that_there_are_not_are_refused(compare, methods, expected):
    compare("--methods", methods).refuses("--methods", expected)


@pytest.mark.parametrize("n_methods", [2, 6])
def test_individual_discrimination_is_measured_where_it_is_asked_for(
    n_methods, compare, quick, tmp_path, monkeypatch
):
    """Scores that do not see the column, and thresholds that follow it."""
    few = command.standard_classifiers

    def several(*args, **options):
        made = [few(*args, **options)[name] for name in METHODS[:2]] * 3
        return {f"method {k}": each for k, each in enumerate(made[:n_methods])}

    monkeypatch.setattr(command, "standard_classifiers", several)
    result = compare("--individual", "gender")
    text = " ".join(result.output.split())
    assert "method 0" in text and "no decision changed with gender alone" in text
    if n_methods == 2:
        assert "Individual discrimination, data 0.000" in text
    table = pd.read_csv(tmp_path / "results" / "comparison.csv", index_col=0)
    rates = table["individual_discrimination_data_mean"]
    assert rates["method 0"] == 0 and rates["method 1"] > 0


def test_a_column_that_cannot_be_exchanged_is_refused(compare):
    compare("--individual", "sex").refuses("X has no column 'sex'. Its columns are")


def test_seeds_repeat_everything(compare, quick):
    result = compare("--folds", 2, "--seeds", 2)
    result.succeeds()
    assert "(mean ± std over 2 folds × 2 seeds)" in result.text
    assert "16/16" in result.stderr


def test_a_file_of_results_is_gone_on_from(compare, quick, tmp_path, monkeypatch):
    options = ["--folds", 2, "--resume", tmp_path / "fits"]
    compare(*options).succeeds()
    first = pd.read_csv(tmp_path / "results" / "comparison.csv")
    fitted = []
    monkeypatch.setattr(
        LogisticRegression, "fit", lambda *args, **_: fitted.append(args)
    )
    compare(*options).succeeds()
    assert fitted == []
    again = pd.read_csv(tmp_path / "results" / "comparison.csv")
    # Two names for the same classifier share what is stored, their times as well.
    timed = "^(?!.*_seconds)"
    pd.testing.assert_frame_equal(again.filter(regex=timed), first.filter(regex=timed))


def test_a_file_of_other_results_is_refused(compare, quick, people, tmp_path):
    options = ["--folds", 2, "--resume", tmp_path / "fits"]
    compare(*options).succeeds()
    result = compare(
        *("--data", people, "--target", "hired", "--sensitive", "gender"),
        *("--positive", "yes", *options),
    )
    result.refuses("--resume", "belongs to other data")


def test_a_page_is_written(compare, quick, tmp_path):
    pytest.importorskip("jinja2")
    path = tmp_path / "report.html"
    options = ["--folds", 2, "--bound", 0.1, "--html", path]
    result = compare(*options, "--constraint", "equalized_odds")
    result.succeeds()
    assert f"Page: {path}\n" in result.output
    page = path.read_text()
    for text in ("RunnerFairClassifier", "data set", "Methods aim at 0.1.", "gender"):
        assert text in page, text


@pytest.mark.parametrize(
    ("place", "expected"),
    [(".", "is a folder"), ("absent/a.html", "in a folder that does not exist")],
)
def test_a_page_that_cannot_be_written_is_refused(
    compare, quick, place, expected, tmp_path
):
    pytest.importorskip("jinja2")
    compare("--html", tmp_path / place).refuses("--html", expected)


def test_without_jinja2_a_page_is_refused_before_anything_runs(
    compare, quick, tmp_path, monkeypatch
):
    def absent(name, *, extra, purpose):
        raise ImportError(f"{purpose} needs {name!r}: skfair-runner[{extra}]")

    monkeypatch.setattr(command, "import_optional", absent)
    result = compare("--html", tmp_path / "a.html")
    result.refuses("--html needs 'jinja2': skfair-runner[report]")
    assert quick == {}


def test_help_names_every_option(compare):
    result = compare("--help")
    for option in ("--dataset", "--data-home", "--target", "--bound", "--quiet"):
        assert option in result.output


def test_a_real_data_set_is_compared_on(compare, quick, data_home, monkeypatch):
    monkeypatch.setattr(cases, "load_dataset", load_dataset)
    result = compare(
        *("--dataset", "credit", "--data-home", data_home, "--folds", 2),
    )
    result.succeeds()
    assert "data set 'credit': 600 rows" in result.text
