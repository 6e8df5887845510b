import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError

from skfair_runner import RunnerFairClassifier
from skfair_runner.persistence.state import describe_classifier, rebuild_classifier
from skfair_runner.persistence.values import read_trusted

TRUST = read_trusted(())


def rebuilt(clf, **options):
    record, tensors = describe_classifier(clf)
    options = {"module": None, "trust": TRUST, "device": None, **options}
    return rebuild_classifier(record, tensors, **options)


def test_the_controller_is_taken_up(fitted):
    expected = fitted.net_.controller_.state_dict()
    found = rebuilt(fitted).net_.controller_.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_the_diagnoses_are_taken_up(fitted):
    net, found = fitted.net_, rebuilt(fitted).net_
    assert (found.before_.gap, found.after_.gap) == (net.before_.gap, net.after_.gap)
    assert list(found.before_.importance) == list(net.before_.importance)
    for layer, importance in net.before_.importance.items():
        assert torch.equal(found.before_.importance[layer], importance.double())
        for name in ("before_", "after_"):
            assert_array_equal(
                getattr(found, name).discrimination[layer],
                getattr(net, name).discrimination[layer],
            )


def test_the_task_of_balanced_batches_is_taken_up(train):
    clf = train(sampling="group_label")
    task, found = clf.net_.task, rebuilt(clf).net_.task
    for name in ("logit_shift", "cell_weights"):
        assert getattr(found, name).dtype == np.float32
        assert_array_equal(getattr(found, name), getattr(task, name))


@pytest.mark.parametrize("changed", [{"constraint": None}, {"difference_bound": None}])
def test_parameters_that_were_changed_after_fit_do_not_break_it(fitted, table, changed):
    clf = copy.deepcopy(fitted).set_params(**changed)
    found = rebuilt(clf)
    assert found.net_.controller_ is None
    assert_array_equal(found.predict_proba(table[0]), fitted.predict_proba(table[0]))


def test_an_unfitted_classifier_is_refused():
    with pytest.raises(NotFittedError, match="RunnerFairClassifier"):
        describe_classifier(RunnerFairClassifier())


@pytest.mark.parametrize("what", ["groups", "labels"])
def test_names_that_json_cannot_hold_are_refused(fitted, what):
    clf = copy.copy(fitted)
    names = [complex(1), complex(2)]
    if what == "groups":
        clf.groups_ = names
    else:
        clf.classes_ = np.array(names, dtype=object)
    with pytest.raises(TypeError, match=f"the {what} hold .* 'builtins:complex'"):
        describe_classifier(clf)


class Counting(torch.nn.ReLU):
    def get_extra_state(self):
        return {"seen": 3}


def test_a_state_that_is_no_tensor_is_refused(fitted):
    clf = copy.deepcopy(fitted)
    clf.net_.module_.relu1 = Counting()
    with pytest.raises(TypeError, match=r"holds 'relu1\._extra_state', a dict"):
        describe_classifier(clf)


def test_another_device_becomes_the_parameter(fitted):
    assert rebuilt(fitted, device=torch.device("cpu")).device == torch.device("cpu")


@pytest.mark.parametrize("device", ["cuda:99", "toaster"])
def test_an_absent_device_is_told(fitted, device):
    with pytest.raises(ValueError, match=f"device '{device}' is not available"):
        rebuilt(fitted, device=device)
