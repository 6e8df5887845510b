import copy
import json
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skfair_runner import (
    RunnerFairClassifier,
    SensitiveColumns,
    make_table_preprocessor,
)
from skfair_runner.modules import MLP
from skfair_runner.persistence import load, save

# The classifiers are trained for a moment only.
pytestmark = pytest.mark.filterwarnings(
    "ignore::skfair_runner.utils.ConstantClassifierWarning"
)


@pytest.fixture
def again(tmp_path):
    """Function that saves a model and loads it."""

    def again(model, name="model", **options):
        save(model, tmp_path / name)
        return load(tmp_path / name, **options)

    return again


def assert_same_classifier(found, clf, X):
    assert_array_equal(found._logits(X), clf._logits(X))
    assert_array_equal(found.predict_proba(X), clf.predict_proba(X))
    assert_array_equal(found.predict(X), clf.predict(X))
    assert found.classes_.dtype == clf.classes_.dtype
    assert_array_equal(found.classes_, clf.classes_)
    assert_frame_equal(found.history_, clf.history_)
    assert found.settings_ == clf.settings_
    assert found.n_features_in_ == clf.n_features_in_
    assert_array_equal(found.feature_names_in_, clf.feature_names_in_)
    assert found.feature_names_in_.dtype == object
    assert getattr(found, "groups_", None) == getattr(clf, "groups_", None)
    assert hasattr(found, "neuron_importance_") == hasattr(clf, "neuron_importance_")
    if hasattr(clf, "neuron_importance_"):
        assert_frame_equal(found.neuron_importance_, clf.neuron_importance_)
        assert list(found.selected_neurons_) == list(clf.selected_neurons_)
        for layer, neurons in clf.selected_neurons_.items():
            assert_array_equal(found.selected_neurons_[layer], neurons)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"constraint": None},
        {"constraint": "equalized_odds", "sampling": "group"},
        {"difference_bound": None, "output_weight": 0.5, "top_k": 2},
        {"early_stopping": True, "repair": "scores", "importance": "weight"},
        {"module": MLP, "module__hidden_layer_sizes": (6,), "optimizer": "sgd"},
        {"optimizer": torch.optim.Adam, "optimizer__betas": (0.8, 0.9)},
        {"module__edges": [[0, 1], [0, 1, 2], []], "lr": np.float64(0.01)},
        {"criterion__pos_weight": torch.tensor([2.0]), "device": torch.device("cpu")},
    ],
    ids=lambda parameters: ", ".join(parameters) or "defaults",
)
def test_a_classifier_is_the_same_after_loading(again, train, table, parameters):
    clf = train(**parameters)
    found = again(clf, "model")
    assert_same_classifier(found, clf, table[0])
    found = again(found, "model.zip")
    assert_same_classifier(found, clf, table[0])
    expected, params = clf.get_params(), found.get_params()
    assert params.keys() == expected.keys()
    assert {k: str(v) for k, v in params.items()} == {
        k: str(v) for k, v in expected.items()
    }


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["nein", "größer"]),
        np.array(["no", "yes"], dtype=object),
        np.array([-1, 1], dtype=np.int8),
        np.array([2, 3], dtype=np.float32),
        np.array([False, True]),
        np.array(["b", "c", "a"]),
    ],
    ids=lambda labels: f"{len(labels)} of {labels.dtype}",
)
def test_labels_keep_their_type(again, train, table, labels):
    X, y, _ = table
    y = labels[y + (X["b"] > 0.5) if len(labels) == 3 else y]
    clf = train(y=y)
    assert_same_classifier(again(clf), clf, X)


@pytest.mark.parametrize("kind", ["unicode", "crossed", "numbers", "intervals"])
def test_groups_keep_their_names(again, train, table, kind):
    X, _, groups = table
    old = np.where(X["b"] > 0, "alt", "jung")
    groups = {
        "unicode": np.where(groups == "f", "зелёный", "größer"),
        "crossed": pd.DataFrame({"sex": groups, "age": old, "n": groups == "f"}),
        "numbers": (groups == "f") + 0.5,
        "intervals": pd.cut(X["b"], [-9, 0, 9]),
    }[kind]
    clf = train(groups=groups)
    found = again(clf)
    assert_same_classifier(found, clf, X)
    assert [type(name) for name in found.groups_] == [type(n) for n in clf.groups_]
    found.partial_fit(X, table[1], sensitive_features=groups)


