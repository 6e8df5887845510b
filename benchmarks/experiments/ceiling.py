r"""The group-blind limit: plug-in decisions over boosted trees.

Without the group at prediction, accuracy is largest under a bound on a difference for

.. math:: \hat y = 1\left[ p(y=1|x) - \tfrac12 > \sum_j \lambda_j w_j(x) \right]

(Menon & Williamson, "The cost of fairness in binary classification", FAT* 2018), where
for demographic parity :math:`w = p(a=1|x)/\pi_1 - p(a=0|x)/\pi_0`, and for the rate of
label v the same with :math:`p(a, y=v|x)` and the shares of both. The probabilities are
estimated, so this is a line to compare with, not a proof; λ is chosen on validation.
"""

import itertools
import time

import numpy as np
from scipy.sparse import issparse
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

from skfair_runner.metrics import fairness_summary
from skfair_runner.metrics.fronts import non_dominated

# Multipliers of the weights, symmetric about no shift.
_STEPS = np.geomspace(0.005, 0.6, 14)
LAMBDAS = np.concatenate([-_STEPS[::-1], [0.0], _STEPS])
_COARSE = np.geomspace(0.01, 0.5, 7)
COARSE_LAMBDAS = np.concatenate([-_COARSE[::-1], [0.0], _COARSE])

# Close enough near zero that a difference does not jump between neighbours.
_NEAR = np.linspace(0.0, 0.1, 26)
_FAR = np.geomspace(0.1, 0.6, 12)[1:]
FINE_LAMBDAS = np.unique(np.concatenate([-_FAR, -_NEAR, _NEAR, _FAR]))


def joint_probabilities(p_label, p_group):
    """Probabilities of label and group together, given the features.

    Parameters
    ----------
    p_label : ndarray of shape (n_samples,)
        p(y=1|x).

    p_group : ndarray of shape (n_samples, 2)
        p(a=1|x, y), of y=0 and y=1.

    Returns
    -------
    joint : ndarray of shape (n_samples, 2, 2)
        p(y, a|x), by label and group.
    """
    labels = np.stack([1 - p_label, p_label], axis=1)
    return np.stack([labels * (1 - p_group), labels * p_group], axis=2)


def weights(joint, shares, criterion):
    """How much selecting a sample changes each difference.

    Parameters
    ----------
    joint : ndarray of shape (n_samples, 2, 2)
        p(y, a|x).

    shares : ndarray of shape (2, 2)
        p(y, a), by label and group.

    criterion : {"demographic_parity", "equalized_odds"}
        One weight, or one per label.

    Returns
    -------
    w : ndarray of shape (n_samples, 1) or (n_samples, 2)
        Means over samples are zero for a rate that does not depend on the group.
    """
    if criterion == "demographic_parity":
        joint, shares = joint.sum(axis=1)[:, None], shares.sum(axis=0)[None]
    each = joint / shares  # (n_samples, n_weights, 2)
    return each[:, :, 1] - each[:, :, 0]


def margins(p_label, w, multipliers):
    """What is positive where the favourable label is given, of shape (n_samples,)."""
    return p_label - 0.5 - w @ np.asarray(multipliers, dtype=np.float64)


def _dense(X):
    """A matrix as trees take it."""
    return X.toarray() if issparse(X) else np.asarray(X)


class PlugIn:
    """Estimated probabilities of one case, from which every shift can be read."""

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit(self, case):
        """Two boosted models: of the label, and of the group given the label."""
        return self.fit_codes(*self._arrays(case.train, case.favourable))

    def fit_codes(self, X, y, groups):
        """The same from a dense matrix, and codes 0 and 1."""
        start = time.process_time()
        self.label_ = self._model().fit(X, y)
        self.group_ = self._model().fit(np.column_stack([X, y]), groups)
        cells = np.bincount(2 * y + groups, minlength=4).reshape(2, 2)
        self.shares_ = cells / cells.sum()
        self.seconds_ = time.process_time() - start
        return self

    def probabilities(self, part, favourable):
        """p(y=1|x) and p(y, a|x) of the rows of a part."""
        return self.probabilities_of(self._arrays(part, favourable)[0])

    def probabilities_of(self, X):
        """The same of the rows of a dense matrix."""
        p_label = self.label_.predict_proba(X)[:, 1]
        p_group = [
            self.group_.predict_proba(np.column_stack([X, np.full(len(X), label)]))
            for label in (0, 1)
        ]
        p_group = np.stack([each[:, 1] for each in p_group], axis=1)
        return p_label, joint_probabilities(p_label, p_group)

    def _model(self):
        # The same capacity whatever the number of rows; small data stop early.
        return HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=400,
            early_stopping=True,
            random_state=self.random_state,
        )

    def _arrays(self, part, favourable):
        X = _dense(part.X)
        # Both codes are of the same two names in every part.
        groups = np.unique(part.groups, return_inverse=True)[1]
        return X, (part.y == favourable).astype(np.int64), groups


