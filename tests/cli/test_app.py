"""The application: its version, and how it starts."""

import subprocess
import sys

import pytest

from skfair_runner import __version__
from skfair_runner.cli import main, screen


def test_the_version_is_told(run):
    result = run("--version")
    assert (result.exit_code, result.output) == (0, f"skfair-runner {__version__}\n")


def test_without_typer_the_extra_is_named(monkeypatch, capsys):
    def absent(name, **options):
        raise ImportError("The command line needs the package 'typer'")

    monkeypatch.setattr(screen, "import_optional", absent)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "The command line needs the package 'typer'\n"


@pytest.mark.slow  # imports the package anew
def test_the_package_can_be_run_as_a_module():
    run = subprocess.run(
        [sys.executable, "-m", "skfair_runner", "--version"],
        capture_output=True,
        text=True,
    )
    assert run.stdout == f"skfair-runner {__version__}\n", run.stderr
