"""Distributions of the scores of every group, and the area between them."""

from itertools import combinations

import numpy as np
import pandas as pd

from skfair_runner.metrics import area_between_cdfs
from skfair_runner.metrics.rates import as_groups, check_weights
from skfair_runner.plots._drawing import (
    FAINT,
    GREY,
    legend_below,
    panels,
    style_of,
    tidy,
    wrapped,
)
from skfair_runner.plots._reading import scores_of

_N_BINS = 20
_MANY = 7  # groups that can be told apart by colour


class ScoreDistributionDisplay:
    """Histograms and distribution functions of the scores, group by group.

    The lower panel shows for every cut-off which share of a group has a score below or
    at it. The shaded area between two groups is the demographic parity difference
    averaged over all cut-offs, ABCC; with more than two groups the pair with the
    largest area is shaded.

    Parameters
    ----------
    distributions : dict of str to DataFrame
        For each group the columns score, sorted and without repetition, and share, the
        share of the group with that score or a lower one.

    histograms : DataFrame of shape (n_bins, n_groups)
        Share of each group in each bin; the index holds the bins' lower ends.

    sizes : Series of shape (n_groups,)
        Samples in each group.

    area : float
        Area between the groups `pair`, in [0, 1].

    pair : tuple of (str, str)
        The groups with the largest area.

    threshold : float or None, default=0.5
        Cut-off of the decisions, drawn as a line.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (2,)
        Histograms and distribution functions, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around them.

    See Also
    --------
    skfair_runner.metrics.area_between_cdfs : The area as a number.

    Examples
    --------
    >>> from skfair_runner.plots import ScoreDistributionDisplay
    >>> display = ScoreDistributionDisplay.from_predictions(
    ...     [0.25, 0.5, 0.5, 1.0], sensitive_features=list("aabb")
    ... )
    >>> display.area, display.pair
    (0.375, ('a', 'b'))
    >>> display.difference
    0.5
    """

    def __init__(self, distributions, *, histograms, sizes, area, pair, threshold=0.5):
        self.distributions = distributions
        self.histograms = histograms
        self.sizes = sizes
        self.area = area
        self.pair = pair
        self.threshold = threshold

    @classmethod
    def from_predictions(
        cls, y_score, *, sensitive_features, sample_weight=None, threshold=0.5
    ):
        """Sort the scores of every group.

        Parameters
        ----------
        y_score : array-like of shape (n_samples,) or (n_samples, 2)
            Probability of the favourable label, in [0, 1]; of two columns the second.

        sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
            Group of each sample; several columns are crossed.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample; None weighs all the same.

        threshold : float or None, default=0.5
            Cut-off of the decisions, in [0, 1]: higher scores are selected.

        Returns
        -------
        display : ScoreDistributionDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If scores leave [0, 1] or have more columns, the threshold leaves [0, 1],
            or fewer than two groups are present.
        """
        caller = f"{cls.__name__}.from_predictions"
        scores = np.asarray(y_score, dtype=np.float64)
        if scores.ndim == 2 and scores.shape[1] == 2:
            scores = scores[:, 1]
        if scores.ndim != 1:
            raise ValueError(
                f"{caller}: y_score must have one column, or two of which the second "
                f"is drawn, got shape {scores.shape}. Pass the column of one label."
            )
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(
                f"{caller}: threshold must be in [0, 1] or None, got {threshold!r}."
            )
        groups = as_groups(sensitive_features, y_score, "y_score", caller)
        # Validates the rest: groups, weights and the range of the scores.
        area = area_between_cdfs(
            scores, sensitive_features=groups, sample_weight=sample_weight
        )
        weights = check_weights(sample_weight, len(scores), caller)
        if weights is None:
            weights = np.ones(len(scores))
        members = {
            name: (groups.codes == code) & (weights > 0)
            for code, name in enumerate(groups.labels)
        }
        members = {name: rows for name, rows in members.items() if rows.any()}
        distributions = {
            name: _distribution(scores[rows], weights[rows])
            for name, rows in members.items()
        }
        return cls(
            distributions,
            histograms=_histograms(scores, weights, members),
            sizes=pd.Series({name: int(rows.sum()) for name, rows in members.items()}),
            area=area,
            pair=_furthest(distributions),
            threshold=threshold,
        )

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        sensitive_features,
        sample_weight=None,
        pos_label=None,
        threshold=0.5,
    ):
        """Sort the scores that a fitted classifier gives.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier with `predict_proba`. Groups are passed to it only where
            it needs them.

        X : array-like of shape (n_samples, n_features)
            Features.

        sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
            Group of each sample; several columns are crossed.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample; None weighs all the same.

        pos_label : int, bool or str, default=None
            The favourable label. None takes the larger of {0, 1}, {False, True} and
            {-1, 1}.

        threshold : float or None, default=0.5
            Cut-off of the decisions, in [0, 1].

        Returns
        -------
        display : ScoreDistributionDisplay
            Not yet drawn.
        """
        caller = f"{cls.__name__}.from_estimator"
        return cls.from_predictions(
            scores_of(estimator, X, sensitive_features, pos_label, caller),
            sensitive_features=sensitive_features,
            sample_weight=sample_weight,
            threshold=threshold,
        )

    @property
    def difference(self):
        """Demographic parity difference at the threshold, over all groups."""
        if self.threshold is None:
            return float("nan")
        below = [
            float(_share_up_to(table, [self.threshold])[0])
            for table in self.distributions.values()
        ]
        return max(below) - min(below)

    def plot(self, ax=None):
        """Draw the histograms, and the distribution functions below.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Its place is divided among the panels; None makes a figure.

        Returns
        -------
        self : ScoreDistributionDisplay
            With ``axes_`` and ``figure_``.
        """
        n_shown = min(len(self.distributions), _MANY + 1)
        self.axes_ = panels(
            ax,
            2,
            1,
            (6.4, 4.9 + 0.2 * n_shown),
            sharex=True,
            height_ratios=[1, 2],
        )[:, 0]
        self.figure_ = self.axes_[0].figure
        upper, lower = self.axes_
        self._shade(lower)
        for number, name in enumerate(self._order()):
            self._draw_group(name, number)
        if self.threshold is not None:
            for panel in self.axes_:
                panel.axvline(self.threshold, color=GREY, linestyle="-", linewidth=1)
            lower.annotate(
                f"cut-off {self.threshold:g}:\ndifference {self.difference:.3f}",
                (self.threshold, 0),
                xytext=(4, 4) if self.threshold < 0.6 else (-4, 4),
                textcoords="offset points",
                ha="left" if self.threshold < 0.6 else "right",
                fontsize=8,
                color="#404040",
            )
        upper.set_ylabel("share of group\nper bin")
        upper.set_ylim(bottom=0)
        lower.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="score")
        lower.set_ylabel("share of group with this\nscore or a lower one")
        upper.set_title(self._headline(), loc="left", fontsize=10)
        for panel in self.axes_:
            tidy(panel)
        legend_below(lower)
        return self

    def _order(self):
        """Groups, the pair with the largest area first where there are many."""
        names = list(self.distributions)
        if len(names) <= _MANY:
            return names
        return [*self.pair, *(name for name in names if name not in self.pair)]

    def _headline(self):
        if len(self.distributions) == 2:
            return f"area between the distributions (ABCC) {self.area:.3f}"
        one, other = (wrapped(name, 30, 1) for name in self.pair)
        return (
            f"largest area between two distributions (ABCC) {self.area:.3f}:\n"
            f"{one} and {other}"
        )

    def _shade(self, ax):
        """Fill what lies between the pair's distribution functions."""
        one, other = (self.distributions[name] for name in self.pair)
        steps = np.union1d(one["score"], other["score"])
        steps = np.union1d(steps, [0.0, 1.0])
        ax.fill_between(
            steps,
            _share_up_to(one, steps),
            _share_up_to(other, steps),
            step="post",
            color=FAINT,
            linewidth=0,
            label=f"area {self.area:.3f}",
        )

    def _draw_group(self, name, number):
        upper, lower = self.axes_
        style, label = style_of(number), self._label(name)
        width = 1.8 if name in self.pair else 1.0
        if len(self.distributions) > _MANY and number >= 2:
            # Too many to tell apart: all but the pair stand for the spread.
            style, width = style._replace(colour=GREY, line="-"), 0.7
            n_others = len(self.distributions) - 2
            label = f"{n_others} other groups" if number == 2 else "_nolegend_"
        else:
            bins = self.histograms[name]
            upper.stairs(
                bins.to_numpy(),
                np.append(bins.index.to_numpy(), 1.0),
                color=style.colour,
                linestyle=style.line,
                linewidth=width,
            )
        table = self.distributions[name]
        lower.step(
            np.concatenate(([0.0], table["score"], [1.0])),
            np.concatenate(([0.0], table["share"], [1.0])),
            where="post",
            color=style.colour,
            linestyle=style.line,
            linewidth=width,
            label=label,
        )

    def _label(self, name):
        return f"{wrapped(name, 60, 1)} (n = {self.sizes[name]:,})"


