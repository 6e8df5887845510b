"""Precision against recall, one curve per group."""

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, precision_recall_curve

from skfair_runner.metrics.labels import encode_labels
from skfair_runner.metrics.rates import as_groups, check_weights
from skfair_runner.plots._drawing import legend_below, pyplot, style_of, tidy, wrapped
from skfair_runner.plots._reading import check_one_label, scores_of


class GroupPrecisionRecallDisplay:
    """Precision-recall curves of the groups.

    A classifier that scores at random has the precision of the dotted line, the share
    of the group that has the favourable label: precision and average precision are
    comparable between groups only beside it.

    Parameters
    ----------
    curves : dict of str to DataFrame
        For each group the columns recall and precision, as of
        :func:`sklearn.metrics.precision_recall_curve`. Groups in which nobody has the
        favourable label have none.

    summary : DataFrame of shape (n_groups, 3)
        Columns n, the number of samples, prevalence, the share with the favourable
        label, and average_precision, which is NaN where that share is 0.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn, after :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around it.

    Examples
    --------
    >>> from skfair_runner.plots import GroupPrecisionRecallDisplay
    >>> display = GroupPrecisionRecallDisplay.from_predictions(
    ...     [0, 1, 1, 0, 0, 1],
    ...     [0.2, 0.6, 0.9, 0.8, 0.3, 0.7],
    ...     sensitive_features=list("aaabbb"),
    ... )
    >>> display.summary["average_precision"].to_dict()
    {'a': 1.0, 'b': 0.5}
    """

    def __init__(self, curves, *, summary):
        self.curves = curves
        self.summary = summary

    @classmethod
    def from_predictions(
        cls, y_true, y_score, *, sensitive_features, sample_weight=None, pos_label=None
    ):
        """Compute the curves from labels and scores.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Labels.

        y_score : array-like of shape (n_samples,)
            Score of the favourable label, in any unit.

        sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
            Group of each sample; several columns are crossed.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample; None weighs all the same.

        pos_label : int, bool or str, default=None
            The favourable label. None takes the larger of {0, 1}, {False, True} and
            {-1, 1}.

        Returns
        -------
        display : GroupPrecisionRecallDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If `y_score` is not one finite number per label, nobody has the favourable
            label, or it is not known which that is.
        """
        caller = f"{cls.__name__}.from_predictions"
        labels = encode_labels(y_true, y_true, pos_label, caller)
        favoured = labels.y_true == check_one_label(labels, caller)
        scores = np.asarray(y_score, dtype=np.float64)
        if scores.shape != favoured.shape or not np.isfinite(scores).all():
            raise ValueError(
                f"{caller}: y_score must hold one finite number for each of the "
                f"{len(favoured)} labels, got shape {scores.shape} with "
                f"{np.count_nonzero(~np.isfinite(scores))} that are not finite."
            )
        groups = as_groups(sensitive_features, y_true, "y_true", caller)
        weights = check_weights(sample_weight, len(scores), caller)
        if weights is None:
            weights = np.ones(len(scores))
        if not favoured[weights > 0].any():
            raise ValueError(
                f"{caller}: none of the {len(favoured)} samples has the favourable "
                f"label {labels.classes[labels.favourable[0]]!r}."
            )
        curves, rows = {}, {}
        for code, name in enumerate(groups.labels):
            inside = (groups.codes == code) & (weights > 0)
            if inside.any():
                part = favoured[inside], scores[inside], weights[inside]
                rows[name], curve = _measure(*part)
                if curve is not None:
                    curves[name] = curve
        return cls(curves, summary=pd.DataFrame.from_dict(rows, orient="index"))

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        sensitive_features,
        sample_weight=None,
        pos_label=None,
    ):
        """Compute the curves of a fitted classifier.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier with `predict_proba`. Groups are passed to it only where
            it needs them.

        X : array-like of shape (n_samples, n_features)
            Features.

        y : array-like of shape (n_samples,)
            Labels.

        sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
            Group of each sample; several columns are crossed.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample; None weighs all the same.

        pos_label : int, bool or str, default=None
            The favourable label, as in :meth:`from_predictions`.

        Returns
        -------
        display : GroupPrecisionRecallDisplay
            Not yet drawn.
        """
        caller = f"{cls.__name__}.from_estimator"
        return cls.from_predictions(
            y,
            scores_of(estimator, X, sensitive_features, pos_label, caller),
            sensitive_features=sensitive_features,
            sample_weight=sample_weight,
            pos_label=pos_label,
        )

    def plot(self, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : GroupPrecisionRecallDisplay
            With ``ax_`` and ``figure_``.
        """
        if ax is None:
            size = (6.4, 4.6 + 0.2 * len(self.summary))
            _, ax = pyplot().subplots(figsize=size, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        for number, (name, row) in enumerate(self.summary.iterrows()):
            style = style_of(number)
            curve = self.curves.get(name, pd.DataFrame({"recall": [], "precision": []}))
            ax.plot(
                curve["recall"],
                curve["precision"],
                drawstyle="steps-post",
                color=style.colour,
                linestyle=style.line,
                linewidth=1.7,
                marker=style.marker,
                markersize=5,
                markevery=0.25,
                label=_entry(name, row),
            )
            if row["prevalence"]:
                ax.axhline(
                    row["prevalence"], color=style.colour, linestyle=":", linewidth=0.9
                )
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
        ax.set_xlabel("recall: share of those with the favourable label")
        ax.set_ylabel("precision: share of the selected")
        tidy(ax)
        legend_below(ax, title="group; dotted: its prevalence", alignment="left")
        return self


def _measure(favoured, scores, weights):
    """Row of the summary and the curve of one group."""
    row = {
        "n": len(favoured),
        "prevalence": float(np.average(favoured, weights=weights)),
        "average_precision": float("nan"),
    }
    if not favoured.any():
        return row, None
    row["average_precision"] = float(
        average_precision_score(favoured, scores, sample_weight=weights)
    )
    precision, recall, _ = precision_recall_curve(
        favoured, scores, sample_weight=weights
    )
    return row, pd.DataFrame({"recall": recall, "precision": precision})


def _entry(name, row):
    """Line of the legend."""
    name = wrapped(name, 36, 1)
    if np.isnan(row["average_precision"]):
        return f"{name}: nobody has the label, n = {int(row['n']):,}"
    return (
        f"{name}: AP {row['average_precision']:.3f}, prevalence "
        f"{row['prevalence']:.3f}, n = {int(row['n']):,}"
    )
