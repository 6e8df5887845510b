"""Normalisation of the channels of images."""

import pytest
import torch

from skfair_runner.modules import Normalize


def test_channels_by_hand():
    x = torch.tensor([0.5, 0.25]).reshape(1, 2, 1, 1).expand(3, 2, 4, 4)
    out = Normalize(mean=[0.25, 0.25], std=[0.5, 0.1])(x)
    assert out.shape == x.shape
    assert out[:, 0].unique().tolist() == [0.5]
    assert out[:, 1].unique().tolist() == [0.0]


def test_numbers_are_saved_with_the_weights():
    source, copy = Normalize([0.25], [0.5]), Normalize([0.0], [1.0])
    copy.load_state_dict(source.state_dict())
    assert (copy.mean.item(), copy.std.item()) == (0.25, 0.5)


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ([0.5], [1.0, 1.0], r"got \[0.5\] and \[1.0, 1.0\]"),
        ([0.5], [0.0], r"got \[0.5\] and \[0.0\]"),
    ],
)
def test_what_does_not_fit_is_refused(mean, std, message):
    with pytest.raises(ValueError, match=message):
        Normalize(mean, std)
