"""Folds that hold every group and label in the proportions of the whole."""

import warnings

import numpy as np
from sklearn.model_selection import StratifiedKFold, check_cv

from skfair_runner.groups import cell_counts
from skfair_runner.utils import SkfairRunnerWarning


def make_folds(X, label_codes, classes, groups, cv, random_state):
    """Training and test rows of every fold.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
        Handed to the splitter.

    label_codes : ndarray of shape (n_samples,)
        Code of each sample's label among `classes`.

    classes : ndarray of shape (n_classes,)
        Labels.

    groups : Groups
        Group of each sample.

    cv : int, splitter or iterable of (train, test)
        An int is a number of shuffled folds, stratified over label × group.

    random_state : int or None
        Seed of the shuffling.

    Returns
    -------
    folds : list of (train, test)
        Row numbers.

    Raises
    ------
    ValueError
        If a number of folds is below 2 or above the size of the smallest group.

    Warns
    -----
    SkfairRunnerWarning
        If a group has fewer samples of a label than there are folds.
    """
    cells = label_codes * groups.n_groups + groups.codes
    if not isinstance(cv, int | np.integer) or isinstance(cv, bool):
        return list(check_cv(cv).split(X, cells))
    if cv < 2:
        raise ValueError(f"compare_classifiers: cv must be at least 2 folds, got {cv}.")
    counts = cell_counts(label_codes, groups.codes, len(classes), groups.n_groups)
    sizes = counts.sum(axis=0)
    if sizes.min() < cv:
        name = groups.labels[int(sizes.argmin())]
        raise ValueError(
            f"compare_classifiers: group {name!r} has {sizes.min()} of {len(cells)} "
            f"samples, too few for cv={cv} folds. Merge it with another group, leave "
            "its samples out, or pass fewer folds."
        )
    _warn_of_small_cells(counts, classes, groups, cv)
    # What is too small for its own stratum joins the others of its group.
    small = counts[label_codes, groups.codes] < cv
    cells = np.where(small, -1 - groups.codes, cells)
    strata, codes, sizes = np.unique(cells, return_inverse=True, return_counts=True)
    codes[(sizes < cv)[codes]] = sizes.argmax()
    splitter = StratifiedKFold(cv, shuffle=True, random_state=random_state)
    return list(splitter.split(np.zeros(len(codes)), codes))


def _warn_of_small_cells(counts, classes, groups, n_folds):
    small = np.argwhere(counts < n_folds)
    if len(small):
        cells = [
            f"group {groups.labels[group]!r} has {counts[label, group]} with label "
            f"{classes[label]!s}"
            for label, group in small[:3].tolist()
        ]
        more = f" and {len(small) - 3} more" if len(small) > 3 else ""
        warnings.warn(
            f"Some of the {n_folds} folds lack a label of a group: {'; '.join(cells)}"
            f"{more}. Its rates are then 0 or missing: merge groups, or use fewer "
            "folds.",
            SkfairRunnerWarning,
            stacklevel=4,
        )
