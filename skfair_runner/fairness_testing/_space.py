"""The box of inputs that a search moves in, and its integer codes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from skfair_runner.fairness_testing._columns import (
    Categories,
    Floats,
    Integers,
    all_combinations,
)
from skfair_runner.fairness_testing._roles import (
    as_dtype,
    check_roles,
    chosen_names,
    describe_roles,
    infer_columns,
    named_positions,
)
from skfair_runner.fairness_testing._rules import Constraints
from skfair_runner.fairness_testing._tables import MAX_LEVELS, to_frame

# Columns with at most so many values are decoded by looking them up.
_TABLE = 4096


class Space:
    """Which inputs exist: the values of each column, and rules between columns.

    Every column is a range of codes 0, 1, 2, ...; an input is a row of codes. Two
    inputs are the same *instance* if they agree in all columns that are not sensitive.

    Parameters
    ----------
    columns : dict of str to Integers, Floats or Categories
        What each column of the model's table may hold, in the table's order.

    sensitive_features : str or list of str
        Columns whose values are exchanged; all combinations of their values.

    immutable : str or list of str, default=()
        Columns that a search may not change. They keep the value of the row that the
        search starts from.

    constraints : list of tuple or callable, default=()
        Rules that every tried row keeps. A tuple such as ``("age", ">=",
        "years_of_education", 5)`` means age ≥ years_of_education + 5; a number may
        stand in place of the second column. A function gets a table and returns one
        bool per row.

    dtypes : dict of str to dtype, default=None
        Of the decoded columns; None takes what the columns' values have.

    as_frame : bool, default=True
        Whether decoded rows are a DataFrame; with False they are an array.

    Attributes
    ----------
    names : list of str
        Names of the columns.

    sizes : ndarray of shape (n_columns,), dtype int64
        Number of values of each column.

    sensitive : ndarray of int
        Positions of the sensitive columns.

    free : ndarray of int
        Positions of the columns that a search may change.

    others : ndarray of int
        Positions of the columns that are not sensitive.

    ordered : ndarray of bool
        Whether each column is ordered; categories are not.

    pinned : ndarray of shape (n_samples, n_immutable) or None
        Codes of the immutable columns in the data; they are drawn together.

    combinations : ndarray of shape (n_combinations, n_sensitive), dtype int64
        Codes of all combinations of sensitive values.

    constraints : Constraints
        As they were read.

    n_instances : int
        Number of different instances in the box, constraints left aside.

    Raises
    ------
    TypeError
        If a column is described by something else, or a constraint is neither a tuple
        nor a function.

    ValueError
        If a sensitive, immutable or constrained column is unknown, a sensitive column
        has one value only, a column is both sensitive and immutable, or no column is
        left that a search may change.

    See Also
    --------
    Space.from_data : Read the columns off a table.

    Examples
    --------
    >>> from skfair_runner.fairness_testing import Categories, Integers, Space
    >>> space = Space(
    ...     {"age": Integers(17, 20), "sex": Categories(("female", "male"))},
    ...     sensitive_features="sex",
    ... )
    >>> space.decode([[0, 1], [3, 0]])
       age     sex
    0   17    male
    1   20  female
    >>> space.n_instances
    4
    """

    def __init__(
        self,
        columns,
        *,
        sensitive_features,
        immutable=(),
        constraints=(),
        dtypes=None,
        as_frame=True,
    ):
        self.names = list(columns)
        self.columns = list(columns.values())
        for name, column in columns.items():
            if not isinstance(column, Integers | Floats | Categories):
                raise TypeError(
                    f"Column {name!r} is described by {column!r}: pass Integers, "
                    "Floats or Categories."
                )
        self.dtypes, self.as_frame = dtypes, as_frame
        self.sizes = np.array([column.size for column in self.columns])
        self.sensitive = named_positions(
            self.names, sensitive_features, "sensitive_features"
        )
        self.immutable = named_positions(self.names, immutable, "immutable")
        check_roles(self)
        fixed = np.union1d(self.sensitive, self.immutable)
        kept = np.setdiff1d(np.arange(len(self.names)), fixed)
        self.free = kept[self.sizes[kept] > 1]
        if len(self.free) == 0:
            raise ValueError(
                "A search needs a column that it may change, but of "
                f"{self.names} all are sensitive, immutable or constant."
            )
        self.combinations = all_combinations(self.sizes[self.sensitive])
        self.ordered = np.array([column.ordered for column in self.columns])
        self.others = np.setdiff1d(np.arange(len(self.names)), self.sensitive)
        self.n_instances = math.prod(self.sizes[self.others].tolist())
        self.constraints = Constraints(constraints, self.names, self.columns)
        self._tables: dict[int, object] = {}
        self.pinned = None

    @classmethod
    def from_data(
        cls,
        X,
        *,
        sensitive_features,
        columns=None,
        immutable=(),
        constraints=(),
        max_levels=MAX_LEVELS,
    ):
        """Describe a table by the values that it holds.

        Numbers become :class:`Integers` or :class:`Floats`, from the smallest to the
        largest value; strings, booleans and categories :class:`Categories`.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_columns)
            What the model is given to predict. Columns of an array are called ``x0``,
            ``x1`` and so on.

        sensitive_features : str, int or list of str and int
            Columns whose values are exchanged, by name or by position.

        columns : dict of str to Integers, Floats or Categories, default=None
            Descriptions that replace the inferred ones.

        immutable : str, int or list of str and int, default=()
            Columns that a search may not change.

        constraints : list of tuple or callable, default=()
            Rules that every tried row keeps; see :class:`Space`.

        max_levels : int, default=100
            A number with more values than this gets a coarser step, out of 1, 2, 5,
            10, ...; at least 2.

        Returns
        -------
        space : Space
            The box.

        Raises
        ------
        ValueError
            If X has no row, a number is missing, a column holds neither numbers nor
            categories, `columns` names a column that X does not have, or as
            :class:`Space`.

        Examples
        --------
        >>> import pandas as pd
        >>> from skfair_runner.fairness_testing import Space
        >>> people = pd.DataFrame({"age": [20, 61], "sex": ["f", "m"]})
        >>> Space.from_data(people, sensitive_features="sex").describe()
             kind  low  high step  values       role
        age   int   20    61    1      42       free
        sex  text    f     m            2  sensitive
        """
        caller = "Space.from_data"
        frame = to_frame(X, caller)
        described = infer_columns(frame, columns, max_levels, caller)
        space = cls(
            described,
            sensitive_features=chosen_names(frame, sensitive_features, caller),
            immutable=chosen_names(frame, immutable, caller),
            constraints=constraints,
            dtypes=dict(frame.dtypes),
            as_frame=isinstance(X, pd.DataFrame),
        )
        # Immutable columns are drawn together, as they occur in the data.
        space.pinned = space.encode(frame)[:, space.immutable]
        return space

    def describe(self) -> pd.DataFrame:
        """Table of the columns.

        Returns
        -------
        table : DataFrame
            One row per column: kind, low and high (first and last level of
            categories), step, number of values, and role (sensitive, immutable, free
            or constant).
        """
        return describe_roles(self)

    def __getstate__(self) -> dict:
        # Tables are made again when they are needed, so a used box is a new one.
        return {**vars(self), "_tables": {}}

    def __repr__(self) -> str:
        sensitive = [self.names[position] for position in self.sensitive]
        size = f"{len(self.names)} columns, {self.n_instances:,} instances"
        return f"<Space of {size}, sensitive {sensitive}>"

    def encode(self, X) -> np.ndarray:
        """Codes of rows; a number takes the nearest value of the grid.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_columns)
            With the columns of the space.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_columns), dtype int64
            In the order of `names`.

        Raises
        ------
        ValueError
            If a column is absent, or a category has an unknown level.
        """
        frame = to_frame(X, "Space.encode")
        absent = [name for name in self.names if name not in frame.columns]
        if absent:
            raise ValueError(
                f"Space.encode: X has no column {absent[0]!r}; its columns are "
                f"{frame.columns.tolist()}."
            )
        codes = np.empty((len(frame), len(self.names)), dtype=np.int64)
        for position, name in enumerate(self.names):
            codes[:, position] = self.columns[position].encode(frame[name])
        return codes

    def decode(self, codes):
        """Rows of codes, as the model takes them.

        Parameters
        ----------
        codes : array-like of int of shape (n_samples, n_columns)
            From 0 to ``sizes - 1``.

        Returns
        -------
        X : DataFrame or ndarray of shape (n_samples, n_columns)
            With the columns and dtypes of the data.
        """
        table = self._table(np.asarray(codes))
        if self.as_frame:
            return table
        return np.column_stack([np.asarray(column) for _, column in table.items()])

    def _table(self, codes) -> pd.DataFrame:
        """Values of rows of codes."""
        return pd.DataFrame(
            {
                name: self._values(position, codes[:, position])
                for position, name in enumerate(self.names)
            }
        )

    def _values(self, position, codes):
        """Values of one column, in its dtype."""
        column = self.columns[position]
        dtype = self.dtypes and self.dtypes[self.names[position]]
        if column.size > _TABLE:
            return as_dtype(column.decode(codes), dtype)
        if position not in self._tables:
            levels = column.decode(np.arange(column.size))
            self._tables[position] = as_dtype(levels, dtype)
        return self._tables[position].take(codes)

    def expand(self, codes) -> np.ndarray:
        """Every row with every combination of sensitive values.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples, n_columns)
            Rows.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_combinations, n_columns), dtype int64
            Alike but for the sensitive columns.
        """
        rows = np.repeat(codes[:, None, :], len(self.combinations), axis=1)
        rows[:, :, self.sensitive] = self.combinations
        return rows

    def combination_of(self, codes) -> np.ndarray:
        """Which combination of sensitive values each row has.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples, n_columns)
            Rows.

        Returns
        -------
        combination : ndarray of shape (n_samples,), dtype int64
            Position in `combinations`.
        """
        sizes = self.sizes[self.sensitive]
        return np.ravel_multi_index(tuple(codes[:, self.sensitive].T), sizes)

    def valid(self, codes) -> np.ndarray:
        """Whether rows keep the constraints.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples, n_columns)
            Rows.

        Returns
        -------
        valid : ndarray of shape (n_samples,), dtype bool
            True where there are no constraints.
        """
        return self.constraints.hold(codes, self._table)

    def valid_combinations(self, codes) -> np.ndarray:
        """Whether rows keep the constraints, with each combination in turn.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples, n_columns)
            Rows.

        Returns
        -------
        valid : ndarray of shape (n_samples, n_combinations), dtype bool
            True where there are no constraints.
        """
        shape = (len(codes), len(self.combinations))
        if self.constraints.concern(self.sensitive):
            rows = self.expand(codes).reshape(-1, len(self.names))
            return self.valid(rows).reshape(shape)
        return np.broadcast_to(self.valid(codes)[:, None], shape)
