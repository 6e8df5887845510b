"""fairlearn's ExponentiatedGradient as a classifier (Agarwal et al., ICML 2018)."""

from numbers import Integral, Real

import numpy as np
from fairlearn.reductions import ExponentiatedGradient

from skfair_runner.baselines._base import DecidesByLot, Mitigator
from skfair_runner.baselines._reductions import (
    MOMENTS,
    OnAllRows,
    check_compared_labels,
    without_pandas_warnings,
)
from skfair_runner.baselines._weighted import check_takes_weights
from skfair_runner.utils import HasMethods, Interval, StrOptions, fit_context


def bound_on_each_group(difference_bound, counts, labels):
    r"""Fairlearn's bound, of each group against all, from a bound on max − min.

    Of two groups with the shares :math:`p_0 + p_1 = 1` and rates :math:`d` apart, the
    one with the smaller share is :math:`\max(p_0, p_1)\,d` away from the overall rate,
    and the other is nearer. More groups are held within half of the bound.

    Parameters
    ----------
    difference_bound : float
        Largest difference between groups, in [0, 1].

    counts : ndarray of shape (2, n_groups)
        Samples by label (0, 1) and group.

    labels : tuple of int or None
        Labels within which groups are compared; None for everybody.

    Returns
    -------
    bound : float
        In [0, `difference_bound`]. Under it no difference exceeds `difference_bound`;
        of two groups, with as many of each in every label, it is no stricter than that.

    Examples
    --------
    >>> import numpy as np
    >>> bound_on_each_group(0.5, np.array([[30, 10], [45, 15]]), None)
    0.375
    >>> bound_on_each_group(0.5, np.array([[3, 3, 3], [4, 4, 4]]), (0, 1))
    0.25
    """
    if counts.shape[1] > 2:
        return difference_bound / 2
    populations = counts.sum(0, keepdims=True) if labels is None else counts[[*labels]]
    shares = populations.max(axis=1) / populations.sum(axis=1)
    return float(difference_bound * shares.min())


