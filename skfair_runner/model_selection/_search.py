"""Search of parameters by a utility and a group difference, with successive halving."""

from numbers import Integral, Real
from time import perf_counter

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import check_random_state, get_tags

from skfair_runner._guards import all_or_nothing
from skfair_runner.model_selection._fitted_search import FittedSearch
from skfair_runner.model_selection._halving import Task
from skfair_runner.model_selection._routing import fit_keywords, get_router
from skfair_runner.model_selection._search_data import (
    check_estimator_and_groups,
    part_folds,
    part_rows,
)
from skfair_runner.model_selection._steps import check, fit_pick, run_rungs
from skfair_runner.model_selection._trials import keywords_of
from skfair_runner.utils import (
    HasMethods,
    Interval,
    SensitiveFeaturesRequestMixin,
    StrOptions,
    fit_context,
)


class TradeoffSearchCV(
    SensitiveFeaturesRequestMixin, MetaEstimatorMixin, FittedSearch, BaseEstimator
):
    """Search for the trade-off between a utility and a group difference.

    Many candidates are tried with few resources; those on the front of utility and
    difference, and near it, go on with more (successive halving [1]_ by non-dominated
    sorting [2]_). A rule picks among the last ones, by cross-validation; what the pick
    is worth is measured on rows that were set aside before and that no fit and no
    choice has seen.

    Parameters
    ----------
    estimator : classifier
        What is searched: a classifier, or a pipeline that ends in one.

    param_distributions : dict or list of dict
        Values, or distributions with a method ``rvs``, by parameter, as for
        RandomizedSearchCV.

    difference : str, Metric or callable, default="demographic_parity_difference"
        What shall be small: a name in `skfair_runner.metrics.METRICS` of which less is
        better, or a function called as ``difference(y_true, y_pred, *,
        sensitive_features)``.

    utility : str or callable, default="accuracy"
        What shall be large: a scorer of scikit-learn, or its name. Columns call a
        function ``utility``.

    refit : {"knee"}, float or callable, default="knee"
        The rule that picks. "knee" bends the front most; a number is the largest
        difference allowed, and the best utility within it is taken; a function such as
        `least_difference_near_best` gets `cv_results_` of the candidates that may be
        chosen, those with all resources that are not constant, and returns the position
        of one.

    n_candidates : int, default=45
        Candidates of the first rung; fewer where lists hold fewer combinations.

    sampler : {"random", "optuna"} or optuna sampler, default="random"
        Where candidates come from. "optuna" lets a multi-objective ``TPESampler``
        propose them, five at a time, knowing how earlier ones did in the first rung;
        another sampler of optuna, such as ``NSGAIISampler``, can be passed.

    factor : int, default=3
        From rung to rung, candidates are divided and resources multiplied by this.

    resource : str, default="n_samples"
        What is divided: training rows, or a parameter of the estimator that is a whole
        number, such as "max_epochs".

    min_resources : int or "auto", default="auto"
        Resources of the first rung. "auto" takes as many rungs as leave five candidates
        for the last, and with ``"n_samples"`` at least ten rows per label and group.

    max_resources : int or "auto", default="auto"
        Resources of the last rung. "auto" is all training rows, or what the estimator
        is set to.

    cv : int, splitter or iterable of (train, test), default=5
        A number of shuffled folds, stratified over label × group; a splitter gets
        label × group cells in place of y.

    test_size : float or None, default=0.2
        Share of the rows that is set aside for `report_`, in (0, 1), stratified over
        label × group. None sets nothing aside.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {-1, 1}, and compares
        every class with the rest where there are more than two.

    confidence_level : float, default=0.95
        Of the intervals of `report_`, in (0, 1).

    n_bootstrap : int, default=1000
        Resamples behind these intervals.

    error_score : {"raise"} or nan, default=nan
        Whether a failing fit stops the search; else its candidate goes no further.

    n_jobs : int or None, default=None
        Fits at the same time, as in scikit-learn. Results do not depend on it.

    results : path-like or None, default=None
        File in which every fit is stored as it is made. After Ctrl-C, or a crash, the
        same call goes on where it was; with more candidates, what is known is not run
        again. Needs an integer as `random_state`. Nothing in the file can execute when
        it is read.

    random_state : int, RandomState or None, default=None
        Seed of the rows set aside, of the folds, candidates and resamples. The
        estimator keeps its own.

    verbose : int, default=0
        1 shows progress.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray of shape (n_trials,) or list
        As of HalvingRandomSearchCV, with ``iter`` and ``n_resources`` of each row, and
        columns of both measures: of each, greater is better, so that the difference is
        negated. ``constant`` tells candidates that give nearly all rows the same
        decision on a fold, ``front_rank`` the front of their rung, from 1.

    trials_ : DataFrame
        The same as a short table, with differences as they are: parameters, mean and
        standard deviation of both measures, ``constant``, ``on_front``, ``chosen``.

    front_ : DataFrame
        Rows of `trials_` with all resources that no other one beats in both measures,
        by their difference.

    best_index_ : int
        Row of `cv_results_` that was picked.

    best_params_ : dict
        Its parameters, the resource among them.

    best_estimator_ : classifier
        Fitted with these on all rows but those set aside.

    report_ : DataFrame or None
        ``value`` of utility and difference on the rows set aside, ``low`` and ``high``
        of a bootstrap interval, and beside it ``validation``, what it was picked by.

    report_indices_ : ndarray of int
        Numbers of the rows set aside.

    n_resources_, n_candidates_ : list of int
        Of each rung.

    n_iterations_ : int
        Number of rungs.

    min_resources_, max_resources_ : int
        Of the first and the last rung.

    n_splits_ : int
        Number of folds.

    refit_time_ : float
        Seconds that the last fit took.

    classes_ : ndarray of shape (n_classes,)
        Labels.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had string column names.

    See Also
    --------
    RunnerFrontier : One training for a whole front, without a search.
    best_within_bound : The rule behind a number.

    Notes
    -----
    Rows are sampled for training only; each fold is tested on all of its rows, since a
    difference between groups needs many. Intervals hold for the sampling of people, not
    for training again. They are the directional bootstrap of the comparisons where the
    utility is the accuracy or the balanced accuracy and the difference is one of
    decisions; else rows are resampled and measured anew, which is slower, and too
    narrow for a difference near zero.

    References
    ----------
    .. [1] K. Jamieson, A. Talwalkar, "Non-stochastic Best Arm Identification and
       Hyperparameter Optimization", AISTATS 2016.
    .. [2] K. Deb, A. Pratap, S. Agarwal, T. Meyarivan, "A Fast and Elitist
       Multiobjective Genetic Algorithm: NSGA-II", IEEE Transactions on Evolutionary
       Computation 6(2), 2002.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner import TradeoffSearchCV
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=600, random_state=0)
    >>> X, groups = people.data.select_dtypes("number"), people.sensitive_features
    >>> search = TradeoffSearchCV(
    ...     LogisticRegression(max_iter=1000),
    ...     {"C": loguniform(1e-4, 1)},
    ...     n_candidates=15,
    ...     cv=3,
    ...     random_state=0,
    ... )
    >>> search = search.fit(X, people.target, sensitive_features=groups["gender"])
    >>> search.n_candidates_, search.n_resources_
    ([15, 5], [106, 320])
    >>> search.report_.index.tolist()
    ['accuracy', 'demographic_parity_difference']
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "param_distributions": [dict, list],
        "difference": [str, callable, object],
        "utility": [str, callable],
        "refit": [
            StrOptions({"knee"}),
            Interval(Real, 0, None, closed="left"),
            callable,
        ],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "sampler": [
            StrOptions({"random", "optuna"}),
            HasMethods(["sample_relative", "sample_independent"]),
        ],
        "factor": [Interval(Integral, 2, None, closed="left")],
        "resource": [str],
        "min_resources": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_resources": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods("split"), object],
        "test_size": [Interval(Real, 0, 1, closed="neither"), None],
        "pos_label": [object],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "n_bootstrap": [Interval(Integral, 1, None, closed="left")],
        "error_score": [StrOptions({"raise"}), "nan"],
        "n_jobs": [None, Integral],
        "results": [str, HasMethods("__fspath__"), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        difference="demographic_parity_difference",
        utility="accuracy",
        refit="knee",
        n_candidates=45,
        sampler="random",
        factor=3,
        resource="n_samples",
        min_resources="auto",
        max_resources="auto",
        cv=5,
        test_size=0.2,
        pos_label=None,
        confidence_level=0.95,
        n_bootstrap=1000,
        error_score=np.nan,
        n_jobs=None,
        results=None,
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.difference = difference
        self.utility = utility
        self.refit = refit
        self.n_candidates = n_candidates
        self.sampler = sampler
        self.factor = factor
        self.resource = resource
        self.min_resources = min_resources
        self.max_resources = max_resources
        self.cv = cv
        self.test_size = test_size
        self.pos_label = pos_label
        self.confidence_level = confidence_level
        self.n_bootstrap = n_bootstrap
        self.error_score = error_score
        self.n_jobs = n_jobs
        self.results = results
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None, **fit_params):
        """Search, pick, fit the pick, and report on it.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Features, or whatever the estimator takes with one entry per row.

        y : array-like of shape (n_samples,)
            Labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            Groups to compare; several columns are crossed. They are handed to every
            step of the estimator that takes them, with metadata routing on or off.
            None reads them from X, where the estimator is a `SensitiveColumns` or has
            `sensitive_columns`.

        **fit_params : dict
            Handed on to the `fit` of the estimator; what has one value per row is
            sliced.

        Returns
        -------
        self : object
            The fitted search. An interrupt (Ctrl-C) leaves it as it was; what was done
            is in the file `results`.

        Raises
        ------
        TypeError
            If the estimator is no classifier, groups are passed as
            ``<step>__sensitive_features``, or values of a parameter are neither a list
            nor a distribution.

        ValueError
            If a parameter is invalid, there are no groups, or all fits of a rung
            failed.

        ImportError
            If ``sampler="optuna"`` and optuna is not installed.

        Warns
        -----
        FitFailedWarning
            If fits failed.

        ConstantClassifierWarning
            If there are none but constant candidates.
        """
        with all_or_nothing(self):
            self._fit(X, y, sensitive_features, fit_params)
        return self

    def _fit(self, X, y, sensitive_features, fit_params):
        """Set all fitted attributes."""
        caller = type(self).__name__
        measures = check(self, caller)
        groups = check_estimator_and_groups(
            self.estimator, X, sensitive_features, fit_params, caller
        )
        rng = check_random_state(self.random_state)
        seeds = [int(rng.randint(2**31 - 1)) for _ in range(5)]
        parts = part_rows(
            X, y, groups, self.pos_label, self.test_size, seeds[0], caller
        )
        folds = part_folds(parts.data, self.cv, self.test_size, seeds[1:3], caller)
        # Groups that the estimator finds in X itself are not handed to it, too.
        keywords = fit_keywords(self, sensitive_features, None, fit_params)
        n_rows = len(parts.rows) + len(parts.untouched_rows)
        keywords = keywords_of(keywords, parts.rows, n_rows)
        task = Task(
            self.estimator,
            self.resource,
            parts.data,
            folds,
            keywords,
            measures,
            self.error_score,
        )
        rounds = run_rungs(self, task, seeds[3], caller)
        self._keep(rounds, measures, len(folds))
        start = perf_counter()
        self.best_estimator_ = fit_pick(self, task)
        self.refit_time_ = perf_counter() - start
        self.report_indices_ = parts.untouched_rows
        self.report_ = self._report(parts.untouched, measures, seeds[4])

    def get_metadata_routing(self):
        """Metadata requests of this search and of the estimator.

        Returns
        -------
        routing : MetadataRouter
            The search asks for `sensitive_features`; the rest goes to the `fit` of the
            estimator.
        """
        return get_router(self, "fit").add_self_request(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = inner.classifier_tags
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.input_tags.string = inner.input_tags.string
        tags.target_tags.required = True
        return tags
