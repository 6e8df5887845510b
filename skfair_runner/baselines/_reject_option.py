"""Reject option classification (Kamiran, Karim & Zhang, ICDM 2012)."""

import warnings
from numbers import Real

import numpy as np

from skfair_runner.baselines._base import DecidesByGroup, Mitigator, take_rows
from skfair_runner.baselines._rejection import (
    best_theta,
    evaluate_thetas,
    find_disadvantaged,
    reject_option_scores,
    theta_candidates,
)
from skfair_runner.groups import check_no_empty_cell
from skfair_runner.utils import (
    HasMethods,
    Interval,
    SkfairRunnerWarning,
    StrOptions,
    fit_context,
)

# Labels (0, 1: the favourable one) within which groups are compared; None: everybody.
_WITHIN = {
    "demographic_parity": None,
    "equalized_odds": (0, 1),
    "true_positive_rate_parity": (1,),
    "false_positive_rate_parity": (0,),
}


class RejectOptionClassifier(DecidesByGroup, Mitigator):
    r"""Classifier whose least confident decisions are made by the group.

    Where :math:`\max(p, 1 - p) < \theta`, members of the disadvantaged groups get the
    favourable label and all others the unfavourable one; elsewhere the estimator's
    decision stands [1]_. **It needs the group of everybody it predicts for**, and
    treats people with the same score differently by it.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Classifier, or pipeline that ends in one, with `predict_proba`. None is
        ``RunnerFairClassifier(constraint=None)``, plain training of the default net.

    constraint : str, default="demographic_parity"
        Whose difference is bounded, and reported: "demographic_parity",
        "equalized_odds" (the larger of the two rates' differences),
        "true_positive_rate_parity" or "false_positive_rate_parity".

    theta : float or "auto", default="auto"
        Confidence below which the group decides, in (0.5, 1]. "auto" takes the one of
        the highest balanced accuracy among those that keep to `difference_bound`.

    difference_bound : float, default=0.05
        Largest difference between groups, max − min, that is aimed at, in [0, 1], on
        the rows on which `theta` is chosen. A given `theta` is not changed by it.

    validation_fraction : float or None, default=None
        Share of the rows, in (0, 1), that the estimator is not trained on, and that
        `theta` and the disadvantaged groups are chosen on instead of the training data.
        For estimators that know their training data by heart.

    prefit : bool, default=False
        Whether `estimator` is already fitted, on the same labels, and left as it is.
        Then `theta` is best chosen on data that it was not trained on.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {−1, 1}; other labels
        must be told.

    random_state : int, RandomState or None, default=None
        Seed of the held-out rows, and of every `random_state` of `estimator` that is
        None, unless `prefit`. None takes fresh entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    estimator_ : estimator
        The fitted estimator.

    theta_ : float
        Confidence below which the group decides; 0.5 where it never does.

    disadvantaged_ : list
        The groups that get the favourable label there: those that the estimator selects
        at a rate below the overall one. Empty where all rates are equal; then no
        decision is changed.

    difference_ : float
        Difference between groups that is left on the rows of the choice.

    balanced_accuracy_ : float
        Balanced accuracy on these rows.

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

    Warns
    -----
    SkfairRunnerWarning
        By `fit`, if no theta keeps to `difference_bound`. It takes the one of the
        smallest difference, and says which difference that is.

    See Also
    --------
    ThresholdOptimizerClassifier : A threshold of each group's own, by lot where needed.
    skfair_runner.SensitiveColumns : Reads the groups from columns of X, in `predict`
        too; needed in searches.

    Notes
    -----
    The larger theta, the more decisions are made by the group alone: at 1 all but the
    certain ones. The difference falls, and then grows again the other way round; what
    is bounded and minimised is its size, whichever group is ahead.

    `sample_weight` is not a parameter of `fit`.

    References
    ----------
    .. [1] F. Kamiran, A. Karim, X. Zhang, "Decision theory for discrimination-aware
       classification", ICDM 2012, section III-A.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner.baselines import RejectOptionClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> from skfair_runner.metrics import demographic_parity_difference
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X, y = people.data.select_dtypes("number"), people.target
    >>> gender = people.sensitive_features["gender"]
    >>> clf = RejectOptionClassifier(LogisticRegression(max_iter=1000))
    >>> clf = clf.fit(X, y, sensitive_features=gender)
    >>> clf.disadvantaged_
    ['female']
    >>> y_pred = clf.predict(X, sensitive_features=gender)
    >>> bool(demographic_parity_difference(y, y_pred, sensitive_features=gender) < 0.05)
    True
    """

    _needs_the_favourable_label = True

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "constraint": [StrOptions(set(_WITHIN))],
        "theta": [StrOptions({"auto"}), Interval(Real, 0.5, 1, closed="right")],
        "difference_bound": [Interval(Real, 0, 1, closed="both")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "prefit": ["boolean"],
        "pos_label": "no_validation",
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        constraint="demographic_parity",
        *,
        theta="auto",
        difference_bound=0.05,
        validation_fraction=None,
        prefit=False,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.constraint = constraint
        self.theta = theta
        self.difference_bound = difference_bound
        self.validation_fraction = validation_fraction
        self.prefit = prefit
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train the estimator, unless it is fitted, and find theta.

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
        self : RejectOptionClassifier
            Fitted.

        Raises
        ------
        TypeError
            If `estimator` has no `predict_proba`.

        ValueError
            If there are not two labels, or it is not told which is the favourable one;
            if groups are missing, misaligned or fewer than two; if a group has no
            sample with a label that the constraint looks at; if a fitted estimator
            knows other labels, or there is none, or rows are to be held out from it.
        """
        X, y, task = self._read(X, y, sensitive_features)
        self._check(task)
        if self.prefit:
            self.estimator_ = self.estimator
        else:
            held_out = self._hold_out(task)
            kept = ~held_out if held_out.any() else slice(None)
            self.estimator_ = self._base_estimator().fit(take_rows(X, kept), y[kept])
            if held_out.any():
                X, task = take_rows(X, held_out), task.take(held_out)
        self._choose(self._scores(X), task)
        self._warn_if_missed()
        return self

    def predict_proba(self, X, *, sensitive_features=None):
        """Probability of each label, mirrored where the group decides.

        There, the label that is given gets the larger of the estimator's two
        probabilities, so that the most probable label is always the one of `predict`.
        Elsewhere they are the estimator's.

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
        return self._columns(self._decided(X, sensitive_features, "predict_proba"))

    def predict(self, X, *, sensitive_features=None):
        """Decide by the estimator where it is confident, and else by the group.

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
            Labels.
        """
        columns = self._columns(self._decided(X, sensitive_features, "predict"))
        return self.classes_[columns.argmax(axis=1)]

    def _decided(self, X, sensitive_features, method):
        """Scores of the favourable label after the group has decided."""
        X = self._samples(X)
        caller = f"{type(self).__name__}.{method}"
        codes = self._groups(
            X, sensitive_features, caller, "lets the group decide where it is unsure"
        )
        disadvantaged = np.array([name in self.disadvantaged_ for name in self.groups_])
        return reject_option_scores(self._scores(X), disadvantaged[codes], self.theta_)

    def _scores(self, X):
        """Probability of the favourable label by the estimator."""
        favourable = self.classes_[self.favourable_]
        position = list(self.estimator_.classes_).index(favourable)
        return np.asarray(self.estimator_.predict_proba(X), np.float64)[:, position]

    def _choose(self, scores, task):
        """Find who is disadvantaged, theta, and what it leads to."""
        plain = self._columns(scores).argmax(axis=1) == self.favourable_
        codes, n_groups = task.groups.codes, task.groups.n_groups
        disadvantaged = find_disadvantaged(plain, codes, n_groups)
        self.disadvantaged_ = [self.groups_[k] for k in np.flatnonzero(disadvantaged)]
        if not disadvantaged.any():
            thetas = np.array([0.5])
        elif self.theta == "auto":
            thetas = theta_candidates(scores)
        else:
            thetas = np.array([self.theta], dtype=np.float64)
        difference, balanced_accuracy = evaluate_thetas(
            thetas, scores, plain, task, disadvantaged, _WITHIN[self.constraint]
        )
        best = best_theta(difference, balanced_accuracy, self.difference_bound)
        self.theta_ = float(thetas[best])
        self.difference_ = float(difference[best])
        self.balanced_accuracy_ = float(balanced_accuracy[best])

    def _warn_if_missed(self):
        """Say that the bound could not be met, and what came of it."""
        if self.theta != "auto" or self.difference_ <= self.difference_bound + 1e-9:
            return
        warnings.warn(
            f"{type(self).__name__}: no theta keeps the difference of "
            f"{self.constraint!r} within difference_bound={self.difference_bound!r}. "
            f"The smallest one is {self.difference_:.3f}, at theta={self.theta_:.3f}, "
            f"with a balanced accuracy of {self.balanced_accuracy_:.3f}: raise the "
            "bound, or use another estimator or method.",
            SkfairRunnerWarning,
            # The caller of fit, beyond scikit-learn's wrapper.
            stacklevel=4,
        )

    def _hold_out(self, task):
        """Rows that theta is chosen on alone: of every cell the same share."""
        held_out = np.zeros(len(task.codes), dtype=bool)
        if self.validation_fraction is None:
            return held_out
        random_state = np.random.RandomState(self.seed_)
        for cell in np.unique(task.cells):
            rows = random_state.permutation(np.flatnonzero(task.cells == cell))
            held_out[rows[: max(1, round(self.validation_fraction * len(rows)))]] = True
        return held_out

    def _check(self, task):
        """Refuse what does not go together."""
        caller = f"{type(self).__name__}.fit"
        if self.prefit:
            self._check_prefit()
            if self.validation_fraction is not None:
                raise ValueError(
                    f"{caller}: prefit=True trains nothing, so no rows can be held out "
                    f"by validation_fraction={self.validation_fraction!r}: pass None, "
                    "and data that the estimator was not trained on."
                )
        estimator = self._estimator_or_net()
        if not hasattr(estimator, "predict_proba"):
            raise TypeError(
                f"{caller} looks for decisions that are unsure, but "
                f"{type(estimator).__name__} has no predict_proba: use a classifier "
                "with probabilities, or CalibratedClassifierCV around this one."
            )
        labels = _WITHIN[self.constraint]
        if labels is not None:
            names = self.classes_ if self.favourable_ == 1 else self.classes_[::-1]
            check_no_empty_cell(
                task.counts()[[*labels]],
                names[[*labels]],
                self.groups_,
                caller,
                f"constraint={self.constraint!r}",
            )
