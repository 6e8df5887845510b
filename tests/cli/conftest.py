"""What the tests of the commands share: small tables, and a way to run them."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from torch import nn

from skfair_runner import RunnerFairClassifier, make_table_preprocessor, save
from skfair_runner.cli import cases, make_app
from skfair_runner.datasets import make_biased_classification

testing = pytest.importorskip("typer.testing")


@pytest.fixture
def generated(monkeypatch):
    """A smaller generated table."""
    monkeypatch.setattr(
        cases,
        "load_dataset",
        lambda name, data_home: make_biased_classification(300, random_state=0),
    )


@pytest.fixture
def people(tmp_path):
    """File of a user: text labels, and values missing everywhere."""
    bunch = make_biased_classification(n_samples=300, random_state=0)
    rng = np.random.default_rng(0)
    table = bunch.data.astype({"education": object, "gender": object})
    table["hired"] = np.where(bunch.target == 1, "yes", "no")
    for column, share in [("experience", 0.1), ("education", 0.1), ("gender", 0.1)]:
        table.loc[rng.random(300) < share, column] = None
    table.loc[[3, 5], "hired"] = None
    table["union"] = rng.integers(0, 2, 300)
    path = tmp_path / "people.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture
def small(tmp_path):
    """File with columns of every kind that is refused."""
    path = tmp_path / "small.csv"
    pd.DataFrame(
        {
            "age": range(20, 60),
            "name": [f"person {k}" for k in range(40)],
            "hired": ["yes", "no"] * 20,
            "grade": ["a", "b", "c", "d"] * 10,
            "sex": ["f", "f", "m", "m"] * 10,
            "rare": ["x"] + ["y"] * 39,
        }
    ).to_csv(path, index=False)
    return path


@pytest.fixture
def run():
    """Run a command line; what is returned tells text, exit code and refusals."""

    def run_command(*arguments):
        result = testing.CliRunner().invoke(make_app(), list(map(str, arguments)))
        # Ends of the command are exits; anything else is a mistake of ours.
        if not isinstance(result.exception, SystemExit | None):
            raise result.exception
        return Result(result)

    return run_command


class Result:
    """What a command printed."""

    def __init__(self, result):
        self.exit_code, self.output = result.exit_code, result.stdout
        self.stderr = result.stderr if result.stderr_bytes else ""

    @property
    def text(self):
        """Output in one line, without the frame around errors."""
        return " ".join((self.output + self.stderr).replace("│", " ").split())

    def succeeds(self):
        """Fail, with the output, where the command failed."""
        assert self.exit_code == 0, self.output + self.stderr

    def refuses(self, *expected):
        """Fail unless this is an error of usage that says what is expected."""
        assert self.exit_code == 2, self.output + self.stderr
        assert "Traceback" not in self.text
        # Words may be broken at the ends of lines.
        for part in expected:
            assert part.replace(" ", "") in self.text.replace(" ", ""), self.text


@pytest.fixture(scope="session")
def applicants():
    """A generated table with text labels."""
    bunch = make_biased_classification(n_samples=360, random_state=0)
    return bunch.data.assign(hired=np.where(bunch.target == 1, "yes", "no"))


@pytest.fixture(scope="session")
def table(applicants, tmp_path_factory):
    """File of the whole table."""
    path = tmp_path_factory.mktemp("table") / "people.csv"
    applicants.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def numbers(applicants, tmp_path_factory):
    """File of its numeric columns, the groups and the labels."""
    path = tmp_path_factory.mktemp("numbers") / "numbers.csv"
    numeric = applicants.select_dtypes("number")
    numeric.assign(gender=applicants["gender"], hired=applicants["hired"]).to_csv(
        path, index=False
    )
    return path


@pytest.fixture(scope="session")
def net():
    """A classifier that is hardly trained, unfitted."""
    return RunnerFairClassifier(
        None, hidden_layer_sizes=(8,), warmup_epochs=3, max_epochs=1, random_state=0
    )


@pytest.fixture(scope="session")
def pipeline(applicants, net, tmp_path_factory):
    """Folder of a saved pipeline."""
    for package in ("safetensors", "skops"):
        pytest.importorskip(package)
    path = tmp_path_factory.mktemp("pipeline") / "model"
    prepare = make_table_preprocessor(sensitive_columns="gender")
    model = make_pipeline(prepare, clone(net))
    save(model.fit(applicants.drop(columns="hired"), applicants["hired"]), path)
    return path


@pytest.fixture
def own_module(applicants, tmp_path, monkeypatch):
    """Files of a user's network, in the current directory: nets.py and net.pt."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "nets", raising=False)
    Path("nets.py").write_text(NETS)
    X = applicants.select_dtypes("number")
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(X.shape[1], 6), nn.ReLU(), nn.Linear(6, 1))
    torch.save(module.state_dict(), "net.pt")
    yield tmp_path / "net.pt"
    sys.modules.pop("nets", None)


NETS = """
from torch import nn

built = nn.Linear(2, 1)
number = 3


def make_net(n_features):
    return nn.Sequential(nn.Linear(n_features, 6), nn.ReLU(), nn.Linear(6, 1))


def wider(n_features, n_outputs):
    return nn.Sequential(nn.Linear(n_features, 6), nn.ReLU(), nn.Linear(6, n_outputs))


def asks(n_features, hidden):
    return nn.Linear(n_features, hidden)


def fails():
    raise OSError("no weights here")


def text():
    return "net"


def fixed():
    return nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
"""
