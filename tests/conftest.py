"""Fixtures of the tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_home():
    """Folder with the real data sets; without one, the test is skipped."""
    folder = os.environ.get("SKFAIR_RUNNER_DATA")
    if not folder:
        pytest.skip("no real data: SKFAIR_RUNNER_DATA names no folder")
    if not Path(folder).is_dir():
        pytest.skip(f"no real data: SKFAIR_RUNNER_DATA names no folder, but {folder!r}")
    return Path(folder)
