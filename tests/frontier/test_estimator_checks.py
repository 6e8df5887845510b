"""scikit-learn's common checks of a front, with groups found in X."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.utils.estimator_checks import parametrize_with_checks

from skfair_runner import RunnerFairClassifier, RunnerFrontier

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
    pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning"),
]
QUICK = {"warmup_epochs": 8, "max_epochs": 6, "lr": 0.02, "module__dropout": 0.1}
EXPECTED_FAILURES: dict[str, str] = {}


class GroupedByX(RunnerFrontier):
    """Finds the groups in X: equal rows belong to one group."""

    def fit(self, X, y):
        return super().fit(X, y, sensitive_features=groups_of(X))


def groups_of(X):
    """A group for every row, by its values alone."""
    X = X.toarray() if sparse.issparse(X) else np.asarray(X)
    if X.ndim != 2 or X.dtype.kind not in "fiu":
        return np.arange(len(X)) // 2 % 2
    return np.unique(X, axis=0, return_inverse=True)[1].ravel() // 2 % 2


@parametrize_with_checks(
    [GroupedByX(RunnerFairClassifier(**QUICK), select=1.0, n_points=3, n_bootstrap=5)],
    # Strict, by the setting xfail_strict: one that passes is a failure.
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
