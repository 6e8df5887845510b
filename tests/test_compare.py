"""Comparisons: folds, routing of groups, numbers, failures, words and files."""

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
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.compare import Comparison, compare_classifiers, standard_classifiers
from skfair_runner.compare._comparison import format_number
from skfair_runner.compare._measures import DIFFERENCE_OF, MEASURES
from skfair_runner.datasets import make_biased_classification
from skfair_runner.gaps import CONSTRAINTS
from skfair_runner.metrics import METRICS
from skfair_runner.utils import SensitiveFeaturesRequestMixin, SkfairRunnerWarning

LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression())


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


@pytest.fixture(scope="module")
def people():
    """Numeric X, labels and groups."""
    bunch = make_biased_classification(n_samples=400, random_state=0)
    X = bunch.data.select_dtypes("number")
    return X, bunch.target, bunch.sensitive_features["gender"]


def compare(classifiers, people, **options):
    X, y, gender = people
    options = {"cv": 3, "random_state": 0, **options}
    return compare_classifiers(classifiers, X, y, sensitive_features=gender, **options)


@pytest.fixture(scope="module")
def comparison(people):
    return compare(
        {
            "logistic": LOGISTIC,
            "thresholds": ThresholdOptimizerClassifier(LOGISTIC),
            "nobody": DummyClassifier(strategy="constant", constant=0),
        },
        people,
    )


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


def test_folds_hold_label_and_group_in_the_same_shares(people):
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
def test_groups_reach_every_spelling_of_fit(classifier, people, routing):
    table = compare({"method": classifier}, people).table
    assert table.loc["method", "error"] == ""
    assert table.loc["method", "folds"] == 3


def test_a_failing_method_is_a_row_with_its_error(people):
    table = compare({"fails": Fails(), "logistic": LOGISTIC}, people).table
    assert table.loc["fails", "error"] == "RuntimeError: no memory for 6 columns"
    assert table.loc["fails", "folds"] == 0
    assert np.isnan(table.loc["fails", "accuracy_mean"])
    assert table.loc["logistic", "folds"] == 3


def test_a_method_that_fails_later_keeps_its_other_folds(people, monkeypatch):
    monkeypatch.setattr(Fails, "calls", 0)
    monkeypatch.setattr(Fails, "first", 2)
    result = compare({"logistic": LOGISTIC, "fails": Fails()}, people)
    assert result.table.loc["fails", "folds"] == 2
    assert result.table.loc["fails", "accuracy_mean"] > 0
    text = result.summary()
    assert "mean over 2 folds, lower in 2 of 2" in text
    assert "It failed on the other folds: RuntimeError: no memory" in text


def test_a_method_without_scores_has_no_number_that_needs_them(people):
    scaled = make_pipeline(StandardScaler(), LinearSVC())
    row = compare({"svc": scaled}, people).table.loc["svc"]
    assert row["error"] == "" and np.isfinite(row["accuracy_mean"])
    assert np.isnan([row["average_precision_mean"], row["abcc_mean"]]).all()


def test_warnings_are_told_once_with_the_folds_that_they_came_from(people):
    with pytest.warns(ConvergenceWarning, match=r"dummy \(3 folds\): did not") as told:
        compare({"dummy": Warns()}, people)
    assert len(told) == 1


def test_the_same_seed_gives_the_same_numbers(people):
    net = RunnerFairClassifier(
        constraint=None, warmup_epochs=1, max_epochs=1, hidden_layer_sizes=(4,)
    )
    one, two = (compare({"net": net}, people).table for _ in range(2))
    timed = [
        f"{each}_seconds_{part}"
        for each in ("fit", "predict")
        for part in ("mean", "std")
    ]
    pd.testing.assert_frame_equal(one.drop(columns=timed), two.drop(columns=timed))


