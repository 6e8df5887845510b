"""Diagnosis and repair of a network that is already trained, each in one call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import nn

from ._inputs import favourable_code, take_sensitive_columns
from .classifier import RunnerFairClassifier
from .constraints import resolve_constraints
from .groups import check_same_indexes
from .metrics import fairness_summary


@dataclass(frozen=True)
class RepairResult:
    """What :func:`repair_module` returns.

    Attributes
    ----------
    module : nn.Module
        The repaired module, in evaluation mode; the one that was handed in is
        unchanged.

    metrics : DataFrame of shape (n_metrics, 2), float64
        Columns before and after: what
        :func:`~skfair_runner.metrics.fairness_summary` tells on `evaluated_on`, such as
        accuracy, selection rate, and the differences between groups; ``constant`` is 0
        or 1.

    neurons : DataFrame
        The per-neuron table, see ``RunnerFairClassifier.neuron_importance_``.

    classifier : RunnerFairClassifier
        The fitted classifier around the repaired module.

    evaluated_on : str
        "training data", or "evaluation data" where some were given.
    """

    module: nn.Module
    metrics: pd.DataFrame
    neurons: pd.DataFrame
    classifier: RunnerFairClassifier
    evaluated_on: str

    def __repr__(self) -> str:
        return f"{self.metrics.to_string()}\n(on {self.evaluated_on})"


def repair_module(
    module,
    X,
    y,
    *,
    sensitive_features,
    constraint="demographic_parity",
    sample_weight=None,
    evaluation=None,
    **parameters,
):
    """Repair a trained torch module; the module itself is left as it is.

    Parameters
    ----------
    module : nn.Module
        A trained classifier network that takes float32 inputs.

    X : array-like of shape (n_samples, ...)
        Training data in the form that the module takes.

    y : array-like of shape (n_samples,)
        Labels; the module's output columns are in their sorted order.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        The group of each sample; None where `parameters` have `sensitive_columns`.

    constraint : str, callable or dict, default="demographic_parity"
        As of :class:`RunnerFairClassifier`; a dict holds several.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    evaluation : tuple (X, y, sensitive_features), default=None
        Data on which before and after are compared; None compares on the training data,
        weights included, which flatters.

    **parameters
        Further parameters of :class:`RunnerFairClassifier`, such as `difference_bound`,
        `max_epochs`, `lr` or `random_state`.

    Returns
    -------
    result : RepairResult
        The repaired module, before and after, and the neurons.

    Raises
    ------
    TypeError
        If `module` is not an instance of :class:`torch.nn.Module`.

    ValueError
        If `constraint` is None, `evaluation` is no triple, or `fit` of
        :class:`RunnerFairClassifier` refuses the data.

    Examples
    --------
    Any trained module will do; this one comes out of a classifier.

    >>> from skfair_runner import RunnerFairClassifier, repair_module
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=600, random_state=0)
    >>> X = people.data.select_dtypes("number").to_numpy("float32")
    >>> plain = RunnerFairClassifier(constraint=None, random_state=0)
    >>> module = plain.fit(X, people.target).net_.module_
    >>> result = repair_module(
    ...     module, X, people.target, sensitive_features=people.sensitive_features,
    ...     random_state=0,
    ... )
    >>> before, after = result.metrics.loc["demographic_parity_difference"]
    >>> bool(after < before / 2)
    True
    """
    _check_arguments(module, constraint, "repair_module")
    if evaluation is None:
        where = "training data"
        evaluation = (X, y, sensitive_features, sample_weight)
    elif len(evaluation) == 3:
        where = "evaluation data"
    else:
        raise ValueError(
            "repair_module compares before and after on evaluation=(X, y, "
            f"sensitive_features), but got {len(evaluation)} values: pass all three."
        )
    classifier = RunnerFairClassifier(constraint, module=module, **parameters)
    untouched = RunnerFairClassifier(constraint, module=module, **parameters)
    untouched.set_params(max_epochs=0, warmup_epochs=0, checkpoint=None)
    fit = {"sensitive_features": sensitive_features, "sample_weight": sample_weight}
    untouched.fit(X, y, **fit)
    classifier.fit(X, y, **fit)
    metrics = {
        name: _summarise(clf, *evaluation)
        for name, clf in (("before", untouched), ("after", classifier))
    }
    return RepairResult(
        classifier.net_.module_.eval(),
        pd.DataFrame(metrics, dtype=float),
        classifier.neuron_importance_,
        classifier,
        where,
    )


def diagnose_neurons(
    model,
    X,
    y,
    *,
    sensitive_features,
    constraint="demographic_parity",
    sample_weight=None,
    top_k=0.5,
    importance="activation",
    distance="l1",
    layers="auto",
    module_output="auto",
    pos_label=None,
    device="cpu",
):
    """Table of the neurons that carry a network's gap, by one backward pass.

    Parameters
    ----------
    model : nn.Module, RunnerFairClassifier or Pipeline
        Any network that emits one output per class (or one for two classes), a fitted
        classifier of ours, or a fitted pipeline that ends in one. It is not changed.

    X : array-like of shape (n_samples, ...)
        Data in the form that the model takes.

    y : array-like of shape (n_samples,)
        Labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        The group of each sample. A classifier that reads its `sensitive_columns` takes
        them from X.

    constraint : str, callable or dict, default="demographic_parity"
        The gap that is attributed to neurons; of a dict of several constraints, as of
        :class:`RunnerFairClassifier`, their sum, whatever the bounds.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    top_k : float or int, default=0.5
        How many neurons of each layer are marked as selected.

    importance : {"activation", "weight", "ablation"} or callable, default="activation"
        How neurons are ranked.

    distance : str or callable, default="l1"
        Distance between the groups' activations.

    layers : "auto", str or list of str, default="auto"
        Submodules whose neurons are diagnosed.

    module_output : {"auto", "logits", "probabilities"}, default="auto"
        What the module emits; a classifier knows.

    pos_label : label or None, default=None
        The favourable label, where the constraint depends on it; None takes a
        classifier's.

    device : str, default="cpu"
        Where torch computes.

    Returns
    -------
    neurons : DataFrame
        Columns layer, neuron, importance, rank, selected, discrimination.

    Raises
    ------
    TypeError
        If `model` is something else.

    ValueError
        If `constraint` is None, a classifier was fitted on other features or labels, or
        the data are refused.

    NotFittedError
        If a classifier or pipeline is not fitted.

    Examples
    --------
    >>> import torch
    >>> from skfair_runner import diagnose_neurons
    >>> net = torch.nn.Sequential(
    ...     torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)
    ... )
    >>> with torch.no_grad():
    ...     _ = net[0].weight.copy_(torch.eye(2)), net[0].bias.zero_()
    ...     _ = net[2].weight.copy_(torch.tensor([[1.0, 1.0]]))
    >>> X = [[1, 0.5], [2, 0.5], [3, 0.5], [4, 0.5]]
    >>> diagnose_neurons(net, X, [0, 1, 0, 1], sensitive_features=["a", "a", "b", "b"])[
    ...     ["layer", "neuron", "rank", "discrimination"]
    ... ]
      layer  neuron  rank  discrimination
    0     1       0     1             2.0
    1     1       1     2             0.0
    """
    caller = "diagnose_neurons"
    if isinstance(model, Pipeline):
        # Its steps may drop the index.
        check_same_indexes(
            X,
            caller,
            y=y,
            sensitive_features=sensitive_features,
            sample_weight=sample_weight,
        )
        model, X = _last_step(model, X, caller)
    settings = {}
    if isinstance(model, RunnerFairClassifier):
        model.predict(X)  # refuses features other than those of its training
        _check_labels(y, model.classes_, caller)
        names = ("sensitive_columns", "drop_sensitive", "missing_groups")
        settings = {name: getattr(model, name) for name in names}
        if model.sensitive_columns is not None:
            sensitive_features = None
        if pos_label is None:
            pos_label = model.pos_label
        module_output = model.net_.task.output
        model = model.net_.module_
    _check_arguments(model, constraint, caller)
    if isinstance(constraint, dict):
        resolve_constraints(constraint)
        constraint = dict.fromkeys(constraint)
    untouched = RunnerFairClassifier(
        constraint,
        module=model,
        difference_bound=None,
        top_k=top_k,
        importance=importance,
        distance=distance,
        layers=layers,
        module_output=module_output,
        pos_label=pos_label,
        device=device,
        warmup_epochs=0,
        max_epochs=0,
        random_state=0,
        **settings,
    )
    untouched.fit(
        X, y, sensitive_features=sensitive_features, sample_weight=sample_weight
    )
    return untouched.neuron_importance_.drop(columns="discrimination_after")


def _check_labels(y, classes, caller):
    """Refuse labels whose codes would not be those of a classifier's training."""
    found = np.unique(np.asarray(y))
    if np.array_equal(found, classes):
        return
    raise ValueError(
        f"{caller}: y has the labels {found.tolist()}, but the classifier was trained "
        f"with {np.asarray(classes).tolist()}: pass rows of each of these, and of no "
        "other."
    )


