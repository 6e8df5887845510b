"""The comparison: every classifier on every fold."""

import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import check_consistent_length
from tqdm import tqdm

from skfair_runner._building import draw_seed
from skfair_runner._inputs import encode_labels, favourable_code
from skfair_runner.baselines._base import seeded
from skfair_runner.compare._comparison import Comparison
from skfair_runner.compare._evaluation import Data, evaluate, is_randomised
from skfair_runner.compare._folds import make_folds
from skfair_runner.compare._measures import MEASURES
from skfair_runner.groups import check_at_least_two, encode_groups
from skfair_runner.model_selection._routing import needs_groups_at_predict
from skfair_runner.utils._columns import as_table

_CALLER = "compare_classifiers"


def compare_classifiers(
    classifiers,
    X,
    y,
    *,
    sensitive_features,
    cv=5,
    pos_label=None,
    n_jobs=None,
    random_state=None,
    verbose=0,
):
    """Compare classifiers on the same folds: accuracy, group differences, and cost.

    Every classifier is trained on the same rows and measured on the same held-out
    ones. One that fails becomes a row with its error, and does not stop the others.

    Parameters
    ----------
    classifiers : dict of str to classifier
        Any scikit-learn classifiers or pipelines, by the name that tables shall show.
        The first one is what the others are compared with in
        :meth:`Comparison.summary`. They are copied, not changed.

    X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
        Features, handed on as they are.

    y : array-like of shape (n_samples,)
        Labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        The group of each sample; several columns are crossed. Handed to `fit` where it
        takes them, and to `predict` only where ``needs_groups_at_predict`` is true.

    cv : int, splitter or iterable of (train, test), default=5
        A number of shuffled folds, stratified over group × label; or any splitter of
        scikit-learn, whose `split` gets group × label cells for y.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {−1, 1}, and compares
        every class with the rest where there are more than two.

    n_jobs : int or None, default=None
        Fits that run at the same time, as in joblib. Times to fit are then longer.

    random_state : int, RandomState or None, default=None
        Seed of the folds, and of every classifier whose `random_state` is None.

    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    comparison : Comparison
        With ``table``, ``per_fold``, ``summary()``, ``plot()``, ``to_csv()`` and
        ``to_markdown()``.

    Raises
    ------
    TypeError
        If `classifiers` is no dict, or holds anything without `fit` and `predict`.

    ValueError
        If `classifiers` is empty; if groups are missing, misaligned or fewer than two;
        if the favourable label is not known; if a group is too small for the folds.

    Warns
    -----
    SkfairRunnerWarning
        What the classifiers warn of, once for each of them.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skfair_runner.baselines import ThresholdOptimizerClassifier
    >>> from skfair_runner.compare import compare_classifiers
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=900, random_state=0)
    >>> logistic = make_pipeline(StandardScaler(), LogisticRegression())
    >>> comparison = compare_classifiers(
    ...     {
    ...         "logistic": logistic,
    ...         "thresholds": ThresholdOptimizerClassifier(logistic),
    ...     },
    ...     people.data.select_dtypes("number"),
    ...     people.target,
    ...     sensitive_features=people.sensitive_features,
    ...     cv=3,
    ...     random_state=0,
    ... )
    >>> comparison.table["demographic_parity_difference_mean"].round(2)
    method
    logistic      0.27
    thresholds    0.04
    Name: demographic_parity_difference_mean, dtype: float64
    >>> comparison.table["needs_groups_at_predict"].tolist()
    [False, True]
    """
    _check_classifiers(classifiers)
    X = as_table(X, _CALLER)
    X = X.tocsr() if sparse.issparse(X) else X
    check_consistent_length(X, y)
    codes, classes = encode_labels(y)
    groups = encode_groups(sensitive_features, X, caller=_CALLER)
    check_at_least_two(groups, _CALLER)
    if pos_label is not None or len(classes) == 2:
        favourable = favourable_code(pos_label, classes, needed_by=_CALLER)
        pos_label = classes.tolist()[favourable]
    if not isinstance(sensitive_features, pd.Series | pd.DataFrame):
        sensitive_features = np.asarray(sensitive_features)
    data = Data(X, classes[codes], sensitive_features, pos_label)

    seed = None if random_state is None else draw_seed(random_state)
    folds = make_folds(X, codes, classes, groups, cv, seed)
    tasks = [(name, fold) for fold in range(len(folds)) for name in classifiers]
    copies = {
        name: clone(classifier) if seed is None else seeded(classifier, seed)
        for name, classifier in classifiers.items()
    }
    outcomes = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(evaluate)(clone(copies[name]), data, *folds[fold])
        for name, fold in tasks
    )
    with tqdm(total=len(tasks), disable=not verbose, unit="fit") as progress:
        done = []
        for task, outcome in zip(tasks, outcomes, strict=True):
            progress.set_postfix_str(task[0])
            progress.update()
            done.append(outcome)
    _warn_once(tasks, done)
    return _collect(classifiers, tasks, done, groups, pos_label)