@pytest.mark.slow  # each process imports torch
def test_two_processes_give_the_numbers_of_one(comparison, people):
    classifiers = {"logistic": LOGISTIC}
    table = compare(classifiers, people, n_jobs=2).table
    expected = comparison.table.loc[["logistic"]]
    timed = [
        f"{each}_seconds_{part}"
        for each in ("fit", "predict")
        for part in ("mean", "std")
    ]
    pd.testing.assert_frame_equal(
        table.drop(columns=timed), expected.drop(columns=timed)
    )


def test_classifiers_are_copied(people):
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


def test_several_sensitive_columns_are_crossed(people):
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
def test_x_comes_in_any_container(container, comparison, people):
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


def test_a_splitter_gets_the_cells_and_decides(people):
    class Splitter(KFold):
        def split(self, X, y=None, groups=None):
            self.cells = np.unique(y)
            return super().split(X, y)

    splitter = Splitter(4)
    result = compare({"logistic": LOGISTIC}, people, cv=splitter)
    assert result.table.loc["logistic", "folds"] == 4
    assert splitter.cells.tolist() == [0, 1, 2, 3]


def test_progress_is_shown_when_asked_for(people, capsys):
    compare({"logistic": LOGISTIC}, people, verbose=1)
    assert "3/3" in capsys.readouterr().err
    compare({"logistic": LOGISTIC}, people)
    assert capsys.readouterr().err == ""


def test_every_constraint_has_a_difference():
    assert {
        name: constraint.metric for name, constraint in CONSTRAINTS.items()
    } == DIFFERENCE_OF
    assert set(DIFFERENCE_OF.values()) <= set(METRICS) & set(MEASURES)


def test_a_small_cell_is_warned_of(people):
    X, y, gender = people
    rows = np.flatnonzero(~((gender == "female") & (y == 1)))
    rows = np.append(rows, np.flatnonzero((gender == "female") & (y == 1))[:2])
    part = X.iloc[rows], y.iloc[rows], gender.iloc[rows]
    with pytest.warns(SkfairRunnerWarning) as told:
        compare({"logistic": LOGISTIC}, part)
    assert any("group 'female' has 2 with label 1" in str(w.message) for w in told)


def test_a_group_smaller_than_the_number_of_folds_is_refused(people):
    X, y, gender = people
    few = gender.where(np.arange(400) > 1, "other")
    with pytest.raises(
        ValueError, match=r"'other' has 2 of 400 samples, too few for c"
    ):
        compare({"logistic": LOGISTIC}, (X, y, few))


def test_a_single_fold_is_refused(people):
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
def test_what_is_no_classifier_is_refused(classifiers, error, match, people):
    with pytest.raises(error, match=match):
        compare(classifiers, people)


def test_labels_without_a_known_favourable_one_are_refused(people):
    X, y, gender = people
    named = np.where(y == 1, "hired", "declined")
    with pytest.raises(ValueError, match="compare_classifiers depends.*'hired' or"):
        compare({"logistic": LOGISTIC}, (X, named, gender))


def test_missing_groups_are_refused(people):
    X, y, gender = people
    with pytest.raises(ValueError, match="classifiers: the group is missing in 1 of"):
        compare({"logistic": LOGISTIC}, (X, y, gender.where(np.arange(400) > 0)))


def made(rows, per_fold):
    """Comparison with the given means, and folds."""
    table = pd.DataFrame(rows).T
    for name in MEASURES:
        given = table.get(f"{name}_mean", pd.Series(0.5, index=table.index))
        table[f"{name}_mean"] = given.fillna(0.5).astype(float)
        table[f"{name}_std"] = 0.01
    defaults = {
        "needs_groups_at_predict": False,
        "four_fifths": True,
        "randomised": False,
        "constant_folds": 0,
        "folds": 2,
        "error": "",
    }
    for name, default in defaults.items():
        given = table.get(name, pd.Series(default, index=table.index))
        table[name] = [default if pd.isna(value) else value for value in given]
    table = table.astype({"constant_folds": int, "folds": int})
    folds = pd.DataFrame(per_fold, columns=["method", "seed", "fold", "error", AIM])
    return Comparison(table, folds, ("a", "b"), 1)


