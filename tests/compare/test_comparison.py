"""What a comparison returns: ranks, fronts, groups, files, figures."""

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from numpy.testing import assert_allclose
from sklearn.dummy import DummyClassifier
from sklearn.metrics import recall_score

from skfair_runner.compare._text import format_number
from skfair_runner.metrics import group_rates

AIM = "demographic_parity_difference"


class Fails(DummyClassifier):
    def fit(self, X, y):
        raise RuntimeError(f"no memory for {X.shape[1]} columns")


def test_an_unknown_difference_is_refused(comparison):
    with pytest.raises(
        ValueError, match=r"no difference 'accuracy'; pass one of \['dem"
    ):
        comparison.summary(difference="accuracy")


def test_an_unknown_reference_is_refused(comparison):
    with pytest.raises(
        ValueError, match=r"no method 'net'.*\['logistic', 'thresholds'"
    ):
        comparison.summary(reference="net")


def test_a_file_holds_the_table(comparison, tmp_path):
    path = tmp_path / "table.csv"
    comparison.to_csv(path)
    read = pd.read_csv(path, index_col="method", keep_default_na=False)
    assert read.columns.tolist() == comparison.table.columns.tolist()
    assert_allclose(read["accuracy_mean"], comparison.table["accuracy_mean"], atol=1e-6)
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_markdown_has_a_row_for_each_method(compare, comparison):
    head, rule, *rows = comparison.to_markdown().splitlines()
    assert head.startswith("| method | accuracy | balanced accuracy |")
    assert set(rule) == {"|", "-", " "}
    assert [row.split(" | ")[0] for row in rows] == [
        "| logistic",
        "| thresholds",
        "| nobody",
    ]
    assert rows[2].endswith("| no | no | 3 of 3 folds |")
    assert "error" not in head
    with_error = compare({"a|b": Fails()}).to_markdown()
    assert "| a\\|b |" in with_error and "no memory for 6 columns" in with_error


def test_a_line_break_in_an_error_does_not_break_the_table(made):
    text = made({"a\nb": {"folds": 0, "error": "E: one\ntwo"}}).to_markdown()
    assert len(text.splitlines()) == 3
    assert "| a b |" in text and "| E: one two |" in text


def test_the_representation_is_the_formatted_table(comparison):
    row = comparison.table.loc["logistic"]
    text = format_number(row["accuracy_mean"], row["accuracy_std"], "accuracy")
    assert text in repr(comparison)


def test_a_comparison_can_be_drawn(comparison):
    pytest.importorskip("matplotlib")
    display = comparison.plot(difference="equalized_odds_sum")
    assert display.ax_.get_xlabel() == "equalized odds sum (less is better)"
    assert display.points["constant"].tolist() == [False, False, True]


def test_ellipses_are_drawn_around_four_folds(compare, logistic):
    pytest.importorskip("matplotlib")
    result = compare({"logistic": logistic}, n_seeds=2)
    assert result.plot(spread="ellipses").ax_.patches


def test_markdown_may_show_some_measures(comparison):
    head = comparison.to_markdown(measures=["abcc"]).splitlines()[0]
    assert head.startswith("| method | area between score distributions | groups at")
    with pytest.raises(ValueError, match=r"no measure 'f1'; pass some of \['acc"):
        comparison.to_markdown(measures=["f1"])


def test_cells_of_differences_show_the_interval(comparison):
    row = comparison.table.loc["logistic"]
    ends = f"[{row[f'{AIM}_low']:.3f}, {row[f'{AIM}_high']:.3f}]"
    assert ends in comparison.to_markdown()


def between(low, high, **more):
    middle = (low + high) / 2
    return {f"{AIM}_mean": middle, f"{AIM}_low": low, f"{AIM}_high": high, **more}


def test_methods_whose_intervals_overlap_are_not_ranked(made):
    result = made(
        {
            "wide": between(0.1, 0.2),
            "high": between(0.4, 0.5),
            "low": between(0.0, 0.05),
            "inside": between(0.12, 0.13),
        }
    )
    ranks = result.rank()
    assert ranks.index.tolist() == ["low", "inside", "wide", "high"]
    assert ranks["rank"].tolist() == [1, 2, 2, 4]
    assert ranks["clearly_above"].tolist() == [0, 1, 1, 3]
    assert ranks["note"].tolist() == [""] * 4


def test_constant_and_failed_methods_have_no_rank(made):
    result = made(
        {
            "constant": between(0.0, 0.0, constant_folds=1),
            "failed": between(np.nan, np.nan, folds=0),
            "low": between(0.1, 0.2),
        }
    )
    result.table.loc["failed", f"{AIM}_mean"] = np.nan
    ranks = result.rank()
    assert ranks.index.tolist() == ["low", "constant", "failed"]
    assert ranks["rank"].tolist()[0] == 1 and ranks["rank"].isna()[1:].all()
    assert ranks["note"].tolist() == ["", "constant", "failed"]


