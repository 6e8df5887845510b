"""Group metrics of decisions, in fairlearn's words and with fairlearn's results."""

from skfair_runner.metrics.rates import (
    compute_rates,
    difference,
    odds_difference,
    selection_ratio,
)


def demographic_parity_difference(
    y_true,
    y_pred,
    *,
    sensitive_features,
    sample_weight=None,
    pos_label=None,
):
    """Largest difference in selection rate between any two groups.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels; they tell which labels there are, and nothing else here.

    y_pred : array-like of shape (n_samples,)
        Decisions, in the same labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each sample; several columns are crossed. An encoded
        `skfair_runner.groups.Groups` is taken as it is.

    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample; None weighs all the same.

    pos_label : int, bool or str, default=None
        The favourable label. None takes the larger of {0, 1}, {False, True}
        and {-1, 1}, and with more than two labels compares every class with
        the rest and returns the largest difference.

    Returns
    -------
    difference : float
        In [0, 1]; 0 when all groups are selected at the same rate.

    Raises
    ------
    ValueError
        If the favourable label is not known, scores are passed in place of
        decisions, or fewer than two groups are present.

    Examples
    --------
    >>> from skfair_runner.metrics import demographic_parity_difference
    >>> y_true = [0, 0, 1, 1, 0, 0, 1, 1]
    >>> y_pred = [0, 1, 1, 1, 0, 0, 0, 1]
    >>> groups = ["a", "a", "a", "a", "b", "b", "b", "b"]
    >>> demographic_parity_difference(y_true, y_pred, sensitive_features=groups)
    0.5
    """
    rates = compute_rates(
        y_true,
        y_pred,
        sensitive_features,
        sample_weight,
        pos_label,
        "demographic_parity_difference",
        within_labels=False,
    )
    return float(difference(rates.selection_rate).max())


def demographic_parity_ratio(
    y_true,
    y_pred,
    *,
    sensitive_features,
    sample_weight=None,
    pos_label=None,
):
    """Smallest selection rate of a group over the largest one.

    Also known as disparate impact.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels; they tell which labels there are, and nothing else here.

    y_pred : array-like of shape (n_samples,)
        Decisions, in the same labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each sample; several columns are crossed. An encoded
        `skfair_runner.groups.Groups` is taken as it is.

    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample; None weighs all the same.

    pos_label : int, bool or str, default=None
        The favourable label. None takes the larger of {0, 1}, {False, True}
        and {-1, 1}, and with more than two labels compares every class with
        the rest and returns the smallest ratio.

    Returns
    -------
    ratio : float
        In [0, 1]; 1 when all groups are selected at the same rate, NaN when
        nobody is selected, as in fairlearn. Classes that nobody is given are
        left out.

    Raises
    ------
    ValueError
        If the favourable label is not known, scores are passed in place of
        decisions, or fewer than two groups are present.

    Examples
    --------
    >>> from skfair_runner.metrics import demographic_parity_ratio
    >>> y_true = [0, 0, 1, 1, 0, 0, 1, 1]
    >>> y_pred = [0, 1, 1, 1, 0, 0, 0, 1]
    >>> groups = ["a", "a", "a", "a", "b", "b", "b", "b"]
    >>> demographic_parity_ratio(y_true, y_pred, sensitive_features=groups)
    0.3333333333333333
    """
    rates = compute_rates(
        y_true,
        y_pred,
        sensitive_features,
        sample_weight,
        pos_label,
        "demographic_parity_ratio",
        within_labels=False,
    )
    return selection_ratio(rates)


