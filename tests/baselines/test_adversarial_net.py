import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import AdversarialDebiasingClassifier
from skfair_runner.baselines._adversarial_net import ScoreAdversary, project_out

SHAPES = [(3, 4), (4,), (1, 3), ()]


def random_tensors(seed, shapes=SHAPES):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(shape, generator=generator, dtype=torch.double) for shape in shapes
    ]


def test_the_projection_of_a_matrix_is_frobenius():
    (gradient,), (direction,) = random_tensors(0, [(3, 4)]), random_tensors(1, [(3, 4)])
    g, d = gradient.numpy(), direction.numpy()
    expected = g - np.trace(g.T @ d) / np.linalg.norm(d) ** 2 * d

    (kept,) = project_out([gradient], [direction])

    assert_allclose(kept, expected)
    # What `torch.inner` of two matrices would give is another thing.
    assert not np.allclose(g - g @ d.T @ d, expected)


def test_all_tensors_together_are_one_vector():
    gradients, directions = random_tensors(0), random_tensors(1)
    g = np.concatenate([t.numpy().ravel() for t in gradients])
    d = np.concatenate([t.numpy().ravel() for t in directions])

    kept = project_out(gradients, directions)

    assert [tuple(t.shape) for t in kept] == SHAPES
    flat = np.concatenate([t.numpy().ravel() for t in kept])
    assert_allclose(flat, g - (g @ d) / (d @ d) * d)
    assert_allclose(flat @ d, 0, atol=1e-12)


@pytest.mark.parametrize("factor", [-3.0, 1e-30, 1e30])
def test_the_length_of_the_directions_does_not_matter(factor):
    gradients = [t.float() for t in random_tensors(0)]
    directions = [t.float() for t in random_tensors(1)]
    expected = project_out(gradients, directions)
    scaled = project_out(gradients, [factor * d for d in directions])
    for one, other in zip(expected, scaled, strict=True):
        assert_allclose(one, other, atol=1e-6)


def test_zero_directions_take_nothing_away():
    gradients = random_tensors(0)
    kept = project_out(gradients, [torch.zeros_like(g) for g in gradients])
    assert all(torch.equal(a, b) for a, b in zip(kept, gradients, strict=True))


def make_batch(n_groups=3, n_samples=200):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (n_samples,), generator=generator)
    groups = torch.randint(n_groups, (n_samples,), generator=generator)
    noise = torch.randn(n_samples, generator=generator)
    return (noise + groups + labels)[:, None], labels, groups


def random_adversary(pools, n_groups=3):
    torch.manual_seed(1)
    adversary = ScoreAdversary(torch.tensor(pools), n_groups)
    for parameter in adversary.parameters():
        nn.init.normal_(parameter)
    return adversary


@pytest.mark.parametrize("n_groups", [2, 5])
def test_a_new_adversary_knows_nothing(n_groups):
    adversary = ScoreAdversary(torch.ones(1, 2), n_groups)
    loss = adversary.loss(*make_batch(n_groups))
    assert_allclose(loss.item(), np.log(n_groups), rtol=1e-6)


def test_the_adversary_is_a_logistic_regression_on_the_score():
    logits, labels, groups = make_batch(2)
    adversary = ScoreAdversary(torch.ones(1, 2), 2)
    with torch.no_grad():
        adversary.steepness.fill_(-0.5)  # 1 + |c| = 1.5
    adversary.steepness.requires_grad_(False)
    optimizer = torch.optim.LBFGS(
        [adversary.slopes, adversary.intercepts], max_iter=100, tolerance_change=1e-12
    )

    def closure():
        optimizer.zero_grad()
        loss = adversary.loss(logits, labels, groups)
        loss.backward()
        return loss

    optimizer.step(closure)
    score = torch.sigmoid(1.5 * logits).numpy()
    theirs = LogisticRegression(C=np.inf, max_iter=1000).fit(score, groups)
    ours = adversary(logits, labels).softmax(1).detach()
    assert_allclose(ours, theirs.predict_proba(score), atol=1e-3)


