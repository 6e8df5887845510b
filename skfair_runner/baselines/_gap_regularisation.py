"""Gap regularisation: a fixed weight on the gap of the scores."""

from numbers import Real

from skfair_runner.baselines._the_net import TrainsTheNet
from skfair_runner.conditions import CONSTRAINTS
from skfair_runner.utils import Interval, StrOptions, fit_context


class GapRegularisationClassifier(TrainsTheNet):
    r"""Net trained with a penalty on the gap between the groups' scores.

    After plain training, the second phase minimises

    .. math:: L_{cls} + \text{weight} \cdot \text{gap}

    with the differentiable gap of :mod:`skfair_runner.gaps`: what is left of RUNNER
    without neurons and without controller. It needs no groups to predict.

    Parameters
    ----------
    estimator : RunnerFairClassifier or None, default=None
        With ``constraint=None``. None is ``RunnerFairClassifier(constraint=None)``, the
        default net. In a pipeline, this classifier itself is the last step.

    constraint : str, default="demographic_parity"
        What must not depend on the group: "demographic_parity", "equalized_odds",
        "true_positive_rate_parity" or "false_positive_rate_parity".

    weight : float, default=0.5
        Weight of the gap, at least 0. The larger, the smaller the difference, and the
        worse the scores.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {−1, 1}; other labels
        must be told for the rate parities.

    random_state : int, RandomState or None, default=None
        Seed of `estimator` where its own is None. None takes fresh entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    estimator_ : RunnerFairClassifier
        The fitted net.

    history_ : DataFrame
        One row per epoch: phase, losses, gap and difference on the training batches.

    favourable_ : int
        Position of the favourable label in ``classes_``; 1 where it is not told.

    seed_ : int
        The seed that was used.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had string column names.

    image_shape_ : tuple of int
        (channels, height, width), where X held images.

    See Also
    --------
    skfair_runner.RunnerFairClassifier : Penalises neurons too, and steers towards a
        bound instead of a weight.

    Notes
    -----
    A weight has no meaning of its own: choose it on validation data. A large one ends
    in a constant classifier, whose difference is zero for the wrong reason; training
    then warns with :class:`~skfair_runner.utils.ConstantClassifierWarning`.

    Examples
    --------
    >>> from skfair_runner import RunnerFairClassifier
    >>> from skfair_runner.baselines import GapRegularisationClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data[["experience", "interview"]]
    >>> net = RunnerFairClassifier(constraint=None, warmup_epochs=10, max_epochs=10)
    >>> clf = GapRegularisationClassifier(net, weight=0.5, random_state=0)
    >>> clf = clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> clf.predict(X).shape
    (500,)
    """

    _parameter_constraints: dict = {
        **TrainsTheNet._parameter_constraints,
        "constraint": [StrOptions(set(CONSTRAINTS))],
        "weight": [Interval(Real, 0, None, closed="left")],
    }

    _when_constant = "lower weight, or train longer"

    def __init__(
        self,
        estimator=None,
        constraint="demographic_parity",
        *,
        weight=0.5,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.constraint = constraint
        self.weight = weight
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train plainly, then with the penalty.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Numbers, or images, as `estimator` takes them.

        y : array-like of shape (n_samples,)
            Two or more labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required.

        Returns
        -------
        self : GapRegularisationClassifier
            Fitted.

        Raises
        ------
        TypeError
            If `estimator` is no RunnerFairClassifier.

        ValueError
            If `estimator` has a constraint; if there is one label only; if groups are
            missing, misaligned or fewer than two; if a group has no sample with a label
            that the constraint looks at.
        """
        X, y, task = self._read(X, y, sensitive_features)
        self._check_compared_cells(task)
        net = self._net(
            constraint=self.constraint,
            alpha=0.0,
            difference_bound=None,
            output_weight=self.weight,
            pos_label=self.pos_label,
        )
        self.estimator_ = net.fit(X, y, sensitive_features=sensitive_features)
        return self
