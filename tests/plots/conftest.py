"""Figures are closed again."""

import pytest

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    pyplot.close("all")  # those of other tests
    yield
    pyplot.close("all")


@pytest.fixture
def ax():
    return pyplot.subplots()[1]
