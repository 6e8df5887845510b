"""What a net reads of images: batches of float32, channels first."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ._collection import (
    KNOWN_CHANNELS,
    ImageArray,
    Images,
    apparent_channels,
    check_dtype,
)

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


def read_images(X, *, caller: str, grey_floats: bool = False) -> ImageSource | None:
    """The images that X holds, or None where it holds none.

    Parameters
    ----------
    X : object
        What the user passed. Images are :class:`Images`, or an
        :class:`ImageSource` of them; arrays with four axes, and lists of images, which
        may be Pillow's; and arrays of bytes with three, which are grey. Three axes of
        floats may as well be sequences, and are left alone.

    caller : str
        Who asks, for messages.

    grey_floats : bool, default=False
        Whether three axes of floats are grey images after all.

    Returns
    -------
    source : ImageSource or None
        Of an array that is shared with the caller.

    Raises
    ------
    TypeError
        If there are four axes of something else than bytes or floats, or X is a torch
        data set.

    ValueError
        If nobody can tell where the channels are, there is no image, images of a list
        differ in shape, or a float is NaN or infinite.

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
        array = _as_array(X, caller, grey_floats)
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


def _as_array(X, caller, grey_floats):
    """X as an array, if it has the axes of images."""
    if isinstance(X, Dataset):
        raise TypeError(
            f"{caller}: X is a torch data set, {type(X).__name__}: wrap it, as in "
            "skfair_runner.images.LazyImages.from_dataset(X), and pass labels and "
            "groups apart."
        )
    if isinstance(X, list | tuple) and X and _n_axes(X[0]) in (2, 3):
        X = _stacked([np.asarray(image) for image in X], caller)
    ndim = getattr(X, "ndim", 0)
    if ndim not in (3, 4):
        return None
    array = np.asarray(X)
    if ndim == 4 or array.dtype == np.uint8:
        return array
    return array if grey_floats and array.dtype.kind == "f" else None


def _n_axes(item) -> int:
    try:
        return np.ndim(item)
    except ValueError:  # a list of lists that differ in length
        return 0


def _stacked(items: list[np.ndarray], caller: str) -> np.ndarray | None:
    """One array of a list of images; None where they need not be images."""
    first = items[0]
    other = next((item for item in items if item.shape != first.shape), None)
    if other is None:
        return np.stack(items)
    if first.ndim == 2 and first.dtype != np.uint8:
        return None
    raise ValueError(
        f"{caller}: X is a list of images of different shapes, such as {first.shape} "
        f"and {other.shape}: bring them to one, or pass their files, as in "
        "skfair_runner.images.LazyImages(files, size=64)."
    )


def _find_channels(array: np.ndarray, caller: str) -> str:
    """Where the channels of an array of four axes are."""
    found = apparent_channels(array.shape[1:])
    if found is not None:
        return found
    # Maps of a network have any number of channels, first as everywhere in torch.
    if array.shape[1] not in KNOWN_CHANNELS and array.dtype != np.uint8:
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
