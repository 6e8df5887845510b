"""Comparisons: folds, seeds, routing of groups, numbers, failures."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import demographic_parity_difference as fairlearns_difference
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.compare import compare_classifiers
from skfair_runner.metrics import group_rates
from skfair_runner.model_selection import SensitiveColumns
from skfair_runner.utils import SensitiveFeaturesRequestMixin, SkfairRunnerWarning

LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression())
TIMED = [
    f"{each}_seconds_{part}" for each in ("fit", "predict") for part in ("mean", "std")
]


class Recorder(SensitiveFeaturesRequestMixin, ClassifierMixin, BaseEstimator):
    """Insists on groups in `fit`, and predicts them where it is told to."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y, *, sensitive_features):
        assert len(sensitive_features) == len(y) == X.shape[0]
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(X.shape[0], self.classes_[-1])


class Fails(Recorder):
    """Fails in `fit`, from some call on."""

    calls = 0
    first = 0

    def fit(self, X, y, **kwargs):
        type(self).calls += 1
        if self.calls > self.first:
            raise RuntimeError(f"no memory for {X.shape[1]} columns")
        return super().fit(X, y, **kwargs)


class Warns(DummyClassifier):
    def fit(self, X, y):
        warnings.warn("did not converge", ConvergenceWarning, stacklevel=2)
        return super().fit(X, y)


@pytest.fixture(params=[False, True], ids=["routing off", "routing on"])
def routing(request):
    with config_context(enable_metadata_routing=request.param):
        yield request.param


def test_numbers_are_those_of_scikit_learn_and_fairlearn(comparison, people):
    X, y, gender = people
    cells = y * 2 + (gender == "male")
    folds = StratifiedKFold(3, shuffle=True, random_state=0).split(X, cells)
    accuracies, differences = [], []
    for train, test in folds:
        y_pred = LOGISTIC.fit(X.iloc[train], y.iloc[train]).predict(X.iloc[test])
        accuracies.append(accuracy_score(y.iloc[test], y_pred))
        differences.append(
            fairlearns_difference(
                y.iloc[test], y_pred, sensitive_features=gender.iloc[test]
            )
        )
    row = comparison.table.loc["logistic"]
    assert_allclose(row["accuracy_mean"], np.mean(accuracies))
    assert_allclose(row["accuracy_std"], np.std(accuracies, ddof=1))
    assert_allclose(row["demographic_parity_difference_mean"], np.mean(differences))
    logistic = comparison.per_fold[comparison.per_fold["method"] == "logistic"]
    assert_allclose(logistic["accuracy"], accuracies)


def test_properties_of_the_methods_are_in_the_table(comparison):
    table = comparison.table
    assert table.index.tolist() == ["logistic", "thresholds", "nobody"]
    assert table["needs_groups_at_predict"].tolist() == [False, True, False]
    assert table["randomised"].tolist() == [False, True, False]
    assert table["constant_folds"].tolist() == [0, 0, 3]
    assert table["folds"].tolist() == [3, 3, 3]
    assert table["error"].tolist() == ["", "", ""]
    assert comparison.groups == ("female", "male")
    assert comparison.pos_label == 1


def test_folds_hold_label_and_group_in_the_same_shares(compare, people):
    seen = []

    class Watches(Recorder):
        def fit(self, X, y, *, sensitive_features):
            seen.append(pd.crosstab(np.asarray(y), np.asarray(sensitive_features)))
            return super().fit(X, y, sensitive_features=sensitive_features)

    compare({"watches": Watches()}, people)
    assert len(seen) == 3
    assert (abs(seen[0] - seen[1]) <= 1).all(axis=None)


@pytest.mark.parametrize(
    "classifier",
    [
        Recorder(),
        make_pipeline(StandardScaler(), Recorder()),
        make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), Recorder())),
        make_pipeline(StandardScaler(), ThresholdOptimizerClassifier(LOGISTIC)),
        GridSearchCV(Recorder(), {"random_state": [0]}, cv=2, error_score="raise"),
    ],
    ids=["alone", "pipeline", "nested", "needed to predict", "search"],
)
def test_groups_reach_every_spelling_of_fit(compare, classifier, people, routing):
    table = compare({"method": classifier}, people).table
    assert table.loc["method", "error"] == ""
    assert table.loc["method", "folds"] == 3


def test_a_failing_method_is_a_row_with_its_error(compare, people):
    table = compare({"fails": Fails(), "logistic": LOGISTIC}, people).table
    assert table.loc["fails", "error"] == "RuntimeError: no memory for 6 columns"
    assert table.loc["fails", "folds"] == 0
    assert np.isnan(table.loc["fails", "accuracy_mean"])
    assert table.loc["logistic", "folds"] == 3