AIM = "demographic_parity_difference"
FOLDS = [
    ("plain", 0, 0, "", 0.2),
    ("plain", 0, 1, "", 0.22),
    ("other", 0, 0, "", 0.05),
    ("other", 0, 1, "", 0.25),
]


def two(difference, accuracy, **more):
    """Comparison of a plain method with another one."""
    return made(
        {
            "plain": {f"{AIM}_mean": 0.21, "accuracy_mean": 0.86},
            "other": {f"{AIM}_mean": difference, "accuracy_mean": accuracy, **more},
        },
        FOLDS,
    )


def test_the_sentence_says_what_was_reduced_and_at_what_cost():
    assert two(0.05, 0.845).summary() == (
        "other on average reduced the demographic parity difference from 0.210 to "
        "0.050 (mean over 2 folds, lower in 1 of 2), at a cost of 1.5 points of "
        "accuracy (0.860 to 0.845). It needs no groups to predict."
    )


def test_a_reduction_in_every_fold_is_said_without_reserve():
    result = two(0.05, 0.845)
    result.per_fold.loc[3, AIM] = 0.06
    assert result.summary().startswith("other reduced the demographic")
    assert "lower in 2 of 2" in result.summary()


@pytest.mark.parametrize(
    ("difference", "accuracy", "expected"),
    [
        (0.05, 0.87, "while accuracy rose by 1.0 points (0.860 to 0.870)"),
        (0.05, 0.86, "with accuracy unchanged (0.860 to 0.860)"),
        (0.3, 0.85, "other did not reduce the demographic parity difference: it went"),
        (0.3, 0.85, "while accuracy fell by 1.0 points"),
        (0.211, 0.85, "left the demographic parity difference where it was, from"),
    ],
)
def test_the_sentence_says_what_happened_otherwise(difference, accuracy, expected):
    assert expected in two(difference, accuracy).summary()


def test_the_sentence_says_what_has_to_be_accepted_and_what_is_worse():
    text = two(
        0.05,
        0.85,
        needs_groups_at_predict=True,
        randomised=True,
        equalized_odds_difference_mean=0.6,
        average_precision_mean=0.4,
        balanced_accuracy_mean=0.6,
    ).summary()
    assert "It needs the group of everybody that it decides about." in text
    assert "It decides by lot: with another seed" in text
    assert text.endswith(
        "Worse than plain: average precision (0.500 to 0.400), equalized odds "
        "difference (0.500 to 0.600)."
    )


def test_the_sentence_says_where_decisions_became_constant():
    text = two(0.0, 0.7, constant_folds=2, selection_rate_mean=0.001).summary()
    assert (
        "other became constant in 2 of 2 folds: it gives more than 99.5 % the same "
        "decision (selection rate 0.001), so its differences say nothing there."
    ) in text


def test_a_constant_reference_is_said_first(comparison):
    assert comparison.summary(reference="nobody").startswith("nobody became constant")


def test_failures_are_in_the_sentence(people):
    assert compare({"logistic": LOGISTIC, "fails": Fails()}, people).summary() == (
        "fails failed: RuntimeError: no memory for 6 columns"
    )
    text = compare({"fails": Fails(), "logistic": LOGISTIC}, people).summary()
    assert text.startswith(
        "fails, which the other methods are compared with, failed: R"
    )


def test_a_method_by_itself_has_a_sentence(people):
    text = compare({"logistic": LOGISTIC}, people).summary()
    assert "no other method to compare it with" in text


def test_no_method_is_called_fair(comparison):
    for difference in DIFFERENCE_OF.values():
        assert "fair" not in comparison.summary(difference=difference)


def test_an_unknown_difference_is_refused(comparison):
    with pytest.raises(
        ValueError, match=r"no difference 'accuracy'; pass one of \['dem"
    ):
        comparison.summary(difference="accuracy")


