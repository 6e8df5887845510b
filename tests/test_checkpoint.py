"""A training that was stopped goes on from its checkpoint as if it had not been."""

import pickle
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from pandas.testing import assert_frame_equal
from scipy import sparse

from skfair_runner import RunnerFairClassifier, RunnerFrontier, repair_module
from skfair_runner._checkpoint import fingerprint, read_checkpoint
from skfair_runner.datasets import make_biased_classification
from skfair_runner.net import RunnerNet

EPOCHS = 3

# So little training need not tell people apart.
pytestmark = pytest.mark.filterwarnings(
    "ignore::skfair_runner.utils.ConstantClassifierWarning"
)


class Stopped(KeyboardInterrupt):
    """Ctrl-C, told from that of whoever runs the tests."""


@contextmanager
def stopped_in(phase, epoch):
    """Interrupt the second step of an epoch of a phase."""
    step = RunnerNet.train_step

    def train_step(net, batch, **parameters):
        rows = [row.get("phase") for row in net.history]
        begun = len(net.history[-1]["batches"]) > 0
        if net.phase_ == phase and rows.count(phase) == epoch and begun:
            raise Stopped
        return step(net, batch, **parameters)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(RunnerNet, "train_step", train_step)
        yield


def data():
    people = make_biased_classification(n_samples=300, random_state=0)
    X = people.data.select_dtypes("number").to_numpy("float32")
    return X, people.target.to_numpy(), people.sensitive_features.iloc[:, 0].to_numpy()


def classifier(**parameters):
    return RunnerFairClassifier(
        **{
            "warmup_epochs": EPOCHS,
            "max_epochs": EPOCHS,
            "hidden_layer_sizes": (16, 8),
            "random_state": 0,
            **parameters,
        }
    )


def fit(clf, X, y, groups):
    return clf.fit(X, y, sensitive_features=groups)


def weights(clf):
    return clf.net_.module_.state_dict()


def assert_same_training(one, other):
    for name, value in weights(one).items():
        assert torch.equal(value, weights(other)[name]), name
    columns = [
        name
        for name in one.history_.columns
        if name != "dur" and not name.endswith("_best")
    ]
    for name in columns:
        assert one.history_[name].astype(str).tolist() == (
            other.history_[name].astype(str).tolist()
        ), name


@pytest.mark.parametrize("phase", ["warm-up", "repair"])
@pytest.mark.parametrize("epoch", [0, 2])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"constraint": "equalized_odds", "sampling": "group_label"},
        {"constraint": None},
        {"difference_bound": None, "output_weight": 0.1, "diagnose_every": 7},
    ],
    ids=["default", "equalized odds", "plain", "fixed weight"],
)
def test_a_stopped_training_ends_where_it_would_have_ended(
    tmp_path, phase, epoch, parameters
):
    whole = fit(classifier(**parameters), *data())
    path = tmp_path / "state.pt"
    with stopped_in(phase, epoch):
        fit(classifier(checkpoint=path, **parameters), *data())
    assert path.exists() == (phase == "repair" or epoch > 0)

    resumed = fit(classifier(checkpoint=path, **parameters), *data())

    assert_same_training(whole, resumed)


def test_a_training_that_is_over_is_not_done_again(tmp_path):
    path = tmp_path / "state.pt"
    first = fit(classifier(checkpoint=path), *data())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunnerNet, "train_step", None)
        second = fit(classifier(checkpoint=path), *data())
    assert_same_training(first, second)
    columns = ["importance", "discrimination", "discrimination_after"]
    assert_frame_equal(
        first.neuron_importance_[columns], second.neuron_importance_[columns]
    )


def test_a_checkpoint_changes_nothing(tmp_path):
    with_it = fit(classifier(checkpoint=str(tmp_path / "state.pt")), *data())
    assert_same_training(fit(classifier(), *data()), with_it)


def test_a_stopped_training_on_sparse_rows_goes_on(tmp_path):
    X, y, groups = data()
    X, path = sparse.csr_array(X), tmp_path / "state.pt"
    with stopped_in("repair", 1):
        fit(classifier(checkpoint=path), X, y, groups)
    resumed = fit(classifier(checkpoint=path), X, y, groups)
    assert_same_training(fit(classifier(), X, y, groups), resumed)


@pytest.mark.parametrize(
    "parameters",
    [
        {"random_state": 1},
        {"lr": 0.02},
        {"top_k": 0.1},
        {"constraint": "equalized_odds"},
        {"optimizer__weight_decay": 0.5},
        {"hidden_layer_sizes": (16, 9)},
    ],
    ids=str,
)
def test_another_training_does_not_go_on_from_it(tmp_path, parameters):
    path = tmp_path / "state.pt"
    fit(classifier(checkpoint=path, max_epochs=1), *data())
    other = {"checkpoint": path, "max_epochs": 1, **parameters}
    with pytest.raises(ValueError, match="state.pt' belongs to another training"):
        fit(classifier(**other), *data())


