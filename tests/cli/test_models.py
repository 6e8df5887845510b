"""MODEL on the command line: which kinds there are, how each is fed, refused, kept."""

import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skfair_runner import (
    RunnerFairClassifier,
    SensitiveColumns,
    load,
    make_table_preprocessor,
    save,
)
from skfair_runner.cli.cases import CaseError, case_of_file
from skfair_runner.cli.models import read_model, target_of, write_model

pytest.importorskip("skops")


@pytest.fixture
def case(table):
    return case_of_file(table, target="hired", sensitive=["gender"], positive="yes")


@pytest.fixture
def numeric(numbers):
    return case_of_file(numbers, target="hired", sensitive=["gender"], positive="yes")


def _saved(model, tmp_path, name="model"):
    save(model, tmp_path / name)
    return tmp_path / name


def test_a_pipeline_prepares_the_table_for_its_network(pipeline, case):
    model = read_model(pipeline, case)
    expected = load(pipeline).predict_proba(case.X)
    assert np.array_equal(model.classifier.predict_proba(model.X), expected)
    assert not model.own_module


def test_a_model_that_takes_the_sensitive_columns_out_is_fed_without(
    case, net, tmp_path
):
    inner = make_pipeline(make_table_preprocessor(), clone(net))
    fitted = SensitiveColumns(inner, "gender").fit(case.X, case.y)
    model = read_model(_saved(fitted, tmp_path), case)
    expected = fitted.predict_proba(case.X)
    assert np.array_equal(model.classifier.predict_proba(model.X), expected)


def test_a_bare_classifier_is_fed_its_features_by_name(numeric, net, tmp_path):
    names = numeric.X.columns.drop("gender")[::-1]
    fitted = clone(net).fit(numeric.X[names], numeric.y)
    model = read_model(_saved(fitted, tmp_path, "model.zip"), numeric)
    assert model.X.columns.tolist() == names.tolist()


def test_a_classifier_that_reads_its_groups_from_the_table_is_fed_without(
    numeric, net, tmp_path
):
    fitted = clone(net).set_params(sensitive_columns="gender")
    fitted.fit(numeric.X, numeric.y)
    model = read_model(_saved(fitted, tmp_path), numeric)
    assert "gender" not in model.X
    (tmp_path / "out").mkdir()
    again = load(write_model(model, _retrained(model), tmp_path / "out"))
    assert again.sensitive_columns == "gender"
    assert again.predict(numeric.X).shape == numeric.y.shape


def test_a_model_without_names_is_fed_the_numeric_columns_in_order(
    numeric, net, tmp_path
):
    X = numeric.X.drop(columns="gender")
    scaled = make_pipeline(StandardScaler(), clone(net)).fit(X.to_numpy(), numeric.y)
    model = read_model(_saved(scaled, tmp_path), numeric)
    expected = StandardScaler().fit_transform(X).astype("float32")
    assert np.allclose(model.X, expected, atol=1e-5)


def test_a_module_is_fed_the_numeric_columns_in_order(numeric, own_module):
    model = read_model(own_module, numeric, module="nets:make_net")
    X = numeric.X.drop(columns="gender").to_numpy("float32")
    assert model.own_module
    assert np.array_equal(model.X, X)
    network = model.classifier.net_.module_
    logits = network(torch.from_numpy(X)).detach().numpy()[:, 0]
    assert np.array_equal(model.classifier.predict(X) == "yes", logits > 0)


def test_features_are_fed_in_the_order_that_was_asked_for(numeric, own_module):
    names = numeric.X.columns.drop("gender").tolist()[::-1]
    model = read_model(own_module, numeric, module="nets:make_net", features=names)
    assert np.array_equal(model.X, numeric.X[names].to_numpy("float32"))


def test_a_module_of_two_outputs_decides_by_the_larger(numeric, own_module):
    net = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 2))
    torch.save(net.state_dict(), own_module)
    model = read_model(own_module, numeric, module="nets:wider")
    decided = net(torch.from_numpy(model.X)).argmax(1).numpy()
    assert np.array_equal(model.classifier.predict(model.X) == "yes", decided == 1)


