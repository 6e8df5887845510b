"""fairlearn's PrototypeRepresentationLearner as a classifier (Zemel et al., 2013)."""

from numbers import Integral, Real

import numpy as np
from fairlearn.preprocessing import PrototypeRepresentationLearner
from sklearn.base import BaseEstimator, ClassifierMixin

from skfair_runner.baselines._numeric import as_numbers
from skfair_runner.baselines._one_estimator import TrainsOneEstimator
from skfair_runner.utils import HasMethods, Interval, StrOptions, fit_context

_DOES = "measures distances between samples and prototypes"


def spread_rows(cells, n_rows, seed):
    """Some of the samples, from every cell in proportion.

    Parameters
    ----------
    cells : ndarray of shape (n_samples,)
        Cell of each sample.

    n_rows : int
        How many, at least two.

    seed : int
        Which ones.

    Returns
    -------
    rows : ndarray of shape (min(n_rows, n_samples),)
        Their positions, ascending. The lowest and the highest cell are among them.

    Examples
    --------
    >>> import numpy as np
    >>> cells = np.repeat([0, 1, 2], [100, 50, 50])
    >>> np.bincount(cells[spread_rows(cells, 8, seed=0)])
    array([4, 2, 2])
    """
    if n_rows >= len(cells):
        return np.arange(len(cells))
    shuffled = np.lexsort((np.random.RandomState(seed).uniform(size=len(cells)), cells))
    steps = np.linspace(0, len(cells) - 1, n_rows).round().astype(int)
    return np.sort(shuffled[steps])


class _Vote(ClassifierMixin, BaseEstimator):
    """Decides by the prototypes' own predictions, weighted by membership."""

    def __init__(self, predictions=None):
        self.predictions = predictions

    def fit(self, memberships, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, memberships):
        # Sums of memberships leave [0, 1] by rounding.
        second = np.clip(memberships @ self.predictions, 0, 1)
        return np.column_stack([1 - second, second])

    def predict(self, memberships):
        return self.classes_[(self.predict_proba(memberships)[:, 1] > 0.5).astype(int)]


