"""Options that several commands have, and what is done with them alike."""

import inspect
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from skfair_runner.cli.cases import CaseError, case_of_dataset, case_of_file
from skfair_runner.cli.screen import import_package
from skfair_runner.compare._measures import DIFFERENCE_OF
from skfair_runner.datasets import DATASETS

MODULE_OUTPUTS = ("auto", "logits", "probabilities")

# Type of each option, and what typer has to know about it.
DATA_OPTIONS = {
    "dataset": (str | None, {"help": f"A known data set: {', '.join(DATASETS)}."}),
    "data_home": (Path | None, {"help": "Folder of the data sets."}),
    "data": (Path | None, {"help": "Your own table instead, a CSV file."}),
    "target": (str | None, {"help": "Its column of labels, two of them."}),
    "sensitive": (
        list[str] | None,
        {"help": "Column of the groups; repeat it to cross.", "metavar": "<str>"},
    ),
    "positive": (str | None, {"help": "The favourable label of your table."}),
}
CONSTRAINT_OPTION = {
    "constraint": (str, {"help": f"One of {', '.join(DIFFERENCE_OF)}."})
}
BOUND_OPTION = {
    "bound": (
        float,
        {"help": "Difference between groups that is aimed at.", "min": 0, "max": 1},
    )
}
# The argument of commands about a trained model, and how its network is fed.
MODEL_ARGUMENT = {
    "model": (
        Path,
        {
            "help": "What skfair_runner.save wrote, or a state-dict file.",
            "metavar": "MODEL",
        },
    )
}
MODEL_OPTIONS = {
    "module": (
        str | None,
        {
            "help": "package.file:factory, the class of your own torch module or a "
            "function that returns one, called with n_features and n_outputs where it "
            "takes them. Importing it runs your code; nothing is imported without this "
            "option. The current directory is searched first.",
            "metavar": "<str>",
        },
    ),
    "module_output": (
        str,
        {"help": f"What your module emits, one of {', '.join(MODULE_OUTPUTS)}."},
    ),
    "features": (
        list[str] | None,
        {
            "help": "Column to feed to a network that knows no names; repeat it, in "
            "the network's order.",
            "metavar": "<str>",
        },
    ),
}
NEURON_OPTIONS = {
    "top_k": (
        str,
        {
            "help": "Neurons of each layer held responsible: a share such as 0.5, or "
            "a number such as 20.",
            "metavar": "<number>",
        },
    ),
    "layers": (
        list[str] | None,
        {
            "help": "Submodule whose neurons are looked at, repeat it; all activations "
            "that follow a layer with weights, if left out.",
            "metavar": "<str>",
        },
    ),
}
SEED_OPTION = {"seed": (int, {"help": "Seed of everything.", "min": 0})}
OUTPUT_OPTIONS = {
    "out": (Path, {"help": "Folder for the results."}),
    "quiet": (bool, {"help": "Write the files, print nothing."}),
}


def annotated(command, options):
    """Tell typer the types and help of a command's options and arguments.

    Parameters
    ----------
    command : function
        A parameter without a default is an argument, any other one an option.

    options : dict of str to (type, dict)
        Type of each, and the keywords of `typer.Option` or `typer.Argument`.

    Returns
    -------
    command : function
        The same one.
    """
    typer = import_package("typer")
    parameters = inspect.signature(command).parameters
    command.__annotations__ = {}
    for name, (kind, more) in options.items():
        if parameters[name].default is inspect.Parameter.empty:
            told = typer.Argument(**more)
        else:
            told = typer.Option(f"--{name.replace('_', '-')}", **more)
        command.__annotations__[name] = Annotated[kind, told]
    return command


@contextmanager
def usage_errors():
    """Turn the errors of wrong options into errors of usage.

    Raises
    ------
    typer.BadParameter
        For every :class:`~skfair_runner.cli.cases.CaseError`, with the option's name.
    """
    try:
        yield
    except CaseError as error:
        typer = import_package("typer")
        raise typer.BadParameter(str(error), param_hint=error.option) from error


def find_case(dataset, data_home, data, target, sensitive, positive, *, default=None):
    """The data that the options ask for; refuses options that do not go together.

    Parameters
    ----------
    dataset, data_home, data, target, sensitive, positive
        As typed; None where left out.

    default : str or None, default=None
        Data set to take where neither `dataset` nor `data` is given.

    Returns
    -------
    case : Case
        Table, labels and groups.

    Raises
    ------
    CaseError
        If two tables are named, or none; if an option is about another table; or as
        :func:`~skfair_runner.cli.cases.case_of_file` and
        :func:`~skfair_runner.cli.cases.case_of_dataset`.
    """
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
    if dataset is None and default is None:
        raise CaseError(
            "--data",
            "there is no table to read: pass --data FILE.csv with --target and "
            f"--sensitive, or --dataset with one of {', '.join(DATASETS)}.",
        )
    return case_of_dataset(
        dataset or default, data_home=data_home, sensitive=sensitive or ()
    )


def check_constraint(constraint):
    """Refuse a constraint that there is not.

    Parameters
    ----------
    constraint : str
        As typed.

    Raises
    ------
    CaseError
        With the names that there are.
    """
    check_choice("--constraint", constraint, DIFFERENCE_OF)


def check_choice(option, value, choices):
    """Refuse a word that an option does not know.

    Parameters
    ----------
    option : str
        The option, such as ``"--constraint"``.

    value : str
        As typed.

    choices : iterable of str
        What it knows.

    Raises
    ------
    CaseError
        With the words that it knows.
    """
    if value not in choices:
        what = option.removeprefix("--").replace("-", " ")
        raise CaseError(
            option, f"there is no {what} {value!r}; pass one of {', '.join(choices)}."
        )


def read_top_k(text):
    """How many neurons of each layer are held responsible.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    top_k : int or float
        A number, or a share where a point was typed.

    Raises
    ------
    CaseError
        If it is neither.

    Examples
    --------
    >>> read_top_k("20"), read_top_k("0.5")
    (20, 0.5)
    """
    try:
        top_k = float(text) if "." in text else int(text)
    except ValueError:
        top_k = 0
    if top_k <= 0 or (isinstance(top_k, float) and top_k > 1):
        raise CaseError(
            "--top-k",
            f"{text!r} is neither a share of a layer's neurons, such as 0.5 (at most "
            "1.0), nor a number of them, such as 20.",
        )
    return top_k


def make_folder(out):
    """Make the folder of the results before anything takes long.

    Parameters
    ----------
    out : Path
        As typed.

    Raises
    ------
    CaseError
        If it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CaseError(
            "--out", f"{out} cannot be made a folder ({error}): pass another one."
        ) from error
