"""Guards around a fit: a device that exists, no half-finished state, interrupts."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Mapping
from contextlib import contextmanager

import torch


def check_device(device) -> None:
    """Refuse a device on which torch cannot compute here.

    Parameters
    ----------
    device : str or torch.device
        What the user asked for.

    Raises
    ------
    ValueError
        If torch does not know the device, or has none of that kind.

    Examples
    --------
    >>> check_device("cpu")
    """
    try:
        torch.zeros(1, device=device).item()
    except (AssertionError, RuntimeError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ValueError(
            f"device={str(device)!r} cannot be used here: {reason}. Pass 'cpu', or "
            "another device that torch offers on this machine."
        ) from error


def check_names(
    prefix: str, factory: Callable, parameters: Mapping[str, object], more: tuple = ()
) -> None:
    """Refuse a ``prefix__name`` that a class or function does not take.

    Parameters
    ----------
    prefix : str
        What is made, such as "module".

    factory : callable
        What makes it.

    parameters : mapping of str to object
        By name, without the prefix.

    more : tuple of str, default=()
        Names that are taken besides those of `factory`.

    Raises
    ------
    TypeError
        If a name is unknown.

    Examples
    --------
    >>> check_names("module", torch.nn.Linear, {"bias": False})
    """
    try:
        signature = inspect.signature(factory).parameters
    except ValueError:  # some builtins tell nothing
        return
    if any(p.kind is p.VAR_KEYWORD for p in signature.values()):
        return
    known = [*signature, *more]
    unknown = [name for name in parameters if name not in known]
    if unknown:
        name, called = unknown[0], getattr(factory, "__name__", repr(factory))
        raise TypeError(
            f"{prefix}__{name}={parameters[name]!r}: {called} has no parameter "
            f"{name!r}; it takes {', '.join(known) or 'none'}."
        )


@contextmanager
def all_or_nothing(estimator):
    """Give an estimator its attributes back if the block raises.

    Parameters
    ----------
    estimator : object
        Its attributes are replaced, never changed, inside the block.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def is_raised_by_code(error: BaseException) -> bool:
    """Whether a ``raise`` raised an exception.

    A signal (Ctrl-C) strikes anywhere else. skorch's callbacks raise KeyboardInterrupt
    to end a training, which is not to be taken for somebody's wish to end everything.

    Parameters
    ----------
    error : BaseException
        As it was caught.

    Returns
    -------
    raised : bool
        False also where compiled code raised it.

    Examples
    --------
    >>> try:
    ...     raise KeyboardInterrupt
    ... except KeyboardInterrupt as error:
    ...     is_raised_by_code(error)
    True
    """
    place = error.__traceback__
    if place is None:
        return False
    while place.tb_next is not None:
        place = place.tb_next
    instruction = place.tb_frame.f_code.co_code[place.tb_lasti]
    return dis.opname[instruction] == "RAISE_VARARGS"


def until_interrupted(function, *args, **kwargs) -> KeyboardInterrupt | None:
    """Call a function that an interrupt (Ctrl-C) may end.

    Parameters
    ----------
    function : callable
        What to call.

    *args, **kwargs : object
        Its arguments.

    Returns
    -------
    interrupt : KeyboardInterrupt or None
        What ended it, to be raised once the state reached is kept.

    Examples
    --------
    >>> until_interrupted(print, "done")
    done
    """
    try:
        function(*args, **kwargs)
    except KeyboardInterrupt as interrupt:
        return interrupt
    return None
