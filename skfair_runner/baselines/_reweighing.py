"""Reweighing (Kamiran & Calders, 2012)."""

import numpy as np
import pandas as pd

from skfair_runner._inputs import encode_labels
from skfair_runner.baselines._base import check_full_cells
from skfair_runner.baselines._one_estimator import TrainsOneEstimator
from skfair_runner.baselines._weighted import check_takes_weights, fit_weighted
from skfair_runner.groups import cell_counts, encode_groups
from skfair_runner.utils import fit_context


def reweighing_weights(y, *, sensitive_features):
    r"""Sample weights under which label and group are independent.

    .. math:: w(a, y) = \frac{n_a \, n_y}{n \, n_{ay}}

    of a sample in group :math:`a` with label :math:`y` [1]_: how often the two would
    come together if they were independent, by how often they do.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Two or more labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        The group of each sample; several columns are crossed.

    Returns
    -------
    weights : ndarray of shape (n_samples,), float64
        Positive; they sum to n_samples, and within each group, and within each label,
        to the number of its samples.

    Raises
    ------
    ValueError
        If there is one label only; if groups are missing or misaligned; if a group
        lacks a label, so that no weights can make the two independent.

    See Also
    --------
    ReweighingClassifier : Trains an estimator with them.

    References
    ----------
    .. [1] F. Kamiran, T. Calders, "Data preprocessing techniques for classification
       without discrimination", Knowledge and Information Systems 33, 2012, section 4.2.

    Examples
    --------
    >>> from skfair_runner.baselines import reweighing_weights
    >>> y, groups = [1, 1, 1, 0, 1, 0, 0, 0], ["a", "a", "a", "a", "b", "b", "b", "b"]
    >>> reweighing_weights(y, sensitive_features=groups).round(2)
    array([0.67, 0.67, 0.67, 2.  , 2.  , 0.67, 0.67, 0.67])
    """
    codes, classes = encode_labels(y)
    groups = encode_groups(
        sensitive_features, n_samples=len(codes), of="y", caller="reweighing_weights"
    )
    return _cell_weights(
        cell_counts(codes, groups.codes, len(classes), groups.n_groups),
        classes,
        groups,
        "reweighing_weights",
    )[codes, groups.codes]


def _cell_weights(counts, classes, groups, caller):
    """Weight of each cell, (n_labels, n_groups)."""
    begins = f"{caller} makes label and group independent"
    check_full_cells(counts, classes, groups, begins)
    return np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum() / counts


class ReweighingClassifier(TrainsOneEstimator):
    """Classifier trained on weights under which label and group are independent.

    A sample weighs as much as its label and its group would come together if they were
    independent, divided by how often they do [1]_. It needs no groups to predict.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Classifier whose `fit` takes `sample_weight`, or a pipeline or search that ends
        in one; its earlier steps get no weights. None is
        ``RunnerFairClassifier(constraint=None)``, plain training of the default net.

    pos_label : label or None, default=None
        The favourable label, which ``favourable_`` tells; training treats all labels
        alike.

    random_state : int, RandomState or None, default=None
        Seed of every `random_state` of `estimator` that is None. None takes fresh
        entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    estimator_ : estimator
        The fitted estimator.

    cell_weights_ : DataFrame of shape (n_classes, n_groups)
        Weight of a sample, by label and group.

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
    reweighing_weights : The weights alone.
    OversamplingClassifier : Repeated rows instead of weights, for any estimator.

    Notes
    -----
    `sample_weight` is not a parameter of `fit`: the method makes its own weights.

    References
    ----------
    .. [1] F. Kamiran, T. Calders, "Data preprocessing techniques for classification
       without discrimination", Knowledge and Information Systems 33, 2012, section 4.2.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner.baselines import ReweighingClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data[["experience", "interview"]]
    >>> clf = ReweighingClassifier(LogisticRegression())
    >>> clf = clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> clf.cell_weights_.round(2)
           female  male
    label
    0        0.83  1.26
    1        1.58  0.73
    """

    def __init__(self, estimator=None, *, pos_label=None, random_state=None):
        self.estimator = estimator
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Weigh the samples, and train the estimator with the weights.

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
        self : ReweighingClassifier
            Fitted.

        Raises
        ------
        TypeError
            If `estimator` takes no weights.

        ValueError
            If there is one label only; if groups are missing, misaligned or fewer than
            two; if a group lacks a label.
        """
        X, y, task = self._read(X, y, sensitive_features)
        caller = f"{type(self).__name__}.fit"
        estimator = self._base_estimator()
        check_takes_weights(estimator, caller)
        groups = task.groups
        counts = cell_counts(
            task.codes, groups.codes, len(self.classes_), groups.n_groups
        )
        weights = _cell_weights(counts, self.classes_, groups, caller)
        self.cell_weights_ = pd.DataFrame(
            weights, index=pd.Index(self.classes_, name="label"), columns=groups.labels
        )
        self.estimator_ = fit_weighted(
            estimator, X, y, weights[task.codes, groups.codes]
        )
        return self