def test_for_equalized_odds_there_is_one_regression_for_each_label():
    logits, labels, groups = make_batch()
    both = random_adversary([[1.0, 0.0], [0.0, 1.0]])
    expected = 0.0
    for label in (0, 1):
        one = ScoreAdversary(torch.ones(1, 2), 3)
        state = {
            "pools": torch.ones(1, 2),
            "steepness": both.steepness,
            "slopes": both.slopes[label : label + 1],
            "intercepts": both.intercepts[label : label + 1],
        }
        one.load_state_dict(state)
        own = labels == label
        expected += own.float().mean() * one.loss(logits[own], labels[own], groups[own])
    assert_allclose(both.loss(logits, labels, groups).item(), expected.item(), 1e-5)


def test_for_a_rate_parity_other_labels_are_not_seen():
    logits, labels, groups = make_batch()
    adversary = random_adversary([[0.0, 1.0]])
    own = labels == 1
    expected = adversary.loss(logits[own], labels[own], groups[own])
    found = adversary.loss(logits, labels, groups)
    assert_allclose(found.item(), expected.item(), 1e-5)
    nobody = adversary.loss(logits[~own], labels[~own], groups[~own])
    assert nobody.item() == 0


class OtherSteps:
    """The paper's algorithm in a plain loop, on all rows, for demographic parity."""

    def __init__(self, module, X, y, groups):
        self.module = copy.deepcopy(module)
        self.data = [torch.as_tensor(v) for v in (X, y, groups)]
        self.c, self.w, self.b = torch.ones(()), torch.zeros(1, 2), torch.zeros(1, 2)
        self.own = [self.c, self.w, self.b]
        for p in self.own:
            p.requires_grad_()
        self.adam = torch.optim.Adam(self.own, lr=0.1)

    def step(self, alpha):
        X, y, groups = self.data
        logits = self.module(X)
        loss = binary_cross_entropy_with_logits(logits[:, 0], y.float())
        s = torch.sigmoid((1 + self.c.abs()) * logits)
        against = cross_entropy(s * self.w + self.b, groups)
        weights = list(self.module.parameters())
        g = torch.autograd.grad(loss, weights, retain_graph=True)
        d = torch.autograd.grad(against, weights, retain_graph=True)
        self.adam.zero_grad()
        self.own_grads = torch.autograd.grad(against, self.own)
        if alpha is not None:
            flat_g = torch.cat([t.flatten() for t in g])
            flat_d = torch.cat([t.flatten() for t in d])
            if flat_d.any():
                flat_g = flat_g - (flat_g @ flat_d) / (flat_d @ flat_d) * flat_d
            flat_g = flat_g - alpha * flat_d
            g = [
                part.view_as(p)
                for part, p in zip(
                    flat_g.split([p.numel() for p in weights]), weights, strict=True
                )
            ]
        with torch.no_grad():
            for p, step in zip(weights, g, strict=True):
                p -= 0.5 * step
        for p, grad in zip(self.own, self.own_grads, strict=True):
            p.grad = grad
        self.adam.step()


@pytest.mark.parametrize("max_epochs", [0, 5])
def test_steps_are_those_of_the_paper(max_epochs):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2)).astype(np.float32)
    groups = (X[:, 0] + rng.normal(size=60) > 0).astype(np.int64)
    y = (X.sum(1) + groups > 0.5).astype(np.int64)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    net = RunnerFairClassifier(
        constraint=None,
        module=module,
        optimizer="sgd",
        optimizer__momentum=0.0,
        lr=0.5,
        lr_schedule="constant",
        warmup_epochs=3,
        max_epochs=max_epochs,
        batch_size=60,
    )
    clf = AdversarialDebiasingClassifier(
        net, alpha=1.5, adversary_lr=0.1, random_state=0
    )
    clf.fit(X, y, sensitive_features=groups)

    other = OtherSteps(module, X, y, groups)
    for _ in range(3):
        other.step(None)
    for step in range(max_epochs):
        # With the square root of the steps, up to alpha at the end.
        other.step(1.5 * ((step + 1) / max_epochs) ** 0.5)
    for ours, theirs in zip(
        clf.estimator_.net_.module_.parameters(),
        other.module.parameters(),
        strict=True,
    ):
        assert_allclose(ours.detach(), theirs.detach(), atol=1e-5)
