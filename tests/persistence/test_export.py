import json
import sys
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skfair_runner import RunnerFairClassifier, SensitiveColumns
from skfair_runner.modules import AlexNet
from skfair_runner.persistence import export_onnx
from skfair_runner.persistence.export import _quiet_exporter

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
reference = pytest.importorskip("onnx.reference")


def run(path, X):
    """Output of the graph, by ONNX's own interpreter."""
    session = reference.ReferenceEvaluator(onnx.load(path))
    (probabilities,) = session.run(["probabilities"], {"X": np.asarray(X, "float32")})
    return probabilities


def metadata(path):
    properties = onnx.load(path).metadata_props
    return {entry.key: json.loads(entry.value) for entry in properties}


def dimensions(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def test_two_classes_have_two_columns_for_any_number_of_rows(fitted, table, tmp_path):
    X = table[0]
    path = tmp_path / "model.onnx"
    export_onnx(fitted, path)
    for rows in (1, 2, len(X)):
        found = run(path, X[:rows])
        assert found.dtype == np.float32
        assert_allclose(found, fitted.predict_proba(X[:rows]), atol=1e-6)
    graph = onnx.load(path).graph
    assert [dimensions(value) for value in graph.input] == [["n", 3]]
    assert [dimensions(value) for value in graph.output] == [["n", 2]]
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.onnx"]
    assert metadata(path) == {"classes": [0, 1], "feature_names": list(X)}


@pytest.mark.filterwarnings("ignore::skfair_runner.utils.ConstantClassifierWarning")
def test_a_graph_of_images_takes_them_channels_first(tmp_path):
    X = np.random.default_rng(0).integers(0, 256, (24, 8, 9, 3), "uint8")
    y, groups = np.arange(24) % 2, np.arange(24) // 2 % 2
    clf = RunnerFairClassifier(
        module=AlexNet, module__small_images=True, module__width=2, random_state=0
    )
    clf.set_params(warmup_epochs=1, max_epochs=0).fit(X, y, sensitive_features=groups)
    path = tmp_path / "model.onnx"
    export_onnx(clf, path)
    found = run(path, X[:5].transpose(0, 3, 1, 2) / 255)
    assert_allclose(found, clf.predict_proba(X[:5]), atol=1e-5)


def test_three_classes_keep_their_order_and_the_opset_is_chosen(train, table, tmp_path):
    X, y, _ = table
    y = np.array(["b", "größer", "a"])[y + (X["b"] > 0.5)]
    clf = train(y=y)
    path = tmp_path / "model.onnx"
    export_onnx(clf, path, opset_version=18)
    assert_allclose(run(path, X), clf.predict_proba(X), atol=1e-6)
    assert metadata(path)["classes"] == ["a", "b", "größer"]
    assert onnx.load(path).opset_import[0].version == 18


class Probabilities(nn.Sequential):
    """A module with dropout and batch statistics that emits probabilities."""

    def __init__(self, n_features):
        super().__init__(
            nn.Linear(n_features, 4),
            nn.BatchNorm1d(4),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4, 1),
            nn.Sigmoid(),
        )


@pytest.mark.slow
def test_a_module_of_ones_own_behind_a_pipeline(train, table, tmp_path):
    X, y, _ = table
    clf = train(module=Probabilities)
    clf.net_.module_.train()
    scaler = StandardScaler().set_output(transform="pandas").fit(X)
    pipe = make_pipeline(scaler, clf)
    path = tmp_path / "model.onnx"
    export_onnx(pipe, path, classifier_only=True)
    assert clf.net_.module_.training
    assert_allclose(
        run(path, scaler.transform(X)), pipe.predict_proba(X), rtol=1e-5, atol=1e-6
    )


def test_steps_that_would_stay_outside_are_named(fitted, tmp_path):
    with pytest.raises(ValueError, match=r"only: \['StandardScaler'\] would stay out"):
        export_onnx(make_pipeline(StandardScaler(), fitted), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_sensitive_columns_stay_outside_too(fitted, tmp_path):
    model = SensitiveColumns(make_pipeline(StandardScaler(), fitted), "sex")
    model.estimator_ = model.estimator
    message = r"\[\"SensitiveColumns\('sex'\)\", 'StandardScaler'\]"
    with pytest.raises(ValueError, match=message):
        export_onnx(model, tmp_path / "model.onnx")


@pytest.mark.parametrize(
    "model",
    [RunnerFairClassifier(), SensitiveColumns(RunnerFairClassifier(), "sex")],
    ids=lambda model: type(model).__name__,
)
def test_an_unfitted_model_is_refused(tmp_path, model):
    with pytest.raises(NotFittedError, match=type(model).__name__):
        export_onnx(model, tmp_path / "model.onnx")


def test_an_absent_folder_is_told_before_the_export(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.onnx, "export", None)
    folder = tmp_path / "absent"
    with pytest.raises(FileNotFoundError, match=f"'{folder}' .* does not exist"):
        export_onnx(fitted, folder / "model.onnx")


def test_another_model_is_refused(tmp_path):
    with pytest.raises(TypeError, match="but got a LogisticRegression"):
        export_onnx(make_pipeline(LogisticRegression()), tmp_path / "model.onnx")


def test_a_graph_that_fails_the_check_is_not_written(fitted, tmp_path, monkeypatch):
    def fail(graph):
        raise onnx.checker.ValidationError("not today")

    monkeypatch.setattr(torch.onnx, "export", lambda *a, **k: Program())
    monkeypatch.setattr(onnx.checker, "check_model", fail)
    with pytest.raises(onnx.checker.ValidationError, match="not today"):
        export_onnx(fitted, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


class Program:
    """What torch's exporter returns."""

    model_proto = onnx.ModelProto()


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_an_absent_package_is_told(fitted, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    message = rf"export_onnx needs .*'{package}'.*skfair-runner\[onnx\]"
    with pytest.raises(ImportError, match=message):
        export_onnx(fitted, tmp_path / "model.onnx")


def test_other_warnings_are_not_silenced():
    with pytest.warns(FutureWarning, match="something else"), _quiet_exporter():
        warnings.warn("something else", FutureWarning, stacklevel=1)
