"""The search as a whole: its front, its budget, what it sees, and going on."""

import pickle
import sys
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import uniform
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

from skfair_runner import RunnerFairClassifier
from skfair_runner.metrics import demographic_parity_difference
from skfair_runner.model_selection import (
    SensitiveColumns,
    TradeoffSearchCV,
    best_within_bound,
    fairness_scorer,
    knee_of_front,
    least_difference_near_best,
)
from skfair_runner.utils import (
    ConstantClassifierWarning,
    SensitiveFeaturesRequestMixin,
    SkfairRunnerWarning,
)

AIM = "demographic_parity_difference"


class Shifted(ClassifierMixin, BaseEstimator):
    """Selects above 0.5, group 1 from `shift` lower on; spoils a share of decisions.

    X holds the row, the group and the score that the label follows.
    """

    def __init__(self, shift=0.0, spoiled=0.0, steps=1):
        self.shift = shift
        self.spoiled = spoiled
        self.steps = steps

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        row, group, score = np.asarray(X, dtype=float).T
        chosen = score > 0.5 - self.shift * group
        # Of ten rows of a group, some are decided by the group alone.
        spoil = row // 2 % 10 < 10 * self.spoiled
        return np.where(spoil, group == 0, chosen).astype(int)


@pytest.fixture(scope="module")
def people():
    """Row numbers, groups and scores, of which those of group 1 are lower by 0.4."""
    rng = np.random.default_rng(0)
    n = 1000
    group = np.arange(n) % 2
    score = rng.uniform(0.1, 1, n) - 0.4 * group
    X = np.column_stack([np.arange(n), group, score])
    return X, (score > 0.5).astype(int), group


def search_for(estimator, space, **options):
    options = {"cv": 3, "random_state": 0, "n_bootstrap": 50, **options}
    return TradeoffSearchCV(estimator, space, **options)


SHIFTS = [0.0, 0.08, 0.16, 0.24, 0.32]
SPOILED = [0.0, 0.1, 0.3]
SPACE = {"shift": SHIFTS, "spoiled": SPOILED}


def fit(people, estimator=None, space=SPACE, **options):
    X, y, groups = people
    search = search_for(estimator or Shifted(), space, **options)
    return search.fit(X, y, sensitive_features=groups)


@pytest.fixture(scope="module")
def found(people):
    return fit(people, n_candidates=15)


def test_the_front_is_the_known_one(people):
    """Nothing spoiled, and every shift, since a larger one costs and levels."""
    search = fit(people, n_candidates=15, min_resources=20, max_resources=20)
    front = search.front_
    assert front["param_shift"].tolist() == SHIFTS[::-1]
    assert (front["param_spoiled"] == 0).all()
    assert all(one < two for one, two in pairwise(front[f"{AIM}_mean"]))
    assert all(one < two for one, two in pairwise(front["accuracy_mean"]))
    assert front.loc[front["param_shift"] == 0, "accuracy_mean"].item() == 1


def test_halving_keeps_the_front(found):
    assert found.n_candidates_ == [15, 5]
    assert set(found.trials_.query("iter == 1")["param_shift"]) == set(SHIFTS)
    assert found.front_["param_spoiled"].eq(0).all()


def test_halving_spends_less_than_the_grid(people):
    X, y, groups = people
    space = {"shift": uniform(0, 0.3), "spoiled": uniform(0, 0.5)}
    search = search_for(Shifted(), space, resource="steps", max_resources=90)
    search.fit(X, y, sensitive_features=groups)
    assert search.n_candidates_ == [45, 15, 5]
    assert search.n_resources_ == [10, 30, 90]
    spent = np.dot(search.n_candidates_, search.n_resources_)
    assert spent == 15 * 90 < 45 * 90
    used = [params["steps"] for params in search.cv_results_["params"]]
    assert used == search.cv_results_["n_resources"].tolist()
    assert search.best_params_["steps"] == search.best_estimator_.steps == 90


def test_results_have_the_form_of_scikit_learns(found):
    results = found.cv_results_
    assert {len(values) for values in results.values()} == {20}
    folds = [results[f"split{k}_test_accuracy"] for k in range(found.n_splits_)]
    np.testing.assert_allclose(results["mean_test_accuracy"], np.mean(folds, axis=0))
    np.testing.assert_allclose(results["std_test_accuracy"], np.std(folds, axis=0))
    assert (results[f"mean_test_{AIM}"] <= 0).all()
    assert results["rank_test_accuracy"].min() == 1
    for row, params in enumerate(results["params"]):
        assert results["param_shift"][row] == params["shift"]
    assert found.best_params_ == results["params"][found.best_index_]
    assert found.n_iterations_ == 2 and found.refit_time_ > 0
    pd.DataFrame(results)


