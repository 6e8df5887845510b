"""The user's own modules: classes, functions, trained instances, and wrong ones."""

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from skfair_runner import RunnerFairClassifier

pytestmark = pytest.mark.filterwarnings(
    # A few epochs on few rows: enough to see what is asked here.
    "ignore::skfair_runner.utils.SkfairRunnerWarning"
)


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 2, 160)
    X = rng.normal(size=(160, 3))
    X[:, 0] += groups
    y = (X[:, 0] + X[:, 1] + rng.normal(size=160) > 0.5).astype(int)
    return X, y, groups


def fit(people, module, **parameters):
    X, y, groups = people
    settings = {
        "warmup_epochs": 1,
        "max_epochs": 2,
        "batch_size": 32,
        "lr": 0.01,
        "random_state": 0,
    }
    clf = RunnerFairClassifier(module=module, **{**settings, **parameters})
    return clf.fit(X, y, sensitive_features=groups)


class Net(nn.Module):
    """Two hidden layers, with an output of any shape."""

    def __init__(self, n_features, n_outputs=1, width=6, last=None, squeeze=False):
        super().__init__()
        self.first, self.relu = nn.Linear(n_features, width), nn.ReLU()
        self.second, self.tanh = nn.Linear(width, 4), nn.Tanh()
        self.output = nn.Linear(4, n_outputs)
        self.last = last or nn.Identity()
        self.squeeze = squeeze

    def forward(self, x):
        hidden = self.tanh(self.second(self.relu(self.first(x))))
        output = self.last(self.output(hidden))
        return output[:, 0] if self.squeeze else output


def make_net(n_features, width=5):
    """A function that builds a network."""
    return nn.Sequential(
        nn.Linear(n_features, width), nn.ReLU(), nn.Dropout(0.1), nn.Linear(width, 1)
    )


# How a module may be given


def test_a_class_is_built_for_the_data(people):
    clf = fit(people, Net, module__width=7)
    net = clf.net_.module_
    assert (net.first.in_features, net.first.out_features) == (3, 7)
    assert net.output.out_features == 1
    assert list(clf.selected_neurons_) == ["relu", "tanh"]
    assert clf.history_["phase"].tolist() == ["warm-up", "repair", "repair"]


def test_a_class_gets_an_output_per_class(people):
    X, _, groups = people
    clf = fit((X, np.arange(160) % 3, groups), Net)
    assert clf.net_.module_.output.out_features == 3
    assert clf.predict_proba(X).shape == (160, 3)


def test_a_function_is_called_with_what_it_takes(people):
    clf = fit(people, make_net, module__width=9)
    assert clf.net_.module_[0].weight.shape == (9, 3)


def test_an_instance_is_repaired_without_warm_up(people):
    torch.manual_seed(0)
    clf = fit(people, Net(3), warmup_epochs="auto", max_epochs=1)
    assert clf.history_["phase"].tolist() == ["repair"]
    assert clf.settings_["warmup_epochs"] == 0


@pytest.mark.parametrize("training", [False, True])
def test_an_instance_is_never_changed(people, training):
    X, y, groups = people
    module = Net(3).train(training)
    module.relu.eval()
    calls = []
    handle = module.first.register_forward_hook(lambda *_: calls.append(1))
    before = copy.deepcopy(module.state_dict())
    modes = [part.training for part in module.modules()]

    clf = fit(people, module, early_stopping=True)
    clf.partial_fit(X, y, sensitive_features=groups)
    clf.predict_proba(X)

    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])
        assert not torch.equal(value, clf.net_.module_.state_dict()[name])
    assert [part.training for part in module.modules()] == modes
    assert all(parameter.grad is None for parameter in module.parameters())
    assert list(module.first._forward_hooks) == [handle.id]
    assert not module.relu._forward_hooks
    assert clf.get_params()["module"] is module


def test_no_hook_stays_on_the_fitted_module(people):
    module = fit(people, Net, importance="ablation").net_.module_
    assert not any(part._forward_hooks for part in module.modules())


def test_parameters_for_an_instance_are_refused(people):
    with pytest.raises(ValueError, match="module__width=7 cannot change a module"):
        fit(people, Net(3), module__width=7)


