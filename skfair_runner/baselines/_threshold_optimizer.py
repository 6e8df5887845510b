"""fairlearn's ThresholdOptimizer as a classifier (Hardt, Price & Srebro, 2016)."""

from numbers import Real

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.base import BaseEstimator

from skfair_runner.baselines._base import DecidesByGroup, DecidesByLot, Mitigator
from skfair_runner.utils import HasMethods, Interval, StrOptions, fit_context

_CONSTRAINTS = {
    "demographic_parity",
    "equalized_odds",
    "true_positive_rate_parity",
    "false_positive_rate_parity",
}


class _Scores(BaseEstimator):
    """Estimator for fairlearn whose only feature is the score itself."""

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0]


class ThresholdOptimizerClassifier(DecidesByGroup, DecidesByLot, Mitigator):
    """Classifier whose scores are cut at a threshold of each group's own.

    A thin wrapper of :class:`fairlearn.postprocessing.ThresholdOptimizer` [1]_ with the
    signature of this package: string labels, named or crossed groups, any container of
    X, metadata routing on and off. **It needs the group of everybody it predicts for**,
    and treats people with the same score differently by it.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Classifier, or pipeline that ends in one, with `predict_proba`,
        `decision_function` or else `predict`. None is
        ``RunnerFairClassifier(constraint=None)``, plain training of the default net.

    constraint : {"demographic_parity", "equalized_odds", \
            "true_positive_rate_parity", "false_positive_rate_parity"}, \
            default="demographic_parity"
        What must not depend on the group.

    difference_bound : float or None, default=None
        Largest difference between groups, max − min, that is allowed on the training
        data, in [0, 1]; fairlearn's `tol`. None allows none. Equalized odds takes None
        only.

    objective : {"accuracy_score", "balanced_accuracy_score"}, default="accuracy_score"
        What is made as large as the constraint allows.

    prefit : bool, default=False
        Whether `estimator` is already fitted, on the same labels, and left as it is.
        Thresholds are then best fitted on data that it was not trained on.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {−1, 1}; other labels
        must be told for the rate parities.

    random_state : int, RandomState or None, default=None
        Seed of the lottery in `predict`, and of every `random_state` of `estimator`
        that is None, unless `prefit`. None takes fresh entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    estimator_ : estimator
        The fitted estimator.

    thresholder_ : fairlearn.postprocessing.ThresholdOptimizer
        Holds the thresholds: ``thresholder_.interpolated_thresholder_``, by the
        position of the group in ``groups_``.

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
    ExponentiatedGradientClassifier : Mixture of classifiers that needs no groups to
        predict.
    skfair_runner.SensitiveColumns : Reads the groups from columns of X, in `predict`
        too; needed in searches.

    Notes
    -----
    Between two thresholds of a group the decision is drawn. The n-th row of X gets the
    n-th draw, so the same X and seed give the same decisions, but one row that comes
    alone gets the first draw whoever it is. Predict all rows in one call.

    Without `prefit`, thresholds are fitted on the scores of the training data, as in
    fairlearn. Where the estimator knows these rows by heart, the thresholds fit new
    data less well.

    `sample_weight` is not a parameter of `fit`: fairlearn counts samples.

    References
    ----------
    .. [1] M. Hardt, E. Price, N. Srebro, "Equality of opportunity in supervised
       learning", NeurIPS 2016.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner.baselines import ThresholdOptimizerClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> from skfair_runner.metrics import demographic_parity_difference
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X, y = people.data.select_dtypes("number"), people.target
    >>> gender = people.sensitive_features["gender"]
    >>> clf = ThresholdOptimizerClassifier(LogisticRegression(), random_state=0)
    >>> clf = clf.fit(X, y, sensitive_features=gender)
    >>> y_pred = clf.predict(X, sensitive_features=gender)
    >>> bool(demographic_parity_difference(y, y_pred, sensitive_features=gender) < 0.01)
    True
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "constraint": [StrOptions(_CONSTRAINTS)],
        "difference_bound": [Interval(Real, 0, 1, closed="both"), None],
        "objective": [StrOptions({"accuracy_score", "balanced_accuracy_score"})],
        "prefit": ["boolean"],
        "pos_label": "no_validation",
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        constraint="demographic_parity",
        *,
        difference_bound=None,
        objective="accuracy_score",
        prefit=False,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.constraint = constraint
        self.difference_bound = difference_bound
        self.objective = objective
        self.prefit = prefit
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train the estimator, unless it is fitted, and find the thresholds.

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
        self : ThresholdOptimizerClassifier
            Fitted.

        Raises
        ------
        ValueError
            If there are not two labels; if groups are missing, misaligned or fewer than
            two; if a group lacks a label; if `difference_bound` is set for equalized
            odds; if a fitted estimator knows other labels, or there is none.
        """
        caller = f"{type(self).__name__}.fit"
        if self.constraint == "equalized_odds" and self.difference_bound is not None:
            raise ValueError(
                f"{caller}: fairlearn has thresholds for constraint='equalized_odds' "
                "that allow no difference only, but difference_bound="
                f"{self.difference_bound!r}: pass difference_bound=None."
            )
        X, y, task = self._read(X, y, sensitive_features)
        self._check_full_cells(task, "finds a threshold for every group")
        if self.prefit:
            self._check_prefit()
            self.estimator_ = self.estimator
        else:
            self.estimator_ = self._base_estimator().fit(X, y)
        self.thresholder_ = ThresholdOptimizer(
            estimator=_Scores(),
            constraints=self.constraint,
            objective=self.objective,
            prefit=True,
            predict_method="predict",
            tol=self.difference_bound,
        )
        self.thresholder_.fit(
            self._scores(X), task.favoured, sensitive_features=task.groups.codes
        )
        return self

    def predict_proba(self, X, *, sensitive_features=None):
        """Probability with which the lottery gives each label.

        Not how probable a label is: it is 0 or 1 unless the score of a sample lies
        between two thresholds of its group.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample, one of ``groups_``. Required.

        Returns
        -------
        proba : ndarray of shape (n_samples, 2), float64
            Columns follow ``classes_``.
        """
        return self._columns(self._probability(X, sensitive_features, "predict_proba"))

    def predict(self, X, *, sensitive_features=None):
        """Decide by the threshold of each sample's group.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample, one of ``groups_``. Required.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels; the same ones for the same X and groups.
        """
        return self._draw(self._probability(X, sensitive_features, "predict"))

    def _probability(self, X, sensitive_features, method):
        """Probability of the favourable label."""
        X = self._samples(X)
        caller = f"{type(self).__name__}.{method}"
        codes = self._groups(
            X,
            sensitive_features,
            caller,
            "cuts the scores at each group's threshold",
        )
        return self.thresholder_._pmf_predict(
            self._scores(X), sensitive_features=codes
        )[:, 1]

    def _scores(self, X):
        """Scores that rise with the favourable label, (n_samples, 1)."""
        favourable = self.classes_[self.favourable_]
        if hasattr(self.estimator_, "predict_proba"):
            position = list(self.estimator_.classes_).index(favourable)
            scores = self.estimator_.predict_proba(X)[:, position]
        elif hasattr(self.estimator_, "decision_function"):
            scores = self.estimator_.decision_function(X)
            scores = scores if self.favourable_ == 1 else -scores
        else:
            scores = self.estimator_.predict(X) == favourable
        # Of float32 scores, fairlearn 0.15 cannot make decisions under pandas 3.
        return np.asarray(scores, dtype=np.float64).reshape(-1, 1)
