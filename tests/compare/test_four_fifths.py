"""The four-fifths rule: met, not met, or missing; and methods that failed."""

import numpy as np
import pandas as pd

from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.compare._page import make_page
from skfair_runner.report._cells import method_rows

AIM = "demographic_parity_difference"
FACTS = {"data_name": "", "description": "", "favourable": ""}


def test_where_there_is_no_impact_the_four_fifths_are_missing(comparison, tmp_path):
    assert np.isnan(comparison.table.loc["nobody", "disparate_impact_mean"])
    assert comparison.table.loc["nobody", "four_fifths"] is pd.NA
    per_fold = comparison.per_fold.set_index("method")["four_fifths"]
    assert per_fold["nobody"].isna().all() and per_fold["logistic"].notna().all()
    assert "four fifths" not in comparison.to_markdown().splitlines()[4]
    comparison.to_csv(tmp_path / "table.csv")
    read = pd.read_csv(tmp_path / "table.csv", index_col=0)["four_fifths"]
    pd.testing.assert_series_equal(
        read.astype("boolean"), comparison.table["four_fifths"], check_names=False
    )


class Failing(ThresholdOptimizerClassifier):
    """Needs groups to predict, decides by lot, and cannot be trained."""

    def fit(self, X, y, *, sensitive_features):
        raise RuntimeError("no luck")


def test_nothing_is_claimed_of_a_method_that_failed(compare, logistic):
    result = compare({"logistic": logistic, "failing": Failing(logistic)})
    assert result.table["four_fifths"].isna().tolist() == [False, True]
    line = result.to_markdown().splitlines()[3]
    cells = [cell.strip() for cell in line.split("|")[2:-1]]
    assert cells.pop() == "RuntimeError: no luck"
    assert set(cells) == {"–"}


def test_the_page_claims_nothing_of_a_method_that_failed(compare, logistic):
    result = compare({"logistic": logistic, "failing": Failing(logistic)})
    page = make_page(
        result, title=None, difference=AIM, utility="accuracy", notes=(), **FACTS
    )
    row = method_rows(page)[1]
    assert row["flags"] == [("failed", "failed")]
    assert {cell["mean"] for cell in row["facts"]} == {"–"}
    assert not any("by lot" in sentence for sentence in page.caveats)
