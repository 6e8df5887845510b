import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import FADClassifier
from skfair_runner.baselines._fad_net import reverse_gradient, with_extra_layer
from skfair_runner.datasets import make_biased_classification
from skfair_runner.metrics import demographic_parity_difference
from skfair_runner.modules import MLP, TabularNet
from skfair_runner.tasks import RateMeter


def net(**parameters):
    quick = {"warmup_epochs": 2, "max_epochs": 2, "hidden_layer_sizes": (8, 6)}
    return RunnerFairClassifier(None, **{**quick, "lr": 0.01, **parameters})


def fitted(people, estimator=None, **parameters):
    X, y, gender = people
    estimator = net() if estimator is None else estimator
    clf = FADClassifier(estimator, **{"random_state": 0, **parameters})
    return clf.fit(X, y, sensitive_features=gender)


def sequential(n_features):
    inner = nn.Sequential(nn.Linear(n_features, 5), nn.ReLU(), nn.Linear(5, 2))
    return nn.Sequential(inner, nn.Softmax(1))


@pytest.mark.parametrize("beta", [0.0, 0.3, 2.0])
def test_the_gradient_is_minus_beta_times_that_by_differences(beta):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 3, dtype=torch.double, generator=generator, requires_grad=True)
    weight = torch.randn(3, 2, dtype=torch.double, generator=generator)
    groups = torch.arange(5) % 2

    reversed_ = reverse_gradient(x, beta)
    cross_entropy(reversed_ @ weight, groups).backward()

    assert_array_equal(reversed_.detach(), x.detach())
    step = 1e-6
    for i in range(5):
        for j in range(3):
            nudge = torch.zeros(5, 3, dtype=torch.double)
            nudge[i, j] = step
            up, down = (
                cross_entropy((x.detach() + sign * nudge) @ weight, groups)
                for sign in (1, -1)
            )
            expected = -beta * ((up - down) / (2 * step)).item()
            assert_allclose(x.grad[i, j], expected, atol=1e-8)


@pytest.mark.parametrize(
    "module",
    [
        TabularNet(3, hidden_layer_sizes=(4, 5), edges=[[0, 1, 2], [0, 1], []]),
        MLP(3, hidden_layer_sizes=(4,)),
        sequential(3),
    ],
)
def test_the_added_layer_begins_as_the_identity(module):
    module, X = copy.deepcopy(module).eval(), torch.randn(20, 3)
    before, n_before = module(X), sum(p.numel() for p in module.parameters())
    width = [p for p in module.parameters() if p.ndim == 2][-1].shape[1]

    deeper = with_extra_layer(module, "Test")

    assert_array_equal(deeper(X).detach(), before.detach())
    n_after = sum(p.numel() for p in deeper.parameters())
    assert n_after == n_before + width * (width + 1)
    if isinstance(module, TabularNet):
        assert type(deeper) is TabularNet and not deeper.training
        assert deeper.hidden_layer_sizes == [*module.hidden_layer_sizes, width]


@pytest.mark.parametrize(("chance", "beta"), [(np.inf, 0.7), (0.0, 0.0)])
def test_one_step_descends_along_the_papers_gradients(chance, beta, people):
    """The net along L_y − β L_s, the head along L_s; β is 0 where it is at a loss."""
    X, y, gender = people
    trained = fitted(people, net(module__dropout=0.0), beta=0.7).estimator_.net_
    head = nn.Linear(6, 2)
    idle = torch.optim.SGD(head.parameters(), lr=0.0)
    trained.group_head_ = (head, idle)
    trained.chance_ = chance
    trained.meter_ = RateMeter(trained.meter_.constraint, trained.task)
    inputs = torch.from_numpy(X.to_numpy("float32"))
    labels = torch.from_numpy((y == "hired").to_numpy().astype(np.int64))
    groups = torch.from_numpy((gender == "male").to_numpy().astype(np.int64))
    module, g = copy.deepcopy(trained.module_), inputs
    for name, part in module.named_children():
        logits, g = part(g), part(g) if name != "output" else g
    loss = binary_cross_entropy_with_logits(logits[:, 0], labels.float())
    group_loss = cross_entropy(head(g), groups)
    weights, own = list(module.parameters()), list(head.parameters())
    expected = torch.autograd.grad(loss - beta * group_loss, weights, retain_graph=True)
    of_head = torch.autograd.grad(group_loss, own)

    trained.module_.zero_grad()
    step = trained.train_step_single(({"X": inputs, "groups": groups}, labels))

    assert_allclose(step["loss"].detach(), loss.detach(), rtol=1e-6)
    for parameter, gradient in zip(trained.module_.parameters(), expected, strict=True):
        assert_allclose(parameter.grad, gradient, atol=1e-6)
    for parameter, gradient in zip(own, of_head, strict=True):
        assert_allclose(parameter.grad, gradient, atol=1e-6)


