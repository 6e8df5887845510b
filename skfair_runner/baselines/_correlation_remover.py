"""fairlearn's CorrelationRemover before a classifier."""

from numbers import Real

import numpy as np
import pandas as pd
from fairlearn.preprocessing import CorrelationRemover
from sklearn.utils.metaestimators import available_if

from skfair_runner.baselines._base import DecidesByGroup, Mitigator
from skfair_runner.baselines._numeric import as_numbers
from skfair_runner.baselines._one_estimator import _estimator_has
from skfair_runner.utils import HasMethods, Interval, fit_context

_DOES = "removes the correlation of the features with the groups"


class CorrelationRemoverClassifier(DecidesByGroup, Mitigator):
    r"""Classifier on features from which the correlation with the groups is removed.

    A thin wrapper of :class:`fairlearn.preprocessing.CorrelationRemover` [1]_. With the
    centred indicators :math:`S` of the groups, the features :math:`Z` become

    .. math:: Z - \alpha \, S \, (S^\top S)^{-1} S^\top Z

    on the training data: for :math:`\alpha = 1` every group has the same mean of every
    feature. New rows are moved by what was learned in training, which takes their
    groups: **it needs the group of everybody it predicts for**.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Classifier, or pipeline that ends in one, of numeric features. None is
        ``RunnerFairClassifier(constraint=None)``, plain training of the default net.

    alpha : float, default=1.0
        How much of the correlation is removed, in [0, 1]; 0 leaves the features as they
        are.

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

    remover_ : fairlearn.preprocessing.CorrelationRemover
        Fitted on the features, followed by an indicator for each group but the first.

    estimator_ : estimator
        The classifier, fitted on the changed features.

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
    PrototypeRepresentationClassifier : Another representation, without groups at
        prediction.
    skfair_runner.SensitiveColumns : Reads the groups from columns of X, in `predict`
        too; needed in searches.

    Notes
    -----
    No correlation is not independence. What depends on the group beyond the mean, and
    what an estimator makes of several features together, stays; least of it with a
    linear estimator. No label is looked at, so that equalized odds is not aimed at.

    The groups must not be among the features: a column that tells the group would be
    made constant for two groups, and only its mean for more.

    Sparse X becomes dense, as the changed features are.

    References
    ----------
    .. [1] H. Weerts, M. Dudík, R. Edgar, A. Jalali, R. Lutz, M. Madaio, "Fairlearn:
       assessing and improving fairness of AI systems", JMLR 24, 2023.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner.baselines import CorrelationRemoverClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X, groups = people.data[["experience", "interview"]], people.sensitive_features
    >>> clf = CorrelationRemoverClassifier(LogisticRegression())
    >>> clf = clf.fit(X, people.target, sensitive_features=groups)
    >>> clf.predict(X, sensitive_features=groups).shape
    (500,)
    """

    _takes_many_labels = True

    _needs_columns = _DOES

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "pos_label": "no_validation",
        "random_state": ["random_state"],
    }

    def __init__(self, estimator=None, *, alpha=1.0, pos_label=None, random_state=None):
        self.estimator = estimator
        self.alpha = alpha
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Remove the correlation from the features, and train the estimator on them.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Numeric features, finite.

        y : array-like of shape (n_samples,)
            Two or more labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required.

        Returns
        -------
        self : CorrelationRemoverClassifier
            Fitted.

        Raises
        ------
        ValueError
            If a feature is no number, missing or infinite; if there is one label only;
            if groups are missing, misaligned or fewer than two.
        """
        X, y, task = self._read(X, y, sensitive_features)
        table = self._with_indicators(X, task.groups.codes)
        n_features = X.shape[1]
        self.remover_ = CorrelationRemover(
            sensitive_feature_ids=list(range(n_features, table.shape[1])),
            alpha=self.alpha,
        ).fit(table)
        self.estimator_ = self._base_estimator().fit(self._removed(X, table), y)
        return self

    def predict(self, X, *, sensitive_features=None):
        """Decisions on features from which the correlation is removed.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Numeric features.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample, one of ``groups_``. Required.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        X = self._transform(X, sensitive_features, "predict")
        return self.estimator_.predict(X)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X, *, sensitive_features=None):
        """Probability of each class by the fitted estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Numeric features.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample, one of ``groups_``. Required.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Columns follow ``classes_``.
        """
        X = self._transform(X, sensitive_features, "predict_proba")
        return self.estimator_.predict_proba(X)

    def _transform(self, X, sensitive_features, method):
        """Features at prediction as the estimator gets them."""
        X = self._samples(X)
        caller = f"{type(self).__name__}.{method}"
        codes = self._groups(X, sensitive_features, caller, _DOES)
        return self._removed(X, self._with_indicators(X, codes))

    def _with_indicators(self, X, codes):
        """Features, and a column for each group but the first."""
        numbers = as_numbers(X, type(self).__name__, _DOES)
        # The first is what is left: with its own column the indicators sum to one.
        indicators = codes[:, None] == np.arange(1, len(self.groups_))
        return np.column_stack([numbers, indicators])

    def _removed(self, X, table):
        """Features without the correlation, under the names they had."""
        numbers = self.remover_.transform(table)
        if not isinstance(X, pd.DataFrame):
            return numbers
        return pd.DataFrame(numbers, index=X.index, columns=X.columns)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = False
        return tags
