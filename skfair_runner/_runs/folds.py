"""Folds that hold every group and label in the proportions of the whole."""

import warnings

import numpy as np
from sklearn.model_selection import StratifiedKFold, check_cv, train_test_split

from skfair_runner.groups import cell_counts
from skfair_runner.groups.texts import first_few
from skfair_runner.utils import SkfairRunnerWarning


def draw_seeds(seed, n_seeds):
    """Seeds of the repetitions.

    Parameters
    ----------
    seed : int or None
        The first one; None leaves all to chance.

    n_seeds : int
        How many.

    Returns
    -------
    seeds : list of int or None
        The same ones, and then further ones, where more are asked for.

    Examples
    --------
    >>> draw_seeds(0, 1), draw_seeds(0, 3)[:2] == draw_seeds(0, 2)
    ([0], True)
    """
    if seed is None:
        return [None] * n_seeds
    rng = np.random.default_rng(seed)
    return [seed] + [int(rng.integers(2**31)) for _ in range(n_seeds - 1)]


def read_splitter(cv):
    """Splitter, or a number of folds.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        What the user passed.

    Returns
    -------
    cv : int or splitter
        An iterable is read once, so that every seed gets its splits.
    """
    is_number = isinstance(cv, int | np.integer) and not isinstance(cv, bool)
    return int(cv) if is_number else check_cv(cv)


def make_folds(data, cv, seed):
    """Training and test rows of every fold.

    Parameters
    ----------
    data : Data
        All rows.

    cv : int or splitter
        An int is a number of shuffled folds, stratified over label × group; a splitter
        gets label × group cells for y.

    seed : int or None
        Seed of the shuffling.

    Returns
    -------
    folds : list of (train, test)
        Row numbers.
    """
    if not isinstance(cv, int):
        cells = data.codes * data.groups.n_groups + data.groups.codes
        return [
            (np.asarray(train), np.asarray(test))
            for train, test in cv.split(data.X, cells)
        ]
    strata = _strata(data, np.arange(len(data.codes)), cv)
    splitter = StratifiedKFold(cv, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(strata)), strata))


def split_off(data, rows, size, seed):
    """Two parts of some rows, stratified over label × group.

    Parameters
    ----------
    data : Data
        All rows.

    rows : ndarray of int
        Which to part.

    size : float
        Share of the second part, in (0, 1).

    seed : int or None
        Seed of the shuffling.

    Returns
    -------
    first, second : ndarray of int
        Row numbers.
    """
    strata = _strata(data, rows, int(np.ceil(1 / min(size, 1 - size))))
    return train_test_split(rows, test_size=size, stratify=strata, random_state=seed)


def disjoint_blocks(folds):
    """Gather folds into blocks within which no row is tested twice.

    Parameters
    ----------
    folds : sequence of ndarray of int
        Test rows of each.

    Returns
    -------
    blocks : ndarray of shape (n_folds,)
        Number of the block of each fold, from 0; a fold goes to the first that it fits.

    Examples
    --------
    >>> disjoint_blocks([[0, 1], [2, 3], [1, 3], [0, 2]])
    array([0, 0, 1, 1])
    """
    n_rows = 1 + max((np.max(rows, initial=0) for rows in folds), default=0)
    tested, blocks = [], []
    for rows in folds:
        free = (k for k, seen in enumerate(tested) if not seen[rows].any())
        block = next(free, len(tested))
        if block == len(tested):
            tested.append(np.zeros(n_rows, dtype=bool))
        tested[block][rows] = True
        blocks.append(block)
    return np.array(blocks, dtype=np.int64)


def check_sizes(data, cv, caller):
    """Refuse more folds than a group has samples; warn of small cells.

    Parameters
    ----------
    data : Data
        All rows.

    cv : int or splitter
        A splitter decides for itself.

    caller : str
        Who asks; begins the error messages.

    Raises
    ------
    ValueError
        If a number of folds is below 2 or above the size of the smallest group.

    Warns
    -----
    SkfairRunnerWarning
        If a group has fewer samples of a label than there are folds.
    """
    if not isinstance(cv, int):
        return
    if cv < 2:
        raise ValueError(f"{caller}: cv must be at least 2 folds, got {cv}.")
    counts = cell_counts(
        data.codes, data.groups.codes, len(data.classes), data.groups.n_groups
    )
    sizes = counts.sum(axis=0)
    if sizes.min() < cv:
        name = data.groups.labels[int(sizes.argmin())]
        raise ValueError(
            f"{caller}: group {name!r} has {sizes.min()} of {len(data.codes)} samples, "
            f"too few for cv={cv} folds. Merge it with another group, leave its "
            "samples out, or pass fewer folds."
        )
    small = np.argwhere(counts < cv)
    if len(small):
        cells = [
            f"group {data.groups.labels[group]!r} has {counts[label, group]} with "
            f"label {data.classes[label]!s}"
            for label, group in small.tolist()
        ]
        warnings.warn(
            f"Some of the {cv} folds lack a label of a group: "
            f"{first_few(cells, '; ', most=3)}. Its rates are then 0 or missing: merge "
            "groups, or use fewer folds.",
            SkfairRunnerWarning,
            stacklevel=3,
        )


def _strata(data, rows, least):
    """Label × group cells of some rows, those below a size merged."""
    labels, groups = data.codes[rows], data.groups.codes[rows]
    n_groups = data.groups.n_groups
    counts = cell_counts(labels, groups, len(data.classes), n_groups)
    # What is too small for its own stratum joins the others of its group.
    small = counts[labels, groups] < least
    cells = np.where(small, -1 - groups, labels * n_groups + groups)
    _, codes, sizes = np.unique(cells, return_inverse=True, return_counts=True)
    codes[(sizes < least)[codes]] = sizes.argmax()
    return codes
