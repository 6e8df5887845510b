"""CelebA, photographs of celebrities with forty attributes."""

import numpy as np
import pandas as pd

from ._bunch import make_image_bunch
from ._image_files import check_choice, find_files, open_images

CELEBA_URL = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"

_ATTRIBUTES, _PARTITION = "list_attr_celeba.txt", "list_eval_partition.txt"
_FOLDER = "img_align_celeba"
_SUBSETS = {"train": 0, "valid": 1, "test": 2}
_HOW = (
    "CelebA is for research that is not commercial, and is not downloaded: get the "
    "aligned photographs (a folder, or the zip archive as it is) and both lists by "
    f"hand, from the links on {CELEBA_URL}, and put them into that folder."
)

DESCR = """
CelebA
------
Photographs of celebrities, aligned and cropped, with forty attributes as judged by
people who looked at them.

Images: 202,599 in the published files, 178 × 218 pixels, brought to one size; a lazy
array that is read when it is used.
Target: 1 where an attribute is said to be present.
Favourable label: 1, by convention.
Sensitive features: one attribute or more, such as Male.

Source: Liu, Z., Luo, P., Wang, X. and Tang, X. (2015), Deep learning face attributes in
the wild, ICCV.
Terms: for research that is not commercial; see the project's page.
"""


def fetch_celeba(
    *,
    data_home=None,
    target="Attractive",
    sensitive="Male",
    subset="train",
    size=64,
    return_X_y=False,
):
    """Load CelebA: an attribute of faces, by other attributes.

    Nothing is downloaded. The folder ``celeba`` in the data home holds the published
    files: ``img_align_celeba`` (a folder, or the zip archive), ``list_attr_celeba.txt``
    and ``list_eval_partition.txt``, side by side or in the published folders ``Img``,
    ``Anno`` and ``Eval``.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder that holds one folder for each data set. None reads the environment
        variable ``SKFAIR_RUNNER_DATA``, then takes ``~/skfair_runner_data``.

    target : str, default="Attractive"
        The attribute that is predicted, such as "Wavy_Hair".

    sensitive : str or list of str, default="Male"
        Attributes that make the groups.

    subset : {"train", "valid", "test", "all"}, default="train"
        The published part that is loaded.

    size : int or tuple (height, width), default=64
        Size that the photographs are brought to; what is too much is cut off evenly.

    return_X_y : bool, default=False
        Whether ``(data, target)`` is returned instead of a Bunch.

    Returns
    -------
    bunch : Bunch
        Entries as documented by `make_biased_digits`, but for `digits`; `data` is a
        :class:`~skfair_runner.images.LazyImages`, and a group is called by the
        attribute, or ``"not"`` and the attribute. And

        attributes : DataFrame of shape (n_samples, n_attributes)
            All attributes, 1 where present and else 0.
        partition : Series of shape (n_samples,)
            The published part that each image is in.

    Raises
    ------
    FileNotFoundError
        If a file is absent; the message says how to obtain it.

    ImportError
        If Pillow is not installed.

    ValueError
        If a parameter is out of range, an attribute is unknown, or target and group, or
        the lists do not name the same images.

    See Also
    --------
    make_biased_digits : Documents the entries of the Bunch.

    Examples
    --------
    >>> from skfair_runner.datasets import fetch_celeba
    >>> faces = fetch_celeba(target="Wavy_Hair")  # doctest: +SKIP
    >>> faces.target_names  # doctest: +SKIP
    ['not Wavy_Hair', 'Wavy_Hair']
    """
    check_choice("fetch_celeba", subset=(subset, (*_SUBSETS, "all")))
    attributes_at, partition_at, place = find_files(
        "celeba",
        data_home,
        [
            (*lists, f"{images}{ending}")
            for *lists, images in (
                (_ATTRIBUTES, _PARTITION, _FOLDER),
                (f"Anno/{_ATTRIBUTES}", f"Eval/{_PARTITION}", f"Img/{_FOLDER}"),
            )
            for ending in ("", ".zip")
        ],
        _HOW,
    )
    attributes, partition = _read_lists(attributes_at, partition_at)
    sensitive = [sensitive] if isinstance(sensitive, str) else list(sensitive)
    for name in [target, *sensitive]:
        if name not in attributes:
            raise ValueError(
                f"fetch_celeba: {name!r} is no attribute of CelebA; there are "
                f"{attributes.columns.tolist()}."
            )
    if target in sensitive:
        raise ValueError(
            f"fetch_celeba: {target!r} is the target and among the sensitive "
            f"attributes {sensitive}, so that a group has one label only: choose "
            "another attribute for one of them."
        )
    if subset != "all":
        attributes = attributes[partition == _SUBSETS[subset]]
        partition = partition[partition == _SUBSETS[subset]]
    names = attributes.index
    if not place.is_dir():
        names = [f"{_FOLDER}/{name}" for name in names]
    attributes = attributes.reset_index(drop=True)
    parts = {code: name for name, code in _SUBSETS.items()}
    groups = {
        name: np.where(attributes[name] == 1, name, f"not {name}") for name in sensitive
    }
    return make_image_bunch(
        open_images(names, place, size),
        attributes[target],
        pd.DataFrame(groups),
        target_names=[f"not {target}", target],
        favourable_label=1,
        default_sensitive=sensitive[0],
        descr=DESCR,
        return_X_y=return_X_y,
        attributes=attributes,
        partition=partition.map(parts).reset_index(drop=True).rename("partition"),
    )


def _read_lists(attributes_at, partition_at):
    """Attributes as 0 and 1, and the part of each image, by name of the image."""
    # The first line is the number of images; the second has one name fewer than a row.
    attributes = pd.read_csv(attributes_at, sep=r"\s+", skiprows=1, index_col=0)
    partition = pd.read_csv(
        partition_at, sep=r"\s+", header=None, index_col=0, names=["file", "part"]
    )["part"]
    if not attributes.isin([-1, 1]).all(axis=None):
        raise ValueError(
            f"{str(attributes_at)!r} holds other values than -1 and 1: this is not the "
            f"list of attributes that is published at {CELEBA_URL}."
        )
    if not attributes.index.equals(partition.index):
        raise ValueError(
            f"{str(attributes_at)!r} names {len(attributes)} images and "
            f"{str(partition_at)!r} {len(partition)}, and not the same ones in one "
            f"order: get both from {CELEBA_URL}."
        )
    return (attributes > 0).astype(np.int64), partition
