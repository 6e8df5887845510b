"""Decisions, scores and fitted attributes of whatever estimator a display is given."""

import numpy as np

from skfair_runner.metrics.labels import encode_labels

# What holds the fitted estimator inside of a search or another meta-estimator, and the
# selected point of a front.
_INNER = ("best_estimator_", "estimator_", "classifier_")


def inner_estimators(estimator):
    """Yield an estimator, then what it wraps, from the outside in.

    Parameters
    ----------
    estimator : estimator
        A classifier, or a pipeline, search or meta-estimator around one.

    Yields
    ------
    estimator : estimator
        Of a pipeline the last step follows.
    """
    while estimator is not None:
        yield estimator
        if hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        else:
            found = (getattr(estimator, name, None) for name in _INNER)
            estimator = next((inner for inner in found if inner is not None), None)


def fitted_attribute(estimator, name, caller):
    """Attribute of a fitted classifier, found inside of pipelines and searches.

    Parameters
    ----------
    estimator : estimator
        The classifier, or what it is the last step of.

    name : str
        The attribute.

    caller : str
        Who asks; begins the error message.

    Returns
    -------
    value : object
        Of the outermost estimator that has it.

    Raises
    ------
    ValueError
        If none has it.
    """
    chain = list(inner_estimators(estimator))
    for each in chain:
        if hasattr(each, name):
            return getattr(each, name)
    raise ValueError(
        f"{caller}: {type(chain[-1]).__name__} has no `{name}`. Pass a fitted "
        "RunnerFairClassifier that was trained with a constraint, a fitted "
        "RunnerFrontier, whose selected point is drawn, or a pipeline or search "
        "around one."
    )


def decisions_of(estimator, X, sensitive_features):
    """Labels that a fitted classifier predicts.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    X : array-like of shape (n_samples, n_features)
        Features.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Passed on only to a classifier that needs groups to predict.

    Returns
    -------
    y_pred : ndarray of shape (n_samples,)
        Labels.
    """
    return estimator.predict(X, **_told(estimator, sensitive_features))


def scores_of(estimator, X, sensitive_features, pos_label, caller):
    """Probability of the favourable label, as a fitted classifier gives it.

    Parameters
    ----------
    estimator : estimator
        Fitted, with `predict_proba` and two or more classes.

    X : array-like of shape (n_samples, n_features)
        Features.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Passed on only to a classifier that needs groups to predict.

    pos_label : label or None
        The favourable label; None where the classes tell it.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    y_score : ndarray of shape (n_samples,)
        In [0, 1].

    Raises
    ------
    TypeError
        If the classifier has no `predict_proba`.
    """
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{caller}: {type(estimator).__name__} has no `predict_proba`, and without "
            "scores there is nothing to draw."
        )
    classes = np.asarray(estimator.classes_)
    code = favourable_code(classes, pos_label, caller)
    told = _told(estimator, sensitive_features)
    return np.asarray(estimator.predict_proba(X, **told))[:, code]


def favourable_code(y, pos_label, caller):
    """Place of the favourable label among the sorted labels.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels.

    pos_label : label or None
        The favourable label; None where the labels tell it.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    code : int
        Its place.

    Raises
    ------
    ValueError
        If there are more than two labels, and none is named.
    """
    labels = encode_labels(y, y, pos_label, caller)
    return check_one_label(labels, caller)


def check_one_label(labels, caller):
    """Refuse labels of which each would be compared with the rest.

    Parameters
    ----------
    labels : Labels
        From `encode_labels`.

    caller : str
        Who asks; begins the error message.

    Returns
    -------
    code : int
        Of the favourable label.

    Raises
    ------
    ValueError
        If there are more than two labels, and none is favourable.
    """
    if len(labels.favourable) > 1:
        classes = list(labels.classes)
        raise ValueError(
            f"{caller} draws one label against the rest; which of {classes}? Name it, "
            f"as in pos_label={classes[-1]!r}."
        )
    return int(labels.favourable[0])


def _told(estimator, sensitive_features):
    """Keywords of `predict`: the groups, for a classifier that needs them."""
    last = estimator
    while hasattr(last, "steps"):
        last = last.steps[-1][1]
    needs = getattr(last, "needs_groups_at_predict", False)
    return {"sensitive_features": sensitive_features} if needs else {}
