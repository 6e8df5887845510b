"""MLCheck: a solver looks for pairs in a model that imitates the tested one.

Sharma and Wehrheim, "Automatic fairness testing of machine learning models", ICTSS
2020 (FairCheck, with a decision tree); Sharma, Demir, Ngonga Ngomo and Wehrheim,
"MLCHECK: property-driven testing of machine learning classifiers", ICMLA 2021.
"""

from __future__ import annotations

import time
from numbers import Integral, Real

import numpy as np

from skfair_runner.fairness_testing._base import BUDGET, COUNT, Search
from skfair_runner.fairness_testing._sampling import sample_box
from skfair_runner.fairness_testing._solver import PairSolver, z3
from skfair_runner.fairness_testing._surrogates import (
    NetSurrogate,
    TreeSurrogate,
    new_rows,
)
from skfair_runner.fairness_testing._walks import take_steps
from skfair_runner.utils import Interval, StrOptions

_INITIAL = 100
_QUESTIONS = 25
_IDLE_ROUNDS = 30
_IDLE_SAMPLES = 20
# With fewer candidates than this, other rows are tried, too.
_FEW = 20


class MLCheck(Search):
    """A solver looks for pairs in a surrogate of the model; for any model.

    The model labels some rows; a decision tree or a small ReLU network learns them; the
    solver Z3 is asked for a row that this surrogate decides differently with other
    sensitive values. Candidates are then shown to the model itself: those that it
    confirms are reported, and all become training rows of the next surrogate.

    Parameters
    ----------
    surrogate : {"tree", "net"}, default="tree"
        "tree" is quick and learns steps and exceptions; "net" learns smooth boundaries,
        finds more with few tries, and makes each question to the solver slower.

    n_samples : int, default=1500
        Number of distinct instances to try, at most.

    cell_samples : int, default=16
        Rows to try for each answer of the solver. About a tree: out of the cell that
        both its paths bound, whose rows the tree decides alike. About a network: rows
        around the answer that the network decides alike.

    hidden_neurons : int, default=6
        Of the network.

    solver_timeout : float, default=2.0
        Seconds for each question to the solver.

    time_limit : float, default=60.0
        Seconds for the whole search.

    budget : int or None, default=None
        Number of distinct instances that may be tried, where it is less than
        `n_samples`.

    random_state : int, RandomState or None, default=None
        Seed.

    See Also
    --------
    Aequitas : Also for any model, without a solver.

    Notes
    -----
    One solver is asked up to 25 times about each surrogate; what it answered is
    blocked. After an answer about a tree it is asked for relatives, rows within the
    same bounds but for one column, which toggles one condition of the paths. The tree's
    formula lists the cells in which it decides a row and its twin differently, without
    those of which every row was tried. Of a network, single values of the answer are
    negated, without a question. A surrogate that yields fewer than 20 rows gets uniform
    ones, and neighbours of what was found, for its successor.

    A question that is not answered in time is passed over and reported in the result's
    `notes`. A constraint that is a function is not known to the solver; candidates that
    break it are dropped. With more than two classes the network learns the most
    frequent one against the others. Needs the extra ``verification``.

    References
    ----------
    .. [1] A. Sharma and H. Wehrheim, "Automatic fairness testing of machine learning
       models", ICTSS 2020.

    .. [2] A. Sharma et al., "MLCHECK: property-driven testing of machine learning
       classifiers", ICMLA 2021.
    """

    _parameter_constraints: dict = {
        "surrogate": [StrOptions({"tree", "net"})],
        "n_samples": COUNT,
        "cell_samples": COUNT,
        "hidden_neurons": [Interval(Integral, 1, None, closed="left")],
        "solver_timeout": [Interval(Real, 0, None, closed="neither")],
        "time_limit": [Interval(Real, 0, None, closed="neither")],
        "budget": BUDGET,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        surrogate="tree",
        *,
        n_samples=1500,
        cell_samples=16,
        hidden_neurons=6,
        solver_timeout=2.0,
        time_limit=60.0,
        budget=None,
        random_state=None,
    ):
        self.surrogate = surrogate
        self.n_samples = n_samples
        self.cell_samples = cell_samples
        self.hidden_neurons = hidden_neurons
        self.solver_timeout = solver_timeout
        self.time_limit = time_limit
        self.budget = budget
        self.random_state = random_state

    def _run(self, ledger, data, rng, notes):
        z3()  # says what to install, before anything takes long
        space, deadline = ledger.space, time.perf_counter() + self.time_limit
        n_initial = min(_INITIAL, self.n_samples)
        rows = sample_box(space, n_initial, rng)
        ledger.begin("surrogate")
        ledger.examine(rows)
        asked = [0, 0]
        try:
            self._rounds(ledger, rows, data, rng, deadline, asked, notes)
        finally:
            if asked[1]:
                notes.append(
                    f"Z3 did not answer {asked[1]} of {asked[0]} questions within "
                    f"{self.solver_timeout:g} s; they were passed over."
                )

    def _rounds(self, ledger, rows, data, rng, deadline, asked, notes):
        """Surrogate, candidates, check; over and over."""
        idle, labels = 0, _decide(ledger, rows)
        while ledger.tried < self.n_samples and idle < _IDLE_ROUNDS:
            if time.perf_counter() > deadline:
                notes.append(f"The time limit of {self.time_limit:g} s was reached.")
                break
            candidates = rows[:0]
            if len(np.unique(labels)) > 1:
                fixed = data[rng.integers(len(data))]
                candidates = self._candidates(
                    ledger, rows, labels, fixed, rng, deadline, asked
                )
            idle = 0 if len(candidates) else idle + 1
            if len(candidates) < _FEW:
                # It hardly sees anything new: other rows show it where it is wrong.
                others = np.concatenate([candidates, _look_around(ledger, rng)])
                candidates = new_rows(ledger, others)
            candidates = candidates[: self.n_samples - ledger.tried]
            ledger.examine(candidates)
            rows = np.concatenate([rows, candidates])
            labels = np.concatenate([labels, _decide(ledger, candidates)])

    def _candidates(self, ledger, rows, labels, fixed, rng, deadline, asked):
        """New rows that a surrogate of what is known calls discriminatory."""
        space = ledger.space
        training = space.expand(rows).reshape(-1, rows.shape[1]), labels
        if self.surrogate == "tree":
            surrogate = TreeSurrogate(space, *training, rows, rng)
        else:
            surrogate = NetSurrogate(space, *training, self.hidden_neurons, rng)
        seed = rng.integers(2**31)
        timeout = self.solver_timeout
        solver = PairSolver(space, surrogate.differs, fixed, timeout, seed)
        surrogate.forget(solver, rows)
        found, waiting = [rows[:0]], [()]
        while waiting and solver.calls < _QUESTIONS and time.perf_counter() < deadline:
            # Relatives first; when there are none left, any other pair.
            pair = solver.solve(*waiting.pop())
            if pair is None:
                continue
            fresh, questions = surrogate.follow(
                solver, pair, ledger, self.cell_samples, rng
            )
            found.append(fresh)
            waiting.append(())
            waiting += [(question,) for question in questions]
        asked[0] += solver.calls
        asked[1] += solver.timeouts
        return new_rows(ledger, np.concatenate(found))


def _decide(ledger, rows) -> np.ndarray:
    """The model's decisions on rows with every combination of sensitive values."""
    rows = ledger.space.expand(rows).reshape(-1, rows.shape[1])
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    labels, _ = ledger.model.decide(rows)
    ledger.rows += len(rows)
    return labels


def _look_around(ledger, rng):
    """Uniform rows, and rows that differ in one value from discriminatory ones."""
    space, parts = ledger.space, [sample_box(ledger.space, _IDLE_SAMPLES, rng)]
    tried, found, _ = ledger.collected()
    if found.any():
        near = rng.choice(np.flatnonzero(found), 5 * _IDLE_SAMPLES)
        positions = rng.choice(space.free, len(near))
        directions = rng.choice([-1, 1], len(near))
        codes = tried[near].astype(np.int64)
        parts.append(take_steps(space, codes, positions, directions, rng))
    return np.concatenate(parts)
