"""Which columns and regions the discriminatory instances have in common."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

# Columns with more values are compared in so many bins.
_BINS = 10
_DEPTH = 3


def attribute_table(space, codes, found) -> pd.DataFrame:
    """How much discriminatory instances differ from the others, by column.

    Parameters
    ----------
    space : Space
        The box.

    codes : ndarray of int of shape (n_tried, n_columns)
        What was tried.

    found : ndarray of shape (n_tried,), dtype bool
        Which are discriminatory.

    Returns
    -------
    attributes : DataFrame
        Columns involvement and common, by column of the user, most involved first;
        involvement is NaN where all tried instances are alike discriminatory or not.
    """
    rows = {}
    for position in space.others:
        column, values = space.columns[position], codes[:, position]
        bins = values
        if column.ordered and column.size > _BINS:
            bins = values.astype(np.int64) * _BINS // column.size
        distance = np.nan
        if 0 < found.sum() < len(found):
            size = int(bins.max()) + 1
            inside = np.bincount(bins[found], minlength=size) / found.sum()
            outside = np.bincount(bins[~found], minlength=size) / (~found).sum()
            distance = np.abs(inside - outside).sum() / 2
        rows[space.names[position]] = {
            "involvement": distance,
            "common": _common(column, values[found]),
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.sort_values("involvement", ascending=False, kind="stable")


def _common(column, values) -> str:
    """The middle half of a number, the most frequent level of a category."""
    if len(values) == 0:
        return ""
    if not column.ordered:
        counts = np.bincount(values, minlength=column.size)
        level = column.decode([counts.argmax()])[0]
        return f"{level} ({counts.max() / len(values):.0%})"
    low, high = np.quantile(values, [0.25, 0.75], method="nearest")
    low, high = column.decode([low, high]).tolist()
    return f"{low:g} to {high:g}"


def region_table(space, codes, found, max_regions) -> pd.DataFrame:
    """Leaves of a shallow tree that tells discriminatory instances from the others.

    Parameters
    ----------
    space : Space
        The box.

    codes : ndarray of int of shape (n_tried, n_columns)
        What was tried.

    found : ndarray of shape (n_tried,), dtype bool
        Which are discriminatory.

    max_regions : int
        Number of rows, at most.

    Returns
    -------
    regions : DataFrame
        Columns region, tried, found, share; regions without a discriminatory instance
        are left out.
    """
    columns = ["region", "tried", "found", "share"]
    if not 0 < found.sum() < len(found):
        return pd.DataFrame(columns=columns)
    features, tests = _indicators(space, codes)
    least = max(20, len(codes) // 200)
    tree = DecisionTreeClassifier(
        max_depth=_DEPTH, min_samples_leaf=least, random_state=0
    ).fit(features, found)
    leaves = tree.apply(features)
    rows = []
    for leaf, path in _paths(tree.tree_).items():
        inside = leaves == leaf
        count = int(found[inside].sum())
        if count:
            text = _in_words(space, path, tests)
            share = count / inside.sum()
            rows.append((text, int(inside.sum()), count, share))
    rows.sort(key=lambda row: (-row[3], -row[1]))
    return pd.DataFrame(rows[:max_regions], columns=columns)


def _indicators(space, codes):
    """Codes of ordered columns, and one 0/1 column per level of a category."""
    parts, tests = [], []
    for position in space.others:
        values = codes[:, position]
        if space.ordered[position]:
            parts.append(values)
            tests.append((position, None))
            continue
        for level in range(int(space.sizes[position])):
            parts.append(values == level)
            tests.append((position, level))
    return np.column_stack(parts).astype(np.float32), tests


def _paths(tree):
    """Tests on the way to each leaf: column, threshold, whether it lies above."""
    paths, waiting = {}, [(0, ())]
    while waiting:
        node, path = waiting.pop()
        if tree.children_left[node] < 0:
            paths[node] = path
            continue
        test = (int(tree.feature[node]), float(tree.threshold[node]))
        waiting.append((tree.children_left[node], (*path, (*test, False))))
        waiting.append((tree.children_right[node], (*path, (*test, True))))
    return paths


def _in_words(space, path, tests):
    """A path as a rule on the user's columns."""
    limits, levels = {}, {}
    for feature, threshold, above in path:
        position, level = tests[feature]
        if level is not None:
            levels.setdefault((position, above), []).append(level)
            continue
        low, high = limits.get(position, (0, int(space.sizes[position]) - 1))
        if above:
            limits[position] = (max(low, int(np.floor(threshold)) + 1), high)
        else:
            limits[position] = (low, min(high, int(np.floor(threshold))))
    words = []
    for position, (low, high) in limits.items():
        first, last = space.columns[position].decode([low, high]).tolist()
        words.append(f"{first:g} ≤ {space.names[position]} ≤ {last:g}")
    for (position, is_it), codes in levels.items():
        names = [str(v) for v in space.columns[position].decode(codes)]
        relation = "is" if is_it else "is not"
        words.append(f"{space.names[position]} {relation} {' or '.join(names)}")
    return ", ".join(words) or "everywhere"
