"""Command line of the experiments."""

import argparse
import tempfile
from pathlib import Path

from benchmarks._report import write_table
from benchmarks.experiments.data import CASES
from benchmarks.experiments.figures import write_figures
from benchmarks.experiments.fronts import (
    table_of_areas,
    table_of_distances,
    table_of_goals,
    table_of_score_goals,
)
from benchmarks.experiments.methods import CEILING, METHODS
from benchmarks.experiments.running import run_all, tasks_of
from benchmarks.experiments.views import (
    read_rows,
    table_near_vanilla,
    table_of_costs,
    table_of_reductions,
    table_of_seeds,
)

RESULTS = Path(__file__).parents[1] / "results" / "experiments.csv"
OVERALL = {
    "seeds": (table_of_seeds, "Seeds reached"),
    "goals_decisions": (table_of_goals, "Decisions: area of RUNNER's front"),
    "goals_scores": (table_of_score_goals, "Scores: area of RUNNER's front"),
    "distances": (table_of_distances, "Accuracy below the group-blind limit"),
    "reductions": (table_of_reductions, "Reduction near Vanilla's AP"),
    "costs": (table_of_costs, "Seconds of a fit, and times Vanilla's"),
}
PER_CASE = {"near_vanilla": table_near_vanilla, "areas": table_of_areas}


def report(paths, out):
    """Print the tables; with a folder, write them and the figures there."""
    rows = read_rows(*paths)
    for name, (table_of, title) in OVERALL.items():
        table = table_of(rows)
        write_table(table, title=title, out=out, name=f"experiments_{name}")
    for (dataset, criterion), part in rows.groupby(["dataset", "criterion"]):
        case, group = CASES[dataset]
        title = f"{case} ({group}), {criterion.replace('_', ' ')}"
        for name, table_of in PER_CASE.items():
            write_table(
                table_of(part, criterion),
                title=f"{title}: {name.replace('_', ' ')}",
                out=out,
                name=f"experiments_{name}_{dataset}_{criterion}",
            )
    if out is not None:
        write_figures(rows, out, CASES)


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
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="make no rows")
    parser.add_argument(
        "--out", type=Path, default=None, help="folder for tables and figures"
    )
    parser.add_argument(
        "--quick", action="store_true", help="generated data, one setting, one seed"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        folder = Path(tempfile.mkdtemp())
        options.datasets, options.seeds = ["biased"], 1
        options.results = folder / "experiments_quick.csv"
        options.out = options.out or folder
    return options


def main(arguments=None):
    """Make rows, then report."""
    options = read_options(arguments)
    if not options.report:
        seeds = range(options.first_seed, options.first_seed + options.seeds)
        tasks = tasks_of(
            options.datasets, options.methods, seeds, only_first=options.quick
        )
        run_all(tasks, options.results, options.data_home)
    report([options.results], options.out)


if __name__ == "__main__":
    main()
