from itertools import combinations

import fairlearn.metrics as fairlearn
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from skfair_runner.cells import Cells
from skfair_runner.gaps import (
    CONSTRAINTS,
    demographic_parity_gap,
    equalized_odds_gap,
    false_positive_rate_gap,
    true_positive_rate_gap,
)

GAPS = {
    "demographic_parity": demographic_parity_gap,
    "equalized_odds": equalized_odds_gap,
    "true_positive_rate_parity": true_positive_rate_gap,
    "false_positive_rate_parity": false_positive_rate_gap,
}
NAMES = sorted(GAPS)
MULTICLASS_POOLS = {
    "demographic_parity": [lambda y, c: y == y],
    "equalized_odds": [lambda y, c: y == c, lambda y, c: y != c],
    "true_positive_rate_parity": [lambda y, c: y == c],
    "false_positive_rate_parity": [lambda y, c: y != c],
}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def fairlearns_difference(name, y_true, y_pred, groups, weights=None):
    """fairlearn's metric of the constraint."""
    kwargs = {"sensitive_features": groups}
    if name == "false_positive_rate_parity":
        return fairlearn.MetricFrame(
            metrics=fairlearn.false_positive_rate,
            y_true=y_true,
            y_pred=y_pred,
            sample_params={"sample_weight": weights},
            **kwargs,
        ).difference()
    metric = {
        "demographic_parity": fairlearn.demographic_parity_difference,
        "equalized_odds": fairlearn.equalized_odds_difference,
        "true_positive_rate_parity": fairlearn.equal_opportunity_difference,
    }[name]
    return metric(y_true, y_pred, sample_weight=weights, **kwargs)


