"""How sensitive features and weights reach the estimator that wants them."""

from inspect import Parameter, signature

from sklearn import get_config
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    get_routing_for_object,
    process_routing,
)

_NAME = "sensitive_features"


def fit_keywords(owner, groups, sample_weight, fit_params):
    """Keywords for the `fit` of a meta-estimator's `estimator`.

    Parameters
    ----------
    owner : meta-estimator
        Has the parameter `estimator` and `get_metadata_routing`.

    groups : Series, DataFrame or None
        Sensitive features; None when there are none to pass on.

    sample_weight : array-like of shape (n_samples,) or None
        Weights; None when there are none to pass on.

    fit_params : dict
        Further metadata, as the user wrote it.

    Returns
    -------
    keywords : dict
        In the spelling that the routing setting needs.

    Raises
    ------
    ValueError
        If the estimator passes sensitive features on only with metadata
        routing on, and it is off.
    """
    keywords = dict(fit_params)
    if _routing_is_on():
        # A None would be refused by an estimator that knows no weights.
        if sample_weight is not None:
            keywords["sample_weight"] = sample_weight
        keywords = dict(process_routing(owner, "fit", **keywords).estimator.fit)
    elif sample_weight is not None:
        keywords[_last_step(owner.estimator) + "sample_weight"] = sample_weight
    if groups is not None:
        keywords |= _group_keywords(owner, groups)
    return keywords


def score_keywords(owner, sample_weight):
    """Keywords for the `score` of a meta-estimator's `estimator`."""
    if sample_weight is None:
        return {}
    if _routing_is_on():
        routed = process_routing(owner, "score", sample_weight=sample_weight)
        return dict(routed.estimator.score)
    return {"sample_weight": sample_weight}


def get_router(owner, *methods):
    """Router of methods to the same methods of `owner.estimator`."""
    mapping = MethodMapping()
    for method in methods:
        mapping.add(caller=method, callee=method)
    return MetadataRouter(owner=owner).add(
        estimator=owner.estimator, method_mapping=mapping
    )


def refuse_sensitive_features(owner, fit_params):
    """Refuse groups that are passed beside the columns that hold them.

    Raises
    ------
    TypeError
        If `fit_params` holds sensitive features, for any step.
    """
    for key in fit_params:
        if key == _NAME or key.endswith(f"__{_NAME}"):
            raise TypeError(
                f"{type(owner).__name__}.fit reads the sensitive features from the "
                f"columns {owner.columns!r} of X, so {key!r} must not be passed: leave "
                "it out, or fit the inner estimator directly."
            )


def needs_groups_at_predict(estimator):
    """Tell whether an estimator, or the last step of a pipeline, predicts by group."""
    if isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return bool(getattr(estimator, "needs_groups_at_predict", False))


def _group_keywords(owner, groups):
    """Keywords that carry the groups to every step that takes them."""
    estimator = owner.estimator
    receivers = _receivers(estimator)
    # Asked also with routing off: default requests exist in either setting.
    routed = bool(get_routing_for_object(estimator).consumes("fit", [_NAME]))
    if _routing_is_on():
        return {_NAME: groups} if receivers or routed else {}
    if routed and not receivers:
        raise ValueError(
            f"{type(owner).__name__}: {type(estimator).__name__} passes "
            "`sensitive_features` on to what it fits only with metadata routing on: "
            "call sklearn.set_config(enable_metadata_routing=True) first."
        )
    return dict.fromkeys(receivers, groups)


def _receivers(estimator, prefix="", last=True):
    """Keywords, routing off, of all steps whose `fit` takes sensitive features."""
    if isinstance(estimator, Pipeline):
        found = []
        for k, (name, step) in enumerate(estimator.steps):
            is_last = last and k == len(estimator.steps) - 1
            found += _receivers(step, f"{prefix}{name}__", is_last)
        return found
    if not hasattr(estimator, "fit"):  # "passthrough" or None
        return []
    parameters = signature(estimator.fit).parameters
    if _is_search(estimator) and _NAME not in parameters:
        return _receivers(estimator.estimator, prefix, last)
    # The reductions of fairlearn declare **kwargs alone. The meta-estimators of
    # scikit-learn do so too, but refuse what is passed to them with routing off.
    takes_any = any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values())
    takes_any = takes_any and last and not _is_router(estimator)
    return [prefix + _NAME] if _NAME in parameters or takes_any else []


def _last_step(estimator):
    """Prefix of the last step of a pipeline, of pipelines in pipelines also."""
    if isinstance(estimator, Pipeline):
        name, step = estimator.steps[-1]
        return f"{name}__{_last_step(step)}"
    return _last_step(estimator.estimator) if _is_search(estimator) else ""


def _is_search(estimator):
    """Tell whether this is a hyper-parameter search, of scikit-learn or built like it.

    With routing off these pass all of their fit parameters on as they are.
    """
    return all(hasattr(estimator, name) for name in ("estimator", "cv", "error_score"))


def _is_router(estimator):
    """Tell whether this is a meta-estimator of scikit-learn's metadata routing."""
    return isinstance(get_routing_for_object(estimator), MetadataRouter)


def _routing_is_on():
    """Tell whether metadata routing is switched on."""
    return get_config()["enable_metadata_routing"]
