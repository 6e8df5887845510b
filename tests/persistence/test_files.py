import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from skfair_runner.persistence.files import (
    DOCUMENT,
    FORMAT,
    WEIGHTS,
    read_files,
    write_files,
)

OURS = json.dumps({"format": FORMAT}).encode()
FILES = {DOCUMENT: OURS, WEIGHTS: b"\x00numbers", "step_0.skops": b"step"}


def zip_of(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["model", "model.zip", "model.v2", "model.ZIP"])
def test_what_is_written_is_read(tmp_path, name):
    write_files(tmp_path / name, FILES)
    assert read_files(tmp_path / name) == FILES
    assert (tmp_path / name).is_dir() != name.lower().endswith(".zip")
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["model", "model.zip"])
def test_an_existing_model_is_replaced_as_a_whole(tmp_path, name):
    write_files(tmp_path / name, FILES)
    fewer = {DOCUMENT: OURS, WEIGHTS: b"other"}
    write_files(str(tmp_path / name), fewer)
    assert read_files(tmp_path / name) == fewer
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_an_empty_folder_is_replaced(tmp_path):
    (tmp_path / "model").mkdir()
    write_files(tmp_path / "model", FILES)
    assert read_files(tmp_path / "model") == FILES


@pytest.mark.parametrize("name", ["model", "model.zip"])
@pytest.mark.parametrize("existing", [True, False])
def test_a_failure_leaves_nothing_behind_and_the_old_model_as_it_was(
    tmp_path, name, existing
):
    """The second file cannot be written, since it is no bytes."""
    if existing:
        write_files(tmp_path / name, FILES)
    with pytest.raises(TypeError):
        write_files(tmp_path / name, {DOCUMENT: OURS, WEIGHTS: object()})
    assert [entry.name for entry in tmp_path.iterdir()] == [name] * existing
    if existing:
        assert read_files(tmp_path / name) == FILES


def test_the_old_folder_comes_back_when_the_new_one_cannot_take_its_place(
    tmp_path, monkeypatch
):
    write_files(tmp_path / "model", FILES)
    rename = Path.rename

    def failing(self, target):
        if self.suffix == ".tmp":
            raise OSError("no more inodes")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="no more inodes"):
        write_files(tmp_path / "model", {DOCUMENT: OURS, WEIGHTS: b"other"})
    assert read_files(tmp_path / "model") == FILES
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


def test_a_link_to_a_folder_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_files(tmp_path / "link", FILES)
    assert (tmp_path / "link").is_symlink()
    assert read_files(tmp_path / "real") == FILES


@pytest.mark.parametrize(
    "content",
    [
        {"thesis.tex": b"\\begin"},
        {**FILES, "notes.txt": b"mine"},
        {DOCUMENT: b'{"format": "another"}'},
        {DOCUMENT: b"[1]"},
        {DOCUMENT: b"not json"},
    ],
    ids=["foreign", "ours and a note", "another program's", "a list", "no JSON"],
)
def test_a_folder_that_is_not_a_model_is_refused(tmp_path, content):
    target = tmp_path / "model"
    target.mkdir()
    for name, data in content.items():
        (target / name).write_bytes(data)
    foreign = next(name for name in content if name not in FILES or len(content) == 1)
    with pytest.raises(FileExistsError, match=f"holds '{foreign}'"):
        write_files(target, FILES)
    assert {e.name: e.read_bytes() for e in target.iterdir()} == content


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    (tmp_path / "model").write_text("mine")
    with pytest.raises(FileExistsError, match="model is a file, where a folder"):
        write_files(tmp_path / "model", FILES)


def test_a_folder_is_not_replaced_by_a_zip_file(tmp_path):
    (tmp_path / "model.zip").mkdir()
    with pytest.raises(FileExistsError, match="model.zip is a folder"):
        write_files(tmp_path / "model.zip", FILES)


@pytest.mark.parametrize("name", ["model", "model.zip"])
def test_the_folder_to_write_into_has_to_exist(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="no folder .*absent to write model"):
        write_files(tmp_path / "absent" / name, FILES)


def test_other_files_in_a_folder_are_not_read(tmp_path):
    write_files(tmp_path / "model", FILES)
    (tmp_path / "model" / "evil.pkl").write_bytes(b"x")
    (tmp_path / "model" / "step_1.skops").mkdir()
    assert read_files(tmp_path / "model") == FILES


def test_nothing_at_the_path_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent; save"):
        read_files(tmp_path / "absent")


@pytest.mark.parametrize("lacking", [DOCUMENT, WEIGHTS])
@pytest.mark.parametrize("name", ["model", "model.zip"])
def test_a_missing_file_is_named(tmp_path, lacking, name):
    write_files(tmp_path / name, {k: v for k, v in FILES.items() if k != lacking})
    with pytest.raises(ValueError, match=f"{name} holds no {lacking}"):
        read_files(tmp_path / name)


def test_a_pickle_is_recognised_and_not_read(tmp_path):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ValueError, match=r"model\.pkl is neither.* like a pickle"):
        read_files(tmp_path / "model.pkl")


def test_another_file_is_not_called_a_pickle(tmp_path):
    (tmp_path / "model.txt").write_text("hello")
    with pytest.raises(ValueError, match=r"model\.txt is neither") as caught:
        read_files(tmp_path / "model.txt")
    assert "pickle" not in str(caught.value)


def test_a_file_of_torch_is_recognised_and_not_read(tmp_path):
    torch.save({"w": torch.ones(2)}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"holds no model\.json.*torch\.save"):
        read_files(tmp_path / "model.pt")


def test_a_skops_file_is_recognised(tmp_path):
    zip_of(tmp_path / "model.skops", {"schema.json": b"{}"})
    with pytest.raises(ValueError, match=r"read it with skops\.io\.load"):
        read_files(tmp_path / "model.skops")


@pytest.mark.parametrize(
    "name", ["../evil.py", "a/../../b", "/etc/passwd", "..\\evil.py", "C:\\evil.py"]
)
def test_a_zip_with_names_out_of_its_folder_is_refused(tmp_path, name):
    path = zip_of(tmp_path / "model.zip", {**FILES, name: b"x"})
    stored = zipfile.ZipFile(path).namelist()[-1]
    with pytest.raises(ValueError, match="tampered") as caught:
        read_files(path)
    assert repr(stored) in str(caught.value)
    assert os.listdir(tmp_path) == ["model.zip"]


@pytest.mark.parametrize("damage", ["changed", "cut"])
def test_a_damaged_zip_is_told(tmp_path, damage):
    path = zip_of(tmp_path / "model.zip", FILES)
    content = path.read_bytes()
    if damage == "changed":
        content = content.replace(FILES[WEIGHTS], FILES[WEIGHTS].upper())
    else:
        content = content[40:]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.zip cannot be read"):
        read_files(path)
