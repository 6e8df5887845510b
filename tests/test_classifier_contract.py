"""RunnerFairClassifier as an estimator: parameters, states, interruptions."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict
from skorch.callbacks import Callback, EarlyStopping
from torch import nn

from skfair_runner import RunnerFairClassifier

pytestmark = pytest.mark.filterwarnings(
    # A few epochs on few rows: enough to see what is asked here.
    "ignore::skfair_runner.utils.SkfairRunnerWarning"
)

QUICK = {
    "warmup_epochs": 2,
    "max_epochs": 3,
    "batch_size": 32,
    "lr": 0.02,
    "hidden_layer_sizes": (8,),
    "random_state": 0,
}


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 2, 200)
    X = rng.normal(size=(200, 4))
    X[:, 0] = 2 * groups - 1 + 0.4 * X[:, 0]
    y = (X[:, 0] + X[:, 1] + rng.normal(size=200) > 0).astype(int)
    return X, y, groups


def make(**parameters):
    return RunnerFairClassifier(**{**QUICK, **parameters})


def fit(people, **parameters):
    X, y, groups = people
    return make(**parameters).fit(X, y, sensitive_features=groups)


def random_states():
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002
    return keys.tolist(), position, has_gauss, gauss, torch.get_rng_state().tolist()


# Randomness


def test_the_same_seed_gives_the_same_classifier(people):
    X, _, _ = people
    first, second = fit(people), fit(people)
    assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    pd.testing.assert_frame_equal(first.neuron_importance_, second.neuron_importance_)
    other = fit(people, random_state=1)
    assert abs(first.predict_proba(X) - other.predict_proba(X)).max() > 1e-3


def test_a_random_state_object_is_drawn_from(people):
    X, _, _ = people
    first, second = (
        fit(people, random_state=np.random.RandomState(3)) for _ in range(2)
    )
    assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    again = first.predict_proba(X)
    first.fit(X, people[1], sensitive_features=people[2])
    assert abs(first.predict_proba(X) - again).max() > 1e-3


def test_no_seed_takes_fresh_entropy(people):
    X, _, _ = people
    probas = []
    for _ in range(2):
        np.random.seed(0)  # noqa: NPY002
        torch.manual_seed(0)
        probas.append(fit(people, random_state=None).predict_proba(X))
    assert abs(probas[0] - probas[1]).max() > 1e-3


class _Fails(nn.Module):
    """Raises at the given forward pass; a Ctrl-C arrives like that."""

    def __init__(self, n_features, error=KeyboardInterrupt, at=20):
        super().__init__()
        self.hidden, self.relu = nn.Linear(n_features, 4), nn.ReLU()
        self.output = nn.Linear(4, 1)
        self.error, self.at, self.n_calls = error, at, 0

    def forward(self, x):
        self.n_calls += 1
        if self.n_calls == self.at:
            raise self.error
        return self.output(self.relu(self.hidden(x)))


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ArithmeticError])
def test_global_random_states_are_left_as_they_were(people, error):
    X, y, groups = people
    clf = make(early_stopping=True)
    if error is not None:
        clf.set_params(module=_Fails, module__error=error)
    before = random_states()
    try:
        clf.fit(X, y, sensitive_features=groups)
        clf.predict_proba(X)
        clf.partial_fit(X, y, sensitive_features=groups)
    except (KeyboardInterrupt, ArithmeticError) as caught:
        assert type(caught) is error
    else:
        assert error is None
    assert random_states() == before


# Copies


@pytest.mark.parametrize(
    "copied",
    [
        lambda clf, path: pickle.loads(pickle.dumps(clf)),
        lambda clf, path: copy.deepcopy(clf),
        lambda clf, path: joblib.load(joblib.dump(clf, path / "clf.joblib")[0]),
    ],
    ids=["pickle", "deepcopy", "joblib"],
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_copy_predicts_and_trains_on(people, copied, early_stopping, tmp_path):
    X, y, groups = people
    clf = fit(people, early_stopping=early_stopping)
    twin = copied(clf, tmp_path)
    assert_array_equal(twin.predict_proba(X), clf.predict_proba(X))
    pd.testing.assert_frame_equal(twin.history_, clf.history_)
    pd.testing.assert_frame_equal(twin.neuron_importance_, clf.neuron_importance_)
    for each in (twin, clf):
        each.partial_fit(X, y, sensitive_features=groups)
    assert_array_equal(twin.predict_proba(X), clf.predict_proba(X))


def test_a_clone_has_the_parameters_and_nothing_that_was_fitted(people):
    clf = fit(people, module__dropout=0.2)
    twin = clone(clf)
    assert twin.get_params() == clf.get_params()
    with pytest.raises(NotFittedError, match="RunnerFairClassifier instance is not"):
        twin.predict(people[0])
    X, y, groups = people
    twin.fit(X, y, sensitive_features=groups)
    assert_array_equal(twin.predict_proba(X), clf.predict_proba(X))


def test_nothing_is_there_before_fit():
    clf = RunnerFairClassifier()
    assert not [name for name in vars(clf) if name.endswith("_")]
    assert not hasattr(clf, "history_")


def test_processes_predict_what_one_predicts(people):
    X, y, groups = people
    with config_context(enable_metadata_routing=True):
        alone, together = (
            cross_val_predict(
                make(max_epochs=1),
                X,
                y,
                cv=2,
                n_jobs=n_jobs,
                method="predict_proba",
                params={"sensitive_features": groups},
            )
            for n_jobs in (1, 2)
        )
    assert_allclose(alone, together, atol=1e-6)


# Parameters


def test_parameters_of_the_net_are_kept_and_shown():
    clf = RunnerFairClassifier(module__dropout=0.3, optimizer__weight_decay=0.1)
    assert clf.get_params()["module__dropout"] == 0.3
    clf.set_params(module__dropout=0.1, criterion__label_smoothing=0.1, alpha=3)
    shown = clf.get_params()
    assert shown["module__dropout"] == 0.1
    assert shown["criterion__label_smoothing"] == 0.1
    assert shown["alpha"] == clf.alpha == 3
    assert "module__dropout=0.1" in repr(clf)
    assert "module__dropout" in clf._repr_html_()


def test_parameters_of_copies_are_their_own():
    clf = RunnerFairClassifier(module__dropout=0.3)
    twin, shallow = clone(clf), copy.copy(clf)
    twin.set_params(module__dropout=0.1)
    shallow.set_params(module__dropout=0.2, module__n_bins=4)
    assert clf.get_params()["module__dropout"] == 0.3
    assert "module__n_bins" not in clf.get_params()


def test_parameters_of_the_net_reach_it(people):
    clf = fit(
        people,
        module__dropout=0.25,
        optimizer="sgd",
        optimizer__momentum=0.5,
        optimizer__nesterov=True,
    )
    assert clf.net_.module_.dropout == 0.25
    (group,) = clf.net_.optimizer_.param_groups
    assert isinstance(clf.net_.optimizer_, torch.optim.SGD)
    assert (group["momentum"], group["nesterov"]) == (0.5, True)


def test_a_search_goes_over_all_kinds_of_parameters(people):
    X, y, groups = people
    grid = {
        "module__dropout": [0.0, 0.4],
        "optimizer__weight_decay": [0.0],
        "alpha": [0.0, 1.0],
        "top_k": [1, 0.5],
    }
    search = GridSearchCV(make(max_epochs=1), grid, cv=2, error_score="raise")
    search.fit(X, y, sensitive_features=groups)
    best = search.best_estimator_
    assert {name: best.get_params()[name] for name in grid} == search.best_params_
    assert best.net_.module_.dropout == search.best_params_["module__dropout"]


def test_an_unknown_parameter_is_refused_with_a_suggestion():
    with pytest.raises(
        TypeError,
        match="RunnerFairClassifier has no parameter 'max_epoch'; did you mean "
        "'max_epochs'",
    ):
        RunnerFairClassifier(max_epoch=3)
    with pytest.raises(TypeError, match=r"no parameter 'zzz'\. Parameters of the net"):
        RunnerFairClassifier(zzz=3)
    clf = RunnerFairClassifier()
    with pytest.raises(ValueError, match="Invalid parameter 'max_epoch'"):
        clf.set_params(max_epoch=3, module__dropout=0.1)
    assert "module__dropout" not in clf.get_params()


def test_the_name_of_the_open_parameters_is_refused_by_fit(people):
    clf = make(skorch_parameters={"module__dropout": 0.1})
    X, y, groups = people
    with pytest.raises(TypeError, match="no parameter 'skorch_parameters'"):
        clf.fit(X, y, sensitive_features=groups)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("optimizer__lr", "lr"),
        ("iterator_train__batch_size", "batch_size"),
        ("iterator_train__sampling", "sampling"),
        ("criterion__reduction", "sample_weight"),
    ],
)
def test_what_has_a_parameter_of_its_own_is_refused(people, name, ours):
    with pytest.raises(TypeError, match=f"not take '{name}': use its .*, {ours}"):
        RunnerFairClassifier(**{name: "mean"})
    X, y, groups = people
    with pytest.raises(TypeError, match=f"not take '{name}'"):
        make().set_params(**{name: "mean"}).fit(X, y, sensitive_features=groups)


@pytest.mark.parametrize(
    ("parameter", "value", "error", "message"),
    [
        ("module__nonsense", 1, TypeError, "nonsense"),
        (
            "optimizer__nonsense",
            1,
            TypeError,
            "optimizer__nonsense=1: AdamW has no parameter 'nonsense'; it takes .*lr",
        ),
        (
            "criterion__nonsense",
            1,
            TypeError,
            "criterion__nonsense=1: BCEWithLogitsLoss has no parameter 'nonsense'",
        ),
        ("iterator_train__nonsense", 1, TypeError, "nonsense"),
        ("callbacks__nonsense", 1, ValueError, "'callbacks__nonsense' names no callb"),
        ("callbacks__nonsense__a", 1, ValueError, r"are \['epoch_timer', 'train_loss'"),
    ],
)
def test_what_the_net_does_not_know_is_refused(
    people, parameter, value, error, message
):
    with pytest.raises(error, match=message):
        fit(people, **{parameter: value})


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("constraint", "parity"),
        ("repair", "everything"),
        ("difference_bound", 1.5),
        ("difference_bound", -0.1),
        ("output_weight", -1.0),
        ("alpha", -0.1),
        ("alpha", float("nan")),
        ("top_k", 0),
        ("top_k", 0.0),
        ("top_k", 1.5),
        ("importance", "size"),
        ("distance", "l3"),
        ("diagnose_every", 0),
        ("sampling", "stratified"),
        ("correct_prior", "yes"),
        ("layers", 3),
        ("module", "mlp"),
        ("module_output", "scores"),
        ("hidden_layer_sizes", 8),
        ("warmup_epochs", -1),
        ("max_epochs", 1.5),
        ("batch_size", 0),
        ("lr", 0.0),
        ("lr", float("inf")),
        ("lr_schedule", "linear"),
        ("optimizer", "lbfgs"),
        ("early_stopping", "yes"),
        ("validation_fraction", 1.0),
        ("n_iter_no_change", 0),
        ("sensitive_columns", 3),
        ("drop_sensitive", None),
        ("missing_groups", "drop"),
        ("warm_start", "no"),
        ("callbacks", "early"),
        ("device", 0),
        ("random_state", "seed"),
        ("verbose", -1),
    ],
)
def test_values_out_of_range_are_refused_by_name(people, parameter, value):
    with pytest.raises(ValueError, match=f"The '{parameter}' parameter of Runner.*Got"):
        fit(people, **{parameter: value})


@pytest.mark.parametrize(
    "parameter", ["difference_bound", "output_weight", "alpha", "top_k"]
)
@pytest.mark.parametrize("value", [True, False])
def test_a_switch_is_no_number(people, parameter, value):
    expected = f"{parameter}={value} is no switch|'{parameter}' parameter .* Got False"
    with pytest.raises((TypeError, ValueError), match=expected):
        fit(people, **{"difference_bound": None, parameter: value})


@pytest.mark.parametrize("value", [0, -1, 2.5, "x", [3, 3]])
def test_layer_sizes_are_checked(people, value):
    with pytest.raises(ValueError, match=r"`hidden_layer_sizes\[1\]` is an integer"):
        fit(people, hidden_layer_sizes=[4, value])


def test_numpy_scalars_are_numbers(people):
    clf = fit(
        people,
        top_k=np.int32(2),
        alpha=np.float32(0.5),
        difference_bound=np.float64(0.1),
        diagnose_every=np.int64(2),
        batch_size=np.int64(50),
        max_epochs=np.int32(1),
        lr=np.float64(0.01),
        hidden_layer_sizes=np.array([5, 4]),
        random_state=np.int64(3),
        early_stopping=np.bool_(False),
        n_iter_no_change=np.int64(2),
    )
    assert clf.neuron_importance_["selected"].sum() == 4


def test_two_ways_to_steer_the_output_are_refused(people):
    with pytest.raises(
        ValueError, match=r"output_weight=0.5 and difference_bound=0.05 are two ways"
    ):
        fit(people, output_weight=0.5)


def test_a_bound_on_a_function_of_the_user_is_refused(people):
    def my_gap(y_true, y_score, groups):
        raise AssertionError("must not be called")

    with pytest.raises(ValueError, match="gap function 'my_gap' does not tell"):
        fit(people, constraint=my_gap)


@pytest.mark.parametrize("layers", [[], ()])
def test_no_layer_is_no_diagnosis(people, layers):
    with pytest.raises(ValueError, match=r"layers=[\[(][\])] names no layer"):
        fit(people, layers=layers)


def test_an_unknown_layer_is_refused_with_the_known_ones(people):
    with pytest.raises(ValueError, match="layers names 'fc9', .* it calls .*'relu1'"):
        fit(people, layers=["fc9"])


def test_a_net_without_hidden_neurons_has_nothing_to_diagnose(people):
    with pytest.raises(
        ValueError, match=r"hidden_layer_sizes=\(\) leaves no hidden neuron"
    ):
        fit(people, hidden_layer_sizes=())
    assert fit(people, hidden_layer_sizes=(), constraint=None).net_.history


@pytest.mark.parametrize("device", ["nonsense", "meta"])
def test_a_device_that_is_not_there_is_refused(people, device):
    with pytest.raises(ValueError, match=f"device='{device}' cannot be used here: "):
        fit(people, device=device)


def test_a_device_may_be_an_object(people):
    clf = fit(people, device=torch.device("cpu"))
    assert clf.net_.device == torch.device("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
def test_a_gpu_learns_the_same_and_leaves_its_state(people):
    X, _, _ = people
    before = torch.cuda.get_rng_state()
    clf = fit(people, device="cuda", early_stopping=True)
    assert torch.equal(before, torch.cuda.get_rng_state())
    assert abs(clf.predict_proba(X) - fit(people).predict_proba(X)).max() < 0.3
    twin = pickle.loads(pickle.dumps(clf))
    assert_array_equal(twin.predict_proba(X), clf.predict_proba(X))


# Output on the screen


def test_silence_prints_nothing(people, capfd):
    X, y, groups = people
    clf = fit(people, early_stopping=True, n_iter_no_change=1, max_epochs=6)
    clf.partial_fit(X, y, sensitive_features=groups)
    clf.predict(X)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_verbose_shows_progress(people, capfd):
    fit(people, verbose=1)
    captured = capfd.readouterr()
    assert "warm-up" in captured.err
    assert "repair" in captured.err
    assert "difference=" in captured.err
    fit(people, verbose=2)
    lines = capfd.readouterr().out.splitlines()
    assert any("train_loss" in line for line in lines)
    assert len(lines) >= 5


# Errors leave nothing half done


def unchanged(clf, before, X, expected):
    assert vars(clf).keys() == before.keys()
    assert all(vars(clf)[name] is value for name, value in before.items())
    assert_array_equal(clf.predict_proba(X), expected)


@pytest.mark.parametrize("warm_start", [False, True])
def test_a_refit_that_fails_leaves_the_earlier_one(people, warm_start):
    X, y, groups = people
    clf = fit(people, warm_start=warm_start)
    before, expected = dict(vars(clf)), clf.predict_proba(X)
    bad = X.copy()
    bad[3, 2] = np.nan
    failing = [
        ((bad, y), {"sensitive_features": groups}),
        ((X[:, :2], y), {"sensitive_features": groups[:-1]}),
        ((X[:, :2], y), {}),
        ((X, y), {"sensitive_features": groups, "sample_weight": -groups}),
    ]
    for positional, keywords in failing:
        with pytest.raises(ValueError):
            clf.fit(*positional, **keywords)
        unchanged(clf, before, X, expected)


def test_a_refit_that_diverges_leaves_the_earlier_one(people):
    X, y, groups = people
    clf = fit(people)
    clf.set_params(lr=1e20)
    before, expected = dict(vars(clf)), clf.predict_proba(X)
    frame = pd.DataFrame(X[:, :3], columns=list("abc"))
    with pytest.raises(ValueError, match="diverged"):
        clf.fit(frame, y, sensitive_features=groups)
    unchanged(clf, before, X, expected)


def test_a_first_fit_that_fails_leaves_nothing(people):
    X, y, groups = people
    clf = make()
    with pytest.raises(ValueError, match="one class"):
        clf.fit(X, np.zeros(len(y)), sensitive_features=groups)
    assert not [name for name in vars(clf) if name.endswith("_")]


def test_a_refit_may_change_everything(people):
    X, y, groups = people
    clf = fit(people)
    frame = pd.DataFrame(X[:, :3], columns=list("abc"))
    words = np.array(["no", "yes", "maybe"])[np.arange(len(y)) % 3]
    clf.fit(frame, words, sensitive_features=np.array(["u", "v", "w"])[groups + y])
    assert clf.classes_.tolist() == ["maybe", "no", "yes"]
    assert clf.groups_ == ["u", "v", "w"]
    assert clf.predict_proba(frame).shape == (len(y), 3)
    clf.fit(X, y, sensitive_features=groups)
    assert not hasattr(clf, "feature_names_in_")


# Interrupts


@pytest.mark.parametrize(
    ("at", "phases"), [(10, {"warm-up"}), (30, {"warm-up", "repair"})]
)
def test_an_interrupt_keeps_the_state_reached_and_goes_on(people, at, phases):
    X, y, groups = people
    clf = make(module=_Fails, module__at=at)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y, sensitive_features=groups)
    assert set(clf.history_["phase"]) <= phases
    assert len(clf.history_) < 5
    assert clf.neuron_importance_["discrimination_after"].notna().all()
    assert np.isfinite(clf.predict_proba(X)).all()
    clf.partial_fit(X, y, sensitive_features=groups)
    again = pickle.loads(pickle.dumps(clf))
    assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


def test_an_interrupt_before_training_leaves_the_classifier_as_it_was(people):
    X, y, groups = people
    clf = fit(people)
    expected = clf.predict_proba(X)
    clf.set_params(module=_Fails, module__at=1)
    before = dict(vars(clf))
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y, sensitive_features=groups)
    unchanged(clf, before, X, expected)


def test_an_interrupt_in_partial_fit_keeps_the_state_reached(people):
    X, y, groups = people
    clf = make(module=_Fails, module__at=8)
    with pytest.raises(KeyboardInterrupt):
        clf.partial_fit(X, y, classes=[0, 1], sensitive_features=groups)
    assert np.isfinite(clf.predict_proba(X)).all()
    assert len(clf.history_) == 0
    clf.partial_fit(X, y, sensitive_features=groups)
    assert clf.history_["phase"].tolist() == ["repair"]


def test_an_interrupt_ends_a_search(people):
    X, y, groups = people
    search = GridSearchCV(
        make(module=_Fails), {"module__at": [10_000, 20]}, cv=2, error_score=0.0
    )
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y, sensitive_features=groups)


# Callbacks


class _Watch(Callback):
    """Notes what it is told; stops after some epochs of a phase, in skorch's way."""

    def __init__(self, patience=10_000):
        self.patience = patience

    def on_train_begin(self, net, **kwargs):
        self.phases_ = [*getattr(self, "phases_", []), net.phase_]
        self.n_epochs_ = 0

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs_ += 1
        if self.n_epochs_ == self.patience:
            raise KeyboardInterrupt


