import copy
import math
import pickle

import fairlearn.metrics as fairlearn
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from skorch.callbacks import Callback
from torch import nn
from torch.testing import assert_close

from skfair_runner._callbacks import make_early_stopping
from skfair_runner.distances import resolve_distance
from skfair_runner.gaps import (
    demographic_parity_gap,
    equalized_odds_gap,
    resolve_constraint,
)
from skfair_runner.net import RunnerNet
from skfair_runner.tasks import RepairPlan, Task, as_logits


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def make_data(n=300, n_labels=2, n_groups=2, seed=0, base_rate=0.4):
    """X, y, groups: the first feature decides, and group 0 has more of it."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, n_groups, n)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    X[:, 0] += 1.0 * (groups == 0)
    noisy = X[:, 0] + rng.normal(size=n)
    borders = np.quantile(noisy, np.linspace(1 - base_rate, 1, n_labels)[:-1])
    return X, np.searchsorted(borders, noisy).astype(np.int64), groups


def make_dataset(net, data, weights=None):
    X, y, groups = data
    return net.dataset({"X": X, "groups": groups, "weights": weights}, y)


def make_plan(constraint="demographic_parity", **changes):
    settings = {
        "distance": resolve_distance("l1"),
        "importance": "activation",
        "alpha": 0.1,
        "top_k": 0.5,
        "diagnose_every": 2,
        "output_weight": 0.0,
        "difference_bound": 0.05,
        "gain": 0.02,
        "memory": 0.9,
        "sharpness": (1.0, 5.0),
    }
    return RepairPlan(resolve_constraint(constraint), **(settings | changes))


def make_module(n_outputs=1, dropout=0.0):
    return nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, n_outputs)
    )


def make_net(plan=None, task=None, module=None, **kwargs):
    task = task or Task(2, 2)
    n_outputs = 1 if task.n_labels == 2 else task.n_labels
    settings = {"lr": 0.01, "max_epochs": 3, "warmup_epochs": 2, "batch_size": 50}
    settings |= {"optimizer": torch.optim.Adam, "verbose": 0}
    settings |= {"iterator_train__shuffle": True}
    return RunnerNet(
        module or make_module(n_outputs), task=task, plan=plan, **(settings | kwargs)
    )


def column_of(net, name):
    return [row.get(name) for row in net.history]


class Watch(Callback):
    """Call `act(net)` after every step, or after every epoch, and keep the results."""

    def __init__(self, act, when="batch"):
        self.act, self.when, self.seen = act, when, []

    def on_batch_end(self, net, training=False, **kwargs):
        if training and self.when == "batch":
            self.seen.append(self.act(net))

    def on_epoch_end(self, net, **kwargs):
        if self.when == "epoch":
            self.seen.append(self.act(net))


ODDS = math.log(0.8 / 0.2)


@pytest.mark.parametrize(
    ("output", "n_labels", "kind", "expected"),
    [
        ([0.5, -2.0], 2, "logits", [[0.5], [-2.0]]),
        ([[0.5], [-2.0]], 2, "logits", [[0.5], [-2.0]]),
        ([[1.0, 3.0], [0.0, -1.0]], 2, "logits", [[2.0], [-1.0]]),
        ([0.8, 0.5], 2, "probabilities", [[ODDS], [0.0]]),
        ([[0.8], [0.5]], 2, "probabilities", [[ODDS], [0.0]]),
        ([[0.2, 0.8], [0.5, 0.5]], 2, "probabilities", [[ODDS], [0.0]]),
        ([[1.0, 2.0, 3.0]], 3, "logits", [[1.0, 2.0, 3.0]]),
        (
            [[0.2, 0.3, 0.5]],
            3,
            "probabilities",
            [[math.log(0.2), math.log(0.3), math.log(0.5)]],
        ),
    ],
)
def test_outputs_of_every_form_become_logits(output, n_labels, kind, expected):
    found = as_logits(torch.tensor(output), n_labels, kind)
    assert_close(found, torch.tensor(expected))


def test_probabilities_of_zero_and_one_become_finite_logits():
    hard = torch.tensor([0.0, 1.0])
    assert as_logits(hard, 2, "probabilities").isfinite().all()
    assert as_logits(torch.eye(3), 3, "probabilities").isfinite().all()


@pytest.mark.parametrize(
    ("shape", "n_labels", "message"),
    [
        ((5, 3), 2, r"shape \(5, 3\) for 2 classes; .* \(n, 1\), \(n,\) or \(n, 2\)"),
        ((5,), 3, r"shape \(5,\) for 3 classes; it should emit \(n, 3\)"),
        ((5, 1), 4, r"shape \(5, 1\) for 4 classes; it should emit \(n, 4\)"),
        ((5, 1, 2), 2, r"shape \(5, 1, 2\) for 2 classes"),
    ],
)
def test_outputs_that_do_not_fit_the_classes_are_told_their_shape(
    shape, n_labels, message
):
    with pytest.raises(ValueError, match=message):
        as_logits(torch.zeros(shape), n_labels, "logits")


def test_an_output_that_is_no_tensor_is_told_its_type():
    with pytest.raises(TypeError, match="emits a tuple.* for the 2 classes"):
        as_logits((torch.zeros(5),), 2, "logits")


def test_the_history_tells_the_phases():
    net = make_net(make_plan())
    net.fit_phases(make_dataset(net, make_data()))
    assert column_of(net, "phase") == ["warm-up"] * 2 + ["repair"] * 3
    assert column_of(net, "epoch") == [1, 2, 3, 4, 5]
    for name in ("multipliers", "guard", "alpha", "n_selected", "selected"):
        told = [value is not None for value in column_of(net, name)]
        assert told == [False, False, True, True, True], name
    assert column_of(net, "n_selected")[2:] == [4, 4, 4]
    for name in ("train_loss", "train_gap", "train_difference"):
        assert all(value >= 0 for value in column_of(net, name))


def test_a_net_without_a_plan_trains_plainly_through_both_phases():
    net = make_net(task=Task(2, 0))
    net.fit_phases(make_dataset(net, make_data()))
    assert column_of(net, "phase") == ["warm-up"] * 2 + ["repair"] * 3
    assert "train_gap" not in net.history[-1]
    assert net.before_ is None
    losses = column_of(net, "train_loss")
    assert losses[-1] < losses[0]


def test_a_repair_without_penalty_takes_the_steps_of_plain_training():
    data, states = make_data(), []
    for plan in (None, make_plan(alpha=0.0, difference_bound=None)):
        torch.manual_seed(0)
        net = make_net(plan)
        net.fit_phases(make_dataset(net, data))
        states.append(net.module_.state_dict())
    assert_close(*states)


def test_the_biased_model_is_diagnosed_between_the_phases():
    net = make_net(make_plan(), warmup_epochs=4)
    train = make_dataset(net, make_data())
    net.fit_phases(train)
    torch.manual_seed(0)
    biased = make_net(make_plan(), warmup_epochs=4, max_epochs=0)
    biased.fit_phases(make_dataset(biased, make_data()))
    found = biased.diagnose(train, "activation")
    assert net.before_.gap == pytest.approx(found.gap)
    assert_close(net.before_.importance, found.importance)


@pytest.mark.parametrize(("warmup_lr", "scale"), [(None, 1.0), (0.03, 3.0)])
def test_the_learning_rate_rises_linearly_and_falls_by_a_cosine_in_each_phase(
    warmup_lr, scale
):
    """300 rows in batches of 10: 30 steps an epoch; 20 steps of rise."""
    rates = Watch(lambda net: net.optimizer_.param_groups[0]["lr"])
    net = make_net(batch_size=10, warmup_lr=warmup_lr, callbacks=[("watch", rates)])
    net.fit_phases(make_dataset(net, make_data()))

    expected = []
    for steps, factor in ((60, scale), (90, 1.0)):
        for t in range(steps):
            rise = min(1.0, (t + 1) / 20)
            fall = (1 + math.cos(math.pi * t / steps)) / 2
            expected.append(0.01 * factor * rise * fall)
    assert dict(net.callbacks_)["watch"].seen == pytest.approx(expected)


def test_a_constant_learning_rate_stays():
    rates = Watch(lambda net: net.optimizer_.param_groups[0]["lr"])
    net = make_net(
        lr_schedule="constant", warmup_lr=0.002, callbacks=[("watch", rates)]
    )
    net.fit_phases(make_dataset(net, make_data()))
    seen = dict(net.callbacks_)["watch"].seen
    assert seen == pytest.approx([0.002] * 12 + [0.01] * 18)


def test_parameter_groups_keep_the_ratio_of_their_learning_rates():
    rates = Watch(lambda net: [group["lr"] for group in net.optimizer_.param_groups])
    net = make_net(
        optimizer__param_groups=[("3.*", {"lr": 0.05})], callbacks=[("watch", rates)]
    )
    net.fit_phases(make_dataset(net, make_data()))
    for head, rest in dict(net.callbacks_)["watch"].seen:
        assert head == pytest.approx(5 * rest)


def test_the_criterion_is_the_weighted_mean():
    data, weights = make_data(), np.random.default_rng(0).random(300).astype("float32")
    net = make_net(task=Task(2, 0), batch_size=300, lr=1e-12)
    net.fit_phases(make_dataset(net, data, weights))
    logits = torch.from_numpy(net.decision_values(data[0]))[:, 0]
    losses = nn.functional.binary_cross_entropy_with_logits(
        logits, torch.from_numpy(data[1]).double(), reduction="none"
    )
    expected = np.average(losses, weights=weights)
    assert column_of(net, "train_loss") == pytest.approx([expected] * 5, rel=1e-5)


def test_the_criterion_of_several_classes_is_the_weighted_cross_entropy():
    data, weights = make_data(n_labels=3), np.linspace(0, 1, 300, dtype="float32")
    net = make_net(task=Task(3, 0), batch_size=300, lr=1e-12)
    net.fit_phases(make_dataset(net, data, weights))
    losses = nn.functional.cross_entropy(
        torch.from_numpy(net.decision_values(data[0])),
        torch.from_numpy(data[1]),
        reduction="none",
    )
    expected = np.average(losses, weights=weights)
    assert column_of(net, "train_loss") == pytest.approx([expected] * 5, rel=1e-5)


@pytest.mark.parametrize("shifted", [True, False])
def test_the_shift_makes_balanced_batches_calibrated(shifted):
    """A tenth of the labels are positive; the batches hold a half."""
    data = make_data(4000, base_rate=0.1)
    base_rate = data[1].mean()
    shift = np.array([-math.log(base_rate / (1 - base_rate))], dtype="float32")
    net = make_net(
        task=Task(2, 2, logit_shift=shift if shifted else None),
        iterator_train__sampling="group_label",
        batch_size=200,
        max_epochs=10,
    )
    net.fit_phases(make_dataset(net, data))
    mean = (1 / (1 + np.exp(-net.decision_values(data[0])))).mean()
    if shifted:
        assert mean == pytest.approx(base_rate, abs=0.03)
    else:
        assert mean > base_rate + 0.1


def test_cell_weights_give_balanced_batches_the_rates_of_the_data():
    data = make_data(2000, base_rate=0.2)
    X, y, groups = data
    shares = np.array(
        [[((y == a) & (groups == g)).mean() for g in (0, 1)] for a in (0, 1)]
    )
    net = make_net(
        make_plan(difference_bound=None),
        task=Task(2, 2, cell_weights=(shares * 4).astype("float32")),
        iterator_train__sampling="group_label",
        iterator_train__steps_per_epoch=40,
        batch_size=200,
        warmup_epochs=15,
    )
    train = make_dataset(net, data)
    net.fit_phases(train)
    net.lr, net.lr_schedule = 1e-12, "constant"
    net.train_phase("repair", train, None, 1)
    hard = (net.decision_values(X)[:, 0] > 0).astype(int)
    expected = fairlearn.demographic_parity_difference(
        y, hard, sensitive_features=groups
    )
    assert expected > 0.1
    assert net.history[-1]["train_difference"] == pytest.approx(expected, abs=0.02)


def test_corrections_hold_for_the_batches_that_are_trained_on_only():
    """Shares of cells multiply the weights; watched rows are taken as they are."""
    data, watched = make_data(300), make_data(200, seed=1)
    weights = np.linspace(0.1, 1, 300, dtype="float32")
    shares = np.array([[0.5, 2.0], [4.0, 1.0]], dtype="float32")
    shift = np.array([1.5], dtype="float32")
    net = make_net(
        make_plan(), Task(2, 2, 1, "logits", shift, shares), lr=1e-12, max_epochs=0
    )
    net.fit_phases(make_dataset(net, data, weights), make_dataset(net, watched))

    def entropy(X, y, shift, weights=None):
        logits = torch.from_numpy(net.decision_values(X)[:, 0] + shift)
        losses = nn.functional.binary_cross_entropy_with_logits(
            logits, torch.from_numpy(y).double(), reduction="none"
        )
        return np.average(losses, weights=weights)

    def difference(X, y, groups, weights=None):
        hard = (net.decision_values(X)[:, 0] > 0).astype(int)
        return fairlearn.demographic_parity_difference(
            y, hard, sensitive_features=groups, sample_weight=weights
        )

    X, y, groups = data
    row = net.history[-1]
    in_cells = weights * shares[y, groups]
    assert row["train_difference"] == pytest.approx(
        difference(*data, in_cells), abs=1e-5
    )
    assert row["valid_difference"] == pytest.approx(difference(*watched), abs=1e-5)
    assert row["valid_loss"] == pytest.approx(entropy(*watched[:2], 0), rel=1e-5)
    one_batch = make_net(net.plan, net.task, net.module_, lr=1e-12, batch_size=300)
    one_batch.fit_phases(make_dataset(net, data, weights))
    expected = entropy(X, y, 1.5, weights)
    assert one_batch.history[0]["train_loss"] == pytest.approx(expected, rel=1e-5)


METRICS = {
    "demographic_parity": (
        fairlearn.demographic_parity_difference,
        demographic_parity_gap,
    ),
    "equalized_odds": (fairlearn.equalized_odds_difference, equalized_odds_gap),
    "true_positive_rate_parity": (fairlearn.equal_opportunity_difference, None),
}


@pytest.mark.parametrize("constraint", sorted(METRICS))
@pytest.mark.parametrize("weighted", [False, True])
def test_the_differences_of_an_epoch_are_those_of_a_net_that_stands_still(
    constraint, weighted
):
    """With a learning rate of 1e-12, over uneven batches and on watched rows."""
    data, watched = make_data(310), make_data(120, seed=1)
    weights = np.linspace(0.1, 1, 310, dtype="float32") if weighted else None
    net = make_net(make_plan(constraint), lr=1e-12, warmup_epochs=1, max_epochs=1)
    train, valid = make_dataset(net, data, weights), make_dataset(net, watched)
    net.fit_phases(train, valid)

    difference, gap = METRICS[constraint]
    for prefix, (X, y, groups), w in (
        ("train", data, weights),
        ("valid", watched, None),
    ):
        logits = net.decision_values(X)[:, 0]
        expected = difference(
            y, (logits > 0).astype(int), sensitive_features=groups, sample_weight=w
        )
        found = column_of(net, f"{prefix}_difference")
        assert found == pytest.approx([expected] * 2, rel=1e-4)
        if gap is not None and w is None:
            scores = torch.from_numpy(logits).sigmoid()
            expected = gap(
                torch.from_numpy(y), scores, torch.from_numpy(groups), reduction="sum"
            )
            found = column_of(net, f"{prefix}_gap")
            assert found == pytest.approx([expected.item()] * 2, rel=1e-4)


def test_the_differences_of_several_classes_are_the_largest_of_them():
    data = make_data(310, n_labels=3, n_groups=3)
    net = make_net(
        make_plan(), task=Task(3, 3), lr=1e-12, warmup_epochs=1, max_epochs=0
    )
    net.fit_phases(make_dataset(net, data))
    X, y, groups = data
    chosen = net.decision_values(X).argmax(1)
    expected = max(
        fairlearn.demographic_parity_difference(
            y == c, chosen == c, sensitive_features=groups
        )
        for c in range(3)
    )
    assert column_of(net, "train_difference") == pytest.approx([expected], rel=1e-4)


def test_a_users_gap_has_no_rates_to_tell():
    def gap(y_true, y_score, groups):
        return (y_score[groups == 0].mean() - y_score[groups == 1].mean()) ** 2

    net = make_net(make_plan(gap, difference_bound=None, output_weight=1.0))
    net.fit_phases(make_dataset(net, make_data()))
    assert "train_difference" not in net.history[-1]
    assert net.history[-1]["n_selected"] == 4


def test_the_repair_reduces_what_is_aimed_at():
    data = make_data(1000)
    net = make_net(make_plan(gain=0.03), warmup_epochs=8, max_epochs=15)
    net.fit_phases(make_dataset(net, data))
    differences = column_of(net, "train_difference")
    assert differences[7] > 0.25
    assert differences[-1] < 0.6 * differences[7]


@pytest.mark.parametrize("bounded", [True, False])
def test_early_stopping_watches_what_is_aimed_at(bounded):
    """The criterion in the warm-up; in the repair the excess or the gap besides."""
    unbounded = {"difference_bound": None, "output_weight": 0.3, "alpha": 0.0}
    plan = make_plan(**({} if bounded else unbounded))
    net = make_net(plan, callbacks=make_early_stopping(50))
    net.fit_phases(make_dataset(net, make_data()), make_dataset(net, make_data(200)))
    for row in net.history:
        expected = row["valid_loss"]
        if row["phase"] == "repair" and bounded:
            expected += 1.5 * max(row["valid_difference"] - 0.05, 0)
        elif row["phase"] == "repair":
            expected_penalty = pytest.approx(0.3 * row["valid_gap"], rel=1e-4)
            assert row["valid_penalty"] == expected_penalty
            expected += row["valid_penalty"]
        assert row["valid_objective"] == pytest.approx(expected)
    repair = net.history[2:]
    assert any(row["valid_objective"] > row["valid_loss"] for row in repair)


def test_a_pickled_net_holds_its_module_once():
    wide = nn.Sequential(nn.Linear(4, 90_000), nn.ReLU(), nn.Linear(90_000, 1))
    net = make_net(module=wide, max_epochs=1, warmup_epochs=0)
    net.fit_phases(make_dataset(net, make_data()))
    net.optimizer_.state.clear()
    size = sum(p.nbytes for p in net.module_.parameters())
    pickled = pickle.dumps(net)
    assert len(pickled) < 1.5 * size
    again = pickle.loads(pickled)
    assert again.module is again.module_
    X = make_data()[0]
    assert_array_equal(again.decision_values(X), net.decision_values(X))
    copied = copy.deepcopy(net)
    assert copied.module is copied.module_ is not net.module_


def test_early_stopping_watches_the_neurons_where_they_alone_are_repaired():
    plan = make_plan(difference_bound=None, alpha=5.0)
    net = make_net(plan, max_epochs=30, callbacks=make_early_stopping(50))
    net.fit_phases(make_dataset(net, make_data()), make_dataset(net, make_data(200)))
    warm_up, repair = net.history[:2], net.history[2:]
    assert not any("valid_penalty" in row for row in warm_up)
    penalties = [row["valid_penalty"] for row in repair]
    assert penalties[-1] < 0.7 * max(penalties)
    for row in repair:
        expected = row["valid_loss"] + row["valid_penalty"]
        assert row["valid_objective"] == pytest.approx(expected)


def test_early_stopping_ends_a_phase_and_keeps_its_best_epoch():
    """With a wild learning rate nothing improves for long."""
    states = Watch(
        lambda net: {k: v.clone() for k, v in net.module_.state_dict().items()},
        "epoch",
    )
    net = make_net(
        make_plan(),
        lr=0.5,
        lr_schedule="constant",
        warmup_epochs=60,
        max_epochs=60,
        callbacks=[("watch", states), *make_early_stopping(3)],
    )
    net.fit_phases(make_dataset(net, make_data()), make_dataset(net, make_data(200)))
    phases = column_of(net, "phase")
    assert phases.count("warm-up") < 60
    assert 3 < phases.count("repair") < 60
    start = phases.index("repair")
    best = start + int(np.argmin(column_of(net, "valid_objective")[start:]))
    assert best == len(phases) - 4
    seen = dict(net.callbacks_)["watch"].seen
    assert_close(dict(net.module_.state_dict()), seen[best])


def test_early_stopping_rests_where_no_rows_are_watched():
    net = make_net(make_plan(), callbacks=make_early_stopping(1))
    net.fit_phases(make_dataset(net, make_data()))
    assert len(net.history) == 5


class StopAtEpoch(Callback):
    """Ask in skorch's way to stop, in the given epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise KeyboardInterrupt


