import functools
import io
import json
import os
import pickle
import shutil
import zipfile

import numpy as np
import pytest
import skops.io
import torch
from numpy.testing import assert_array_equal
from safetensors.torch import save as to_bytes
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_selector
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch.callbacks import Callback
from torch import nn

from skfair_runner import make_table_preprocessor
from skfair_runner.persistence import load, save
from skfair_runner.persistence.loading import _SAFE_TYPES

pytestmark = pytest.mark.filterwarnings(
    "ignore::skfair_runner.utils.ConstantClassifierWarning"
)

SYSTEM = f"{os.system.__module__}:system"


def mean_gap(y_true, y_score, groups):
    return (y_score[groups == 0].mean() - y_score[groups == 1].mean()).abs()


def by_activation(diagnosis):
    return {name: h.abs().mean(0) for name, h in diagnosis.activations.items()}


def mean_distance(values, groups, weights):
    return (values[groups == 0].mean(0) - values[groups == 1].mean(0)).abs()


def double(X):
    return 2 * X


class Doubler(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return 2 * X


class MySGD(torch.optim.SGD):
    pass


@pytest.fixture
def saved(fitted, tmp_path):
    """Folder of a model, to be tampered with."""
    save(fitted, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def saved_pipeline(fitted, table, tmp_path):
    """Folder of a pipeline with a step that skops wrote."""
    scaler = StandardScaler().set_output(transform="pandas").fit(table[0])
    save(make_pipeline(scaler, fitted), tmp_path / "model")
    return tmp_path / "model"


def edit(folder, change):
    """Change model.json in place."""
    document = json.loads((folder / "model.json").read_text())
    change(document)
    (folder / "model.json").write_text(json.dumps(document))


# Functions and objects among the parameters


def test_functions_are_restored_only_when_they_are_passed(train, table, tmp_path):
    X, y, groups = table
    functions = {
        "constraint": mean_gap,
        "importance": by_activation,
        "distance": mean_distance,
    }
    clf = train(**functions, difference_bound=None, output_weight=0.3)
    save(clf, tmp_path / "model")

    found = load(tmp_path / "model", trusted=list(functions.values()))
    assert {name: getattr(found, name) for name in functions} == functions
    found.fit(X, y, sensitive_features=groups)
    assert_array_equal(found.predict_proba(X), clf.predict_proba(X))

    found = load(tmp_path / "model")
    assert_array_equal(found.predict_proba(X), clf.predict_proba(X))
    assert f"<{__name__}:mean_gap, not restored" in repr(found.constraint)
    for missing in ("mean_gap", "by_activation", "mean_distance"):
        with pytest.raises(ValueError, match=f"without '{__name__}:{missing}'"):
            found.fit(X, y, sensitive_features=groups)
        parameter = {f.__name__: name for name, f in functions.items()}[missing]
        found.set_params(**{parameter: functions[parameter]})
    found.fit(X, y, sensitive_features=groups)
    assert_array_equal(found.predict_proba(X), clf.predict_proba(X))


def test_partial_fit_refuses_without_its_functions_too(train, table, tmp_path):
    X, y, groups = table
    save(train(distance=mean_distance), tmp_path / "model")
    with pytest.raises(ValueError, match=f"without '{__name__}:mean_distance'"):
        load(tmp_path / "model").partial_fit(X, y, sensitive_features=groups)
    found = load(tmp_path / "model", trusted=[mean_distance])
    found.partial_fit(X, y, sensitive_features=groups)


def test_a_dict_gives_an_object_the_name_it_has_in_the_file(train, tmp_path):
    distance = functools.partial(mean_distance)
    save(train(distance=distance), tmp_path / "model")
    found = load(tmp_path / "model", trusted={"functools:partial()": distance})
    assert found.distance is distance


def test_a_model_that_lacks_functions_can_be_saved_and_cloned(train, tmp_path):
    save(train(distance=mean_distance), tmp_path / "model")
    save(load(tmp_path / "model"), tmp_path / "again")
    clone(load(tmp_path / "again"))
    assert load(tmp_path / "again", trusted=[mean_distance]).distance is mean_distance


class Stop(Callback):
    def on_epoch_end(self, net, **kwargs):
        net.stopped_ = True


def test_callbacks_are_not_needed_to_predict_but_to_train(train, table, tmp_path):
    X, y, groups = table
    clf = train(callbacks=[("stop", Stop()), Stop()])
    save(clf, tmp_path / "model")
    found = load(tmp_path / "model")
    assert_array_equal(found.predict_proba(X), clf.predict_proba(X))
    for method in (found.fit, found.partial_fit):
        with pytest.raises(ValueError, match=rf"without '{__name__}:Stop\(\)'"):
            method(X, y, sensitive_features=groups)
    found = load(tmp_path / "model", trusted={f"{__name__}:Stop()": Stop()})
    assert found.partial_fit(X, y, sensitive_features=groups).net_.stopped_


def test_a_random_state_has_to_be_set_anew(train, table, tmp_path):
    X, y, groups = table
    save(train(random_state=np.random.RandomState(0)), tmp_path / "model")
    found = load(tmp_path / "model")
    with pytest.raises(ValueError, match="'random_state' parameter.*not restored"):
        found.fit(X, y, sensitive_features=groups)
    found.set_params(random_state=0).fit(X, y, sensitive_features=groups)


def test_an_optimizer_of_ones_own_has_to_be_passed(train, table, tmp_path):
    save(train(optimizer=MySGD), tmp_path / "model")
    message = f"'optimizer' holds '{__name__}:MySGD'.*trusted="
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "model")
    found = load(tmp_path / "model", trusted=[MySGD])
    assert isinstance(found.net_.optimizer_, MySGD)


# The device


def test_an_absent_device_is_told_and_can_be_replaced(saved, fitted, table):
    def on_another(document):
        document["model"]["parameters"]["device"] = "cuda:99"

    edit(saved, on_another)
    with pytest.raises(ValueError, match="device 'cuda:99' is not available"):
        load(saved)
    found = load(saved, device="cpu")
    assert found.device == "cpu"
    assert_array_equal(found.predict_proba(table[0]), fitted.predict_proba(table[0]))


# Steps of a pipeline


def test_unknown_types_of_a_step_are_listed(fitted, table, tmp_path):
    X = table[0]
    pipe = make_pipeline(Doubler().fit(X), FunctionTransformer(double), fitted)
    save(pipe, tmp_path / "model.zip")
    message = rf"step 'doubler' needs types .* \['{__name__}\.Doubler'\]"
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "model.zip")
    with pytest.raises(ValueError, match=rf"transformer' .* \['{__name__}\.double'\]"):
        load(tmp_path / "model.zip", trusted=[Doubler])
    trusted = [f"{__name__}.Doubler", double]
    for allowed in (trusted, [Doubler, double], {"a": Doubler, "b": double}):
        found = load(tmp_path / "model.zip", trusted=allowed)
        assert_array_equal(found.predict_proba(X), pipe.predict_proba(X))


