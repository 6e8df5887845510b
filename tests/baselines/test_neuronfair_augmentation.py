import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from skfair_runner import RunnerFairClassifier, make_table_preprocessor
from skfair_runner.baselines import NeuronFairAugmentationClassifier
from skfair_runner.fairness_testing import IndividualDiscrimination
from skfair_runner.fairness_testing._retrain import vote
from skfair_runner.utils import SkfairRunnerWarning

VOTERS = [LogisticRegression(max_iter=500)]


def net(kind=RunnerFairClassifier, **parameters):
    quick = {
        "warmup_epochs": 3,
        "max_epochs": 3,
        "batch_size": 20,
        "lr": 0.02,
        "lr_schedule": "constant",
        "hidden_layer_sizes": (12,),
        "module__dropout": 0.0,
    }
    return kind(constraint=None, **{**quick, **parameters})


def method(estimator=None, **parameters):
    quick = {
        "sensitive_columns": "man",
        "budget": 1000,
        "n_local": 10,
        "shares": [0.3],
        "voters": VOTERS,
        "accuracy_tolerance": 0.3,
        "random_state": 0,
    }
    estimator = net() if estimator is None else estimator
    return NeuronFairAugmentationClassifier(estimator, **{**quick, **parameters})


@pytest.fixture(scope="module")
def skilled():
    """Numbers with the group among them, and labels for which women need more skill."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.integers(0, 12, (300, 2)), columns=["skill", "effort"])
    X["man"] = np.arange(300) % 2
    X.index = rng.permutation(300) + 1000
    needed = 14 - 5 * X["man"]
    y = pd.Series(np.where(X["skill"] + X["effort"] > needed, "hired", "declined"))
    return X, y.set_axis(X.index), X["man"].map({0: "female", 1: "male"})


@pytest.fixture(scope="module")
def fitted(skilled):
    X, y, gender = skilled
    return method().fit(X, y, sensitive_features=gender)


class Records(RunnerFairClassifier):
    """Remembers what it was trained on."""

    seen: list = []  # noqa: RUF012

    def fit(self, X, y, **keywords):
        self.seen.append((X, np.asarray(y)))
        return super().fit(X, y, **keywords)


def test_both_rows_of_a_pair_are_added_with_the_label_of_the_vote(skilled):
    X, y, _ = skilled
    Records.seen.clear()
    clf = method(net(Records), random_state=1).fit(X, y)
    # Plainly on all rows; before and with pairs on those not held out; the last.
    sizes = [len(labels) for _, labels in Records.seen]
    assert sizes == [300, 225, 225 + 2 * clf.n_pairs_, 300 + 2 * clf.n_pairs_]
    assert clf.n_pairs_ == round(0.3 * 225) or clf.n_pairs_ == clf.n_found_

    rows, labels = Records.seen[-1]
    assert_array_equal(rows[:300].to_numpy(), X.to_numpy())
    assert_array_equal(labels[:300], y)
    one, other = rows[300 : 300 + clf.n_pairs_], rows[300 + clf.n_pairs_ :]
    others = ["skill", "effort"]
    assert_array_equal(one[others].to_numpy(), other[others].to_numpy())
    assert (one["man"].to_numpy() != other["man"].to_numpy()).all()
    assert not one[others].duplicated().any()
    assert_array_equal(labels[300 : 300 + clf.n_pairs_], labels[300 + clf.n_pairs_ :])

    plain = net(random_state=1).fit(X, y)
    assert (plain.predict(one) != plain.predict(other)).all()
    kept, kept_labels = Records.seen[1]
    expected = vote(kept, kept_labels, one, ["man"], VOTERS)
    assert_array_equal(labels[300 : 300 + clf.n_pairs_], expected)


def test_decisions_change_less_often_with_the_column(skilled, fitted):
    X, y, _ = skilled
    metric = IndividualDiscrimination("man").prepare(X)
    plain = metric(net(random_state=0).fit(X, y), X)
    repaired = metric(fitted, X)
    assert repaired["data"] < 0.8 * plain["data"]
    assert repaired["box"] < 0.8 * plain["box"]
    assert fitted.retraining_.index[0] == "before"
    assert fitted.retraining_["chosen"].tolist() == [False, True]


def test_a_net_that_does_not_get_the_column_stays_as_it_is(skilled):
    X, y, _ = skilled
    blind = make_pipeline(make_table_preprocessor(sensitive_columns="man"), net())
    message = r"tried \d+ instances and found none .* with 'man' alone. The plain net"
    with pytest.warns(SkfairRunnerWarning, match=message):
        clf = method(blind).fit(X, y)
    expected = clone(blind).set_params(runnerfairclassifier__random_state=0).fit(X, y)
    assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    assert (clf.n_found_, clf.n_pairs_, len(clf.retraining_)) == (0, 0, 0)


def test_the_plain_net_stays_where_pairs_cost_too_much(skilled):
    X, y, _ = skilled

    class Opposite(LogisticRegression):
        def predict(self, X):
            return np.where(super().predict(X) == "hired", "declined", "hired")

    clf = method(voters=[Opposite()], shares=(0.4, 0.2), accuracy_tolerance=0.0)
    message = r"none of shares=\(0.4, 0.2\) lowered .* by 'man' .* of at most 0\. The"
    with pytest.warns(SkfairRunnerWarning, match=message):
        clf.fit(X, y)
    expected = net(random_state=0).fit(X, y)
    assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    assert clf.n_found_ > 0 and clf.n_pairs_ == 0


def test_a_mixed_table_is_searched_in_its_own_columns(skilled):
    """Categories, a column of groups as text, and numbers that are missing."""
    X, y, gender = skilled
    X = X.drop(columns="man").assign(
        gender=gender, job=np.resize(["clerk", "nurse", None], 300)
    )
    X["skill"] = X["skill"].where(X["skill"] != 3)
    pipeline = make_pipeline(make_table_preprocessor(), net())
    voter = make_pipeline(make_table_preprocessor(), LogisticRegression(max_iter=2000))
    clf = method(pipeline, sensitive_columns="gender", voters=[voter]).fit(X, y)
    assert clf.n_pairs_ > 0
    assert set(clf.predict(X)) == {"declined", "hired"}
    assert get_tags(clf).input_tags.allow_nan == get_tags(pipeline).input_tags.allow_nan


def test_labels_and_groups_may_be_strings(skilled, fitted):
    X, y, _ = skilled
    assert fitted.classes_.tolist() == ["declined", "hired"]
    assert fitted.groups_ == ["female", "male"]
    proba = fitted.predict_proba(X)
    assert proba.shape == (300, 2)
    assert_allclose(proba.sum(axis=1), 1)
    assert_array_equal(fitted.predict(X), fitted.estimator_.predict(X))


def test_three_labels_are_learned(skilled):
    X, y, _ = skilled
    y = y.where(X["effort"] > 3, "undecided")
    clf = method().fit(X, y)
    assert clf.predict_proba(X).shape == (300, 3)


def test_the_same_seed_gives_the_same_scores(skilled, fitted):
    X, y, gender = skilled
    again = clone(fitted).fit(X, y, sensitive_features=gender)
    assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    copy = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
    other = clone(fitted).set_params(random_state=1).fit(X, y)
    assert not np.allclose(other.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("container", [np.asarray, list])
def test_x_comes_as_an_array_or_a_list(container, skilled, fitted):
    X, y, _ = skilled
    other = X.to_numpy().tolist() if container is list else X.to_numpy()
    clf = method(sensitive_columns=2).fit(other, y.to_list())
    assert_allclose(clf.predict_proba(other), fitted.predict_proba(X), atol=1e-5)


def test_pipelines_hand_the_groups_on(skilled, routing):
    X, y, gender = skilled
    pipeline = make_pipeline("passthrough", method())
    prefix = "" if routing else f"{pipeline.steps[-1][0]}__"
    pipeline.fit(X, y, **{f"{prefix}sensitive_features": gender})
    assert pipeline[-1].groups_ == ["female", "male"]
    assert len(pipeline.predict(X)) == 300


def test_searches_hand_the_groups_to_fit(skilled, routing):
    X, y, gender = skilled
    search = GridSearchCV(
        method(), {"estimator__lr": [0.02]}, cv=2, error_score="raise"
    )
    search.fit(X, y, sensitive_features=gender)
    assert search.best_estimator_.groups_ == ["female", "male"]


class ExchangesTheFirst(NeuronFairAugmentationClassifier):
    """With a first column of two values, so that scikit-learn can check it."""

    def __init__(self, estimator=None, *, random_state=None):
        super().__init__(
            estimator,
            sensitive_columns=0,
            budget=40,
            n_local=2,
            shares=[0.1],
            voters=VOTERS,
            random_state=random_state,
        )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
# From check_estimator itself, where it casts infinite values.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
def test_the_common_checks_of_scikit_learn_pass():
    learns = {"warmup_epochs": 8, "max_epochs": 8, "batch_size": "auto"}
    estimator = ExchangesTheFirst(net(**learns))
    results = check_estimator(estimator, on_fail=None)
    failed = {
        r["check_name"]: r["exception"] for r in results if r["status"] == "failed"
    }
    # It asks for a TypeError in words of its own, where the value that is neither
    # number nor category is named.
    assert failed.keys() == {"check_dtype_object"}, failed


def test_what_it_is_is_told():
    clf = method()
    assert not clf.needs_groups_at_predict and not clf.is_randomised
    assert not get_tags(clf).input_tags.sparse


def test_without_sensitive_columns_it_says_what_is_needed(skilled):
    X, y, gender = skilled
    message = (
        r"NeuronFairAugmentationClassifier\.fit searches .* but sensitive_columns=None."
        r" Name them, as in sensitive_columns='sex'; a net that does not get them"
    )
    with pytest.raises(ValueError, match=message):
        method(sensitive_columns=None).fit(X, y, sensitive_features=gender)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"sensitive_columns": "sex"}, ValueError, "no column 'sex'. Its columns are"),
        ({"budget": 0}, ValueError, "'budget' .* Got 0 instead"),
        ({"n_local": 0}, ValueError, "'n_local' .* Got 0 instead"),
        ({"accuracy_tolerance": 2}, ValueError, "'accuracy_tolerance' .* Got 2 inst"),
        ({"validation_fraction": 1.0}, ValueError, "'validation_fraction' .* Got 1.0"),
        ({"shares": [0.1, -1]}, ValueError, r"shares=\[0.1, -1\] adds nothing"),
        (
            {"estimator": make_pipeline("passthrough", LogisticRegression())},
            TypeError,
            r"Classifier\.fit follows .* but this one ends in a LogisticRegression",
        ),
        (
            {"estimator": RunnerFairClassifier("equalized_odds")},
            ValueError,
            "has constraint='equalized_odds' and would be repaired",
        ),
        (
            {
                "estimator": make_pipeline(
                    make_column_transformer((PCA(2), ["skill", "man"])), net()
                )
            },
            ValueError,
            "NeuronFair needs each input of the network to depend on one column",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(change, error, match, skilled):
    X, y, _ = skilled
    with pytest.raises(error, match=match):
        method(**change).fit(X, y)


def test_tables_that_cannot_be_searched_are_refused(skilled):
    X, y, _ = skilled
    with pytest.raises(ValueError, match=r"X has no other column \(n_features=1\)"):
        method().fit(X[["man"]], y)
    with pytest.raises(ValueError, match="each of the 300 rows of X lacks a number"):
        method().fit(X.assign(effort=np.nan), y)
    with pytest.raises(
        TypeError, match=r"X is sparse, a csr_matrix: pass X.toarray\(\)"
    ):
        method(sensitive_columns=2).fit(sparse.csr_matrix(X.to_numpy()), y)
    with pytest.raises(ValueError, match=r"columns, but X holds 4 images of shape"):
        method().fit(np.zeros((4, 1, 8, 8), dtype=np.float32), [0, 1, 0, 1])
