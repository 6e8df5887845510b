"""The README repeats figures of a committed table; neither may change alone."""

import csv
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "benchmarks" / "effect_adult_demographic_parity.csv"


def test_figures_of_the_readme_are_those_of_the_table():
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    first = lines.index("| method | group to predict | accuracy | AP | ΔDP | ABCC |")
    told = []
    for line in lines[first + 2 :]:
        if not line:
            break
        method, _, *figures = (cell.strip() for cell in line.strip("|").split("|"))
        columns = ("accuracy", "AP", "ΔDP", "ABCC")
        assert figures == [rows[method][column] for column in columns]
        told.append(method)
    assert {"unmitigated", "RUNNER (default)", "ThresholdOptimizer"} <= set(told)