@pytest.mark.parametrize("content", [b"not a zip", pickle.dumps([1])])
def test_a_broken_step_is_told_with_the_versions(saved_pipeline, content):
    (saved_pipeline / "step_0.skops").write_bytes(content)
    message = "step 'standardscaler' cannot be rebuilt .BadZipFile.*'scikit-learn': "
    with pytest.raises(ValueError, match=message):
        load(saved_pipeline)


@pytest.mark.parametrize(
    "file", ["../../secret.skops", "/etc/passwd", "weights.safetensors", ["x"]]
)
def test_a_step_in_a_file_of_another_name_is_refused(saved_pipeline, file):
    def elsewhere(document):
        document["model"]["steps"][0][1]["file"] = file

    edit(saved_pipeline, elsewhere)
    with pytest.raises(ValueError, match="'standardscaler' is in the file") as caught:
        load(saved_pipeline)
    assert repr(str(file)) in str(caught.value)


# Damage


def test_a_newer_format_is_told(saved):
    edit(saved, lambda d: d.update(format_version=9, packages={"skfair-runner": "9.1"}))
    message = r"model has format version 9, written by skfair-runner 9\.1; .* up to 1"
    with pytest.raises(ValueError, match=message):
        load(saved)


@pytest.mark.parametrize("content", ["{", "[" * 100_000, "\udcff"])
def test_a_document_that_is_not_json_is_told(saved, content):
    (saved / "model.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=r"model\.json in .*model is not JSON"):
        load(saved)


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": "another"}'])
def test_a_document_of_another_program_is_told(saved, content):
    (saved / "model.json").write_text(content)
    with pytest.raises(ValueError, match=r"in .*model does not say that it is a 'skf"):
        load(saved)


def test_damaged_weights_are_told(saved):
    (saved / "weights.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"safetensors in .*model is damaged"):
        load(saved)


def test_weights_of_another_network_are_told(saved):
    (saved / "weights.safetensors").write_bytes(to_bytes({"module.w": torch.ones(1)}))
    with pytest.raises(ValueError, match="(?s)not fit the network 'skfair.*Missing"):
        load(saved)


def test_an_unknown_kind_is_told(saved):
    edit(saved, lambda document: document["model"].update(kind="Forest"))
    with pytest.raises(ValueError, match="of the kind 'Forest'"):
        load(saved)


def test_whatever_is_missing_is_told_as_damage(saved):
    record = json.loads((saved / "model.json").read_text())["model"]
    for key in record:

        def without(document, key=key):
            del document["model"][key]

        original = (saved / "model.json").read_text()
        edit(saved, without)
        with pytest.raises(ValueError, match=f"damaged.*KeyError: '{key}'"):
            load(saved)
        (saved / "model.json").write_text(original)


@pytest.mark.parametrize("key", ["packages", "format_version", "model"])
def test_whatever_is_missing_around_the_model_is_told_as_damage(saved, key):
    edit(saved, lambda document: document.pop(key))
    with pytest.raises(ValueError, match=f"damaged.*KeyError: '{key}'"):
        load(saved)


def test_an_unknown_parameter_is_told(saved):
    edit(saved, lambda document: document["model"]["parameters"].update(magic=1))
    with pytest.raises(ValueError, match="damaged.*no parameter 'magic'"):
        load(saved)


# Nothing from a file is executed


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """Command whose execution would leave a file, and check that it did not."""
    witness = tmp_path / "witness"

    class Trap:
        command = f"touch {witness}"

        def __reduce__(self):
            return os.system, (self.command,)

    yield Trap()
    assert not witness.exists()


def test_the_trap_works(tmp_path):
    """The tests below would pass with a trap that never springs, too."""

    class Trap:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'witness'}",)

    pickle.loads(pickle.dumps(Trap()))
    assert (tmp_path / "witness").exists()


def test_a_module_class_is_not_imported(saved, trap):
    def evil(document):
        document["model"]["module"] = {
            "class": SYSTEM,
            "arguments": [trap.command],
        }
        document["model"]["parameters"]["module"] = {"$named": SYSTEM}
        document["model"]["parameters"]["module__command"] = trap.command

    edit(saved, evil)
    with pytest.raises(ValueError, match=f"the network is a '{SYSTEM}'"):
        load(saved)
    with pytest.raises(TypeError, match=f"is a '{SYSTEM}', but"):
        load(saved, module=nn.Sequential())


@pytest.mark.parametrize(
    "parameter", ["constraint", "importance", "distance", "callbacks", "random_state"]
)
def test_a_named_function_is_not_imported(saved, trap, table, parameter):
    X, y, groups = table
    value = {"$named": SYSTEM}

    def evil(document):
        parameters = document["model"]["parameters"]
        parameters[parameter] = [value] if parameter == "callbacks" else value
        parameters["difference_bound"] = None

    edit(saved, evil)
    found = load(saved)
    found.predict(X)
    with pytest.raises(ValueError, match=f"{SYSTEM}|callbacks|random_state"):
        found.fit(X, y, sensitive_features=groups)


@pytest.mark.parametrize(
    "parameter", ["optimizer", "criterion__reduction", "iterator_train__sampling"]
)
def test_what_the_net_would_call_at_once_is_refused(saved, trap, parameter):
    def evil(document):
        document["model"]["parameters"][parameter] = {"$named": SYSTEM}

    edit(saved, evil)
    with pytest.raises(ValueError, match=f"'{parameter}' holds '{SYSTEM}'"):
        load(saved)


def test_a_module_that_a_file_names_is_not_imported(saved, tmp_path, monkeypatch):
    """Importing runs a module's code, even where nothing of it is called."""
    witness = tmp_path / "imported"
    (tmp_path / "evil.py").write_text(f"open({str(witness)!r}, 'w')\nReLU = 1\n")
    monkeypatch.syspath_prepend(tmp_path)

    def evil(document):
        document["model"]["parameters"]["importance"] = {"$named": "evil:ReLU"}
        document["model"]["parameters"]["module__act"] = {"$named": "evil:ReLU"}

    edit(saved, evil)
    load(saved)
    assert not witness.exists()


@pytest.mark.parametrize("where", ["model.json", "weights.safetensors"])
def test_a_pickle_in_place_of_a_file_is_not_loaded(saved, trap, where):
    (saved / where).write_bytes(pickle.dumps(trap))
    with pytest.raises(ValueError, match=f"{where} in .*(damaged|not JSON)"):
        load(saved)


def test_weights_of_torch_save_are_not_loaded(saved, trap):
    torch.save(trap, saved / "weights.safetensors")
    with pytest.raises(ValueError, match=r"weights\.safetensors in .*damaged"):
        load(saved)


@pytest.mark.parametrize("name", ["model.pkl", "model.zip", "model.pt"])
def test_a_pickle_given_by_mistake_is_not_loaded(tmp_path, trap, name):
    if name == "model.pt":
        torch.save(trap, tmp_path / name)
    else:
        (tmp_path / name).write_bytes(pickle.dumps(trap))
    with pytest.raises(ValueError, match="pickle"):
        load(tmp_path / name)


def test_a_function_in_a_step_is_not_called(fitted, table, tmp_path, trap):
    step = FunctionTransformer(os.system)
    save(make_pipeline(step, fitted), tmp_path / "model")
    message = rf"needs types that are not trusted: \['{os.system.__module__}\.system'\]"
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "model")


