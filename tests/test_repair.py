import copy

import fairlearn.metrics as fairlearn
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from torch import nn
from torch.testing import assert_close

from skfair_runner import RunnerFairClassifier, diagnose_neurons, repair_module
from skfair_runner.datasets import make_biased_classification

# Short, but long enough for the difference to fall.
SHORT = {"max_epochs": 20, "lr": 0.01, "batch_size": 64, "random_state": 0}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def make_people(seed, n_samples=1200, **kwargs):
    """Standardized numeric X, y and groups of generated people."""
    people = make_biased_classification(
        n_samples=n_samples, shift=1.5, random_state=seed, **kwargs
    )
    X = people.data.select_dtypes("number").to_numpy("float32")
    X = (X - X.mean(0)) / X.std(0)
    return X, np.array(people.target), np.ravel(people.sensitive_features)


def train(net, X, y, columns=1):
    """Plain torch training on the log-likelihood."""
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    X, y = torch.from_numpy(X), torch.from_numpy(np.asarray(y))
    for _ in range(150):
        output = net(X)
        loss = (
            nn.functional.binary_cross_entropy_with_logits(output[:, 0], y.float())
            if columns == 1
            else nn.functional.cross_entropy(output, y)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    optimizer.zero_grad()
    return net


@pytest.fixture(scope="module")
def data():
    return make_people(0)


@pytest.fixture(scope="module")
def test_data():
    return make_people(1)


@pytest.fixture(scope="module")
def biased(data):
    """A trained net, never changed by a test."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(
            nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 1)
        )
        return train(net, *data[:2])


@pytest.fixture(scope="module")
def result(biased, data, test_data):
    X, y, groups = data
    return repair_module(
        biased, X, y, sensitive_features=groups, evaluation=test_data, **SHORT
    )


def decide(net, X):
    with torch.no_grad():
        return (net(torch.from_numpy(X))[:, 0] > 0).long().numpy()


def difference_of(net, X, y, groups):
    return fairlearn.demographic_parity_difference(
        y, decide(net, X), sensitive_features=groups
    )


def test_the_repaired_module_has_a_smaller_difference(biased, result, test_data):
    """On people that were not trained on; torch and fairlearn alone do the sums."""
    biased.eval()
    before = difference_of(biased, *test_data)
    after = difference_of(result.module, *test_data)
    assert before > 0.3
    assert after < 0.15
    X, y, _ = test_data
    # The labels of the groups lie about as far apart as the decisions did.
    assert accuracy_score(y, decide(biased, X)) > 0.8
    assert accuracy_score(y, decide(result.module, X)) > 0.6


def test_the_metrics_are_those_of_both_modules_on_the_evaluation_data(
    biased, result, test_data
):
    X, y, groups = test_data
    assert list(result.metrics.columns) == ["before", "after"]
    biased.eval()
    for name, net in (("before", biased), ("after", result.module)):
        with torch.no_grad():
            scores = net(torch.from_numpy(X)).sigmoid()[:, 0].numpy()
        found = result.metrics[name]
        assert found["demographic_parity_difference"] == pytest.approx(
            difference_of(net, X, y, groups)
        )
        assert found["accuracy"] == accuracy_score(y, decide(net, X))
        precision = average_precision_score(y, scores)
        assert found["average_precision"] == pytest.approx(precision, abs=1e-6)
    assert result.evaluated_on == "evaluation data"
    assert repr(result).endswith("(on evaluation data)")


def test_the_result_holds_neurons_and_a_classifier_around_the_module(
    biased, result, data
):
    X, y, groups = data
    found = result.neurons.drop(columns="discrimination_after")
    expected = diagnose_neurons(biased, X, y, sensitive_features=groups)
    assert_frame_equal(found, expected)
    assert not result.module.training
    assert result.classifier.net_.module_ is result.module
    assert (result.classifier.predict(X) == decide(result.module, X)).all()


@pytest.mark.parametrize("importance", ["activation", "ablation"])
def test_the_callers_module_stays_as_it_is(data, importance):
    X, y, groups = data
    net = nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 1)
    )
    net[4].eval()
    net[0].bias.requires_grad_(False)
    net[0].weight.grad = torch.ones(8, 6)
    calls = []
    net.register_forward_hook(lambda *_: calls.append(1))
    twin = copy.deepcopy(net)
    random_state = torch.get_rng_state()

    repair_module(
        net, X, y, sensitive_features=groups, importance=importance, max_epochs=1
    )
    diagnose_neurons(net, X, y, sensitive_features=groups, importance=importance)

    assert_close(dict(net.state_dict()), dict(twin.state_dict()))
    for mine, other in zip(net.modules(), twin.modules(), strict=True):
        assert mine.training == other.training
    for mine, other in zip(net.parameters(), twin.parameters(), strict=True):
        assert mine.requires_grad == other.requires_grad
    assert_close(net[0].weight.grad, torch.ones(8, 6))
    assert all(p.grad is None for p in net[1:].parameters())
    assert len(net._forward_hooks) == 1
    assert not any(m._forward_hooks for m in net)
    assert torch.equal(torch.get_rng_state(), random_state)


def test_without_evaluation_data_the_training_data_tell_weights_included(biased, data):
    X, y, groups = data
    weights = np.where(y == 1, 3.0, 0.5)
    result = repair_module(
        biased, X, y, sensitive_features=groups, sample_weight=weights, max_epochs=0
    )
    biased.eval()
    expected = fairlearn.demographic_parity_difference(
        y, decide(biased, X), sensitive_features=groups, sample_weight=weights
    )
    before = result.metrics["before"]
    assert before["demographic_parity_difference"] == pytest.approx(expected)
    assert before["accuracy"] == pytest.approx(
        accuracy_score(y, decide(biased, X), sample_weight=weights)
    )
    assert repr(result).endswith("(on training data)")


def test_no_epoch_of_repair_changes_nothing(biased, data):
    X, y, groups = data
    result = repair_module(biased, X, y, sensitive_features=groups, max_epochs=0)
    assert_close(dict(result.module.state_dict()), dict(biased.state_dict()))
    assert_allclose(result.metrics["before"], result.metrics["after"])


@pytest.mark.parametrize("constraint", ["equalized_odds", "true_positive_rate_parity"])
def test_other_constraints_are_repaired(biased, data, constraint):
    X, y, groups = data
    metrics = repair_module(
        biased, X, y, sensitive_features=groups, constraint=constraint, **SHORT
    ).metrics
    row = {
        "equalized_odds": "equalized_odds_difference",
        "true_positive_rate_parity": "equal_opportunity_difference",
    }[constraint]
    assert metrics.loc[row, "after"] < 0.75 * metrics.loc[row, "before"]


def test_a_module_that_ends_in_a_sigmoid_is_repaired_and_diagnosed_alike(biased, data):
    X, y, groups = data
    net = nn.Sequential(*copy.deepcopy(biased), nn.Sigmoid())
    result = repair_module(net, X, y, sensitive_features=groups, **SHORT)
    assert result.classifier.net_.task.output == "probabilities"
    row = result.metrics.loc["demographic_parity_difference"]
    assert row["after"] < 0.5 * row["before"]
    assert_frame_equal(
        diagnose_neurons(net, X, y, sensitive_features=groups),
        diagnose_neurons(biased, X, y, sensitive_features=groups),
        rtol=1e-4,
    )
    with torch.no_grad():
        emitted = result.module(torch.from_numpy(X))[:, 0].numpy()
    assert_allclose(result.classifier.predict_proba(X)[:, 1], emitted, atol=1e-6)


@pytest.mark.parametrize("last", [nn.Identity(), nn.Softmax(1)])
def test_a_module_of_two_columns_is_repaired_and_diagnosed_alike(biased, data, last):
    """Its two columns are 0 and the logit."""
    X, y, groups = data
    net = nn.Sequential(*copy.deepcopy(biased[:3]), nn.Linear(16, 2), last)
    with torch.no_grad():
        net[3].weight[0], net[3].bias[0] = 0, 0
        net[3].weight[1:], net[3].bias[1:] = biased[3].weight, biased[3].bias
    assert_frame_equal(
        diagnose_neurons(net, X, y, sensitive_features=groups),
        diagnose_neurons(biased, X, y, sensitive_features=groups),
        rtol=1e-4,
    )
    metrics = repair_module(net, X, y, sensitive_features=groups, **SHORT).metrics
    row = metrics.loc["demographic_parity_difference"]
    assert row["after"] < 0.5 * row["before"]


def test_a_module_of_several_classes_is_repaired(data):
    X, _, groups = data
    noise = np.random.default_rng(0).normal(size=len(X))
    y = np.digitize(X[:, 0] + X[:, 1] + noise, [-1.0, 1.0])
    net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
    train(net, X, y, columns=3)
    labels = np.array(["low", "mean", "top"])[y]
    metrics = repair_module(net, X, labels, sensitive_features=groups, **SHORT).metrics
    row = metrics.loc["demographic_parity_difference"]
    assert row["after"] < 0.6 * row["before"]
    assert metrics.loc["average_precision"].notna().all()


def test_a_class_that_the_evaluation_data_lack_leaves_the_scores_out(data):
    """The net is never drawn to the third class, by its bias."""
    X, _, groups = data
    y = np.digitize(X[:, 0] + X[:, 1], [0.0, 1.0])
    net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
    train(net, X, y, columns=3)
    with torch.no_grad():
        net[2].bias[2] = -1e4
    kept = y < 2
    metrics = repair_module(
        net,
        X,
        y,
        sensitive_features=groups,
        evaluation=(X[kept], y[kept], groups[kept]),
        max_epochs=0,
    ).metrics
    assert metrics.loc["accuracy", "before"] > 0.9
    assert metrics.loc["average_precision"].isna().all()


@pytest.mark.parametrize("pos_label", ["hired", "rejected"])
def test_the_favourable_label_decides_which_rates_are_compared(biased, data, pos_label):
    X, y, groups = data
    labels = np.where(y == 1, "hired", "rejected")
    # Columns are in the sorted order of labels, so the logit is turned round.
    net = copy.deepcopy(biased)
    with torch.no_grad():
        net[3].weight.neg_(), net[3].bias.neg_()
    found = repair_module(
        net,
        X,
        labels,
        sensitive_features=groups,
        constraint="true_positive_rate_parity",
        pos_label=pos_label,
        max_epochs=0,
    ).metrics["before"]
    biased.eval()
    favourable = (y == 1) == (pos_label == "hired")
    decided = (decide(biased, X) == 1) == (pos_label == "hired")
    expected = fairlearn.equal_opportunity_difference(
        favourable, decided, sensitive_features=groups
    )
    assert found["equal_opportunity_difference"] == pytest.approx(expected)
    assert found["selection_rate"] == pytest.approx(decided.mean())


def test_groups_may_be_a_column_of_X(data, biased):
    X, y, groups = data
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(6)])
    table["gender"] = groups
    parameters = SHORT | {"max_epochs": 1, "sensitive_columns": "gender"}
    found = repair_module(biased, table, y, sensitive_features=None, **parameters)
    parameters = SHORT | {"max_epochs": 1}
    expected = repair_module(biased, X, y, sensitive_features=groups, **parameters)
    assert_frame_equal(found.metrics, expected.metrics)
    neurons = diagnose_neurons(found.classifier, table, y, sensitive_features=None)
    again = diagnose_neurons(expected.module, X, y, sensitive_features=groups)
    assert_frame_equal(neurons, again)


def test_neurons_of_an_untouched_classifier_are_its_own_table(data):
    X, y, groups = data
    clf = RunnerFairClassifier(warmup_epochs=3, max_epochs=0, random_state=0)
    clf.fit(X, y, sensitive_features=groups)
    found = diagnose_neurons(clf, X, y, sensitive_features=groups)
    expected = clf.neuron_importance_
    assert_frame_equal(found, expected.drop(columns="discrimination_after"))
    assert_allclose(expected["discrimination_after"], expected["discrimination"])


def test_neurons_of_a_repaired_classifier_have_the_discrimination_after(result, data):
    X, y, groups = data
    found = diagnose_neurons(result.classifier, X, y, sensitive_features=groups)
    assert_allclose(
        found["discrimination"], result.neurons["discrimination_after"], rtol=1e-5
    )


@pytest.mark.parametrize("labels", [["no", "yes", "maybe"], ["yes", "YES"]])
def test_a_classifier_refuses_labels_of_another_training(result, data, labels):
    X, _, groups = data[:3]
    y = np.resize(labels, len(X))
    with pytest.raises(ValueError, match="but the classifier was trained with"):
        diagnose_neurons(result.classifier, X, y, sensitive_features=groups)


def test_a_classifier_tells_its_favourable_label(data):
    X, y, groups = data
    labels = np.where(y == 1, "hired", "rejected")
    clf = RunnerFairClassifier(
        constraint=None, pos_label="hired", warmup_epochs=1, max_epochs=0
    ).fit(X, labels)
    tables = [
        diagnose_neurons(
            model,
            X,
            labels,
            sensitive_features=groups,
            constraint="true_positive_rate_parity",
            **kwargs,
        )
        for model, kwargs in ((clf, {}), (clf.net_.module_, {"pos_label": "hired"}))
    ]
    assert_frame_equal(*tables)


def test_the_table_of_a_network_follows_every_parameter(biased, data):
    X, y, groups = data
    weights = np.linspace(0.1, 2, len(y))

    def importance(inputs):
        return {x.name: torch.arange(x.n_neurons) for x in inputs.layers}

    table = diagnose_neurons(
        biased,
        X,
        y,
        sensitive_features=groups,
        constraint="equalized_odds",
        sample_weight=weights,
        top_k=3,
        importance=importance,
        distance=lambda values, groups, weights: values.new_full(
            (values.shape[1],), weights.sum()
        ),
        layers=["0"],
    )
    assert table["layer"].unique().tolist() == ["0"]
    assert table["importance"].tolist() == list(range(16))
    assert table.index[table["selected"]].tolist() == [13, 14, 15]
    assert table["discrimination"].to_numpy() == pytest.approx(weights.sum(), rel=1e-4)


@pytest.mark.parametrize(
    ("call", "name"), [(repair_module, "repair_mod"), (diagnose_neurons, "diagnose_")]
)
@pytest.mark.parametrize(
    ("module", "told"),
    [("net.pt", "str"), (nn.Linear, "the class Linear"), (None, "NoneType")],
)
def test_what_is_no_module_is_told_its_type(call, name, module, told, data):
    X, y, groups = data
    with pytest.raises(TypeError, match=f"{name}.*torch.nn.Module, but got {told}"):
        call(module, X, y, sensitive_features=groups)


@pytest.mark.parametrize("call", [repair_module, diagnose_neurons])
def test_no_constraint_is_refused(call, biased, data):
    X, y, groups = data
    with pytest.raises(ValueError, match=f"{call.__name__} .*constraint=None"):
        call(biased, X, y, sensitive_features=groups, constraint=None)


def test_evaluation_data_without_groups_are_refused_before_training(biased, data):
    X, y, groups = data
    with pytest.raises(ValueError, match=r"evaluation=\(X, y, .* got 2 values"):
        repair_module(biased, X, y, sensitive_features=groups, evaluation=(X, y))


@pytest.mark.parametrize("call", [repair_module, diagnose_neurons])
def test_groups_of_another_length_are_refused(call, biased, data):
    X, y, groups = data
    with pytest.raises(ValueError, match="1199"):
        call(biased, X, y, sensitive_features=groups[1:])


def test_a_module_of_other_features_is_refused(biased, data):
    X, y, groups = data
    with pytest.raises(ValueError, match=r"does not take X, of shape \('n', 5\)"):
        diagnose_neurons(biased, X[:, 1:], y, sensitive_features=groups)


@pytest.mark.parametrize("kind", ["array", "pandas"])
def test_a_pipeline_is_diagnosed_by_its_classifier(data, kind):
    X, y, groups = data
    table = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(len(X))[::-1])
    told = {"y": y, "sensitive_features": groups}
    told = {name: pd.Series(each, table.index) for name, each in told.items()}
    clf = RunnerFairClassifier(constraint=None, warmup_epochs=1, max_epochs=0)
    scale = StandardScaler().set_output(
        transform="pandas" if kind == "pandas" else "default"
    )
    pipeline = make_pipeline(scale, make_pipeline(MinMaxScaler(), clf))
    pipeline.fit(table, told["y"])
    scaled = pipeline[-1][0].transform(pipeline[0].transform(table))

    assert_frame_equal(
        diagnose_neurons(pipeline, table, **told),
        diagnose_neurons(pipeline[-1][-1], scaled, y, sensitive_features=groups),
    )
    for name in (*told, "sample_weight"):
        shuffled = pd.Series(1.0, table.index)[::-1]
        message = f"diagnose_neurons: the indexes of X and `{name}` differ"
        with pytest.raises(ValueError, match=message):
            diagnose_neurons(pipeline, table, **{**told, name: shuffled})


def test_a_pipeline_that_ends_in_something_else_is_refused(data):
    X, y, groups = data
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    message = "takes a Pipeline that ends in a Runner.*one ends in a LogisticRegression"
    with pytest.raises(TypeError, match=message):
        diagnose_neurons(pipeline, X, y, sensitive_features=groups)


def test_a_pipeline_that_is_not_fitted_is_told_so(data):
    X, y, groups = data
    pipeline = make_pipeline(StandardScaler(), RunnerFairClassifier())
    with pytest.raises(NotFittedError, match="Pipeline"):
        diagnose_neurons(pipeline, X, y, sensitive_features=groups)


def test_a_classifier_refuses_features_in_another_order(data):
    X, y, groups = data
    table = pd.DataFrame(X, columns=list("abcdef"))
    clf = RunnerFairClassifier(constraint=None, warmup_epochs=1, max_epochs=0)
    clf.fit(table, y)
    with pytest.raises(ValueError, match="same order"):
        diagnose_neurons(clf, table[list("fedcba")], y, sensitive_features=groups)


def test_a_classifier_that_is_not_fitted_is_told_so(data):
    X, y, groups = data
    with pytest.raises(NotFittedError, match="RunnerFairClassifier"):
        diagnose_neurons(RunnerFairClassifier(), X, y, sensitive_features=groups)


def test_a_frozen_module_is_diagnosed_and_not_repaired(biased, data):
    X, y, groups = data
    frozen = copy.deepcopy(biased).requires_grad_(False)
    assert_frame_equal(
        diagnose_neurons(frozen, X, y, sensitive_features=groups),
        diagnose_neurons(biased, X, y, sensitive_features=groups),
    )
    with pytest.raises(ValueError, match="all 4 of them are frozen"):
        repair_module(frozen, X, y, sensitive_features=groups, max_epochs=1)
