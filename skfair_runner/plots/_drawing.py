"""What all figures share: matplotlib on demand, colours, and quiet axes."""

from skfair_runner.utils import import_optional

# Okabe & Ito's colours, distinct for the colour-blind, without the yellow that is
# faint on white; ordered so that neighbours differ in grey, too.
COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#8c8c8c"
FAINT = "#d9d9d9"


def pyplot():
    """Matplotlib's pyplot, imported only now.

    Returns
    -------
    pyplot : module
        `matplotlib.pyplot`.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    return import_optional("matplotlib.pyplot", extra="plots", purpose="Plotting")


def tidy(ax):
    """Leave of the frame what carries ticks, and a faint grid behind the data.

    Parameters
    ----------
    ax : matplotlib Axes
        Changed in place.
    """
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color=FAINT, linewidth=0.6)
    ax.set_axisbelow(True)


def columns_of(table, names, caller):
    """Refuse a table without the columns that a figure needs.

    Parameters
    ----------
    table : DataFrame
        What the user passed.

    names : list of str
        Columns that must be there.

    caller : str
        Who asks; begins the error message.

    Raises
    ------
    ValueError
        If a column is absent.
    """
    absent = [name for name in names if name not in table.columns]
    if absent:
        raise ValueError(
            f"{caller}: the table has no column {absent[0]!r}; its columns are "
            f"{table.columns.tolist()}."
        )
