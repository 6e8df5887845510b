import pytest
import torch
from torch import nn
from torch.testing import assert_close

from skfair_runner.activations import record_activations, trace_layers
from skfair_runner.cells import Cells
from skfair_runner.control import OutputController
from skfair_runner.diagnosis import Subject
from skfair_runner.distances import resolve_distance
from skfair_runner.gaps import CONSTRAINTS, resolve_constraint
from skfair_runner.multipliers import RateController
from skfair_runner.neurons import activation_importance, select_top_neurons
from skfair_runner.penalty import RepairPenalty
from skfair_runner.relaxations import Outcome, positive_scores

N = 60


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def make_subject(constraint="demographic_parity", distance="l1", n_groups=2):
    net = nn.Sequential(
        nn.Linear(4, 6),
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.Linear(6, 5),
        nn.ReLU(),
        nn.Linear(5, 1),
    )
    return Subject(
        net,
        trace_layers(net, torch.zeros(2, 4)),
        positive_scores,
        resolve_constraint(constraint),
        resolve_distance(distance),
        2,
        n_groups,
    )


def make_batch(n_groups=2):
    """X and cells; the first feature depends on the group."""
    labels, groups = torch.arange(N) % 2, torch.arange(N) // 2 % n_groups
    X = torch.randn(N, 4)
    X[:, 0] += groups
    return X, Cells(labels, groups, 2, n_groups)


def make_penalty(subject, **changes):
    settings = {"alpha": 0.7, "top_k": 2, "importance": "activation"}
    settings |= {"diagnose_every": 1, **changes}
    return RepairPenalty(subject, **settings)


def apply(penalty, X, cells, step=0, progress=0.0):
    """The penalty of one recorded pass, its logits and activations."""
    with record_activations(penalty.subject.module, penalty.layers) as activations:
        logits = penalty.subject.module(X)
    value = penalty(X, Outcome(logits, cells), activations, step, progress)
    return value, logits, activations


def make_controller(n_groups=2):
    conditions = CONSTRAINTS["demographic_parity"].conditions(2)
    part = RateController(conditions, n_groups, 1, 0.0, gain=0.1)
    return OutputController({"one": part}, torch.tensor([0.5]))


@pytest.mark.parametrize("constraint", sorted(CONSTRAINTS))
@pytest.mark.parametrize("n_groups", [2, 3])
def test_the_neuron_penalty_is_the_mean_over_selected_neurons_summed_over_layers(
    constraint, n_groups
):
    subject = make_subject(constraint, n_groups=n_groups)
    penalty = make_penalty(subject, top_k=3)
    X, cells = make_batch(n_groups)

    value, logits, activations = apply(penalty, X, cells)

    gap = subject.constraint.gap(logits.sigmoid(), cells)
    importance = activation_importance(gap, activations, subject.layers)
    by_hand = 0.0
    for name, indices in select_top_neurons(importance, 3).items():
        means_apart = []
        for m in indices:
            column = activations[name][:, m]
            apart = 0.0
            for pool in subject.constraint.activation_pools(2):
                inside = pool[cells.labels] > 0
                means = [
                    column[inside & (cells.groups == g)].mean() for g in range(n_groups)
                ]
                pairs = [abs(a - b) for i, a in enumerate(means) for b in means[:i]]
                apart = apart + sum(pairs) / len(pairs)
            means_apart.append(apart)
        by_hand = by_hand + sum(means_apart) / 3
        assert penalty.selected[name].tolist() == indices.tolist()
    assert_close(value, 0.7 * by_hand)
    assert value > 0


