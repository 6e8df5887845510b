import pytest
import torch
from fairlearn.metrics import equalized_odds_difference
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import f1_score
from torch import nn

from skfair_runner import RunnerFairClassifier
from skfair_runner.activations import silence_neurons, trace_layers
from skfair_runner.baselines import NeuFairClassifier
from skfair_runner.modules import MLP


def net(**parameters):
    quick = {"warmup_epochs": 3, "max_epochs": 5, "batch_size": 20, "lr": 0.02}
    quick["lr_schedule"] = "constant"
    sizes = {"hidden_layer_sizes": (8, 6), "module__dropout": 0.0}
    if "module" in parameters:
        sizes = {}
    return RunnerFairClassifier(None, **{**quick, **sizes, **parameters})


def fitted(people, estimator=None, **parameters):
    X, y, gender = people
    estimator = net() if estimator is None else estimator
    quick = {"n_proposals": 300, "pos_label": "hired", "random_state": 0}
    clf = NeuFairClassifier(estimator, **{**quick, **parameters})
    return clf.fit(X, y, sensitive_features=gender)


def sequential(n_features):
    return nn.Sequential(
        nn.Linear(n_features, 7), nn.ReLU(), nn.Dropout(0.1), nn.Linear(7, 2)
    )


@pytest.mark.parametrize(
    "module",
    [
        {},
        {"hidden_layer_sizes": (5, 4, 3)},
        {"module": MLP, "module__hidden_layer_sizes": (5,)},
        {"module": sequential},
    ],
)
def test_it_is_the_plain_net_with_silent_neurons(module, people):
    X, y, _ = people
    plain = net(**module, random_state=0).fit(X, y)
    clf = fitted(people, net(**module))

    trained, inputs = plain.net_.module_.eval(), torch.from_numpy(X.to_numpy("float32"))
    layers = trace_layers(trained, inputs[:2])
    silent = {
        layer.name: torch.from_numpy(dropped)
        for layer, dropped in zip(layers, clf.dropped_neurons_, strict=True)
    }
    with torch.no_grad(), silence_neurons(trained, layers, silent):
        expected = plain.predict_proba(X)

    assert sum(map(len, clf.dropped_neurons_)) > 0
    assert_allclose(clf.predict_proba(X), expected, atol=1e-6)


def test_the_search_tells_what_others_measure(people):
    X, y, gender = people
    plain = net(random_state=0).fit(X, y)
    clf = fitted(people)
    for row, model in (("before", plain), ("after", clf)):
        decided = model.predict(X)
        expected = equalized_odds_difference(
            y == "hired", decided == "hired", sensitive_features=gender
        )
        assert_allclose(clf.search_.loc[row, "difference"], expected)
        f1 = f1_score(y, decided, pos_label="hired")
        assert_allclose(clf.search_.loc[row, "f1"], f1)
    difference, f1 = clf.search_["difference"], clf.search_["f1"]
    assert difference["after"] < difference["before"]
    assert f1["after"] >= 0.98 * f1["before"]
    assert clf.n_proposals_ == 300


def test_f1_is_that_of_the_favourable_label(people):
    X, y, _ = people
    clf = fitted(people, pos_label="declined", constraint="demographic_parity")
    f1 = f1_score(y, clf.predict(X), pos_label="declined")
    assert_allclose(clf.search_.loc["after", "f1"], f1)


def test_less_f1_buys_less_difference(people):
    strict = fitted(people, f1_share=1.0).search_["difference"]["after"]
    loose = fitted(people, f1_share=0.0).search_["difference"]["after"]
    assert loose < strict


def test_without_proposals_the_net_is_the_plain_one(people):
    X, y, _ = people
    clf = fitted(people, n_proposals=0)
    expected = net(random_state=0).fit(X, y)
    assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    assert [len(dropped) for dropped in clf.dropped_neurons_] == [0, 0]
    assert clf.search_.loc["before"].equals(clf.search_.loc["after"])


def test_a_trained_module_is_searched_as_it_is(people):
    X, y, _ = people
    trained = net(random_state=0).fit(X, y).net_.module_
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    clf = fitted(people, net(module=trained, warmup_epochs=0, max_epochs=0))
    assert clf.history_.empty and sum(map(len, clf.dropped_neurons_)) > 0
    for name, value in trained.state_dict().items():
        assert_array_equal(value, before[name])


def test_the_time_may_be_bounded(people):
    clf = fitted(people, n_proposals=10**9, max_seconds=0.2)
    assert 0 < clf.n_proposals_ < 10**7


def test_groups_of_held_out_rows_play_no_part(people):
    X, _, _ = people
    clf = fitted(people, net(early_stopping=True, validation_fraction=0.2))
    assert len(clf.predict(X)) == 300 and "valid_loss" in clf.history_


def test_another_module_is_refused(people):
    def wavy(n_features):
        return nn.Sequential(nn.Linear(n_features, 3), nn.Tanh(), nn.Linear(3, 1))

    with pytest.raises(TypeError, match=r"NeuFairClassifier\.fit looks .*\[Tanh\(\)\]"):
        fitted(people, net(module=wavy))


def test_the_favourable_label_must_be_told(people):
    with pytest.raises(ValueError, match=r"NeuFairClassifier.*pass pos_label='hired'"):
        fitted(people, pos_label=None)


def test_a_group_without_a_label_that_is_compared_is_refused(people):
    X, y, gender = people
    kept = (gender == "male") | (y == "declined")
    rows = (X[kept], y[kept], gender[kept])
    expected = (
        r"NeuFairClassifier\.fit: constraint='equalized_odds' .* group 'female' has no "
        "sample with label 'hired'"
    )
    with pytest.raises(ValueError, match=expected):
        fitted(rows)
    assert fitted(rows, constraint="demographic_parity").groups_ == ["female", "male"]


def test_an_unknown_constraint_is_refused(people):
    with pytest.raises(ValueError, match="Got 'parity' instead"):
        fitted(people, constraint="parity")


def test_a_third_label_is_refused(people):
    X, y, gender = people
    y = y.where(X["height"] > -0.5, "undecided")
    with pytest.raises(ValueError, match=r"3 labels \['declined', 'hired', 'undeci"):
        fitted((X, y, gender))


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_proposals", -1), ("max_seconds", 0), ("f1_share", 1.5), ("penalty", -1)],
)
def test_numbers_out_of_range_are_refused(name, value, people):
    with pytest.raises(ValueError, match=f"'{name}' .* Got {value} instead"):
        fitted(people, **{name: value})