def test_probabilities_are_taken_as_such(numeric, own_module):
    with pytest.raises(CaseError, match="should emit probabilities, but among"):
        read_model(
            own_module,
            numeric,
            module="nets:make_net",
            module_output="probabilities",
        )


class Net(nn.Sequential):
    """A network of the user's in a saved classifier."""

    def __init__(self, n_features):
        super().__init__(nn.Linear(n_features, 4), nn.ReLU(), nn.Linear(4, 1))


def test_a_saved_classifier_of_the_users_module_needs_its_class(
    numeric, tmp_path, monkeypatch
):
    clf = RunnerFairClassifier(None, module=Net, max_epochs=1, random_state=0)
    X = numeric.X.drop(columns="gender")
    path = _saved(clf.set_params(warmup_epochs=1).fit(X, numeric.y), tmp_path)
    with pytest.raises(CaseError, match=r"pass module=.* takes no module: load and"):
        read_model(path, numeric, saved_only=True)
    with pytest.raises(CaseError, match=r"Here that is --module package.file:factory"):
        read_model(path, numeric)
    monkeypatch.setitem(sys.modules, "own_nets", sys.modules[__name__])
    model = read_model(path, numeric, module="own_nets:Net")
    assert isinstance(model.classifier.net_.module_, Net)
    repaired = _retrained(model)
    expected = repaired.predict_proba(model.X)
    (tmp_path / "out").mkdir()
    again = load(write_model(model, repaired, tmp_path / "out"), module=Net)
    assert np.array_equal(again.predict_proba(X), expected)
    assert again.module is Net


def test_labels_are_written_as_the_models(case, net, tmp_path):
    X, y = case.X[["experience"]], (case.y == "yes").astype(int)
    text = clone(net).fit(X, y.astype(str))
    path = _saved(text, tmp_path)
    coded = case.__class__(**{**vars(case), "y": y, "pos_label": 1})
    model = read_model(path, coded)
    assert model.case.y.tolist() == y.astype(str).tolist()
    assert model.case.pos_label == "1"
    with pytest.raises(CaseError, match="are no and yes, but the model decides") as e:
        read_model(path, case)
    assert e.value.option == "--target"


def test_there_has_to_be_a_model(case, tmp_path):
    with pytest.raises(CaseError, match=f"nor a folder at {tmp_path}/absent"):
        read_model(tmp_path / "absent", case)


def test_a_folder_of_something_else_is_refused(case, tmp_path):
    with pytest.raises(CaseError, match=f"{tmp_path} holds no model.json"):
        read_model(tmp_path, case)


def test_a_state_dict_needs_a_factory(case, own_module):
    with pytest.raises(CaseError, match="net.pt is not a model .* pass --module pack"):
        read_model(own_module, case)
    with pytest.raises(CaseError, match="net.pt is not a model .* not opened"):
        read_model(own_module, case, saved_only=True)


def test_text_is_not_fed_to_a_module(case, own_module):
    expected = "takes numbers, but the column 'education' of .* holds '.+': pass --fea"
    with pytest.raises(CaseError, match=expected):
        read_model(own_module, case, module="nets:make_net")


def test_missing_values_are_not_fed_to_a_module(numeric, own_module):
    numeric.X.loc[[2, 5], "experience"] = None
    with pytest.raises(CaseError, match="'experience' of .* no value in 2 rows: fill"):
        read_model(own_module, numeric, module="nets:make_net")


def test_unknown_features_are_refused(numeric, own_module):
    with pytest.raises(CaseError, match="has no column 'pay' to feed to the network"):
        read_model(own_module, numeric, module="nets:make_net", features=["pay"])


def test_features_are_for_networks_without_names(pipeline, case):
    with pytest.raises(CaseError, match="knows its features by name .experience, ski"):
        read_model(pipeline, case, features=["experience"])


def test_a_wrong_number_of_features_is_said(numeric, own_module):
    net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
    torch.save(net.state_dict(), own_module)
    with pytest.raises(
        CaseError, match=r"with the 6 columns experience, skill_test"
    ) as e:
        read_model(own_module, numeric, module="nets:fixed")
    assert "does not take X, of shape ('n', 6)" in str(e.value)


