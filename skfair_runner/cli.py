"""The command line: `skfair-runner compare`.

typer and rich come with the extra ``cli``; the rest of the package does without.
"""

import math
import re
import sys
import warnings
from pathlib import Path
from typing import Annotated

import joblib
import numpy as np

from skfair_runner import __version__
from skfair_runner.compare import compare_classifiers, standard_classifiers
from skfair_runner.compare._cases import CaseError, case_of_dataset, case_of_file
from skfair_runner.compare._comparison import format_constant, format_number
from skfair_runner.compare._measures import DIFFERENCE_OF, MEASURES
from skfair_runner.datasets import DATASETS
from skfair_runner.groups import cell_counts, encode_groups
from skfair_runner.utils import atomic_write, import_optional

# A label of a group with fewer rows in a fold has rates that jump from row to row.
_FEW = 20
# What the table shows, in three parts; the constraint's own difference is added.
_QUALITY = ("accuracy", "balanced_accuracy", "average_precision", "selection_rate")
_DIFFERENCES = (
    "demographic_parity_difference",
    "equalized_odds_difference",
    "equalized_odds_sum",
)


# Type of each option of `compare`, and what typer has to know about it.
_OPTIONS = {
    "dataset": (str | None, {"help": f"A known data set: {', '.join(DATASETS)}."}),
    "data_home": (Path | None, {"help": "Folder of the data sets."}),
    "data": (Path | None, {"help": "Your own table instead, a CSV file."}),
    "target": (str | None, {"help": "Its column of labels, two of them."}),
    "sensitive": (
        list[str] | None,
        {"help": "Column of the groups; repeat it to cross.", "metavar": "<str>"},
    ),
    "positive": (str | None, {"help": "The favourable label of your table."}),
    "constraint": (str, {"help": f"One of {', '.join(DIFFERENCE_OF)}."}),
    "bound": (
        float,
        {"help": "Difference between groups that is aimed at.", "min": 0, "max": 1},
    ),
    "folds": (int, {"help": "Folds to measure on.", "min": 2}),
    "seed": (int, {"help": "Seed of everything.", "min": 0}),
    "jobs": (
        int | None,
        {"help": "Processes; as many as processors, at most 4.", "min": 1},
    ),
    "out": (Path, {"help": "Folder for the results."}),
    "iterations": (
        int,
        {"help": "Of ExponentiatedGradient; fairlearn's default is 50.", "min": 1},
    ),
    "quiet": (bool, {"help": "Write the files, print nothing."}),
}


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
        With the command `compare`.

    Raises
    ------
    ImportError
        If typer or rich is not installed.
    """
    typer = _import("typer")
    app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

    def show_version(value: bool) -> None:
        if value:
            _console().print(f"skfair-runner {__version__}", highlight=False)
            raise typer.Exit

    version = typer.Option(
        "--version", callback=show_version, is_eager=True, help="Show the version."
    )

    @app.callback()
    def skfair_runner(show: Annotated[bool, version] = False) -> None:
        """Find the neurons behind a group difference and reduce it while training."""

    compare.__annotations__ = {
        name: Annotated[kind, typer.Option(f"--{name.replace('_', '-')}", **more)]
        for name, (kind, more) in _OPTIONS.items()
    }
    app.command()(compare)
    return app


def compare(
    dataset=None,
    data_home=None,
    data=None,
    target=None,
    sensitive=None,
    positive=None,
    constraint="demographic_parity",
    bound=0.05,
    folds=3,
    seed=0,
    jobs=None,
    out=Path("skfair-runner-results"),
    # Each trains the net about three times; fewer cost the mixture much accuracy.
    iterations=5,
    quiet=False,
):
    """Train four classifiers on the same folds and compare them.

    An unmitigated net, RunnerFairClassifier, and fairlearn's ExponentiatedGradient and
    ThresholdOptimizer on the same net. Without options it runs on a generated table,
    offline. It writes comparison.csv and tradeoff.png.
    """
    typer, screen = _import("typer"), _console(quiet=quiet)
    try:
        case = _find_case(dataset, data_home, data, target, sensitive, positive)
        _check_constraint(constraint)
        _make_folder(out)
        _introduce(screen, case, folds)
        comparison, told = _compare(
            case, constraint, bound, folds, seed, jobs, iterations, verbose=not quiet
        )
    except CaseError as error:
        raise typer.BadParameter(str(error), param_hint=error.option) from error
    _show(screen, comparison, constraint, told, bound, folds)
    _write(screen, comparison, constraint, out)
    if not comparison.table["folds"].any():
        raise typer.Exit(code=1)


def _import(name):
    """Module of a package that the extra ``cli`` installs."""
    return import_optional(name, extra="cli", purpose="The command line")


def _console(**options):
    """Where everything is printed."""
    return _import("rich.console").Console(**options)


def _find_case(dataset, data_home, data, target, sensitive, positive):
    """The data that the options ask for; refuses options that do not go together."""
    if data is not None:
        if dataset is not None:
            raise CaseError(
                "--dataset",
                f"--dataset {dataset} and --data {data} name two tables: pass one.",
            )
        return case_of_file(
            data, target=target, sensitive=sensitive or (), positive=positive
        )
    for option, value in (("--target", target), ("--positive", positive)):
        if value is not None:
            raise CaseError(
                option,
                f"{option} {value} is about a file of your own, and the data sets know "
                "theirs: pass --data FILE too, or leave it out.",
            )
    return case_of_dataset(
        dataset or "biased", data_home=data_home, sensitive=sensitive or ()
    )


def _check_constraint(constraint):
    if constraint not in DIFFERENCE_OF:
        raise CaseError(
            "--constraint",
            f"there is no constraint {constraint!r}; pass one of "
            f"{', '.join(DIFFERENCE_OF)}.",
        )


def _make_folder(out):
    """Make the folder of the results before anything takes long."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CaseError(
            "--out", f"{out} cannot be made a folder ({error}): pass another one."
        ) from error


