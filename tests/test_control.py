import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from skfair_runner.cells import Cells
from skfair_runner.control import (
    OutputController,
)
from skfair_runner.gaps import CONSTRAINTS
from skfair_runner.multipliers import MULTIPLIER_LIMIT, make_rate_controller
from skfair_runner.relaxations import Outcome, decisions, sharpened_scores

PARITY = CONSTRAINTS["demographic_parity"].conditions(2)
ODDS = CONSTRAINTS["equalized_odds"].conditions(2)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def make_controller(
    conditions=PARITY, n_groups=2, bound=0.05, rate=0.5, sharpness=(1.0, 5.0), **kwargs
):
    rates = torch.as_tensor(rate, dtype=torch.float).reshape(-1)
    part = make_rate_controller(conditions, n_groups, len(rates), bound, **kwargs)
    return OutputController({"one": part}, rates, sharpness=sharpness)


def make_cells(labels, groups, weights=None, n_labels=2, n_groups=None):
    labels, groups = torch.tensor(labels), torch.tensor(groups)
    n_groups = n_groups or int(groups.max()) + 1
    weights = None if weights is None else torch.tensor(weights)
    return Cells(labels, groups, n_labels, n_groups, weights)


def column(*logits):
    return torch.tensor(logits)[:, None].requires_grad_()


def test_two_steps_of_the_multiplier_by_hand():
    """Bound 0.05, gain 0.02, memory 0.9.

    Step 1: rates 1 and 0, x = 0.95, I = 0.019, c = 0.969. Step 2: of group 0, 0.9 · 2
    + 1 selected out of 0.9 · 2 + 2, so that the rates are 14/19 and 0.
    """
    controller = make_controller(gain=0.02, memory=0.9, sharpness=(3.0, 3.0))
    cells = make_cells([0, 0, 0, 0], [0, 0, 1, 1])

    controller.penalty(Outcome(column(1.0, 2.0, -1.0, -2.0), cells), 0.0)
    assert controller.multipliers.item() == pytest.approx(0.969)

    logits = column(1.0, -2.0, -1.0, -2.0)
    penalty = controller.penalty(Outcome(logits, cells), 0.5)
    excess = 14 / 19 - 0.05
    multiplier = 0.019 + 0.02 * excess + excess
    assert controller.multipliers.item() == pytest.approx(multiplier)

    q = [4 / 3 / (1 + math.exp(-3 * o)) for o in (1.0, -2.0, -1.0, -2.0)]
    by_hand = multiplier * ((q[0] + q[1]) / 2 - (q[2] + q[3]) / 2)
    assert penalty.item() == pytest.approx(by_hand, rel=1e-5)
    penalty.backward()
    assert (logits.grad[:2] > 0).all()
    assert (logits.grad[2:] < 0).all()


def test_the_sharpness_rises_from_its_first_to_its_last_value():
    logits = column(0.7, 0.3, -0.3, -0.7)
    cells = make_cells([0] * 4, [0, 0, 1, 1])

    def sharpness_at(progress):
        """s of Σ multiplier · difference of 4/s σ(s o), found among candidates."""
        penalty = make_controller(gain=0.0, bound=0.0, sharpness=(1, 5)).penalty(
            Outcome(logits, cells), progress
        )
        candidates = torch.linspace(0.9, 5.1, 421)
        terms = [
            sharpened_scores(logits, s)[:2].mean()
            - sharpened_scores(logits, s)[2:].mean()
            for s in candidates.tolist()
        ]
        nearest = (torch.stack(terms) - penalty).abs().argmin()
        return candidates[nearest].item()

    found = [sharpness_at(progress) for progress in (0.0, 0.2, 0.4, 1.0)]
    assert found[0] == pytest.approx(1, abs=0.02)
    assert found[-1] == pytest.approx(5, abs=0.02)
    assert found[0] < found[1] < found[2] <= found[3]


