"""What a sweep returns: fronts, hypervolumes, settings picked on validation rows."""

import numpy as np
import pandas as pd

from skfair_runner.compare._measures import check_difference, check_utility
from skfair_runner.metrics.fronts import hypervolume, non_dominated
from skfair_runner.plots import TradeoffDisplay

_PARTS = ("validation", "test")


class TradeoffSweep:
    """Measures of every setting of a grid, on validation and on test rows.

    Settings are always chosen by validation rows; test rows only tell how good the
    choice was. A setting that gave nearly everybody the same decision in any split is
    marked, and never on a front: its difference is small for no good reason.

    Parameters
    ----------
    per_split : DataFrame
        One row per method, setting and split: ``method``, ``setting`` (its number),
        ``param_<name>`` for every parameter of the grids, ``seed`` and ``fold``, the
        measures as ``validation_<measure>`` and ``test_<measure>``,
        ``validation_constant``, ``test_constant`` and ``error``.

    groups : tuple of str
        Names of the groups.

    pos_label : label or None
        The favourable label; None where every class was compared with the rest.

    measures : dict of str to Measure
        What there are columns for.

    settings : dict
        What it takes to do it again: parameters, seeds, splits, and versions.

    Attributes
    ----------
    table : DataFrame
        One row per method and setting: the parameters, ``<part>_<measure>_mean`` and
        ``<part>_<measure>_std`` over splits, ``constant_splits``, ``splits`` (that did
        not fail) and ``error``.

    See Also
    --------
    sweep_tradeoff : Makes one.
    """

    def __init__(self, per_split, *, groups, pos_label, measures, settings):
        self.per_split = per_split
        self.groups = groups
        self.pos_label = pos_label
        self.measures = measures
        self.settings = settings
        self.table = _make_table(per_split, measures)

    def __repr__(self) -> str:
        methods = self.table.groupby(level="method", sort=False).size()
        listed = ", ".join(f"{name}: {n} settings" for name, n in methods.items())
        n_splits = len(self.per_split[["seed", "fold"]].drop_duplicates())
        return f"TradeoffSweep({listed}; {n_splits} splits)"

    def front(self, *, utility="accuracy", difference="demographic_parity_difference"):
        """Settings of each method that none of its other settings beats on validation.

        Parameters
        ----------
        utility : str, default="accuracy"
            More is better.

        difference : str, default="demographic_parity_difference"
            Less is better.

        Returns
        -------
        front : DataFrame
            One row per method and setting, from the lowest validation difference up:
            the parameters, and both measures on validation and test rows. Means over
            the splits that did not fail. Settings that became constant on validation
            rows are not compared, and those that did so on test rows not shown.

        Raises
        ------
        ValueError
            If there is no such utility or difference.
        """
        self._check("front", utility, difference)
        # Nothing about the test rows may decide which settings beat one another.
        chosen_from = self.table[self._constant_splits("validation") == 0]
        by_method = chosen_from.groupby(level="method", sort=False, group_keys=False)
        kept = [
            part[
                non_dominated(
                    part[f"validation_{utility}_mean"],
                    part[f"validation_{difference}_mean"],
                )
            ].sort_values(f"validation_{difference}_mean", kind="stable")
            for _, part in by_method
        ]
        columns = [
            f"{part}_{name}_{kind}"
            for part in _PARTS
            for name in (utility, difference)
            for kind in ("mean", "std")
        ]
        front = pd.concat(kept) if kept else chosen_from
        front = front[front["constant_splits"] == 0]
        return front[[*self._parameters(), *columns]]

    def hypervolume(
        self,
        *,
        reference,
        utility="accuracy",
        difference="demographic_parity_difference",
    ):
        """Area that each method's front dominates on test rows, up to a reference.

        On every split the front is chosen on validation rows; what counts are the test
        figures of its settings. Areas are averaged over the folds of a seed, and then
        over seeds.

        Parameters
        ----------
        reference : tuple of (float, float)
            The least utility and the largest difference that count; the same for all
            methods. A sensible one is what the majority's label reaches, and the
            difference of the unmitigated classifier.

        utility : str, default="accuracy"
            More is better.

        difference : str, default="demographic_parity_difference"
            Less is better.

        Returns
        -------
        areas : DataFrame
            One row per method: ``mean`` and ``std`` over the seeds, and one column
            ``seed_<number>`` for each; NaN where every setting failed.

        Raises
        ------
        ValueError
            If there is no such utility or difference, or `reference` is not two finite
            numbers.
        """
        self._check("hypervolume", utility, difference)
        hypervolume([], reference)  # refuses a wrong reference also without points
        areas = {}
        for split, rows in self._splits():
            if (rows["error"] != "").all():
                areas[split] = np.nan
                continue
            rows = rows[~rows["validation_constant"]]
            front = rows[
                non_dominated(
                    rows[f"validation_{utility}"], rows[f"validation_{difference}"]
                )
            ]
            front = front[~front["test_constant"]]
            points = front[[f"test_{utility}", f"test_{difference}"]].to_numpy()
            areas[split] = hypervolume(points, reference)
        areas = pd.Series(areas).rename_axis(["method", "seed", "fold"])
        by_seed = areas.groupby(level=["method", "seed"], sort=False).mean().unstack()
        by_seed.columns = [f"seed_{seed}" for seed in by_seed.columns]
        by_seed = by_seed.loc[self.table.index.unique("method")]
        by_seed.insert(0, "mean", by_seed.mean(axis=1))
        by_seed.insert(1, "std", by_seed.filter(like="seed_").std(axis=1, ddof=1))
        return by_seed

    def pick(
        self,
        *,
        bound,
        utility="accuracy",
        difference="demographic_parity_difference",
    ):
        """Setting with the best utility among those below a bound, on validation rows.

        Parameters
        ----------
        bound : float
            Largest difference on validation rows, at least 0.

        utility : str, default="accuracy"
            What is best within the bound; equal utilities are decided by the lower
            difference.

        difference : str, default="demographic_parity_difference"
            What the bound is about.

        Returns
        -------
        picked : DataFrame
            One row per method, seed and fold: ``setting``, the parameters, both
            measures on validation and on test rows, ``within_bound`` (on validation;
            where no setting is, the one with the lowest difference is taken) and
            ``test_constant``. Constant settings are not picked; a method that has no
            other is left out.

        Raises
        ------
        TypeError
            If `bound` is not a number.

        ValueError
            If it is negative or NaN, or there is no such utility or difference.
        """
        self._check("pick", utility, difference)
        if isinstance(bound, bool) or not isinstance(bound, int | float | np.number):
            raise TypeError(f"TradeoffSweep.pick: `bound` is a number, got {bound!r}.")
        if not bound >= 0:
            raise ValueError(
                f"TradeoffSweep.pick: `bound` must be at least 0, got {bound!r}."
            )
        names = [f"{part}_{name}" for part in _PARTS for name in (utility, difference)]
        picked = []
        for _, rows in self._splits():
            rows = rows[~rows["validation_constant"]].dropna(subset=names[:2])
            if rows.empty:
                continue
            rows = rows.assign(within_bound=rows[f"validation_{difference}"] <= bound)
            order = [f"validation_{utility}", f"validation_{difference}"]
            ascending = [False, True]
            if not rows["within_bound"].any():
                order, ascending = order[::-1], ascending[::-1]
            rows = rows.sort_values(
                ["within_bound", *order], ascending=[False, *ascending], kind="stable"
            )
            picked.append(rows.head(1))
        columns = ["method", "seed", "fold", "setting", *self._parameters(), *names]
        columns += ["within_bound", "test_constant"]
        if not picked:
            return pd.DataFrame(columns=columns)
        return pd.concat(picked, ignore_index=True)[columns]

    def plot(
        self,
        *,
        utility="accuracy",
        difference="demographic_parity_difference",
        ax=None,
    ):
        """Draw every method's front, as it looks on test rows.

        Points are the settings that are on a method's front by their validation
        figures, drawn where their test figures are and joined in the order of their
        validation differences. Constant settings are crossed out, and joined with
        nothing.

        Parameters
        ----------
        utility : str, default="accuracy"
            Measure on the vertical axis, more is better.

        difference : str, default="demographic_parity_difference"
            Measure on the horizontal axis, less is better.

        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TradeoffDisplay
            With ``points``, ``ax_`` and ``figure_``.

        Raises
        ------
        ValueError
            If there is no such utility or difference.
        """
        front = self.front(utility=utility, difference=difference)
        constant = self.table[self.table["constant_splits"] > 0]
        shown = pd.concat([self.table.loc[front.index], constant])
        columns = {
            f"test_{name}_{kind}": f"{name}_{kind}"
            for name in (utility, difference)
            for kind in ("mean", "std")
        }
        columns["constant_splits"] = "constant_folds"
        points = shown[list(columns)].rename(columns=columns)
        points.index = pd.MultiIndex.from_arrays(
            [_methods(shown), self._words(shown)], names=["method", "setting"]
        )
        display = TradeoffDisplay.from_table(
            points, difference=difference, utility=utility
        )
        return display.plot(ax=ax)

    def _check(self, method, utility, difference):
        caller = f"TradeoffSweep.{method}"
        check_utility(utility, caller, self.measures)
        check_difference(difference, caller, self.measures)

    def _constant_splits(self, part):
        """In how many splits each setting is constant on these rows."""
        by_setting = self.per_split.groupby(["method", "setting"], sort=False)
        return by_setting[f"{part}_constant"].sum()

    def _parameters(self):
        return [name for name in self.table if name.startswith("param_")]

    def _words(self, table):
        """Parameters of every setting, as text."""
        values = table[self._parameters()]
        return [
            ", ".join(
                f"{name.removeprefix('param_')}={value}"
                for name, value in row.items()
                if not (isinstance(value, float) and np.isnan(value))
            )
            for _, row in values.iterrows()
        ]

    def _splits(self):
        """Rows of every method on every split."""
        return self.per_split.groupby(["method", "seed", "fold"], sort=False)


def _methods(table):
    """Methods, the constant settings of each apart: no line leads to them."""
    return [
        f"{method}, constant" if constant else method
        for (method, _), constant in (table["constant_splits"] > 0).items()
    ]


def _make_table(per_split, measures):
    """Means and standard deviations over the splits."""
    per_split = per_split.assign(
        constant=per_split["validation_constant"] | per_split["test_constant"],
        failed=per_split["error"] != "",
    )
    by_setting = per_split.groupby(["method", "setting"], sort=False)
    names = [name for name in per_split if name.startswith("param_")]
    parameters = per_split.drop_duplicates(["method", "setting"])
    columns = dict(parameters.set_index(["method", "setting"])[names])
    for part in _PARTS:
        for name in measures:
            values = by_setting[f"{part}_{name}"]
            columns[f"{part}_{name}_mean"] = values.mean()
            columns[f"{part}_{name}_std"] = values.std(ddof=1)
    columns["constant_splits"] = by_setting["constant"].sum()
    columns["splits"] = by_setting["failed"].agg(lambda failed: int((~failed).sum()))
    columns["error"] = by_setting["error"].agg(
        lambda errors: " | ".join(dict.fromkeys(filter(None, errors)))
    )
    return pd.DataFrame(columns)
