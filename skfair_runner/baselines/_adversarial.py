"""Adversarial debiasing of the net (Zhang, Lemoine & Mitchell, AIES 2018)."""

from functools import partial
from numbers import Real

from skfair_runner.baselines._adversarial_net import AdversarialNet
from skfair_runner.baselines._the_net import TrainsTheNet
from skfair_runner.conditions import CONSTRAINTS, resolve_constraint
from skfair_runner.utils import Interval, StrOptions, fit_context


class AdversarialDebiasingClassifier(TrainsTheNet):
    r"""Net that is trained against an adversary who guesses groups from its scores.

    After plain training, the second phase follows Zhang et al. [1]_: with the gradients
    of the predictor's loss :math:`L_P` and of the adversary's loss :math:`L_A` with
    respect to all weights of the net, each as one vector, the net descends along

    .. math::

        \nabla L_P - \operatorname{proj}_{\nabla L_A} \nabla L_P - \alpha \nabla L_A

    so that no step towards better predictions helps the adversary. The adversary is
    the paper's logistic regression, with an optimizer of its own, and trained in the
    same steps from the first epoch on; it needs no groups to predict.

    Parameters
    ----------
    estimator : RunnerFairClassifier or None, default=None
        With ``constraint=None``. None is ``RunnerFairClassifier(constraint=None)``, the
        default net. In a pipeline, this classifier itself is the last step.

    constraint : str, default="demographic_parity"
        What must not depend on the group: "demographic_parity", where the adversary
        sees the scores; "equalized_odds", scores and labels; or
        "true_positive_rate_parity" or "false_positive_rate_parity", the scores of the
        samples with that label.

    alpha : float, default=3.0
        Weight of the adversary's gradient at the end of training, at least 0. It rises
        with the square root of the steps, as in the paper. The larger, the smaller the
        difference, and the worse the scores.

    adversary_lr : float, default=0.1
        Learning rate of the adversary's Adam.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {−1, 1}; other labels
        must be told for the rate parities.

    random_state : int, RandomState or None, default=None
        Seed of `estimator` where its own is None. None takes fresh entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    estimator_ : RunnerFairClassifier
        The fitted net.

    history_ : DataFrame
        One row per epoch: phase, losses, the adversary's loss, gap and difference on
        the training batches.

    favourable_ : int
        Position of the favourable label in ``classes_``.

    seed_ : int
        The seed that was used.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had string column names.

    image_shape_ : tuple of int
        (channels, height, width), where X held images.

    Notes
    -----
    Implementations of other packages project tensor by tensor; the paper's gradient is
    that of all weights. Against divergence the paper lets the learning rate fall while
    :math:`\alpha` rises; here it falls to zero by the net's cosine schedule.

    The adversary for equalized odds has an intercept for each label. Without one, the
    groups' base rates would look to it like information in the scores.

    The adversary sees scores, and equal scores on average leave it at a loss: the
    difference of decisions can stay larger than the gap of scores. Training is less
    stable than with a penalty; compare several seeds.

    References
    ----------
    .. [1] B. H. Zhang, B. Lemoine, M. Mitchell, "Mitigating unwanted biases with
       adversarial learning", AIES 2018, section 3.

    Examples
    --------
    >>> from skfair_runner import RunnerFairClassifier
    >>> from skfair_runner.baselines import AdversarialDebiasingClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data[["experience", "interview"]]
    >>> net = RunnerFairClassifier(constraint=None, warmup_epochs=2, max_epochs=2)
    >>> clf = AdversarialDebiasingClassifier(net, random_state=0)
    >>> clf = clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> clf.predict(X).shape
    (500,)
    """

    _takes_many_labels = False

    _parameter_constraints: dict = {
        **TrainsTheNet._parameter_constraints,
        "constraint": [StrOptions(set(CONSTRAINTS))],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "adversary_lr": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        estimator=None,
        constraint="demographic_parity",
        *,
        alpha=3.0,
        adversary_lr=0.1,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.constraint = constraint
        self.alpha = alpha
        self.adversary_lr = adversary_lr
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train plainly, then against the adversary.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Numbers, or images, as `estimator` takes them.

        y : array-like of shape (n_samples,)
            Two labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required.

        Returns
        -------
        self : AdversarialDebiasingClassifier
            Fitted.

        Raises
        ------
        TypeError
            If `estimator` is no RunnerFairClassifier.

        ValueError
            If `estimator` has a constraint or stops early; if there are not two labels;
            if groups are missing, misaligned or fewer than two; if a group has no
            sample with a label that the constraint looks at; if training diverges.
        """
        X, y, task = self._read(X, y, sensitive_features)
        self._check_compared_cells(task)
        net = self._net(pos_label=self.classes_.tolist()[self.favourable_])
        self._check_every_epoch_counts(net)
        net._net_class = partial(
            AdversarialNet,
            constraint=resolve_constraint(self.constraint),
            alpha=self.alpha,
            adversary_lr=self.adversary_lr,
        )
        self.estimator_ = net.fit(X, y, sensitive_features=sensitive_features)
        return self
