"""A module imports only from lower layers of the package than its own."""

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "skfair_runner"

# Lowest first. Modules of one layer never import one another; the modules inside a
# subpackage may. docs/architecture.rst says what each is for.
LAYERS = (
    {"_modes", "_precision", "_randomness", "_transfer", "cells", "groups", "utils"},
    {"conditions", "images", "layers"},
    {
        "activations",
        "batches",
        "datasets",
        "distances",
        "gaps",
        "metrics",
        "modules",
        "multipliers",
        "relaxations",
    },
    {
        "_guards",
        "_inputs",
        "_resident",
        "_settings",
        "_training_data",
        "conditional",
        "constraints",
        "control",
        "neurons",
        "plots",
    },
    {"_callbacks", "_module_making", "_runs", "diagnosis", "report", "tasks"},
    {"_checkpoint", "_on_device", "_scored", "_telling", "penalty"},
    {"_repairing"},
    {"net"},
    {"_building", "_parameters", "_surprises"},
    {"_chunks", "_neural"},
    {"classifier", "model_selection", "preprocessing"},
    {"fairness_testing"},
    {
        "baselines",
        "explain",
        "frontier",
        "persistence",
        "repair",
    },
    {"compare"},
    {"cli"},
)
LAYER_OF = {name: layer for layer, names in enumerate(LAYERS) for name in names}


class Import(NamedTuple):
    """One import of our own package: where it stands and what it reaches."""

    path: Path
    line: int
    text: str
    target: str  # a module directly below the package, or "" for the package itself


def _absolute(node, path, package):
    """Dotted name that `from ... import` starts from, relative dots resolved."""
    if not node.level:
        return node.module
    parents = (package.name, *path.relative_to(package).parts[:-1])
    base = ".".join(parents[: len(parents) - node.level + 1])
    return f"{base}.{node.module}" if node.module else base


def _reached(node, path, package):
    """Dotted names that an import statement reaches."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = _absolute(node, path, package)
    return [f"{base}.{alias.name}" for alias in node.names]


def _modules(package):
    return {
        path.stem
        for path in package.iterdir()
        if path.suffix == ".py" or any(path.glob("*.py"))
    } - {"__init__", "__main__"}


def own_imports(package):
    """Yield every import of the package by one of its own files, wherever it stands."""
    modules = _modules(package)
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            for name in _reached(node, path, package):
                top, *rest = name.split(".")
                # The version is a literal of the package itself, so it has no layer.
                if top != package.name or rest == ["__version__"]:
                    continue
                target = rest[0] if rest and rest[0] in modules else ""
                yield Import(path, node.lineno, ast.unparse(node), target)


def violations(package, layer_of):
    """Sentences about imports, between modules with a layer, that do not go down."""
    sentences = []
    for path, line, text, target in own_imports(package):
        owner = path.relative_to(package).parts[0].removesuffix(".py")
        if owner not in layer_of or owner == target:
            continue
        where = f"{path.relative_to(package.parent)}:{line}: `{text}`"
        if not target:
            sentences.append(
                f"{where} imports the package itself, which stands above all layers: "
                "import from the module that defines the name."
            )
        elif layer_of.get(target, -1) >= layer_of[owner]:
            sentences.append(
                f"{where} goes from layer {layer_of[owner]} ({owner}) to layer "
                f"{layer_of[target]} ({target}): a module imports from lower layers "
                "only."
            )
    return list(dict.fromkeys(sentences))  # one statement may bring several names


def unknown_modules(package, layer_of):
    """Sentences about modules that have no layer."""
    return [
        f"{package.name}/{name} has no layer: add it to LAYERS in {Path(__file__).name}"
        ", and say in docs/architecture.rst what it is for."
        for name in sorted(_modules(package) - set(layer_of))
    ]


def test_every_module_has_a_layer():
    unknown = unknown_modules(PACKAGE, LAYER_OF)
    assert not unknown, "\n".join(unknown)


def test_every_module_is_explained_in_the_documentation():
    page = PACKAGE.parent / "docs" / "architecture.rst"
    text = page.read_text(encoding="utf-8")
    absent = [name for name in sorted(_modules(PACKAGE)) if f"`{name}`" not in text]
    assert not absent, f"{page.name} does not say what these are for: {absent}"


def test_modules_import_from_lower_layers_only():
    found = violations(PACKAGE, LAYER_OF)
    assert not found, "\n".join(found)


def test_the_imports_of_the_package_are_found():
    """The two tests above would pass on an empty list, too."""
    assert any(found.target == "utils" for found in own_imports(PACKAGE))


@pytest.fixture
def toy(tmp_path):
    """Package with a module on each of two layers, and a subpackage on the lower."""
    package = tmp_path / "toy"
    (package / "low").mkdir(parents=True)
    for name in ("__init__.py", "low/__init__.py", "low/part.py", "high.py", "side.py"):
        (package / name).touch()
    return package


TOY_LAYER_OF = {"low": 0, "high": 1, "side": 1}


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("low/part.py", "from ..high import name"),
        ("low/part.py", "from .. import high"),
        ("low/__init__.py", "from ..high import name"),
        ("low/part.py", "import toy.high"),
        ("low/part.py", "from toy import high"),
        ("high.py", "from .side import name"),
        ("high.py", "from toy.side import name"),
    ],
)
@pytest.mark.parametrize("place", ["{}", "def f():\n    {}", "if True:\n    {}"])
def test_an_import_that_does_not_go_down_is_named(toy, file, statement, place):
    (toy / file).write_text(place.format(statement) + "\n", encoding="utf-8")

    (sentence,) = violations(toy, TOY_LAYER_OF)

    line = place.count("\n") + 1
    assert sentence.startswith(f"toy/{file}:{line}: `{statement}`")


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("low/__init__.py", "from .part import name"),
        ("low/part.py", "from . import other"),
        ("high.py", "from .low.part import name"),
        ("high.py", "import toy.low"),
        ("high.py", "from . import __version__"),
        ("high.py", "import numpy.linalg"),
        ("__init__.py", "from .high import name"),
        ("__main__.py", "from .high import name"),
    ],
)
def test_imports_that_go_down_or_stay_inside_are_allowed(toy, file, statement):
    (toy / file).write_text(statement + "\n", encoding="utf-8")
    assert violations(toy, TOY_LAYER_OF) == []


def test_importing_the_package_itself_is_named(toy):
    (toy / "high.py").write_text("from toy import Classifier\n", encoding="utf-8")
    (sentence,) = violations(toy, TOY_LAYER_OF)
    assert "`from toy import Classifier` imports the package itself" in sentence


def test_a_module_without_a_layer_is_told_where_to_be_added(toy):
    (toy / "new.py").touch()
    (sentence,) = unknown_modules(toy, TOY_LAYER_OF)
    assert sentence.startswith("toy/new has no layer: add it to LAYERS")
