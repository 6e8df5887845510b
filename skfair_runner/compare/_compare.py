"""The comparison: every classifier on every fold."""

from numbers import Integral, Real

from skfair_runner._randomness import draw_seed
from skfair_runner._runs.data import read_data
from skfair_runner._runs.fingerprint import data_fingerprint, describe, versions
from skfair_runner._runs.folds import (
    check_sizes,
    draw_seeds,
    make_folds,
    read_splitter,
)
from skfair_runner.compare._collecting import (
    first_tables,
    make_per_fold,
    make_predictions,
    make_table,
    make_widths,
    warn_once,
)
from skfair_runner.compare._comparison import Comparison
from skfair_runner.compare._evaluation import measure
from skfair_runner.compare._measures import MEASURES
from skfair_runner.compare._metrics import measure_of, read_metrics
from skfair_runner.compare._model_metrics import model_measures, read_model_metrics
from skfair_runner.compare._running import Task, run_tasks

_CALLER = "compare_classifiers"


def compare_classifiers(
    classifiers,
    X,
    y,
    *,
    sensitive_features,
    cv=5,
    metrics=None,
    model_metrics=None,
    pos_label=None,
    n_seeds=1,
    n_jobs=None,
    random_state=None,
    results=None,
    n_bootstrap=1000,
    confidence_level=0.95,
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

    X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features), or \
            images
        Features, handed on as they are. Images are what
        :class:`~skfair_runner.RunnerFairClassifier` takes for them; rows of lazy ones
        are taken without being read.

    y : array-like of shape (n_samples,)
        Labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        The group of each sample; several columns are crossed. Handed to `fit` where it
        takes them, and to `predict` only where ``needs_groups_at_predict`` is true.

    cv : int, splitter or iterable of (train, test), default=5
        A number of shuffled folds, stratified over group × label; or any splitter of
        scikit-learn, whose `split` gets group × label cells for y.

    metrics : dict of str to callable, or list of str; default=None
        Further measures: functions called as ``metric(y_true, y_pred)``, with
        ``sensitive_features`` and ``pos_label`` where they take them; or names of
        :data:`skfair_runner.metrics.METRICS`. Of a function that takes
        ``sensitive_features`` less is better, of any other more; pass a
        :class:`~skfair_runner.metrics.Metric` to say otherwise, or to get scores.

    model_metrics : dict of str to callable, or list of callable; default=None
        Functions of the fitted classifier, called as ``metric(classifier, X)`` with
        held-out rows, and with their ``y`` and ``sensitive_features`` where they take
        them. They return a number or a dict of numbers, for columns called
        ``<name>_<key>``; an attribute `greater_is_better` says what to make of them.
        :class:`~skfair_runner.fairness_testing.IndividualDiscrimination` is one.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {−1, 1}, and compares
        every class with the rest where there are more than two.

    n_seeds : int, default=1
        How often everything is repeated, with other folds and other seeds of the
        classifiers whose `random_state` is None.

    n_jobs : int or None, default=None
        Fits that run at the same time, as in joblib. Times to fit are then longer.

    random_state : int, RandomState or None, default=None
        Seed of the folds, of every classifier whose `random_state` is None, and of the
        bootstrap.

    results : path-like or None, default=None
        File in which every fit is stored as it is made. When the call is repeated, with
        more methods, seeds or metrics perhaps, what is in the file is not run again:
        only methods whose parameters changed, and those that failed, are; and all,
        where `model_metrics` changed, which need the fitted classifiers. Needs
        `random_state`. Nothing in the file can execute when it is read. Data are told
        from other data by digests of all values; of lazy images, by names, lengths and
        checksums or times of change, see `skfair_runner.images.Images.identity`.

    n_bootstrap : int, default=1000
        Resamples behind the confidence intervals; 0 leaves them out.

    confidence_level : float, default=0.95
        Of the intervals, in (0, 1).

    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    comparison : Comparison
        With ``table``, ``per_fold``, ``predictions``, ``summary()``, ``rank()``,
        ``pareto()``, ``by_group()``, ``plot()``, ``to_csv()`` and ``to_markdown()``.

    Raises
    ------
    TypeError
        If `classifiers` is no dict, or holds anything without `fit` and `predict`; if
        a metric or model metric cannot be called; if `n_seeds` or `n_bootstrap` is no
        integer; if `results` is given and a parameter of a classifier, or a model
        metric, cannot be compared.

    ValueError
        If `classifiers` is empty; if groups are missing, misaligned or fewer than two;
        if the favourable label is not known; if a group is too small for the folds; if
        a metric is unknown or its name is taken; if `n_seeds`, `n_bootstrap` or
        `confidence_level` is out of range; if `results` is no such file, belongs to
        other data, or comes without `random_state`.

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
    _check_numbers(n_seeds, n_bootstrap, confidence_level)
    check_results(results, random_state, _CALLER)
    metrics = read_metrics(metrics, _CALLER)
    data = read_data(X, y, sensitive_features, pos_label, _CALLER)
    asked = read_model_metrics(model_metrics, metrics, data.X, _CALLER)
    cv = read_splitter(cv)
    check_sizes(data, cv, _CALLER)

    seed = None if random_state is None else draw_seed(random_state)
    seeds = draw_seeds(seed, n_seeds)
    tasks = [
        Task(name, repetition, each, fold, *rows)
        for repetition, each in enumerate(seeds)
        for fold, rows in enumerate(make_folds(data, cv, each))
        for name in classifiers
    ]
    outcomes = run_tasks(
        tasks,
        classifiers,
        data,
        n_jobs=n_jobs,
        results=results,
        verbose=verbose,
        caller=_CALLER,
        model_metrics=asked,
        told_metrics=model_metrics,
    )
    measured = [
        measure(outcome, data, task.test, metrics)
        for task, outcome in zip(tasks, outcomes, strict=True)
    ]
    warn_once(tasks, measured)
    measures = MEASURES | {key: measure_of(key, each) for key, each in metrics.items()}
    measures |= model_measures(asked, outcomes)
    per_fold = make_per_fold(tasks, measured, measures)
    bootstrap = {"n_bootstrap": n_bootstrap, "level": confidence_level, "seed": seed}
    widths = make_widths(tasks, outcomes, measured, data, **bootstrap)
    return Comparison(
        table=make_table(per_fold, classifiers, measures, widths),
        per_fold=per_fold,
        groups=tuple(data.groups.labels),
        pos_label=data.pos_label,
        predictions=make_predictions(tasks, outcomes, measured, data),
        neurons=first_tables(tasks, outcomes, "neurons"),
        history=first_tables(tasks, outcomes, "history"),
        settings=_settings(classifiers, data, cv, seeds, bootstrap),
        measures=measures,
    )