def _introduce(screen, case, folds):
    """Say what is compared on: rows, groups, and how often each has the label."""
    groups = encode_groups(case.groups, caller="compare")
    favoured = case.y == case.pos_label
    shares = [
        f"{name} {favoured[groups.codes == code].mean():.1%} of "
        f"{(groups.codes == code).sum():,}"
        for code, name in enumerate(groups.labels)
    ]
    lines = [
        f"{case.name}: {len(case.y):,} rows, {folds} folds.",
        f"Favourable label: {case.favourable}. By {' × '.join(case.groups)}: "
        f"{'; '.join(shares)}.",
        *case.notes,
        f"Left out of the features: {', '.join(case.left_out)}.",
    ]
    counts = cell_counts(favoured.astype(int), groups.codes, 2, groups.n_groups)
    label, group = np.unravel_index(counts.argmin(), counts.shape)
    if counts.min() < _FEW * folds:
        lines.append(
            f"Only {counts.min()} rows of {groups.labels[group]!r} "
            f"{'have' if label else 'lack'} the favourable label, about "
            f"{counts.min() / folds:.0f} in each fold: differences rest on few people."
        )
    screen.print("\n".join(lines), markup=False, highlight=False)


def _short_training(n_samples):
    """Epochs of the net within ExponentiatedGradient, which trains it many times."""
    # At least 80 steps in each phase, at the smallest batch size of 64 rows.
    epochs = max(4, math.ceil(80 * 64 / n_samples))
    return {"warmup_epochs": epochs, "max_epochs": epochs}


