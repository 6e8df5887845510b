"""How a net computes, told without a device: on tensors that hold no numbers."""

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import skfair_runner._on_device
import skfair_runner._resident
from skfair_runner import RunnerFairClassifier, save
from skfair_runner._resident import ResidentDataset
from skfair_runner.batches import GroupedDataset
from skfair_runner.datasets import make_biased_classification
from skfair_runner.distances import resolve_distance
from skfair_runner.gaps import resolve_constraint
from skfair_runner.modules import ResNet18
from skfair_runner.net import RunnerNet
from skfair_runner.tasks import RepairPlan, Task

pytestmark = pytest.mark.filterwarnings(
    # Few epochs on few rows.
    "ignore::skfair_runner.utils.ConstantClassifierWarning"
)
N = 24


class Watch(TorchDispatchMode):
    """Refuses to wait for a device, and to copy to it from pageable memory."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        held = [a for a in args if isinstance(a, torch.Tensor)]
        on_device = any(a.is_meta for a in held)
        name = func.overloadpacket.__name__
        if name in ("_local_scalar_dense", "nonzero", "masked_select", "unique"):
            assert not on_device, f"{func} waits for the device"
        if name in ("_to_copy", "copy_"):
            device = kwargs.get("device", held[0].device)
            assert torch.device(device) == held[-1].device, f"{func} to {device}"
        return func(*args, **kwargs)


def small_net():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 1)
    )


def net_on_meta(monkeypatch, *, n_groups=2, constraint="equalized_odds", **changes):
    """A net in the middle of its repair, whose device holds no numbers.

    Copies that pinned memory would make are made by a stand-in, and are the only ones.
    """

    def stand_in(values, device):
        if torch.device(device).type == "cpu" or values.is_meta:
            return values
        return torch.empty_like(values, device="meta")

    for module in ("_on_device", "_transfer", "conditions"):
        monkeypatch.setattr(f"skfair_runner.{module}.send", stand_in)
    plan = RepairPlan(
        resolve_constraint(constraint),
        resolve_distance("l1"),
        **{
            "importance": "activation",
            "alpha": 0.5,
            "top_k": 0.5,
            "diagnose_every": 1,
            "output_weight": 0.0,
            "difference_bound": 0.05,
            "gain": 0.02,
            "memory": 0.9,
            "sharpness": (1.0, 5.0),
            **changes,
        },
    )
    task = Task(
        2, n_groups, 1, "logits", np.ones(1, "f4"), np.ones((2, n_groups), "f4")
    )
    net = RunnerNet(small_net(), task=task, plan=plan, optimizer=torch.optim.AdamW)
    generator = np.random.default_rng(0)
    dataset = GroupedDataset(
        {
            "X": generator.random((N, 3, 6, 6), dtype=np.float32),
            "groups": np.arange(N) % n_groups,
            "weights": np.ones(N, np.float32),
        },
        np.arange(N) // 2 % 2,
    )
    net.start(dataset)
    penalty = net.make_penalty(dataset)
    net.device = "meta"
    net.module_.to("meta")
    net.initialize_optimizer()
    rates = torch.empty(1, device="meta")
    if plan.difference_bound is not None:
        net.controller_ = net.make_controller(rates)
    penalty.controller = net.controller_
    penalty._pools = penalty._pools.to("meta")
    net.penalty_, net.constant_lr_, net.at_the_end_ = penalty, True, False
    net.step_, net.n_steps_, net.scaler_ = 0, 10, None
    net.meters_ = None
    net.callbacks_ = []
    return net, dataset.take(np.arange(N))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"n_groups": 3},
        {"constraint": "demographic_parity", "importance": "weight"},
        {"difference_bound": None, "output_weight": 1.0},
        {"diagnose_every": 10},
    ],
    ids=["default", "three groups", "weight", "fixed weight", "schedule"],
)
def test_no_step_waits_for_the_device(monkeypatch, change):
    """Reading a number of a meta tensor fails, and so does mixing devices."""
    net, batch = net_on_meta(monkeypatch, **change)
    with Watch():
        for _ in range(2):
            step = net.train_step(batch)
    assert step["loss"].is_meta
    assert all(p.grad.is_meta for p in net.module_.parameters())
    assert all(rows.is_meta for rows in net.penalty_.selected.values())


def test_the_watch_sees_what_it_is_for():
    """The control of the test above."""
    x = torch.ones(2, device="meta")
    with Watch(), pytest.raises((AssertionError, RuntimeError)):
        x.sum().item()
    with Watch(), pytest.raises(AssertionError, match="to meta"):
        torch.ones(2).to("meta")
    with Watch(), pytest.raises((AssertionError, RuntimeError, NotImplementedError)):
        x.numpy(force=True)


def table():
    people = make_biased_classification(n_samples=300, random_state=0)
    X = people.data.select_dtypes("number").to_numpy("float32")
    return X, people.target, people.sensitive_features


def fit(X, y, groups, **parameters):
    clf = RunnerFairClassifier(
        warmup_epochs=1, max_epochs=2, random_state=0, **parameters
    )
    return clf.fit(X, y, sensitive_features=groups)


@pytest.fixture
def apart(monkeypatch):
    """The processor is treated as a device that works apart."""
    for module in ("_on_device", "_resident"):
        monkeypatch.setattr(f"skfair_runner.{module}.is_apart", lambda device: True)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_path_of_a_device_changes_nothing(monkeypatch, early_stopping):
    X, y, groups = table()
    expected = fit(X, y, groups, early_stopping=early_stopping)
    for module in ("_on_device", "_resident"):
        monkeypatch.setattr(f"skfair_runner.{module}.is_apart", lambda device: True)
    clf = fit(X, y, groups, early_stopping=early_stopping)
    assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    known = expected.history_.drop(columns="dur")
    told = clf.history_.drop(columns="dur")
    for column in ("train_loss", "valid_loss") if early_stopping else ("train_loss",):
        assert_allclose(told[column], known[column], rtol=1e-6)
    assert clf.net_.history[-1, "batches", 0, "train_batch_size"] > 0
    assert isinstance(clf.net_.history[-1, "batches", 0, "train_loss"], float)


def test_the_repair_is_the_same_in_tensors(monkeypatch):
    X, y, groups = table()
    expected = fit(X, y, groups, constraint="equalized_odds")
    for module in ("control", "multipliers", "conditions"):
        monkeypatch.setattr(f"skfair_runner.{module}.is_apart", lambda device: True)
    clf = fit(X, y, groups, constraint="equalized_odds")
    assert isinstance(clf.net_.controller_.state_dict()["sums"], torch.Tensor)
    assert_allclose(clf.predict_proba(X), expected.predict_proba(X), atol=1e-4)
    assert_allclose(
        clf.history_["multipliers"].iloc[-1],
        expected.history_["multipliers"].iloc[-1],
        atol=1e-4,
    )


def test_an_epoch_without_batches_is_left_alone(apart):
    clf = fit(*table())
    clf.net_.run_single_epoch(None, True, "train", None)


@pytest.fixture(scope="module")
def coloured():
    generator = np.random.default_rng(0)
    y, groups = np.arange(80) % 2, np.arange(80) // 2 % 2
    X = generator.integers(0, 150, (80, 3, 9, 9)) + 60 * y[:, None, None, None]
    return X.astype("uint8"), y, groups


def narrow():
    return ResNet18(small_images=True, width=4)


@pytest.mark.parametrize("last", [True, False])
def test_images_that_lie_on_the_device_are_the_same(apart, coloured, last):
    from skfair_runner.images import read_images

    X = coloured[0].transpose(0, 2, 3, 1) if last else coloured[0]
    source = {
        "X": read_images(X, caller="here"),
        "groups": coloured[2],
        "weights": None,
    }
    dataset = GroupedDataset(source, coloured[1], np.arange(3, 60))
    index = np.array([5, 0, 9])
    batch, y = ResidentDataset(dataset, "cpu").take(index)
    expected, expected_y = dataset.take(index)
    assert set(batch) == set(expected) == {"X", "groups"}
    assert_allclose(batch["X"], expected["X"], rtol=1e-6)
    assert_array_equal(batch["groups"], expected["groups"])
    assert_array_equal(y, expected_y)


def test_channels_last_changes_nothing_but_rounding(coloured, monkeypatch):
    clf = fit(*coloured, module=narrow)
    assert clf.net_.channels_last_
    assert all(p.is_contiguous() for p in clf.net_.module_.parameters())
    monkeypatch.setattr(
        skfair_runner._on_device, "takes_channels_last", lambda *_: False
    )
    other = fit(*coloured, module=narrow)
    assert not other.net_.channels_last_
    assert_allclose(
        clf.predict_proba(coloured[0]), other.predict_proba(coloured[0]), atol=1e-3
    )


class Viewing(nn.Module):
    """Looks at the layout of what its convolution emits."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()
        self.output = nn.Linear(4 * 49, 1)

    def forward(self, x):
        return self.output(self.relu(self.conv(x)).view(len(x), -1))


