"""The classifiers that the command line compares, all around the same net."""

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skfair_runner.baselines import (
    ExponentiatedGradientClassifier,
    ThresholdOptimizerClassifier,
)
from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.preprocessing import make_table_preprocessor


def standard_classifiers(
    constraint="demographic_parity",
    *,
    difference_bound=0.05,
    sensitive_columns=None,
    pos_label=None,
    max_iter=50,
    net_parameters=None,
    oracle_parameters=None,
):
    """Four classifiers on the same net: plain, RUNNER, and two of fairlearn's methods.

    Each is a pipeline that prepares a mixed table and leaves the sensitive columns out
    of the features.

    Parameters
    ----------
    constraint : {"demographic_parity", "equalized_odds", \
            "true_positive_rate_parity", "false_positive_rate_parity"}, \
            default="demographic_parity"
        What must not depend on the group.

    difference_bound : float, default=0.05
        Largest difference between groups, max − min, that is aimed at. For equalized
        odds, ThresholdOptimizer knows no bound and allows no difference.

    sensitive_columns : str, int, list or None, default=None
        Columns of X to leave out of the features.

    pos_label : label or None, default=None
        The favourable label, see :class:`~skfair_runner.RunnerFairClassifier`.

    max_iter : int, default=50
        Largest number of iterations of ExponentiatedGradient, each of which trains the
        net about three times.

    net_parameters : dict or None, default=None
        Further parameters of :class:`~skfair_runner.RunnerFairClassifier`, for the net
        of all four.

    oracle_parameters : dict or None, default=None
        Further ones for the net within ExponentiatedGradient alone, which trains it
        many times; fewer epochs, for instance.

    Returns
    -------
    classifiers : dict of str to Pipeline
        Unfitted, the unmitigated net first.

    Examples
    --------
    >>> from skfair_runner.compare import standard_classifiers
    >>> for name in standard_classifiers(sensitive_columns="sex"):
    ...     print(name)
    Unmitigated net
    RunnerFairClassifier
    ExponentiatedGradient
    ThresholdOptimizer
    """
    net_parameters = net_parameters or {}

    def net():
        return RunnerFairClassifier(
            constraint=None, pos_label=pos_label, **net_parameters
        )

    exact = constraint == "equalized_odds"
    last_steps = {
        "Unmitigated net": net(),
        "RunnerFairClassifier": RunnerFairClassifier(
            constraint,
            difference_bound=difference_bound,
            pos_label=pos_label,
            **net_parameters,
        ),
        "ExponentiatedGradient": ExponentiatedGradientClassifier(
            # It trains the net on labels 0 and 1.
            net().set_params(pos_label=None, **(oracle_parameters or {})),
            constraint,
            difference_bound=difference_bound,
            max_iter=max_iter,
            pos_label=pos_label,
        ),
        "ThresholdOptimizer": ThresholdOptimizerClassifier(
            net(),
            constraint,
            difference_bound=None if exact else difference_bound,
            pos_label=pos_label,
        ),
    }
    prepare = make_table_preprocessor(sensitive_columns=sensitive_columns)
    return {
        name: Pipeline([("prepare", clone(prepare)), ("classify", last_step)])
        for name, last_step in last_steps.items()
    }
