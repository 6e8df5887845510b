"""ResNet-18 (He et al. 2016, Deep residual learning for image recognition, CVPR)."""

from torch import Tensor, nn

from skfair_runner.modules._checks import check_sizes


def _convolution(n_in: int, n_out: int, size: int, stride: int = 1) -> nn.Conv2d:
    """Without a bias, which the normalisation behind it would take away again."""
    conv = nn.Conv2d(n_in, n_out, size, stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


class _BasicBlock(nn.Module):
    """Two convolutions, and a shortcut around them."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _convolution(n_in, n_out, 3, stride)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.relu1 = nn.ReLU()
        self.conv2 = _convolution(n_out, n_out, 3)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.relu2 = nn.ReLU()
        self.downsample: nn.Sequential | None = None
        if stride != 1 or n_in != n_out:
            self.downsample = nn.Sequential(
                _convolution(n_in, n_out, 1, stride), nn.BatchNorm2d(n_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        # The shortcut comes first, so that the convolution executed last before relu2
        # is conv2, with which its neurons are paired.
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(out)) + shortcut)


class ResNet18(nn.Module):
    """Residual network of 18 layers (He et al. 2016 [1]_).

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
        Whether the first convolution looks at 3 × 3 pixels, one by one, and nothing is
        pooled behind it, as is common for 32 × 32 pixels. Else it looks at 7 × 7
        pixels, every second, and pooling halves the image again, for a sixteenth of the
        computation. Any size from 1 × 1 pixel on is taken.

    width : int, default=64
        Channels of the first stage; each of the three further stages doubles them.

    Raises
    ------
    ValueError
        If a size is not a positive integer.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image
       recognition", CVPR 2016.

    Examples
    --------
    >>> import torch
    >>> from skfair_runner.modules import ResNet18
    >>> sum(p.numel() for p in ResNet18(n_outputs=1000).parameters())
    11689512
    >>> ResNet18(small_images=True, width=8)(torch.zeros(5, 3, 8, 8)).shape
    torch.Size([5, 1])
    """

    def __init__(
        self,
        n_channels: int = 3,
        n_outputs: int = 1,
        *,
        small_images: bool = False,
        width: int = 64,
    ) -> None:
        super().__init__()
        check_sizes({"n_channels": n_channels, "n_outputs": n_outputs, "width": width})
        if small_images:
            self.conv1 = _convolution(n_channels, width, 3)
        else:
            self.conv1 = _convolution(n_channels, width, 7, 2)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.Identity() if small_images else nn.MaxPool2d(3, 2, 1)
        n_in = width
        for stage in range(4):
            n_out, stride = width * 2**stage, 1 if stage == 0 else 2
            blocks = (_BasicBlock(n_in, n_out, stride), _BasicBlock(n_out, n_out, 1))
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            n_in = n_out
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(n_in, n_outputs)

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
        """
        *convolutional, fc = self.children()
        for layer in convolutional:
            x = layer(x)
        return fc(x.flatten(1))
