"""The one place that imports private names of scikit-learn, or relies on them."""

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Hidden,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
)
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "HasMethods",
    "Hidden",
    "Interval",
    "InvalidParameterError",
    "Options",
    "SensitiveFeaturesRequestMixin",
    "StrOptions",
    "check_sample_weight",
    "fit_context",
    "num_samples",
]


class SensitiveFeaturesRequestMixin:
    """Request `sensitive_features` for training, where metadata routing is on.

    Pipelines and searches then pass `sensitive_features` on to `fit` and
    `partial_fit` with no call by the user. `sample_weight` keeps
    scikit-learn's default: whoever passes it to a pipeline or search says
    with ``set_fit_request`` whether the estimator takes it.

    Goes before ``BaseEstimator`` in the bases of an estimator whose `fit` has
    the keyword `sensitive_features`.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from skfair_runner.utils import SensitiveFeaturesRequestMixin
    >>> class Estimator(SensitiveFeaturesRequestMixin, BaseEstimator):
    ...     def fit(self, X, y, *, sensitive_features=None, sample_weight=None):
    ...         return self
    >>> Estimator().get_metadata_routing().fit.requests
    {'sensitive_features': True, 'sample_weight': None}
    """

    # scikit-learn finds these by the part of the name that Python does not mangle. Its
    # own splitters request `groups` like this. A request for a method that the class
    # does not have is never looked at.
    __metadata_request__fit = {"sensitive_features": True}
    __metadata_request__partial_fit = {"sensitive_features": True}
