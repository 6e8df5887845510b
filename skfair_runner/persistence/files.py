"""A model as a folder or a zip file of a few flat files, written as a whole."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from secrets import token_hex

from skfair_runner.utils import atomic_write

DOCUMENT = "model.json"
WEIGHTS = "weights.safetensors"
FORMAT = "skfair-runner model"
FORMAT_VERSION = 1
_OURS = re.compile(r"model\.json|weights\.safetensors|step_\d+\.skops")
# What else a user may hand in by mistake, by its first bytes or by a name in the zip.
_PICKLE = b"\x80"
_FOREIGN = {
    "schema.json": "It is a skops file: read it with skops.io.load.",
    "data.pkl": "It is a file of torch.save, which holds a pickle.",
}


def write_files(path: str | os.PathLike, files: dict[str, bytes]) -> None:
    """Write a model, all of it or nothing.

    Parameters
    ----------
    path : str or path-like
        A zip file where it ends in ".zip", else a folder.

    files : dict of str to bytes
        Contents by name.

    Raises
    ------
    FileExistsError
        If `path` is a file or folder that a model of ours must not replace.

    FileNotFoundError
        If the folder that it should stand in does not exist.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"save: there is no folder {target.parent} to write {target.name} into: "
            "create it first."
        )
    if target.suffix.lower() == ".zip":
        if target.is_dir():
            raise FileExistsError(
                f"save: {target} is a folder, where a zip file should be written: "
                "leave out the suffix .zip, or choose another name."
            )
        with atomic_write(target) as file, zipfile.ZipFile(file, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content, zipfile.ZIP_DEFLATED)
        return
    _check_replaceable(target)
    _write_folder(target, files)


def _check_replaceable(target: Path) -> None:
    """Refuse to replace what is not a model of ours."""
    if not target.exists():
        return
    if not target.is_dir():
        raise FileExistsError(
            f"save: {target} is a file, where a folder should be written: choose a "
            "name that is free, or one that ends in .zip for a single file."
        )
    names = sorted(entry.name for entry in target.iterdir())
    foreign = [name for name in names if not _OURS.fullmatch(name)]
    if names and not foreign:
        document = target / DOCUMENT
        if document.is_file() and _is_ours(document.read_bytes()):
            return
        foreign = names
    if foreign:
        raise FileExistsError(
            f"save: the folder {target} holds {foreign[0]!r}, which is not part of a "
            "saved model, and a folder is only replaced as a whole: choose a name that "
            "is free."
        )


def _is_ours(document: bytes) -> bool:
    try:
        content = json.loads(document)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def _write_folder(target: Path, files: dict[str, bytes]) -> None:
    """A folder beside the target takes its place once it is complete."""
    fresh = target.with_name(f".{token_hex(8)}.tmp")
    previous = target.with_name(f".{token_hex(8)}.old")
    try:
        fresh.mkdir()
        for name, content in files.items():
            with atomic_write(fresh / name) as file:
                file.write(content)
        if target.exists():
            # A folder with content cannot be replaced in one step.
            target.rename(previous)
        try:
            fresh.rename(target)
        except BaseException:
            if previous.exists():
                previous.rename(target)
            raise
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def read_files(path: str | os.PathLike) -> dict[str, bytes]:
    """Contents of a model's files; nothing is unpacked to disk.

    Parameters
    ----------
    path : str or path-like
        Folder or zip file.

    Returns
    -------
    files : dict of str to bytes
        By name; files that are not a model's are left out.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.

    ValueError
        If it is no model of ours, or a damaged or tampered one.
    """
    source = Path(path)
    if source.is_dir():
        files = {
            entry.name: entry.read_bytes()
            for entry in source.iterdir()
            if _OURS.fullmatch(entry.name) and entry.is_file()
        }
        names = [entry.name for entry in source.iterdir()]
    elif source.is_file():
        names, files = _read_zip(source)
    else:
        raise FileNotFoundError(
            f"load: there is neither a file nor a folder at {source}; save(model, path)"
            " writes one."
        )
    if DOCUMENT not in files:
        last = {PurePosixPath(name).name for name in names}
        hint = [text for name, text in _FOREIGN.items() if name in last]
        raise ValueError(
            f"load: {source} holds no {DOCUMENT}, so it is not a model that save "
            f"wrote. {' '.join(hint)}".rstrip()
        )
    if WEIGHTS not in files:
        raise ValueError(
            f"load: {source} holds no {WEIGHTS}, so the network's weights are missing: "
            "the copy is incomplete; save the model again."
        )
    return files


def _read_zip(source: Path) -> tuple[list[str], dict[str, bytes]]:
    """Names in a zip file, and the contents of those that are a model's."""
    if not zipfile.is_zipfile(source):
        with source.open("rb") as file:
            is_pickle = file.read(1) == _PICKLE
        hint = (
            " It looks like a pickle, which runs code when it is loaded: load never "
            "reads one."
        )
        raise ValueError(
            f"load: {source} is neither a folder nor a zip file, so it is not a model "
            f"that save wrote.{hint * is_pickle}"
        )
    try:
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
            unsafe = [name for name in names if _leaves_the_folder(name)]
            if unsafe:
                raise ValueError(
                    f"load: {source} holds the name {unsafe[0]!r}, which points out of "
                    "its folder: the file was tampered with, and is not read."
                )
            return names, {n: archive.read(n) for n in names if _OURS.fullmatch(n)}
    # What zipfile raises for broken, cut, encrypted and unknown content.
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OSError,
        RuntimeError,
    ) as error:
        raise ValueError(
            f"load: the zip file {source} cannot be read ({error}): it is damaged or "
            "encrypted; copy or save it again."
        ) from error


def _leaves_the_folder(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return ".." in parts or bool(parts) and (parts[0] == "/" or ":" in parts[0])
