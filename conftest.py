"""What doctests and tests share: threads, optional packages, no network."""

import importlib.util
import os
import socket
from pathlib import Path

import pytest

# Read when numpy and torch are first imported. The nets of the tests are so small that
# further threads only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

HERE = Path(__file__).parent
# Modules whose doctests and tests need an extra: the extra's packages.
NEEDED_BY = {
    "cli": ("rich", "typer"),
    "persistence": ("safetensors", "skops"),
    "plots": ("matplotlib",),
    "report": ("jinja2",),
}


def _absent(module):
    return [name for name in NEEDED_BY[module] if not importlib.util.find_spec(name)]


def pytest_report_header():
    return [
        f"left out: {module}, for {', '.join(_absent(module))} is not installed"
        for module in NEEDED_BY
        if _absent(module)
    ]


def pytest_ignore_collect(collection_path):
    """Leave out the modules whose optional packages are absent, and their tests."""
    path = collection_path.relative_to(HERE)
    if len(path.parts) < 2:
        return None
    module = path.parts[1].removesuffix(".py").removeprefix("test_")
    return True if module in NEEDED_BY and _absent(module) else None


@pytest.fixture(autouse=True)
def _no_network(request, monkeypatch):
    """Fail whatever looks up or connects to another machine."""
    if request.node.get_closest_marker("network"):
        return
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def refuse_elsewhere(host):
        if host not in {None, "", "localhost", "127.0.0.1", "::1"}:
            pytest.fail(f"Tests stay offline, and this one reaches for {host!r}.")

    def guarded_look_up(host, *args, **kwargs):
        refuse_elsewhere(host)
        return look_up(host, *args, **kwargs)

    def guarded_connect(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            refuse_elsewhere(address[0])
        return connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
