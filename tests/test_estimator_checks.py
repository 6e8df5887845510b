"""scikit-learn's common checks, in the plain and in the repaired setting."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from skfair_runner import RunnerFairClassifier

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
    pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning"),
]

REASON = (
    "asks for 1e-7 between trainings whose batches and dropout differ; whole-number "
    "weights equal repeated rows at float32's tolerance in test_classifier.py"
)
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": REASON,
    "check_sample_weight_equivalence_on_sparse_data": REASON,
}
# Few epochs, and enough of them for the accuracy that the checks ask for.
QUICK = {
    "warmup_epochs": 8,
    "max_epochs": 4,
    "lr": 0.02,
    "module__dropout": 0.1,
}


def groups_of(X):
    """A group for every row, by its values alone: equal rows belong to one group."""
    X = X.toarray() if sparse.issparse(X) else np.asarray(X)
    if X.ndim != 2 or X.dtype.kind not in "fiu":
        return np.arange(len(X)) // 2 % 2
    return np.unique(X, axis=0, return_inverse=True)[1].ravel() // 2 % 2


class GroupedByX(RunnerFairClassifier):
    """Finds the groups in X, so that the checks train with everything switched on."""

    def fit(self, X, y, *, sample_weight=None):
        groups = groups_of(X)
        return super().fit(X, y, sensitive_features=groups, sample_weight=sample_weight)

    def partial_fit(self, X, y, classes=None, *, sample_weight=None):
        return super().partial_fit(
            X,
            y,
            classes,
            sensitive_features=groups_of(X),
            sample_weight=sample_weight,
        )


ESTIMATORS = [
    RunnerFairClassifier(constraint=None, **QUICK),
    GroupedByX(**QUICK),
    GroupedByX(
        sampling="group",
        early_stopping=True,
        importance="weight",
        distance="wasserstein",
        difference_bound=None,
        output_weight=0.5,
        **QUICK,
    ),
]


@parametrize_with_checks(
    ESTIMATORS,
    # Strict, by the setting xfail_strict: one that passes is a failure.
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator", [RunnerFairClassifier(constraint=None), GroupedByX()], ids=str
)
def test_scikit_learn_checks_with_default_settings(estimator):
    results = check_estimator(estimator, on_fail=None)
    failed = {r["check_name"] for r in results if r["status"] == "failed"}
    assert failed == set(EXPECTED_FAILURES)