def _distribution(scores, weights):
    """Distinct scores and the share up to each."""
    distinct, place = np.unique(scores, return_inverse=True)
    share = np.cumsum(np.bincount(place, weights)) / weights.sum()
    share[-1] = 1.0
    return pd.DataFrame({"score": distinct, "share": share})


def _histograms(scores, weights, members):
    """Share of each group in bins of equal width over [0, 1]."""
    edges = np.linspace(0, 1, _N_BINS + 1)
    shares = {
        name: np.histogram(scores[rows], edges, weights=weights[rows])[0]
        / weights[rows].sum()
        for name, rows in members.items()
    }
    return pd.DataFrame(shares, index=pd.Index(edges[:-1], name="score"))


def _share_up_to(table, cutoffs):
    """Share of a group with a score up to each cut-off."""
    shares = np.concatenate(([0.0], table["share"]))
    return shares[np.searchsorted(table["score"], cutoffs, side="right")]


def _furthest(distributions):
    """The two groups with the largest area between them."""

    def area(pair):
        one, other = (distributions[name] for name in pair)
        steps = np.union1d(one["score"], other["score"])
        apart = _share_up_to(one, steps[:-1]) - _share_up_to(other, steps[:-1])
        return np.abs(apart) @ np.diff(steps)

    return max(combinations(distributions, 2), key=area)