def test_a_callback_ends_the_present_phase_only():
    net = make_net(make_plan(), warmup_epochs=5, callbacks=[StopAtEpoch(2)])
    net.fit_phases(make_dataset(net, make_data()))
    assert column_of(net, "phase") == ["warm-up"] * 2 + ["repair"] * 3


def test_an_interrupt_within_a_step_is_raised():
    class Interrupted(nn.Linear):
        def forward(self, x):
            if self.training:
                raise KeyboardInterrupt
            return super().forward(x)

    net = make_net(module=Interrupted(4, 1))
    with pytest.raises(KeyboardInterrupt):
        net.fit_phases(make_dataset(net, make_data()))


def test_neither_data_nor_penalty_outlive_a_phase():
    net = make_net(make_plan())
    net.fit_phases(make_dataset(net, make_data()), make_dataset(net, make_data(50)))
    assert net.valid_dataset_ is net.penalty_ is net.meters_ is None
    assert not any(m._forward_hooks for m in net.module_.modules())


def test_a_pickled_net_decides_the_same_and_goes_on_the_same():
    data = make_data()
    net = make_net(make_plan("equalized_odds"))
    train = make_dataset(net, data)
    net.fit_phases(train)

    again = pickle.loads(pickle.dumps(net))

    assert_allclose(again.decision_values(data[0]), net.decision_values(data[0]))
    assert len(again.history) == 5
    states = []
    for one in (net, again):
        torch.manual_seed(1)
        one.train_phase("repair", train, None, 2, fresh=False)
        states.append((one.module_.state_dict(), one.controller_.state_dict()))
    assert_close(*states)


