from itertools import combinations

import numpy as np
import pytest
import scipy.stats
import torch
from torch.testing import assert_close

from skfair_runner.cells import Cells
from skfair_runner.distances import (
    DISTANCES,
    Distance,
    Moments,
    energy_distance,
    resolve_distance,
    wasserstein_distance,
)

NAMES = sorted(DISTANCES)
OF_MOMENTS = [name for name in NAMES if DISTANCES[name].of_moments]
EVERYBODY, EACH_LABEL = torch.ones(1, 2), torch.eye(2)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def make_activations(n_samples=60, n_groups=2, n_neurons=3, ties=False):
    """Values, labels, groups, weights; every cell occurs."""
    index = torch.randperm(n_samples)
    labels, groups = index % 2, index // 2 % n_groups
    values = torch.randn(n_samples, n_neurons, dtype=torch.double)
    values = values + 0.5 * groups[:, None] + 0.3 * labels[:, None]
    if ties:
        values = values.round()
    return values, labels, groups, torch.rand(n_samples, dtype=torch.double) + 0.1


def mean_over_pairs(function, values, groups, weights):
    """`function` of two weighted samples, averaged over pairs of groups, per neuron."""
    result = []
    for column in values.T:
        parts = [
            (column[groups == g].numpy(), weights[groups == g].numpy())
            for g in groups.unique()
        ]
        pairs = [function(*a, *b) for a, b in combinations(parts, 2)]
        result.append(np.mean(pairs))
    return torch.tensor(np.array(result))


def difference_of_means(u, u_weights, v, v_weights):
    return abs(np.average(u, weights=u_weights) - np.average(v, weights=v_weights))


def squared_difference_of_means(*samples):
    return difference_of_means(*samples) ** 2


def scipys_wasserstein(u, u_weights, v, v_weights):
    return scipy.stats.wasserstein_distance(u, v, u_weights, v_weights)


def half_of_scipys_energy_distance_squared(u, u_weights, v, v_weights):
    """scipy's energy distance squared is 2 ∫ (F − G)²."""
    return scipy.stats.energy_distance(u, v, u_weights, v_weights) ** 2 / 2


ORACLES = {
    "l1": difference_of_means,
    "l2": squared_difference_of_means,
    "wasserstein": scipys_wasserstein,
    "mmd": half_of_scipys_energy_distance_squared,
}


def by_oracle(name, values, groups, weights):
    if name == "standardized":
        l1 = mean_over_pairs(difference_of_means, values, groups, weights)
        mean = np.average(values, 0, weights)
        variance = np.average((values.numpy() - mean) ** 2, 0, weights)
        return l1 / torch.from_numpy(variance) ** 0.5
    return mean_over_pairs(ORACLES[name], values, groups, weights)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_groups", [2, 3, 6])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_distance_equals_an_independent_one_over_pairs(name, n_groups, weighted, ties):
    values, labels, groups, weights = make_activations(60, n_groups, ties=ties)
    if not weighted:
        weights = torch.ones(60, dtype=torch.double)
    cells = Cells(labels, groups, 2, n_groups, weights)

    found = resolve_distance(name)(values, cells, EVERYBODY)

    assert_close(found, by_oracle(name, values, groups, weights))


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_distance_over_labels_is_the_sum_of_the_labels_own(name):
    values, labels, groups, weights = make_activations()
    cells = Cells(labels, groups, 2, 2, weights)

    found = resolve_distance(name)(values, cells, EACH_LABEL)

    expected = sum(
        by_oracle(name, values[inside], groups[inside], weights[inside])
        for inside in (labels == 0, labels == 1)
    )
    assert_close(found, expected)


