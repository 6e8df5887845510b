"""Metrics of fitted classifiers: how they are asked, and where the answers go."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skfair_runner import make_table_preprocessor
from skfair_runner._runs.data import read_data
from skfair_runner._runs.folds import make_folds, read_splitter
from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.compare import _running, compare_classifiers
from skfair_runner.compare._model_metrics import (
    ask_model,
    model_measures,
    read_model_metrics,
)
from skfair_runner.datasets import make_biased_classification
from skfair_runner.fairness_testing import (
    IndividualDiscrimination,
    Space,
    discrimination_rate,
)
from skfair_runner.utils import SkfairRunnerWarning


def leaves(classifier, X):
    """Number of leaves of a tree."""
    return classifier[-1].get_n_leaves()


class Sizes:
    """Two numbers, of which less is better."""

    name = "sizes"
    greater_is_better = False

    def __call__(self, classifier, X, *, y, sensitive_features):
        return {"rows": len(X), "labels": len(y), "groups": len(sensitive_features)}


@pytest.fixture(scope="module")
def table():
    """Mixed X with its group, labels for which more is asked of women, and groups."""
    X = make_biased_classification(n_samples=300, random_state=0).data
    women = X["gender"] == "female"
    y = X["experience"].rank(pct=True) - 0.3 * women > 0.4
    return X, y.astype(int), X["gender"]


def tree(**options):
    return make_pipeline(
        make_table_preprocessor(**options),
        DecisionTreeClassifier(min_samples_leaf=10, random_state=0),
    )


TREES = {"sees": tree(), "blind": tree(sensitive_columns="gender")}


def compare(table, classifiers=TREES, **options):
    X, y, gender = table
    options = {"cv": 2, "random_state": 0, "n_bootstrap": 0, **options}
    return compare_classifiers(classifiers, X, y, sensitive_features=gender, **options)


def test_the_rates_are_those_of_the_fitted_classifiers(table):
    """By hand: the same folds, the same classifier, and the function itself."""
    X, y, gender = table
    metric = IndividualDiscrimination("gender", n_samples=500, random_state=1)
    found = compare(table, model_metrics=[metric]).per_fold.set_index(
        ["method", "fold"]
    )
    data = read_data(X, y, gender, None, "here")
    space = Space.from_data(X, sensitive_features="gender")
    for fold, (train, test) in enumerate(make_folds(data, read_splitter(2), 0)):
        classifier = clone(TREES["sees"]).fit(X.iloc[train], y.iloc[train])
        rates = discrimination_rate(
            classifier, X.iloc[test], space=space, n_samples=500, random_state=1
        )["rate"]
        row = found.loc["sees", fold]
        assert row["individual_discrimination_data"] == rates["data"]
        assert row["individual_discrimination_box"] == rates["box"]
    assert found.loc["sees", "individual_discrimination_box"].min() > 0
    blind = found.loc["blind", ["individual_discrimination_data"]]
    assert (blind == 0).all(axis=None)


def test_what_a_rate_of_zero_means_is_told(table):
    metric = IndividualDiscrimination("gender", n_samples=200)
    comparison = compare(table, model_metrics=[metric])
    assert "blind: no decision changed with gender alone. So it is" in (
        comparison.summary()
    )
    text = comparison.summary(difference="individual_discrimination_data")
    assert "blind reduced the individual discrimination, data from 0." in text
    front = comparison.pareto(difference="individual_discrimination_data")
    assert "blind" in front.index
    shown = comparison.to_markdown()
    assert "individual discrimination, data" in shown.splitlines()[0]
    page = comparison.to_html()
    assert "Share of the held-out people who would be decided otherwise" in page


def test_a_threshold_for_each_group_discriminates(table):
    """It decides by the group, which is a column, though its features are blind."""
    logistic = make_pipeline(
        make_table_preprocessor(sensitive_columns="gender"),
        LogisticRegression(max_iter=2000),
    )
    comparison = compare(
        table,
        {"plain": logistic, "thresholds": ThresholdOptimizerClassifier(logistic)},
        model_metrics={"gender": IndividualDiscrimination("gender", n_samples=0)},
    )
    means = comparison.table["gender_data_mean"]
    assert means["plain"] == 0 and means["thresholds"] > 0.05


def test_any_function_of_the_classifier_may_be_measured(table, tmp_path):
    comparison = compare(table, model_metrics=[leaves, Sizes()])
    table_ = comparison.table
    assert (table_["leaves_mean"] > 2).all()
    assert (table_["sizes_rows_mean"] == 150).all()
    assert table_["sizes_labels_std"].tolist() == [0, 0]
    measures = comparison.measures
    assert measures["leaves"].greater_is_better is None
    assert measures["sizes_groups"].greater_is_better is False
    path = tmp_path / "comparison.csv"
    comparison.to_csv(path)
    assert_allclose(
        pd.read_csv(path, index_col=0)["leaves_mean"], table_["leaves_mean"]
    )


def test_large_numbers_have_no_decimals(table):
    comparison = compare(
        table, {"sees": tree()}, model_metrics={"bytes": lambda clf, X: 12345.6}
    )
    assert "12,346" in repr(comparison)
    assert ">12346<" in comparison.to_html().replace(" ", "")


def test_answers_are_in_the_file_of_results(table, tmp_path, monkeypatch):
    options = {
        "model_metrics": [IndividualDiscrimination("gender", n_samples=300), leaves],
        "results": tmp_path / "results",
    }
    first = compare(table, **options)
    fits = []
    evaluate = _running.evaluate
    monkeypatch.setattr(
        _running, "evaluate", lambda *args: fits.append(args) or evaluate(*args)
    )
    second = compare(table, **options)
    assert not fits
    columns = list(second.measures)
    assert_array_equal(first.per_fold[columns], second.per_fold[columns])
    assert list(first.table) == list(second.table)

    # Another question needs the classifiers again, decisions alone do not.
    options["model_metrics"] = [IndividualDiscrimination("gender", n_samples=400)]
    compare(table, **options)
    assert len(fits) == 4
    compare(table, **options)
    assert len(fits) == 4


def test_a_metric_that_fails_is_told_and_stops_nothing(table):
    def odd(classifier, X):
        return "many"

    with pytest.warns(
        SkfairRunnerWarning, match="model metric 'odd' failed: TypeError: .* 'many'"
    ):
        comparison = compare(table, {"sees": tree()}, model_metrics=[odd])
    assert comparison.table["odd_mean"].isna().all()
    assert comparison.table["folds"].tolist() == [2]


def test_columns_that_the_tables_have_are_not_taken():
    metrics = {"fit": lambda classifier, X: {"seconds": 1.0}}
    with pytest.warns(SkfairRunnerWarning, match="column would be 'fit_seconds', wh"):
        assert ask_model(metrics, None, None, None, None) == {"fit": {}}


def test_keywords_are_handed_on_where_they_are_taken():
    def everything(classifier, X, **kwargs):
        return len(kwargs)

    def nothing(classifier, X):
        return np.float32(0.5)

    found = ask_model({"a": everything, "b": nothing}, None, [0], [1], [2])
    assert found == {"a": {"a": 2.0}, "b": {"b": 0.5}}


def test_a_metric_is_shown_all_rows_once():
    class Prepared:
        name = "seen"

        def prepare(self, X):
            return lambda classifier, rows: len(X)

        def __call__(self, classifier, X):
            raise NotImplementedError

    found = read_model_metrics([Prepared()], {}, [1, 2, 3], "here")
    assert ask_model(found, None, [1], None, None) == {"seen": {"seen": 3.0}}
    assert read_model_metrics(None, {}, [1], "here") == {}


def test_a_metric_without_any_answer_has_a_column():
    assert list(model_measures({"mine": leaves}, [])) == ["mine"]


@pytest.mark.parametrize(
    ("metrics", "error", "match"),
    [
        ("leaves", TypeError, "`model_metrics` must be a list .* got 'leaves'"),
        ({leaves}, TypeError, "`model_metrics` must be a list .* got {<func"),
        ({3: leaves}, TypeError, "here: names of model metrics are strings, got 3"),
        ({"a": 3}, TypeError, "here: model metric 'a' must be a function .* got 3"),
        ([Sizes], TypeError, "metric 'sizes' must be a function .* got <class"),
        ({"a": lambda classifier: 1}, TypeError, "'a' cannot be called .*too many pos"),
        ({"accuracy": leaves}, ValueError, "cannot be called 'accuracy', which"),
        ({"seed": leaves}, ValueError, "cannot be called 'seed', which"),
        ({"mine": leaves}, ValueError, "cannot be called 'mine', which"),
        (
            [IndividualDiscrimination("gender")],
            ValueError,
            "no column 'gender'. Its columns are 'age'",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(metrics, error, match):
    X = pd.DataFrame({"age": [1, 2]})
    with pytest.raises(error, match=match):
        read_model_metrics(metrics, {"mine": None}, X, "here")


def test_a_metric_that_cannot_be_told_from_another_is_refused(table, tmp_path):
    lock = (each for each in ())
    with pytest.raises(TypeError, match="whether `model_metrics` changed, but <ge"):
        compare(
            table,
            model_metrics={"odd": lambda classifier, X: lock},
            results=tmp_path / "results",
        )
