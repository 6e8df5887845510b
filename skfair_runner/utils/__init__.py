"""Optional imports, warning classes, safe file writing, scikit-learn's private names.

Whatever touches a private name of scikit-learn lives in
`skfair_runner.utils._sklearn`, and nowhere else.
"""

from ._optional import import_optional
from ._warnings import ConstantClassifierWarning, SkfairRunnerWarning

__all__ = [
    "ConstantClassifierWarning",
    "SkfairRunnerWarning",
    "import_optional",
]