def test_a_fold_is_what_a_direct_fit_says(people):
    X, y, groups = people
    cv = ShuffleSplit(2, random_state=0)
    search = search_for(
        LogisticRegression(), {"C": [0.1]}, cv=cv, test_size=None, n_candidates=1
    )
    search.fit(X[:, 1:], y, sensitive_features=groups)
    for fold, (train, test) in enumerate(cv.split(X)):
        clf = LogisticRegression(C=0.1).fit(X[train, 1:], y[train])
        y_pred = clf.predict(X[test, 1:])
        expected = demographic_parity_difference(
            y[test], y_pred, sensitive_features=groups[test]
        )
        results = search.cv_results_
        assert -results[f"split{fold}_test_{AIM}"][0] == pytest.approx(expected)
        accuracy = (y_pred == y[test]).mean()
        assert results[f"split{fold}_test_accuracy"][0] == pytest.approx(accuracy)
    assert search.report_ is None and len(search.report_indices_) == 0


class Recording(Shifted):
    """Keeps the rows of every call."""

    calls = []

    def fit(self, X, y):
        self.calls.append(("fit", X[:, 0].astype(int)))
        return super().fit(X, y)

    def predict(self, X):
        self.calls.append(("predict", X[:, 0].astype(int)))
        return super().predict(X)


@pytest.mark.parametrize("sampler", ["random", "optuna"])
def test_rows_set_aside_are_seen_by_no_fit_and_no_choice(people, sampler):
    if sampler == "optuna":
        pytest.importorskip("optuna", reason="needs the extra optuna")
    Recording.calls.clear()
    chosen_after = []

    def rule(results):
        chosen_after.append(len(Recording.calls))
        return 0

    search = fit(people, Recording(), refit=rule, n_candidates=15, sampler=sampler)
    aside = set(search.report_indices_)
    assert len(aside) == 200
    names = [name for name, _ in Recording.calls]
    last_fit = len(names) - 1 - names[::-1].index("fit")
    assert chosen_after[0] == last_fit
    for _, rows in Recording.calls[: last_fit + 1]:
        assert not aside & set(rows)
    # The last fit takes all others; thereafter there are only those.
    assert set(Recording.calls[last_fit][1]) == set(range(1000)) - aside
    assert all(set(rows) <= aside for _, rows in Recording.calls[last_fit + 1 :])


def test_fewer_rows_are_trained_on_and_all_are_tested_on(people):
    Recording.calls.clear()
    search = fit(people, Recording(), n_candidates=15)
    n_first, n_last = search.n_resources_
    sizes = [(name, len(rows)) for name, rows in Recording.calls]
    # The smallest fold trains on 533 rows; the last fit takes all 800.
    assert (n_first, n_last) == (177, 533)
    assert {size for name, size in sizes if name == "fit"} == {177, 533, 800}
    tested = {size for name, size in sizes if name == "predict"}
    assert tested <= {200, 266, 267}
    _, rows = Recording.calls[0]
    # Both groups in their shares, also among few.
    assert abs((rows % 2).mean() - 0.5) < 0.02


def test_the_report_is_about_the_rows_set_aside(people, found):
    X, y, groups = people
    rows = found.report_indices_
    y_pred = found.predict(X[rows])
    expected = demographic_parity_difference(
        y[rows], y_pred, sensitive_features=groups[rows]
    )
    report = found.report_
    assert report.loc[AIM, "value"] == pytest.approx(expected)
    assert report.loc["accuracy", "value"] == (y_pred == y[rows]).mean()
    assert (report["low"] <= report["value"]).all()
    assert (report["value"] <= report["high"]).all()
    best = found.trials_.loc[found.best_index_]
    assert report.loc[AIM, "validation"] == best[f"{AIM}_mean"]
    assert report.loc["accuracy", "validation"] == best["accuracy_mean"]


def same(one, other):
    """Whether two searches came to the same, times aside."""
    results, others = one.cv_results_, other.cv_results_
    assert results.keys() == others.keys()
    for name, values in results.items():
        if not name.endswith("_time"):
            assert_array_equal(np.asarray(values), np.asarray(others[name]), name)
    assert one.best_index_ == other.best_index_
    pd.testing.assert_frame_equal(one.report_, other.report_)


