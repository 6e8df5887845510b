"""A front among the methods: what is told is that of its selected point."""

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner import RunnerFairClassifier, RunnerFrontier
from skfair_runner.compare._page import make_page

# Hardly trained, on a few rows.
pytestmark = pytest.mark.filterwarnings(
    "ignore::skfair_runner.utils.SkfairRunnerWarning"
)


@pytest.fixture(scope="module")
def result(compare):
    clf = RunnerFairClassifier(
        warmup_epochs=2, max_epochs=2, hidden_layer_sizes=(5,), batch_size=64
    )
    front = RunnerFrontier(clf, n_points=3, n_bootstrap=20)
    return compare({"front": make_pipeline(StandardScaler(), front)}, cv=2)


def test_the_neurons_and_the_training_of_a_front_are_those_of_its_point(result):
    assert result.table.loc["front", "error"] == ""
    neurons, history = result.neurons["front"], result.history["front"]
    assert len(neurons) == 5 and neurons["discrimination_after"].notna().all()
    assert len(history) == 4 and history["of_front"].all()


def test_the_page_pictures_the_neurons_of_a_front(result):
    pytest.importorskip("matplotlib")
    page = make_page(
        result,
        title=None,
        difference="demographic_parity_difference",
        utility="accuracy",
        notes=(),
        data_name="",
        description="",
        favourable="",
    )
    assert set(page.neurons) == {"front"}
    assert {figure.title for figure in page.figures} >= {
        "front: importance of neurons",
        "front: discrimination of neurons",
        "front: training",
        "front: neurons held responsible",
    }
