"""What the neurons do along a front, told when somebody asks."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from skfair_runner.batches import GroupedDataset, spread_rows
from skfair_runner.diagnosis import (
    Diagnosis,
    make_neuron_table,
    selected_by_layer,
)
from skfair_runner.frontier._points import classifier_around

# Held-out rows that neurons are diagnosed on; more would not change the picture.
_MOST_ROWS = 4096


class PointNeurons:
    """Diagnoses of the neurons at every point, each made when it is first needed.

    Held-out rows are kept until all are made; images would take much memory, so that
    theirs are made at once. What is pickled has all diagnoses and no rows.

    Parameters
    ----------
    trained : RunnerFairClassifier
        Trained by a :class:`~skfair_runner.frontier._net.FrontierNet`.

    weights : sequence of float
        Of the points, in rising order.

    data : TrainingData
        The held-out rows, in any order.
    """

    def __init__(self, trained, weights, data):
        self.weights = list(weights)
        self._trained = trained
        self._found: dict[int, Diagnosis] = {}
        X, n = data.X, len(data.y)
        rows = spread_rows(n, _MOST_ROWS)
        if len(rows) < n:
            X = getattr(X, "subset", X.__getitem__)(rows)
        source = {"X": X, "groups": data.groups.codes[rows], "weights": None}
        self._watched = GroupedDataset(source, data.y[rows])
        if len(X.shape) > 2:
            self.complete()

    def __len__(self):
        return len(self.weights)

    def __getitem__(self, position) -> Diagnosis:
        """The diagnosis at one point."""
        if position not in self._found:
            weight = self.weights[position]
            net, front = self._light.net_, self._trained.net_.front_
            net.module_ = front.network_at(weight)
            found = net.diagnose(self._watched, self._trained.importance)
            self._found[position] = found
        return self._found[position]

    @cached_property
    def _light(self):
        """Around the module of one point after the other."""
        return classifier_around(self._trained, 0.0)

    def complete(self):
        """Make all diagnoses, and let the rows go."""
        for position in range(len(self)):
            self[position]
        self._trained = self._watched = None
        vars(self).pop("_light", None)

    def __getstate__(self):
        self.complete()
        return vars(self)

    def at(self, weight) -> Diagnosis:
        """The diagnosis at a weight; between two points, the mean that lies there."""
        place = float(np.interp(weight, self.weights, np.arange(len(self))))
        low = min(int(place), len(self) - 2)
        share = place - low
        if share in (0, 1):
            return self[low + int(share)]._replace(importance=None)
        one, other = self[low], self[low + 1]
        discrimination = {
            name: (1 - share) * values + share * other.discrimination[name]
            for name, values in one.discrimination.items()
        }
        gap = (1 - share) * one.gap + share * other.gap
        return Diagnosis(gap, None, discrimination)

    def table(self):
        """Importance and discrimination of every neuron at every point."""
        self.complete()
        parts = [
            pd.DataFrame(
                {
                    "weight": weight,
                    "layer": layer,
                    "neuron": np.arange(len(values)),
                    "importance": found.importance[layer].numpy(force=True),
                    "discrimination": values,
                }
            )
            for weight, found in zip(self.weights, self, strict=True)
            for layer, values in found.discrimination.items()
        ]
        return pd.concat(parts, ignore_index=True)


def tell_neurons(clf, before, after):
    """Set what a point's classifier says of its neurons.

    Parameters
    ----------
    clf : RunnerFairClassifier
        Changed.

    before, after : Diagnosis
        Of the biased model, with importance, and of the point, on the same rows.
    """
    clf.net_.before_, clf.net_.after_ = before, after
    clf.neuron_importance_ = make_neuron_table(before, clf.top_k, after)
    clf.selected_neurons_ = selected_by_layer(clf.neuron_importance_)
