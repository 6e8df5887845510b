"""Command line of the experiments."""

import argparse
import tempfile
from pathlib import Path

from benchmarks.experiments.data import CASES
from benchmarks.experiments.methods import CEILING, METHODS
from benchmarks.experiments.running import run_all, tasks_of

RESULTS = Path(__file__).parents[1] / "results" / "experiments.csv"


def read_options(arguments):
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.experiments")
    parser.add_argument(
        "--datasets",
        nargs="+",
        choices=list(CASES),
        default=[name for name in CASES if name != "biased"],
    )
    names = [CEILING, *METHODS]
    parser.add_argument("--methods", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument(
        "--quick", action="store_true", help="generated data, one setting, one seed"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.datasets, options.seeds = ["biased"], 1
        options.results = Path(tempfile.mkdtemp()) / "experiments_quick.csv"
    return options


def main(arguments=None):
    """Make rows."""
    options = read_options(arguments)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    tasks = tasks_of(options.datasets, options.methods, seeds, only_first=options.quick)
    run_all(tasks, options.results, options.data_home)


if __name__ == "__main__":
    main()
