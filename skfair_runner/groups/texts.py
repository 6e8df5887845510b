"""How group names, values and lists of them read in a message."""

from collections.abc import Sequence

import numpy as np


def label_of(name: object) -> str:
    """Readable name of a group: ``"Female"``, or ``"Female, Black"`` when crossed."""
    return ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def plain(value: object) -> object:
    """Python value of a numpy scalar, whose repr would show its type."""
    return value.item() if isinstance(value, np.generic) else value


def first_few(items: Sequence[object], separator: str = ", ", most: int = 5) -> str:
    """First items joined, and how many more there are."""
    more = len(items) - most
    text = separator.join(map(str, items[:most]))
    return f"{text} and {more} more" if more > 0 else text
