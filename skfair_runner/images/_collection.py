"""Arrays of images that are sliced without being read or copied."""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager, nullcontext
from numbers import Integral

import numpy as np

CHANNELS = ("first", "last")
# Numbers of channels by which an axis is known: grey, colours, colours with alpha.
KNOWN_CHANNELS = (1, 3, 4)
# Images are larger than the maps at the end of a network, such as 64 × 3 × 3.
_LEAST_SIDE = 5


def check_dtype(dtype: np.dtype, what: str) -> None:
    """Refuse pixels whose range nobody could know.

    Parameters
    ----------
    dtype : dtype
        Of the pixels.

    what : str
        What holds them, which begins the message.

    Raises
    ------
    TypeError
        Unless they are uint8 or float.

    Examples
    --------
    >>> check_dtype(np.dtype("uint8"), "X")
    """
    if dtype != np.uint8 and dtype.kind != "f":
        raise TypeError(
            f"{what} holds pixels of type {dtype}; they must be uint8, from 0 to 255, "
            "or float: convert them, as in X.astype('uint8')."
        )


def apparent_channels(image_shape: tuple[int, ...]) -> str | None:
    """Where the channels of an image of three axes are, as far as its shape tells.

    Parameters
    ----------
    image_shape : tuple of int
        Shape of one image.

    Returns
    -------
    channels : {"first", "last"} or None
        None where both or neither could be.

    Examples
    --------
    >>> apparent_channels((64, 64, 3)), apparent_channels((3, 64, 64))
    ('last', 'first')
    >>> apparent_channels((3, 4, 3)) is None
    True
    """
    one, two, three = image_shape
    first, last = one in KNOWN_CHANNELS, three in KNOWN_CHANNELS
    if first and not last:
        return "first"
    if last and not first and min(one, two) >= _LEAST_SIDE:
        return "last"
    return None


class Images:
    """Base of arrays of images: sliced like an array, read when it is asked for.

    A list or array of rows, a slice or a mask gives another such object, which shares
    what this one rests on and reads nothing; so scikit-learn's splits cost no memory. A
    single row, ``numpy.asarray`` and :meth:`load` give pixels.

    Parameters
    ----------
    n_images : int
        Number of images.

    image_shape : tuple of int
        Shape of one image.

    dtype : dtype
        Type of the pixels: uint8 or float.

    channels : {"first", "last"}
        Whether an image is (channels, height, width) or (height, width, channels).
    """

    ndim = 4

    def __init__(self, n_images, image_shape, dtype, channels):
        if channels not in CHANNELS:
            raise ValueError(
                f"{type(self).__name__}: channels={channels!r} must be one of "
                f"{list(CHANNELS)}."
            )
        check_dtype(np.dtype(dtype), type(self).__name__)
        self.image_shape, self.dtype = tuple(image_shape), np.dtype(dtype)
        self.channels = channels
        self.rows = np.arange(n_images)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of images, and the shape of one."""
        return (len(self.rows), *self.image_shape)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype}, "
            f"channels={self.channels!r})"
        )

    def __getitem__(self, key):
        if isinstance(key, tuple):  # scikit-learn asks for images[rows, ...]
            if len(key) != 2 or key[1] is not Ellipsis:
                raise IndexError(
                    f"{type(self).__name__} is sliced by images alone, not by pixels; "
                    f"got {key!r}: read them first, as in numpy.asarray(images)."
                )
            key = key[0]
        if isinstance(key, Integral):
            return self.read(self.rows[[key]])[0]
        part = copy.copy(self)
        part.rows = self.rows[_as_index(key)]
        return part

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError(
                f"{type(self).__name__} is read into a new array, which copy={copy} "
                "forbids: leave `copy` out."
            )
        return self.load(slice(None)).astype(dtype or self.dtype, copy=False)

    def load(self, index) -> np.ndarray:
        """Pixels of some images.

        Parameters
        ----------
        index : slice or ndarray of int or bool
            Which images.

        Returns
        -------
        pixels : ndarray of shape (n_chosen, ...)
            In the layout that `channels` says.
        """
        return self.read(self.rows[index])

    def opened(self) -> AbstractContextManager:
        """What a fit or prediction enters, and leaves when it no longer reads.

        Returns
        -------
        context : context manager
            Does nothing, unless something must be started to read.
        """
        return nullcontext()

    def identity(self) -> list:
        """What tells these images from others, for a digest.

        Returns
        -------
        parts : list
            Where the pixels are in memory, shape and pixels. Of lazy images, whatever
            need not be decoded: of members of an archive their names, lengths and
            checksums, which the archive lists; of files their names, lengths and times
            of last change; of a data set 32 images, evenly spaced.

        Examples
        --------
        >>> ImageArray(np.zeros((9, 4, 4, 3), "uint8"), "last")[:5].identity()[0]
        ((5, 4, 4, 3), 'last')
        """
        return [(self.shape, self.channels), self.load(slice(None))]

    def read(self, rows) -> np.ndarray:
        """Pixels of some rows of what all slices rest on.

        Parameters
        ----------
        rows : ndarray of int
            Not counted from the slice, but from the whole.

        Returns
        -------
        pixels : ndarray of shape (n_rows, ...)
            Of `dtype`.
        """
        raise NotImplementedError


def _as_index(key):
    """What numpy indexes by; an empty list would be one of floats."""
    if isinstance(key, slice):
        return key
    index = np.asarray(key)
    return index if index.size else index.astype(int)


class ImageArray(Images):
    """Images in memory, or in a memory map, that say where their channels are.

    Arrays can be passed to ``fit`` as they are; this is for those of which nobody can
    tell where the channels are, such as 4 × 4 pixels of 3 channels.

    Parameters
    ----------
    array : array-like of shape (n_images, channels, height, width) or \
            (n_images, height, width, channels)
        Pixels, uint8 or float. Not copied.

    channels : {"first", "last"}
        Which of the two it is.

    Raises
    ------
    TypeError
        If the pixels are neither uint8 nor float.

    ValueError
        If the array has another number of axes, or `channels` is unknown.

    See Also
    --------
    LazyImages : Images that are read from files when they are needed.

    Examples
    --------
    >>> from skfair_runner.images import ImageArray
    >>> images = ImageArray(np.zeros((9, 4, 4, 3), dtype="uint8"), channels="last")
    >>> images[[0, 5]]
    ImageArray(shape=(2, 4, 4, 3), dtype=uint8, channels='last')
    >>> images[0].shape
    (4, 4, 3)
    """

    def __init__(self, array, channels):
        array = np.asarray(array)
        if array.ndim != 4:
            raise ValueError(
                "ImageArray takes an array of four axes, images, height, width and "
                f"channels, but got one of shape {array.shape}: add what is missing, "
                "as in array[..., None] for grey images."
            )
        super().__init__(len(array), array.shape[1:], array.dtype, channels)
        self.array = array

    def read(self, rows) -> np.ndarray:
        """Pixels of some rows of the array.

        Parameters
        ----------
        rows : ndarray of int
            Rows of the whole array.

        Returns
        -------
        pixels : ndarray of shape (n_rows, ...)
            A copy.
        """
        return self.array[rows]