def continued(clf, table):
    X, y, groups = table
    return clf.partial_fit(X, y, sensitive_features=groups)


def without_memory(clf):
    """The classifier with a new optimizer, as it comes out of a file."""
    clf = copy.deepcopy(clf)
    clf.net_.initialize_optimizer()
    return clf


@pytest.mark.parametrize(
    "parameters", [{}, {"constraint": None}, {"sampling": "group_label"}], ids=str
)
def test_partial_fit_goes_on_as_without_saving(again, train, table, parameters):
    """Controller, history (and so the seeds) and diagnosis are taken up."""
    clf = train(**parameters)
    found = continued(again(clf), table)
    assert_same_timeless(found, continued(without_memory(clf), table), table[0])
    assert len(found.history_) == 5


def test_warm_start_goes_on_as_without_saving(again, train, table):
    X, y, groups = table
    clf = train(warm_start=True)
    found = again(clf).fit(X, y, sensitive_features=groups)
    clf.fit(X, y, sensitive_features=groups)
    assert_same_timeless(found, clf, X)


def test_fitting_anew_gives_the_same(again, fitted, table):
    X, y, groups = table
    found = again(fitted).fit(X, y, sensitive_features=groups)
    assert_same_timeless(found, fitted, X)


def assert_same_timeless(found, clf, X):
    """The same but for the seconds in the history."""
    assert_frame_equal(
        found.history_.drop(columns="dur"), clf.history_.drop(columns="dur")
    )
    assert_array_equal(found._logits(X), clf._logits(X))
    if hasattr(clf, "neuron_importance_"):
        assert_frame_equal(found.neuron_importance_, clf.neuron_importance_)


def test_loading_leaves_the_global_generators_alone(again, fitted):
    torch.manual_seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    again(fitted)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert_array_equal(np.random.get_state()[1], before[1])


@pytest.fixture(scope="module")
def mixed(table):
    """The table with a column of words and the sensitive one."""
    X, y, groups = table
    X = X.assign(job=np.where(X["a"] > 0, "nurse", "clerk"), sex=groups)
    X.loc[3, "größe"] = np.nan
    return X, y


def short_classifier():
    return RunnerFairClassifier(
        hidden_layer_sizes=(8,),
        warmup_epochs=2,
        max_epochs=1,
        batch_size=24,
        lr=0.03,
        random_state=0,
    )


def test_a_pipeline_is_the_same_after_loading(again, mixed):
    X, y = mixed
    pipe = Pipeline(
        [
            (
                "prepare",
                ColumnTransformer(
                    [
                        ("words", OneHotEncoder(), ["job"]),
                        ("numbers", StandardScaler(), ["a", "b"]),
                    ]
                ),
            ),
            ("nothing", "passthrough"),
            ("clf", short_classifier()),
        ],
        memory=None,
        verbose=False,
    )
    pipe.fit(X, y, clf__sensitive_features=X["sex"])
    found = again(pipe)
    assert_array_equal(found.predict_proba(X), pipe.predict_proba(X))
    assert [step for step, _ in found.steps] == ["prepare", "nothing", "clf"]
    assert_array_equal(found.feature_names_in_, X.columns)
    again(found, "again.zip")
    found.fit(X, y, clf__sensitive_features=X["sex"])
    assert_array_equal(found.predict_proba(X), pipe.predict_proba(X))


def test_our_own_preprocessor_needs_no_trust(again, mixed):
    X, y = mixed
    model = SensitiveColumns(
        make_pipeline(make_table_preprocessor(), short_classifier()), "sex"
    ).fit(X, y)
    found = again(model)
    for features in (X, X.drop(columns="sex")):
        assert_array_equal(found.predict_proba(features), model.predict_proba(features))
    assert (found.columns, found.drop) == ("sex", True)
    assert_array_equal(found.columns_, model.columns_)
    assert_array_equal(found.feature_names_in_, X.columns)
    assert found.n_features_in_ == 5
    found.fit(X, y)
    assert_array_equal(found.predict_proba(X), model.predict_proba(X))


