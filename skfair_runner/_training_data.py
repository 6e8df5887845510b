"""The checked training data, its label × group cells, and its split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from .conditions import Constraint
from .groups import Groups, cell_counts, check_at_least_two, check_no_empty_cell


@dataclass(frozen=True)
class TrainingData:
    """What training uses.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features), or ImageSource
        float32; images are converted batch by batch.

    y : ndarray of shape (n_samples,)
        Class codes, int64.

    classes : ndarray of shape (n_classes,)
        Sorted labels.

    groups : Groups or None
        None where none were passed.

    weights : ndarray of shape (n_samples,) or None
        float32.
    """

    X: Any
    y: np.ndarray
    classes: np.ndarray
    groups: Groups | None
    weights: np.ndarray | None

    @property
    def rows(self) -> np.ndarray:
        """Rows of positive weight; the others are as if they were not there."""
        if self.weights is None:
            return np.arange(len(self.y))
        return np.flatnonzero(self.weights)

    def cell_counts(self, rows) -> np.ndarray:
        """Rows in each label × group cell, (n_labels, n_groups)."""
        assert self.groups is not None
        return cell_counts(
            self.y[rows],
            self.groups.codes[rows],
            len(self.classes),
            self.groups.n_groups,
        )

    def cell_weights(self, rows) -> np.ndarray:
        """Weight in each label × group cell, (n_labels, n_groups)."""
        assert self.groups is not None
        n_groups = self.groups.n_groups
        weights = None if self.weights is None else self.weights[rows]
        cells = self.y[rows] * n_groups + self.groups.codes[rows]
        shape = (len(self.classes), n_groups)
        totals = np.bincount(cells, weights, minlength=shape[0] * shape[1])
        return totals.reshape(shape)


def check_cells(
    data: TrainingData,
    constraint: Constraint | None,
    sampling: str,
    positive: int,
    caller: str,
) -> None:
    """Refuse training data in which a cell that is compared or drawn from is empty.

    Parameters
    ----------
    data : TrainingData
        With groups where there is a constraint.

    constraint : Constraint or None
        Whose populations must hold every group.

    sampling : {"shuffled", "group", "group_label"}
        Balanced sampling draws from every cell.

    positive : int
        Code of the favourable label.

    caller : str
        Who asks, for messages.

    Raises
    ------
    ValueError
        If rows of positive weight have one class only or one group only, or if a group
        has none of them, or none with a label that matters.
    """
    present = np.unique(data.y[data.rows])
    if len(present) < 2:
        raise ValueError(
            f"{caller} needs at least two classes, but the samples of positive weight "
            f"have one class only: {data.classes[present].tolist()}."
        )
    if data.groups is None:
        return
    counts = data.cell_counts(data.rows)
    rules: list[tuple[str, np.ndarray]] = []
    everything = np.arange(len(data.classes))
    if constraint is not None:
        check_at_least_two(data.groups, caller)
        if (counts.sum(0) == 0).any():
            name = data.groups.labels[int(np.argmin(counts.sum(0)))]
            raise ValueError(
                f"{caller}: group {name!r} has no sample of positive weight, so it "
                "cannot be compared: drop its rows."
            )
        for part in constraint.parts:
            if part.within == "everybody":
                continue
            binary = {"positive": [positive], "negative": [1 - positive]}
            relevant = everything
            if len(data.classes) == 2:
                relevant = np.array(binary.get(part.within, [0, 1]))
            rules.append((f"constraint={part.name!r}", relevant))
    names = data.groups.names
    for rule, relevant in rules:
        check_no_empty_cell(
            counts[relevant], data.classes[relevant], names, caller, rule
        )
    if sampling == "group_label":
        check_no_empty_cell(
            counts,
            data.classes,
            names,
            caller,
            "sampling='group_label'",
            what="draws samples of each group with each label",
            instead="sampling='group', which draws samples of each group alone",
        )


def split_validation(data: TrainingData, fraction: float, random_state):
    """Rows to train on and rows to watch, in the proportions of the cells.

    Parameters
    ----------
    data : TrainingData
        All rows.

    fraction : float
        Share of the rows that is watched, in (0, 1).

    random_state : int
        Seed of the split.

    Returns
    -------
    train, valid : ndarray of int
        Row numbers.
    """
    cells = data.y
    if data.groups is not None:
        cells = data.y * data.groups.n_groups + data.groups.codes
    rows = data.rows
    _, strata, counts = np.unique(cells[rows], return_inverse=True, return_counts=True)
    # A row that is alone in its cell is trained on, if others can be watched.
    alone = counts[strata] < 2
    if alone.all():
        alone[:] = False
    pool, strata = rows[~alone], strata[~alone]
    n_strata = len(np.unique(strata))
    n_valid = max(int(np.ceil(fraction * len(rows))), min(n_strata, len(pool) // 2))
    n_valid = min(n_valid, len(pool) - 1)
    in_proportion = n_strata <= min(n_valid, len(pool) - n_valid)
    train, valid = train_test_split(
        pool,
        test_size=n_valid,
        random_state=random_state,
        stratify=strata if in_proportion else None,
    )
    return np.concatenate([train, rows[alone]]), valid
