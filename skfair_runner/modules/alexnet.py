"""AlexNet, in the form that later became common, on one processor.

Krizhevsky, A. (2014), One weird trick for parallelizing convolutional neural networks,
arXiv:1404.5997; the network without local response normalisation.
"""

from torch import Tensor, nn

from skfair_runner.modules._checks import check_dropout, check_sizes

# Channels of the five convolutions and neurons of the hidden linear layers, in units
# of the first convolution's channels.
_CHANNELS = (1, 3, 6, 4, 4)
_HIDDEN = 64
# Pixels that are left nothing of below these.
_LEAST_SIDE, _LEAST_SMALL_SIDE = 63, 8


class AlexNet(nn.Module):
    """Five convolutions and two hidden linear layers (Krizhevsky 2014 [1]_).

    Layers have the names that torchvision gives them, so that a local file of its
    weights loads with ``load_state_dict`` where `n_channels`, `n_outputs` and `width`
    agree. Each activation is a module of its own, called once.

    Parameters
    ----------
    n_channels : int, default=3
        Channels of the images.

    n_outputs : int, default=1
        Number of output columns: one logit for two classes, else one per class.

    small_images : bool, default=False
        Whether the first convolution looks at 3 × 3 pixels, one by one, and the layers
        after it halve the image, so that 8 × 8 pixels are enough; else at 11 × 11
        pixels, every fourth, which needs 63 × 63 pixels.

    width : int, default=64
        Channels of the first convolution; all other layers grow with it.

    dropout : float, default=0.5
        Probability, in [0, 1), that an input of a hidden linear layer is silenced
        during training.

    Raises
    ------
    ValueError
        If a size is not a positive integer, or `dropout` lies outside [0, 1).

    References
    ----------
    .. [1] A. Krizhevsky, "One weird trick for parallelizing convolutional neural
       networks", arXiv:1404.5997, 2014.

    Examples
    --------
    >>> import torch
    >>> from skfair_runner.modules import AlexNet
    >>> sum(p.numel() for p in AlexNet(n_outputs=1000).parameters())
    61100840
    >>> AlexNet(small_images=True, width=8)(torch.zeros(5, 3, 8, 8)).shape
    torch.Size([5, 1])
    """

    def __init__(
        self,
        n_channels: int = 3,
        n_outputs: int = 1,
        *,
        small_images: bool = False,
        width: int = 64,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_sizes({"n_channels": n_channels, "n_outputs": n_outputs, "width": width})
        check_dropout(dropout)
        one, two, three, four, five = (width * factor for factor in _CHANNELS)
        side, second = (2, 3) if small_images else (6, 5)
        self.least_side = _LEAST_SMALL_SIDE if small_images else _LEAST_SIDE
        if small_images:
            first = nn.Conv2d(n_channels, one, 3, padding=1)
        else:
            first = nn.Conv2d(n_channels, one, 11, stride=4, padding=2)

        def pool() -> nn.MaxPool2d:
            return nn.MaxPool2d(2) if small_images else nn.MaxPool2d(3, stride=2)

        self.features = nn.Sequential(
            first,
            nn.ReLU(),
            pool(),
            nn.Conv2d(one, two, second, padding=second // 2),
            nn.ReLU(),
            pool(),
            nn.Conv2d(two, three, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(three, four, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(four, five, 3, padding=1),
            nn.ReLU(),
            pool(),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((side, side))
        hidden = width * _HIDDEN
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(five * side**2, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, n_outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of `x`.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_channels, height, width)
            Images.

        Returns
        -------
        logits : Tensor of shape (n_samples, n_outputs)
            Two-dimensional even for a single output.

        Raises
        ------
        ValueError
            If the images are too small.
        """
        height, width = x.shape[-2], x.shape[-1]
        if min(height, width) < self.least_side:
            raise ValueError(
                f"AlexNet takes images of at least {self.least_side} × "
                f"{self.least_side} pixels here, but these have {height} × {width}: "
                "enlarge them, or pass small_images=True (module__small_images=True), "
                f"for which {_LEAST_SMALL_SIDE} × {_LEAST_SMALL_SIDE} are enough."
            )
        return self.classifier(self.avgpool(self.features(x)).flatten(1))
