"""MLCheck: a solver looks for pairs in a model that imitates the tested one.

Sharma and Wehrheim, "Automatic fairness testing of machine learning models", ICTSS
2020 (FairCheck, with a decision tree); Sharma, Demir, Ngonga Ngomo and Wehrheim,
"MLCHECK: property-driven testing of machine learning classifiers", ICMLA 2021.
"""

from __future__ import annotations

import time
import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from skfair_runner.fairness_testing._base import BUDGET, COUNT, Search
from skfair_runner.fairness_testing._keys import instance_keys
from skfair_runner.fairness_testing._sampling import sample_box
from skfair_runner.fairness_testing._solver import (
    DECIMALS,
    PairSolver,
    net_formula,
    tree_formula,
    z3,
)
from skfair_runner.fairness_testing._walks import take_steps
from skfair_runner.utils import Interval, StrOptions

_INITIAL = 100
_QUESTIONS = 25
# A cell is asked for so many times as many rows as are wanted, to find new ones.
_DRAWS = 4
_IDLE_ROUNDS = 30
_IDLE_SAMPLES = 20


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
        and makes each question to the solver slower.

    n_samples : int, default=1500
        Number of distinct instances to try, at most.

    cell_samples : int, default=16
        Rows to try for each answer of the solver about a tree: both paths that it took
        bound a cell of rows that the tree decides alike.

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
    After an answer, the solver is asked for relatives: rows within the same bounds but
    for one column, which toggles one condition of the paths (tree) or negates one value
    (net). A question that is not answered in time is passed over and reported in the
    result's `notes`. A constraint that is a function is not known to the solver;
    candidates that break it are dropped. With more than two classes the network learns
    the most frequent one against the others. Needs the extra ``verification``.

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
        idle = 0
        while ledger.tried < self.n_samples and idle < _IDLE_ROUNDS:
            if time.perf_counter() > deadline:
                notes.append(f"The time limit of {self.time_limit:g} s was reached.")
                break
            candidates = self._candidates(ledger, rows, data, rng, deadline, asked)
            idle = 0 if len(candidates) else idle + 1
            if not len(candidates):
                # The surrogate sees nothing: more rows show it where it is wrong.
                candidates = _new_rows(ledger, _look_around(ledger, rng))
            candidates = candidates[: self.n_samples - ledger.tried]
            ledger.examine(candidates)
            rows = np.concatenate([rows, candidates])

    def _candidates(self, ledger, rows, data, rng, deadline, asked):
        """New rows that the surrogate calls discriminatory."""
        space = ledger.space
        training = space.expand(rows).reshape(-1, rows.shape[1])
        labels, _ = ledger.model.decide(training)
        if len(np.unique(labels)) < 2:
            return rows[:0]
        formula, cell_of = self._fit(space, training, labels, rng)
        fixed = data[rng.integers(len(data))]
        seed = rng.integers(2**31)
        solver = PairSolver(space, formula, fixed, self.solver_timeout, seed)
        found = [rows[:0]]
        waiting = [()]
        while waiting and solver.calls < _QUESTIONS and time.perf_counter() < deadline:
            # Relatives first; when there are none left, any other pair.
            pair = solver.solve(*waiting.pop())
            if pair is None:
                continue
            low, high = cell_of(*pair)
            drawn = rng.integers(low, high + 1, (_DRAWS * self.cell_samples, len(low)))
            drawn = np.concatenate([pair[0][None], drawn])
            found.append(_new_rows(ledger, drawn)[: self.cell_samples])
            solver.block(low, high)
            bounded = space.free[
                (low[space.free] > 0) | (high[space.free] < space.sizes[space.free] - 1)
            ]
            waiting.append(())
            waiting += [(solver.within(low, high, but=k),) for k in bounded]
        asked[0] += solver.calls
        asked[1] += solver.timeouts
        return _new_rows(ledger, np.concatenate(found))

    def _fit(self, space, training, labels, rng):
        """Surrogate's formula, and the bounds within which it decides a pair alike."""
        seed = int(rng.integers(2**31))
        if self.surrogate == "tree":
            tree = DecisionTreeClassifier(random_state=seed).fit(training, labels)
            return (
                lambda variables: tree_formula(tree, variables),
                lambda row, twin: tree_cell(space, tree, row, twin),
            )
        net = fit_small_net(space, training, labels, self.hidden_neurons, seed)
        return (
            lambda variables: net_formula(net, space.sizes, variables),
            lambda row, twin: (row, row),
        )


def fit_small_net(space, codes, labels, hidden_neurons, seed):
    """A network with one hidden layer and rounded weights.

    Parameters
    ----------
    space : Space
        The box.

    codes : ndarray of int of shape (n_samples, n_columns)
        Training rows.

    labels : ndarray of int of shape (n_samples,)
        Decisions; the most frequent is learnt against the others.

    hidden_neurons : int
        Size of the hidden layer.

    seed : int
        Of its initial weights.

    Returns
    -------
    net : MLPClassifier
        Fitted; takes codes divided by ``sizes - 1``.
    """
    net = MLPClassifier(
        (hidden_neurons,), solver="lbfgs", alpha=1e-3, max_iter=300, random_state=seed
    )
    target = labels == np.bincount(labels).argmax()
    with warnings.catch_warnings():
        # An unfinished surrogate is as good as another: its candidates are checked.
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(codes / np.maximum(space.sizes - 1, 1), target)
    net.coefs_ = [weights.round(DECIMALS) for weights in net.coefs_]
    net.intercepts_ = [biases.round(DECIMALS) for biases in net.intercepts_]
    return net


def tree_cell(space, tree, row, twin):
    """Bounds within which a tree decides rows as this one, and twins as this twin.

    Parameters
    ----------
    space : Space
        The box.

    tree : DecisionTreeClassifier
        Fitted on codes.

    row, twin : ndarray of int of shape (n_columns,)
        Alike but for the sensitive columns.

    Returns
    -------
    low, high : ndarray of int of shape (n_columns,)
        Both included; sensitive and immutable columns keep the row's value.
    """
    low, high = np.zeros_like(space.sizes), space.sizes - 1
    nodes = tree.tree_
    for side in (row, twin):
        path = tree.decision_path(side[None].astype(np.float32)).indices
        for node in path[:-1]:
            position = nodes.feature[node]
            limit = int(np.floor(nodes.threshold[node]))
            if side[position] <= limit:
                high[position] = min(high[position], limit)
            else:
                low[position] = max(low[position], limit + 1)
    kept = np.union1d(space.sensitive, space.immutable)
    low[kept] = high[kept] = row[kept]
    return low, high


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


def _new_rows(ledger, rows):
    """Rows that were not tried, each once, and that keep the constraints."""
    keys = instance_keys(ledger.space, rows)
    _, first = np.unique(keys, return_index=True)
    first = np.sort(first)
    first = first[~ledger.known.contains(keys[first])]
    rows = rows[first]
    return rows[ledger.space.valid_combinations(rows).sum(axis=1) > 1]
