import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skfair_runner.baselines._synthesis import (
    Encoder,
    Families,
    find_families,
    make_rows,
    stack_rows,
)

EVERYTHING = {"mutation": 0.8, "crossover": 1.0}


def families_of(*triples):
    return Families(*np.array(triples).T)


def seed(k=0):
    return np.random.RandomState(k)


def mixed_table(n_samples=60):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "income": rng.lognormal(size=n_samples),
            "age": rng.integers(18, 80, n_samples),
            "children": pd.array(rng.integers(0, 5, n_samples), dtype="Int64"),
            "owner": rng.integers(0, 2, n_samples).astype(bool),
            "flag": rng.integers(0, 2, n_samples).astype(np.float32),
            "job": rng.choice(["nurse", "clerk", "smith"], n_samples),
            "region": pd.Categorical(rng.choice(["n", "s"], n_samples), list("nsw")),
        }
    )


def test_numbers_worked_by_hand():
    X = np.array([[1.0, 10.0], [4.0, 30.5], [2.0, 20.0], [9.0, 25.0]])
    # 1 + 0.8 (4 - 2) = 2.6, whole as all of its column, so 3; 10 + 0.8 (30.5 - 20) is
    # 18.4. 9 + 0.8 (4 - 1) is 11.4, beyond 9; 25 + 0.8 (30.5 - 10) is beyond 30.5.
    families = families_of((0, 1, 2), (3, 1, 0))
    made = make_rows(X, families, [0, 1], **EVERYTHING, random_state=seed())
    assert_allclose(made, [[3.0, 18.4], [9.0, 30.5]])


def test_numbers_move_as_often_as_the_crossover_says():
    X = np.array([[0.1], [0.5], [0.2], [1.0]])
    families = families_of(*[(0, 1, 2)] * 4000)
    made = make_rows(
        X, families, [0], mutation=0.5, crossover=0.8, random_state=seed()
    )[:, 0]
    moved = np.isclose(made, 0.1 + 0.5 * (0.5 - 0.2))
    assert (moved | (made == 0.1)).all()
    assert abs(moved.mean() - 0.8) < 0.03


def test_categories_are_those_of_one_of_the_three():
    X = pd.DataFrame({"job": ["a", "b", "c", "d"], "flag": [0.0, 1.0, 0.0, 1.0]})
    families = families_of(*[(0, 1, 2)] * 3000)
    made = make_rows(X, families, [1], **EVERYTHING, random_state=seed())
    shares = made["job"].value_counts(normalize=True)
    assert set(shares.index) == {"a", "b", "c"}
    assert_allclose(shares, 1 / 3, atol=0.03)
    # A number of two values is a yes-or-no: 1 in one of the three rows.
    assert_allclose(made["flag"].mean(), 1 / 3, atol=0.03)
    assert set(made["flag"]) == {0.0, 1.0}


def test_rows_keep_types_and_lie_within_the_observed_range():
    X = mixed_table()
    rng = np.random.default_rng(1)
    families = families_of(*rng.integers(0, 60, (500, 3)))
    made = make_rows(X, families, [0, 1, 2, 4], **EVERYTHING, random_state=seed())

    assert made.dtypes.equals(X.dtypes) and list(made) == list(X)
    for name in ("income", "age", "children"):
        assert made[name].between(X[name].min(), X[name].max()).all()
    assert not set(made["income"]) <= set(X["income"])
    for name in ("owner", "flag", "job", "region"):
        assert set(made[name]) <= set(X[name])


def test_what_the_parent_lacks_stays_missing():
    X = pd.DataFrame(
        {
            "income": [np.nan, 2.0, 5.5, 3.0],
            "children": pd.array([None, 1, 4, 2], dtype="Int64"),
            "job": [None, None, None, "clerk"],
        }
    )
    families = families_of((0, 1, 2), (3, 0, 1), (3, 2, 1))
    made = make_rows(X, families, [0, 1], **EVERYTHING, random_state=seed())
    assert made["income"].isna().tolist() == [True, False, False]
    assert made["children"].isna().tolist() == [True, False, False]
    # A neighbour without a number moves nothing; 3 + 0.8 (5.5 - 2) is beyond 5.5.
    assert made["income"].tolist()[1:] == [3.0, 5.5]
    assert made["children"].tolist()[1:] == [2, 4]
    assert pd.isna(made["job"][0])


def test_a_column_without_a_value_stays_so():
    X = np.array([[np.nan, 1.0], [np.nan, 2.0], [np.nan, 3.0]])
    made = make_rows(
        X, families_of((0, 1, 2)), [0, 1], **EVERYTHING, random_state=seed()
    )
    assert np.isnan(made[0, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.int64, object])
