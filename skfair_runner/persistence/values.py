"""Values as JSON: data exactly, functions, classes and other objects by name.

What JSON has no word for is an object with one key: ``{"$tuple": [1, 2]}``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from skfair_runner import distances, gaps, modules

# Booleans, integers, floats, strings and Python objects; nothing that numpy would have
# to interpret.
_ARRAY_KINDS = "biufUO"


@contextmanager
def damaged_unless_read() -> Iterator[None]:
    """Say that model.json is damaged where its content is not what `save` writes.

    Raises
    ------
    ValueError
        In place of the errors that a missing or wrong value leads to.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(
            "load: model.json is damaged, or from another program: "
            f"{type(error).__name__}: {error}."
        ) from error


class NotRestored:
    """Stands for an object that a file names, and that was not passed to `load`.

    Prediction does not need it. As a constraint, importance, distance or module it
    raises when `fit` calls it, as a callback when training begins; anywhere else it is
    refused by the validation of parameters.

    Parameters
    ----------
    name : str
        ``module:qualname``, with ``()`` at the end for an instance of that class.
    """

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}, not restored by load>"

    def __call__(self, *args, **kwargs):
        """Say what is missing.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            f"This classifier was loaded without {self.name!r}, which its file only "
            f"names. Pass it, as in load(path, trusted={{{self.name!r}: ...}}), or set "
            "the parameter anew with set_params before fit."
        )

    def set_params(self, **params):
        """Take no notice: what skorch asks of a callback before training."""
        return self

    def initialize(self):
        """Nothing to do yet: what skorch asks of a callback before training."""
        return self

    def on_train_begin(self, net, **kwargs):
        """Refuse to train without this callback."""
        self()


def name_of(thing: object) -> str:
    """Name of a function or class, or of an object's class with ``()`` added.

    Parameters
    ----------
    thing : object
        Anything.

    Returns
    -------
    name : str
        ``module:qualname``.

    Examples
    --------
    >>> name_of(str.upper), name_of(Ellipsis)
    ('builtins:str.upper', 'builtins:ellipsis()')
    """
    if isinstance(thing, NotRestored):
        return thing.name
    if hasattr(thing, "__qualname__"):
        module = getattr(thing, "__module__", None)
        return f"{module or 'builtins'}:{thing.__qualname__}"
    return f"{type(thing).__module__}:{type(thing).__qualname__}()"


def encode(value: Any) -> Any:
    """A value as JSON.

    Parameters
    ----------
    value : object
        None, numbers, strings, lists, tuples, dicts, arrays, tensors, devices and
        intervals are kept exactly, numpy scalars as Python's; an Index or a Series
        becomes the list of its values; anything else is named.

    Returns
    -------
    data : object
        For ``json.dumps``.

    Examples
    --------
    >>> encode([1, (2.0, None)]), encode(float("inf")), encode(len)
    ([1, {'$tuple': [2.0, None]}], {'$float': 'inf'}, {'$named': 'builtins:len'})
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, pd.Index | pd.Series):
        value = value.tolist()
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return {"$tuple": [encode(item) for item in value]}
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: encode(item) for key, item in value.items()}
        return {"$dict": [[encode(k), encode(item)] for k, item in value.items()]}
    if isinstance(value, np.ndarray) and _is_plain(value.dtype):
        flat = [encode(item) for item in value.ravel().tolist()]
        return {
            "$array": {
                "dtype": value.dtype.str,
                "shape": list(value.shape),
                "values": flat,
            }
        }
    if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter):
        dtype = str(value.dtype).removeprefix("torch.")
        return {"$tensor": {"dtype": dtype, "values": encode(value.tolist())}}
    if isinstance(value, torch.device):
        return {"$device": str(value)}
    if isinstance(value, pd.Interval):
        ends = [encode(value.left), encode(value.right), value.closed]
        return {"$interval": ends}
    return {"$named": name_of(value)}


def _is_plain(dtype: np.dtype) -> bool:
    # A long double has no exact Python number.
    return dtype.kind in _ARRAY_KINDS and not (dtype.kind == "f" and dtype.itemsize > 8)


def decode(data: Any, known: Mapping[str, object]) -> Any:
    """The value of :func:`encode`'s JSON; imports nothing.

    Parameters
    ----------
    data : object
        What ``json.loads`` gave.

    known : mapping of str to object
        What names may stand for; any other becomes :class:`NotRestored`.

    Returns
    -------
    value : object
        Equal to the one that was encoded.

    Raises
    ------
    ValueError
        If the data hold what :func:`encode` never writes.

    Examples
    --------
    >>> decode({"$tuple": [1, {"$named": "os:system"}]}, known={})
    (1, <os:system, not restored by load>)
    """
    if isinstance(data, list):
        return [decode(item, known) for item in data]
    if not isinstance(data, dict):
        return data
    if not any(key.startswith("$") for key in data):
        return {key: decode(item, known) for key, item in data.items()}
    ((tag, content),) = data.items() if len(data) == 1 else [(sorted(data)[0], None)]
    if content is None or tag not in _DECODERS:
        raise ValueError(
            f"model.json holds {tag!r} in a place or a form that save never writes: "
            "the file is damaged, or from another program."
        )
    return _DECODERS[tag](content, known)