def test_a_function_that_returns_no_module_is_refused(people):
    with pytest.raises(TypeError, match="module=<function .* returned a list"):
        fit(people, lambda n_features: [n_features])


def test_frozen_layers_stay_as_they_are(people):
    module = Net(3)
    module.first.requires_grad_(False)
    frozen = module.first.weight.clone()
    clf = fit(people, module)
    assert torch.equal(clf.net_.module_.first.weight, frozen)
    assert not torch.equal(clf.net_.module_.output.weight, module.output.weight)
    assert clf.neuron_importance_["importance"].notna().all()


@pytest.mark.parametrize("constraint", [None, "demographic_parity"])
def test_a_module_that_is_frozen_all_over_cannot_be_trained(people, constraint):
    module = Net(3).requires_grad_(False)
    with pytest.raises(ValueError, match="but all 6 of them are frozen"):
        fit(people, module, constraint=constraint)
    clf = fit(people, module, max_epochs=0, warmup_epochs=0)
    assert clf.neuron_importance_["importance"].notna().all()


# What a module may emit


@pytest.mark.parametrize(
    "module",
    [
        Net(3),
        Net(3, squeeze=True),
        Net(3, n_outputs=2),
        Net(3, last=nn.Sigmoid()),
        Net(3, n_outputs=2, last=nn.Softmax(dim=1)),
        Net(3, n_outputs=2, last=nn.LogSoftmax(dim=1)),
    ],
    ids=["logit", "1-d", "two logits", "sigmoid", "softmax", "log-softmax"],
)
def test_untrained_probabilities_are_those_of_the_module(people, module):
    X, _, _ = people
    clf = fit(people, module, max_epochs=0, warmup_epochs=0)
    with torch.no_grad():
        output = module(torch.from_numpy(X).float()).double().numpy()
    last = type(module.last).__name__
    if last in ("Sigmoid", "Softmax", "LogSoftmax"):
        emitted = np.exp(output) if last == "LogSoftmax" else output
        expected = emitted[:, -1]
    else:
        logits = output if output.ndim == 1 else output[:, -1]
        if output.ndim == 2 and output.shape[1] == 2:
            logits = output[:, 1] - output[:, 0]
        expected = 1 / (1 + np.exp(-logits))
    assert_allclose(clf.predict_proba(X)[:, 1], expected, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"squeeze": True},
        {"n_outputs": 2},
        {"last": nn.Sigmoid()},
        {"n_outputs": 2, "last": nn.Softmax(dim=1)},
    ],
    ids=["1-d", "two logits", "sigmoid", "softmax"],
)
@pytest.mark.parametrize("constraint", [None, "equalized_odds"])
def test_every_kind_of_output_is_trained(people, options, constraint):
    torch.manual_seed(0)
    module = Net(3, **options)
    X, y, _ = people
    clf = fit(people, module, constraint=constraint, max_epochs=30, lr=0.02)
    assert clf.score(X, y) > 0.65


def test_several_probabilities_are_trained(people):
    X, _, groups = people
    torch.manual_seed(0)
    module = Net(3, n_outputs=3, last=nn.Softmax(dim=1))
    clf = fit((X, np.digitize(X[:, 1], [-0.5, 0.5]), groups), module, max_epochs=3)
    assert_allclose(clf.predict_proba(X).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("n_outputs", "n_classes", "expected"),
    [
        (3, 2, r"shape \(2, 3\) for 2 classes; it should emit \(n, 1\), \(n,\) or"),
        (1, 3, r"shape \(2, 1\) for 3 classes; it should emit \(n, 3\)"),
        (2, 3, r"shape \(2, 2\) for 3 classes"),
    ],
)
def test_a_wrong_number_of_outputs_is_refused(people, n_outputs, n_classes, expected):
    X, _, groups = people
    y = np.arange(len(X)) % n_classes
    with pytest.raises(ValueError, match=expected):
        fit((X, y, groups), Net(3, n_outputs))


class _Wrapped(nn.Module):
    """Emits what a function makes of a usual output."""

    def __init__(self, n_features, wrap):
        super().__init__()
        self.net, self.wrap = Net(n_features), wrap

    def forward(self, x):
        return self.wrap(self.net(x))


