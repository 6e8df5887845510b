import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from skfair_runner.activations import trace_layers
from skfair_runner.cells import Cells
from skfair_runner.diagnosis import (
    Batch,
    Diagnosis,
    Subject,
    diagnose,
    make_neuron_table,
)
from skfair_runner.distances import DISTANCES, resolve_distance
from skfair_runner.gaps import CONSTRAINTS, resolve_constraint
from skfair_runner.relaxations import positive_scores

N = 90


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


class Batches:
    """Rows in parts of the given size."""

    def __init__(self, batch, size):
        self.batch, self.size, self.n_rows = batch, size, len(batch.X)
        self.n_iterations = 0

    def __len__(self):
        return -(-self.n_rows // self.size)

    def __iter__(self):
        self.n_iterations += 1
        for start in range(0, self.n_rows, self.size):
            rows = slice(start, start + self.size)
            yield Batch(*(part if part is None else part[rows] for part in self.batch))


def make_rows(n_labels=2, n_groups=2, weighted=False):
    index = torch.randperm(N)
    groups = index // n_labels % n_groups
    X = torch.randn(N, 4, dtype=torch.double) + 0.5 * groups[:, None]
    weights = torch.rand(N, dtype=torch.double) + 0.1 if weighted else None
    return Batch(X, index % n_labels, groups, weights)


def make_subject(constraint, distance="l1", n_labels=2, n_groups=2, positive=1):
    n_outputs = 1 if n_labels == 2 else n_labels
    net = nn.Sequential(
        nn.Linear(4, 6),
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(6, 5),
        nn.Tanh(),
        nn.Linear(5, n_outputs),
    ).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return Subject(
        net,
        trace_layers(net, torch.zeros(2, 4, dtype=torch.double)),
        positive_scores,
        resolve_constraint(constraint),
        resolve_distance(distance),
        n_labels,
        n_groups,
        positive,
    )


def squared_mean_difference(y_true, y_score, groups):
    """A user's gap, which is no sum over samples."""
    means = [y_score[groups == g].mean() for g in (0, 1)]
    return (means[0] - means[1]) ** 2 + y_score[y_true == 1].var() / 10


def assert_same(found, expected):
    assert found.gap == pytest.approx(expected.gap)
    assert list(found.importance) == list(expected.importance)
    for name, values in expected.importance.items():
        assert_close(found.importance[name], values)
        assert found.discrimination[name] == pytest.approx(
            expected.discrimination[name], abs=1e-12
        )


@pytest.mark.parametrize("importance", ["activation", "weight", "ablation"])
@pytest.mark.parametrize("constraint", [*sorted(CONSTRAINTS), squared_mean_difference])
@pytest.mark.parametrize("weighted", [False, True])
def test_many_batches_give_the_result_of_one(importance, constraint, weighted):
    """Tiny batches, most of which lack a cell."""
    subject = make_subject(constraint)
    rows = make_rows(weighted=weighted)
    whole = diagnose(subject, Batches(rows, N), importance)
    assert_same(diagnose(subject, Batches(rows, 7), importance), whole)
    assert whole.gap > 0
    assert all(values.any() for values in whole.importance.values())


@pytest.mark.parametrize("importance", ["activation", "weight"])
@pytest.mark.parametrize("constraint", sorted(CONSTRAINTS))
@pytest.mark.parametrize(("n_labels", "n_groups"), [(3, 2), (2, 4), (3, 3)])
def test_many_batches_give_the_result_of_one_for_more_classes_and_groups(
    importance, constraint, n_labels, n_groups
):
    subject = make_subject(constraint, n_labels=n_labels, n_groups=n_groups)
    rows = make_rows(n_labels, n_groups)
    whole = diagnose(subject, Batches(rows, N), importance)
    assert_same(diagnose(subject, Batches(rows, 11), importance), whole)


@pytest.mark.parametrize("importance", ["activation", "weight", "ablation"])
def test_the_favourable_label_may_be_the_first(importance):
    rows = make_rows()
    subject = make_subject("true_positive_rate_parity", positive=0)
    found = diagnose(subject, Batches(rows, 7), importance)
    other = Subject(
        subject.module,
        subject.layers,
        subject.scores,
        CONSTRAINTS["false_positive_rate_parity"],
        subject.distance,
        2,
        2,
    )
    assert_same(found, diagnose(other, Batches(rows, N), importance))


@pytest.mark.parametrize("size", [N, 7])
def test_the_gap_is_that_of_the_module_in_evaluation_mode(size):
    subject, rows = make_subject("equalized_odds"), make_rows()
    subject.module.train()
    for importance in ("activation", "ablation", None):
        found = diagnose(subject, Batches(rows, size), importance)
        subject.module.eval()
        cells = Cells(rows.labels, rows.groups, 2, 2)
        expected = subject.constraint.gap(subject.module(rows.X).sigmoid(), cells)
        subject.module.train()
        assert found.gap == pytest.approx(expected.item())


@pytest.mark.parametrize("distance", sorted(DISTANCES))
@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("importance", ["activation", "ablation", None])
def test_discrimination_over_batches_is_that_of_all_rows(
    distance, constraint, weighted, importance
):
    subject = make_subject(constraint, distance, n_groups=3)
    rows = make_rows(n_groups=3, weighted=weighted)

    found = diagnose(subject, Batches(rows, 8), importance).discrimination

    net = subject.module.eval()
    first = net[:3](rows.X)
    activations = {"2": first, "5": net[4:6](first)}
    cells = Cells(rows.labels, rows.groups, 2, 3, rows.weights)
    pools = subject.constraint.activation_pools(2)
    assert list(found) == list(activations)
    for name, values in activations.items():
        expected = subject.distance(values.detach(), cells, pools)
        assert found[name] == pytest.approx(expected.numpy(), abs=1e-12)


def test_discrimination_of_channels_is_that_of_their_means_over_positions():
    net = nn.Sequential(
        nn.Conv1d(1, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(9, 1)
    ).double()
    X, groups = torch.randn(N, 1, 4, dtype=torch.double), torch.arange(N) % 2
    rows = Batch(X, groups, groups)
    layers = trace_layers(net, X)
    subject = Subject(
        net,
        layers,
        positive_scores,
        CONSTRAINTS["demographic_parity"],
        resolve_distance("l1"),
        2,
        2,
    )
    means = net[:2](X).mean(2)
    expected = (means[groups == 0].mean(0) - means[groups == 1].mean(0)).abs()
    found = diagnose(subject, Batches(rows, 7), None)
    assert found.discrimination["1"] == pytest.approx(expected.detach().numpy())


def test_distances_of_samples_are_measured_on_evenly_spread_rows(monkeypatch):
    """Each batch gives every third of its rows where a third of them is enough."""
    monkeypatch.setattr("skfair_runner.diagnosis._MOST_ROWS_FOR_SAMPLE_DISTANCES", 30)
    received = []

    def count(values, groups, weights):
        received.append((values, groups, weights))
        return values.new_zeros(values.shape[1])

    subject, rows = make_subject("demographic_parity", count), make_rows(weighted=True)
    diagnose(subject, Batches(rows, 45), None)

    taken = torch.cat([torch.arange(0, 45, 3), torch.arange(45, 90, 3)])
    (values, groups, weights), _ = received
    assert_close(values, subject.module.eval()[:3](rows.X)[taken].detach())
    assert_close(groups, rows.groups[taken])
    assert_close(weights, rows.weights[taken])


@pytest.mark.parametrize("importance", ["activation", "weight", "ablation", None])
@pytest.mark.parametrize("size", [N, 7])
@pytest.mark.parametrize("training", [False, True])
def test_a_diagnosis_leaves_the_module_as_it_was(importance, size, training):
    subject, rows = make_subject("equalized_odds"), make_rows()
    net = subject.module.train(training)
    net[3].eval()
    net[0].weight.grad = torch.ones_like(net[0].weight)
    modes = [module.training for module in net.modules()]
    before = {name: value.clone() for name, value in net.state_dict().items()}

    diagnose(subject, Batches(rows, size), importance)

    assert [module.training for module in net.modules()] == modes
    assert not any(m._forward_hooks for m in net.modules())
    assert_close(dict(net.state_dict()), before)
    assert_close(net[0].weight.grad, torch.ones_like(net[0].weight))
    assert net[4].weight.grad is None


@pytest.mark.parametrize("frozen", ["a part", "everything"])
@pytest.mark.parametrize("size", [N, 7])
def test_frozen_parameters_change_nothing_in_the_activation_form(frozen, size):
    subject, rows = make_subject("equalized_odds"), make_rows()
    expected = diagnose(subject, Batches(rows, N))
    part = subject.module if frozen == "everything" else subject.module[0]
    part.requires_grad_(False)
    assert_same(diagnose(subject, Batches(rows, size)), expected)


@pytest.mark.parametrize("size", [N, 7])
def test_the_weight_form_refuses_a_frozen_layer(size):
    subject, rows = make_subject("equalized_odds"), make_rows()
    subject.module[0].requires_grad_(False)
    with pytest.raises(ValueError, match="weight of '0', which is frozen"):
        diagnose(subject, Batches(rows, size), "weight")
    assert subject.module.training


def test_a_users_importance_receives_the_first_batch_and_its_gap():
    subject, rows = make_subject("demographic_parity"), make_rows()
    received = []

    def importance(inputs):
        again = inputs.recompute_gap()
        received.append((inputs.gap, again))
        (slope,) = torch.autograd.grad(inputs.gap, inputs.activations["5"])
        assert slope.shape == (20, 5)
        return {layer.name: torch.arange(layer.n_neurons) for layer in inputs.layers}

    found = diagnose(subject, Batches(rows, 20), importance)

    ((gap, again),) = received
    assert_close(gap, again)
    assert found.importance["5"].tolist() == [0, 1, 2, 3, 4]
    assert found.gap == pytest.approx(diagnose(subject, Batches(rows, N), None).gap)


def test_the_first_order_forms_read_the_data_twice():
    subject, batches = make_subject("demographic_parity"), Batches(make_rows(), 7)
    diagnose(subject, batches)
    assert batches.n_iterations == 2


def make_diagnosis(scale=1.0):
    return Diagnosis(
        0.5,
        {"a": torch.tensor([0.1, 0.9, 0.1, 0.4]), "b": torch.tensor([2.0, 3.0])},
        {
            "a": scale * np.array([1.0, 2.0, 3.0, 4.0]),
            "b": scale * np.array([5.0, 6.0]),
        },
    )


def test_the_table_has_one_row_per_neuron():
    table = make_neuron_table(make_diagnosis(), 0.5)
    assert list(table.columns) == [
        "layer",
        "neuron",
        "importance",
        "rank",
        "selected",
        "discrimination",
    ]
    assert table["layer"].tolist() == ["a"] * 4 + ["b"] * 2
    assert table["neuron"].tolist() == [0, 1, 2, 3, 0, 1]
    assert table["importance"].tolist() == pytest.approx([0.1, 0.9, 0.1, 0.4, 2, 3])
    assert table["rank"].tolist() == [3, 1, 4, 2, 2, 1]
    assert table["selected"].tolist() == [False, True, False, True, False, True]
    assert table["discrimination"].tolist() == [1, 2, 3, 4, 5, 6]


def test_the_table_adds_the_discrimination_after_repair():
    table = make_neuron_table(make_diagnosis(), 0.5, make_diagnosis(0.1))
    assert list(table.columns)[-2:] == ["discrimination", "discrimination_after"]
    assert table["discrimination_after"].tolist() == pytest.approx(
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    )


@pytest.mark.parametrize("top_k", [1, 3, 0.25, 0.9])
def test_selected_neurons_are_those_of_the_first_ranks(top_k):
    """Also among neurons that never fire, all of which are unimportant alike."""
    importance = torch.zeros(200)
    importance[[70, 7]] = torch.tensor([1.0, 2.0])
    diagnosis = Diagnosis(0.0, {"a": importance}, {"a": np.zeros(200)})
    table = make_neuron_table(diagnosis, top_k)
    n_selected = table["selected"].sum()
    assert n_selected == (top_k if isinstance(top_k, int) else round(200 * top_k))
    assert (table["selected"] == (table["rank"] <= n_selected)).all()
    assert sorted(table["rank"]) == list(range(1, 201))
