"""Diagnosis and repair of a network that is already trained, each in one call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import nn

from .classifier import RunnerFairClassifier
from .metrics import fairness_summary


@dataclass(frozen=True)
class RepairResult:
    """What :func:`repair_module` returns.

    Attributes
    ----------
    module : nn.Module
        The repaired module, in evaluation mode; the one that was handed in is
        unchanged.

    metrics : DataFrame of shape (n_metrics, 2)
        Columns before and after: accuracy, balanced accuracy, average precision,
        selection rate, and the differences between groups, on `evaluated_on`.

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
        The group of each sample.

    constraint : str or callable, default="demographic_parity"
        As of :class:`RunnerFairClassifier`.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    evaluation : tuple (X, y, sensitive_features), default=None
        Data on which before and after are compared; None compares on the training data,
        which flatters.

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

    Examples
    --------
    >>> import torch
    >>> from skfair_runner import repair_module
    >>> from skfair_runner.datasets import make_biased_classification
    >>> people = make_biased_classification(n_samples=400, random_state=0)
    >>> X = people.data.select_dtypes("number").to_numpy("float32")
    >>> net = torch.nn.Sequential(
    ...     torch.nn.Linear(X.shape[1], 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)
    ... )
    >>> result = repair_module(
    ...     net, X, people.target, sensitive_features=people.sensitive_features,
    ...     max_epochs=2, random_state=0,
    ... )
    >>> list(result.metrics.columns)
    ['before', 'after']
    """
    _check_module(module, "repair_module")
    classifier = RunnerFairClassifier(constraint, module=module, **parameters)
    untouched = RunnerFairClassifier(constraint, module=module, **parameters)
    untouched.set_params(max_epochs=0, warmup_epochs=0)
    fit = {"sensitive_features": sensitive_features, "sample_weight": sample_weight}
    untouched.fit(X, y, **fit)
    classifier.fit(X, y, **fit)
    if evaluation is None:
        evaluation, where = (X, y, sensitive_features), "training data"
    else:
        where = "evaluation data"
    metrics = {
        name: _summarise(clf, *evaluation)
        for name, clf in (("before", untouched), ("after", classifier))
    }
    return RepairResult(
        classifier.net_.module_.eval(),
        pd.DataFrame(metrics),
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
    model : nn.Module or RunnerFairClassifier
        Any network that emits one output per class (or one for two classes), or a
        fitted classifier of ours. It is not changed.

    X : array-like of shape (n_samples, ...)
        Data in the form that the model takes.

    y : array-like of shape (n_samples,)
        Labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        The group of each sample.

    constraint : str or callable, default="demographic_parity"
        The gap that is attributed to neurons.

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
        What the module emits.

    pos_label : label or None, default=None
        The favourable label, where the constraint depends on it.

    device : str, default="cpu"
        Where torch computes.

    Returns
    -------
    neurons : DataFrame
        Columns layer, neuron, importance, rank, selected, discrimination.

    Raises
    ------
    TypeError
        If `model` is neither.

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
    settings = {}
    if isinstance(model, RunnerFairClassifier):
        settings = {
            "sensitive_columns": model.sensitive_columns,
            "drop_sensitive": model.drop_sensitive,
        }
        if model.sensitive_columns is not None:
            sensitive_features = None
        module_output = model.net_.task.output
        model = model.net_.module_
    _check_module(model, "diagnose_neurons")
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


def _check_module(module, caller):
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"{caller} takes an instance of torch.nn.Module, but got "
            f"{type(module).__name__}: pass the trained network itself."
        )


def _summarise(classifier, X, y, sensitive_features):
    """Summary of decisions and scores; of decisions alone for more than two classes."""
    proba = classifier.predict_proba(X)
    classes = classifier.classes_
    pos_label = classifier.pos_label
    scores = proba[:, 1] if len(classes) == 2 else None
    if len(classes) == 2 and pos_label is None:
        pos_label = classes[1]
    elif len(classes) == 2:
        scores = proba[:, int(np.flatnonzero(classes == pos_label)[0])]
    return fairness_summary(
        y,
        classifier.predict(X),
        scores,
        sensitive_features=sensitive_features,
        pos_label=pos_label,
    )
