"""`skfair-runner compare`: several methods on the same folds."""

import math
import re
import warnings
from pathlib import Path

import joblib

from skfair_runner.cli.cases import CaseError
from skfair_runner.cli.options import (
    BOUND_OPTION,
    CONSTRAINT_OPTION,
    DATA_OPTIONS,
    OUTPUT_OPTIONS,
    SEED_OPTION,
    check_constraint,
    find_case,
    make_folder,
    usage_errors,
)
from skfair_runner.cli.screen import (
    import_package,
    introduce,
    open_console,
    say,
    say_path,
    write_figure,
)
from skfair_runner.compare import compare_classifiers, standard_classifiers
from skfair_runner.compare._comparison import format_constant, format_number
from skfair_runner.compare._measures import DIFFERENCE_OF, MEASURES

# What the table shows, in three parts; the constraint's own difference is added.
_QUALITY = ("accuracy", "balanced_accuracy", "average_precision", "selection_rate")
_DIFFERENCES = (
    "demographic_parity_difference",
    "equalized_odds_difference",
    "equalized_odds_sum",
)

COMPARE_OPTIONS = {
    **DATA_OPTIONS,
    **CONSTRAINT_OPTION,
    **BOUND_OPTION,
    "folds": (int, {"help": "Folds to measure on.", "min": 2}),
    **SEED_OPTION,
    "jobs": (
        int | None,
        {"help": "Processes; as many as processors, at most 4.", "min": 1},
    ),
    "iterations": (
        int,
        {"help": "Of ExponentiatedGradient; fairlearn's default is 50.", "min": 1},
    ),
    **OUTPUT_OPTIONS,
}


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
    screen = open_console(quiet=quiet)
    with usage_errors():
        case = find_case(
            dataset, data_home, data, target, sensitive, positive, default="biased"
        )
        check_constraint(constraint)
        make_folder(out)
        text = introduce(
            case, note=f", {folds} folds", share=1 / folds, where="in each fold"
        )
        say(screen, f"{text}\nLeft out of the features: {', '.join(case.left_out)}.")
        comparison, told = _compare(
            case, constraint, bound, folds, seed, jobs, iterations, verbose=not quiet
        )
    _show(screen, comparison, constraint, told, bound, folds)
    _write(screen, comparison, constraint, out)
    if not comparison.table["folds"].any():
        raise import_package("typer").Exit(code=1)


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
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            comparison = compare_classifiers(
                classifiers,
                case.X,
                case.y,
                sensitive_features=case.sensitive_features,
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
    say(screen, f"{listed}\n\n{text}\n")


def _rich_table(table, constraint, bound, folds):
    """One column per method; the rows that a reader needs to judge them."""
    shown = import_package("rich.table").Table(
        title=f"Aiming at {bound:g} as {MEASURES[DIFFERENCE_OF[constraint]].label} "
        f"(mean ± std over {folds} folds)",
        title_style="bold",
        title_justify="left",
        box=import_package("rich.box").SIMPLE_HEAD,
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
    say_path(screen, "Table", path)
    if comparison.table["folds"].any():
        write_figure(
            screen,
            lambda: comparison.plot(difference=DIFFERENCE_OF[constraint]).figure_,
            out / "tradeoff.png",
            purpose="The scatter plot",
        )
