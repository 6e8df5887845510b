"""Images through the classifier: in memory and lazy, whatever their layout."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from torch import nn

from skfair_runner import RunnerFairClassifier, diagnose_neurons, load, save
from skfair_runner.images import ImageArray, LazyImages
from skfair_runner.modules import ResNet18

pytestmark = pytest.mark.filterwarnings(
    # Few epochs on few images.
    "ignore::skfair_runner.utils.ConstantClassifierWarning"
)
QUICK = {
    "warmup_epochs": 1,
    "max_epochs": 1,
    "batch_size": 32,
    "random_state": 0,
}


class SmallNet(nn.Module):
    """One convolution, with batch statistics and dropout."""

    def __init__(self, n_channels, n_outputs, image_size=None):
        super().__init__()
        self.image_size = image_size
        self.conv, self.norm = nn.Conv2d(n_channels, 6, 3), nn.BatchNorm2d(6)
        self.relu, self.dropout = nn.ReLU(), nn.Dropout(0.2)
        self.output = nn.Linear(6, n_outputs)

    def forward(self, x):
        h = self.dropout(self.relu(self.norm(self.conv(x))))
        return self.output(h.mean((2, 3)))


def make_images(n=96, n_labels=2):
    """Bytes (n, 8, 9, 3); brighter for larger labels, redder for the second group."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, n_labels, n)
    groups = np.where(rng.random(n) < 0.8, y > 0, y == 0).astype(int)
    X = rng.integers(0, 100, (n, 8, 9, 3))
    X += 30 * y[:, None, None, None]
    X[..., 0] += 60 * groups[:, None, None]
    return X.astype("uint8"), y, groups


@pytest.fixture(scope="module")
def faces():
    return make_images()


def fit(faces, **parameters):
    X, y, groups = faces
    clf = RunnerFairClassifier(**{"module": SmallNet, **QUICK, **parameters})
    return clf.fit(X, y, sensitive_features=groups)


@pytest.fixture(scope="module")
def trained(faces):
    return fit(faces)


def test_what_is_fitted_on_images(trained, faces):
    X, y, _ = faces
    assert trained.image_shape_ == (3, 8, 9)
    assert trained.n_features_in_ == 3
    assert trained.net_.module_.image_size == (8, 9)
    table = trained.neuron_importance_
    assert table.groupby("layer").size().to_dict() == {"relu": 6}
    assert trained.predict_proba(X).shape == (len(y), 2)
    assert trained.score(X, y) == (trained.predict(X) == y).mean()


@pytest.mark.parametrize(
    "change",
    [
        lambda X: X.transpose(0, 3, 1, 2),
        lambda X: X / np.float32(255),
        lambda X: (X / np.float32(255)).transpose(0, 3, 1, 2),
        lambda X: torch.from_numpy(X),
        list,
        lambda X: ImageArray(X, channels="last"),
        lambda X: LazyImages.from_dataset(list(X)),
    ],
    ids=["first", "float", "first float", "tensor", "list", "named", "lazy"],
)
def test_layout_and_container_change_nothing(trained, faces, change):
    X, y, groups = faces
    clf = fit((change(X), y, groups))
    assert_allclose(clf.predict_proba(X), trained.predict_proba(X), atol=1e-6)
    assert_allclose(clf.predict_proba(change(X)), trained.predict_proba(X), atol=1e-6)


def test_grey_bytes_are_images(faces):
    X, y, groups = faces
    clf = fit((X[..., 0], y, groups))
    assert clf.image_shape_ == (1, 8, 9)
    assert clf.predict(X[:5, :, :, :1]).shape == (5,)