@pytest.mark.parametrize("sampler", ["random", "optuna"])
def test_results_do_not_depend_on_the_number_of_jobs(people, sampler):
    X, y, groups = people
    space = {"C": uniform(0.001, 1)}
    if sampler == "optuna":
        pytest.importorskip("optuna", reason="needs the extra optuna")
    one, two = (
        search_for(
            LogisticRegression(), space, n_candidates=7, sampler=sampler, n_jobs=n_jobs
        ).fit(X[:, 1:], y, sensitive_features=groups)
        for n_jobs in (1, 2)
    )
    same(one, two)


class Stopping(Shifted):
    """Is interrupted at a fit."""

    left = 1000
    fits = 0

    def fit(self, X, y):
        if Stopping.left == 0:
            raise KeyboardInterrupt
        Stopping.left -= 1
        Stopping.fits += 1
        return super().fit(X, y)


@pytest.mark.parametrize("sampler", ["random", "optuna"])
@pytest.mark.parametrize("done", [4, 32])
def test_a_search_goes_on_where_it_was_interrupted(people, tmp_path, done, sampler):
    if sampler == "optuna":
        pytest.importorskip("optuna", reason="needs the extra optuna")
    options = {"n_candidates": 15, "sampler": sampler}
    Stopping.left = 1000
    whole = fit(people, Stopping(), **options)
    path = tmp_path / "search"
    X, y, groups = people
    search = search_for(Stopping(), SPACE, results=path, **options)
    Stopping.left, Stopping.fits = done, 0
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y, sensitive_features=groups)
    assert not hasattr(search, "cv_results_")
    Stopping.left = 1000
    search.fit(X, y, sensitive_features=groups)
    same(search, whole)
    # Nothing but the last fit is done again.
    assert Stopping.fits == sum(whole.n_candidates_) * 3 + 1
    Stopping.fits = 0
    search.fit(X, y, sensitive_features=groups)
    assert Stopping.fits == 1


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"utility": "balanced_accuracy"}, "different: utility and difference"),
        ({"difference": "equalized_odds_difference"}, "utility and difference"),
        ({"cv": 4}, "different: folds"),
        ({"random_state": 1}, "different: X, y, sensitive_features, folds"),
    ],
)
def test_the_file_of_another_search_is_refused(people, tmp_path, changed, match):
    path = tmp_path / "search"
    fit(people, n_candidates=2, results=path)
    with pytest.raises(ValueError, match=f"TradeoffSearchCV: .*{match}"):
        fit(people, n_candidates=2, results=path, **changed)


def test_changed_settings_of_the_estimator_run_again(people, tmp_path):
    path = tmp_path / "search"
    Stopping.left, Stopping.fits = 1000, 0
    fit(people, Stopping(steps=1), results=path, n_candidates=2)
    assert Stopping.fits == 2 * 3 + 1
    fit(people, Stopping(steps=2), results=path, n_candidates=2)
    assert Stopping.fits == 2 * (2 * 3 + 1)


def test_a_file_needs_a_seed(people, tmp_path):
    path = tmp_path / "search"
    with pytest.raises(ValueError, match="random_state is None: pass an integer"):
        fit(people, results=path, random_state=None)


class Secret:
    """Can be copied, but not looked into."""

    def __deepcopy__(self, memo):
        return self

    def __reduce_ex__(self, protocol):
        raise TypeError("a secret")


def test_settings_that_cannot_be_compared_are_refused(people, tmp_path):
    with pytest.raises(TypeError, match=r"TradeoffSearchCV: `results` .*\(a secret\)"):
        fit(
            people,
            Shifted(steps=Secret()),
            results=tmp_path / "search",
        )


class Failing(Shifted):
    """Fails where its shift is large."""

    def fit(self, X, y):
        if self.shift > 0.2:
            raise RuntimeError(f"shift {self.shift}")
        return super().fit(X, y)


def test_failed_candidates_go_no_further(people):
    with pytest.warns(FitFailedWarning, match="18 of 60 fits failed.*shift 0.24"):
        search = fit(people, Failing(), n_candidates=15, test_size=None)
    assert search.front_["param_shift"].max() == 0.16
    assert np.isnan(search.cv_results_["mean_test_accuracy"]).sum() == 6
    with pytest.raises(RuntimeError, match=r"shift 0\.\d"):
        fit(people, Failing(), n_candidates=15, error_score="raise")


def test_a_search_in_which_all_fails_says_why(people):
    with pytest.raises(ValueError, match="all 3 fits .* RuntimeError: shift 0.3"):
        fit(people, Failing(), {"shift": [0.3]}, n_candidates=1)


