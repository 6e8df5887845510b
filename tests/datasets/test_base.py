import functools
import gzip
import hashlib
import http.server
import importlib
import re
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from skfair_runner.datasets import get_data_home
from skfair_runner.datasets._adult import ADULT_DATA, ADULT_TEST
from skfair_runner.datasets._bank import BANK_FILE
from skfair_runner.datasets._base import DataFile, read_data_file, recode
from skfair_runner.datasets._compas import COMPAS_FILE
from skfair_runner.datasets._german import CREDIT_FILE, GERMAN_FILE
from skfair_runner.datasets._lsac import LSAC_FILE

base = importlib.import_module("skfair_runner.datasets._base")

PUBLISHED = [
    ADULT_DATA,
    ADULT_TEST,
    BANK_FILE,
    COMPAS_FILE,
    CREDIT_FILE,
    GERMAN_FILE,
    LSAC_FILE,
]

TEXT = "name,unused,age\nAda,1,36\nGrace,2,?\n"
TOY = DataFile(
    dataset="toy",
    name="toy.csv",
    url="https://nowhere.invalid/toy.csv",
    sha256=hashlib.sha256(TEXT.encode()).hexdigest(),
    n_rows=2,
    columns=("age", "name"),
    numeric=frozenset({"age"}),
)
TOY_TABLE = pd.DataFrame({"age": [36.0, None], "name": ["Ada", "Grace"]})


