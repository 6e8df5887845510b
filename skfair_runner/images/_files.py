"""Where the bytes of images lie: files of their own, or members of a zip archive."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Sequence

import numpy as np


class PlainFiles:
    """Files by their paths.

    Parameters
    ----------
    names : sequence of str or path-like
        Paths.
    """

    def __init__(self, names: Sequence):
        self.names = tuple(os.fspath(name) for name in names)

    def prepare(self) -> None:
        """Nothing needs to be open."""

    def open(self, row: int):
        """What an image is decoded from."""
        return self.names[row]

    def describe(self, row: int) -> str:
        """The file, for messages."""
        return repr(self.names[row])

    def identity(self, rows) -> list:
        """Names of some files, and how long they are and when they were changed."""
        names = [self.names[row] for row in rows]
        found = [os.stat(name) for name in names]
        return [names, np.array([(each.st_size, each.st_mtime_ns) for each in found])]


class ZipMembers:
    """Members of one zip archive, which every process opens for itself.

    Parameters
    ----------
    names : sequence of str
        Members.

    archive : str or path-like
        The archive.

    Raises
    ------
    FileNotFoundError
        If there is no archive, or it has no such member.

    ValueError
        If the file is no zip archive.
    """

    def __init__(self, names: Sequence, archive):
        self.names, self.archive = tuple(map(str, names)), os.fspath(archive)
        self._handle: zipfile.ZipFile | None = None
        self._process: int | None = None
        self.prepare()
        assert self._handle is not None
        absent = set(self.names) - set(self._handle.namelist())
        if absent:
            first = next(name for name in self.names if name in absent)
            raise FileNotFoundError(
                f"{self.archive!r} has no member {first!r}; {len(absent)} of "
                f"{len(self.names)} names are not in it: names are paths inside of the "
                f"archive, such as {self._handle.namelist()[:1]}."
            )

    def __getstate__(self):
        # Neither another process nor a copy may move this one's place in the file.
        return {**vars(self), "_handle": None, "_process": None}

    def prepare(self) -> None:
        """Open the archive, unless this process has."""
        if self._process != os.getpid():
            try:
                self._handle = zipfile.ZipFile(self.archive)
            except zipfile.BadZipFile as error:
                raise ValueError(
                    f"archive={self.archive!r} is no zip archive, or was cut off: get "
                    "it again, or pass files of a folder without `archive`."
                ) from error
            self._process = os.getpid()

    def open(self, row: int):
        """What an image is decoded from; threads may ask at the same time."""
        assert self._handle is not None
        return io.BytesIO(self._handle.read(self.names[row]))

    def describe(self, row: int) -> str:
        """The member, for messages."""
        return f"{self.names[row]!r} of {self.archive!r}"

    def identity(self, rows) -> list:
        """Names of some members, and the lengths and checksums that are listed."""
        self.prepare()
        assert self._handle is not None
        names = [self.names[row] for row in rows]
        found = [self._handle.getinfo(name) for name in names]
        return [names, np.array([(each.file_size, each.CRC) for each in found])]
