"""Fair-SMOTE (Chakraborty, Majumder & Menzies, ESEC/FSE 2021)."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from skfair_runner.baselines._base import take_rows
from skfair_runner.baselines._one_estimator import TrainsOneEstimator
from skfair_runner.baselines._synthesis import (
    Encoder,
    find_families,
    make_rows,
    stack_rows,
)
from skfair_runner.utils import Interval, fit_context


def situation_test(encoded, codes, groups, n_groups):
    """Rows whose label, by a logistic regression, does not depend on the group.

    The regression is fitted on the features and the group. Columns that the group
    alone determines, such as the sensitive column itself, are left out of the features:
    the group stands for them, and flipping one but not the other would test nothing.

    Parameters
    ----------
    encoded : ndarray of shape (n_samples, n_encoded)
        Features as numbers of comparable size.

    codes : ndarray of shape (n_samples,), dtype int64
        Label code of each sample.

    groups : ndarray of shape (n_samples,), dtype int64
        Group code of each sample.

    n_groups : int
        Number of groups.

    Returns
    -------
    passed : ndarray of shape (n_samples,), dtype bool
        False where some other group would have got another label.
    """
    varies = np.zeros(encoded.shape[1], dtype=bool)
    for group in range(n_groups):
        members = encoded[groups == group]
        varies |= members.max(axis=0) > members.min(axis=0)
    features = encoded[:, varies]
    # One row of columns for each group: 0 and 1 of two, one-hot of more.
    design = np.eye(n_groups)[:, 1:] if n_groups == 2 else np.eye(n_groups)
    regression = LogisticRegression(max_iter=1000)
    regression.fit(np.hstack([features, design[groups]]), codes)
    n_features = features.shape[1]
    by_features = features @ regression.coef_[:, :n_features].T + regression.intercept_
    by_group = design @ regression.coef_[:, n_features:].T  # (n_groups, n_outputs)
    first = None
    passed = np.ones(len(codes), dtype=bool)
    for effect in by_group:
        scores = by_features + effect
        label = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(axis=1)
        first = label if first is None else first
        passed &= label == first
    return passed


class FairSMOTEClassifier(TrainsOneEstimator):
    """Classifier trained on balanced cells, less the rows that fail a situation test.

    New rows are made until every label is equally frequent in every group. Then a
    situation test drops the rows, old and new, whose label would be another one in
    another group, by a logistic regression on these data [1]_. It needs no groups to
    predict.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Any classifier, or a pipeline that ends in one. None is
        ``RunnerFairClassifier(constraint=None)``, plain training of the default net.

    mutation : float, default=0.8
        How far a number moves, as a fraction of the difference between the two
        neighbours, in [0, 1]; the paper's f.

    crossover : float, default=0.8
        Probability with which a number moves at all, in [0, 1]; the paper's cr.

    n_neighbors : int, default=2
        The two neighbours are drawn among so many of the nearest rows of the cell, at
        least 2.

    situation_testing : bool, default=True
        Whether rows that fail the situation test are dropped.

    pos_label : label or None, default=None
        The favourable label, which ``favourable_`` tells; training treats all labels
        alike.

    random_state : int, RandomState or None, default=None
        Seed of the new rows, and of every `random_state` of `estimator` that is None.
        None takes fresh entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    estimator_ : estimator
        The fitted estimator.

    cells_ : DataFrame
        One row per label and group: how many rows of X it had (``original``), how many
        were made (``synthetic``), and how many of both were dropped (``dropped``).

    favourable_ : int
        Position of the favourable label in ``classes_``; 1 where it is not told.

    seed_ : int
        The seed that was used.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had string column names.

    See Also
    --------
    OversamplingClassifier : Repeats rows instead.

    Notes
    -----
    Hand in the raw table, and let `estimator` be a pipeline that prepares it: numbers,
    booleans and categories are then told apart, and a category moves as a whole. Of a
    table that is one-hot encoded already, a new row can have none or two of the levels
    of a category, each being a column of its own. Numbers with no more than two values
    count as yes-or-no.

    New numbers lie in the range of their column, and are whole where all of it are.
    Neighbours are those of an encoded copy, in which numbers are scaled to [0, 1],
    categories are one-hot encoded, and missing values are the median or a category of
    their own. What the parent lacks stays missing in the new row, so `estimator` must
    take missing values where X has some. Dates are refused.

    The group is a column of the logistic regression, whether X holds it or not. All of
    the others are asked, where there are more than two.

    A sparse X is handled as a dense copy, and given to `estimator` as CSR.

    References
    ----------
    .. [1] J. Chakraborty, S. Majumder, T. Menzies, "Bias in machine learning software:
       why? how? what to do?", ESEC/FSE 2021, sections 4.2 and 4.3.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skfair_runner import make_table_preprocessor
    >>> from skfair_runner.baselines import FairSMOTEClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> plain = make_pipeline(
    ...     make_table_preprocessor(), LogisticRegression(max_iter=1000)
    ... )
    >>> clf = FairSMOTEClassifier(plain, random_state=0)
    >>> clf = clf.fit(
    ...     people.data, people.target, sensitive_features=people.sensitive_features
    ... )
    >>> clf.cells_[["label", "group", "original", "synthetic"]]
       label   group  original  synthetic
    0      0  female       ...        ...
    1      0    male       ...        ...
    2      1  female       ...        ...
    3      1    male       ...        ...
    """

    _needs_columns = "makes new rows out of the columns of a table"

    _parameter_constraints: dict = {
        **TrainsOneEstimator._parameter_constraints,
        "mutation": [Interval(Real, 0, 1, closed="both")],
        "crossover": [Interval(Real, 0, 1, closed="both")],
        "n_neighbors": [Interval(Integral, 2, None, closed="left")],
        "situation_testing": ["boolean"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        mutation=0.8,
        crossover=0.8,
        n_neighbors=2,
        situation_testing=True,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.mutation = mutation
        self.crossover = crossover
        self.n_neighbors = n_neighbors
        self.situation_testing = situation_testing
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Make rows, drop those that fail the test, and train the estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features: numbers, booleans and categories, possibly with missing values.

        y : array-like of shape (n_samples,)
            Two or more labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required.

        Returns
        -------
        self : FairSMOTEClassifier
            Fitted.

        Raises
        ------
        ValueError
            If there is one label only; if groups are missing, misaligned or fewer than
            two; if a group lacks a label; if a column holds neither numbers nor
            categories, or infinite values; if no row with some label passes the test.
        """
        X, y, task = self._read(X, y, sensitive_features)
        self._check_full_cells(task, "makes each label of each group equally frequent")
        X = X.tocsr() if sparse.issparse(X) else X
        encoder = Encoder().fit(X)
        encoded = encoder.transform(X)
        counts = np.bincount(task.cells)
        random_state = np.random.RandomState(self.seed_)
        families = find_families(
            encoded, task.cells, counts.max() - counts, self.n_neighbors, random_state
        )
        X_new = make_rows(
            X,
            families,
            encoder.numbers,
            mutation=self.mutation,
            crossover=self.crossover,
            random_state=random_state,
        )
        X, cells = (
            stack_rows(X, X_new),
            stack_rows(task.cells, task.cells[families.parents]),
        )
        codes, groups = np.divmod(cells, task.groups.n_groups)
        kept = np.ones(len(cells), dtype=bool)
        if self.situation_testing:
            encoded = np.concatenate([encoded, encoder.transform(X_new)])
            kept = situation_test(encoded, codes, groups, task.groups.n_groups)
        self._report(task.groups, counts, cells, kept)
        self.estimator_ = self._base_estimator().fit(
            take_rows(X, kept), self.classes_[codes[kept]]
        )
        return self

    def _report(self, groups, counts, cells, kept):
        """Tell what became of each cell; refuse a label of which nothing is left."""
        dropped = np.bincount(cells[~kept], minlength=len(counts))
        labels, codes = np.divmod(np.arange(len(counts)), groups.n_groups)
        self.cells_ = pd.DataFrame(
            {
                "label": self.classes_[labels],
                "group": np.array(groups.labels)[codes],
                "original": counts,
                "synthetic": counts.max() - counts,
                "dropped": dropped,
            }
        )
        left = np.bincount(labels, weights=counts.max() - dropped)
        if not left.all():
            raise ValueError(
                f"{type(self).__name__}.fit: no row with label "
                f"{self.classes_.tolist()[left.argmin()]!r} passes the situation test, "
                f"so nothing is left to learn it from: {dropped.sum()} of {len(kept)} "
                "rows would have got another label in another group, for the group "
                "says more about it than the features do. Add features, or pass "
                "situation_testing=False."
            )
