"""What is installed is what the tree holds and what README.md promises."""

import ast
import configparser
import importlib
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import skfair_runner

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "skfair_runner"
# Where the name that is imported is not the name that is installed.
INSTALLED_AS = {"sklearn": "scikit-learn"}


@pytest.fixture(scope="module")
def config():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def _requirements(lines):
    return [Requirement(line) for line in lines.strip().splitlines()]


def _imported_packages():
    """Third-party packages that the package imports, with one file that does."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in names:
                found.setdefault(name.split(".")[0], path.relative_to(ROOT))
    ours = {PACKAGE.name, *sys.stdlib_module_names}
    return {name: path for name, path in found.items() if name not in ours}


def test_every_import_is_a_declared_dependency(config):
    extras = config["options.extras_require"]
    user_extras = [extras[name] for name in extras if name not in {"tests", "docs"}]
    declared = {
        canonicalize_name(requirement.name)
        for lines in [config["options"]["install_requires"], *user_extras]
        for requirement in _requirements(lines)
    }
    undeclared = {
        name: str(path)
        for name, path in _imported_packages().items()
        if canonicalize_name(INSTALLED_AS.get(name, name)) not in declared
    }
    assert not undeclared, f"not in setup.cfg, and imported in: {undeclared}"


def test_the_extra_all_holds_every_extra_of_a_user(config):
    extras = config["options.extras_require"]
    (everything,) = _requirements(extras["all"])
    assert everything.extras == set(extras) - {"all", "tests", "docs", "dev"}


def test_every_folder_with_code_is_a_package():
    """`find:` leaves out folders without `__init__.py`, and the wheel lacks them."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    lost = [str(f) for f in folders if not (f / "__init__.py").exists()]
    assert not lost


def test_files_beside_the_code_are_declared_as_package_data(config):
    declared = config.has_section("options.package_data")
    data = [
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    ]
    assert bool(data) == declared, f"data files {data}, declared: {declared}"


def test_the_command_points_at_a_function(config):
    scripts = config["options.entry_points"]["console_scripts"]
    module, function = scripts.split("=")[1].strip().split(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_the_changelog_describes_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = re.escape(skfair_runner.__version__)
    assert re.search(rf"^{version}( \(.+\))?\n-+$", changelog, re.M)


def test_the_installed_version_is_the_one_of_the_tree():
    try:
        installed = importlib.metadata.version("skfair-runner")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("skfair-runner is not installed: only its tree is tested")
    assert installed == skfair_runner.__version__


def test_importing_the_package_imports_no_optional_one(config):
    """Whoever installs without extras gets a package that imports."""
    extras = config["options.extras_require"]
    optional = {
        requirement.name.replace("-", "_")
        for name in ("plots", "data", "cli", "safe", "onnx")
        for requirement in _requirements(extras[name])
    } - {"rich", "typer"}  # other packages may import these two on their own
    code = f"import sys, skfair_runner; print(*({optional!r} & sys.modules.keys()))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []


def _readme():
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("marker", ["run", "test"])
def test_readme_has_one_command_for_each_marker(marker):
    blocks = re.findall(
        rf"^<!-- ci: {marker} -->\n```bash\n(.+?)\n```$", _readme(), re.M | re.S
    )
    assert len(blocks) == 1
    assert blocks[0].startswith("pip install -c constraints.txt ")


def test_readme_names_extras_that_exist(config):
    extras = set(config["options.extras_require"])
    named = re.findall(r"(?:\.|skfair-runner)\[([a-z, ]+)\]", _readme())
    assert named
    assert {name.strip() for group in named for name in group.split(",")} <= extras


def test_links_of_readme_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)", _readme())
    local = [target for target in targets if "://" not in target]
    assert local
    assert [target for target in local if not (ROOT / target).exists()] == []


def test_every_public_name_stands_on_the_api_page():
    spec = importlib.util.spec_from_file_location("api_page", ROOT / "docs/api_page.py")
    api_page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(api_page)
    listed = [name for names in api_page.SECTIONS.values() for name in names]
    modules = set(api_page.MODULES.values())
    public = [name for name in skfair_runner.__all__ if not name.startswith("_")]
    assert sorted(listed) == sorted(set(public) - modules)
