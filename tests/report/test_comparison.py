"""A comparison that was really made, as a page in a real browser."""

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import ThresholdOptimizerClassifier
from skfair_runner.compare import compare_classifiers
from skfair_runner.datasets import make_biased_classification

NAMES = ["plain", "RUNNER", "thresholds"]


@pytest.fixture
def page_file(tmp_path):
    people = make_biased_classification(n_samples=400, random_state=0)
    logistic = make_pipeline(StandardScaler(), LogisticRegression())
    comparison = compare_classifiers(
        {
            "plain": logistic,
            "RUNNER": RunnerFairClassifier(warmup_epochs=2, max_epochs=2),
            "thresholds": ThresholdOptimizerClassifier(logistic),
        },
        people.data.select_dtypes("number"),
        people.target,
        sensitive_features=people.sensitive_features,
        cv=2,
        n_bootstrap=50,
        random_state=0,
    )
    path = tmp_path / "comparison.html"
    comparison.to_html(path, data_name="Generated people")
    return path


def test_the_page_of_a_comparison_works(browser, page_file):
    browser.open(page_file)
    assert browser.texts("h1") == ["Comparison of 3 classifiers"]
    assert browser.texts("#comparison-table .name") == NAMES
    assert browser.texts("#data tbody th") == ["female", "male"]
    shown = browser.texts("#comparison-table tbody tr:first-child td")
    assert not any(text.startswith("–") for text in shown)

    browser.click('th[data-sort="demographic_parity_difference"] button')
    values = browser.run(
        "[...document.querySelectorAll('#comparison-table tbody tr')]"
        ".map(row => Number(row.querySelector('td.k-difference').dataset.value))"
    )
    assert values == sorted(values)

    browser.click('[data-hide="groups"]')
    assert "thresholds" not in browser.texts("#comparison-table .name")
    browser.point_at('.point[data-number="2"]')
    (details,) = browser.texts("#details")
    assert details.startswith("2. RUNNER")
    assert "max_epochs = 2" in details
    assert browser.texts("#neurons caption")[0].startswith("Layer")
    sizes = browser.run("[...document.images].map(each => each.naturalWidth)")
    assert all(size > 100 for size in sizes)
    assert browser.complaints() == []
