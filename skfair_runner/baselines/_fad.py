"""One-network adversarial fairness (Adel, Valera, Ghahramani & Weller, AAAI 2019)."""

from functools import partial
from numbers import Real

from skfair_runner.baselines._fad_net import FADNet
from skfair_runner.baselines._the_net import TrainsTheNet
from skfair_runner.utils import Interval, fit_context


class FADClassifier(TrainsTheNet):
    r"""Net with one more hidden layer, from which groups are hard to tell.

    One-network adversarial fairness [1]_. After plain training, a hidden layer
    :math:`g` is added before the output. A second head on :math:`g` guesses the group
    with loss :math:`L_s`, and its gradient is reversed on the way into :math:`g`: the
    net minimises :math:`L_y - \beta L_s` while the head minimises :math:`L_s`, all in
    one backward pass. The head is gone after training; the result is an ordinary net
    that is one layer deeper.

    Parameters
    ----------
    estimator : RunnerFairClassifier or None, default=None
        With ``constraint=None`` and a perceptron of Linear and ReLU: the default
        module, ``module=modules.MLP`` or an ``nn.Sequential``. None is
        ``RunnerFairClassifier(constraint=None)``. In a pipeline, this classifier itself
        is the last step.

    beta : float, default=1.0
        Weight of the groups' reversed gradient, at least 0. The paper chooses it on
        validation data.

    head_lr : float, default=0.05
        Learning rate of the group head's Adam; it has to keep up with the net.

    pos_label : label or None, default=None
        The favourable label, which ``favourable_`` tells; training treats labels alike.

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
        One row per epoch: phase and losses; in the second phase also the loss of the
        group head, gap and difference of demographic parity on the training batches.

    favourable_ : int
        Position of the favourable label in ``classes_``; the last where it is not told.

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
    The layer is as wide as the one before it and begins as the identity, so that the
    second phase begins with the plain net. All layers are trained in it.

    The gradient is reversed on batches alone on which the head does better than by
    guessing from the groups' frequencies. Beyond that nothing is left to hide, and the
    paper's loss, which has no bound, would drive the layer to infinity.

    A layer that tells nothing of the groups has demographic parity; labels that depend
    on the groups are then predicted worse. The head is a linear one: what it cannot
    tell may still be told from :math:`g` in other ways.

    References
    ----------
    .. [1] T. Adel, I. Valera, Z. Ghahramani, A. Weller, "One-network adversarial
       fairness", AAAI 2019, doi 10.1609/aaai.v33i01.33012412.

    Examples
    --------
    >>> from skfair_runner import RunnerFairClassifier
    >>> from skfair_runner.baselines import FADClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data[["experience", "interview"]]
    >>> net = RunnerFairClassifier(
    ...     constraint=None, warmup_epochs=2, max_epochs=2, hidden_layer_sizes=(8, 8)
    ... )
    >>> clf = FADClassifier(net, random_state=0)
    >>> clf = clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> clf.estimator_.net_.module_.hidden_layer_sizes
    [8, 8, 8]
    """

    _parameter_constraints: dict = {
        **TrainsTheNet._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
        "head_lr": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        estimator=None,
        *,
        beta=1.0,
        head_lr=0.05,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.beta = beta
        self.head_lr = head_lr
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train plainly, then with the added layer against the group head.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Numbers, or images, as `estimator` takes them.

        y : array-like of shape (n_samples,)
            Labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required.

        Returns
        -------
        self : FADClassifier
            Fitted.

        Raises
        ------
        TypeError
            If `estimator` is no RunnerFairClassifier, or its module no perceptron.

        ValueError
            If `estimator` has a constraint or stops early; if groups are missing,
            misaligned or fewer than two; if training diverges.
        """
        X, y, _ = self._read(X, y, sensitive_features)
        net = self._net()
        self._check_every_epoch_counts(net)
        net._net_class = partial(
            FADNet,
            beta=self.beta,
            head_lr=self.head_lr,
            caller=f"{type(self).__name__}.fit",
        )
        self.estimator_ = net.fit(X, y, sensitive_features=sensitive_features)
        return self