def _last_step(pipeline, X, caller):
    """The classifier that a pipeline ends in, and X as it gets it."""
    *before, (_, last) = pipeline.steps
    if not isinstance(last, RunnerFairClassifier | Pipeline):
        raise TypeError(
            f"{caller} takes a Pipeline that ends in a RunnerFairClassifier, but this "
            f"one ends in a {type(last).__name__}: pass the network, and X as it takes "
            "it."
        )
    check_is_fitted(pipeline)
    if before:
        X = pipeline[:-1].transform(X)
    return _last_step(last, X, caller) if isinstance(last, Pipeline) else (last, X)


def _check_arguments(module, constraint, caller):
    if not isinstance(module, nn.Module):
        got = type(module).__name__
        if isinstance(module, type):
            got = f"the class {module.__name__}"
        raise TypeError(
            f"{caller} takes an instance of torch.nn.Module, but got "
            f"{got}: pass the trained network itself."
        )
    if constraint is None:
        raise ValueError(
            f"{caller} needs to know what must not depend on the group, but got "
            "constraint=None: pass one, such as 'demographic_parity'."
        )


def _summarise(classifier, X, y, sensitive_features, sample_weight=None):
    """Summary of decisions and of scores."""
    classes, pos_label = classifier.classes_, classifier.pos_label
    decided, scores = classifier.predict(X), classifier.predict_proba(X)
    if len(classes) == 2:
        code = favourable_code(pos_label, classes)
        pos_label, scores = classes[code], scores[:, code]
    elif len(np.union1d(y, decided)) < len(classes):
        scores = None  # they have a column for a class that does not occur
    if sensitive_features is None:
        _, sensitive_features = take_sensitive_columns(
            X, classifier.sensitive_columns, drop=False
        )
    return fairness_summary(
        y,
        decided,
        scores,
        sensitive_features=sensitive_features,
        pos_label=pos_label,
        sample_weight=sample_weight,
    )