def test_a_controller_goes_on_where_it_stood():
    net = make_net(make_plan())
    train = make_dataset(net, make_data())
    net.fit_phases(train)
    controller = net.controller_
    before = controller.state_dict()
    net.train_phase("repair", train, None, 1, fresh=False)
    assert net.controller_ is controller
    assert not torch.equal(controller.state_dict()["counts"], before["counts"])


@pytest.mark.parametrize("weighted", [False, True])
def test_selection_rates_are_shares_of_decisions(weighted):
    data = make_data(300, n_labels=3)
    weights = np.linspace(0.1, 1, 300, dtype="float32") if weighted else None
    net = make_net(task=Task(3, 0)).initialize()
    found = net.selection_rates(make_dataset(net, data, weights))
    chosen = net.decision_values(data[0]).argmax(1)
    expected = [np.average(chosen == c, weights=weights) for c in range(3)]
    assert found.tolist() == pytest.approx(expected)


def test_decision_values_come_without_dropout_in_float64_from_dense_and_sparse_rows():
    net = make_net(module=make_module(dropout=0.5)).initialize()
    X = make_data(9000)[0]
    values = net.decision_values(X)
    assert values.dtype == np.float64
    net.module_.eval()
    with torch.no_grad():
        expected = net.module_(torch.from_numpy(X)).double()
    assert_allclose(values, expected, rtol=1e-5, atol=1e-6)
    assert_allclose(net.decision_values(sparse.csr_matrix(X)), values)


