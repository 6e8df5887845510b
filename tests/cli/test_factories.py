"""A user's own module: what is imported, read, refused and written."""

import pickle
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from skfair_runner.cli import factories
from skfair_runner.cli.cases import CaseError
from skfair_runner.cli.factories import (
    build_module,
    import_factory,
    read_state,
    write_state,
)


def test_a_factory_of_the_current_directory_is_imported(own_module):
    assert import_factory("nets:make_net")(3)[0].in_features == 3
    assert str(own_module.parent) not in sys.path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nets", "'nets' does not say which factory of which file: write it as"),
        ("nets:", "'nets:' does not say which factory"),
        ("absent:net", r"no Python module 'absent', neither in the current directory"),
        ("nets.part:net", "no Python module 'nets.part', neither in the current"),
        ("nets:net", "nets has no 'net'; it defines make_net, wider, asks, fails"),
        ("math:net", "math has no 'net'; it defines"),
        ("nets:built", "nets:built is a Linear, not something that builds a network"),
        ("nets:number", "nets:number is a int, not something that builds a network"),
    ],
)
def test_a_factory_that_is_none_is_refused(own_module, name, expected):
    with pytest.raises(CaseError, match=expected) as caught:
        import_factory(name)
    assert caught.value.option == "--module"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import no_such_package", "importing broken failed: ModuleNotFoundError: No"),
        ("1 / 0", "importing broken failed: ZeroDivisionError: division by zero"),
        ("def f(:", "importing broken failed: SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_imported_is_said(own_module, code, expected):
    Path("broken.py").write_text(code)
    with pytest.raises(CaseError, match=expected):
        import_factory("broken:net")


def test_weights_are_loaded_into_what_the_factory_returns(own_module):
    module = build_module("nets:make_net", own_module, 6)
    assert not module.training
    assert torch.equal(module[0].weight, torch.load(own_module)["0.weight"])


def test_two_outputs_are_tried_after_one(own_module):
    net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2))
    torch.save(net.state_dict(), own_module)
    assert build_module("nets:wider", own_module, 3)[2].out_features == 2


def test_building_leaves_the_global_random_state_alone(own_module):
    import_factory("nets:make_net")
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    build_module("nets:make_net", own_module, 6)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("asks", r"nets:asks, called with what it takes of n_features=6 .*'hidden'"),
        ("fails", "did not return a network: OSError: no weights here"),
        ("text", "did not return a network: TypeError: .* returned a str"),
    ],
)
def test_a_factory_that_fails_is_said(own_module, name, expected):
    with pytest.raises(CaseError, match=expected):
        build_module(f"nets:{name}", own_module, 6)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"0.weight": None}, "the file lacks 0.weight"),
        ({"9.weight": torch.ones(1)}, "the network has no 9.weight"),
        (
            {"0.weight": torch.ones(6, 5)},
            r"0.weight has the shape \(6, 5\) in the file and \(6, 6\) in the network",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(own_module, change, expected):
    state = {**torch.load(own_module), **change}
    state = {key: value for key, value in state.items() if value is not None}
    torch.save(state, own_module)
    with pytest.raises(CaseError, match=expected) as caught:
        build_module("nets:make_net", own_module, 6)
    assert "nets:make_net returned, called with what it takes of n_features=6" in str(
        caught.value
    )


class _Runs:
    """An object whose pickle runs code."""

    def __reduce__(self):
        return (print, ("code was run",))


def test_code_in_a_file_is_not_run(tmp_path, capsys):
    path = tmp_path / "evil.pt"
    torch.save({"weight": torch.ones(1), "hook": _Runs()}, path)
    with pytest.raises(CaseError, match="evil.pt holds more than tensors"):
        read_state(path)
    assert "code was run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (nn.Linear(2, 1), "net.pt holds more than tensors, which cannot be read"),
        ([torch.ones(1)], "net.pt holds a list, not a state dict"),
        ({}, "net.pt holds a dict, not a state dict"),
        ({"epoch": 3, "w": torch.ones(1)}, "net.pt holds 'epoch', a int, beside"),
        ({"state": {"w": torch.ones(1)}}, "net.pt holds 'state', a dict, beside"),
    ],
)
def test_a_file_with_something_else_is_refused(tmp_path, content, expected):
    torch.save(content, tmp_path / "net.pt")
    with pytest.raises(CaseError, match=expected) as caught:
        read_state(tmp_path / "net.pt")
    assert caught.value.option == "MODEL"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("net.pt", b""),
        ("net.pt", b"hello, no pickle"),
        ("net.pt", b"PK\x03\x04 cut"),
        ("net.safetensors", b"1234"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, name, content):
    if name.endswith("safetensors"):
        pytest.importorskip("safetensors")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CaseError, match=f"{name} cannot be read as a state dict"):
        read_state(tmp_path / name)


def test_a_folder_is_no_state_dict(tmp_path):
    with pytest.raises(CaseError, match=f"Is a directory: '{tmp_path}'"):
        read_state(tmp_path)


def test_a_file_of_safetensors_needs_the_package(tmp_path, monkeypatch):
    def absent(name, *, extra, purpose):
        raise ImportError(f"{purpose} needs {name!r}: skfair-runner[{extra}]")

    monkeypatch.setattr(factories, "import_optional", absent)
    (tmp_path / "net.safetensors").write_bytes(b"")
    with pytest.raises(CaseError, match=r"A .safetensors file needs .*\[safe\]"):
        read_state(tmp_path / "net.safetensors")


@pytest.mark.parametrize("name", ["net.pt", "net.bin", "net.safetensors"])
def test_weights_are_written_as_they_are_read(tmp_path, name):
    if name.endswith("safetensors"):
        pytest.importorskip("safetensors")
    shared = torch.arange(6.0).reshape(2, 3)
    state = {"a": shared.T, "b": shared, "n": torch.tensor(3)}
    write_state(state, tmp_path / name)
    again = read_state(tmp_path / name)
    assert again.keys() == state.keys()
    assert all(torch.equal(again[key], state[key]) for key in state)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "net.pt"
    path.write_text("old")

    class Unwritable(torch.Tensor):
        def __reduce_ex__(self, protocol):
            raise pickle.PicklingError("no")

    with pytest.raises(pickle.PicklingError):
        write_state({"a": torch.ones(1).as_subclass(Unwritable)}, path)
    assert path.read_text() == "old"
