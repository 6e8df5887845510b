import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn.functional import cross_entropy

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import FaireClassifier
from skfair_runner.baselines._faire_net import criticality, shares
from skfair_runner.baselines._group_head import group_head
from skfair_runner.modules import MLP


def net(**parameters):
    quick = {"warmup_epochs": 4, "max_epochs": 4, "hidden_layer_sizes": (8, 6)}
    return RunnerFairClassifier(None, **{**quick, "lr": 0.02, **parameters})


def fitted(people, estimator=None, **parameters):
    X, y, gender = people
    estimator = net() if estimator is None else estimator
    clf = FaireClassifier(estimator, **{"random_state": 0, **parameters})
    return clf.fit(X, y, sensitive_features=gender)


def of_layers(clf, column):
    return [part[column].to_numpy() for _, part in clf.conditions_.groupby("layer")]


@pytest.mark.parametrize("n_groups", [2, 3])
def test_the_head_for_groups_is_logistic_regression(n_groups):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 4))
    groups = (features[:, 0] + rng.normal(size=300)).round().clip(0, n_groups - 1)
    groups = groups.astype(int)
    # Mean loss + 1e-4 · Σw², in scikit-learn's terms.
    expected = LogisticRegression(C=1 / (2e-4 * 300), tol=1e-10, max_iter=1000)
    if n_groups == 2:
        # Two columns of opposite sign share one decay.
        expected.set_params(C=1 / (1e-4 * 300))
    expected.fit(features, groups)

    head = group_head(torch.from_numpy(features), torch.from_numpy(groups), n_groups)

    found = torch.softmax(head(torch.from_numpy(features)), 1).detach()
    assert_allclose(found, expected.predict_proba(features), atol=1e-4)


def test_criticality_is_the_derivative_by_a_multiplier():
    """Of each sample's loss, by central differences, at a multiplier of one."""
    torch.manual_seed(0)
    first = torch.rand(7, 3, dtype=torch.double)
    linears = [nn.Linear(3, 4).double(), nn.Linear(4, 2).double()]
    y = torch.arange(7) % 2
    g = torch.arange(7) % 3
    head = nn.Linear(4, 3).double()

    def losses(scale, layer):
        hidden = first * scale if layer == 0 else first
        hidden = linears[0](hidden).relu()
        hidden = hidden * scale if layer == 1 else hidden
        output = linears[1](hidden)
        of_groups = cross_entropy(head(hidden), g, reduction="none")
        return of_groups, cross_entropy(output, y, reduction="none")

    found = criticality(
        first,
        linears,
        [
            lambda features, _: cross_entropy(head(features), g, reduction="sum"),
            lambda _, output: cross_entropy(output, y, reduction="sum"),
        ],
    )

    step = 1e-6
    for layer, width in enumerate((3, 4)):
        for m in range(width):
            nudge = step * torch.eye(width, dtype=torch.double)[m]
            ups, downs = losses(1 + nudge, layer), losses(1 - nudge, layer)
            for side in range(2):
                slope = (ups[side] - downs[side]) / (2 * step)
                expected = slope.abs().sum().item()
                assert_allclose(found[side][layer][m], expected, rtol=1e-5, atol=1e-8)


def test_shares_sum_to_one_unless_all_is_zero():
    assert_allclose(shares(torch.tensor([1.0, 3.0])), [0.25, 0.75])
    assert_array_equal(shares(torch.zeros(2)), [0, 0])


@pytest.mark.parametrize(
    "module", [{}, {"module": MLP, "module__hidden_layer_sizes": (5,)}]
)
def test_weights_are_the_plain_nets_times_the_multipliers(module, people):
    X, y, _ = people
    plain = net(**module, max_epochs=0, random_state=0).fit(X, y).net_.module_
    clf = fitted(people, net(**module))
    module = clf.estimator_.net_.module_
    multipliers = of_layers(clf, "multiplier")
    scaled = {"output.weight": multipliers[-1]}
    if len(multipliers) == 2:
        scaled["linear2.weight"] = multipliers[0]
    expected = plain.state_dict()
    assert expected.keys() == module.state_dict().keys()
    for name, value in module.state_dict().items():
        assert_allclose(value, expected[name].numpy() * scaled.get(name, 1), rtol=1e-6)
    assert not np.allclose(np.concatenate(multipliers), 1)
    assert all(p.requires_grad for p in module.parameters())


def test_neurons_are_damped_that_tell_groups_more_than_labels(people):
    clf = fitted(people, max_multiplier=1.5, condition_lr=0.2, alpha=1.0)
    table = clf.conditions_
    for column in ("group_share", "label_share"):
        assert_allclose(table.groupby("layer")[column].sum(), 1, rtol=1e-5)
    damped = table["group_share"] > table["label_share"]
    assert 0 < damped.sum() < len(table) == 14
    multiplier = table["multiplier"]
    assert multiplier[damped].between(0, 1).all() and multiplier[damped].min() < 0.9
    assert multiplier[~damped].between(1, 1.5).all() and multiplier[~damped].max() > 1


def test_with_a_large_alpha_damped_neurons_are_silent(people):
    clf = fitted(people, alpha=1e3, condition_lr=0.5)
    table = clf.conditions_
    damped = table["group_share"] > table["label_share"]
    assert_array_equal(table["multiplier"][damped], 0)
    assert (table["multiplier"][~damped] >= 1).all()


def test_without_a_second_phase_nothing_is_damped(people):
    X, y, _ = people
    clf = fitted(people, net(max_epochs=0))
    expected = net(max_epochs=0, random_state=0).fit(X, y)
    assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    assert (clf.conditions_["multiplier"] == 1).all()


def test_a_frozen_module_is_conditioned_all_the_same(people):
    X, y, _ = people
    trained = net(random_state=0).fit(X, y).net_.module_.requires_grad_(False)
    clf = fitted(people, net(module=trained, warmup_epochs=0))
    assert not np.allclose(clf.conditions_["multiplier"], 1)
    assert not any(p.requires_grad for p in clf.estimator_.net_.module_.parameters())


def test_the_multipliers_do_not_outlive_training_in_the_module(people):
    found = fitted(people).estimator_.net_
    assert found.conditions_ == () and found.weights_ == ()
    assert [name for name, _ in found.module_.named_children()][-1] == "output"


@pytest.mark.parametrize("n_labels", [2, 3])
def test_there_may_be_more_labels_and_groups(n_labels, people):
    X, y, gender = people
    if n_labels == 3:
        y = y.where(X["commute"] > -0.5, "undecided")
    gender = gender.where(X["height"] > 0, "unknown")
    clf = fitted((X, y, gender))
    assert len(clf.groups_) == 3
    assert clf.predict_proba(X).shape == (300, n_labels)


def test_another_module_is_refused(people):
    def wavy(n_features):
        return nn.Sequential(nn.Linear(n_features, 3), nn.Tanh(), nn.Linear(3, 1))

    with pytest.raises(TypeError, match=r"FaireClassifier\.fit looks .*\[Tanh\(\)\]"):
        fitted(people, net(module=wavy))


def test_early_stopping_is_refused(people):
    with pytest.raises(ValueError, match=r"FaireClassifier\.fit: early_stopping=True"):
        fitted(people, net(early_stopping=True))


@pytest.mark.parametrize(
    ("name", "value"), [("alpha", -1), ("max_multiplier", 0.5), ("condition_lr", 0)]
)
def test_numbers_out_of_range_are_refused(name, value, people):
    with pytest.raises(ValueError, match=f"'{name}' .* Got {value} instead"):
        fitted(people, **{name: value})
