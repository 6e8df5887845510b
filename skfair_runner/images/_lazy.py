"""Images that are read from files, an archive or a torch data set when needed.

Files are decoded by threads of the same process. The decoders of Pillow release the
interpreter's lock, so that threads work side by side as processes would; they share the
batch that they fill, where processes would have to send every image back, and they
start in a joblib worker as well. Processes are for what holds the lock: transforms in
Python, such as those of many a torch data set.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import joblib
import numpy as np
from torch.utils.data import IterableDataset

from skfair_runner.utils import import_optional

from ._collection import Images, apparent_channels
from ._files import PlainFiles, ZipMembers
from ._processes import DecodingProcesses

_CHANNELS_OF_MODE = {"RGB": 3, "L": 1}
_FITS = ("crop", "stretch")
_WORKERS = ("threads", "processes")
# More threads than this wait for the interpreter's lock.
_MOST_WORKERS = 8
# Images of a data set by which it is told from others.
_LOOKED_AT = 32


class LazyImages(Images):
    """Images that are decoded when a batch needs them; never all at once.

    Slicing, as scikit-learn's splits do, reads nothing. A network that trains on it
    gets its next batch decoded while it works on the present one.

    Parameters
    ----------
    files : sequence of str or path-like
        Paths of image files; with `archive`, names of its members.

    archive : str or path-like, default=None
        A zip archive that holds the files.

    size : int, tuple (height, width) or None, default=None
        Size that every image is brought to; an int makes squares. None takes the size
        of the first file, which is opened for it, and refuses others.

    fit : {"crop", "stretch"}, default="crop"
        How another shape is brought to `size`: by cutting off what is too much, evenly
        on both sides, or by distortion.

    mode : {"RGB", "L"}, default="RGB"
        Three channels, or one of grey.

    n_workers : int or None, default=None
        Threads or processes that decode a batch; None takes one per processor, at most
        8.

    decode_with : {"threads", "processes"}, default="threads"
        Processes start when a fit or prediction begins and end with it; outside of
        these this process decodes by itself.

    Raises
    ------
    FileNotFoundError
        If there is no archive, or it has no such member; and, when a batch is read, if
        there is no such file.

    ImportError
        If Pillow is not installed.

    TypeError
        If `files` is one path, or has no length.

    ValueError
        If a parameter is out of range; and, when a batch is read, if a file is no
        image, or not of the expected size.

    See Also
    --------
    ImageArray : Images that are in memory.

    Examples
    --------
    >>> from skfair_runner.images import LazyImages
    >>> faces = LazyImages(["1.jpg", "2.jpg"], size=64)
    >>> faces.shape
    (2, 64, 64, 3)
    >>> faces[[1]]  # reads nothing
    LazyImages(shape=(1, 64, 64, 3), dtype=uint8, channels='last')
    """

    def __init__(
        self,
        files: Sequence,
        *,
        archive=None,
        size: int | tuple[int, int] | None = None,
        fit: str = "crop",
        mode: str = "RGB",
        n_workers: int | None = None,
        decode_with: str = "threads",
    ):
        if isinstance(files, str | os.PathLike) or not hasattr(files, "__len__"):
            raise TypeError(
                f"LazyImages: files={files!r} must be a sequence of paths in the order "
                "of the labels, as in sorted(pathlib.Path(folder).glob('*.jpg'))."
            )
        if len(files) == 0:
            raise ValueError(f"LazyImages got {len(files)} files: pass one or more.")
        for name, value, known in (
            ("fit", fit, list(_FITS)),
            ("mode", mode, list(_CHANNELS_OF_MODE)),
            ("decode_with", decode_with, list(_WORKERS)),
        ):
            if value not in known:
                raise ValueError(
                    f"LazyImages: {name}={value!r} must be one of {known}."
                )
        paths = PlainFiles(files) if archive is None else ZipMembers(files, archive)
        reader = _FileReader(paths, _as_size(size), fit, mode)
        n_workers = _count_workers(n_workers)
        self._begin(reader, len(files), "last", n_workers, decode_with)

    @classmethod
    def from_dataset(cls, dataset, *, n_workers: int | None = None) -> LazyImages:
        """Take the images of a torch data set.

        Parameters
        ----------
        dataset : torch.utils.data.Dataset
            With a length. An item is an image, or a tuple that begins with one: a
            tensor (channels, height, width), an array or Pillow image (height, width)
            or (height, width, channels). Where the shape says otherwise, as (3, 64, 64)
            of an array does, it is believed. All are of one size; the first is read
            now.

        n_workers : int or None, default=None
            Processes that ask for items during a fit or prediction; each has a copy of
            the data set. None asks for them one by one in this process.

        Returns
        -------
        images : LazyImages
            Its images in order; labels and groups are passed to ``fit`` apart. There
            are no threads, since a data set need not stand them.

        Raises
        ------
        TypeError
            If the data set has no length or rows, or the first image's pixels are
            neither uint8 nor float.

        ValueError
            If the first item has no image, or `n_workers` is no positive number; and,
            when a batch is read, if an image is not of the first one's shape, or holds
            NaN or infinity.

        Examples
        --------
        >>> import torch
        >>> from torch.utils.data import TensorDataset
        >>> dataset = TensorDataset(torch.zeros(5, 3, 8, 8), torch.arange(5))
        >>> LazyImages.from_dataset(dataset)
        LazyImages(shape=(5, 3, 8, 8), dtype=float32, channels='first')
        """
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")) or (
            isinstance(dataset, IterableDataset)
        ):
            raise TypeError(
                "LazyImages.from_dataset needs a data set with a length, whose items "
                f"are asked for by row, but a {type(dataset).__name__} is none: write "
                "the images to files, or read them into an array."
            )
        images = cls.__new__(cls)
        reader = _DatasetReader(dataset)
        decode_with = "threads" if n_workers is None else "processes"
        n_workers = 1 if n_workers is None else _count_workers(n_workers)
        images._begin(reader, len(dataset), reader.channels, n_workers, decode_with)
        return images

    def _begin(self, reader, n_images, channels, n_workers, decode_with):
        super().__init__(n_images, reader.image_shape, reader.dtype, channels)
        self._reader, self.n_workers = reader, n_workers
        self.decode_with = decode_with
        # Slices share the processes.
        self._processes = DecodingProcesses(reader, n_workers)

    def opened(self) -> AbstractContextManager:
        """Keep processes that decode while the block runs, where there are to be any.

        Returns
        -------
        context : context manager
            Entered by every fit and prediction; ends the processes however it is left,
            once all who entered have left.
        """
        if self.decode_with == "threads":
            return nullcontext()
        return self._processes.opened()

    def identity(self) -> list:
        """What tells these images from others; no file is decoded for it.

        Returns
        -------
        parts : list
            As of :meth:`Images.identity`.
        """
        layout = (self.shape, self.channels, str(self.dtype))
        return [layout, *self._reader.identity(self.rows)]

    def read(self, rows) -> np.ndarray:
        """Decode some of the files.

        Parameters
        ----------
        rows : ndarray of int
            Places among all files.

        Returns
        -------
        pixels : ndarray of shape (n_rows, ...)
            In the order of the rows.
        """
        pixels = np.empty((len(rows), *self.image_shape), self.dtype)
        if self._processes.running:
            self._processes.fill(pixels, rows)
            return pixels
        self._reader.prepare()

        def fill(places):
            for place in places:
                pixels[place] = self._reader.read(int(rows[place]))

        n_workers = min(self.n_workers, len(rows))
        if n_workers < 2 or self.decode_with == "processes":
            fill(range(len(rows)))
            return pixels
        with ThreadPoolExecutor(n_workers) as threads:
            parts = [range(k, len(rows), n_workers) for k in range(n_workers)]
            # Going through the results raises what a thread raised.
            list(threads.map(fill, parts))
        return pixels


def _as_size(size) -> tuple[int, int] | None:
    if size is None:
        return None
    pair = (size, size) if isinstance(size, int | np.integer) else tuple(size)
    if len(pair) != 2 or not all(
        isinstance(s, int | np.integer) and s > 0 for s in pair
    ):
        raise ValueError(
            f"LazyImages: size={size!r} must be a positive integer or a pair of them, "
            "(height, width)."
        )
    return int(pair[0]), int(pair[1])


def _count_workers(n_workers) -> int:
    if n_workers is None:
        return min(joblib.cpu_count(), _MOST_WORKERS)
    if not isinstance(n_workers, int | np.integer) or n_workers < 1:
        raise ValueError(
            f"LazyImages: n_workers={n_workers!r} must be a positive integer, or None."
        )
    return int(n_workers)


class _FileReader:
    """Decodes files by Pillow, and brings them to one size."""

    dtype = np.uint8

    def __init__(self, files, size, fit, mode):
        self._files, self._fit, self._mode = files, fit, mode
        self._pillow()
        self._size, self._exact = size, size is None
        if size is None:
            self.prepare()
            self._size = size = self._decode(0).shape[:2]
        self.image_shape = (*size, _CHANNELS_OF_MODE[mode])

    def prepare(self) -> None:
        self._files.prepare()

    @staticmethod
    def _pillow():
        return import_optional("PIL.Image", extra="images", purpose="reading images")

    def _decode(self, row: int) -> np.ndarray:
        image_of = self._pillow()
        source = self._files.open(row)
        try:
            with image_of.open(source) as image:
                image = image.convert(self._mode)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{self._files.describe(row)}, image {row}, is not there: leave it "
                "out, or check the folder that the paths begin with."
            ) from error
        except (OSError, SyntaxError) as error:
            raise ValueError(
                f"{self._files.describe(row)}, image {row}, cannot be decoded: "
                f"{error}. Leave it out, or repair it."
            ) from error
        if self._size is not None and image.size != self._size[::-1]:
            if self._exact:
                raise ValueError(
                    f"{self._files.describe(row)}, image {row}, has {image.height} × "
                    f"{image.width} pixels, but the first has {self._size[0]} × "
                    f"{self._size[1]}: pass the size that all are brought to, as in "
                    "LazyImages(files, size=64)."
                )
            image = self._fitted(image)
        return np.asarray(image)

    def _fitted(self, image):
        height, width = self._size
        box = None
        if self._fit == "crop":
            scale = min(image.width / width, image.height / height)
            left = (image.width - scale * width) / 2
            top = (image.height - scale * height) / 2
            box = (left, top, left + scale * width, top + scale * height)
        how = self._pillow().Resampling.BILINEAR
        return image.resize((width, height), how, box=box)

    def read(self, row: int) -> np.ndarray:
        return self._decode(row).reshape(self.image_shape)

    def identity(self, rows) -> list:
        return [self._fit, self._mode, *self._files.identity(rows)]


class _DatasetReader:
    """Items of a torch data set."""

    def __init__(self, dataset):
        self._dataset = dataset
        image, self.channels = self._item(0)
        if image.ndim not in (2, 3):
            raise ValueError(
                "LazyImages.from_dataset: the first item holds no image of two or "
                f"three axes, but a {type(self._raw(0)).__name__} of shape "
                f"{image.shape}: let the data set return (image, label)."
            )
        grey = image.ndim == 2
        self._item_shape, self.dtype = image.shape, image.dtype
        self.image_shape = (*image.shape, 1) if grey else image.shape
        if grey:
            self.channels = "last"
        else:
            self.channels = apparent_channels(image.shape) or self.channels

    def prepare(self) -> None:
        pass

    def _raw(self, row: int) -> Any:
        item = self._dataset[row]
        return item[0] if isinstance(item, tuple | list) else item

    def _item(self, row: int) -> tuple[np.ndarray, str]:
        image = self._raw(row)
        tensor = hasattr(image, "numpy")
        array = image.numpy() if tensor else np.asarray(image)
        return array, "first" if tensor else "last"

    def read(self, row: int) -> np.ndarray:
        image, _ = self._item(row)
        if image.shape != self._item_shape or image.dtype != self.dtype:
            raise ValueError(
                f"Item {row} of the data set is {image.dtype} of shape {image.shape}, "
                f"but the first is {self.dtype} of shape {self._item_shape}: bring all "
                "to one size in the data set."
            )
        if self.dtype.kind == "f" and not np.isfinite(image).all():
            raise ValueError(
                f"Item {row} of the data set holds NaN or infinity: leave it out, or "
                "repair it."
            )
        return image.reshape(self.image_shape)

    def identity(self, rows) -> list:
        few = np.linspace(0, len(rows) - 1, min(len(rows), _LOOKED_AT)).astype(int)
        return [self.read(int(row)) for row in rows[few]]
