"""Sphinx configuration: `sphinx-build -W -b html docs docs/_build/html`."""

import os
import re
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]
# The examples draw into files, with nets so small that one thread is fastest.
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import api_page  # noqa: E402

import skfair_runner  # noqa: E402

project = "skfair-runner"
author = "The skfair-runner developers"
copyright = author  # noqa: A001
release = version = skfair_runner.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "auto_examples/*.ipynb"]
# Single backticks mean code, in docstrings as in CHANGELOG.md.
default_role = "literal"

html_theme = "pydata_sphinx_theme"
html_title = f"skfair-runner {release}"
html_show_sourcelink = False
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}

autosummary_generate = True
# Each method has a section of its own, below the class.
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
}

api_page.write(DOCS / "api" / "index.rst")


def _skip_what_is_not_ours(app, what, name, obj, skip, options):
    """Leave out what a class has from other packages, request methods among it."""
    is_request = name.startswith("set_") and name.endswith("_request")
    function = getattr(obj, "fget", None) or getattr(obj, "fn", None) or obj
    home = getattr(function, "__module__", None) or ""
    inherited = what == "class" and not home.startswith("skfair_runner")
    return True if is_request or inherited else skip


def _escape_names_in_shapes(app, what, name, obj, options, lines):
    """Keep ``of shape (n_features_in_,)`` from being read as a hyperlink."""
    lines[:] = [
        re.sub(
            r"of shape \([^)]*\)", lambda shape: shape[0].replace("_,", r"\_,"), line
        )
        for line in lines
    ]


def setup(app):
    app.connect("autodoc-skip-member", _skip_what_is_not_ours)
    # After numpydoc, which has the usual priority of 500.
    app.connect("autodoc-process-docstring", _escape_names_in_shapes, priority=600)
