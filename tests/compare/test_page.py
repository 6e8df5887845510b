"""From a comparison to its page."""

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.compare import _page as page_module
from skfair_runner.compare import _page_figures as page_figures
from skfair_runner.compare import compare_classifiers
from skfair_runner.compare._page import changed_parameters, make_page
from skfair_runner.datasets import make_biased_classification

pytest.importorskip("jinja2")

FACTS = {"data_name": "", "description": "", "favourable": ""}
AXES = {"difference": "demographic_parity_difference", "utility": "accuracy"}


class Failing(DummyClassifier):
    """Cannot be trained."""

    def fit(self, X, y):
        raise RuntimeError("no <luck>")


def _people(n_samples=240):
    people = make_biased_classification(n_samples=n_samples, random_state=0)
    return people.data.select_dtypes("number"), people


def _compare(classifiers, y=None, **options):
    X, people = _people()
    options = {"cv": 3, "n_bootstrap": 20, "random_state": 0, **options}
    return compare_classifiers(
        classifiers,
        X,
        people.target if y is None else y,
        sensitive_features=people.sensitive_features,
        **options,
    )


@pytest.fixture(scope="module")
def comparison():
    logistic = make_pipeline(StandardScaler(), LogisticRegression(C=0.5))
    return _compare(
        {
            "logistic": logistic,
            "thresholds": ThresholdOptimizerClassifier(logistic),
            "failing": Failing(),
        }
    )


def _page(comparison, **changes):
    return make_page(
        comparison, **{"title": None, "notes": (), **AXES, **FACTS, **changes}
    )


@pytest.fixture(scope="module")
def page(comparison):
    return _page(comparison)


@pytest.fixture
def no_pictures(monkeypatch):
    """Leave out what takes longest."""
    monkeypatch.setattr(page_module, "make_figures", lambda *args: ())


def test_groups_are_counted_among_the_held_out_rows(page):
    _, people = _people()
    favoured = people.target.groupby(people.sensitive_features.squeeze("columns")).agg(
        ["size", "mean"]
    )
    assert page.groups["n_samples"].to_dict() == favoured["size"].to_dict()
    assert page.groups["share_favourable"].to_dict() == pytest.approx(
        favoured["mean"].to_dict()
    )


@pytest.mark.usefixtures("no_pictures")
def test_rows_that_are_tested_in_every_repetition_count_once(comparison):
    repeated = dataclasses.replace(
        comparison,
        predictions={
            name: pd.concat([table, table.assign(seed=1)])
            for name, table in comparison.predictions.items()
        },
    )
    assert _page(repeated).groups["n_samples"].sum() == 240


def test_every_measure_is_explained_and_has_its_kind(page):
    kinds = {measure.name: measure.kind for measure in page.shown_measures}
    assert kinds["accuracy"] == "quality"
    assert kinds["disparate_impact"] == kinds["abcc"] == "difference"
    assert kinds["fit_seconds"] == kinds["predict_seconds"] == "cost"
    assert all(measure.meaning for measure in page.shown_measures)


@pytest.mark.usefixtures("no_pictures")
def test_a_measure_of_the_users_is_shown_without_an_explanation():
    def share_right(y_true, y_pred):
        return np.mean(y_true == y_pred)

    comparison = _compare(
        {"constant": DummyClassifier()}, metrics={"share right": share_right}
    )
    added = _page(comparison).shown_measures[-1]
    assert (added.name, added.kind, added.meaning) == ("share right", "quality", "")


@pytest.mark.usefixtures("no_pictures")
def test_where_it_was_measured_is_told(page, comparison):
    assert page.measured_on == "mean over 3 folds, on held-out rows"
    per_fold = pd.concat([comparison.per_fold, comparison.per_fold.assign(seed=1)])
    repeated = dataclasses.replace(comparison, per_fold=per_fold)
    assert _page(repeated).measured_on == (
        "mean over 3 folds of each of 2 seeds, on held-out rows"
    )


def test_settings_name_what_is_not_at_its_default(page):
    assert page.settings["logistic"] == (
        "Pipeline\n"
        "logisticregression = sklearn.linear_model._logistic.LogisticRegression\n"
        "standardscaler = sklearn.preprocessing._data.StandardScaler\n"
        "logisticregression__C = 0.5"
    )
    assert page.reproduce["methods"]["logistic"]["logisticregression__C"] == "0.5"
    assert page.reproduce["versions"]["skfair-runner"]
    json.dumps(page.reproduce)


