import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.testing import assert_close

from skfair_runner.activations import (
    record_activations,
    silence_neurons,
    trace_layers,
)
from skfair_runner.cells import Cells
from skfair_runner.datasets import make_biased_classification
from skfair_runner.gaps import CONSTRAINTS
from skfair_runner.neurons import (
    IMPORTANCES,
    DiagnosisInputs,
    ablation_importance,
    activation_importance,
    count_top,
    feeding_weights,
    resolve_importance,
    select_top_neurons,
    taylor_terms,
    weight_importance,
    weight_terms,
)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


# A net whose importance is worked out on paper: two inputs (x, 1), two hidden neurons
#   h1 = x + 1,  h2 = 2 x + 3  (both positive), score = 0.1 h1 + 0.02 h2 + 0.05.
# Groups: x = 1, 3 and x = 5, 7, so that the group means of x are 2 and 6 and
#   Gap = 0.1 · 4 + 0.02 · 8 = 0.56.
HAND_X = torch.tensor([[1.0, 1.0], [3.0, 1.0], [5.0, 1.0], [7.0, 1.0]])
HAND_GROUPS = torch.tensor([0, 0, 1, 1])


def make_hand_net():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 1.0], [2.0, 3.0]]))
        net[0].bias.zero_()
        net[2].weight.copy_(torch.tensor([[0.1, 0.02]]))
        net[2].bias.fill_(0.05)
    return net


def parity_gap(scores, groups):
    labels = torch.zeros_like(groups)
    return CONSTRAINTS["demographic_parity"].gap(scores, Cells(labels, groups, 2, 2))


def run_hand_net():
    """Net, layers, activations, gap."""
    net = make_hand_net()
    layers = trace_layers(net, HAND_X)
    with record_activations(net, layers) as activations:
        gap = parity_gap(net(HAND_X), HAND_GROUPS)
    return net, layers, activations, gap


def test_the_hand_worked_gap():
    assert run_hand_net()[-1].item() == pytest.approx(0.56)


def test_activation_form_by_hand():
    """Σ h1 ∂Gap/∂h1 = 0.1 · 4 = 0.4 and Σ h2 ∂Gap/∂h2 = 0.02 · 8 = 0.16."""
    _, layers, activations, gap = run_hand_net()
    found = activation_importance(gap, activations, layers)
    assert_close(found, {"1": torch.tensor([0.4**2, 0.16**2])})


def test_weight_form_by_hand():
    """∂Gap/∂w11 = 0.1 · 4, ∂Gap/∂w21 = 0.02 · 4; the constant input carries none.

    Times the weights 1 and 2, squared.
    """
    net, layers, _, gap = run_hand_net()
    found = weight_importance(gap, net, layers)
    assert_close(found, {"1": torch.tensor([0.4**2, 0.16**2])})


def test_weight_form_squares_each_incoming_weight():
    weight, gradient = torch.tensor([[2.0, 3.0]]), torch.tensor([[1.0, -1.0]])
    assert weight_terms(weight, gradient).tolist() == [4 + 9]


def test_ablation_by_hand():
    """Without h1 the gap is 0.16, without h2 it is 0.4."""
    net, layers, _, _ = run_hand_net()
    found = ablation_importance(
        lambda: parity_gap(net(HAND_X), HAND_GROUPS), net, layers
    )
    assert_close(found, {"1": torch.tensor([0.4**2, 0.16**2])})


def test_neurons_of_channels_are_summed_over_samples_and_positions_before_squaring():
    h = torch.randn(5, 3, 2, 4)
    gradient = torch.randn(5, 3, 2, 4)
    expected = [sum((h * gradient)[:, c].flatten().tolist()) for c in range(3)]
    assert taylor_terms(h, gradient, 1).tolist() == pytest.approx(expected, abs=1e-5)


def make_networks():
    """Networks in double precision with inputs: of units, of channels, of steps."""
    units = nn.Sequential(
        nn.Linear(3, 6), nn.GELU(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 1)
    )
    channels = nn.Sequential(
        nn.Conv2d(1, 4, 2), nn.GELU(), nn.Flatten(), nn.Linear(36, 1)
    )
    steps = nn.Sequential(
        nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2), nn.Flatten(), nn.Linear(8, 1)
    )
    shapes = {"units": (3,), "channels": (1, 4, 4), "steps": (4, 3)}
    return {
        name: (net.double(), torch.randn(40, *shapes[name], dtype=torch.double))
        for name, net in zip(shapes, (units, channels, steps), strict=True)
    }


