import pytest
import torch
from torch.testing import assert_close

from skfair_runner.relaxations import (
    decisions,
    positive_scores,
    sharpened_scores,
)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0, 8.0, 50.0])
def test_the_slope_at_the_border_is_one_whatever_the_sharpness(sharpness):
    logit = torch.zeros(1, 1, dtype=torch.double, requires_grad=True)
    (slope,) = torch.autograd.grad(sharpened_scores(logit, sharpness).sum(), logit)
    assert slope.item() == pytest.approx(1)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0, 8.0, 50.0])
def test_the_slope_where_two_of_several_classes_tie_is_one(sharpness):
    logits = torch.tensor([[2.0, -1e4, 2.0]], dtype=torch.double, requires_grad=True)
    relaxed = sharpened_scores(logits, sharpness)
    (slope,) = torch.autograd.grad(relaxed[0, 0], logits)
    assert slope[0].tolist() == pytest.approx([1, 0, -1])


@pytest.mark.parametrize("n_columns", [1, 3])
def test_sharpened_scores_lie_between_zero_and_four_over_s(n_columns):
    logits = 50 * torch.randn(200, n_columns)
    for sharpness in (1.0, 4.0, 20.0):
        relaxed = sharpened_scores(logits, sharpness)
        assert (relaxed >= 0).all()
        assert (relaxed <= 4 / sharpness + 1e-6).all()
    assert_close(sharpened_scores(logits, 1.0), 4 * positive_scores(logits))


def test_sharp_scores_tend_to_decisions():
    logits = torch.randn(200, 3)
    sharp = sharpened_scores(logits, 1e4) * 1e4 / 4
    assert_close(sharp, decisions(logits), atol=1e-2, rtol=0)


def test_decisions_are_those_of_the_larger_probability():
    one, three = torch.randn(50, 1), torch.randn(50, 3)
    assert_close(decisions(one)[:, 0], (one[:, 0].sigmoid() > 0.5).float())
    assert_close(decisions(three).argmax(1), three.argmax(1))
    assert_close(decisions(three).sum(1), torch.ones(50))
    assert decisions(torch.zeros(1, 1)).item() == 0