def test_constant_candidates_are_marked_and_not_chosen(people):
    space = {"constant": [0, None]}
    search = fit(people, Sometimes(), space, n_candidates=2)
    constant = search.trials_["constant"]
    assert search.trials_.loc[constant, f"{AIM}_mean"].tolist() == [0.0]
    assert search.best_params_ == {"constant": None}
    assert not search.front_["constant"].any()


class Sometimes(DummyClassifier):
    """Selects above 0.5, or nobody."""

    def __init__(self, constant=None):
        super().__init__(strategy="most_frequent")
        self.constant = constant

    def predict(self, X):
        if self.constant is not None:
            return np.full(len(X), self.constant)
        return (X[:, 2] > 0.5).astype(int)


def test_where_all_are_constant_that_is_told(people):
    with pytest.warns(ConstantClassifierWarning, match="All 1 candidates"):
        search = fit(
            people, Sometimes(), {"constant": [0]}, n_candidates=1, test_size=None
        )
    assert search.front_.empty and search.best_index_ == 0


@pytest.mark.parametrize(
    ("refit", "rule"),
    [
        (0.25, best_within_bound(0.25)),
        ("knee", knee_of_front()),
        (least_difference_near_best(2), least_difference_near_best(2)),
    ],
)
def test_the_pick_follows_the_rule_among_the_last(people, refit, rule):
    search = fit(people, n_candidates=15, refit=refit)
    last = search.trials_.query("iter == 1 and not constant").index
    part = {
        name: np.asarray(values)[last] for name, values in search.cv_results_.items()
    }
    assert search.best_index_ == last[rule(part)]


def test_a_constant_pick_is_told_by_its_report(people):
    with pytest.warns(ConstantClassifierWarning) as told:
        fit(people, Sometimes(), {"constant": [0]}, n_candidates=1)
    assert any("Nearly all of the 200 rows" in str(each.message) for each in told)


def test_another_utility_and_a_metric_of_ones_own(people):
    def difference(y_true, y_pred, *, sensitive_features):
        return abs(np.ptp([y_pred[sensitive_features == g].mean() for g in (0, 1)]))

    def utility(estimator, X, y):
        return 2 * (estimator.predict(X) == y).mean()

    search = fit(people, utility=utility, difference=difference, n_candidates=5)
    assert search.report_.index.tolist() == ["utility", "difference"]
    X, y, _ = people
    assert search.score(X, y) == utility(search, X, y)
    named = fit(people, n_candidates=5)
    results = named.cv_results_
    np.testing.assert_allclose(
        search.cv_results_["mean_test_difference"], results[f"mean_test_{AIM}"]
    )


def test_areas_compare_probabilities(people):
    X, y, groups = people
    search = search_for(
        LogisticRegression(),
        {"C": [0.01, 1]},
        difference="area_between_cdfs",
        utility="roc_auc",
        n_candidates=2,
        n_bootstrap=20,
    ).fit(X[:, 1:], y, sensitive_features=groups)
    assert search.report_.index.tolist() == ["roc_auc", "area_between_cdfs"]
    assert search.report_.notna().all(axis=None)
    assert search.predict_proba(X[:, 1:]).shape == (1000, 2)
    assert search.decision_function(X[:, 1:]).shape == (1000,)


REFUSED = [
    ({"utility": "exactness"}, ValueError, "utility='exactness' is no scorer"),
    (
        {"difference": "demographic_parity_ratio"},
        ValueError,
        "of 'demographic_parity_ratio' more is better",
    ),
    ({"difference": "parity"}, ValueError, "Unknown metric 'parity'"),
    ({"resource": "epochs"}, ValueError, "which has no 'epochs'"),
    ({"min_resources": 600}, ValueError, "min_resources=600 is above .* 53[0-9]"),
    ({"max_resources": 700}, ValueError, "max_resources=700 rows"),
    ({"refit": lambda results: None}, TypeError, "refit returned None"),
    ({"refit": lambda results: 99}, ValueError, "refit returned 99, .* given 2"),
    ({"refit": "best"}, ValueError, "'refit' parameter .* Got 'best'"),
    ({"cv": [([0], [1])]}, ValueError, "test_size=0.2 sets some of the rows aside"),
    ({"sampler": "grid"}, ValueError, "'sampler' parameter .* Got 'grid'"),
]


