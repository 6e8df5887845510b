"""What a fitted search does besides searching: predict, score, draw."""

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skfair_runner.plots import TradeoffSearchDisplay


def _chosen_has(method):
    """Condition under which a method of the chosen estimator is offered."""

    def check(self):
        getattr(getattr(self, "best_estimator_", self.estimator), method)
        return True

    return check


class FittedSearch:
    """Predictions of the chosen estimator, and the figure of the search."""

    @available_if(_chosen_has("predict"))
    def predict(self, X):
        """Predict with the chosen classifier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Labels.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    @available_if(_chosen_has("predict_proba"))
    def predict_proba(self, X):
        """Predict probabilities with the chosen classifier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y_proba : ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict_proba(X)

    @available_if(_chosen_has("decision_function"))
    def decision_function(self, X):
        """Decision values of the chosen classifier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            What its own method returns.
        """
        check_is_fitted(self)
        return self.best_estimator_.decision_function(X)

    def score(self, X, y):
        """Utility of the chosen classifier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        score : float
            What `utility` measures.
        """
        check_is_fitted(self)
        return float(self._measures().scorer(self.best_estimator_, X, y))

    def plot(self, ax=None):
        """Draw the trials, the front, the pick, and what it came to on untouched rows.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TradeoffSearchDisplay
            With ``ax_`` and ``figure_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        check_is_fitted(self)
        utility, difference = self._measures().names
        display = TradeoffSearchDisplay(
            self.trials_, utility=utility, difference=difference, report=self.report_
        )
        return display.plot(ax)

    @property
    def classes_(self):
        """Labels of the chosen classifier."""
        return self.best_estimator_.classes_

    @property
    def n_features_in_(self):
        """Number of features."""
        return self._of_chosen("n_features_in_")

    @property
    def feature_names_in_(self):
        """Names of the features, where X had string column names."""
        return self._of_chosen("feature_names_in_")

    def _of_chosen(self, name):
        """Attribute of the chosen estimator; absent while there is none."""
        if not hasattr(self, "best_estimator_"):
            raise AttributeError(
                f"{type(self).__name__} has no {name}: it is not fitted."
            )
        return getattr(self.best_estimator_, name)