def test_a_module_that_looks_at_the_layout_gets_the_usual_one(coloured):
    clf = fit(*coloured, module=Viewing())
    assert clf.net_.channels_last_ is False
    assert clf.predict_proba(coloured[0]).shape == (80, 2)


def test_tables_keep_their_layout():
    clf = fit(*table())
    assert clf.net_.channels_last_ is None


@pytest.mark.parametrize("mixed_precision", ["bfloat16", "float16"])
def test_half_precision_trains_nearly_the_same_model(coloured, mixed_precision):
    expected = fit(*coloured, module=narrow)
    clf = fit(*coloured, module=narrow, mixed_precision=mixed_precision)
    assert (clf.net_.scaler_ is not None) == (mixed_precision == "float16")
    proba = clf.predict_proba(coloured[0])
    assert proba.dtype == np.float64
    assert {p.dtype for p in clf.net_.module_.parameters()} == {torch.float32}
    first = clf.history_["train_loss"].iloc[0], expected.history_["train_loss"].iloc[0]
    assert_allclose(*first, rtol=0.02)
    assert first[0] != first[1]


def test_gaps_and_importance_are_of_single_precision(coloured):
    seen = []

    def importance(diagnosis):
        seen.append((diagnosis.gap.dtype, diagnosis.activations["relu"].dtype))
        return {layer.name: torch.ones(layer.n_neurons) for layer in diagnosis.layers}

    fit(*coloured, module=narrow, mixed_precision="bfloat16", importance=importance)
    assert {gap for gap, _ in seen} == {torch.float32}
    # The diagnoses of the whole data set are of single precision throughout.
    assert seen[0][1] == torch.float32
    assert torch.bfloat16 in {activation for _, activation in seen}


