"""What the wrappers of fairlearn's mitigators share: labels, groups and the lottery."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_consistent_length, get_tags
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from skfair_runner._building import draw_seed
from skfair_runner._inputs import encode_labels, favourable_code
from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.groups import Groups, check_at_least_two, encode_groups
from skfair_runner.utils import SensitiveFeaturesRequestMixin
from skfair_runner.utils._columns import as_table

# Rates of one label depend on which label that is.
_NEED_THE_FAVOURABLE_LABEL = (
    "true_positive_rate_parity",
    "false_positive_rate_parity",
)


@dataclass(frozen=True)
class BinaryTask:
    """What fairlearn is given, besides the features.

    Attributes
    ----------
    favoured : ndarray of shape (n_samples,)
        1 for the favourable label, else 0.

    groups : Groups
        Group of each sample.
    """

    favoured: np.ndarray
    groups: Groups

    def counts(self) -> np.ndarray:
        """Samples without and with the favourable label, (2, n_groups)."""
        cells = self.favoured * self.groups.n_groups + self.groups.codes
        counts = np.bincount(cells, minlength=2 * self.groups.n_groups)
        return counts.reshape(2, self.groups.n_groups)


def seeded(estimator, seed):
    """Unfitted copy of an estimator, with a seed wherever it has none.

    Parameters
    ----------
    estimator : estimator
        With any number of parameters called `random_state`, nested ones also.

    seed : int
        Takes the place of those that are None.

    Returns
    -------
    estimator : estimator
        The copy.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> seeded(LogisticRegression(), 3)
    LogisticRegression(random_state=3)
    """
    estimator = clone(estimator)
    unset = [
        name
        for name, value in estimator.get_params(deep=True).items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    ]
    return estimator.set_params(**dict.fromkeys(unset, seed))


class Mitigator(SensitiveFeaturesRequestMixin, ClassifierMixin, BaseEstimator):
    """Base of the wrappers: reads the data, decides by lot.

    A subclass has the parameters `estimator`, `constraint`, `pos_label` and
    `random_state`.
    """

    needs_groups_at_predict = False
    is_randomised = True

    def _read(self, X, y, sensitive_features):
        """Table, labels, 0/1 labels and groups; sets what scikit-learn expects."""
        caller = f"{type(self).__name__}.fit"
        X = as_table(X, type(self).__name__)
        validate_data(self, X, skip_check_array=True)
        if y is None:
            raise ValueError(
                f"{caller} requires y to be passed, but the target y is None."
            )
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        codes, classes = encode_labels(y)
        if len(classes) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"multiclass: {caller} got the {len(classes)} labels "
                f"{classes[:5].tolist()}{' ...' * (len(classes) > 5)}; "
                "RunnerFairClassifier takes more than two."
            )
        needed_by = None
        if self.constraint in _NEED_THE_FAVOURABLE_LABEL:
            needed_by = f"constraint={self.constraint!r}"
        self.favourable_ = favourable_code(self.pos_label, classes, needed_by=needed_by)
        groups = encode_groups(sensitive_features, X, caller=caller)
        check_at_least_two(groups, caller)
        self.classes_, self.groups_ = classes, list(groups.names)
        self.seed_ = draw_seed(self.random_state)
        return X, y, BinaryTask((codes == self.favourable_).astype(int), groups)

    def _table(self, X):
        """X at prediction, with the columns that it had in `fit`."""
        check_is_fitted(self)
        X = as_table(X, type(self).__name__)
        validate_data(self, X, reset=False, skip_check_array=True)
        return X

    def _base_estimator(self):
        """Copy of the estimator to be fitted, seeded."""
        estimator = self.estimator
        if estimator is None:
            estimator = RunnerFairClassifier(constraint=None)
        return seeded(estimator, self.seed_)

    def _draw(self, probability):
        """Labels, the favourable one with the given probability."""
        # As in fairlearn, the n-th row gets the n-th draw.
        draws = np.random.RandomState(self.seed_).uniform(size=len(probability))
        favoured = probability >= draws
        return self.classes_[np.where(favoured, self.favourable_, 1 - self.favourable_)]

    def _columns(self, probability):
        """Probability of each class, from that of the favourable one."""
        # Sums of weights leave [0, 1] by rounding.
        favoured = np.clip(np.asarray(probability, dtype=np.float64), 0, 1)
        columns = np.column_stack([1 - favoured, favoured])
        return columns if self.favourable_ == 1 else columns[:, ::-1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        # One draw per row of X: another order of the rows, other decisions.
        tags.non_deterministic = True
        inner = get_tags(self.estimator or RunnerFairClassifier(constraint=None))
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        return tags
