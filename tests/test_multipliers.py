import numpy as np
import pytest

from skfair_runner.conditions import CONSTRAINTS
from skfair_runner.multipliers import (
    PairController,
    RateController,
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
