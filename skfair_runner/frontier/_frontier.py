"""The whole trade-off between accuracy and a group difference from one training."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import partial
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_consistent_length, get_tags
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from skfair_runner._building import draw_seed, make_dataset
from skfair_runner._guards import all_or_nothing
from skfair_runner._training_data import TrainingData, check_cells, split_validation
from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.frontier._net import FrontierNet
from skfair_runner.frontier._points import (
    DIFFERENCE_OF,
    classifier_around,
    continue_repair,
    mark_front,
    measure_point,
    most_accurate_within,
    most_equal_above,
    neurons_of_point,
)
from skfair_runner.gaps import resolve_constraint
from skfair_runner.metrics.fronts import find_knee
from skfair_runner.plots import FrontierDisplay
from skfair_runner.utils import (
    Interval,
    SensitiveFeaturesRequestMixin,
    SkfairRunnerWarning,
    StrOptions,
    fit_context,
)

# Beyond what is trained: the difference of new rows may vanish a little later.
_LARGEST_WEIGHT = 1.2
# Rows of a cell that a difference cannot rest on.
_FEW = 20


class RunnerFrontier(SensitiveFeaturesRequestMixin, ClassifierMixin, BaseEstimator):
    """Every point between no repair and no difference, from one training.

    A classifier for each price of difference: the network is trained once, with layers
    that follow the weight of the repair (loss-conditional training [1]_, a scale and
    a shift per neuron [2]_). The weight is the share of the controller's multipliers
    that applies; at 1 the difference vanishes on the training data. A held-out part of
    the data measures every point, and any of them is handed out as a plain classifier
    that is as light as one trained for it alone.

    Parameters
    ----------
    estimator : RunnerFairClassifier or None, default=None
        What is trained, and how: constraint, repair, module, epochs, neurons. None is
        ``RunnerFairClassifier()``. Its `difference_bound` is not used: the front
        reaches from its biased model to no difference. With `output_weight`, or
        ``difference_bound=None``, it reaches to that weight.

    select : {"knee"}, float or callable, default="knee"
        The point that `predict` uses. "knee" bends the front most; a number is the
        largest difference allowed, and the most accurate point within it is taken; a
        function gets ``frontier_`` and returns the position of a row.

    n_points : int, default=25
        Points that are measured, at least 3.

    validation_fraction : float, default=0.2
        Share of the rows that are held out to measure the points, in (0, 1).

    confidence_level : float, default=0.95
        Of the bootstrap intervals, in (0, 1).

    n_bootstrap : int, default=1000
        Resamples of the held-out rows.

    random_state : int, RandomState or None, default=None
        Seed of the split, of the resamples, and of `estimator` where it has none.

    verbose : int, default=0
        1 shows progress.

    Attributes
    ----------
    frontier_ : DataFrame
        One row per point: ``weight``, accuracy and the other measures on the held-out
        rows, ``<measure>_low`` and ``<measure>_high``, ``constant``, ``on_front`` (no
        other point is more accurate and has a smaller difference) and ``selected``.

    neurons_ : DataFrame
        Importance and discrimination of every neuron at every point, on the held-out
        rows: weight, layer, neuron, importance, discrimination.

    difference_ : str
        The column of ``frontier_`` that the constraint is about.

    classifier_ : RunnerFairClassifier
        The classifier at the selected point.

    classes_ : ndarray of shape (n_classes,)
        Labels.

    groups_ : list
        Names of the groups.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had string column names.

    See Also
    --------
    RunnerFairClassifier : One point, aimed at directly.

    Notes
    -----
    Measures on the held-out rows are those of rows that nothing was trained on, but the
    choice among points is made on them: a difference that was chosen to be small is a
    little flattered. Report the chosen point on data of its own.

    References
    ----------
    .. [1] A. Dosovitskiy, J. Djolonga, "You Only Train Once: Loss-Conditional Training
       of Deep Networks", ICLR 2020.
    .. [2] E. Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer",
       AAAI 2018.

    Examples
    --------
    >>> from skfair_runner import RunnerFairClassifier, RunnerFrontier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=1000, random_state=0)
    >>> X, groups = people.data.select_dtypes("number"), people.sensitive_features
    >>> front = RunnerFrontier(RunnerFairClassifier(), n_points=7, random_state=0)
    >>> front = front.fit(X, people.target, sensitive_features=groups)
    >>> front.frontier_["weight"].round(2).tolist()
    [0.0, 0.03, 0.13, 0.3, 0.53, 0.83, 1.2]
    >>> clf = front.at(difference=0.1)
    >>> clf.predict(X).shape
    (1000,)
    """

    _parameter_constraints: dict = {
        "estimator": [RunnerFairClassifier, None],
        "select": [
            StrOptions({"knee"}),
            Interval(Real, 0, 1, closed="both"),
            callable,
        ],
        "n_points": [Interval(Integral, 3, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "n_bootstrap": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        select="knee",
        n_points=25,
        validation_fraction=0.2,
        confidence_level=0.95,
        n_bootstrap=1000,
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.select = select
        self.n_points = n_points
        self.validation_fraction = validation_fraction
        self.confidence_level = confidence_level
        self.n_bootstrap = n_bootstrap
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train every weight at once, and measure the points on held-out rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, as of :class:`RunnerFairClassifier`.

        y : array-like of shape (n_samples,)
            Labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required, unless the
            estimator has `sensitive_columns`.

        Returns
        -------
        self : RunnerFrontier
            Fitted.

        Raises
        ------
        ValueError
            If the estimator has ``constraint=None``; if a cell is too small for a part
            of it to be held out; and as of :meth:`RunnerFairClassifier.fit`.

        Warns
        -----
        SkfairRunnerWarning
            If fewer than 20 held-out rows of a group have a label that matters, or no
            point meets `select`.
        """
        caller = f"{type(self).__name__}.fit"
        with all_or_nothing(self):
            seed = draw_seed(self.random_state)
            clf = self._trainer(seed, caller)
            train, held_out = self._split(clf, X, y, sensitive_features, seed, caller)
            clf.fit(*train[:2], sensitive_features=train[2])
            self._measure(clf, held_out, seed)
            self._select(self.select)
        return self

    def _trainer(self, seed, caller):
        """Unfitted classifier that trains all weights."""
        if self.estimator is None:
            clf = RunnerFairClassifier()
        else:
            clf = clone(self.estimator)
        if clf.constraint is None:
            raise ValueError(
                f"{caller}: the estimator has constraint=None, so there is nothing to "
                "trade: give it a constraint, such as 'demographic_parity'."
            )
        if clf.random_state is None:
            clf.random_state = seed
        clf.warm_start = False
        constraint = resolve_constraint(clf.constraint)
        if constraint.gap_function is None and clf.difference_bound is not None:
            clf.difference_bound = 0.0
        clf._net_class = FrontierNet
        return clf

    def _split(self, clf, X, y, sensitive_features, seed, caller):
        """Training rows as they came, and held-out rows as the net reads them."""
        probe = clone(clf)
        data = probe._read(
            X,
            y,
            sensitive_features,
            None,
            resolve_constraint(clf.constraint),
            classes=None,
            reset=True,
            caller=caller,
        )
        constraint = resolve_constraint(clf.constraint)
        positive = clf._favourable(constraint, data.classes)
        check_cells(data, constraint, clf.sampling, positive, caller)
        train, held_out = split_validation(data, self.validation_fraction, seed)
        check_consistent_length(X, y)
        parts = (
            _take(X, train),
            np.asarray(y)[train],
            _take(sensitive_features, train),
        )
        watched = TrainingData(
            data.X[held_out],
            data.y[held_out],
            data.classes,
            replace(data.groups, codes=data.groups.codes[held_out]),
            None,
        )
        self._warn_of_small_cells(watched, constraint, positive, caller)
        for name in ("n_features_in_", "feature_names_in_"):
            vars(self).pop(name, None)
            if hasattr(probe, name):
                setattr(self, name, getattr(probe, name))
        self._pos_label = None
        if len(data.classes) == 2:
            self._pos_label = data.classes.tolist()[positive]
        return parts, watched

    def _warn_of_small_cells(self, watched, constraint, positive, caller):
        """Say where held-out rows are too few to tell a difference."""
        counts = watched.cell_counts(watched.rows)
        if constraint.within == "everybody":
            counts = counts.sum(0, keepdims=True)
        elif len(counts) == 2 and constraint.within in ("positive", "negative"):
            counts = counts[
                [positive if constraint.within == "positive" else 1 - positive]
            ]
        if counts.min() >= _FEW:
            return
        group = int(counts.min(0).argmin())
        needed = int(np.ceil(_FEW / max(counts.min(), 1)))
        warnings.warn(
            f"{caller}: only {counts.min()} held-out rows of group "
            f"{watched.groups.labels[group]!r} tell a rate that the constraint "
            f"compares, where at least {_FEW} should: its difference is mostly noise. "
            f"About {needed} times as many rows are needed, or a larger "
            "validation_fraction.",
            SkfairRunnerWarning,
            stacklevel=4,
        )

    def _measure(self, clf, held_out, seed):
        """Tables of all points and of their neurons."""
        self._trained = clf
        self.classes_, self.groups_ = clf.classes_, clf.groups_
        name = resolve_constraint(clf.constraint).name
        self.difference_ = DIFFERENCE_OF.get(name, "demographic_parity_difference")
        dataset = make_dataset(held_out)
        measure = partial(
            measure_point,
            data=held_out,
            pos_label=self._pos_label,
            n_bootstrap=self.n_bootstrap,
            level=self.confidence_level,
            rng=np.random.default_rng(seed),
        )
        rows, neurons = [], []
        # Closer where little repair changes much.
        weights = np.linspace(0, _LARGEST_WEIGHT**0.5, self.n_points) ** 2
        weights = weights.round(6)
        for weight in tqdm(
            weights.tolist(), disable=not self.verbose, desc="points", leave=False
        ):
            point = self._point(weight, dataset)
            rows.append({"weight": weight, **measure(point)})
            neurons.append(neurons_of_point(point, weight))
        self.frontier_ = pd.DataFrame(rows)
        self.frontier_["on_front"] = mark_front(self.frontier_, self.difference_)
        self.neurons_ = pd.concat(neurons, ignore_index=True)

    def _point(self, weight, dataset=None):
        """Classifier of one weight."""
        module = self._trained.net_.network_at(weight)
        return classifier_around(self._trained, module, weight, dataset=dataset)

    def _select(self, select):
        """Choose the point that `predict` uses."""
        caller = type(self).__name__
        if callable(select):
            position = int(select(self.frontier_))
            if not 0 <= position < len(self.frontier_):
                raise ValueError(
                    f"{caller}: select returned {position}, which is no row of "
                    f"frontier_: it has {len(self.frontier_)}, counted from 0."
                )
        elif select == "knee":
            front = np.flatnonzero(self.frontier_["on_front"])
            front = front if len(front) else np.arange(len(self.frontier_))
            table = self.frontier_.iloc[front]
            knee = find_knee(
                table["accuracy"].to_numpy(), table[self.difference_].to_numpy()
            )
            position = int(front[knee])
        else:
            position = most_accurate_within(
                self.frontier_, self.difference_, select, caller
            )
        chosen = np.arange(len(self.frontier_)) == position
        self.frontier_["selected"] = chosen
        self.classifier_ = self._point(self.frontier_["weight"].iloc[position])

    def at(self, *, difference=None, accuracy=None, weight=None):
        """The classifier of one point.

        Pass one of the three.

        Parameters
        ----------
        difference : float or None, default=None
            Largest difference allowed on the held-out rows, in [0, 1]; the most
            accurate point within it is taken.

        accuracy : float or None, default=None
            Smallest accuracy allowed on the held-out rows, in [0, 1]; the point with
            the smallest difference above it is taken.

        weight : float or None, default=None
            Weight of the repair, in [0, 1.2]; need not be one of those measured.

        Returns
        -------
        clf : RunnerFairClassifier
            Fitted, light, independent of the front, and needing no groups to predict.

        Raises
        ------
        ValueError
            If not exactly one is passed, or it is out of range.

        Warns
        -----
        SkfairRunnerWarning
            If no point is good enough; the nearest one is then taken.
        """
        return self._point(self._weight_at(difference, accuracy, weight))

    def _weight_at(self, difference, accuracy, weight):
        """Weight of the point that was asked for."""
        check_is_fitted(self, "frontier_")
        caller = f"{type(self).__name__}.at"
        asked = {"difference": difference, "accuracy": accuracy, "weight": weight}
        given = {name: value for name, value in asked.items() if value is not None}
        if len(given) != 1:
            raise ValueError(
                f"{caller} takes exactly one of difference, accuracy and weight, got "
                f"{given or 'none'}."
            )
        ((name, value),) = given.items()
        largest = _LARGEST_WEIGHT if name == "weight" else 1
        if not 0 <= value <= largest:
            raise ValueError(
                f"{caller}: {name}={value!r} is not between 0 and {largest}."
            )
        if name == "weight":
            return float(value)
        find = most_accurate_within if name == "difference" else most_equal_above
        position = find(self.frontier_, self.difference_, value, caller)
        return float(self.frontier_["weight"].iloc[position])

    def refine(
        self,
        X,
        y,
        *,
        sensitive_features=None,
        difference=None,
        accuracy=None,
        weight=None,
        max_epochs=4,
    ):
        """Polish one point by a short repair of its own.

        The repair starts from the point's module, and a controller holds the difference
        that the point has on the held-out rows, or `difference` where that was asked
        for.

        Parameters
        ----------
        X, y, sensitive_features
            As of :meth:`fit`.

        difference, accuracy, weight
            Which point, as of :meth:`at`.

        max_epochs : int, default=4
            Epochs of the repair.

        Returns
        -------
        clf : RunnerFairClassifier
            Fitted.

        Raises
        ------
        ValueError
            As of :meth:`at` and of :meth:`RunnerFairClassifier.fit`.
        """
        chosen = self._weight_at(difference, accuracy, weight)
        clf = self._point(chosen)
        bound = difference
        if bound is None:
            row = (self.frontier_["weight"] - chosen).abs().argmin()
            bound = float(self.frontier_[self.difference_].iloc[row])
        return continue_repair(
            clf,
            X,
            y,
            sensitive_features,
            difference_bound=bound,
            max_epochs=max_epochs,
            caller=f"{type(self).__name__}.refine",
        )

    def plot(self, *, utility="accuracy", difference=None, ax=None):
        """Draw the front, with intervals, the selected point and constant ones.

        Parameters
        ----------
        utility : str, default="accuracy"
            Column of ``frontier_`` on the vertical axis.

        difference : str or None, default=None
            Column on the horizontal axis; None is that of the constraint.

        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : FrontierDisplay
            With ``ax_`` and ``figure_``.
        """
        check_is_fitted(self, "frontier_")
        return FrontierDisplay(
            self.frontier_,
            difference=difference or self.difference_,
            utility=utility,
        ).plot(ax=ax)

    def predict_proba(self, X):
        """Probability of each class, at the selected point.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            Columns follow ``classes_``.
        """
        check_is_fitted(self, "classifier_")
        return self.classifier_.predict_proba(X)

    def predict(self, X):
        """Most probable class, at the selected point.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        check_is_fitted(self, "classifier_")
        return self.classifier_.predict(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator or RunnerFairClassifier())
        tags.input_tags.sparse = inner.input_tags.sparse
        return tags


def _take(values, rows):
    """Some rows of whatever was passed."""
    if values is None:
        return None
    if isinstance(values, pd.DataFrame | pd.Series):
        return values.iloc[rows]
    if hasattr(values, "tocsr"):
        return values.tocsr()[rows]
    return np.asarray(values)[rows]
