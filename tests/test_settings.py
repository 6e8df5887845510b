"""What "auto" means, and the settings of the paper."""

import numpy as np
import pytest
import torch
from torch import nn

from skfair_runner import RunnerFairClassifier, paper_settings
from skfair_runner._settings import resolve_optimizer, resolve_output, resolve_settings
from skfair_runner.modules import MLP

AUTO = dict.fromkeys(
    ["alpha", "batch_size", "warmup_epochs", "max_epochs", "lr"], "auto"
)


def resolve(n_samples=20_000, within="everybody", repair="decisions", **options):
    options = {**AUTO, "own_module": False, "trained": False, **options}
    return resolve_settings(n_samples, within=within, repair=repair, **options)


@pytest.mark.parametrize("n_samples", [1, 2, 50, 1_000, 5_000, 20_000, 1_000_000])
@pytest.mark.parametrize("within", ["everybody", "each label"])
@pytest.mark.parametrize("repair", ["decisions", "scores"])
def test_every_number_is_resolved_and_within_its_range(n_samples, within, repair):
    settings = resolve(n_samples, within, repair)
    assert "auto" not in settings.as_dict().values()
    assert settings.batch_size in {64, 128, 256, 512}
    assert settings.warmup_epochs >= 1
    assert settings.max_epochs >= 1
    assert 0 < settings.lr <= settings.warmup_lr <= 0.01
    assert settings.alpha > 0
    assert 0 < settings.gain < 1
    assert 0 < settings.memory < 1
    assert settings.sharpness[0] <= settings.sharpness[1]


@pytest.mark.parametrize("n_samples", [1, 100, 1_000, 10_000])
def test_small_data_get_enough_steps(n_samples):
    settings = resolve(n_samples)
    steps = -(-n_samples // settings.batch_size)
    assert settings.warmup_epochs * steps >= 200


def test_batches_grow_with_the_data():
    sizes = [resolve(n).batch_size for n in (10, 1_023, 2_048, 5_000, 8_192, 10**6)]
    assert sizes == [64, 64, 128, 256, 512, 512]


@pytest.mark.parametrize("optimizer", ["sgd", torch.optim.SGD])
def test_sgd_steps_farther_than_adam(optimizer):
    """Adam's learning rate is the length of its steps, whatever the gradients."""
    adam, sgd = (
        resolve(within="each label"),
        resolve(within="each label", optimizer=optimizer),
    )
    assert (sgd.lr, sgd.warmup_lr) == (50 * adam.lr, 50 * adam.warmup_lr)
    assert resolve(optimizer=optimizer, lr=0.1).lr == 0.1
    assert resolve(optimizer=torch.optim.RMSprop) == resolve()


def test_what_the_user_says_is_kept():
    own = {
        "alpha": 0.7,
        "batch_size": 33,
        "warmup_epochs": 5,
        "max_epochs": 0,
        "lr": 0.123,
    }
    settings = resolve(**own).as_dict()
    assert {name: settings[name] for name in own} == own
    assert settings["warmup_lr"] == 0.123


def test_a_trained_module_is_not_warmed_up():
    assert resolve(trained=True).warmup_epochs == 0
    assert resolve(trained=True, warmup_epochs=3).warmup_epochs == 3


def test_the_users_module_is_trained_more_slowly():
    assert resolve(own_module=True).lr < resolve().lr


def test_scores_are_repaired_by_the_neurons_and_without_sharpening():
    decisions, scores = resolve(), resolve(repair="scores")
    assert scores.alpha > decisions.alpha
    assert scores.sharpness == (1.0, 1.0)
    assert decisions.sharpness[1] > 1


def test_rates_within_a_label_are_remembered_for_longer():
    assert resolve(within="positive").memory > resolve().memory


def test_settings_are_shown_by_the_classifier():
    rng = np.random.default_rng(0)
    X, groups = rng.normal(size=(80, 2)), rng.integers(0, 2, 80)
    clf = RunnerFairClassifier(max_epochs=0, warmup_epochs=0, random_state=0)
    clf.fit(X, np.arange(80) % 2, sensitive_features=groups)
    expected = resolve(80, max_epochs=0, warmup_epochs=0).as_dict()
    assert clf.settings_ == expected


# Optimizers and outputs


def test_names_of_optimizers():
    optimizer, parameters = resolve_optimizer("adamw", "cpu")
    assert optimizer is torch.optim.AdamW
    assert parameters["optimizer__weight_decay"] == 0.01
    fused = {"optimizer__fused": True}
    assert resolve_optimizer("adam", "cpu") == (torch.optim.Adam, fused)
    assert resolve_optimizer("adam", "cuda") == (torch.optim.Adam, {})
    momentum = {"optimizer__momentum": 0.9}
    assert resolve_optimizer("sgd", "cpu") == (torch.optim.SGD, momentum)
    assert resolve_optimizer(torch.optim.RMSprop, "cpu") == (torch.optim.RMSprop, {})
    with pytest.raises(ValueError, match=r"no optimizer 'lion': .*\['adam', 'adamw'"):
        resolve_optimizer("lion", "cpu")


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (nn.Sigmoid(), "probabilities"),
        (nn.Softmax(dim=1), "probabilities"),
        (nn.LogSoftmax(dim=1), "logits"),
        (nn.Linear(2, 1), "logits"),
        (nn.ReLU(), "logits"),
    ],
)
def test_the_last_submodule_tells_what_is_emitted(last, kind):
    module = nn.Sequential(nn.Linear(2, 2), last)
    assert resolve_output(module, "auto") == kind
    for said in ("logits", "probabilities"):
        assert resolve_output(module, said) == said