def equalized_odds_difference(
    y_true,
    y_pred,
    *,
    sensitive_features,
    sample_weight=None,
    pos_label=None,
    agg="worst_case",
):
    r"""Differences in true and in false positive rate between groups, as one number.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels.

    y_pred : array-like of shape (n_samples,)
        Decisions, in the same labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each sample; several columns are crossed. An encoded
        `skfair_runner.groups.Groups` is taken as it is.

    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample; None weighs all the same.

    pos_label : int, bool or str, default=None
        The favourable label. None takes the larger of {0, 1}, {False, True}
        and {-1, 1}, and with more than two labels compares every class with
        the rest and returns the largest difference.

    agg : {"worst_case", "sum"}, default="worst_case"
        The larger of the two differences, as in fairlearn, or their sum, as
        in papers that define it by :math:`|\Delta TPR| + |\Delta FPR|`.

    Returns
    -------
    difference : float
        In [0, 1], or in [0, 2] for ``agg="sum"``; 0 when all groups have the same
        rates.

    Raises
    ------
    ValueError
        If the favourable label is not known, scores are passed in place of
        decisions, fewer than two groups are present, or `agg` is unknown.

    Warns
    -----
    SkfairRunnerWarning
        If a group has no sample with the label, or none without it. Its rate
        counts as 0, as in fairlearn.

    Examples
    --------
    >>> from skfair_runner.metrics import equalized_odds_difference
    >>> y_true = [0, 0, 1, 1, 0, 0, 1, 1]
    >>> y_pred = [0, 1, 1, 1, 0, 0, 0, 1]
    >>> groups = ["a", "a", "a", "a", "b", "b", "b", "b"]
    >>> equalized_odds_difference(y_true, y_pred, sensitive_features=groups)
    0.5
    >>> equalized_odds_difference(
    ...     y_true, y_pred, sensitive_features=groups, agg="sum"
    ... )
    1.0
    """
    if agg not in ("worst_case", "sum"):
        raise ValueError(
            "equalized_odds_difference: `agg` must be one of ['worst_case', 'sum'], "
            f"got {agg!r}."
        )
    rates = compute_rates(
        y_true,
        y_pred,
        sensitive_features,
        sample_weight,
        pos_label,
        "equalized_odds_difference",
    )
    return odds_difference(rates, agg)


def equal_opportunity_difference(
    y_true,
    y_pred,
    *,
    sensitive_features,
    sample_weight=None,
    pos_label=None,
):
    """Largest difference in true positive rate between any two groups.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels.

    y_pred : array-like of shape (n_samples,)
        Decisions, in the same labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each sample; several columns are crossed. An encoded
        `skfair_runner.groups.Groups` is taken as it is.

    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample; None weighs all the same.

    pos_label : int, bool or str, default=None
        The favourable label. None takes the larger of {0, 1}, {False, True}
        and {-1, 1}, and with more than two labels compares every class with
        the rest and returns the largest difference.

    Returns
    -------
    difference : float
        In [0, 1]; 0 when all groups have the same true positive rate.

    Raises
    ------
    ValueError
        If the favourable label is not known, scores are passed in place of
        decisions, or fewer than two groups are present.

    Warns
    -----
    SkfairRunnerWarning
        If a group has no sample with the label. Its rate counts as 0, as in
        fairlearn.

    Examples
    --------
    >>> from skfair_runner.metrics import equal_opportunity_difference
    >>> y_true = [0, 0, 1, 1, 0, 0, 1, 1]
    >>> y_pred = [0, 1, 1, 1, 0, 0, 0, 1]
    >>> groups = ["a", "a", "a", "a", "b", "b", "b", "b"]
    >>> equal_opportunity_difference(y_true, y_pred, sensitive_features=groups)
    0.5
    """
    rates = compute_rates(
        y_true,
        y_pred,
        sensitive_features,
        sample_weight,
        pos_label,
        "equal_opportunity_difference",
    )
    return float(difference(rates.true_positive_rate).max())


def false_positive_rate_difference(
    y_true,
    y_pred,
    *,
    sensitive_features,
    sample_weight=None,
    pos_label=None,
):
    """Largest difference in false positive rate between any two groups.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels.

    y_pred : array-like of shape (n_samples,)
        Decisions, in the same labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each sample; several columns are crossed. An encoded
        `skfair_runner.groups.Groups` is taken as it is.

    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample; None weighs all the same.

    pos_label : int, bool or str, default=None
        The favourable label. None takes the larger of {0, 1}, {False, True}
        and {-1, 1}, and with more than two labels compares every class with
        the rest and returns the largest difference.

    Returns
    -------
    difference : float
        In [0, 1]; 0 when all groups have the same false positive rate.

    Raises
    ------
    ValueError
        If the favourable label is not known, scores are passed in place of
        decisions, or fewer than two groups are present.

    Warns
    -----
    SkfairRunnerWarning
        If a group has no sample without the label. Its rate counts as 0, as in
        fairlearn.

    Examples
    --------
    >>> from skfair_runner.metrics import false_positive_rate_difference
    >>> y_true = [0, 0, 1, 1, 0, 0, 1, 1]
    >>> y_pred = [0, 1, 1, 1, 0, 0, 0, 1]
    >>> groups = ["a", "a", "a", "a", "b", "b", "b", "b"]
    >>> false_positive_rate_difference(y_true, y_pred, sensitive_features=groups)
    0.5
    """
    rates = compute_rates(
        y_true,
        y_pred,
        sensitive_features,
        sample_weight,
        pos_label,
        "false_positive_rate_difference",
    )
    return float(difference(rates.false_positive_rate).max())
