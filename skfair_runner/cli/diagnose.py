"""`skfair-runner diagnose`: the neurons behind a trained model's group difference."""

import warnings
from pathlib import Path

from skfair_runner.cli.cases import CaseError
from skfair_runner.cli.models import read_model
from skfair_runner.cli.options import (
    CONSTRAINT_OPTION,
    DATA_OPTIONS,
    MODEL_ARGUMENT,
    MODEL_OPTIONS,
    NEURON_OPTIONS,
    OUTPUT_OPTIONS,
    check_choice,
    check_constraint,
    find_case,
    make_folder,
    read_top_k,
    usage_errors,
)
from skfair_runner.cli.results import (
    measure,
    show_groups,
    show_neurons,
    show_numbers,
    write_neurons,
)
from skfair_runner.cli.screen import introduce, open_console, say, say_notes
from skfair_runner.compare._measures import DIFFERENCE_OF
from skfair_runner.neurons import IMPORTANCES
from skfair_runner.repair import diagnose_neurons

DIAGNOSE_OPTIONS = {
    **MODEL_ARGUMENT,
    **DATA_OPTIONS,
    **MODEL_OPTIONS,
    **CONSTRAINT_OPTION,
    **NEURON_OPTIONS,
    "importance": (
        str,
        {"help": f"How neurons are ranked, one of {', '.join(IMPORTANCES)}."},
    ),
    **OUTPUT_OPTIONS,
}


def diagnose(
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
    top_k="0.5",
    layers=None,
    importance="activation",
    out=Path("skfair-runner-results"),
    quiet=False,
):
    """Show which neurons of a trained model carry a difference between groups.

    MODEL is a folder or zip file that skfair_runner.save wrote; or, with --module, the
    state dict of a torch module of yours, as torch.save or safetensors wrote it. A
    module of yours is fed with the numeric columns of the table in their order, without
    the target and the groups, or with those that --features names. Groups are used to
    measure only. It prints the model's differences and its most important neurons, and
    writes neurons.csv and neurons.png.
    """
    screen = open_console(quiet=quiet)
    with usage_errors():
        case = find_case(dataset, data_home, data, target, sensitive, positive)
        check_constraint(constraint)
        check_choice("--importance", importance, IMPORTANCES)
        top_k = read_top_k(top_k)
        make_folder(out)
        trained = read_model(
            model,
            case,
            module=module,
            module_output=module_output,
            features=features or (),
        )
        say(screen, introduce(case))
        numbers, neurons, told = _diagnose(
            trained,
            constraint,
            top_k=top_k,
            importance=importance,
            layers=layers or "auto",
        )
    _show(screen, trained, constraint, numbers, neurons, told)
    write_neurons(screen, neurons, out)


def _diagnose(trained, constraint, **options):
    """Differences of the model, its neurons, and what was warned of."""
    case, classifier = trained.case, trained.classifier
    groups = case.sensitive_features
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            neurons = diagnose_neurons(
                classifier.net_.module_,
                trained.X,
                case.y,
                sensitive_features=groups,
                constraint=constraint,
                **trained.network,
                **options,
            )
            numbers = measure(classifier, trained.X, case.y, groups, case.pos_label)
        except (TypeError, ValueError) as error:
            raise CaseError("MODEL", str(error)) from error
    return numbers, neurons, [str(each.message) for each in caught]


def _show(screen, trained, constraint, numbers, neurons, told):
    """Print both tables and how to read them."""
    aim = DIFFERENCE_OF[constraint]
    case = trained.case
    fed = (trained.classifier, trained.X, case.y, case.sensitive_features)
    show_groups(screen, *fed, case.pos_label, title=f"What {trained.path} does")
    show_numbers(
        screen, {"": numbers}, title="Its differences, and their price", aim=aim
    )
    gap = constraint.replace("_", " ")
    show_neurons(screen, neurons, title=f"Neurons that carry the {gap} gap most")
    selected, total = int(neurons["selected"].sum()), len(neurons)
    notes = [
        "Differences are max − min over the groups. All is measured on these rows; "
        "where the model was trained on them, differences on new rows may be larger.",
        "Importance is what silencing the neuron would do to the gap, squared; "
        "discrimination is how far apart its activation is between groups. "
        f"{selected} of {total} neurons are held responsible.",
    ]
    if numbers["constant"]:
        notes.append(
            "More than 99.5 % get the same decision, so the differences say nothing."
        )
    say_notes(screen, [*notes, *told])
