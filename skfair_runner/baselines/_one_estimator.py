"""Base of the methods that change the training data of one estimator."""

from sklearn.utils.metaestimators import available_if

from skfair_runner.baselines._base import Mitigator
from skfair_runner.utils import HasMethods


def _estimator_has(method):
    """Condition under which a method of the estimator is offered."""

    def check(self):
        getattr(getattr(self, "estimator_", self._estimator_or_net()), method)
        return True

    return check


class TrainsOneEstimator(Mitigator):
    """Decides as `estimator_`, which `fit` sets; needs no groups for it.

    A subclass has the parameters `estimator`, `pos_label` and `random_state`.
    """

    _takes_many_labels = True

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "pos_label": "no_validation",
        "random_state": ["random_state"],
    }

    def predict(self, X):
        """Decisions of the fitted estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        X = self._samples(X)
        return self.estimator_.predict(X)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Probability of each class by the fitted estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Columns follow ``classes_``.
        """
        X = self._samples(X)
        return self.estimator_.predict_proba(X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X):
        """Decision values of the fitted estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_classes)
            As the estimator gives them.
        """
        X = self._samples(X)
        return self.estimator_.decision_function(X)
