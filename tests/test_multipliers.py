import numpy as np
import pytest
import torch

from skfair_runner.conditions import CONSTRAINTS
from skfair_runner.multipliers import (
    MULTIPLIER_LIMIT,
    PairController,
    RateController,
    SelectionGuard,
    SingleGuard,
    make_guard,
    make_rate_controller,
)


@pytest.mark.parametrize("bound", [0.0, 0.05, 0.4])
@pytest.mark.parametrize("name", sorted(CONSTRAINTS))
def test_plain_numbers_do_what_arrays_do(name, bound):
    """Empty cells among them, and multipliers at their limit."""
    conditions = CONSTRAINTS[name].conditions(2)
    settings = {"gain": 0.3, "memory": 0.5}
    arrays = RateController(conditions, 2, 1, bound, **settings)
    numbers = make_rate_controller(conditions, 2, 1, bound, **settings)
    assert isinstance(numbers, PairController)
    generator = np.random.default_rng(0)
    limits = 0
    for step in range(60):
        counts = generator.integers(0, 3, (2, 2)).astype(np.float32)
        share = generator.random((2, 2)) ** (8 if step < 30 else 1)
        share[:, 0] = 1 - share[:, 0]
        sums = (counts * share)[:, :, None].astype(np.float32)
        for controller in (arrays, numbers):
            controller.observe(sums, counts)
        limits += numbers.at_limit
        np.testing.assert_allclose(
            numbers.multipliers, arrays.multipliers, rtol=1e-4, atol=1e-5
        )
        assert numbers.at_limit == arrays.at_limit
        np.testing.assert_allclose(
            numbers.prices(counts), arrays.prices(counts), rtol=1e-4, atol=1e-5
        )
    assert limits


@pytest.mark.parametrize(("n_labels", "n_groups"), [(2, 3), (3, 2)])
def test_more_groups_or_labels_are_controlled_in_arrays(n_labels, n_groups):
    conditions = CONSTRAINTS["equalized_odds"].conditions(n_labels)
    n_columns = 1 if n_labels == 2 else n_labels
    part = make_rate_controller(conditions, n_groups, n_columns, 0.1)
    assert type(part) is RateController


def test_a_guard_in_plain_numbers_does_what_one_in_arrays_does():
    """The rate drifts to one end, comes back, and drifts to the other."""
    arrays = SelectionGuard(np.array([0.3], np.float32), 0.1)
    numbers = make_guard(torch.tensor([0.3]), 0.1)
    assert isinstance(numbers, SingleGuard)
    generator, guards = np.random.default_rng(0), []
    for step in range(600):
        counts = generator.integers(1, 9, (2, 2)).astype(np.float32)
        rate = (1.0, 0.3, 0.0)[step // 200]
        sums = (counts * rate)[:, :, None].astype(np.float32)
        for guard in (arrays, numbers):
            guard.observe(sums, counts)
        for told in ("multipliers", "prices"):
            ours, expected = (getattr(guard, told) for guard in (numbers, arrays))
            if told == "prices":
                ours, expected = ours(counts), expected(counts)
            np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-5)
        guards.append(numbers.multipliers.item())
    assert max(guards) == MULTIPLIER_LIMIT and min(guards) < -0.2
    assert 0 in np.round(guards, 3)


def test_several_columns_are_guarded_in_arrays():
    assert type(make_guard(torch.tensor([0.2, 0.3, 0.5]), 0.1)) is SelectionGuard
