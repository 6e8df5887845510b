"""What the commands print and draw alike."""

import numpy as np

from skfair_runner.cli.tables import count_rows
from skfair_runner.groups import cell_counts, encode_groups
from skfair_runner.utils import atomic_write, import_optional

# A label of a group with fewer rows has rates that jump from row to row.
_FEW = 20


def import_package(name):
    """Module of a package that the extra ``cli`` installs.

    Parameters
    ----------
    name : str
        What to import.

    Returns
    -------
    module : module
        The module.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    return import_optional(name, extra="cli", purpose="The command line")


def open_console(**options):
    """Where everything is printed.

    Parameters
    ----------
    **options : dict
        Of `rich.console.Console`.

    Returns
    -------
    console : rich.console.Console
        On standard output.
    """
    return import_package("rich.console").Console(**options)


def say(screen, text):
    """Print a text as it is.

    Parameters
    ----------
    screen : rich.console.Console
        Where to.

    text : str
        Brackets in it are no markup.
    """
    screen.print(text, markup=False, highlight=False)


def say_path(screen, what, path):
    """Print where something was written, in one line that can be copied.

    Parameters
    ----------
    screen : rich.console.Console
        Where to.

    what : str
        What was written.

    path : Path
        Where it is.
    """
    screen.print(f"{what}: {path}", markup=False, highlight=False, soft_wrap=True)


def say_notes(screen, notes):
    """Print what the reader has to know, as a list.

    Parameters
    ----------
    screen : rich.console.Console
        Where to.

    notes : list of str
        Sentences; repeated ones are said once.
    """
    say(screen, "\n".join(f"* {note}" for note in dict.fromkeys(notes)))


def introduce(case, *, note="", share=1.0, where=""):
    """Say what the numbers are about: rows, groups, how often each has the label.

    Parameters
    ----------
    case : Case
        The data.

    note : str, default=""
        Follows the number of rows, such as ", 3 folds".

    share : float, default=1.0
        Share of the rows that a number is measured on.

    where : str, default=""
        Where these rows are, such as "in each fold".

    Returns
    -------
    text : str
        A few lines.
    """
    groups = encode_groups(case.groups, caller="The command line")
    favoured = case.y == case.pos_label
    shares = [
        f"{name} {favoured[groups.codes == code].mean():.1%} of "
        f"{(groups.codes == code).sum():,}"
        for code, name in enumerate(groups.labels)
    ]
    lines = [
        f"{case.name}: {count_rows(len(case.y))}{note}.",
        f"Favourable label: {case.favourable}. By {' × '.join(case.groups)}: "
        f"{'; '.join(shares)}.",
        *case.notes,
    ]
    counts = cell_counts(favoured.astype(int), groups.codes, 2, groups.n_groups)
    label, group = np.unravel_index(counts.argmin(), counts.shape)
    fewest = counts.min()
    if fewest * share < _FEW:
        about = f", about {fewest * share:.0f} {where}" if where else ""
        lines.append(
            f"Only {count_rows(fewest)} of {groups.labels[group]!r} "
            f"{'with' if label else 'without'} the favourable label{about}: "
            "differences rest on few people."
        )
    return "\n".join(lines)


def write_figure(screen, draw, path, *, purpose):
    """Draw a figure into a file; without matplotlib, say so instead.

    Parameters
    ----------
    screen : rich.console.Console
        Where to say it.

    draw : callable
        Returns a figure.

    path : Path
        File to write, whole or not at all.

    purpose : str
        What it shows, as the subject of a sentence.
    """
    try:
        pyplot = import_optional("matplotlib.pyplot", extra="plots", purpose=purpose)
    except ImportError as error:
        say(screen, str(error))
        return
    figure = draw()
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=150)
    pyplot.close(figure)
    say_path(screen, "Figure", path)
