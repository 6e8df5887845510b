"""Files that are either written in full or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO, Any


@contextmanager
def atomic_write(path: str | os.PathLike, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a file that takes its place only once it is complete.

    What is written goes to a temporary file in the same folder, which replaces
    `path` at the end of the ``with`` block. If the block raises, `path` stays
    as it was and the temporary file is removed.

    Parameters
    ----------
    path : str or path-like
        File to write. Its folder must exist. A symbolic link is followed. An
        existing file keeps its permissions.

    mode : {"wb", "w"}, default="wb"
        Bytes, or text in UTF-8 with line ends as written.

    Yields
    ------
    file : file object
        Open for writing.

    Raises
    ------
    ValueError
        If `mode` is neither ``"wb"`` nor ``"w"``.

    FileNotFoundError
        If the folder of `path` does not exist.

    NotADirectoryError
        If it is a file.

    IsADirectoryError
        If `path` is a folder.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skfair_runner.utils import atomic_write
    >>> with TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder, "note.txt"), "w") as file:
    ...         _ = file.write("done")
    ...     Path(folder, "note.txt").read_text()
    'done'
    """
    if mode not in {"wb", "w"}:
        raise ValueError(f"atomic_write: `mode` must be 'wb' or 'w', got {mode!r}.")
    target = Path(os.path.realpath(path))
    _check_place(target, os.fspath(path))
    temporary = target.with_name(f".{token_hex(8)}.tmp")
    text: dict[str, Any] = {} if mode == "wb" else {"encoding": "utf-8", "newline": ""}
    try:
        # "x" never writes into somebody else's file, and permissions are those that
        # any new file gets.
        with open(temporary, mode.replace("w", "x"), **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _check_place(target: Path, path: str | bytes) -> None:
    """Refuse a place where no file can be, in words about what was asked for."""
    folder = target.parent
    which = f"the folder {os.fspath(folder)!r} of {path!r}"
    if not folder.exists():
        raise FileNotFoundError(f"{which} does not exist: make it first.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{which} is a file: choose another folder.")
    if target.is_dir():
        raise IsADirectoryError(f"{path!r} is a folder: name a file in it.")
