"""What the methods that train the shared net do alike."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import (
    AdversarialDebiasingClassifier,
    FADClassifier,
    FaireClassifier,
    FairNeuronClassifier,
    GapRegularisationClassifier,
    NeuFairClassifier,
    _base,
)
from skfair_runner.model_selection import SensitiveColumns


def plain_net(**parameters):
    """A small net, trained for a few epochs."""
    quick = {
        "warmup_epochs": 2,
        "max_epochs": 2,
        "batch_size": 30,
        "lr": 0.02,
        "lr_schedule": "constant",
        "hidden_layer_sizes": (16,),
        "module__dropout": 0.0,
    }
    return RunnerFairClassifier(constraint=None, **{**quick, **parameters})


def told(method):
    """Which label is favourable, where the method has to know."""
    return {"pos_label": "hired"} if method._needs_the_favourable_label else {}


def quick(method, **parameters):
    return method(plain_net(), random_state=0, **{**told(method), **parameters})


WITH_CONSTRAINT = [GapRegularisationClassifier, AdversarialDebiasingClassifier]
# Whose first phase is all that there is where the second one has no epochs.
OF_TWO_PHASES = [*WITH_CONSTRAINT, FairNeuronClassifier, FaireClassifier, FADClassifier]
METHODS = [*OF_TWO_PHASES, NeuFairClassifier]
ALL = pytest.mark.parametrize("method", METHODS)
CONSTRAINED = pytest.mark.parametrize("method", WITH_CONSTRAINT)


def alternating(X):
    """Two groups in turns."""
    return np.arange(X.shape[0] if hasattr(X, "shape") else np.asarray(X).shape[0]) % 2


class GapOfDerivedGroups(GapRegularisationClassifier):
    """Alternates between two groups, so that scikit-learn can check it."""

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X))


class AdversaryOfDerivedGroups(AdversarialDebiasingClassifier):
    """Alternates between two groups, so that scikit-learn can check it."""

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X))


class FaireOfDerivedGroups(FaireClassifier):
    """Alternates between two groups, so that scikit-learn can check it."""

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X))


class FADOfDerivedGroups(FADClassifier):
    """Alternates between two groups, so that scikit-learn can check it."""

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X))


class NeuFairOfDerivedGroups(NeuFairClassifier):
    """Alternates between two groups, so that scikit-learn can check it."""

    # The labels of the checks do not say which one is favourable: the larger.
    _needs_the_favourable_label = False

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=alternating(X))


# Enough epochs for the accuracy that the checks ask for.
LEARNS = {"warmup_epochs": 8, "max_epochs": 8, "batch_size": "auto"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
# From check_estimator itself, where it casts infinite values.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@pytest.mark.parametrize(
    "method",
    [
        GapOfDerivedGroups,
        AdversaryOfDerivedGroups,
        FairNeuronClassifier,
        FaireOfDerivedGroups,
        FADOfDerivedGroups,
        partial(
            NeuFairOfDerivedGroups, constraint="demographic_parity", n_proposals=50
        ),
    ],
)
def test_the_common_checks_of_scikit_learn_pass(method):
    check_estimator(method(plain_net(**LEARNS)))


@ALL
def test_labels_and_groups_may_be_strings(method, people):
    X, y, gender = people
    clf = quick(method).fit(X, y, sensitive_features=gender)
    assert clf.classes_.tolist() == ["declined", "hired"]
    assert clf.groups_ == ["female", "male"]
    assert set(clf.predict(X)) == {"declined", "hired"}
    proba = clf.predict_proba(X)
    assert proba.shape == (300, 2) and proba.dtype == np.float64
    assert_allclose(proba.sum(axis=1), 1)


@ALL
def test_decisions_are_those_of_the_fitted_net(method, people):
    X, y, gender = people
    clf = quick(method).fit(X, y, sensitive_features=gender)
    assert_array_equal(clf.predict(X), clf.estimator_.predict(X))
    assert_array_equal(clf.predict_proba(X), clf.estimator_.predict_proba(X))
    pd.testing.assert_frame_equal(clf.history_, clf.estimator_.history_)


@pytest.mark.parametrize("method", OF_TWO_PHASES)
def test_the_first_phase_is_the_plain_nets(method, people):
    X, y, gender = people
    clf = method(plain_net(max_epochs=0), random_state=3)
    clf.fit(X, y, sensitive_features=gender)
    expected = plain_net(max_epochs=0, random_state=3).fit(X, y)
    assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))


@ALL
def test_the_budget_is_the_plain_nets(method, people):
    X, y, gender = people
    net = RunnerFairClassifier(constraint=None, hidden_layer_sizes=(4,), lr=0.02)
    clf = method(net, random_state=0, **told(method)).fit(
        X, y, sensitive_features=gender
    )
    expected = clone(net).fit(X, y)
    assert clf.history_["phase"].tolist() == expected.history_["phase"].tolist()
    same = ["batch_size", "warmup_epochs", "max_epochs", "lr", "dropout", "n_bins"]
    for name in same:
        assert clf.estimator_.settings_[name] == expected.settings_[name], name


@ALL
def test_without_an_estimator_the_default_net_is_trained(method, people, monkeypatch):
    X, y, gender = people
    made = []

    def default(**parameters):
        made.append(parameters)
        return plain_net()

    monkeypatch.setattr(_base, "RunnerFairClassifier", default)
    clf = method(random_state=5, **told(method)).fit(X, y, sensitive_features=gender)
    assert made[0] == {"constraint": None}
    assert type(clf.estimator_) is RunnerFairClassifier
    assert clf.estimator_.random_state == 5
    assert get_tags(clf).input_tags.sparse


@ALL
def test_the_same_seed_gives_the_same_scores(method, people):
    X, y, gender = people
    one = quick(method).fit(X, y, sensitive_features=gender)
    two = quick(method).fit(X, y, sensitive_features=gender)
    assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    other = quick(method).set_params(random_state=1)
    other.fit(X, y, sensitive_features=gender)
    assert not np.allclose(one.predict_proba(X), other.predict_proba(X))


@ALL
def test_a_pickled_classifier_decides_alike(method, people):
    X, y, gender = people
    clf = quick(method).fit(X, y, sensitive_features=gender)
    copy = pickle.loads(pickle.dumps(clf))
    assert_array_equal(copy.predict_proba(X), clf.predict_proba(X))
    pd.testing.assert_frame_equal(copy.history_, clf.history_)


@ALL
def test_a_clone_is_trained_in_the_same_way(method, people):
    X, y, gender = people
    clf = quick(method).fit(X, y, sensitive_features=gender)
    again = clone(clf).fit(X, y, sensitive_features=gender)
    assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


@ALL
@pytest.mark.parametrize("container", [sparse.csr_matrix, np.asarray, list])
def test_x_comes_in_any_container(method, container, people):
    X, y, gender = people
    other = X.to_numpy().tolist() if container is list else container(X.to_numpy())
    expected = quick(method).fit(X, y, sensitive_features=gender)
    clf = quick(method).fit(other, y.to_list(), sensitive_features=gender.to_list())
    assert_allclose(clf.predict_proba(other), expected.predict_proba(X), atol=1e-5)


@ALL
def test_several_sensitive_columns_are_crossed(method, people):
    X, y, gender = people
    table = pd.DataFrame({"gender": gender, "tall": X["height"] > 0})
    clf = quick(method).fit(X, y, sensitive_features=table)
    assert len(clf.groups_) == 4 and clf.groups_[0] == ("female", False)
    assert len(clf.predict(X)) == 300


@ALL
def test_pipelines_hand_the_groups_on(method, people, routing):
    X, y, gender = people
    pipeline = make_pipeline(StandardScaler(), quick(method))
    prefix = "" if routing else f"{pipeline.steps[-1][0]}__"
    pipeline.fit(X, y, **{f"{prefix}sensitive_features": gender})
    assert pipeline[-1].groups_ == ["female", "male"]
    assert len(pipeline.predict(X)) == 300


@ALL
def test_searches_hand_the_groups_to_fit(method, people, routing):
    X, y, gender = people
    grid = {"estimator__lr": [1e-3, 1e-2]}
    search = GridSearchCV(quick(method), grid, cv=2, error_score="raise")
    search.fit(X, y, sensitive_features=gender)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.groups_ == ["female", "male"]


@ALL
def test_searches_read_the_groups_from_columns(method, people, routing):
    X, y, gender = people
    pipeline = make_pipeline(StandardScaler(), quick(method))
    clf = SensitiveColumns(pipeline, "gender")
    grid = {f"estimator__{pipeline.steps[-1][0]}__estimator__lr": [1e-3, 1e-2]}
    search = GridSearchCV(clf, grid, cv=2, error_score="raise")
    search.fit(X.assign(gender=gender), y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@ALL
def test_what_it_is_is_told(method):
    assert not method.needs_groups_at_predict
    assert not method.is_randomised


@ALL
@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        make_pipeline(StandardScaler(), RunnerFairClassifier(constraint=None)),
    ],
)
def test_another_estimator_than_the_net_is_refused(method, estimator, people):
    X, y, gender = people
    message = (
        rf"{method.__name__}\.fit .* RunnerFairClassifier, not a "
        rf"{type(estimator).__name__}: .* {method.__name__} itself is the last step"
    )
    with pytest.raises(TypeError, match=message):
        method(estimator, **told(method)).fit(X, y, sensitive_features=gender)


@ALL
def test_a_net_with_a_constraint_of_its_own_is_refused(method, people):
    X, y, gender = people
    clf = method(RunnerFairClassifier("equalized_odds"), **told(method))
    with pytest.raises(ValueError, match="has constraint='equalized_odds' and would"):
        clf.fit(X, y, sensitive_features=gender)


@pytest.mark.parametrize("method", [m for m in METHODS if m._needs_groups])
def test_absent_groups_are_refused(method, people):
    X, y, _ = people
    name = method.__name__
    with pytest.raises(ValueError, match=rf"{name}\.fit compares groups, so `sens"):
        quick(method).fit(X, y)


@CONSTRAINED
@pytest.mark.parametrize(
    "constraint", ["true_positive_rate_parity", "false_positive_rate_parity"]
)
def test_the_favourable_label_must_be_told_where_it_matters(method, constraint, people):
    X, y, gender = people
    clf = quick(method, constraint=constraint)
    with pytest.raises(ValueError, match=rf"{constraint}.*pass pos_label='hired'"):
        clf.fit(X, y, sensitive_features=gender)


@CONSTRAINED
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.ConstantClassifierWarning")
@pytest.mark.parametrize(
    ("constraint", "pos_label", "refused"),
    [
        ("demographic_parity", None, False),
        ("equalized_odds", None, True),
        ("true_positive_rate_parity", "hired", True),
        ("true_positive_rate_parity", "declined", False),
        ("false_positive_rate_parity", "declined", True),
    ],
)
def test_a_group_without_a_label_that_is_compared_is_refused(
    method, constraint, pos_label, refused, people
):
    X, y, gender = people
    kept = (gender == "male") | (y == "declined")
    clf = quick(method, constraint=constraint, pos_label=pos_label)
    fit = {"X": X[kept], "y": y[kept], "sensitive_features": gender[kept]}
    if refused:
        message = (
            rf"{method.__name__}\.fit: constraint='{constraint}' .* group 'female' has "
            "no sample with label 'hired'"
        )
        with pytest.raises(ValueError, match=message):
            clf.fit(**fit)
    else:
        assert clf.fit(**fit).groups_ == ["female", "male"]


@CONSTRAINED
def test_the_smaller_label_may_be_the_favourable_one(method, people):
    X, y, gender = people
    rates = {"declined": "true", "hired": "false"}
    scores = [
        quick(method, constraint=f"{rate}_positive_rate_parity", pos_label=label)
        .fit(X, y, sensitive_features=gender)
        .predict_proba(X)
        for label, rate in rates.items()
    ]
    # Both compare the people who were declined.
    assert_allclose(*scores, atol=1e-6)


@CONSTRAINED
def test_an_unknown_constraint_is_refused(method, people):
    X, y, gender = people
    with pytest.raises(ValueError, match="Got 'parity' instead"):
        quick(method, constraint="parity").fit(X, y, sensitive_features=gender)
