"""The estimator as it is: what every method is compared with."""

from skfair_runner.baselines._one_estimator import TrainsOneEstimator
from skfair_runner.utils import fit_context


class UnmitigatedClassifier(TrainsOneEstimator):
    """Classifier that is trained plainly, whatever the groups.

    What a mitigator is compared with: the same estimator, on the same rows. Groups are
    accepted, so that it can stand in any mitigator's place, and do not matter.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Any classifier, or a pipeline that ends in one. None is
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
        Names of the groups, tuples where several columns are crossed. Absent where
        `fit` got no groups.

    estimator_ : estimator
        The fitted estimator.

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
    ReweighingClassifier : The same estimator on weighted samples.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner.baselines import UnmitigatedClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data[["experience", "interview"]]
    >>> clf = UnmitigatedClassifier(LogisticRegression())
    >>> clf.fit(X, people.target).predict(X).shape
    (500,)
    """

    _needs_groups = False

    def __init__(self, estimator=None, *, pos_label=None, random_state=None):
        self.estimator = estimator
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train the estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, or images, as `estimator` takes them.

        y : array-like of shape (n_samples,)
            Two or more labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample. Checked where given, and not used.

        Returns
        -------
        self : UnmitigatedClassifier
            Fitted.

        Raises
        ------
        ValueError
            If there is one label only; if groups are misaligned or partly missing.
        """
        X, y, _ = self._read(X, y, sensitive_features)
        self.estimator_ = self._base_estimator().fit(X, y)
        return self
