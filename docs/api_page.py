"""Write the page that lists the public names, for autosummary to expand.

`SECTIONS` holds every name in ``skfair_runner.__all__`` once, and `MODULES` the modules
whose own names are public, too.
"""

import importlib
import inspect
from pathlib import Path

SECTIONS = {
    "Classifier": ["RunnerFairClassifier", "paper_settings"],
    "The whole trade-off": ["RunnerFrontier"],
    "Diagnosis and repair of a trained module": [
        "diagnose_neurons",
        "repair_module",
        "RepairResult",
    ],
    "Pipelines, searches and tables": [
        "SensitiveColumns",
        "make_table_preprocessor",
        "fairness_scorer",
        "TradeoffSearchCV",
        "best_within_bound",
        "least_difference_near_best",
        "knee_of_front",
    ],
    "Comparison": [
        "compare_classifiers",
        "standard_classifiers",
        "Comparison",
        "sweep_tradeoff",
        "TradeoffSweep",
        "hypervolume",
    ],
    "Saving, loading, serving": ["save", "load", "export_onnx"],
}
MODULES = {
    "Metrics of decisions and scores": "metrics",
    "Gaps: the differences made differentiable": "gaps",
    "Distances between groups of activations": "distances",
    "Methods to compare with": "baselines",
    "Individual discrimination": "fairness_testing",
    "Modules": "modules",
    "Data sets": "datasets",
    "Images": "images",
    "Plots": "plots",
    "The page about a comparison": "report",
}


def _heading(text, line):
    return [text, line * len(text), ""]


def _table(module, names):
    """Autosummary of names that one module defines or hands on."""
    return [
        f".. currentmodule:: {module}",
        "",
        ".. autosummary::",
        "   :toctree: generated/",
        "",
        *(f"   {name}" for name in names),
        "",
    ]


def _names_of(module):
    """Public functions and classes of a module."""
    own = [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__
    ]
    return [
        name
        for name in getattr(module, "__all__", own)
        if not name.startswith("_")
        and (
            inspect.isclass(getattr(module, name))
            or inspect.isfunction(getattr(module, name))
        )
    ]


def write(path):
    """Write the page."""
    lines = _heading("API", "=")
    for title, names in SECTIONS.items():
        lines += _heading(title, "-") + _table("skfair_runner", names)
    for title, name in MODULES.items():
        module = importlib.import_module(f"skfair_runner.{name}")
        summary = inspect.getdoc(module).splitlines()[0]
        lines += [*_heading(title, "-"), summary, ""]
        lines += _table(module.__name__, _names_of(module))
    path, text = Path(path), "\n".join(lines)
    path.parent.mkdir(exist_ok=True)
    # Left alone when nothing changed, so that a second build is quick.
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
