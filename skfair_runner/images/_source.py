"""What a net reads of images: batches of float32, channels first."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from ._collection import ImageArray, Images, check_dtype

# Numbers of channels by which an axis is known: grey, colours, colours with alpha.
_KNOWN_CHANNELS = (1, 3, 4)
# Images are larger than the maps at the end of a network, such as 64 × 3 × 3.
_LEAST_SIDE = 5
# Values that are looked at together when floats are checked.
_CHUNK = 2**22


class ImageSource:
    """Images as a net reads them, converted batch by batch.

    Parameters
    ----------
    images : Images
        Stay as they are: nothing but a batch is ever converted.

    Attributes
    ----------
    shape : tuple of int
        (n_images, channels, height, width).

    lazy : bool
        Whether reading takes so long that the next batch is worth reading ahead.

    Examples
    --------
    >>> pixels = np.full((5, 8, 8, 3), 255, dtype="uint8")
    >>> source = ImageSource(ImageArray(pixels, channels="last"))
    >>> batch = source[np.array([0, 3])]
    >>> batch.shape, batch.dtype.name, float(batch.max())
    ((2, 3, 8, 8), 'float32', 1.0)
    """

    ndim = 4
    dtype = np.dtype(np.float32)

    def __init__(self, images: Images):
        self.images = images
        n, *shape = images.shape
        if images.channels == "last":
            shape = [shape[2], shape[0], shape[1]]
        self.shape = (n, *shape)
        self.lazy = not isinstance(images, ImageArray)

    def __len__(self) -> int:
        return self.shape[0]

    def subset(self, rows) -> ImageSource:
        """Some of the images, which stay unread.

        Parameters
        ----------
        rows : slice or ndarray of int or bool
            Which images.

        Returns
        -------
        source : ImageSource
            Shares what this one rests on.
        """
        return ImageSource(self.images[rows])

    def __getitem__(self, rows) -> np.ndarray:
        """A batch.

        Parameters
        ----------
        rows : slice or ndarray of int
            Which images.

        Returns
        -------
        batch : ndarray of shape (n_rows, channels, height, width), float32
            Bytes are scaled to [0, 1]; floats keep their values.
        """
        pixels = self.images.load(rows)
        if self.images.channels == "last":
            pixels = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
        if pixels.dtype == np.uint8:
            return np.divide(pixels, 255, dtype=np.float32)
        return pixels.astype(np.float32, copy=False)

    def converted(self, pixels: Tensor) -> Tensor:
        """A batch out of pixels that were read before, on whatever device.

        Parameters
        ----------
        pixels : Tensor of shape (n_rows, ...)
            As `images` hold them.

        Returns
        -------
        batch : Tensor of shape (n_rows, channels, height, width), float32
            The batch of these rows.
        """
        if self.images.channels == "last":
            pixels = pixels.permute(0, 3, 1, 2)
        return pixels / 255 if pixels.dtype == torch.uint8 else pixels.float()


def opened(X) -> AbstractContextManager:
    """What is entered while a net reads X.

    Parameters
    ----------
    X : ImageSource, array or CSR matrix
        What it reads.

    Returns
    -------
    context : context manager
        Of lazy images :meth:`LazyImages.opened`; else it does nothing.

    Examples
    --------
    >>> with opened(np.zeros((5, 2))):
    ...     pass
    """
    return X.images.opened() if isinstance(X, ImageSource) else nullcontext()


def read_images(X, *, caller: str) -> ImageSource | None:
    """The images that X holds, or None where it holds none.

    Parameters
    ----------
    X : object
        What the user passed. Images are :class:`Images`, or an
        :class:`ImageSource` of them; arrays and lists of arrays
        with four axes; and arrays of bytes with three, which are grey. Three axes of
        floats may as well be sequences, and are left alone.

    caller : str
        Who asks, for messages.

    Returns
    -------
    source : ImageSource or None
        Of an array that is shared with the caller.

    Raises
    ------
    TypeError
        If there are four axes of something else than bytes or floats.

    ValueError
        If nobody can tell where the channels are, there is no image, or a float is NaN
        or infinite.

    Examples
    --------
    >>> read_images(np.zeros((7, 16, 16, 3)), caller="fit").shape
    (7, 3, 16, 16)
    >>> read_images(np.zeros((7, 16)), caller="fit") is None
    True
    """
    if isinstance(X, ImageSource):
        X = X.images
    if isinstance(X, Images):
        images = X
    else:
        array = _as_array(X)
        if array is None:
            return None
        check_dtype(array.dtype, f"{caller}: X, of shape {array.shape},")
        if array.ndim == 3:
            images = ImageArray(array[..., None], "last")
        else:
            images = ImageArray(array, _find_channels(array, caller))
    if not len(images):
        raise ValueError(f"{caller}: X holds no image; its shape is {images.shape}.")
    if isinstance(images, ImageArray):
        _check_finite(images, caller)
    return ImageSource(images)


def _as_array(X):
    """X as an array, if it has the axes of images."""
    if isinstance(X, list | tuple) and X and getattr(X[0], "ndim", 0) in (2, 3):
        if len({np.shape(image) for image in X}) > 1:
            return None
        X = np.stack([np.asarray(image) for image in X])
    ndim = getattr(X, "ndim", 0)
    if ndim not in (3, 4):
        return None
    array = np.asarray(X)
    return array if ndim == 4 or array.dtype == np.uint8 else None


def _find_channels(array: np.ndarray, caller: str) -> str:
    """Where the channels of an array of four axes are."""
    _, one, two, three = array.shape
    first, last = one in _KNOWN_CHANNELS, three in _KNOWN_CHANNELS
    if first and not last:
        return "first"
    if last and not first and min(one, two) >= _LEAST_SIDE:
        return "last"
    # Maps of a network have any number of channels, first as everywhere in torch.
    if not first and array.dtype != np.uint8:
        return "first"
    raise ValueError(
        f"{caller} cannot tell from the shape {array.shape} of X where the channels "
        "are: wrap it, as in skfair_runner.images.ImageArray(X, channels='first') for "
        "(n, channels, height, width), or channels='last'."
    )


def _check_finite(images: ImageArray, caller: str) -> None:
    """Refuse NaN and infinity, chunk by chunk."""
    if images.dtype.kind != "f":
        return
    step = max(1, _CHUNK // max(1, int(np.prod(images.image_shape))))
    for start in range(0, len(images), step):
        with np.errstate(over="ignore"):
            part = images.load(slice(start, start + step)).astype(np.float32)
        finite = np.isfinite(part).all(axis=(1, 2, 3))
        if not finite.all():
            raise ValueError(
                f"{caller}: image {start + finite.argmin()} of X holds NaN, infinity "
                "or a value too large for float32: leave it out, or repair it."
            )