def check_results(results, random_state, caller):
    """Refuse a file of results for a call whose folds nobody can repeat.

    Parameters
    ----------
    results : path-like or None
        What the user passed.

    random_state : int, RandomState or None
        What the user passed.

    caller : str
        Who asks; begins the error message.

    Raises
    ------
    ValueError
        If there is a file and no seed.
    """
    if results is not None and random_state is None:
        raise ValueError(
            f"{caller}: results={str(results)!r} needs a seed, since other folds "
            "cannot go on where these stopped: pass random_state=0."
        )


def _check_numbers(n_seeds, n_bootstrap, confidence_level):
    """Refuse numbers out of range."""
    check_count("n_seeds", n_seeds, 1, _CALLER)
    check_count("n_bootstrap", n_bootstrap, 0, _CALLER)
    if not (isinstance(confidence_level, Real) and 0 < confidence_level < 1):
        raise ValueError(
            f"{_CALLER}: `confidence_level` must be a number between 0 and 1, as 0.95, "
            f"got {confidence_level!r}."
        )


def check_count(name, value, least, caller):
    """Refuse what is no integer, or too small.

    Parameters
    ----------
    name : str
        What the user calls it.

    value : object
        What the user passed.

    least : int
        Smallest value allowed.

    caller : str
        Who asks; begins the error message.

    Raises
    ------
    TypeError
        If it is no integer.

    ValueError
        If it is below `least`.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{caller}: `{name}` must be an integer, got {value!r}.")
    if value < least:
        raise ValueError(f"{caller}: `{name}` must be at least {least}, got {value}.")


def _settings(classifiers, data, cv, seeds, bootstrap):
    """What it takes to do it again, as strings and numbers."""
    return {
        "methods": {name: describe(each) for name, each in classifiers.items()},
        "cv": repr(cv),
        "seeds": seeds,
        "n_bootstrap": bootstrap["n_bootstrap"],
        "confidence_level": bootstrap["level"],
        "pos_label": data.pos_label,
        "groups": data.groups.labels,
        "data": data_fingerprint(data),
        "versions": versions(),
    }


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
