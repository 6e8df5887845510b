"""RunnerFairClassifier with several constraints at once."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from skfair_runner import (
    RunnerFairClassifier,
    RunnerFrontier,
    compare_classifiers,
    diagnose_neurons,
    load,
    paper_settings,
    repair_module,
    save,
)
from skfair_runner.constraints import DEFAULT_BOUND
from skfair_runner.gaps import CONSTRAINTS
from skfair_runner.plots import TrainingHistoryDisplay

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
PAIR = {"demographic_parity": 0.02, "true_positive_rate_parity": 0.1}
RATES = {"true_positive_rate_parity": 0.05, "false_positive_rate_parity": 0.05}


def make_people(n_classes=2, n_groups=2, n=240):
    rng = np.random.default_rng(0)
    groups = rng.integers(0, n_groups, n)
    X = rng.normal(size=(n, 4))
    X[:, 0] = 2 * groups - 1 + 0.4 * X[:, 0]
    score = X[:, 0] + X[:, 1] + rng.normal(size=n)
    y = np.digitize(score, np.quantile(score, np.arange(1, n_classes) / n_classes))
    return X, y, groups


@pytest.fixture(scope="module")
def people():
    return make_people()


def make(constraint=PAIR, **parameters):
    return RunnerFairClassifier(constraint, **{**QUICK, **parameters})


def fit(people, constraint=PAIR, **parameters):
    X, y, groups = people
    return make(constraint, **parameters).fit(X, y, sensitive_features=groups)


def assert_same(one, other, X):
    assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    pd.testing.assert_frame_equal(one.neuron_importance_, other.neuron_importance_)


def plain(history):
    return history.drop(columns="dur")


# What it is equal to


@pytest.mark.parametrize("bound", [0.0, 0.1, None])
@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_dict_of_one_name_trains_what_the_name_trains(people, name, bound):
    one, other = fit(people, {name: bound}), fit(people, name, difference_bound=bound)
    assert_same(one, other, people[0])
    pd.testing.assert_frame_equal(plain(one.history_), plain(other.history_))
    assert one.settings_ == other.settings_


@pytest.mark.parametrize(("n_classes", "n_groups"), [(2, 2), (2, 3), (3, 2), (3, 3)])
def test_both_rate_parities_with_one_bound_are_equalized_odds(n_classes, n_groups):
    """But for neurons of more than two classes, which it compares within labels."""
    people, alpha = make_people(n_classes, n_groups), 0.05 if n_classes == 2 else 0.0
    both = fit(people, RATES, alpha=alpha)
    odds = fit(people, "equalized_odds", difference_bound=0.05, alpha=alpha)
    assert_allclose(both.predict_proba(people[0]), odds.predict_proba(people[0]), 1e-4)
    assert_allclose(both.history_["train_gap"], odds.history_["train_gap"], 1e-4)
    largest = both.history_[[f"train_difference_{name}" for name in RATES]].max(axis=1)
    assert_allclose(largest, odds.history_["train_difference"], 1e-4)
    each, whole = (clf.history_["multipliers"].iloc[-1] for clf in (both, odds))
    # Of two labels, equalized odds tells the negative one first.
    assert_allclose(np.sort(each), np.sort(whole), atol=1e-4)


def test_a_fixed_weight_is_that_of_the_summed_gaps(people):
    unbounded = dict.fromkeys(RATES)
    both = fit(people, unbounded, output_weight=0.5)
    odds = fit(people, "equalized_odds", difference_bound=None, output_weight=0.5)
    assert_allclose(both.predict_proba(people[0]), odds.predict_proba(people[0]), 1e-4)
    assert both.net_.controller_ is None


def test_scores_are_repaired_with_several_constraints_too(people):
    clf = fit(people, repair="scores")
    assert clf.settings_["sharpness"] == (1.0, 1.0)
    assert set(clf.net_.controller_.parts) == set(PAIR)


def test_the_order_of_the_dict_does_not_matter_and_the_dict_is_left_alone(people):
    reverse = dict(reversed(PAIR.items()))
    given = copy.deepcopy(reverse)
    clf = fit(people, given)
    assert_same(clf, fit(people), people[0])
    assert list(given.items()) == list(reverse.items())
    assert clf.constraint is given


# What it tells


def test_each_constraint_has_a_controller_with_its_own_bound(people):
    parts = fit(people).net_.controller_.parts
    assert {name: part.bound for name, part in parts.items()} == PAIR
    assert (
        parts["demographic_parity"].memory < parts["true_positive_rate_parity"].memory
    )


def test_a_bound_of_none_is_watched_and_not_held(people):
    clf = fit(people, {**PAIR, "true_positive_rate_parity": None})
    assert set(clf.net_.controller_.parts) == {"demographic_parity"}
    assert "train_difference_true_positive_rate_parity" in clf.history_
    assert "multipliers_true_positive_rate_parity" not in clf.history_


def test_the_history_tells_of_each_constraint(people):
    history = fit(people, early_stopping=True, validation_fraction=0.2).history_
    for name in PAIR:
        for part in ("train", "valid"):
            assert history[f"{part}_gap_{name}"].between(0, 1).all()
            assert history[f"{part}_difference_{name}"].between(0, 1).all()
    gaps = history[[f"train_gap_{name}" for name in PAIR]]
    assert_allclose(history["train_gap"], gaps.sum(axis=1))
    last = history.iloc[-1]
    each = [last[f"multipliers_{name}"] for name in PAIR]
    assert last["multipliers"] == sum(each, [])
    beyond = [max(last[f"valid_difference_{n}"] - b, 0) for n, b in PAIR.items()]
    expected = last["valid_loss"] + 1.5 * sum(beyond)
    assert last["valid_objective"] == pytest.approx(expected)


def test_a_guard_works_once_for_all(people):
    clf = fit(people)
    state = clf.net_.controller_.state_dict()
    assert [name for name in state if name.endswith("guard")] == ["guard"]
    assert clf.history_["guard"].iloc[-1] == pytest.approx(state["guard"].tolist())
    assert state["demographic_parity.integral"].numel() == 1


def test_the_neurons_are_told_in_one_table(people):
    table = fit(people).neuron_importance_
    assert len(table) == 8
    assert (table["importance"] > 0).any()


def test_the_curves_of_each_constraint_are_drawn_with_their_bounds(people):
    display = TrainingHistoryDisplay.from_estimator(fit(people)).plot(multipliers=True)
    _, differences, multipliers = display.axes_
    drawn = {line.get_label() for line in differences.lines}
    assert {"demographic parity", "bound 0.02 on demographic parity"} <= drawn
    drawn = {line.get_label() for line in multipliers.lines}
    assert {"demographic parity", "true positive rate parity"} <= drawn


# Around it


def test_it_is_cloned_pickled_and_found_among_the_parameters(people):
    clf = fit(people)
    assert clone(clf).get_params() == clf.get_params()
    assert clone(clf).constraint is not clf.constraint
    assert_same(clf, pickle.loads(pickle.dumps(clf)), people[0])
    assert_same(
        clf, clone(clf).fit(*people[:2], sensitive_features=people[2]), people[0]
    )


def test_it_is_saved_and_loaded_with_its_controllers(people, tmp_path):
    pytest.importorskip("safetensors")
    clf = fit(people)
    save(clf, tmp_path / "model")
    again = load(tmp_path / "model")
    assert_same(clf, again, people[0])
    assert again.constraint == PAIR
    assert again.settings_ == clf.settings_
    state = clf.net_.controller_.state_dict()
    found = again.net_.controller_.state_dict()
    assert state.keys() == found.keys()
    for name, values in state.items():
        assert_array_equal(values, found[name])
    X, y, groups = people
    for one in (clf, again):
        one.partial_fit(X, y, sensitive_features=groups)
    assert again.net_.controller_.parts["demographic_parity"].bound == 0.02


class Stopped(Exception):
    """What ends a training of this test alone."""


def test_it_goes_on_from_a_checkpoint_whatever_the_order_of_the_dict(people, tmp_path):
    class Stop(Callback):
        def on_batch_begin(self, net, **kwargs):
            if len(net.history) == 5:
                raise Stopped

    path = tmp_path / "training.pt"
    with pytest.raises(Stopped):
        fit(people, callbacks=[Stop()], checkpoint=path)
    reverse = dict(reversed(PAIR.items()))
    assert_same(fit(people, reverse, checkpoint=path), fit(people), people[0])
    with pytest.raises(ValueError, match="belongs to another training"):
        fit(people, {**PAIR, "demographic_parity": 0.03}, checkpoint=path)


def test_it_goes_on_by_chunks_and_from_a_warm_start(people):
    X, y, groups = people
    clf = make().partial_fit(X, y, [0, 1], sensitive_features=groups)
    controller = clf.net_.controller_
    clf.partial_fit(X[:100], y[:100], sensitive_features=groups[:100])
    assert clf.net_.controller_ is controller
    clf.set_params(constraint="demographic_parity")
    with pytest.raises(ValueError, match="not the one .* 'demographic_parity and true"):
        clf.partial_fit(X, y, sensitive_features=groups)
    clf.set_params(constraint=RATES, warm_start=True)
    clf.fit(X, y, sensitive_features=groups)
    assert set(clf.net_.controller_.parts) == set(RATES)


def test_a_search_takes_dicts_and_names_in_grids_of_their_own(people):
    X, y, groups = people
    grid = [
        {"constraint": [PAIR, {"equalized_odds": 0.1}]},
        {"constraint": ["demographic_parity"], "difference_bound": [0.1]},
    ]
    search = GridSearchCV(make(), grid, cv=2, error_score="raise")
    search.fit(X, y, sensitive_features=groups)
    assert [p["constraint"] for p in search.cv_results_["params"]][:1] == [PAIR]


def test_it_is_compared_like_any_other(people):
    X, y, groups = people
    found = compare_classifiers(
        {"pair": make(max_epochs=1), "plain": make(None)},
        X,
        y,
        sensitive_features=groups,
        cv=2,
    )
    assert set(found.table.index) == {"pair", "plain"}


def test_a_module_is_repaired_and_diagnosed_under_several(people):
    X, y, groups = people
    X = X.astype("float32")
    module = fit(people, None).net_.module_
    told = {"sensitive_features": groups}
    result = repair_module(
        module, X, y, constraint=PAIR, max_epochs=1, random_state=0, **told
    )
    assert result.classifier.constraint == PAIR
    both = diagnose_neurons(module, X, y, constraint=RATES, **told)
    odds = diagnose_neurons(module, X, y, constraint="equalized_odds", **told)
    assert_allclose(both["importance"], odds["importance"], 1e-3, atol=1e-9)
    with pytest.raises(ValueError, match="has the key 'dp'"):
        diagnose_neurons(module, X, y, constraint={"dp": 0.1}, **told)


def test_a_front_trades_one_difference_only(people):
    X, y, groups = people
    front = RunnerFrontier(make())
    with pytest.raises(ValueError, match=r"one difference.*constraint={'demographic_"):
        front.fit(X, y, sensitive_features=groups)


# What is refused


def test_a_bound_beside_the_dict_is_refused(people):
    with pytest.raises(ValueError, match=r"difference_bound=0.2 would not be read"):
        fit(people, difference_bound=0.2)
    default = RunnerFairClassifier().difference_bound
    assert default == DEFAULT_BOUND


def test_a_weight_beside_bounds_is_refused(people):
    with pytest.raises(ValueError, match=r"has bounds, and output_weight=0.5 is"):
        fit(people, output_weight=0.5)


@pytest.mark.parametrize("constraint", [{}, {"dp": 0.1}, {"equalized_odds": 2}])
def test_a_dict_that_names_or_bounds_nothing_is_refused(people, constraint):
    with pytest.raises(ValueError, match=r"^constraint={"):
        fit(people, constraint)


def test_a_cell_that_any_of_them_compares_must_not_be_empty(people):
    X, y, groups = people
    no_positive = np.where(groups == 1, 0, y)
    fit((X, no_positive, groups), {"demographic_parity": 0.1})
    with pytest.raises(ValueError, match="constraint='true_positive_rate_parity'"):
        fit((X, no_positive, groups))
    fit(
        (X, no_positive, groups),
        {"demographic_parity": 0, "false_positive_rate_parity": 0},
    )


def test_the_favourable_label_must_be_told_for_rate_parities(people):
    X, y, groups = people
    words = np.array(["no", "yes"])[y]
    with pytest.raises(ValueError, match="constraint='true_positive_rate_parity'"):
        fit((X, words, groups))
    assert fit((X, words, groups), pos_label="yes").net_.task.positive == 1


def test_the_paper_has_no_settings_for_several():
    with pytest.raises(ValueError, match="no settings for the constraint {'demog"):
        paper_settings(PAIR)
