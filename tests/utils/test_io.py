import os
import re
from pathlib import Path

import pytest

from skfair_runner.utils import atomic_write


@pytest.mark.parametrize(
    ("mode", "content", "stored"),
    [("wb", b"\x00\r\n", b"\x00\r\n"), ("w", "Ω\r\n\n", "Ω\r\n\n".encode())],
)
def test_what_is_written_is_what_the_file_holds(tmp_path, mode, content, stored):
    with atomic_write(tmp_path / "file", mode) as file:
        file.write(content)
    assert (tmp_path / "file").read_bytes() == stored
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("exists", [False, True])
def test_a_failing_write_leaves_the_folder_as_it_was(tmp_path, error, exists):
    path = tmp_path / "file"
    if exists:
        path.write_bytes(b"old")
    with pytest.raises(error), atomic_write(path) as file:
        file.write(b"half of")
        raise error
    names = [path.name for path in tmp_path.iterdir()]
    assert names == (["file"] if exists else [])
    assert not exists or path.read_bytes() == b"old"


def test_the_file_is_not_there_before_the_block_ends(tmp_path):
    with atomic_write(tmp_path / "file") as file:
        file.write(b"new")
        assert not (tmp_path / "file").exists()
        assert len(list(tmp_path.iterdir())) == 1


def test_an_existing_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "file"
    path.touch()
    path.chmod(0o640)
    with atomic_write(path) as file:
        file.write(b"new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_new_file_gets_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with atomic_write(tmp_path / "file"):
        pass
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_link_is_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to(Path("folder", "file"))
    with atomic_write(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "folder" / "file").read_bytes() == b"new"


def test_an_absent_folder_is_an_error(tmp_path):
    path = tmp_path / "absent" / "file"
    message = (
        f"the folder {os.fspath(path.parent)!r} of {os.fspath(path)!r} does not "
        "exist: make it first."
    )
    with (
        pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"),
        atomic_write(path),
    ):
        pass


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "taken").touch()
    path = tmp_path / "taken" / "file"
    message = f"the folder {os.fspath(path.parent)!r} of {os.fspath(path)!r} is a file"
    with (
        pytest.raises(NotADirectoryError, match=re.escape(message)),
        atomic_write(path),
    ):
        pass


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path):
    message = f"{os.fspath(tmp_path)!r} is a folder: name a file in it."
    with (
        pytest.raises(IsADirectoryError, match=re.escape(message)),
        atomic_write(tmp_path),
    ):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["r", "ab", "w+b"])
def test_other_modes_are_refused(tmp_path, mode):
    message = re.escape(f"must be 'wb' or 'w', got {mode!r}")
    with (
        pytest.raises(ValueError, match=message),
        atomic_write(tmp_path / "file", mode),
    ):
        pass
    assert not list(tmp_path.iterdir())
