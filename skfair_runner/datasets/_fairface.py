"""FairFace, photographs of faces with age band, gender and race."""

import numpy as np
import pandas as pd

from ._bunch import make_image_bunch
from ._image_files import check_choice, find_files, open_images

FAIRFACE_URL = "https://github.com/joojs/fairface"

_COLUMNS = ["file", "age", "gender", "race"]
# First year of each band, as it is written in the file.
_BANDS = {
    "0-2": 0,
    "3-9": 3,
    "10-19": 10,
    "20-29": 20,
    "30-39": 30,
    "40-49": 40,
    "50-59": 50,
    "60-69": 60,
    "more than 70": 70,
}
_LABELS = [("labels.csv",), ("fairface_label_train.csv", "fairface_label_val.csv")]
_IMAGES = [
    ("fairface_64x64.zip",),
    ("fairface-img-margin025-trainval.zip",),
    ("train", "val"),
]
_HOW = (
    f"It is not downloaded: get the photographs and labels by hand, from the links on "
    f"{FAIRFACE_URL}, and put them into that folder."
)

DESCR = """
FairFace
--------
Photographs of faces, balanced over seven groups of race, with age band and gender as
judged by people who looked at them.

Images: those of the files at hand, in the published order, brought to one size; a
lazy array that is read when it is used.
Target: 1 for an age of at least 40 years (or another first year of a band), or 1 for
"Female" if the gender is predicted. Both are a judgement of appearance.
Favourable label: 1, by convention: neither label is better to receive.
Sensitive features: race (seven groups), and gender or the age band, whichever is not
predicted.

Source: Karkkainen, K. and Joo, J. (2021), FairFace: Face attribute dataset for balanced
race, gender, and age for bias measurement and mitigation, WACV.
Terms: Creative Commons Attribution 4.0 (CC BY 4.0).
"""


def fetch_fairface(
    *,
    data_home=None,
    target="age",
    age_from=40,
    subset="train",
    size=64,
    return_X_y=False,
):
    """Load FairFace: age or gender of faces, by race and gender or age band.

    Nothing is downloaded. The folder ``fairface`` in the data home holds labels and
    photographs under their published names, or a smaller copy, ``labels.csv`` and
    ``fairface_64x64.zip``.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder that holds one folder for each data set. None reads the environment
        variable ``SKFAIR_RUNNER_DATA``, then takes ``~/skfair_runner_data``.

    target : {"age", "gender"}, default="age"
        What is predicted.

    age_from : {3, 10, 20, 30, 40, 50, 60, 70}, default=40
        Years from which on the age has label 1.

    subset : {"train", "val", "all"}, default="train"
        The published part that is loaded.

    size : int or tuple (height, width), default=64
        Size that the photographs are brought to.

    return_X_y : bool, default=False
        Whether ``(data, target)`` is returned instead of a Bunch.

    Returns
    -------
    bunch : Bunch
        Entries as documented by `make_biased_digits`, but for `digits`; `data` is a
        :class:`~skfair_runner.images.LazyImages`. And

        partition : Series of shape (n_samples,)
            The published part that each image is in, "train" or "val".

    Raises
    ------
    FileNotFoundError
        If labels or photographs are absent; the message says how to obtain them.

    ImportError
        If Pillow is not installed.

    ValueError
        If a parameter is out of range, or the labels are not the published ones.

    See Also
    --------
    make_biased_digits : Documents the entries of the Bunch.

    Examples
    --------
    >>> from skfair_runner.datasets import fetch_fairface
    >>> faces = fetch_fairface(target="gender")  # doctest: +SKIP
    >>> X, y = faces.data, faces.target  # doctest: +SKIP
    >>> groups = faces.sensitive_features["race"]  # doctest: +SKIP
    """
    check_choice(
        "fetch_fairface",
        target=(target, ("age", "gender")),
        age_from=(age_from, tuple(_BANDS.values())[1:]),
        subset=(subset, ("train", "val", "all")),
    )
    table = _read_labels(find_files("fairface", data_home, _LABELS, _HOW))
    place = find_files("fairface", data_home, _IMAGES, _HOW)[0]
    if place.name == "train":
        place = place.parent
    partition = table["file"].str.partition("/")[0].rename("partition")
    if subset != "all":
        table = table[partition == subset].reset_index(drop=True)
        partition = partition[partition == subset].reset_index(drop=True)
    if target == "age":
        labels, other = table["age"].map(_BANDS) >= age_from, "gender"
        names = [f"younger than {age_from}", f"{age_from} or older"]
    else:
        labels, other = table["gender"] == "Female", "age"
        names = ["Male", "Female"]
    return make_image_bunch(
        open_images(table["file"], place, size),
        labels.astype(np.int64).rename(target),
        table[["race", other]],
        target_names=names,
        favourable_label=1,
        default_sensitive="race",
        descr=DESCR,
        return_X_y=return_X_y,
        partition=partition,
    )


def _read_labels(paths):
    """Labels of all images, checked."""
    parts = [pd.read_csv(path) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        absent = [name for name in _COLUMNS if name not in part]
        if absent:
            raise ValueError(
                f"{str(path)!r} has no column {absent[0]!r}; the labels of FairFace "
                f"have {_COLUMNS}. Get them from {FAIRFACE_URL}."
            )
    table = pd.concat(parts, ignore_index=True)[_COLUMNS]
    unknown = table["age"][~table["age"].isin(list(_BANDS))].unique().tolist()
    unknown += table["gender"][~table["gender"].isin(["Female", "Male"])].tolist()
    if unknown:
        raise ValueError(
            f"{str(paths[0])!r} holds {unknown[0]!r}, which is neither an age band of "
            f"FairFace, {list(_BANDS)}, nor 'Female' or 'Male'. Get the labels from "
            f"{FAIRFACE_URL}."
        )
    return table
