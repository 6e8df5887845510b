"""Write the page that lists the public names, for autosummary to expand.

`SECTIONS` holds every name in ``skfair_runner.__all__`` once. A module stands for all
names in its own ``__all__``.
"""

import importlib
import inspect
from pathlib import Path

import skfair_runner

SECTIONS = {
    "Classifier": ["RunnerFairClassifier", "paper_settings"],
    "Diagnosis and repair of a trained module": ["diagnose_neurons", "repair_module"],
    "Pipelines, searches and tables": [
        "SensitiveColumns",
        "make_table_preprocessor",
        "fairness_scorer",
        "best_within_bound",
    ],
    "Comparison": ["compare_classifiers"],
    "Saving, loading, serving": ["save", "load", "export_onnx"],
    "Metrics on decisions and scores": ["metrics"],
    "Gaps: the differences made differentiable": ["gaps"],
    "Distances between groups of activations": ["distances"],
    "Modules": ["modules"],
    "Data sets": ["datasets"],
    "Plots": ["plots"],
}
LABEL = "API"


def _heading(text, line):
    return [text, line * len(text), ""]


def _table(module, names):
    """Autosummary of names that are defined in, or handed on by, one module."""
    return [
        f".. currentmodule:: {module}",
        "",
        ".. autosummary::",
        "   :toctree: generated/",
        "",
        *(f"   {name}" for name in names),
        "",
    ]


def _is_documented(thing):
    return inspect.isclass(thing) or inspect.isfunction(thing)


def _section(title, names):
    lines = _heading(title, "-")
    own = []
    for name in names:
        thing = getattr(skfair_runner, name)
        if not inspect.ismodule(thing):
            own.append(name)
            continue
        summary = inspect.getdoc(thing).splitlines()[0]
        public = getattr(thing, "__all__", None) or [
            key
            for key, value in vars(thing).items()
            if not key.startswith("_")
            and getattr(value, "__module__", None) == thing.__name__
        ]
        listed = [key for key in public if _is_documented(getattr(thing, key))]
        lines += [summary, "", *_table(thing.__name__, listed)]
    return lines + (_table("skfair_runner", own) if own else [])


def write(path):
    """Write the page, without the names that the package does not export.

    Returns the names that have no section, and those left out.
    """
    exported = {name for name in skfair_runner.__all__ if not name.startswith("_")}
    for name in exported:
        if not hasattr(skfair_runner, name):
            importlib.import_module(f"skfair_runner.{name}")
    lines = _heading(LABEL, "=")
    for title, names in SECTIONS.items():
        present = [name for name in names if name in exported]
        if present:
            lines += _section(title, present)
    path = Path(path)
    path.parent.mkdir(exist_ok=True)
    text = "\n".join(lines)
    # Left alone when nothing changed, so that a second build is quick.
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    listed = {name for names in SECTIONS.values() for name in names}
    return sorted(exported - listed), sorted(listed - exported)