def test_a_module_of_probabilities_trains_as_its_twin_of_logits():
    data, values = make_data(), []
    for output in ("logits", "probabilities"):
        torch.manual_seed(0)
        module = make_module()
        if output == "probabilities":
            module.append(nn.Sigmoid())
        net = make_net(make_plan(), Task(2, 2, output=output), module)
        net.fit_phases(make_dataset(net, data))
        values.append(net.decision_values(data[0]))
    assert_allclose(*values, rtol=1e-2, atol=1e-3)


def test_a_module_of_two_columns_trains_and_decides():
    data = make_data(1000)
    net = make_net(make_plan(difference_bound=0.3), module=make_module(2))
    net.fit_phases(make_dataset(net, data))
    values = net.decision_values(data[0])
    assert values.shape == (1000, 1)
    assert ((values[:, 0] > 0) == data[1]).mean() > 0.65


def test_a_training_that_diverges_names_epoch_phase_and_learning_rate():
    net = make_net(lr=1e30, lr_schedule="constant")
    with pytest.raises(ValueError, match=r"epoch \d \(warm-up\).*lr \(now 1e\+30\)"):
        net.fit_phases(make_dataset(net, make_data()))


@pytest.mark.parametrize(
    ("module", "output", "message"),
    [
        (nn.Linear(9, 1), "logits", r"does not take X, of shape \('n', 4\).*float32"),
        (nn.Linear(4, 3), "logits", r"shape \(2, 3\) for 2 classes"),
        (
            nn.Sequential(nn.Linear(4, 4), nn.Flatten(0)),
            "logits",
            "emits 8 rows for 2 rows",
        ),
        (nn.Linear(4, 1), "probabilities", "should emit probabilities, .* -"),
    ],
)
def test_a_module_that_does_not_fit_is_refused_before_training(module, output, message):
    if output == "probabilities":
        nn.init.constant_(module.bias, -50.0)
    net = make_net(task=Task(2, 0, output=output), module=module)
    with pytest.raises(ValueError, match=message):
        net.fit_phases(make_dataset(net, make_data()))


def test_an_unknown_callback_parameter_is_named_beside_the_callbacks():
    net = make_net(callbacks__early__patience=3)
    with pytest.raises(ValueError, match="'callbacks__early__patience'.*'epoch_timer'"):
        net.initialize()