class AddsTheAxis(nn.Module):
    """A module that is given grey images without an axis of channels."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(1, 4, 3), nn.ReLU()
        self.output = nn.Linear(4, 1)

    def forward(self, x):
        return self.output(self.relu(self.conv(x[:, None])).mean((2, 3)))


def test_grey_floats_are_images_to_a_module_for_images(faces):
    X, y, groups = faces
    grey = X[..., 0] / 255
    clf = fit((grey, y, groups))
    assert clf.image_shape_ == (1, 8, 9)
    assert_array_equal(clf.predict_proba(grey), clf.predict_proba(grey[:, None]))
    again = fit((grey, y, groups), module=clf.net_.module_)
    assert again.image_shape_ == (1, 8, 9)
    own = fit((grey, y, groups), module=AddsTheAxis())
    assert not hasattr(own, "image_shape_")
    assert own.predict(grey).shape == (96,)


def test_bytes_are_never_converted_as_a_whole(faces, monkeypatch):
    """What a batch needs is converted, and the array stays the user's."""
    from skfair_runner.images import ImageSource

    sizes = []
    getitem = ImageSource.__getitem__

    def watch(self, rows):
        batch = getitem(self, rows)
        sizes.append(len(batch))
        return batch

    monkeypatch.setattr(ImageSource, "__getitem__", watch)
    monkeypatch.setattr("skfair_runner.batches._MOST_VALUES", 20 * 8 * 9 * 3)
    X, y, groups = faces
    before = X.copy()
    fit((X, y, groups)).predict(X)
    assert max(sizes) <= 32
    assert_array_equal(X, before)


@pytest.mark.parametrize("sampling", ["group", "group_label"])
def test_images_are_drawn_in_balance(faces, sampling):
    X, y, groups = faces
    lazy = LazyImages.from_dataset(list(X))
    one, two = (fit((images, y, groups), sampling=sampling) for images in (X, lazy))
    assert_allclose(one.predict_proba(X), two.predict_proba(X), atol=1e-6)


def test_several_classes_and_groups_and_weights():
    X, y, groups = make_images(n_labels=3)
    clf = RunnerFairClassifier(module=SmallNet, **QUICK, early_stopping=True)
    weights = np.linspace(0, 1, len(y))
    clf.fit(X, y, sensitive_features=groups, sample_weight=weights)
    assert clf.predict_proba(X).shape == (len(y), 3)


def test_training_goes_on_with_images(faces):
    X, y, groups = faces
    clf = clone(fit(faces)).set_params(warm_start=True)
    clf.fit(X, y, sensitive_features=groups).fit(X, y, sensitive_features=groups)
    clf.partial_fit(X[:40], y[:40], sensitive_features=groups[:40])
    assert clf.predict(X).shape == y.shape


def test_a_trained_module_is_diagnosed_on_images(trained, faces):
    X, y, groups = faces
    table = diagnose_neurons(trained.net_.module_, X, y, sensitive_features=groups)
    assert_array_equal(table["neuron"], range(6))


def test_images_are_changed_while_training_only(faces):
    X, y, groups = faces
    seen = []

    def flip(image):
        seen.append(image.shape)
        return image.flip(-1) if torch.rand(()) < 0.5 else image

    clf = fit(faces, iterator_train__transform=flip)
    assert (len(seen), set(seen)) == (2 * len(X), {(3, 8, 9)})
    twin = fit(faces, iterator_train__transform=flip)
    assert_array_equal(clf.predict_proba(X), twin.predict_proba(X))
    assert not np.allclose(clf.predict_proba(X), fit(faces).predict_proba(X))
    assert len(seen) == 4 * len(X)


def test_a_classifier_of_images_is_saved_and_loaded(trained, faces, tmp_path):
    pytest.importorskip("skops")
    X = faces[0]
    save(trained, tmp_path / "clf")
    restored = load(tmp_path / "clf", module=SmallNet)
    assert_array_equal(restored.predict_proba(X), trained.predict_proba(X))
    with pytest.raises(ValueError, match=r"shape \(3, 5, 5\)"):
        restored.predict(np.zeros((2, 5, 5, 3), "uint8"))


# Slicing without reading


class Counted:
    """A data set that counts what is read of it."""

    def __init__(self, X):
        self.X, self.read = X, []

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        self.read.append(i)
        return self.X[i]