@pytest.mark.parametrize(
    "parameters",
    [{"random_state": 1}, {"module": [torch.nn.Dropout(0.9)]}],
    ids=["seed", "dropout"],
)
def test_weights_alone_do_not_make_the_same_training(tmp_path, parameters):
    """A module that is given has the same weights for every seed."""
    layers = [torch.nn.Linear(data()[0].shape[1], 4), torch.nn.ReLU()]
    last = torch.nn.Linear(4, 1)

    def module(*between):
        return torch.nn.Sequential(*layers, *between, last)

    path = tmp_path / "state.pt"
    one = {"module": module(torch.nn.Dropout(0.1)), "hidden_layer_sizes": (128, 128)}
    fit(classifier(checkpoint=path, max_epochs=1, **one), *data())
    other = dict(one, **parameters)
    if "module" in parameters:
        other["module"] = module(*parameters["module"])
    with pytest.raises(ValueError, match="belongs to another training"):
        fit(classifier(checkpoint=path, max_epochs=1, **other), *data())


def test_a_repair_with_a_checkpoint_is_not_done_again(tmp_path):
    X, y, groups = data()
    module = torch.nn.Sequential(
        torch.nn.Linear(X.shape[1], 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)
    )
    path = tmp_path / "state.pt"
    parameters = {"max_epochs": 1, "random_state": 0, "checkpoint": path}
    first, second = (
        repair_module(module, X, y, sensitive_features=groups, **parameters)
        for _ in range(2)
    )
    assert_same_training(first.classifier, second.classifier)


def test_functions_are_told_by_name_and_not_by_their_place_in_memory():
    def function():
        return lambda x: x

    assert fingerprint({"transform": function()}) == fingerprint(
        {"transform": function()}
    )
    assert fingerprint({"transform": function()}) != fingerprint({"transform": data})


@pytest.mark.parametrize("changed", [0, 1, 2], ids=["X", "y", "groups"])
def test_other_data_do_not_go_on_from_it(tmp_path, changed):
    path = tmp_path / "state.pt"
    short = {"checkpoint": path, "max_epochs": 1}
    fit(classifier(**short), *data())
    parts = list(data())
    parts[changed] = np.roll(parts[changed], 1, axis=0)
    with pytest.raises(ValueError, match="the data, a parameter or the seed differ"):
        fit(classifier(**short), *parts)


def test_a_file_that_is_no_checkpoint_is_left_alone(tmp_path):
    path = tmp_path / "state.pt"
    path.write_bytes(pickle.dumps({"format": print}))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="state.pt' cannot be read as a checkpoint"):
        fit(classifier(checkpoint=path), *data())
    torch.save({"something": 1}, path)
    with pytest.raises(ValueError, match="state.pt' is no checkpoint of this version"):
        fit(classifier(checkpoint=path), *data())
    assert before != path.read_bytes()


def test_reading_executes_nothing(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    path = tmp_path / "state.pt"
    torch.save({"format": Trap()}, path)
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        read_checkpoint(path, "")
    assert not (tmp_path / "executed").exists()


def test_early_stopping_has_a_memory_of_its_own(tmp_path):
    clf = classifier(checkpoint=tmp_path / "state.pt", early_stopping=True)
    with pytest.raises(ValueError, match="state.pt' does not hold what early stopping"):
        fit(clf, *data())


def test_another_way_of_training_has_no_checkpoint(tmp_path):
    front = RunnerFrontier(classifier(checkpoint=tmp_path / "state.pt"))
    with pytest.raises(ValueError, match="state.pt', and a front is not trained fr"):
        fit(front, *data())


def test_the_folder_is_looked_for_before_training(tmp_path):
    clf = classifier(checkpoint=tmp_path / "absent" / "state.pt")
    with pytest.raises(ValueError, match="there is no folder '.*absent'"):
        fit(clf, *data())


def test_partial_fit_writes_no_checkpoint(tmp_path):
    path = tmp_path / "state.pt"
    clf = fit(classifier(checkpoint=path, max_epochs=1), *data())
    before = path.read_bytes()
    X, y, groups = data()
    clf.partial_fit(X, y, sensitive_features=groups)
    assert path.read_bytes() == before


def test_fingerprints_tell_types_shapes_and_values_apart():
    one = np.arange(6)
    others = [
        one.astype(float),
        one.reshape(2, 3),
        one[::-1],
        sparse.csr_array(one[None]),
        None,
        {"a": one},
        "0",
    ]
    digests = {fingerprint(each) for each in [one, *others]}
    assert len(digests) == 1 + len(others)
    assert fingerprint(torch.arange(6)) == fingerprint(one)
