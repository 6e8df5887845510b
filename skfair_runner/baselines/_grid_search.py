"""fairlearn's GridSearch reduction as a classifier (Agarwal et al., ICML 2018)."""

import logging
import warnings
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
import pandas as pd
from fairlearn.reductions import GridSearch
from sklearn.utils.metaestimators import available_if

from skfair_runner.baselines._one_estimator import TrainsOneEstimator, _estimator_has
from skfair_runner.baselines._reductions import (
    MOMENTS,
    OnAllRows,
    check_compared_labels,
    without_pandas_warnings,
)
from skfair_runner.baselines._weighted import check_takes_weights
from skfair_runner.utils import Interval, SkfairRunnerWarning, StrOptions, fit_context


def choose_point(points, difference_bound, constraint_weight):
    """Position of the grid point whose classifier is kept.

    Parameters
    ----------
    points : DataFrame of shape (n_points, 3)
        With the columns ``error``, ``violation`` and ``difference``, each in [0, 1].

    difference_bound : float or None
        None weighs error against violation, as fairlearn does. Otherwise the smallest
        error among the points within the bound is taken, the smaller difference
        deciding ties; where none is within it, the smallest difference.

    constraint_weight : float
        Weight of the violation, in [0, 1]; that of the error is the rest.

    Returns
    -------
    position : int
        The first one, of equally good ones.

    Examples
    --------
    >>> points = pd.DataFrame(
    ...     {
    ...         "error": [0.1, 0.2, 0.3],
    ...         "violation": [0.3, 0.1, 0.05],
    ...         "difference": [0.6, 0.2, 0.1],
    ...     }
    ... )
    >>> choose_point(points, None, 0.5)
    1
    >>> choose_point(points, 0.1, 0.5)
    2
    """
    if difference_bound is None:
        weights = 1 - constraint_weight, constraint_weight
        loss = weights[0] * points["error"] + weights[1] * points["violation"]
        return int(np.argmin(loss))
    within = points["difference"] <= difference_bound + 1e-12  # rounded counts
    if not within.any():
        return int(np.argmin(points["difference"]))
    order = points[within].sort_values(["error", "difference"], kind="stable").index
    return points.index.get_loc(order[0])


