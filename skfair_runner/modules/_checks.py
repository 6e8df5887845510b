"""Checks that the networks share."""

from collections.abc import Mapping
from numbers import Integral, Real


def check_sizes(sizes: Mapping[str, int]) -> None:
    """Refuse sizes that are no positive integers.

    Parameters
    ----------
    sizes : mapping of str to int
        By the name of the parameter.

    Raises
    ------
    ValueError
        If one is something else.
    """
    for name, size in sizes.items():
        if not isinstance(size, Integral) or size < 1:
            raise ValueError(f"`{name}` is an integer of at least 1; got {size!r}.")


def check_dropout(dropout: float) -> None:
    """Refuse a probability of silence outside of [0, 1).

    Parameters
    ----------
    dropout : float
        The probability.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if not isinstance(dropout, Real) or not 0 <= dropout < 1:
        raise ValueError(f"`dropout` is a number in [0, 1); got {dropout!r}.")
