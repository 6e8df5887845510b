"""Numbers that users pass to functions, which no estimator checks for them."""

from numbers import Integral


def check_count(value, name, caller, why):
    """Refuse what is no whole number of at least 1.

    Parameters
    ----------
    value : object
        What was passed.

    name : str
        The parameter.

    caller : str
        Who refuses.

    why : str
        What 0 would mean, or what to do instead; ends the message.

    Raises
    ------
    TypeError
        If it is no whole number.

    ValueError
        If it is below 1.

    Examples
    --------
    >>> check_count(4, "max_epochs", "refine", "nothing is trained.")
    >>> check_count(0, "max_epochs", "refine", "nothing is trained.")
    Traceback (most recent call last):
    ...
    ValueError: refine: max_epochs=0 is below 1: nothing is trained.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(
            f"{caller}: {name}={value!r} is no whole number: pass 1 or more."
        )
    if value < 1:
        raise ValueError(f"{caller}: {name}={value} is below 1: {why}")