def rewrite_step(folder, change):
    """Change the schema and the arrays of a step in place."""
    source = zipfile.ZipFile(folder / "step_0.skops")
    files = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(files["schema.json"])
    change(schema, files)
    files["schema.json"] = json.dumps(schema).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    (folder / "step_0.skops").write_bytes(buffer.getvalue())


def test_a_pickle_inside_an_array_of_a_step_is_not_loaded(saved_pipeline, trap):
    array = np.array([trap], dtype=object)
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)

    def evil(schema, files):
        for name in files:
            if name.endswith(".npy"):
                files[name] = buffer.getvalue()

    rewrite_step(saved_pipeline, evil)
    with pytest.raises(ValueError, match="cannot be rebuilt .*allow_pickle=False"):
        load(saved_pipeline)


@pytest.mark.parametrize("loader", ["ObjectNode", "FunctionNode", "TypeNode"])
def test_a_type_that_a_step_names_is_not_imported(saved_pipeline, trap, loader):
    evil_node = {"__class__": "system", "__module__": "os", "__loader__": loader}
    evil_node["content"] = None
    evil_node["__reduce__"] = {}

    def evil(schema, files):
        schema["content"]["content"]["with_mean"] = evil_node

    rewrite_step(saved_pipeline, evil)
    with pytest.raises(ValueError, match=r"\['os\.system'\]|cannot be rebuilt"):
        load(saved_pipeline)


