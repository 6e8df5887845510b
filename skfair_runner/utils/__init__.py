"""Optional imports, warnings, file writing, numbers, scikit-learn's private names.

Whatever touches a private name of scikit-learn lives in
`skfair_runner.utils._sklearn`, and nowhere else.
"""

from skfair_runner.utils._io import atomic_write
from skfair_runner.utils._numbers import check_count
from skfair_runner.utils._optional import import_optional
from skfair_runner.utils._sklearn import (
    HasMethods,
    Hidden,
    Interval,
    InvalidParameterError,
    Options,
    SensitiveFeaturesRequestMixin,
    StrOptions,
    check_sample_weight,
    fit_context,
    num_samples,
)
from skfair_runner.utils._warnings import (
    BoundNotMetWarning,
    ConstantClassifierWarning,
    SkfairRunnerWarning,
)

__all__ = [
    "BoundNotMetWarning",
    "ConstantClassifierWarning",
    "HasMethods",
    "Hidden",
    "Interval",
    "InvalidParameterError",
    "Options",
    "SensitiveFeaturesRequestMixin",
    "SkfairRunnerWarning",
    "StrOptions",
    "atomic_write",
    "check_count",
    "check_sample_weight",
    "fit_context",
    "import_optional",
    "num_samples",
]
