"""Counting distinct instances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skfair_runner.fairness_testing import Integers, Space
from skfair_runner.fairness_testing._keys import KeySet, instance_keys


@given(st.lists(st.lists(st.integers(0, 50), max_size=20), max_size=30))
def test_the_set_agrees_with_python(batches):
    known, expected = KeySet(), set()
    for batch in batches:
        new = known.add(np.array(batch, dtype=np.uint64))
        for key, is_new in zip(batch, new.tolist(), strict=True):
            assert is_new == (key not in expected)
            expected.add(key)
    assert len(known) == len(expected)


@pytest.mark.parametrize("width", [5, 2**40], ids=["exact", "hashed"])
def test_keys_tell_instances_apart_and_leave_sensitive_columns_out(width):
    columns = {name: Integers(0, width) for name in "abcd"}
    space = Space({**columns, "sex": Integers(0, 1)}, sensitive_features="sex")
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (500, 5))
    keys = instance_keys(space, codes)
    n_instances = len(np.unique(codes[:, :4], axis=0))
    assert len(np.unique(keys)) == n_instances
    codes[:, 4] = 1 - codes[:, 4].clip(0, 1)
    np.testing.assert_array_equal(instance_keys(space, codes), keys)
