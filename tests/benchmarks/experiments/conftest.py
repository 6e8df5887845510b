"""A small table of results, made by hand."""

import pandas as pd
import pytest

from benchmarks.experiments.running import COLUMNS


def make_row(method, setting, seed, *, criterion="demographic_parity", **figures):
    """One row; figures of a part by its name, as ``valid={"AP": .8}``."""
    row = dict.fromkeys(COLUMNS, 0.0)
    row |= {
        "dataset": "compas",
        "criterion": criterion,
        "method": method,
        "setting": setting,
        "seed": seed,
        "base_rate": 0.4,
        "fit_seconds": 1.0,
        "groups_at_prediction": False,
        "randomised": False,
        "error": None,
        "valid_constant": False,
        "test_constant": False,
    }
    for part in ("valid", "test"):
        for name, value in figures.pop(part, {}).items():
            row[f"{part}_{name}"] = value
    return {**row, **figures}


@pytest.fixture
def row():
    return make_row


@pytest.fixture
def write_rows(tmp_path):
    def write(rows, name="rows.csv"):
        path = tmp_path / name
        pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(path, index=False)
        return path

    return write
