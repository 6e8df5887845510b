"""What a trained front hands out: classifiers, pictures and predictions."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skfair_runner.frontier._choice import weight_of_request
from skfair_runner.frontier._neurons import tell_neurons
from skfair_runner.frontier._points import classifier_around
from skfair_runner.frontier._refinement import continue_repair
from skfair_runner.plots import FrontierDisplay, FrontierNeuronsDisplay
from skfair_runner.utils import check_count


class FittedFront:
    """The methods of a front that `fit` has trained and measured."""

    @property
    def neurons_(self):
        """What every neuron does at every point, on the held-out rows.

        See the attributes of the class.
        """
        check_is_fitted(self, "frontier_")
        return self._neurons.table()

    def at(self, *, difference=None, accuracy=None, weight=None, confident=False):
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

        confident : bool, default=False
            Whether the worse end of the confidence interval has to be good enough,
            rather than the estimate: a bound that holds on new data, at the price of
            some accuracy.

        Returns
        -------
        clf : RunnerFairClassifier
            Fitted, light, independent of the front, and needing no groups to predict.
            Its ``history_`` is that of the training that all points share, with a
            column ``of_front``.

        Raises
        ------
        TypeError
            If what is passed is no number, or `confident` neither True nor False.

        ValueError
            If not exactly one is passed, or it is out of range; if a weight is to be
            confident.

        Warns
        -----
        SkfairRunnerWarning
            If no point is good enough; the nearest one is then taken. Where an interval
            was to be, it says about how many held-out rows could tell.
        """
        asked = {"difference": difference, "accuracy": accuracy, "weight": weight}
        return self._point(self._weight_of(asked, "at", confident))

    def _point(self, weight):
        """Classifier of one weight."""
        bound = None
        if self._trained.difference_bound is not None:
            # Trained further, the point keeps the difference that it has.
            table = self._measured
            bound = float(np.interp(weight, table["weight"], table[self.difference_]))
        clf = classifier_around(self._trained, weight, bound)
        tell_neurons(clf, self._neurons[0], self._neurons.at(weight))
        return clf

    def _weight_of(self, asked, method, confident=False):
        """Weight of the point that was asked for."""
        check_is_fitted(self, "frontier_")
        return weight_of_request(
            self.frontier_,
            self.difference_,
            f"{type(self).__name__}.{method}",
            confident=confident,
            n_rows=self.n_held_out_,
            **asked,
        )

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
        for; or what the point has on the rows that are passed, if that is smaller.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, such as those that `fit` got.

        y : array-like of shape (n_samples,)
            Labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample, as of `fit`.

        difference : float or None, default=None
            Largest difference allowed; which point, as of :meth:`at`.

        accuracy : float or None, default=None
            Smallest accuracy allowed, as of :meth:`at`.

        weight : float or None, default=None
            Weight of the repair, as of :meth:`at`.

        max_epochs : int, default=4
            Epochs of the repair, at least 1.

        Returns
        -------
        clf : RunnerFairClassifier
            Fitted; the point itself where the repair has made it worse on these rows:
            less accurate, counting one and a half times what its difference is beyond
            the bound.

        Raises
        ------
        TypeError
            As of :meth:`at`, and if `max_epochs` is no whole number.

        ValueError
            As of :meth:`at` and of :meth:`RunnerFairClassifier.fit`, and if
            `max_epochs` is below 1.

        Warns
        -----
        SkfairRunnerWarning
            If the repair has made the point worse on these rows.
        """
        asked = {"difference": difference, "accuracy": accuracy, "weight": weight}
        chosen = self._weight_of(asked, "refine")
        caller = f"{type(self).__name__}.refine"
        itself = (
            "the point itself, without a repair of its own, is handed out by at(...)."
        )
        check_count(max_epochs, "max_epochs", caller, itself)
        clf = self._point(chosen)
        bound = clf.difference_bound if difference is None else difference
        gained = continue_repair(
            clf,
            self._point(0.0),
            X,
            y,
            sensitive_features,
            difference_bound=bound,
            max_epochs=max_epochs,
            caller=caller,
        )
        return clf if gained else self._point(chosen)

    def plot(
        self,
        *,
        utility="accuracy",
        difference=None,
        reference=None,
        name=None,
        number=0,
        ax=None,
    ):
        """Draw the front, with intervals, the selected point and constant ones.

        Parameters
        ----------
        utility : str, default="accuracy"
            Column of ``frontier_`` on the vertical axis.

        difference : str or None, default=None
            Column on the horizontal axis; None is that of the constraint.

        reference : DataFrame or None, default=None
            Other classifiers, to be drawn beside the front: one row each, with both
            columns and perhaps ``label``; or ``label`` as the index.

        name : str or None, default=None
            What the legend calls this front, where there are several in one figure.

        number : int, default=0
            Which of several fronts this is; they differ in colour, marker and line.

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
            reference=reference,
        ).plot(ax=ax, name=name, number=number)

    def plot_neurons(self, *, measure="discrimination", ax=None):
        """Draw what each neuron does along the front.

        Parameters
        ----------
        measure : {"discrimination", "importance"}, default="discrimination"
            Column of ``neurons_``.

        ax : matplotlib Axes or None, default=None
            Its place is divided among the layers; None makes a figure.

        Returns
        -------
        display : FrontierNeuronsDisplay
            With ``axes_`` and ``figure_``.
        """
        check_is_fitted(self, "frontier_")
        return FrontierNeuronsDisplay(self.neurons_, measure=measure).plot(ax=ax)

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
