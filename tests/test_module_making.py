"""Modules: ours, the user's classes, and instances."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from skfair_runner._module_making import (
    check_precision,
    make_module,
    takes_grey_images,
)
from skfair_runner._training_data import TrainingData
from skfair_runner.modules import TabularNet

DEFAULTS = {"hidden_layer_sizes": (4,), "dropout": 0.1, "n_bins": 8}


def make_data(y, weights=None, X=None):
    y = np.asarray(y)
    if X is None:
        X = np.linspace(0, 1, 2 * len(y), dtype=np.float32).reshape(-1, 2)
    if weights is not None:
        weights = np.asarray(weights, np.float32)
    return TrainingData(X, y, np.unique(y), None, weights)


@pytest.mark.parametrize(("y", "n_outputs"), [([0, 1, 1, 0], 1), ([0, 1, 2, 0], 3)])
def test_the_default_module_fits_the_data(y, n_outputs):
    net = make_module(None, make_data(y), np.arange(4), DEFAULTS, {})
    assert isinstance(net, TabularNet)
    assert (net.n_features, net.n_outputs) == (2, n_outputs)
    assert net.hidden_layer_sizes == [4]
    assert net.dropout == 0.1


def test_parameters_come_before_defaults():
    own = {"hidden_layer_sizes": (3, 2), "dropout": 0.5, "n_bins": 2}
    data = make_data(np.arange(20) % 2)
    net = make_module(None, data, np.arange(20), DEFAULTS, own)
    assert net.hidden_layer_sizes == [3, 2]
    assert net.dropout == 0.5
    assert net.encoding.n_bins == 4
    plain = make_module(None, data, np.arange(20), DEFAULTS, {"n_bins": 0})
    assert not hasattr(plain, "encoding")
    edges = {"edges": [[0.0, 1.0], [0.0, 0.5, 1.0]]}
    given = make_module(None, data, np.arange(20), DEFAULTS, edges)
    assert given.encoding.edges == edges["edges"]


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_edges_are_learned_from_the_rows_that_are_trained_on(container):
    X = container(np.arange(40.0).reshape(-1, 2).astype(np.float32))
    data = make_data(np.arange(20) % 2, X=X)
    net = make_module(None, data, np.arange(5, 10), DEFAULTS, {})
    ends = [(edges[0], edges[-1]) for edges in net.encoding.edges]
    assert ends == [(10.0, 18.0), (11.0, 19.0)]


def test_weights_move_the_edges_as_repeated_rows_do():
    y, weights = np.arange(30) % 2, np.arange(30) % 4
    again = np.repeat(np.arange(30), weights)
    data = make_data(y, weights=weights)
    weighted = make_module(None, data, data.rows, DEFAULTS, {})
    repeated = make_data(y[again], X=data.X[again])
    assert (
        weighted.encoding.edges
        == make_module(
            None, repeated, np.arange(len(again)), DEFAULTS, {}
        ).encoding.edges
    )


def test_a_class_gets_the_shape_that_it_takes():
    class Both(nn.Linear):
        def __init__(self, n_features, n_outputs, scale=1):
            super().__init__(n_features, n_outputs)
            self.scale = scale

    data, rows = make_data([0, 1, 2, 0]), np.arange(4)
    net = make_module(Both, data, rows, DEFAULTS, {"scale": 3})
    assert (net.in_features, net.out_features, net.scale) == (2, 3, 3)

    def handing_on(bias=True, **kwargs):
        return nn.Linear(3, 1, bias, **kwargs)

    assert make_module(handing_on, data, rows, {}, {}).in_features == 3
    with pytest.raises(TypeError, match="'width'"):
        make_module(handing_on, data, rows, {}, {"width": 1})
    open_ended = make_module(lambda **kw: nn.Linear(*kw.values()), data, rows, {}, {})
    assert (open_ended.in_features, open_ended.out_features) == (2, 3)
    fixed = make_module(lambda: nn.Linear(2, 3), data, rows, DEFAULTS, {})
    assert fixed.out_features == 3
    own = make_module(Both, data, rows, DEFAULTS, {"n_outputs": 7})
    assert own.out_features == 7


class Narrow(nn.Linear):
    def __init__(self, n_features, width=1):
        super().__init__(n_features, width)


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (None, "TabularNet has no parameter 'foo'; it takes n_features, .*, n_bins"),
        (Narrow, "Narrow has no parameter 'foo'; it takes n_features, width"),
        (lambda: nn.Linear(2, 1), "<lambda> has no parameter 'foo'; it takes none"),
    ],
)
def test_a_parameter_that_the_module_does_not_take_is_named(module, told):
    with pytest.raises(TypeError, match=f"module__foo=3: {told}"):
        make_module(module, make_data([0, 1]), np.arange(2), DEFAULTS, {"foo": 3})


def test_arguments_that_a_class_needs_and_is_not_given_are_told():
    message = (
        "module=Linear was called with nothing, but .*'in_features' and 'out_features'"
        ".*: pass them as module__<name>="
    )
    with pytest.raises(TypeError, match=message):
        make_module(nn.Linear, make_data([0, 1]), np.arange(2), DEFAULTS, {})


class Converting(nn.Linear):
    """A linear layer of doubles that takes any numbers."""

    def __init__(self, emitted):
        super().__init__(2, 1, dtype=torch.float64)
        self.emitted = emitted

    def forward(self, x):
        return super().forward(x.double()).to(self.emitted)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_a_module_of_another_precision_is_to_be_converted(container):
    data = make_data([0, 1], X=container(np.ones((2, 2), np.float32)))
    for dtype in (torch.float64, torch.bfloat16):
        message = f"parameters of type {dtype}, and does not take X, .*module.float"
        with pytest.raises(ValueError, match=message):
            check_precision(nn.Linear(2, 1, dtype=dtype), data, repaired=False)
    with pytest.raises(ValueError, match="and emits torch.float64, while gaps"):
        check_precision(Converting(torch.float64), data, repaired=True)
    check_precision(Converting(torch.float64), data, repaired=False)
    check_precision(Converting(torch.float32), data, repaired=True)
    check_precision(nn.Flatten(), data, repaired=True)


def test_an_instance_is_copied_and_takes_no_parameters():
    module, data = nn.Linear(2, 1), make_data([0, 1])
    built = make_module(module, data, np.arange(2), DEFAULTS, {})
    assert built is not module
    assert torch.equal(built.weight, module.weight)
    with pytest.raises(ValueError, match="module__bias=False cannot change a module"):
        make_module(module, data, np.arange(2), DEFAULTS, {"bias": False})


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match="module=<class 'dict'> returned a dict"):
        make_module(dict, make_data([0, 1]), np.arange(2), DEFAULTS, {})


def with_sizes(image_size):
    return nn.Flatten()


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (None, False),
        (with_sizes, True),
        (dict, False),
        (nn.Linear(8, 1), False),
        (nn.Conv2d(3, 4, 3), False),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten()), True),
        (nn.Sequential(nn.Flatten(0, 1), nn.Conv2d(1, 4, 9)), False),
    ],
)
def test_grey_images_are_known_by_the_module(module, expected):
    assert takes_grey_images(module, np.zeros((5, 8, 8))) is expected
    assert not takes_grey_images(module, np.zeros((5, 8)))