@pytest.mark.parametrize("mixed_precision", ["bfloat16", "float16"])
def test_a_checkpoint_goes_on_exactly(coloured, tmp_path, mixed_precision):
    from skorch.callbacks import Callback

    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise RuntimeError("stopped")

    settings = {"module": narrow, "mixed_precision": mixed_precision}
    expected = fit(*coloured, **settings)
    path = tmp_path / "state"
    with pytest.raises(RuntimeError, match="stopped"):
        fit(*coloured, **settings, checkpoint=path, callbacks=[Stop()])
    clf = fit(*coloured, **settings, checkpoint=path)
    assert_array_equal(
        clf.predict_proba(coloured[0]), expected.predict_proba(coloured[0])
    )


def test_what_follows_training_knows_nothing_of_it(coloured, tmp_path):
    pytest.importorskip("safetensors")
    pytest.importorskip("skops")
    from skfair_runner import load

    clf = fit(*coloured, module=narrow(), mixed_precision="bfloat16")
    save(clf, tmp_path / "saved")
    X = coloured[0]
    loaded = load(tmp_path / "saved", module=narrow())
    assert loaded.mixed_precision == "bfloat16"
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert copy.deepcopy(clf).get_params()["mixed_precision"] == "bfloat16"


def test_an_unknown_precision_is_refused(coloured):
    with pytest.raises(ValueError, match="'double'"):
        fit(*coloured, module=narrow, mixed_precision="double")