class Recipe:
    """The controller in plain floats, as its inventors' notes state it.

    Rates of cells are pooled counts with forgetting; group g is compared with group 1
    for two groups, and with everybody for more, within half of the bound.
    """

    def __init__(self, n_groups, bound, gain, memory, selection_rate):
        self.n_groups, self.gain, self.memory = n_groups, gain, memory
        self.bound = bound if n_groups == 2 else bound / 2
        self.selected, self.counts = [0.0] * n_groups, [0.0] * n_groups
        self.integrals = [0.0] * (1 if n_groups == 2 else n_groups)
        self.initial = self.average = selection_rate
        self.guard_integral = 0.0

    def step(self, hard, groups, weights):
        for g in range(self.n_groups):
            rows = [i for i, group in enumerate(groups) if group == g]
            total = sum(weights[i] * hard[i] for i in rows)
            self.selected[g] = self.memory * self.selected[g] + total
            count = sum(weights[i] for i in rows)
            self.counts[g] = self.memory * self.counts[g] + count
        rates = [s / n for s, n in zip(self.selected, self.counts, strict=True)]
        if self.n_groups == 2:
            differences = [rates[0] - rates[1]]
        else:
            overall = sum(self.selected) / sum(self.counts)
            differences = [rate - overall for rate in rates]
        self.multipliers = []
        for j, h in enumerate(differences):
            x = math.copysign(max(abs(h) - self.bound, 0), h)
            integral = self.integrals[j]
            if abs(h) > self.bound:
                integral = clip(integral + self.gain * x)
            else:
                shrink = self.gain * (self.bound - abs(h))
                integral = math.copysign(max(abs(integral) - shrink, 0), integral)
            self.integrals[j] = integral
            self.multipliers.append(clip(integral + x))
        self.guard = self.guard_step(hard, weights)

    def guard_step(self, hard, weights):
        share = sum(w * h for w, h in zip(weights, hard, strict=True)) / sum(weights)
        self.average = 0.97 * self.average + 0.03 * share
        tolerance = 0.5 * min(self.initial, 1 - self.initial)
        drift = self.average - self.initial
        x = math.copysign(max(abs(drift) - tolerance, 0), drift)
        if x:
            self.guard_integral = clip(self.guard_integral + 2 * self.gain * x)
        else:
            self.guard_integral *= 0.99
        return clip(self.guard_integral + 2 * x)


def clip(value):
    return max(-1.5, min(1.5, value))


