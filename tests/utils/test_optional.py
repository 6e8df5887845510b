import os.path

import pytest

from skfair_runner.utils import import_optional


def test_an_installed_package_is_returned_by_its_full_name():
    assert import_optional("os.path", extra="plots", purpose="plotting") is os.path


@pytest.mark.parametrize("name", ["no_such_package", "no_such_package.part"])
def test_an_absent_package_is_reported_with_the_extra_that_installs_it(name):
    with pytest.raises(ImportError) as info:
        import_optional(name, extra="plots", purpose="plotting a front")
    assert str(info.value) == (
        "plotting a front needs the package 'no_such_package', which is not "
        "installed: run `pip install skfair-runner[plots]`."
    )
    assert info.value.name == "no_such_package"


def test_a_package_that_is_there_but_broken_raises_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import no_such_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="'no_such_dependency'"):
        import_optional("broken_package", extra="plots", purpose="plotting")


def test_a_missing_part_of_an_installed_package_is_not_called_an_absent_package():
    with pytest.raises(ModuleNotFoundError, match=r"json\.no_such_part"):
        import_optional("json.no_such_part", extra="plots", purpose="plotting")
