"""Oversampling: every label in every group equally often."""

import numpy as np

from skfair_runner.baselines._base import take_rows
from skfair_runner.baselines._one_estimator import TrainsOneEstimator
from skfair_runner.utils import fit_context


def oversampled_rows(cells, random_state):
    """Rows of which every cell has as many as the largest one.

    Parameters
    ----------
    cells : ndarray of shape (n_samples,)
        Cell of each sample.

    random_state : RandomState
        Draws what is repeated.

    Returns
    -------
    rows : ndarray of shape (n_cells * largest,)
        Positions: all samples once, in their order, then draws with replacement.

    Examples
    --------
    >>> import numpy as np
    >>> oversampled_rows(np.array([0, 0, 1, 0]), np.random.RandomState(0))
    array([0, 1, 2, 3, 2, 2])
    """
    members = [np.flatnonzero(cells == cell) for cell in np.unique(cells)]
    largest = max(map(len, members))
    drawn = [random_state.choice(rows, largest - len(rows)) for rows in members]
    return np.concatenate([np.arange(len(cells)), *drawn])


class OversamplingClassifier(TrainsOneEstimator):
    """Classifier trained on equally many samples of every label in every group.

    Rows of the smaller cells (label × group) are repeated at random until each cell has
    as many as the largest. In these data label and group are independent. It needs no
    groups to predict.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Any classifier, or a pipeline that ends in one. None is
        ``RunnerFairClassifier(constraint=None)``, plain training of the default net.

    pos_label : label or None, default=None
        The favourable label, which ``favourable_`` tells; training treats all labels
        alike.

    random_state : int, RandomState or None, default=None
        Seed of the draws, and of every `random_state` of `estimator` that is None. None
        takes fresh entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    estimator_ : estimator
        The fitted estimator.

    n_repeated_ : int
        Rows added to those of X.

    favourable_ : int
        Position of the favourable label in ``classes_``; 1 where it is not told.

    seed_ : int
        The seed that was used.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had string column names.

    image_shape_ : tuple of int
        (channels, height, width), where X held images.

    See Also
    --------
    ReweighingClassifier : Weights instead of repeated rows; keeps the share of each
        label and of each group.
    FairSMOTEClassifier : New rows instead of repeated ones.

    Notes
    -----
    All labels become equally frequent, too, so a classifier selects about half of the
    samples, whatever the share of the favourable label was, and its probabilities are
    those of the balanced data.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner.baselines import OversamplingClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data[["experience", "interview"]]
    >>> clf = OversamplingClassifier(LogisticRegression(), random_state=0)
    >>> clf = clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> clf.predict(X).shape
    (500,)
    """

    def __init__(self, estimator=None, *, pos_label=None, random_state=None):
        self.estimator = estimator
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Repeat rows of the smaller cells, and train the estimator on all.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, or images, as `estimator` takes them.

        y : array-like of shape (n_samples,)
            Two or more labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required.

        Returns
        -------
        self : OversamplingClassifier
            Fitted.

        Raises
        ------
        ValueError
            If there is one label only; if groups are missing, misaligned or fewer than
            two; if a group lacks a label.
        """
        X, y, task = self._read(X, y, sensitive_features)
        self._check_full_cells(task, "draws each label of each group equally often")
        # The default net could balance its batches instead. Rows are repeated for it
        # too, so that the method is one and the same whatever is trained.
        rows = oversampled_rows(task.cells, np.random.RandomState(self.seed_))
        self.n_repeated_ = len(rows) - len(y)
        self.estimator_ = self._base_estimator().fit(take_rows(X, rows), y[rows])
        return self