def test_an_unknown_reference_is_refused(comparison):
    with pytest.raises(
        ValueError, match=r"no method 'net'.*\['logistic', 'thresholds'"
    ):
        comparison.summary(reference="net")


def test_a_file_holds_the_table(comparison, tmp_path):
    path = tmp_path / "table.csv"
    comparison.to_csv(path)
    read = pd.read_csv(path, index_col="method", keep_default_na=False)
    assert read.columns.tolist() == comparison.table.columns.tolist()
    assert_allclose(read["accuracy_mean"], comparison.table["accuracy_mean"], atol=1e-6)
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_markdown_has_a_row_for_each_method(comparison, people):
    head, rule, *rows = comparison.to_markdown().splitlines()
    assert head.startswith("| method | accuracy | balanced accuracy |")
    assert set(rule) == {"|", "-", " "}
    assert [row.split(" | ")[0] for row in rows] == [
        "| logistic",
        "| thresholds",
        "| nobody",
    ]
    assert rows[2].endswith("| no | no | 3 of 3 folds |")
    assert "error" not in head
    with_error = compare({"a|b": Fails()}, people).to_markdown()
    assert "| a\\|b |" in with_error and "no memory for 6 columns" in with_error


def test_the_representation_is_the_formatted_table(comparison):
    row = comparison.table.loc["logistic"]
    text = format_number(row["accuracy_mean"], row["accuracy_std"], "accuracy")
    assert text in repr(comparison)


@pytest.mark.parametrize(
    ("mean", "std", "measure", "expected"),
    [
        (0.8451, 0.0062, "accuracy", "0.845 ± .006"),
        (0.8451, np.nan, "accuracy", "0.845"),
        (12.34, 0.56, "fit_seconds", "12.3 ± 0.6"),
        (12.34, np.nan, "fit_seconds", "12.3"),
        (np.nan, np.nan, "abcc", "–"),
    ],
)
def test_numbers_read_alike(mean, std, measure, expected):
    assert format_number(mean, std, measure) == expected


def test_a_comparison_can_be_drawn(comparison):
    pytest.importorskip("matplotlib")
    display = comparison.plot(difference="equalized_odds_sum")
    assert display.ax_.get_xlabel() == "equalized odds sum (less is better)"
    assert display.points["constant"].tolist() == [False, False, True]


@pytest.mark.parametrize("constraint", list(CONSTRAINTS))
def test_the_standard_classifiers_share_net_and_preparation(constraint):
    classifiers = standard_classifiers(
        constraint,
        difference_bound=0.1,
        sensitive_columns="sex",
        pos_label="yes",
        max_iter=3,
        net_parameters={"lr": 0.01},
        oracle_parameters={"max_epochs": 2},
    )
    plain, runner, mixture, thresholds = (each[-1] for each in classifiers.values())
    assert (plain.constraint, runner.constraint) == (None, constraint)
    assert {mixture.constraint, thresholds.constraint} == {constraint}
    assert runner.difference_bound == mixture.difference_bound == 0.1
    exact = constraint == "equalized_odds"
    assert thresholds.difference_bound == (None if exact else 0.1)
    assert (mixture.max_iter, mixture.estimator.max_epochs) == (3, 2)
    nets = [plain, mixture.estimator, thresholds.estimator]
    assert [(net.constraint, net.lr) for net in nets] == [(None, 0.01)] * 3
    assert plain.max_epochs == "auto"


# Hardly trained.
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.ConstantClassifierWarning")
def test_the_standard_classifiers_compare_on_a_mixed_table():
    bunch = make_biased_classification(n_samples=240, random_state=0)
    quick = {"warmup_epochs": 1, "max_epochs": 1, "hidden_layer_sizes": (4,)}
    classifiers = standard_classifiers(
        sensitive_columns="gender", max_iter=1, net_parameters=quick
    )
    table = compare_classifiers(
        classifiers,
        bunch.data,
        bunch.target,
        sensitive_features=bunch.sensitive_features,
        cv=2,
        random_state=0,
    ).table
    assert table["error"].tolist() == [""] * 4