@pytest.fixture
def home(tmp_path):
    (tmp_path / "toy").mkdir()
    return tmp_path


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Address of a server on this machine, and the folder that it serves."""
    pytest.importorskip("pooch")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()
        thread.join()


def read(file, home, download_if_missing=False):
    return read_data_file(file, data_home=home, download_if_missing=download_if_missing)


def test_data_home_is_the_argument_then_the_variable_then_the_users_folder(monkeypatch):
    monkeypatch.setenv("SKFAIR_RUNNER_DATA", "/from/variable")
    assert get_data_home("/given") == Path("/given")
    assert get_data_home(Path("/given")) == Path("/given")
    assert get_data_home() == Path("/from/variable")

    monkeypatch.setenv("SKFAIR_RUNNER_DATA", "")
    assert get_data_home() == Path.home() / "skfair_runner_data"
    monkeypatch.delenv("SKFAIR_RUNNER_DATA")
    assert get_data_home() == Path.home() / "skfair_runner_data"
    assert get_data_home("~/data") == Path.home() / "data"


@pytest.mark.parametrize("packed", [False, True])
def test_local_file_is_read_plain_or_gzipped(home, packed):
    if packed:
        (home / "toy" / "toy.csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    else:
        (home / "toy" / "toy.csv").write_text(TEXT)

    pd.testing.assert_frame_equal(read(TOY, home), TOY_TABLE)


def test_data_home_of_the_variable_is_read(home, monkeypatch):
    (home / "toy" / "toy.csv").write_text(TEXT)
    monkeypatch.setenv("SKFAIR_RUNNER_DATA", str(home))

    pd.testing.assert_frame_equal(read(TOY, None), TOY_TABLE)


def test_file_without_header_takes_the_names_in_order(home):
    (home / "toy" / "toy.csv").write_text("|a comment\n36, Ada\n1, Grace\n\n")
    file = replace(TOY, header=False, comment="|")

    table = read(file, home)

    assert table.to_dict("list") == {"age": [36, 1], "name": ["Ada", "Grace"]}


def test_absent_file_names_the_folder_and_the_address(home):
    folder = re.escape(str(home / "toy"))
    with pytest.raises(
        FileNotFoundError,
        match=rf"'toy.csv' of the toy data is not in '{folder}'.*nowhere.invalid"
        r".*data_home= or the environment variable SKFAIR_RUNNER_DATA",
    ):
        read(TOY, home)


def test_absent_member_of_an_archive_names_the_member(home):
    with pytest.raises(
        FileNotFoundError, match=r"toy\.zip \(it is in that .* toy\.csv"
    ):
        read(replace(TOY, url="https://nowhere.invalid/toy.zip"), home)


def test_file_without_a_needed_column_is_refused(home):
    (home / "toy" / "toy.csv").write_text("name,unused\nAda,1\nGrace,2\n")

    with pytest.raises(ValueError, match=r"toy\.csv' lacks the columns \['age'\]"):
        read(TOY, home)


def test_headerless_file_with_another_number_of_columns_is_refused(home):
    (home / "toy" / "toy.csv").write_text("36,Ada,1\n1,Grace,2\n")

    with pytest.raises(ValueError, match=r"toy\.csv' has 3 columns where 2 are"):
        read(replace(TOY, header=False), home)


def test_file_with_another_number_of_rows_is_refused(home):
    (home / "toy" / "toy.csv").write_text(TEXT + "Edsger,3,72\n")

    with pytest.raises(ValueError, match=r"toy\.csv' has 3 rows where 2 are expected"):
        read(TOY, home)


def test_file_with_text_among_the_numbers_is_refused(home):
    (home / "toy" / "toy.csv").write_text("name,age\nAda,36\nGrace,old\n")

    with pytest.raises(ValueError, match="text in the numeric column 'age'"):
        read(TOY, home)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("toy.csv", b""),
        ("toy.csv", b'name,age\n"Ada,36\n'),
        ("toy.csv", b"name,age\n\xff\xfe,1\n"),
        ("toy.csv.gz", b"not gzipped"),
        ("toy.csv.gz", gzip.compress(TEXT.encode())[:-12]),
    ],
    ids=["empty", "open quote", "not text", "not gzipped", "cut off"],
)
def test_file_that_is_no_table_is_refused_by_its_path(home, name, content):
    (home / "toy" / name).write_bytes(content)

    with pytest.raises(ValueError, match=rf"{name}' cannot be read: .*Remove it"):
        read(TOY, home)


def test_download_is_kept_and_read_from_then_on(home, server):
    address, served = server
    (served / "toy.csv").write_text(TEXT)
    file = replace(TOY, url=f"{address}/toy.csv")

    pd.testing.assert_frame_equal(read(file, home, True), TOY_TABLE)

    assert [path.name for path in (home / "toy").iterdir()] == ["toy.csv"]
    pd.testing.assert_frame_equal(read(TOY, home), TOY_TABLE)


def test_download_makes_the_data_home(tmp_path, server):
    address, served = server
    (served / "toy.csv").write_text(TEXT)
    home = tmp_path / "not" / "there"

    read(replace(TOY, url=f"{address}/toy.csv"), home, True)

    assert (home / "toy" / "toy.csv").read_text() == TEXT


def test_member_of_a_downloaded_archive_is_kept_alone(home, server):
    address, served = server
    with zipfile.ZipFile(served / "toy.zip", "w") as archive:
        archive.writestr("other.csv", "not needed")
        archive.writestr("toy.csv", TEXT)

    table = read(replace(TOY, url=f"{address}/toy.zip"), home, True)

    pd.testing.assert_frame_equal(table, TOY_TABLE)
    assert [path.name for path in (home / "toy").iterdir()] == ["toy.csv"]


@pytest.mark.parametrize("suffix", ["csv", "zip"])
def test_corrupted_download_is_refused_and_not_kept(home, server, suffix):
    address, served = server
    if suffix == "zip":
        with zipfile.ZipFile(served / "toy.zip", "w") as archive:
            archive.writestr("toy.csv", TEXT.replace("36", "63"))
    else:
        (served / "toy.csv").write_text(TEXT.replace("36", "63"))

    with pytest.raises(OSError, match=rf"'toy.csv' of the toy data.*{TOY.sha256}"):
        read(replace(TOY, url=f"{address}/toy.{suffix}"), home, True)
    assert list((home / "toy").iterdir()) == []


@pytest.mark.parametrize("content", [b"no archive", None], ids=["damaged", "other"])
def test_archive_without_the_member_is_refused(home, server, content):
    address, served = server
    if content is None:
        with zipfile.ZipFile(served / "toy.zip", "w") as archive:
            archive.writestr("other.csv", TEXT)
    else:
        (served / "toy.zip").write_bytes(content)

    with pytest.raises(OSError, match=r"'toy.csv' .* could not be fetched .*toy\.zip"):
        read(replace(TOY, url=f"{address}/toy.zip"), home, True)
    assert list((home / "toy").iterdir()) == []


def test_address_that_answers_nothing_is_reported(home, server):
    address, _ = server

    with pytest.raises(OSError, match="could not be fetched into .*404.*absent.csv"):
        read(replace(TOY, url=f"{address}/absent.csv"), home, True)


def test_a_failed_download_leaves_no_folder_that_was_not_there(home, server):
    address, _ = server

    with pytest.raises(OSError, match="could not be fetched"):
        read(replace(TOY, url=f"{address}/absent.csv"), home / "mistyped" / "a", True)
    assert home.exists() and not (home / "mistyped").exists()


def test_download_without_pooch_names_the_extra(home, monkeypatch):
    def absent(name, *, extra, purpose):
        raise ImportError(f"{name} {extra} {purpose}")

    monkeypatch.setattr(base, "import_optional", absent)

    with pytest.raises(ImportError, match="pooch data Downloading the toy data"):
        read(TOY, home, True)


def test_recode_maps_every_value():
    recoded = recode(pd.Series(["yes", "no"]), {"no": 0, "yes": 1}, dataset="toy")

    assert recoded.tolist() == [1, 0]


def test_recode_refuses_what_it_does_not_know():
    column = pd.Series(["yes", "maybe", None], name="y")

    with pytest.raises(
        ValueError,
        match=r"'y' of the toy data may hold \['no', 'yes'\].*\['maybe', nan",
    ):
        recode(column, {"no": 0, "yes": 1}, dataset="toy")


@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.name)
def test_published_files_are_described_in_form(file):
    assert re.fullmatch(r"https://[\w.-]+/[\w./-]+", file.url)
    assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert file.url.endswith((f"/{file.name}", ".zip"))
    assert file.numeric <= set(file.columns)
    assert len(set(file.columns)) == len(file.columns)


@pytest.mark.parametrize(
    # The copies of COMPAS that are passed around lack the people's names.
    "file",
    [file for file in PUBLISHED if file is not COMPAS_FILE],
    ids=lambda file: file.name,
)
def test_checksums_are_those_of_real_files(real_data, file):
    folder = Path(real_data) / file.dataset
    packed = folder / f"{file.name}.gz"
    if packed.exists():
        content = gzip.decompress(packed.read_bytes())
    else:
        content = (folder / file.name).read_bytes()

    assert hashlib.sha256(content).hexdigest() == file.sha256