@pytest.mark.parametrize(
    ("wrap", "error", "expected"),
    [
        (lambda out: (out, out), TypeError, "emits a tuple; it should emit one tensor"),
        (lambda out: {"logits": out}, TypeError, "emits a dict"),
        (lambda out: out[:1], ValueError, "emits 1 rows for 2 rows of X"),
        (lambda out: out[..., None], ValueError, r"shape \(2, 1, 1\)"),
        (lambda out: out.sum(), ValueError, r"shape \(\)"),
    ],
    ids=["tuple", "dict", "rows", "3-d", "0-d"],
)
def test_an_output_of_another_form_is_refused(people, wrap, error, expected):
    with pytest.raises(error, match=expected):
        fit(people, _Wrapped, module__wrap=wrap)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (Net(4), r", of shape \('n', 3\) and type torch.float32: mat1 and mat2"),
        (Net(3).double(), r", which is float32: convert it by module\.float\(\)"),
    ],
    ids=["features", "dtype"],
)
def test_a_module_that_does_not_take_the_features_is_refused(people, module, expected):
    with pytest.raises(ValueError, match=f"does not take X{expected}"):
        fit(people, module)


def test_logits_that_are_called_probabilities_are_refused(people):
    module = Net(3)
    nn.init.constant_(module.output.bias, 5.0)
    with pytest.raises(ValueError, match=r"should emit probabilities, .* are \[\d\."):
        fit(people, module, module_output="probabilities")


def test_a_sigmoid_that_is_no_output_is_told_apart(people):
    """ "auto" takes the submodule registered last for the output."""

    class Gated(Net):
        def __init__(self, n_features):
            super().__init__(n_features)
            self.gate = nn.Sigmoid()
            nn.init.constant_(self.output.bias, 3.0)

        def forward(self, x):
            return super().forward(x * self.gate(x))

    with pytest.raises(ValueError, match="pass module_output='logits'"):
        fit(people, Gated)
    assert fit(people, Gated, module_output="logits").net_.task.output == "logits"


# What can be diagnosed


class Functional(nn.Module):
    """Its activation is a function, which no hook sees."""

    def __init__(self, n_features):
        super().__init__()
        self.first, self.output = nn.Linear(n_features, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.output(nn.functional.relu(self.first(x)))


def test_functional_activations_need_layers(people):
    with pytest.raises(ValueError, match=r"nn.ReLU\(\) objects instead of F.relu"):
        fit(people, Functional)
    clf = fit(people, Functional, layers="first")
    assert list(clf.selected_neurons_) == ["first"]
    assert not hasattr(fit(people, Functional, constraint=None), "selected_neurons_")


def test_a_shared_activation_gets_a_name_per_call(people):
    class Shared(nn.Module):
        def __init__(self, n_features):
            super().__init__()
            self.first, self.second = nn.Linear(n_features, 4), nn.Linear(4, 5)
            self.relu, self.output = nn.ReLU(), nn.Linear(5, 1)

        def forward(self, x):
            return self.output(self.relu(self.second(self.relu(self.first(x)))))

    clf = fit(people, Shared, importance="weight")
    assert list(clf.selected_neurons_) == ["relu#1", "relu#2"]


def test_normalised_batches_and_images(people):
    """Convolutions on inputs of more than two dimensions, with batch statistics."""

    class Images(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3)
            self.relu, self.output = nn.ReLU(), nn.Linear(3, 1)

        def forward(self, x):
            return self.output(self.relu(self.norm(self.conv(x))).mean((2, 3)))

    X, y, groups = people
    images = np.repeat(X[:, :2, None, None], 4, axis=2).repeat(4, axis=3)
    clf = fit((images, y, groups), Images)
    assert clf.predict_proba(images).shape == (160, 2)
    assert_allclose(
        clf.predict_proba(images[:1]), clf.predict_proba(images)[:1], atol=1e-6
    )
    assert len(clf.neuron_importance_) == 3
    with pytest.raises(ValueError, match=r"shape \(2, 4, 4\), and the default module"):
        fit((images, y, groups), None)


def test_prediction_leaves_the_module_in_evaluation_mode(people):
    X, _, _ = people
    clf = fit(people, make_net)
    clf.net_.module_.train()
    first = clf.predict_proba(X)
    assert_array_equal(first, clf.predict_proba(X))
