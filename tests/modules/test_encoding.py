import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from skfair_runner.modules import PiecewiseLinearEncoding, piecewise_linear_edges


def assert_same_edges(left, right):
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        assert_array_equal(a, b, strict=True)


@pytest.fixture
def mixed():
    """Continuous, rounded, mostly zero, binary and constant columns."""
    rng = np.random.default_rng(0)
    n = 3000
    return np.column_stack(
        [
            rng.standard_normal(n),
            np.round(10 * rng.standard_normal(n)),
            np.where(rng.random(n) < 0.92, 0, rng.lognormal(size=n)),
            rng.integers(0, 2, n),
            np.full(n, 7.5),
        ]
    ).astype(np.float32)


def test_edges_of_a_continuous_column_are_numpys_quantiles(mixed):
    (edges,) = piecewise_linear_edges(mixed[:, :1], n_bins=16)

    expected = np.quantile(mixed[:, 0], np.arange(17) / 16, method="inverted_cdf")
    assert_array_equal(edges, expected)


@pytest.mark.parametrize(("n_rows", "n_bins"), [(14_999, 16), (15_000, 48)])
def test_auto_uses_more_bins_from_15000_rows(n_rows, n_bins):
    X = np.arange(n_rows, dtype=np.float64)[:, None]
    assert len(piecewise_linear_edges(X)[0]) == n_bins + 1


def test_auto_counts_a_weight_of_two_as_two_rows():
    X = np.arange(7500.0)[:, None]
    (edges,) = piecewise_linear_edges(X, sample_weight=np.full(7500, 2))
    assert len(edges) == 49


def test_few_distinct_values_are_the_edges(mixed):
    X = np.column_stack([mixed[:, 3], np.arange(3000) % 17])

    binary, seventeen = piecewise_linear_edges(X, n_bins=16)

    assert_array_equal(binary, [0, 1])
    assert_array_equal(seventeen, np.arange(17))


def test_a_constant_column_has_no_edges(mixed):
    assert piecewise_linear_edges(mixed[:, 4:])[0].shape == (0,)


def test_a_dominating_value_is_one_edge_and_the_others_keep_their_quantiles(mixed):
    column = mixed[:, 2]

    (edges,) = piecewise_linear_edges(column[:, None], n_bins=16)

    others = np.quantile(column[column != 0], np.arange(16) / 15, method="inverted_cdf")
    assert_array_equal(edges, [0, *others])


def test_several_heavy_values_still_leave_every_bin_in_use():
    rng = np.random.default_rng(0)
    heavy = np.repeat([0.0, 40.0, 50.0], [6000, 2500, 1000])
    X = np.concatenate([heavy, rng.uniform(0, 99, 500)])[:, None]

    (edges,) = piecewise_linear_edges(X, n_bins=16)

    assert len(edges) == 17
    assert {0.0, 40.0, 50.0} <= set(edges.tolist())