def test_sensitive_columns_inside_a_pipeline(again, mixed):
    X, y = mixed
    X = X[["a", "b", "sex"]].assign(sex=(X["sex"] == "f").astype(float))
    model = make_pipeline(
        FunctionTransformer(), SensitiveColumns(short_classifier(), [2], drop=False)
    ).fit(X.to_numpy(), y)
    found = again(model)
    assert_array_equal(
        found.predict_proba(X.to_numpy()), model.predict_proba(X.to_numpy())
    )
    assert found[-1].columns == [2]
    assert not hasattr(found[-1], "feature_names_in_")


def test_the_files_are_json_safetensors_and_skops(mixed, tmp_path):
    X, y = mixed
    pipe = make_pipeline(StandardScaler(), short_classifier())
    pipe.fit(X[["a", "b"]], y, runnerfairclassifier__sensitive_features=X["sex"])
    save(pipe, tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        names = archive.namelist()
        document = json.loads(archive.read("model.json"))
    assert sorted(names) == ["model.json", "step_0.skops", "weights.safetensors"]
    assert (document["format"], document["format_version"]) == (
        "skfair-runner model",
        1,
    )
    assert {"skfair-runner", "torch", "scikit-learn"} <= document["packages"].keys()
    assert document["model"]["kind"] == "Pipeline"


class Derived(RunnerFairClassifier):
    pass


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LogisticRegression(), r"but got a LogisticRegression\."),
        (Derived(), r"but got a Derived\."),
        (make_pipeline(StandardScaler(), LogisticRegression()), "a LogisticRegression"),
        ("model", "but got a str"),
    ],
    ids=["another", "subclass", "pipeline", "string"],
)
def test_other_models_are_refused(tmp_path, model, message):
    with pytest.raises(TypeError, match=message):
        save(model, tmp_path / "model")


def test_a_search_is_told_what_to_save(fitted, tmp_path):
    search = GridSearchCV(RunnerFairClassifier(), {"alpha": [0]})
    search.best_estimator_ = fitted
    with pytest.raises(TypeError, match="pass the best_estimator_ of the GridSearchCV"):
        save(search, tmp_path / "model")


@pytest.mark.parametrize(
    "model",
    [
        RunnerFairClassifier(),
        SensitiveColumns(RunnerFairClassifier(), "sex"),
        make_pipeline(RunnerFairClassifier()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_an_unfitted_model_is_refused(tmp_path, model):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        save(model, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_step_with_a_nameless_function_is_refused(fitted, tmp_path):
    step = FunctionTransformer(lambda X: X)
    with pytest.raises(TypeError, match=r"'transformer' holds '.*<lambda>'"):
        save(Pipeline([("transformer", step), ("clf", fitted)]), tmp_path / "model")


def test_a_step_that_skops_cannot_write_is_refused(fitted, tmp_path):
    step = FunctionTransformer(kw_args={"rows": (row for row in [1])})
    with pytest.raises(TypeError, match="cannot write the step 'rows'.*generator"):
        save(Pipeline([("rows", step), ("clf", fitted)]), tmp_path / "model")


class Absence:
    """Finder that finds a package nowhere."""

    def __init__(self, package):
        self.package = package

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=self.package)


@pytest.mark.parametrize("package", ["safetensors", "skops"])
def test_an_absent_package_is_told(fitted, tmp_path, monkeypatch, package):
    pipe = make_pipeline(StandardScaler(), fitted)
    save(pipe, tmp_path / "model")
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absence(package), *sys.meta_path])
    message = rf"needs the package '{package}'.*pip install skfair-runner\[safe\]"
    with pytest.raises(ImportError, match="^save " + message):
        save(pipe, tmp_path / "again")
    with pytest.raises(ImportError, match="^load " + message):
        load(tmp_path / "model")
