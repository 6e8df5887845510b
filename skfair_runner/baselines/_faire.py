"""Faire: conditions on the neurons of a trained net (Li et al., TOSEM 2023)."""

from functools import partial
from numbers import Real

import pandas as pd

from skfair_runner.baselines._faire_net import FaireNet
from skfair_runner.baselines._the_net import TrainsTheNet
from skfair_runner.utils import Interval, fit_context


class FaireClassifier(TrainsTheNet):
    r"""Trained net whose neurons are damped where they tell groups, else promoted.

    Faire [1]_ leaves the weights of a trained net alone. After plain training, a head
    for the groups is trained on its last hidden layer. A neuron is critical for the
    groups, or for the labels, as much as silencing it would change that head's loss, or
    the net's. After each hidden layer a condition layer is inserted, one multiplier for
    each neuron, and only these are trained, in the second phase: neurons that are more
    critical for groups than for labels are damped, the others are promoted. At the end
    the multipliers are folded into the weights; the result is an ordinary net.

    Parameters
    ----------
    estimator : RunnerFairClassifier or None, default=None
        With ``constraint=None`` and a perceptron of Linear and ReLU: the default
        module, ``module=modules.MLP`` or an ``nn.Sequential``. None is
        ``RunnerFairClassifier(constraint=None)``. In a pipeline, this classifier itself
        is the last step.

    alpha : float, default=0.1
        Weight of what damped neurons still hand on, at least 0. The larger, the more
        of them are silenced.

    max_multiplier : float, default=2.0
        Largest multiplier of a promoted neuron, at least 1.

    condition_lr : float, default=0.02
        Learning rate of the multipliers' Adam.

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
        The fitted net, multipliers included.

    conditions_ : DataFrame
        One row per hidden neuron: layer and neuron (numbers from 0), group_share and
        label_share (its part of what the layer's neurons mean for each, 0 where there
        was no second phase), and multiplier.

    history_ : DataFrame
        One row per epoch: phase and losses.

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
    With :math:`p_m` and :math:`q_m` a neuron's share, within its layer, of
    :math:`\sum_b |h_{b,m}\, \partial \ell_b / \partial h_{b,m}|` for the loss of the
    groups and of the labels, a neuron with :math:`p_m > q_m` has a multiplier
    :math:`c_m \in [0, 1]`, any other one :math:`c_m \in [1, c_{\max}]`. Trained is

    .. math:: L_y + \alpha \sum_{\text{layers}}
        \frac{\sum_{p_m > q_m} p_m c_m}{\sum_{p_m > q_m} p_m}

    These formulas are this implementation's reading of the method.

    No difference between groups is part of the loss: that one is reduced is likely
    where labels and groups are carried by different neurons, and not promised.

    References
    ----------
    .. [1] T. Li, X. Xie, J. Wang, Q. Guo, A. Liu, L. Ma, Y. Liu, "Faire: Repairing
       fairness of neural networks via neuron condition synthesis", TOSEM 33(1), 2023,
       doi 10.1145/3617168.

    Examples
    --------
    >>> from skfair_runner import RunnerFairClassifier
    >>> from skfair_runner.baselines import FaireClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data.select_dtypes("number")
    >>> net = RunnerFairClassifier(
    ...     constraint=None, warmup_epochs=4, max_epochs=4, hidden_layer_sizes=(8, 8)
    ... )
    >>> clf = FaireClassifier(net, random_state=0)
    >>> clf = clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> clf.conditions_.columns.tolist()
    ['layer', 'neuron', 'group_share', 'label_share', 'multiplier']
    """

    _parameter_constraints: dict = {
        **TrainsTheNet._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left")],
        "max_multiplier": [Interval(Real, 1, None, closed="left")],
        "condition_lr": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        estimator=None,
        *,
        alpha=0.1,
        max_multiplier=2.0,
        condition_lr=0.02,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.alpha = alpha
        self.max_multiplier = max_multiplier
        self.condition_lr = condition_lr
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train plainly, find critical neurons, train and fold conditions.

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
        self : FaireClassifier
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
            FaireNet,
            alpha=self.alpha,
            most=self.max_multiplier,
            condition_lr=self.condition_lr,
            caller=f"{type(self).__name__}.fit",
        )
        self.estimator_ = net.fit(X, y, sensitive_features=sensitive_features)
        found = self.estimator_.net_
        pairs = zip(found.shares_, found.multipliers_, strict=True)
        self.conditions_ = pd.concat(
            [
                pd.DataFrame(
                    {
                        "layer": layer,
                        "neuron": range(len(multipliers)),
                        "group_share": of_groups.numpy(),
                        "label_share": of_labels.numpy(),
                        "multiplier": multipliers.numpy(),
                    }
                )
                for layer, ((of_groups, of_labels), multipliers) in enumerate(pairs)
            ],
            ignore_index=True,
        )
        return self