def test_a_table_without_the_models_columns_is_refused(pipeline, numeric):
    with pytest.raises(CaseError, match="cannot be fed to the model at .*education"):
        read_model(pipeline, numeric)


def test_text_in_a_numeric_column_is_refused(numeric, net, tmp_path):
    fitted = clone(net).fit(numeric.X[["experience"]], numeric.y)
    numeric.X["experience"] = "long"
    with pytest.raises(CaseError, match="could not convert string to float: 'long'"):
        read_model(_saved(fitted, tmp_path), numeric)


def _retrained(model):
    """The classifier around the network with every weight moved."""
    clf = RunnerFairClassifier(
        None, module=model.classifier.net_.module_, max_epochs=0, verbose=1
    )
    clf.fit(model.X, model.case.y)
    with torch.no_grad():
        for weight in clf.net_.module_.parameters():
            weight.add_(0.1)
    return clf


def test_a_pipeline_keeps_its_preprocessing_and_how_it_is_built(
    pipeline, case, tmp_path
):
    model = read_model(pipeline, case)
    repaired = _retrained(model)
    expected = repaired.predict_proba(model.X)
    path = write_model(model, repaired, tmp_path)
    again = load(path)
    assert path == tmp_path / "model"
    assert np.array_equal(again.predict_proba(case.X), expected)
    assert again[-1].module is None
    assert again[-1].hidden_layer_sizes == (8,)
    assert again[-1].verbose == 0
    assert not np.array_equal(load(pipeline).predict_proba(case.X), expected)


def test_a_zip_file_of_groups_and_pipeline_stays_one(case, net, tmp_path):
    inner = make_pipeline(make_table_preprocessor(), clone(net))
    fitted = SensitiveColumns(inner, "gender").fit(case.X, case.y)
    model = read_model(_saved(fitted, tmp_path, "model.zip"), case)
    repaired = _retrained(model)
    expected = repaired.predict_proba(model.X)
    (tmp_path / "out").mkdir()
    again = load(write_model(model, repaired, tmp_path / "out"))
    assert isinstance(again, SensitiveColumns)
    assert np.array_equal(again.predict_proba(case.X), expected)


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
def test_a_state_dict_comes_back_as_one(numeric, own_module, tmp_path, name):
    if name.endswith("safetensors"):
        weights = torch.load(own_module)
        pytest.importorskip("safetensors.torch").save_file(weights, name)
    model = read_model(own_module.with_name(name), numeric, module="nets:make_net")
    repaired = _retrained(model)
    (tmp_path / "out").mkdir()
    path = write_model(model, repaired, tmp_path / "out")
    assert path == tmp_path / "out" / name
    again = read_model(path, numeric, module="nets:make_net")
    expected = repaired.predict_proba(model.X)
    assert np.array_equal(again.classifier.predict_proba(again.X), expected)


def test_the_original_is_never_replaced(pipeline, own_module, tmp_path):
    for path, folder in [
        (pipeline, pipeline.parent),
        (pipeline, pipeline / "inside"),
        (own_module, own_module.parent),
    ]:
        with pytest.raises(CaseError, match=f"{folder} would put the repaired model"):
            target_of(path, folder)


def test_a_folder_is_not_replaced_by_a_file(own_module, pipeline, tmp_path):
    (tmp_path / "out" / "net.pt").mkdir(parents=True)
    (tmp_path / "out" / "model").write_text("")
    with pytest.raises(CaseError, match="out/net.pt is a folder, so the repaired"):
        target_of(own_module, tmp_path / "out")
    with pytest.raises(CaseError, match="out/model is a file, so the repaired"):
        target_of(pipeline, tmp_path / "out")


def test_another_folder_of_that_name_is_not_replaced(pipeline, case, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "notes.txt").write_text("mine")
    model = read_model(pipeline, case)
    with pytest.raises(CaseError, match="model holds 'notes.txt', which is not part"):
        write_model(model, _retrained(model), tmp_path)
