"""What scikit-learn's scorers ask of a net, such as those of skorch's EpochScoring."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from torch import Tensor

from .tasks import probabilities


class Scored(ClassifierMixin):
    """A net as a classifier of label codes; mixed into RunnerNet."""

    @property
    def classes_(self: Any) -> np.ndarray:
        """Codes of the labels, of shape (n_classes,)."""
        return np.arange(self.task.n_labels)

    def predict(self: Any, X) -> np.ndarray:
        """Code of the most probable class, of shape (n_samples,)."""
        return self.predict_proba(X).argmax(axis=1)

    def _get_predict_nonlinearity(self: Any):
        """What skorch's `predict_proba` makes of logits."""
        return _probabilities


def _probabilities(logits: Tensor) -> Tensor:
    """Of every class, (n_samples, n_classes)."""
    return torch.from_numpy(probabilities(logits.double().numpy(force=True)))
