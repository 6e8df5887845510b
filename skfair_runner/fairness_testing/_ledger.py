"""What was tried and what was found, and the budget of a search."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from skfair_runner.fairness_testing._keys import KeySet, instance_keys
from skfair_runner.fairness_testing._models import BlackBox
from skfair_runner.fairness_testing._space import Space


class BudgetSpent(Exception):  # noqa: N818 - it ends a search, and is no error
    """Raised by the ledger when as many instances were tried as were allowed."""


@dataclass(frozen=True)
class Answers:
    """What the model says of rows and of their twins with other sensitive values.

    Attributes
    ----------
    discriminatory : ndarray of shape (n_samples,), dtype bool
        Whether decisions differ between two combinations of sensitive values.

    own : ndarray of shape (n_samples,), dtype int64
        The row's own combination; the first that keeps the constraints where its own
        does not.

    other : ndarray of shape (n_samples,), dtype int64
        The combination to compare with: of those decided otherwise, or of all where
        there is none, the one whose score differs most.

    valid : ndarray of shape (n_samples,), dtype bool
        Whether two combinations or more keep the constraints.

    new : ndarray of shape (n_samples,), dtype bool
        Whether the instance was tried for the first time; False where nothing is
        counted.

    balance : ndarray of shape (n_samples,)
        Of a discriminatory row: where the boundary lies between it and its twin, from
        −1 (the row is on the boundary) over 0 (halfway) to 1 (the twin is on it), in
        probability of the row's decision. 0 where there are no scores.
    """

    discriminatory: np.ndarray
    own: np.ndarray
    other: np.ndarray
    valid: np.ndarray
    new: np.ndarray
    balance: np.ndarray


@dataclass
class Ledger:
    """Asks the model about rows, and writes down what was tried and found.

    Parameters
    ----------
    space : Space
        The box.

    model : BlackBox
        Adapter of the model.

    budget : int or None
        Number of different instances that may be tried.
    """

    space: Space
    model: BlackBox
    budget: int | None = None
    phase: str = "global"
    limit: int | None = None
    rows: int = 0
    found: int = 0
    steps: list = field(default_factory=list)
    tried_codes: list = field(default_factory=list)
    tried_found: list = field(default_factory=list)
    tried_other: list = field(default_factory=list)

    def __post_init__(self):
        self.known, self._start = KeySet(), time.perf_counter()
        self.limit = self.budget

    @property
    def tried(self) -> int:
        """Number of different instances that were tried."""
        return len(self.known)

    def begin(self, phase: str, share: float = 1.0) -> None:
        """Name the phase, which may use the budget up to a share of the whole."""
        self.phase = phase
        self.limit = None if self.budget is None else int(share * self.budget)

    def ask(self, codes) -> Answers:
        """Decide rows with every combination of sensitive values; nothing is counted.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples, n_columns)
            Rows.

        Returns
        -------
        answers : Answers
            One entry per row.
        """
        space = self.space
        shape = (len(codes), len(space.combinations))
        if not len(codes):
            nothing, none = np.empty(0, np.int64), np.empty(0, bool)
            return Answers(none, nothing, nothing, none, none, np.empty(0))
        rows = space.expand(codes).reshape(-1, codes.shape[1])
        decisions, scores = self.model.decide(rows)
        self.rows += len(rows)
        decisions = decisions.reshape(shape)
        allowed = space.valid_combinations(codes)
        own = space.combination_of(codes)
        each = np.arange(len(codes))
        own = np.where(allowed[each, own], own, allowed.argmax(axis=1))
        here = decisions[each, own][:, None]
        differs = (decisions != here) & allowed & allowed.any(axis=1, keepdims=True)
        of_label = distance = np.zeros(shape)
        if scores is not None:
            scores = scores.reshape(*shape, -1)
            label = np.broadcast_to(here[:, :, None], (*shape, 1))
            of_label = np.take_along_axis(scores, label, axis=2)[:, :, 0]
            distance = np.abs(of_label - of_label[each, own][:, None])
        # Those decided otherwise come first, then the farthest; its own never.
        distance = np.where(allowed, distance + 2.0 * differs, -1.0)
        distance[each, own] = -2.0
        other = distance.argmax(axis=1)
        return Answers(
            differs.any(axis=1),
            own,
            other,
            allowed.sum(axis=1) > 1,
            np.zeros(len(codes), dtype=bool),
            _balance(of_label[each, own], of_label[each, other]),
        )

    def examine(self, codes) -> Answers:
        """Ask about rows and count them.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples, n_columns)
            Rows; those that were tried before are asked again, but not counted.

        Returns
        -------
        answers : Answers
            One entry per row.

        Raises
        ------
        BudgetSpent
            After as many new rows as the budget allows were written down.
        """
        keys = instance_keys(self.space, codes)
        spent = False
        if self.limit is not None:
            left = self.limit - self.tried
            _, first = np.unique(keys, return_index=True)
            new = np.sort(first[~self.known.contains(keys[first])])
            if len(new) > left:
                stop = new[max(left, 0)]
                codes, keys, spent = codes[:stop], keys[:stop], True
        answers = self.ask(codes)
        new = answers.new
        new[answers.valid] = self.known.add(keys[answers.valid])
        self.tried_codes.append(codes[new].astype(np.int32))
        self.tried_found.append(answers.discriminatory[new])
        pairs = np.column_stack([answers.own[new], answers.other[new]])
        self.tried_other.append(pairs)
        self.found += int(answers.discriminatory[new].sum())
        self._note()
        if spent or (self.limit is not None and self.tried >= self.limit):
            raise BudgetSpent
        return answers

    def _note(self) -> None:
        self.steps.append(
            (
                self.phase,
                self.tried,
                self.found,
                self.rows,
                time.perf_counter() - self._start,
            )
        )

    def trace(self) -> pd.DataFrame:
        """One row per batch: phase, tried, found, model_rows, seconds, all so far."""
        columns = ["phase", "tried", "found", "model_rows", "seconds"]
        return pd.DataFrame(self.steps, columns=columns)

    def collected(self):
        """Rows tried, whether each was discriminatory, and the combinations compared.

        Returns
        -------
        codes : ndarray of shape (n_tried, n_columns), dtype int32
            In the order in which they were tried.

        found : ndarray of shape (n_tried,), dtype bool
            Whether decisions differed.

        pairs : ndarray of shape (n_tried, 2), dtype int64
            Combinations of sensitive values.
        """
        codes = np.empty((0, len(self.space.sizes)), dtype=np.int32)
        return (
            np.concatenate([codes, *self.tried_codes]),
            np.concatenate([np.empty(0, bool), *self.tried_found]),
            np.concatenate([np.empty((0, 2), np.int64), *self.tried_other]),
        )


def _balance(own, other) -> np.ndarray:
    """Where one half lies between two probabilities of the same decision."""
    width = np.abs(own - other)
    middle = (own + other - 1) / np.where(width > 0, width, 1)
    return np.where(width > 0, middle, 0).clip(-1, 1)