def _decode_array(content, known):
    dtype = np.dtype(content["dtype"])
    if not _is_plain(dtype):
        raise ValueError(
            f"model.json holds an array of dtype {content['dtype']!r}, which save "
            "never writes."
        )
    values = [decode(item, known) for item in content["values"]]
    if math.prod(content["shape"]) != len(values):
        raise ValueError(
            f"model.json holds an array of shape {content['shape']} with "
            f"{len(values)} values: the file is damaged."
        )
    array = np.empty(len(values), dtype=dtype)
    for k, value in enumerate(values):
        array[k] = value
    return array.reshape(content["shape"])


def _decode_tensor(content, known):
    dtype = getattr(torch, content["dtype"])
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"model.json names the torch dtype {content['dtype']!r}.")
    return torch.tensor(decode(content["values"], known), dtype=dtype)


def _decode_interval(content, known):
    left, right, closed = content
    return pd.Interval(decode(left, known), decode(right, known), closed)


def _decode_name(content, known):
    return known[content] if content in known else NotRestored(str(content))


_DECODERS: dict[str, Any] = {
    "$float": lambda text, known: {"inf": math.inf, "-inf": -math.inf}.get(
        text, math.nan
    ),
    "$tuple": lambda items, known: tuple(decode(item, known) for item in items),
    "$dict": lambda pairs, known: {
        decode(key, known): decode(item, known) for key, item in pairs
    },
    "$array": _decode_array,
    "$tensor": _decode_tensor,
    "$device": lambda text, known: torch.device(text),
    "$interval": _decode_interval,
    "$named": _decode_name,
}


def names_in(data: Any) -> Iterator[str]:
    """Names that encoded data hold.

    Parameters
    ----------
    data : object
        From :func:`encode`.

    Yields
    ------
    name : str
        ``module:qualname``.
    """
    if isinstance(data, list):
        for item in data:
            yield from names_in(item)
    elif isinstance(data, dict):
        for key, item in data.items():
            if key == "$named":
                yield str(item)
            else:
                yield from names_in(item)


@cache
def _known_without_asking() -> dict[str, object]:
    """Our own functions and classes, and torch's layers and optimizers, by name."""
    found: list[object] = []
    for module in (distances, gaps, modules):
        things = [thing for key, thing in vars(module).items() if key[0] != "_"]
        found += [
            thing
            for thing in things
            if callable(thing)
            and getattr(thing, "__module__", "").startswith(module.__name__)
        ]
    bases = {nn: nn.Module, torch.optim: torch.optim.Optimizer}
    for package, base in bases.items():
        classes = [thing for thing in vars(package).values() if isinstance(thing, type)]
        found += [thing for thing in classes if issubclass(thing, base)]
    return {name_of(thing): thing for thing in found}


@dataclass(frozen=True)
class Trust:
    """What the caller of `load` lets a file use.

    Attributes
    ----------
    known : dict of str to object
        What a name in model.json may stand for.

    types : list of str
        Dotted names of types in the steps that skops wrote.
    """

    known: dict[str, object]
    types: list[str]


def read_trusted(trusted: Any) -> Trust:
    """What `trusted` allows, beside what is always allowed.

    Parameters
    ----------
    trusted : sequence of class, function and str, or mapping of str to object
        As of `load`.

    Returns
    -------
    trust : Trust
        By name.

    Raises
    ------
    TypeError
        If it is neither a sequence nor a mapping.
    """
    if isinstance(trusted, str) or not isinstance(trusted, Iterable):
        raise TypeError(
            "load: `trusted` is a list of classes, functions and names of types, or a "
            f"dict of objects by the name in the file; got {trusted!r}."
        )
    if isinstance(trusted, Mapping):
        named = dict(trusted)
    else:
        trusted = list(trusted)
        named = {name_of(t): t for t in trusted if not isinstance(t, str)}
    types = [
        f"{thing.__module__}.{thing.__name__}"
        for thing in named.values()
        if hasattr(thing, "__name__") and hasattr(thing, "__module__")
    ]
    if not isinstance(trusted, Mapping):
        types += [name for name in trusted if isinstance(name, str)]
    return Trust({**_known_without_asking(), **named}, types)
