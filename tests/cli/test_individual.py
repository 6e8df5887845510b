"""`skfair-runner test`: what it prints, writes and refuses."""

import pickle
from pathlib import Path

import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skfair_runner import load, make_table_preprocessor, save

PEOPLE = ("--target", "hired", "--sensitive", "gender", "--positive", "yes")


@pytest.fixture(scope="module")
def seeing(applicants, net, tmp_path_factory):
    """Folder of a saved pipeline that is fed with the gender."""
    for package in ("safetensors", "skops"):
        pytest.importorskip(package)
    path = tmp_path_factory.mktemp("seeing") / "model"
    model = make_pipeline(make_table_preprocessor(), clone(net))
    model.set_params(runnerfairclassifier__warmup_epochs=15)
    save(model.fit(applicants.drop(columns="hired"), applicants["hired"]), path)
    return path


@pytest.fixture
def search(run, seeing, table, tmp_path):
    """Run `test` on the saved pipeline and the whole table."""

    def run_search(*arguments, model=seeing, data=table):
        options = ["--data", data, *PEOPLE, "--out", tmp_path / "results"]
        return run("test", model, *options, "--budget", 300, *arguments)

    return run_search


@pytest.mark.parametrize("method", ["eidig", "aequitas"])
def test_pairs_are_written_that_the_saved_model_decides_differently(
    search, seeing, tmp_path, method
):
    result = search("--method", method)
    result.succeeds()
    pairs = pd.read_csv(tmp_path / "results" / "pairs.csv")
    assert len(pairs) > 0
    assert f"found {len(pairs)} " in result.text
    model = load(seeing)
    for side in "ab":
        rows = pairs.rename(columns={f"gender_{side}": "gender"})
        decided = model.predict(rows[model.feature_names_in_])
        assert decided.tolist() == pairs[f"decision_{side}"].tolist()
    assert (pairs["decision_a"] != pairs["decision_b"]).all()
    names = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert names == ["pairs.csv", "rates.csv", "trace.csv"]


def test_quiet_prints_nothing(search):
    result = search("--quiet")
    result.succeeds()
    assert result.text == ""


def test_rows_without_a_number_are_left_out_and_told(search, applicants, tmp_path):
    gaps = applicants.copy()
    gaps.iloc[:7, gaps.columns.get_loc("height")] = None
    gaps.to_csv(tmp_path / "gaps.csv", index=False)
    result = search(data=tmp_path / "gaps.csv")
    result.succeeds()
    assert "Left out: 7 of 360 rows without a number or a group." in result.text


def test_what_was_read_otherwise_than_written_is_told(search, applicants, tmp_path):
    marked = applicants.astype({"height": object})
    marked.iloc[:7, marked.columns.get_loc("height")] = "?"
    marked.to_csv(tmp_path / "marked.csv", index=False)
    result = search(data=tmp_path / "marked.csv")
    result.succeeds()
    assert "Read ? as a missing value: height (7)." in result.text


def test_a_table_without_a_complete_row_is_refused(search, applicants, tmp_path):
    gaps = applicants.assign(height=float("nan"))
    gaps.to_csv(tmp_path / "gaps.csv", index=False)
    search(data=tmp_path / "gaps.csv").refuses("every one of the 360 rows")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--method", "eidg"), "there is no method 'eidg'"),
        (("--immutable", "shoes"), "'shoes' is not a feature"),
    ],
)
def test_wrong_options_are_refused(search, arguments, expected):
    search(*arguments).refuses(expected)


def test_a_model_that_is_not_fed_with_the_column_is_refused(
    search, applicants, net, tmp_path
):
    blind = applicants.drop(columns=["hired", "gender"])
    model = make_pipeline(make_table_preprocessor(), clone(net))
    save(model.fit(blind, applicants["hired"]), tmp_path / "blind")
    search(model=tmp_path / "blind").refuses("is not fed with 'gender'")


def test_a_model_without_names_is_refused(search, run, applicants, net, tmp_path):
    X = applicants.select_dtypes("number")
    numbers = tmp_path / "numbers.csv"
    X.assign(gender=applicants["gender"], hired=applicants["hired"]).to_csv(
        numbers, index=False
    )
    model = clone(net).fit(X.to_numpy(), applicants["hired"])
    save(model, tmp_path / "nameless")
    search(model=tmp_path / "nameless", data=numbers).refuses(
        "does not know its features by name"
    )


def test_what_a_search_refuses_is_told(search, applicants):
    columns = applicants.columns.drop(["gender", "hired"])
    immutable = [part for name in columns for part in ("--immutable", name)]
    search(*immutable).refuses("all are sensitive, immutable or constant")


def test_no_pickle_is_opened(search, tmp_path):
    class Harmful:
        def __reduce__(self):
            return Path.touch, (tmp_path / "opened",)

    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Harmful()))
    search(model=path).refuses("model.pkl is not a model that skfair_runner.save")
    assert not (tmp_path / "opened").exists()