def test_a_method_that_fails_later_keeps_its_other_folds(compare, people, monkeypatch):
    monkeypatch.setattr(Fails, "calls", 0)
    monkeypatch.setattr(Fails, "first", 2)
    result = compare({"logistic": LOGISTIC, "fails": Fails()}, people)
    assert result.table.loc["fails", "folds"] == 2
    assert result.table.loc["fails", "accuracy_mean"] > 0
    text = result.summary()
    assert "mean over 2 folds, lower in 2 of 2" in text
    assert "It failed on the other folds: RuntimeError: no memory" in text


def test_a_method_without_scores_has_no_number_that_needs_them(compare, people):
    scaled = make_pipeline(StandardScaler(), LinearSVC())
    row = compare({"svc": scaled}, people).table.loc["svc"]
    assert row["error"] == "" and np.isfinite(row["accuracy_mean"])
    assert np.isnan([row["average_precision_mean"], row["abcc_mean"]]).all()


def test_warnings_are_told_once_with_the_folds_that_they_came_from(compare, people):
    with pytest.warns(ConvergenceWarning, match=r"dummy \(3 folds\): did not") as told:
        compare({"dummy": Warns()}, people)
    assert len(told) == 1


def test_the_same_seed_gives_the_same_numbers(compare, people):
    net = RunnerFairClassifier(
        constraint=None, warmup_epochs=1, max_epochs=1, hidden_layer_sizes=(4,)
    )
    one, two = (compare({"net": net}, people).table for _ in range(2))
    pd.testing.assert_frame_equal(one.drop(columns=TIMED), two.drop(columns=TIMED))


@pytest.mark.slow  # each process imports torch
def test_two_processes_give_the_numbers_of_one(compare, comparison, people):
    classifiers = {"logistic": LOGISTIC}
    table = compare(classifiers, people, n_jobs=2).table
    expected = comparison.table.loc[["logistic"]]
    pd.testing.assert_frame_equal(
        table.drop(columns=TIMED), expected.drop(columns=TIMED)
    )


def test_classifiers_are_copied(compare, people):
    clf = LogisticRegression(max_iter=1000)
    compare({"mine": make_pipeline(StandardScaler(), clf)}, people)
    assert not hasattr(clf, "coef_")


def test_the_favourable_label_may_be_told(comparison, people):
    X, y, gender = people
    named = np.where(y == 1, "hired", "declined")
    table = compare_classifiers(
        {"logistic": LOGISTIC},
        X,
        named.tolist(),
        sensitive_features=gender.tolist(),
        cv=3,
        pos_label="hired",
        random_state=0,
    ).table
    columns = ["selection_rate_mean", "average_precision_mean", "abcc_mean"]
    assert_allclose(
        table.loc["logistic", columns].astype(float),
        comparison.table.loc["logistic", columns].astype(float),
    )


def test_three_labels_are_compared_with_the_rest_each(people):
    X, y, gender = people
    three = y + (X["height"] > 173)
    table = compare_classifiers(
        {"logistic": LOGISTIC, "thresholds": ThresholdOptimizerClassifier(LOGISTIC)},
        X,
        three,
        sensitive_features=gender,
        cv=2,
        random_state=0,
    ).table
    assert table.loc["logistic", "error"] == ""
    assert np.isnan(table.loc["logistic", "selection_rate_mean"])
    assert table.loc["logistic", "demographic_parity_difference_mean"] > 0
    assert "Only binary classification" in table.loc["thresholds", "error"]


def test_several_sensitive_columns_are_crossed(compare, people):
    X, y, gender = people
    groups = pd.DataFrame({"gender": gender, "tall": X["height"] > 170})
    result = compare({"logistic": LOGISTIC}, (X, y, groups))
    assert result.groups == (
        "female, False",
        "female, True",
        "male, False",
        "male, True",
    )


@pytest.mark.parametrize("container", [sparse.coo_matrix, np.asarray, list])
def test_x_comes_in_any_container(compare, container, comparison, people):
    X, y, gender = people
    values = X.to_numpy()
    other = values.tolist() if container is list else container(values)
    dense = FunctionTransformer(
        lambda X: X.toarray() if sparse.issparse(X) else np.asarray(X, dtype=float)
    )
    table = compare({"logistic": make_pipeline(dense, LOGISTIC)}, (other, y, gender))
    assert_allclose(
        table.table.loc["logistic", "accuracy_mean"],
        comparison.table.loc["logistic", "accuracy_mean"],
    )


def test_a_splitter_gets_the_cells_and_decides(compare, people):
    class Splitter(KFold):
        def split(self, X, y=None, groups=None):
            self.cells = np.unique(y)
            return super().split(X, y)

    splitter = Splitter(4)
    result = compare({"logistic": LOGISTIC}, people, cv=splitter)
    assert result.table.loc["logistic", "folds"] == 4
    assert splitter.cells.tolist() == [0, 1, 2, 3]


