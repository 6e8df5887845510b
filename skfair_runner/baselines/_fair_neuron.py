"""FairNeuron: dropout on the rare paths of a net (Gao et al., ICSE 2022)."""

from functools import partial
from numbers import Real

from skfair_runner.baselines._fair_neuron_net import FairNeuronNet
from skfair_runner.baselines._the_net import TrainsTheNet
from skfair_runner.utils import Interval, fit_context


class FairNeuronClassifier(TrainsTheNet):
    """Net that unlearns what only few samples are decided by.

    FairNeuron [1]_ in three steps. (1) After plain training, the path of every sample
    is sliced: back from the chosen label, at each neuron the largest contributions that
    make up `gamma` of its value. (2) Samples whose path is rare are in conflict. (3) In
    the second phase the neurons on a conflict sample's path are dropped at random when
    that sample is trained on; all other samples train normally.

    **The method never looks at groups.** `fit` accepts them, so that it can stand in
    any mitigator's place; the difference between groups may shrink or grow.

    Parameters
    ----------
    estimator : RunnerFairClassifier or None, default=None
        With ``constraint=None`` and a perceptron of Linear and ReLU: the default
        module, ``module=modules.MLP`` or an ``nn.Sequential``. None is
        ``RunnerFairClassifier(constraint=None)``. In a pipeline, this classifier itself
        is the last step.

    gamma : float, default=0.9
        Share of each neuron's value that its path explains, in (0, 1]. The paper
        searches 0.5 to 1.

    theta : float, default=0.001
        A path is rare if at most `theta` times as many samples take it as take the
        commonest one, in (0, 1]; a path that a single sample takes always is. The paper
        searches 0.0001 to 1.

    dropout : float, default=0.5
        Probability, in [0, 1), with which a neuron on a rare path is dropped. The paper
        does not tell it.

    pos_label : label or None, default=None
        The favourable label, which ``favourable_`` tells; training treats both labels
        alike.

    random_state : int, RandomState or None, default=None
        Seed of `estimator` where its own is None. None takes fresh entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels.

    groups_ : list
        Names of the groups, tuples where several columns are crossed. Absent where
        `fit` got no groups.

    estimator_ : RunnerFairClassifier
        The fitted net.

    history_ : DataFrame
        One row per epoch: phase and losses.

    n_paths_ : int
        Number of different paths of the training samples.

    n_conflicts_ : int
        Number of training samples whose path is rare.

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

    Notes
    -----
    A path is the set of hidden neurons on it; features are not part of it.

    In a wide net, or with continuous features, most samples have a path of their own,
    and most are then in conflict, so that step 3 is dropout for nearly everybody. Look
    at ``n_paths_`` and ``n_conflicts_``; `gamma` and `theta` are to be chosen on
    validation data, as the paper does.

    References
    ----------
    .. [1] X. Gao, J. Zhai, S. Ma, C. Shen, Y. Chen, Q. Wang, "FairNeuron: Improving
       deep neural network fairness with adversary games on selective neurons", ICSE
       2022, doi 10.1145/3510003.3510087.

    Examples
    --------
    >>> from skfair_runner import RunnerFairClassifier
    >>> from skfair_runner.baselines import FairNeuronClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data[["experience", "interview"]]
    >>> net = RunnerFairClassifier(
    ...     constraint=None, warmup_epochs=2, max_epochs=2, hidden_layer_sizes=(8, 8)
    ... )
    >>> clf = FairNeuronClassifier(net, random_state=0).fit(X, people.target)
    >>> clf.n_conflicts_ < clf.n_paths_ < 500
    True
    """

    _needs_groups = False
    _takes_many_labels = False

    _parameter_constraints: dict = {
        **TrainsTheNet._parameter_constraints,
        "gamma": [Interval(Real, 0, 1, closed="right")],
        "theta": [Interval(Real, 0, 1, closed="right")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        estimator=None,
        *,
        gamma=0.9,
        theta=0.001,
        dropout=0.5,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.gamma = gamma
        self.theta = theta
        self.dropout = dropout
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train plainly, slice paths, and train on with selective dropout.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Numbers, or images, as `estimator` takes them.

        y : array-like of shape (n_samples,)
            Two labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample. Checked where given, and not used.

        Returns
        -------
        self : FairNeuronClassifier
            Fitted.

        Raises
        ------
        TypeError
            If `estimator` is no RunnerFairClassifier, or its module no perceptron.

        ValueError
            If `estimator` has a constraint; if there are not two labels; if groups are
            misaligned or partly missing.
        """
        X, y, _ = self._read(X, y, sensitive_features)
        net = self._net()
        net._net_class = partial(
            FairNeuronNet,
            gamma=self.gamma,
            theta=self.theta,
            dropout=self.dropout,
            caller=f"{type(self).__name__}.fit",
        )
        self.estimator_ = net.fit(X, y)
        self.n_paths_ = self.estimator_.net_.n_paths_
        self.n_conflicts_ = self.estimator_.net_.n_conflicts_
        return self
