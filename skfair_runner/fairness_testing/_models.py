"""One way to ask any model: decisions on codes, and gradients where it has them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from sklearn.base import is_regressor
from sklearn.pipeline import Pipeline
from torch import Tensor, nn

from skfair_runner._inputs import take_sensitive_columns
from skfair_runner._settings import resolve_output
from skfair_runner.activations import evaluation_mode
from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.fairness_testing._features import FeatureTables, NotSeparableError
from skfair_runner.model_selection import SensitiveColumns
from skfair_runner.relaxations import positive_scores
from skfair_runner.tasks import as_logits

_CHUNK = 65_536


class BlackBox:
    """Any fitted model with `predict`, or a network that takes the columns as they are.

    Parameters
    ----------
    model : classifier or torch.nn.Module
        Takes rows as `Space.decode` returns them.

    space : Space
        The box.

    Attributes
    ----------
    classes : ndarray or None
        Labels, where the model tells them.
    """

    def __init__(self, model, space):
        _check_model(model)
        self.model, self.space = model, space
        self._labels = pd.Index([])
        self.is_module = isinstance(model, nn.Module)
        self.classes = getattr(model, "classes_", None)
        self.has_scores = self.is_module or hasattr(model, "predict_proba")

    def predict(self, X) -> np.ndarray:
        """Decisions on rows in the user's own form, of shape (n_samples,)."""
        if self.is_module:
            return _hard(self._module_logits(X))
        return np.asarray(self.model.predict(X)).reshape(-1)

    def predict_proba(self, X) -> np.ndarray:
        """Probabilities of the classes, of shape (n_samples, n_classes)."""
        if self.is_module:
            return _two_columns(positive_scores(self._module_logits(X))).numpy()
        return np.asarray(self.model.predict_proba(X))

    def _module_logits(self, X) -> Tensor:
        inputs = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32))
        inputs = inputs.to(_device_of(self.model))
        with evaluation_mode(self.model), torch.no_grad():
            return _module_logits(self.model, inputs).cpu()

    def decide(self, codes):
        """Decisions and, where they cost nothing more, probabilities.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples, n_columns)
            Rows.

        Returns
        -------
        decisions : ndarray of shape (n_samples,), dtype int64
            Equal where the labels are.

        scores : ndarray of shape (n_samples, n_classes) or None
            Probabilities.
        """
        decisions = [
            self.predict(self.space.decode(part))
            for part in np.split(codes, range(_CHUNK, len(codes), _CHUNK))
        ]
        return self._codes_of(np.concatenate(decisions)), None

    def _codes_of(self, decisions) -> np.ndarray:
        """Numbers of labels, the same in every call."""
        labels = pd.Index(pd.unique(decisions))
        self._labels = self._labels.append(labels.difference(self._labels, sort=False))
        return self._labels.get_indexer(decisions).astype(np.int64)


class Differentiable(BlackBox):
    """A network whose inputs each depend on one column.

    Parameters
    ----------
    model : RunnerFairClassifier, Pipeline, SensitiveColumns or torch.nn.Module
        Ends in a network.

    space : Space
        The box.

    rng : numpy.random.Generator
        Draws the rows on which the tables are checked.

    Attributes
    ----------
    features : FeatureTables
        From codes to inputs of the network.

    module : nn.Module
        The network.
    """

    def __init__(self, model, space, rng):
        super().__init__(model, space)
        prepare, final = unwrap(model)
        self.features = FeatureTables(space, prepare, rng)
        if isinstance(final, nn.Module):
            self.module = final
            self._kind, self._n_labels = resolve_output(final, "auto"), None
        else:
            net = final.net_
            self.module = net.module_
            self._kind, self._n_labels = net.task.output, len(final.classes_)

    def logits(self, inputs: Tensor) -> Tensor:
        """Logits of encoded rows, (n_samples, 1) for two classes; carries gradient."""
        inputs = inputs.to(_device_of(self.module))
        return _module_logits(self.module, inputs, self._n_labels, self._kind).cpu()

    def decide(self, codes):
        """Decisions and probabilities; see :meth:`BlackBox.decide`."""
        with evaluation_mode(self.module), torch.no_grad():
            parts = [
                self.logits(torch.from_numpy(self.features.encode(part)))
                for part in np.split(codes, range(_CHUNK, len(codes), _CHUNK))
            ]
        logits = torch.cat(parts)
        scores = _two_columns(positive_scores(logits))
        return _hard(logits), scores.double().numpy()

    def gradients(self, codes, objective) -> np.ndarray:
        """Gradients of a quantity with respect to the network's inputs.

        Parameters
        ----------
        codes : ndarray of int of shape (n_samples, n_columns)
            Rows.

        objective : callable
            Maps the inputs, a tensor of shape (n_samples, n_inputs), to one number per
            row.

        Returns
        -------
        gradients : ndarray of shape (n_samples, n_inputs), dtype float32
            Zero where the quantity does not depend on the inputs, or is not finite.
        """
        inputs = torch.from_numpy(self.features.encode(codes)).requires_grad_()
        with evaluation_mode(self.module), torch.enable_grad():
            total = objective(inputs).sum()
            (gradients,) = torch.autograd.grad(total, inputs)
        return torch.nan_to_num(gradients, 0.0, 0.0, 0.0).numpy()