def test_progress_is_shown_when_asked_for(compare, people, capsys):
    compare({"logistic": LOGISTIC}, people, verbose=1)
    assert "3/3" in capsys.readouterr().err
    compare({"logistic": LOGISTIC}, people)
    assert capsys.readouterr().err == ""


def test_a_small_cell_is_warned_of(compare, people):
    X, y, gender = people
    rows = np.flatnonzero(~((gender == "female") & (y == 1)))
    rows = np.append(rows, np.flatnonzero((gender == "female") & (y == 1))[:2])
    part = X.iloc[rows], y.iloc[rows], gender.iloc[rows]
    with pytest.warns(SkfairRunnerWarning) as told:
        compare({"logistic": LOGISTIC}, part)
    assert any("group 'female' has 2 with label 1" in str(w.message) for w in told)


def test_a_group_smaller_than_the_number_of_folds_is_refused(compare, people):
    X, y, gender = people
    few = gender.where(np.arange(400) > 1, "other")
    with pytest.raises(
        ValueError, match=r"'other' has 2 of 400 samples, too few for c"
    ):
        compare({"logistic": LOGISTIC}, (X, y, few))


def test_a_single_fold_is_refused(compare, people):
    with pytest.raises(ValueError, match="at least 2 folds, got 1"):
        compare({"logistic": LOGISTIC}, people, cv=1)


@pytest.mark.parametrize(
    ("classifiers", "error", "match"),
    [
        ([LOGISTIC], TypeError, "must be a dict of names and classifiers, got list"),
        ({}, ValueError, "`classifiers` is empty"),
        ({3: LOGISTIC}, TypeError, "are strings, got 3"),
        (
            {"a": LogisticRegression},
            TypeError,
            r"pass an instance, LogisticRegression\(",
        ),
        ({"a": StandardScaler()}, TypeError, "'a' is a StandardScaler, which has not"),
    ],
)
def test_what_is_no_classifier_is_refused(compare, classifiers, error, match, people):
    with pytest.raises(error, match=match):
        compare(classifiers, people)


def test_labels_without_a_known_favourable_one_are_refused(compare, people):
    X, y, gender = people
    named = np.where(y == 1, "hired", "declined")
    with pytest.raises(ValueError, match="compare_classifiers depends.*'hired' or"):
        compare({"logistic": LOGISTIC}, (X, named, gender))


def test_missing_groups_are_refused(compare, people):
    X, y, gender = people
    with pytest.raises(ValueError, match="classifiers: the group is missing in 1 of"):
        compare({"logistic": LOGISTIC}, (X, y, gender.where(np.arange(400) > 0)))