def test_parameters_of_an_unknown_class_are_kept():
    described = {"class": "elsewhere.Net", "parameters": {"C": "1.0", "net__a": "2"}}
    assert changed_parameters(described) == {
        "class": "elsewhere.Net",
        "C": "1.0",
        "net__a": "2",
    }


def test_the_table_of_rates_has_every_method_that_was_measured(page):
    assert page.by_group.index.tolist() == [
        (method, group)
        for method in ("logistic", "thresholds")
        for group in page.groups.index
    ]
    assert page.by_group["count"].dtype.kind == "i"


def test_pictures_are_of_the_reference_and_of_one_other(page):
    pytest.importorskip("matplotlib")
    assert [figure.title for figure in page.figures] == [
        "Trade-off and front",
        "logistic: rates by group",
        "logistic: scores by group",
        "logistic: precision and recall by group",
        "thresholds: rates by group",
        "thresholds: scores by group",
        "thresholds: precision and recall by group",
    ]
    rates = page.by_group.loc["logistic"]
    for group, row in rates.iterrows():
        assert f"{group}: selection rate {row['selection_rate']:.3f}" in (
            page.figures[1].alt
        )


def test_neurons_and_training_are_pictured(comparison):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    neurons = pd.DataFrame(
        {
            "layer": "relu1",
            "neuron": [0, 1],
            "importance": [0.5, 0.1],
            "rank": [1, 2],
            "selected": [True, False],
            "discrimination": [0.5, 0.2],
            "discrimination_after": [0.1, 0.3],
        }
    )
    history = pd.DataFrame(
        {
            "epoch": [1, 2],
            "phase": ["warm-up", "repair"],
            "train_loss": [0.5, 0.4],
            "selected": [None, {"relu1": [0]}],
        }
    )
    tables = {"neurons": {"thresholds": neurons}, "history": {"thresholds": history}}
    page = _page(dataclasses.replace(comparison, **tables))
    assert [figure.title for figure in page.figures[-4:]] == [
        "thresholds: importance of neurons",
        "thresholds: discrimination of neurons",
        "thresholds: training",
        "thresholds: neurons held responsible",
    ]
    assert "it fell in 1 of 2" in page.figures[-3].alt
    assert "Neurons are those of the first fold" in " ".join(page.caveats)
    assert pyplot.get_fignums() == []


def test_without_matplotlib_there_is_a_page_without_pictures(comparison, monkeypatch):
    def absent(name, **options):
        raise ImportError(name)

    monkeypatch.setattr(page_figures, "import_optional", absent)
    page = _page(comparison)
    assert page.figures == ()
    assert (
        page.caveats[-1] == "There are no pictures, for matplotlib was not installed."
    )


def test_of_three_labels_none_is_pictured():
    X, _ = _people()
    y = np.arange(len(X)) % 3
    comparison = _compare({"tree": DummyClassifier(strategy="stratified")}, y=y)
    page = _page(comparison)
    assert len(page.figures) <= 1
    assert page.by_group is None
    assert page.groups["share_favourable"].isna().all()
    assert page.favourable == ""
    assert "No label is the favourable one" in page.caveats[0]


def test_a_comparison_in_which_all_failed_has_a_page():
    html = _compare({"failing": Failing()}).to_html()
    assert "RuntimeError: no &lt;luck&gt;" in html
    assert "there is nothing to draw" in html


@pytest.mark.usefixtures("no_pictures")
def test_the_page_is_returned_or_written(comparison, tmp_path):
    path = tmp_path / "page.html"
    facts = {"title": "T", "data_name": "D", "notes": ["N & M"], "favourable": "hired"}
    assert comparison.to_html(path, **facts) is None
    html = path.read_text(encoding="utf-8")
    for part in ("<h1>T</h1>", "D; mean over", "N &amp; M", "<strong>hired</strong>"):
        assert part in html
    body = re.compile(r"<h1>.*?<section", re.DOTALL)
    assert body.findall(comparison.to_html(**facts)) == body.findall(html)


def test_the_title_counts_the_classifiers(page):
    assert page.title == "Comparison of 3 classifiers"
    assert page.favourable == "1"


def test_an_unknown_axis_is_refused(comparison):
    with pytest.raises(ValueError, match=r"Comparison\.to_html.*'beauty'"):
        comparison.to_html(difference="beauty")
    with pytest.raises(ValueError, match=r"Comparison\.to_html.*'beauty'"):
        comparison.to_html(utility="beauty")
