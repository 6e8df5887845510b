"""RUNNER as a scikit-learn classifier (Li et al., ICSE 2024)."""

from __future__ import annotations

import os
from contextlib import ExitStack, nullcontext
from numbers import Integral, Real

import torch
from torch import nn

from ._building import build_net, make_dataset
from ._chunks import announced_classes, first_net, known_net, undone_by_errors
from ._guards import all_or_nothing, until_interrupted
from ._neural import NeuralClassifier
from ._parameters import check_parameters
from ._precision import MIXED_PRECISIONS
from ._randomness import draw_seed, own_randomness
from ._training_data import check_cells, split_validation
from .batches import SAMPLINGS
from .conditions import CONSTRAINTS
from .distances import DISTANCES
from .images import opened
from .net import RunnerNet
from .neurons import IMPORTANCES
from .utils import Interval, StrOptions, fit_context

_AUTO = StrOptions({"auto"})


class RunnerFairClassifier(NeuralClassifier):
    """Neural classifier whose responsible unfair neurons are found and repaired.

    Training has two phases. Plain training gives the biased model; then the repair adds
    a penalty on the discrimination of the neurons that carry the gap between groups
    (RUNNER [1]_), and an output term that a controller steers towards
    `difference_bound`. Groups are needed by `fit` only, never by `predict`.

    Parameters
    ----------
    constraint : {"demographic_parity", "equalized_odds", \
            "true_positive_rate_parity", "false_positive_rate_parity"}, callable, \
            dict or None, default="demographic_parity"
        What must not depend on the group. A callable is a gap,
        ``gap(y_true, y_score, groups)``, of tensors (label codes, probabilities, group
        codes), that returns a scalar tensor with gradient to `y_score`; it needs
        ``difference_bound=None``. A dict names several with a bound each, as in
        ``{"demographic_parity": 0.05, "true_positive_rate_parity": 0.1}``; each gets a
        controller of its own, or none where its bound is None. None trains plainly,
        through both phases, and needs no groups.

    repair : {"decisions", "scores"}, default="decisions"
        "decisions" aims at the decisions at the threshold ½ and leaves the order of the
        scores alone elsewhere; "scores" aims at equal scores, so that the difference is
        small at every threshold, at a larger cost in average precision.

    difference_bound : float or None, default=0.05
        Largest difference between groups, max − min, that is aimed at on the training
        data, in [0, 1]; on new data it can be larger. For equalized odds the larger of
        the two rates' differences. (fairlearn's parameter of that name bounds each
        group against the overall rate instead.) None switches the controller off. Left
        as it is where `constraint` is a dict.

    output_weight : float or None, default=None
        Fixed weight of the gap of the scores, instead of the controller. Needs
        ``difference_bound=None``, or bounds of None in a dict, whose gaps are summed.

    alpha : float or "auto", default="auto"
        Weight of the neuron penalty, the paper's λ; 0 switches it off. "auto" is 0.05
        for decisions; for scores 1, and 0.5 below 15,000 rows or within labels.

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
        Epochs of plain training before the repair; 0 for a trained module. "auto" is
        16, and 10 for the default module from 15,000 rows on, which would learn rows by
        heart; at least 200 steps.

    max_epochs : int or "auto", default="auto"
        Epochs of repair, or of more plain training. "auto" is 16, and from 15,000 rows
        on 12 for the default module, or 8 if all that is repaired are decisions within
        labels (12 for other modules); at least 200 steps.

    batch_size : int or "auto", default="auto"
        Rows per batch; "auto" is between 64 and 512, about a sixteenth of small data.

    lr : float or "auto", default="auto"
        Largest learning rate, of both phases. "auto" is for Adam and its kin, or for
        SGD with momentum, whose rates are 50 times as large.

    lr_schedule : {"cosine", "constant"}, default="cosine"
        "cosine" rises over 20 steps and falls to zero, in each phase.

    optimizer : {"adamw", "adam", "sgd"} or class, default="adamw"
        A class of :mod:`torch.optim`; its parameters are ``optimizer__…``. By name,
        Adam takes PyTorch's fused steps on the processor, SGD a momentum of 0.9.

    early_stopping : bool, default=False
        Whether each phase ends when it no longer improves on held-out rows, and keeps
        its best epoch. The warm-up watches the criterion; the repair adds 1.5 times
        what the difference is beyond its bound, or, without one, the neuron penalty
        and the gap with their weights.

    validation_fraction : float, default=0.1
        Share of the rows held out for early stopping, in (0, 1).

    n_iter_no_change : int, default=5
        Epochs without improvement after which early stopping acts.

    pos_label : label or None, default=None
        The favourable label. None is the larger of {0, 1} and {−1, 1}; other labels
        must be told where the constraint depends on them, as the rate parities do.

    sensitive_columns : str, array-like of str or None, default=None
        Columns of a DataFrame X that hold the groups, instead of `sensitive_features`.

    drop_sensitive : bool, default=True
        Whether `sensitive_columns` leave the features.

    missing_groups : {"raise", "own group"}, default="raise"
        What to do with missing values in the groups.

    warm_start : bool, default=False
        Whether `fit` goes on from the module of an earlier fit, without warm-up.
        Features and classes must be the same; groups may be others. The module stays
        what it is, whatever its parameters say meanwhile.

    callbacks : list or None, default=None
        skorch callbacks. One that raises KeyboardInterrupt, as EarlyStopping does, ends
        its phase only. An LRScheduler needs ``lr_schedule="constant"``, and what
        watches held-out rows, such as ``valid_loss``, ``early_stopping=True``.

    checkpoint : str, path-like or None, default=None
        File that the state of training is written to after every epoch. A `fit` that
        was stopped, and is called again with the same data, parameters and seed, goes
        on from it and ends where it would have ended. `callbacks` begin anew.

    device : str, default="cpu"
        Where torch computes.

    mixed_precision : {"bfloat16", "float16"} or None, default=None
        Half precision for the convolutions and products of training, which graphics
        cards compute several times as fast; "float16" is for cards without "bfloat16".
        Weights, criterion, gaps, penalty and controller stay float32, and so does all
        that comes after training: diagnosis, prediction, files. None is float32.

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

    image_shape_ : tuple of int
        (channels, height, width), where X held images.

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
    >>> clf = RunnerFairClassifier(max_epochs=10, warmup_epochs=10, random_state=0)
    >>> clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    RunnerFairClassifier(max_epochs=10, random_state=0, warmup_epochs=10)
    >>> clf.predict_proba(X).shape
    (500, 2)
    >>> clf.neuron_importance_["layer"].unique().tolist()
    ['relu1', 'relu2']

    Two constraints, each with a bound and a controller of its own:

    >>> pair = {"demographic_parity": 0.3, "true_positive_rate_parity": 0.2}
    >>> both = RunnerFairClassifier(pair, max_epochs=10, random_state=0)
    >>> both = both.fit(X, people.target, sensitive_features=people.sensitive_features)
    >>> list(both.net_.controller_.parts)
    ['demographic_parity', 'true_positive_rate_parity']
    """

    # What trains the module; other methods train it by a net of their own.
    _net_class = RunnerNet

    _parameter_constraints: dict = {
        "constraint": [StrOptions(set(CONSTRAINTS)), callable, dict, None],
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
        "sensitive_columns": [str, "array-like", None],
        "drop_sensitive": ["boolean"],
        "missing_groups": [StrOptions({"raise", "own group"})],
        "warm_start": ["boolean"],
        "callbacks": [list, None],
        "checkpoint": [str, os.PathLike, None],
        "device": [str, torch.device],
        "mixed_precision": [StrOptions(set(MIXED_PRECISIONS)), None],
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
        checkpoint=None,
        device="cpu",
        mixed_precision=None,
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
        self.checkpoint = checkpoint
        self.device = device
        self.mixed_precision = mixed_precision
        self.random_state = random_state
        self.verbose = verbose
        self._keep(skorch_parameters)

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, sensitive_features=None, sample_weight=None):
        """Train plainly, diagnose, and repair.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, converted to float32. For a `module` of yours also images, kept as
            they are and converted batch by batch: bytes or floats of shape (n_samples,
            channels, height, width), (n_samples, height, width, channels) or, bytes
            alone, (n_samples, height, width); or :mod:`skfair_runner.images`.

        y : array-like of shape (n_samples,)
            Labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample; several columns are crossed. Required by a
            constraint and by balanced sampling, unless `sensitive_columns` is set.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights in the criterion, the gaps and the controller's rates. Only their
            ratios matter; a row of weight zero is as if it were not there.

        Returns
        -------
        self : RunnerFairClassifier
            Fitted. An interrupt (Ctrl-C) during training leaves the state reached, and
            is raised again; after an error everything is as it was before.

        Raises
        ------
        TypeError
            If groups or labels are of a type that cannot be compared, or a parameter is
            unknown.

        ValueError
            If groups are missing, of the wrong length, continuous or fewer than two; if
            groups, labels or weights have a pandas index of other labels or another
            order than that of X; if a group has no sample with a label that the
            constraint looks at; if the data hold NaN or infinite values; if the module
            does not fit the data; if training diverges.
        """
        going_on = self.warm_start and hasattr(self, "net_")
        caller = f"{type(self).__name__}.fit"
        with ExitStack() as reading:
            with all_or_nothing(self):
                constraint = self._check_settings()
                data = self._read(
                    X,
                    y,
                    sensitive_features,
                    sample_weight,
                    constraint,
                    classes=self.classes_ if going_on else None,
                    reset=not going_on,
                    caller=caller,
                )
                positive = self._favourable(constraint, data.classes)
                check_cells(data, constraint, self.sampling, positive, caller)
                seed = draw_seed(self.random_state)
                rows, valid = data.rows, None
                if self.early_stopping:
                    fraction = self.validation_fraction
                    rows, held_out = split_validation(data, fraction, seed)
                    valid = make_dataset(data, held_out)
                reading.enter_context(opened(data.X))
                with own_randomness(seed, self.device):
                    net, settings = self._new_net(
                        data, rows, constraint, positive, going_on
                    )
                    train = make_dataset(data, rows)
                    net.start(train)
                    interrupt = until_interrupted(net.fit_phases, train, valid)
                    self._publish(net, data, settings.as_dict(), train)
            return self._finish(data, train, interrupt)

    def _new_net(self, data, rows, constraint, positive, going_on):
        """The net to train: new, or with the module of the last `fit`."""
        if not going_on:
            return build_net(
                self,
                data,
                rows,
                module=self.module,
                constraint=constraint,
                positive=positive,
                skorch_parameters=self._skorch_parameters,
            )
        return build_net(
            self,
            data,
            rows,
            module=self.net_.module_,
            constraint=constraint,
            positive=positive,
            # Some shaped the module when it was built.
            skorch_parameters={
                name: value
                for name, value in self._skorch_parameters.items()
                if not name.startswith("module__")
            },
            warmup_epochs=0,
        )

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X, y, classes=None, *, sensitive_features=None, sample_weight=None
    ):
        """Continue the repair by one pass over the given samples.

        The learning rate stays at `lr`; there is no warm-up. A first call builds the
        network, from the parameters as they are then, and knows only the groups that it
        is given. A later chunk may lack a group or a label.

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
            As `fit`; and if the first call has no `classes`, or a later one has others,
            holds a label or a group that the first did not announce, or comes after a
            change of `constraint`.
        """
        first = not hasattr(self, "net_")
        with all_or_nothing(self):
            constraint = self._check_settings()
            data = self._read(
                X,
                y,
                sensitive_features,
                sample_weight,
                constraint,
                classes=announced_classes(self, classes),
                names=None if first else getattr(self, "groups_", None),
                reset=first,
                caller=f"{type(self).__name__}.partial_fit",
            )
            seed = draw_seed(self.random_state)
            train = make_dataset(data, data.rows)
            if not first:
                # Each call draws its own batches and dropout masks.
                seed = (seed + len(self.net_.history)) % 2**31
            undone = nullcontext() if first else undone_by_errors(self.net_)
            with opened(data.X), own_randomness(seed, self.device), undone:
                prepare = first_net if first else known_net
                net, settings = prepare(self, constraint, data, train)
                interrupt = until_interrupted(
                    net.train_phase,
                    "repair",
                    train,
                    None,
                    1,
                    fresh=False,
                    constant_lr=True,
                    at_the_end=True,
                )
                self._publish(net, data, settings, train)
        return self._finish(data, train, interrupt)

    def _check_settings(self):
        """The constraint, once the parameters are known to agree with each other."""
        for parameter in self._skorch_parameters:
            self._check_name(parameter)
        return check_parameters(self)
