import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from skfair_runner import repair_module
from skfair_runner.persistence import load, save

pytestmark = pytest.mark.filterwarnings(
    "ignore::skfair_runner.utils.ConstantClassifierWarning"
)


class Net(nn.Module):
    """A module of the user's own, with a buffer and tied weights."""

    def __init__(self, n_features, hidden=4):
        super().__init__()
        self.fc = nn.Linear(n_features, hidden)
        self.relu = nn.ReLU()
        self.norm = nn.BatchNorm1d(hidden)
        self.out = nn.Linear(hidden, 1)
        self.register_buffer("scale", torch.tensor(2.0))
        self.same = self.out

    def forward(self, x):
        return self.same(self.norm(self.relu(self.fc(x)))) * self.scale


class Other(Net):
    pass


def make_net(n_features, hidden=4):
    return Net(n_features, hidden)


def moved(cls, module):
    """The same class, as if it stood in another module."""
    return type(cls.__name__, (cls,), {"__module__": module})


@pytest.fixture(scope="module")
def of_class(train, tmp_path_factory):
    path = tmp_path_factory.mktemp("of_class") / "model"
    clf = train(module=Net, module__hidden=5)
    save(clf, path)
    return clf, path


@pytest.mark.parametrize(
    "module",
    [Net, make_net, Net(3, 5), lambda hidden: Net(3, hidden), moved(Net, "elsewhere")],
    ids=["class", "function", "instance", "lambda", "moved class"],
)
def test_the_callers_module_gets_the_saved_weights(of_class, table, module):
    clf, path = of_class
    found = load(path, module=module)
    assert_array_equal(found.predict_proba(table[0]), clf.predict_proba(table[0]))
    X, y, groups = table
    found.partial_fit(X, y, sensitive_features=groups)


def test_an_instance_is_copied(of_class, table):
    instance = Net(3, 5)
    before = instance.fc.weight.detach().clone()
    found = load(of_class[1], module=instance)
    assert found.net_.module_ is not instance
    assert torch.equal(instance.fc.weight, before)


def test_a_class_that_is_passed_is_the_parameter_again(of_class, table):
    X, y, groups = table
    clf, path = of_class
    found = load(path, module=Net)
    assert found.module is Net
    found.fit(X, y, sensitive_features=groups)
    assert_array_equal(found.predict_proba(X), clf.predict_proba(X))


def test_without_the_module_load_names_the_class_and_the_remedy(of_class):
    with pytest.raises(ValueError, match=rf"a '{__name__}:Net'.*pass module="):
        load(of_class[1])


@pytest.mark.parametrize(
    "module",
    [Other, Other(3, 5), lambda n_features, hidden: Other(n_features, hidden)],
    ids=["class", "instance", "function"],
)
def test_another_class_is_refused_by_name(of_class, module):
    with pytest.raises(TypeError, match=r"is a '.*:Net', but `module` is a '.*:Other'"):
        load(of_class[1], module=module)


def test_another_size_is_refused(of_class):
    with pytest.raises(ValueError, match=r"(?s)not fit .* '.*:Net'.*fc\.weight"):
        load(of_class[1], module=Net(3, 6))


def test_something_that_is_no_module_is_refused(of_class):
    with pytest.raises(TypeError, match="got 'torch.nn:Linear'"):
        load(of_class[1], module="torch.nn:Linear")
    with pytest.raises(TypeError, match=r"calling <function.*returned a int"):
        load(of_class[1], module=lambda hidden: hidden)


def test_a_function_that_needs_more_is_told_to_be_an_instance(of_class):
    with pytest.raises(TypeError, match=r"\['hidden', 'n_features', 'n_outputs'\].*in"):
        load(of_class[1], module=lambda n_features, hidden, depth: Net(n_features))


@pytest.fixture
def repaired(table):
    X, y, groups = table
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())
    return net, repair_module(
        net,
        X.to_numpy(np.float32),
        y,
        sensitive_features=groups,
        max_epochs=1,
        random_state=0,
    )


def test_a_repaired_module_is_rebuilt_around_an_instance(repaired, table, tmp_path):
    net, result = repaired
    save(result.classifier, tmp_path / "model")
    found = load(tmp_path / "model", module=net)
    X = table[0].to_numpy()
    assert found.net_.task.output == "probabilities"
    assert_array_equal(found.predict_proba(X), result.classifier.predict_proba(X))


def test_the_weights_before_repair_are_not_invented(repaired, table, tmp_path):
    X, y, groups = table
    net, result = repaired
    save(result.classifier, tmp_path / "model")
    found = load(tmp_path / "model", module=net)
    name = "torch.nn.modules.container:Sequential()"
    with pytest.raises(ValueError, match=rf"without '{name[:-2]}\(\)'"):
        found.fit(X.to_numpy(), y, sensitive_features=groups)
    found = load(tmp_path / "model", module=net, trusted={name: net})
    found.fit(X.to_numpy(), y, sensitive_features=groups)
    again = result.classifier.predict_proba(X.to_numpy())
    assert_array_equal(found.predict_proba(X.to_numpy()), again)
