"""What a result tells, on a case whose pattern is known."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from skfair_runner.fairness_testing import Aequitas, SearchDisplay


class Rule(ClassifierMixin, BaseEstimator):
    """Prefers men, among clerks above 50."""

    classes_ = np.array(["no", "yes"])

    def predict(self, X):
        favoured = (X["job"] == "clerk") & (X["age"] > 50) & (X["sex"] == "m")
        return np.where(favoured, "yes", "no")


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "age": rng.integers(20, 80, 300),
            "height": rng.integers(150, 200, 300),
            "job": rng.choice(["clerk", "nurse", "smith"], 300),
            "sex": rng.choice(["f", "m"], 300),
        }
    )
    return Aequitas(n_local=20, random_state=0).search(
        Rule(), X, sensitive_features="sex"
    )


def test_the_columns_that_matter_come_first(result):
    table = result.attributes()
    assert set(table.index[:2]) == {"age", "job"}
    assert table.loc["job", "common"] == "clerk (100%)"
    assert table.loc["height", "involvement"] < table.loc["age", "involvement"]


def test_the_densest_region_is_the_rule(result):
    region = result.regions(1).iloc[0]
    assert region["share"] == 1.0
    assert "job is clerk" in region["region"]
    assert "51 ≤ age" in region["region"]
    assert region["found"] == result.found


def test_the_direction_says_who_was_favoured(result):
    directions = result.directions()
    assert directions.iloc[0].tolist() == ["f → no", "m → yes", result.found]


def test_the_summary_names_numbers_and_columns(result):
    text = result.summary()
    assert f"found {result.found:,} " in text
    assert "changes with sex alone" in text
    assert "Of the rows of the data:" in text
    assert "f → no, but m → yes" in text
    assert repr(result).startswith("<SearchResult of Aequitas:")


def test_a_model_without_scores_has_none_in_the_table(result):
    assert "score_a" not in result.pairs
    assert result.pairs.columns.tolist()[-2:] == ["decision_a", "decision_b"]


def test_the_plot_ends_at_what_was_found(result):
    display = result.plot()
    (line,) = display.ax_.get_lines()
    assert line.get_ydata()[-1] == result.found
    recall = SearchDisplay.from_results(
        {"one": result, "two": result}, n_discriminatory=2 * result.found
    ).plot(plt.figure().gca())
    assert recall.ax_.get_lines()[0].get_ydata()[-1] == 0.5
    assert len(recall.ax_.get_legend().get_texts()) == 2
    plt.close("all")


def test_no_curve_is_refused():
    with pytest.raises(ValueError, match=r"one curve per search, but got \{\}"):
        SearchDisplay({})
