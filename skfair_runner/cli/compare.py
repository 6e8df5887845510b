"""`skfair-runner compare`: several methods on the same folds."""

import warnings
from dataclasses import replace
from pathlib import Path

import joblib

from skfair_runner.cli.cases import CaseError
from skfair_runner.cli.compare_table import (
    about_letters,
    comparison_table,
    has_rows,
)
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
    say_notes,
    say_path,
    write_figure,
)
from skfair_runner.cli.tables import about_columns
from skfair_runner.compare import compare_classifiers, standard_classifiers
from skfair_runner.compare._measures import DIFFERENCE_OF, MEASURES
from skfair_runner.compare._methods import (
    METHODS,
    about_caps,
    about_methods,
    choose_methods,
    short_training,
)
from skfair_runner.fairness_testing import IndividualDiscrimination
from skfair_runner.utils import import_optional

COMPARE_OPTIONS = {
    **DATA_OPTIONS,
    **CONSTRAINT_OPTION,
    **BOUND_OPTION,
    "methods": (
        str,
        {
            "help": "quick, all, or names with commas between them: "
            f"{', '.join(METHODS)}."
        },
    ),
    "individual": (
        list[str] | None,
        {
            "help": "Column to exchange: adds the share of people whose decision "
            "changes with it alone. Repeat it for all combinations.",
            "metavar": "<str>",
        },
    ),
    "folds": (int, {"help": "Folds to measure on.", "min": 2}),
    **SEED_OPTION,
    "seeds": (
        int,
        {"help": "How often all is repeated, with other folds and seeds.", "min": 1},
    ),
    "jobs": (
        int | None,
        {"help": "Processes; as many as processors, at most 4.", "min": 1},
    ),
    "iterations": (
        int,
        {"help": "Of ExponentiatedGradient; fairlearn's default is 50.", "min": 1},
    ),
    "resume": (
        Path | None,
        {
            "help": "File that keeps every fit as it is made; with the same file and "
            "data, what is in it is not run again."
        },
    ),
    "html": (Path | None, {"help": "File for one page to read, print or hand over."}),
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
    methods="quick",
    individual=None,
    folds=3,
    seed=0,
    seeds=1,
    jobs=None,
    # Each trains the net about three times; fewer cost the mixture much accuracy.
    iterations=5,
    resume=None,
    html=None,
    out=Path("skfair-runner-results"),
    quiet=False,
):
    """Train several classifiers on the same folds and compare them.

    All are around the same net. quick is the unmitigated net, RunnerFairClassifier, and
    fairlearn's ExponentiatedGradient and ThresholdOptimizer. all is RUNNER and those of
    fourteen baselines that can be held to the constraint, and takes much longer.
    Without options it runs on a generated table, offline. It writes comparison.csv and
    tradeoff.png, and with --html one page to read, print or hand over.
    """
    screen = open_console(quiet=quiet)
    with usage_errors():
        case = find_case(
            dataset, data_home, data, target, sensitive, positive, default="biased"
        )
        check_constraint(constraint)
        if data is not None:
            case = _look_at_columns(case)
        methods = _read_methods(methods, constraint)
        asked = _read_individual(individual, case)
        _check_page(html)
        jobs = jobs or min(joblib.cpu_count(), 4)
        make_folder(out)
        text = introduce(
            case, note=f", {folds} folds", share=1 / folds, where="in each fold"
        )
        say(screen, f"{text}\nLeft out of the features: {', '.join(case.left_out)}.")
        training = short_training(len(case.y) * (folds - 1) // folds)
        comparison, told = _compare(
            case,
            _classifiers(case, constraint, bound, methods, iterations, training),
            model_metrics=asked,
            cv=folds,
            n_seeds=seeds,
            n_jobs=jobs,
            random_state=seed,
            results=resume,
            verbose=int(not quiet),
        )
    told += about_methods(methods, constraint)
    told += _about_costs(comparison, jobs, iterations, training)
    _show(screen, comparison, constraint, bound, told)
    _write(screen, comparison, constraint, out)
    if html is not None:
        notes = [f"Methods aim at {bound:g}.", *told]
        comparison.to_html(html, **_about_page(case, constraint), notes=notes)
        say_path(screen, "Page", html)
    if not comparison.table["folds"].any():
        raise import_package("typer").Exit(code=1)


def _look_at_columns(case):
    """Say which features of a file are hardly ones, numbers read as text among them."""
    notes, numbers = about_columns(case.X.drop(columns=case.left_out))
    # Said here once, so that no preprocessor warns of it in each fold.
    X = case.X.astype(dict.fromkeys(numbers, "category"))
    return replace(case, X=X, notes=[*case.notes, *notes])


def _read_methods(text, constraint):
    """A set of methods, or their names, that can be held to the constraint."""
    methods = text
    if text not in ("quick", "all"):
        methods = [name.strip() for name in text.split(",") if name.strip()]
    try:
        choose_methods(methods, constraint, "Pass quick, all, or names")
    except ValueError as error:
        raise CaseError("--methods", str(error)) from error
    return methods


def _read_individual(columns, case):
    """Metric of individual discrimination by columns of the table, if asked for."""
    if not columns:
        return None
    metric = IndividualDiscrimination(list(columns))
    try:
        metric.prepare(case.X)
    except ValueError as error:
        raise CaseError("--individual", str(error)) from error
    return [metric]


def _check_page(html):
    """Refuse a page that could not be written, before anything takes long."""
    if html is None:
        return
    try:
        import_optional("jinja2", extra="report", purpose="--html")
    except ImportError as error:
        raise CaseError("--html", str(error)) from error
    if html.is_dir() or not html.parent.is_dir():
        what = (
            "is a folder" if html.is_dir() else "lies in a folder that does not exist"
        )
        raise CaseError("--html", f"{html} {what}: pass the name of a file to write.")


def _about_page(case, constraint):
    """What the page says about the data."""
    return {
        "difference": DIFFERENCE_OF[constraint],
        "data_name": case.name,
        "favourable": case.favourable,
        "description": " ".join(
            [*case.notes, f"Left out of the features: {', '.join(case.left_out)}."]
        ),
    }


def _classifiers(case, constraint, bound, methods, iterations, training):
    """The methods for a table, by the names that are shown."""
    return standard_classifiers(
        constraint,
        methods=methods,
        difference_bound=bound,
        sensitive_columns=[c for c in case.left_out if c in case.X.columns] or None,
        pos_label=case.pos_label,
        max_iter=iterations,
        oracle_parameters=training,
    )


def _compare(case, classifiers, *, results, **options):
    """Compare, and collect the warnings for the end of the output."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            comparison = compare_classifiers(
                classifiers,
                case.X,
                case.y,
                sensitive_features=case.sensitive_features,
                pos_label=case.pos_label,
                results=results,
                **options,
            )
        except (OSError, ValueError) as error:
            of_results = results is not None and str(results) in str(error)
            option = "--resume" if of_results else "--sensitive"
            raise CaseError(option, str(error)) from error
    return comparison, [str(each.message) for each in caught]


def _about_costs(comparison, jobs, iterations, training):
    """What was cut short, and what the times are of."""
    caps = about_caps(comparison.table.index, iterations, training)
    told = [f"{label} is cut short: {text}." for label, text in caps.items()]
    if "ExponentiatedGradient" in caps:
        told.append(
            "More --iterations may give ExponentiatedGradient a better mixture."
        )
    if jobs > 1:
        told.append(f"Times to fit are those of {jobs} fits side by side.")
    return told


def _show(screen, comparison, constraint, bound, told):
    """Print the table, what it means, and what was warned of."""
    table = comparison.table
    aim = MEASURES[DIFFERENCE_OF[constraint]].label
    folds = comparison.per_fold.groupby("seed")["fold"].nunique()
    parts = f"{folds.max()} folds" + f" × {len(folds)} seeds" * (len(folds) > 1)
    measured = "means" if has_rows(table) else "mean ± std"
    title = f"Aiming at {bound:g} as {aim} ({measured} over {parts})"
    screen.print(comparison_table(table, constraint, title=title))
    notes = [
        "All on held-out rows. Differences are max − min over the groups; that of "
        "equalized odds is the larger of those in true and false positive rate, the "
        "sum adds them. Where intervals overlap, these rows do not tell which method "
        "has the smaller difference.",
    ]
    if has_rows(table):
        notes.append("More measures, and how they vary, are in comparison.csv.")
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
    say_notes(screen, [*notes, *about_letters(table), *told])
    say(screen, f"\n{comparison.summary(difference=DIFFERENCE_OF[constraint])}\n")


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
