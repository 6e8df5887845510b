"""What the wrappers of fairlearn's reductions share."""

import warnings
from contextlib import contextmanager

import numpy as np
from fairlearn.reductions import (
    DemographicParity,
    EqualizedOdds,
    FalsePositiveRateParity,
    TruePositiveRateParity,
)
from sklearn.base import BaseEstimator, clone

from skfair_runner.baselines._weighted import fit_weighted
from skfair_runner.groups import check_no_empty_cell

# fairlearn's class, and the labels within which it compares groups.
MOMENTS = {
    "demographic_parity": (DemographicParity, None),
    "equalized_odds": (EqualizedOdds, (0, 1)),
    "true_positive_rate_parity": (TruePositiveRateParity, (1,)),
    "false_positive_rate_parity": (FalsePositiveRateParity, (0,)),
}


class OnAllRows(BaseEstimator):
    """Estimator for fairlearn, which hands it row numbers in place of the rows.

    fairlearn reads dense arrays only; so X may be whatever the estimator takes.
    """

    def __init__(self, estimator, X):
        self.estimator = estimator
        self.X = X

    def __sklearn_clone__(self):
        return type(self)(self.estimator, self.X)  # X is not copied

    def __deepcopy__(self, memo):
        return self.__sklearn_clone__()

    def fit(self, rows, y, sample_weight):
        """Fit a copy of the estimator on all rows."""
        self.estimator_ = fit_weighted(
            clone(self.estimator), self.X, np.asarray(y), np.asarray(sample_weight)
        )
        # fairlearn asks for the decisions on all rows several times.
        self.decisions_ = np.asarray(self.estimator_.predict(self.X))
        return self

    def predict(self, rows):
        """Decisions on all rows."""
        return self.decisions_


def check_compared_labels(clf, task):
    """Refuse a group without a label that the constraint looks at.

    Parameters
    ----------
    clf : Mitigator
        With a `constraint`; its `_read` has been called.

    task : LabelsAndGroups
        Labels and groups.

    Raises
    ------
    ValueError
        If there is such a group.
    """
    labels = MOMENTS[clf.constraint][1]
    if labels is None:
        return
    names = clf.classes_ if clf.favourable_ == 1 else clf.classes_[::-1]
    check_no_empty_cell(
        task.counts()[[*labels]],
        names[[*labels]],
        clf.groups_,
        f"{type(clf).__name__}.fit",
        f"constraint={clf.constraint!r}",
    )


@contextmanager
def without_pandas_warnings():
    """Leave out what pandas says about fairlearn 0.15, and will no longer allow."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning):
            warnings.filterwarnings("ignore", "", category, module="fairlearn")
        yield
