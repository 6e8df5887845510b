"""Docstrings of the public names: every parameter, with the default it really has."""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import textwrap

import pytest

import skfair_runner

docscrape = pytest.importorskip("numpydoc.docscrape")

DEFAULT = re.compile(r"default=(?P<value>.+)$", re.DOTALL)


def _public_modules():
    """Yield the package, the modules it exports, and those that export names.

    A module without `__all__` that the package does not export is the package's own
    business; one whose optional packages are absent is left out.
    """
    yield skfair_runner
    for found in pkgutil.iter_modules(skfair_runner.__path__):
        if found.name.startswith("_"):
            continue
        try:
            module = importlib.import_module(f"skfair_runner.{found.name}")
        except ImportError as error:
            if (error.name or "").startswith("skfair_runner"):
                raise
            continue
        exported = getattr(skfair_runner, "__all__", ())
        if found.name in exported or hasattr(module, "__all__"):
            yield module


def _is_ours(thing):
    return (getattr(thing, "__module__", None) or "").startswith("skfair_runner")


def _public_names(module):
    """Names in `__all__`, or what the module itself defines without underscore."""
    if hasattr(module, "__all__"):
        return module.__all__
    return [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and getattr(thing, "__module__", None) == module.__name__
    ]


def _public_methods(cls):
    for name, thing in vars(cls).items():
        function = getattr(thing, "__func__", thing)
        if (
            not name.startswith("_")
            and inspect.isfunction(function)
            and _is_ours(function)
        ):
            yield function


def public_objects():
    """Functions, classes and public methods by the name that their source gives."""
    found = {}
    for module in _public_modules():
        for name in _public_names(module):
            thing = getattr(module, name)
            if not (inspect.isfunction(thing) or inspect.isclass(thing)):
                continue
            if not _is_ours(thing):
                continue
            things = [thing]
            if inspect.isclass(thing):
                own = [base for base in thing.__mro__ if _is_ours(base)]
                things += [method for base in own for method in _public_methods(base)]
            for each in things:
                found[f"{each.__module__}.{each.__qualname__}"] = each
    return found


def _signature(thing):
    """Parameters that a caller gives, by name."""
    if inspect.isclass(thing):
        if not _is_ours(thing.__init__) and not dataclasses.is_dataclass(thing):
            return {}
        parameters = inspect.signature(thing.__init__).parameters
    else:
        parameters = inspect.signature(thing).parameters
    return {name: p for name, p in parameters.items() if name not in {"self", "cls"}}


def _documented(thing, doc):
    """Type line of each documented parameter, by name."""
    entries = list(doc["Parameters"]) + list(doc["Other Parameters"])
    if dataclasses.is_dataclass(thing):
        entries += list(doc["Attributes"])
    lines = {}
    for entry in entries:
        type_line = " ".join([entry.type, *entry.desc])
        if not entry.type.endswith("\\"):
            type_line = entry.type
        for name in entry.name.split(","):
            lines[name.strip().lstrip("*")] = type_line
    return lines


def _states(type_line, default):
    """Tell whether the text gives the default that the signature has."""
    match = DEFAULT.search(type_line)
    if match is None:
        return False
    text = match["value"].strip().strip("`")
    try:
        stated = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text.split(".")[-1] in {getattr(default, "__name__", ""), repr(default)}
    return stated == default and type(stated) is type(default)


def _raised(thing):
    """Names of the exceptions that the body itself raises."""
    if inspect.isclass(thing):
        return set()
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
    return {
        ast.unparse(node.exc.func).split(".")[-1]
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    }


def _returns_a_value(thing):
    if inspect.isclass(thing):
        return False
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
    inner = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.FunctionDef | ast.Lambda) and node is not function
    ]
    nested = {id(node) for outer in inner for node in ast.walk(outer)}
    return any(
        isinstance(node, ast.Return)
        and node.value is not None
        and id(node) not in nested
        for node in ast.walk(function)
    )


def _parameter_complaints(thing, doc):
    signature, documented = _signature(thing), _documented(thing, doc)
    kinds = {parameter.kind for parameter in signature.values()}
    for name, parameter in signature.items():
        if name not in documented:
            yield f"parameter {name!r} is not described"
            continue
        default, type_line = parameter.default, documented[name]
        if (
            default is inspect.Parameter.empty
            or type_line == "Ignored"
            or dataclasses.is_dataclass(thing)  # its fields are attributes
        ):
            continue
        if not _states(type_line, default):
            yield (
                f"parameter {name!r} is {default!r} by default; write "
                f"`default={default!r}` at the end of its type, which now reads: "
                f"{type_line!r}"
            )
    open_ended = inspect.Parameter.VAR_KEYWORD in kinds or dataclasses.is_dataclass(
        thing
    )
    for name in sorted(documented.keys() - signature.keys()):
        if not open_ended:
            yield f"{name!r} is described, but is no parameter"


def complaints(thing):
    """Sentences about what the docstring of a function or class lacks."""
    if not inspect.getdoc(thing) or not thing.__doc__:
        return ["no docstring"]
    if inspect.isclass(thing):
        doc = docscrape.ClassDoc(thing, config={"show_class_members": False})
    else:
        doc = docscrape.FunctionDoc(thing)
    found = [] if "".join(doc["Summary"]).strip() else ["no summary"]
    found += _parameter_complaints(thing, doc)
    answers = bool(_signature(thing)) and _returns_a_value(thing)
    if answers and not (doc["Returns"] or doc["Yields"]):
        found.append("returns something, but has no section Returns")
    described = {entry.type or entry.name for entry in doc["Raises"]}
    found += [
        f"raises {name}, but its section Raises does not say when"
        for name in sorted(_raised(thing) - described)
    ]
    return found


OBJECTS = public_objects()


@pytest.mark.parametrize("name", OBJECTS)
def test_docstring_is_complete_and_agrees_with_the_signature(name):
    found = complaints(OBJECTS[name])
    assert not found, f"{name}: " + "; ".join(found)


def test_public_names_exist():
    for module in _public_modules():
        absent = [n for n in _public_names(module) if not hasattr(module, n)]
        assert not absent, f"{module.__name__}.__all__ names what is absent: {absent}"


def _good(scores, top_k=0.5, *, distance="l1", **options):
    """Neurons by importance.

    Parameters
    ----------
    scores : ndarray of shape (n_neurons,)
        Importance.

    top_k : int or float, default=0.5
        Fraction or count.

    distance : {"l1", "l2"}, default="l1"
        How far.

    **options : dict
        Handed on.

    Returns
    -------
    codes : ndarray of shape (n_selected,)
        Selected.

    Raises
    ------
    ValueError
        If nothing is selected.
    """
    if not top_k:
        raise ValueError(f"top_k={top_k!r} selects nothing.")
    return scores, distance, options


def test_a_complete_docstring_is_left_alone():
    assert complaints(_good) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("default=0.5", "default=0.6", "'top_k' is 0.5 by default"),
        ('default="l1"', "optional", "'distance' is 'l1' by default"),
        ("top_k : int", "top : int", "'top_k' is not described"),
        ("Raises\n    ------", "Notes\n    -----", "raises ValueError"),
        ("Returns\n    -------", "Notes\n    -----", "no section Returns"),
    ],
)
def test_what_a_docstring_lacks_is_named(monkeypatch, old, new, expected):
    assert old in _good.__doc__
    monkeypatch.setattr(_good, "__doc__", _good.__doc__.replace(old, new))
    assert expected in "; ".join(complaints(_good))