def test_a_module_without_submodules_is_its_own_last():
    assert resolve_output(nn.Sigmoid(), "auto") == "probabilities"


# The paper


@pytest.mark.parametrize("dataset", ["adult", "compas", "credit", "lsac"])
@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_the_papers_settings_are_parameters(constraint, dataset):
    settings = paper_settings(constraint, dataset)
    clf = RunnerFairClassifier(**settings)
    assert clf.get_params()["module"] is MLP
    assert settings["warmup_epochs"] == 0
    assert settings["diagnose_every"] == 1
    assert settings["importance"] == "weight"
    assert settings["difference_bound"] is None
    if constraint == "equalized_odds":
        assert settings["output_weight"] == settings["alpha"]
        assert settings["batch_size"] == 4 * 500
    else:
        assert settings["output_weight"] == 0
        assert settings["batch_size"] == 2 * 500


def test_published_numbers():
    """As in the repository Ace0001/RUNNER."""
    assert paper_settings()["alpha"] == 0.3
    assert paper_settings()["top_k"] == 0.5
    assert paper_settings("equalized_odds")["alpha"] == 1.0
    assert paper_settings(dataset="compas")["top_k"] == 0.05


def test_the_papers_training_runs():
    rng = np.random.default_rng(0)
    X, groups = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    y = (X[:, 0] + groups > 0.5).astype(int)
    settings = {
        **paper_settings("equalized_odds"),
        "batch_size": 80,
        "max_epochs": 2,
        "iterator_train__steps_per_epoch": 5,
    }
    clf = RunnerFairClassifier(**settings, random_state=0)
    clf.fit(X, y, sensitive_features=groups)
    assert clf.history_["train_batch_count"].tolist() == [5, 5]
    assert clf.net_.controller_ is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("parity",), r"constraint 'parity': .*\['demographic_parity', 'equalized_od"),
        (
            ("true_positive_rate_parity",),
            "no settings for the constraint 'true_positive_rate_parity'",
        ),
        (
            ("equalized_odds", "german"),
            r"set 'german': pass one of \['adult', 'compas'",
        ),
    ],
)
def test_what_the_paper_does_not_have_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        paper_settings(*arguments)


def test_the_neurons_count_for_less_in_scores_within_labels():
    """Where few are selected, more would select nobody."""
    weights = [
        resolve(n_samples, within=within, repair="scores").alpha
        for n_samples in (5_000, 30_000)
        for within in ("everybody", "each label")
    ]
    assert weights == [0.5, 0.5, 1.0, 0.5]


def test_the_default_network_is_trained_for_fewer_epochs_on_many_rows():
    """Where it would learn rows by heart; a module of one's own learns more slowly."""
    phases = {
        "plain": resolve(30_000),
        "within labels": resolve(30_000, within="each label"),
        "scores": resolve(30_000, within="each label", repair="scores"),
        "own": resolve(30_000, own_module=True),
        "few rows": resolve(14_999),
    }
    assert {
        name: (settings.warmup_epochs, settings.max_epochs)
        for name, settings in phases.items()
    } == {
        "plain": (10, 12),
        "within labels": (10, 8),
        "scores": (10, 12),
        "own": (16, 16),
        "few rows": (16, 16),
    }


def test_several_constraints_share_the_phases_and_have_their_own_controllers():
    """The longest repair at the lowest rate; gain and memory those of each alone."""
    pair = {"demographic_parity": "everybody", "equalized_odds": "each label"}
    for n_samples in (1_000, 50_000):
        joint = resolve(n_samples, pair).as_dict()
        alone = {name: resolve(n_samples, one) for name, one in pair.items()}
        slowest = alone["equalized_odds"].as_dict()
        for name in ("lr", "sharpness", "batch_size"):
            assert joint[name] == slowest[name]
        longest = max(settings.max_epochs for settings in alone.values())
        assert joint["max_epochs"] == longest
        for name in ("gain", "memory"):
            own = {k: settings.as_dict()[name] for k, settings in alone.items()}
            assert joint[name]["equalized_odds"] == own["equalized_odds"]
        assert joint["memory"]["demographic_parity"] == 0.90