def test_mean_distances_by_hand():
    """Means 1 and 4; the deviations from 2.5 are -1.5 and 1.5 within ±1 of the means.

    The variance is 1.5² + 1² = 3.25.
    """
    values = torch.tensor([[0.0], [2.0], [3.0], [5.0]], dtype=torch.double)
    cells = Cells(torch.zeros(4, dtype=torch.long), torch.tensor([0, 0, 1, 1]), 2, 2)
    found = {
        name: resolve_distance(name)(values, cells, EVERYBODY).item()
        for name in OF_MOMENTS
    }
    by_hand = {"l1": 3.0, "l2": 9.0, "standardized": 3 / 3.25**0.5}
    assert found == pytest.approx(by_hand)


def test_mean_distances_of_three_groups_by_hand():
    """Means 0, 1 and 5: differences 1, 4 and 5."""
    values = torch.tensor([[0.0], [1.0], [5.0]], dtype=torch.double)
    cells = Cells(torch.zeros(3, dtype=torch.long), torch.tensor([0, 1, 2]), 2, 3)
    l1, l2 = (resolve_distance(n)(values, cells, EVERYBODY) for n in ("l1", "l2"))
    assert l1.item() == pytest.approx(10 / 3)
    assert l2.item() == pytest.approx((1 + 16 + 25) / 3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_groups", [2, 4])
def test_distance_passes_gradcheck(name, n_groups):
    values, labels, groups, weights = make_activations(24, n_groups, 2)
    cells = Cells(labels, groups, 2, n_groups, weights)
    values.requires_grad_()
    distance = resolve_distance(name)
    assert torch.autograd.gradcheck(lambda v: distance(v, cells, EACH_LABEL), values)


@pytest.mark.parametrize("name", NAMES)
def test_distance_ignores_the_order_of_samples_and_the_names_of_groups(name):
    values, labels, groups, weights = make_activations(60, 3)
    distance = resolve_distance(name)
    expected = distance(values, Cells(labels, groups, 2, 3, weights), EACH_LABEL)

    order = torch.randperm(60)
    shuffled = Cells(labels[order], groups[order], 2, 3, weights[order])
    renamed = Cells(labels, torch.tensor([5, 0, 3])[groups], 2, 6, weights)

    assert_close(distance(values[order], shuffled, EACH_LABEL), expected)
    assert_close(distance(values, renamed, EACH_LABEL), expected)


@pytest.mark.parametrize("name", NAMES)
def test_shifting_a_neuron_changes_nothing(name):
    values, labels, groups, weights = make_activations(60, 3)
    cells = Cells(labels, groups, 2, 3, weights)
    distance = resolve_distance(name)
    assert_close(
        distance(values + 7, cells, EVERYBODY), distance(values, cells, EVERYBODY)
    )


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e6])
@pytest.mark.parametrize(
    ("name", "power"),
    [("standardized", 0), ("l1", 1), ("wasserstein", 1), ("mmd", 1), ("l2", 2)],
)
def test_scaling_a_neuron_scales_its_distance_by_a_power(name, power, scale):
    values, labels, groups, _ = make_activations()
    cells = Cells(labels, groups, 2, 2)
    distance = resolve_distance(name)
    assert_close(
        distance(values * scale, cells, EVERYBODY),
        distance(values, cells, EVERYBODY) * scale**power,
        atol=0,
        rtol=1e-6,
    )


def test_standardized_survives_single_precision_far_from_zero():
    """E[h²] − E[h]² of float32 values near 100 would hold no digit of the variance."""
    values, labels, groups, _ = make_activations()
    near, cells = 100 + 0.01 * values, Cells(labels, groups, 2, 2)
    distance = resolve_distance("standardized")
    single = near.float()

    found = distance(single, cells, EVERYBODY)

    assert found.dtype == torch.float32
    assert_close(found.double(), distance(single.double(), cells, EVERYBODY))


@pytest.mark.parametrize("name", NAMES)
def test_a_neuron_that_never_fires_has_no_distance_and_a_finite_gradient(name):
    _, labels, groups, _ = make_activations()
    silent = torch.zeros(60, 2, requires_grad=True)

    found = resolve_distance(name)(silent, Cells(labels, groups, 2, 2), EACH_LABEL)

    (gradient,) = torch.autograd.grad(found.sum(), silent)
    assert not found.any()
    assert gradient.isfinite().all()
    if name in OF_MOMENTS:
        assert not gradient.any()


