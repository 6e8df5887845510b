"""What a search found, in the user's own columns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from skfair_runner.fairness_testing._display import SearchDisplay
from skfair_runner.fairness_testing._patterns import attribute_table, region_table
from skfair_runner.fairness_testing._space import Space

_SUFFIXES = ("_a", "_b")


@dataclass(frozen=True, repr=False)
class SearchResult:
    """Discriminatory pairs, and how they were found.

    Attributes
    ----------
    method : str
        Name of the search.

    pairs : DataFrame
        One row per distinct instance, sensitive columns left out of the comparison: the
        columns that both of a pair share, then the sensitive columns of one and the
        other (``sex_a``, ``sex_b``), both decisions (``decision_a``, ``decision_b``)
        and both scores (``score_a``, ``score_b``: probability of the second class, or
        of the decision of a where there are more than two; absent where the model has
        none).

    rows_a, rows_b : DataFrame or ndarray
        The two rows of each pair, as the model takes them.

    trace : DataFrame
        One row per batch, all counted from the start: phase, tried and found (distinct
        instances), model_rows (rows that the model decided), seconds.

    rates : DataFrame
        Discrimination rate on the data and in the box; see
        :func:`discrimination_rate`.

    space : Space
        The box.

    tried : int
        Number of distinct instances that were tried.

    n_unverified : int
        Instances that the search took for discriminatory, but that the model's own
        `predict` did not confirm; they are left out.

    notes : list of str
        What the search had to report, such as solver calls that ran out of time.

    tried_codes : ndarray of shape (n_tried, n_columns), dtype int32
        Codes of everything that was tried, in order.

    tried_found : ndarray of shape (n_tried,), dtype bool
        Which of them are discriminatory.
    """

    method: str
    pairs: pd.DataFrame
    rows_a: object
    rows_b: object
    trace: pd.DataFrame
    rates: pd.DataFrame
    space: Space
    n_unverified: int
    notes: list
    tried_codes: np.ndarray = field(repr=False)
    tried_found: np.ndarray = field(repr=False)

    @property
    def tried(self) -> int:
        """Number of distinct instances that were tried."""
        return len(self.tried_codes)

    @property
    def found(self) -> int:
        """Number of distinct discriminatory instances."""
        return len(self.pairs)

    @property
    def seconds(self) -> float:
        """Duration of the search, without the final check and the rates."""
        return float(self.trace["seconds"].iloc[-1]) if len(self.trace) else 0.0

    def attributes(self) -> pd.DataFrame:
        """How much the discriminatory instances differ from the others, by column.

        Returns
        -------
        attributes : DataFrame
            One row per column that is not sensitive, most involved first: involvement
            (total variation distance, in [0, 1], between discriminatory and other
            tried instances) and what is common among the discriminatory.
        """
        return attribute_table(self.space, self.tried_codes, self.tried_found)

    def regions(self, max_regions=5) -> pd.DataFrame:
        """Where the discriminatory instances are, as rules on the columns.

        Parameters
        ----------
        max_regions : int, default=5
            Number of rows, at most.

        Returns
        -------
        regions : DataFrame
            The densest first: region (a rule), tried and found in it, share.
        """
        return region_table(self.space, self.tried_codes, self.tried_found, max_regions)

    def directions(self) -> pd.DataFrame:
        """Which sensitive values were decided how, over all pairs.

        Returns
        -------
        directions : DataFrame
            One row for each way in which a pair was decided, the most frequent first:
            the sensitive values and decision of one, those of the other, and pairs.
        """
        names = [self.space.names[k] for k in self.space.sensitive]
        sides = []
        for side in _SUFFIXES:
            columns = [f"{name}{side}" for name in names]
            values = self.pairs[columns].astype(str).agg(", ".join, axis=1)
            decided = self.pairs[f"decision{side}"].astype(str)
            sides.append((values + " → " + decided).to_numpy(dtype=object))
        # (man, woman) and (woman, man) are the same pair.
        first = np.minimum(*sides) if len(self.pairs) else sides[0]
        second = np.maximum(*sides) if len(self.pairs) else sides[1]
        counts = pd.DataFrame({"one": first, "other": second}).value_counts()
        return counts.rename("pairs").reset_index()

    def summary(self) -> str:
        """What was found, in sentences.

        Returns
        -------
        text : str
            Several lines.
        """
        names = [self.space.names[k] for k in self.space.sensitive]
        share = self.found / max(self.tried, 1)
        lines = [
            f"{self.method} tried {self.tried:,} distinct instances in "
            f"{self.seconds:.1f} s and found {self.found:,} ({share:.1%}) whose "
            f"decision changes with {' and '.join(map(str, names))} alone.",
        ]
        for name, row in self.rates.iterrows():
            what = {"data": "the rows of the data", "box": "all possible rows"}[name]
            lines.append(
                f"Of {what}: {row['rate']:.2%} ({int(row['discriminatory']):,} of "
                f"{int(row['examined']):,}; 95 % interval {row['low']:.2%} to "
                f"{row['high']:.2%})."
            )
        if self.tried and not self.found:
            lines.append(
                f"So it is for every model that does not get {' and '.join(names)}, "
                "and it says nothing about differences between groups through other "
                "columns."
            )
        if self.found:
            top = self.directions().iloc[0]
            lines.append(
                f"Most frequent: {top['one']}, but {top['other']} "
                f"({top['pairs']:,} pairs)."
            )
            involved = self.attributes().head(3)
            lines.append(f"Columns most involved: {', '.join(involved.index)}.")
            region = self.regions(1)
            if len(region):
                lines.append(
                    f"Densest region: {region['region'].iloc[0]} "
                    f"({region['share'].iloc[0]:.0%} of {region['tried'].iloc[0]:,} "
                    "tried there)."
                )
        return "\n".join([*lines, *self.notes])

    def plot(self, ax=None, *, n_discriminatory=None):
        """Draw found against tried.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        n_discriminatory : int, default=None
            How many there are in the whole box, where that is known; the curve is then
            the recall.

        Returns
        -------
        display : SearchDisplay
            Drawn.
        """
        display = SearchDisplay(
            {self.method: self.trace}, n_discriminatory=n_discriminatory
        )
        return display.plot(ax)

    def __repr__(self) -> str:
        return (
            f"<SearchResult of {self.method}: {self.found:,} found of "
            f"{self.tried:,} tried>"
        )


def make_result(method, ledger, model, rates, notes) -> SearchResult:
    """Check every pair with the model itself, and put the result together.

    Parameters
    ----------
    method : str
        Name of the search.

    ledger : Ledger
        What was tried and found.

    model : BlackBox
        Adapter of the model.

    rates : DataFrame
        Of :func:`discrimination_rate`.

    notes : list of str
        What the search had to report.

    Returns
    -------
    result : SearchResult
        With confirmed pairs only.
    """
    space = ledger.space
    codes, found, combinations = ledger.collected()
    sides = []
    for side in (0, 1):
        rows = codes[found].astype(np.int64)
        rows[:, space.sensitive] = space.combinations[combinations[found, side]]
        sides.append(rows)
    decided = [_in_parts(model.predict, space, rows) for rows in sides]
    confirmed = decided[0] != decided[1]
    sides = [rows[confirmed] for rows in sides]
    decided = [decision[confirmed] for decision in decided]
    kept = found.copy()
    kept[found] = confirmed
    return SearchResult(
        method=method,
        pairs=_pair_table(model, space, sides, decided),
        rows_a=space.decode(sides[0]),
        rows_b=space.decode(sides[1]),
        trace=ledger.trace(),
        rates=rates,
        space=space,
        n_unverified=int((~confirmed).sum()),
        notes=notes,
        tried_codes=codes,
        tried_found=kept,
    )


def _in_parts(ask, space, rows, size=65_536) -> np.ndarray:
    """Answers of the model about many rows."""
    parts = np.split(rows, range(size, len(rows), size)) if len(rows) else []
    answers = [np.asarray(ask(space.decode(part))) for part in parts]
    return np.concatenate(answers) if answers else np.empty(0)


def _pair_table(model, space, sides, decided) -> pd.DataFrame:
    """The columns that a pair shares, then what differs."""
    columns = {space.names[k]: space._values(k, sides[0][:, k]) for k in space.others}
    for k in space.sensitive:
        for side, rows in zip(_SUFFIXES, sides, strict=True):
            columns[f"{space.names[k]}{side}"] = space._values(k, rows[:, k])
    for side, decision in zip(_SUFFIXES, decided, strict=True):
        columns[f"decision{side}"] = decision
    if model.has_scores and len(sides[0]):
        scores = [_in_parts(model.predict_proba, space, rows) for rows in sides]
        label = np.ones(len(sides[0]), dtype=np.int64)
        if scores[0].shape[1] > 2:
            label = scores[0].argmax(axis=1)
        for side, score in zip(_SUFFIXES, scores, strict=True):
            columns[f"score{side}"] = score[np.arange(len(label)), label]
    return pd.DataFrame(columns)