def test_where_nothing_can_be_ranked_nothing_is(made):
    ranks = made({"constant": between(0.0, 0.0, constant_folds=2)}).rank()
    assert ranks["rank"].isna().all()


def test_ranks_need_intervals(compare, logistic):
    result = compare({"logistic": logistic}, n_bootstrap=0)
    with pytest.raises(ValueError, match="no confidence intervals of 'abcc'"):
        result.rank(difference="abcc")
    with pytest.raises(ValueError, match="no difference 'accuracy'"):
        result.rank(difference="accuracy")
    assert result.intervals.empty


def test_where_all_failed_nothing_is_ranked(compare):
    result = compare({"fails": Fails(), "fails too": Fails()})
    ranks = result.rank()
    assert ranks["note"].tolist() == ["failed", "failed"]
    assert ranks["rank"].isna().all()
    assert result.pareto().empty


def test_intervals_are_those_of_the_table(comparison):
    found = comparison.intervals.loc[("logistic", AIM)]
    row = comparison.table.loc["logistic"]
    assert found["low"] == row[f"{AIM}_low"] <= found["mean"] <= found["high"]
    assert found["mean"] == row[f"{AIM}_mean"]
    measures = comparison.intervals.index.unique("measure")
    assert {"accuracy", "abcc", "equalized_odds_sum"} <= set(measures)
    assert "fit_seconds" not in measures


def test_the_front_holds_what_is_not_beaten(made):
    result = made(
        {
            "plain": {f"{AIM}_mean": 0.2, "accuracy_mean": 0.86},
            "beaten": {f"{AIM}_mean": 0.2, "accuracy_mean": 0.85},
            "repaired": {f"{AIM}_mean": 0.05, "accuracy_mean": 0.84},
            "constant": {
                f"{AIM}_mean": 0.0,
                "accuracy_mean": 0.7,
                "constant_folds": 1,
            },
            "failed": {f"{AIM}_mean": 0.0, "accuracy_mean": 0.9, "folds": 0},
        }
    )
    front = result.pareto()
    assert front.index.tolist() == ["repaired", "plain"]
    assert front.columns.tolist() == [
        f"{name}_{part}" for name in ("accuracy", AIM) for part in ("mean", "std")
    ]


def test_utilities_and_differences_are_told_apart(comparison):
    with pytest.raises(ValueError, match="no utility 'disparate_impact'; pass one"):
        comparison.pareto(utility="disparate_impact")
    with pytest.raises(ValueError, match="no difference 'roc_auc'; pass one"):
        comparison.pareto(difference="roc_auc")


def test_rates_of_groups_are_those_of_our_metrics(comparison, people):
    frames = comparison.by_group()
    assert all(isinstance(frame, MetricFrame) for frame in frames.values())
    table = comparison.predictions["logistic"]
    expected = group_rates(
        table["y_true"], table["y_pred"], sensitive_features=table["group"]
    )
    found = frames["logistic"].by_group
    assert found.index.tolist() == ["female", "male"]
    for name in ("accuracy", "selection_rate", "true_positive_rate"):
        assert_allclose(found[name], expected[name])
    assert_allclose(found["count"], expected["n"])


def test_groups_of_all_methods_make_one_table(comparison):
    table = comparison.by_group(as_frame=True)
    assert table.index.names == ["method", "group"]
    assert len(table) == 6
    assert table.loc[("nobody", "male"), "selection_rate"] == 0


def test_groups_are_measured_as_the_user_wants(comparison):
    table = comparison.by_group(metrics={"recall": recall_score}, as_frame=True)
    assert table.columns.tolist() == ["recall"]
    other = comparison.by_group(
        label=0, metrics={"rate": selection_rate}, as_frame=True
    )
    assert_allclose(other.loc["nobody", "rate"], 1)


def test_groups_of_another_repetition(compare, logistic):
    result = compare({"logistic": logistic, "fails": Fails()}, n_seeds=2)
    assert set(result.by_group(seed=1)) == {"logistic"}
    with pytest.raises(ValueError, match=r"of seed=2; there are 2 repetitions, .* 1 m"):
        result.by_group(seed=2)


def test_without_a_favourable_label_one_is_asked_for(compare, logistic, people):
    X, y, gender = people
    result = compare({"logistic": logistic}, (X, y + (X["height"] > 173), gender))
    with pytest.raises(ValueError, match=r"one of \[0, 1, 2\].*label=2.* got None"):
        result.by_group()
    assert result.by_group(label=2)["logistic"].overall["count"] == 400
