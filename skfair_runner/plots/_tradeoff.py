"""Utility against a difference between groups, one point per method or setting."""

import numpy as np
import pandas as pd

from skfair_runner.groups.texts import label_of
from skfair_runner.metrics import METRICS
from skfair_runner.metrics.fronts import on_front
from skfair_runner.plots._drawing import (
    GREY,
    columns_of,
    legend_below,
    pyplot,
    style_of,
    tidy,
    wrapped,
)
from skfair_runner.plots._labels import place_labels
from skfair_runner.plots._marks import POINT, draw_bars, draw_ellipse, draw_point, reach

_FEWEST_FOLDS = 4  # for an ellipse: with three it is wider than any figure
_FEW_POINTS = 12  # so many settings can all be named
_SPREADS = ("bars", "intervals", "ellipses", None)
# Columns of `points` and of a comparison's table.
_COLUMNS = {"": "_mean", "_std": "_std", "_low": "_low", "_high": "_high"}
_INTERVALS = ["utility_low", "utility_high", "difference_low", "difference_high"]


# Measures that METRICS does not know, of which more is better, and of which neither is.
_MORE = ("accuracy", "balanced_accuracy", "average_precision", "roc_auc")
_NEITHER = ("selection_rate", "weight")


class TradeoffDisplay:
    """Scatter of a utility against a difference between groups.

    Better is up and to the left. The dashed line is the front: no point has a smaller
    difference at a larger utility than what is on it. Methods that need groups at
    prediction are drawn hollow; constant classifiers, whose difference is small for no
    good reason, are crossed out and left out of the front. Points of a method that was
    tried with several settings are joined.

    Parameters
    ----------
    points : DataFrame
        One row per method, or per method and setting, with the columns method, setting
        (None where there is one only), utility and difference, the two with _std, _low
        and _high, covariance (of the two over folds), folds, needs_groups_at_predict
        and constant. NaN where unknown.

    utility : str
        Name of the utility.

    difference : str
        Name of the difference.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around it.

    labels_ : list of matplotlib Annotation
        The names beside the points, in the order of the rows; where settings are
        joined, these, and of more than a dozen the first and the last of each method.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfair_runner.plots import TradeoffDisplay
    >>> table = pd.DataFrame(
    ...     {
    ...         "accuracy_mean": [0.86, 0.85, 0.84],
    ...         "demographic_parity_difference_mean": [0.21, 0.05, 0.07],
    ...     },
    ...     index=["plain", "repaired", "reweighed"],
    ... )
    >>> display = TradeoffDisplay.from_table(table)
    >>> display.front["method"].tolist()
    ['repaired', 'plain']
    >>> display.plot().ax_.get_ylabel()
    'accuracy (more is better)'
    """

    def __init__(self, points, *, utility, difference):
        self.points = points
        self.utility = utility
        self.difference = difference

    @classmethod
    def from_table(
        cls,
        table,
        *,
        difference="demographic_parity_difference",
        utility="accuracy",
        per_fold=None,
    ):
        """Take the points from the table of a comparison or of a sweep.

        Parameters
        ----------
        table : DataFrame
            One row per method, with ``<measure>_mean`` and perhaps ``_std``, ``_low``
            and ``_high`` of both measures, and perhaps ``needs_groups_at_predict`` and
            ``constant_folds``. Rows without a mean are left out. With two or more index
            levels the first is the method and the others are its setting.

        difference : str, default="demographic_parity_difference"
            Measure on the horizontal axis, less is better.

        utility : str, default="accuracy"
            Measure on the vertical axis, more is better.

        per_fold : DataFrame or None, default=None
            One row per fold with both measures, and columns named like the index levels
            of `table`. Confidence ellipses need it.

        Returns
        -------
        display : TradeoffDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If a table lacks a measure, or no row has both.
        """
        columns = {"utility": utility, "difference": difference}
        caller = f"{cls.__name__}.from_table"
        columns_of(table, [f"{name}_mean" for name in columns.values()], caller)
        nothing = pd.Series(np.nan, index=table.index)
        no = pd.Series(False, index=table.index)
        points = pd.DataFrame(
            {
                key + suffix: table.get(f"{name}{column}", nothing)
                for key, name in columns.items()
                for suffix, column in _COLUMNS.items()
            }
        )
        levels = [name if isinstance(name, tuple) else (name,) for name in table.index]
        points.insert(0, "method", [str(level[0]) for level in levels])
        settings = [label_of(level[1:]) or None for level in levels]
        points.insert(1, "setting", pd.Series(settings, points.index, dtype=object))
        points["covariance"], points["folds"] = np.nan, 0
        if per_fold is not None:
            _add_folds(points, per_fold, [utility, difference], caller)
        points["needs_groups_at_predict"] = table.get("needs_groups_at_predict", no)
        points["constant"] = table.get("constant_folds", no) > 0
        points = points.dropna(subset=["utility", "difference"])
        if points.empty:
            raise ValueError(
                f"{caller}: none of the methods {table.index.tolist()} has both "
                f"{utility!r} and {difference!r}, so there is nothing to draw."
            )
        return cls(points, utility=utility, difference=difference)

    @property
    def front(self):
        """Points that no other dominates, by their difference; none is constant."""
        points = self.points[~self.points["constant"]]
        chosen = on_front(points["difference"].to_numpy(), points["utility"].to_numpy())
        return points[chosen].sort_values(["difference", "utility"], kind="stable")

    def plot(self, ax=None, *, spread="bars", confidence=0.95):
        """Draw the points, the front and the names.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        spread : {"bars", "intervals", "ellipses"} or None, default="bars"
            "bars" are one standard deviation over the folds to each side, "intervals"
            the confidence intervals that the table has. "ellipses" are confidence
            regions of the mean of both measures, as if folds were independent of one
            another; they need `per_fold`, and points with fewer than four folds keep
            their bars. None draws none.

        confidence : float, default=0.95
            Of the ellipses, in (0, 1).

        Returns
        -------
        self : TradeoffDisplay
            With ``ax_``, ``figure_`` and ``labels_``.

        Raises
        ------
        ValueError
            If `spread` is unknown, `confidence` is out of range, ellipses are asked for
            without enough folds, or intervals that the table does not have.
        """
        self._check_spread(spread, confidence)
        methods = self.points["method"].unique().tolist()
        sweep = len(methods) < len(self.points)
        if ax is None:
            size = (6.4, 4.6 + 0.2 * len(methods) * sweep)
            _, ax = pyplot().subplots(figsize=size, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        tidy(ax)
        for number, method in enumerate(methods):
            points = self.points[self.points["method"] == method]
            style = style_of(number)
            if sweep:
                self._join(ax, method, points, style)
            for _, point in points.iterrows():
                if _has_ellipse(point, spread):
                    draw_ellipse(ax, point, style, confidence)
                elif spread is not None:
                    draw_bars(ax, point, style, spread)
                draw_point(ax, point, style, 0.65 * POINT if sweep else POINT)
        ax.set_xlabel(axis_label(self.difference, "less"))
        ax.set_ylabel(axis_label(self.utility, "more"))
        ax.margins(0.18, 0.16)
        _show_zero(ax)
        front = self._draw_front(ax)
        if sweep:
            legend_below(ax)
        notes = self._explanation(spread, confidence, front)
        ax.set_title(notes, loc="left", fontsize=8, color="#404040")
        self.labels_ = self._draw_labels(ax, methods, sweep, spread)
        return self

    def _check_spread(self, spread, confidence):
        if spread not in _SPREADS:
            raise ValueError(
                f"TradeoffDisplay.plot: spread must be one of {list(_SPREADS)}, got "
                f"{spread!r}."
            )
        if not 0 < confidence < 1:
            raise ValueError(
                "TradeoffDisplay.plot: confidence must be in (0, 1), got "
                f"{confidence!r}."
            )
        most = int(self.points["folds"].max())
        if spread == "ellipses" and most < _FEWEST_FOLDS:
            raise ValueError(
                f"TradeoffDisplay.plot: ellipses need at least {_FEWEST_FOLDS} folds, "
                f"and of no point are more than {most} known. Pass `per_fold` to "
                "from_table, or draw bars."
            )
        if spread == "intervals" and self.points[_INTERVALS].isna().all(axis=None):
            raise ValueError(
                "TradeoffDisplay.plot: the table has no intervals of "
                f"{self.utility!r} and {self.difference!r}. Pass one with columns that "
                "end in _low and _high, or draw bars."
            )

    @staticmethod
    def _join(ax, method, points, style):
        """Line through the settings of one method, in the order of the rows."""
        ax.plot(
            points["difference"],
            points["utility"],
            color=style.colour,
            linestyle=style.line,
            linewidth=1.3,
            marker=style.marker,
            markersize=0.65 * POINT,
            label=wrapped(method, 60, 1),
            zorder=2.5,
        )

    def _draw_front(self, ax):
        """Steps of what is attained at each difference; False for a single point."""
        front = self.front
        if len(front) < 2:
            return False
        right = ax.get_xlim()[1]
        ax.step(
            [*front["difference"], right],
            [*front["utility"], front["utility"].iloc[-1]],
            where="post",
            color=GREY,
            linestyle=(0, (4, 2)),
            linewidth=1.1,
            zorder=1,
        )
        ax.set_xlim(right=right)
        return True

    def _draw_labels(self, ax, methods, sweep, spread):
        """Names of methods, or settings, of many the first and the last of each."""
        # Fixes the axes, so that places on the page can be compared.
        self.figure_.figure.draw_without_rendering()
        taken = self._boxes_of_points(ax, spread)
        points = self.points
        texts = points["method"]
        if sweep:
            inner = points.duplicated("method")
            inner &= points.duplicated("method", keep="last")
            points = points[~inner | (len(points) <= _FEW_POINTS)]
            texts = points["setting"].fillna("")
        texts = texts + np.where(points["constant"], " (constant)", "")
        return place_labels(
            ax,
            [wrapped(text, 40, 1) for text in texts],
            points[["difference", "utility"]].apply(tuple, axis=1).tolist(),
            [style_of(methods.index(name)).colour for name in points["method"]],
            taken,
            size=7.5 if sweep else 9,
        )

    def _boxes_of_points(self, ax, spread):
        """Rectangles of the page that points and bars take up."""
        from matplotlib.transforms import Bbox

        boxes = []
        half = POINT / 2 * self.figure_.dpi / 72
        for _, point in self.points.iterrows():
            centre = np.array([point["difference"], point["utility"]])
            x, y = ax.transData.transform(centre)
            boxes.append(Bbox([[x - half, y - half], [x + half, y + half]]))
            if spread is None or _has_ellipse(point, spread):
                continue
            down, up = reach(point, spread).T
            low, high = ax.transData.transform([centre - down, centre + up])
            boxes.append(Bbox([[low[0], y - 2], [high[0], y + 2]]))
            boxes.append(Bbox([[x - 2, low[1]], [x + 2, high[1]]]))
        return boxes

    def _explanation(self, spread, confidence, front):
        """What lines, bars, hollow points and crosses mean, where there are any."""
        points, parts = self.points, []
        if front:
            parts.append("dashed: the front, which no point dominates")
        ellipse = _has_ellipse(points, spread)
        deviations = points.loc[~ellipse, ["utility_std", "difference_std"]]
        if spread == "intervals":
            parts.append("bars: confidence intervals")
        elif spread is not None and deviations.notna().any(axis=None):
            parts.append("bars: standard deviation over folds")
        if ellipse.any():
            parts.append(
                f"ellipses: {100 * confidence:g} % confidence of the mean over folds"
            )
        if points["needs_groups_at_predict"].any():
            parts.append("hollow: needs groups at prediction")
        if points["constant"].any():
            parts.append("crossed out: constant, its difference says nothing")
        return "\n".join(parts)


def _has_ellipse(points, spread):
    """Whether a point, or each of them, gets an ellipse."""
    return (points["folds"] >= _FEWEST_FOLDS) & (spread == "ellipses")


def _add_folds(points, per_fold, measures, caller):
    """Covariance of the two measures over folds, and how many folds there are."""
    by = [name or "method" for name in points.index.names]
    columns_of(per_fold, [*by, *measures], caller)
    complete = per_fold.dropna(subset=measures)
    for place, name in enumerate(points.index):
        values = name if isinstance(name, tuple) else (name,)
        rows = complete
        for column, value in zip(by, values, strict=True):
            rows = rows[rows[column] == value]
        covariance = np.nan
        if len(rows) > 1:
            covariance = rows[measures].cov().iloc[0, 1]
        points.iloc[place, points.columns.get_loc("covariance")] = covariance
        points.iloc[place, points.columns.get_loc("folds")] = len(rows)


def _show_zero(ax):
    """Begin just left of zero, which is what is aimed at, where it is near."""
    left, right = ax.get_xlim()
    if left < 0.5 * (right - left):
        ax.set_xlim(left=-0.04 * right)


def axis_label(measure, otherwise):
    """Name of a measure, and whether more or less of it is better.

    Parameters
    ----------
    measure : str
        Name of a column.

    otherwise : {"more", "less"}
        What is better of a measure that is not known.

    Returns
    -------
    label : str
        For an axis.
    """
    if measure in _NEITHER:
        return _words(measure)
    better = otherwise
    if measure in METRICS:
        better = "more" if METRICS[measure].greater_is_better else "less"
    elif measure in _MORE:
        better = "more"
    return f"{_words(measure)} ({better} is better)"


def _words(name):
    """Name of a measure as it reads in a sentence."""
    words = {"abcc": "area between score distributions"}
    return words.get(name, name.replace("_", " "))
