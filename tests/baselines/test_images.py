"""Images through the baselines: those that read no column leave them to the net."""

import io
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from torch import nn

from skfair_runner import RunnerFairClassifier, RunnerFrontier
from skfair_runner.baselines import (
    AdversarialDebiasingClassifier,
    CorrelationRemoverClassifier,
    ExponentiatedGradientClassifier,
    FADClassifier,
    FaireClassifier,
    FairlearnAdversarialClassifier,
    FairNeuronClassifier,
    FairSMOTEClassifier,
    GapRegularisationClassifier,
    GridSearchReductionClassifier,
    NeuFairClassifier,
    NeuronFairAugmentationClassifier,
    OversamplingClassifier,
    PrototypeRepresentationClassifier,
    RejectOptionClassifier,
    ReweighingClassifier,
    ThresholdOptimizerClassifier,
    UnmitigatedClassifier,
)
from skfair_runner.datasets import make_biased_digits
from skfair_runner.frontier._held_out import hold_out
from skfair_runner.images import LazyImages, read_images

pytestmark = [
    pytest.mark.filterwarnings(f"ignore::skfair_runner.utils.{name}")
    # Few epochs on few images, and a grid of two points.
    for name in ("ConstantClassifierWarning", "SkfairRunnerWarning")
]

# Images that the net looks at to see what its module emits.
PROBED = 2


class SmallNet(nn.Module):
    """One convolution."""

    def __init__(self, n_channels, n_outputs, image_size=None):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(n_channels, 6, 3), nn.ReLU()
        self.output = nn.Linear(6, n_outputs)

    def forward(self, x):
        return self.output(self.relu(self.conv(x)).mean((2, 3)))


def flat_net():
    """Perceptron of the pixels."""
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 1))


def plain(module):
    return RunnerFairClassifier(None, module=module, warmup_epochs=1, max_epochs=1)


TAKE_ANY_MODULE = [
    UnmitigatedClassifier,
    OversamplingClassifier,
    ReweighingClassifier,
    RejectOptionClassifier,
    ThresholdOptimizerClassifier,
    GapRegularisationClassifier,
    AdversarialDebiasingClassifier,
    ExponentiatedGradientClassifier,
    GridSearchReductionClassifier,
]
LOOK_INTO_A_PERCEPTRON = [
    FADClassifier,
    FaireClassifier,
    FairNeuronClassifier,
    NeuFairClassifier,
]
NEED_COLUMNS = [
    (FairSMOTEClassifier, "makes new rows out of the columns"),
    (CorrelationRemoverClassifier, "removes the correlation"),
    (NeuronFairAugmentationClassifier, "exchanges the values of sensitive columns"),
    (PrototypeRepresentationClassifier, "measures distances"),
    (FairlearnAdversarialClassifier, "hands the features to fairlearn as one array"),
]
FEW = {
    ExponentiatedGradientClassifier: {"max_iter": 2},
    GridSearchReductionClassifier: {"grid_size": 2},
    NeuFairClassifier: {"n_proposals": 20},
}
TAKERS = [(method, SmallNet) for method in TAKE_ANY_MODULE] + [
    (method, flat_net) for method in LOOK_INTO_A_PERCEPTRON
]


@pytest.fixture(scope="module")
def digits():
    bunch = make_biased_digits(200, strength=0.6, random_state=0)
    return bunch.data, bunch.target, bunch.sensitive_features["colour"]


@pytest.fixture(scope="module")
def lazy(digits, tmp_path_factory):
    """The same digits in an archive, losslessly."""
    image = pytest.importorskip("PIL.Image")
    path = tmp_path_factory.mktemp("digits") / "digits.zip"
    names = [f"{k}.png" for k in range(len(digits[0]))]
    with zipfile.ZipFile(path, "w") as archive:
        for name, pixels in zip(names, digits[0], strict=True):
            file = io.BytesIO()
            image.fromarray(pixels).save(file, "png")
            archive.writestr(name, file.getvalue())
    return LazyImages(names, archive=path, size=8, n_workers=1)


@pytest.fixture
def decoded(monkeypatch):
    """Rows of every read of lazy images."""
    reads, read = [], LazyImages.read

    def watch(self, rows):
        reads.append(len(rows))
        return read(self, rows)

    monkeypatch.setattr(LazyImages, "read", watch)
    return reads


def probabilities(method, module, data):
    X, y, groups = data
    clf = method(plain(module), random_state=0, **FEW.get(method, {}))
    clf.fit(X, y, sensitive_features=groups)
    told = {"sensitive_features": groups} if clf.needs_groups_at_predict else {}
    return clf, clf.predict_proba(X, **told)


