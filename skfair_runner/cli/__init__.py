"""The command line: `skfair-runner compare`, `diagnose` and `repair`.

typer and rich come with the extra ``cli``; the rest of the package does without.
"""

from skfair_runner.cli.app import main, make_app

__all__ = ["main", "make_app"]
