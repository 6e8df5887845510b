"""Checks of the sizes of networks for images."""

import numpy as np
import pytest

from skfair_runner.modules._checks import check_dropout, check_sizes


def test_good_values_pass():
    check_sizes({"width": 1, "n_outputs": np.int64(3)})
    check_dropout(0)


@pytest.mark.parametrize("size", [0, -1, 2.0, None, "3"])
def test_a_size_is_a_positive_integer(size):
    with pytest.raises(ValueError, match=f"`width` is an integer .* got {size!r}"):
        check_sizes({"width": size})


@pytest.mark.parametrize("dropout", [-0.1, 1, None])
def test_a_dropout_is_a_probability_below_one(dropout):
    with pytest.raises(ValueError, match=rf"`dropout` .* got {dropout!r}"):
        check_dropout(dropout)
