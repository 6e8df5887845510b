"""What counts as images, where their channels are, and what a net reads of them."""

import importlib

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from torch.utils.data import TensorDataset

from skfair_runner.images import ImageArray, ImageSource, LazyImages, read_images


def bytes_of(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")


def read(X):
    return read_images(X, caller="Clf")


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((7, 3, 8, 9), "uint8", (7, 3, 8, 9)),
        ((7, 8, 9, 3), "uint8", (7, 3, 8, 9)),
        ((7, 1, 8, 9), "float32", (7, 1, 8, 9)),
        ((7, 8, 9, 4), "float64", (7, 4, 8, 9)),
        ((7, 8, 9), "uint8", (7, 1, 8, 9)),
        # Maps of a network: any number of channels, and few positions.
        ((7, 12, 8, 9), "float32", (7, 12, 8, 9)),
        ((7, 64, 3, 3), "float32", (7, 64, 3, 3)),
        ((7, 2, 4, 4), "float32", (7, 2, 4, 4)),
    ],
)
def test_the_layout_is_read_off_the_shape(shape, dtype, expected):
    X = bytes_of(*shape).astype(dtype)
    source = read(X)
    assert source.shape == expected
    assert len(source) == 7
    assert source.images.array.base is X or source.images.array is X
    assert not source.lazy


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((7, 5)),
        np.zeros((7, 5, 3)),  # may be a sequence
        np.zeros((7, 2, 3, 4, 5)),
        np.zeros(7, dtype="uint8"),
        sparse.eye(4).tocsr(),
        pd.DataFrame(np.zeros((7, 2))),
        [[1.0, 2.0]],
        [np.zeros((3, 3)), np.zeros((3, 4))],
        [],
        None,
    ],
    ids=lambda X: type(X).__name__,
)
def test_everything_else_is_left_alone(X):
    assert read(X) is None


def test_lists_and_tensors_hold_images_too():
    assert read(list(bytes_of(5, 8, 8, 3))).shape == (5, 3, 8, 8)
    tensor = torch.zeros(5, 1, 8, 8)
    source = read(tensor)
    assert np.shares_memory(source.images.array, tensor.numpy())


def test_lists_may_be_nested_or_of_pictures():
    X = bytes_of(5, 8, 8, 3)
    pictures = pytest.importorskip("PIL.Image")
    assert_array_equal(read([pictures.fromarray(x) for x in X]).images.array, X)
    assert_array_equal(read((X / 255).tolist()).images.array, X / 255)
    with pytest.raises(TypeError, match=r"\(5, 8, 8, 3\), holds pixels of type int64"):
        read(X.tolist())


def test_images_of_different_shapes_are_refused():
    X = [*bytes_of(5, 8, 8, 3), bytes_of(8, 9, 3)]
    with pytest.raises(ValueError, match=r"\(8, 8, 3\) and \(8, 9, 3\): bring"):
        read(X)


def test_a_data_set_is_to_be_wrapped():
    dataset = TensorDataset(torch.zeros(5, 3, 8, 8))
    with pytest.raises(TypeError, match=r"data set, TensorDataset: .*from_dataset"):
        read(dataset)


def test_floats_of_three_axes_are_images_where_the_caller_knows():
    X = np.zeros((7, 8, 9))
    assert read_images(X, caller="Clf", grey_floats=True).shape == (7, 1, 8, 9)
    assert read_images(X.astype(int), caller="Clf", grey_floats=True) is None


def test_bytes_are_scaled_and_brought_to_channels_first():
    X = bytes_of(6, 8, 9, 3)
    batch = read(X)[np.array([4, 1])]
    assert (batch.dtype, batch.flags.c_contiguous) == (np.float32, True)
    assert_allclose(batch, X[[4, 1]].transpose(0, 3, 1, 2) / 255, rtol=1e-6)


def test_floats_keep_their_values():
    X = np.random.default_rng(0).normal(size=(6, 3, 8, 9))
    assert_array_equal(read(X)[np.array([0, 5])], X[[0, 5]].astype(np.float32))
    assert X.dtype == np.float64


def test_a_memory_map_stays_one(tmp_path):
    X = np.memmap(tmp_path / "x", "uint8", "w+", shape=(4, 8, 8, 3))
    source = read(X)
    assert np.shares_memory(source.images.array, X)
    assert source[np.array([1])].max() == 0


def test_what_says_its_layout_is_believed():
    X = bytes_of(5, 3, 3, 4)
    assert read(ImageArray(X, "first")).shape == (5, 3, 3, 4)
    assert read(ImageArray(X, "last")).shape == (5, 4, 3, 3)


def test_what_is_no_array_is_lazy():
    items = torch.utils.data.TensorDataset(torch.zeros(5, 3, 8, 8))
    assert ImageSource(LazyImages.from_dataset(items)).lazy


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((5, 3, 3, 4), "uint8"), ((5, 1, 4, 4), "float32"), ((5, 12, 8, 9), "uint8")],
)
def test_a_layout_that_cannot_be_told_is_refused(shape, dtype):
    text = ", ".join(map(str, shape))
    with pytest.raises(ValueError, match=rf"Clf .* shape \({text}\) .*ImageArray"):
        read(np.zeros(shape, dtype))


def test_other_numbers_are_refused():
    with pytest.raises(TypeError, match=r"Clf: X, of shape \(5, 8, 8, 3\).* int64"):
        read(np.zeros((5, 8, 8, 3), dtype="int64"))


def test_no_image_is_refused():
    with pytest.raises(ValueError, match=r"Clf: X .* \(0, 8, 8, 3\)"):
        read(np.zeros((0, 8, 8, 3)))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_a_float_that_is_no_number_is_named(value, monkeypatch):
    module = importlib.import_module("skfair_runner.images._source")
    monkeypatch.setattr(module, "_CHUNK", 2 * 3 * 8 * 8)
    X = np.zeros((9, 3, 8, 8))
    X[6, 1, 2, 3] = value
    with pytest.raises(ValueError, match="image 6 of X"):
        read(X)


def test_a_subset_reads_nothing(monkeypatch):
    X = bytes_of(7, 8, 9, 3)
    source = read(X)
    part = source.subset(np.array([5, 2]))
    assert part.shape == (2, 3, 8, 9)
    assert part.images.array is X
    assert_allclose(part[np.array([0, 1])], source[np.array([5, 2])])


def test_a_source_is_read_as_what_it_rests_on():
    images = ImageArray(bytes_of(7, 8, 9, 3), "last")
    assert read(ImageSource(images)).images is images
