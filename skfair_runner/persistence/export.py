"""Export of the fitted network to ONNX, for serving without Python."""

from __future__ import annotations

import copy
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.model_selection import SensitiveColumns
from skfair_runner.persistence.saving import name_with_hint
from skfair_runner.tasks import as_logits
from skfair_runner.utils import atomic_write, import_optional

# Where torch says, once for each of its operators, that torchvision is not installed.
_NOISY_LOGGER = "torch.onnx._internal.exporter._registration"


class _Probabilities(nn.Module):
    """A network with the probability of every class as its output."""

    def __init__(self, network: nn.Module, n_labels: int, output: str):
        super().__init__()
        self.network, self.n_labels, self.output = network, n_labels, output

    def forward(self, x: Tensor) -> Tensor:
        logits = as_logits(self.network(x), self.n_labels, self.output)
        if self.n_labels == 2:
            return torch.cat([torch.sigmoid(-logits), torch.sigmoid(logits)], 1)
        return logits.softmax(1)


def export_onnx(model, path, *, opset_version=None, classifier_only=False):
    """Write the fitted network as an ONNX graph of probabilities.

    The graph has the input "X", float32 of shape (n, n_features) for any n, or of
    images (n, channels, height, width), whose bytes are to be divided by 255, and the
    output "probabilities", float32 of shape (n, n_classes) with columns in the order of
    ``classes_``. Its metadata hold "classes" and "feature_names" as JSON lists.

    Parameters
    ----------
    model : RunnerFairClassifier, Pipeline or SensitiveColumns
        Fitted. Of a pipeline only the classifier at its end is exported.

    path : str or path-like
        File to write, as a whole or not at all.

    opset_version : int or None, default=None
        Version of ONNX's operators; None takes the one that torch recommends.

    classifier_only : bool, default=False
        Has to be True for a pipeline or a SensitiveColumns: the graph then expects what
        the steps before the classifier return, and those steps stay outside. (A
        classifier with `sensitive_columns` expects X without them, if it drops them.)

    Raises
    ------
    FileNotFoundError
        If the folder of `path` does not exist.

    ImportError
        If onnx or onnxscript is not installed.

    NotFittedError
        If the model is not fitted.

    TypeError
        If the model is something else.

    ValueError
        If the model prepares X before the classifier and `classifier_only` is False.

    See Also
    --------
    save : Write the model for Python, with its other steps.

    Notes
    -----
    A module of your own has to be traceable by :func:`torch.export.export`; its errors
    are handed on. Probabilities agree with `predict_proba` to the precision of float32.

    Examples
    --------
    >>> import numpy as np
    >>> import onnxruntime  # doctest: +SKIP
    >>> export_onnx(clf, "model.onnx")  # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession("model.onnx")  # doctest: +SKIP
    >>> session.run(None, {"X": X.astype("float32")})  # doctest: +SKIP
    """
    clf, outside = _classifier_of(model)
    if outside and not classifier_only:
        raise ValueError(
            f"export_onnx writes the network of the classifier only: {outside} would "
            "stay outside the graph. Pass classifier_only=True, and feed the graph "
            "with what they return."
        )
    onnx = import_optional("onnx", extra="onnx", purpose="export_onnx")
    import_optional("onnxscript", extra="onnx", purpose="export_onnx")
    # Opened first: a folder that cannot be written into is no news for the end.
    with atomic_write(path) as file:
        file.write(_graph_of(clf, onnx, opset_version).SerializeToString())


def _graph_of(clf: RunnerFairClassifier, onnx, opset_version):
    """The network as an ONNX graph that knows its classes and features."""
    task = clf.net_.task
    # A copy, so that the mode and the device of the fitted network stay as they are.
    network = copy.deepcopy(clf.net_.module_).cpu()
    shape = getattr(clf, "image_shape_", (clf.n_features_in_,))
    wrapped = _Probabilities(network, task.n_labels, task.output).eval()
    with _quiet_exporter():
        program = torch.onnx.export(
            wrapped,
            (torch.zeros(2, *shape),),
            dynamo=True,
            input_names=["X"],
            output_names=["probabilities"],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            opset_version=opset_version,
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    names = getattr(clf, "feature_names_in_", None)
    metadata = {
        "classes": json.dumps(clf.classes_.tolist()),
        "feature_names": json.dumps(None if names is None else names.tolist()),
    }
    onnx.helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph)
    return graph


def _classifier_of(model) -> tuple[RunnerFairClassifier, list[str]]:
    """The fitted classifier inside a model, and what is done to X before it."""
    if isinstance(model, RunnerFairClassifier):
        check_is_fitted(model, "net_")
        return model, []
    if isinstance(model, SensitiveColumns):
        check_is_fitted(model, "estimator_")
        clf, outside = _classifier_of(model.estimator_)
        return clf, [f"SensitiveColumns({model.columns!r})", *outside]
    if isinstance(model, Pipeline):
        clf, outside = _classifier_of(model.steps[-1][1])
        return clf, [*(type(step).__name__ for _, step in model.steps[:-1]), *outside]
    raise TypeError(
        "export_onnx takes a fitted RunnerFairClassifier, or a Pipeline or "
        f"SensitiveColumns around one, but got a {name_with_hint(model)}"
    )


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Silence what torch's exporter says about itself, and nothing else."""
    logger = logging.getLogger(_NOISY_LOGGER)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # torch 2.13 copies a class of its own that it has deprecated.
            warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)
            yield
    finally:
        logger.setLevel(level)
