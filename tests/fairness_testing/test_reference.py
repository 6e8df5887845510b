"""Published ADF and EIDIG, written out row by row, against the batched ones.

Zhang et al., ICSE 2020, and Zhang et al., ISSTA 2021, Algorithms 1 to 3, for one
sensitive column of two values, integer columns and a net with one logit. A walker that
fails goes back to where it started, as the published ones do.
"""

import numpy as np
import pytest
import torch

from skfair_runner.fairness_testing import ADF, EIDIG
from skfair_runner.fairness_testing._sampling import spread_seeds

N_SEEDS, N_LOCAL, MAX_ITER, EPSILON = 20, 60, 10, 1e-6


class Literal:
    """One seed after the other, one row at a time."""

    def __init__(self, net, sizes, sensitive, method, rng):
        self.net, self.high = net, sizes - 1
        self.sensitive, self.method, self.rng = sensitive, method, rng
        self.tried, self.found = set(), set()

    def probability(self, x):
        with torch.no_grad():
            row = torch.tensor(x, dtype=torch.float32)[None]
            return float(self.net(row).sigmoid())

    def twin(self, x):
        other = x.copy()
        other[self.sensitive] = 1 - other[self.sensitive]
        return other

    def gradient(self, x):
        """Of the loss (ADF), or of the output away from its decision (EIDIG)."""
        row = torch.tensor(x, dtype=torch.float32)[None].requires_grad_()
        p = self.net(row).sigmoid()[0, 0]
        label = (p > 0.5).float()
        if self.method == "adf":
            value = -(label * p.log() + (1 - label) * (1 - p).log())
        else:
            value = -p if label else p
        return torch.autograd.grad(value, row)[0][0].numpy()

    def is_discriminatory(self, x):
        key = tuple(np.delete(x, self.sensitive))
        found = (self.probability(x) > 0.5) != (self.probability(self.twin(x)) > 0.5)
        self.tried.add(key)
        if found:
            self.found.add(key)
        return found

    def run(self, seeds):
        for seed in seeds:
            hit = self.move_to_boundary(seed.astype(float))
            if hit is not None:
                self.walk(hit)
        return self

    def move_to_boundary(self, x):
        memory = np.zeros((2, len(x)))
        decay = 0.5 if self.method == "eidig" else 0.0
        for _ in range(MAX_ITER):
            if self.is_discriminatory(x):
                return x
            pair = [self.gradient(x), self.gradient(self.twin(x))]
            memory = decay * memory + pair
            signs = np.sign(memory)
            step = np.where(signs[0] == signs[1], signs[0], 0)
            step[self.sensitive] = 0
            x = np.clip(x + step, 0, self.high)
        return None

    def probabilities(self, x):
        influence = np.abs(self.gradient(x)) + np.abs(self.gradient(self.twin(x)))
        weights = 1 / (influence + EPSILON)
        weights[self.sensitive] = 0
        return weights / weights.sum()

    def walk(self, start):
        x, refresh = start.copy(), 1 if self.method == "adf" else 5
        first = p = self.probabilities(x)
        successes = 0
        for _ in range(N_LOCAL):
            if successes >= refresh:
                p, successes = self.probabilities(x), 0
            successes += 1
            column = self.rng.choice(len(x), p=p)
            x[column] += self.rng.choice([-1, 1])
            x = np.clip(x, 0, self.high)
            if not self.is_discriminatory(x):
                x, p, successes = start.copy(), first, 0


@pytest.mark.parametrize(("name", "method"), [("adf", ADF), ("eidig", EIDIG)])
def test_at_least_as_many_instances_per_try_as_published(box, name, method):
    codes = box.space.encode(box.X)
    literal, ours = [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        seeds = spread_seeds(box.space, codes, N_SEEDS, 4, rng)
        published = Literal(box.net, box.space.sizes, 4, name, rng).run(seeds)
        # As many tries, so that neither has the easier part of the box.
        tried = len(published.tried)
        search = method(n_global=N_SEEDS, budget=tried, random_state=seed)
        result = search.search(box.net, box.X, space=box.space)
        assert result.tried == tried
        ours.append(result.found)
        literal.append(len(published.found))
    assert sum(ours) >= sum(literal), (ours, literal)