def test_channels_are_penalised_by_their_means_over_positions():
    net = nn.Sequential(nn.Conv1d(1, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(9, 1))
    X, groups = torch.randn(N, 1, 4), torch.arange(N) % 2
    subject = Subject(
        net,
        trace_layers(net, X),
        positive_scores,
        CONSTRAINTS["demographic_parity"],
        resolve_distance("l1"),
        2,
        2,
    )
    value, _, activations = apply(
        make_penalty(subject, alpha=1.0, top_k=3), X, Cells(groups * 0, groups, 2, 2)
    )
    means = activations["1"].mean(2)
    apart = (means[groups == 0].mean(0) - means[groups == 1].mean(0)).abs()
    assert_close(value, apart.mean())


def test_the_selection_is_diagnosed_anew_every_few_steps():
    steps = []
    penalty = make_penalty(
        make_subject(),
        diagnose_every=3,
        importance=lambda inputs: (
            steps.append(step)
            or {layer.name: torch.rand(layer.n_neurons) for layer in inputs.layers}
        ),
    )
    X, cells = make_batch()
    selections = []
    for step in range(8):
        apply(penalty, X, cells, step)
        selections.append(penalty.selected)
    assert steps == [0, 3, 6]
    assert selections[1] is selections[0]
    assert selections[2] is selections[0]
    assert selections[3] is not selections[0]


def test_a_penalty_that_starts_between_two_diagnoses_diagnoses_at_once():
    penalty = make_penalty(make_subject(), diagnose_every=10)
    X, cells = make_batch()
    value, _, _ = apply(penalty, X, cells, step=4)
    assert value > 0
    assert set(penalty.selected) == {"2", "4"}


def test_without_a_neuron_penalty_nothing_is_recorded_or_diagnosed():
    def refuse(inputs):
        raise AssertionError("nothing is to be diagnosed")

    penalty = make_penalty(make_subject(), alpha=0, importance=refuse)
    X, cells = make_batch()
    value, _, activations = apply(penalty, X, cells)
    assert penalty.layers == []
    assert activations == {}
    assert value == 0
    assert penalty.selected == {}


@pytest.mark.parametrize("constraint", sorted(CONSTRAINTS))
def test_a_fixed_output_weight_adds_the_gap_once(constraint):
    subject = make_subject(constraint)
    X, cells = make_batch()
    plain, logits, _ = apply(make_penalty(subject), X, cells)
    weighted, _, _ = apply(make_penalty(subject, output_weight=0.4), X, cells)
    alone, _, _ = apply(make_penalty(subject, alpha=0, output_weight=0.4), X, cells)
    gap = subject.constraint.gap(logits.sigmoid(), cells)
    assert_close(alone, 0.4 * gap)
    assert_close(weighted, plain + 0.4 * gap)


@pytest.mark.parametrize("alpha", [0, 0.7])
def test_the_controller_adds_its_term_once_and_sees_each_step_once(alpha):
    subject = make_subject()
    X, cells = make_batch()
    controller, twin = make_controller(), make_controller()
    with_controller = make_penalty(subject, alpha=alpha, controller=controller)
    without = make_penalty(subject, alpha=alpha)
    for step in range(3):
        value, logits, _ = apply(with_controller, X, cells, step, step / 3)
        plain, _, _ = apply(without, X, cells, step, step / 3)
        assert_close(value, plain + twin.penalty(Outcome(logits, cells), step / 3))
    assert_close(controller.state_dict(), twin.state_dict())


def test_the_penalty_reaches_the_weights_before_the_selected_neurons():
    subject = make_subject()
    penalty = make_penalty(subject, top_k=1)
    X, cells = make_batch()
    value, _, _ = apply(penalty, X, cells)
    value.backward()
    net = subject.module
    only = penalty.selected["4"].item()
    assert net[3].weight.grad[only].any()
    others = [m for m in range(5) if m != only]
    assert not net[3].weight.grad[others].any()
    assert net[0].weight.grad.any()
    assert net[5].weight.grad is None


@pytest.mark.parametrize("training", [True, False])
def test_ablation_leaves_mode_batch_statistics_and_hooks_alone(training):
    subject = make_subject()
    net = subject.module.train(training)
    penalty = make_penalty(subject, importance="ablation")
    X, cells = make_batch()
    with record_activations(net, penalty.layers) as activations:
        logits = net(X)
    before = {name: value.clone() for name, value in net.state_dict().items()}

    penalty(X, Outcome(logits, cells), activations, 0, 0.0)

    assert_close(dict(net.state_dict()), before)
    assert all(module.training is training for module in net.modules())
    assert not any(module._forward_hooks for module in net.modules())


def test_ablation_selects_what_silencing_changes_most():
    """Weights out of neuron 1 alone differ from zero."""
    subject = make_subject()
    with torch.no_grad():
        subject.module[5].weight.copy_(torch.tensor([[0.0, 2.0, 0.0, 0.0, 0.0]]))
        subject.module[3].bias.fill_(3.0)
    penalty = make_penalty(subject, importance="ablation", top_k=1)
    X, cells = make_batch()
    apply(penalty, X, cells)
    assert penalty.selected["4"].tolist() == [1]


def test_a_users_gap_is_diagnosed_and_weighed():
    def squared_gap(y_true, y_score, groups):
        return (y_score[groups == 0].mean() - y_score[groups == 1].mean()) ** 2

    subject = make_subject(squared_gap)
    X, cells = make_batch()
    alone, logits, _ = apply(
        make_penalty(subject, alpha=0, output_weight=2.0), X, cells
    )
    assert_close(
        alone, 2 * squared_gap(cells.labels, logits.sigmoid()[:, 0], cells.groups)
    )
    both, _, _ = apply(make_penalty(subject, output_weight=2.0), X, cells)
    assert both > alone


@pytest.mark.parametrize("distance", ["l2", "standardized", "wasserstein", "mmd"])
def test_any_distance_can_be_penalised(distance):
    subject = make_subject("equalized_odds", distance)
    penalty = make_penalty(subject, alpha=1.0, top_k=1.0)
    X, cells = make_batch()
    value, _, activations = apply(penalty, X, cells)
    pools = subject.constraint.activation_pools(2)
    expected = sum(
        subject.distance(activations[layer.name], cells, pools).mean()
        for layer in subject.layers
    )
    assert_close(value, expected)
    value.backward()
    assert subject.module[0].weight.grad.isfinite().all()


def test_a_batch_of_one_group_has_a_penalty_of_zero_and_finite_gradients():
    subject = make_subject("equalized_odds")
    X, cells = make_batch()
    alone = Cells(cells.labels, torch.zeros_like(cells.groups), 2, 2)
    penalty = make_penalty(subject, output_weight=1.0, controller=make_controller())
    value, _, _ = apply(penalty, X, alone)
    value.backward()
    assert value == 0
    for parameter in subject.module.parameters():
        assert parameter.grad is None or not parameter.grad.any()


def test_a_partly_frozen_module_is_repaired_where_it_is_not_frozen():
    subject = make_subject()
    subject.module[0].requires_grad_(False)
    subject.module[1].requires_grad_(False)
    X, cells = make_batch()
    value, _, _ = apply(make_penalty(subject), X, cells)
    value.backward()
    assert subject.module[3].weight.grad.any()
    assert subject.module[0].weight.grad is None


def test_a_frozen_module_is_refused_with_the_number_of_its_parameters():
    subject = make_subject()
    subject.module.requires_grad_(False)
    with pytest.raises(ValueError, match=r"all 8 of them are frozen: call requires_gr"):
        make_penalty(subject)
