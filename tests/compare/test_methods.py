"""The standard classifiers: which there are, what each is told, what is said."""

import numpy as np
import pytest
from sklearn.base import clone

from skfair_runner import baselines
from skfair_runner.compare import standard_classifiers
from skfair_runner.compare._methods import (
    BY_NAME_ONLY,
    METHODS,
    QUICK,
    about_caps,
    about_methods,
    choose_methods,
    short_training,
)
from skfair_runner.datasets import make_biased_classification
from skfair_runner.gaps import CONSTRAINTS

CLASSIFIERS = {
    name: thing
    for name, thing in vars(baselines).items()
    if name.endswith("Classifier") and name != "UnmitigatedClassifier"
}


def _last_steps(constraint="demographic_parity", **options):
    classifiers = standard_classifiers(constraint, methods="all", **options)
    return {name: pipeline[-1] for name, pipeline in classifiers.items()}


def test_every_baseline_is_among_all_methods_or_compared_by_name():
    found = {type(step).__name__ for step in _last_steps().values()}
    named = {
        type(pipeline[-1]).__name__
        for pipeline in standard_classifiers(methods=BY_NAME_ONLY).values()
    }
    assert not found & named
    assert found | named == {*CLASSIFIERS, "RunnerFairClassifier"}


def test_quick_is_the_default_and_part_of_all():
    quick = [METHODS[name].label for name in QUICK]
    assert list(standard_classifiers()) == quick
    assert set(quick) <= set(_last_steps())


@pytest.mark.parametrize("constraint", list(CONSTRAINTS))
def test_every_method_is_told_what_it_takes(constraint):
    told = {"constraint": constraint, "difference_bound": 0.1, "pos_label": "yes"}
    steps = _last_steps(constraint, difference_bound=0.1, pos_label="yes", max_iter=3)
    del steps["Unmitigated net"]
    if constraint == "equalized_odds":
        # It knows no bound there.
        assert steps.pop("ThresholdOptimizer").difference_bound is None
    for name, step in steps.items():
        params = step.get_params(deep=False)
        for parameter, value in told.items():
            assert params.get(parameter, value) == value, (name, parameter)
    assert steps["ExponentiatedGradient"].max_iter == 3


def test_all_train_the_same_net():
    steps = _last_steps(
        net_parameters={"lr": 0.01}, oracle_parameters={"max_epochs": 2}
    )
    assert steps.pop("RunnerFairClassifier").lr == 0.01
    steps["Unmitigated net"].estimator = steps["Unmitigated net"]
    for name, step in steps.items():
        net = step.estimator
        assert (net.constraint, net.lr) == (None, 0.01), name
        short = name in ("ExponentiatedGradient", "GridSearchReduction")
        assert net.max_epochs == (2 if short else "auto"), name


# Hardly trained.
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
@pytest.mark.parametrize("name", METHODS)
def test_every_method_takes_a_mixed_table_and_text_labels(name):
    people = make_biased_classification(n_samples=240, random_state=0)
    y = np.where(people.target == 1, "yes", "no")
    net = {"warmup_epochs": 1, "max_epochs": 1, "hidden_layer_sizes": (4,)}
    (pipeline,) = standard_classifiers(
        methods=[name],
        sensitive_columns="gender",
        pos_label="yes",
        max_iter=1,
        net_parameters={**net, "random_state": 0},
    ).values()
    groups = people.sensitive_features["gender"]
    pipeline = clone(pipeline).fit(people.data, y, classify__sensitive_features=groups)
    told = {}
    if getattr(pipeline[-1], "needs_groups_at_predict", False):
        told = {"sensitive_features": groups}
    decided = pipeline[-1].predict(pipeline[:-1].transform(people.data), **told)
    assert set(decided) <= {"yes", "no"}


def test_the_training_of_the_oracle_is_short_but_not_too_short():
    assert short_training(30_000) == {"warmup_epochs": 4, "max_epochs": 4}
    assert short_training(640) == {"warmup_epochs": 8, "max_epochs": 8}


def test_what_is_cut_short_is_told_of_the_methods_that_are_there():
    training = short_training(640)
    assert about_caps(["Reweighing"], 5, training) == {}
    (text,) = about_caps(["ExponentiatedGradient"], 7, training).values()
    assert "7 iterations" in text and "16 epochs" in text


def test_prototypes_get_features_of_like_scales():
    people = make_biased_classification(n_samples=200, random_state=0)
    (pipeline,) = standard_classifiers(methods=["prototypes"]).values()
    X = pipeline[:-1].fit_transform(people.data)
    assert np.allclose(X.std(axis=0), 1, atol=1e-5)


def test_what_exchanges_the_sensitive_columns_keeps_them():
    (pipeline,) = standard_classifiers(
        methods=["neuronfair_augmentation"], sensitive_columns="gender"
    ).values()
    assert pipeline.steps[0] == ("prepare", "passthrough")
    assert pipeline[-1].sensitive_columns == "gender"
    people = make_biased_classification(n_samples=50, random_state=0)
    prepared = pipeline[-1].estimator[:-1].fit(people.data)
    assert "gender_female" in prepared.get_feature_names_out()
    sentences = about_methods(["neuronfair_augmentation"], "equalized_odds")
    assert sentences[-1].startswith("NeuronFairAugmentation has the sensitive columns")


def test_names_choose_in_their_order():
    classifiers = standard_classifiers(methods=["reweighing", "runner"])
    assert list(classifiers) == ["Reweighing", "RunnerFairClassifier"]


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ("most", "no set of methods 'most'; pass 'quick', 'all' or a list of names ou"),
        (["runner", "magic"], "no method 'magic'; the methods are unmitigated, runner"),
        ([], "no name in the list of methods; the methods are unmitigated"),
    ],
)
def test_methods_that_there_are_not_are_refused(methods, expected):
    with pytest.raises(ValueError, match=f"standard_classifiers: there is {expected}"):
        standard_classifiers(methods=methods)


def test_a_method_that_cannot_take_the_constraint_says_so(monkeypatch):
    limited = METHODS["reject_option"].__class__(
        "Limited", METHODS["reject_option"].build, ("demographic_parity",)
    )
    monkeypatch.setitem(METHODS, "limited", limited)
    assert "limited" in choose_methods("all", "demographic_parity")
    assert "limited" not in choose_methods("all", "equalized_odds")
    expected = "'limited' cannot be held to 'equalized_odds', only to demographic_pari"
    with pytest.raises(ValueError, match=expected):
        choose_methods(["limited"], "equalized_odds")
    assert about_methods("all", "equalized_odds")[-1] == (
        "Limited is left out: it cannot be held to equalized_odds, only to "
        "demographic_parity."
    )


def test_methods_that_go_their_own_way_are_named():
    (sentence,) = about_methods(["runner", "reweighing"], "equalized_odds")
    assert sentence.startswith("Reweighing takes neither constraint nor bound: it goes")
    (sentence,) = about_methods(["oversampling", "reweighing"], "equalized_odds")
    assert sentence.startswith("Oversampling, Reweighing take neither")
    assert about_methods("quick", "equalized_odds") == []
