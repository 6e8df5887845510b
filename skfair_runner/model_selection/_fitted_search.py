"""What a search does besides searching: keep, report, predict, score, draw."""

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skfair_runner.model_selection._search_results import (
    make_cv_results,
    make_report,
    make_table,
)
from skfair_runner.model_selection._steps import pick
from skfair_runner.model_selection._trials import Measures
from skfair_runner.plots import TradeoffSearchDisplay


def _chosen_has(method):
    """Condition under which a method of the chosen estimator is offered."""

    def check(self):
        getattr(getattr(self, "best_estimator_", self.estimator), method)
        return True

    return check


class FittedSearch:
    """Predictions of the chosen estimator, and the figure of the search.

    The base of :class:`TradeoffSearchCV`, whose parameters are read here.
    """

    def _measures(self):
        """What candidates are measured by."""
        return Measures(self.utility, self.difference, self.pos_label)

    def _keep(self, rounds, measures, n_folds):
        """Set what the rungs came to, and the pick."""
        names = measures.names
        self.cv_results_ = make_cv_results(rounds, names)
        self.n_splits_ = n_folds
        self.n_candidates_ = [len(each.candidates) for each in rounds]
        self.n_resources_ = [each.n_resources for each in rounds]
        self.n_iterations_ = len(rounds)
        self.min_resources_ = self.n_resources_[0]
        self.max_resources_ = self.n_resources_[-1]
        self.best_index_ = pick(self, self.cv_results_, names)
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.trials_ = make_table(self.cv_results_, names, self.best_index_)
        front = self.trials_[self.trials_["on_front"]]
        self.front_ = front.sort_values(f"{names[1]}_mean", kind="stable")

    def _report(self, untouched, measures, seed):
        """Measures of the pick on the rows that were set aside; None without any."""
        if untouched is None:
            return None
        utility, difference = measures.names
        best = self.best_index_
        chosen = {
            utility: self.cv_results_[f"mean_test_{utility}"][best],
            difference: 0.0 - self.cv_results_[f"mean_test_{difference}"][best],
        }
        return make_report(
            self.best_estimator_,
            untouched,
            measures,
            chosen,
            n_bootstrap=self.n_bootstrap,
            level=self.confidence_level,
            seed=seed,
        )

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