@pytest.mark.parametrize(
    "module",
    [
        {"hidden_layer_sizes": (5,)},
        {"module": MLP, "module__hidden_layer_sizes": (5,)},
        {"module": sequential},
    ],
)
def test_perceptrons_of_any_make_get_a_layer(module, people):
    X, _, _ = people
    clf = fitted(people, net(**module))
    squares = [p for p in clf.estimator_.net_.module_.parameters() if p.shape == (5, 5)]
    assert len(squares) == 1
    assert not torch.equal(squares[0], torch.eye(5))
    assert clf.predict_proba(X).shape == (300, 2)


def test_the_users_module_is_left_as_it_is(people):
    X, _, _ = people
    module = sequential(X.shape[1])
    before = copy.deepcopy(module.state_dict())
    fitted(people, net(module=module))
    assert before.keys() == module.state_dict().keys()
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())


def test_without_a_second_phase_no_layer_is_added(people):
    clf = fitted(people, net(max_epochs=0))
    assert clf.estimator_.net_.module_.hidden_layer_sizes == [8, 6]


def test_the_head_is_gone_after_training(people):
    assert fitted(people).estimator_.net_.group_head_ == ()


def test_the_difference_shrinks_and_the_head_is_at_a_loss():
    bunch = make_biased_classification(n_samples=1600, shift=1.5, random_state=0)
    X, gender = bunch.data.select_dtypes("number"), bunch.sensitive_features["gender"]
    # `height` tells the group; the label follows the group beyond the other columns.
    y = bunch.target.where(gender == "male", bunch.target * (X["height"] > 160))
    train, test = slice(0, 1000), slice(1000, None)
    longer = {"warmup_epochs": 10, "max_epochs": 20, "hidden_layer_sizes": (16,)}
    people = (X[train], y[train], gender[train])
    plain = net(**longer, random_state=0).fit(X[train], y[train])
    clf = fitted(people, net(**longer))
    free = fitted(people, net(**longer), beta=0.0)

    before, after = (
        demographic_parity_difference(
            y[test], each.predict(X[test]), sensitive_features=gender[test]
        )
        for each in (plain, clf)
    )

    assert after < 0.7 * before
    assert 0.05 < np.mean(clf.predict(X[test])) < 0.95
    assert clf.score(X[test], y[test]) > 0.6
    losses = [each.history_["group_loss"].iloc[-1] for each in (free, clf)]
    assert losses[0] < losses[1]


def test_the_history_tells_the_groups_loss_of_the_second_phase(people):
    history = fitted(people).history_
    second = (history["phase"] == "repair").to_numpy()
    for column in ("group_loss", "train_gap", "train_difference"):
        assert history[column][second].notna().all()
        assert history[column][~second].isna().all()


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

    with pytest.raises(TypeError, match=r"FADClassifier\.fit looks .*\[Tanh\(\)\]"):
        fitted(people, net(module=wavy))


def test_early_stopping_is_refused(people):
    with pytest.raises(ValueError, match=r"FADClassifier\.fit: early_stopping=True"):
        fitted(people, net(early_stopping=True))


@pytest.mark.parametrize(("name", "value"), [("beta", -1), ("head_lr", 0)])
def test_numbers_out_of_range_are_refused(name, value, people):
    with pytest.raises(ValueError, match=f"'{name}' .* Got {value} instead"):
        fitted(people, **{name: value})
