"""Training chunk by chunk, by `partial_fit`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss
from skorch.callbacks import Callback

from skfair_runner import RunnerFairClassifier

pytestmark = pytest.mark.filterwarnings(
    # A few epochs on few rows: enough to see what is asked here.
    "ignore::skfair_runner.utils.SkfairRunnerWarning"
)

QUICK = {
    "warmup_epochs": 2,
    "max_epochs": 3,
    "batch_size": 32,
    "lr": 0.02,
    "hidden_layer_sizes": (8,),
    "random_state": 0,
}


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 2, 200)
    X = rng.normal(size=(200, 4))
    X[:, 0] = 2 * groups - 1 + 0.4 * X[:, 0]
    y = (X[:, 0] + X[:, 1] + rng.normal(size=200) > 0).astype(int)
    return X, y, groups


def make(**parameters):
    return RunnerFairClassifier(**{**QUICK, **parameters})


def fit(people, **parameters):
    X, y, groups = people
    return make(**parameters).fit(X, y, sensitive_features=groups)


def test_partial_fit_learns_from_chunks(people):
    X, y, groups = people
    clf = make(lr=0.01, difference_bound=None, output_weight=0.5)
    losses = []
    for _ in range(8):
        for part in np.array_split(np.arange(len(y)), 4):
            clf.partial_fit(
                X[part], y[part], classes=[0, 1], sensitive_features=groups[part]
            )
        losses.append(log_loss(y, clf.predict_proba(X)))
    assert losses[-1] < losses[3] < losses[0]
    assert clf.score(X, y) > 0.7
    assert len(clf.history_) == 32


def test_a_chunk_that_fails_changes_nothing(people):
    X, y, groups = people
    clf = fit(people)
    weights = {k: v.clone() for k, v in clf.net_.module_.state_dict().items()}
    controller = clf.net_.controller_.state_dict()
    before = clf.predict_proba(X), clf.history_

    class Fails(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise RuntimeError("no more")

    clf.net_.callbacks_.append(("fails", Fails()))
    with pytest.raises(RuntimeError, match="no more"):
        clf.partial_fit(X, y, sensitive_features=groups)

    assert_array_equal(clf.predict_proba(X), before[0])
    assert len(clf.history_) == len(before[1])
    for name, value in clf.net_.module_.state_dict().items():
        assert_array_equal(value, weights[name])
    for name, value in clf.net_.controller_.state_dict().items():
        assert_array_equal(value, controller[name])


def test_partial_fit_after_fit_has_the_learning_rate_that_was_asked_for(people):
    """The cosine of `fit` ends near zero, where nothing would be learned."""
    X, y, groups = people
    clf = fit(people)
    before = clf.predict_proba(X)
    assert clf.net_.optimizer_.param_groups[0]["lr"] < 0.02 / 10
    clf.partial_fit(X, y, sensitive_features=groups)
    assert clf.net_.optimizer_.param_groups[0]["lr"] == 0.02
    assert abs(clf.predict_proba(X) - before).max() > 0.01


def test_partial_fit_needs_all_classes_at_first(people):
    X, y, groups = people
    clf = make()
    with pytest.raises(ValueError, match="first call of partial_fit must be told"):
        clf.partial_fit(X, y, sensitive_features=groups)
    with pytest.raises(ValueError, match=r"one class only: \[1\]"):
        clf.partial_fit(X, np.ones(len(y)), classes=[1], sensitive_features=groups)
    with pytest.raises(ValueError, match=r"label 1, which is not .* \[0, 2\]"):
        clf.partial_fit(X, y, classes=[0, 2], sensitive_features=groups)
    with pytest.raises(ValueError, match="belong to one group, '0'"):
        clf.partial_fit(X, y, classes=[0, 1], sensitive_features=0 * groups)
    assert not hasattr(clf, "net_")
    clf.partial_fit(X, y, classes=[0, 1, 2], sensitive_features=groups)
    assert clf.predict_proba(X).shape == (len(y), 3)
    with pytest.raises(ValueError, match=r"classes=\[0, 1\] are not .* \[0, 1, 2\]"):
        clf.partial_fit(X, y, classes=[0, 1], sensitive_features=groups)


@pytest.mark.parametrize("sampling", ["shuffled", "group", "group_label"])
def test_a_chunk_may_lack_a_group_or_a_label(people, sampling):
    X, y, groups = people
    clf = make(sampling=sampling)
    clf.partial_fit(X, y, classes=[0, 1], sensitive_features=groups)
    for kept in (groups == 0, y == 1, (groups == 1) & (y == 0)):
        clf.partial_fit(X[kept], y[kept], sensitive_features=groups[kept])
    assert clf.groups_ == [0, 1]
    assert np.isfinite(clf.predict_proba(X)).all()


def test_a_chunk_may_not_bring_a_new_group_or_label(people):
    X, y, groups = people
    clf = make().partial_fit(X, y, classes=[0, 1], sensitive_features=groups)
    before = clf.predict_proba(X)
    with pytest.raises(ValueError, match=r"unknown group '5'.*known groups are '0'"):
        clf.partial_fit(X, y, sensitive_features=5 * groups)
    with pytest.raises(ValueError, match="label 2, which is not among the known"):
        clf.partial_fit(X, 2 * y, sensitive_features=groups)
    with pytest.raises(ValueError, match="X has 2 features"):
        clf.partial_fit(X[:, :2], y, sensitive_features=groups)
    assert_array_equal(clf.predict_proba(X), before)


def test_partial_fit_keeps_to_the_constraint_that_it_was_built_for(people):
    X, y, groups = people
    clf = fit(people, constraint=None)
    clf.set_params(constraint="equalized_odds")
    with pytest.raises(
        ValueError, match="'equalized_odds' is not the one .* trained with, None"
    ):
        clf.partial_fit(X, y, sensitive_features=groups)


def test_each_call_of_partial_fit_draws_batches_of_its_own(people):
    X, y, groups = people
    first, second = (make().partial_fit(X, y, [0, 1], sensitive_features=groups)
                     for _ in range(2))  # fmt: skip
    assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    orders = []

    class Order(Callback):
        def on_batch_begin(self, net, batch, **kwargs):
            orders[-1].extend(batch[0]["X"][:, 0].tolist())

    clf = make(callbacks=[Order()])
    for _ in range(2):
        orders.append([])
        clf.partial_fit(X, y, [0, 1], sensitive_features=groups)
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


def test_the_controller_goes_on_where_it_stood(people):
    X, y, groups = people
    clf = fit(people)
    controller = clf.net_.controller_
    clf.partial_fit(X, y, sensitive_features=groups)
    assert clf.net_.controller_ is controller


def test_partial_fit_diagnoses_before_it_trains(people):
    X, y, groups = people
    clf = make().partial_fit(X, y, [0, 1], sensitive_features=groups)
    first = clf.neuron_importance_
    untrained = fit(people, warmup_epochs=0, max_epochs=0).neuron_importance_
    assert_allclose(first["importance"], untrained["importance"], rtol=1e-4)
    clf.partial_fit(X, y, sensitive_features=groups)
    assert_allclose(clf.neuron_importance_["importance"], first["importance"])
