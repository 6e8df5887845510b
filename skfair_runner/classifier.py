"""RUNNER as a scikit-learn classifier (Li et al., ICSE 2024)."""

from __future__ import annotations

import warnings
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from ._building import (
    SKORCH_PREFIXES,
    build_net,
    check_skorch_parameter,
    draw_seed,
    make_dataset,
    own_randomness,
)
from ._inputs import (
    TrainingData,
    check_cells,
    encode_labels,
    favourable_code,
    read_groups,
    read_weights,
    split_validation,
    take_sensitive_columns,
)
from .batches import SAMPLINGS
from .diagnosis import make_neuron_table
from .distances import DISTANCES
from .gaps import CONSTRAINTS, resolve_constraint
from .neurons import IMPORTANCES
from .utils import (
    ConstantClassifierWarning,
    Interval,
    SensitiveFeaturesRequestMixin,
    StrOptions,
    fit_context,
)

# A classifier that selects less or more than this is called constant.
_LEAST_SELECTED = 0.005
_AUTO = StrOptions({"auto"})


class RunnerFairClassifier(
    SensitiveFeaturesRequestMixin, ClassifierMixin, BaseEstimator
):
    """Neural classifier whose responsible unfair neurons are found and repaired.

    Training has two phases. Plain training gives the biased model; then the repair adds
    a penalty on the discrimination of the neurons that carry the gap between groups
    (RUNNER [1]_), and an output term that a controller steers towards
    `difference_bound`. Groups are needed by `fit` only, never by `predict`.

    Parameters
    ----------
    constraint : {"demographic_parity", "equalized_odds", \
            "true_positive_rate_parity", "false_positive_rate_parity"}, callable or \
            None, default="demographic_parity"
        What must not depend on the group. A callable is a gap,
        ``gap(y_true, y_score, groups)``, of tensors (label codes, probabilities, group
        codes); it needs ``difference_bound=None``. None trains plainly, through both
        phases, and needs no groups.

    repair : {"decisions", "scores"}, default="decisions"
        "decisions" aims at the decisions at the threshold ½ and leaves the order of the
        scores alone elsewhere; "scores" aims at equal scores, so that the difference is
        small at every threshold, at a larger cost in average precision.

    difference_bound : float or None, default=0.05
        Largest difference between groups, max − min, that is aimed at on the training
        data, in [0, 1]; on new data it can be larger. For equalized odds the larger of
        the two rates' differences. (fairlearn's parameter of that name bounds each
        group against the overall rate instead.) None switches the controller off.

    output_weight : float or None, default=None
        Fixed weight of the gap of the scores, instead of the controller. Needs
        ``difference_bound=None``.

    alpha : float or "auto", default="auto"
        Weight of the neuron penalty, the paper's λ; 0 switches it off. "auto" is 0.1
        for decisions and 2 for scores.

    top_k : float or int, default=0.5
        Neurons of each layer that are held responsible: a fraction in (0, 1], rounded
        and at least one, or a number.

    importance : {"activation", "weight", "ablation"} or callable, default="activation"
        How neurons are ranked; see :mod:`skfair_runner.neurons`.

    distance : {"l1", "l2", "standardized", "wasserstein", "mmd"} or callable, \
            default="l1"
        Distance between the groups' activations; see :mod:`skfair_runner.distances`.

    diagnose_every : int, default=10
        Optimizer steps between two diagnoses in the repair; the paper's is 1.

    sampling : {"shuffled", "group", "group_label"}, default="shuffled"
        Whether batches are balanced over groups or over label × group cells.

    correct_prior : bool, default=True
        Whether balanced batches are corrected for the shares of labels and groups that
        they change. The paper does not.

    layers : "auto", str or list of str, default="auto"
        Submodules whose neurons are diagnosed; "auto" takes every activation that
        follows a Linear or a convolution, but not the output's.

    module : None, callable or torch.nn.Module, default=None
        The network. None is :class:`~skfair_runner.modules.TabularNet`. A class is
        built with ``module__…`` parameters; an instance is taken as already trained,
        copied, and repaired without warm-up.

    module_output : {"auto", "logits", "probabilities"}, default="auto"
        What the module emits; "auto" looks whether its last submodule is a Sigmoid or
        Softmax.

    hidden_layer_sizes : tuple of int, default=(128, 128)
        Of the default module.

    warmup_epochs : int or "auto", default="auto"
        Epochs of plain training before the repair; 0 for a trained module.

    max_epochs : int or "auto", default="auto"
        Epochs of repair.

    batch_size : int or "auto", default="auto"
        Rows per batch; "auto" is between 64 and 512, about a sixteenth of small data.

    lr : float or "auto", default="auto"
        Largest learning rate, of both phases.

    lr_schedule : {"cosine", "constant"}, default="cosine"
        "cosine" rises over 20 steps and falls to zero, in each phase.

    optimizer : {"adamw", "adam", "sgd"} or class, default="adamw"
        A class of :mod:`torch.optim`; its parameters are ``optimizer__…``.

    early_stopping : bool, default=False
        Whether each phase ends when it no longer improves on held-out rows, and keeps
        its best epoch.

    validation_fraction : float, default=0.1
        Share of the rows held out for early stopping, in (0, 1).

    n_iter_no_change : int, default=5
        Epochs without improvement after which early stopping acts.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {−1, 1}; other labels
        must be told where the constraint depends on them, as the rate parities do.

    sensitive_columns : str, list of str or None, default=None
        Columns of a DataFrame X that hold the groups, instead of `sensitive_features`.

    drop_sensitive : bool, default=True
        Whether `sensitive_columns` leave the features.

    missing_groups : {"raise", "own group"}, default="raise"
        What to do with missing values in the groups.

    warm_start : bool, default=False
        Whether `fit` goes on from the module of an earlier fit, without warm-up.

    callbacks : list or None, default=None
        skorch callbacks.

    device : str, default="cpu"
        Where torch computes.

    random_state : int, RandomState or None, default=None
        Seed of initialisation, batches and dropout. None takes fresh entropy. The
        global states of NumPy and torch are left as they were.

    verbose : int, default=0
        0: silent; 1: a progress bar; 2: a line per epoch.

    **skorch_parameters
        Parameters of the net with one of skorch's prefixes: ``module__``,
        ``optimizer__``, ``criterion__``, ``iterator_train__``, ``iterator_valid__``,
        ``callbacks__``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had string column names.

    groups_ : list
        Names of the groups; tuples where several columns are crossed. Absent where
        training had no groups.

    net_ : RunnerNet
        The skorch net, with ``module_``, ``history`` and ``save_params``.

    settings_ : dict
        What every "auto" was resolved to.

    history_ : DataFrame
        One row per epoch: phase, losses, gap and difference on the training batches,
        multipliers, selected neurons.

    neuron_importance_ : DataFrame
        One row per neuron: layer, neuron, importance, rank, selected, discrimination of
        the biased model, discrimination_after repair. Absent for ``constraint=None``.

    selected_neurons_ : dict of str to ndarray
        Neurons held responsible before the repair, most important first, by layer.

    See Also
    --------
    skfair_runner.repair_module : Repair a trained torch module in one call.
    skfair_runner.diagnose_neurons : The per-neuron table of any module.

    Notes
    -----
    The difference that was asked for is aimed at on training data. Compare it on data
    that was not trained on before it is reported.

    References
    ----------
    .. [1] T. Li et al., "RUNNER: Responsible UNfair NEuron Repair for Enhancing Deep
       Neural Network Fairness", ICSE 2024, doi 10.1145/3597503.3623334.

    Examples
    --------
    >>> from skfair_runner import RunnerFairClassifier
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=500, random_state=0)
    >>> X = people.data.select_dtypes("number")
    >>> clf = RunnerFairClassifier(max_epochs=2, warmup_epochs=2, random_state=0)
    >>> clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    RunnerFairClassifier(max_epochs=2, random_state=0, warmup_epochs=2)
    >>> clf.predict_proba(X).shape
    (500, 2)
    >>> clf.neuron_importance_["layer"].unique().tolist()
    ['relu1', 'relu2']
    """

    _parameter_constraints: dict = {
        "constraint": [StrOptions(set(CONSTRAINTS)), callable, None],
        "repair": [StrOptions({"decisions", "scores"})],
        "difference_bound": [Interval(Real, 0, 1, closed="both"), None],
        "output_weight": [Interval(Real, 0, None, closed="left"), None],
        "alpha": [_AUTO, Interval(Real, 0, None, closed="left")],
        "top_k": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="right"),
        ],
        "importance": [StrOptions(set(IMPORTANCES)), callable],
        "distance": [StrOptions(set(DISTANCES)), callable],
        "diagnose_every": [Interval(Integral, 1, None, closed="left")],
        "sampling": [StrOptions(set(SAMPLINGS))],
        "correct_prior": ["boolean"],
        "layers": [str, "array-like"],
        "module": [nn.Module, callable, None],
        "module_output": [StrOptions({"auto", "logits", "probabilities"})],
        "hidden_layer_sizes": ["array-like"],
        "warmup_epochs": [_AUTO, Interval(Integral, 0, None, closed="left")],
        "max_epochs": [_AUTO, Interval(Integral, 0, None, closed="left")],
        "batch_size": [_AUTO, Interval(Integral, 1, None, closed="left")],
        "lr": [_AUTO, Interval(Real, 0, None, closed="neither")],
        "lr_schedule": [StrOptions({"cosine", "constant"})],
        "optimizer": [StrOptions({"adamw", "adam", "sgd"}), type],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "pos_label": "no_validation",
        "sensitive_columns": [str, list, None],
        "drop_sensitive": ["boolean"],
        "missing_groups": [StrOptions({"raise", "own group"})],
        "warm_start": ["boolean"],
        "callbacks": [list, None],
        "device": "no_validation",
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        constraint="demographic_parity",
        *,
        repair="decisions",
        difference_bound=0.05,
        output_weight=None,
        alpha="auto",
        top_k=0.5,
        importance="activation",
        distance="l1",
        diagnose_every=10,
        sampling="shuffled",
        correct_prior=True,
        layers="auto",
        module=None,
        module_output="auto",
        hidden_layer_sizes=(128, 128),
        warmup_epochs="auto",
        max_epochs="auto",
        batch_size="auto",
        lr="auto",
        lr_schedule="cosine",
        optimizer="adamw",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        pos_label=None,
        sensitive_columns=None,
        drop_sensitive=True,
        missing_groups="raise",
        warm_start=False,
        callbacks=None,
        device="cpu",
        random_state=None,
        verbose=0,
        **skorch_parameters,
    ):
        self.constraint = constraint
        self.repair = repair
        self.difference_bound = difference_bound
        self.output_weight = output_weight
        self.alpha = alpha
        self.top_k = top_k
        self.importance = importance
        self.distance = distance
        self.diagnose_every = diagnose_every
        self.sampling = sampling
        self.correct_prior = correct_prior
        self.layers = layers
        self.module = module
        self.module_output = module_output
        self.hidden_layer_sizes = hidden_layer_sizes
        self.warmup_epochs = warmup_epochs
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.optimizer = optimizer
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.pos_label = pos_label
        self.sensitive_columns = sensitive_columns
        self.drop_sensitive = drop_sensitive
        self.missing_groups = missing_groups
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        for name, value in skorch_parameters.items():
            check_skorch_parameter(name, self._get_param_names(), type(self).__name__)
            setattr(self, name, value)

    def _skorch_parameters(self):
        """Parameters with skorch's prefixes, by name."""
        return {k: v for k, v in vars(self).items() if k.startswith(SKORCH_PREFIXES)}

    def get_params(self, deep=True):
        """Parameters of the estimator and those meant for the net.

        Parameters
        ----------
        deep : bool, default=True
            Whether parameters that are estimators show theirs.

        Returns
        -------
        params : dict
            By name.
        """
        return {**super().get_params(deep=deep), **self._skorch_parameters()}

    def set_params(self, **params):
        """Set parameters of the estimator and of the net.

        Parameters
        ----------
        **params : dict
            By name; those with skorch's prefixes need not exist yet.

        Returns
        -------
        self : RunnerFairClassifier
            The same object.
        """
        own = {k: v for k, v in params.items() if not k.startswith(SKORCH_PREFIXES)}
        for name in params.keys() - own.keys():
            setattr(self, name, params[name])
        super().set_params(**own)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, sensitive_features=None, sample_weight=None):
        """Train plainly, diagnose, and repair.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, converted to float32.

        y : array-like of shape (n_samples,)
            Labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required unless
            ``constraint=None`` or `sensitive_columns` is set.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights in the criterion, the gaps and the controller's rates.

        Returns
        -------
        self : RunnerFairClassifier
            Fitted. An interrupt (Ctrl-C) leaves the state reached, and is raised again.

        Raises
        ------
        ValueError
            If groups are missing, misaligned, of the wrong length or fewer than two; if
            a group has no sample with a label that the constraint looks at; if the data
            hold NaN or infinite values; if training diverges.
        """
        going_on = self.warm_start and hasattr(self, "net_")
        constraint = self._check_settings()
        data = self._read(
            X, y, sensitive_features, sample_weight, constraint, going_on, "fit"
        )
        positive = self._favourable(constraint, data.classes)
        check_cells(data, constraint, self.sampling, positive, type(self).__name__)
        seed = draw_seed(self.random_state)
        rows, valid = data.rows, None
        if self.early_stopping:
            rows, held_out = split_validation(data, self.validation_fraction, seed)
            valid = make_dataset(data, held_out)
        with own_randomness(seed, self.device):
            net, settings = build_net(
                self,
                data,
                rows,
                module=self.net_.module_ if going_on else self.module,
                constraint=constraint,
                positive=positive,
                skorch_parameters=self._skorch_parameters(),
            )
            train = make_dataset(data, rows)
            try:
                net.fit_phases(train, valid)
            except KeyboardInterrupt:
                self._publish(net, data, settings.as_dict(), train)
                raise
            self._publish(net, data, settings.as_dict(), train)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X, y, classes=None, *, sensitive_features=None, sample_weight=None
    ):
        """Continue the repair by one pass over the given samples.

        The learning rate stays at `lr`; there is no warm-up. A first call builds the
        network and knows only the groups that it is given.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features.

        y : array-like of shape (n_samples,)
            Labels.

        classes : array-like of shape (n_classes,), default=None
            All labels that will occur; required by the first call.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample, as for `fit`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        self : RunnerFairClassifier
            Trained further.

        Raises
        ------
        ValueError
            As `fit`; and if the first call has no `classes`, or a later one holds a
            label or a group that the first did not announce.
        """
        constraint = self._check_settings()
        first = not hasattr(self, "net_")
        if first and classes is None:
            raise ValueError(
                "The first call of partial_fit must be told every label that will "
                "occur: pass classes=numpy.unique(all labels)."
            )
        data = self._read(
            X,
            y,
            sensitive_features,
            sample_weight,
            constraint,
            not first,
            "partial_fit",
            classes,
        )
        seed = draw_seed(self.random_state)
        if not first:
            # Each call draws its own batches and dropout masks.
            seed = (seed + len(self.net_.history)) % 2**31
        train = make_dataset(data, data.rows)
        with own_randomness(seed, self.device):
            if first:
                net, settings = build_net(
                    self,
                    data,
                    data.rows,
                    module=self.module,
                    constraint=constraint,
                    positive=self._favourable(constraint, data.classes),
                    skorch_parameters=self._skorch_parameters(),
                )
                net.initialize()
                net.before_ = net.after_ = net.controller_ = None
                settings = settings.as_dict()
            else:
                net, settings = self.net_, self.settings_
            net.train_phase(
                "repair", train, None, 1, fresh=first, constant_lr=True, at_the_end=True
            )
            self._publish(net, data, settings, train)
        return self

    def _check_settings(self):
        """The constraint, once the parameters are known to agree with each other."""
        name = type(self).__name__
        for parameter in self._skorch_parameters():
            check_skorch_parameter(parameter, self._get_param_names(), name)
        if self.output_weight is not None and self.difference_bound is not None:
            raise ValueError(
                f"output_weight={self.output_weight!r} and "
                f"difference_bound={self.difference_bound!r} are two ways to steer the "
                "same term: set one of them to None."
            )
        if self.constraint is None:
            return None
        constraint = resolve_constraint(self.constraint)
        if constraint.gap_function is not None and self.difference_bound is not None:
            raise ValueError(
                f"difference_bound={self.difference_bound!r} bounds rates, which the "
                f"gap function {constraint.name!r} does not tell: pass "
                "difference_bound=None, and output_weight=... to weigh the gap."
            )
        return constraint

    def _favourable(self, constraint, classes):
        """Code of the favourable label; an error where it must be told."""
        needed_by = None
        if constraint is not None and constraint.within in ("positive", "negative"):
            needed_by = f"constraint={constraint.name!r}"
        return favourable_code(self.pos_label, classes, needed_by=needed_by)

    def _read(
        self,
        X,
        y,
        sensitive_features,
        sample_weight,
        constraint,
        known,
        method,
        classes=None,
    ):
        """Check everything that the user passed, once."""
        caller = f"{type(self).__name__}.{method}"
        if self.sensitive_columns is not None:
            if sensitive_features is not None:
                raise ValueError(
                    f"{caller} got sensitive_features and "
                    f"sensitive_columns={self.sensitive_columns!r}: pass one of them."
                )
            X, sensitive_features = take_sensitive_columns(
                X, self.sensitive_columns, drop=self.drop_sensitive
            )
        raw = X
        X, y = self._validate(X, y, reset=not known)
        codes, labels = encode_labels(y, self.classes_ if known else classes)
        groups = read_groups(
            sensitive_features,
            raw,
            constraint=constraint,
            missing=self.missing_groups,
            names=getattr(self, "groups_", None) if known else None,
            caller=caller,
        )
        return TrainingData(X, codes, labels, groups, read_weights(sample_weight, X))

    def _validate(self, X, y=None, *, reset):
        """scikit-learn's checks, and float32."""
        options = {"accept_sparse": "csr", "dtype": np.float32, "reset": reset}
        with np.errstate(over="ignore"), warnings.catch_warnings():
            # An overflowing value becomes inf, which is refused by name.
            warnings.filterwarnings("ignore", "overflow encountered", RuntimeWarning)
            if y is None:
                return validate_data(self, X, **options)
            return validate_data(self, X, y, **options)

    def _publish(self, net, data, settings, train):
        """Make the net and what it tells available."""
        self.net_ = net
        self.classes_ = data.classes
        self.settings_ = settings
        if data.groups is not None and not hasattr(net, "groups_"):
            net.groups_ = data.groups.names
        if net.plan is None:
            return
        if data.groups is not None:
            self.groups_ = list(net.groups_)
        if net.before_ is None:
            net.before_ = net.diagnose(train, net.plan.importance)
        net.after_ = net.diagnose(train, None)
        table = make_neuron_table(net.before_, self.top_k, net.after_)
        self.neuron_importance_ = table
        chosen = table[table["selected"]].sort_values("rank", kind="stable")
        self.selected_neurons_ = {
            layer: part["neuron"].to_numpy()
            for layer, part in chosen.groupby("layer", sort=False)
        }
        self._warn_if_constant(net, data, train)

    def _warn_if_constant(self, net, data, train):
        """Say it where every sample gets the same label."""
        selected = net.selection_rates(train).cpu().numpy()
        base = np.bincount(data.y[data.rows], minlength=len(data.classes))
        base = base[-len(selected) :] / base.sum()
        constant = (selected > 1 - _LEAST_SELECTED) & (base <= 1 - _LEAST_SELECTED)
        if len(selected) == 1:
            constant |= (selected < _LEAST_SELECTED) & (base >= _LEAST_SELECTED)
        if constant.any():
            warnings.warn(
                f"{type(self).__name__} has become constant: it selects "
                f"{selected[constant][0]:.1%} of the training samples, so that every "
                "difference is zero for the wrong reason. Raise difference_bound, "
                "lower alpha or output_weight, or train longer.",
                ConstantClassifierWarning,
                stacklevel=3,
            )

    @property
    def history_(self):
        """One row per epoch of both phases, as a DataFrame."""
        check_is_fitted(self, "net_")
        rows = [
            {k: v for k, v in row.items() if k != "batches"}
            for row in self.net_.history
        ]
        return pd.DataFrame(rows)

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            Rows sum to one; columns follow ``classes_``.
        """
        logits = self._logits(X)
        if len(self.classes_) == 2:
            positive = 1 / (1 + np.exp(-np.clip(logits[:, 0], -700, 700)))
            return np.column_stack([1 - positive, positive])
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True)

    def predict(self, X):
        """Most probable class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features; no groups.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        logits = self._logits(X)
        if len(self.classes_) == 2:
            return self.classes_[(logits[:, 0] > 0).astype(int)]
        return self.classes_[logits.argmax(axis=1)]

    def _logits(self, X):
        check_is_fitted(self, "net_")
        if self.sensitive_columns is not None and self.drop_sensitive:
            X, _ = take_sensitive_columns(
                X, self.sensitive_columns, drop=True, required=False
            )
        return self.net_.decision_values(self._validate(X, reset=False))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
