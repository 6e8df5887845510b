"""The estimator: what is refused, kept, handed out, and the same each time."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skfair_runner import RunnerFairClassifier, RunnerFrontier
from skfair_runner.frontier import _refinement
from skfair_runner.model_selection import SensitiveColumns
from skfair_runner.utils import ConstantClassifierWarning, SkfairRunnerWarning

AIM = "demographic_parity_difference"
OURS = "skfair_runner.utils.SkfairRunnerWarning"
# What little data and few epochs bring about.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:.*no point of the front:{OURS}"),
    pytest.mark.filterwarnings(f"ignore:.*held-out rows of group:{OURS}"),
]
# Two epochs on folds of 300 rows may end there.
may_be_constant = pytest.mark.filterwarnings(
    "ignore:.*all points but the one:skfair_runner.utils.ConstantClassifierWarning"
)


def fit(front, people, **told):
    X, y, groups = people
    return front.fit(X, y, **(told or {"sensitive_features": groups}))


# What is refused


def test_a_front_without_groups_is_not_sent_to_plain_training(make_front, people):
    with pytest.raises(ValueError, match="compares groups.*sex'.$") as told:
        make_front().fit(*people[:2])
    assert "constraint=None" not in str(told.value)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"constraint": None}, ValueError, "RunnerFrontier.fit: the estimator has con"),
        (
            {"max_epochs": 0},
            ValueError,
            "RunnerFrontier.fit: .* max_epochs=0, and with",
        ),
        (
            {"difference_bound": None, "alpha": 0},
            ValueError,
            "RunnerFrontier.fit: .* alpha=0 and output_weight=None, so that its repair",
        ),
        ({"n_points": 2}, ValueError, "'n_points' parameter .* Got 2"),
        ({"select": 1.5}, ValueError, "'select' parameter .* Got 1.5"),
        ({"select": True}, TypeError, "RunnerFrontier.fit: select=True is no differ"),
        ({"select": "elbow"}, ValueError, "'select' parameter .* Got 'elbow'"),
        ({"validation_fraction": 1.0}, ValueError, "'validation_fraction' .* Got 1.0"),
        ({"confidence_level": 0}, ValueError, "'confidence_level' .* Got 0"),
        ({"n_bootstrap": 0}, ValueError, "'n_bootstrap' parameter .* Got 0"),
        ({"output_weight": 0.3}, ValueError, "output_weight=0.3 and\n?.*0.05"),
        ({"alpha": -1}, ValueError, "'alpha' parameter .* Got -1"),
        ({"pos_label": 7}, ValueError, "7"),
        ({"checkpoint": "a"}, ValueError, "RunnerFrontier.fit: .* checkpoint='a'"),
        ({"confident": True}, ValueError, "RunnerFrontier.fit: .* select is 'knee'"),
        ({"confident": 3}, ValueError, "'confident' parameter .* Got 3"),
    ],
)
def test_what_cannot_be_trained_is_refused(make_front, people, options, error, message):
    front = make_front(**options)
    with pytest.raises(error, match=message):
        fit(front, people)
    assert not hasattr(front, "classifier_")


def test_another_kind_of_estimator_is_refused(people):
    with pytest.raises(ValueError, match="'estimator' parameter .* Got StandardScaler"):
        fit(RunnerFrontier(StandardScaler()), people)


def test_groups_are_required_by_name(make_front, people):
    with pytest.raises(ValueError, match="RunnerFrontier.fit .*`sensitive_features`"):
        make_front().fit(*people[:2])


def test_nothing_is_told_before_fit(make_front, people):
    front = make_front()
    for call in (
        lambda: front.at(weight=0.5),
        lambda: front.refine(*people[:2], weight=0.5),
        front.plot,
        front.plot_neurons,
        lambda: front.predict(people[0]),
        lambda: front.predict_proba(people[0]),
    ):
        with pytest.raises(NotFittedError, match="RunnerFrontier"):
            call()


def test_a_refit_that_fails_leaves_the_front_as_it_was(front, people):
    before = front.predict_proba(people[0])
    with pytest.raises(ValueError, match="has 597 rows, X has 600"):
        fit(front, (people[0], people[1], people[2][:-3]))
    assert_array_equal(front.predict_proba(people[0]), before)


# Choosing


def test_at_agrees_with_the_table(front, people):
    table = front.frontier_
    for bound in (0.25, 0.1, 0.05):
        within = table[(table[AIM] <= bound) & ~table["constant"]]
        if within.empty:
            continue
        expected = within.loc[within["accuracy"].idxmax(), "weight"]
        assert_array_equal(
            front.at(difference=bound).predict_proba(people[0]),
            front.at(weight=expected).predict_proba(people[0]),
        )
    enough = table["accuracy"].median()
    usable = table[(table["accuracy"] >= enough) & ~table["constant"]]
    assert_array_equal(
        front.at(accuracy=enough).predict_proba(people[0]),
        front.at(weight=usable.loc[usable[AIM].idxmin(), "weight"]).predict_proba(
            people[0]
        ),
    )


def test_the_table_is_of_the_rows_that_fit_was_given(make_front, people):
    X, y, groups = people
    train, valid = slice(0, 400), slice(400, None)
    front = make_front().fit(
        X[train],
        y[train],
        sensitive_features=groups[train],
        X_val=X[valid],
        y_val=y[valid],
        sensitive_features_val=groups[valid],
    )
    for row in front.frontier_.to_dict("records"):
        clf = front.at(weight=row["weight"])
        assert row["accuracy"] == clf.score(X[valid], y[valid])
        rates = pd.Series(clf.predict(X[valid]) == 1).groupby(groups[valid].to_numpy())
        spread = rates.mean().max() - rates.mean().min()
        assert row[AIM] == pytest.approx(spread)


def test_the_warning_of_an_unmet_bound_names_the_callers_line(front):
    front.frontier_[AIM] += 0.1
    with pytest.warns(SkfairRunnerWarning, match="RunnerFrontier.at: no point") as all_:
        front.at(difference=0.05)
    assert all_[0].filename == __file__


@pytest.mark.filterwarnings("ignore:.*constant:skfair_runner.utils.SkfairRunnerWarning")
def test_the_warning_of_few_rows_names_the_callers_line(make_front, people):
    X, y, groups = (part[:70] for part in people)
    with pytest.warns(
        SkfairRunnerWarning, match="RunnerFrontier.fit: only .* held-out rows"
    ) as all_:
        fit(make_front(), (X, y, groups))
    told = [w for w in all_ if "held-out rows of group" in str(w.message)]
    assert told[0].filename == __file__


def test_refine_names_itself(front, people):
    with pytest.raises(ValueError, match="RunnerFrontier.refine takes exactly one"):
        front.refine(*people[:2], sensitive_features=people[2])


def test_the_selected_point_predicts(front, people):
    (selected,) = front.frontier_.loc[front.frontier_["selected"], "weight"]
    assert_array_equal(
        front.predict_proba(people[0]),
        front.at(weight=selected).predict_proba(people[0]),
    )
    assert_array_equal(
        front.predict(people[0]),
        front.classes_[front.predict_proba(people[0]).argmax(axis=1)],
    )
    assert front.score(*people[:2]) == (front.predict(people[0]) == people[1]).mean()


@pytest.mark.parametrize("select", [0.08, lambda table: 2])
def test_select_is_a_bound_or_a_function(make_front, people, select):
    front = fit(make_front(select=select), people)
    position = np.flatnonzero(front.frontier_["selected"])
    table = front.frontier_
    if callable(select):
        assert position == [2]
    else:
        within = table[table[AIM] <= select]
        expected = within["accuracy"].idxmax() if len(within) else table[AIM].idxmin()
        assert position == [expected]


def test_a_front_without_a_living_point_is_told(make_front, people):
    X, _, groups = people
    y = np.zeros(len(X), dtype=int)
    for name in ("female", "male"):
        y[np.flatnonzero(groups == name)[:10]] = 1
    with pytest.warns(ConstantClassifierWarning, match="all 5 points are constant"):
        make_front().fit(X, y, sensitive_features=groups)


def test_a_front_of_which_no_repaired_point_lives_is_told(front):
    front.frontier_["constant"] = front.frontier_["weight"] > 0
    with pytest.warns(
        ConstantClassifierWarning, match="RunnerFrontier: all points but the one"
    ):
        front._warn_if_constant()
    front.frontier_.loc[3, "constant"] = False
    front._warn_if_constant()  # no warning


def test_a_confident_bound_selects_by_the_upper_end(front, people):
    table = front.frontier_
    bound = round(float(table[f"{AIM}_high"].median()), 3)
    confident = clone(front).set_params(select=bound, confident=True)
    fit(confident, people)
    (selected,) = confident.frontier_[confident.frontier_["selected"]].index
    within = table[table[f"{AIM}_high"] <= bound]
    assert selected == within["accuracy_low"].idxmax()
    assert confident.n_held_out_ == 120


# Points


def test_weight_zero_is_the_biased_model(make_front, people):
    """That is, a classifier that was trained on the same rows without a repair."""
    from skfair_runner.frontier._held_out import hold_out

    front = fit(make_front(), people)
    rows = hold_out(front.estimator, *people, fraction=0.2, seed=0, caller="me").train
    plain = clone(front.estimator).set_params(max_epochs=0, random_state=0)
    plain.fit(rows[0], rows[1], sensitive_features=rows[2])
    assert_array_equal(
        front.at(weight=0).predict_proba(people[0]), plain.predict_proba(people[0])
    )


def test_the_repair_lowers_the_difference(front):
    table = front.frontier_
    assert table[AIM].iloc[-1] < table[AIM].iloc[0] - 0.1


def test_points_are_plain_classifiers(front, people, tmp_path):
    clf = front.at(weight=0.4)
    assert type(clf) is RunnerFairClassifier
    expected = clf.predict_proba(people[0])
    again = pickle.loads(pickle.dumps(clf))
    assert_array_equal(again.predict_proba(people[0]), expected)
    assert len(pickle.dumps(clf)) < len(pickle.dumps(front))
    assert set(np.unique(clf.predict(people[0]))) <= {0, 1}
    assert clone(clf).get_params()["difference_bound"] == clf.difference_bound


def test_points_are_saved_and_loaded(front, people, tmp_path):
    pytest.importorskip("safetensors")
    from skfair_runner import export_onnx, load, save

    clf = front.at(weight=0.4)
    save(clf, tmp_path / "point")
    again = load(tmp_path / "point")
    assert_array_equal(again.predict_proba(people[0]), clf.predict_proba(people[0]))
    pd.testing.assert_frame_equal(again.neuron_importance_, clf.neuron_importance_)
    assert again.net_.plan.alpha == clf.net_.plan.alpha
    message = "takes .* got a RunnerFrontier: pass one of its points, as in front.at"
    with pytest.raises(TypeError, match=message):
        export_onnx(front, tmp_path / "front.onnx")
    with pytest.raises(TypeError, match=message):
        save(front, tmp_path / "front")


@pytest.mark.slow
def test_points_are_exported(front, people, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    from onnx.reference import ReferenceEvaluator

    from skfair_runner import export_onnx

    clf = front.at(weight=0.4)
    export_onnx(clf, tmp_path / "point.onnx")
    X = people[0].to_numpy(dtype=np.float32)
    session = ReferenceEvaluator(onnx.load(tmp_path / "point.onnx"))
    (proba,) = session.run(None, {"X": X})
    assert_allclose(proba, clf.predict_proba(people[0]), atol=1e-5)


def test_a_point_is_trained_further(front, people):
    X, y, groups = people
    clf = front.at(weight=0.4)
    clf.partial_fit(X, y, sensitive_features=groups)
    assert len(clf.history_) == len(front._trained.history_) + 1


def test_the_front_is_pickled_without_what_training_needs(front, people):
    again = pickle.loads(pickle.dumps(front))
    assert_array_equal(
        again.at(weight=0.7).predict_proba(people[0]),
        front.at(weight=0.7).predict_proba(people[0]),
    )
    assert not again._trained.net_.optimizer_.state


# Refinement


@pytest.mark.parametrize(
    ("max_epochs", "error", "message"),
    [
        ("auto", TypeError, "RunnerFrontier.refine: max_epochs='auto' is no whole"),
        (True, TypeError, "max_epochs=True is no whole number"),
        (0, ValueError, "RunnerFrontier.refine: max_epochs=0 is below 1"),
    ],
)
def test_a_refinement_takes_some_epochs(front, people, max_epochs, error, message):
    X, y, groups = people
    with pytest.raises(error, match=message):
        front.refine(X, y, sensitive_features=groups, weight=1, max_epochs=max_epochs)


def test_a_refined_point_keeps_its_difference(front, people):
    X, y, groups = people
    clf = front.at(weight=1.0)
    refined = front.refine(X, y, sensitive_features=groups, weight=1.0, max_epochs=2)
    assert type(refined) is RunnerFairClassifier
    assert refined.max_epochs == 2 and len(refined.history_) == len(clf.history_) + 2
    assert refined.difference_bound <= clf.difference_bound
    told = {"sensitive_features": groups}
    from fairlearn.metrics import demographic_parity_difference

    biased, before, after = (
        demographic_parity_difference(y, each.predict(X), **told)
        for each in (front.at(weight=0), clf, refined)
    )
    assert max(before, after) < biased / 2
    # Neither the front nor its point has moved.
    assert_array_equal(front.at(weight=1.0).predict_proba(X), clf.predict_proba(X))


@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
def test_a_refinement_corrects_for_the_sampling_of_its_own_rows(make_front, people):
    X, y, groups = people
    front = fit(make_front(sampling="group_label"), people)
    rows = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[::4]])
    part = X.iloc[rows], np.asarray(y)[rows], np.asarray(groups)[rows]
    refined = front.refine(
        *part[:2], sensitive_features=part[2], weight=0.5, max_epochs=1
    )
    # Drawn as often as the other label, the favourable one is rarer than before.
    shift = refined.net_.task.logit_shift - front.at(weight=0.5).net_.task.logit_shift
    assert shift.item() == pytest.approx(np.log(4), abs=0.2)


@pytest.mark.filterwarnings("ignore:RunnerFrontier.refine. on these rows")
def test_a_refinement_to_a_bound_aims_at_it(front, people):
    X, y, groups = people
    refined = front.refine(
        X, y, sensitive_features=groups, difference=0.1, max_epochs=1
    )
    assert refined.difference_bound <= 0.1


@pytest.mark.parametrize(
    ("after", "gains"),
    [
        ((0.79, 0.05), True),
        ((0.81, 0.1), True),
        ((0.7, 0.0), False),
        ((0.8, 0.2), False),
    ],
)
def test_a_refinement_that_makes_a_point_worse_hands_out_the_point(
    front, people, monkeypatch, after, gains
):
    """Asked for .05, of an accuracy of .8 counts .8 less 1.5 times .05."""
    X, y, groups = people
    found = iter([(0.8, 0.1), after])
    monkeypatch.setattr(_refinement, "_accuracy_and_difference", lambda *_: next(found))

    def refined():
        return front.refine(
            X, y, sensitive_features=groups, difference=0.05, max_epochs=1
        )

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "RunnerFrontier.refine: no point")
        point = front.at(difference=0.05)
        n_epochs = len(point.history_)
        if gains:
            assert len(refined().history_) == n_epochs + 1
            return
        message = (
            r"RunnerFrontier.refine: on these rows .* accuracy of 0.8000 and a "
            r"difference of 0.1000; refined it would have .*, which is worse\. The"
        )
        with pytest.warns(SkfairRunnerWarning, match=message) as caught:
            handed_out = refined()
    assert caught[0].filename == __file__
    assert_array_equal(handed_out.predict_proba(X), point.predict_proba(X))


def test_a_guessed_favourable_label_is_told(make_front, people):
    X, y, groups = people
    words = np.where(np.asarray(y) == 1, "hired", "not")
    with pytest.warns(
        SkfairRunnerWarning, match="those of 'not', since .* pos_label='hired'"
    ) as caught:
        make_front().fit(X, words, sensitive_features=groups)
    assert caught[0].filename == __file__
    make_front(pos_label="hired").fit(X, words, sensitive_features=groups)


def test_a_refinement_refuses_a_group_that_it_does_not_know(front, people):
    X, y, groups = people
    with pytest.raises(ValueError, match="unknown"):
        front.refine(
            X, y, sensitive_features=groups.replace("male", "unknown"), weight=1
        )


def test_an_interrupted_refinement_leaves_the_front(front, people, monkeypatch):
    X, y, groups = people
    before = front.at(weight=1).predict_proba(X)
    interrupt_after(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        front.refine(X, y, sensitive_features=groups, weight=1)
    assert_array_equal(front.at(weight=1).predict_proba(X), before)


# The same each time


def test_the_same_seed_gives_the_same_front(make_front, people):
    one, other = (fit(make_front(), people) for _ in range(2))
    pd.testing.assert_frame_equal(one.frontier_, other.frontier_)
    pd.testing.assert_frame_equal(one.neurons_, other.neurons_)
    assert_array_equal(one.predict_proba(people[0]), other.predict_proba(people[0]))
    another = fit(make_front(random_state=1), people)
    assert not one.frontier_["accuracy"].equals(another.frontier_["accuracy"])


def test_an_instance_of_randomness_is_read_once(make_front, people):
    one, other = (
        fit(make_front(random_state=np.random.RandomState(3)), people) for _ in range(2)
    )
    pd.testing.assert_frame_equal(one.frontier_, other.frontier_)


def test_global_randomness_is_left_alone(make_front, people):
    np.random.seed(0)
    torch.manual_seed(0)
    before = np.random.get_state()[1].copy(), torch.random.get_rng_state()
    front = fit(make_front(), people)
    front.at(weight=0.3)
    front.refine(
        people[0], people[1], sensitive_features=people[2], weight=1, max_epochs=1
    )
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.random.get_rng_state(), before[1])


def test_what_was_passed_is_not_changed(make_front, people):
    n = people[0].shape[1]
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(n, 6), nn.ReLU(), nn.Linear(6, 1))
    weights = copy.deepcopy(module.state_dict())
    front = make_front(module=module, warmup_epochs=0, max_epochs=2)
    estimator, parameters = front.estimator, dict(vars(front.estimator))
    before = [part.copy() for part in people]
    fit(front, people)
    for part, copied in zip(people, before, strict=True):
        assert part.equals(copied)
    assert front.estimator is estimator and vars(estimator) == parameters
    assert module.state_dict().keys() == weights.keys()
    assert all(torch.equal(weights[k], v) for k, v in module.state_dict().items())
    # A trained module is the point without repair.
    with torch.no_grad():
        logits = module(torch.tensor(people[0].to_numpy(), dtype=torch.float32))
    assert_allclose(
        front.at(weight=0).predict_proba(people[0])[:, 1],
        logits.sigmoid()[:, 0],
        rtol=1e-5,
    )


# Interrupts


def interrupt_after(monkeypatch, n_steps):
    """Ctrl-C in the middle of a step."""
    from skfair_runner.net import RunnerNet

    step, taken = RunnerNet.train_step_single, []

    def stop(self, *args, **kwargs):
        taken.append(1)
        if len(taken) > n_steps:
            raise KeyboardInterrupt
        return step(self, *args, **kwargs)

    monkeypatch.setattr(RunnerNet, "train_step_single", stop)


def n_steps_per_epoch(front, people):
    settings = fit(clone(front), people)._trained.settings_
    return -(-480 // settings["batch_size"])


def test_an_interrupt_in_the_repair_keeps_what_was_trained(
    make_front, people, monkeypatch
):
    front = make_front()
    each = n_steps_per_epoch(front, people)
    interrupt_after(monkeypatch, 4 * each + 3 * each)
    with pytest.raises(KeyboardInterrupt):
        fit(front, people)
    assert len(front.frontier_) == 5
    assert front.at(weight=0.5).predict(people[0]).shape == (600,)
    assert len(front._trained.history_) in (7, 8)


def test_an_interrupt_before_the_repair_leaves_everything_as_it_was(
    make_front, front, people, monkeypatch
):
    interrupt_after(monkeypatch, 3)
    fresh = make_front()
    with pytest.raises(KeyboardInterrupt):
        fit(fresh, people)
    assert not hasattr(fresh, "frontier_") and not hasattr(fresh, "n_features_in_")
    before = front.predict_proba(people[0])
    with pytest.raises(KeyboardInterrupt):
        fit(front, people)
    assert_array_equal(front.predict_proba(people[0]), before)


def test_a_callback_that_ends_a_phase_ends_no_more(make_front, people):
    from skorch.callbacks import Callback

    class Enough(Callback):
        def on_epoch_end(self, net, **kwargs):
            if net.phase_ == "repair" and len(net.history) == 6:
                raise KeyboardInterrupt

    front = fit(make_front(callbacks=[Enough()]), people)
    assert len(front._trained.history_) == 6


# Data of every kind


@pytest.mark.parametrize(
    "constraint",
    ["equalized_odds", "true_positive_rate_parity", "false_positive_rate_parity"],
)
def test_every_constraint_has_its_own_difference(make_front, people, constraint):
    front = fit(make_front(constraint), people)
    expected = {
        "equalized_odds": "equalized_odds_difference",
        "true_positive_rate_parity": "equal_opportunity_difference",
        "false_positive_rate_parity": "false_positive_rate_difference",
    }
    assert front.difference_ == expected[constraint]
    assert front.difference_ in front.frontier_


def test_string_labels_are_predicted(make_front, people):
    X, y, groups = people
    y = np.where(y == 1, "hired", "declined")
    front = make_front("true_positive_rate_parity", pos_label="hired")
    front.fit(X, y, sensitive_features=groups)
    assert set(front.predict(X)) <= {"hired", "declined"}
    assert front.classes_.tolist() == ["declined", "hired"]


@pytest.mark.filterwarnings(
    "ignore:.*held-out rows:skfair_runner.utils.SkfairRunnerWarning"
)
@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_three_labels_and_crossed_groups(make_front, people, constraint):
    X, y, groups = people
    y = np.where(X["skill_test"] > 0.8, 2, y)
    two = pd.DataFrame({"gender": groups, "half": np.arange(600) % 2}, index=X.index)
    front = make_front(constraint).fit(X, y, sensitive_features=two)
    assert front.predict_proba(X).shape == (600, 3)
    assert ("female", 0) in front.groups_ and len(front.groups_) == 4
    assert front.at(weight=0.4).predict(X).shape == (600,)
    assert front.frontier_["accuracy"].between(0, 1).all()


def test_sparse_tables_and_arrays_give_the_same_front(make_front, people):
    X, y, groups = people
    X = X.to_numpy(dtype=np.float32)
    dense = make_front().fit(X, y.to_numpy(), sensitive_features=groups.to_numpy())
    matrix = sparse.csr_matrix(X)
    thin = make_front().fit(matrix, y.to_numpy(), sensitive_features=list(groups))
    assert_allclose(dense.predict_proba(X), thin.predict_proba(matrix), atol=1e-5)
    assert dense.n_features_in_ == thin.n_features_in_ == X.shape[1]


def test_columns_of_X_may_hold_the_groups(make_front, people):
    X, y, groups = people
    front = make_front(sensitive_columns="gender")
    front.fit(X.assign(gender=groups), y)
    apart = fit(make_front(), people)
    assert_array_equal(front.predict_proba(X), apart.predict_proba(X))
    assert_array_equal(
        front.predict_proba(X.assign(gender=groups)), apart.predict_proba(X)
    )
    assert front.n_features_in_ == X.shape[1]
    with pytest.raises(ValueError, match="sensitive_columns='gender': pass one"):
        front.fit(X.assign(gender=groups), y, sensitive_features=groups)


def test_a_gap_of_ones_own_reaches_to_a_fixed_weight(make_front, people):
    def gap(y_true, y_score, groups):
        return (y_score[groups == 0].mean() - y_score[groups == 1].mean()).abs()

    front = make_front(gap, difference_bound=None, output_weight=1.0, lr=0.02)
    fit(front, people)
    assert front.difference_ == AIM
    assert front.at(weight=0.4).output_weight == pytest.approx(0.4)
    assert front.at(weight=0.4).net_.controller_ is None
    refined = front.refine(
        people[0], people[1], sensitive_features=people[2], weight=0.4, max_epochs=1
    )
    assert refined.difference_bound is None
    with pytest.raises(ValueError, match="difference_bound=0.05 bounds rates"):
        fit(make_front(gap), people)


def test_a_fixed_weight_of_a_named_gap(make_front, people):
    front = fit(make_front(difference_bound=None, output_weight=1.0), people)
    assert front.at(weight=0.5).net_.plan.output_weight == 0.5


@pytest.mark.parametrize("importance", ["weight", "ablation"])
def test_every_importance_has_a_front(make_front, people, importance):
    front = fit(make_front(importance=importance, n_points=3, max_epochs=2), people)
    assert (front.neurons_["importance"] >= 0).all()
    assert front.neurons_["importance"].max() > 0


class Normalised(nn.Module):
    """As many vision modules are: no bias before a batch normalisation."""

    def __init__(self, n_features=6):
        super().__init__()
        self.first = nn.Linear(n_features, 8, bias=False)
        self.norm, self.act, self.out = nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1)

    def forward(self, x):
        return self.out(self.act(self.norm(self.first(x))))


def test_a_module_with_batch_normalisation_has_a_front(make_front, people):
    front = fit(make_front(module=Normalised, lr=0.02), people)
    assert len(front._trained.net_.front_.statistics) == 8
    table = front.frontier_
    assert table[AIM].iloc[-1] < table[AIM].iloc[0]


def test_balanced_batches_and_early_stopping_go_together(make_front, people):
    fit(make_front(sampling="group_label", early_stopping=True), people)


# In scikit-learn's tools


@may_be_constant
@pytest.mark.parametrize("routing", [False, True], ids=["routing off", "routing on"])
def test_a_search_over_the_estimators_parameters(make_front, people, routing):
    X, y, groups = people
    front = make_front(n_points=3, max_epochs=2, select=0.5)
    search = GridSearchCV(
        front, {"estimator__alpha": [0.0, 0.5]}, cv=2, error_score="raise"
    )
    with config_context(enable_metadata_routing=routing):
        search.fit(X, y, sensitive_features=groups)
    assert search.best_estimator_.estimator.alpha in (0.0, 0.5)
    assert search.predict(X).shape == (600,)


@may_be_constant
@pytest.mark.parametrize("routing", [False, True], ids=["routing off", "routing on"])
def test_a_pipeline_hands_groups_on(make_front, people, routing):
    X, y, groups = people
    pipe = make_pipeline(StandardScaler(), make_front(n_points=3, max_epochs=2))
    name = "sensitive_features" if routing else "runnerfrontier__sensitive_features"
    with config_context(enable_metadata_routing=routing):
        pipe.fit(X, y, **{name: groups})
    assert pipe.predict(X).shape == (600,)


@pytest.mark.parametrize("routing", [False, True], ids=["routing off", "routing on"])
def test_sensitive_columns_hand_groups_on(make_front, people, routing):
    X, y, groups = people
    inner = make_pipeline(StandardScaler(), make_front(n_points=3, max_epochs=2))
    model = SensitiveColumns(inner, "gender")
    with config_context(enable_metadata_routing=routing):
        model.fit(X.assign(gender=groups), y)
    assert model.predict(X.assign(gender=groups)).shape == (600,)


# Pictures


def test_the_front_is_drawn_with_its_own_difference(make_front, people):
    front = fit(make_front("equalized_odds", n_points=3, max_epochs=2), people)
    display = front.plot()
    assert display.ax_.get_xlabel().startswith("equalized odds difference")
    others = front.frontier_[["accuracy", "equalized_odds_difference"]].head(1)
    display = front.plot(
        utility="average_precision", difference="abcc", name="this", number=1
    )
    assert display.ax_.get_ylabel().startswith("average precision")
    assert "this" in display.ax_.get_legend_handles_labels()[1]
    assert "others" in (front.plot(reference=others).ax_.get_legend_handles_labels()[1])


def test_the_neurons_are_drawn(front):
    display = front.plot_neurons()
    assert list(display.tables_) == ["relu1", "relu2"]
    assert display.tables_["relu1"].shape == (12, 9)
    assert front.plot_neurons(measure="importance").tables_["relu2"].shape == (8, 9)