class NeverFits(RunnerFairClassifier):
    """Remembers what it was given, and reads nothing."""

    given: list = []

    def fit(self, X, y, *, sensitive_features=None, sample_weight=None):
        self.given.append((X, np.asarray(y)))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        self.given.append((X, None))
        return np.zeros(len(X), dtype=int)


@pytest.mark.parametrize("search", [False, True])
def test_scikit_learn_slices_lazy_images_without_reading(faces, search, monkeypatch):
    X, y, groups = faces
    counted = Counted(X)
    lazy = LazyImages.from_dataset(counted)
    counted.read.clear()
    monkeypatch.setattr(NeverFits, "given", [])
    clf = NeverFits(module=SmallNet)
    told = {"sensitive_features": groups}
    if search:
        grid = GridSearchCV(clf, {"alpha": [0, 1]}, cv=3, error_score="raise")
        grid.fit(lazy, y, **told)
    else:
        cross_validate(clf, lazy, y, cv=3, params=told, error_score="raise")
    assert counted.read == []
    shapes = {len(part) for part, _ in NeverFits.given}
    assert shapes <= {32, 64, 96}
    assert all(isinstance(part, LazyImages) for part, _ in NeverFits.given)


def test_only_the_rows_of_a_fold_are_read(faces):
    X, y, groups = faces
    counted = Counted(X)
    lazy = LazyImages.from_dataset(counted)
    counted.read.clear()
    fit((lazy[30:70], y[30:70], groups[30:70]))
    assert set(counted.read) == set(range(30, 70))


def test_a_file_that_cannot_be_read_ends_training(faces):
    X, y, groups = faces
    broken = [*X[:50], np.zeros((1, 1, 3), "uint8"), *X[51:]]
    with pytest.raises(ValueError, match="Item 50 of the data set"):
        fit((LazyImages.from_dataset(broken), y, groups))


# Refusals


def test_images_need_a_module_of_ones_own(faces):
    with pytest.raises(
        ValueError, match=r"shape \(3, 8, 9\), and the default .*ResNet"
    ):
        fit(faces, module=None)


def test_images_of_another_shape_are_refused(trained):
    with pytest.raises(
        ValueError, match=r"shape \(3, 5, 6\), .* images of shape \(3, 8, 9\)"
    ):
        trained.predict(np.zeros((2, 5, 6, 3), "uint8"))
    with pytest.raises(ValueError, match=r"shape \(1, 9, 3\), .* is X\[None\]"):
        trained.predict(np.zeros((8, 9, 3), "uint8"))
    with pytest.raises(
        ValueError, match=r"ndarray of shape \(2, 216\), .* shape \(3, 8, 9\): bring"
    ):
        trained.predict(np.zeros((2, 216)))


def test_a_table_and_images_are_not_exchanged(faces):
    X, y, groups = faces
    flat = X.reshape(len(X), -1).astype("float32")
    clf = fit((flat, y, groups), module=lambda: nn.Linear(216, 1), constraint=None)
    assert not hasattr(clf, "image_shape_")
    with pytest.raises(ValueError, match=r"shape \(3, 8, 9\), but .* on a table"):
        clf.predict(X)
    clf.set_params(module=SmallNet).fit(X, y)
    assert clf.image_shape_ == (3, 8, 9)
    clf.set_params(module=lambda: nn.Linear(216, 1)).fit(flat, y)
    assert not hasattr(clf, "image_shape_")


def test_a_length_that_differs_is_refused(faces):
    X, y, groups = faces
    with pytest.raises(ValueError, match=r"\[96, 95\]"):
        fit((X, y[1:], groups[1:]))


def test_labels_are_checked_beside_images(faces):
    X, y, groups = faces
    with pytest.raises(ValueError, match="y contains NaN or None in 1 of 96 rows"):
        fit((X, [None, *y[1:]], groups))


def test_a_residual_network_is_trained_and_repaired(faces):
    clf = fit(faces, module=ResNet18, module__small_images=True, module__width=2)
    layers = clf.neuron_importance_["layer"].unique().tolist()
    assert layers[0] == "relu"
    assert layers[-1] == "layer4.1.relu2"
    assert len(layers) == 17