def test_callbacks_watch_both_phases(people):
    watch = _Watch()
    fit(people, callbacks=[("watch", watch)])
    assert watch.phases_ == ["warm-up", "repair"]


def test_a_callback_that_stops_ends_its_phase_alone(people):
    clf = fit(people, callbacks=[_Watch], callbacks___Watch__patience=1)
    assert clf.history_["phase"].tolist() == ["warm-up", "repair"]


def test_early_stopping_of_skorch_ends_a_phase(people):
    stop = EarlyStopping("train_loss", patience=2, threshold=10.0, sink=lambda _: None)
    clf = fit(people, callbacks=[stop], warmup_epochs=9, max_epochs=9)
    assert clf.history_["phase"].value_counts().max() < 9


@pytest.mark.parametrize("callback", [3, "early", ("stop", 3), dict])
def test_what_is_no_callback_is_refused(people, callback):
    with pytest.raises(TypeError, match="callbacks holds .* is no skorch callback"):
        fit(people, callbacks=[callback])


def test_default_callbacks_can_be_left_out(people):
    clf = fit(people, callbacks__epoch_timer=None)
    assert "dur" not in clf.history_
    assert "dur" in fit(people).history_


# Early stopping


class _Keep(Callback):
    """Keeps the module of every epoch."""

    def on_train_begin(self, net, **kwargs):
        self.states_ = []

    def on_epoch_end(self, net, **kwargs):
        self.states_.append(copy.deepcopy(net.module_.state_dict()))


