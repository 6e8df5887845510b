"""How many candidates of a search get how much: the rungs of successive halving."""

from typing import NamedTuple

# A front of fewer points would be none.
_FINALISTS = 5


class Rung(NamedTuple):
    """One round of a search.

    Attributes
    ----------
    n_candidates : int
        How many candidates are tried.

    n_resources : int
        What each may use.
    """

    n_candidates: int
    n_resources: int


def plan_rungs(n_candidates, factor, min_resources, max_resources, least=1):
    """Rungs from many candidates with few resources to few with all of them.

    Parameters
    ----------
    n_candidates : int
        Candidates of the first rung.

    factor : int
        By what the candidates are divided from rung to rung, and the resources
        multiplied, at least 2.

    min_resources : int or None
        Resources of the first rung. None takes as many rungs as leave five candidates,
        or all where there are fewer, for the last.

    max_resources : int
        Resources of the last rung.

    least : int, default=1
        The fewest resources that make sense, where `min_resources` is None.

    Returns
    -------
    rungs : list of Rung
        The last one has `max_resources`, and at least five candidates, or all.

    Examples
    --------
    >>> [tuple(rung) for rung in plan_rungs(45, 3, None, 30)]
    [(45, 3), (15, 10), (5, 30)]
    >>> [tuple(rung) for rung in plan_rungs(45, 3, 5, 30)]
    [(45, 5), (15, 30)]
    """
    most = 1
    while -(-n_candidates // factor**most) >= min(_FINALISTS, n_candidates) > 1:
        most += 1
    if min_resources is None:
        while most > 1 and max_resources // factor ** (most - 1) < least:
            most -= 1
        resources = [max_resources // factor**k for k in reversed(range(most))]
    else:
        resources = [min_resources * factor**k for k in range(most)]
        # The last rung takes all there is, whatever the factor.
        below = [each for each in resources if each * factor <= max_resources]
        resources = [*below[: most - 1], max_resources]
    return [
        Rung(-(-n_candidates // factor**number), n_resources)
        for number, n_resources in enumerate(resources)
    ]
