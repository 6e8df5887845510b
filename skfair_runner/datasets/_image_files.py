"""Where the files of an image data set lie, which is never downloaded."""

from skfair_runner.images import LazyImages

from ._base import DATA_HOME_VARIABLE, get_data_home


def find_files(dataset, data_home, choices, how):
    """The first complete choice of files of a data set.

    Parameters
    ----------
    dataset : str
        Name of the data set, and of its folder in the data home.

    data_home : str, path-like or None
        See `get_data_home`.

    choices : list of tuple of str
        Names of files or folders that are needed together; earlier ones are preferred.

    how : str
        How to obtain them, for the error.

    Returns
    -------
    paths : tuple of Path
        In the order of the names.

    Raises
    ------
    FileNotFoundError
        If no choice is complete.
    """
    folder = get_data_home(data_home) / dataset
    for names in choices:
        paths = tuple(folder / name for name in names)
        if all(path.exists() for path in paths):
            return paths
    absent = [
        [name for name in names if not (folder / name).exists()] for names in choices
    ]
    least = min(map(len, absent))
    # Of what was begun, how it can be completed.
    wanted = ", or ".join(
        " and ".join(map(repr, names)) for names in absent if len(names) == least
    )
    raise FileNotFoundError(
        f"{str(folder)!r} holds no complete {dataset} data: it lacks {wanted}. {how} "
        "Another folder is named by data_home= or the environment variable "
        f"{DATA_HOME_VARIABLE}."
    )


def open_images(names, place, size):
    """Lazy images in a folder or a zip archive.

    Parameters
    ----------
    names : sequence of str
        Paths inside of it.

    place : Path
        The folder or the archive.

    size : int or tuple (height, width)
        Size that they are brought to.

    Returns
    -------
    images : LazyImages
        Nothing is decoded.
    """
    if place.is_dir():
        return LazyImages([place / name for name in names], size=size)
    return LazyImages(list(names), archive=place, size=size)


def check_choice(caller, **chosen):
    """Refuse a parameter that is not one of its choices.

    Parameters
    ----------
    caller : str
        Who asks; begins the message.

    **chosen : tuple (value, choices)
        By name of the parameter.

    Raises
    ------
    ValueError
        If a value is none of its choices.
    """
    for name, (value, choices) in chosen.items():
        if value not in choices:
            raise ValueError(
                f"{caller}: {name}={value!r} must be one of {list(choices)}."
            )
