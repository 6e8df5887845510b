"""Import of packages that only some features need."""

import importlib
from types import ModuleType


def import_optional(name: str, *, extra: str, purpose: str) -> ModuleType:
    """Import a package that an extra installs.

    Parameters
    ----------
    name : str
        What to import, such as ``"matplotlib.pyplot"``.

    extra : str
        The extra of skfair-runner that installs it, such as ``"plots"``.

    purpose : str
        What needs it, as the subject of a sentence: ``"plotting"``.

    Returns
    -------
    module : module
        The module called `name`, also where `name` has dots.

    Raises
    ------
    ImportError
        If the package is absent. The message holds the ``pip install`` line.
        An installed package that fails on one of its own imports raises its
        own error.

    Examples
    --------
    >>> from skfair_runner.utils import import_optional
    >>> import_optional("json", extra="plots", purpose="plotting").dumps([1])
    '[1]'
    >>> import_optional("no_such_package", extra="plots", purpose="plotting")
    Traceback (most recent call last):
    ...
    ImportError: plotting needs the package 'no_such_package', which is not installed: \
run `pip install skfair-runner[plots]`.
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ImportError(
            f"{purpose} needs the package {package!r}, which is not installed: "
            f"run `pip install skfair-runner[{extra}]`.",
            name=package,
        ) from error