class ExponentiatedGradientClassifier(DecidesByLot, Mitigator):
    """Randomised mixture of classifiers, each trained on reweighted samples.

    A thin wrapper of :class:`fairlearn.reductions.ExponentiatedGradient` [1]_ with the
    signature of this package: string labels, named or crossed groups, any container of
    X, metadata routing on and off. It needs no groups to predict.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Classifier, or pipeline that ends in one, whose `fit` takes `sample_weight`. It
        is trained on labels 0 and 1, the favourable one being 1. None is
        ``RunnerFairClassifier(constraint=None)``, plain training of the default net.

    constraint : {"demographic_parity", "equalized_odds", \
            "true_positive_rate_parity", "false_positive_rate_parity"}, \
            default="demographic_parity"
        What must not depend on the group.

    difference_bound : float, default=0.05
        Largest difference between groups, max − min, that is aimed at on the training
        data, in [0, 1]. fairlearn bounds the difference of each group from the overall
        rate instead, see Notes.

    eps : float, default=0.01
        fairlearn's `eps`: its multipliers sum to less than ``1 / eps``. Smaller values
        insist more on the bound, and converge more slowly.

    max_iter : int, default=50
        Largest number of iterations, and thereby the cap on the calls of the oracle,
        that is, on how often `estimator` is fitted: in general 3 times per iteration,
        never more than 9 times. Few iterations leave a mixture of few classifiers,
        which may miss the bound.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {−1, 1}; other labels
        must be told for the rate parities.

    random_state : int, RandomState or None, default=None
        Seed of the lottery in `predict`, and of every `random_state` of `estimator`
        that is None. None takes fresh entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    estimators_ : list of estimators
        Fitted classifiers of the mixture, those of weight zero left out.

    weights_ : ndarray of shape (n_estimators,)
        Probability of each of them; sums to one.

    bound_on_each_group_ : float
        What fairlearn was given as its `difference_bound`.

    n_oracle_calls_ : int
        How often `estimator` was fitted.

    n_iter_ : int
        Number of iterations.

    favourable_ : int
        Position of the favourable label in ``classes_``.

    seed_ : int
        Seed of the lottery.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had string column names.

    image_shape_ : tuple of int
        (channels, height, width), where X held images.

    See Also
    --------
    ThresholdOptimizerClassifier : Thresholds per group, after training.

    Notes
    -----
    Every decision is drawn: a member of the mixture is picked at random for each row,
    and its decision counts. The n-th row of X gets the n-th draw, so the same X and
    seed give the same decisions, but one row that comes alone gets the first draw
    whoever it is. Predict all rows in one call.

    fairlearn bounds :math:`|r_g - r|`, a group's rate against the overall rate. For two
    groups whose larger one has the share :math:`p`, a difference of max − min = b is
    :math:`pb`, which is what fairlearn gets (for equalized odds the smaller :math:`p`
    of the two labels); for more groups it gets b/2, which is strict enough in any case.

    `sample_weight` is not a parameter of `fit`: the algorithm makes its own weights.

    References
    ----------
    .. [1] A. Agarwal, A. Beygelzimer, M. Dudík, J. Langford, H. Wallach, "A reductions
       approach to fair classification", ICML 2018.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner.baselines import ExponentiatedGradientClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data[["experience", "interview"]]
    >>> clf = ExponentiatedGradientClassifier(
    ...     LogisticRegression(), max_iter=5, random_state=0
    ... )
    >>> clf = clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> clf.predict(X).shape
    (500,)
    >>> round(float(clf.weights_.sum()), 6)
    1.0
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "constraint": [StrOptions(set(MOMENTS))],
        "difference_bound": [Interval(Real, 0, 1, closed="both")],
        "eps": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "pos_label": "no_validation",
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        constraint="demographic_parity",
        *,
        difference_bound=0.05,
        eps=0.01,
        max_iter=50,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.constraint = constraint
        self.difference_bound = difference_bound
        self.eps = eps
        self.max_iter = max_iter
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train the mixture.

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
        self : ExponentiatedGradientClassifier
            Fitted.

        Raises
        ------
        TypeError
            If `estimator` takes no weights.

        ValueError
            If there are not two labels; if groups are missing, misaligned or fewer than
            two; if a group has no sample with a label that the constraint looks at.
        """
        X, _, task = self._read(X, y, sensitive_features)
        moment, labels = MOMENTS[self.constraint]
        check_compared_labels(self, task)
        estimator = self._base_estimator()
        check_takes_weights(estimator, type(self).__name__)
        bound = bound_on_each_group(self.difference_bound, task.counts(), labels)
        reduction = ExponentiatedGradient(
            OnAllRows(estimator, X),
            moment(difference_bound=bound),
            eps=self.eps,
            max_iter=self.max_iter,
        )
        rows = np.arange(len(task.favoured)).reshape(-1, 1)
        with without_pandas_warnings():
            reduction.fit(rows, task.favoured, sensitive_features=task.groups.codes)
        weights = reduction.weights_[reduction.weights_ > 0]
        self.weights_ = weights.to_numpy()
        self.estimators_ = [
            getattr(predictor, "estimator_", predictor)
            for predictor in reduction.predictors_[weights.index]
        ]
        self.bound_on_each_group_ = bound
        self.n_oracle_calls_ = reduction.n_oracle_calls_
        self.n_iter_ = int(reduction.last_iter_) + 1
        return self

    def predict_proba(self, X):
        """Probability with which the lottery gives each label.

        Not how probable a label is: it is the weight of the members of the mixture that
        decide for it, and takes few different values.

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
        decisions = np.column_stack([each.predict(X) for each in self.estimators_])
        return self._columns(decisions @ self.weights_)

    def predict(self, X):
        """Draw a decision for each sample; the same ones for the same X.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        return self._draw(self.predict_proba(X)[:, self.favourable_])
