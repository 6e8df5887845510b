"""Bytes of images in files and archives."""

import copy
import os
import pickle
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skfair_runner.images._files import PlainFiles, ZipMembers


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as handle:
        for name in "abc":
            handle.writestr(f"in/{name}", name * 1000)
    return path


def read(members):
    members.prepare()
    return [members.open(row).read()[:1] for row in range(len(members.names))]


def test_members_are_found_in_order(archive):
    assert read(ZipMembers(["in/c", "in/a"], archive)) == [b"c", b"a"]


def test_copies_open_the_archive_for_themselves(archive):
    members = ZipMembers(["in/b"], archive)
    for twin in (copy.copy(members), pickle.loads(pickle.dumps(members))):
        assert twin._handle is None
        assert read(twin) == [b"b"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_process_opens_the_archive_for_itself(archive):
    members = ZipMembers(["in/b"], archive)
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as processes:
        assert processes.submit(read, members).result() == [b"b"]


def test_a_member_that_is_not_there_is_named(archive):
    with pytest.raises(
        FileNotFoundError, match=r"no member 'in/x'; 2 of 3 names .* \['in/a'\]"
    ):
        ZipMembers(["in/a", "in/x", "in/y"], archive)


def test_an_archive_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.zip"):
        ZipMembers(["a"], tmp_path / "none.zip")


def test_a_file_that_is_no_archive_is_named(tmp_path):
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match=r"archive='.*cut\.zip' is no zip archive"):
        ZipMembers(["a"], tmp_path / "cut.zip")


def test_plain_files_are_paths():
    files = PlainFiles([Path("x") / "1.jpg", "2.jpg"])
    files.prepare()
    assert files.open(1) == "2.jpg"
    assert files.describe(0) == repr(str(Path("x") / "1.jpg"))


def test_members_are_told_apart_by_the_checksums_of_the_archive(archive):
    names, facts = ZipMembers(["in/c", "in/a"], archive).identity(np.array([1, 0]))
    assert names == ["in/a", "in/c"]
    expected = [(1000, zlib.crc32(name.encode() * 1000)) for name in "ac"]
    assert_array_equal(facts, expected)


def test_files_are_told_apart_by_their_length_and_last_change(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"123")
    os.utime(path, ns=(5, 7))
    names, facts = PlainFiles([path]).identity(np.array([0]))
    assert names == [str(path)]
    assert facts.tolist() == [[3, 7]]
