"""The images that drive a channel of a network most, in each group."""

from numbers import Integral

import numpy as np
import pandas as pd
import torch

from skfair_runner.activations import (
    evaluation_mode,
    neuron_values,
    record_activations,
    trace_layers,
)
from skfair_runner.batches import BatchLoader, GroupedDataset, RowBuffer, rows_at_once
from skfair_runner.groups import encode_groups
from skfair_runner.images import read_images
from skfair_runner.plots._drawing import panels, wrapped
from skfair_runner.plots._reading import fitted_attribute

_MOST_ROWS = 2048


class ChannelImagesDisplay:
    """Rows of images, one row for each group: those that drive a channel most.

    A channel's value for an image is its mean over all positions, which is what
    discrimination compares between groups. Images fall from left to right.

    Parameters
    ----------
    table : DataFrame
        One row per image that is shown, with the columns group, row (its place in X)
        and value.

    images : ndarray of shape (n_shown, height, width, n_channels)
        Pixels in [0, 1], in the order of the table.

    layer : str
        Name of the layer.

    neuron : int
        Which of its channels.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (n_groups, n_images)
        After :meth:`plot`.

    figure_ : matplotlib Figure
        The figure around them.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skfair_runner.plots import ChannelImagesDisplay
    >>> table = pd.DataFrame(
    ...     {"group": ["a", "b"], "row": [3, 1], "value": [0.7, 0.2]}
    ... )
    >>> display = ChannelImagesDisplay(table, np.zeros((2, 8, 8, 1)), "relu", 0).plot()
    >>> display.axes_.shape
    (2, 1)
    """

    def __init__(self, table, images, layer, neuron):
        self.table = table
        self.images = images
        self.layer = layer
        self.neuron = neuron

    @classmethod
    def from_estimator(
        cls, estimator, X, *, sensitive_features, layer=None, neuron=None, n_images=6
    ):
        """Run images through a fitted classifier, and keep those of largest value.

        Parameters
        ----------
        estimator : RunnerFairClassifier, RunnerFrontier, Pipeline or search
            Fitted on images, with a constraint.

        X : array of images
            As for ``fit``; lazy ones are read batch by batch.

        sensitive_features : array-like of shape (n_images,) or (n_images, n_columns)
            The group of each image.

        layer : str, default=None
            A layer of ``neuron_importance_``; None takes that of the most important
            neuron of all.

        neuron : int, default=None
            One of the channels of `layer`; None takes the most important one.

        n_images : int, default=6
            How many images of each group are shown, at least 1, if it has so many.

        Returns
        -------
        display : ChannelImagesDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If X holds no images, layer or neuron is unknown, or `n_images` is no
            positive integer.
        """
        caller = f"{cls.__name__}.from_estimator"
        if not isinstance(n_images, Integral) or n_images < 1:
            raise ValueError(
                f"{caller}: n_images={n_images!r} must be an integer of at least 1."
            )
        neurons = fitted_attribute(estimator, "neuron_importance_", caller)
        net = fitted_attribute(estimator, "net_", caller)
        layer, neuron = _choose(neurons, layer, neuron, caller)
        source = read_images(X, caller=caller)
        if source is None:
            raise ValueError(
                f"{caller}: X holds no images, but a {type(X).__name__} of shape "
                f"{np.shape(X)}: pass what the classifier was fitted on, or other "
                "images of that size."
            )
        groups = encode_groups(sensitive_features, source, caller=caller)
        values = _values_of(net, source, layer, neuron)
        parts = []
        for code, name in enumerate(groups.labels):
            members = np.flatnonzero(groups.codes == code)
            best = members[np.argsort(-values[members], kind="stable")[:n_images]]
            parts.append(
                pd.DataFrame({"group": name, "row": best, "value": values[best]})
            )
        table = pd.concat(parts, ignore_index=True)
        pixels = source[table["row"].to_numpy()].transpose(0, 2, 3, 1)
        return cls(table, _displayable(pixels), layer, neuron)

    def plot(self, ax=None):
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Its place is divided among the images; None makes a figure.

        Returns
        -------
        self : ChannelImagesDisplay
            With ``axes_`` and ``figure_``.
        """
        groups = self.table["group"].unique().tolist()
        n_columns = int(self.table["group"].value_counts().max())
        size = (1.6 + 1.1 * n_columns, 0.7 + 1.3 * len(groups))
        self.axes_ = panels(ax, len(groups), n_columns, size)
        self.figure_ = self.axes_[0, 0].figure
        for line, name in zip(self.axes_, groups, strict=True):
            members = np.flatnonzero(self.table["group"] == name)
            for each, i in zip(line, members, strict=False):
                self._draw(each, i)
            for spare in line[len(members) :]:
                spare.set_axis_off()
            line[0].set_ylabel(
                wrapped(name, 16), rotation=0, ha="right", va="center", fontsize=9
            )
        layer = f"layer {self.layer}" if str(self.layer).isdigit() else self.layer
        title = f"{layer}, channel {self.neuron}: mean activation below each image"
        # In the middle: the layout would make room for it beside the first image.
        self.axes_[0, n_columns // 2].set_title(
            wrapped(title, 14 * (n_columns + 1)), fontsize=9
        )
        return self

    def _draw(self, ax, i):
        image = self.images[i]
        if image.shape[2] not in (3, 4):
            image = image.mean(axis=2)
        ax.imshow(image, cmap="gray", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.set_xlabel(f"{self.table['value'].iloc[i]:.3g}", fontsize=8)


def _choose(neurons, layer, neuron, caller):
    """Layer and channel to look at; the most important ones where none is named."""
    known = neurons["layer"].unique().tolist()
    if layer is None and neuron is None:
        best = neurons.loc[neurons["importance"].idxmax()]
        return best["layer"], int(best["neuron"])
    if layer is None:
        raise ValueError(
            f"{caller}: neuron={neuron!r} is one of each layer's: pass the layer too, "
            f"one of {known}."
        )
    if layer not in known:
        raise ValueError(
            f"{caller}: layer={layer!r} is not among the diagnosed layers {known}."
        )
    part = neurons[neurons["layer"] == layer]
    if neuron is None:
        neuron = part.loc[part["rank"].idxmin(), "neuron"]
    elif neuron not in part["neuron"].tolist():
        raise ValueError(
            f"{caller}: neuron={neuron!r} is not in layer {layer!r}, whose neurons "
            f"are 0 to {len(part) - 1}."
        )
    return layer, int(neuron)


def _values_of(net, source, layer, neuron):
    """Mean activation of a channel for every image, without gradient."""
    n, module = len(source), net.module_
    dataset = GroupedDataset({"X": source}, np.zeros(n, dtype=np.int64))
    example = torch.from_numpy(source[np.arange(min(2, n))]).to(net.device)
    traced = trace_layers(module, example, [layer])
    (recorded,) = [each for each in traced if each.name == layer]
    values = RowBuffer(n)
    with evaluation_mode(module), torch.no_grad():
        for batch, _ in BatchLoader(dataset, rows_at_once(dataset, _MOST_ROWS)):
            with record_activations(module, [recorded]) as activations:
                module(batch["X"].to(net.device))
            emitted = neuron_values(activations[layer], recorded.axis)
            values.add(emitted[:, neuron].double().cpu())
    return values.values.numpy()


def _displayable(pixels):
    """Pixels in [0, 1]; others are brought there together."""
    low, high = pixels.min(), pixels.max()
    if low < 0 or high > 1:
        pixels = (pixels - low) / max(high - low, np.finfo(np.float32).tiny)
    return pixels