@pytest.mark.parametrize("kind", ["units", "channels", "steps"])
@pytest.mark.parametrize("name", sorted(CONSTRAINTS))
def test_activation_form_equals_finite_differences_of_a_fading_neuron(kind, name):
    """Each neuron's output is scaled by 1 − ε and 1 + ε with a hook."""
    net, X = make_networks()[kind]
    groups, labels = torch.arange(40) % 2, torch.arange(40) // 2 % 2
    cells = Cells(labels, groups, 2, 2)
    layers = trace_layers(net, X)

    def run():
        return CONSTRAINTS[name].gap(net(X).sigmoid(), cells)

    def run_with(layer, neuron, factor):
        def scale(_module, _inputs, output):
            factors = torch.ones(layer.n_neurons, dtype=torch.double)
            factors[neuron] = factor
            shape = [1] * output.ndim
            shape[layer.axis] = layer.n_neurons
            return output * factors.view(shape)

        handle = net.get_submodule(layer.path).register_forward_hook(scale)
        gap = run().item()
        handle.remove()
        return gap

    with record_activations(net, layers) as activations:
        gap = run()
    found = activation_importance(gap, activations, layers)

    epsilon = 1e-5
    for layer in layers:
        slopes = [
            (run_with(layer, m, 1 + epsilon) - run_with(layer, m, 1 - epsilon))
            / (2 * epsilon)
            for m in range(layer.n_neurons)
        ]
        assert_close(
            found[layer.name], torch.tensor(slopes).double() ** 2, rtol=1e-5, atol=1e-14
        )


def test_weight_form_of_a_relu_net_sums_to_the_activation_form_with_the_bias():
    """ReLU is homogeneous: Σ_j w_j ∂Gap/∂w_j + b ∂Gap/∂b = Σ h ∂Gap/∂h."""
    net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1)).double()
    X, groups = torch.randn(40, 3, dtype=torch.double), torch.arange(40) % 2
    layers = trace_layers(net, X)
    with record_activations(net, layers) as activations:
        gap = parity_gap(net(X).sigmoid(), groups)
    linear = net[0]
    slopes = torch.autograd.grad(gap, [linear.weight, linear.bias], retain_graph=True)
    total = (linear.weight * slopes[0]).sum(1) + linear.bias * slopes[1]
    found = activation_importance(gap, activations, layers)
    assert_close(found["1"], total.detach() ** 2)


def train_biased_net():
    """Two hidden layers of 24, 300 steps on generated data with a group gap."""
    people = make_biased_classification(n_samples=2000, random_state=0)
    X = torch.from_numpy(people.data.select_dtypes("number").to_numpy("float32"))
    X = (X - X.mean(0)) / X.std(0)
    y = torch.from_numpy(np.asarray(people.target) == np.max(people.target)).long()
    groups = np.unique(people.sensitive_features, return_inverse=True)[1].ravel()
    net = nn.Sequential(
        nn.Linear(X.shape[1], 24),
        nn.ReLU(),
        nn.Linear(24, 24),
        nn.ReLU(),
        nn.Linear(24, 1),
    )
    optimizer = torch.optim.Adam(net.parameters(), 5e-3)
    for _ in range(300):
        rows = torch.randint(len(X), (256,))
        loss = nn.functional.binary_cross_entropy_with_logits(
            net(X[rows])[:, 0], y[rows].float()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net, X, y, torch.from_numpy(groups)


@pytest.fixture(scope="module")
def trained():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return train_biased_net()


def importances_of(trained, name):
    """Every importance by name, both layers in one array each."""
    net, X, y, groups = trained
    cells = Cells(y, groups, 2, int(groups.max()) + 1)
    layers = trace_layers(net, X)

    def recompute_gap():
        return CONSTRAINTS[name].gap(net(X).sigmoid(), cells)

    with record_activations(net, layers) as activations:
        gap = recompute_gap()
    inputs = DiagnosisInputs(gap, activations, layers, net, recompute_gap)
    return {
        kind: {k: v.numpy() for k, v in resolve_importance(kind)(inputs).items()}
        for kind in IMPORTANCES
    }


@pytest.mark.parametrize(
    ("name", "activation", "weight"),
    [
        ("demographic_parity", [0.970, 0.971], [0.854, 0.852]),
        ("equalized_odds", [0.979, 0.986], [0.897, 0.635]),
    ],
)
def test_activation_form_ranks_neurons_as_exact_ablation_does(
    trained, name, activation, weight
):
    """Spearman's correlation with ablation, by layer, of either first-order form."""
    found = importances_of(trained, name)
    correlations = {
        form: [
            spearmanr(found[form][layer], exact).statistic
            for layer, exact in found["ablation"].items()
        ]
        for form in ("activation", "weight")
    }
    assert min(correlations["activation"]) > 0.95
    # Measured here; other processors train a slightly different net.
    assert correlations["activation"] == pytest.approx(activation, abs=0.02)
    assert correlations["weight"] == pytest.approx(weight, abs=0.1)


def test_importance_is_never_negative_and_carries_no_gradient(trained):
    for by_layer in importances_of(trained, "demographic_parity").values():
        assert all((values >= 0).all() for values in by_layer.values())


def test_importance_keeps_the_graph_for_the_training_step():
    net, layers, activations, gap = run_hand_net()
    activation_importance(gap, activations, layers)
    weight_importance(gap, net, layers)
    gap.backward()
    assert net[0].weight.grad.any()


def test_importance_writes_no_gradient():
    net, layers, activations, gap = run_hand_net()
    activation_importance(gap, activations, layers)
    weight_importance(gap, net, layers)
    ablation_importance(lambda: parity_gap(net(HAND_X), HAND_GROUPS), net, layers)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_ablation_equals_silencing_one_neuron_after_the_other():
    net, X = make_networks()["channels"]
    groups = torch.arange(40) % 2
    layers = trace_layers(net, X)

    found = ablation_importance(lambda: parity_gap(net(X), groups), net, layers)

    with torch.no_grad():
        whole = parity_gap(net(X), groups)
        for m in range(4):
            with silence_neurons(net, layers, {"1": torch.tensor([m])}):
                without = parity_gap(net(X), groups)
            assert_close(found["1"][m], (whole - without) ** 2)


def test_a_gap_that_does_not_see_a_layer_finds_it_unimportant():
    net, layers, activations, _ = run_hand_net()
    gap = net[2].bias.sum()
    assert not activation_importance(gap, activations, layers)["1"].any()
    assert not weight_importance(gap, net, layers)["1"].any()


def test_the_weight_form_of_a_module_called_twice_uses_its_own_feeders():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(3, 5), nn.Linear(5, 4), nn.Linear(4, 1)
            self.relu = nn.ReLU()

        def forward(self, x):
            return self.c(self.relu(self.b(self.relu(self.a(x)))))

    net = Twice()
    layers = trace_layers(net, torch.zeros(2, 3))
    first, second = feeding_weights(net, layers)
    assert first is net.a.weight
    assert second is net.b.weight


def test_the_weight_form_refuses_a_layer_that_nothing_feeds():
    net = nn.Sequential(nn.Tanh(), nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))
    layers = trace_layers(net, torch.zeros(2, 3), layers=["0"])
    with pytest.raises(ValueError, match="none runs before '0'.*importance='activ"):
        feeding_weights(net, layers)