def test_early_stopping_ends_each_phase_and_keeps_its_best_epoch(people):
    keep = _Keep()
    clf = fit(
        people,
        early_stopping=True,
        n_iter_no_change=2,
        warmup_epochs=60,
        max_epochs=60,
        lr=0.05,
        callbacks=[("keep", keep)],
    )
    history = clf.history_
    assert (history["phase"].value_counts() < 60).all()
    repair = history[history["phase"] == "repair"].reset_index()
    best = repair["valid_objective"].idxmin()
    assert best < len(repair) - 1
    for name, value in clf.net_.module_.state_dict().items():
        assert torch.equal(value, keep.states_[best][name])
    for column in ("valid_loss", "valid_gap", "valid_difference"):
        assert history[column].notna().all()


@pytest.mark.parametrize(
    "options",
    [
        {"constraint": None},
        {"difference_bound": None, "output_weight": 1.0},
        {"sampling": "group_label", "constraint": "equalized_odds"},
    ],
    ids=str,
)
def test_early_stopping_goes_with_every_kind_of_repair(people, options):
    clf = fit(people, early_stopping=True, **options)
    assert clf.history_["valid_objective"].notna().all()
    assert np.isfinite(clf.predict_proba(people[0])).all()


# Going on


@pytest.mark.parametrize("warmup_epochs", ["auto", 2])
def test_a_warm_start_goes_on_from_the_module(people, warmup_epochs):
    X, y, groups = people
    clf = fit(people, warm_start=True)
    weights = copy.deepcopy(clf.net_.module_.state_dict())
    earlier = clf.net_.module_
    first = []

    class FirstLoss(Callback):
        def on_train_begin(self, net, **kwargs):
            state = net.module_.state_dict()
            first.append(all(torch.equal(state[k], weights[k]) for k in weights))

    clf.set_params(callbacks=[FirstLoss()], warmup_epochs=warmup_epochs)
    clf.fit(X, y, sensitive_features=groups)
    assert first == [True]
    assert clf.history_["phase"].tolist() == ["repair"] * 3
    assert clf.net_.module_ is not earlier


def test_a_warm_start_keeps_the_module_that_parameters_shaped(people):
    X, y, groups = people
    clf = fit(people, warm_start=True, module__dropout=0.3)
    clf.set_params(module__dropout=0.5).fit(X, y, sensitive_features=groups)
    assert clf.net_.module_.dropout == 0.3


def test_a_warm_start_meets_other_data(people):
    X, y, groups = people
    clf = fit(people, warm_start=True)
    with pytest.raises(ValueError, match="X has 3 features, but .* is expecting 4"):
        clf.fit(X[:, :3], y, sensitive_features=groups)
    with pytest.raises(ValueError, match=r"label 7, which is not among .* \[0, 1\]"):
        clf.fit(X, np.where(y == 1, 7, 0), sensitive_features=groups)
    with pytest.raises(ValueError, match=r"one class only: \[0\]"):
        clf.fit(X, np.zeros(len(y), int), sensitive_features=groups)
    # The module knows no groups: they may be others.
    clf.fit(X, y, sensitive_features=np.array(["u", "v", "w"])[groups + y])
    assert clf.groups_ == ["u", "v", "w"]
    clf.set_params(constraint=None).fit(X, y)
    assert not hasattr(clf, "groups_")