def _compare(case, constraint, bound, folds, seed, jobs, iterations, verbose):
    """Compare, and collect the warnings for the end of the output."""
    training = _short_training(len(case.y) * (folds - 1) // folds)
    classifiers = standard_classifiers(
        constraint,
        difference_bound=bound,
        sensitive_columns=[c for c in case.left_out if c in case.X.columns] or None,
        pos_label=case.pos_label,
        max_iter=iterations,
        oracle_parameters=training,
    )
    jobs = jobs or min(joblib.cpu_count(), 4)
    groups = case.groups if case.groups.shape[1] > 1 else case.groups.iloc[:, 0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            comparison = compare_classifiers(
                classifiers,
                case.X,
                case.y,
                sensitive_features=groups,
                cv=folds,
                pos_label=case.pos_label,
                n_jobs=jobs,
                random_state=seed,
                verbose=verbose,
            )
        except ValueError as error:
            raise CaseError("--sensitive", str(error)) from error
    told = [str(each.message) for each in caught]
    told.append(
        f"ExponentiatedGradient has --iterations {iterations} here (fairlearn's "
        "default is 50); each trains the net about 3 times, for "
        f"{training['warmup_epochs'] + training['max_epochs']} epochs. More of them "
        "may give a better mixture."
    )
    if jobs > 1:
        told.append(f"Times to fit are those of {jobs} fits side by side.")
    return comparison, told


def _show(screen, comparison, constraint, told, bound, folds):
    """Print the table, what it means, and what was warned of."""
    table = comparison.table
    screen.print(_rich_table(table, constraint, bound, folds))
    notes = [
        "All on held-out rows. Differences are max − min over the groups; that of "
        "equalized odds is the larger of those in true and false positive rate, the "
        "sum adds them.",
    ]
    above = table.index[table[f"{DIFFERENCE_OF[constraint]}_mean"] > bound].tolist()
    if above:
        notes.append(
            f"Above {bound:g} on held-out rows: {', '.join(above)}. Methods aim at it "
            "on the rows that they are trained on."
        )
    if table["randomised"].any():
        notes.append(
            "For methods that decide by lot, average precision and the area between "
            "score distributions are those of the probability of the decision."
        )
    notes += told
    listed = "\n".join(f"* {note}" for note in notes)
    text = comparison.summary(difference=DIFFERENCE_OF[constraint])
    screen.print(f"{listed}\n\n{text}\n", markup=False, highlight=False)


def _rich_table(table, constraint, bound, folds):
    """One column per method; the rows that a reader needs to judge them."""
    shown = _import("rich.table").Table(
        title=f"Aiming at {bound:g} as {MEASURES[DIFFERENCE_OF[constraint]].label} "
        f"(mean ± std over {folds} folds)",
        title_style="bold",
        title_justify="left",
        box=_import("rich.box").SIMPLE_HEAD,
    )
    shown.add_column("")
    for name in table.index:
        # Broken where the last word begins, so that columns stay narrow.
        broken = re.sub(r"(?<=[a-z])(?=[A-Z][a-z]+$)| (?=\S+$)", "\n", name)
        shown.add_column(broken, justify="right", no_wrap=True)
    aim = DIFFERENCE_OF[constraint]
    differences = [*_DIFFERENCES, *({aim} - set(_DIFFERENCES)), "abcc"]
    for part in (_QUALITY, differences, ("fit_seconds",)):
        for name in part:
            cells = [
                format_number(row[f"{name}_mean"], row[f"{name}_std"], name)
                for _, row in table.iterrows()
            ]
            label = MEASURES[name].label.capitalize()
            shown.add_row(label, *cells, style="bold" if name == aim else None)
        shown.add_section()
    words = {True: "yes", False: "no"}
    shown.add_row(
        "Groups needed to predict", *table["needs_groups_at_predict"].map(words)
    )
    shown.add_row("Decides by lot", *table["randomised"].map(words))
    shown.add_row(
        "Constant",
        *(
            format_constant(*counts) if counts[1] else "failed"
            for counts in zip(table["constant_folds"], table["folds"], strict=True)
        ),
    )
    return shown


def _write(screen, comparison, constraint, out):
    """Write the table and, where matplotlib is installed, the figure."""
    path = out / "comparison.csv"
    comparison.to_csv(path)
    screen.print(f"Table: {path}", markup=False, highlight=False, soft_wrap=True)
    if not comparison.table["folds"].any():
        return
    path = out / "tradeoff.png"
    try:
        pyplot = import_optional(
            "matplotlib.pyplot", extra="plots", purpose="The scatter plot"
        )
    except ImportError as error:
        screen.print(str(error), markup=False, highlight=False)
        return
    figure = comparison.plot(difference=DIFFERENCE_OF[constraint]).figure_
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=150)
    pyplot.close(figure)
    screen.print(f"Figure: {path}", markup=False, highlight=False, soft_wrap=True)
