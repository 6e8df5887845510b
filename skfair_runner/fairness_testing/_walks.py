"""Single steps of many walkers at once."""

from __future__ import annotations

import numpy as np

# A walker that has found nothing new for so many steps goes on from a failure, too,
# with this probability: exp(-1), that of the annealing in the published searches.
_PATIENCE = 20
_WANDERING = 0.37


class Walkers:
    """Rows that move through discriminatory instances, all at once.

    Parameters
    ----------
    codes : ndarray of int of shape (n_walkers, n_columns)
        Discriminatory rows.

    Attributes
    ----------
    home : ndarray of shape (n_walkers, n_columns), dtype int64
        The last discriminatory row of each walker.

    where : ndarray of shape (n_walkers, n_columns), dtype int64
        Where each is: at home, or on an excursion.
    """

    def __init__(self, codes):
        self.home, self.where = codes.copy(), codes.copy()
        self._idle = np.zeros(len(codes))

    def move(self, ledger, positions, directions, rng):
        """Change one column of each walker's row, and see what comes out.

        A walker stays where it got to if that is discriminatory, and else goes home. If
        it has found nothing new for a while, it may also go on from there.

        Parameters
        ----------
        ledger : Ledger
            Tries the rows.

        positions, directions : ndarray of int of shape (n_walkers,)
            See :func:`take_steps`.

        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        answers : Answers
            About the rows that were reached.
        """
        stepped = take_steps(ledger.space, self.where, positions, directions, rng)
        answers = ledger.examine(stepped)
        success = answers.discriminatory
        self.home[success] = stepped[success]
        self._idle = np.where(success & answers.new, 0, self._idle + 1)
        wanders = (self._idle > _PATIENCE) & (
            rng.uniform(size=len(success)) < _WANDERING
        )
        stays = (success | wanders)[:, None]
        self.where = np.where(stays, stepped, self.home)
        return answers


def pick_columns(weights, rng) -> np.ndarray:
    """One column for each walker.

    Parameters
    ----------
    weights : ndarray of shape (n_walkers, n_columns)
        Proportional to the probability of each column; not negative, and positive
        somewhere in each row.

    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    positions : ndarray of shape (n_walkers,), dtype int64
        Columns.
    """
    reached = np.cumsum(weights, axis=1)
    draws = rng.uniform(size=(len(weights), 1)) * reached[:, -1:]
    return np.minimum((reached <= draws).sum(axis=1), weights.shape[1] - 1)


def take_steps(space, codes, positions, directions, rng) -> np.ndarray:
    """Every walker's row with one column changed.

    Parameters
    ----------
    space : Space
        The box.

    codes : ndarray of int of shape (n_walkers, n_columns)
        Where the walkers are.

    positions : ndarray of int of shape (n_walkers,)
        The column that each changes.

    directions : ndarray of int of shape (n_walkers,)
        +1 or −1 for an ordered column; turned round at an end. Categories, which have
        no direction, take any other level.

    rng : numpy.random.Generator
        Draws the levels.

    Returns
    -------
    stepped : ndarray of shape (n_walkers, n_columns), dtype int64
        A walker whose step would break a constraint stays where it is.
    """
    each = np.arange(len(codes))
    here, sizes = codes[each, positions], space.sizes[positions]
    there = here + directions
    there = np.where((there < 0) | (there >= sizes), here - directions, there)
    jumps = 1 + rng.integers(0, np.maximum(sizes - 1, 1))
    there = np.where(space.ordered[positions], there, (here + jumps) % sizes)
    stepped = codes.copy()
    stepped[each, positions] = np.clip(there, 0, sizes - 1)
    kept = space.valid(stepped)
    stepped[~kept] = codes[~kept]
    return stepped


def free_weights(space, weights) -> np.ndarray:
    """Weights with zero for the columns that may not be changed.

    Parameters
    ----------
    space : Space
        The box.

    weights : ndarray of shape (..., n_columns)
        Any weights.

    Returns
    -------
    weights : ndarray of shape (..., n_columns)
        A new array.
    """
    kept = np.zeros_like(weights)
    kept[..., space.free] = weights[..., space.free]
    return kept