def test_names_out_of_the_folder_write_nothing(saved, tmp_path):
    path = tmp_path / "inner" / "model.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for file in saved.iterdir():
            archive.write(file, file.name)
        archive.writestr("../evil.py", "raise SystemExit")
    with pytest.raises(ValueError, match=r"'\.\./evil\.py'"):
        load(path)
    assert not (tmp_path / "evil.py").exists()


def test_neither_pickle_nor_torch_load_is_used(saved_pipeline, table, monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("a pickle was read")

    for place, name in (
        (pickle, "loads"),
        (pickle, "load"),
        (pickle, "Unpickler"),
        (torch, "load"),
    ):
        monkeypatch.setattr(place, name, fail)
    shutil.copytree(saved_pipeline, saved_pipeline.with_name("copy"))
    load(saved_pipeline.with_name("copy")).predict(table[0])


def test_the_list_of_safe_types_names_what_exists():
    X = np.array([[1.0], [2.0], [np.nan]])
    content = skops.io.dumps(make_table_preprocessor().fit(X))
    found = set(skops.io.get_untrusted_types(data=content))
    assert found <= set(_SAFE_TYPES)
    assert f"{make_column_selector.__module__}.make_column_selector" in _SAFE_TYPES
    assert len(_SAFE_TYPES) == 5
