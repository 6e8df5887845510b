import json
import math
import os

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skfair_runner.modules import MLP, TabularNet
from skfair_runner.persistence.values import (
    NotRestored,
    damaged_unless_read,
    decode,
    encode,
    name_of,
    names_in,
    read_trusted,
)


def there_and_back(value, known=None):
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)), known or {})


def plain_function():
    pass


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters())
)
KEYS = st.text() | st.integers() | st.tuples(st.integers(), st.text())
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(KEYS | st.just("$named"), inner)
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=80)
@given(VALUES)
def test_values_and_their_types_survive(value):
    found = there_and_back(value)
    assert found == value
    assert repr(found) == repr(value)


def test_nan_survives():
    assert math.isnan(there_and_back(float("nan")))


@pytest.mark.parametrize(
    "array",
    [
        np.array([1, -2], dtype=np.int8),
        np.array([2**64 - 1], dtype=np.uint64),
        np.array([[0.1, np.nan, -np.inf]], dtype=np.float32),
        np.array([True, False]),
        np.array(["nein", "größer"]),
        np.array(["x", 1, None, 2.5], dtype=object),
        np.array([1, 2], dtype=">i4"),
        np.empty((0, 3)),
        np.array(3.0),
    ],
    ids=lambda array: array.dtype.str,
)
def test_arrays_keep_dtype_shape_and_values(array):
    found = there_and_back(array)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(found, array)


def test_an_object_array_may_hold_tuples():
    array = np.empty(2, dtype=object)
    array[:] = [("f", 1), ("m", 2)]
    assert there_and_back(array).tolist() == [("f", 1), ("m", 2)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bfloat16])
def test_tensors_keep_dtype_and_values(dtype):
    tensor = torch.tensor([[0, 3]], dtype=dtype)
    found = there_and_back(tensor)
    assert found.dtype == dtype
    assert torch.equal(found, tensor)


@pytest.mark.parametrize(
    "value", [torch.device("cuda:1"), pd.Interval(18, 25.5, closed="left")], ids=repr
)
def test_devices_and_intervals_survive(value):
    assert there_and_back([value]) == [value]


@pytest.mark.parametrize(
    "value", [np.float64(0.1), np.int32(7), np.True_, np.str_("x")]
)
def test_numpy_scalars_become_python_values(value):
    found = there_and_back(value)
    assert found == value
    assert type(found) is type(value.item())


@pytest.mark.parametrize("kind", [pd.Index, pd.Series])
def test_the_values_of_an_index_or_a_series_become_a_list(kind):
    assert decode(encode(kind(["sex", "race"])), {}) == ["sex", "race"]


def test_functions_classes_and_instances_are_named():
    assert encode(plain_function) == {"$named": f"{__name__}:plain_function"}
    assert encode(nn.ReLU) == {"$named": "torch.nn.modules.activation:ReLU"}
    assert encode(nn.ReLU()) == {"$named": "torch.nn.modules.activation:ReLU()"}
    assert name_of(np.random.RandomState(0)).endswith(":RandomState()")
    assert name_of(np.longdouble(1)).endswith("longdouble()")


def test_a_name_is_restored_only_if_it_is_known():
    data = encode({"f": [plain_function]})
    name = name_of(plain_function)
    assert decode(data, {name: plain_function}) == {"f": [plain_function]}
    (placeholder,) = decode(data, {})["f"]
    assert isinstance(placeholder, NotRestored)
    assert repr(placeholder) == f"<{name}, not restored by load>"
    assert list(names_in(data)) == [name]


def test_a_placeholder_is_saved_under_the_name_it_stands_for():
    assert encode(NotRestored("here:f")) == {"$named": "here:f"}


@pytest.mark.parametrize(
    "use", [NotRestored.__call__, lambda p: p.on_train_begin(None)]
)
def test_a_placeholder_says_what_to_pass_when_it_is_used(use):
    placeholder = NotRestored("here:f").initialize()
    with pytest.raises(ValueError, match=r"without 'here:f'.*trusted=\{'here:f': "):
        use(placeholder)


@pytest.mark.parametrize(
    "data", [{"$call": "x"}, {"$tuple": [1], "more": 2}, {"$float": None}]
)
def test_a_tag_that_save_never_writes_is_refused(data):
    tag = next(iter(data))
    with pytest.raises(ValueError, match=rf"'\{tag}' in a place or a form"):
        decode(data, {})


@pytest.mark.parametrize("dtype", ["V8", "<M8[s]", "<f16"])
def test_an_array_of_another_dtype_is_refused(dtype):
    data = {"$array": {"dtype": dtype, "shape": [0], "values": []}}
    with pytest.raises(ValueError, match=f"dtype '{dtype[:3]}"):
        decode(data, {})


def test_an_array_with_too_few_values_is_refused():
    data = {"$array": {"dtype": "<i8", "shape": [3], "values": [1, 2]}}
    with pytest.raises(ValueError, match=r"shape \[3\] with 2 values"):
        decode(data, {})


def test_a_tensor_of_something_else_than_a_dtype_is_refused():
    with pytest.raises(ValueError, match="torch dtype 'load'"):
        decode({"$tensor": {"dtype": "load", "values": []}}, {})


def test_a_missing_key_is_told_as_damage():
    message = r"damaged.*KeyError: 'shape'"
    with pytest.raises(ValueError, match=message), damaged_unless_read():
        decode({"$array": {"dtype": "<i8", "values": []}}, {})


def test_our_own_functions_and_torchs_layers_and_optimizers_are_known():
    known = read_trusted(()).known
    for thing in (nn.ReLU, torch.optim.SGD, TabularNet, MLP):
        assert known[name_of(thing)] is thing
    for thing in (os.system, torch.load, torch.hub.load, eval):
        assert name_of(thing) not in known


def test_trusted_objects_are_known_by_their_name_or_the_one_they_are_given():
    assert read_trusted([plain_function]).known[name_of(plain_function)]
    trust = read_trusted({"old.place:f": plain_function})
    assert trust.known["old.place:f"] is plain_function
    assert trust.types == [f"{__name__}.plain_function"]
    assert read_trusted([str.upper, "some.Type"]).types[-1] == "some.Type"


@pytest.mark.parametrize("trusted", ["some.Type", True])
def test_trusted_has_to_be_a_list_or_a_dict(trusted):
    with pytest.raises(TypeError, match=f"got {trusted!r}"):
        read_trusted(trusted)