@pytest.mark.parametrize(("method", "module"), TAKERS)
def test_lazy_images_are_the_same_images(digits, lazy, method, module):
    clf, found = probabilities(method, module, digits)
    assert clf.image_shape_ == (3, 8, 8)
    assert clf.n_features_in_ == 3  # as of RunnerFairClassifier
    assert found.shape == (len(digits[1]), 2)
    _, of_lazy = probabilities(method, module, (lazy, *digits[1:]))
    assert_allclose(of_lazy, found, atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda X: X.transpose(0, 3, 1, 2),
        lambda X: X / np.float32(255),
        list,
        lambda X: read_images(X, caller="test"),
    ],
    ids=["channels first", "float", "list", "source"],
)
def test_layout_and_container_change_nothing(digits, change):
    X, *rest = digits
    _, expected = probabilities(OversamplingClassifier, SmallNet, digits)
    _, found = probabilities(OversamplingClassifier, SmallNet, (change(X), *rest))
    assert_allclose(found, expected, atol=1e-5)


def test_grey_bytes_are_images(digits):
    X, *rest = digits
    clf, _ = probabilities(UnmitigatedClassifier, SmallNet, (X[..., 0], *rest))
    assert clf.image_shape_ == (1, 8, 8)


def test_repeated_rows_of_lazy_images_are_decoded_in_batches(digits, lazy, decoded):
    clf = OversamplingClassifier(plain(SmallNet).set_params(batch_size=32))
    clf.fit(lazy, digits[1], sensitive_features=digits[2])
    # Two epochs of at most 32 at a time, and nothing while rows were chosen.
    assert sum(decoded) == PROBED + 2 * (len(lazy) + clf.n_repeated_)
    assert max(decoded) <= 32


def test_rows_held_out_of_lazy_images_are_decoded_once(digits, lazy, decoded):
    clf = RejectOptionClassifier(plain(SmallNet), validation_fraction=0.25)
    clf.fit(lazy, digits[1], sensitive_features=digits[2])
    assert sum(decoded) == pytest.approx(PROBED + 2 * 150 + 50, abs=6)


def test_folds_of_lazy_images_decode_what_they_use(digits, lazy, decoded):
    clf = UnmitigatedClassifier(plain(SmallNet), random_state=0)
    found = cross_validate(clf, lazy, digits[1], cv=2)
    assert len(found["test_score"]) == 2
    # Two epochs of each half, and each half again to be judged.
    assert sum(decoded) == 2 * PROBED + 3 * len(lazy)


def test_the_frontier_decodes_nothing_to_hold_rows_out(digits, lazy, decoded):
    estimator = RunnerFairClassifier(module=SmallNet, warmup_epochs=1, max_epochs=1)
    told = {"fraction": 0.2, "seed": 0, "caller": "test"}
    parts = hold_out(estimator, lazy, *digits[1:], **told)
    assert parts.held_out.X.shape == (40, 3, 8, 8)
    assert len(parts.train[0]) == 160
    assert not decoded

    front = RunnerFrontier(estimator, n_points=3, n_bootstrap=5, random_state=0)
    front.fit(lazy, digits[1], sensitive_features=digits[2])
    assert front.predict(lazy[:5]).shape == (5,)


@pytest.mark.parametrize(("method", "does"), NEED_COLUMNS)
def test_methods_that_compute_with_columns_refuse_images(digits, method, does):
    X, y, groups = digits
    match = rf"{method.__name__}.fit {does}.* 200 images of shape \(3, 8, 8\)"
    with pytest.raises(ValueError, match=match):
        method(plain(SmallNet)).fit(X, y, sensitive_features=groups)


@pytest.mark.parametrize("method", LOOK_INTO_A_PERCEPTRON)
def test_methods_that_look_into_a_perceptron_refuse_a_convolution(digits, method):
    X, y, groups = digits
    with pytest.raises(TypeError, match=rf"{method.__name__}.fit .* SmallNet is none"):
        method(plain(SmallNet)).fit(X, y, sensitive_features=groups)


def test_images_need_a_module(digits):
    X, y, groups = digits
    match = r"images of shape \(3, 8, 8\), and the default module .* takes tables"
    with pytest.raises(ValueError, match=match):
        OversamplingClassifier().fit(X, y, sensitive_features=groups)


def test_other_images_than_those_trained_on_are_refused(digits):
    clf, _ = probabilities(UnmitigatedClassifier, SmallNet, digits)
    match = (
        r"shape \(3, 5, 8\), but this UnmitigatedClassifier was trained on images of "
        r"shape \(3, 8, 8\)"
    )
    with pytest.raises(ValueError, match=match):
        clf.predict(digits[0][:, :5])


def test_a_method_trained_on_a_table_refuses_images(digits):
    X, y, groups = digits
    clf = UnmitigatedClassifier(LogisticRegression())
    clf.fit(X.reshape(200, -1)[:, :3], y)
    with pytest.raises(ValueError, match=r"shape \(3, 8, 8\).* trained on a table"):
        clf.predict(X)


def test_an_array_reaches_the_estimator_as_it_came(digits):
    """So that a pipeline of the user's can take columns out of it."""
    X, y, groups = digits
    flatten = FunctionTransformer(lambda X: X.reshape(len(X), -1) / 255)
    pipeline = make_pipeline(flatten, LogisticRegression(max_iter=300))
    clf = ReweighingClassifier(pipeline).fit(X, y, sensitive_features=groups)
    assert clf.predict(X).shape == (200,)
