"""The table of a comparison fits on a screen of 80 columns."""

import io

import pandas as pd
import pytest

from skfair_runner.cli.compare_table import comparison_table
from skfair_runner.cli.screen import open_console
from skfair_runner.compare._measures import DIFFERENCE_OF, MEASURES
from skfair_runner.compare._methods import METHODS

pytest.importorskip("rich")

LABELS = sorted((method.label for method in METHODS.values()), key=len, reverse=True)


def comparison(n_methods, individual):
    """Table of the methods with the longest names, all of whose cells are wide."""
    names = [*MEASURES, *individual]
    columns = {f"{name}_{part}": 0.123 for name in names for part in ("mean", "std")}
    columns |= {f"{name}_{end}": 0.456 for name in names for end in ("low", "high")}
    columns |= {"fit_seconds_mean": 1234.5, "constant_folds": 1, "folds": 3}
    columns |= {"needs_groups_at_predict": True, "randomised": True, "error": "no"}
    return pd.DataFrame(columns, index=LABELS[:n_methods])


@pytest.mark.parametrize("n_methods", [1, 4, 5, len(METHODS)])
@pytest.mark.parametrize("individual", [(), ("data", "box")])
@pytest.mark.parametrize("constraint", DIFFERENCE_OF)
def test_nothing_is_cut_on_eighty_columns(n_methods, individual, constraint):
    names = [f"individual_discrimination_{key}" for key in individual]
    screen = open_console(width=80, file=io.StringIO())
    table = comparison(n_methods, names)
    screen.print(comparison_table(table, constraint, title="Methods"))
    text = screen.file.getvalue()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    for word in ("Accuracy", "discrimination," if individual else "interval"):
        assert word in text
    if n_methods > 4:
        assert all(f" {label} " in text for label in table.index)
