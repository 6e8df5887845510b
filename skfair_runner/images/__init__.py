"""Images as data: in arrays, and read from files, archives or data sets when needed."""

from ._collection import ImageArray, Images
from ._lazy import LazyImages
from ._source import ImageSource, opened, read_images

__all__ = ["ImageArray", "ImageSource", "Images", "LazyImages", "opened", "read_images"]
