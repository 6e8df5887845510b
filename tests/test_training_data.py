import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skfair_runner._training_data import TrainingData, check_cells, split_validation
from skfair_runner.gaps import CONSTRAINTS
from skfair_runner.groups import encode_groups


def make(y, groups=None, weights=None, classes=None):
    y = np.asarray(y)
    return TrainingData(
        X=np.zeros((len(y), 2), np.float32),
        y=y,
        classes=np.unique(y) if classes is None else np.array(classes),
        groups=None if groups is None else encode_groups(list(groups)),
        weights=None if weights is None else np.asarray(weights, np.float32),
    )


# Cells


def test_rows_without_weight_do_not_belong():
    data = make([0, 1, 1, 0], "abab", [2, 0, 1, 0.5])
    assert data.rows.tolist() == [0, 2, 3]
    assert data.cell_counts(data.rows).tolist() == [[1, 1], [1, 0]]
    assert data.cell_weights(data.rows).tolist() == [[2, 0.5], [1, 0]]
    assert make([0, 1]).rows.tolist() == [0, 1]


def test_cells_without_weights_weigh_their_rows():
    data = make([0, 1, 1, 0], "abab")
    assert_array_equal(data.cell_weights(data.rows), data.cell_counts(data.rows))


def check(data, constraint="demographic_parity", sampling="shuffled", positive=1):
    constraint = None if constraint is None else CONSTRAINTS[constraint]
    check_cells(data, constraint, sampling, positive, "Clf.fit")


def test_full_cells_are_fine():
    data = make([0, 1, 0, 1], "aabb")
    for constraint in CONSTRAINTS:
        for sampling in ("shuffled", "group", "group_label"):
            check(data, constraint, sampling)
    check(make([0, 1]), None)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (
            make([0, 1, 1], "aab", [1, 0, 0]),
            {},
            r"Clf.fit needs at least two .* one class only: \[0\]",
        ),
        (make([0, 1], weights=[0, 1]), {"constraint": None}, r"one class only: \[1\]"),
        (make([0, 1], "aa"), {}, "Clf.fit compares .* belong to one group, 'a'"),
        (
            make([0, 1, 0, 1], "aabb", [1, 1, 0, 0]),
            {},
            "Clf.fit: group 'b' has no sample of positive weight",
        ),
        (
            make([0, 1, 1], "aab"),
            {"constraint": "equalized_odds"},
            "constraint='equalized_odds' .* group 'b' has no sample with label 0",
        ),
        (
            make([0, 1, 1], "aab"),
            {"constraint": "false_positive_rate_parity"},
            "group 'b' has no sample with label 0",
        ),
        (
            make([0, 1, 1], "aab"),
            {"constraint": "true_positive_rate_parity", "positive": 0},
            "group 'b' has no sample with label 0",
        ),
        (
            make([0, 1, 1], "aab"),
            {"constraint": None, "sampling": "group_label"},
            "Clf.fit: sampling='group_label' draws .* group 'b' has no sample with "
            "label 0.* or use sampling='group', which",
        ),
        (
            make([0, 1, 2, 1, 0], "aaabb"),
            {"constraint": "true_positive_rate_parity"},
            "group 'b' has no sample with label 2",
        ),
    ],
)
def test_an_empty_cell_that_matters_is_named(data, options, message):
    with pytest.raises(ValueError, match=message):
        check(data, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"constraint": "demographic_parity"},
        {"constraint": "true_positive_rate_parity"},
        {"constraint": "false_positive_rate_parity", "positive": 0},
        {"constraint": "demographic_parity", "sampling": "group"},
        {"constraint": None, "sampling": "group"},
    ],
    ids=str,
)
def test_an_empty_cell_that_does_not_matter_is_left(options):
    check(make([0, 1, 1], "aab"), **options)


# The split


@pytest.mark.parametrize("seed", range(5))
def test_the_split_keeps_the_shares_of_the_cells(seed):
    rng = np.random.default_rng(seed)
    groups = rng.choice(["a", "b", "c"], 300, p=[0.6, 0.3, 0.1])
    data = make((rng.uniform(size=300) < 0.3).astype(int), groups)
    train, valid = split_validation(data, 0.2, seed)
    assert_array_equal(np.sort(np.concatenate([train, valid])), np.arange(300))
    assert len(valid) == 60
    shares = [data.cell_counts(rows) / len(rows) for rows in (train, valid)]
    assert_allclose(*shares, atol=1 / 60)


def test_the_split_depends_on_the_seed_alone():
    data = make(np.arange(40) % 2, "ab" * 20)
    assert_array_equal(
        split_validation(data, 0.2, 3)[1], split_validation(data, 0.2, 3)[1]
    )
    assert set(split_validation(data, 0.2, 3)[1]) != set(
        split_validation(data, 0.2, 4)[1]
    )


def test_rows_without_weight_are_in_neither_part():
    data = make(np.arange(40) % 2, "ab" * 20, np.arange(40) < 30)
    train, valid = split_validation(data, 0.2, 0)
    assert set(train) | set(valid) == set(range(30))


def test_a_row_that_is_alone_in_its_cell_is_trained_on():
    y = np.arange(41) % 2
    data = make(y, "ab" * 20 + "c")
    for seed in range(10):
        train, valid = split_validation(data, 0.5, seed)
        assert 40 in train
        assert len(train) + len(valid) == 41


@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.99])
@pytest.mark.parametrize(
    ("y", "groups"),
    [
        ([0, 1], "ab"),
        ([0, 1, 1], "abb"),
        ([0, 0, 1, 1], "abab"),
        ([0] * 50 + [1], "a" * 50 + "b"),
        (np.arange(60) % 2, [str(k // 2) for k in range(60)]),
        (np.arange(60) % 2, [str(k // 4) for k in range(60)]),
    ],
    ids=["2", "3", "4", "rare", "30 groups", "15 groups"],
)
def test_both_parts_have_rows_whatever_the_data(fraction, y, groups):
    data = make(y, groups)
    train, valid = split_validation(data, fraction, 0)
    assert_array_equal(np.sort(np.concatenate([train, valid])), np.arange(len(y)))
    assert min(len(train), len(valid)) > 0


def test_without_groups_the_labels_are_stratified():
    data = make([0] * 90 + [1] * 10)
    _, valid = split_validation(data, 0.1, 0)
    assert data.y[valid].sum() == 1