def test_seeds_repeat_everything_with_other_folds(compare, people):
    one, three = (compare({"logistic": LOGISTIC}, n_seeds=n) for n in (1, 3))
    assert three.table.loc["logistic", "folds"] == 9
    assert three.per_fold["seed"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert_allclose(three.per_fold["accuracy"][:3], one.per_fold["accuracy"])
    assert_allclose(
        three.table.loc["logistic", "accuracy_std"], three.per_fold["accuracy"].std()
    )
    rows = three.predictions["logistic"].groupby(["seed", "fold"])["row"].agg(set)
    assert rows[0, 0] != rows[1, 0] != rows[2, 0]
    assert len(set(three.settings["seeds"])) == 3 and three.settings["seeds"][0] == 0


def test_seeds_reach_the_classifiers_that_have_none(compare):
    class Tells(Recorder):
        seen = []

        def fit(self, X, y, *, sensitive_features):
            self.seen.append(self.random_state)
            return super().fit(X, y, sensitive_features=sensitive_features)

    settings = compare({"own": Tells(7), "none": Tells()}, n_seeds=2).settings
    assert set(Tells.seen) == {7, *settings["seeds"]}


def test_without_a_seed_folds_are_drawn_anew(compare):
    result = compare({"logistic": LOGISTIC}, random_state=None, n_seeds=2)
    rows = result.predictions["logistic"].groupby(["seed", "fold"])["row"].agg(set)
    assert rows[0, 0] != rows[1, 0]
    assert result.settings["seeds"] == [None, None]


def test_predictions_are_those_behind_the_numbers(comparison, people):
    X, y, gender = people
    table = comparison.predictions["logistic"]
    assert sorted(table["row"]) == list(range(400))
    assert (table["y_true"] == y.to_numpy()[table["row"]]).all()
    assert (table["group"] == gender.to_numpy()[table["row"]]).all()
    assert ((table["score"] > 0.5) == (table["y_pred"] == 1)).all()
    found = table.groupby("fold")[["y_true", "y_pred"]].apply(
        lambda part: accuracy_score(part["y_true"], part["y_pred"])
    )
    logistic = comparison.per_fold[comparison.per_fold["method"] == "logistic"]
    assert_allclose(found, logistic["accuracy"])


def test_metrics_of_the_user_become_columns(compare, people):
    def worst_accuracy(y_true, y_pred, *, sensitive_features):
        table = group_rates(y_true, y_pred, sensitive_features=sensitive_features)
        return table["accuracy"].min()

    metrics = {"f1": f1_score, "worst accuracy": worst_accuracy}
    result = compare({"logistic": LOGISTIC}, metrics=metrics)
    part = result.predictions["logistic"].query("fold == 0")
    expected = f1_score(part["y_true"], part["y_pred"])
    assert_allclose(result.per_fold.loc[0, "f1"], expected)
    # `worst accuracy` looks at groups, so less is taken for better.
    assert [result.measures[name].greater_is_better for name in metrics] == [
        True,
        False,
    ]
    assert "worst accuracy" in result.to_markdown()
    assert result.pareto(utility="f1").index.tolist() == ["logistic"]


def test_metrics_may_be_named(compare):
    name = "largest_demographic_parity_difference"
    row = compare({"logistic": LOGISTIC}, metrics=[name]).table.loc["logistic"]
    assert row[f"{name}_mean"] > row["demographic_parity_difference_mean"] / 2


def test_a_metric_that_fails_is_missing_with_a_warning(compare):
    def fails(y_true, y_pred):
        raise ZeroDivisionError(f"of {y_true.ndim}")

    with pytest.warns(SkfairRunnerWarning, match="metric 'mine' failed: ZeroD.* of 1"):
        table = compare({"logistic": LOGISTIC}, metrics={"mine": fails}).table
    assert np.isnan(table.loc["logistic", "mine_mean"])
    assert table.loc["logistic", "folds"] == 3


def test_disparate_impact_is_below_four_fifths_or_not(comparison):
    table = comparison.table
    assert 0 < table.loc["logistic", "disparate_impact_mean"] < 0.8
    means = table["disparate_impact_mean"]
    met = table["four_fifths"]
    assert met.drop("nobody").tolist() == (means.drop("nobody") >= 0.8).tolist()
    assert "below four fifths" in comparison.to_markdown().splitlines()[2]


# Hardly trained.
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.ConstantClassifierWarning")
def test_the_net_shows_its_neurons_and_its_history(compare, people):
    net = RunnerFairClassifier(warmup_epochs=1, max_epochs=1, hidden_layer_sizes=(4,))
    wrapped = make_pipeline(StandardScaler(), GridSearchCV(net, {"alpha": [0.1]}, cv=2))
    X, y, gender = people
    people = X.assign(woman=gender == "female"), y, gender
    methods = {
        "plain": LOGISTIC,
        "net": wrapped,
        "own groups": SensitiveColumns(net, "woman"),
    }
    result = compare(methods, people, cv=2)
    assert result.table["error"].tolist() == ["", "", ""]
    assert set(result.neurons) == set(result.history) == {"net", "own groups"}
    assert len(result.neurons["net"]) == 4
    assert "train_loss" in result.history["net"]


def test_settings_say_how_to_do_it_again(compare):
    result = compare({"logistic": LOGISTIC}, n_seeds=2)
    settings = json.loads(json.dumps(result.settings))
    assert (
        settings["methods"]["logistic"]["parameters"]["logisticregression__C"] == "1.0"
    )
    assert settings["cv"] == "3" and len(settings["seeds"]) == 2
    assert {"numpy", "torch", "scikit-learn", "fairlearn", "skfair-runner"} <= set(
        settings["versions"]
    )


def test_intervals_can_be_left_out(compare):
    table = compare({"logistic": LOGISTIC}, n_bootstrap=0).table
    assert not [name for name in table if name.endswith(("_low", "_high"))]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"n_seeds": 0}, ValueError, "`n_seeds` must be at least 1, got 0"),
        ({"n_seeds": 1.5}, TypeError, "`n_seeds` must be an integer, got 1.5"),
        ({"n_seeds": True}, TypeError, "`n_seeds` must be an integer, got True"),
        ({"n_bootstrap": -1}, ValueError, "`n_bootstrap` must be at least 0, got -1"),
        ({"confidence_level": 95}, ValueError, "between 0 and 1, as 0.95, got 95"),
        (
            {"results": "some.results", "random_state": None},
            ValueError,
            "results='some.results' needs a seed",
        ),
    ],
)
def test_options_out_of_range_are_refused(compare, options, error, match):
    with pytest.raises(error, match=match):
        compare({"logistic": LOGISTIC}, **options)
