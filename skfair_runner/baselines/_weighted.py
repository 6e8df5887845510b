"""Training any scikit-learn classifier or pipeline on weighted samples."""

from inspect import signature

from sklearn import get_config
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    get_routing_for_object,
)
from sklearn.utils.validation import has_fit_parameter

from skfair_runner.model_selection import SensitiveColumns

_NAME = "sample_weight"


def fit_weighted(estimator, X, y, sample_weight):
    """Fit an estimator, whose last step gets the weights.

    The steps before the last one get none, with metadata routing on as with it off,
    unless they request them.

    Parameters
    ----------
    estimator : estimator
        A copy that may be changed; it passed `check_takes_weights`.

    X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Features.

    y : ndarray of shape (n_samples,)
        Labels.

    sample_weight : ndarray of shape (n_samples,)
        Weights.

    Returns
    -------
    estimator : estimator
        The same object, fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    >>> X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0, 1, 1])
    >>> fit_weighted(pipeline, X, y, np.array([1.0, 1.0, 0.5])).predict(X)
    array([0, 1, 1])
    """
    keyword = _NAME
    if get_config()["enable_metadata_routing"]:
        _request_weights(estimator)
    else:
        keyword = _spelling(estimator)
    return estimator.fit(X, y, **{keyword: sample_weight})


def check_takes_weights(estimator, caller):
    """Refuse an estimator that cannot be trained on weighted samples.

    Parameters
    ----------
    estimator : estimator
        Classifier, or pipeline or search around one.

    caller : str
        Who asks; begins the error message.

    Raises
    ------
    TypeError
        If the `fit` of the last step takes no weights.
    """
    last = estimator
    while True:
        if isinstance(last, Pipeline):
            last = last.steps[-1][1]
        elif _is_search(last) or isinstance(last, SensitiveColumns):
            last = last.estimator
        else:
            break
    if not has_fit_parameter(last, _NAME):
        raise TypeError(
            f"{caller} trains its estimator on weighted samples, but "
            f"{type(last).__name__}.fit takes no sample_weight: use a classifier that "
            "does, such as LogisticRegression or RunnerFairClassifier(constraint=None)."
        )


def _spelling(estimator):
    """Keyword of `fit` with routing off: a pipeline wants the name of its step."""
    if isinstance(estimator, Pipeline):
        name, step = estimator.steps[-1]
        return f"{name}__{_spelling(step)}"
    # A search hands its keywords on as they are.
    return _spelling(estimator.estimator) if _is_search(estimator) else _NAME


def _is_search(estimator):
    """Tell whether this is a hyper-parameter search."""
    return all(hasattr(estimator, name) for name in ("estimator", "cv", "error_score"))


def _request_weights(estimator):
    """Request weights for the last step, and decline them where nothing is said."""
    if isinstance(estimator, Pipeline):
        *first, (_, last) = estimator.steps
        for _, step in first:
            for part in _undecided(step):
                part.set_fit_request(**{_NAME: False})
        _request_weights(last)
        return
    # Of `score` too, for searches: scikit-learn 1.9 hands weights on to the score of a
    # pipeline even where they are declined. With routing off, scores are unweighted.
    for method in ("fit", "score"):
        if _takes_weights(estimator, method):
            getattr(estimator, f"set_{method}_request")(**{_NAME: True})
    inner = getattr(estimator, "estimator", None)
    is_router = isinstance(get_routing_for_object(estimator), MetadataRouter)
    if is_router and inner is not None:
        _request_weights(inner)


def _undecided(step):
    """A transformer and all that it is made of, where weights are not spoken of."""
    parameters = step.get_params(deep=True) if hasattr(step, "get_params") else {}
    for part in [step, *parameters.values()]:
        if not _takes_weights(part, "fit"):
            continue
        routing = get_routing_for_object(part)
        # A router asks its parts, which are looked at by themselves.
        says = getattr(routing, "fit", None)
        if says is not None and says.requests.get(_NAME) is None:
            yield part


def _takes_weights(estimator, method):
    """Tell whether a method takes weights, and can be told to request them."""
    if not hasattr(estimator, f"set_{method}_request"):
        return False
    return _NAME in signature(getattr(estimator, method)).parameters
