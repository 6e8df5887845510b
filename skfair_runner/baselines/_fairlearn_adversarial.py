"""fairlearn's AdversarialFairnessClassifier on the shared net (Zhang et al., 2018)."""

import math
from numbers import Real

import numpy as np
import torch
from fairlearn.adversarial import AdversarialFairnessClassifier
from fairlearn.adversarial._pytorch_engine import PytorchEngine
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from skfair_runner._randomness import own_randomness
from skfair_runner._settings import resolve_settings
from skfair_runner.baselines._numeric import as_numbers
from skfair_runner.baselines._the_net import TrainsTheNet
from skfair_runner.utils import Interval, StrOptions, fit_context

_DOES = "hands the features to fairlearn as one array"
# Steps in which the learning rate rises, as in the net's own training.
_RISE = 20
_ROWS_AT_A_TIME = 2048


class _SeededEngine(PytorchEngine):
    """fairlearn's engine; 0.15 seeds torch with 0, whatever `random_state` is."""

    def __init__(self, base, X, Y, A):
        super().__init__(base, X, Y, A)
        torch.manual_seed(base.random_state)


class FairlearnAdversarialClassifier(TrainsTheNet):
    r"""The shared net, trained by fairlearn's adversarial mitigation.

    A thin wrapper of :class:`fairlearn.adversarial.AdversarialFairnessClassifier` with
    its torch engine, after Zhang et al. [1]_: an adversary learns to tell the groups
    from the scores, and the net is trained to predict well and to leave the adversary
    at a loss. It needs no groups to predict.

    Parameters
    ----------
    estimator : RunnerFairClassifier or None, default=None
        With ``constraint=None``. Its module, optimizer, learning rate, batch size and
        the sum of its epochs are used. None is
        ``RunnerFairClassifier(constraint=None)``, the default net. In a pipeline, this
        classifier itself is the last step.

    constraint : {"demographic_parity", "equalized_odds"}, default="demographic_parity"
        What must not depend on the group: for equalized odds the adversary sees the
        label beside the score.

    alpha : float, default=1.0
        Weight of the adversary's gradient, at least 0.

    adversary_hidden_layer_sizes : tuple of int, default=()
        Sizes of the adversary's hidden layers, with ReLU; empty for a logistic
        regression, as fairlearn's.

    adversary_lr : float, default=0.001
        Learning rate of the adversary's Adam.

    pos_label : label or None, default=None
        The favourable label, which ``favourable_`` tells; training treats both labels
        alike.

    random_state : int, RandomState or None, default=None
        Seed of `estimator` where its own is None, of the adversary and the batches.
        None takes fresh entropy in `fit`. Global random states are left as they were.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels.

    groups_ : list
        Names of the groups; tuples where several columns are crossed.

    estimator_ : RunnerFairClassifier
        Holds the net that fairlearn trained, as ``estimator_.net_.module_``; its own
        history is empty.

    n_epochs_, n_iter_ : int
        Epochs and optimizer steps.

    favourable_ : int
        Position of the favourable label in ``classes_``; 1 where it is not told.

    seed_ : int
        The seed that was used.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had string column names.

    See Also
    --------
    AdversarialDebiasingClassifier : The same method with the paper's projection.

    Notes
    -----
    The paper takes out of the gradient its part along the adversary's gradient, by the
    inner product of all weights. fairlearn 0.15 goes tensor by tensor, and takes
    :math:`\sum_{ij} (A B^\top)_{ij}` for matrices, by :func:`torch.inner`, instead of
    the Frobenius product :math:`\operatorname{tr}(A B^\top)`: the inner products of
    every row with every other are added. This classifier shows what that
    implementation does; use :class:`AdversarialDebiasingClassifier` for the method.

    For a tensor that the adversary's gradient does not reach, as where a layer is dead
    or scores are 0 and 1, fairlearn's update is 0 / 0; the tensor is left as it is in
    that step.

    All epochs are adversarial; plain training does not go before. Adversarial training
    can be unstable: compare several seeds.

    Sparse X becomes dense, as fairlearn needs it.

    References
    ----------
    .. [1] B. H. Zhang, B. Lemoine, M. Mitchell, "Mitigating unwanted biases with
       adversarial learning", AIES 2018, section 3.

    Examples
    --------
    >>> from skfair_runner import RunnerFairClassifier
    >>> from skfair_runner.baselines import FairlearnAdversarialClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data[["experience", "interview"]]
    >>> net = RunnerFairClassifier(constraint=None, warmup_epochs=2, max_epochs=2)
    >>> clf = FairlearnAdversarialClassifier(net, random_state=0)
    >>> clf = clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> clf.predict_proba(X).shape, clf.n_epochs_
    ((500, 2), 4)
    """

    _takes_many_labels = False
    _needs_columns = _DOES
    # fairlearn's training leaves none.
    history_ = property()

    _parameter_constraints: dict = {
        **TrainsTheNet._parameter_constraints,
        "constraint": [StrOptions({"demographic_parity", "equalized_odds"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "adversary_hidden_layer_sizes": ["array-like"],
        "adversary_lr": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        estimator=None,
        constraint="demographic_parity",
        *,
        alpha=1.0,
        adversary_hidden_layer_sizes=(),
        adversary_lr=0.001,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.constraint = constraint
        self.alpha = alpha
        self.adversary_hidden_layer_sizes = adversary_hidden_layer_sizes
        self.adversary_lr = adversary_lr
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Let fairlearn train the net against an adversary.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Numeric features, finite.

        y : array-like of shape (n_samples,)
            Two labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required.

        Returns
        -------
        self : FairlearnAdversarialClassifier
            Fitted.

        Raises
        ------
        TypeError
            If `estimator` is no RunnerFairClassifier.

        ValueError
            If `estimator` has a constraint, or settings that fairlearn's training
            cannot follow; if a feature is no number, missing or infinite; if there are
            not two labels; if groups are missing, misaligned or fewer than two; if a
            group lacks a label that equalized odds compares; if training diverges.
        """
        X, y, task = self._read(X, y, sensitive_features)
        self._check_compared_cells(task)
        numbers = as_numbers(X, type(self).__name__, _DOES, dtype=np.float32)
        # Built by the estimator, with its edges and its seed, and not yet trained.
        estimator = self._net(warmup_epochs=0, max_epochs=0)
        self._check_followed(estimator)
        settings = _settings_of(self._estimator_or_net(), len(y))
        self.n_epochs_ = settings.warmup_epochs + settings.max_epochs
        self.n_iter_ = self.n_epochs_ * math.ceil(len(y) / settings.batch_size)
        estimator.fit(X, y)
        if self.n_epochs_:
            with own_randomness(self.seed_, estimator.device):
                self._train(estimator.net_, numbers, task, settings.batch_size)
        self.estimator_ = estimator
        return self

    def _train(self, net, X, task, batch_size):
        """Train the net's module in place."""
        seen = 2 if self.constraint == "equalized_odds" else 1
        n_groups = task.groups.n_groups
        adversary = _adversary(seen, self.adversary_hidden_layer_sizes, n_groups)
        predictor = nn.Sequential(net.module_)
        if net.task.output == "logits":
            predictor.append(nn.Sigmoid())
        device = torch.device(net.device)
        mitigator = AdversarialFairnessClassifier(
            backend=_SeededEngine,
            predictor_model=predictor,
            adversary_model=adversary,
            predictor_optimizer=lambda module: _optimizer_of(net, self.n_iter_),
            adversary_optimizer=lambda module: torch.optim.Adam(
                module.parameters(), lr=self.adversary_lr
            ),
            constraints=self.constraint,
            alpha=float(self.alpha),
            epochs=self.n_epochs_,
            batch_size=batch_size,
            shuffle=True,
            cuda=str(device) if device.type == "cuda" else None,
            random_state=self.seed_,
        )
        try:
            mitigator.fit(X, task.codes, sensitive_features=task.groups.codes)
        except RuntimeError as error:
            self._check_finite(predictor, X, error)
            raise
        self._check_finite(predictor, X)
        # Without the schedule, which could not be pickled.
        net.initialize_optimizer()

    def _check_finite(self, predictor, X, error=None):
        """Refuse a net whose scores are no numbers, which torch complains of, too."""
        predictor.eval()
        device = next(predictor.parameters()).device
        with torch.no_grad():
            batches = torch.from_numpy(X).split(_ROWS_AT_A_TIME)
            finite = all(predictor(x.to(device)).isfinite().all() for x in batches)
        if not finite:
            raise ValueError(
                f"{type(self).__name__}.fit: training diverged, so that scores became "
                f"infinite or nan, with alpha={self.alpha!r}: lower alpha or the "
                "estimator's learning rate."
            ) from error

    def _check_followed(self, estimator):
        """Refuse settings of the net's training that fairlearn's does not follow."""
        defaults = {"sampling": "shuffled", "early_stopping": False, "callbacks": None}
        for name, default in defaults.items():
            value = getattr(estimator, name)
            if value != default and value != []:
                raise ValueError(
                    f"{type(self).__name__}.fit: fairlearn trains the net, which does "
                    f"not follow the estimator's {name}={value!r}: leave it at "
                    f"{default!r}."
                )


def _settings_of(estimator, n_samples):
    """Epochs and batch size of an estimator's plain training."""
    module = estimator.module
    return resolve_settings(
        n_samples,
        within="everybody",
        repair=estimator.repair,
        own_module=module is not None,
        trained=isinstance(module, nn.Module),
        alpha=estimator.alpha,
        batch_size=estimator.batch_size,
        warmup_epochs=estimator.warmup_epochs,
        max_epochs=estimator.max_epochs,
        lr=estimator.lr,
    )


def _adversary(n_inputs, hidden_layer_sizes, n_groups):
    """Multilayer perceptron that guesses the group."""
    layers, width = [], n_inputs
    for size in hidden_layer_sizes:
        layers += [nn.Linear(width, size), nn.ReLU()]
        width = size
    layers.append(nn.Linear(width, 1 if n_groups == 2 else n_groups))
    # fairlearn's losses take the probability of the second of two groups, and the
    # logits of more.
    if n_groups == 2:
        layers.append(nn.Sigmoid())
    return nn.Sequential(*layers)


def _optimizer_of(net, n_steps):
    """The net's own optimizer, which follows the net's schedule by itself."""
    net.initialize_optimizer()
    optimizer = net.optimizer_
    optimizer.register_step_pre_hook(_leave_undefined)
    if net.lr_schedule == "cosine":
        schedule = LambdaLR(
            optimizer,
            lambda step: (
                min(1.0, (step + 1) / _RISE)
                * 0.5
                * (1 + math.cos(math.pi * step / n_steps))
            ),
        )
        optimizer.register_step_post_hook(lambda *_: schedule.step())
    return optimizer


def _leave_undefined(optimizer, args, kwargs):
    """Leave out the tensors whose update is no number."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None and parameter.grad.isnan().any():
                parameter.grad = None