def make_samples(n_samples, n_groups, n_labels=2, seed=0):
    """Labels, scores and groups in which every cell occurs."""
    generator = torch.Generator().manual_seed(seed)
    index = torch.arange(n_samples)
    order = torch.randperm(n_samples, generator=generator)
    labels, groups = (index % n_labels)[order], (index // n_labels % n_groups)[order]
    shape = (n_samples,) if n_labels == 2 else (n_samples, n_labels)
    scores = torch.rand(*shape, generator=generator, dtype=torch.double)
    if n_labels > 2:
        scores = scores / scores.sum(1, keepdim=True)
    return labels, scores, groups


def gap_over_pairs(name, labels, scores, groups):
    """Mean over pairs of groups of |difference of mean scores|, summed, in a loop."""
    binary = scores.ndim == 1
    total = 0.0
    for c in [1] if binary else range(scores.shape[1]):
        column = scores if binary else scores[:, c]
        for pool in MULTICLASS_POOLS[name]:
            inside = pool(labels, c)
            means = [
                column[inside & (groups == g)].mean() for g in groups[inside].unique()
            ]
            pairs = [abs(a - b) for a, b in combinations(means, 2)]
            total += sum(pairs) / len(pairs)
    return total


@st.composite
def hard_decisions(draw):
    """Labels, decisions and groups; every group has both labels."""
    n_groups = draw(st.integers(2, 6))
    bits = st.integers(0, 1)
    rows = [(y, draw(bits), g) for y in (0, 1) for g in range(n_groups)]
    extra = st.tuples(bits, bits, st.integers(0, n_groups - 1))
    rows += draw(st.lists(extra, max_size=30))
    return (np.array(column) for column in zip(*rows, strict=True))


@pytest.mark.parametrize("name", NAMES)
@given(data=hard_decisions())
@settings(max_examples=40, deadline=None)
def test_gap_of_hard_decisions_is_fairlearns_difference(name, data):
    y_true, y_pred, groups = data
    gap = GAPS[name](*map(torch.from_numpy, (y_true, y_pred.astype(float), groups)))
    expected = fairlearns_difference(name, y_true, y_pred, groups)
    assert gap.item() == pytest.approx(expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_groups", [2, 3, 40])
def test_weighted_gap_of_hard_decisions_is_fairlearns_difference(name, n_groups):
    labels, scores, groups = make_samples(400, n_groups)
    hard = (scores > 0.5).double()
    weights = torch.rand(400, dtype=torch.double)
    cells = Cells(labels, groups, 2, n_groups, weights)

    gap = CONSTRAINTS[name].gap(hard[:, None], cells, reduction="largest")

    expected = fairlearns_difference(
        name, *(a.numpy() for a in (labels, hard, groups, weights))
    )
    assert gap.item() == pytest.approx(expected)


@pytest.mark.parametrize("name", NAMES)
def test_multiclass_gap_is_the_largest_of_fairlearns_one_against_the_rest(name):
    labels, scores, groups = make_samples(240, 3, n_labels=4)
    chosen = scores.argmax(1)
    hard = torch.nn.functional.one_hot(chosen, 4).double()

    gap = GAPS[name](labels, hard, groups)

    per_class = [
        fairlearns_difference(
            name, *((a == c).int().numpy() for a in (labels, chosen)), groups.numpy()
        )
        for c in range(4)
    ]
    assert gap.item() == pytest.approx(max(per_class))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_groups", [2, 3, 7])
@pytest.mark.parametrize("n_labels", [2, 3])
def test_the_sum_equals_brute_force_over_pairs_of_groups(name, n_groups, n_labels):
    labels, scores, groups = make_samples(210, n_groups, n_labels)
    gap = GAPS[name](labels, scores, groups, reduction="sum")
    assert_close(gap, gap_over_pairs(name, labels, scores, groups))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", ["sum", "largest"])
@pytest.mark.parametrize(("n_groups", "n_labels"), [(2, 2), (3, 2), (3, 3)])
def test_gap_passes_gradcheck(name, reduction, n_groups, n_labels):
    labels, scores, groups = make_samples(24, n_groups, n_labels, seed=3)
    scores.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda s: GAPS[name](labels, s, groups, reduction=reduction), scores
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", ["sum", "largest"])
def test_gap_ignores_the_order_of_samples_and_the_names_of_groups(name, reduction):
    labels, scores, groups = make_samples(90, 4)
    gap = GAPS[name](labels, scores, groups, reduction=reduction)
    order = torch.randperm(90)
    renamed = torch.tensor([7, 2, 0, 5])[groups]

    shuffled = GAPS[name](
        labels[order], scores[order], groups[order], reduction=reduction
    )
    assert_close(shuffled, gap)
    assert_close(GAPS[name](labels, scores, renamed, reduction=reduction), gap)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", ["sum", "largest"])
def test_absent_groups_and_groups_without_weight_contribute_nothing(name, reduction):
    labels, scores, groups = make_samples(90, 3)
    gap = GAPS[name](labels, scores, groups, reduction=reduction)

    absent = Cells(labels, groups * 30, 2, 90)
    weights = torch.cat([torch.ones(90), torch.zeros(10)]).double()
    weightless = Cells(
        torch.cat([labels, torch.ones(10, dtype=torch.long)]),
        torch.cat([groups, torch.full((10,), 3)]),
        2,
        4,
        weights,
    )

    constraint = CONSTRAINTS[name]
    assert_close(constraint.gap(scores[:, None], absent, reduction=reduction), gap)
    longer = torch.cat([scores, torch.rand(10, dtype=torch.double)])
    assert_close(constraint.gap(longer[:, None], weightless, reduction=reduction), gap)


@pytest.mark.parametrize("reduction", ["sum", "largest"])
def test_a_group_without_a_label_is_not_compared_within_that_label(reduction):
    """Group 2 has negatives only, so true positive rates are those of groups 0, 1."""
    y_true = torch.tensor([1, 1, 0, 0, 0, 0])
    groups = torch.tensor([0, 1, 0, 1, 2, 2])
    y_score = torch.tensor([0.9, 0.5, 0.2, 0.2, 0.2, 0.2], requires_grad=True)

    gap = equalized_odds_gap(y_true, y_score, groups, reduction=reduction)
    gap.backward()

    assert gap.item() == pytest.approx(0.4)
    assert y_score.grad.isfinite().all()
    assert y_score.grad[:2].tolist() == pytest.approx([1.0, -1.0])


def test_weights_equal_repetition():
    labels, scores, groups = make_samples(60, 3)
    times = torch.arange(60) % 3 + 1
    for constraint in CONSTRAINTS.values():
        weighted = Cells(labels, groups, 2, 3, times.double())
        repeated = Cells(*(a.repeat_interleave(times) for a in (labels, groups)), 2, 3)
        assert_close(
            constraint.gap(scores[:, None], weighted),
            constraint.gap(scores.repeat_interleave(times)[:, None], repeated),
        )


@pytest.mark.parametrize("factor", [1e-20, 1e8])
def test_the_scale_of_weights_does_not_matter(factor):
    labels, scores, groups = make_samples(60, 3)
    weights = torch.rand(60, dtype=torch.double)
    for constraint in CONSTRAINTS.values():
        one, other = (
            Cells(labels, groups, 2, 3, w) for w in (weights, weights * factor)
        )
        assert_close(
            constraint.gap(scores[:, None], one), constraint.gap(scores[:, None], other)
        )


@pytest.mark.parametrize("name", NAMES)
def test_two_probability_columns_give_the_gap_of_one(name):
    labels, scores, groups = make_samples(60, 3)
    both = torch.stack([1 - scores, scores], 1)
    assert_close(GAPS[name](labels, both, groups), GAPS[name](labels, scores, groups))


def test_the_favourable_label_may_be_the_first():
    labels, scores, groups = make_samples(60, 2)
    cells = Cells(labels, groups, 2, 2)

    def gap_for_zeros(name):
        return CONSTRAINTS[name].gap(scores[:, None], cells, positive=0)

    among_zeros = false_positive_rate_gap(labels, scores, groups)
    assert_close(gap_for_zeros("true_positive_rate_parity"), among_zeros)
    among_ones = true_positive_rate_gap(labels, scores, groups)
    assert_close(gap_for_zeros("false_positive_rate_parity"), among_ones)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("code", [0, 7])
def test_one_group_raises_and_tells_its_code(name, code):
    labels, scores, _ = make_samples(10, 2)
    with pytest.raises(ValueError, match=rf"this batch has 1 \(group codes: \[{code}"):
        GAPS[name](labels, scores, torch.full((10,), code))


def test_ten_thousand_groups_run():
    n_groups = 10_000
    labels, scores, groups = make_samples(40_000, n_groups)
    scores.requires_grad_()
    for reduction in ("sum", "largest"):
        gap = equalized_odds_gap(labels, scores, groups, reduction=reduction)
        (gradient,) = torch.autograd.grad(gap, scores)
        assert 0 < gap < 2
        assert gradient.isfinite().all()
