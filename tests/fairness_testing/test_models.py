"""One interface for pipelines, classifiers and modules."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

from skfair_runner import (
    RunnerFairClassifier,
    SensitiveColumns,
    make_table_preprocessor,
)
from skfair_runner.fairness_testing import Space
from skfair_runner.fairness_testing._models import BlackBox, Differentiable, adapt

SHORT = {"warmup_epochs": 1, "max_epochs": 1, "random_state": 0}


@pytest.fixture
def labels(people):
    return np.where(people["age"] + 10 * (people["sex"] == "m") > 45, "yes", "no")


def _adapt(model, space, needs_gradients=True):
    rng = np.random.default_rng(0)
    return adapt(model, space, needs_gradients=needs_gradients, rng=rng, caller="EIDIG")


def _classifier(**parameters):
    return RunnerFairClassifier(None, **SHORT, **parameters)


@pytest.mark.parametrize("kind", ["pipeline", "columns", "meta", "multiclass"])
def test_the_fast_way_decides_as_the_model_does(people, labels, kind):
    sensitive = people["sex"]
    if kind == "columns":
        people = people.select_dtypes("number").assign(sex=sensitive)
        model = _classifier(sensitive_columns="sex").fit(people, labels)
    elif kind == "meta":
        inner = make_pipeline(make_table_preprocessor(), _classifier())
        model = SensitiveColumns(inner, "sex").fit(people, labels)
    else:
        if kind == "multiclass":
            labels = np.where(people["owner"], "maybe", labels)
        model = make_pipeline(make_table_preprocessor(), _classifier())
        model.fit(people, labels)
    space = Space.from_data(people, sensitive_features="sex")
    adapter = _adapt(model, space)
    assert isinstance(adapter, Differentiable)
    codes = np.random.default_rng(1).integers(0, space.sizes, (400, len(space.sizes)))
    X = space.decode(codes)
    decisions, scores = adapter.decide(codes)
    np.testing.assert_array_equal(model.classes_[decisions], model.predict(X))
    assert_allclose(scores, model.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("n_outputs", [1, 2, 3])
def test_a_module_is_read_by_the_columns_that_it_emits(n_outputs):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, n_outputs))
    X = np.random.default_rng(0).integers(0, 5, (50, 3))
    X[:, 2] %= 2
    space = Space.from_data(X, sensitive_features=2)
    codes = space.encode(X)
    with torch.no_grad():
        output = net(torch.from_numpy(X.astype(np.float32))).numpy()
    expected = output.argmax(1) if n_outputs > 1 else (output[:, 0] > 0).astype(int)
    np.testing.assert_array_equal(_adapt(net, space).decide(codes)[0], expected)
    np.testing.assert_array_equal(BlackBox(net, space).predict(X), expected)
    assert BlackBox(net, space).predict_proba(X).shape == (50, max(2, n_outputs))


def test_gradients_are_those_of_autograd_and_zero_where_they_are_no_numbers():
    net = nn.Linear(2, 1)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[2.0, 3.0]]))
    X = np.array([[0, 0], [4, 1]], dtype=np.float32)
    space = Space.from_data(X, sensitive_features=1)
    adapter, codes = _adapt(net, space), np.array([[1, 0], [2, 1]])
    gradients = adapter.gradients(codes, lambda z: adapter.logits(z)[:, 0])
    assert_allclose(gradients, [[2, 3], [2, 3]])
    nothing = adapter.gradients(codes, lambda z: (z.sum(1) * 0).sqrt())
    assert (nothing == 0).all()


def test_labels_of_a_black_box_keep_their_numbers(people, labels):
    model = make_pipeline(make_table_preprocessor(), LogisticRegression(max_iter=500))
    model.fit(people, labels)
    space = Space.from_data(people, sensitive_features="sex")
    adapter, codes = _adapt(model, space, needs_gradients=False), space.encode(people)
    assert type(adapter) is BlackBox
    whole, _ = adapter.decide(codes)
    parts = [adapter.decide(part)[0] for part in np.split(codes, 50)[::-1]]
    np.testing.assert_array_equal(np.concatenate(parts[::-1]), whole)


def test_models_without_gradients_are_told_what_to_do(people, labels):
    space = Space.from_data(people, sensitive_features="sex")
    forest = LogisticRegression()
    with pytest.raises(TypeError, match="EIDIG .* a LogisticRegression does not"):
        _adapt(forest, space)
    with pytest.raises(TypeError, match="LinearRegression predicts numbers"):
        _adapt(LinearRegression(), space)
    with pytest.raises(TypeError, match="got str"):
        _adapt("model", space)
    with pytest.raises(TypeError, match="got LogisticRegression: pass a fitted"):
        _adapt(LogisticRegression, space)


def test_preprocessing_that_mixes_columns_is_a_black_box(people, labels):
    mixing = make_pipeline(
        make_table_preprocessor(), TruncatedSVD(3, random_state=0), _classifier()
    ).fit(people, labels)
    space = Space.from_data(people, sensitive_features="sex")
    assert type(_adapt(mixing, space, needs_gradients=False)) is BlackBox
    with pytest.raises(ValueError, match="depends on both 'age' and 'school'"):
        _adapt(mixing, space)


def test_a_module_is_not_given_words():
    X = pd.DataFrame({"job": ["a", "b"], "sex": [0, 1]})
    space = Space.from_data(X, sensitive_features="sex")
    with pytest.raises(TypeError, match="takes numbers, but .* string to float: 'a'"):
        _adapt(nn.Linear(2, 1), space)
