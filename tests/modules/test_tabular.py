import copy
import json
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from skfair_runner.modules import MLP, TabularNet, piecewise_linear_edges

EDGES = [[0.0, 0.1, 1.0], [0.0, 1.0], [], [-2.5, 1e-7, 3.0]]


@pytest.fixture
def net():
    torch.manual_seed(0)
    return TabularNet(4, 2, hidden_layer_sizes=(6, 5), edges=EDGES).eval()


@pytest.fixture
def x():
    return torch.randn(11, 4, generator=torch.Generator().manual_seed(0))


def test_children_are_named_for_what_they_are(net):
    assert [name for name, _ in net.named_children()] == [
        *("encoding", "linear1", "relu1", "dropout1"),
        *("linear2", "relu2", "dropout2", "output"),
    ]


def test_forward_is_the_layers_by_hand(net, x):
    hidden = net.encoding(x)
    for i in "12":
        layer = net.get_submodule(f"linear{i}")
        hidden = (hidden @ layer.weight.T + layer.bias).clamp(min=0)

    expected = hidden @ net.output.weight.T + net.output.bias
    torch.testing.assert_close(net(x), expected)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_logits_have_one_column_per_output(x, n_outputs):
    assert TabularNet(4, n_outputs)(x).shape == (11, n_outputs)


def test_without_hidden_layers_the_net_is_linear(x):
    net = TabularNet(4, hidden_layer_sizes=())
    assert [name for name, _ in net.named_children()] == ["output"]
    torch.testing.assert_close(net(x), net.output(x))


def test_dropout_acts_in_training_alone(net, x):
    assert torch.equal(net(x), net(x))
    net.train()
    torch.manual_seed(0)
    assert not torch.equal(net(x), net(x))


def test_only_constant_features_leave_a_net_that_trains():
    X = np.ones((8, 2), dtype=np.float32)
    net = TabularNet(2, edges=piecewise_linear_edges(X))
    net(torch.from_numpy(X)).sum().backward()
    assert torch.equal(net.output.bias.grad, torch.tensor([8.0]))


@pytest.mark.parametrize("edges", [EDGES, [[], [], [], []], None])
def test_json_config_and_state_dict_rebuild_the_net(x, edges):
    net = TabularNet(4, 2, hidden_layer_sizes=(6,), dropout=0.25, edges=edges).eval()

    config = json.loads(json.dumps(net.config))
    rebuilt = TabularNet(**config).eval()
    fresh_state = rebuilt.state_dict()
    for name, buffer in net.named_buffers():
        assert torch.equal(fresh_state[name], buffer), name
    rebuilt.load_state_dict(net.state_dict())

    assert rebuilt.config == net.config == config
    assert torch.equal(rebuilt(x), net(x))


def test_config_holds_what_was_asked_for():
    net = TabularNet(
        np.int64(2), hidden_layer_sizes=[np.int64(3)], dropout=0, edges=[[0, 1], []]
    )
    assert json.loads(json.dumps(net.config)) == {
        "n_features": 2,
        "n_outputs": 1,
        "hidden_layer_sizes": [3],
        "dropout": 0.0,
        "edges": [[0.0, 1.0], []],
    }


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]
)
def test_copies_are_equal_and_independent(net, x, duplicate):
    expected = net(x)
    other = duplicate(net)
    assert torch.equal(other(x), expected)
    nn.init.zeros_(net.output.weight)
    assert torch.equal(other(x), expected)


def test_export_agrees_for_any_batch_size(net, x):
    batch = torch.export.Dim("batch")
    program = torch.export.export(net, (x,), dynamic_shapes=({0: batch},))
    for n in (2, 7):
        torch.testing.assert_close(program.module()(x[:n]), net(x[:n]))


# torch 2.13 scripts with a warning that scripting will go; drop the test with it.
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
@pytest.mark.parametrize("edges", [EDGES, [[], [], [], []], None])
def test_torchscript_agrees(x, edges):
    net = TabularNet(4, edges=edges).eval()
    assert torch.equal(torch.jit.script(net)(x), net(x))


# torch 2.13 warns about its own use of LeafSpec; drop the filter when it has stopped.
@pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")
def test_onnx_export_agrees_for_any_batch_size(net, x):
    pytest.importorskip("onnxscript", reason="torch exports to ONNX through onnxscript")
    program = torch.onnx.export(
        net,
        (x,),
        dynamo=True,
        verbose=False,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
    )
    evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator(
        program.model_proto
    )
    (name,) = evaluator.input_names
    for n in (2, 7):
        (logits,) = evaluator.run(None, {name: x[:n].numpy()})
        np.testing.assert_allclose(logits, net(x[:n]).detach(), atol=1e-6)


def test_mlp_is_the_plain_net():
    net = MLP(3, 2)
    assert isinstance(net, TabularNet)
    assert [repr(layer) for layer in net.children()] == [
        repr(nn.Linear(3, 200)),
        repr(nn.ReLU()),
        repr(nn.Linear(200, 200)),
        repr(nn.ReLU()),
        repr(nn.Linear(200, 2)),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_features": 0}, "`n_features` is an integer of at least 1; got 0"),
        ({"n_features": 2.0}, "`n_features` .* got 2.0"),
        ({"n_outputs": -1}, "`n_outputs` .* got -1"),
        ({"hidden_layer_sizes": (3, 0)}, r"`hidden_layer_sizes\[1\]` .* got 0"),
        ({"dropout": 1}, r"`dropout` is a number in \[0, 1\); got 1"),
        ({"dropout": "much"}, "`dropout` .* got 'much'"),
        ({"edges": [[0, 1]]}, "`edges` .* got 1 for n_features=2"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TabularNet(**{"n_features": 2, **arguments})
