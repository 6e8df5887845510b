"""What all figures share: matplotlib on demand, colours, panels and quiet axes."""

import textwrap
from typing import NamedTuple

from skfair_runner.utils import import_optional

# Okabe & Ito's colours, distinct for the colour-blind, without the yellow that is
# faint on white; ordered so that neighbours differ in grey, too.
COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = (
    "-",
    "--",
    ":",
    "-.",
    (0, (8, 2, 1, 2, 1, 2)),
    (0, (3, 1)),
    (0, (12, 3)),
)
GREY = "#8c8c8c"
FAINT = "#d9d9d9"
_LAYERS_PER_LINE = 4


class Style(NamedTuple):
    """How one of several series is drawn, told apart without colour, too.

    Attributes
    ----------
    colour : str
        Of the marker and the line.

    marker : str
        Matplotlib's marker.

    line : str or tuple
        Matplotlib's line style.
    """

    colour: str
    marker: str
    line: str | tuple


def style_of(number):
    """Style of a series; the first 49 differ from one another.

    Parameters
    ----------
    number : int
        Place of the series, from 0.

    Returns
    -------
    style : Style
        Colour, marker and line. After seven series colours come again, with another
        marker and line.
    """
    shifted = number + number // len(COLOURS)
    return Style(
        COLOURS[number % len(COLOURS)],
        MARKERS[shifted % len(MARKERS)],
        LINES[shifted % len(LINES)],
    )


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


def panels(ax, n_rows, n_columns, size, *, height_ratios=None, **keywords):
    """Axes in rows and columns: in a new figure, or in place of given axes.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Its place is divided, and it is switched off; None makes a figure.

    n_rows, n_columns : int
        How many panels there are.

    size : tuple of (float, float)
        Width and height of a new figure, in inches.

    height_ratios : sequence of float or None, default=None
        Relative heights of the rows.

    **keywords : dict
        Handed to matplotlib's ``GridSpec.subplots``, such as ``sharex``.

    Returns
    -------
    axes : ndarray of matplotlib Axes, of shape (n_rows, n_columns)
        The panels.
    """
    shape = {"nrows": n_rows, "ncols": n_columns, "height_ratios": height_ratios}
    if ax is None:
        figure = pyplot().figure(figsize=size, layout="constrained")
        grid = figure.add_gridspec(**shape)
    elif ax.get_subplotspec() is not None:
        ax.set_axis_off()
        grid = ax.get_subplotspec().subgridspec(**shape)
    else:  # placed by hand, as in figure.add_axes
        ax.set_axis_off()
        place = ax.get_position()
        edges = {"left": place.x0, "right": place.x1}
        edges |= {"bottom": place.y0, "top": place.y1}
        grid = ax.figure.add_gridspec(**shape, **edges)
    return grid.subplots(squeeze=False, **keywords)


def layer_panels(ax, n_layers, size, n_rows=1, **keywords):
    """Panels for the layers of a net, at most four beside one another.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Its place is divided; None makes a figure.

    n_layers : int
        Number of layers.

    size : tuple of (float, float)
        Width and height that a layer gets in a new figure, in inches.

    n_rows : int, default=1
        Panels of one layer, above one another.

    **keywords : dict
        Handed to matplotlib's ``GridSpec.subplots``.

    Returns
    -------
    axes : ndarray of matplotlib Axes, of shape (n_rows, n_layers)
        The panels of each layer in a column of this array.
    """
    n_columns = min(n_layers, _LAYERS_PER_LINE)
    n_lines = -(-n_layers // n_columns)
    whole = (0.9 + size[0] * n_columns, 0.4 + size[1] * n_lines)
    axes = panels(ax, n_lines * n_rows, n_columns, whole, **keywords)
    # (n_lines, n_rows, n_columns) to (n_rows, n_lines * n_columns)
    axes = axes.reshape(n_lines, n_rows, n_columns).swapaxes(0, 1)
    axes = axes.reshape(n_rows, n_lines * n_columns)
    for spare in axes[:, n_layers:].ravel():
        spare.remove()
    return axes[:, :n_layers]


def darker(colour):
    """Shade of a colour in which letters can be read on white.

    Parameters
    ----------
    colour : str
        Of a marker or a line.

    Returns
    -------
    rgb : tuple of float
        The shade.
    """
    from matplotlib.colors import to_rgb

    return tuple(0.65 * part for part in to_rgb(colour))


def seam():
    """White border of letters, so that they can be read across lines.

    Returns
    -------
    path_effects : list
        For matplotlib's texts.
    """
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.5, foreground="white")]


def legend_below(ax, **keywords):
    """Legend under the axes, one line per entry: room for long names.

    Parameters
    ----------
    ax : matplotlib Axes
        With labelled artists and a label below.

    **keywords : dict
        Handed to ``Axes.legend``.

    Returns
    -------
    legend : matplotlib Legend
        What was added.
    """
    from matplotlib.transforms import ScaledTranslation

    # Ticks and a label take the same room however large the axes are.
    below = ScaledTranslation(0, -36 / 72, ax.figure.dpi_scale_trans)
    return ax.legend(
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=ax.transAxes + below,
        borderaxespad=0,
        frameon=False,
        fontsize=8.5,
        title_fontsize=8.5,
        **keywords,
    )


def wrapped(name, width=24, n_lines=3):
    r"""Name in lines of a width, cut after the last one.

    Parameters
    ----------
    name : str
        What to write.

    width : int, default=24
        Most letters in a line.

    n_lines : int, default=3
        Most lines.

    Returns
    -------
    text : str
        Lines joined by line breaks; what was cut off ends in "…".

    Examples
    --------
    >>> wrapped("Female, Asian or Pacific Islander", width=16)
    'Female, Asian or\nPacific Islander'
    """
    return "\n".join(
        textwrap.wrap(
            str(name),
            width,
            max_lines=n_lines,
            placeholder=" …",
            break_on_hyphens=False,
        )
    )


def layer_title(layer, n_neurons):
    """Title of a layer's panel.

    Parameters
    ----------
    layer : str
        Name of the layer; the layers of a ``Sequential`` are called by numbers.

    n_neurons : int
        How many neurons it has.

    Returns
    -------
    title : str
        In lines that fit above a panel.

    Examples
    --------
    >>> layer_title("relu1", 1), layer_title("2", 32)
    ('relu1: 1 neuron', 'layer 2: 32 neurons')
    """
    name = f"layer {layer}" if str(layer).isdigit() else layer
    return wrapped(f"{name}: {n_neurons} neuron{'s' * (n_neurons != 1)}", 32)


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
    TypeError
        If it is no table.

    ValueError
        If a column is absent.
    """
    if not hasattr(table, "columns"):
        raise TypeError(
            f"{caller} must be a DataFrame, one row for each of what is drawn, got a "
            f"{type(table).__name__}."
        )
    absent = [name for name in names if name not in table.columns]
    if absent:
        raise ValueError(
            f"{caller}: the table has no column {absent[0]!r}; its columns are "
            f"{table.columns.tolist()}."
        )
