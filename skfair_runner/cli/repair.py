"""`skfair-runner repair`: a trained model with a smaller group difference."""

import warnings
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from skfair_runner.cli.cases import CaseError
from skfair_runner.cli.models import read_model, target_of, write_model
from skfair_runner.cli.options import (
    BOUND_OPTION,
    CONSTRAINT_OPTION,
    DATA_OPTIONS,
    MODEL_ARGUMENT,
    MODEL_OPTIONS,
    NEURON_OPTIONS,
    OUTPUT_OPTIONS,
    SEED_OPTION,
    check_choice,
    check_constraint,
    find_case,
    make_folder,
    read_top_k,
    usage_errors,
)
from skfair_runner.cli.results import (
    measure,
    show_neurons,
    show_numbers,
    write_csv,
    write_neurons,
)
from skfair_runner.cli.screen import introduce, open_console, say, say_notes, say_path
from skfair_runner.cli.sentences import describe_repair
from skfair_runner.compare._measures import DIFFERENCE_OF
from skfair_runner.groups import encode_groups
from skfair_runner.repair import repair_module
from skfair_runner.utils._columns import take_rows

_REPAIRS = ("decisions", "scores")

REPAIR_OPTIONS = {
    **MODEL_ARGUMENT,
    **DATA_OPTIONS,
    **MODEL_OPTIONS,
    **CONSTRAINT_OPTION,
    **BOUND_OPTION,
    "repair_for": (
        str,
        {
            "help": "What shall hardly differ, one of decisions (at the threshold ½) "
            "or scores (at every threshold, at a larger cost)."
        },
    ),
    "epochs": (
        int | None,
        {"help": "Of the repair; chosen from the rows, if left out.", "min": 1},
    ),
    **NEURON_OPTIONS,
    "held_out": (
        float,
        {
            "help": "Share of the rows, stratified by group and label, that the repair "
            "does not see and that before and after are compared on.",
            "min": 0.05,
            "max": 0.9,
        },
    ),
    **SEED_OPTION,
    **OUTPUT_OPTIONS,
}


def repair(
    model,
    dataset=None,
    data_home=None,
    data=None,
    target=None,
    sensitive=None,
    positive=None,
    module=None,
    module_output="auto",
    features=None,
    constraint="demographic_parity",
    bound=0.05,
    repair_for="decisions",
    epochs=None,
    top_k="0.5",
    layers=None,
    held_out=0.3,
    seed=0,
    out=Path("repaired"),
    quiet=False,
):
    """Reduce the difference between groups of a trained model, by further training.

    MODEL is a folder or zip file that skfair_runner.save wrote; or, with --module, the
    state dict of a torch module of yours, as torch.save or safetensors wrote it. A
    module of yours is fed with the numeric columns of the table in their order, without
    the target and the groups, or with those that --features names. Of a pipeline, the
    preprocessing is kept. The repaired model needs no groups to predict. It is written
    into the folder --out in the format and under the name of the original, with
    metrics.csv (before and after, on held-out rows), neurons.csv and neurons.png.
    """
    screen = open_console(quiet=quiet)
    with usage_errors():
        case = find_case(dataset, data_home, data, target, sensitive, positive)
        check_constraint(constraint)
        check_choice("--repair-for", repair_for, _REPAIRS)
        top_k = read_top_k(top_k)
        make_folder(out)
        target_of(model, out)
        trained = read_model(
            model,
            case,
            module=module,
            module_output=module_output,
            features=features or (),
        )
        rows = _split(trained.case, held_out, seed)
        note = f", {len(rows[1]):,} of them held out"
        say(screen, introduce(case, note=note, share=held_out, where="held out"))
        result, told = _repair(
            trained,
            *rows,
            constraint=constraint,
            difference_bound=bound,
            repair=repair_for,
            max_epochs=epochs or "auto",
            top_k=top_k,
            layers=layers or "auto",
            random_state=seed,
            verbose=int(not quiet),
        )
        path = write_model(trained, result.classifier, out)
    _show(screen, result, constraint, bound, len(rows[1]), told)
    say_path(screen, "Repaired model", path)
    write_csv(screen, "Numbers", result.metrics, out / "metrics.csv", index=True)
    write_neurons(screen, result.neurons, out)


def _split(case, share, seed):
    """Rows to repair on and rows to measure on, stratified by group and label."""
    groups = encode_groups(case.groups, caller="repair")
    cells = 2 * groups.codes + (case.y == case.pos_label)
    try:
        rows = train_test_split(
            np.arange(len(cells)), test_size=share, random_state=seed, stratify=cells
        )
    except ValueError as error:
        found, counts = np.unique(cells, return_counts=True)
        fewest = found[counts.argmin()]
        raise CaseError(
            "--held-out",
            f"a share of {share:g} of the {len(cells)} rows cannot be held out with "
            f"every group and label in both parts ({error.args[0].rstrip('.')}); "
            f"fewest are the {counts.min()} of {groups.labels[fewest // 2]!r} that "
            f"{'have' if fewest % 2 else 'lack'} the favourable label.",
        ) from error
    return [np.sort(part) for part in rows]


def _repair(trained, train, test, *, constraint, **options):
    """Repair on some rows, compare on others; what was warned of."""
    case, groups = trained.case, trained.case.sensitive_features
    held_out = (take_rows(trained.X, test), case.y[test], groups.iloc[test])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            result = repair_module(
                trained.classifier.net_.module_,
                take_rows(trained.X, train),
                case.y[train],
                sensitive_features=groups.iloc[train],
                constraint=constraint,
                evaluation=held_out,
                **trained.network,
                **options,
            )
        except (TypeError, ValueError) as error:
            raise CaseError("MODEL", str(error)) from error
        numbers = [
            measure(classifier, *held_out, case.pos_label)
            for classifier in (trained.classifier, result.classifier)
        ]
    name = "false_positive_rate_difference"
    result.metrics.loc[name] = [each[name] for each in numbers]
    return result, [str(each.message) for each in caught]


def _show(screen, result, constraint, bound, n_rows, told):
    """Print before and after, the neurons, and what was reduced at what cost."""
    aim = DIFFERENCE_OF[constraint]
    columns = {name: result.metrics[name].to_dict() for name in ("before", "after")}
    title = f"On {n_rows:,} held-out rows, aiming at {bound:g}"
    show_numbers(screen, columns, title=title, aim=aim)
    gap = constraint.replace("_", " ")
    show_neurons(
        screen, result.neurons, title=f"Neurons that carried the {gap} gap most"
    )
    notes = [
        "Differences are max − min over the groups. If the model was trained on rows "
        "that are held out here, before looks better than it would on new rows.",
        "Importance is what silencing the neuron would have done to the gap, squared; "
        "discrimination is how far apart its activation is between groups, on the rows "
        "that the repair saw.",
    ]
    if columns["after"][aim] > bound:
        notes.append(
            f"The difference is above {bound:g} on held-out rows: the repair aims at "
            "it on the rows that it sees."
        )
    say_notes(screen, [*notes, *told])
    say(screen, f"\n{describe_repair(result.metrics, aim, n_rows)}\n")
