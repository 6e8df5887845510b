"""What the baselines share: labels and groups, seeds, scikit-learn's contract."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import accuracy_score
from sklearn.utils import check_consistent_length, get_tags
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from skfair_runner._inputs import (
    check_image_shape,
    encode_labels,
    favourable_code,
    read_samples,
)
from skfair_runner._randomness import draw_seed
from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.groups import (
    Groups,
    cell_counts,
    check_at_least_two,
    check_same_indexes,
    encode_groups,
)
from skfair_runner.utils import SensitiveFeaturesRequestMixin, _columns

# Rates of one label depend on which label that is.
_NEED_THE_FAVOURABLE_LABEL = (
    "true_positive_rate_parity",
    "false_positive_rate_parity",
)


@dataclass(frozen=True)
class LabelsAndGroups:
    """What a method is told about the samples, besides their features.

    Attributes
    ----------
    codes : ndarray of shape (n_samples,), dtype int64
        Position of each label in `classes_`.

    favourable : int
        Position of the favourable label.

    groups : Groups or None
        Group of each sample; None where there are none and none are needed.
    """

    codes: np.ndarray
    favourable: int
    groups: Groups

    @property
    def favoured(self) -> np.ndarray:
        """1 for the favourable label, else 0."""
        return (self.codes == self.favourable).astype(int)

    @property
    def cells(self) -> np.ndarray:
        """Cell of each sample: its label's position times n_groups, plus its group."""
        return self.codes * self.groups.n_groups + self.groups.codes

    def take(self, rows) -> "LabelsAndGroups":
        """Those of some rows; all groups stay known."""
        groups = replace(self.groups, codes=self.groups.codes[rows])
        return replace(self, codes=self.codes[rows], groups=groups)

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
    if unset:  # a FrozenEstimator does not return itself
        estimator.set_params(**dict.fromkeys(unset, seed))
    return estimator


def take_rows(X, rows):
    """Rows of a table, or images, by position, in the container they came in.

    Parameters
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, ...), or Images
        A sparse matrix comes back as CSR; lazy images are not read.

    rows : ndarray of int or bool
        Positions, which may repeat, or a mask.

    Returns
    -------
    X : {ndarray, sparse matrix, DataFrame} or Images
        The rows; those of a DataFrame are numbered anew.

    Examples
    --------
    >>> take_rows(np.array([[1], [2], [3]]), np.array([2, 2]))
    array([[3],
           [3]])
    """
    part = _columns.take_rows(X, rows)
    return part.reset_index(drop=True) if isinstance(X, pd.DataFrame) else part


def check_full_cells(counts, classes, groups, begins):
    """Refuse a group that lacks a label.

    Parameters
    ----------
    counts : ndarray of shape (n_labels, n_groups)
        Samples by label and group.

    classes : ndarray of shape (n_labels,)
        The labels.

    groups : Groups
        The groups.

    begins : str
        Who asks, and what for; begins the error message.

    Raises
    ------
    ValueError
        If a cell is empty.
    """
    empty = np.argwhere(counts == 0)
    if len(empty):
        label, group = empty[0]
        raise ValueError(
            f"{begins}, but group {groups.labels[group]!r} has no sample with label "
            f"{classes.tolist()[label]!r}. Merge this group with another, or leave its "
            "samples out."
        )