def test_the_weight_form_refuses_a_feeder_of_another_size():
    net = nn.Sequential(nn.Linear(3, 6), nn.GLU(), nn.ReLU(), nn.Linear(3, 1))
    layers = trace_layers(net, torch.zeros(2, 3), layers=["2"])
    with pytest.raises(ValueError, match="3 neurons in '2', but 6 in the layer '0'"):
        feeding_weights(net, layers)


@pytest.mark.parametrize(
    "feeder", [nn.Linear(3, 5).requires_grad_(False), spectral_norm(nn.Linear(3, 5))]
)
def test_the_weight_form_refuses_weights_without_a_gradient_of_their_own(feeder):
    net = nn.Sequential(feeder, nn.ReLU(), nn.Linear(5, 1))
    layers = trace_layers(net, torch.zeros(2, 3))
    with pytest.raises(ValueError, match="weight of '0', which is frozen or computed"):
        feeding_weights(net, layers)


@pytest.mark.parametrize(
    ("top_k", "n_neurons", "count"),
    [
        (0.5, 10, 5),
        (0.05, 200, 10),
        (0.05, 10, 1),
        (0.26, 10, 3),
        (1.0, 7, 7),
        (1, 7, 1),
        (3, 7, 3),
        (9, 7, 7),
        (np.int64(2), 7, 2),
        (np.float32(0.5), 8, 4),
    ],
)
def test_top_k_counts_neurons(top_k, n_neurons, count):
    assert count_top(top_k, n_neurons) == count


def test_the_most_important_neurons_are_selected_layer_by_layer():
    importance = {"a": torch.tensor([0.1, 0.9, 0.0, 0.5]), "b": torch.tensor([2.0, 3])}
    selected = select_top_neurons(importance, 0.5)
    assert {k: v.tolist() for k, v in selected.items()} == {"a": [1, 3], "b": [1]}


def test_equally_important_neurons_are_selected_in_their_order():
    ties = torch.zeros(100)
    ties[60] = 1
    assert select_top_neurons({"a": ties}, 4)["a"].tolist() == [60, 0, 1, 2]


def users_inputs():
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    layers = trace_layers(module, torch.zeros(1, 2))
    return DiagnosisInputs(torch.tensor(1.0), {}, layers, module, lambda: None)


@pytest.mark.parametrize("kind", [torch.tensor, np.array, list])
def test_a_users_importance_is_taken_as_it_is(kind):
    found = resolve_importance(lambda _: {"1": kind([1.0, 0.0, 2.0]), "more": 1})
    assert found(users_inputs())["1"].tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (None, TypeError, "importance=mine must return a dict .* returned a NoneType"),
        ({"two": 1}, ValueError, r"it has no '1', only \['two'\]"),
        ({"1": torch.ones(2)}, ValueError, r"3 neurons, it returned shape \(2,\)"),
        (
            {"1": torch.tensor([1, float("nan"), 1])},
            ValueError,
            "with 1 values that are not finite",
        ),
    ],
)
def test_what_a_users_importance_returns_is_looked_at(returned, error, message):
    def mine(inputs):
        return returned

    with pytest.raises(error, match=message):
        resolve_importance(mine)(users_inputs())


def test_an_unknown_importance_is_named_beside_the_known():
    with pytest.raises(ValueError, match=r"'shap'.*'ablation', 'activation', 'weight'"):
        resolve_importance("shap")
