"""Warnings for results that are valid but surprising."""


class SkfairRunnerWarning(UserWarning):
    """Base of all warnings of this package, to filter them with one line."""


class BoundNotMetWarning(SkfairRunnerWarning):
    """A repair is far above the bound asked for, on its own training rows."""


class ConstantClassifierWarning(SkfairRunnerWarning):
    """A classifier gives nearly every sample the same decision.

    It selects fewer than 0.5 % or more than 99.5 % of the samples, so its
    group differences are near zero for no good reason.
    """
