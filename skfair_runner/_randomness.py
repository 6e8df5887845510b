"""Seeds, and randomness that leaves the global state as it was."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import torch


def draw_seed(random_state) -> int:
    """An integer seed out of scikit-learn's `random_state`.

    Parameters
    ----------
    random_state : int, RandomState or None
        None draws fresh entropy and leaves NumPy's global state alone.

    Returns
    -------
    seed : int
        In [0, 2**31).

    Examples
    --------
    >>> draw_seed(7)
    7
    """
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return int(random_state) % 2**31


@contextmanager
def own_randomness(seed: int, device):
    """Seed torch while the block runs, and give its state back as it was.

    Parameters
    ----------
    seed : int
        Seed of the generators.

    device : str or torch.device
        Where training runs.
    """
    device = torch.device(device)
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.random.default_generator.manual_seed(seed)
        if devices:
            torch.cuda.manual_seed(seed)
        yield