@pytest.mark.parametrize(("options", "error", "match"), REFUSED)
def test_what_cannot_be_searched_is_refused(people, options, error, match):
    with pytest.raises(error, match=match):
        fit(people, **{"n_candidates": 2, **options})


def test_groups_are_required(people):
    X, y, _ = people
    with pytest.raises(ValueError, match="TradeoffSearchCV compares groups, so"):
        search_for(Shifted(), SPACE).fit(X, y)


def test_a_regressor_is_refused(people):
    with pytest.raises(TypeError, match=r"must be a classifier, got LinearRegression"):
        fit(people, LinearRegression(), {"fit_intercept": [True]})


def test_groups_needed_to_predict_are_refused(people):
    class ByGroup(Shifted):
        needs_groups_at_predict = True

    with pytest.raises(ValueError, match=r"ByGroup\(\) needs groups to predict"):
        fit(people, ByGroup())


def test_without_optuna_the_extra_is_named(people, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"pip install skfair-runner\[optuna\]"):
        fit(people, sampler="optuna")


class Grouped(SensitiveFeaturesRequestMixin, Shifted):
    """Insists on groups, one per row, and takes weights."""

    def fit(self, X, y, *, sensitive_features, sample_weight=None):
        assert len(sensitive_features) == len(X)
        assert_array_equal(np.asarray(sensitive_features), X[:, 1])
        if sample_weight is not None:
            assert_array_equal(sample_weight, X[:, 0])
        return super().fit(X, y)


@pytest.fixture(params=[False, True], ids=["routing off", "routing on"])
def routing(request):
    with config_context(enable_metadata_routing=request.param):
        yield request.param


def test_groups_reach_the_estimator(people, routing):
    fit(people, Grouped(), n_candidates=2)
    pipe = Pipeline([("pass", "passthrough"), ("clf", Grouped())])
    fit(people, pipe, {"clf__shift": SHIFTS}, n_candidates=2)


def test_weights_reach_the_estimator(people, routing):
    X, y, groups = people
    clf = Grouped()
    if routing:
        clf.set_fit_request(sample_weight=True)
    search = search_for(clf, SPACE, n_candidates=2)
    search.fit(X, y, sensitive_features=groups, sample_weight=X[:, 0])


def test_groups_for_one_step_are_refused(people):
    X, y, groups = people
    search = search_for(make_pipeline(Grouped()), {"grouped__shift": SHIFTS})
    with pytest.raises(TypeError, match="not 'grouped__sensitive_features'"):
        search.fit(X, y, grouped__sensitive_features=groups)


@pytest.fixture(scope="module")
def table(people):
    X, y, groups = people
    names = np.array(["F", "M"])[groups]
    index = np.random.default_rng(0).permutation(len(X))
    X = pd.DataFrame(X, columns=["row", "group", "score"], index=index)
    return X.assign(sex=names), pd.Series(y, index=index)


def test_groups_are_read_from_columns_of_x(table, routing):
    X, y = table
    inner = SensitiveColumns(LogisticRegression(), "sex")
    search = search_for(inner, {"estimator__C": [0.1, 1]}, n_candidates=2).fit(X, y)
    scorer = fairness_scorer(AIM, sensitive_features="sex")
    rows = search.report_indices_
    value = -scorer(search, X.iloc[rows], y.iloc[rows])
    assert search.report_.loc[AIM, "value"] == pytest.approx(value)
    with pytest.raises(ValueError, match="the columns 'sex' of X, so `sensitive_feat"):
        search.fit(X, y, sensitive_features=X["sex"])


def test_sensitive_columns_around_a_search(people, table, routing):
    X, y = table
    inner = search_for(
        LogisticRegression(), {"C": [0.1, 1]}, n_candidates=2, test_size=0.3
    )
    outer = SensitiveColumns(inner, "sex").fit(X, y)
    expected = clone(inner).fit(X.drop(columns="sex"), y, sensitive_features=X["sex"])
    same(outer.estimator_, expected)
    assert outer.predict(X.drop(columns="sex")).shape == (1000,)


def test_a_search_in_a_pipeline(people, routing):
    X, y, groups = people
    inner = search_for(LogisticRegression(), {"C": [0.1, 1]}, n_candidates=2)
    pipe = Pipeline([("scale", StandardScaler()), ("search", inner)])
    told = {"sensitive_features" if routing else "search__sensitive_features": groups}
    pipe.fit(X, y, **told)
    assert pipe.predict(X).shape == (1000,)


