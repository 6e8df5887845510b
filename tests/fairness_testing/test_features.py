"""From codes to a network's inputs, without the preprocessor."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from skfair_runner import make_table_preprocessor
from skfair_runner.fairness_testing import Integers, Space
from skfair_runner.fairness_testing._features import FeatureTables, NotSeparableError


def _tables(people, *steps, columns=None):
    preprocessor = make_pipeline(make_table_preprocessor(), *steps).fit(people)
    space = Space.from_data(people, sensitive_features="sex", columns=columns)
    rng = np.random.default_rng(0)
    return space, preprocessor, FeatureTables(space, preprocessor.transform, rng)


@pytest.mark.parametrize("steps", [(), (MaxAbsScaler(),)])
@pytest.mark.parametrize("columns", [None, {"income": Integers(0, 10**6)}])
def test_tables_say_what_the_preprocessor_says(people, steps, columns):
    space, preprocessor, tables = _tables(people, *steps, columns=columns)
    rng = np.random.default_rng(1)
    codes = rng.integers(0, space.sizes, (300, len(space.sizes)))
    expected = preprocessor.transform(space.decode(codes))
    expected = expected.toarray() if hasattr(expected, "toarray") else expected
    assert_allclose(tables.encode(codes), expected, rtol=1e-5)


def test_slopes_and_level_changes_are_those_of_a_linear_function(people):
    """What a step changes, against the function itself."""
    space, _, tables = _tables(people)
    rng = np.random.default_rng(1)
    weights = rng.normal(size=tables.n_inputs).astype(np.float32)
    codes = rng.integers(1, np.maximum(space.sizes - 1, 2), (50, len(space.sizes)))
    codes = np.minimum(codes, space.sizes - 1)
    gradients = np.tile(weights, (50, 1))

    def value(rows):
        return tables.encode(rows).astype(np.float64) @ weights

    slopes = tables.slopes(gradients, codes)
    for position in range(len(space.sizes)):
        sizes = space.sizes[position]
        levels = []
        for level in range(sizes):
            changed = codes.copy()
            changed[:, position] = level
            levels.append(value(changed) - value(codes))
        levels = np.stack(levels, 1)
        if space.ordered[position]:
            up = np.minimum(codes[:, position] + 1, sizes - 1)
            down = codes[:, position] - 1
            each = np.arange(50)
            expected = (levels[each, up] - levels[each, down]) / (up - down)
            assert_allclose(slopes[:, position], expected, atol=1e-4)
        else:
            found = tables.level_changes(gradients, codes, position)
            assert_allclose(found, levels, atol=1e-4)
            expected = np.abs(levels).sum(1) / (sizes - 1)
            assert_allclose(slopes[:, position], expected, atol=1e-4)


def test_a_preprocessor_that_mixes_columns_is_named(people):
    numbers = people[["age", "school", "sex"]].assign(sex=people["sex"] == "m")
    numbers = numbers.astype(float)
    mixing = PCA(2).fit(numbers.to_numpy())
    space = Space.from_data(numbers, sensitive_features="sex")
    with pytest.raises(NotSeparableError, match="both 'age' and 'school'"):
        FeatureTables(
            space,
            lambda X: mixing.transform(X.to_numpy()),
            np.random.default_rng(0),
        )


def test_a_product_of_columns_is_noticed(people):
    """Each input changes with one column alone where the other is at zero."""
    space = Space(
        {"a": Integers(-1, 1), "b": Integers(-1, 1), "s": Integers(0, 1)},
        sensitive_features="s",
    )

    def prepare(X):
        return np.column_stack([X["a"] * X["b"], X["s"]]).astype(np.float32)

    with pytest.raises(NotSeparableError, match="input 0 .* more than one column"):
        FeatureTables(space, prepare, np.random.default_rng(0))


def test_a_curved_long_column_is_listed_and_a_longer_one_refused():
    for width, fails in ((5000, False), (10**6, True)):
        space = Space(
            {"a": Integers(0, width), "s": Integers(0, 1)}, sensitive_features="s"
        )

        def prepare(X):
            return np.log1p(X.to_numpy(dtype=np.float64))

        if fails:
            with pytest.raises(NotSeparableError, match="'a' has 1,000,001 values"):
                FeatureTables(space, prepare, np.random.default_rng(0))
        else:
            tables = FeatureTables(space, prepare, np.random.default_rng(0))
            assert_allclose(tables.encode(np.array([[9, 0]]))[0, 0], np.log(10))
