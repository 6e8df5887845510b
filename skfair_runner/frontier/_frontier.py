"""The whole trade-off between accuracy and a group difference from one training."""

from __future__ import annotations

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import get_tags
from tqdm import tqdm

from skfair_runner._guards import all_or_nothing
from skfair_runner._randomness import draw_seed
from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.frontier._choice import (
    choose_position,
    mark_front,
)
from skfair_runner.frontier._handing_out import FittedFront
from skfair_runner.frontier._held_out import hold_out
from skfair_runner.frontier._net import FrontierNet
from skfair_runner.frontier._neurons import PointNeurons
from skfair_runner.frontier._points import measure_points, watched_difference
from skfair_runner.gaps import resolve_constraint
from skfair_runner.images import opened
from skfair_runner.utils import (
    ConstantClassifierWarning,
    Interval,
    SensitiveFeaturesRequestMixin,
    StrOptions,
    fit_context,
)


class RunnerFrontier(
    SensitiveFeaturesRequestMixin, FittedFront, ClassifierMixin, BaseEstimator
):
    """Every point between no repair and no difference, from one training.

    A classifier for each price of difference: the network is trained once, with layers
    that follow the weight of the repair (loss-conditional training [1]_, a line in the
    space of weights [2]_, a scale and a shift per neuron [3]_). The weight is the share
    of the controller's multipliers that applies; at 1 the difference vanishes on the
    training data. A held-out part of the data measures every point, and any of them is
    handed out as a plain classifier that is as light as one trained for it alone.

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

    confident : bool, default=False
        Whether the upper end of the confidence interval has to be within a number as
        `select`, rather than the estimate; see :meth:`at`.

    n_points : int, default=25
        Points that are measured, at least 3: three fifths of them spread over all
        weights, the others between neighbours whose accuracy and difference differ
        most.

    validation_fraction : float, default=0.2
        Share of the rows that are held out to measure the points, in (0, 1), unless
        `fit` is given rows of their own.

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
        rows: weight, layer, neuron, importance, discrimination. Made when it is first
        read.

    difference_ : str
        The column of ``frontier_`` that the constraint is about.

    n_held_out_ : int
        Rows that the points were measured on.

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
    .. [2] M. Wortsman, M. Horton, C. Guestrin, A. Farhadi, M. Rastegari, "Learning
       Neural Network Subspaces", ICML 2021.
    .. [3] E. Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer",
       AAAI 2018.

    Examples
    --------
    >>> from skfair_runner import RunnerFairClassifier, RunnerFrontier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=1000, random_state=0)
    >>> X, groups = people.data.select_dtypes("number"), people.sensitive_features
    >>> front = RunnerFrontier(RunnerFairClassifier(), n_points=7, random_state=0)
    >>> front = front.fit(X, people.target, sensitive_features=groups)
    >>> front.frontier_["weight"].agg(["min", "max", "size"]).tolist()
    [0.0, 1.2, 7.0]
    >>> clf = front.at(difference=0.15)
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
        "confident": ["boolean"],
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
        confident=False,
        n_points=25,
        validation_fraction=0.2,
        confidence_level=0.95,
        n_bootstrap=1000,
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.select = select
        self.confident = confident
        self.n_points = n_points
        self.validation_fraction = validation_fraction
        self.confidence_level = confidence_level
        self.n_bootstrap = n_bootstrap
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X,
        y,
        *,
        sensitive_features=None,
        X_val=None,
        y_val=None,
        sensitive_features_val=None,
    ):
        """Train every weight at once, and measure the points on held-out rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features or images, as of :class:`RunnerFairClassifier`.

        y : array-like of shape (n_samples,)
            Labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required, unless the
            estimator has `sensitive_columns`.

        X_val, y_val, sensitive_features_val : as X, y, sensitive_features, default=None
            Rows to measure the points on. All of X is then trained on, and
            `validation_fraction` is not used.

        Returns
        -------
        self : RunnerFrontier
            Fitted.

        Raises
        ------
        TypeError
            If `select` is a switch, or a function in it returns no position; and as of
            :meth:`RunnerFairClassifier.fit`.

        ValueError
            If the estimator has ``constraint=None`` or several constraints, a
            `checkpoint`, or nothing that repairs; if `confident` is True and `select`
            no number; if a function in `select` returns no row of the table; if a cell
            is too small for a part of it to be held out; if `X_val` or `y_val` is given
            without the other, or lacks a group; and as of
            :meth:`RunnerFairClassifier.fit`.

        Warns
        -----
        SkfairRunnerWarning
            If fewer than 20 held-out rows of a group have a label that matters, a group
            has no held-out row of another label, or no point meets `select`; if neither
            of two labels is known to be the favourable one.

        ConstantClassifierWarning
            If all points are constant, or all but the biased model.
        """
        caller = f"{type(self).__name__}.fit"
        with all_or_nothing(self):
            seed = draw_seed(self.random_state)
            clf = self._trainer(seed, caller)
            parts = hold_out(
                clf,
                X,
                y,
                sensitive_features,
                fraction=self.validation_fraction,
                seed=seed,
                caller=caller,
                given=(X_val, y_val, sensitive_features_val),
            )
            interrupt = _train(clf, *parts.train)
            with opened(parts.held_out.X):
                self._measure(clf, parts, seed)
            position = choose_position(
                self.frontier_,
                self.difference_,
                self.select,
                type(self).__name__,
                confident=self.confident,
                n_rows=self.n_held_out_,
                majority=np.bincount(parts.held_out.y).max() / self.n_held_out_,
            )
            self.frontier_["selected"] = np.arange(len(self.frontier_)) == position
            self.classifier_ = self._point(self.frontier_["weight"].iloc[position])
        if interrupt is not None:
            raise interrupt
        self._warn_if_constant()
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
        if isinstance(clf.constraint, dict):
            raise ValueError(
                f"{caller}: a front trades accuracy against one difference, but the "
                f"estimator has constraint={clf.constraint!r}: give it one name, such "
                f"as {next(iter(clf.constraint), 'demographic_parity')!r}. Several "
                "bounds at once are RunnerFairClassifier's."
            )
        if clf.checkpoint is not None:
            raise ValueError(
                f"{caller}: the estimator has checkpoint={str(clf.checkpoint)!r}, and "
                "a front is not trained from one: pass checkpoint=None."
            )
        if isinstance(self.select, bool):
            raise TypeError(
                f"{caller}: select={self.select!r} is no difference: pass 'knee', a "
                "number between 0 and 1, or a function of frontier_."
            )
        if self.confident and not isinstance(self.select, Real):
            raise ValueError(
                f"{caller}: confident=True is about a bound, but select is "
                f"{self.select!r}: pass the largest difference allowed as select, or "
                "leave confident out."
            )
        clf._check_settings()
        _check_repairs(clf, caller)
        if clf.random_state is None:
            clf.random_state = seed
        clf.warm_start = False
        if clf.difference_bound is not None:
            clf.difference_bound = 0.0
        clf._net_class = FrontierNet
        return clf

    def _measure(self, clf, parts, seed):
        """The table of all points."""
        for name in ("n_features_in_", "feature_names_in_"):
            vars(self).pop(name, None)
        vars(self).update(parts.features)
        self.classes_, self.groups_ = clf.classes_, clf.groups_
        self.difference_ = watched_difference(resolve_constraint(clf.constraint))
        self.n_held_out_ = len(parts.held_out.y)
        self._measured = measure_points(
            clf,
            tqdm(
                range(self.n_points),
                disable=not self.verbose,
                desc="points",
                leave=False,
            ),
            parts.held_out,
            parts.pos_label,
            n_bootstrap=self.n_bootstrap,
            level=self.confidence_level,
            rng=np.random.default_rng(seed),
        )
        # What only further training would need.
        clf.net_.optimizer_.state.clear()
        self._trained = clf
        weights = self._measured["weight"].tolist()
        self._neurons = PointNeurons(clf, weights, parts.held_out)
        self.frontier_ = self._measured.copy()
        self.frontier_["on_front"] = mark_front(self.frontier_, self.difference_)

    def _warn_if_constant(self):
        """Say it where no repaired point decides anything."""
        constant = self.frontier_["constant"].to_numpy(dtype=bool)
        if not constant[1:].all():
            return
        which = f"all {len(constant)} points are"
        if not constant[0]:
            which = "all points but the one without repair are"
        warnings.warn(
            f"{type(self).__name__}: {which} constant on the held-out rows, so that "
            "their differences are zero for the wrong reason. Train longer, or lower "
            "the estimator's alpha.",
            ConstantClassifierWarning,
            # The caller of fit, beyond scikit-learn's wrapper.
            stacklevel=4,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator or RunnerFairClassifier())
        tags.input_tags.sparse = inner.input_tags.sparse
        return tags


def _check_repairs(clf, caller):
    """Refuse an estimator whose points would be all alike."""
    if clf.max_epochs == 0:
        raise ValueError(
            f"{caller}: the estimator has max_epochs=0, and without a repair there is "
            "nothing to trade: raise max_epochs."
        )
    if clf.difference_bound is None and not clf.alpha and not clf.output_weight:
        raise ValueError(
            f"{caller}: the estimator has difference_bound=None, alpha={clf.alpha!r} "
            f"and output_weight={clf.output_weight!r}, so that its repair adds nothing "
            "to the loss and there is nothing to trade: leave difference_bound at its "
            "default, or raise one of the two."
        )


def _train(clf, X, y, sensitive_features):
    """Train all weights; an interrupt (Ctrl-C) in the repair is returned."""
    try:
        clf.fit(X, y, sensitive_features=sensitive_features)
    except KeyboardInterrupt as interrupt:
        # Before the repair there is one point only, and no front.
        if getattr(getattr(clf, "net_", None), "front_", None) is None:
            raise
        return interrupt
    return None
