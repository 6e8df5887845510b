"""Where the files of a data set lie, and how they are found, fetched and checked."""

import os
import shutil
import tempfile
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from gzip import BadGzipFile
from pathlib import Path

import pandas as pd

from skfair_runner.utils import import_optional

DATA_HOME_VARIABLE = "SKFAIR_RUNNER_DATA"


@dataclass(frozen=True)
class DataFile:
    """One published file: its address, and what a copy of it must look like.

    Attributes
    ----------
    dataset : str
        Name of the data set, and of its folder in the data home.

    name : str
        Name of the file in that folder.

    url : str
        Where it is published. An address ending in ``.zip`` is an archive that
        holds a member called `name`.

    sha256 : str
        Of the file as published, uncompressed. Downloads are held to it.

    n_rows : int
        Data rows, without the header and blank lines.

    columns : tuple of str
        Columns to read, in this order. A file with a header may have others; a
        file without one must have exactly so many.

    numeric : frozenset of str
        Those of `columns` that hold numbers.

    header : bool, default=True
        Whether the first line names the columns.

    sep : str, default=","
        Separator of the fields.

    comment : str or None, default=None
        Character that opens a comment.
    """

    dataset: str
    name: str
    url: str
    sha256: str
    n_rows: int
    columns: tuple[str, ...]
    numeric: frozenset[str]
    header: bool = True
    sep: str = ","
    comment: str | None = None


def get_data_home(data_home=None):
    """Folder in which the data sets lie, one folder for each.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        The folder. None reads the environment variable ``SKFAIR_RUNNER_DATA``,
        and where that is unset or empty takes ``~/skfair_runner_data``.

    Returns
    -------
    data_home : Path
        The folder, with ``~`` expanded. It need not exist.

    Examples
    --------
    >>> from skfair_runner.datasets import get_data_home
    >>> get_data_home("shelf/data").as_posix()
    'shelf/data'
    """
    chosen = data_home or os.environ.get(DATA_HOME_VARIABLE) or "~/skfair_runner_data"
    return Path(chosen).expanduser()


def read_data_file(file, *, data_home, download_if_missing):
    """Read a file from the data home, after a download where it is absent.

    A local copy may be plain or end in ``.gz``. It is held to its columns and
    number of rows, not to the checksum: lines may have been ended otherwise and
    unused columns left out.

    Parameters
    ----------
    file : DataFile
        The file to read.

    data_home : str, path-like or None
        See `get_data_home`.

    download_if_missing : bool
        Whether an absent file is downloaded.

    Returns
    -------
    frame : DataFrame of shape (file.n_rows, len(file.columns))
        Text is stripped on the left; ``?`` and empty fields are missing values.

    Raises
    ------
    FileNotFoundError
        If the file is absent and `download_if_missing` is False.

    OSError
        If the download fails or does not have the checksum.

    ValueError
        If the file cannot be parsed, or its columns, their types or the number
        of rows are not those of `file`.
    """
    folder = get_data_home(data_home) / file.dataset
    path = _find(file, folder)
    if path is None:
        if not download_if_missing:
            raise FileNotFoundError(
                f"{file.name!r} of the {file.dataset} data is not in {str(folder)!r}, "
                "neither plain nor as .gz, and download_if_missing=False. "
                + _how_to_get(file, folder)
            )
        path = _download(file, folder)
    return _parse(file, path)


def recode(column, codes, *, dataset):
    """Replace the published codes of a column.

    Parameters
    ----------
    column : Series of shape (n_samples,)
        Published codes.

    codes : dict
        New value of each published code.

    dataset : str
        Name of the data set, for the error.

    Returns
    -------
    recoded : Series of shape (n_samples,)
        Same index and name.

    Raises
    ------
    ValueError
        If the column holds anything that `codes` lacks.
    """
    unknown = column[~column.isin(list(codes))].unique().tolist()
    if unknown:
        raise ValueError(
            f"Column {column.name!r} of the {dataset} data may hold {list(codes)}, "
            f"but holds {unknown[:5]}: this is not the published file."
        )
    return column.map(codes)


def _find(file, folder):
    for candidate in (folder / file.name, folder / f"{file.name}.gz"):
        if candidate.is_file():
            return candidate
    return None


def _how_to_get(file, folder):
    member = f" (it is in that archive as {file.name})" if _is_archive(file) else ""
    return (
        f"Get it from {file.url}{member} and put it into that folder, or name another "
        f"folder that has {file.dataset}/{file.name} by data_home= or the environment "
        f"variable {DATA_HOME_VARIABLE}."
    )


def _is_archive(file):
    return file.url.endswith(".zip")


def _download(file, folder):
    """Fetch the file into `folder`; nothing is left there unless it is right."""
    pooch = import_optional(
        "pooch", extra="data", purpose=f"Downloading the {file.dataset} data"
    )
    target = folder / file.name
    absent = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            fetched = pooch.retrieve(
                file.url,
                known_hash=None if _is_archive(file) else f"sha256:{file.sha256}",
                fname=file.url.rpartition("/")[2],
                path=scratch,
            )
            if _is_archive(file):
                fetched = _extract(fetched, file.name, scratch)
                _check_hash(pooch.file_hash(fetched), file)
            shutil.move(fetched, target)
    # An archive without the member is a KeyError, a wrong checksum a ValueError.
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise OSError(
            f"{file.name!r} of the {file.dataset} data could not be fetched into "
            f"{str(folder)!r}: {error} " + _how_to_get(file, folder)
        ) from error
    finally:
        if not target.exists():
            with suppress(OSError):  # not empty: others use it by now
                for path in absent:
                    path.rmdir()
    return target


def _extract(archive, member, folder):
    with zipfile.ZipFile(archive) as opened:
        return opened.extract(member, folder)


def _check_hash(found, file):
    if found != file.sha256:
        raise ValueError(
            f"{file.name!r} in {file.url} has the SHA-256 hash {found} where "
            f"{file.sha256} is expected."
        )


def _parse(file, path):
    try:
        frame = pd.read_csv(
            path,
            sep=file.sep,
            header=0 if file.header else None,
            usecols=file.columns.__contains__ if file.header else None,
            comment=file.comment,
            na_values="?",
            skipinitialspace=True,
        )
    # Text that is not a table, bytes that are not text, a damaged .gz.
    except (ValueError, EOFError, BadGzipFile, zlib.error) as error:
        raise ValueError(_refusal(file, path, f"cannot be read: {error}")) from error
    if file.header:
        absent = [name for name in file.columns if name not in frame.columns]
        if absent:
            raise ValueError(_refusal(file, path, f"lacks the columns {absent}"))
        frame = frame[list(file.columns)]
    elif frame.shape[1] != len(file.columns):
        found = f"has {frame.shape[1]} columns where {len(file.columns)} are expected"
        raise ValueError(_refusal(file, path, found))
    else:
        frame.columns = list(file.columns)
    if len(frame) != file.n_rows:
        found = f"has {len(frame)} rows where {file.n_rows} are expected"
        raise ValueError(_refusal(file, path, found))
    for name in file.columns:
        if name in file.numeric and not pd.api.types.is_numeric_dtype(frame[name]):
            found = f"holds text in the numeric column {name!r}"
            raise ValueError(_refusal(file, path, found))
    return frame


def _refusal(file, path, found):
    return (
        f"{str(path)!r} {found}: this is not {file.name!r} of the {file.dataset} data "
        f"as published at {file.url}. Remove it to have it downloaded again."
    )
