from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from skfair_runner.cells import (
    Cells,
    PricedSums,
    largest_difference,
    mean_pairwise_difference,
    pairwise_slopes,
)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def make_samples(n_samples, n_labels, n_groups, seed=0):
    """Labels, groups and weights, some of them zero."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(n_labels, (n_samples,), generator=generator)
    groups = torch.randint(n_groups, (n_samples,), generator=generator)
    weights = torch.rand(n_samples, generator=generator, dtype=torch.double)
    weights[::7] = 0
    return labels, groups, weights


@pytest.mark.parametrize("weighted", [False, True])
def test_joined_parts_are_the_whole(weighted):
    labels, groups, weights = make_samples(50, 3, 2)
    given = weights if weighted else None
    whole = Cells(labels, groups, 3, 2, given)
    parts = [
        Cells(labels[r], groups[r], 3, 2, weights[r] if weighted else None)
        for r in torch.arange(50).split(20)
    ]

    joined = Cells.joined(parts)

    values = torch.randn(50, 2, dtype=torch.double)
    assert_close(joined.counts, whole.counts)
    assert_close(joined.sums(values), whole.sums(values))


# 64 cells take the one-hot path, 65 and more the indexed one.
@pytest.mark.parametrize(("n_labels", "n_groups"), [(2, 2), (4, 16), (5, 13), (3, 90)])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_and_counts_equal_a_loop_over_cells(n_labels, n_groups, weighted):
    labels, groups, weights = make_samples(300, n_labels, n_groups)
    values = torch.randn(300, 4, dtype=torch.double)
    if not weighted:
        weights = None
    cells = Cells(labels, groups, n_labels, n_groups, weights)

    sums = cells.sums(values)

    ones = torch.ones(300, dtype=torch.double) if weights is None else weights
    for label in range(n_labels):
        for group in range(n_groups):
            inside = (labels == label) & (groups == group)
            expected = (values[inside] * ones[inside, None]).sum(0)
            assert_close(sums[label, group], expected)
            total = ones[inside].sum()
            assert_close(cells.counts[label, group].double(), total)


def test_gradient_of_the_indexed_path_equals_that_of_the_one_hot_path(monkeypatch):
    labels, groups, weights = make_samples(200, 2, 3)
    values = torch.randn(200, 5, dtype=torch.double, requires_grad=True)
    upstream = torch.randn(2, 3, 5, dtype=torch.double)

    one_hot = Cells(labels, groups, 2, 3, weights)
    monkeypatch.setattr("skfair_runner.cells._MOST_CELLS_FOR_ONE_HOT", 0)
    indexed = Cells(labels, groups, 2, 3, weights)

    assert_close(indexed.sums(values), one_hot.sums(values))
    assert_close(indexed.counts, one_hot.counts)
    (expected,) = torch.autograd.grad(one_hot.sums(values), values, upstream)
    (found,) = torch.autograd.grad(indexed.sums(values), values, upstream)
    assert_close(found, expected)
    assert_close(found, upstream[labels, groups] * weights[:, None])


@pytest.mark.parametrize("most_for_one_hot", [0, 64])
def test_sums_pass_gradcheck(monkeypatch, most_for_one_hot):
    monkeypatch.setattr("skfair_runner.cells._MOST_CELLS_FOR_ONE_HOT", most_for_one_hot)
    cells = Cells(*make_samples(12, 2, 3)[:2], 2, 3)
    values = torch.randn(12, 2, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(cells.sums, values)


def test_a_weight_equals_a_repetition():
    labels, groups, _ = make_samples(50, 2, 3)
    times = torch.arange(50) % 4
    values = torch.randn(50, 2)

    weighted = Cells(labels, groups, 2, 3, times.float())
    repeated = Cells(
        labels.repeat_interleave(times), groups.repeat_interleave(times), 2, 3
    )

    assert_close(weighted.counts, repeated.counts)
    assert_close(
        weighted.sums(values), repeated.sums(values.repeat_interleave(times, 0))
    )


@pytest.mark.parametrize("n_groups", [2, 80])
def test_sums_keep_the_precision_of_the_values(n_groups):
    cells = Cells(*make_samples(10, 2, n_groups)[:2], 2, n_groups)
    assert cells.sums(torch.ones(10, 1)).dtype == torch.float32
    assert cells.sums(torch.ones(10, 1, dtype=torch.double)).dtype == torch.float64


def test_ten_thousand_groups_take_memory_of_their_own_number_only():
    n_samples, n_groups = 20_000, 10_000
    labels, groups, _ = make_samples(n_samples, 2, n_groups)
    values = torch.randn(n_samples, 3, dtype=torch.double, requires_grad=True)
    cells = Cells(labels, groups, 2, n_groups)

    sums = cells.sums(values)
    sums.sum().backward()

    assert sums.shape == (2, n_groups, 3)
    assert_close(sums.sum((0, 1)), values.sum(0))
    assert_close(values.grad, torch.ones_like(values))


def spread_by_hand(values, present, reduce):
    """`reduce` of the absolute differences of all pairs of present values."""
    kept = [v for v, there in zip(values, present, strict=True) if there]
    if len(kept) < 2:
        return 0.0
    return reduce([abs(a - b) for a, b in combinations(kept, 2)])


def mean(numbers):
    return sum(numbers) / len(numbers)


@pytest.mark.parametrize(
    ("spread", "reduce"),
    [(mean_pairwise_difference, mean), (largest_difference, max)],
)
@given(data=st.data(), n_groups=st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_spreads_equal_brute_force_over_pairs(spread, reduce, data, n_groups):
    numbers = st.floats(-100, 100) | st.sampled_from([0.0, 1.0])
    row = st.lists(numbers, min_size=n_groups, max_size=n_groups)
    flags = st.lists(st.booleans(), min_size=n_groups, max_size=n_groups)
    values = torch.tensor(data.draw(st.tuples(row, row)), dtype=torch.double)
    present = torch.tensor(data.draw(st.tuples(flags, flags)))

    found = spread(values, present)

    for i in range(2):
        expected = spread_by_hand(values[i].tolist(), present[i].tolist(), reduce)
        assert found[i].item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("spread", [mean_pairwise_difference, largest_difference])
@pytest.mark.parametrize("n_groups", [2, 3, 6])
def test_spreads_pass_gradcheck_and_ignore_absent_groups(spread, n_groups):
    generator = torch.Generator().manual_seed(n_groups)
    values = torch.randn(4, n_groups, generator=generator, dtype=torch.double)
    values.requires_grad_()
    present = torch.ones(4, n_groups, dtype=torch.bool)
    present[1, 0] = present[2] = False

    assert torch.autograd.gradcheck(lambda v: spread(v, present), values)
    (gradient,) = torch.autograd.grad(spread(values, present).sum(), values)
    assert not gradient[~present].any()
    assert not gradient[2].any()


@pytest.mark.parametrize("spread", [mean_pairwise_difference, largest_difference])
def test_spreads_do_not_depend_on_the_order_of_the_groups(spread):
    values = torch.randn(3, 9, dtype=torch.double)
    present = torch.rand(3, 9) < 0.7
    order = torch.randperm(9)
    assert_close(spread(values[:, order], present[:, order]), spread(values, present))


def test_values_of_absent_groups_do_not_matter():
    present = torch.tensor([True, True, False, True])
    few = torch.tensor([0.1, 0.4, 0.0, 0.2], dtype=torch.double)
    many = few.where(present, 1e6)
    for spread in (mean_pairwise_difference, largest_difference):
        assert_close(spread(many, present), spread(few, present))


@pytest.mark.parametrize("n_groups", [2, 4])
def test_slopes_are_the_derivative_of_the_spread(n_groups):
    generator = torch.Generator().manual_seed(n_groups)
    values = torch.rand(5, n_groups, generator=generator, dtype=torch.float64)
    present = torch.ones(5, n_groups, dtype=torch.bool)
    present[1, 0] = False
    present[2, 1:] = False

    slopes = pairwise_slopes(values, present)

    step = 1e-6
    for group in range(n_groups):
        shifted = values.clone()
        shifted[:, group] += step
        before, after = (
            mean_pairwise_difference(each, present) for each in (values, shifted)
        )
        torch.testing.assert_close(slopes[:, group], (after - before) / step)


@pytest.mark.parametrize(("n_labels", "n_groups"), [(2, 2), (5, 13)])
@pytest.mark.parametrize("weighted", [False, True])
def test_spreading_is_the_transpose_of_summing(n_labels, n_groups, weighted):
    labels, groups, weights = make_samples(100, n_labels, n_groups)
    cells = Cells(labels, groups, n_labels, n_groups, weights if weighted else None)
    values = torch.randn(100, 3, dtype=torch.double)
    of_cells = torch.randn(n_labels, n_groups, 3, dtype=torch.double)
    if not weighted:
        values, of_cells = values.float(), of_cells.float()

    along_cells = (cells.sums(values) * of_cells).sum()
    along_samples = (cells.spread(of_cells) * values).sum()

    assert_close(along_cells, along_samples)


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_priced_sums_have_the_value_and_gradient_of_the_graph(weighted, together):
    labels, groups, weights = make_samples(100, 2, 3)
    cells = Cells(labels, groups, 2, 3, weights.float() if weighted else None)
    values = [torch.randn(100, k, requires_grad=True) for k in (4, 1)]
    prices = [torch.randn(2, 3, k) for k in (4, 1)]
    terms = [(p * cells.sums(v)).sum() for p, v in zip(prices, values, strict=True)]
    expected = 3 * sum(terms)
    slopes = torch.autograd.grad(expected, values)

    sums = [cells.sums(v.detach()) for v in values]
    if together:
        parts = [PricedSums(values, torch.cat(sums, 2), torch.cat(prices, 2))]
    else:
        parts = [
            PricedSums([v], *of) for v, *of in zip(values, sums, prices, strict=True)
        ]
    found = 3 * cells.priced(parts)

    assert_close(found, expected)
    assert_close(torch.autograd.grad(found, values), slopes)