@pytest.mark.parametrize("n_groups", [2, 3, 5])
@pytest.mark.parametrize("weighted", [False, True])
def test_many_steps_follow_the_recipe(n_groups, weighted):
    """Three stretches: group 0 preferred, then nobody selected, then group 1."""
    bound, gain, memory = 0.08, 0.2, 0.8
    recipe = Recipe(n_groups, bound, gain, memory, 0.4)
    controller = make_controller(
        PARITY, n_groups, bound, 0.4, gain=gain, memory=memory, sharpness=(1, 5)
    )
    groups = torch.arange(60) % n_groups
    shifts = [2.0 * (groups == 0), -9.0 * torch.ones(60), 3.0 * (groups == 1)]
    seen = set()
    for step in range(180):
        logits = (torch.randn(60) + shifts[step // 60])[:, None]
        weights = torch.rand(60) + 0.1 if weighted else torch.ones(60)
        cells = Cells(torch.zeros_like(groups), groups, 2, n_groups, weights)

        controller.penalty(Outcome(logits, cells), step / 180)
        hard = (logits[:, 0] > 0).double().tolist()
        recipe.step(hard, groups.tolist(), weights.tolist())

        found = controller.multipliers[0].tolist()
        assert found == pytest.approx(recipe.multipliers, abs=1e-4)
        assert controller.guard.item() == pytest.approx(recipe.guard, abs=1e-4)
        seen |= {sign(c) for c in found}
    assert {-1, 1} <= seen
    assert recipe.guard_integral != 0


def sign(value):
    return (value > 0) - (value < 0)


@pytest.mark.parametrize("n_groups", [2, 3, 5])
@pytest.mark.parametrize("conditions", [PARITY, ODDS], ids=["parity", "odds"])
def test_the_penalty_is_multipliers_times_relaxed_differences(n_groups, conditions):
    """Also its gradient; the last cell is empty, so it is not compared."""
    n = 80
    labels, groups = torch.arange(n) % 2, torch.arange(n) // 2 % n_groups
    kept = (labels == 0) | (groups < n_groups - 1)
    labels, groups = labels[kept], groups[kept]
    weights = torch.rand(len(labels), dtype=torch.double) + 0.1
    cells = Cells(labels, groups, 2, n_groups, weights)
    controller = make_controller(conditions, n_groups, 0.0, gain=0.5)
    logits = torch.randn(len(labels), 1, dtype=torch.double) + groups[:, None]
    logits.requires_grad_()

    penalty = controller.penalty(Outcome(logits, cells), 1.0)

    q = 4 / 5 * (5 * logits[:, 0]).sigmoid()
    expected = (controller.guard.double() * (weights * q).sum() / weights.sum()).sum()
    for pool, multipliers in zip(
        conditions.pools, controller.multipliers.double(), strict=True
    ):
        inside = pool[labels] > 0
        w = weights * inside
        means = {
            g: (w * q)[groups == g].sum() / w[groups == g].sum()
            for g in range(n_groups)
            if w[groups == g].sum() > 0
        }
        overall = (w * q).sum() / w.sum()
        if n_groups == 2:
            if len(means) == 2:
                expected = expected + multipliers[0] * (means[0] - means[1])
            continue
        for g, mean in means.items():
            expected = expected + multipliers[g] * (mean - overall)
    assert_close(penalty.double(), expected.detach(), atol=1e-5, rtol=1e-5)
    (found,) = torch.autograd.grad(penalty, logits)
    (slope,) = torch.autograd.grad(expected, logits)
    assert_close(found, slope, atol=1e-6, rtol=1e-4)


def test_each_of_several_groups_is_held_near_the_overall_rate_within_half_the_bound():
    """Rates 1, ½ and 0 about the overall ½; half of the bound 0.2 is 0.1."""
    controller = make_controller(PARITY, 3, 0.2, gain=0.0)
    cells = make_cells([0] * 6, [0, 0, 1, 1, 2, 2])
    controller.penalty(Outcome(column(1.0, 1.0, 1.0, -1.0, -1.0, -1.0), cells), 0.0)
    assert controller.multipliers[0].tolist() == pytest.approx([0.4, 0.0, -0.4])


def test_the_integral_shrinks_inside_the_bound_and_stops_at_zero():
    controller = make_controller(gain=0.1, memory=0.0, bound=0.5)
    cells = make_cells([0] * 4, [0, 0, 1, 1])
    apart, equal = column(1.0, 1.0, -1.0, -1.0), column(1.0, -1.0, 1.0, -1.0)
    for _ in range(4):
        controller.penalty(Outcome(apart, cells), 0.0)
    assert controller.multipliers.item() == pytest.approx(4 * 0.1 * 0.5 + 0.5)
    left = []
    for _ in range(6):
        controller.penalty(Outcome(equal, cells), 0.0)
        left.append(controller.multipliers.item())
    assert left == pytest.approx([0.15, 0.10, 0.05, 0, 0, 0], abs=1e-6)


def test_multipliers_are_clipped_and_wind_down_at_once():
    controller = make_controller(gain=1.0, memory=0.0, bound=0.0)
    cells = make_cells([0] * 4, [0, 0, 1, 1])
    for _ in range(20):
        controller.penalty(Outcome(column(1.0, 1.0, -1.0, -1.0), cells), 0.0)
    assert controller.multipliers.item() == MULTIPLIER_LIMIT == 1.5
    controller.penalty(Outcome(column(-1.0, -1.0, 1.0, 1.0), cells), 0.0)
    assert controller.multipliers.item() == pytest.approx(0.5 - 1)


@pytest.mark.parametrize("preferred", [0, 1])
def test_the_multipliers_sign_pushes_the_preferred_group_down(preferred):
    controller = make_controller()
    logits = torch.full((4, 1), -1.0)
    logits[2 * preferred : 2 * preferred + 2] = 1.0
    logits.requires_grad_()
    penalty = controller.penalty(
        Outcome(logits, make_cells([0] * 4, [0, 0, 1, 1])), 0.0
    )
    assert controller.multipliers.sign().item() == 1 - 2 * preferred
    penalty.backward()
    up = logits.grad[:, 0].reshape(2, 2)[preferred]
    assert (up > 0).all()


@pytest.mark.parametrize(("rate", "share"), [(0.4, 0.5), (0.9, 0.9), (0.1, 0.125)])
def test_the_guard_is_idle_while_the_selection_rate_stays_near(rate, share):
    controller = make_controller(rate=rate)
    n = 40
    logits = torch.full((n, 1), -1.0)
    logits[: round(share * n / 2)] = 1.0
    logits[n // 2 : n // 2 + round(share * n / 2)] = 1.0
    cells = Cells(torch.zeros(n).long(), torch.arange(n) // (n // 2), 2, 2)
    for _ in range(300):
        controller.penalty(Outcome(logits, cells), 0.0)
    assert controller.guard.item() == 0


@pytest.mark.parametrize(("constant", "direction"), [(1.0, 1), (-1.0, -1)])
def test_the_guard_pushes_back_from_a_constant_classifier(constant, direction):
    controller = make_controller(rate=0.3)
    cells = make_cells([0] * 4, [0, 0, 1, 1])
    for _ in range(300):
        logits = torch.full((4, 1), constant, requires_grad=True)
        penalty = controller.penalty(Outcome(logits, cells), 0.0)
    assert controller.guard.sign().item() == direction
    assert controller.guard.abs().item() <= 1.5
    penalty.backward()
    # A positive gradient makes descent lower the logits.
    assert (logits.grad.sign() == direction).all()
    grown = controller.guard.item()
    for _ in range(600):
        controller.penalty(Outcome(column(1.0, -1.0, -1.0, -1.0), cells), 0.0)
    assert abs(controller.guard.item()) < 0.1 * abs(grown)


@pytest.mark.parametrize("n_groups", [2, 3])
def test_an_empty_cell_adds_nothing_while_its_multiplier_stays(n_groups):
    """Positives of the last group came in the first batch only."""
    controller = make_controller(ODDS, n_groups, 0.0, gain=0.1, memory=0.5)
    labels, groups = [0, 1] * n_groups, [g for g in range(n_groups) for _ in (0, 1)]
    first = column(*[1.0 if g == 0 else -1.0 for g in groups])
    controller.penalty(Outcome(first, make_cells(labels, groups)), 0.0)

    later = column(*[1.0 if g == 0 else -1.0 for g in groups[:-1]])
    cells = make_cells(labels[:-1], groups[:-1], n_groups=n_groups)
    penalty = controller.penalty(Outcome(later, cells), 0.0)

    assert penalty.isfinite()
    assert controller.multipliers[1].abs().max() > 0.1
    penalty.backward()
    among_positives = later.grad[1::2, 0]
    if n_groups == 2:
        assert not among_positives.any()
    else:
        assert among_positives.any()


def test_one_group_in_the_first_batch_moves_nothing():
    controller = make_controller(n_groups=2)
    cells = make_cells([0, 0], [0, 0], n_groups=2)
    logits = column(1.0, 2.0)
    penalty = controller.penalty(Outcome(logits, cells), 0.0)
    assert not controller.multipliers.any()
    assert penalty.item() == 0


def test_rates_are_compared_within_each_label():
    """Equal rates overall; apart by 1 among negatives and by -1 among positives."""
    controller = make_controller(ODDS, bound=0.0, gain=0.0)
    labels, groups = [0, 1, 0, 1], [0, 0, 1, 1]
    controller.penalty(
        Outcome(column(1.0, -1.0, -1.0, 1.0), make_cells(labels, groups)), 0.0
    )
    assert controller.multipliers.tolist() == [[1.0], [-1.0]]
    parity = make_controller(bound=0.0, gain=0.0)
    parity.penalty(
        Outcome(column(1.0, -1.0, -1.0, 1.0), make_cells(labels, groups)), 0.0
    )
    assert parity.multipliers.tolist() == [[0.0]]


def test_each_class_of_several_has_a_multiplier_of_its_own():
    """Group 0 gets classes 0 and 1, group 1 gets class 2."""
    conditions = CONSTRAINTS["demographic_parity"].conditions(3)
    controller = make_controller(conditions, 2, 0.0, [1 / 3] * 3, gain=0.0)
    logits = torch.eye(3)[[0, 1, 2, 2]].requires_grad_()
    cells = make_cells([0, 1, 2, 2], [0, 0, 1, 1], n_labels=3)
    penalty = controller.penalty(Outcome(logits, cells), 0.0)
    assert controller.multipliers[:, 0].tolist() == [0.5, 0.5, -1.0]
    q = 4 * logits.softmax(1)
    by_hand = sum(
        c * (q[:2, k].mean() - q[2:, k].mean()) for k, c in enumerate([0.5, 0.5, -1.0])
    )
    assert_close(penalty, by_hand)


def test_observing_needs_no_gradient_and_the_multipliers_carry_none():
    controller = make_controller()
    logits = column(1.0, 1.0, -1.0, -1.0)
    controller.penalty(
        Outcome(logits, make_cells([0] * 4, [0, 0, 1, 1])), 0.0
    ).backward()
    assert not controller.multipliers.requires_grad
    assert not any(value.requires_grad for value in controller.state_dict().values())


@pytest.mark.parametrize("n_groups", [2, 4])
def test_a_controller_continues_identically_from_its_state(n_groups):
    groups = torch.arange(40) % n_groups
    labels = torch.arange(40) // n_groups % 2
    cells = Cells(labels, groups, 2, n_groups)
    batches = [2 * torch.randn(40, 1) + groups[:, None] - 3 for _ in range(60)]
    first, second = (
        make_controller(ODDS, n_groups, rate=rate, gain=0.1) for rate in (0.9, 0.2)
    )
    for logits in batches[:30]:
        first.penalty(Outcome(logits, cells), 0.0)
    state = first.state_dict()
    second.load_state_dict(state)
    for logits in batches[30:]:
        expected = first.penalty(Outcome(logits, cells), 0.5)
        assert_close(second.penalty(Outcome(logits, cells), 0.5), expected)
    assert_close(second.multipliers, first.multipliers)
    assert_close(second.guard, first.guard)
    # What was handed out did not go on with the controller.
    assert not torch.equal(state["multipliers"], first.multipliers)


def make_unequal_problem(n_groups, n=2000):
    """Features, labels and cells; merit and one feature depend on the group."""
    groups = torch.arange(n) % n_groups
    merit = torch.randn(n)
    X = torch.stack([merit + 1.2 * groups, groups + 0.7 * torch.randn(n)], 1)
    labels = (merit + 0.8 * groups + torch.randn(n) > 0.5).long()
    return X, labels, Cells(labels, groups, 2, n_groups)


def train(net, X, labels, cells, steps, controller=None):
    """Full-batch steps of falling size; returns the decisions at the end."""
    optimizer = torch.optim.Adam(net.parameters())
    criterion = nn.BCEWithLogitsLoss()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.02 * (1 - step / steps)
        logits = net(X)
        loss = criterion(logits[:, 0], labels.float())
        if controller is not None:
            loss = loss + controller.penalty(Outcome(logits, cells), step / steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return decisions(net(X).detach())


@pytest.mark.parametrize("name", ["demographic_parity", "equalized_odds"])
@pytest.mark.parametrize(("n_groups", "bound"), [(2, 0.0), (2, 0.1), (3, 0.1)])
def test_a_constrained_net_ends_near_the_bound(name, n_groups, bound):
    constraint = CONSTRAINTS[name]
    X, labels, cells = make_unequal_problem(n_groups)
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))

    plain = train(net, X, labels, cells, 100)
    controller = make_controller(
        constraint.conditions(2), n_groups, bound, plain.mean(), gain=0.05
    )
    held = train(net, X, labels, cells, 400, controller)

    before, after = (
        constraint.gap(hard, cells, reduction="largest").item()
        for hard in (plain, held)
    )
    assert before > bound + 0.2
    assert after == pytest.approx(bound, abs=0.05)
    assert 0.3 < held.mean() < 0.8


def make_part(name, n_groups, bound, memory=0.9, n_labels=2):
    conditions = CONSTRAINTS[name].conditions(n_labels)
    n_columns = 1 if n_labels == 2 else n_labels
    return make_rate_controller(
        conditions, n_groups, n_columns, bound, gain=0.1, memory=memory
    )


@pytest.mark.parametrize(("n_labels", "n_groups"), [(2, 2), (2, 3), (3, 3)])
def test_several_controllers_do_what_each_does_and_their_terms_add_up(
    n_labels, n_groups
):
    """Selection rates that the guard lets pass, so that it adds nothing."""
    rates = torch.full((1 if n_labels == 2 else n_labels,), 0.5)
    told = {
        "demographic_parity": {"bound": 0.02, "memory": 0.5},
        "true_positive_rate_parity": {"bound": 0.1, "memory": 0.9},
    }

    def parts():
        return {
            name: make_part(name, n_groups, n_labels=n_labels, **settings)
            for name, settings in told.items()
        }

    together = OutputController(parts(), rates)
    alone = [OutputController({name: part}, rates) for name, part in parts().items()]
    for step in range(5):
        labels, groups = torch.randint(n_labels, (90,)), torch.randint(n_groups, (90,))
        cells = Cells(labels, groups, n_labels, n_groups)
        logits = torch.randn(90, len(rates)) + groups[:, None]
        each = [
            controller.penalty(Outcome(logits, cells), step / 5) for controller in alone
        ]
        assert_close(together.penalty(Outcome(logits, cells), step / 5), sum(each))
    assert_close(together.multipliers, torch.cat([c.multipliers for c in alone]))
    assert (together.multipliers != 0).any(1).sum() > 1


def test_the_state_of_several_controllers_goes_on_where_it_stood():
    def make():
        parts = {name: make_part(name, 2, 0.0) for name in CONSTRAINTS}
        return OutputController(parts, torch.tensor([0.1]))

    first, second = make(), make()
    cells = make_cells([0, 0, 1, 1], [0, 1, 0, 1])
    first.penalty(Outcome(column(1.0, -1.0, 1.0, -1.0), cells), 0.0)
    second.load_state_dict(first.state_dict())
    logits = column(-1.0, 1.0, 1.0, 1.0)
    assert_close(
        second.penalty(Outcome(logits, cells), 0.5),
        first.penalty(Outcome(logits, cells), 0.5),
    )
    assert_close(second.state_dict(), first.state_dict())
    assert second.multipliers.any()


def test_a_multiplier_tells_that_it_cannot_grow():
    part = make_part("demographic_parity", 2, 0.0)
    assert not part.at_limit
    for _ in range(30):
        part.observe(np.array([[[2.0], [0.0]], [[2.0], [0.0]]]), np.full((2, 2), 2.0))
    assert part.at_limit
    assert abs(part.multipliers.item()) == MULTIPLIER_LIMIT