class Mitigator(SensitiveFeaturesRequestMixin, ClassifierMixin, BaseEstimator):
    """Base of the baselines: reads the data, copies the estimator, answers checks.

    A subclass has the parameters `estimator`, `pos_label` and `random_state`, and
    perhaps `constraint`.
    """

    needs_groups_at_predict = False
    is_randomised = False
    # What `fit` can do without, and what it can deal with.
    _needs_groups = True
    _needs_the_favourable_label = False
    _takes_many_labels = False
    # What it does with the columns of a table, if it can do nothing with images.
    _needs_columns: str | None = None

    def _read(self, X, y, sensitive_features):
        """Samples, labels, and what they say; sets what scikit-learn expects."""
        caller = f"{type(self).__name__}.fit"
        check_same_indexes(X, caller, y=y, sensitive_features=sensitive_features)
        X = self._read_samples(X, reset=True)
        if y is None:
            raise ValueError(
                f"{caller} requires y to be passed, but the target y is None."
            )
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        codes, classes = encode_labels(y)
        if len(classes) > 2 and not self._takes_many_labels:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"multiclass: {caller} got the {len(classes)} labels "
                f"{classes[:5].tolist()}{' ...' * (len(classes) > 5)}; "
                "RunnerFairClassifier takes more than two."
            )
        needed_by = type(self).__name__ if self._needs_the_favourable_label else None
        constraint = getattr(self, "constraint", None)
        if constraint in _NEED_THE_FAVOURABLE_LABEL:
            needed_by = f"constraint={constraint!r}"
        self.favourable_ = favourable_code(self.pos_label, classes, needed_by=needed_by)
        groups = self._read_groups(X, sensitive_features, caller)
        self.classes_ = classes
        self.seed_ = draw_seed(self.random_state)
        return X, y, LabelsAndGroups(codes, self.favourable_, groups)

    def _read_groups(self, X, sensitive_features, caller):
        """Groups, at least two where the method needs them; None where absent."""
        vars(self).pop("groups_", None)
        if sensitive_features is None and not self._needs_groups:
            return None
        groups = encode_groups(sensitive_features, X, caller=caller)
        if self._needs_groups:
            check_at_least_two(groups, caller)
        self.groups_ = list(groups.names)
        return groups

    def _samples(self, X):
        """X at prediction, with the columns, or shape of images, that `fit` saw."""
        check_is_fitted(self)
        return self._read_samples(X, reset=False)

    def _read_samples(self, X, *, reset):
        """X, which is a table or holds images, for the estimator to read."""
        X, images = read_samples(X, type(self).__name__)
        if reset:
            vars(self).pop("image_shape_", None)
        if images is None:
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        if reset and self._needs_columns is not None:
            raise ValueError(
                f"{type(self).__name__}.fit {self._needs_columns}, but X holds "
                f"{len(images)} images of shape {images.shape[1:]}: pass a table, or "
                "use a method that leaves the features to its estimator, such as "
                "OversamplingClassifier or RunnerFairClassifier."
            )
        check_image_shape(self, images, reset=reset)
        validate_data(self, images, reset=reset, skip_check_array=True)
        return X

    def _base_estimator(self):
        """Copy of the estimator to be fitted, seeded."""
        return seeded(self._estimator_or_net(), self.seed_)

    def _estimator_or_net(self):
        """The estimator or, where it is None, the net that all baselines share."""
        if self.estimator is None:
            return RunnerFairClassifier(constraint=None)
        return self.estimator

    def _columns(self, probability):
        """Probability of each class, from that of the favourable one."""
        # Sums of weights leave [0, 1] by rounding.
        favoured = np.clip(np.asarray(probability, dtype=np.float64), 0, 1)
        columns = np.column_stack([1 - favoured, favoured])
        return columns if self.favourable_ == 1 else columns[:, ::-1]

    def _check_full_cells(self, task, does):
        """Refuse a group that lacks a label; `does` says what for."""
        check_full_cells(
            cell_counts(
                task.codes, task.groups.codes, len(self.classes_), task.groups.n_groups
            ),
            self.classes_,
            task.groups,
            f"{type(self).__name__}.fit {does}",
        )

    def _check_prefit(self):
        """Refuse an absent or unfitted estimator, or one with other labels."""
        caller = f"{type(self).__name__}.fit"
        if self.estimator is None:
            raise ValueError(
                f"{caller}: prefit=True needs a fitted estimator, but estimator=None."
            )
        check_is_fitted(self.estimator)
        known = np.asarray(self.estimator.classes_).tolist()
        if known != self.classes_.tolist():
            raise ValueError(
                f"{caller}: the fitted estimator knows the labels {known}, but y has "
                f"{self.classes_.tolist()}: pass the labels that it was trained on."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Not `estimator or ...`: an unfitted ensemble has no length, hence no truth.
        inner = get_tags(self._estimator_or_net())
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.classifier_tags.multi_class = self._takes_many_labels and (
            inner.classifier_tags is not None and inner.classifier_tags.multi_class
        )
        return tags


class DecidesByLot:
    """Mixin of the mitigators whose decisions are drawn; goes before `Mitigator`."""

    is_randomised = True

    def _draw(self, probability):
        """Labels, the favourable one with the given probability."""
        # As in fairlearn, the n-th row gets the n-th draw.
        draws = np.random.RandomState(self.seed_).uniform(size=len(probability))
        favoured = probability >= draws
        return self.classes_[np.where(favoured, self.favourable_, 1 - self.favourable_)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # One draw per row of X: another order of the rows, other decisions.
        tags.non_deterministic = True
        return tags


class DecidesByGroup:
    """Mixin of the mitigators that need groups to predict; before `Mitigator`."""

    needs_groups_at_predict = True

    # As in the mixin for `fit`: pipelines hand the groups on with routing switched on.
    __metadata_request__predict = {"sensitive_features": True}
    __metadata_request__predict_proba = {"sensitive_features": True}
    __metadata_request__score = {"sensitive_features": True}

    def score(self, X, y, *, sensitive_features=None, sample_weight=None):
        """Accuracy of `predict`.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features.

        y : array-like of shape (n_samples,)
            Labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample. Required.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        score : float
            In [0, 1].
        """
        y_pred = self.predict(X, sensitive_features=sensitive_features)
        return accuracy_score(y, y_pred, sample_weight=sample_weight)

    def _groups(self, X, sensitive_features, caller, does):
        """Codes of the groups at prediction, each of them one that `fit` saw."""
        if sensitive_features is None:
            raise ValueError(
                f"{caller} {does}, so `sensitive_features` is required here too: pass "
                "one value per row, or use SensitiveColumns, which reads them from "
                "columns of X."
            )
        groups = encode_groups(sensitive_features, X, names=self.groups_, caller=caller)
        return groups.codes