class PrototypeRepresentationClassifier(TrainsOneEstimator):
    r"""Classifier on how near a sample is to each of a few learned prototypes.

    A thin wrapper of :class:`fairlearn.preprocessing.PrototypeRepresentationLearner`,
    after Zemel et al. [1]_. Every sample is represented by its memberships, the softmax
    of its negative distances to the prototypes; prototypes, weights of the features in
    the distance and a prediction per prototype minimise

    .. math:: a_x \, L_{\text{reconstruction}} + a_y \, L_{\text{log loss}}
        + a_z \, \text{mean}_{k, g < h} \left| \bar{m}_{gk} - \bar{m}_{hk} \right|

    where :math:`\bar{m}_{gk}` is the mean membership of group g in prototype k. It aims
    at demographic parity, and needs no groups to predict.

    Parameters
    ----------
    estimator : estimator, "prototypes" or None, default=None
        Classifier that is trained on the memberships. "prototypes" trains none: the
        predictions of the prototypes, weighted by membership, decide, as in the paper.
        None is ``RunnerFairClassifier(constraint=None)``, plain training of the default
        net.

    n_prototypes : int, default=2
        Number of prototypes, at least 2.

    reconstruct_weight : float, default=1.0
        Weight :math:`a_x` of the squared error of rebuilding the features from the
        memberships, summed over features.

    target_weight : float, default=1.0
        Weight :math:`a_y` of the log loss.

    fairness_weight : float, default=1.0
        Weight :math:`a_z` of the groups' difference in mean membership.

    max_samples : int or None, default=2000
        Rows that prototypes are learned from, taken from every label × group in
        proportion; None takes all. The estimator is trained on all in any case.

    max_iter : int, default=100
        Largest number of L-BFGS iterations; fairlearn's own default is 1000.

    tol : float, default=1e-6
        Tolerance at which they end.

    pos_label : label or None, default=None
        The favourable label, which ``favourable_`` tells; training treats both labels
        alike.

    random_state : int, RandomState or None, default=None
        Seed of the rows and of the prototypes at the start, and of every `random_state`
        of `estimator` that is None. None takes fresh entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    learner_ : fairlearn.preprocessing.PrototypeRepresentationLearner
        Holds the prototypes; trained on the labels' positions in ``classes_``.

    estimator_ : estimator
        The classifier, fitted on the memberships; for "prototypes" one that only
        weighs their predictions.

    n_iter_ : int
        Iterations that the prototypes took.

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
    CorrelationRemoverClassifier : A linear representation, which needs groups at
        prediction.

    Notes
    -----
    Distances and errors of reconstruction depend on scales: standardise the features
    first, in a pipeline. The prototypes start inside the unit cube.

    fairlearn estimates the gradient by finite differences. One iteration evaluates the
    loss at least ``(n_features + 1) * n_prototypes + n_features + 1`` times, which
    takes seconds for a hundred features; hence the two limits.

    A few memberships say less than the features: accuracy falls, most of all with two
    prototypes, whose memberships are a single number.

    References
    ----------
    .. [1] R. Zemel, Y. Wu, K. Swersky, T. Pitassi, C. Dwork, "Learning fair
       representations", ICML 2013.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skfair_runner.baselines import PrototypeRepresentationClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=200, random_state=0)
    >>> X = StandardScaler().fit_transform(people.data[["experience", "interview"]])
    >>> clf = PrototypeRepresentationClassifier("prototypes", random_state=0)
    >>> clf = clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> clf.memberships(X).shape
    (200, 2)
    """

    _takes_many_labels = False

    _needs_columns = _DOES

    _parameter_constraints: dict = {
        **TrainsOneEstimator._parameter_constraints,
        "estimator": [
            HasMethods(["fit", "predict"]),
            StrOptions({"prototypes"}),
            None,
        ],
        "n_prototypes": [Interval(Integral, 2, None, closed="left")],
        "reconstruct_weight": [Interval(Real, 0, None, closed="left")],
        "target_weight": [Interval(Real, 0, None, closed="left")],
        "fairness_weight": [Interval(Real, 0, None, closed="left")],
        "max_samples": [Interval(Integral, 2, None, closed="left"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        estimator=None,
        *,
        n_prototypes=2,
        reconstruct_weight=1.0,
        target_weight=1.0,
        fairness_weight=1.0,
        max_samples=2000,
        max_iter=100,
        tol=1e-6,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.n_prototypes = n_prototypes
        self.reconstruct_weight = reconstruct_weight
        self.target_weight = target_weight
        self.fairness_weight = fairness_weight
        self.max_samples = max_samples
        self.max_iter = max_iter
        self.tol = tol
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Learn the prototypes, and train the estimator on the memberships.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Numeric features, finite and of like scales. Sparse ones become dense.

        y : array-like of shape (n_samples,)
            Two labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required.

        Returns
        -------
        self : PrototypeRepresentationClassifier
            Fitted.

        Raises
        ------
        ValueError
            If a feature is no number, missing or infinite; if there are not two labels;
            if groups are missing, misaligned or fewer than two.
        """
        X, y, task = self._read(X, y, sensitive_features)
        numbers = as_numbers(X, type(self).__name__, _DOES)
        rows = slice(None)
        if self.max_samples is not None:
            rows = spread_rows(task.cells, self.max_samples, self.seed_)
        self.learner_ = PrototypeRepresentationLearner(
            n_prototypes=self.n_prototypes,
            reconstruct_weight=self.reconstruct_weight,
            target_weight=self.target_weight,
            fairness_weight=self.fairness_weight,
            random_state=self.seed_,
            tol=self.tol,
            max_iter=self.max_iter,
        ).fit(
            numbers[rows],
            task.codes[rows],
            sensitive_features=task.groups.codes[rows],
        )
        self.n_iter_ = self.learner_.n_iter_
        estimator = self._base_estimator()
        if self.estimator == "prototypes":
            estimator.set_params(predictions=self.learner_.coef_)
        self.estimator_ = estimator.fit(self.learner_.transform(numbers), y)
        return self

    def memberships(self, X):
        """How near the samples are to each prototype.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Numeric features; no groups.

        Returns
        -------
        memberships : ndarray of shape (n_samples, n_prototypes)
            Positive; each row sums to one.
        """
        return self._samples(X)

    def _samples(self, X):
        """Memberships of the samples at prediction, which `estimator_` reads."""
        X = super()._samples(X)
        return self.learner_.transform(as_numbers(X, type(self).__name__, _DOES))

    def _estimator_or_net(self):
        """The estimator; for "prototypes", one that lets them vote."""
        if self.estimator == "prototypes":
            return _Vote()
        return super()._estimator_or_net()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = False
        return tags