class GridSearchReductionClassifier(TrainsOneEstimator):
    """The best of several classifiers, each trained under a fixed trade-off.

    A thin wrapper of :class:`fairlearn.reductions.GridSearch` [1]_ with the signature
    of this package. Lagrange multipliers are taken from a grid instead of being found;
    each point of the grid gives weights and labels on which `estimator` is trained, and
    one of the trained classifiers is kept. It decides without a lottery, and needs no
    groups to predict.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Classifier whose `fit` takes `sample_weight`, or a pipeline or search that ends
        in one. It is trained on labels 0 and 1, the favourable one being 1. None is
        ``RunnerFairClassifier(constraint=None)``, plain training of the default net.

    constraint : {"demographic_parity", "equalized_odds", \
            "true_positive_rate_parity", "false_positive_rate_parity"}, \
            default="demographic_parity"
        What must not depend on the group.

    difference_bound : float or None, default=None
        None keeps the classifier that fairlearn keeps, see `constraint_weight`. A
        number in [0, 1] keeps the most accurate one whose difference between groups,
        max − min, is at most that on the training data; where no point of the grid
        reaches it, the one with the smallest difference, with a warning. fairlearn
        itself does not look at bounds here.

    constraint_weight : float, default=0.5
        In [0, 1]. Without a `difference_bound`, the classifier with the smallest
        ``(1 - constraint_weight) * error + constraint_weight * violation`` on the
        training data is kept; the violation is the largest difference of a group's rate
        from the overall rate.

    grid_size : int, default=11
        Number of points, and thereby how often `estimator` is fitted; at least 2.

    grid_limit : float, default=2.0
        Largest multiplier; those of the grid lie between this and its negative.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {−1, 1}; other labels
        must be told for the rate parities.

    random_state : int, RandomState or None, default=None
        Seed of every `random_state` of `estimator` that is None. None takes fresh
        entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    estimator_ : estimator
        The classifier that was kept; it decides between 0 and 1. A
        :class:`~sklearn.dummy.DummyClassifier` where a grid point gives all samples one
        label.

    grid_results_ : DataFrame of shape (grid_size, 4)
        ``error``, ``violation``, ``difference`` on the training data, and ``selected``.

    favourable_ : int
        Position of the favourable label in ``classes_``.

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
    ExponentiatedGradientClassifier : Finds the multipliers; a randomised mixture.

    Notes
    -----
    The grid has one dimension for every group but one, for equalized odds twice as
    many, and takes exponentially more points to fill them. fairlearn takes the first
    `grid_size` points of a larger lattice: with two groups and demographic parity, odd
    sizes are symmetric about zero multipliers, which is plain training.

    `sample_weight` is not a parameter of `fit`: the algorithm makes its own weights.

    References
    ----------
    .. [1] A. Agarwal, A. Beygelzimer, M. Dudík, J. Langford, H. Wallach, "A reductions
       approach to fair classification", ICML 2018, section 3.4.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner.baselines import GridSearchReductionClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data[["experience", "interview"]]
    >>> clf = GridSearchReductionClassifier(LogisticRegression(), difference_bound=0.1)
    >>> clf = clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> kept = clf.grid_results_.query("selected")
    >>> bool(kept["difference"].item() <= 0.1)
    True
    """

    _takes_many_labels = False

    _parameter_constraints: dict = {
        **TrainsOneEstimator._parameter_constraints,
        "constraint": [StrOptions(set(MOMENTS))],
        "difference_bound": [Interval(Real, 0, 1, closed="both"), None],
        "constraint_weight": [Interval(Real, 0, 1, closed="both")],
        # fairlearn divides by zero for a single point.
        "grid_size": [Interval(Integral, 2, None, closed="left")],
        "grid_limit": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        estimator=None,
        constraint="demographic_parity",
        *,
        difference_bound=None,
        constraint_weight=0.5,
        grid_size=11,
        grid_limit=2.0,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.constraint = constraint
        self.difference_bound = difference_bound
        self.constraint_weight = constraint_weight
        self.grid_size = grid_size
        self.grid_limit = grid_limit
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train a classifier for each point of the grid, and keep one.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, or images, as `estimator` takes them.

        y : array-like of shape (n_samples,)
            Two labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required.

        Returns
        -------
        self : GridSearchReductionClassifier
            Fitted.

        Raises
        ------
        TypeError
            If `estimator` takes no weights.

        ValueError
            If there are not two labels; if groups are missing, misaligned or fewer than
            two; if a group has no sample with a label that the constraint looks at.

        Warns
        -----
        SkfairRunnerWarning
            If no point of the grid reaches `difference_bound`, or the grid has too few
            points to hold both signs of every multiplier.
        """
        X, _, task = self._read(X, y, sensitive_features)
        check_compared_labels(self, task)
        estimator = self._base_estimator()
        check_takes_weights(estimator, type(self).__name__)
        self._warn_of_a_small_grid()
        reduction = GridSearch(
            OnAllRows(estimator, X),
            MOMENTS[self.constraint][0](),
            constraint_weight=self.constraint_weight,
            grid_size=self.grid_size,
            grid_limit=self.grid_limit,
        )
        rows = np.arange(len(task.favoured)).reshape(-1, 1)
        with without_pandas_warnings(), _silent("fairlearn.reductions"):
            reduction.fit(rows, task.favoured, sensitive_features=task.groups.codes)
        points = _grid_points(reduction)
        kept = choose_point(points, self.difference_bound, self.constraint_weight)
        self.grid_results_ = points.assign(selected=np.arange(len(points)) == kept)
        predictor = reduction.predictors_[kept]
        self.estimator_ = getattr(predictor, "estimator_", predictor)
        self._warn_beyond_the_bound(points["difference"].iloc[kept])
        return self

    def predict(self, X):
        """Decisions of the classifier that was kept.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        X = self._samples(X)
        favoured = np.asarray(self.estimator_.predict(X)) == 1
        return self.classes_[np.where(favoured, self.favourable_, 1 - self.favourable_)]

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Probability of each label by the classifier that was kept.

        It was trained on other weights and labels than the data's, so these are scores
        rather than how probable a label is.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        proba : ndarray of shape (n_samples, 2), float64
            Columns follow ``classes_``.
        """
        X = self._samples(X)
        proba = self.estimator_.predict_proba(X)
        known = self.estimator_.classes_.tolist()
        if 1 in known:
            return self._columns(proba[:, known.index(1)])
        return self._columns(np.zeros(len(proba)))

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X):
        """Decision values of the classifier that was kept.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        values : ndarray of shape (n_samples,)
            Positive where the decision is ``classes_[1]``.
        """
        X = self._samples(X)
        values = self.estimator_.decision_function(X)
        return values if self.favourable_ == 1 else -values

    def _warn_of_a_small_grid(self):
        """Say it where the grid cannot hold both signs of every multiplier."""
        labels = MOMENTS[self.constraint][1] or (None,)
        n_multipliers = len(labels) * (len(self.groups_) - 1)
        if self.grid_size < 2**n_multipliers:
            warnings.warn(
                f"{type(self).__name__}: grid_size={self.grid_size} points for "
                f"{n_multipliers} multipliers ({len(self.groups_)} groups, "
                f"{self.constraint}) leave most directions out; at least "
                f"{2**n_multipliers} hold both signs of each. "
                "ExponentiatedGradientClassifier finds them instead.",
                SkfairRunnerWarning,
                stacklevel=4,
            )

    def _warn_beyond_the_bound(self, difference):
        """Say it where no point of the grid is within the bound."""
        bound = self.difference_bound
        if bound is not None and difference > bound + 1e-12:
            warnings.warn(
                f"{type(self).__name__}: none of the {self.grid_size} points of the "
                f"grid keeps to difference_bound={bound!r} on the training data; the "
                f"smallest difference, {difference:.3f}, was taken. Raise grid_size or "
                "grid_limit.",
                SkfairRunnerWarning,
                stacklevel=4,
            )


def _grid_points(reduction):
    """Error, violation and difference of every point, in the grid's order."""
    gammas = reduction.gammas_
    # By event and group; the other sign says the same.
    by_event = gammas.loc["+"].groupby(level="event")
    return pd.DataFrame(
        {
            "error": np.asarray(reduction.objectives_, dtype=float),
            "violation": gammas.max().to_numpy(),
            "difference": (by_event.max() - by_event.min()).max().to_numpy(),
        }
    )


@contextmanager
def _silent(name):
    """Log nothing below a level of errors; what matters is warned of."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
