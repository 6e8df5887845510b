"""A user's own torch module: its factory imported, its state-dict file read."""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from skfair_runner._module_making import call_factory
from skfair_runner._randomness import own_randomness
from skfair_runner.cli.cases import CaseError
from skfair_runner.utils import atomic_write, import_optional

_SAFETENSORS = ".safetensors"


def import_factory(name: str):
    """What `--module` names; importing it runs the user's own code.

    Parameters
    ----------
    name : str
        ``package.file:factory``; the current directory is searched first.

    Returns
    -------
    factory : callable
        A class or function.

    Raises
    ------
    CaseError
        If it cannot be imported, is absent, or is not callable.
    """
    place, _, attribute = name.partition(":")
    if not place or not attribute:
        raise CaseError(
            "--module",
            f"{name!r} does not say which factory of which file: write it as "
            "package.file:factory, such as nets:make_net.",
        )
    with _current_directory_first():
        try:
            module = importlib.import_module(place)
        # It is the user's own code, which may fail in any way.
        except Exception as error:
            raise CaseError("--module", _import_failure(place, error)) from error
    factory = getattr(module, attribute, None)
    if factory is None:
        own = [
            key
            for key, value in vars(module).items()
            if callable(value) and getattr(value, "__module__", None) == place
        ]
        known = f"it defines {', '.join(own)}" if own else "it defines none"
        raise CaseError("--module", f"{place} has no {attribute!r}; {known}.")
    if isinstance(factory, nn.Module) or not callable(factory):
        raise CaseError(
            "--module",
            f"{name} is a {type(factory).__name__}, not something that builds a "
            "network: name a class of torch.nn.Module, or a function that returns one.",
        )
    return factory


@contextmanager
def _current_directory_first():
    """Make the files of the current directory importable."""
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)


def _import_failure(place: str, error: Exception) -> str:
    """Why an import failed: nothing is there, or what is there fails."""
    absent = getattr(error, "name", None) if isinstance(error, ImportError) else None
    if isinstance(error, ModuleNotFoundError) and f"{place}.".startswith(f"{absent}."):
        return (
            f"there is no Python module {absent!r}, neither in the current directory, "
            f"{os.getcwd()}, nor among the installed packages."
        )
    return f"importing {place} failed: {type(error).__name__}: {error}"


def read_state(path: Path) -> dict[str, Tensor]:
    """State dict of a file, read without running anything from it.

    Parameters
    ----------
    path : Path
        Of ``torch.save(module.state_dict(), path)``, or a .safetensors file.

    Returns
    -------
    state : dict of str to Tensor
        On the CPU.

    Raises
    ------
    CaseError
        If the file cannot be read, or holds something else.
    """
    try:
        if path.suffix.lower() == _SAFETENSORS:
            state = _safetensors().load(path.read_bytes())
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (ImportError, OSError) as error:
        raise CaseError("MODEL", str(error)) from error
    except pickle.UnpicklingError as error:
        raise CaseError(
            "MODEL",
            f"{path} holds more than tensors, which cannot be read without running "
            "code from it: write the weights alone, with torch.save("
            "module.state_dict(), path).",
        ) from error
    # torch and safetensors hand on whatever a broken file leads to.
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise CaseError(
            "MODEL",
            f"{path} cannot be read as a state dict ({type(error).__name__}: {reason}):"
            " it is damaged, or from another program.",
        ) from error
    if not isinstance(state, dict) or not state:
        raise CaseError(
            "MODEL",
            f"{path} holds a {type(state).__name__}, not a state dict: write one with "
            "torch.save(module.state_dict(), path).",
        )
    others = [key for key, value in state.items() if not isinstance(value, Tensor)]
    if others:
        raise CaseError(
            "MODEL",
            f"{path} holds {others[0]!r}, a {type(state[others[0]]).__name__}, beside "
            "tensors, so it is not a state dict: write module.state_dict() alone.",
        )
    return state


def write_state(state: dict[str, Tensor], path: Path) -> None:
    """Write a state dict in the format that the file's suffix says, whole or not.

    Parameters
    ----------
    state : dict of str to Tensor
        Weights.

    path : Path
        safetensors where it ends in .safetensors, else as `torch.save` writes.
    """
    state = {key: value.detach().cpu().clone() for key, value in state.items()}
    if path.suffix.lower() == _SAFETENSORS:
        content = _safetensors().save({k: v.contiguous() for k, v in state.items()})
        with atomic_write(path) as file:
            file.write(content)
        return
    with atomic_write(path) as file:
        torch.save(state, file)


def _safetensors():
    return import_optional(
        "safetensors.torch", extra="safe", purpose="A .safetensors file"
    )


def build_module(name: str, path: Path, n_features: int) -> nn.Module:
    """The user's network with the weights of a file.

    Parameters
    ----------
    name : str
        ``package.file:factory``. Called with ``n_features`` and ``n_outputs`` where it
        takes them: one output for two labels, or two where the weights have two.

    path : Path
        State dict.

    n_features : int
        Columns that will be fed to it.

    Returns
    -------
    module : nn.Module
        In evaluation mode.

    Raises
    ------
    CaseError
        If the factory fails, returns something else, or does not fit the weights.
    """
    factory, state = import_factory(name), read_state(path)
    failure: CaseError | None = None
    for n_outputs in (1, 2):
        module = _call(name, factory, n_features, n_outputs)
        misfit = _load(module, state)
        if not misfit:
            return module.eval()
        failure = failure or CaseError(
            "--module",
            f"the weights in {path} do not fit the network that {name} returned, "
            f"called with what it takes of n_features={n_features}: {misfit}",
        )
    assert failure is not None
    raise failure


def _call(name: str, factory, n_features: int, n_outputs: int) -> nn.Module:
    shape = {"n_features": n_features, "n_outputs": n_outputs}
    # Initial weights are drawn and overwritten.
    with own_randomness(0, "cpu"):
        try:
            return call_factory(factory, shape, {})
        # It is the user's own code, which may fail in any way.
        except Exception as error:
            raise CaseError(
                "--module",
                f"{name}, called with what it takes of n_features={n_features} and "
                f"n_outputs={n_outputs}, did not return a network: "
                f"{type(error).__name__}: {error}",
            ) from error


def _load(module: nn.Module, state: dict[str, Tensor]) -> str:
    """Load the weights, and say what does not fit; "" where all do."""
    expected = module.state_dict()
    missing = [key for key in expected if key not in state]
    unknown = [key for key in state if key not in expected]
    complaints = []
    if missing:
        complaints.append(f"the file lacks {', '.join(missing[:5])}")
    if unknown:
        complaints.append(f"the network has no {', '.join(unknown[:5])}")
    complaints += [
        f"{key} has the shape {tuple(state[key].shape)} in the file and "
        f"{tuple(expected[key].shape)} in the network"
        for key in expected
        if key in state and getattr(expected[key], "shape", None) != state[key].shape
    ][:3]
    if not complaints:
        module.load_state_dict(state)
    return "; ".join(complaints) + "." * bool(complaints)
