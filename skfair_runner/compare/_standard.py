"""The classifiers that the command line compares, all around the same net."""

from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner.compare._methods import METHODS, MethodSettings, choose_methods
from skfair_runner.preprocessing import make_table_preprocessor


def standard_classifiers(
    constraint="demographic_parity",
    *,
    methods="quick",
    difference_bound=0.05,
    sensitive_columns=None,
    pos_label=None,
    max_iter=50,
    net_parameters=None,
    oracle_parameters=None,
):
    """Classifiers around the same net: plain, RUNNER, and other methods.

    Each is a pipeline that prepares a mixed table and leaves the sensitive columns out
    of the features; for prototypes it also scales them. "neuronfair_augmentation" alone
    keeps the sensitive columns, since it is about what changes with them.

    Parameters
    ----------
    constraint : {"demographic_parity", "equalized_odds", \
            "true_positive_rate_parity", "false_positive_rate_parity"}, \
            default="demographic_parity"
        What must not depend on the group. Handed to the methods that take it.

    methods : {"quick", "all"} or sequence of str, default="quick"
        "quick" is the plain net, RUNNER, and fairlearn's ExponentiatedGradient and
        ThresholdOptimizer; "all" every baseline that can be held to the constraint, but
        for the last four. Names are "unmitigated", "runner", "oversampling",
        "reweighing", "fair_smote", "gap_regularisation", "adversarial", "fair_neuron",
        "reject_option", "exponentiated_gradient", "grid_search", "threshold_optimizer",
        "correlation_remover", "prototypes", "fairlearn_adversarial", "faire", "fad",
        "neufair" and "neuronfair_augmentation".

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
        of all methods.

    oracle_parameters : dict or None, default=None
        Further ones for the net within ExponentiatedGradient and GridSearchReduction
        alone, which train it many times; fewer epochs, for instance.

    Returns
    -------
    classifiers : dict of str to Pipeline
        Unfitted, in the order of `methods`.

    Raises
    ------
    ValueError
        If there is no such method, or one that was named cannot take the constraint.

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
    settings = MethodSettings(
        constraint,
        difference_bound,
        pos_label,
        max_iter,
        net_parameters or {},
        oracle_parameters or {},
        sensitive_columns,
    )
    prepare = make_table_preprocessor(sensitive_columns=sensitive_columns)
    chosen = [METHODS[name] for name in choose_methods(methods, constraint)]
    return {
        each.label: Pipeline(
            [
                (
                    "prepare",
                    "passthrough" if each.takes_the_table else clone(prepare),
                ),
                # Not centred, so that sparse tables stay sparse.
                *[("scale", StandardScaler(with_mean=False))] * each.scaled,
                ("classify", each.build(settings)),
            ]
        )
        for each in chosen
    }
