"""Checks that there is something to compare: groups, and labels within each."""

from collections.abc import Iterable

import numpy as np

from skfair_runner.groups.encoding import Groups
from skfair_runner.groups.texts import first_few, label_of, plain


def check_at_least_two(groups: Groups, caller: str) -> None:
    """Refuse groups among which nothing can be compared.

    Parameters
    ----------
    groups : Groups
        The groups of the samples.

    caller : str
        Who asks; begins the error message.

    Raises
    ------
    ValueError
        If all samples belong to one group.

    Examples
    --------
    >>> from skfair_runner.groups import check_at_least_two, encode_groups
    >>> check_at_least_two(encode_groups(["a", "a"]), "fit")
    Traceback (most recent call last):
    ...
    ValueError: fit compares groups, but all 2 samples belong to one group, 'a' \
(column: sensitive_features). Pass data with at least two groups.
    """
    present = np.flatnonzero(np.bincount(groups.codes, minlength=groups.n_groups))
    if len(present) < 2:
        label = groups.labels[present[0]] if len(present) else "none"
        raise ValueError(
            f"{caller} compares groups, but all {len(groups.codes)} samples belong "
            f"to one group, {label!r} (column: {', '.join(groups.columns)}). "
            "Pass data with at least two groups."
        )


def cell_counts(
    label_codes: np.ndarray, group_codes: np.ndarray, n_labels: int, n_groups: int
) -> np.ndarray:
    """Count the samples in each label and group.

    Parameters
    ----------
    label_codes : ndarray of shape (n_samples,)
        Label code of each sample, in ``range(n_labels)``.

    group_codes : ndarray of shape (n_samples,)
        Group code of each sample, in ``range(n_groups)``.

    n_labels, n_groups : int
        Number of labels and of groups.

    Returns
    -------
    counts : ndarray of shape (n_labels, n_groups), dtype int64
        Number of samples in each cell.

    Examples
    --------
    >>> import numpy as np
    >>> from skfair_runner.groups import cell_counts
    >>> cell_counts(np.array([0, 1, 1]), np.array([0, 0, 1]), 2, 2)
    array([[1, 0],
           [1, 1]])
    """
    cells = np.asarray(label_codes, dtype=np.int64) * n_groups + group_codes
    counts = np.bincount(cells, minlength=n_labels * n_groups)
    return counts.reshape(n_labels, n_groups)


def check_no_empty_cell(
    counts: np.ndarray,
    label_names: Iterable,
    group_names: Iterable,
    caller: str,
    rule: str,
    *,
    what: str = "compares groups within each label",
    instead: str = "constraint='demographic_parity', which does not look at labels",
) -> None:
    """Refuse data in which a group has no sample with some label.

    Parameters
    ----------
    counts : ndarray of shape (n_labels, n_groups)
        Number of samples per label and group, from `cell_counts`.

    label_names : iterable of length n_labels
        Names of the labels.

    group_names : iterable of length n_groups
        Names of the groups: `Groups.names` or `Groups.labels`.

    caller : str
        Who asks; begins the error message.

    rule : str
        What needs the cells, such as ``"constraint='equalized_odds'"``.

    what : str, default="compares groups within each label"
        What the rule does with them.

    instead : str, default="constraint='demographic_parity', which does not look at \
            labels"
        A rule that does not need them.

    Raises
    ------
    ValueError
        If a cell is empty. Names up to five empty cells.

    Examples
    --------
    >>> import numpy as np
    >>> from skfair_runner.groups import check_no_empty_cell
    >>> counts = np.array([[5, 3], [2, 1]])
    >>> check_no_empty_cell(counts, [0, 1], ["a", "b"], "fit", "equalized odds")
    """
    empty = np.argwhere(np.asarray(counts) == 0)
    if len(empty) == 0:
        return
    labels, groups = list(label_names), [label_of(name) for name in group_names]
    cells = [
        f"group {groups[column]!r} has no sample with label {plain(labels[row])!r}"
        for row, column in empty
    ]
    raise ValueError(
        f"{caller}: {rule} {what}, but {first_few(cells, '; ')}. Merge this group with "
        f"another, leave its samples out, or use {instead}."
    )
