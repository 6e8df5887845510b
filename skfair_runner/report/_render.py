"""From what a page shows to its HTML."""

import base64
import hashlib
import json
from importlib.resources import files

from skfair_runner.report._cells import (
    fact_columns,
    group_rows,
    method_rows,
    neuron_layers,
    rate_rows,
)
from skfair_runner.report._scatter import draw_scatter, scatter_axes
from skfair_runner.utils import atomic_write, import_optional

_TEMPLATES = files("skfair_runner.report") / "templates"


def render_page(page):
    """HTML of a page that needs nothing beside itself.

    Styles, script and pictures are inside; a policy in its head forbids the page to
    load anything or to run any other script. Without a script it shows the same tables
    and a still trade-off.

    Parameters
    ----------
    page : ComparisonPage
        What it shows. Names, errors and all other texts are escaped.

    Returns
    -------
    html : str
        A whole document.

    Raises
    ------
    ImportError
        If jinja2 is not installed.

    See Also
    --------
    write_page : Writes it to a file.
    """
    jinja2 = import_optional("jinja2", extra="report", purpose="The HTML page")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    style, script = _read("style.css"), _read("script.js")
    html = environment.get_template("page.html").render(
        page=page,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        **_view(page),
    )
    # What UTF-8 cannot hold, such as half of a surrogate pair in a file name.
    return html.encode("utf-8", "replace").decode("utf-8")


def write_page(page, path):
    """Write a page, in full or not at all.

    Parameters
    ----------
    page : ComparisonPage
        What it shows.

    path : str or path-like
        File to write; its folder must exist.

    Raises
    ------
    ImportError
        If jinja2 is not installed.
    """
    html = render_page(page)
    with atomic_write(path, "w") as file:
        file.write(html)


def _view(page):
    """What the template and the script get."""
    rows = method_rows(page)
    measures = page.shown_measures
    axes = scatter_axes(page.table, measures)
    return {
        "rows": rows,
        "measures": measures,
        "facts": fact_columns(page.table),
        "axes": axes,
        "scatter": draw_scatter(rows, axes, page.difference, page.utility),
        "groups": [] if page.groups is None else group_rows(page.groups),
        "rates": [] if page.by_group is None else rate_rows(page.by_group),
        "neurons": [
            (str(name), neuron_layers(table)) for name, table in page.neurons.items()
        ],
        "reproduce": (
            json.dumps(page.reproduce, indent=2, ensure_ascii=False, default=str)
            if page.reproduce
            else ""
        ),
        "paragraphs": [p for p in page.summary.split("\n\n") if p.strip()],
        "has_intervals": any(cell["interval"] for row in rows for cell in row["cells"]),
        "has_spread": any(cell["spread"] for row in rows for cell in row["cells"]),
        "kinds": {flag for row in rows for flag, _ in row["flags"]},
        "data": _script_data(page, rows, axes),
    }


def _script_data(page, rows, axes):
    """Numbers and texts that the script draws the trade-off from."""
    return {
        "x": page.difference,
        "y": page.utility,
        "measures": {
            m.name: {
                "label": m.label,
                "unit": m.unit,
                "better": m.greater_is_better,
                **axes[m.name],
            }
            for m in page.shown_measures
            if m.name in axes
        },
        "methods": [
            {
                "number": row["number"],
                "name": row["name"],
                "flags": row["flags"],
                "settings": row["settings"],
                "values": {
                    measure.name: {
                        "span": row["spans"][measure.name],
                        "text": "\N{NO-BREAK SPACE}".join(
                            filter(None, (cell["mean"], measure.unit, cell["spread"]))
                        ),
                        "interval": cell["interval"],
                    }
                    for measure, cell in zip(
                        page.shown_measures, row["cells"], strict=True
                    )
                    if measure.name in row["spans"]
                },
            }
            for row in rows
        ],
    }


def _read(name):
    """Text of a file beside the templates."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text):
    """Source of a content security policy that allows this very text."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _data_uri(figure):
    """Figure as an address that holds its content."""
    content = base64.b64encode(figure.content).decode()
    return f"data:{figure.media_type};base64,{content}"
