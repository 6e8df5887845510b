"""What the tests of the commands share: small tables, and a way to run them."""

import numpy as np
import pandas as pd
import pytest

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
        return Result(testing.CliRunner().invoke(make_app(), list(map(str, arguments))))

    return run_command


class Result:
    """What a command printed."""

    def __init__(self, result):
        self.exit_code, self.output = result.exit_code, result.output
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
