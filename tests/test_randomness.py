import numpy as np
import pytest
import torch

from skfair_runner._randomness import draw_seed, own_randomness


def test_seeds_fit_into_31_bits():
    assert draw_seed(5) == 5
    assert draw_seed(np.int64(2**32 - 1)) == 2**31 - 1
    first = np.random.RandomState(0)
    assert draw_seed(first) == draw_seed(np.random.RandomState(0))
    assert draw_seed(first) != draw_seed(np.random.RandomState(0))
    assert draw_seed(None) != draw_seed(None)


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_own_randomness_is_seeded_and_gives_the_state_back(error):
    before = torch.get_rng_state()
    drawn = []
    for _ in range(2):
        try:
            with own_randomness(3, "cpu"):
                drawn.append(torch.rand(3))
                if error:
                    raise error
        except (ValueError, KeyboardInterrupt):
            assert error
        assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(*drawn)
