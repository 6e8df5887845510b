"""A small net over a small box, whose discriminatory instances are all known."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from skfair_runner.fairness_testing import Space, all_instances


class Box(NamedTuple):
    """A net on five columns of eight values or two, and the truth about it."""

    net: nn.Module
    X: np.ndarray
    space: Space
    found: np.ndarray  # every discriminatory instance, sensitive column left out


def train_net(X, y, seed=0):
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Linear(X.shape[1], 24),
        nn.ReLU(),
        nn.Linear(24, 24),
        nn.ReLU(),
        nn.Linear(24, 1),
    )
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y).float()
    for _ in range(200):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(net(inputs)[:, 0], targets).backward()
        optimizer.step()
    return net.eval()


def draw_rows(rng, n=2000):
    numbers = rng.integers(0, 8, (n, 4))
    return np.column_stack([numbers, rng.integers(0, 2, n)]).astype(np.float32)


def truth(net, space):
    """Discriminatory instances, by asking the net about every row of the box."""
    rows = [all_instances(space).astype(np.float32) for _ in range(2)]
    for value, side in enumerate(rows):
        side[:, 4] = value
    with torch.no_grad():
        decided = [(net(torch.from_numpy(side))[:, 0] > 0).numpy() for side in rows]
    return rows[0][decided[0] != decided[1]][:, :4]


@pytest.fixture(scope="session")
def box():
    rng = np.random.default_rng(2)
    X = draw_rows(rng)
    score = (X[:, :4] / 8) @ [1.5, -2.0, 1.0, 0.5] + 0.6 * (X[:, 4] - 0.5)
    score += np.sin(X[:, 0]) * 0.4 - 0.1
    net = train_net(X, (score + 0.2 * rng.normal(size=len(X)) > 0).astype(int))
    space = Space.from_data(X, sensitive_features=4)
    return Box(net, X, space, truth(net, space))


@pytest.fixture(scope="session")
def blind(box):
    """The same net without its way from the sensitive column."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
    with torch.no_grad():
        net[0].weight[:, 4] = 0
    return net.eval()


@pytest.fixture
def people():
    """Mixed columns: whole numbers, fractions, strings, booleans, and two groups."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 70, 200),
            "school": rng.integers(1, 14, 200),
            "income": rng.uniform(0, 50, 200).round(2),
            "job": rng.choice(["clerk", "nurse", "smith"], 200),
            "owner": rng.integers(0, 2, 200).astype(bool),
            "sex": rng.choice(["f", "m"], 200),
            "race": pd.Categorical(rng.choice(["x", "y", "z"], 200)),
        }
    )