def unwrap(model):
    """The network at the end of a model, and what comes before it.

    Parameters
    ----------
    model : object
        Any model.

    Returns
    -------
    prepare : callable or None
        From rows to the network's inputs; None where there is no network.

    final : RunnerFairClassifier, nn.Module or None
        What ends the model.
    """
    if isinstance(model, nn.Module):
        return _as_float, model
    if isinstance(model, RunnerFairClassifier):
        return lambda X: _inputs_of(model, X), model
    if isinstance(model, Pipeline) and len(model.steps) > 1:
        prepare, final = unwrap(model.steps[-1][1])
        return prepare and (lambda X: prepare(model[:-1].transform(X))), final
    if isinstance(model, SensitiveColumns) and hasattr(model, "estimator_"):
        prepare, final = unwrap(model.estimator_)
        return prepare and (lambda X: prepare(model._features(X)[0])), final
    return None, None


def adapt(model, space, *, needs_gradients, rng, caller):
    """The model behind one interface.

    Parameters
    ----------
    model : object
        Any fitted model.

    space : Space
        The box.

    needs_gradients : bool
        Whether a black box will not do.

    rng : numpy.random.Generator
        Source of randomness.

    caller : str
        Who asks, for messages.

    Returns
    -------
    adapter : Differentiable or BlackBox
        Differentiable wherever that is possible, since it is faster.

    Raises
    ------
    TypeError
        If gradients are needed, and the model has none.

    ValueError
        If gradients are needed, and the preprocessing mixes columns.
    """
    _check_model(model)
    prepare, final = unwrap(model)
    if final is None:
        if needs_gradients:
            raise TypeError(
                f"{caller} follows gradients, which a {type(model).__name__} does not "
                "have: pass a torch module, a RunnerFairClassifier or a pipeline that "
                "ends in one; or use the method 'aequitas' or 'mlcheck'."
            )
        return BlackBox(model, space)
    try:
        return Differentiable(model, space, rng)
    except NotSeparableError as error:
        if needs_gradients:
            raise ValueError(
                f"{caller} needs each input of the network to depend on one column, "
                f"but {error}. Use the method 'aequitas' or 'mlcheck', or a "
                "preprocessor that treats columns one by one, such as "
                "make_table_preprocessor."
            ) from error
        return BlackBox(model, space)


def _check_model(model) -> None:
    if isinstance(model, nn.Module):
        return
    if not hasattr(model, "predict") or isinstance(model, type):
        got = model.__name__ if isinstance(model, type) else type(model).__name__
        raise TypeError(
            f"A model to be tested has a method predict or is a torch module, but got "
            f"{got}: pass a fitted classifier."
        )
    if is_regressor(model):
        raise TypeError(
            f"A {type(model).__name__} predicts numbers, not decisions: wrap it into a "
            "classifier that cuts them at a threshold."
        )


def _inputs_of(classifier, X):
    """What a RunnerFairClassifier hands to its network."""
    if classifier.sensitive_columns is not None and classifier.drop_sensitive:
        X, _ = take_sensitive_columns(
            X, classifier.sensitive_columns, drop=True, required=False
        )
    return classifier._validate(X, reset=False)


def _as_float(X) -> np.ndarray:
    try:
        return np.asarray(X, dtype=np.float32)
    except ValueError as error:
        raise TypeError(
            f"A torch module takes numbers, but the table has other columns ({error}): "
            "pass a pipeline that encodes them and ends in a RunnerFairClassifier."
        ) from error


def _device_of(module: nn.Module):
    first = next(module.parameters(), None)
    return "cpu" if first is None else first.device


def _module_logits(module, inputs, n_labels=None, kind=None) -> Tensor:
    output = module(inputs)
    if n_labels is None:
        n_labels = max(2, output.shape[1]) if output.ndim == 2 else 2
    kind = kind or resolve_output(module, "auto")
    return as_logits(output, n_labels, kind)


def _hard(logits: Tensor) -> np.ndarray:
    """Decisions as class codes."""
    if logits.shape[1] == 1:
        return (logits[:, 0] > 0).long().numpy()
    return logits.argmax(1).numpy()


def _two_columns(scores: Tensor) -> Tensor:
    """One column per class, for two classes also."""
    return torch.cat([1 - scores, scores], 1) if scores.shape[1] == 1 else scores