def _check_classifiers(classifiers):
    """Refuse anything but names and classifiers."""
    if not isinstance(classifiers, dict):
        raise TypeError(
            f"{_CALLER}: `classifiers` must be a dict of names and classifiers, got "
            f"{type(classifiers).__name__}: pass for instance "
            "{'plain': LogisticRegression()}."
        )
    if not classifiers:
        raise ValueError(f"{_CALLER}: `classifiers` is empty: pass at least one.")
    for name, classifier in classifiers.items():
        if not isinstance(name, str):
            raise TypeError(
                f"{_CALLER}: the names of classifiers are strings, got {name!r}."
            )
        if isinstance(classifier, type):
            raise TypeError(
                f"{_CALLER}: {name!r} is the class {classifier.__name__}: pass an "
                f"instance, {classifier.__name__}()."
            )
        if not (hasattr(classifier, "fit") and hasattr(classifier, "predict")):
            raise TypeError(
                f"{_CALLER}: {name!r} is a {type(classifier).__name__}, which has not "
                "both `fit` and `predict`."
            )


def _warn_once(tasks, outcomes):
    """Tell each warning of a classifier once, with the folds that it came from."""
    folds = {}
    for (name, fold), outcome in zip(tasks, outcomes, strict=True):
        for category, message in outcome.warnings:
            folds.setdefault((name, category, message), set()).add(fold)
    for (name, category, message), where in folds.items():
        count = f"{len(where)} fold{'s' * (len(where) > 1)}"
        warnings.warn(f"{name} ({count}): {message}", category, stacklevel=3)


def _collect(classifiers, tasks, outcomes, groups, pos_label):
    """Tables of what was measured."""
    rows = [
        {
            "method": name,
            "fold": fold,
            **{measure: outcome.numbers.get(measure, np.nan) for measure in MEASURES},
            "constant": outcome.constant,
            "error": outcome.error,
        }
        for (name, fold), outcome in zip(tasks, outcomes, strict=True)
    ]
    per_fold = pd.DataFrame(rows)
    measured = per_fold.groupby("method", sort=False)[list(MEASURES)]
    mean, std = measured.mean(), measured.std(ddof=1)
    table = pd.DataFrame(index=pd.Index(list(classifiers), name="method"))
    for measure in MEASURES:
        table[f"{measure}_mean"] = mean[measure]
        table[f"{measure}_std"] = std[measure]
    by_method = per_fold.groupby("method", sort=False)
    table["needs_groups_at_predict"] = [
        needs_groups_at_predict(each) for each in classifiers.values()
    ]
    table["randomised"] = [is_randomised(each) for each in classifiers.values()]
    table["constant_folds"] = by_method["constant"].sum()
    table["folds"] = by_method["error"].agg(lambda errors: int((errors == "").sum()))
    table["error"] = by_method["error"].agg(
        lambda errors: " | ".join(dict.fromkeys(filter(None, errors)))
    )
    return Comparison(table, per_fold, tuple(groups.labels), pos_label)
