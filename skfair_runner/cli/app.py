"""The application: its commands, and what is said where typer is absent."""

import sys
from typing import Annotated

from skfair_runner import __version__
from skfair_runner.cli.compare import COMPARE_OPTIONS, compare
from skfair_runner.cli.diagnose import DIAGNOSE_OPTIONS, diagnose
from skfair_runner.cli.individual import TEST_OPTIONS, test
from skfair_runner.cli.options import annotated
from skfair_runner.cli.repair import REPAIR_OPTIONS, repair
from skfair_runner.cli.screen import import_package, open_console


def main():
    """Run the command line; without its packages, say how to install them."""
    try:
        app = make_app()
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    app()


def make_app():
    """Build the application of typer.

    Returns
    -------
    app : typer.Typer
        With the commands `compare`, `diagnose`, `repair` and `test`.

    Raises
    ------
    ImportError
        If typer or rich is not installed.
    """
    typer = import_package("typer")
    app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

    def show_version(value: bool) -> None:
        if value:
            open_console().print(f"skfair-runner {__version__}", highlight=False)
            raise typer.Exit

    version = typer.Option(
        "--version", callback=show_version, is_eager=True, help="Show the version."
    )

    @app.callback()
    def skfair_runner(show: Annotated[bool, version] = False) -> None:
        """Find the neurons behind a group difference and reduce it while training."""

    app.command()(annotated(compare, COMPARE_OPTIONS))
    app.command()(annotated(diagnose, DIAGNOSE_OPTIONS))
    app.command()(annotated(repair, REPAIR_OPTIONS))
    app.command()(annotated(test, TEST_OPTIONS))
    return app