class GroupBlindLimit(ClassifierMixin, BaseEstimator):
    """Plug-in decisions for two groups and two labels, at a price in accuracy.

    Multipliers are chosen on probabilities out of fold: those with the smallest sum of
    differences whose accuracy there is at most `price` below the best.

    Parameters
    ----------
    criterion : {"demographic_parity", "equalized_odds"}, default="equalized_odds"
        Whose differences are made small.

    price : float, default=0.003
        Share of the rows that may be decided wrongly for it.

    n_folds : int, default=3
        Folds that the multipliers are chosen on.

    random_state : int, default=0
        Of folds and trees.
    """

    def __init__(
        self, criterion="equalized_odds", *, price=0.003, n_folds=3, random_state=0
    ):
        self.criterion = criterion
        self.price = price
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(self, X, y, *, sensitive_features):
        """Choose multipliers out of fold, then fit the probabilities on all rows."""
        X = _dense(X)
        self.classes_, codes = np.unique(y, return_inverse=True)
        groups = np.unique(sensitive_features, return_inverse=True)[1]
        p_label = np.empty(len(codes))
        w = np.empty((len(codes), 1 + (self.criterion == "equalized_odds")))
        folds = StratifiedKFold(
            self.n_folds, shuffle=True, random_state=self.random_state
        )
        for rows, others in folds.split(X, 2 * codes + groups):
            model = PlugIn(self.random_state)
            model.fit_codes(X[rows], codes[rows], groups[rows])
            p_label[others], w[others] = self._read(model, X[others])
        self.multipliers_ = cheapest_multipliers(p_label, w, codes, groups, self.price)
        self.model_ = PlugIn(self.random_state).fit_codes(X, codes, groups)
        return self

    def predict(self, X):
        """Decisions; groups are not asked for."""
        X = _dense(X)
        p_label, w = self._read(self.model_, X)
        return self.classes_[(margins(p_label, w, self.multipliers_) > 0).astype(int)]

    def _read(self, model, X):
        p_label, joint = model.probabilities_of(X)
        return p_label, weights(joint, model.shares_, self.criterion)


def _tried(p_label, w, y, groups, candidates):
    """Each candidate, its accuracy, and its differences within each population.

    Of a single weight that is everybody, of two each label.
    """
    populations = [np.ones(len(y), bool)] if w.shape[1] == 1 else [y == 0, y == 1]
    cells = [
        [np.flatnonzero(who & (groups == group)) for group in (1, 0)]
        for who in populations
    ]
    for each in candidates:
        decided = margins(p_label, w, each) > 0
        gaps = [abs(decided[one].mean() - decided[two].mean()) for one, two in cells]
        yield each, np.mean(decided == y), gaps


def cheapest_multipliers(p_label, w, y, groups, price):
    """Multipliers with the smallest sum of differences at most `price` below the best.

    Parameters
    ----------
    p_label : ndarray of shape (n_samples,)
        p(y=1|x).

    w : ndarray of shape (n_samples, n_weights)
        See :func:`weights`.

    y, groups : ndarray of shape (n_samples,)
        Codes, 0 or 1.

    price : float
        In accuracy.

    Returns
    -------
    multipliers : tuple of float
        One per weight.
    """
    candidates = itertools.product(FINE_LAMBDAS, repeat=w.shape[1])
    found = [
        (accuracy, sum(differences), each)
        for each, accuracy, differences in _tried(p_label, w, y, groups, candidates)
    ]
    best = max(accuracy for accuracy, _, _ in found)
    affordable = [row for row in found if row[0] >= best - price]
    return min(affordable, key=lambda row: row[1])[2]


def multipliers_of(criterion):
    """Candidates: a line of shifts, or a grid of two."""
    if criterion == "demographic_parity":
        return [(value,) for value in LAMBDAS]
    return list(itertools.product(COARSE_LAMBDAS, COARSE_LAMBDAS))


def choose_multipliers(p_label, w, y, groups, candidates):
    """Candidates whose decisions no other beats in accuracy and difference.

    The difference is the larger one of the weights' populations: everybody for a single
    weight, and each label for two.
    """
    tried = list(_tried(p_label, w, y, groups, candidates))
    accuracy = [accuracy for _, accuracy, _ in tried]
    differences = [max(differences) for _, _, differences in tried]
    kept = non_dominated(accuracy, differences)
    return [each for each, is_kept in zip(candidates, kept, strict=True) if is_kept]


def ceiling_rows(case, criterion, names):
    """Rows of the shifts that are non-dominated on validation; no scores to compare."""
    plug_in = PlugIn(random_state=case.seed).fit(case)
    known = {}
    for name in ("valid", "test"):
        part = getattr(case, name)
        p_label, joint = plug_in.probabilities(part, case.favourable)
        known[name] = (p_label, weights(joint, plug_in.shares_, criterion))
    y = (case.valid.y == case.favourable).astype(np.int64)
    groups = np.unique(case.valid.groups, return_inverse=True)[1]
    chosen = choose_multipliers(*known["valid"], y, groups, multipliers_of(criterion))
    rows = []
    for each in chosen:
        setting = "λ=" + "/".join(f"{value:.4f}" for value in each)
        row = {"setting": setting, "fit_seconds": plug_in.seconds_}
        for name, (p_label, w) in known.items():
            part = getattr(case, name)
            margin = margins(p_label, w, each)
            other = next(v for v in np.unique(part.y) if v != case.favourable)
            summary = fairness_summary(
                part.y,
                np.where(margin > 0, case.favourable, other),
                # Any rising function of the margin has its average precision.
                expit(4 * margin),
                sensitive_features=part.groups,
                pos_label=case.favourable,
            )
            for column, key in names.items():
                row[f"{name}_{column}"] = (
                    np.nan if column.startswith("ABCC") else summary.get(key)
                )
        rows.append(row)
    return rows