def test_a_constant_neuron_has_no_distance():
    _, labels, groups, weights = make_activations(1000)
    cells = Cells(labels, groups, 2, 2, weights)
    constant = torch.full((1000, 1), 0.3)
    for name in NAMES:
        found = resolve_distance(name)(constant, cells, EVERYBODY)
        assert found.item() == pytest.approx(0, abs=1e-3), name


@pytest.mark.parametrize("name", NAMES)
def test_weights_equal_repetition(name):
    values, labels, groups, _ = make_activations()
    times = torch.arange(60) % 3
    weighted = Cells(labels, groups, 2, 2, times.double())
    again = [a.repeat_interleave(times, 0) for a in (values, labels, groups)]
    repeated = Cells(again[1], again[2], 2, 2)
    distance = resolve_distance(name)
    assert_close(
        distance(values, weighted, EACH_LABEL), distance(again[0], repeated, EACH_LABEL)
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_scale_of_weights_does_not_matter(name):
    values, labels, groups, weights = make_activations()
    found = [
        resolve_distance(name)(values, Cells(labels, groups, 2, 2, w), EACH_LABEL)
        for w in (weights, 1e-15 * weights)
    ]
    assert_close(found[0], found[1])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_groups", [2, 3])
def test_groups_without_weight_contribute_nothing(name, n_groups):
    values, labels, groups, _ = make_activations(60, n_groups)
    last = groups == n_groups - 1
    cells = Cells(labels, groups, 2, n_groups, (~last).double())
    distance = resolve_distance(name)

    found = distance(values, cells, EVERYBODY)

    without = Cells(labels[~last], groups[~last], 2, n_groups)
    assert_close(found, distance(values[~last], without, EVERYBODY))
    assert found.any() == (n_groups > 2)


@pytest.mark.parametrize("name", NAMES)
def test_a_label_with_one_group_only_contributes_nothing(name):
    values, labels, groups, _ = make_activations()
    kept = (labels == 1) | (groups == 0)
    cells = Cells(labels[kept], groups[kept], 2, 2)
    distance = resolve_distance(name)
    only = EACH_LABEL[[1]]
    assert_close(
        distance(values[kept], cells, EACH_LABEL), distance(values[kept], cells, only)
    )


@pytest.mark.parametrize("name", NAMES)
def test_ten_thousand_group_codes_run(name):
    """A batch holds few of them; absent ones take no memory worth mentioning."""
    values, labels, _, _ = make_activations(256, n_neurons=64)
    groups = torch.randint(10_000, (256,))
    cells = Cells(labels, groups, 2, 10_000)
    assert resolve_distance(name)(values, cells, EVERYBODY).isfinite().all()


@pytest.mark.parametrize("function", [wasserstein_distance, energy_distance])
@pytest.mark.parametrize("n_groups", [2, 4])
def test_neurons_taken_in_parts_have_the_same_distances(
    monkeypatch, function, n_groups
):
    values, _, groups, weights = make_activations(60, n_groups, n_neurons=7)
    values.requires_grad_()
    expected = function(values, groups, weights)
    (slopes,) = torch.autograd.grad(expected.sum(), values)
    monkeypatch.setattr("skfair_runner.distances._MOST_ENTRIES", 60 * n_groups * 2)
    found = function(values, groups, weights)
    assert_close(found, expected)
    assert_close(torch.autograd.grad(found.sum(), values)[0], slopes)


@pytest.mark.parametrize("function", [wasserstein_distance, energy_distance])
def test_distances_of_samples_need_no_weights(function):
    values, _, groups, _ = make_activations()
    assert_close(function(values, groups), function(values, groups, torch.ones(60)))


def test_wasserstein_is_at_least_the_difference_of_means():
    values, labels, groups, _ = make_activations(60, 3, 20)
    cells = Cells(labels, groups, 2, 3)
    l1 = resolve_distance("l1")(values, cells, EVERYBODY)
    assert (wasserstein_distance(values, groups) >= l1 - 1e-9).all()


@pytest.mark.parametrize("name", OF_MOMENTS)
def test_moments_of_two_parts_add_up_to_those_of_the_whole(name):
    values, labels, groups, weights = make_activations(60, 3)
    distance = resolve_distance(name)

    def moments(rows):
        cells = Cells(labels[rows], groups[rows], 2, 3, weights[rows])
        return distance.moments(values[rows], cells)

    added = moments(slice(0, 25)) + moments(slice(25, 60))
    whole = moments(slice(0, 60))

    assert isinstance(added, Moments)
    for attribute in ("sums", "squares", "counts"):
        assert_close(getattr(added, attribute), getattr(whole, attribute))
    cells = Cells(labels, groups, 2, 3, weights)
    assert_close(
        distance.of_moments(added, EACH_LABEL), distance(values, cells, EACH_LABEL)
    )


def test_group_means_are_weighted_means():
    values, labels, groups, weights = make_activations()
    cells = Cells(labels, groups, 2, 2, weights)
    means, present = (
        resolve_distance("l1").moments(values, cells).group_means(EACH_LABEL)
    )
    for label in (0, 1):
        for group in (0, 1):
            inside = (labels == label) & (groups == group)
            expected = np.average(values[inside], 0, weights[inside])
            assert_close(means[label, :, group], torch.from_numpy(expected))
    assert present.shape == (2, 1, 2)
    assert present.all()


def test_a_users_distance_receives_each_population():
    values, labels, groups, weights = make_activations()
    received = []

    def range_of_weights(values, groups, weights):
        received.append((values, groups, weights))
        return weights.max() * torch.ones(values.shape[1], dtype=torch.double)

    distance = resolve_distance(range_of_weights)
    found = distance(values, Cells(labels, groups, 2, 2, weights), EACH_LABEL)

    assert isinstance(distance, Distance)
    assert distance.name == "range_of_weights"
    expected = sum(weights[labels == label].max() for label in (0, 1))
    assert_close(found, expected.expand(3))
    for label, (v, g, w) in enumerate(received):
        assert_close(v, values[labels == label])
        assert_close(g, groups[labels == label])
        assert_close(w, weights[labels == label])


def detached(values, groups, weights):
    return values.detach().abs().mean(0)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda v, g, w: 1.0, TypeError, "returned a float: compute it with torch"),
        (lambda v, g, w: v.mean(), ValueError, r"3 neurons it returned the shape \(\)"),
        (lambda v, g, w: v.mean(0) / 0 * 0, ValueError, r"returned \[nan, nan, nan\]"),
        (detached, ValueError, "distance=detached .* has none, so that it would train"),
    ],
)
def test_what_a_users_distance_returns_is_looked_at(function, error, message):
    values, labels, groups, weights = make_activations()
    cells = Cells(labels, groups, 2, 2, weights)
    with pytest.raises(error, match=message):
        resolve_distance(function)(values.requires_grad_(), cells, EVERYBODY)


def test_a_users_distance_needs_a_gradient_only_to_train():
    values, labels, groups, weights = make_activations()
    cells = Cells(labels, groups, 2, 2, weights)
    distance = resolve_distance(detached)
    assert_close(distance(values, cells, EVERYBODY), values.abs().mean(0))
    # Nothing to lower where there is no distance.
    nothing = resolve_distance(lambda v, g, w: torch.zeros(v.shape[1]))
    assert nothing(values.requires_grad_(), cells, EVERYBODY).requires_grad


def test_a_resolved_distance_stays_as_it_is():
    for name, distance in DISTANCES.items():
        assert resolve_distance(name) is distance
        assert resolve_distance(distance) is distance


def test_an_unknown_distance_is_named_beside_the_known():
    with pytest.raises(ValueError, match=r"'cosine'.*'l1', 'l2', 'mmd', 'standard"):
        resolve_distance("cosine")
