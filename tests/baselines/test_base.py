"""What the baselines do alike: reading, seeds, routing, the scikit-learn contract."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import (
    CorrelationRemoverClassifier,
    ExponentiatedGradientClassifier,
    FairSMOTEClassifier,
    GridSearchReductionClassifier,
    OversamplingClassifier,
    PrototypeRepresentationClassifier,
    RejectOptionClassifier,
    ReweighingClassifier,
    ThresholdOptimizerClassifier,
    UnmitigatedClassifier,
    _base,
)
from skfair_runner.baselines._base import seeded
from skfair_runner.model_selection import SensitiveColumns


def mixture(estimator=None, **parameters):
    """ExponentiatedGradient that is quick, and stays a mixture."""
    estimator = LogisticRegression() if estimator is None else estimator
    return ExponentiatedGradientClassifier(
        estimator, max_iter=3, random_state=0, **parameters
    )


def makes(method, **quick):
    """Function that makes a method around a quick estimator."""

    def make(estimator=None, **parameters):
        estimator = LogisticRegression() if estimator is None else estimator
        return method(estimator, random_state=0, **quick, **parameters)

    make.__name__ = method.__name__
    return make


thresholds = makes(ThresholdOptimizerClassifier)
rejects = makes(RejectOptionClassifier)
plain = makes(UnmitigatedClassifier)
OF_THE_DATA = [
    makes(method)
    for method in (OversamplingClassifier, ReweighingClassifier, FairSMOTEClassifier)
]

grid = makes(GridSearchReductionClassifier, grid_size=8)
remover = makes(CorrelationRemoverClassifier)
prototypes = makes(PrototypeRepresentationClassifier, max_iter=3)

GROUPED = [mixture, grid, thresholds, rejects, remover, prototypes, *OF_THE_DATA]
ALL = pytest.mark.parametrize("make", [*GROUPED, plain])
WITH_GROUPS = pytest.mark.parametrize("make", GROUPED)
OF_TWO_LABELS = pytest.mark.parametrize(
    "make", [mixture, grid, thresholds, rejects, prototypes]
)
OF_MORE_LABELS = pytest.mark.parametrize("make", [plain, remover, *OF_THE_DATA])
# Whose favourable label matters for rate parities alone.
BOTH = pytest.mark.parametrize("make", [mixture, grid, thresholds])
WITHOUT_GROUPS_LATER = pytest.mark.parametrize(
    "make", [mixture, grid, prototypes, plain, *OF_THE_DATA]
)


def predict(clf, X, groups, method="predict"):
    """Call a method, with groups where the classifier needs them."""
    last = clf[-1] if hasattr(clf, "steps") else clf
    keywords = {"sensitive_features": groups} if last.needs_groups_at_predict else {}
    return getattr(clf, method)(X, **keywords)


def alternating(X, y=None):
    """Two groups in turns, within each label where there are labels."""
    n_samples = X.shape[0] if hasattr(X, "shape") else np.asarray(X).shape[0]
    y = np.zeros(n_samples) if y is None else np.asarray(y).ravel()
    groups = np.arange(n_samples) % 2
    if y.shape == (n_samples,):
        for label in pd.unique(y):
            rows = np.flatnonzero(y == label)
            groups[rows] = np.arange(len(rows)) % 2
    return groups


def by_value(X):
    """Two groups told by the values of each row alone."""
    X = X.toarray() if sparse.issparse(X) else np.asarray(X)
    if X.ndim != 2 or X.dtype.kind not in "fiu":
        return np.arange(len(X)) % 2
    return np.floor(7 * np.nan_to_num(X, posinf=0).sum(axis=1)).astype(np.int64) % 2


class MixtureOfDerivedGroups(ExponentiatedGradientClassifier):
    """Alternates between two groups, so that scikit-learn can check it."""

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X))


class GridOfDerivedGroups(GridSearchReductionClassifier):
    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X))


class PrototypesOfDerivedGroups(PrototypeRepresentationClassifier):
    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X))


class RemovesDerivedGroups(CorrelationRemoverClassifier):
    """Groups by the values of a row, for its decisions are checked one by one, too."""

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=by_value(X))

    def predict(self, X):
        return super().predict(X, sensitive_features=by_value(X))

    def predict_proba(self, X):
        return super().predict_proba(X, sensitive_features=by_value(X))

    score = ClassifierMixin.score


class ThresholdsOfDerivedGroups(ThresholdOptimizerClassifier):
    """Alternates between two groups; in `fit` among the samples of each label."""

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X, y))

    def predict(self, X):
        return super().predict(X, sensitive_features=alternating(X))

    def predict_proba(self, X):
        return super().predict_proba(X, sensitive_features=alternating(X))

    score = ClassifierMixin.score


class RejectsByDerivedGroups(RejectOptionClassifier):
    """Groups by the values of a row, for its decisions are checked one by one, too."""

    # The labels of the checks do not say which one is favourable: the larger.
    _needs_the_favourable_label = False

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=by_value(X))

    def predict(self, X):
        return super().predict(X, sensitive_features=by_value(X))

    def predict_proba(self, X):
        return super().predict_proba(X, sensitive_features=by_value(X))

    score = ClassifierMixin.score


class OversamplesDerivedGroups(OversamplingClassifier):
    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X, y))


class WeighsDerivedGroups(ReweighingClassifier):
    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X, y))


class SmotesDerivedGroups(FairSMOTEClassifier):
    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X, y))


# From check_estimator itself, where it casts infinite values.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
@pytest.mark.parametrize(
    ("estimator", "expected_failures"),
    [
        (MixtureOfDerivedGroups(LogisticRegression(), max_iter=1), {}),
        (GridOfDerivedGroups(LogisticRegression(), grid_size=3), {}),
        (PrototypesOfDerivedGroups(LogisticRegression(), max_iter=1), {}),
        (RemovesDerivedGroups(LogisticRegression()), {}),
        (ThresholdsOfDerivedGroups(LogisticRegression()), {}),
        (RejectsByDerivedGroups(LogisticRegression()), {}),
        (UnmitigatedClassifier(LogisticRegression()), {}),
        (OversamplesDerivedGroups(LogisticRegression()), {}),
        (WeighsDerivedGroups(LogisticRegression()), {}),
        (
            SmotesDerivedGroups(LogisticRegression()),
            {
                "check_dtype_object": "asks for a TypeError in words of its own, where "
                "the value that is neither number nor category is named"
            },
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_common_checks_of_scikit_learn_pass(estimator, expected_failures):
    results = check_estimator(estimator, on_fail=None)
    failed = {
        r["check_name"]: r["exception"] for r in results if r["status"] == "failed"
    }
    # Strict: a check that is expected to fail and passes is a failure, too.
    assert failed.keys() == expected_failures.keys(), failed


@ALL
def test_labels_and_groups_may_be_strings(make, people):
    X, y, gender = people
    clf = make(pos_label="hired").fit(X, y, sensitive_features=gender)

    assert clf.classes_.tolist() == ["declined", "hired"]
    assert clf.groups_ == ["female", "male"]
    assert set(predict(clf, X, gender)) == {"declined", "hired"}
    proba = predict(clf, X, gender, "predict_proba")
    assert proba.shape == (300, 2) and proba.dtype == np.float64
    assert_allclose(proba.sum(axis=1), 1)


@ALL
def test_decisions_are_those_on_labels_zero_and_one(make, people):
    X, y, gender = people
    named = make(pos_label="hired").fit(X, y, sensitive_features=gender)
    coded = make().fit(X, (y == "hired").astype(int), sensitive_features=gender)
    expected = np.where(predict(coded, X, gender) == 1, "hired", "declined")
    assert_array_equal(predict(named, X, gender), expected)


@BOTH
def test_the_smaller_label_may_be_the_favourable_one(make, people):
    X, y, gender = people
    clf = make(constraint="true_positive_rate_parity", pos_label="declined")
    clf.fit(X, y, sensitive_features=gender)
    coded = make(constraint="true_positive_rate_parity")
    coded.fit(X, (y == "declined").astype(int), sensitive_features=gender)

    expected = np.where(predict(coded, X, gender) == 1, "declined", "hired")
    assert_array_equal(predict(clf, X, gender), expected)
    proba = predict(clf, X, gender, "predict_proba")
    assert_allclose(proba[:, ::-1], predict(coded, X, gender, "predict_proba"))


@ALL
def test_the_same_seed_gives_the_same_decisions(make, people):
    X, y, gender = people
    one = make(pos_label="hired").fit(X, y, sensitive_features=gender)
    two = make(pos_label="hired").fit(X, y, sensitive_features=gender)
    decisions = predict(one, X, gender)
    assert_array_equal(decisions, predict(one, X, gender))
    assert_array_equal(decisions, predict(two, X, gender))


@ALL
def test_without_a_seed_a_fitted_classifier_repeats_its_decisions(make, people):
    X, y, gender = people
    clf = make(pos_label="hired").set_params(random_state=None)
    clf.fit(X, y, sensitive_features=gender)
    assert_array_equal(predict(clf, X, gender), predict(clf, X, gender))


@ALL
def test_a_pickled_classifier_decides_alike(make, people):
    X, y, gender = people
    clf = make(pos_label="hired").fit(X, y, sensitive_features=gender)
    copy = pickle.loads(pickle.dumps(clf))
    assert_array_equal(predict(copy, X, gender), predict(clf, X, gender))


@ALL
@pytest.mark.parametrize("container", [sparse.csr_matrix, np.asarray, list])
def test_x_comes_in_any_container(make, container, people):
    X, y, gender = people
    other = X.to_numpy().tolist() if container is list else container(X.to_numpy())
    expected = make(pos_label="hired").fit(
        X.to_numpy(), y, sensitive_features=gender.to_numpy()
    )
    clf = make(pos_label="hired").fit(
        other, y.to_list(), sensitive_features=gender.to_list()
    )
    assert_array_equal(
        predict(clf, other, gender.to_list()),
        predict(expected, X.to_numpy(), gender.to_numpy()),
    )


@WITH_GROUPS
# A single theta does not always hold four groups together.
@pytest.mark.filterwarnings(
    "ignore:RejectOptionClassifier:skfair_runner.utils.SkfairRunnerWarning"
)
def test_several_sensitive_columns_are_crossed(make, people):
    X, y, gender = people
    table = pd.DataFrame({"gender": gender, "tall": X["height"] > 0})
    clf = make(pos_label="hired").fit(X, y, sensitive_features=table)
    assert clf.groups_ == [
        ("female", False),
        ("female", True),
        ("male", False),
        ("male", True),
    ]
    assert len(predict(clf, X, table)) == 300


@ALL
def test_pipelines_hand_the_groups_on(make, people, routing):
    X, y, gender = people
    clf = make_pipeline(StandardScaler(), make(pos_label="hired"))
    prefix = "" if routing else f"{clf.steps[-1][0]}__"
    clf.fit(X, y, **{f"{prefix}sensitive_features": gender})
    assert len(predict(clf, X, gender)) == 300


@ALL
def test_searches_read_the_groups_from_columns(make, people, routing):
    X, y, gender = people
    table = X.assign(gender=gender)
    clf = SensitiveColumns(
        make_pipeline(StandardScaler(), make(pos_label="hired")), "gender"
    )
    step = clf.estimator.steps[-1][0]
    search = GridSearchCV(
        clf,
        {f"estimator__{step}__estimator__C": [0.1, 1.0]},
        cv=2,
        error_score="raise",
    )
    search.fit(table, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(search.predict(table)) == 300


@WITHOUT_GROUPS_LATER
def test_a_search_hands_the_groups_to_fit(make, people, routing):
    X, y, gender = people
    search = GridSearchCV(make(), {"estimator__C": [1.0]}, cv=2, error_score="raise")
    search.fit(X, y, sensitive_features=gender)
    assert search.best_estimator_.groups_ == ["female", "male"]


@WITHOUT_GROUPS_LATER
def test_cross_validation_hands_the_groups_to_fit(make, people, routing):
    X, y, gender = people
    scores = cross_validate(
        make(),
        X,
        y,
        params={"sensitive_features": gender},
        cv=2,
        error_score="raise",
    )["test_score"]
    assert scores.min() > 0.5


@pytest.mark.parametrize(
    "method",
    [
        ThresholdOptimizerClassifier,
        RejectOptionClassifier,
        UnmitigatedClassifier,
        OversamplingClassifier,
        ReweighingClassifier,
        FairSMOTEClassifier,
        CorrelationRemoverClassifier,
        partial(PrototypeRepresentationClassifier, max_iter=1),
    ],
)
# One epoch does not always leave scores that keep to the bound.
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
def test_without_an_estimator_the_default_net_is_trained(method, people, monkeypatch):
    X, y, gender = people
    settings = {"warmup_epochs": 1, "max_epochs": 1}
    monkeypatch.setattr(
        _base, "RunnerFairClassifier", partial(RunnerFairClassifier, **settings)
    )
    clf = method(pos_label="hired", random_state=5)
    clf.fit(X, y, sensitive_features=gender)
    assert isinstance(clf.estimator_, RunnerFairClassifier)
    assert (clf.estimator_.constraint, clf.estimator_.random_state) == (None, 5)


@OF_MORE_LABELS
def test_three_labels_are_learned(make, people):
    X, y, gender = people
    y = y.where(X["commute"] > -0.5, "undecided")
    clf = make().fit(X, y, sensitive_features=gender)
    assert clf.classes_.tolist() == ["declined", "hired", "undecided"]
    assert predict(clf, X, gender, "predict_proba").shape == (300, 3)
    assert get_tags(clf).classifier_tags.multi_class


@ALL
def test_what_a_method_needs_and_does_is_told(make):
    method = make()
    assert method.needs_groups_at_predict == (make in (thresholds, rejects, remover))
    assert method.is_randomised == (make in (mixture, thresholds))


def test_an_unfitted_ensemble_is_no_reason_to_fail(people):
    """It has no length, so that asking whether it is true raises."""
    X, y, gender = people
    clf = thresholds(RandomForestClassifier(n_estimators=2, max_depth=2))
    assert get_tags(clf).classifier_tags.multi_class is False
    assert len(clf.fit(X, y, sensitive_features=gender).estimator_) == 2


def test_only_seeds_that_are_unset_are_set():
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(random_state=1))
    assert seeded(pipeline, 5)[-1].random_state == 1
    assert seeded(LogisticRegression(), 5).random_state == 5


def test_a_frozen_estimator_stays_as_it_is():
    fitted = LogisticRegression().fit([[0], [1]], [0, 1])
    assert seeded(FrozenEstimator(fitted), 5).estimator is fitted


@OF_TWO_LABELS
def test_a_third_label_is_refused(make, people):
    X, y, gender = people
    y = y.where(X["height"] > -0.5, "undecided")
    with pytest.raises(ValueError, match=r"3 labels \['declined', 'hired', 'undeci"):
        make().fit(X, y, sensitive_features=gender)


@ALL
def test_absent_labels_are_refused(make, people):
    X, _, gender = people
    with pytest.raises(ValueError, match=r"Classifier\.fit requires y to be passed"):
        make(pos_label="hired").fit(X, None, sensitive_features=gender)


@WITH_GROUPS
def test_absent_groups_are_refused(make, people):
    X, y, _ = people
    with pytest.raises(ValueError, match=r"Classifier\.fit compares groups, so `sens"):
        make(pos_label="hired").fit(X, y)


@ALL
def test_groups_of_another_length_are_refused(make, people):
    X, y, gender = people
    with pytest.raises(ValueError, match="has 299 rows, X has 300"):
        make(pos_label="hired").fit(X, y, sensitive_features=gender[:-1])


@ALL
def test_groups_on_another_index_are_refused(make, people):
    X, y, gender = people
    with pytest.raises(ValueError, match=f"{gender.index[-1]} in `sensitive_features`"):
        make(pos_label="hired").fit(X, y, sensitive_features=gender[::-1])


@WITH_GROUPS
def test_a_single_group_is_refused(make, people):
    X, y, _ = people
    with pytest.raises(ValueError, match="belong to one group, 'all'"):
        make(pos_label="hired").fit(X, y, sensitive_features=["all"] * 300)


@BOTH
@pytest.mark.parametrize(
    "constraint", ["true_positive_rate_parity", "false_positive_rate_parity"]
)
def test_the_favourable_label_must_be_told_where_it_matters(make, constraint, people):
    X, y, gender = people
    with pytest.raises(ValueError, match=rf"{constraint}.*pass pos_label='hired'"):
        make(constraint=constraint).fit(X, y, sensitive_features=gender)


@BOTH
def test_an_unknown_constraint_is_refused(make, people):
    X, y, gender = people
    with pytest.raises(ValueError, match="Got 'parity' instead"):
        make(constraint="parity").fit(X, y, sensitive_features=gender)
