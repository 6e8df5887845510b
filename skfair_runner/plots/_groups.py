"""Bars of every group's rates, with their uncertainty and the groups' sizes."""

import numpy as np
import pandas as pd

from skfair_runner.groups.texts import label_of
from skfair_runner.metrics.rates import compute_rates
from skfair_runner.plots._drawing import (
    COLOURS,
    GREY,
    columns_of,
    panels,
    seam,
    tidy,
    wrapped,
)
from skfair_runner.plots._rates import check_request, measure
from skfair_runner.plots._reading import check_one_label, decisions_of

_DEFAULT = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")
# Columns of a table by group that hold its size: ours, and what fairlearn's
# MetricFrame is often given `count` as.
_SIZES = ("n", "count")
_BAR, _BAND = COLOURS[2], "#000000"


class GroupMetricsDisplay:
    """Bars of one or more metrics, group by group.

    One panel per metric, groups above one another with their sizes. Whiskers are
    confidence intervals of each group's own rate; the number in the title is the
    difference between the largest and the smallest value that are drawn.

    Parameters
    ----------
    values : DataFrame of shape (n_groups, n_metrics)
        One row per group; NaN where a group has no sample to measure.

    sizes : Series of shape (n_groups,) or None, default=None
        Samples in each group.

    low, high : DataFrame of shape (n_groups, n_metrics) or None, default=None
        Ends of the intervals.

    overall : Series of shape (n_metrics,) or None, default=None
        Values of all samples together, drawn as a line.

    confidence : float or None, default=None
        What share of intervals contain the true rate, for the legend.

    Attributes
    ----------
    differences_ : Series of shape (n_metrics,)
        Largest less smallest value over groups, after :meth:`plot`.

    axes_ : ndarray of matplotlib Axes, of shape (n_metrics,)
        The panels.

    figure_ : matplotlib Figure
        The figure around them.

    See Also
    --------
    skfair_runner.metrics.group_rates : The rates as a table.

    Examples
    --------
    >>> from skfair_runner.plots import GroupMetricsDisplay
    >>> display = GroupMetricsDisplay.from_predictions(
    ...     y_true=[0, 0, 1, 1, 0, 0, 1, 1],
    ...     y_pred=[0, 1, 1, 1, 0, 0, 0, 1],
    ...     sensitive_features=list("aaaabbbb"),
    ... )
    >>> display.plot().differences_["selection_rate"]
    np.float64(0.5)
    """

    def __init__(
        self,
        values,
        *,
        sizes=None,
        low=None,
        high=None,
        overall=None,
        confidence=None,
    ):
        self.values = values
        self.sizes = sizes
        self.low = low
        self.high = high
        self.overall = overall
        self.confidence = confidence

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        *,
        sensitive_features,
        metrics=_DEFAULT,
        sample_weight=None,
        pos_label=None,
        confidence=0.95,
    ):
        """Count the rates of labels and decisions.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_samples,)
            Labels and decisions.

        sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
            Group of each sample; several columns are crossed.

        metrics : sequence of str, default=("selection_rate", "true_positive_rate", \
                "false_positive_rate", "accuracy")
            Among these and "base_rate".

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample; None weighs all the same.

        pos_label : int, bool or str, default=None
            The favourable label. None takes the larger of {0, 1}, {False, True} and
            {-1, 1}.

        confidence : float or None, default=0.95
            Of the intervals, in (0, 1); None draws none. They are Wilson's, of the
            effective number of samples where these are weighted.

        Returns
        -------
        display : GroupMetricsDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If a metric is unknown, `confidence` is out of range, or the favourable
            label or fewer than two groups are known.
        """
        caller = f"{cls.__name__}.from_predictions"
        check_request(metrics, confidence, caller)
        rates = compute_rates(
            y_true,
            y_pred,
            sensitive_features,
            sample_weight,
            pos_label,
            caller,
            within_labels=False,
        )
        favourable = check_one_label(rates.labels, caller)
        return cls(**measure(rates, favourable, list(metrics), confidence))

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        sensitive_features,
        metrics=_DEFAULT,
        sample_weight=None,
        pos_label=None,
        confidence=0.95,
    ):
        """Count the rates of a fitted classifier's decisions.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier. Groups are passed to its `predict` only where it needs
            them.

        X : array-like of shape (n_samples, n_features)
            Features.

        y : array-like of shape (n_samples,)
            Labels.

        sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
            Group of each sample; several columns are crossed.

        metrics : sequence of str, default=("selection_rate", "true_positive_rate", \
                "false_positive_rate", "accuracy")
            As in :meth:`from_predictions`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample; None weighs all the same.

        pos_label : int, bool or str, default=None
            The favourable label, as in :meth:`from_predictions`.

        confidence : float or None, default=0.95
            Of the intervals, in (0, 1); None draws none.

        Returns
        -------
        display : GroupMetricsDisplay
            Not yet drawn.
        """
        return cls.from_predictions(
            y,
            decisions_of(estimator, X, sensitive_features),
            sensitive_features=sensitive_features,
            metrics=metrics,
            sample_weight=sample_weight,
            pos_label=pos_label,
            confidence=confidence,
        )

    @classmethod
    def from_table(cls, table, *, metrics=None, overall=None):
        """Take values by group that were computed elsewhere.

        Parameters
        ----------
        table : DataFrame or MetricFrame
            One row per group and one column per metric, such as
            :func:`~skfair_runner.metrics.group_rates` returns, or a fairlearn
            MetricFrame of several metrics. A column `n` or `count` holds the sizes.

        metrics : sequence of str or None, default=None
            Columns to draw; None draws all but the sizes.

        overall : Series or None, default=None
            Values of all samples together; a MetricFrame brings its own.

        Returns
        -------
        display : GroupMetricsDisplay
            Not yet drawn, without intervals.

        Raises
        ------
        ValueError
            If a metric is absent, or the table has no group or nothing but sizes.
        """
        caller = f"{cls.__name__}.from_table"
        if hasattr(table, "by_group"):
            overall = _overall_of(table) if overall is None else overall
            table = table.by_group
        table = pd.DataFrame(table)
        size = next((name for name in _SIZES if name in table), None)
        if metrics is None:
            metrics = [name for name in table.columns if name != size]
        columns_of(table, list(metrics), caller)
        if len(table) == 0 or len(metrics) == 0:
            raise ValueError(
                f"{caller}: the table has {len(table)} groups and {len(metrics)} "
                f"metrics to draw; its columns are {table.columns.tolist()}."
            )
        values = table[list(metrics)].astype(float)
        if overall is not None:
            overall = overall.reindex(values.columns).astype(float)
        return cls(values, sizes=None if size is None else table[size], overall=overall)

    def plot(self, ax=None):
        """Draw one panel per metric.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Its place is divided among the panels; None makes a figure.

        Returns
        -------
        self : GroupMetricsDisplay
            With ``axes_``, ``figure_`` and ``differences_``.
        """
        names = self._names()
        n_lines = max(name.count("\n") + 1 for name in names)
        n_metrics = self.values.shape[1]
        size = (2.2 + 2.1 * n_metrics, 1.6 + (0.2 + 0.17 * n_lines) * len(names))
        self.axes_ = panels(ax, 1, n_metrics, size, sharey=True)[0]
        self.figure_ = self.axes_[0].figure
        self.differences_ = self.values.max() - self.values.min()
        for panel, metric in zip(self.axes_, self.values, strict=True):
            self._draw_metric(panel, metric)
        first = self.axes_[0]
        first.set_yticks(np.arange(len(names)), names)
        first.set_ylim(len(names) - 0.4, -0.6)  # the first group on top
        notes = self._explanation()
        if notes:
            first.annotate(
                notes,
                (0, 0),
                xytext=(0, -36),
                xycoords="axes fraction",
                textcoords="offset points",
                va="top",
                fontsize=8,
                color="#404040",
            )
        return self

    def _names(self):
        """Groups and their sizes, as they stand beside the bars."""
        names = [wrapped(label_of(group), 28, 2) for group in self.values.index]
        if self.sizes is None:
            return names
        return [
            f"{name}\n(n = {int(size):,})"
            for name, size in zip(names, self.sizes, strict=True)
        ]

    def _draw_metric(self, ax, metric):
        values = self.values[metric].to_numpy()
        places = np.arange(len(values))
        ax.barh(places, values, height=0.62, color=_BAR, alpha=0.75)
        ends = values
        if self.low is not None:
            low, high = self.low[metric].to_numpy(), self.high[metric].to_numpy()
            ends = high
            ax.errorbar(
                values,
                places,
                xerr=[values - low, high - values],
                fmt="none",
                ecolor=_BAND,
                elinewidth=1.2,
                capsize=3,
            )
        for place, value, end in zip(places, values, ends, strict=True):
            known = np.isfinite(value)
            ax.annotate(
                self._number(value) if known else "no such samples",
                (end if known else 0, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                path_effects=seam(),
            )
        if self.overall is not None:
            ax.axvline(self.overall[metric], color=GREY, linestyle="--", linewidth=1.2)
        difference = self._number(self.differences_[metric])
        words = str(metric).replace("_", " ")
        ax.set_title(f"{words}\ndifference {difference}", fontsize=10)
        tidy(ax)
        ax.grid(False, axis="y")
        ax.tick_params(axis="y", length=0)
        # Rates go from 0 to 1, with room for their numbers; other values as they are.
        if np.nanmin(values, initial=0) >= 0 and np.nanmax(ends, initial=0) <= 1:
            ax.set_xlim(0, 1.3)
            ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
            ax.set_xlabel("share of the group")
        else:
            ax.margins(x=0.35)
            ax.set_xlabel("value")

    @staticmethod
    def _number(value):
        """Three decimals, or three digits of what is no rate."""
        return f"{value:.3f}" if abs(value) <= 1 else f"{value:.3g}"

    def _explanation(self):
        """What whiskers and the dashed line are, where there are any."""
        parts = []
        if self.low is not None:
            parts.append(f"whiskers: {100 * self.confidence:g} % confidence")
        if self.overall is not None:
            parts.append("dashed: all samples together")
        return "\n".join(parts)


def _overall_of(frame):
    """One value per metric of a MetricFrame; None where it has control features."""
    columns = pd.DataFrame(frame.by_group).columns
    if np.ndim(frame.overall) == 0:  # of one metric
        return pd.Series(frame.overall, index=columns)
    return frame.overall if frame.overall.index.equals(columns) else None
