"""Meta-estimator that takes the sensitive features out of raw X."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.metrics import accuracy_score
from sklearn.utils import get_tags, metadata_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skfair_runner.model_selection._routing import (
    fit_keywords,
    get_router,
    needs_groups_at_predict,
    refuse_sensitive_features,
    score_keywords,
)
from skfair_runner.utils import HasMethods, fit_context
from skfair_runner.utils._columns import (
    as_table,
    column_positions,
    column_table,
    drop_columns,
)

# What scikit-learn, pandas and this package say of a column that X has not.
_NO_COLUMN = ("not a column of", "not columns of", "not in index", "no column")


def _inner_has(method):
    """Condition under which a method of the inner estimator is offered."""

    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


def _can_score(self):
    """Tell whether the inner estimator scores, by itself or through its groups."""
    inner = getattr(self, "estimator_", self.estimator)
    return needs_groups_at_predict(inner) or hasattr(inner, "score")


class SensitiveColumns(MetaEstimatorMixin, BaseEstimator):
    """Fit an estimator with sensitive features that are columns of X.

    Takes the named columns out of raw X before anything else sees it and hands
    them to the estimator, or to the steps of a pipeline, as
    `sensitive_features`. One spelling then works in pipelines, searches and
    cross-validation, with metadata routing on and off: the groups travel
    within X.

    The columns are needed only for `fit`. Afterwards X may come with or
    without them, unless ``drop=False`` or the estimator itself needs groups to
    predict.

    Parameters
    ----------
    estimator : estimator
        What to fit: an estimator, a pipeline or a search around either. Every
        step whose `fit` has the parameter `sensitive_features` receives the
        columns; for the last step, or an estimator by itself, a `fit` that
        takes any keyword counts too, except that of a scikit-learn
        meta-estimator. When nothing takes them, the columns are only dropped.

    columns : str, int or list of str and int, default=None
        Which columns hold the sensitive features: names for a DataFrame,
        positions for an array (and for a DataFrame; negative ones count from
        the end). None takes no column and hands X on as it is.

    drop : bool, default=True
        Whether the columns are withheld from the features, so that no step may
        ask for them, and positions count the columns left. With False they are
        both the sensitive features and ordinary features.

    Attributes
    ----------
    estimator_ : estimator
        The fitted copy of `estimator`.

    classes_ : ndarray of shape (n_classes,)
        Class labels of `estimator_`, where it has them.

    n_features_in_ : int
        Number of columns of X in `fit`, sensitive ones included.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names of X in `fit`, where all of them are strings.

    columns_ : ndarray of shape (n_columns,), dtype int64
        Positions of the sensitive columns in the X of `fit`.

    See Also
    --------
    fairness_scorer : Scorer that reads its groups from X in the same way.

    Notes
    -----
    One column is handed on as a Series, several as a DataFrame. With metadata
    routing off, a step of a pipeline gets them as
    ``<step>__sensitive_features`` and `sample_weight` goes to the last step;
    with routing on, both follow the requests of the steps, as in scikit-learn.

    Estimators with the attribute ``needs_groups_at_predict = True`` get
    `sensitive_features` in `predict` and `predict_proba` too.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner.model_selection import SensitiveColumns
    >>> X = pd.DataFrame({"sex": ["F", "M", "F", "M"], "age": [20, 30, 40, 50]})
    >>> clf = SensitiveColumns(LogisticRegression(), "sex").fit(X, [0, 0, 1, 1])
    >>> clf.estimator_.feature_names_in_
    array(['age'], dtype=object)
    >>> clf.predict(X).tolist(), clf.predict(X[["age"]]).tolist()
    ([0, 0, 1, 1], [0, 0, 1, 1])
    """

    # Weights are routed to the inner estimator, so a request on this one would
    # be ignored: no set_fit_request, no set_score_request.
    __metadata_request__fit = {"sample_weight": metadata_routing.UNUSED}
    __metadata_request__score = {"sample_weight": metadata_routing.UNUSED}

    _parameter_constraints: dict = {
        "estimator": [HasMethods("fit")],
        "columns": [None, str, Integral, "array-like"],
        "drop": ["boolean"],
    }

    def __init__(self, estimator, columns=None, *, drop=True):
        self.estimator = estimator
        self.columns = columns
        self.drop = drop

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None, **fit_params):
        """Fit the estimator on X without the sensitive columns.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, sensitive columns included.

        y : array-like of shape (n_samples,), default=None
            Target values.

        sample_weight : array-like of shape (n_samples,), default=None
            Handed on to the estimator.

        **fit_params : dict
            Handed on to the estimator as they are, or as its requests say when
            metadata routing is on.

        Returns
        -------
        self : object
            The fitted meta-estimator.

        Raises
        ------
        TypeError
            If the groups are passed as `sensitive_features`, or a column is
            neither a string nor an integer.

        ValueError
            If a parameter is invalid, a column is unknown or named twice, no
            feature would be left, the estimator asks for a column that is taken
            out, or it is a meta-estimator that passes sensitive features on
            only with metadata routing on, and it is off.
        """
        refuse_sensitive_features(self, fit_params)
        if self.columns is not None:
            X = as_table(X, type(self).__name__)
        columns = column_positions(X, self.columns, type(self).__name__)
        validate_data(self, X, skip_check_array=True)
        self.columns_ = columns

        groups = column_table(X, columns) if len(columns) else None
        keywords = fit_keywords(self, groups, sample_weight, fit_params)
        features = drop_columns(X, columns) if self.drop and len(columns) else X
        if len(columns) and features.shape[1] == 0:
            raise ValueError(
                f"{type(self).__name__}: X has {X.shape[1]} feature(s), and "
                f"columns={self.columns!r} takes out every one: none is left to "
                "learn from."
            )
        try:
            self.estimator_ = clone(self.estimator).fit(features, y, **keywords)
        except (KeyError, ValueError) as error:
            if self.drop:
                self._explain(error, X)
            raise
        return self

    @available_if(_inner_has("predict"))
    def predict(self, X):
        """Predict with the fitted estimator.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, with or without the sensitive columns.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Predictions of `estimator_`.
        """
        return self._call("predict", X)

    @available_if(_inner_has("predict_proba"))
    def predict_proba(self, X):
        """Predict class probabilities with the fitted estimator.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, with or without the sensitive columns.

        Returns
        -------
        y_proba : ndarray of shape (n_samples, n_classes)
            Probabilities, columns in the order of `classes_`.
        """
        return self._call("predict_proba", X)

    @available_if(_inner_has("decision_function"))
    def decision_function(self, X):
        """Decision values of the fitted estimator.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, with or without the sensitive columns.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Decision values of `estimator_`.
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.decision_function(self._features(X)[0])

    @available_if(_can_score)
    def score(self, X, y, sample_weight=None):
        """Score of the fitted estimator.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, with or without the sensitive columns.

        y : array-like of shape (n_samples,)
            Target values.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        score : float
            What `estimator_.score` says; for an estimator that needs groups to
            predict, the accuracy.
        """
        check_is_fitted(self, "estimator_")
        if needs_groups_at_predict(self.estimator_):
            return accuracy_score(y, self.predict(X), sample_weight=sample_weight)
        keywords = score_keywords(self, sample_weight)
        return self.estimator_.score(self._features(X)[0], y, **keywords)

    @property
    def classes_(self):
        """Class labels of the fitted estimator."""
        return self.estimator_.classes_

    def get_metadata_routing(self):
        """Metadata requests of the inner estimator.

        Returns
        -------
        routing : MetadataRouter
            Routes `fit` and `score` to the same methods of `estimator`.
        """
        return get_router(self, "fit", "score")

    def __sklearn_tags__(self):
        # X is only made narrower, so what the inner estimator can do decides.
        tags = get_tags(self.estimator)
        tags.array_api_support = False
        if self.columns is not None and self.drop:
            # Nothing promises that the columns left over tell the classes apart.
            for kind in (tags.classifier_tags, tags.regressor_tags):
                if kind is not None:
                    kind.poor_score = True
        return tags

    def _explain(self, error, X):
        """Raise an error that says so where a step asks for a column taken out."""
        told = f"{error} {error.__cause__}"
        by_index = isinstance(error, KeyError)
        if not isinstance(X, pd.DataFrame) or not (
            by_index or any(words in told for words in _NO_COLUMN)
        ):
            return
        for name in map(str, X.columns[self.columns_]):
            if repr(name) in told:
                raise ValueError(
                    f"{type(self).__name__} takes columns={self.columns!r} out of X, "
                    f"and {type(self.estimator).__name__} asks for {name!r} among the "
                    f"others ({type(error).__name__}: {error}): leave {name!r} out of "
                    "its steps, or pass drop=False, which keeps it in X."
                ) from error

    def _call(self, method, X):
        """Call a method of the fitted estimator, with groups where it needs them."""
        check_is_fitted(self, "estimator_")
        features, present = self._features(X)
        if not needs_groups_at_predict(self.estimator_):
            return getattr(self.estimator_, method)(features)
        if len(self.columns_) == 0 or len(present) < len(self.columns_):
            raise ValueError(
                f"{type(self).__name__}: {self.estimator_!r} needs groups to "
                f"{method}, so X must hold columns={self.columns!r}."
            )
        groups = column_table(X, present)
        return getattr(self.estimator_, method)(features, sensitive_features=groups)

    def _features(self, X):
        """Features of X, and the positions of the sensitive columns found in it."""
        if len(self.columns_) == 0:
            return X, self.columns_
        X = as_table(X, type(self).__name__)
        names = getattr(self, "feature_names_in_", None)
        if names is not None and isinstance(X, pd.DataFrame):
            known = {name: k for k, name in enumerate(X.columns)}
            wanted = names[self.columns_]
            present = np.array([known[name] for name in wanted if name in known], int)
        else:
            present = self._positions_by_count(X.shape[1])
        return (drop_columns(X, present) if self.drop else X), present

    def _positions_by_count(self, n_features):
        """Positions of the sensitive columns in an X without names."""
        n_without = self.n_features_in_ - len(self.columns_)
        if n_features == self.n_features_in_:
            return self.columns_
        if n_features == n_without and self.drop:
            return self.columns_[:0]
        without = f", or {n_without} without the sensitive columns" * bool(self.drop)
        raise ValueError(
            f"X has {n_features} features, but {type(self).__name__} is expecting "
            f"{self.n_features_in_} features as input{without}."
        )