def test_arrays_keep_their_type(dtype):
    X = np.arange(12).reshape(4, 3).astype(dtype)
    made = make_rows(
        X, families_of((0, 2, 1)), [0, 1, 2], **EVERYTHING, random_state=seed()
    )
    assert made.dtype == dtype
    assert made.tolist() == [[2, 3, 4]]
    assert stack_rows(X, made).tolist() == [*X.tolist(), [2, 3, 4]]


def test_sparse_rows_are_those_of_the_dense_table():
    dense = np.arange(12.0).reshape(4, 3) * [1, 0, 1]
    families = families_of((0, 2, 1), (1, 0, 3))
    made, expected = (
        make_rows(X, families, [0, 1, 2], **EVERYTHING, random_state=seed())
        for X in (sparse.csc_matrix(dense), dense)
    )
    assert made.format == "csr"
    assert_array_equal(made.toarray(), expected)
    both = stack_rows(sparse.csc_matrix(dense), made)
    assert both.format == "csr" and both.shape == (6, 3)


def test_stacked_tables_are_numbered_anew():
    X = pd.DataFrame({"a": [1, 2]}, index=[7, 7])
    assert stack_rows(X, X).index.tolist() == [0, 1, 2, 3]


def test_neighbours_are_the_nearest_of_the_cell():
    """On a line; the second cell lies between, and is not looked at."""
    encoded = np.array([0.0, 1.0, 2.1, 3.3, 4.6, 0.1, 1.1, 2.2])[:, None]
    cells = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    families = find_families(encoded, cells, np.array([200, 50]), 2, seed())
    nearest = {0: {1, 2}, 1: {0, 2}, 2: {1, 3}, 3: {2, 4}, 4: {3, 2}}
    nearest |= {5: {6, 7}, 6: {5, 7}, 7: {6, 5}}
    triples = list(zip(families.parents, families.first, families.second, strict=True))
    assert len(triples) == 250
    assert all({first, second} == nearest[p] for p, first, second in triples)
    assert set(families.parents[:200]) == {0, 1, 2, 3, 4}
    assert set(families.parents[200:]) == {5, 6, 7}
    # In either order.
    assert {(first, second) for p, first, second in triples if p == 1} == {
        (0, 2),
        (2, 0),
    }


def test_more_neighbours_are_drawn_from_and_the_two_differ():
    encoded = np.random.default_rng(0).normal(size=(50, 3))
    cells = np.zeros(50, dtype=int)
    families = find_families(encoded, cells, np.array([2000]), 5, seed())
    assert (families.first != families.second).all()
    distances = np.linalg.norm(encoded[:, None] - encoded[None], axis=2)
    nearest = distances.argsort(axis=1)[:, 1:6]
    for parent in range(50):
        mine = families.parents == parent
        met = {*families.first[mine], *families.second[mine]}
        assert met <= set(nearest[parent])
    assert len({*families.first[families.parents == 0]}) > 2


def test_among_equal_rows_none_is_its_own_neighbour():
    encoded = np.zeros((30, 2))
    families = find_families(
        encoded, np.zeros(30, dtype=int), np.array([300]), 2, seed()
    )
    assert (families.first != families.parents).all()
    assert (families.second != families.parents).all()
    assert (families.first != families.second).all()


@pytest.mark.parametrize(
    ("n_members", "expected"), [(1, [(0, 0, 0)]), (2, [(0, 1, 1), (1, 0, 0)])]
)
def test_small_cells_repeat_their_rows(n_members, expected):
    encoded = np.arange(n_members, dtype=float)[:, None]
    cells = np.zeros(n_members, dtype=int)
    families = find_families(encoded, cells, np.array([20]), 2, seed())
    triples = zip(families.parents, families.first, families.second, strict=True)
    assert set(triples) == set(expected)


def test_cells_that_need_no_rows_get_none():
    families = find_families(
        np.zeros((4, 1)), np.array([0, 0, 1, 1]), np.array([0, 0]), 2, seed()
    )
    assert families.parents.shape == (0,)


def test_encoded_rows_are_numbers_between_zero_and_one():
    X = mixed_table()
    X.loc[:4, ["income", "job"]] = None
    encoder = Encoder().fit(X)
    encoded = encoder.transform(X)
    assert encoded.min() == 0 and encoded.max() == 1 and np.isfinite(encoded).all()
    assert encoder.numbers == [0, 1, 2, 4]
    assert_array_equal(
        Encoder().fit(sparse.csr_matrix(np.eye(3))).transform(sparse.eye(3).tocsr()),
        np.eye(3),
    )
