import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from skfair_runner import RunnerFairClassifier, RunnerFrontier
from skfair_runner.images import LazyImages
from skfair_runner.plots import ChannelImagesDisplay

pytestmark = pytest.mark.filterwarnings(
    # An epoch, on noise.
    "ignore::skfair_runner.utils.ConstantClassifierWarning"
)
N = 40


def make_net(n_channels, n_outputs):
    return nn.Sequential(
        nn.Conv2d(n_channels, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 36, 6),
        nn.ReLU(),
        nn.Linear(6, n_outputs),
    )


@pytest.fixture(scope="module")
def faces():
    rng = np.random.default_rng(0)
    groups = np.array(["man", "woman"])[rng.integers(0, 2, N)]
    return rng.integers(0, 256, (N, 8, 8, 3), "uint8"), rng.integers(0, 2, N), groups


@pytest.fixture(scope="module")
def clf(faces):
    X, y, groups = faces
    clf = RunnerFairClassifier(
        module=make_net, warmup_epochs=1, max_epochs=0, random_state=0
    )
    return clf.fit(X, y, sensitive_features=groups)


def show(clf, faces, **parameters):
    X, _, groups = faces
    return ChannelImagesDisplay.from_estimator(
        clf, X, sensitive_features=groups, **parameters
    )


def by_hand(clf, X, layer, neuron):
    """The value of every image, one after the other."""
    found = []
    hook = clf.net_.module_[int(layer)].register_forward_hook(
        lambda m, i, out: found.append(out[0, neuron].mean().item())
    )
    for image in X:
        clf.predict(image[None])
    hook.remove()
    return np.array(found)


@pytest.mark.parametrize(("layer", "neuron"), [("2", 1), ("5", 4)])
def test_the_largest_values_of_each_group_are_shown(clf, faces, layer, neuron):
    X, _, groups = faces
    display = show(clf, faces, layer=layer, neuron=neuron, n_images=3)
    values = by_hand(clf, X, layer, neuron)
    for name, part in display.table.groupby("group"):
        members = np.flatnonzero(groups == name)
        best = members[np.argsort(-values[members], kind="stable")[:3]]
        assert_allclose(part["value"], values[best], rtol=1e-5, atol=1e-7)
        assert_allclose(part["value"], values[part["row"]], rtol=1e-5, atol=1e-7)
    assert_allclose(display.images, X[display.table["row"]] / 255, rtol=1e-6)


def test_the_most_important_neuron_is_taken_unless_one_is_named(clf, faces):
    table = clf.neuron_importance_
    best = table.loc[table["importance"].idxmax()]
    display = show(clf, faces)
    assert (display.layer, display.neuron) == (best["layer"], best["neuron"])
    part = table[(table["layer"] == "5") & (table["rank"] == 1)]
    assert show(clf, faces, layer="5").neuron == part["neuron"].item()


def test_lazy_images_give_the_same(clf, faces):
    X, y, groups = faces
    lazy = show(clf, (LazyImages.from_dataset(list(X)), y, groups))
    assert lazy.table.equals(show(clf, faces).table)


def test_each_group_has_a_row_of_images(clf, faces):
    display = show(clf, faces, n_images=4).plot()
    assert display.axes_.shape == (2, 4)
    assert [ax.get_ylabel() for ax in display.axes_[:, 0]] == ["man", "woman"]
    title = display.axes_[0, 2].get_title()
    assert title.startswith(f"layer {display.layer}, channel {display.neuron}: mean")
    display.figure_.draw_without_rendering()
    edges = [ax.get_position().x0 for ax in display.axes_[0]]
    assert_allclose(np.diff(edges, 2), 0, atol=0.01)
    (picture,) = display.axes_[1, 2].get_images()
    assert_allclose(picture.get_array(), display.images[6])
    assert float(display.axes_[0, 0].get_xlabel()) == pytest.approx(
        display.table["value"][0], rel=1e-2
    )


def test_a_small_group_leaves_places_empty(clf, faces):
    X, y, groups = faces
    few = np.where(np.arange(N) < 2, "few", groups)
    display = show(clf, (X, y, few), n_images=5).plot()
    assert display.axes_.shape == (3, 5)
    assert [ax.axison for ax in display.axes_[0]] == [True] * 2 + [False] * 3


def test_grey_images_and_other_floats_can_be_shown(faces):
    X, y, groups = faces
    grey = X[..., :1] / 10 - 7
    clf = RunnerFairClassifier(module=make_net, warmup_epochs=1, max_epochs=0)
    clf.fit(grey, y, sensitive_features=groups)
    display = show(clf, (grey, y, groups)).plot()
    assert (display.images.min(), display.images.max()) == (0, 1)
    assert display.axes_[0, 0].get_images()[0].get_array().ndim == 2
    assert_array_equal(display.axes_[0, 0].get_images()[0].get_clim(), (0, 1))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"layer": "9"}, r"layer='9' is not among .* \['2', '5'\]"),
        ({"neuron": 1}, r"neuron=1 is one of .* pass the layer .* \['2', '5'\]"),
        ({"layer": "2", "neuron": 4}, r"neuron=4 is not in layer '2', .* 0 to 3"),
        ({"n_images": 0}, "n_images=0 must be"),
    ],
)
def test_parameters_out_of_range_are_named(clf, faces, parameters, message):
    with pytest.raises(ValueError, match=message):
        show(clf, faces, **parameters)


def test_tables_are_refused(clf, faces):
    X, y, groups = faces
    with pytest.raises(
        ValueError, match=r"no images, but a ndarray of shape \(40, 5\)"
    ):
        show(clf, (np.zeros((N, 5)), y, groups))


def test_an_estimator_without_neurons_is_refused(faces):
    with pytest.raises(ValueError, match="has no `neuron_importance_`"):
        show(RunnerFairClassifier(), faces)


# A few images of each group, and an epoch each.
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
def test_of_a_front_the_selected_point_is_looked_into(faces):
    X, y, groups = faces
    clf = RunnerFairClassifier(module=make_net, warmup_epochs=1, max_epochs=1)
    front = RunnerFrontier(clf, n_points=3, n_bootstrap=20, random_state=0)
    front.fit(X, y, sensitive_features=groups)
    display = show(front, faces, layer="2", neuron=1, n_images=3)
    front.predict(X)  # the first call may look at the module
    values = by_hand(front.classifier_, X, "2", 1)
    rows = display.table["row"]
    assert_allclose(display.table["value"], values[rows], rtol=1e-5, atol=1e-7)
