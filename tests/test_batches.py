from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from torch import Tensor

from skfair_runner.batches import (
    BalancedPlan,
    BatchLoader,
    GroupedDataset,
    RowBuffer,
    plan_shuffled,
    spread_rows,
)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def make_dataset(n_samples=103, *, weights=True, as_sparse=False):
    """Rows whose first feature is their number; 3 groups, 2 labels, uneven cells."""
    rng = np.random.default_rng(0)
    X = np.column_stack([np.arange(n_samples), rng.normal(size=n_samples)])
    X = X.astype(np.float32)
    source = {
        "X": sparse.csr_matrix(X) if as_sparse else X,
        "groups": rng.choice(3, n_samples, p=[0.7, 0.2, 0.1]),
        "weights": rng.random(n_samples, dtype=np.float32) if weights else None,
    }
    return GroupedDataset(source, (rng.random(n_samples) < 0.3).astype(np.int64))


def rows_of(batch):
    return batch[0]["X"][:, 0].long().tolist()


@given(n_samples=st.integers(1, 60), batch_size=st.integers(1, 70))
@settings(deadline=None)
def test_a_plan_covers_each_row_once_in_even_batches(n_samples, batch_size):
    order = np.random.default_rng(0).permutation(n_samples)
    batches = plan_shuffled(n_samples, batch_size, order)
    sizes = [len(batch) for batch in batches]
    assert_array_equal(np.concatenate(batches), order)
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    assert len(batches) == -(-n_samples // batch_size)


@pytest.mark.parametrize(("n", "most"), [(1, 5), (5, 5), (6, 5), (1000, 7)])
def test_spread_rows_reach_from_the_first_to_the_last(n, most):
    rows = spread_rows(n, most)
    assert len(rows) == len(set(rows)) == min(n, most)
    assert rows[0] == 0 and rows[-1] == n - 1
    assert np.ptp(np.diff(rows)) <= 1 if len(rows) > 1 else True


@pytest.mark.parametrize("batch_size", [10, 50, 103, 500])
def test_each_row_comes_once_in_a_shuffled_epoch(batch_size):
    loader = BatchLoader(make_dataset(), batch_size, shuffle=True)
    batches = [rows_of(batch) for batch in loader]
    assert len(batches) == len(loader)
    assert Counter(sum(batches, [])) == Counter(range(103))
    sizes = [len(batch) for batch in batches]
    assert max(sizes) - min(sizes) <= 1


def test_epochs_come_in_new_orders_that_the_seed_repeats():
    loader = BatchLoader(make_dataset(), 20, shuffle=True)
    first, second = ([rows_of(batch) for batch in loader] for _ in range(2))
    torch.manual_seed(0)
    again = [rows_of(batch) for batch in loader]
    assert first != second
    assert again == first


def test_rows_come_in_order_where_nothing_is_shuffled():
    batches = [rows_of(batch) for batch in BatchLoader(make_dataset(), 20)]
    assert sum(batches, []) == list(range(103))


def test_a_batch_holds_the_columns_of_its_rows():
    dataset = make_dataset()
    batch, y = dataset.take(np.array([5, 2]))
    assert_array_equal(batch["X"], dataset.X["X"][[5, 2]])
    assert_array_equal(batch["groups"], dataset.X["groups"][[5, 2]])
    assert_array_equal(batch["weights"], dataset.X["weights"][[5, 2]])
    assert_array_equal(y, dataset.y[[5, 2]])
    assert batch["X"].dtype == torch.float32
    assert batch["groups"].dtype == y.dtype == torch.int64
    one, label = dataset[5]
    assert_array_equal(one["X"], dataset.X["X"][5])
    assert label == dataset.y[5]


def test_a_batch_of_unweighted_rows_has_no_weights():
    batch, _ = make_dataset(weights=False).take(np.array([0]))
    assert set(batch) == {"X", "groups"}


def test_sparse_rows_come_dense_and_equal():
    dense, thin = (
        BatchLoader(make_dataset(as_sparse=kind), 20) for kind in (False, True)
    )
    for (expected, y), (found, same_y) in zip(dense, thin, strict=True):
        for name, values in expected.items():
            assert_array_equal(found[name], values)
        assert_array_equal(same_y, y)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_a_subset_shares_its_sources(as_sparse):
    dataset = make_dataset(as_sparse=as_sparse)
    subset = dataset.subset([9, 4, 7]).subset([2, 0])

    assert len(subset) == 2
    assert subset.X["X"] is dataset.X["X"]
    assert subset.y is dataset.y
    assert rows_of(subset.take(np.array([0, 1]))) == [7, 9]
    assert_array_equal(subset.column("y"), dataset.y[[7, 9]])
    for name in ("groups", "weights"):
        assert_array_equal(subset.column(name), dataset.X[name][[7, 9]])


def test_a_column_of_all_rows_is_the_source_itself():
    dataset = make_dataset(weights=False)
    assert dataset.column("groups") is dataset.X["groups"]
    assert dataset.column("weights") is None
    assert dataset.subset([1]).column("weights") is None


@pytest.mark.parametrize("rows", [None, [5, 3, 70]])
def test_a_further_column_comes_in_the_batches_of_its_rows(rows):
    dataset = make_dataset()
    dataset = dataset if rows is None else dataset.subset(rows)
    flags = np.random.default_rng(1).integers(0, 255, (len(dataset), 2), np.uint8)
    flagged = dataset.with_column("flags", flags)
    index = np.array([2, 0])
    batch, _ = flagged.take(index)
    assert_array_equal(batch["flags"], flags[index])
    assert_array_equal(flagged.column("flags"), flags)
    assert rows_of(flagged.take(index)) == rows_of(dataset.take(index))
    assert "flags" not in dataset.take(index)[0]


def test_taking_rows_does_not_share_memory_with_the_sources():
    dataset = make_dataset()
    batch, y = dataset.take(np.arange(103))
    for tensor in (*batch.values(), y):
        tensor.zero_()
    assert dataset.X["X"].any()
    assert dataset.y.any()


@pytest.mark.parametrize("sampling", ["group", "group_label"])
@pytest.mark.parametrize("batch_size", [12, 40, 300])
def test_balanced_batches_hold_equal_numbers_of_every_cell(sampling, batch_size):
    loader = BatchLoader(make_dataset(), batch_size, sampling=sampling)
    batches = list(loader)
    assert len(batches) == len(loader) == -(-103 // batch_size)
    for batch, y in batches:
        cells = batch["groups"].tolist()
        if sampling == "group_label":
            cells = list(zip(cells, y.tolist(), strict=True))
        counts = Counter(cells)
        n_cells = 3 if sampling == "group" else 6
        assert len(counts) == n_cells
        assert set(counts.values()) == {batch_size // n_cells}


def test_balanced_batches_of_a_subset_hold_its_rows_only():
    rows = np.arange(0, 103, 2)
    loader = BatchLoader(make_dataset().subset(rows), 12, sampling="group")
    assert all(set(rows_of(batch)) <= set(rows.tolist()) for batch in loader)


def test_steps_per_epoch_sets_the_number_of_balanced_batches():
    loader = BatchLoader(make_dataset(), 12, sampling="group", steps_per_epoch=4)
    assert len(loader) == len(list(loader)) == 4


@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    batch_size=st.integers(1, 40),
)
@settings(deadline=None)
def test_no_row_of_a_cell_returns_before_all_were_drawn(sizes, batch_size):
    """Also for cells that are smaller than their share of a batch."""
    cells = np.repeat(np.arange(len(sizes)) * 10, sizes)
    plan = BalancedPlan(cells, batch_size)
    generator = np.random.default_rng(0)
    batches = [plan.draw(generator) for _ in range(12)]

    share = max(1, batch_size // len(sizes))
    drawn = np.concatenate(batches)
    for code, size in enumerate(sizes):
        assert all((cells[batch] == code * 10).sum() == share for batch in batches)
        own = drawn[cells[drawn] == code * 10]
        for start in range(0, len(own) - size + 1, size):
            assert len(set(own[start : start + size])) == size


def test_an_unknown_sampling_is_named():
    with pytest.raises(ValueError, match=r"'stratified'.*\['shuffled', 'group', "):
        BatchLoader(make_dataset(), 10, sampling="stratified")


def test_steps_per_epoch_is_refused_for_shuffled_batches():
    with pytest.raises(ValueError, match="steps_per_epoch=7 has no meaning"):
        BatchLoader(make_dataset(), 10, steps_per_epoch=7)


def test_a_transform_is_a_function_from_tensor_to_tensor():
    with pytest.raises(TypeError, match="transform='flip' must be a function"):
        BatchLoader(make_dataset(), 10, transform="flip")
    loader = BatchLoader(make_dataset(), 10, transform=Tensor.numpy)
    with pytest.raises(TypeError, match=r"numpy' .* returned a ndarray .* shape \("):
        next(iter(loader))


def test_a_row_buffer_holds_all_parts_in_one_tensor():
    parts = torch.randn(7, 3, dtype=torch.double).split([2, 4, 1])
    buffer = RowBuffer(7)
    buffer.add(parts[0])
    place = buffer.values.data_ptr()
    for part in parts[1:]:
        buffer.add(part)
    assert torch.equal(buffer.values, torch.cat(parts))
    assert buffer.values.data_ptr() == place
