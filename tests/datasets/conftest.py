"""The folder of real data, and tiny stand-ins for published files."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest


@pytest.fixture
def real_data():
    """Folder of the real data sets; the test is skipped where there is none."""
    folder = os.environ.get("SKFAIR_RUNNER_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SKFAIR_RUNNER_DATA names no folder of real data")
    return folder


@pytest.fixture
def stand_in(monkeypatch):
    """Replace a module's DataFile by one that describes a tiny text.

    Returns a function of module, name of the constant, text, number of rows and
    address, which returns the new DataFile.
    """

    def _replace(module, name, text, n_rows, url="https://nowhere.invalid/file"):
        file = replace(
            getattr(module, name),
            url=url,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            n_rows=n_rows,
        )
        monkeypatch.setattr(module, name, file)
        return file

    return _replace
