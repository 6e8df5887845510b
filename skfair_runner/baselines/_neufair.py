"""NeuFair: dropping hidden neurons of a trained net (Dasu et al., ISSTA 2024)."""

from functools import partial
from numbers import Integral, Real

import numpy as np
import pandas as pd

from skfair_runner.baselines._neufair_net import NeuFairNet
from skfair_runner.baselines._the_net import TrainsTheNet
from skfair_runner.conditions import CONSTRAINTS, resolve_constraint
from skfair_runner.utils import Interval, StrOptions, fit_context


class NeuFairClassifier(TrainsTheNet):
    """Plainly trained net from which an annealer drops hidden neurons.

    NeuFair [1]_ changes no weight by gradient. After plain training, simulated
    annealing looks for the hidden neurons without which the decisions on the training
    data differ least between groups, while F1 stays near that of the whole net. They
    are silenced for good, their biases too; the result is an ordinary net.

    Parameters
    ----------
    estimator : RunnerFairClassifier or None, default=None
        With ``constraint=None`` and a perceptron of Linear and ReLU: the default
        module, ``module=modules.MLP`` or an ``nn.Sequential``. None is
        ``RunnerFairClassifier(constraint=None)``. In a pipeline, this classifier itself
        is the last step.

    constraint : {"demographic_parity", "equalized_odds", \
            "true_positive_rate_parity", "false_positive_rate_parity"}, \
            default="equalized_odds"
        Whose difference is to be small. The paper's is equalized odds.

    n_proposals : int, default=3000
        Number of states that are looked at, at most; each drops one neuron or takes it
        back. 0 leaves the net as it is.

    max_seconds : float or None, default=None
        Time for the search, at most, beside the training. None sets no limit; with one,
        what is found depends on the machine.

    f1_share : float, default=0.98
        Share, in [0, 1], of the whole net's F1 that must be kept.

    penalty : float, default=1.0
        Added to the cost of a state whose F1 is lower, at least 0. The search may pass
        through such states, but never ends in one.

    pos_label : label or None, default=None
        The favourable label, of which F1 speaks. None is the larger of {0, 1} and
        {−1, 1}; other labels must be told.

    random_state : int, RandomState or None, default=None
        Seed of the search, and of `estimator` where its own is None. None takes fresh
        entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    estimator_ : RunnerFairClassifier
        The fitted net, without what was dropped.

    dropped_neurons_ : list of ndarray
        Indices of the dropped neurons, one array for each hidden layer.

    search_ : DataFrame
        Rows "before" and "after"; columns difference and f1, on the training data.

    n_proposals_ : int
        Number of states that were looked at.

    history_ : DataFrame
        One row per epoch: phase and losses.

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
    Difference and F1 are those of the training data. A search of thousands of states
    fits them closely; on new data the difference is larger and F1 can fall further than
    by `f1_share`.

    Activations of the first hidden layer are kept for all training rows at once.

    References
    ----------
    .. [1] V. A. Dasu, A. Kumar, S. Tizpaz-Niari, G. Tan, "NeuFair: Neural network
       fairness repair with dropout", ISSTA 2024, doi 10.1145/3650212.3680380.

    Examples
    --------
    >>> from skfair_runner import RunnerFairClassifier
    >>> from skfair_runner.baselines import NeuFairClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data.select_dtypes("number")
    >>> net = RunnerFairClassifier(constraint=None, warmup_epochs=8, max_epochs=8)
    >>> clf = NeuFairClassifier(net, n_proposals=500, random_state=0)
    >>> clf = clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> difference = clf.search_["difference"]
    >>> bool(difference["after"] < difference["before"])
    True
    """

    _takes_many_labels = False
    _needs_the_favourable_label = True

    _parameter_constraints: dict = {
        **TrainsTheNet._parameter_constraints,
        "constraint": [StrOptions(set(CONSTRAINTS))],
        "n_proposals": [Interval(Integral, 0, None, closed="left")],
        "max_seconds": [Interval(Real, 0, None, closed="neither"), None],
        "f1_share": [Interval(Real, 0, 1, closed="both")],
        "penalty": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        estimator=None,
        constraint="equalized_odds",
        *,
        n_proposals=3000,
        max_seconds=None,
        f1_share=0.98,
        penalty=1.0,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.constraint = constraint
        self.n_proposals = n_proposals
        self.max_seconds = max_seconds
        self.f1_share = f1_share
        self.penalty = penalty
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train plainly, search, and silence what was found.

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
        self : NeuFairClassifier
            Fitted.

        Raises
        ------
        TypeError
            If `estimator` is no RunnerFairClassifier, or its module no perceptron.

        ValueError
            If `estimator` has a constraint; if there are not two labels, or the
            favourable one is not told; if groups are missing, misaligned or fewer than
            two; if a group has no sample with a label that the constraint looks at; if
            training diverges.
        """
        X, y, task = self._read(X, y, sensitive_features)
        self._check_compared_cells(task)
        net = self._net(pos_label=self.classes_.tolist()[self.favourable_])
        net._net_class = partial(
            NeuFairNet,
            constraint=resolve_constraint(self.constraint),
            search={
                "n_proposals": self.n_proposals,
                "max_seconds": self.max_seconds,
                "f1_share": self.f1_share,
                "penalty": self.penalty,
            },
            caller=f"{type(self).__name__}.fit",
        )
        self.estimator_ = net.fit(X, y, sensitive_features=sensitive_features)
        annealed = self.estimator_.net_.annealed_
        self.dropped_neurons_ = [np.flatnonzero(~kept) for kept in annealed.kept]
        self.search_ = pd.DataFrame(
            [annealed.before, annealed.after],
            index=["before", "after"],
            columns=["difference", "f1"],
        )
        self.n_proposals_ = annealed.n_proposals
        return self