@given(
    st.lists(st.tuples(st.integers(-6, 6), st.integers(0, 4)), min_size=1),
    st.integers(1, 8),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_whole_weights_are_repeated_rows(rows, n_bins, is_sparse):
    values, weights = np.array(rows).T
    weights[0] += 1
    X = values[:, None] / 3
    repeated = np.repeat(X, weights, axis=0)
    if is_sparse:
        X, repeated = sparse.csr_array(X), sparse.csr_array(repeated)

    weighted = piecewise_linear_edges(X, n_bins=n_bins, sample_weight=weights)

    assert_same_edges(weighted, piecewise_linear_edges(repeated, n_bins=n_bins))
    assert len(weighted[0]) <= n_bins + 1
    assert (np.diff(weighted[0]) > 0).all()


def test_zero_weight_is_a_removed_row_also_for_fractional_weights(mixed):
    rng = np.random.default_rng(1)
    weights = rng.random(len(mixed)) * rng.integers(0, 2, len(mixed))
    keep = weights > 0
    spoilt = np.where(keep[:, None], mixed, np.nan)

    assert_same_edges(
        piecewise_linear_edges(spoilt, sample_weight=weights),
        piecewise_linear_edges(mixed[keep], sample_weight=weights[keep]),
    )


@pytest.mark.parametrize("n_heavy", range(1, 12))
@pytest.mark.parametrize("n_bins", range(1, 12))
def test_rounded_weights_lose_neither_end_of_a_column(n_heavy, n_bins):
    """Six tenths add up to less than 6 * 0.1: more heavy values than there can be."""
    X = np.arange(n_heavy + 9.0)[:, None]
    weights = np.repeat([0.1, 1e-30], [n_heavy, 9])

    (edges,) = piecewise_linear_edges(X, n_bins=n_bins, sample_weight=weights)

    assert edges[0] == X.min()
    assert edges[-1] == X.max()
    assert (np.diff(edges) > 0).all()


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_and_dense_input_agree(mixed, kind, weighted):
    weights = np.arange(len(mixed)) % 3 if weighted else None
    assert_same_edges(
        piecewise_linear_edges(kind(mixed), sample_weight=weights),
        piecewise_linear_edges(mixed, sample_weight=weights),
    )


def test_a_sparse_cell_given_in_parts_counts_once_and_x_is_left_alone():
    cells, rows, ends = np.array([1.0, 2.0, 5.0]), np.array([0, 0, 2]), [0, 3]
    X = sparse.csc_array((cells, rows, ends), shape=(4, 1))

    (edges,) = piecewise_linear_edges(X)

    assert_array_equal(edges, [0, 3, 5])
    assert X.nnz == 3


def test_input_is_not_changed(mixed):
    before = mixed.copy()
    piecewise_linear_edges(mixed)
    assert_array_equal(mixed, before)


def test_edges_are_distinct_in_float32():
    X = 1 + np.arange(4)[:, None] * 1e-12
    assert piecewise_linear_edges(X)[0].shape == (0,)


@pytest.mark.parametrize(
    ("n_columns", "n_outputs"), [(100, 4800), (500, 8000), (9000, 9000)]
)
def test_wide_inputs_get_fewer_bins_per_column(n_columns, n_outputs):
    X = np.random.default_rng(0).random((60, n_columns), dtype=np.float32)
    edges = piecewise_linear_edges(X, n_bins=48)
    assert sum(len(e) - 1 for e in edges) == n_outputs


def test_narrow_columns_of_a_wide_input_keep_their_bins():
    rng = np.random.default_rng(0)
    X = np.hstack([rng.random((60, 400)), np.arange(60)[:, None] % 4])
    edges = piecewise_linear_edges(X, n_bins=48)
    assert [len(edges[0]), len(edges[-1])] == [21, 4]


@pytest.mark.parametrize("weighted", [False, True])
def test_memory_stays_far_below_the_size_of_x(weighted):
    X = np.random.default_rng(0).random((20_000, 200), dtype=np.float32)
    weights = np.arange(20_000) % 2 if weighted else None

    tracemalloc.start()
    piecewise_linear_edges(X, sample_weight=weights)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < X.nbytes / 8


@pytest.mark.parametrize("n_bins", [0, 2.5, "many"])
def test_n_bins_must_be_a_positive_integer_or_auto(n_bins):
    with pytest.raises(ValueError, match=f"at least 1; got {n_bins!r}"):
        piecewise_linear_edges(np.ones((3, 1)), n_bins=n_bins)


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match=r"at least one row .* shape \(0, 4\)"):
        piecewise_linear_edges(np.empty((0, 4)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_values_that_float32_cannot_hold_are_refused(value, kind):
    X = np.ones((5, 3))
    X[2, 1] = value
    with pytest.raises(ValueError, match="column 1 of X"):
        piecewise_linear_edges(kind(X))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 2.0], r"shape \(3,\); got shape \(2,\)"),
        ([1.0, -2.0, 1.0], r"row 1 has -2\.0"),
        ([1.0, 1.0, np.nan], r"row 2 has nan"),
        ([0.0, 0.0, 0.0], r"zero for all 3 rows"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        piecewise_linear_edges(np.arange(3.0)[:, None], sample_weight=weights)


def test_encoding_is_numpys_interpolation_within_each_bin(mixed):
    edges = piecewise_linear_edges(mixed)

    encoded = PiecewiseLinearEncoding(edges)(torch.from_numpy(mixed))

    expected = [
        np.interp(column, bin_edges, [0, 1])
        for column, e in zip(mixed.T, edges, strict=True)
        for bin_edges in zip(e[:-1], e[1:], strict=True)
    ]
    np.testing.assert_allclose(encoded, np.transpose(expected), atol=1e-6)


def test_zeros_and_ones_are_encoded_as_themselves(mixed):
    x = torch.from_numpy(mixed[:, 3:4])
    encoding = PiecewiseLinearEncoding(piecewise_linear_edges(mixed[:, 3:4]))
    assert torch.equal(encoding(x), x)


def test_constant_columns_are_left_out():
    encoding = PiecewiseLinearEncoding([[], [0, 1], [5]])
    x = torch.tensor([[9.0, 0.25, 5.0]])
    assert torch.equal(encoding(x), torch.tensor([[0.25]]))
    assert encoding.n_outputs == 1


def test_only_constant_columns_give_one_column_of_zeros():
    encoding = PiecewiseLinearEncoding([[], []])
    assert torch.equal(encoding(torch.ones(3, 2)), torch.zeros(3, 1))
    assert encoding.n_outputs == 1
    assert encoding.edges == [[], []]


@pytest.mark.parametrize("width", [1e-45, 1e-40, 1e-38, 1e-30, 1e30])
def test_edges_are_encoded_exactly_however_narrow_the_bin(width):
    low, high = torch.tensor([0.0, width]).tolist()
    encoding = PiecewiseLinearEncoding([[low, high]])

    encoded = encoding(torch.tensor([[-1.0], [low], [high], [3e38]]))

    assert torch.equal(encoded[:, 0], torch.tensor([0.0, 0.0, 1.0, 1.0]))


def test_edges_are_read_back_exactly(mixed):
    edges = piecewise_linear_edges(mixed)
    read = PiecewiseLinearEncoding(edges).edges
    assert_same_edges([np.array(e, dtype=np.float32) for e in read], edges)


def test_buffers_are_saved_and_nothing_is_trained(mixed):
    encoding = PiecewiseLinearEncoding(piecewise_linear_edges(mixed))
    assert set(encoding.state_dict()) == {"low", "high", "feature"}
    assert not list(encoding.parameters())


def test_encoding_needs_a_feature():
    with pytest.raises(ValueError, match="one entry per feature; got none"):
        PiecewiseLinearEncoding([])


@pytest.mark.parametrize(
    ("edges", "shown"),
    [
        ([0.0, 0.0], r"\[0\.0, 0\.0\]"),
        ([2.0, 1.0], r"\[2\.0, 1\.0\]"),
        ([0.0, np.nan], r"\[0\.0, nan\]"),
        ([-3e38, 3e38], "got"),
        ([1.0, 1.0 + 1e-12], r"\[1\.0, 1\.0\]"),
    ],
)
def test_edges_must_increase(edges, shown):
    with pytest.raises(ValueError, match=f"edges of feature 1 .*{shown}"):
        PiecewiseLinearEncoding([[0, 1], edges])