@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
def test_a_net_is_searched_by_epochs(people):
    X, y, groups = people
    clf = RunnerFairClassifier(
        warmup_epochs=1, hidden_layer_sizes=(4,), batch_size=100, random_state=0
    )
    search = search_for(
        clf,
        {"alpha": uniform(0, 1), "difference_bound": [0.02, 0.2]},
        resource="max_epochs",
        max_resources=3,
        n_candidates=6,
        factor=2,
        cv=2,
    ).fit(X[:, 1:], y, sensitive_features=groups)
    # Half of six would be fewer than five.
    assert search.n_resources_ == [3]
    assert search.best_estimator_.max_epochs == 3


def test_warnings_are_told_once_with_their_number(people):
    class Warning_(Shifted):
        def fit(self, X, y):
            warnings.warn("tired", SkfairRunnerWarning, stacklevel=1)
            return super().fit(X, y)

    with pytest.warns(SkfairRunnerWarning) as told:
        fit(people, Warning_(), n_candidates=2)
    texts = [str(each.message) for each in told]
    assert texts.count("TradeoffSearchCV (6 fits of 6): tired") == 1
    assert texts.count("tired") == 1  # of the last fit, on all rows


def test_every_warning_names_the_line_that_called_fit(people):
    class Warning_(Sometimes):
        def fit(self, X, y):
            warnings.warn("tired", SkfairRunnerWarning, stacklevel=1)
            return super().fit(X, y)

    X, y, groups = people
    search = search_for(Warning_(), {"constant": [0]}, n_candidates=1)
    with pytest.warns(SkfairRunnerWarning) as told:
        line = sys._getframe().f_lineno + 1
        search.fit(X, y, sensitive_features=groups)
    assert {(each.filename, each.lineno) for each in told} == {(__file__, line)}
    texts = " ".join(str(each.message) for each in told)
    for words in (
        "(3 fits of 3): tired",
        "candidates with all",
        "rows that were set aside",
    ):
        assert words in texts


def test_what_the_last_fit_warns_of_can_be_an_error(people):
    class Warning_(Shifted):
        def fit(self, X, y):
            if len(X) > 600:
                warnings.warn(f"tired of {len(X)}", SkfairRunnerWarning, stacklevel=1)
            return super().fit(X, y)

    with pytest.raises(SkfairRunnerWarning, match="tired of 800"):
        fit(people, Warning_(), n_candidates=2)


def test_it_is_cloned_pickled_and_unfitted_before(people, found):
    X, _, _ = people
    again = pickle.loads(pickle.dumps(found))
    assert_array_equal(again.predict(X), found.predict(X))
    fresh = clone(found)
    assert fresh.get_params()["n_candidates"] == 15
    assert fresh.set_params(estimator__shift=0.1).estimator.shift == 0.1
    with pytest.raises(NotFittedError):
        check_is_fitted(fresh)
    with pytest.raises(NotFittedError):
        fresh.predict(X)
    assert not hasattr(fresh, "n_features_in_")
    assert not hasattr(found, "predict_proba")
    assert found.n_features_in_ == 3 and found.classes_.tolist() == [0, 1]


def test_a_failing_fit_leaves_the_search_as_it_was(people):
    X, y, groups = people
    search = fit(people, n_candidates=2)
    before = dict(vars(search))
    search.refit = lambda results: 99
    with pytest.raises(ValueError, match="refit returned 99"):
        search.fit(X, y, sensitive_features=groups)
    search.refit = "knee"
    assert vars(search) == before


class GroupedByX(TradeoffSearchCV):
    """Finds groups and the favourable label, so that scikit-learn's checks can run."""

    def fit(self, X, y):
        labels = np.unique(np.asarray(y)) if y is not None else [0, 1]
        groups = np.arange(len(np.asarray(X if y is None else y))) // 2 % 2
        self.pos_label = labels[-1] if len(labels) == 2 else None
        try:
            return super().fit(X, y, sensitive_features=groups)
        finally:
            self.pos_label = None


@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_checks():
    search = GroupedByX(
        LogisticRegression(),
        {"C": [0.1, 1.0]},
        n_candidates=2,
        cv=2,
        test_size=None,
        error_score="raise",
        random_state=0,
    )
    results = check_estimator(search, on_fail=None)
    failed = {
        r["check_name"]: r["exception"] for r in results if r["status"] == "failed"
    }
    assert failed == {}


def test_the_figure_shows_the_search(found):
    display = found.plot()
    assert display.ax_.get_xlabel().startswith("demographic parity difference")
    from matplotlib import pyplot

    pyplot.close(display.figure_)
